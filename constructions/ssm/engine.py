"""The exact engine: runs the weights of an SSM on batches of strings.

Nine facts make it fast, and none of them knows what the model was built for:

* a layer's gates, increments and mixes are position-wise, so they are evaluated once for each *distinct* row of
  features (and state) in a chunk, and looked up everywhere else;
* neurons that read no coordinate together are evaluated apart (:mod:`constructions.ssm.pieces`), so that counters side
  by side do not make a row of every position;
* where steps keep a state, set it, or add to it, the recurrence needs no loop over time
  (:mod:`constructions.ssm.recurrence`);
* other gates are looped over time, for the whole batch at once;
* first layers that have few states together are read by a table of their steps (:mod:`constructions.ssm.first_layers`);
* where a layer reads few of its bits at a time, those are told apart and no others (:mod:`constructions.ssm.windows`);
* where it keeps a stack, of which a step writes one slot and reads one, the slots are carried along and the bits are
  not (:mod:`constructions.ssm.slots`);
* what is made of a few rows alone, whatever the words are, is made once and kept (:mod:`constructions.ssm.kept`), and
  so is what a layer gives out in each case (:mod:`constructions.ssm.given`), case by case of parts that were met before
  (:mod:`constructions.ssm.kept_pieces`).

Strings are cut into chunks along time, so memory does not grow with their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Iterator, Sequence

import numpy as np

from automata.errors import InputError
from constructions.ssm.distinct_rows import Digits, distinct, grouped
from constructions.ssm.first_layers import ByTable
from constructions.ssm.given import Given, lasting
from constructions.ssm.kept import Kept
from constructions.ssm.kept_pieces import KeptPieces
from constructions.ssm.layers import Layer
from constructions.ssm.number_formats import Product, ScaledIntegers, numbers_for
from constructions.ssm.pieces import Pieces
from constructions.ssm.recurrence import Packed, Recurrence, Track
from constructions.ssm.relevance import relevant
from constructions.ssm.slots import AnyTrack, Slots, Slotted
from constructions.ssm.weights import SSM
from constructions.ssm.windows import Windowed, windows_of

_CHUNK_POSITIONS = 1 << 16
_MERGED_WIDTH, _MERGED_SIZE = 128, 1 << 13
"""Rows of fewer features are not searched for equal ones, unless they have more numbers and there is a layer below."""
_MASKED_BITS, _MASKED_SHARE = 6, 8
"""States of fewer bits, and chunks of fewer positions for each row of features, are not searched for bits that do not
matter.
"""
_TOGETHER = 1 << 17
"""Numbers that are mixed together, so that they stay where they are quick to reach."""
_LASTING, _NUMBERED = 1 << 12, 1 << 12
"""Positions of a chunk from which on what layers give out is kept for the next, and how many rows of it at most."""
_OUTPUTS = 64
"""Rows of outputs, of which fewer are not searched for equal ones."""


def ieee() -> np.errstate:
    """A float that overflows is infinite, and infinity less infinity is no number: values like others, no warnings."""
    return np.errstate(over="ignore", invalid="ignore")


_ieee = ieee()


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

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.bounded_dyck import bounded_dyck
    >>> from constructions.ssm.lowering import lower
    >>> engine = Engine(lower(bounded_dyck(2, 3), Arithmetic("exact")))
    >>> state, first = engine.begin(1)
    >>> state, outputs = engine.advance(state, engine.encode(["(a", "(b", "b)"]))
    >>> state.tolist()
    [[1, 0, 1, 0]]
    >>> [engine.names(row) for row in outputs.dense()[0]][-1] == {"(a", "a)", "(b"}
    True
    """

    @_ieee
    def __init__(self, ssm: SSM):
        ssm.check_numbers()
        self.ssm = ssm
        self.numbers = numbers_for(ssm)
        self.embedding = lasting(self.numbers.stored(ssm.embedding, ssm.embedding_exponent))
        self._gates = [Product(layer.gate) for layer in ssm.layers]
        self._increments = [Product(layer.increment) for layer in ssm.layers]
        self._mixes = [[Product(mix.affine) for mix in layer.phi] for layer in ssm.layers]
        self._pieces = [Pieces(self.numbers, layer, products) for layer, products in zip(ssm.layers, self._mixes)]
        self._readout = Product(ssm.readout)
        layers = range(len(ssm.layers))
        self._recurrences = [Kept(partial(self._recurrence, number)) for number in layers]
        self._mixed = [Kept(partial(self._mixed_from, number, 0)) for number in layers]
        self._mixed_later = [Kept(partial(self._mixed_from, number, 1)) for number in layers]
        self._lasting = [Given(layer.phi[-1].affine.outputs, self.numbers.dtype) for layer in ssm.layers]
        self._relevant = [Kept(partial(self._matters, layer)) for layer in ssm.layers]
        self._windows = [Kept(windows_of) for _ in ssm.layers]
        self._slots = [
            Slots(partial(self._recurrence, number), partial(relevant, layer, self.numbers))
            for number, layer in enumerate(ssm.layers)
        ]
        self._kept_pieces = [
            KeptPieces(self.numbers, layer, products, pieces)
            if pieces.possible and isinstance(self.numbers, ScaledIntegers)
            else None
            for layer, products, pieces in zip(ssm.layers, self._mixes, self._pieces)
        ]
        self._read = Kept(self._read_rows)
        ends = np.cumsum([layer.width for layer in ssm.layers])
        self._by_table = ByTable(
            ssm.layers, lambda count: partial(self._step_of, count), lambda: self._after_bos[0], len(ssm.alphabet)
        )
        self.spans = [slice(int(end) - layer.width, int(end)) for layer, end in zip(ssm.layers, ends)]

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

    @_ieee
    def start(self, batch: int) -> np.ndarray:
        """h_0 of all layers for a batch, before BOS."""
        parts = [
            self.numbers.wrapped(self.numbers.stored(layer.initial, layer.initial_exponent))
            for layer in self.ssm.layers
        ]
        return np.tile(np.concatenate(parts), (batch, 1))

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """State and outputs after BOS."""
        state, outputs = self._after_bos
        return np.tile(state, (batch, 1)), Outputs(outputs.table, np.tile(outputs.ids, (batch, 1)))

    @cached_property
    def _after_bos(self) -> tuple[np.ndarray, Outputs]:
        """State and outputs of one word."""
        return self.advance(self.start(1), np.full((1, 1), len(self.ssm.alphabet), dtype=np.int64))

    @_ieee
    def advance(self, state: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """Reads words of symbol indices, shape (batch, time), all at once.

        Returns:
            The state after the last symbol, and the outputs after each symbol.  O(batch * time * hidden size) and
            as much memory: :meth:`stream` cuts long words into chunks.

        Raises:
            InputError: when a number could leave the range in which it is exact.
        """
        batch, time = words.shape
        if not words.size:
            return state, Outputs(np.zeros((0, len(self.outputs)), dtype=bool), np.zeros((batch, time), dtype=np.int64))
        features: np.ndarray = self.embedding
        ids: np.ndarray = words.ravel()
        if len(ids) < len(features):
            features, ids = features[ids], np.arange(len(ids))
        new_state, first = np.empty_like(state), 0
        if (found := self._by_table.run(state, words)) is not None:
            first, features = self._by_table.layers, self._by_table.features
            new_state[:, : self._by_table.width], ids = found[0], found[1]
            if first < len(self.ssm.layers):
                # Under the numbers that they have where the layers are run.
                ids = self._lasting[first - 1].numbered(features).take(ids)
                features = self._lasting[first - 1].features
        for number in range(first, len(self.ssm.layers)):
            features, ids = self._layer(number, features, ids.reshape(batch, time), state, new_state)
        table, same = self._read(features)
        return new_state, Outputs(table, (ids if same is None else same.take(ids)).reshape(batch, time))

    def _read_rows(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """The outputs that these rows give; without repetitions where there are many that last, with the place of each
        row among them.
        """
        table = self.read_out(features)
        if features.flags.writeable or len(table) <= _OUTPUTS:
            return table, None
        _, first, same = np.unique(np.packbits(table, axis=1), axis=0, return_index=True, return_inverse=True)
        return table[first], same.ravel()

    def _layer(
        self, number: int, features: np.ndarray, ids: np.ndarray, state: np.ndarray, new_state: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Runs one layer, whose states it writes into the new ones: rows of what it gives out, and which of them stands
        at each position.
        """
        layer, span, time, flat = self.ssm.layers[number], self.spans[number], ids.shape[1], ids.ravel()
        if (slotted := self._slotted(number, features, ids, state[:, span])) is not None:
            slotted.put_after(new_state[:, span])
            return self._given(number, layer, [slotted], features, flat)
        tracks = self._scan(number, layer, features, ids, state[:, span])
        for track in tracks:
            track.put(new_state[:, span], slice(time - 1, None, time))
        return self._given(number, layer, self._masked(number, layer, tracks, features, flat), features, flat)

    def _slotted(self, number: int, features: np.ndarray, ids: np.ndarray, h: np.ndarray) -> Slotted | None:
        """What is read of the slots of a layer; None where it has none, or they would not pay."""
        few = _MASKED_SHARE * len(features) > ids.size
        if few or features.flags.writeable or self.numbers.dtype == object:
            return None
        return self._slots[number].read(features, ids, h)

    def _step_of(self, layers: int, state: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One step of the first layers alone: their states after it, and what they give out."""
        after, features, ids = np.empty_like(state), self.embedding, symbols
        for number in range(layers):
            features, ids = self._layer(number, features, ids[:, None], state, after)
        return after, features[ids]

    def _given(
        self, number: int, layer: Layer, tracks: Sequence[AnyTrack], features: np.ndarray, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows of what a layer gives out, and which of them stands at each position."""
        if features.flags.writeable or len(ids) < _LASTING or self.numbers.dtype == object:
            return self._given_here(number, layer, tracks, features, ids)
        known = self._lasting[number]
        if known.full:
            self._forget_from(number)
        if (cases := known.cases(tracks, len(features), ids)) is not None:

            def evaluate(positions: np.ndarray) -> np.ndarray:
                some = [track.at(positions) for track in tracks]
                if (kept := self._kept_pieces[number]) is not None:
                    numbers = kept.numbered(some, cases.told, features, ids[positions], known)
                    if numbers is not None:
                        return numbers
                given, where = self._given_here(number, layer, some, features, ids[positions])
                return known.numbered(given).take(where)

            found = known.look(cases, evaluate)
            return known.features, found
        given, where = self._given_here(number, layer, tracks, features, ids)
        if len(given) > _NUMBERED:
            return given, where
        numbers = known.numbered(given)
        return known.features, numbers.take(where)

    def _forget_from(self, number: int) -> None:
        """Forgets what a layer gave out, and all that the numbers of these rows mean something to."""
        for given in self._lasting[number:]:
            given.forget()
        for kept in self._kept_pieces[number:]:
            if kept is not None:
                kept.forget()
        for slots in self._slots[number + 1 :]:
            slots.forget()

    def _given_here(
        self, number: int, layer: Layer, tracks: Sequence[AnyTrack], features: np.ndarray, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`_given`, of these positions alone."""
        if (found := self._pieces[number].mix(tracks, features, ids)) is not None:
            z, x, where = found
            given, same = self._mixed_later[number](z, x)
        else:
            rows, where = distinct([*(track.column for track in tracks), Digits(ids, len(features))])
            given, same = self._mixed[number](*self._rows_at(layer, tracks, features, ids, rows))
        return given, where if same is None else same.take(where)

    def _rows_at(
        self, layer: Layer, tracks: Sequence[AnyTrack], features: np.ndarray, ids: np.ndarray, positions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The states of a layer at these positions, and the features that it reads there."""
        h = np.empty((len(positions), layer.width), self.numbers.dtype)
        for track in tracks:
            track.put(h, positions)
        return h, features[ids[positions]]

    def _mixed_from(
        self, number: int, first: int, z: np.ndarray, x: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """What the mixes of a layer from this one on make of rows and rows of features; without repetitions, where that
        pays, with the place of each.
        """
        mixes = list(zip(self.ssm.layers[number].phi, self._mixes[number]))[first:]
        given, step = [], max(1, _TOGETHER // max(1, z.shape[1] + x.shape[1]))
        for begin in range(0, max(1, len(z)), step):
            part, beside = z[begin : begin + step], np.asfortranarray(x[begin : begin + step])
            for mix, product in mixes:
                # Column by column in memory, as they are looked through and multiplied.
                part = self.numbers.mix(product, mix, np.concatenate([np.asfortranarray(part), beside], axis=1))
            given.append(part)
        return _merged(np.ascontiguousarray(np.concatenate(given)), number + 1 == len(self.ssm.layers))

    def read_out(self, features: np.ndarray) -> np.ndarray:
        """The outputs, as booleans, that these rows of the last layer's features give."""
        return self.numbers.positive(self.numbers.affine(self._readout, self.ssm.readout, features))

    def products_of(self, layer: int) -> tuple[Product, Product, list[Product]]:
        """The products of a layer: its gates, its increments, and its mixes."""
        return self._gates[layer], self._increments[layer], self._mixes[layer]

    def _scan(self, number: int, layer: Layer, features: np.ndarray, ids: np.ndarray, h: np.ndarray) -> list[Track]:
        """h_t for all t; ``features`` are the distinct rows, ``ids`` (batch, time) says which row is read where."""
        if not layer.width:
            return []
        if ids.shape[1] > 1 and (h == h[:1]).all():
            return self._recurrences[number](features, h[:1]).run(ids, h)
        return self._recurrence(number, features, h).run(ids, h)

    def _recurrence(self, number: int, features: np.ndarray, starts: np.ndarray) -> Recurrence:
        layer = self.ssm.layers[number]
        gates = self.numbers.gates(layer, self.numbers.affine(self._gates[number], layer.gate, features))
        increments = self.numbers.affine(self._increments[number], layer.increment, features)
        return Recurrence(self.numbers, layer, gates, increments, starts)

    def _matters(self, layer: Layer, features: np.ndarray, least: np.ndarray, greatest: np.ndarray) -> np.ndarray:
        return lasting(relevant(layer, self.numbers, features, least, greatest))

    def _masked(
        self, number: int, layer: Layer, tracks: list[Track], features: np.ndarray, ids: np.ndarray
    ) -> Sequence[AnyTrack]:
        """The tracks with bits that do not matter at a position put to their lower state, so that fewer rows differ."""
        bits = {id(track): track for track in tracks if isinstance(track, Packed) and track.bits == 1}
        if sum(len(track.coordinates) for track in bits.values()) < _MASKED_BITS:
            return tracks
        if _MASKED_SHARE * len(features) > len(ids):
            return tracks
        least, greatest = np.zeros(layer.width, self.numbers.dtype), np.zeros(layer.width, self.numbers.dtype)
        for track in tracks:
            least[track.coordinates], greatest[track.coordinates] = track.reach
        matters = self._relevant[number](features, least, greatest)
        if matters.all():
            return tracks
        windows = self._windows[number](matters, *(track.coordinates for track in bits.values()))
        if windows is not None:
            others = [track for track in tracks if id(track) not in bits]
            return [*others, Windowed(list(bits.values()), windows, (least.tobytes(), greatest.tobytes()), ids)]
        return [bits[id(track)].masked(matters, ids) if id(track) in bits else track for track in tracks]

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


def _merged(rows: np.ndarray, last: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """The rows without repetitions, and the place of each among them; the rows as they are where that would not pay.

    What a layer gives out often forgets most of its state, and every row that is left over costs in each layer below.
    """
    if rows.dtype == object or (rows.shape[1] < _MERGED_WIDTH and (last or rows.size <= _MERGED_SIZE)):
        return rows, None
    first, number = grouped(rows)
    if 2 * len(first) > len(rows):
        return rows, None
    return rows[first], number
