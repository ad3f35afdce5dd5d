"""One step of a model's weights on many boxes of values at once: the arithmetic of inductive proofs.

A box is a row of least and greatest values.  The image of a box under an affine map, ReLU or clip is again in a box,
computed without sampling, so what holds for the image holds for every state in it.  Weights are integers here and so
is everything else; floats stand in for them under a checked bound on every partial sum in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from constructions.ssm.layers import Layer, Mix
from constructions.ssm.number_formats import largest_size
from constructions.ssm.weights import SSM

NUMBER = np.float32
_EXACT = 2**24
"""Integers below this bound are exact in NUMBER."""

_SPARSE_COST = 16
"""How much longer a sparse multiplication takes than a dense one."""


class NotCovered(Exception):
    """The model has something that this kind of proof does not speak about; the message says what."""


@dataclass(frozen=True)
class Box:
    """Rows of boxes, low <= x <= high, arrays of shape (rows, n); ``high is low`` where all are points."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def points(cls, values: ArrayLike) -> "Box":
        values = np.asarray(values, dtype=NUMBER)
        return cls(values, values)

    @property
    def pointed(self) -> bool:
        return self.high is self.low

    def __getitem__(self, rows) -> "Box":
        return Box.points(self.low[rows]) if self.pointed else Box(self.low[rows], self.high[rows])

    def columns(self, which: np.ndarray) -> "Box":
        """Some of the values."""
        return self[:, which]

    def spread(self, which: np.ndarray, n: int) -> "Box":
        """The values as those numbered ``which`` among n, all others 0."""
        if len(which) == n:
            return self

        def place(values: np.ndarray) -> np.ndarray:
            wide = np.zeros((len(values), n), dtype=NUMBER)
            wide[:, which] = values
            return wide

        return Box.points(place(self.low)) if self.pointed else Box(place(self.low), place(self.high))

    def __add__(self, other: "Box") -> "Box":
        if self.pointed and other.pointed:
            return Box.points(self.low + other.low)
        return Box(self.low + other.low, self.high + other.high)


class LinearMap:
    """x -> W x on boxes, with integer weights W of shape (out, in).

    Args:
        limit: no sum of absolute values may reach this.
    """

    def __init__(self, matrix, limit: int):
        self.limit = limit
        self.matrix = matrix.tocsr().astype(NUMBER)
        self.matrix.eliminate_zeros()
        self.used = np.unique(self.matrix.indices)
        """The inputs that the map reads."""

    def rows(self, which: np.ndarray) -> "LinearMap":
        """The map to some of the outputs."""
        return LinearMap(self.matrix[which], self.limit)

    def reach(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """Per output, over all rows of boxes: a bound from above, and one on the sum of the absolute values of all
        terms.
        """
        low, high = (
            box.low[:, self.used].min(axis=0).astype(np.float64),
            box.high[:, self.used].max(axis=0).astype(np.float64),
        )
        matrix = self.matrix[:, self.used]
        # W high where W > 0, W low elsewhere.
        return matrix @ low + matrix.maximum(0) @ (high - low), abs(matrix) @ np.maximum(np.abs(low), np.abs(high))

    def at(self, box: Box, rows: np.ndarray, outputs: np.ndarray) -> Box:
        """Output ``outputs[p]`` on the box of row ``rows[p]``, for each p: shape (p,).

        Raises NotCovered where a partial sum could reach the limit.
        """
        self._check(box)
        matrix = self.matrix[outputs]
        pair = np.repeat(np.arange(len(outputs)), np.diff(matrix.indptr))
        place = np.asarray(rows)[pair], matrix.indices
        ends = [matrix.data * end[place] for end in ((box.low,) if box.pointed else (box.low, box.high))]
        least, greatest = np.minimum(ends[0], ends[-1]), np.maximum(ends[0], ends[-1])
        return Box(*(np.bincount(pair, weights=end, minlength=len(outputs)) for end in (least, greatest)))

    def __call__(self, box: Box) -> Box:
        """Raises NotCovered where a partial sum could reach the limit."""
        self._check(box)
        base = self._product(self.matrix, box.low)
        if box.pointed:
            return Box.points(base)
        width = box.high - box.low
        return Box(
            base + self._product(self.matrix.minimum(0), width), base + self._product(self.matrix.maximum(0), width)
        )

    def _check(self, box: Box) -> None:
        largest = np.abs(box.low[:, self.used]).max(axis=0, initial=0)
        if not box.pointed:
            largest = np.maximum(largest, np.abs(box.high[:, self.used]).max(axis=0, initial=0))
        _check_sums(abs(self.matrix[:, self.used]) @ largest, self.limit)

    def _product(self, matrix, values: np.ndarray) -> np.ndarray:
        """values W^T, through the columns in which some value is not 0."""
        columns = self.used[values[:, self.used].any(axis=0)]
        part, x = matrix[:, columns], values[:, columns]
        if part.nnz * _SPARSE_COST < part.shape[0] * part.shape[1]:
            return np.asarray((part @ x.T).T)
        return x @ part.toarray().T


def _check_sums(sizes: np.ndarray, limit: int) -> None:
    if (largest := sizes.max(initial=0)) >= limit:
        raise NotCovered(f"a sum of {largest:.3g} could leave the range in which every step is exact")


class LayerMaps:
    """The maps of one layer."""

    def __init__(self, layer: Layer, limit: int):
        self.layer = layer
        self.limit = limit
        self.gate = LinearMap(layer.gate.matrix, limit)
        self.increment = LinearMap(layer.increment.matrix, limit)
        self.mixes = []
        inputs = layer.width
        for mix in layer.phi:
            # The columns that read what the stage before gives, and those that read the layer's features.
            self.mixes.append(
                (mix, LinearMap(mix.affine.matrix[:, :inputs], limit), LinearMap(mix.affine.matrix[:, inputs:], limit))
            )
            inputs = mix.affine.outputs
        self.read_by_phi = np.unique(np.concatenate([features.used for _, _, features in self.mixes]))
        """The features that phi reads."""

    def gates(self, x: Box) -> Box:
        return self.gate(x) + Box.points(self.layer.gate.bias)

    def increments(self, x: Box) -> Box:
        return self.increment(x) + Box.points(self.layer.increment.bias)

    def phi(self, h: Box, x: Box, stages: int | None = None) -> Box:
        """z for states h (after the step) and features x, row by row; after the first so many mixes, by default all."""
        z = h
        for mix, from_previous, from_features in self.mixes[:stages]:
            bias = mix.affine.bias.astype(NUMBER)
            awake: np.ndarray = np.arange(len(bias))
            if mix.activation == "relu":
                # Neurons that no row can raise above 0 need no more arithmetic: most of those that read slots.
                greatest, sizes = (a + b for a, b in zip(from_previous.reach(z), from_features.reach(x)))
                # Nor may rounding raise them, here or in the model: 4 * limit is the bound below which every sum is
                # exact.
                _check_sums(sizes + np.abs(bias), 4 * self.limit)
                awake = np.flatnonzero(greatest + bias > 0)
                from_previous, from_features = from_previous.rows(awake), from_features.rows(awake)
            before = from_previous(z) + from_features(x) + Box.points(bias[awake])
            z = _activate(mix, before).spread(awake, len(bias))
        return z

    def last_mix_at(self, previous: Box, x: Box, rows: np.ndarray, neurons: np.ndarray) -> Box:
        """What neuron ``neurons[p]`` of the last mix gives out on row ``rows[p]``, for each p: shape (p,)."""
        mix, from_previous, from_features = self.mixes[-1]
        before = from_previous.at(previous, rows, neurons) + from_features.at(x, rows, neurons)
        return _activate(mix, before + Box.points(mix.affine.bias[neurons]))


class Maps:
    """All maps of a model.

    Raises:
        NotCovered: for fractional weights, gate functions, and ``wrap`` arithmetic.
    """

    def __init__(self, ssm: SSM):
        self.ssm = ssm
        check_covered(ssm)
        # A mix adds up two sums and a bias; the ends of a box are found through up to three times its largest value.
        self.limit = min(ssm.arithmetic.limit, _EXACT) // 4
        if max(map(largest_size, (ssm.embedding, *(affine.bias for _, affine in ssm.affines())))) >= self.limit:
            raise NotCovered(f"a weight is too large for {ssm.arithmetic} arithmetic to be exact")
        self.embedding = Box.points(ssm.embedding)
        self.layers = [LayerMaps(layer, self.limit) for layer in ssm.layers]
        self._readout = LinearMap(ssm.readout.matrix, self.limit)

    def readout(self, z: Box) -> Box:
        return self._readout(z) + Box.points(self.ssm.readout.bias)

    def least_outputs(self, previous: Box, x: Box, outputs: np.ndarray) -> np.ndarray:
        """Of row r the least value of output ``outputs[r]``, shape (rows,): one neuron at a time, not all for each row.

        Args:
            previous: what the last mix of the last layer reads, beside the layer's features ``x``.
        """
        readout = self.ssm.readout
        weights = readout.matrix[outputs]
        rows = np.repeat(np.arange(len(outputs)), np.diff(weights.indptr))
        z = self.layers[-1].last_mix_at(previous, x, rows, weights.indices)
        terms = np.minimum(weights.data * z.low, weights.data * z.high)
        sizes = np.abs(weights.data) * np.maximum(np.abs(z.low), np.abs(z.high))
        _check_sums(np.bincount(rows, weights=sizes), self.limit)
        return np.bincount(rows, weights=terms, minlength=len(outputs)) + readout.bias[outputs]


def check_covered(ssm: SSM) -> None:
    """Raises NotCovered unless all weights are integers, gates are affine and rounding leaves integers alone."""
    if ssm.arithmetic.kind == "wrap":
        raise NotCovered(f"in {ssm.arithmetic} arithmetic integers wrap round")
    exponents = [ssm.embedding_exponent, *(layer.initial_exponent for layer in ssm.layers)]
    if any(exponents) or any(affine.exponent for _, affine in ssm.affines()):
        raise NotCovered("some weights are fractions")
    for number, layer in enumerate(ssm.layers):
        if layer.gate_function != "affine":
            raise NotCovered(f"layer {number + 1} has a {layer.gate_function} gate")


def _activate(mix: Mix, box: Box) -> Box:
    if mix.activation == "linear":
        return box
    low, high = (0, np.inf) if mix.activation == "relu" else (mix.low, mix.high)
    least = np.clip(box.low, low, high)
    if box.pointed:
        return Box.points(least)
    greatest = np.clip(box.high, low, high)
    return Box.points(least) if np.array_equal(least, greatest) else Box(least, greatest)
