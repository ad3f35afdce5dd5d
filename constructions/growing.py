"""An array that rows are added to at its end."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np


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
            room = max(count, self._count + self._count // 2)
            array = np.zeros((room, *self._array.shape[1:]), dtype=self._array.dtype)
            array[: self._count] = self.rows
            self._array = array
        self._array[self._count : count] = rows
        self._count = count


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
    width, buffer = rows.dtype.itemsize * rows.shape[1], rows.tobytes()
    return [buffer[i : i + width] for i in range(0, len(buffer), width)] if width else [b""] * len(rows)
