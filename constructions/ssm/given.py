"""What a layer gives out, kept from one chunk to the next.

A layer reads few different rows of features and has few states that matter, chunk after chunk the same ones.  So each
row that it gives out has a number that lasts, and where all cases of states and features have a place in a table, the
table says which row each gives.  Rows that last are arrays that nobody can write to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Hashable, NamedTuple, Sequence

import numpy as np

from constructions.growing import Numbered
from constructions.ssm.distinct_rows import Digits, distinct
from constructions.ssm.kept import Kept
from constructions.ssm.recurrence import Column, Packed
from constructions.ssm.slots import AnyTrack, Slotted
from constructions.ssm.windows import Windowed

_CASES, _TABLES = 1 << 20, 2
"""Of a table, and how many are kept."""
_MOST_ROWS, _MOST_NUMBERS = 1 << 14, 1 << 22
"""Of all that a layer gives out: with more, all are forgotten."""


class Given:
    """Rows that a layer gives out.

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
        self._features = lasting(self._rows.rows)
        self._known = Kept(self._rows.number)
        self._ends: dict[int, tuple[int, int]] = {}

    @property
    def full(self) -> bool:
        """Whether it is time to forget them."""
        return len(self._rows) > _MOST_ROWS or len(self._rows) * self._width > _MOST_NUMBERS

    @property
    def features(self) -> np.ndarray:
        """All of them, each once, by their numbers; read-only."""
        if len(self._rows) > len(self._features):
            self._features = lasting(self._rows.rows)
        return self._features

    def numbered(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows."""
        return self._known(rows)

    def reserve(self, rows: int) -> None:
        """Makes room for so many rows more, as far as they will be kept."""
        self._rows.reserve(min(rows, _MOST_ROWS))

    def cases(self, tracks: Sequence[AnyTrack], features: int, ids: np.ndarray) -> Cases | None:
        """The cases of what is given, by the states and by which of so many rows of features is read; None where they
        are too many for a table.
        """
        rows = size = 1 << max(0, features - 1).bit_length()
        told: list[Told] = []
        numbers, ends = ids, dict(self._ends)
        for track in tracks:
            one = _between(track, ends) if isinstance(track, Column) else _few(track)
            if one is None or size * one.base > _CASES:
                return None
            numbers = numbers * np.intp(one.base)
            numbers += track.ids
            if one.least:
                numbers -= one.least
            size *= one.base
            told.append(one)
        self._ends = ends
        return Cases((rows, *(one[1:] for one in told)), numbers, size, told)

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
        return looked_up(table, cases.numbers, evaluate)


class Told(NamedTuple):
    """How the states of a track are told apart: the least number, how many there are, and what they mean."""

    least: int
    base: int
    name: Hashable


@dataclass(frozen=True)
class Cases:
    """A number below ``size`` for each position, the same where states and features are, under one ``key``; and how
    each track is told.
    """

    key: Hashable
    numbers: np.ndarray
    size: int
    told: Sequence[Told]


def _between(track: Column, ends: dict[int, tuple[int, int]]) -> Told | None:
    """The numbers of a coordinate are taken to be between ends that only grow, so that how many they are tells which
    ends they have.
    """
    least, greatest = (end[0] for end in track.reach)
    if track.ids.dtype.kind != "i" or not -_CASES < int(least) <= int(greatest) < _CASES:
        return None
    low, high = (1 << max(0, int(end)).bit_length() for end in (-least, greatest))
    before = ends.get(track.coordinate, (1, 1))
    low, high = ends[track.coordinate] = max(low, before[0]), max(high, before[1])
    return Told(1 - low, low + high - 1, track.coordinate)


def _few(track: Packed | Windowed | Slotted) -> Told | None:
    if isinstance(track, Slotted):
        return Told(0, 1 << track.bits, track.name)
    name = track.coordinates.tobytes(), track.levels.tobytes()
    if isinstance(track, Windowed):  # beside the row of features, which is a part of the case
        return Told(0, 1 << track.bits, (*name, track.name))
    return Told(0, track.combinations, name) if isinstance(track.column, Digits) else None


def looked_up(table: np.ndarray, numbers: np.ndarray, evaluate: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """The entries of a table at these numbers; where they are -1, they are evaluated and written down first.

    Args:
        evaluate: of positions, the entries that belong there; called for one of each number that is new.
    """
    found = table.take(numbers)
    if found.min(initial=0) < 0:
        missing = np.flatnonzero(found < 0)
        first, where = distinct([Digits(numbers[missing], len(table))])
        entries = evaluate(missing[first])
        table[numbers[missing[first]]] = entries
        found[missing] = entries[where]
    return found


def lasting(rows: np.ndarray) -> np.ndarray:
    """A copy that nobody can write to."""
    copy = rows.copy()
    copy.flags.writeable = False
    return copy
