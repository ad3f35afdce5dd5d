"""Combinations of a few small numbers, numbered as they come: by a table of all that there could be, as long as it is
small.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from constructions.joint_states import JointStates

_MOST = 1 << 20
"""Combinations in a table."""


class Combinations:
    """Combinations numbered as they are found, those of one call in no particular order.

    >>> combinations = Combinations(2)
    >>> numbers, new = combinations.number([np.array([3, 0, 3]), np.array([1, 1, 1])], [4, 2])
    >>> numbers.tolist(), new.tolist()
    ([1, 0, 1], [1, 2])
    """

    def __init__(self, fields: int):
        self._table: np.ndarray = np.full([1] * fields, -1, dtype=np.int32)
        self._count = 0
        self._others: JointStates | None = None
        """In the place of the table, once that would be too large."""

    def number(self, fields: Sequence[np.ndarray], below: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of these combinations, and the positions of one of each that is new, in the order of its number.

        Args:
            fields: arrays of one length, one for each part.
            below: for each part a number that is greater than any there.
        """
        if self._others is None and any(most > size for most, size in zip(below, self._table.shape)):
            self._grow(below)
        if self._others is not None:
            return self._others.number(fields)
        place: np.ndarray = fields[0]
        for field, size in zip(fields[1:], self._table.shape[1:]):
            place = place * size + field
        found: np.ndarray = self._table.take(place)
        missing: np.ndarray = (found < 0).nonzero()[0]
        if not len(missing):
            return found, missing
        # Of several that are the same, the one whose position stays in the table is the new one.
        cells, places, positions = self._table.reshape(-1), place.take(missing), np.arange(len(missing), dtype=np.int32)
        cells[places] = positions
        first = (cells.take(places) == positions).nonzero()[0]
        cells[places.take(first)] = np.arange(self._count, self._count + len(first))
        self._count += len(first)
        return self._table.take(place), missing.take(first)

    def _grow(self, below: Sequence[int]) -> None:
        sizes = [max(size, 1 << (most - 1).bit_length()) for most, size in zip(below, self._table.shape)]
        former = self._table
        if np.prod(sizes, dtype=float) > _MOST:
            self._others, known = JointStates(former.ndim), np.nonzero(former >= 0)
            order = np.argsort(former[known])
            self._others.add([part[order] for part in known])
            return
        self._table = np.full(sizes, -1, dtype=np.int32)
        self._table[tuple(slice(size) for size in former.shape)] = former
