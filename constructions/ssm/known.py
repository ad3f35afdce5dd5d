"""What a function gave of small arrays, kept."""

from __future__ import annotations

from typing import Any, Callable, Generic, TypeVar

import numpy as np

_MOST_BYTES, _MOST_KEPT = 1 << 14, 1 << 20
"""Of the arguments of a call that is kept, and of those of all calls together."""

Result = TypeVar("Result")


class Known(Generic[Result]):
    """A function of arrays of numbers, whose results depend on these alone and are not changed by anyone.

    >>> calls = []
    >>> total = Known(lambda row: calls.append(row) or int(row.sum()))
    >>> total(np.arange(4)), total(np.arange(4)), len(calls)
    (6, 6, 1)
    """

    def __init__(self, function: Callable[..., Result]):
        self._function = function
        self._results: dict[tuple[Any, ...], Result] = {}
        self._kept = 0

    def __call__(self, *arrays: np.ndarray) -> Result:
        size = sum(array.nbytes for array in arrays)
        # The bytes of an object are an address.
        if size > _MOST_BYTES or any(array.dtype == object for array in arrays):
            return self._function(*arrays)
        key = tuple((array.dtype.str, array.shape, array.tobytes()) for array in arrays)
        if key not in self._results:
            if self._kept + size > _MOST_KEPT:
                self._results, self._kept = {}, 0
            self._results[key] = self._function(*arrays)
            self._kept += size
        return self._results[key]
