"""Does a program do the same operations again, with the same tensors?"""

from __future__ import annotations

from typing import Any, Iterable

import torch

from constructions.mamba.followed import Made
from constructions.mamba.numbers_alone import Refusal, tensors_in


class SameOperations:
    """The operations of a first run, and whether those of each later one are the same.

    Two operations are the same when they have one name, the same arguments but for tensors, and tensors of the same
    shapes that come from the same places: given, made by an earlier operation of the run, or there before it.  What was
    there before is the same tensor in all runs, or has the same numbers; and no earlier run has made it.

    Args:
        made: what runs have made.
    """

    def __init__(self, made: Made) -> None:
        self._past = made
        self._first: list[tuple] = []
        self._outside: list[tuple[torch.Tensor, torch.Tensor]] = []
        """What was there before the first run, and its numbers then."""
        self._known = False
        self.begun = False

    def follow(self, given: Iterable[torch.Tensor]) -> None:
        """Begins a run on these tensors."""
        self.begun = True
        self._at, self._met = 0, 0
        self._alive: list[torch.Tensor] = []
        self._places: dict[int, int] = {}
        self._made: dict[int, tuple] = {}
        for number, tensor in enumerate(given):
            self._make(tensor, ("given", number))

    def give(self, given: Iterable[torch.Tensor]) -> None:
        """Ends it: these tensors are left."""
        self._same(("left", *map(self._described, given)))
        if self._known and self._at != len(self._first):
            raise Refusal("a step does fewer operations than another")
        self._known = True

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """As :meth:`constructions.mamba.followed_tokens.FollowedTokens.look`."""
        self._same((func, self._described(args), self._described(tuple(kwargs.items()))))
        for number, out in enumerate(tensors_in(result)):
            self._make(out, (self._at, number))
            self._past.add([out])

    def _make(self, tensor: torch.Tensor, place: tuple) -> None:
        if id(tensor) not in self._made:
            self._alive.append(tensor)  # no other has its address
            self._made[id(tensor)] = place

    def _same(self, found: tuple) -> None:
        if not self._known:
            self._first.append(found)
        elif self._at >= len(self._first) or self._first[self._at] != found:
            raise Refusal("a step does other operations than another")
        self._at += 1

    def _described(self, given: Any) -> Any:
        if isinstance(given, torch.Tensor):
            place = self._made.get(id(given)) or self._before(given)
            return place, given.shape, given.stride(), given.dtype
        if isinstance(given, (list, tuple)):
            return tuple(map(self._described, given))
        return repr(given)

    def _before(self, tensor: torch.Tensor) -> tuple:
        """The place of a tensor that was there before."""
        if self._past.earlier(tensor):
            raise Refusal("it reads what an earlier step has made, beside the state")
        number, self._met = self._met, self._met + 1
        if not self._known:
            self._outside.append((tensor, tensor if isinstance(tensor, torch.nn.Parameter) else tensor.clone()))
        elif number >= len(self._outside):
            raise Refusal("a step reads other tensors than another")
        else:
            first, numbers = self._outside[number]
            weight = tensor is first and isinstance(tensor, torch.nn.Parameter)
            if not weight and not (tensor.dtype == numbers.dtype and torch.equal(tensor, numbers)):
                raise Refusal("a step reads other numbers than another, which are not of its row")
        self._make(tensor, ("before", number))
        return "before", number
