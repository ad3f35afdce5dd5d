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
from typing import Union

import numpy as np

from automata.errors import InputError
from constructions.ssm.layers import Layer
from constructions.ssm.number_formats import NumberFormat, Rationals, ScaledIntegers, check_bound, largest_size

_PACKED_BITS = 32
_TABLE = 1 << 16
"""Rows are told apart by a table of all that there could be, where these are no more."""
_HASHED, _FACTOR = 10, np.uint64(0x9E3779B97F4A7C15)
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

    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest state of each coordinate."""
        return self.ids.min(keepdims=True), self.ids.max(keepdims=True)

    @property
    def combinations(self) -> int:
        """At most so many rows of states."""
        least, greatest = float(self.ids.min()), float(self.ids.max())
        return int(min(len(self.ids), greatest - least + 1)) if greatest - least < math.inf else len(self.ids)

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

    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest state of each coordinate."""
        return self.levels.min(axis=1), self.levels.max(axis=1)

    @property
    def combinations(self) -> int:
        """At most so many rows of states."""
        return self.levels.shape[1] ** len(self.coordinates)

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


def scan(
    numbers: NumberFormat, layer: Layer, gates: np.ndarray, increments: np.ndarray, ids: np.ndarray, h: np.ndarray
) -> list[Track]:
    """h_t for all t, as tracks that cover every coordinate once; O(batch * time) for each, times log(time) for packed
    ones.

    Args:
        gates, increments: raw, shape (rows, d): one row for each distinct row of features.
        ids: shape (batch, time): which row is read where.
        h: the states before, shape (batch, d).

    Raises:
        InputError: when a number could leave the range in which it is exact.
    """
    if ids.shape[1] == 1:
        new = numbers.update(layer, gates[ids[:, 0]], h, increments[ids[:, 0]])
        return [Column(i, column) for i, column in enumerate(np.ascontiguousarray(new.T))]
    remembered = _remembered(numbers, layer, gates, increments, ids, h)
    tracks: list[Column | Packed] = [*remembered]
    left = np.ones(layer.width, dtype=bool)
    for track in remembered:
        left[track.coordinates] = False
    rest = np.flatnonzero(left)
    binary = numbers.binary(layer, gates[:, rest])
    summed, looped = rest[binary], rest[~binary]
    if len(summed):
        added = numbers.added(layer, increments[:, summed])
        if _sums_exactly(numbers, added, h[:, summed], ids.shape[1]):
            for place, i in enumerate(summed.tolist()):
                sums = _sums(gates[:, i] == 0, added[:, place], ids, h[:, i])
                tracks.append(Column(i, numbers.wrapped(sums)))
        else:
            looped = rest
    if len(looped):
        columns = _loop(numbers, layer, gates[:, looped], increments[:, looped], ids, h[:, looped])
        tracks += [Column(i, column.ravel()) for i, column in zip(looped.tolist(), columns)]
    return tracks


# -- remembered -------------------------------------------------------------------------------------------


def _remembered(numbers: NumberFormat, layer: Layer, gates, increments, ids, h) -> list[Packed]:
    """The coordinates whose state is known from their last changes."""
    added = numbers.added(layer, increments)
    changes = (gates != numbers.one(layer)) | (added != 0)
    sets = gates == 0
    if h.dtype.kind == "f":
        # 0 * inf is not 0.
        sets &= np.isfinite(added) & np.isfinite(h).all(axis=0)
    only_set = (sets | ~changes).all(axis=0)
    # What keeps more than half of the state will not be forgotten at the next change.
    forgetful = ~only_set & (~changes | (2 * np.abs(gates) <= numbers.one(layer))).all(axis=0)
    tracks = _set_bits(np.flatnonzero(only_set), numbers.wrapped(added), changes, ids, h)
    for i in np.flatnonzero(forgetful).tolist():
        track = _changed(i, numbers, layer, gates[:, i], increments[:, i], changes[:, i], ids, h[:, i])
        if track is not None:
            tracks.append(track)
    return tracks


def _set_bits(
    chosen: np.ndarray, values: np.ndarray, changes: np.ndarray, ids: np.ndarray, h: np.ndarray
) -> list[Packed]:
    """The chosen coordinates, which every change sets, as far as they have no more than two states."""
    if not len(chosen):
        return []
    changes, h = changes[:, chosen], h[:, chosen]
    values = np.where(changes, values[:, chosen], h[0])
    least, greatest = np.minimum(values.min(axis=0), h.min(axis=0)), np.maximum(values.max(axis=0), h.max(axis=0))
    two = ((values == least) | (values == greatest)).all(axis=0) & ((h == least) | (h == greatest)).all(axis=0)
    ones, initial = changes & (values != least), h != least
    tracks = []
    places = np.flatnonzero(two)
    for first in range(0, len(places), _PACKED_BITS):
        some = places[first : first + _PACKED_BITS]
        sets, wanted = (_pack(bits[:, some]).take(ids.ravel()) for bits in (changes, ones))
        packed = _last_set(sets, wanted, _pack(initial[:, some]), ids.shape[1])
        tracks.append(Packed(chosen[some], packed, 1, np.stack([least[some], greatest[some]], axis=1)))
    return tracks


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


def _changed(i: int, numbers: NumberFormat, layer: Layer, gates, increments, changes, ids, h) -> Packed | None:
    """Coordinate ``i``, when its last two changes decide its state: when every pair of maps is constant on all states.

    All states are the initial ones, what one map makes of them, and what two make of them: two are constant, so there
    are no more.
    """
    rows = np.flatnonzero(changes)
    chosen, number = distinct([gates[rows], increments[rows]])
    initial = np.unique(h)
    if len(chosen) > _MOST_MAPS or len(initial) > _MOST_STATES:
        return None
    gate, increment = gates[rows[chosen], None], increments[rows[chosen], None]

    def after(states: np.ndarray) -> np.ndarray:
        return numbers.update(layer, gate, states, increment)

    try:
        once = after(initial)
        states = np.unique(np.concatenate([initial, once.ravel(), after(np.unique(once)).ravel()]))
        if len(states) > _MOST_STATES:
            return None
        twice = after(after(states).ravel()).reshape(len(chosen), len(chosen), len(states))
    except InputError:  # beyond the range, maybe on states that these words do not reach
        return None
    if not (twice == twice[:, :, :1]).all():
        return None
    # By the last two events: a change, by its number, or the beginning of a word, beyond these by the number of the
    # state that the word begins with.
    known, events = len(chosen), len(chosen) + len(initial)
    table = np.empty((events, events), dtype=np.uint8)
    table[:known, :known] = np.searchsorted(states, twice[:, :, 0].T)
    table[known:, :known] = np.searchsorted(states, once.T)
    table[:, known:] = np.searchsorted(states, initial)
    maps = np.zeros(len(gates), dtype=np.uint8)
    maps[rows] = number
    time, flat = ids.shape[1], ids.ravel()
    happens = changes.take(flat)
    begins = happens[::time].copy()
    happens[::time] = True
    at = np.flatnonzero(happens)
    always = len(at) == len(flat)
    now = maps.take(flat if always else flat.take(at))
    words = np.arange(len(ids)) * time if always else np.searchsorted(at, np.arange(len(ids)) * time)
    start = (known + np.searchsorted(initial, h)).astype(np.uint8)
    now[words] = np.where(begins, now[words], start)
    before = np.empty_like(now)
    before[1:] = now[:-1]
    before[words] = start
    reached = table.ravel().take(before * np.uint16(events) + now)
    return Packed(np.array([i]), reached if always else reached.repeat(_gaps(at, len(flat))), 8, states[None])


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


# -- distinct rows ----------------------------------------------------------------------------------------


def distinct(columns: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Positions of one representative for each distinct row, and for each row the number of its representative.

    Args:
        columns: the columns of the rows, equally long one-dimensional arrays.

    Returns:
        (representatives, ids): ``columns[c][representatives[ids[i]]] == columns[c][i]`` for every i and c.

    >>> representatives, ids = distinct([np.array([5, 7, 5]), np.array([1, 1, 1])])
    >>> len(representatives), bool(ids[0] == ids[2])
    (2, True)
    """
    (code, size), *others = map(_digits, columns)
    most = max(_TABLE, 4 * len(code))
    for digit, base in others:
        if size * base > most:
            # There may be far fewer values than their range says.
            code, size = _renumbered(code, size, most)
            if size * base > most:
                digit, base = _renumbered(digit, base, most)
        if base > 1:
            code = code * np.int64(base)
            code += digit
            size *= base
    code = code.astype(np.intp, copy=False)
    return _told_apart(code) if size > most else _listed(code, size)


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


def _digits(column: np.ndarray) -> tuple[np.ndarray, int]:
    """A column as integers 0..base-1, equal where the values are equal."""
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
