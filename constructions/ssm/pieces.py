"""The first mix of a layer, by pieces of the state that no neuron reads together.

Counters that run side by side have as many rows of values as there are positions, and all but a few differ in nothing
that is asked of them.  So the neurons are cut into *pieces*, such that no two pieces read the same coordinates, and
each piece is evaluated once for each row of values that it reads.  What matters of a piece is only what it adds to the
arguments of the second mix: two rows that add the same whole numbers are one.  Whether a counter is 0, which is all
that the paper's constructions ask of it, is two cases and not hundreds.

Nothing here knows what the model was built for, and nothing rounds: where a sum could, the layer is evaluated as ever.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Sequence

import numpy as np

from automata.errors import InputError
from constructions.ssm.distinct_rows import Digits, distinct
from constructions.ssm.kept import Kept
from constructions.ssm.layers import Layer
from constructions.ssm.number_formats import NumberFormat, Product, Rationals
from constructions.ssm.recurrence import Column
from constructions.ssm.slots import AnyTrack

_COMBINATIONS = 1 << 12
"""Layers whose coordinates and features have fewer combinations than this are evaluated on these."""
_VALUES = 1 << 13
"""A piece that reads a single coordinate is evaluated on all values between the least and the greatest, with all rows
of features, where these are no more.
"""
_GAIN = 16
"""A single piece is evaluated apart where it reads so many times fewer rows of features than there are."""


class Pieces:
    """The neurons of the first mix of a layer, by what they read.

    Attributes:
        possible: whether there is a second mix, of which what a piece adds is a part.
        read_first, read_later: booleans, which features the first mix reads, and which those after it.
    """

    def __init__(self, numbers: NumberFormat, layer: Layer, products: Sequence[Product]):
        self._numbers, self._layer, self._products = numbers, layer, products
        self.possible = len(layer.phi) > 1 and layer.phi[0].affine.outputs > 0
        # What a piece adds is made by a part of the second matrix.
        self.possible = self.possible and isinstance(products[1].matrix, np.ndarray)
        if self.possible:
            reads = layer.phi[0].affine.matrix.toarray() != 0
            self._state, self._features = reads[:, : layer.width], reads[:, layer.width :]
            self.read_first, self.read_later = self._features.any(axis=0), _features_read(layer)
        self._cuts: dict[bytes, list[Piece]] = {}
        self._labels, self._on_values = Kept(_labels), Kept(self._evaluated_on_values)
        self._ends = Kept(_to_be_shown)

    def mix(
        self, tracks: Sequence[AnyTrack], features: np.ndarray, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The first mix along a chunk.

        Args:
            tracks: of the states after each step; they cover every coordinate once.
            features: the distinct rows that are read.
            ids: which of these is read at each position.

        Returns:
            Rows of the neurons, rows of features, and which of these pairs stands at each position for all that the
            next mixes make of it; None where pieces would not pay, or a sum might round.
        """
        if not self.possible or isinstance(self._numbers, Rationals):
            return None
        if math.prod((track.combinations for track in tracks), start=len(features)) < _COMBINATIONS:
            return None
        pieces = self.cut(tracks)
        if len(pieces) == 1 and self._features.any():
            if _GAIN * self._labels(features, self.read_first).base > len(features):
                return None
        found, places = zip(*(self._evaluated(piece, tracks, features, ids) for piece in pieces))
        columns = self._columns(pieces, [values.shown for values in found], features)
        if not self._numbers.sums_exactly(self._products[1], self._layer.phi[1].affine, columns):
            return None
        cases = [Digits(values.case.take(place), len(values.kept)) for values, place in zip(found, places)]
        label = self._labels(features, self.read_later)
        first, where = distinct([*cases, Digits(label.numbers.take(ids), label.base)])
        z = np.empty((len(first), self._layer.phi[0].affine.outputs), self._numbers.dtype)
        for piece, values, case in zip(pieces, found, cases):
            z[:, piece.neurons] = values.rows[values.kept[case.numbers[first]]]
        return z, features[ids[first]], where

    def cut(self, tracks: Sequence[AnyTrack]) -> list["Piece"]:
        """The pieces, no two of which read the same of these tracks."""
        owner = np.zeros(self._layer.width, dtype=np.intp)
        for number, track in enumerate(tracks):
            owner[track.coordinates] = number
        key = owner.tobytes()
        if key not in self._cuts:
            self._cuts[key] = _components([frozenset(owner[row].tolist()) for row in self._state])
        return self._cuts[key]

    def _evaluated(
        self, piece: "Piece", tracks: Sequence[AnyTrack], features: np.ndarray, ids: np.ndarray
    ) -> tuple["_Values", np.ndarray]:
        """The neurons of a piece on all that they read, and which of these rows stands at each position."""
        label = self._labels(features, self._features[piece.neurons].any(axis=0))
        only = tracks[piece.tracks[0]] if len(piece.tracks) == 1 else None
        if isinstance(only, Column) and (ends := _ends(only, _VALUES // label.base)) is not None:
            try:
                found = self._on_values(piece.neurons, only.coordinates, ends, features, label.numbers)
            except InputError:
                pass  # maybe only on values that do not occur
            else:
                least, greatest = ends.tolist()
                place = (label.numbers * (greatest - least + 1) - least).take(ids)
                place += only.ids
                return found, place
        first, where = distinct(
            [*(tracks[i].column for i in piece.tracks), Digits(label.numbers.take(ids), label.base)]
        )
        h = np.zeros((len(first), self._layer.width), self._numbers.dtype)
        for i in piece.tracks:
            tracks[i].put(h, first)
        return self._values(piece.neurons, h, features[ids[first]]), where

    def _evaluated_on_values(
        self, neurons: np.ndarray, coordinate: np.ndarray, ends: np.ndarray, features: np.ndarray, labels: np.ndarray
    ) -> "_Values":
        """Neurons that read one coordinate: for each label of features on all values between the ends."""
        _, shown = np.unique(labels, return_index=True)
        values = np.arange(ends[0], ends[1] + 1)
        h = np.zeros((len(shown), len(values), self._layer.width), self._numbers.dtype)
        h[:, :, coordinate] = values[:, None]
        return self._values(neurons, h.reshape(-1, self._layer.width), features[shown].repeat(len(values), axis=0))

    def _values(self, neurons: np.ndarray, h: np.ndarray, x: np.ndarray) -> "_Values":
        mix = self._layer.phi[0]
        # Column by column in memory, as they are looked through and multiplied.
        both = np.concatenate([np.asfortranarray(h), np.asfortranarray(x)], axis=1)
        rows = self._numbers.mix(self._products[0], mix, both)[:, neurons]
        shown = _to_be_shown(rows)
        weights = self._products[1].matrix[neurons]
        added = rows.astype(np.float64) @ weights[:, weights.any(axis=0)]
        if not added.shape[1]:
            return _Values(rows, shown, np.zeros(1, dtype=np.intp), np.zeros(len(rows), dtype=np.intp))
        return _Values(rows, shown, *distinct(list(added.T)))

    def _columns(
        self, pieces: Sequence["Piece"], shown: Sequence[np.ndarray], features: np.ndarray
    ) -> list[np.ndarray]:
        """All values that each input of the second mix has, or the extremes of them."""
        columns: list[np.ndarray] = [features.ravel()[:0]] * self._layer.phi[0].affine.outputs
        for piece, part in zip(pieces, shown):
            for neuron, column in zip(piece.neurons.tolist(), part.T):
                columns[neuron] = column
        return columns + list(self._ends(features).T)


@dataclass(frozen=True)
class Piece:
    """Neurons, and the places of the tracks that they read."""

    tracks: list[int]
    neurons: np.ndarray


@dataclass(frozen=True)
class _Values:
    """The neurons of a piece.

    Attributes:
        rows: on all that they read.
        shown: rows with the values that have to be looked at, to say that no sum of them rounds.
        kept: one row for each case of what they add to the second mix.
        case: of each row.
    """

    rows: np.ndarray
    shown: np.ndarray
    kept: np.ndarray
    case: np.ndarray


def _to_be_shown(rows: np.ndarray) -> np.ndarray:
    """Rows with the values that have to be looked at: among integers the least and the greatest say what sums of all
    could be.
    """
    return rows if rows.dtype.kind == "f" else np.stack([rows.min(axis=0), rows.max(axis=0)])


def _ends(track: Column, most: int) -> np.ndarray | None:
    """Two powers of two, less one, such that all states are between the negative of the one and the other; None where
    that is more than so many numbers, or the states are no integers.
    """
    least, greatest = (end[0] for end in track.reach)
    if track.ids.dtype.kind != "i" or not -most < int(least) <= int(greatest) < most:
        return None
    low, high = ((1 << max(0, int(end)).bit_length()) - 1 for end in (-least, greatest))
    return np.array([-low, high]) if low + 1 + high <= most else None


def _components(reads: Sequence[frozenset[int]]) -> list[Piece]:
    """Neurons grouped so that no two groups read the same track; those that read none are a group."""
    groups: list[tuple[frozenset[int], list[int]]] = []
    for neuron, read in enumerate(reads):
        met = [group for group in groups if group[0] & read or not (group[0] or read)]
        groups = [group for group in groups if group not in met]
        groups.append((read.union(*(tracks for tracks, _ in met)), sum((neurons for _, neurons in met), [neuron])))
    return [Piece(sorted(tracks), np.array(sorted(neurons))) for tracks, neurons in groups]


def _features_read(layer: Layer) -> np.ndarray:
    """Booleans: which features some mix after the first reads."""
    read = np.zeros(layer.inputs, dtype=bool)
    for before, mix in zip(layer.phi, layer.phi[1:]):
        read |= (mix.affine.matrix.toarray()[:, before.affine.outputs :] != 0).any(axis=0)
    return read


def _labels(features: np.ndarray, read: np.ndarray) -> Digits:
    """Numbers of the rows of features, the same where what is read is."""
    columns = np.flatnonzero(read)
    if not len(columns):
        return Digits(np.zeros(len(features), dtype=np.intp), 1)
    first, numbers = distinct(list(features[:, columns].T))
    return Digits(numbers, len(first))
