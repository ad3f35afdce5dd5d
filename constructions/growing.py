"""An array that rows are added to at its end."""

from __future__ import annotations

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
