"""What a layer gives out, kept from one chunk to the next.

A layer reads few different rows of features and has few states that matter, chunk after chunk the same ones.  So each
row that it gives out has a number that lasts, and where all cases of states and features have a place in a table, the
table says which row each gives.  Rows that last are arrays that nobody can write to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Hashable, Sequence

import numpy as np

from constructions.growing import Numbered
from constructions.ssm.distinct_rows import Digits, distinct
from constructions.ssm.kept import Kept
from constructions.ssm.recurrence import Column, Packed
from constructions.ssm.windows import AnyTrack, Windowed

_CASES, _TABLES = 1 << 20, 2
"""Of a table, and how many are kept."""
_MOST_ROWS, _MOST_NUMBERS = 1 << 14, 1 << 22
"""Of all that a layer gives out: with more, all are forgotten."""


class Given:
    """Rows that a layer gives out.

    Attributes:
        features: each once, by their numbers; read-only.

    >>> given = Given(2, np.dtype(np.int64))
    >>> given.numbered(np.array([[5, 1], [7, 1], [5, 1]])).tolist(), given.features.tolist()
    ([0, 1, 0], [[5, 1], [7, 1]])
    """

    def __init__(self, width: int, dtype: np.dtype):
        self._width, self._dtype = width, dtype
        self.forget()

    def forget(self) -> None:
        """Lets go of all rows and tables."""
        self._rows, self._tables = Numbered(self._width, self._dtype), dict[Hashable, np.ndarray]()
        self.features = lasting(self._rows.rows)
        self._known = Kept(self._rows.number)
        self._ends: dict[int, tuple[int, int]] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to forget them."""
        return len(self._rows) > _MOST_ROWS or len(self._rows) * self._width > _MOST_NUMBERS

    def numbered(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows."""
        numbers = self._known(rows)
        if len(self._rows) > len(self.features):
            self.features = lasting(self._rows.rows)
        return numbers

    def cases(self, tracks: Sequence[AnyTrack], features: int, ids: np.ndarray) -> Cases | None:
        """The cases of what is given, by the states and by which of so many rows of features is read; None where they
        are too many for a table.
        """
        size = 1 << max(0, features - 1).bit_length()
        key: list[Hashable] = [size]
        numbers, ends = ids, dict(self._ends)
        for track in tracks:
            one = _between(track, ends) if isinstance(track, Column) else _few(track)
            if one is None or size * one[1] > _CASES:
                return None
            least, base, name = one
            numbers = numbers * np.intp(base)
            numbers += track.ids
            if least:
                numbers -= least
            size *= base
            key.append((base, name))
        self._ends = ends
        return Cases(tuple(key), numbers, size)

    def look(self, cases: "Cases", evaluate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The numbers of what is given in these cases.

        Args:
            evaluate: of positions, the numbers of what is given there; called for one of each case that is new.
        """
        table = self._tables.get(cases.key)
        if table is None:
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            table = self._tables[cases.key] = np.full(cases.size, -1, dtype=np.intp)
        found = table.take(cases.numbers)
        if found.min() < 0:
            missing = np.flatnonzero(found < 0)
            first, where = distinct([Digits(cases.numbers[missing], cases.size)])
            numbers = evaluate(missing[first])
            table[cases.numbers[missing[first]]] = numbers
            found[missing] = numbers[where]
        return found


@dataclass(frozen=True)
class Cases:
    """A number below ``size`` for each position, the same where states and features are, under one ``key``."""

    key: Hashable
    numbers: np.ndarray
    size: int


def _between(track: Column, ends: dict[int, tuple[int, int]]) -> tuple[int, int, Hashable] | None:
    """The least number that is told apart, how many are, and what else belongs to the key; the numbers of a coordinate
    are taken to be between ends that only grow, so that how many they are tells which ends they have.
    """
    least, greatest = (end[0] for end in track.reach)
    if track.ids.dtype.kind != "i" or not -_CASES < int(least) <= int(greatest) < _CASES:
        return None
    low, high = (1 << max(0, int(end)).bit_length() for end in (-least, greatest))
    before = ends.get(track.coordinate, (1, 1))
    low, high = ends[track.coordinate] = max(low, before[0]), max(high, before[1])
    return 1 - low, low + high - 1, track.coordinate


def _few(track: Packed | Windowed) -> tuple[int, int, Hashable] | None:
    name = track.coordinates.tobytes(), track.levels.tobytes()
    if isinstance(track, Windowed):  # beside the row of features, which is a part of the case
        return 0, 1 << track.windows.width, (*name, track.name)
    return (0, track.combinations, name) if isinstance(track.column, Digits) else None


def lasting(rows: np.ndarray) -> np.ndarray:
    """A copy that nobody can write to."""
    copy = rows.copy()
    copy.flags.writeable = False
    return copy
