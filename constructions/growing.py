"""An array that rows are added to at its end."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

_WIDE = 16
"""Rows of more numbers are told apart by a byte of each, as far as they are small."""


class Growing:
    """Rows of one shape and type; adding some takes time in proportion to them, on the whole.

    >>> numbers = Growing(np.int64)
    >>> numbers.append(np.arange(3))
    >>> numbers.append(np.array([7]))
    >>> len(numbers), numbers.rows.tolist()
    (4, [0, 1, 2, 7])
    """

    def __init__(self, dtype, shape: tuple[int, ...] = ()):
        self._array, self._count = np.zeros((16, *shape), dtype=dtype), 0

    def __len__(self) -> int:
        return self._count

    @property
    def rows(self) -> np.ndarray:
        """All of them."""
        return self._array[: self._count]

    def append(self, rows: np.ndarray) -> None:
        """Adds rows at the end."""
        count = self._count + len(rows)
        if count > len(self._array):
            self._have_room(max(count, self._count + self._count // 2))
        self._array[self._count : count] = rows
        self._count = count

    def reserve(self, rows: int) -> None:
        """Makes room for so many rows more at once."""
        if self._count + rows > len(self._array):
            self._have_room(self._count + rows)

    def _have_room(self, count: int) -> None:
        array = np.zeros((count, *self._array.shape[1:]), dtype=self._array.dtype)
        array[: self._count] = self.rows
        self._array = array


class Numbered(Growing):
    """Different rows of numbers, in the order in which they came."""

    def __init__(self, width: int, dtype: np.dtype):
        super().__init__(dtype, (width,))
        self._number: dict[Any, int] = {}

    def number(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows; those that are new are added."""
        known, order = len(self._number), self._number
        numbers = np.array([order.setdefault(key, len(order)) for key in _keys(rows)], dtype=np.intp)
        if len(order) > known:
            new = (numbers >= known).nonzero()[0]
            first: np.ndarray = np.empty(len(order) - known, dtype=np.intp)
            # The last that is written stays: of several that are the same, the first.
            first[numbers[new[::-1]] - known] = new[::-1]
            self.append(rows.take(first, axis=0))
        return numbers

    def find(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows; -1 for those that are not among them."""
        return np.array([self._number.get(key, -1) for key in _keys(rows)], dtype=np.intp)


def _keys(rows: np.ndarray) -> Sequence[Any]:
    """What tells the rows apart."""
    if rows.dtype == object:
        return [tuple(row) for row in rows.tolist()]
    if rows.dtype.kind != "i" or rows.shape[1] < _WIDE:
        return _bytes(rows)
    # Most are small, and then a byte of each says as much; no such row is as long as one that is not small.
    narrow = rows.astype(np.int8)
    keys = _bytes(narrow)
    if not np.array_equal(narrow, rows):
        for i in np.flatnonzero((narrow != rows).any(axis=1)).tolist():
            keys[i] = rows[i].tobytes()
    return keys


def _bytes(rows: np.ndarray) -> list[bytes]:
    """The bytes of each row."""
    width, buffer = rows.dtype.itemsize * rows.shape[1], rows.tobytes()
    return [buffer[i : i + width] for i in range(0, len(buffer), width)] if width else [b""] * len(rows)
