"""Layers that keep a stack: bits in slots, of which a step writes one at most and reads one at most.

Which slot, the row of features says that is read.  So the bits need not be known at each position: it is enough to
carry all slots along, one step after the other for many words at once, and to write down what is read.

Nothing here knows what a model was built for.  The slots are the coordinates that every row of features sets together,
and what is read is what matters (:mod:`constructions.ssm.relevance`).  All of this is found once for each row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Hashable, Union

import numpy as np

from constructions.growing import Growing
from constructions.ssm.distinct_rows import Digits
from constructions.ssm.recurrence import Bits, Recurrence, Track
from constructions.ssm.windows import Windowed

_LARGEST = 8
"""Of a slot, in bits."""
_WORDS, _COORDINATES = 32, 65
"""Fewer words together are not read step by step; nor are fewer coordinates, which are few words of bits."""
_TOGETHER = 1 << 16
"""Numbers of rows of features that are looked at together."""


@dataclass(frozen=True)
class Arrangement:
    """Which coordinate is which bit of which slot.

    Attributes:
        slot, bit: of each coordinate.
        levels: the two states of each coordinate, shape (d, 2).
        coordinates: of each bit of each slot, shape (slots, 8); -1 where a slot has fewer.
    """

    slot: np.ndarray
    bit: np.ndarray
    levels: np.ndarray
    coordinates: np.ndarray

    @property
    def slots(self) -> int:
        """How many."""
        return len(self.coordinates)

    @property
    def width(self) -> int:
        """Of the largest slot, in bits."""
        return int(self.bit.max()) + 1

    def packed(self, bits: np.ndarray) -> np.ndarray:
        """What is in the slots, of booleans for all coordinates, shape (n, d): bytes, shape (n, slots)."""
        spread = np.zeros((len(bits), self.slots * _LARGEST), dtype=bool)
        spread[:, self.slot * _LARGEST + self.bit] = bits
        return np.packbits(spread, axis=1, bitorder="little")

    def states(self, packed: np.ndarray) -> np.ndarray:
        """The states of all coordinates, of what is in the slots."""
        bits = np.unpackbits(packed, axis=1, bitorder="little")[:, self.slot * _LARGEST + self.bit]
        return np.where(bits.view(bool), self.levels[:, 1], self.levels[:, 0])

    def of_first(self, chosen: np.ndarray) -> np.ndarray:
        """The slot of the first coordinate that is chosen in each row, shape (n, d), 0 where none is."""
        return self.slot[chosen.argmax(axis=1)] * chosen.any(axis=1)

    def bytes(self, chosen: np.ndarray, slot: np.ndarray) -> np.ndarray:
        """The chosen coordinates of each row, which are all of one slot, a byte for each row."""
        return self.packed(chosen)[np.arange(len(chosen)), slot]


def _arranged(bits: Bits) -> Arrangement | None:
    """Slots of the coordinates that every row of features changes together; None where one is too large.  Those that no
    row changes yet are as many slots as they fill.
    """
    slots: dict[Hashable, list[int]] = {}
    unchanged = np.cumsum(~bits.changes.any(axis=0)) - 1
    for coordinate, column in enumerate(np.packbits(bits.changes, axis=0).T):
        place = int(unchanged[coordinate]) // _LARGEST if not column.any() else -1
        slots.setdefault((column.tobytes(), place), []).append(coordinate)
    if max(map(len, slots.values())) > _LARGEST:
        return None
    slot, bit = np.empty(len(bits.levels), dtype=np.intp), np.empty(len(bits.levels), dtype=np.intp)
    coordinates = np.full((len(slots), _LARGEST), -1)
    for number, some in enumerate(slots.values()):
        slot[some], bit[some] = number, np.arange(len(some))
        coordinates[number, : len(some)] = some
    return Arrangement(slot, bit, bits.levels, coordinates)


class Slots:
    """The slots of a layer, as far as its rows of features are known: rows that are added to at their end.

    Args:
        recurrence: of a layer, for rows of features and the states that words begin with.
        matters: which coordinates matter, of such rows, and of the least and the greatest state of each.
    """

    def __init__(
        self,
        recurrence: Callable[[np.ndarray, np.ndarray], Recurrence],
        matters: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    ):
        self._recurrence, self._matters = recurrence, matters
        self._found = 0
        self.forget()

    def forget(self) -> None:
        """Lets go of all rows."""
        self._arrangement: Arrangement | None = None
        self._retried = 0
        self._begin()

    def _begin(self) -> None:
        """No row is known, and numbers mean something else."""
        self._found += 1
        self._write, self._read = Growing(np.intp), Growing(np.intp)
        self._value, self._mask = Growing(np.uint8), Growing(np.uint8)

    def read(self, features: np.ndarray, ids: np.ndarray, h: np.ndarray) -> "Slotted | None":
        """What is read along a chunk; None where the layer has no such slots, or it would not pay.

        Args:
            features: rows that nobody can write to, the first of them those that were given before.
            ids: which of these is read at each position, shape (batch, time).
            h: the states before, shape (batch, d).

        O(batch * time) whatever the number of coordinates, and O(rows * d) for rows that are new.
        """
        if len(ids) < _WORDS or ids.shape[1] == 1 or h.shape[1] < _COORDINATES or len(features) < self._retried:
            return None
        if not self._knows(features[len(self._write) :]):
            self._finds(features, h[0])
        arrangement = self._arrangement
        if arrangement is None or not ((h == arrangement.levels[:, 0]) | (h == arrangement.levels[:, 1])).all():
            return None
        return self._carried(arrangement, ids, arrangement.packed(h != arrangement.levels[:, 0]))

    def _finds(self, features: np.ndarray, start: np.ndarray) -> None:
        """The slots of these rows; where there are none, they are looked for again when there are twice as many."""
        self._begin()
        bits = self._bits(features, np.stack([start, start], axis=1))
        self._arrangement = None if bits is None else _arranged(bits)
        if bits is None or self._arrangement is None or not self._adds(self._arrangement, features, bits):
            self._arrangement, self._retried = None, 2 * len(features)

    def _knows(self, new: np.ndarray) -> bool:
        """Whether there are slots, and these rows keep to them; what they do is known from now on."""
        if self._arrangement is None or not len(new):
            return self._arrangement is not None
        bits = self._bits(new, self._arrangement.levels)
        if bits is None or not np.array_equal(bits.levels, self._arrangement.levels):
            return False
        return self._adds(self._arrangement, new, bits)

    def _bits(self, features: np.ndarray, levels: np.ndarray) -> Bits | None:
        """What rows do to the coordinates, which have these states before, shape (d, 2); some rows at a time, as all
        together would take much memory.
        """
        parts: list[Bits] = []
        step = max(1, _TOGETHER // len(levels))
        for first in range(0, len(features), step):
            bits = self._recurrence(features[first : first + step], np.ascontiguousarray(levels.T)).bits
            if bits is None:
                return None
            parts.append(bits)
            levels = bits.levels
        # What is the greater of two states may be the lesser one of those that are met later.
        ones = [part.changes & np.where(part.ones, *(part.levels[:, ::-1] != levels[:, :1]).T) for part in parts]
        changes = np.concatenate([part.changes for part in parts])
        return Bits(parts[0].coordinates, changes, np.concatenate(ones), levels)

    def _adds(self, arrangement: Arrangement, new: np.ndarray, bits: Bits) -> bool:
        """Whether each of these rows writes one slot as a whole or none, and reads no more than one."""
        matters = self._matters(new, arrangement.levels.min(axis=1), arrangement.levels.max(axis=1))
        write, read = arrangement.of_first(bits.changes), arrangement.of_first(matters)
        changed = np.asarray(bits.changes.any(axis=1))
        whole = bits.changes == (changed[:, None] & (arrangement.slot == write[:, None]))
        if not whole.all() or not (~matters | (arrangement.slot == read[:, None])).all():
            return False
        self._write.append(np.where(changed, write, arrangement.slots))
        self._value.append(arrangement.bytes(bits.ones, write))
        self._read.append(read)
        self._mask.append(arrangement.bytes(matters, read))
        return True

    def _carried(self, arrangement: Arrangement, ids: np.ndarray, slots: np.ndarray) -> "Slotted":
        """Carries the slots along, shape (batch, slots)."""
        batch, time = ids.shape
        # What is written to no slot is written to one more.
        carried = np.zeros((batch, arrangement.slots + 1), dtype=np.uint8)
        carried[:, :-1] = slots
        flat, word = carried.ravel(), np.arange(batch) * (arrangement.slots + 1)
        steps = np.ascontiguousarray(ids.T)
        write, value = self._write.rows.take(steps), self._value.rows.take(steps)
        read, found = self._read.rows.take(steps), np.empty((time, batch), dtype=np.uint8)
        write += word
        read += word
        for to, what, place, out in zip(write, value, read, found):
            flat[to] = what
            flat.take(place, out=out, mode="clip")
        found &= self._mask.rows.take(steps)
        name = "slots", self._found
        return Slotted(arrangement, self._read.rows, name, found.T.ravel(), ids.ravel(), carried[:, :-1])


@dataclass(frozen=True)
class Slotted:
    """All coordinates of a layer along a chunk, those put to their lesser state that do not matter where they are.

    Attributes:
        arrangement: of the slots.
        read: the slot that is read with each row of features.
        name: what the slots are known by, and what is read of them.
        ids: what is in the slot that is read, at each position; the same number is another state where another row is
            read.
        rows: the row of features that is read at each position.
        after: what is in the slots after the last step, shape (batch, slots).
    """

    arrangement: Arrangement
    read: np.ndarray
    name: Hashable
    ids: np.ndarray
    rows: np.ndarray
    after: np.ndarray

    @property
    def coordinates(self) -> np.ndarray:
        """Which: all."""
        return np.arange(len(self.arrangement.slot))

    @property
    def bits(self) -> int:
        """How many a number has."""
        return self.arrangement.width

    @property
    def combinations(self) -> int:
        """At most so many rows of states."""
        return self.arrangement.slots << self.arrangement.width

    @property
    def column(self) -> Digits:
        """What tells the states apart: which slot is read, and what is in it."""
        place = (self.read << self.arrangement.width).take(self.rows)
        return Digits(place + self.ids, self.combinations)

    def at(self, positions: np.ndarray) -> "Slotted":
        """The states at these positions."""
        return replace(self, ids=self.ids[positions], rows=self.rows[positions])

    def put_after(self, target: np.ndarray) -> None:
        """Writes the states after the last step into ``target``, shape (batch, d)."""
        target[:] = self.arrangement.states(self.after)

    def put(self, target: np.ndarray, positions) -> None:
        """Writes the states at these positions into ``target``, shape (positions, d)."""
        inside, places = self.ids[positions], self.arrangement.coordinates[self.read[self.rows[positions]]]
        target[:] = self.arrangement.levels[:, 0]
        for bit, column in enumerate(places.T[: self.arrangement.width]):
            one = np.flatnonzero((inside >> bit & 1) & (column >= 0))
            target[one, column[one]] = self.arrangement.levels[column[one], 1]


AnyTrack = Union[Track, Windowed, Slotted]
