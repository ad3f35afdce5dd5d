"""Single bits of which few next to each other matter at a time, as one small number.

A layer that keeps a stack has hundreds of bits, and reads those of one slot at a position: which ones, the features
that it reads there say.  So all the bits are told apart by the few of the slot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Hashable

import numpy as np

from constructions.ssm.distinct_rows import Digits
from constructions.ssm.recurrence import Packed

_WIDEST = 8
"""Of a window, in bits."""


@dataclass(frozen=True)
class Windows:
    """Where to look, for each row of features.

    Attributes:
        width: of the widest window, in bits.
        shifts, masks: for each track, and for each row of features, how far its bits are moved down, and which of them
            matter then: none but in one of the tracks.
        places: for each row of features the number of its shifts and masks.
    """

    width: int
    shifts: list[np.ndarray]
    masks: list[np.ndarray]
    places: Digits


@dataclass(frozen=True)
class Windowed:
    """Several tracks of single bits, those put to their first state that do not matter where they are.

    Attributes:
        tracks: all bits.
        windows: where to look.
        name: what the windows were found by, beside the rows of features.
        rows: the row of features that is read at each position.
    """

    tracks: list[Packed]
    windows: Windows
    name: Hashable
    rows: np.ndarray

    @property
    def coordinates(self) -> np.ndarray:
        """Which."""
        return np.concatenate([track.coordinates for track in self.tracks])

    @property
    def levels(self) -> np.ndarray:
        """The states by number, shape (coordinates, 2)."""
        return np.concatenate([track.levels for track in self.tracks])

    @property
    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest state of each coordinate."""
        return self.levels.min(axis=1), self.levels.max(axis=1)

    @property
    def bits(self) -> int:
        """How many a number has."""
        return self.windows.width

    @property
    def combinations(self) -> int:
        """At most so many rows of states."""
        return self.windows.places.base << self.windows.width

    @cached_property
    def ids(self) -> np.ndarray:
        """The number in the window, at each position; the same number is another state where another row is read."""
        found: np.ndarray = np.zeros(len(self.rows), dtype=np.uint8)
        for track, shifts, masks in zip(self.tracks, self.windows.shifts, self.windows.masks):
            inside = track.ids >> shifts.take(self.rows)
            inside &= masks.take(self.rows)
            found |= inside.astype(np.uint8, copy=False)
        return found

    @property
    def column(self) -> Digits:
        """What tells the states apart: where the window is, and what is in it."""
        place = (self.windows.places.numbers << self.windows.width).take(self.rows)
        return Digits(place + self.ids, self.combinations)

    def at(self, positions: np.ndarray) -> "Windowed":
        """The states at these positions."""
        return replace(self, tracks=[track.at(positions) for track in self.tracks], rows=self.rows[positions])

    def put(self, target: np.ndarray, positions) -> None:
        """Writes the states at these positions into ``target``, shape (positions, width)."""
        rows, inside = self.rows[positions], self.ids[positions]
        for track, shifts, masks in zip(self.tracks, self.windows.shifts, self.windows.masks):
            bits = (inside & masks[rows]).astype(track.ids.dtype) << shifts[rows]
            replace(track, ids=bits).put(target, slice(None))


def windows_of(matters: np.ndarray, *coordinates: np.ndarray) -> Windows | None:
    """Where the bits that matter are; None where for some row of features they are too far apart.

    Args:
        matters: booleans, shape (rows, all coordinates of the layer).
        coordinates: those of each track of single bits.
    """
    width, shifts, masks = 0, [], []
    tracks: np.ndarray = np.zeros(len(matters), dtype=np.intp)
    for some in coordinates:
        here = matters[:, some]
        any_here, first = here.any(axis=1), here.argmax(axis=1)
        last = len(some) - 1 - here[:, ::-1].argmax(axis=1)
        wide = np.where(any_here, last - first + 1, 0)
        tracks += any_here
        width = max(width, int(wide.max(initial=0)))
        if width > _WIDEST:
            return None
        dtype = np.dtype(f"<u{next(size for size in (1, 2, 4) if 8 * size >= len(some))}")
        place = np.minimum(first[:, None] + np.arange(_WIDEST), len(some) - 1)
        inside = np.take_along_axis(here, place, axis=1) & (np.arange(_WIDEST) < wide[:, None])
        shifts.append(np.where(any_here, first, 0).astype(dtype))
        masks.append(np.packbits(inside, axis=1, bitorder="little").ravel().astype(dtype))
    if (tracks > 1).any():
        return None
    _, places = np.unique(np.stack([*shifts, *masks], axis=1), axis=0, return_inverse=True)
    return Windows(width, shifts, masks, Digits(places.ravel(), int(places.max(initial=0)) + 1))
