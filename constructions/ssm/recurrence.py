"""The recurrence of one layer, h_t = A(x_t) * h_(t-1) + B(x_t), over a chunk of time at once.

Nothing here knows what a coordinate was built for.  Each is run in the first of these ways that is exact for its gates:

* *remembered*: a step keeps the state, or sets it to one of two values, or makes of it what the next change forgets (as
  in a register that keeps its previous digit).  The state is known from the last change or the last two.
* *summed*: gates 0 and 1.  The state is what was added since the last gate 0.
* *looped*: any gates, one step after the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Union

import numpy as np

from automata.errors import InputError
from constructions.ssm.distinct_rows import Digits, distinct
from constructions.ssm.layers import Layer
from constructions.ssm.number_formats import NumberFormat, Rationals, ScaledIntegers, check_bound, largest_size

_PACKED_BITS, _FEW_BITS, _WIDEST = 32, 8, 1 << 31
_MOST_MAPS, _MOST_STATES = 16, 64
"""Of a coordinate whose changes are looked up in pairs."""


@dataclass(frozen=True)
class Column:
    """One coordinate of a layer over a chunk: its states, word after word."""

    coordinate: int
    ids: np.ndarray

    @property
    def coordinates(self) -> np.ndarray:
        """Which: one."""
        return np.array([self.coordinate])

    @cached_property
    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest state of each coordinate."""
        return self.ids.min(keepdims=True), self.ids.max(keepdims=True)

    @property
    def combinations(self) -> int:
        """At most so many rows of states."""
        least, greatest = (float(end[0]) for end in self.reach)
        return int(min(len(self.ids), greatest - least + 1)) if greatest - least < math.inf else len(self.ids)

    @property
    def column(self) -> Union[np.ndarray, Digits]:
        """What tells the states apart."""
        least, greatest = (end[0] for end in self.reach)
        if self.ids.dtype.kind != "i" or int(greatest) - int(least) >= _WIDEST:
            return self.ids
        return Digits(self.ids - least if least else self.ids, int(greatest) - int(least) + 1)

    def at(self, positions: np.ndarray) -> "Column":
        """The states at these positions."""
        return Column(self.coordinate, self.ids[positions])

    def put(self, target: np.ndarray, positions) -> None:
        """Writes the states at these positions into ``target``, shape (positions, width)."""
        target[:, self.coordinate] = self.ids[positions]


@dataclass(frozen=True)
class Packed:
    """Several coordinates over a chunk: at each position the numbers of their states, packed into one integer.

    Attributes:
        coordinates: which.
        ids: the integers, word after word.
        bits: how many bits each coordinate has, the same for all, the first coordinate lowest.
        levels: the states by number, shape (coordinates, states).
    """

    coordinates: np.ndarray
    ids: np.ndarray
    bits: int
    levels: np.ndarray

    @property
    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest state of each coordinate."""
        return self.levels.min(axis=1), self.levels.max(axis=1)

    @property
    def combinations(self) -> int:
        """At most so many rows of states."""
        return self.levels.shape[1] ** len(self.coordinates)

    @property
    def column(self) -> Union[np.ndarray, Digits]:
        """What tells the states apart."""
        few = len(self.coordinates) == 1 or (self.bits == 1 and len(self.coordinates) <= _FEW_BITS)
        return Digits(self.ids, self.combinations) if few else self.ids

    def at(self, positions: np.ndarray) -> "Packed":
        """The states at these positions."""
        return replace(self, ids=self.ids[positions])

    def masked(self, matters: np.ndarray, rows: np.ndarray) -> "Packed":
        """The same, but for single bits that do not matter where a row is read, which have their first state there.

        Args:
            matters: booleans, shape (rows, all coordinates of the layer).
            rows: which row is read at each position.
        """
        masks = _pack(matters[:, self.coordinates])
        return replace(self, ids=self.ids & masks.take(rows))

    def put(self, target: np.ndarray, positions) -> None:
        """Writes the states at these positions into ``target``, shape (positions, width)."""
        place = np.arange(len(self.coordinates))
        numbers = self.ids[positions][:, None] >> (place * self.bits) & ((1 << self.bits) - 1)
        target[:, self.coordinates] = self.levels[place, numbers]


Track = Union[Column, Packed]


class Recurrence:
    """The recurrence of a layer for some rows of features: what is the same whatever the words are.

    Args:
        gates, increments: raw, shape (rows, d): one row for each distinct row of features.
        starts: all states that a word begins with, shape (any number, d).
    """

    def __init__(
        self, numbers: NumberFormat, layer: Layer, gates: np.ndarray, increments: np.ndarray, starts: np.ndarray
    ):
        self._numbers, self._layer, self._gates, self._increments = numbers, layer, gates, increments
        self._starts = starts

    def run(self, ids: np.ndarray, h: np.ndarray) -> list[Track]:
        """h_t for all t, as tracks that cover every coordinate once; O(batch * time) for each, times log(time) for
        packed ones.

        Args:
            ids: shape (batch, time): which row is read where.
            h: the states before, shape (batch, d), all of them among the ``starts``.

        Raises:
            InputError: when a number could leave the range in which it is exact.
        """
        numbers, layer, gates, increments = self._numbers, self._layer, self._gates, self._increments
        if ids.shape[1] == 1:
            new = numbers.update(layer, gates[ids[:, 0]], h, increments[ids[:, 0]])
            return [Column(i, column) for i, column in enumerate(np.ascontiguousarray(new.T))]
        tracks: list[Track] = [way.track(ids, h) for way in self._remembered]
        summed, looped = self._others
        if len(summed):
            added = self._added[:, summed]
            if _sums_exactly(numbers, added, h[:, summed], ids.shape[1]):
                for place, i in enumerate(summed.tolist()):
                    sums = _sums(gates[:, i] == 0, added[:, place], ids, h[:, i])
                    tracks.append(Column(i, numbers.wrapped(sums)))
            else:
                looped = np.concatenate([summed, looped])
        if len(looped):
            columns = _loop(numbers, layer, gates[:, looped], increments[:, looped], ids, h[:, looped])
            tracks += [Column(i, column.ravel()) for i, column in zip(looped.tolist(), columns)]
        return tracks

    @cached_property
    def _added(self) -> np.ndarray:
        """What a step with gate 0 or 1 adds."""
        return self._numbers.added(self._layer, self._increments)

    @cached_property
    def bits(self) -> "Bits | None":
        """All coordinates as bits; None unless every change sets each of them, to one of two states."""
        if not self._only_set.all():
            return None
        found = _as_bits(np.arange(self._layer.width), *self._changed, self._starts)
        return found if len(found.coordinates) == self._layer.width else None

    @cached_property
    def _changed(self) -> tuple[np.ndarray, np.ndarray]:
        """What a step sets a coordinate to, if it does, and whether it changes it, for each row of features."""
        changes = (self._gates != self._numbers.one(self._layer)) | (self._added != 0)
        return self._numbers.wrapped(self._added), changes

    @cached_property
    def _only_set(self) -> np.ndarray:
        """The coordinates which every change sets."""
        sets = self._gates == 0
        if self._starts.dtype.kind == "f":
            # 0 * inf is not 0.
            sets &= np.isfinite(self._added) & np.isfinite(self._starts).all(axis=0)
        return (sets | ~self._changed[1]).all(axis=0)

    @cached_property
    def _remembered(self) -> list[Union["_Bits", "_Changes"]]:
        """The coordinates whose state is known from their last changes."""
        one, (values, changes), only_set = self._numbers.one(self._layer), self._changed, self._only_set
        # What keeps more than half of the state will not be forgotten at the next change.
        forgetful = ~only_set & (~changes | (2 * np.abs(self._gates) <= one)).all(axis=0)
        ways: list[_Bits | _Changes] = [*_packed(_as_bits(np.flatnonzero(only_set), values, changes, self._starts))]
        for i in np.flatnonzero(forgetful).tolist():
            try:
                way = self._forgetful(i, changes[:, i])
            except InputError:  # beyond the range, maybe on states that these words do not reach
                way = None
            if way is not None:
                ways.append(way)
        return ways

    @cached_property
    def _others(self) -> tuple[np.ndarray, np.ndarray]:
        """The coordinates that are summed, if that is exact, and those that are looped."""
        left = np.ones(self._layer.width, dtype=bool)
        for way in self._remembered:
            left[way.coordinates] = False
        rest = np.flatnonzero(left)
        binary = self._numbers.binary(self._layer, self._gates[:, rest])
        return rest[binary], rest[~binary]

    def _forgetful(self, i: int, changes: np.ndarray) -> "_Changes | None":
        """Coordinate ``i``, when its last two changes decide its state: when every pair of maps is constant on all
        states.

        All states are the initial ones, what one map makes of them, and what two make of them: two are constant, so
        there are no more.
        """
        rows = np.flatnonzero(changes)
        chosen, number = distinct([self._gates[rows, i], self._increments[rows, i]])
        initial = np.unique(self._starts[:, i])
        if len(chosen) > _MOST_MAPS or len(initial) > _MOST_STATES:
            return None
        gate, increment = self._gates[rows[chosen], i, None], self._increments[rows[chosen], i, None]

        def after(states: np.ndarray) -> np.ndarray:
            return self._numbers.update(self._layer, gate, states, increment)

        once = after(initial)
        states = np.unique(np.concatenate([initial, once.ravel(), after(np.unique(once)).ravel()]))
        if len(states) > _MOST_STATES:
            return None
        twice = after(after(states).ravel()).reshape(len(chosen), len(chosen), len(states))
        if not (twice == twice[:, :, :1]).all():
            return None
        # By the last two events: none, a change, by its number, or the beginning of a word, beyond these by the number
        # of the state that the word begins with.
        starts, events = 1 + len(chosen), 1 + len(chosen) + len(initial)
        table = np.zeros((events, events), dtype=np.uint8)
        table[1:starts, 1:starts] = 1 + np.searchsorted(states, twice[:, :, 0].T)
        table[starts:, 1:starts] = 1 + np.searchsorted(states, once.T)
        table[:, starts:] = 1 + np.searchsorted(states, initial)
        maps = np.zeros(len(changes), dtype=np.uint8)
        maps[rows] = 1 + number
        return _Changes(np.array([i]), maps, starts, initial, table, states)


# -- remembered -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bits:
    """Coordinates which every change sets, of two states each.

    Attributes:
        coordinates: which, at most 32.
        sets, ones: for each row of features, which of them it sets, and which of these to the greater state.
        levels: the two states, shape (coordinates, 2).
    """

    coordinates: np.ndarray
    sets: np.ndarray
    ones: np.ndarray
    levels: np.ndarray

    def track(self, ids: np.ndarray, h: np.ndarray) -> Packed:
        """Their states along a chunk."""
        flat = ids.ravel()
        initial = _pack(h[:, self.coordinates] != self.levels[:, 0])
        packed = _last_set(self.sets.take(flat), self.ones.take(flat), initial, ids.shape[1])
        return Packed(self.coordinates, packed, 1, self.levels)


@dataclass(frozen=True)
class Bits:
    """Coordinates which every change sets, of at most two states each.

    Attributes:
        coordinates: which.
        changes, ones: booleans, shape (rows of features, coordinates): which of them are set where a row is read, and
            which of these to the greater state.
        levels: the two states, shape (coordinates, 2).
    """

    coordinates: np.ndarray
    changes: np.ndarray
    ones: np.ndarray
    levels: np.ndarray


def _as_bits(chosen: np.ndarray, values: np.ndarray, changes: np.ndarray, starts: np.ndarray) -> Bits:
    """Those of the chosen coordinates, which every change sets, that have no more than two states."""
    changes, h = changes[:, chosen], starts[:, chosen]
    values = np.where(changes, values[:, chosen], h[0])
    least, greatest = np.minimum(values.min(axis=0), h.min(axis=0)), np.maximum(values.max(axis=0), h.max(axis=0))
    two = ((values == least) | (values == greatest)).all(axis=0) & ((h == least) | (h == greatest)).all(axis=0)
    levels = np.stack([least, greatest], axis=1)
    return Bits(chosen[two], changes[:, two], (changes & (values != least))[:, two], levels[two])


def _packed(bits: Bits) -> list[_Bits]:
    """Cut into parts of at most 32."""
    parts = np.split(np.arange(len(bits.coordinates)), _cuts(bits.changes))
    return [
        _Bits(bits.coordinates[some], _pack(bits.changes[:, some]), _pack(bits.ones[:, some]), bits.levels[some])
        for some in parts
        if len(some)
    ]


def _cuts(changes: np.ndarray) -> list[int]:
    """Where columns are cut into parts of at most 32: if it can be, not between two that are the same."""
    same = (changes[:, 1:] == changes[:, :-1]).all(axis=0)
    cuts, first = [], 0
    while len(changes[0]) - first > _PACKED_BITS:
        most = first + _PACKED_BITS
        cut = next((place for place in range(most, first, -1) if not same[place - 1]), most)
        cuts.append(cut)
        first = cut
    return cuts


def _pack(bits: np.ndarray) -> np.ndarray:
    """Each row of booleans as one unsigned integer, the first column lowest."""
    packed = np.packbits(bits, axis=1, bitorder="little")
    size = next(size for size in (1, 2, 4) if size >= packed.shape[1])
    padded = np.zeros((len(bits), size), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(f"<u{size}").ravel()


def _last_set(sets: np.ndarray, values: np.ndarray, initial: np.ndarray, time: int) -> np.ndarray:
    """For each bit at each position, the value to which it was set last; ``initial`` where it has not been set in the
    word.

    The windows that are looked back upon double: log2(time) rounds, each of a few operations on whole words of bits.

    Args:
        sets, values: unsigned integers, word after word, both used up; values are 0 where nothing is set.
        initial: one for each word.
    """
    values[::time] |= initial & ~sets[::time]
    sets[::time] = ~values.dtype.type(0)
    keeps = ~sets
    window = 1
    while window < time and keeps.any():
        values[window:] |= values[:-window] & keeps[window:]
        keeps[window:] &= keeps[:-window]
        window *= 2
    return values


@dataclass(frozen=True)
class _Changes:
    """A coordinate whose last two changes decide its state.

    Attributes:
        coordinates: which: one.
        maps: for each row of features the number, from 1 on, of what it makes of the state, or 0 where it keeps it.
        starts: from which number on the beginning of a word is an event, too, by the state that it begins with.
        initial: these states.
        table: the number of the state, from 1 on, by the last event but one and the last; 0 where there is no event.
        states: by their numbers.
    """

    coordinates: np.ndarray
    maps: np.ndarray
    starts: int
    initial: np.ndarray
    table: np.ndarray
    states: np.ndarray

    def track(self, ids: np.ndarray, h: np.ndarray) -> Packed:
        """Its states along a chunk."""
        time, flat = ids.shape[1], ids.ravel()
        now = self.maps.take(flat)
        start = (self.starts + np.searchsorted(self.initial, h[:, self.coordinates[0]])).astype(np.uint8)
        np.copyto(now[::time], start, where=now[::time] == 0)
        last = now.copy()
        _repeat_last(last, time)
        before = np.empty_like(now)
        before[1:] = last[:-1]
        before[::time] = start
        reached = self.table.ravel().take(before * np.uint16(len(self.table)) + now)
        _repeat_last(reached, time)
        return Packed(self.coordinates, reached - reached.dtype.type(1), 8, self.states[None])


def _repeat_last(values: np.ndarray, time: int) -> None:
    """Writes the last number before it that is not 0 in the place of each 0; each word, of this length, begins with
    another.  The windows that are looked back upon double, as in :func:`_last_set`.
    """
    window = 1
    while window < time:
        missing = -(values[window:] == 0).view(np.uint8)
        if not missing.any():
            return
        values[window:] |= values[:-window] & missing
        window *= 2


def _gaps(at: np.ndarray, end: int) -> np.ndarray:
    """From each place to the next, and from the last to the end."""
    gaps = np.empty_like(at)
    np.subtract(at[1:], at[:-1], out=gaps[:-1])
    gaps[-1] = end - at[-1]
    return gaps


# -- summed -----------------------------------------------------------------------------------------------


def _sums_exactly(numbers: NumberFormat, added: np.ndarray, h: np.ndarray, time: int) -> bool:
    """Whether sums over the chunk stay exact; integers that do not are an error, floats are looped instead."""
    if isinstance(numbers, ScaledIntegers):
        check_bound(largest_size(h) + time * largest_size(added), numbers.limit, numbers.arithmetic)
        return True
    if isinstance(numbers, Rationals):
        return True
    bound = float(np.abs(h).max(initial=0)) + time * float(np.abs(added).max(initial=0))
    return bound < numbers.limit and bool((added == np.rint(added)).all() and (h == np.rint(h)).all())


def _sums(resets: np.ndarray, added: np.ndarray, ids: np.ndarray, h: np.ndarray) -> np.ndarray:
    """What was added since (and at) the last reset, or to ``h`` where there was none yet; shape (batch * time,).

    The running sum over the whole batch may pass 64 bits: differences of two are right modulo 2^64, and below 2^53.
    """
    batch, time = ids.shape
    integers, carried = added.astype(np.int64), h.astype(np.int64)
    if not resets.any():
        sums = integers.take(ids)
        sums[:, 0] += carried
        return np.cumsum(sums, axis=1, out=sums).ravel().astype(added.dtype, copy=False)
    flat = ids.ravel()
    sums = integers.take(flat).cumsum()
    begins = resets.take(flat)
    begins[::time] = True
    first = np.flatnonzero(begins)
    rows = flat.take(first)
    offset = integers.take(rows) - sums.take(first)
    words = np.searchsorted(first, np.arange(batch) * time)
    offset[words] += np.where(resets[rows[words]], 0, carried)
    sums += offset.repeat(_gaps(first, len(flat)))
    return sums.astype(added.dtype, copy=False)


# -- looped -----------------------------------------------------------------------------------------------


def _loop(numbers: NumberFormat, layer: Layer, gates, increments, ids, h) -> np.ndarray:
    """Any gates: one step after the other, shape (coordinates, batch, time).

    Once the rest of the chunk has the same gates and increments, a state that repeats repeats for ever.
    """
    time = ids.shape[1]
    states = np.empty((h.shape[1], *ids.shape), dtype=numbers.dtype)
    rows, same = distinct([*gates.T, *increments.T])
    gates, increments, ids = gates[rows], increments[rows], same[ids]
    changes = np.flatnonzero((ids[:, 1:] != ids[:, :-1]).any(axis=0))
    last_change = int(changes[-1]) + 1 if len(changes) else 0
    for t in range(last_change):
        h = numbers.update(layer, gates[ids[:, t]], h, increments[ids[:, t]])
        states[:, :, t] = h.T
    last = ids[:, -1]
    update = numbers.updater(layer, gates[last], increments[last], h, time - last_change)
    for t in range(last_change, time):
        before, h = h, update(h)
        states[:, :, t] = h.T
        if (h == before).all() if h.dtype == object else h.tobytes() == before.tobytes():
            states[:, :, t:] = h.T[:, :, None]
            break
    return states
