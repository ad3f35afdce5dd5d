"""Numbers followed through what only moves them: each tensor has beside it one that says, for each number, whose it is,
and what is done to the one is done to the other.
"""

from __future__ import annotations

from typing import Any, Sequence

import torch
from torch.nn import functional
from torch.utils.weak import WeakTensorKeyDictionary

from constructions.mamba.numbers_alone import MOVES, Refusal, tensors_in

NOBODY = -1
"""In the place of whose a number is: nobody's."""

MOVED = MOVES | {"constant_pad_nd", "copy"}
"""Operations that move numbers, or put constants among them."""

COPIES = frozenset("cat stack clone repeat flip".split())
"""Those that give a tensor of its own, and no view."""


class Made:
    """What steps have made, step after step."""

    def __init__(self) -> None:
        self._step, self._at = 0, WeakTensorKeyDictionary()

    def begin(self) -> None:
        """Another step."""
        self._step += 1

    def add(self, tensors: Sequence[torch.Tensor]) -> None:
        """This step makes these."""
        for tensor in tensors:
            self._at[tensor] = self._step

    def ever(self, tensor: torch.Tensor) -> bool:
        """Whether any step has made it."""
        return tensor in self._at

    def earlier(self, tensor: torch.Tensor) -> bool:
        """Whether an earlier step has made it."""
        return self._at.get(tensor, self._step) != self._step


class Followed:
    """Whose the numbers of tensors are."""

    def __init__(self) -> None:
        self._ids: Any = None

    @property
    def begun(self) -> bool:
        """Whether there is something to be followed."""
        return self._ids is not None

    def _begin(self) -> None:
        self._ids = WeakTensorKeyDictionary()

    def _any(self, tensors: Sequence[torch.Tensor]) -> bool:
        """Whether some number of these tensors is somebody's."""
        return any(t in self._ids and bool((self._ids[t] >= 0).any()) for t in tensors)

    def _id(self, tensor: torch.Tensor) -> torch.Tensor:
        found = self._ids.get(tensor)
        return found if found is not None else _laid_out(tensor).fill_(NOBODY)

    def _keep(self, tensor: torch.Tensor, ids: torch.Tensor) -> None:
        """In the memory's order of the tensor, so that views of the one are views of the other."""
        self._ids[tensor] = _laid_out(tensor).copy_(ids)

    def _moved(self, given: Any) -> Any:
        """An argument, with whose its numbers are in the place of tensors."""
        if isinstance(given, (list, tuple)) and any(isinstance(a, torch.Tensor) for a in given):
            return [self._id(a) for a in given]
        return self._id(given) if isinstance(given, torch.Tensor) else given

    def _move(self, func: Any, name: str, args: Any, kwargs: Any, result: Any) -> None:
        """One of MOVED."""
        if name == "copy":
            if args[0] not in self._ids:
                raise Refusal("it writes into a tensor that was there before")
            self._ids[args[0]].copy_(self._id(args[1]))
        elif name == "constant_pad_nd":
            self._keep(result, functional.pad(self._id(args[0]), args[1], value=NOBODY))
        elif name == "_to_copy":
            self._keep(result, self._id(args[0]))
        elif name == "view" and result.dtype != args[0].dtype:
            raise Refusal("the bits of a number are read as another")
        else:
            if len({tensor.dtype for tensor in tensors_in((args, result))}) > 1:
                raise Refusal("it brings numbers of several formats together")
            ids = [self._moved(a) for a in args]
            options = {key: value for key, value in kwargs.items() if key not in ("dtype", "memory_format")}
            for out, moved in zip(tensors_in(result), tensors_in(func(*ids, **options))):
                if name in COPIES:
                    self._keep(out, moved)
                elif args[0] in self._ids:
                    self._ids[out] = moved
                # What else is a view of what was there before: of nobody, and not to be written into.


def _laid_out(tensor: torch.Tensor) -> torch.Tensor:
    """Room for whose each number of a tensor is, in the same order."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=torch.int64)
