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

from constructions.ssm.layers import Layer
from constructions.ssm.number_formats import NumberFormat, Product, Rationals
from constructions.ssm.recurrence import Track, distinct

_COMBINATIONS = 1 << 12
"""Layers whose coordinates and features have fewer combinations than this are evaluated on these."""


class Pieces:
    """The neurons of the first mix of a layer, by what they read."""

    def __init__(self, layer: Layer, products: Sequence[Product]):
        self._layer, self._products = layer, products
        self._possible = len(layer.phi) > 1 and layer.phi[0].affine.outputs > 0
        self._possible &= all(isinstance(product.matrix, np.ndarray) for product in products)
        if self._possible:
            reads = layer.phi[0].affine.matrix.toarray() != 0
            self._state, self._features = reads[:, : layer.width], reads[:, layer.width :]
            self._read_later = _features_read(layer)
        self._cut: dict[bytes, list[_Piece]] = {}

    def mix(
        self, numbers: NumberFormat, tracks: Sequence[Track], features: np.ndarray, ids: np.ndarray
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
        if not self._possible or isinstance(numbers, Rationals):
            return None
        if math.prod((track.combinations for track in tracks), start=len(features)) < _COMBINATIONS:
            return None
        pieces = self._pieces(tracks)
        if len(pieces) == 1 and self._features.any():
            return None
        rows, places = zip(*(self._evaluated(numbers, piece, tracks, features, ids) for piece in pieces))
        columns = self._columns(pieces, rows, features)
        if not numbers.sums_exactly(self._products[1], self._layer.phi[1].affine, columns):
            return None
        cases = [self._cases(piece, part) for piece, part in zip(pieces, rows)]
        numbered = [case.take(place) for (_, case), place in zip(cases, places)]
        first, where = distinct([*numbered, _labels(features, self._read_later).take(ids)])
        z = np.empty((len(first), self._layer.phi[0].affine.outputs), numbers.dtype)
        for piece, part, (kept, _), number in zip(pieces, rows, cases, numbered):
            z[:, piece.neurons] = part[kept[number[first]]]
        return z, features[ids[first]], where

    def _pieces(self, tracks: Sequence[Track]) -> list["_Piece"]:
        owner = np.zeros(self._layer.width, dtype=np.intp)
        for number, track in enumerate(tracks):
            owner[track.coordinates] = number
        key = owner.tobytes()
        if key not in self._cut:
            self._cut[key] = _components([frozenset(owner[row].tolist()) for row in self._state])
        return self._cut[key]

    def _evaluated(
        self, numbers: NumberFormat, piece: "_Piece", tracks: Sequence[Track], features: np.ndarray, ids: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The neurons of a piece on all that they read, and which of these rows stands at each position."""
        mix = self._layer.phi[0]
        label = _labels(features, self._features[piece.neurons].any(axis=0))
        first, where = distinct([*(tracks[i].ids for i in piece.tracks), label.take(ids)])
        h = np.zeros((len(first), self._layer.width), numbers.dtype)
        for i in piece.tracks:
            tracks[i].put(h, first)
        z = numbers.mix(self._products[0], mix, np.concatenate([h, features[ids[first]]], axis=1))
        return z[:, piece.neurons], where

    def _columns(
        self, pieces: Sequence["_Piece"], rows: Sequence[np.ndarray], features: np.ndarray
    ) -> list[np.ndarray]:
        """All values that each input of the second mix has."""
        columns: list[np.ndarray] = [features.ravel()[:0]] * self._layer.phi[0].affine.outputs
        for piece, part in zip(pieces, rows):
            for neuron, column in zip(piece.neurons.tolist(), part.T):
                columns[neuron] = column
        return columns + list(features.T)

    def _cases(self, piece: "_Piece", rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One row for each case of what a piece adds to the second mix, and the case of each row."""
        weights = self._products[1].matrix[piece.neurons]
        added = rows.astype(np.float64) @ weights[:, weights.any(axis=0)]
        if not added.shape[1]:
            return np.zeros(1, dtype=np.intp), np.zeros(len(rows), dtype=np.intp)
        return distinct(list(added.T))


@dataclass(frozen=True)
class _Piece:
    """Neurons, and the places of the tracks that they read."""

    tracks: list[int]
    neurons: np.ndarray


def _components(reads: Sequence[frozenset[int]]) -> list[_Piece]:
    """Neurons grouped so that no two groups read the same track; those that read none are a group."""
    groups: list[tuple[frozenset[int], list[int]]] = []
    for neuron, read in enumerate(reads):
        met = [group for group in groups if group[0] & read or not (group[0] or read)]
        groups = [group for group in groups if group not in met]
        groups.append((read.union(*(tracks for tracks, _ in met)), sum((neurons for _, neurons in met), [neuron])))
    return [_Piece(sorted(tracks), np.array(sorted(neurons))) for tracks, neurons in groups]


def _features_read(layer: Layer) -> np.ndarray:
    """Booleans: which features some mix after the first reads."""
    read = np.zeros(layer.inputs, dtype=bool)
    for before, mix in zip(layer.phi, layer.phi[1:]):
        read |= (mix.affine.matrix.toarray()[:, before.affine.outputs :] != 0).any(axis=0)
    return read


def _labels(features: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Numbers of the rows of features, the same where what is read is."""
    columns = np.flatnonzero(read)
    return distinct(list(features[:, columns].T))[1] if len(columns) else np.zeros(len(features), dtype=np.intp)
