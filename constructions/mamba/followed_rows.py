"""Does each row of a batch go its own way, and is that the way of a batch of one?

In one step of a batch, and in one of a single row, each number is followed back to its row and to its place among the
numbers of that row: those of the state and the token first, then what each operation makes, in order.  The two steps
are alike when they do the same operations, and each operation reads, in every row, numbers of the same places of that
row, and the same constants.  What brings together numbers of two rows is refused, and so is every operation that is not
known here.

What is read does not depend on what the numbers are, since no operation asks for that.  So of all further steps of the
batch it is enough to see that they do the same operations with the same tensors
(:mod:`constructions.mamba.same_operations`).
"""

from __future__ import annotations

from typing import Any, Iterable, Sequence

import numpy as np
import torch

from constructions.mamba.followed import MOVED, NOBODY, Followed, Made
from constructions.mamba.numbers_alone import (
    FUNCTIONS,
    MADE,
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

_UNKNOWN = -2
"""In the place of whose a number is: what made it, if anything did, is not looked into."""

_CONVERTS = ("_to_copy", "copy")
"""Operations that round numbers to another format, or else move them."""

_ROW = 1 << 40
"""More than a row has numbers: number p of row r is ``r * _ROW + p``."""

_Read = tuple[torch.Tensor, torch.Tensor]
"""Numbers, and whose they are: of one shape."""


class FollowedRows(Followed):
    """One step, followed.

    Args:
        known: sequences of numbers that were met, which steps that are to be compared share.
        made: what steps have made, which whoever follows their operations adds.

    Attributes:
        reads: of each operation what it is, and what it reads in every row.
    """

    def __init__(self, known: dict[bytes, int], made: Made) -> None:
        super().__init__()
        self.reads: list[tuple] = []
        self._known, self._made = known, made

    def follow(self, given: Iterable[torch.Tensor]) -> None:
        """From now on numbers are followed back to the rows of these tensors: the tokens, and those of the state."""
        self._begin()
        self._rows, self._places = 0, 0
        for tensor in given:
            self._rows, size = len(tensor), tensor[0].numel()
            places = torch.arange(self._rows)[:, None] * _ROW + torch.arange(self._places, self._places + size)
            self._keep(tensor, places.reshape(tensor.shape))
            self._places += size

    def give(self, given: Iterable[torch.Tensor]) -> None:
        """What the step leaves: each row of these tensors must be made of that row's numbers, and of constants."""
        for tensor in given:
            if len(tensor) != self._rows:
                raise Refusal("what is left has other rows")
            own = torch.arange(self._rows).reshape(-1, *[1] * (tensor.dim() - 1)).expand(tensor.shape)
            self._record(("left",), own, [(tensor, self._id(tensor))])

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """As :meth:`constructions.mamba.followed_tokens.FollowedTokens.look`."""
        tensors = tensors_in((args, kwargs))
        if tensors_in(kwargs) or (in_place and args[0] not in self._ids):
            raise Refusal("it writes into a tensor that was there before")
        if name in MADE:
            for out in tensors_in(result):
                self._keep(out, torch.tensor(_UNKNOWN if name.startswith("empty") else NOBODY))
        elif name in MOVED and not (name in _CONVERTS and result.dtype != args[-1].dtype):
            self._move(func, name, args, kwargs, result)
        elif name in ROUNDED or name in FUNCTIONS or name in SUMS or name == "embedding" or name in _CONVERTS:
            formats = tuple((tensor.dtype, not tensor.dim()) for tensor in tensors)
            for which, out in enumerate(tensors_in(result)):
                reads, rest = self._read(name, given, args, out)
                own = self._record((str(func), which, out.dtype, formats, repr(rest), repr(kwargs)), None, reads)
                if in_place:
                    self._ids[args[0]].copy_(own)
                else:
                    self._keep(out, own)
        elif self._any(tensors):
            raise Refusal("this operation is not looked into")
        else:
            for out in tensors_in(result):
                self._keep(out, torch.tensor(_UNKNOWN))

    def _read(self, name: str, given: Any, args: Any, result: torch.Tensor) -> tuple[list[_Read], list[Any]]:
        """What each number of a result reads, all of its shape, and the arguments that are no tensors."""
        rest = [a for a in given if not isinstance(a, torch.Tensor)]
        if name == "embedding":
            table, tokens = given[:2]
            column = torch.arange(result.shape[-1])
            reads = [(tokens[..., None], self._id(args[1])[..., None]), (column, self._id(column))]
            if self._made.ever(table):
                raise Refusal("a table that is made is not looked into")
            rest += [table.data_ptr(), table.shape, table.stride()]
        elif name in OF_ONE:
            value, ids = last_as_one(given), last_as_one((self._id(args[0]), *given[1:]))
            reads = [(found.reshape(result.shape), of.reshape(result.shape)) for found, of in [self._one(value, ids)]]
        elif name == "convolution":
            reads = [self._one(windows(given[0], given), windows(self._id(args[0]), given, NOBODY))]
            reads.append(self._one(taps(given), taps((None, self._id(args[1])))))
            if given[2] is not None:
                reads.append((given[2][None, :, None], self._id(args[2])[None, :, None]))
        elif name in SUMS:
            left, right = given[-2:]
            found, of = self._one(left, self._id(args[-2]))
            reads = [(found[..., :, None], of[..., :, None])]
            found, of = self._one(right.transpose(-1, -2), self._id(args[-1]).transpose(-1, -2))
            reads += [(found[..., None, :], of[..., None, :]), *((t, self._id(t)) for t in given[:-2])]
        else:
            pairs = list(zip(given, args))[1:] if name == "copy" else zip(given, args)
            reads = [(value, self._id(now)) for value, now in pairs if isinstance(now, torch.Tensor)]
        return [(value.expand(result.shape), ids.expand(result.shape)) for value, ids in reads], rest

    def _one(self, values: torch.Tensor, ids: torch.Tensor) -> _Read:
        """Sequences (..., terms) as one number each: that of a row's places and of constants, or a constant."""
        values = values.expand(torch.broadcast_shapes(values.shape, ids.shape))
        ids = ids.expand(values.shape)
        if not values.shape[-1]:
            raise Refusal("an empty sum is not looked into")
        rows = torch.where(ids >= 0, ids // _ROW, -1)
        row = rows.amax(-1)
        if bool(((ids >= 0) & (rows != row[..., None])).any()):
            raise Refusal("numbers of several rows are added up")
        keys = np.concatenate([_places(ids), _constants(values, ids)], axis=-1).reshape(-1, 2 * ids.shape[-1])
        if self._in_order(row) and (keys == np.tile(keys[: len(keys) // self._rows], (self._rows, 1))).all():
            keys = keys[: len(keys) // self._rows]
        found = [self._known.setdefault(key.tobytes(), len(self._known)) for key in np.ascontiguousarray(keys)]
        number = torch.tensor(found).repeat(row.numel() // len(keys)).reshape(row.shape)
        unknown = (ids == _UNKNOWN).any(-1)
        own = torch.where(unknown, _UNKNOWN, torch.where(row >= 0, row * _ROW + number, NOBODY))
        return number.double(), own

    def _record(self, what: tuple, rows: torch.Tensor | None, reads: Sequence[_Read]) -> torch.Tensor:
        """Keeps what is read in every row; whose the numbers are that are made of it."""
        each = torch.stack([torch.where(ids >= 0, ids // _ROW, -1) for _, ids in reads])
        row = each.amax(0) if rows is None else rows
        if bool(((each >= 0) & (each != row)).any()):
            raise Refusal("numbers of several rows are brought together")
        unknown = torch.stack([ids == _UNKNOWN for _, ids in reads]).any(0)
        inside = row >= 0
        if bool((unknown & inside).any()):
            raise Refusal("it reads what is not looked into")
        own = torch.where(unknown, _UNKNOWN, NOBODY)
        if not bool(inside.any()):
            return own
        at = row[inside].numpy()
        order = slice(None) if self._in_order(row) else np.argsort(at, kind="stable")
        size, rest = divmod(len(at), self._rows)
        if rest or (at[order].reshape(self._rows, -1) != np.arange(self._rows)[:, None]).any():
            raise Refusal("it is done in some rows and not in others")
        read = []
        for value, ids in reads:
            for part in _places(ids[inside]), _constants(value[inside], ids[inside]):
                by_row = part[order].reshape(self._rows, -1)
                if (by_row != by_row[0]).any():
                    raise Refusal("rows read other numbers than each other")
                read.append(by_row[0].tobytes())
        self.reads.append((*what, size, tuple(read)))
        rank = np.empty(len(at), dtype=np.int64)
        rank[order] = np.tile(np.arange(size), self._rows) + self._places
        own[inside] = torch.from_numpy(at * _ROW + rank)
        self._places += size
        return own

    def _in_order(self, row: torch.Tensor) -> bool:
        """Whether all numbers are of rows, those of the first row first, and as many of each."""
        size, rest = divmod(row.numel(), self._rows)
        return not rest and bool((row.reshape(self._rows, size) == torch.arange(self._rows)[:, None]).all())


def _places(ids: torch.Tensor) -> np.ndarray:
    """The places in their rows; -1 for a constant."""
    return torch.where(ids >= 0, ids % _ROW, -1).numpy()


def _constants(values: torch.Tensor, ids: torch.Tensor) -> np.ndarray:
    """Those that are constants, as integers or by the bits of their doubles, -0 as 0; 0 in the place of others."""
    if values.dtype.is_complex:
        raise Refusal("complex numbers are not looked into")
    whole = not values.dtype.is_floating_point
    bits = values.long().numpy() if whole else np.ascontiguousarray(as_doubles(values) + 0.0).view(np.int64)
    return np.where(ids.numpy() >= 0, 0, bits)
