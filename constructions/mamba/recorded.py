"""Every operation of torch that a model does on some strings, looked at as it is done: does its result depend on the
numbers alone?

Three things are looked at, and a :class:`Refusal` names the operation and the module where one does not hold.

*Order*: no sum may round in any order (:mod:`constructions.mamba.exact_sums`), so the number of rows, the length of the
string and the place of a row change nothing.  A mean that is rounded away beside what is added to it may.

*Place*: a kernel computes a function of one number in another way in the last few places of a tensor than elsewhere.
Each function is done again on each number that occurred, at all places of a short row, and has to give the same bits.

*Time*: each number of a tensor is followed back to the token that it belongs to, by doing to numbers of tokens whatever
is done to the tensor.  An operation may bring together numbers of the same token, and of the token before it.  Then,
operation after operation, the numbers of a token must be a function of the transition that the token takes, and those
of the token before must be a function of the state between them.  By induction over a string, operation after operation
and token after token, all its numbers are among those that were seen, whatever the string: as long as every transition
was, with every transition before it.  Chunks of a scan bring together numbers of many tokens, and are refused.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator, Sequence

import numpy as np
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakTensorKeyDictionary

from constructions.mamba.exact_sums import lowest_bits, product_sums, too_long

_MOVES = frozenset(
    "view _unsafe_view _reshape_alias transpose t permute expand slice select squeeze unsqueeze cat stack split "
    "split_with_sizes unsafe_split unbind clone alias detach lift_fresh _to_copy repeat flip".split()
)
_MADE = frozenset(
    "zeros zeros_like ones ones_like empty empty_like full full_like new_zeros scalar_tensor arange".split()
)
_ROUNDED = frozenset(
    "mul add sub rsub div neg abs sqrt relu maximum minimum where clamp eq ne lt le gt ge bitwise_not bitwise_and "
    "bitwise_or logical_not logical_and masked_fill".split()
)
"""One operation of IEEE 754 for each place, or none."""
_FUNCTIONS = frozenset("exp log rsqrt sigmoid silu softplus tanh gelu pow reciprocal".split())
_SUMS = frozenset("mm bmm addmm baddbmm sum mean convolution".split())

_CONSTANT, _OUTSIDE = -1, 1 << 40
"""In the place of a token's number: belongs to no token; lies beyond the string."""

_LANES = 67
"""Places of the row in which a function is done again: several full vectors of any processor, and a rest."""


class Refusal(Exception):
    """An operation whose result may depend on more than its numbers, or is not looked into here."""


class Recorder(TorchDispatchMode):
    """Looks at every operation while it is entered.

    Args:
        model: names its modules.
        idle: the names of the modules that add exactly 0 whatever they read: what they do inside is not looked at.

    Attributes:
        sums: how many operations that sum were looked at.
        largest: the largest sum, in its units.
        values: how many numbers functions were done again on.
    """

    def __init__(self, model: torch.nn.Module, idle: Sequence[str] = ()):
        super().__init__()
        self.sums, self.largest, self.values = 0, 0.0, 0
        self._model, self._idle = model, frozenset(idle)
        self._inside: list[str] = []
        self._known: dict[Any, dict[bytes, bytes]] = {}
        self._sum_known: set[Any] = set()
        self._rows: dict[int, tuple[str, np.ndarray]] = {}
        self._before: dict[tuple[int, int], tuple[str, np.ndarray]] = {}
        self._kept: dict[tuple[int, int], tuple[str, np.ndarray]] = {}
        self._ids: Any = None

    # -- what the caller does ------------------------------------------------------------------------------

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

    def follow(
        self, tokens: torch.Tensor, transitions: np.ndarray, sources: np.ndarray, counts: tuple[int, int]
    ) -> None:
        """From now on numbers are followed back to these tokens.

        Args:
            tokens: (strings, time).
            transitions: the number of the transition that each token takes, same shape.
            sources: the number of the state before each token, same shape; not looked at for the first.
            counts: how many transitions and states there are.
        """
        self._ids, self._inexact, self._positional = (WeakTensorKeyDictionary() for _ in range(3))
        self._time, self._transitions, self._sources, self._counts = tokens.shape[1], transitions, sources, counts
        self._done = np.zeros(self._time, dtype=np.int64)
        self._ids[tokens] = torch.arange(tokens.numel()).reshape(tokens.shape)

    def finish(self) -> None:
        """After a run: every token went through the same operations."""
        # The first token, which is the same in every string, meets a state that is no number of any token.
        if (self._done[1:] != self._done[-1]).any():
            raise Refusal("tokens of the same string go through different numbers of operations")

    def give(self, logits: torch.Tensor, state: Sequence[torch.Tensor]) -> None:
        """Looks at what a run gives: logits (strings, time, vocabulary), or after the last token (strings, vocabulary),
        each of its own token; and a state, each number of the last token or of the one before.
        """
        ids = self._id(logits)
        strings = torch.arange(len(logits)) * self._time
        own = strings[:, None, None] + torch.arange(self._time)[None, :, None]
        own = own if logits.dim() == 3 else own[:, -1]
        if bool(((ids != own) & (ids != _CONSTANT)).any()):
            raise Refusal("the logits are not those of their token")
        last = (strings + self._time - 1).numpy()
        keys = self._transitions[:, -1], self._sources[:, -1], np.zeros(len(last), dtype=np.int64)
        counts = *self._counts, 1
        for number, tensor in enumerate(state):
            ids, values = self._id(tensor).flatten(1).numpy(), _array(tensor.flatten(1))
            wanted = last[:, None], last[:, None] - 1, _CONSTANT
            if self._time < 2 or not np.logical_or.reduce([ids == one for one in wanted]).all():
                raise Refusal("the state keeps numbers that are not those of the last two tokens")
            for kind, one in enumerate(wanted):
                here = ids == one
                if (here != here[0]).any():
                    raise Refusal("the state keeps other numbers in another string")
                if here.any():
                    rows = values[:, here[0]]
                    self._agree(
                        self._kept, (number, kind), "the state", counts[kind], keys[kind], rows, "what it is of"
                    )

    def complete(self) -> None:
        """After all runs: every transition was seen in every operation."""
        for number, (name, rows) in self._rows.items():
            if np.isnan(rows[1:] if number >= 0 else rows[:1]).any():
                raise Refusal(f"{name} was not seen on every transition")

    # -- each operation ------------------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if any(name in self._idle for name in self._inside):
            return func(*args, **kwargs)
        name = func.overloadpacket.__name__
        plain = name.removesuffix("_")
        given = args
        if name != plain and plain in _FUNCTIONS | _ROUNDED:
            given = tuple(a.clone() if isinstance(a, torch.Tensor) else a for a in args)
        result = func(*args, **kwargs)
        try:
            self._look(func, plain, name != plain, given, args, kwargs, result)
        except Refusal as refusal:
            place = f" of {self._inside[-1]}" if self._inside and self._inside[-1] else ""
            raise Refusal(f"{plain}{place}: {refusal}") from None
        return result

    def _look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        tensors = _tensors((args, kwargs))
        if name in _SUMS:
            self._sum(name, given, kwargs, result)
        elif name in _FUNCTIONS:
            self._function(func, name, given, kwargs, result)
        elif name == "add" and kwargs.get("alpha", 1) != 1:
            raise Refusal("a multiple is added, which a kernel may round once or twice")
        if self._ids is None:
            return
        self._absorbed(name, tensors, args, result)
        dated = [t for t in tensors if t in self._ids and bool((self._ids[t] >= 0).any())]
        if name in _MADE or (not dated and name not in _MOVES):
            for out in () if in_place else _tensors(result):
                self._keep(out, torch.tensor(_CONSTANT))
                if name == "arange" or any(t in self._positional for t in tensors):
                    self._positional[out] = True
        elif name in _MOVES or name in ("constant_pad_nd", "embedding", "copy"):
            self._move(func, name, args, kwargs, result)
        elif name in _ROUNDED or name in _FUNCTIONS:
            self._each(name, in_place, given, args, result)
        elif name in _SUMS:
            self._summed(name, given, result)
        else:
            raise Refusal("this operation is not looked into")

    # -- order and place -----------------------------------------------------------------------------------

    def _sum(self, name: str, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        """Refuses a sum that may be rounded; a mean may be, and is marked."""
        info = torch.finfo(result.dtype)
        digits, least = 1 - int(np.log2(info.eps)), int(np.log2(info.tiny))
        size, unit = _terms(name, args, kwargs, result)
        self.sums += 1
        wrong, units = too_long(size, unit, digits, least, info.max)
        if name == "mean":
            count = _reduced(args).shape[-1]
            if wrong or count & (count - 1):
                if not np.isfinite(size).all() or size.max() > info.max:
                    raise Refusal(wrong or "a sum is not finite")
                if self._ids is not None:
                    self._inexact[result] = float(size.max()) / count
                return
        if wrong:
            raise Refusal(wrong)
        self.largest = max(self.largest, units)

    def _absorbed(self, name: str, tensors: list[torch.Tensor], args: Any, result: Any) -> None:
        """A mean that was rounded must vanish beside a number that is added to it, however it was rounded."""
        for tensor in tensors:
            if tensor not in self._inexact:
                continue
            greatest = 2 * self._inexact[tensor]
            if name in _MOVES:
                for out in _tensors(result):
                    self._inexact[out] = self._inexact[tensor]
                continue
            other = next((a for a in args if isinstance(a, (int, float))), None)
            eps = float(torch.finfo(tensor.dtype).eps)
            if name != "add" or other is None or not greatest < abs(other) * eps / 4:
                raise Refusal(f"a mean of up to {greatest / 2:g} is rounded, and does not vanish beside what follows")

    def _function(self, func: Any, name: str, args: Any, kwargs: Any, result: torch.Tensor) -> None:
        """Does a function again on each new number, at all places of a row, contiguous or not."""
        numbers, rest = args[0], args[1:]
        if any(isinstance(a, torch.Tensor) for a in rest):
            raise Refusal("a function of two numbers is not looked into")
        known = self._known.setdefault((name, numbers.dtype, rest, tuple(sorted(kwargs.items()))), {})
        flat, out = _bits(numbers.reshape(-1)).numpy(), _bits(result.reshape(-1)).numpy()
        values, first, back = np.unique(flat, return_index=True, return_inverse=True)
        if (out[first][back] != out).any():
            raise Refusal("of one number it gives different bits")
        new = np.array([value not in known for value in values.tolist()], dtype=bool)
        if new.any():
            some = _from_bits(torch.from_numpy(values[new]), numbers.dtype)
            wide = some[:, None].expand(-1, _LANES).contiguous()
            plain = getattr(torch.ops.aten, name)
            plain = getattr(plain, func._overloadname)
            layouts = wide, wide.t().contiguous().t(), wide.repeat_interleave(2, 1)[:, ::2]
            ways = [plain(laid, *rest, **kwargs) for laid in layouts]
            alone = _bits(ways[0][:, :1].contiguous())
            for way in ways:
                if bool((_bits(way.contiguous()) != alone).any()):
                    worst = some[(_bits(way.contiguous()) != first).any(dim=1)][0].item()
                    raise Refusal(f"of {worst:g} it gives other bits at other places of a tensor")
            known.update(zip(values[new].tolist(), alone[:, 0].tolist()))
            self.values += int(new.sum())
        for value, given in zip(values.tolist(), out[first].tolist()):
            if known[value] != given:
                raise Refusal(
                    f"of {_from_bits(torch.tensor([value]), numbers.dtype).item():g} it gives other bits here"
                )

    # -- time ----------------------------------------------------------------------------------------------

    def _id(self, tensor: torch.Tensor) -> torch.Tensor:
        found = self._ids.get(tensor)
        return found if found is not None else _laid_out(tensor).fill_(_CONSTANT)

    def _keep(self, tensor: torch.Tensor, ids: torch.Tensor) -> None:
        """In the memory's order of the tensor, so that views of the one are views of the other."""
        self._ids[tensor] = _laid_out(tensor).copy_(ids)

    def _moved(self, given: Any) -> Any:
        """An argument, with numbers of tokens in the place of tensors."""
        if isinstance(given, (list, tuple)) and any(isinstance(a, torch.Tensor) for a in given):
            return [self._id(a) for a in given]
        return self._id(given) if isinstance(given, torch.Tensor) else given

    def _move(self, func: Any, name: str, args: Any, kwargs: Any, result: Any) -> None:
        """What only moves numbers is done to the numbers of tokens too."""
        if name == "embedding":
            self._keep(result, self._id(args[1])[..., None].expand(result.shape))
            return
        if name == "copy":
            if args[0] not in self._ids:
                raise Refusal("it writes into a tensor that was there before")
            self._ids[args[0]].copy_(self._id(args[1]))
            return
        if name == "constant_pad_nd":
            self._keep(result, functional.pad(self._id(args[0]), args[1], value=_CONSTANT))
            return
        if name == "_to_copy":
            self._keep(result, self._id(args[0]))
        else:
            ids = [self._moved(a) for a in args]
            options = {key: value for key, value in kwargs.items() if key not in ("dtype", "memory_format")}
            for out, moved in zip(_tensors(result), _tensors(func(*ids, **options))):
                if name in ("cat", "stack", "clone", "repeat"):
                    self._keep(out, moved)
                else:
                    self._ids[out] = moved
        if any(a in self._positional for a in _tensors(args)):
            for out in _tensors(result):
                self._positional[out] = True

    def _each(self, name: str, in_place: bool, given: Any, args: Any, result: torch.Tensor) -> None:
        """An operation for each place."""
        pairs = [(a, b) for a, b in zip(given, args) if isinstance(b, torch.Tensor)]
        ids = [self._id(tensor).expand(result.shape) for _, tensor in pairs]
        out = ids[0].clone()
        for other in ids[1:]:
            torch.maximum(out, other, out=out)
        reads = [(value.expand(result.shape), other) for (value, _), other in zip(pairs, ids)]
        for _, tensor in pairs:
            if tensor in self._positional and bool((out >= 0).any()) and tensor.dtype != torch.bool:
                raise Refusal("a number of the position enters, which is another one at every position")
        self._record(name, out, result, reads)
        if not in_place:
            self._keep(result, out)
        elif args[0] in self._ids:
            self._ids[args[0]].copy_(out)
        else:
            raise Refusal("it writes into a tensor that was there before")

    def _summed(self, name: str, args: Any, result: torch.Tensor) -> None:
        """A sum over numbers of one token; a convolution over those of the token before too."""
        if name == "convolution":
            values, ids, weights = _windows(args[0], self._id(args[0]), args)
            last = ids[..., -1]
            inner = args[0].shape[-1]
            out = last.clone()
            out[..., inner:] = _OUTSIDE  # the padding behind the string
            ids = torch.where(weights == 0, _CONSTANT, ids)
            reads = [(values[..., k], ids[..., k]) for k in range(ids.shape[-1])]
        else:
            parts = [self._id(t) for t in args if isinstance(t, torch.Tensor)]
            if name in ("sum", "mean"):
                merged = [_reduced((parts[0], *args[1:]))]
            else:
                left, right = parts[-2], parts[-1]
                merged = [left.amax(-1, keepdim=True).expand(result.shape), _lowest(left, -1).expand(result.shape)]
                merged += [right.amax(-2, keepdim=True).expand(result.shape), _lowest(right, -2).expand(result.shape)]
                merged += [part.expand(result.shape) for part in parts[:-2]]
                merged = [torch.stack(merged, -1)]
            found = merged[0]
            out = found.amax(-1).reshape(result.shape)
            if bool(((found >= 0) & (found != out.reshape(found.shape[:-1])[..., None])).any()):
                raise Refusal("numbers of several tokens are added up")
            reads = []
        if any(t in self._positional for t in args if isinstance(t, torch.Tensor)):
            raise Refusal("a number of the position enters, which is another one at every position")
        self._record(name, out, result, reads)
        self._keep(result, out)

    def _record(self, name: str, ids: torch.Tensor, result: torch.Tensor, reads: Sequence[Any]) -> None:
        """The numbers of each token, as a function of its transition; those read of the token before, of the state."""
        inside = (ids >= 0) & (ids < _OUTSIDE)
        if not bool(inside.any()):
            return
        for _, other in reads:
            wrong = (other >= 0) & inside & ((other // self._time != ids // self._time) | (ids - other > 1))
            if bool((wrong | ((other >= _OUTSIDE) & inside)).any()):
                raise Refusal("numbers of tokens are brought together that are not neighbours")
        at, rows = _grouped(ids, result, inside)
        strings, times = at // self._time, at % self._time
        place = np.where(times == 0, -1 - self._done[times], self._done[times])
        for number in np.unique(place):
            some = place == number
            keys = self._transitions[strings[some], times[some]]
            self._agree(self._rows, int(number), name, self._counts[0], keys, rows[some], "the transition")
        for k, (value, other) in enumerate(reads):
            late = inside & (other >= 0) & (other < ids)
            if bool(late.any()):
                at, rows = _grouped(ids, value, late)
                strings, times = at // self._time, at % self._time
                for number in np.unique(self._done[times]):
                    some = self._done[times] == number
                    keys = self._sources[strings[some], times[some]]
                    self._agree(self._before, (int(number), k), name, self._counts[1], keys, rows[some], "the state")
        times = np.unique(_grouped(ids, ids, inside)[0] % self._time)
        self._done[times] += 1

    def _agree(self, table: Any, key: Any, name: str, count: int, keys: np.ndarray, rows: np.ndarray, of: str) -> None:
        if not np.isfinite(rows).all():
            raise Refusal("a number is not finite")
        known = table.setdefault(key, (name, np.full((count, rows.shape[1]), np.nan)))
        if known[0] != name or known[1].shape[1] != rows.shape[1]:
            raise Refusal("another operation is done at another position")
        new = np.isnan(known[1][keys, 0])
        known[1][keys[new]] = rows[new]
        if (known[1][keys] != rows).any():
            raise Refusal(f"its numbers are no function of {of}")

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
    :meth:`Recorder.follow` and :meth:`Recorder.give`.
    """
    tokens = torch.from_numpy(numbers)
    recorder.follow(tokens, transitions, sources, counts)
    with recorded(recorder):
        result = run(tokens)
        kept = [tensor for layer in state() for tensor in layer]
    recorder.finish()
    recorder.give(result, kept)
    return result.double().numpy()


def _laid_out(tensor: torch.Tensor) -> torch.Tensor:
    """Room for a token's number for each number of a tensor, in the same order."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=torch.int64)


def _tensors(found: Any) -> list[torch.Tensor]:
    """All tensors among arguments or results."""
    if isinstance(found, torch.Tensor):
        return [found]
    if isinstance(found, dict):
        found = found.values()
    elif not isinstance(found, (list, tuple)):
        return []
    return [tensor for one in found for tensor in _tensors(one)]


def _bits(tensor: torch.Tensor) -> torch.Tensor:
    """The bits of numbers, as integers, those of -0 as of 0."""
    size = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
    return (tensor + 0).contiguous().view(size).long()


def _from_bits(bits: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    size = {2: torch.int16, 4: torch.int32, 8: torch.int64}[torch.finfo(dtype).bits // 8]
    return bits.to(size).view(dtype)


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def _reduced(args: Any) -> torch.Tensor:
    """The tensor of a sum or a mean, the dimensions that go last and as one."""
    tensor = args[0]
    dims = args[1] if len(args) > 1 and args[1] is not None else list(range(tensor.dim()))
    dims = sorted(d % tensor.dim() for d in ([dims] if isinstance(dims, int) else list(dims) or range(tensor.dim())))
    rest = [d for d in range(tensor.dim()) if d not in dims]
    moved = tensor.permute(*rest, *dims)
    return moved.reshape(*moved.shape[: len(rest)], -1)


def _windows(tensor: torch.Tensor, ids: torch.Tensor, args: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The windows of a convolution of each channel with itself: values, numbers of tokens, weights."""
    _, weight, _, stride, padding, dilation, transposed, _, groups = args
    if weight.dim() != 3 or weight.shape[1] != 1 or groups != weight.shape[0] or transposed:
        raise Refusal("only convolutions of each channel with itself are looked into")
    if list(stride) != [1] or list(dilation) != [1]:
        raise Refusal("only convolutions of neighbours are looked into")
    width, pad = weight.shape[-1], [padding[0], padding[0]]
    values = functional.pad(tensor, pad).unfold(-1, width, 1)
    found = functional.pad(ids.contiguous(), pad, value=_CONSTANT).unfold(-1, width, 1)
    return values, found, weight[:, 0][None, :, None, :].expand(found.shape)


def _terms(name: str, args: Any, kwargs: Any, result: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """For each entry of the result the sum of its terms' absolute values, and the exponent of their unit."""
    if name in ("sum", "mean"):
        terms = _array(_reduced(args))
        return np.abs(terms).sum(axis=-1), lowest_bits(terms).min(axis=-1)
    if name == "convolution":
        values, _, weights = _windows(args[0], torch.zeros(args[0].shape, dtype=torch.int64), args)
        terms = _array(values) * _array(weights)
        unit = (lowest_bits(_array(values)) + lowest_bits(_array(weights))).min(axis=-1)
        extra = [] if args[2] is None else [_array(args[2])[None, :, None]]
        size = np.abs(terms).sum(axis=-1)
    else:
        if any(kwargs.get(key, 1) != 1 for key in ("alpha", "beta")):
            raise Refusal("a product is scaled")
        left, right = (_array(t) for t in args[-2:])
        extra = [_array(args[0])] if len(args) == 3 else []
        if left.ndim == 2 and len(left):
            # The same rows come again and again.
            left, back = np.unique(left, axis=0, return_inverse=True)
            size, unit = (found[back.reshape(-1)] for found in product_sums(left, right))
        else:
            size, unit = product_sums(left, right)
    for one in extra:
        size, unit = size + np.abs(one), np.minimum(unit, lowest_bits(one))
    return size, unit


def _lowest(ids: torch.Tensor, dim: int) -> torch.Tensor:
    """The least number of a token along a dimension, where there is one."""
    found = torch.where(ids < 0, _OUTSIDE, ids).amin(dim, keepdim=True)
    return torch.where(found == _OUTSIDE, _CONSTANT, found)


def _grouped(ids: torch.Tensor, values: torch.Tensor, where: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of tokens that are there, and for each its values in the order of the tensor."""
    found, numbers = ids[where].numpy(), values[where].double().numpy()
    order = np.argsort(found, kind="stable")
    at, counts = np.unique(found, return_counts=True)
    if (counts != counts[0]).any():
        raise Refusal("tokens do not have the same number of numbers")
    return at, numbers[order].reshape(len(at), -1)
