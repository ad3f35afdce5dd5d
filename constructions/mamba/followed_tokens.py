"""Whose numbers are these: each number of a tensor is followed back to the token that it belongs to, by doing to
numbers of tokens whatever is done to the tensor.

An operation may bring together numbers of the same token, and of the token before it.  Then, operation after operation,
the numbers of a token must be a function of the transition that the token takes, and those of the token before must be
a function of the state between them.  By induction over a string, operation after operation and token after token, all
its numbers are among those that were seen, whatever the string: as long as every transition was, with every transition
before it.  Chunks of a scan bring together numbers of many tokens, and are refused.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
import torch
from torch.utils.weak import WeakTensorKeyDictionary

from constructions.mamba.followed import MOVED, NOBODY, Followed
from constructions.mamba.numbers_alone import (
    FUNCTIONS,
    MADE,
    MOVES,
    OF_ONE,
    ROUNDED,
    SUMS,
    Refusal,
    as_doubles,
    last_as_one,
    taps,
    tensors_in,
    windows,
)

_OUTSIDE = 1 << 40
"""In the place of a token's number: lies beyond the string."""


class FollowedTokens(Followed):
    """What was seen of the tokens of strings, run after run."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, tuple[str, np.ndarray]] = {}
        self._before: dict[tuple[int, int], tuple[str, np.ndarray]] = {}
        self._kept: dict[tuple[int, int], tuple[str, np.ndarray]] = {}

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
        self._begin()
        self._positional = WeakTensorKeyDictionary()
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
        if bool(((ids != own) & (ids != NOBODY)).any()):
            raise Refusal("the logits are not those of their token")
        last = (strings + self._time - 1).numpy()
        keys = self._transitions[:, -1], self._sources[:, -1], np.zeros(len(last), dtype=np.int64)
        counts = *self._counts, 1
        for number, tensor in enumerate(state):
            ids, values = self._id(tensor).flatten(1).numpy(), as_doubles(tensor.flatten(1))
            wanted = last[:, None], last[:, None] - 1, NOBODY
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

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """Follows the numbers through one operation.

        Args:
            func, name: the operation, and its name without what says that it is done in place.
            in_place: whether it is.
            given: its arguments as they were before it.
            args, kwargs: its arguments.
            result: what it gave.

        Raises:
            Refusal: when it brings together numbers of tokens that are not neighbours, or that are no function of them.
        """
        tensors = tensors_in((args, kwargs))
        if name in MADE or (not self._any(tensors) and name not in MOVES):
            for out in () if in_place else tensors_in(result):
                self._keep(out, torch.tensor(NOBODY))
                if name == "arange" or any(t in self._positional for t in tensors):
                    self._positional[out] = True
        elif name in MOVED or name == "embedding":
            self._move(func, name, args, kwargs, result)
        elif name in ROUNDED or name in FUNCTIONS:
            for out in tensors_in(result):
                self._each(name, in_place, given, args, out)
        elif name in SUMS:
            self._summed(name, given, result)
        else:
            raise Refusal("this operation is not looked into")

    def _move(self, func: Any, name: str, args: Any, kwargs: Any, result: Any) -> None:
        """What only moves numbers is done to the numbers of tokens too; a token's row of a table is the token's."""
        if name == "embedding":
            self._keep(result, self._id(args[1])[..., None].expand(result.shape))
            return
        super()._move(func, name, args, kwargs, result)
        if name in MOVES and any(a in self._positional for a in tensors_in(args)):
            for out in tensors_in(result):
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
            values, ids = windows(args[0], args), windows(self._id(args[0]), args, NOBODY)
            last = ids[..., -1]
            inner = args[0].shape[-1]
            out = last.clone()
            out[..., inner:] = _OUTSIDE  # the padding behind the string
            ids = torch.where(taps(args) == 0, NOBODY, ids)
            reads = [(values[..., k], ids[..., k]) for k in range(ids.shape[-1])]
        else:
            parts = [self._id(t) for t in args if isinstance(t, torch.Tensor)]
            if name in OF_ONE:
                merged = [last_as_one((parts[0], *args[1:]))]
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


def _lowest(ids: torch.Tensor, dim: int) -> torch.Tensor:
    """The least number of a token along a dimension, where there is one."""
    found = torch.where(ids < 0, _OUTSIDE, ids).amin(dim, keepdim=True)
    return torch.where(found == _OUTSIDE, NOBODY, found)


def _grouped(ids: torch.Tensor, values: torch.Tensor, where: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of tokens that are there, and for each its values in the order of the tensor."""
    found, numbers = ids[where].numpy(), values[where].double().numpy()
    order = np.argsort(found, kind="stable")
    at, counts = np.unique(found, return_counts=True)
    if (counts != counts[0]).any():
        raise Refusal("tokens do not have the same number of numbers")
    return at, numbers[order].reshape(len(at), -1)
