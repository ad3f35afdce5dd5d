"""What the pieces of a layer's first mix add to its second, kept for each that was met.

The cases that a layer meets first are many, and most are made of parts that it has met: a bracket that closes, and the
bracket that it closes.  So the first mix is evaluated for the states with those features that it reads, the second for
what the first adds together with those features that are read later, and either is looked up after that.  The second is
a sum: what each piece adds, and what the features add.

Only whole numbers are added, and only where no sum of any numbers that were met could leave the range in which these
are exact.  Then a sum is the same in any order.
"""

from __future__ import annotations

import math
from typing import Callable, Hashable, Sequence

import numpy as np

from automata.errors import InputError
from constructions.growing import Growing, Numbered
from constructions.ssm.distinct_rows import grouped
from constructions.ssm.given import Given, Told, looked_up
from constructions.ssm.layers import Layer
from constructions.ssm.number_formats import Product, ScaledIntegers
from constructions.ssm.pieces import Piece, Pieces
from constructions.ssm.slots import AnyTrack

_GAIN = 16
"""How many times fewer rows of features the first mix has to read than there are."""
_CASES, _TABLES, _MOST_NUMBERS = 1 << 20, 2, 1 << 22
"""Of a table, how many of one kind are kept, and numbers that are kept of one piece."""
_TOGETHER = 1 << 16
"""Numbers that are given out together, so that they stay where they are quick to reach."""


class KeptPieces:
    """What a layer gives out, by the pieces of its first mix.

    Args:
        numbers: the number format.
        layer: which has several mixes.
        products: of these.
        pieces: into which the first is cut.
    """

    def __init__(self, numbers: ScaledIntegers, layer: Layer, products: Sequence[Product], pieces: Pieces):
        self._numbers, self._layer, self._products, self._pieces = numbers, layer, products, pieces
        self.forget()

    def forget(self) -> None:
        """Lets go of all."""
        self._rows, self._cut = 0, dict[Hashable, list[_Part]]()
        self._first = _Labels(self._pieces.read_first, self._numbers.dtype)
        self._later = _Labels(self._pieces.read_later, self._numbers.dtype)
        self._least = self._greatest = np.zeros(self._layer.inputs)
        self._added = Growing(np.float64, (self._layer.phi[1].affine.outputs,))

    def numbered(
        self, tracks: Sequence[AnyTrack], told: Sequence[Told], features: np.ndarray, ids: np.ndarray, given: Given
    ) -> np.ndarray | None:
        """The numbers of what the layer gives out at each position; None where pieces would not pay, or a sum might not
        be exact.

        Args:
            tracks: of the states; they cover every coordinate once.
            told: how each of them is told.
            features: rows that nobody can write to, the first of them those that were given before.
            ids: which of these is read at each position.
            given: has the numbers, of rows as they are added to it; forgotten when these are.
        """
        self._meet(features)
        if _GAIN * len(self._first.rows) > len(features):
            return None
        parts = self._parts(tracks)
        try:
            cases = [self._case(part, tracks, told, features, ids) for part in parts]
            found = self._second(parts, cases, self._later.numbers.rows.take(ids), given)
        except InputError:
            return None  # it is evaluated as ever, and refused if it has to be
        if any(part.full for part in parts):
            self.forget()
        return found

    def _meet(self, features: np.ndarray) -> None:
        """Looks at the rows of features that are new."""
        new = features[self._rows :]
        if not len(new):
            return
        self._rows = len(features)
        self._least, self._greatest = _wider(self._least, self._greatest, new)
        before = len(self._later.rows)
        self._first.meet(new)
        self._later.meet(new)
        product, met = self._products[1], self._later.full_rows(slice(before, None))
        weights = product.matrix[self._layer.phi[0].affine.outputs :]
        self._added.append(met.astype(np.float64) @ weights + product.bias * (1 << self._numbers.unit_bits))

    def _parts(self, tracks: Sequence[AnyTrack]) -> list["_Part"]:
        pieces = self._pieces.cut(tracks)
        key = tuple((piece.neurons.tobytes(), *piece.tracks) for piece in pieces)
        if key not in self._cut:
            self._cut = {key: [_Part(piece, self._products[1].matrix[piece.neurons]) for piece in pieces]}
            self._table = np.full((1,) * (1 + len(pieces)), -1, dtype=np.intp)
        return self._cut[key]

    def _case(
        self,
        part: "_Part",
        tracks: Sequence[AnyTrack],
        told: Sequence[Told],
        features: np.ndarray,
        ids: np.ndarray,
    ) -> np.ndarray:
        """The number of what a piece adds, at each position."""
        size = _power(len(self._first.rows))
        key: list[Hashable] = [size]
        numbers = self._first.numbers.rows.take(ids)
        for i in part.piece.tracks:
            numbers = numbers * told[i].base + (tracks[i].ids - np.intp(told[i].least))
            size *= told[i].base
            key.append(told[i][1:])

        def evaluate(positions: np.ndarray) -> np.ndarray:
            h = np.zeros((len(positions), self._layer.width), self._numbers.dtype)
            for i in part.piece.tracks:
                tracks[i].put(h, positions)
            # Column by column in memory, as they are looked through and multiplied.
            both = np.concatenate([np.asfortranarray(h), np.asfortranarray(features[ids[positions]])], axis=1)
            return part.numbered(self._numbers.mix(self._products[0], self._layer.phi[0], both)[:, part.piece.neurons])

        inputs = self._layer.width + self._layer.inputs
        return looked_up(part.table(tuple(key), size), numbers, _in_blocks(evaluate, inputs))

    def _second(
        self, parts: Sequence["_Part"], cases: Sequence[np.ndarray], later: np.ndarray, given: Given
    ) -> np.ndarray | None:
        """The numbers of what the layer gives out, by what the pieces add and the features that are read later."""
        shape = (*(_power(len(part.added)) for part in parts), _power(len(self._later.rows)))
        if math.prod(shape) > _CASES or any(part.full for part in parts) or not self._sums_exactly(parts):
            return None
        if self._table.shape != shape:
            table = np.full(shape, -1, dtype=np.intp)
            table[tuple(slice(size) for size in self._table.shape)] = self._table
            self._table = table
        numbers = np.ravel_multi_index((*cases, later), shape)

        def evaluate(positions: np.ndarray) -> np.ndarray:
            return self._made(parts, [case[positions] for case in cases], later[positions], given)

        def in_blocks(positions: np.ndarray) -> np.ndarray:
            given.reserve(len(positions))
            return _in_blocks(evaluate, self._layer.features)(positions)

        return looked_up(self._table.ravel(), numbers, in_blocks)

    def _made(
        self, parts: Sequence["_Part"], cases: Sequence[np.ndarray], later: np.ndarray, given: Given
    ) -> np.ndarray:
        """The numbers of what the layer makes of the sums of what is added."""
        raw = self._added.rows.take(later, axis=0)
        for part, case in zip(parts, cases):
            raw += part.added.rows.take(case, axis=0)
        (_, mix, *mixes), (_, _, *products) = self._layer.phi, self._products
        z = self._numbers.activated(mix, raw.astype(np.int64))
        for mix, product in zip(mixes, products):
            z = self._numbers.mix(product, mix, np.concatenate([z, self._later.full_rows(later)], axis=1))
        first, same = grouped(z)
        return given.numbered(z[first]).take(same)

    def _sums_exactly(self, parts: Sequence["_Part"]) -> bool:
        """Whether no sum of the second mix leaves the exact range, of any numbers that were met."""
        least, greatest = (np.zeros(self._layer.phi[0].affine.outputs) for _ in range(2))
        for part in parts:
            least[part.piece.neurons], greatest[part.piece.neurons] = part.least, part.greatest
        ends = np.concatenate([least, self._least]), np.concatenate([greatest, self._greatest])
        return self._products[1].within(self._numbers.limit, *ends, 1 << self._numbers.unit_bits) is None


class _Labels:
    """Rows of features by those that are read.

    Attributes:
        rows: what is read, each once.
        numbers: for each row of features the number of what is read of it.
    """

    def __init__(self, read: np.ndarray, dtype: np.dtype):
        self._read, self._columns = read, np.flatnonzero(read)
        self.rows, self.numbers = Numbered(len(self._columns), dtype), Growing(np.intp)

    def meet(self, features: np.ndarray) -> None:
        """Rows of features that are new."""
        read = np.ascontiguousarray(features[:, self._columns])
        first, same = grouped(read)
        self.numbers.append(self.rows.number(read[first]).take(same))

    def full_rows(self, numbers) -> np.ndarray:
        """Rows of features of which this is read, with 0 for those that are not."""
        read = self.rows.rows[numbers]
        full = np.zeros((len(read), len(self._read)), read.dtype)
        full[:, self._columns] = read
        return full


class _Part:
    """What is known of a piece.

    Attributes:
        added: what it adds to the second mix, each once.
        least, greatest: of each neuron, of all values that were met, and 0.
    """

    def __init__(self, piece: Piece, weights: np.ndarray):
        self.piece, self._weights = piece, weights
        self.added = Numbered(weights.shape[1], np.dtype(np.float64))
        self.least = self.greatest = np.zeros(len(weights))
        self._tables: dict[Hashable, np.ndarray] = {}

    @property
    def full(self) -> bool:
        """Whether it is too much to be kept."""
        return self.added.rows.size > _MOST_NUMBERS

    def table(self, key: Hashable, size: int) -> np.ndarray:
        """The number of what is added, by the states and the features that are read; -1 where it is not known."""
        if key not in self._tables:
            if len(self._tables) >= _TABLES:
                self._tables.clear()
            self._tables[key] = np.full(size, -1, dtype=np.intp)
        return self._tables[key]

    def numbered(self, neurons: np.ndarray) -> np.ndarray:
        """The numbers of what these values of the neurons add."""
        self.least, self.greatest = _wider(self.least, self.greatest, neurons)
        added = neurons.astype(np.float64) @ self._weights
        first, same = grouped(added)
        return self.added.number(added[first]).take(same)


def _in_blocks(evaluate: Callable[[np.ndarray], np.ndarray], width: int) -> Callable[[np.ndarray], np.ndarray]:
    """The same function of positions, called for few enough at once of rows that are so wide."""
    step = max(1, _TOGETHER // max(1, width))

    def in_blocks(positions: np.ndarray) -> np.ndarray:
        return np.concatenate([evaluate(positions[at : at + step]) for at in range(0, len(positions), step)])

    return in_blocks


def _power(count: int) -> int:
    """The least power of two that is not less."""
    return 1 << max(0, count - 1).bit_length()


def _wider(least: np.ndarray, greatest: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds that hold for these rows too, which are some."""
    return np.minimum(least, rows.min(axis=0)), np.maximum(greatest, rows.max(axis=0))
