"""Every operation of torch that a model does on some strings, looked at as it is done: does its result depend on the
numbers alone?

Whether it depends on the order of a sum or the place of a number is the one question
(:mod:`constructions.mamba.numbers_alone`); of which tokens the numbers are, the other
(:mod:`constructions.mamba.followed_tokens`).  A :class:`~constructions.mamba.numbers_alone.Refusal` names the operation
and the module where the answer is no.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator, Protocol, Sequence

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from constructions.mamba.followed_tokens import FollowedTokens
from constructions.mamba.numbers_alone import DIVIDES, FUNCTIONS, ROUNDED, SUMS, NumbersAlone, Refusal, tensors_in

_ASKS = ("any", "_local_scalar_dense")
"""What the one who runs a model asks of it, outside its modules, to refuse it or not."""


class Follower(Protocol):
    """Looks at whose numbers an operation reads, once it has begun."""

    @property
    def begun(self) -> bool:
        """Whether there is something to be followed."""

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """As :meth:`constructions.mamba.followed_tokens.FollowedTokens.look`."""


class Recorder(TorchDispatchMode):
    """Looks at every operation while it is entered.

    Args:
        model: names its modules.
        idle: the names of the modules that add exactly 0 whatever they read: what they do inside is not looked at.
        followers: what is looked at of whose the numbers are; the tokens that they belong to, where none are given.
        only: whether nothing else is looked at.

    Attributes:
        numbers: what is looked at of each operation's numbers.
        tokens: what is looked at of the tokens that they belong to, once these are followed.
        unread: tensors that count, by adding a number to them: no other operation may read or write them, nor what
            shares their memory.
        idle_reads: where it is a list, it gets what is read inside idle modules.
    """

    def __init__(
        self, model: torch.nn.Module, idle: Sequence[str] = (), followers: Sequence[Follower] = (), only: bool = False
    ):
        super().__init__()
        self._only = only
        self.idle_reads: list[torch.Tensor] | None = None
        self.numbers, self.tokens = NumbersAlone(), FollowedTokens()
        self.followers: Sequence[Follower] = followers or (self.tokens,)
        self.unread: Sequence[torch.Tensor] = ()
        self._model, self._idle = model, frozenset(idle)
        self._inside: list[str] = []

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Follows which module is at work."""
        handles = []
        for name, module in self._model.named_modules():
            handles.append(module.register_forward_pre_hook(lambda *_, name=name: self._inside.append(name)))
            handles.append(module.register_forward_hook(self._leave))
        try:
            yield
        finally:
            self._inside.clear()
            for handle in handles:
                handle.remove()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(name in self._idle for name in self._inside):
            if self.idle_reads is not None:
                self.idle_reads += tensors_in((args, kwargs))
            return func(*args, **kwargs)
        name = func.overloadpacket.__name__
        plain = name.removesuffix("_")
        place = f" of {self._inside[-1]}" if self._inside and self._inside[-1] else ""
        if self._counts(args, kwargs):
            if name != "add_" or tensors_in((args[1:], kwargs)):
                raise Refusal(f"{plain}{place}: it reads a count of steps, which is another one at every step")
            return func(*args, **kwargs)
        if name in _ASKS and not self._inside:
            return func(*args, **kwargs)
        given = args
        if name != plain and plain in FUNCTIONS | ROUNDED:
            given = tuple(a.clone() if isinstance(a, torch.Tensor) else a for a in args)
        result = func(*args, **kwargs)
        try:
            with np.errstate(all="ignore"):
                self._look(func, plain, name != plain, given, args, kwargs, result)
        except Refusal as refusal:
            raise Refusal(f"{plain}{place}: {refusal}") from None
        except Exception as error:  # a form of an operation that nobody thought of
            raise Refusal(f"{plain}{place}: it cannot be looked into ({type(error).__name__})") from error
        return result

    def _counts(self, args: Any, kwargs: Any) -> bool:
        """Whether some tensor among the arguments is a count of steps."""
        if not self.unread:
            return False
        counts = {tensor.untyped_storage().data_ptr() for tensor in self.unread}
        return any(tensor.untyped_storage().data_ptr() in counts for tensor in tensors_in((args, kwargs)))

    def _look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        followers = [follower for follower in self.followers if follower.begun]
        if not self._only:
            self._look_at_numbers(func, name, in_place, given, args, kwargs, result)
            if followers:
                self.numbers.absorbed(name, tensors_in((args, kwargs)), args, result)
        for follower in followers:
            follower.look(func, name, in_place, given, args, kwargs, result)

    def _look_at_numbers(
        self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any
    ) -> None:
        if name in SUMS and in_place:
            raise Refusal("a sum in the place of a term is not looked into")
        if name in SUMS:
            self.numbers.sum(name, given, kwargs, result)
        elif name in FUNCTIONS:
            self.numbers.function(func, name, given, kwargs, result)
        elif name in ("add", "sub", "rsub") and (kwargs.get("alpha", 1) != 1 or args[2:] not in ((), (1,))):
            raise Refusal("a multiple is added, which a kernel may round once or twice")
        if name in ROUNDED or name in FUNCTIONS:
            self.numbers.formats(given, result)
        if kwargs.get("rounding_mode") is not None:
            raise Refusal("a quotient is rounded to a whole number, which kernels do in several ways")
        if name in DIVIDES and not bool(torch.isfinite(result).all()):
            raise Refusal("a number is divided by 0, which may be -0 elsewhere")

    def _leave(self, module: Any, args: Any, result: Any) -> None:
        name = self._inside.pop()
        if name in self._idle and not any(other in self._idle for other in self._inside):
            out = result[0] if isinstance(result, tuple) else result
            if bool((out != 0).any()):
                raise Refusal(f"{name} is at work")


@contextmanager
def recorded(recorder: Recorder) -> Iterator[None]:
    """What is done inside is looked at."""
    with torch.no_grad(), recorder.naming(), recorder:
        yield


def recorded_run(
    recorder: Recorder,
    run: Callable[[torch.Tensor], torch.Tensor],
    numbers: np.ndarray,
    transitions: np.ndarray,
    sources: np.ndarray,
    counts: tuple[int, int],
    state: Callable[[], Sequence[Sequence[torch.Tensor]]] = lambda: (),
) -> np.ndarray:
    """What a function gives of strings, (strings, time), each operation looked at, and what ``state`` has then: see
    :meth:`~constructions.mamba.followed_tokens.FollowedTokens.follow` and ``give``.
    """
    tokens = torch.from_numpy(numbers)
    recorder.tokens.follow(tokens, transitions, sources, counts)
    with recorded(recorder):
        result = run(tokens)
        kept = [tensor for layer in state() for tensor in layer]
    recorder.tokens.finish()
    recorder.numbers.settled([result, *kept])
    recorder.tokens.give(result, kept)
    return result.double().numpy()
