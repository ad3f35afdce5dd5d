"""The exact engine: runs the weights of an SSM on batches of strings.

Three facts make it fast, and none of them knows what the model was built for:

* a layer's gates, increments and mixes are position-wise, so they are evaluated once for each *distinct* row of
  features (and state) in a chunk, and looked up everywhere else;
* with gates 0 and 1 the recurrence is a sum since the last reset, which needs no loop over time;
* other gates are looped over time, for the whole batch at once.

Strings are cut into chunks along time, so memory does not grow with their length.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Iterator

import numpy as np

from automata.errors import InputError
from constructions.number_formats import Product, ScaledIntegers, check_bound, numbers_for
from constructions.ssm import SSM, Layer

_CHUNK_POSITIONS = 1 << 16
_MERGED_WIDTH = 128
"""Rows of fewer features are not searched for equal ones."""


@dataclass(frozen=True)
class Outputs:
    """What the model gives out at each position.

    Attributes:
        table: booleans, shape (distinct, o): sets of outputs.
        ids: shape (batch, time): which row of the table holds at each position.
    """

    table: np.ndarray
    ids: np.ndarray

    def dense(self) -> np.ndarray:
        """Booleans of shape (batch, time, o)."""
        return self.table[self.ids]


class Engine:
    """Runs one model.

    A state is an array of shape (batch, hidden size): all h, first layer first, in the number format of the
    model's arithmetic (integers times 2^p in ``fixed:p``).

    >>> from constructions.arithmetic import Arithmetic
    >>> from constructions.bounded_dyck import bounded_dyck
    >>> from constructions.lowering import lower
    >>> engine = Engine(lower(bounded_dyck(2, 3), Arithmetic("exact")))
    >>> state, first = engine.begin(1)
    >>> state, outputs = engine.advance(state, engine.encode(["(a", "(b", "b)"]))
    >>> state.tolist()
    [[1, 0, 1, 0]]
    >>> [engine.names(row) for row in outputs.dense()[0]][-1] == {"(a", "a)", "(b"}
    True
    """

    def __init__(self, ssm: SSM):
        self.ssm = ssm
        self.numbers = numbers_for(ssm)
        self._embedding = self.numbers.stored(ssm.embedding, ssm.embedding_exponent)
        self._gates = [Product(layer.gate) for layer in ssm.layers]
        self._increments = [Product(layer.increment) for layer in ssm.layers]
        self._mixes = [[Product(mix.affine) for mix in layer.phi] for layer in ssm.layers]
        self._readout = Product(ssm.readout)
        ends = np.cumsum([layer.width for layer in ssm.layers])
        self._spans = [slice(int(end) - layer.width, int(end)) for layer, end in zip(ssm.layers, ends)]

    @property
    def alphabet(self) -> tuple[str, ...]:
        return self.ssm.alphabet

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.ssm.outputs

    @property
    def arithmetic(self) -> str:
        return str(self.ssm.arithmetic)

    # -- strings --------------------------------------------------------------------------------------

    def encode(self, word) -> np.ndarray:
        """Symbol indices of one word, shape (1, length)."""
        index = self.ssm.symbol_index
        for position, symbol in enumerate(word):
            if symbol not in index:
                raise InputError(f"symbol {symbol!r} at position {position} is not in the model's alphabet")
        return np.array([[index[symbol] for symbol in word]], dtype=np.int64)

    def names(self, row: np.ndarray) -> frozenset[str]:
        """The outputs that a row of booleans names."""
        return frozenset(self.ssm.outputs[i] for i in np.flatnonzero(row))

    # -- runs -----------------------------------------------------------------------------------------

    def start(self, batch: int) -> np.ndarray:
        """h_0 of all layers for a batch, before BOS."""
        parts = [self.numbers.wrapped(self.numbers.stored(layer.initial, layer.initial_exponent)) for layer in self.ssm.layers]
        return np.tile(np.concatenate(parts), (batch, 1))

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """State and outputs after BOS."""
        bos = np.full((batch, 1), len(self.ssm.alphabet), dtype=np.int64)
        return self.advance(self.start(batch), bos)

    def advance(self, state: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """Reads words of symbol indices, shape (batch, time), all at once.

        Returns:
            The state after the last symbol, and the outputs after each symbol.  O(batch * time * hidden size) and
            as much memory: :meth:`stream` cuts long words into chunks.

        Raises:
            InputError: when a number could leave the range in which it is exact.
        """
        batch, time = words.shape
        features, ids = self._embedding, words.ravel()
        if len(ids) < len(features):
            features, ids = features[ids], np.arange(len(ids))
        new_state = np.empty_like(state)
        for number, layer in enumerate(self.ssm.layers):
            span = self._spans[number]
            columns = self._scan(number, layer, features, ids.reshape(batch, time), state[:, span])
            for i, column in enumerate(columns):
                new_state[:, span.start + i] = column[time - 1 :: time]
            rows, where = distinct([*columns, ids])
            h = np.empty((len(rows), layer.width), self.numbers.dtype)
            for i, column in enumerate(columns):
                h[:, i] = column[rows]
            x = features[ids[rows]]
            z = h
            for mix, product in zip(layer.phi, self._mixes[number]):
                z = self.numbers.mix(product, mix, np.concatenate([z, x], axis=1))
            features, ids = _merged(z, where)
        table = self.numbers.positive(self.numbers.affine(self._readout, self.ssm.readout, features))
        return new_state, Outputs(table, ids.reshape(batch, time))

    def stream(self, words: np.ndarray, state: np.ndarray | None = None) -> Iterator[tuple[int, np.ndarray, Outputs]]:
        """Reads words in chunks of time; yields (first position, state after the chunk, outputs in the chunk).

        Memory is that of one chunk, about 2^16 positions, whatever the length.
        """
        if state is None:
            state, _ = self.begin(len(words))
        step = max(1, _CHUNK_POSITIONS // max(1, len(words)))
        for first in range(0, words.shape[1], step):
            state, outputs = self.advance(state, words[:, first : first + step])
            yield first, state, outputs

    # -- the recurrence -------------------------------------------------------------------------------

    def _scan(self, number: int, layer: Layer, features: np.ndarray, ids: np.ndarray, h: np.ndarray) -> list[np.ndarray]:
        """h_t for all t: one array per coordinate, of shape (batch * time,), word after word.

        ``features`` are the distinct rows, ``ids`` (batch, time) says which row is read where.
        """
        if not layer.width:
            return []
        numbers = self.numbers
        gates = numbers.gates(layer, numbers.affine(self._gates[number], layer.gate, features))
        increments = numbers.affine(self._increments[number], layer.increment, features)
        if ids.shape[1] == 1:
            new = numbers.update(layer, gates[ids[:, 0]], h, increments[ids[:, 0]])
            return list(np.ascontiguousarray(new.T))
        binary = numbers.binary(layer, gates)
        if binary.any() and not self._sums_exactly(layer, increments[:, binary], h[:, binary], ids.shape[1]):
            binary[:] = False
        columns: list[np.ndarray | None] = [None] * layer.width
        if binary.any():
            added = numbers.added(layer, increments)
            segments: dict[bytes, _Segments] = {}
            for i in np.flatnonzero(binary).tolist():
                resets = gates[:, i] == 0
                # Registers of several bits share their resets.
                key = resets.tobytes()
                if key not in segments:
                    segments[key] = _Segments(resets, ids)
                columns[i] = numbers.wrapped(segments[key].sums(added[:, i], h[:, i]))
        if not binary.all():
            rest = np.flatnonzero(~binary)
            looped = self._loop(layer, gates[:, rest], increments[:, rest], ids, h[:, rest])
            for place, i in enumerate(rest.tolist()):
                columns[i] = looped[place].ravel()
        return columns

    def _sums_exactly(self, layer: Layer, increments: np.ndarray, h: np.ndarray, time: int) -> bool:
        """Whether sums over the chunk stay exact; integers that do not are an error, floats are looped instead."""
        numbers = self.numbers
        added = numbers.added(layer, increments)
        bound = float(np.abs(h).max(initial=0)) + time * float(np.abs(added).max(initial=0))
        if isinstance(numbers, ScaledIntegers):
            check_bound(bound, numbers.limit, numbers.arithmetic)
            return True
        return bound < numbers.limit and bool((added == np.rint(added)).all() and (h == np.rint(h)).all())

    def _loop(self, layer: Layer, gates, increments, ids, h) -> np.ndarray:
        """Any gates: one step after the other, shape (coordinates, batch, time).

        Once the rest of the chunk has the same gates and increments, a state that repeats repeats for ever.
        """
        time = ids.shape[1]
        states = np.empty((h.shape[1], *ids.shape), dtype=self.numbers.dtype)
        rows, same = distinct([*gates.T, *increments.T])
        gates, increments, ids = gates[rows], increments[rows], same[ids]
        changes = np.flatnonzero((ids[:, 1:] != ids[:, :-1]).any(axis=0))
        last_change = int(changes[-1]) + 1 if len(changes) else 0
        for t in range(last_change):
            h = self.numbers.update(layer, gates[ids[:, t]], h, increments[ids[:, t]])
            states[:, :, t] = h.T
        last = ids[:, -1]
        update = self.numbers.updater(layer, gates[last], increments[last], h, time - last_change)
        for t in range(last_change, time):
            before, h = h, update(h)
            states[:, :, t] = h.T
            if (h == before).all() if h.dtype == object else h.tobytes() == before.tobytes():
                states[:, :, t:] = h.T[:, :, None]
                break
        return states


class _Segments:
    """The stretches between resets of one coordinate with gates 0 and 1, over words laid end to end.

    A stretch starts at each reset and at the start of each word.
    """

    def __init__(self, resets: np.ndarray, ids: np.ndarray):
        batch, time = ids.shape
        self.ids, self.resets = ids.ravel(), resets
        starts = resets.take(self.ids)
        starts[::time] = True
        self.first = np.flatnonzero(starts)
        self.first_ids = self.ids.take(self.first)
        self.lengths = np.empty_like(self.first)
        np.subtract(self.first[1:], self.first[:-1], out=self.lengths[:-1])
        self.lengths[-1] = len(self.ids) - self.first[-1]
        # The words that begin without a reset carry their state on.
        begins = np.searchsorted(self.first, np.arange(batch) * time)
        self.words = np.flatnonzero(~resets[self.first_ids[begins]])
        self.begins = begins[self.words]

    def sums(self, added: np.ndarray, h: np.ndarray) -> np.ndarray:
        """What was added since (and at) the last reset, or to ``h`` (one per word) where there was none yet."""
        if not added[~self.resets].any():
            added, h = _narrow(added, h)
            value = added.take(self.first_ids)
            value[self.begins] += h[self.words]
            return value.repeat(self.lengths)
        sums = added.astype(np.int64).take(self.ids).cumsum()
        offset = added.astype(np.int64).take(self.first_ids) - sums.take(self.first)
        offset[self.begins] += h[self.words].astype(np.int64)
        sums += offset.repeat(self.lengths)
        return sums.astype(added.dtype, copy=False)


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
    digits, bases = zip(*map(_digits, columns))
    code, size = digits[0].astype(np.int32 if math.prod(bases) < 1 << 31 else np.int64), bases[0]
    for digit, base in zip(digits[1:], bases[1:]):
        if size * base >= 1 << 62:
            values, code = np.unique(code, return_inverse=True)
            size = len(values)
        if base > 1:
            code *= base
            np.add(code, digit, out=code, casting="same_kind")
            size *= base
    code = code.astype(np.intp, copy=False)
    if size > max(1 << 16, 4 * len(code)):
        _, representatives, ids = np.unique(code, return_index=True, return_inverse=True)
        return representatives, ids
    place = np.full(size, -1, dtype=np.int64)
    place[code] = np.arange(len(code))
    present = np.flatnonzero(place >= 0)
    number = np.empty(size, dtype=np.int64)
    number[present] = np.arange(len(present))
    return place[present], number.take(code)


def _narrow(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same integers in a byte each, where they (and sums of two of them) fit: bytes are quicker to repeat."""
    small = all(array.dtype == np.int64 and np.abs(array).max(initial=0) < 64 for array in arrays)
    return tuple(array.astype(np.int8) for array in arrays) if small else arrays


def _merged(rows: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows without repetitions, and ``ids`` renumbered to them; both as they are where that would not pay.

    What a layer gives out often forgets most of its state, and every row that is left over costs in each layer below.
    """
    if rows.dtype == object or rows.shape[1] < _MERGED_WIDTH:
        return rows, ids
    sums = rows.astype(np.float64) @ np.random.default_rng(0).random(rows.shape[1])
    _, first, number = np.unique(sums, return_index=True, return_inverse=True)
    # Rows with the same weighted sum are taken for the same only when they are.
    if 2 * len(first) > len(rows) or not np.array_equal(rows[first][number], rows):
        return rows, ids
    return rows[first], number[ids]


def _digits(column: np.ndarray) -> tuple[np.ndarray, int]:
    """A column as integers 0..base-1, equal where the values are equal."""
    if column.dtype == object:
        number: dict = {}
        digits = np.array([number.setdefault(value, len(number)) for value in column], dtype=np.int64)
        return digits, max(1, len(number))
    if column.dtype.kind != "i":
        quarters = column.astype(np.float64) * 4
        if not (np.abs(quarters) < 2**62).all() or not (quarters == np.rint(quarters)).all():
            values, digits = np.unique(column, return_inverse=True)
            return digits, len(values)
        column = quarters.astype(np.int64)
    least, greatest = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    if greatest - least >= 1 << 32:
        values, digits = np.unique(column, return_inverse=True)
        return digits, len(values)
    # Subtracting in the column's own narrow type could overflow.
    return column - np.int64(least) if least else column, greatest - least + 1
