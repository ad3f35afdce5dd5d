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
from constructions.mamba.what_matters import Done, OperandRead, Terms, WhatMatters

_UNKNOWN = -2
"""In the place of whose a number is: what made it, if anything did, is not looked into."""

_CONVERTS = ("_to_copy", "copy")
"""Operations that round numbers to another format, or else move them."""

_ROW = 1 << 40
"""More than a row has numbers: number p of row r is ``r * _ROW + p``."""

_Read = tuple[torch.Tensor, torch.Tensor, bool]
"""Numbers, and whose they are, of one shape; and whether they are numbers of sequences."""


class FollowedRows(Followed):
    """One step, followed.

    Args:
        known: sequences of numbers that were met, which steps that are to be compared share.
        made: what steps have made, which whoever follows their operations adds.

    Attributes:
        reads: of each operation what it is, and what it reads in every row.
        done: the operations, and what each number that they make is made of.
        left: the places in its row of each number that is left, tensor by tensor; -1 for a constant.
        multiplied: of each product, by number, the places in its row of each number that it makes.
    """

    def __init__(self, known: dict[bytes, int], made: Made) -> None:
        super().__init__()
        self.reads: list[tuple] = []
        self.done: list[Done] = []
        self.left: list[np.ndarray] = []
        self._products = 0
        self.multiplied: dict[int, np.ndarray] = {}
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
        self._begun = self._places

    def give(self, given: Iterable[torch.Tensor]) -> None:
        """What the step leaves: each row of these tensors must be made of that row's numbers, and of constants."""
        for tensor in given:
            if len(tensor) != self._rows:
                raise Refusal("what is left has other rows")
            own = torch.arange(self._rows).reshape(-1, *[1] * (tensor.dim() - 1)).expand(tensor.shape)
            ids = self._id(tensor)
            self._record(("left",), "left", own, [(tensor, ids, False)])
            self.left.append(_places(ids[0]).reshape(-1))

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """As :meth:`constructions.mamba.followed_tokens.FollowedTokens.look`."""
        tensors = tensors_in((args, kwargs))
        self._products += name == "mul"
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
                own = self._record((str(func), which, out.dtype, formats, repr(rest), repr(kwargs)), name, None, reads)
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
            reads = [(tokens[..., None], self._id(args[1])[..., None], False), (column, self._id(column), False)]
            if self._made.ever(table):
                raise Refusal("a table that is made is not looked into")
            rest += [table.data_ptr(), table.shape, table.stride()]
        elif name in OF_ONE:
            value, ids = last_as_one(given), last_as_one((self._id(args[0]), *given[1:]))
            found, of, _ = self._one(value, ids)
            reads = [(found.reshape(result.shape), of.reshape(result.shape), True)]
        elif name == "convolution":
            reads = [self._one(windows(given[0], given), windows(self._id(args[0]), given, NOBODY))]
            reads.append(self._one(taps(given), taps((None, self._id(args[1])))))
            if given[2] is not None:
                reads.append((given[2][None, :, None], self._id(args[2])[None, :, None], False))
        elif name in SUMS:
            left, right = given[-2:]
            found, of, _ = self._one(left, self._id(args[-2]))
            reads = [(found[..., :, None], of[..., :, None], True)]
            found, of, _ = self._one(right.transpose(-1, -2), self._id(args[-1]).transpose(-1, -2))
            reads += [(found[..., None, :], of[..., None, :], True), *((t, self._id(t), False) for t in given[:-2])]
        else:
            pairs = list(zip(given, args))[1:] if name == "copy" else zip(given, args)
            reads = [(value, self._id(now), False) for value, now in pairs if isinstance(now, torch.Tensor)]
        return [(value.expand(result.shape), ids.expand(result.shape), many) for value, ids, many in reads], rest

    def _one(self, values: torch.Tensor, ids: torch.Tensor) -> _Read:
        """Sequences (..., terms) as one number each: that of a row's places and of constants, or a constant."""
        values = values.expand(torch.broadcast_shapes(values.shape, ids.shape))
        ids = ids.expand(values.shape)
        if not values.shape[-1]:
            raise Refusal("an empty sum is not looked into")
        alike, terms = self._alike(values, ids), ids.shape[-1]
        if alike and not len(alike[0]) % terms and (alike[0].reshape(-1, terms) >= 0).any(axis=1).all():
            each = np.concatenate([part.reshape(-1, terms) for part in alike], axis=1)
            found = torch.tensor([self._known.setdefault(key.tobytes(), len(self._known)) for key in each])
            own = torch.arange(self._rows)[:, None] * _ROW + found
            return found.repeat(self._rows).reshape(ids.shape[:-1]).double(), own.reshape(ids.shape[:-1]), True
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
        return number.double(), own, True

    def _record(self, what: tuple, name: str, rows: torch.Tensor | None, reads: Sequence[_Read]) -> torch.Tensor:
        """Keeps what is read in every row; whose the numbers are that are made of it."""
        alike = [self._alike(value, ids) for value, ids, _ in reads]
        if all(found is not None for found in alike):
            return self._record_alike(what, name, rows is not None, reads, alike)
        each = torch.stack([torch.where(ids >= 0, ids // _ROW, -1) for _, ids, _ in reads])
        row = each.amax(0) if rows is None else rows
        if bool(((each >= 0) & (each != row)).any()):
            raise Refusal("numbers of several rows are brought together")
        unknown = torch.stack([ids == _UNKNOWN for _, ids, _ in reads]).any(0)
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
        read, kept = [], []
        for value, ids, many in reads:
            places, constants = _places(ids[inside]), _constants(value[inside], ids[inside])
            for part in places, constants:
                by_row = part[order].reshape(self._rows, -1)
                if (by_row != by_row[0]).any():
                    raise Refusal("rows read other numbers than each other")
                read.append(by_row[0].tobytes())
            shown = value[inside][torch.arange(len(at))[order]].reshape(self._rows, -1)
            kept.append(_read(places[order][:size], shown, many, name))
        self._keep_read(what, name, read, kept)
        rank = np.empty(len(at), dtype=np.int64)
        rank[order] = np.tile(np.arange(size), self._rows) + self._places
        own[inside] = torch.from_numpy(at * _ROW + rank)
        return self._made_of(name, size, own)

    def _record_alike(self, what: tuple, name: str, left: bool, reads: Sequence[_Read], alike: Any) -> torch.Tensor:
        """As :meth:`_record`, where each row's numbers stand together, in the order of the rows."""
        inside = np.logical_or.reduce([places >= 0 for places, _ in alike]) | left
        size = int(inside.sum())
        if not size:
            return torch.full(reads[0][1].shape, NOBODY)
        read = [part[inside].tobytes() for found in alike for part in found]
        kept = [
            _read(places[inside], value.reshape(self._rows, -1)[:, torch.from_numpy(inside)], many, name)
            for (value, _, many), (places, _) in zip(reads, alike)
        ]
        self._keep_read(what, name, read, kept)
        place = np.full(len(inside), NOBODY)
        place[inside] = np.arange(size) + self._places
        own = np.arange(self._rows)[:, None] * (inside * _ROW) + place
        return self._made_of(name, size, torch.from_numpy(own).reshape(reads[0][1].shape))

    def _keep_read(self, what: tuple, name: str, read: Sequence[bytes], kept: list[OperandRead]) -> None:
        self.reads.append((*what, len(kept[0].places), tuple(read)))
        if name != "left":
            self.done.append(Done(name, self._products, self._places, kept))

    def _made_of(self, name: str, size: int, own: torch.Tensor) -> torch.Tensor:
        """Whose the numbers are that an operation makes, so many of a row."""
        self._places += size
        if name == "mul":
            self.multiplied[self._products] = own.numpy() % _ROW
        return own

    def _alike(self, values: torch.Tensor, ids: torch.Tensor) -> tuple[np.ndarray, np.ndarray] | None:
        """The places and the constants of one row, where the numbers of the first row stand first, and so on, and all
        rows are alike; None where that is not so.
        """
        size, rest = divmod(ids.numel(), self._rows)
        if rest or not size:
            return None
        whose = ids.reshape(self._rows, size).numpy()
        first = whose[0]
        moved = (first >= 0) * _ROW
        if (first == _UNKNOWN).any():
            return None
        if (whose != (first + np.arange(self._rows)[:, None] * moved if moved.any() else first)).any():
            return None
        constants = np.zeros(size, dtype=np.int64)
        fixed = np.flatnonzero(moved == 0)
        if len(fixed):
            some = values.expand(ids.shape).reshape(self._rows, size)[:, torch.from_numpy(fixed)]
            bits = _constants(some, torch.full((1, 1), NOBODY))
            if (bits != bits[0]).any():
                return None
            constants[fixed] = bits[0]
        return np.where(first >= 0, first, NOBODY), constants

    def what_matters(self, beside: Iterable[torch.Tensor]) -> WhatMatters:
        """Which numbers of the state do, once the step is given.

        Args:
            beside: tensors that are read where nothing is looked at: their numbers matter, too.
        """
        read = [self.left[0], *(np.unique(_places(self._ids[tensor])) for tensor in beside if tensor in self._ids)]
        terms = [Terms(*_halves(np.frombuffer(key, dtype=np.int64))) for key in self._known]
        return WhatMatters(self.done, terms, self._begun, np.concatenate(read), np.concatenate(self.left[1:]))

    def _in_order(self, row: torch.Tensor) -> bool:
        """Whether all numbers are of rows, those of the first row first, and as many of each."""
        size, rest = divmod(row.numel(), self._rows)
        return not rest and bool((row.reshape(self._rows, size) == torch.arange(self._rows)[:, None]).all())


def _places(ids: torch.Tensor) -> np.ndarray:
    """The places in their rows; -1 for a constant."""
    return torch.where(ids >= 0, ids % _ROW, -1).numpy()


def _read(places: np.ndarray, values: torch.Tensor, many: bool, name: str) -> OperandRead:
    """What is kept of an operand: places of a row, and values of all rows."""
    if many:
        return OperandRead(values[0].long().numpy(), None, True)
    return OperandRead(places, (values == 0).all(dim=0).numpy() if name == "mul" else None, False)


def _halves(key: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of a sequence the places, and which are constants that are 0."""
    places, constants = np.split(key, 2)
    return places, (places < 0) & (constants == 0)


def _constants(values: torch.Tensor, ids: torch.Tensor) -> np.ndarray:
    """Those that are constants, as integers or by the bits of their doubles, -0 as 0; 0 in the place of others."""
    if values.dtype.is_complex:
        raise Refusal("complex numbers are not looked into")
    whole = not values.dtype.is_floating_point
    bits = values.long().numpy() if whole else np.ascontiguousarray(as_doubles(values) + 0.0).view(np.int64)
    return np.where(ids.numpy() >= 0, 0, bits)
