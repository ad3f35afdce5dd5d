"""Which rows of numbers are different, and which of them stands where."""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence, Union

import numpy as np

_TABLE = 1 << 16
"""Rows are told apart by a table of all that there could be, where these are no more."""
_HASHED, _HASHABLE, _FACTOR = 10, 1 << 62, np.uint64(0x9E3779B97F4A7C15)


class Digits(NamedTuple):
    """A column of whole numbers that are known to be from 0 to ``base`` - 1."""

    numbers: np.ndarray
    base: int


def distinct(columns: Sequence[Union[np.ndarray, Digits]]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of one representative for each distinct row, and for each row the number of its representative.

    Args:
        columns: the columns of the rows, equally long one-dimensional arrays; one whose least and greatest number are
            known need not be looked through.

    Returns:
        (representatives, ids): ``columns[c][representatives[ids[i]]] == columns[c][i]`` for every i and c.

    >>> representatives, ids = distinct([np.array([5, 7, 5]), np.array([1, 1, 1])])
    >>> len(representatives), bool(ids[0] == ids[2])
    (2, True)
    """
    (code, size), *others = map(_digits, columns)
    most, bases = max(_TABLE, 4 * len(code)), [size, *(base for _, base in others)]
    # Where one column alone has too many values for a table, all of them are told apart at once.
    limit = _HASHABLE if max(bases) > most and math.prod(bases) <= _HASHABLE else most
    for digit, base in others:
        if size * base > limit:
            # There may be far fewer values than their range says.
            code, size = _renumbered(code, size, most)
            if size * base > limit:
                digit, base = _renumbered(digit, base, most)
        if base > 1 and size == 1:
            code, size = digit, base
        elif base > 1:
            code = code * np.int64(base)
            code += digit
            size *= base
    code = code.astype(np.intp, copy=False)
    return _told_apart(code) if size > most else _listed(code, size)


def grouped(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`distinct`, of the rows of one array; some that are the same may be taken for different ones.

    Weighted sums tell rows apart: those whose sums are the same are taken for the same only when they are.

    >>> representatives, ids = grouped(np.array([[5, 1], [7, 1], [5, 1]]))
    >>> representatives.tolist(), ids.tolist()
    ([1, 2], [1, 0, 1])
    """
    sums = rows.astype(np.float64) @ np.random.default_rng(0).random(rows.shape[1])
    first, number = distinct([sums.view(np.int64)])
    shown = first[number]
    others = np.flatnonzero(shown != np.arange(len(rows)))
    if np.array_equal(rows[shown[others]], rows[others]):
        return first, number
    return distinct(list(rows.T))


def _listed(code: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`distinct`, of numbers below ``size``, by a table of all that there could be."""
    place: np.ndarray = np.full(size, -1, dtype=np.int32)
    place[code] = np.arange(len(code), dtype=np.int32)
    present = np.flatnonzero(place >= 0)
    number = np.empty(size, dtype=np.intp)
    number[present] = np.arange(len(present))
    return place[present].astype(np.intp), number.take(code)


def _told_apart(code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`distinct`, of any numbers: each is held against another whose hash is the same, and sorted with the
    others that this does not settle.
    """
    bits = max(_HASHED, (2 * len(code)).bit_length())
    slot = (code.view(np.uint64) * _FACTOR >> np.uint64(64 - bits)).astype(np.intp)
    place = np.empty(1 << bits, dtype=np.int32)
    place[slot] = np.arange(len(code), dtype=np.int32)
    representative = place.take(slot)
    left = np.flatnonzero(code.take(representative) != code)
    if len(left):
        _, first, same = np.unique(code[left], return_index=True, return_inverse=True)
        representative[left] = left[first][same]
    # The numbers of the representatives are written over the slots, of which there are as many as positions at least.
    number = place[: len(code)]
    present = np.zeros(len(code), dtype=bool)
    present[representative] = True
    representatives = np.flatnonzero(present)
    number[representatives] = np.arange(len(representatives))
    return representatives, number.take(representative).astype(np.intp)


def _renumbered(digits: np.ndarray, base: int, most: int) -> tuple[np.ndarray, int]:
    """The digits without gaps."""
    if base > most:
        representatives, numbers = _told_apart(digits.astype(np.int64, copy=False))
        return numbers, len(representatives)
    present = np.zeros(base, dtype=bool)
    present[digits] = True
    return (np.cumsum(present) - 1).take(digits), int(np.count_nonzero(present))


def _digits(column: Union[np.ndarray, Digits]) -> tuple[np.ndarray, int]:
    """A column as integers 0..base-1, equal where the values are equal."""
    if isinstance(column, Digits):
        return column
    if column.dtype == object:
        number: dict = {}
        digits = np.array([number.setdefault(value, len(number)) for value in column], dtype=np.int64)
        return digits, max(1, len(number))
    if column.dtype.kind not in "iu":
        quarters = column.astype(np.float64) * 4
        if not (np.abs(quarters) < 2**62).all() or not (quarters == np.rint(quarters)).all():
            values, digits = np.unique(column, return_inverse=True)
            return digits, len(values)
        column = quarters.astype(np.int64)
    least, greatest = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    if greatest - least >= 1 << 32:
        representatives, digits = _told_apart(column.astype(np.int64, copy=False))
        return digits, len(representatives)
    # Subtracting in the column's own narrow type could overflow.
    return column - np.int64(least) if least else column, greatest - least + 1
