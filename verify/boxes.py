"""One step of a model's weights on many boxes of values at once: the arithmetic of inductive proofs.

A box is a row of least and greatest values.  The image of a box under an affine map, ReLU or clip is again in a box,
computed without sampling, so what holds for the image holds for every state in it.  Weights are integers here and so
is everything else; float64 stands in for them under a checked bound on every partial sum in any order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from constructions.ssm import SSM, Layer, Mix

_SPARSE_COST = 16
"""How much longer a sparse multiplication takes than a dense one."""


class NotCovered(Exception):
    """The model has something that this kind of proof does not speak about; the message says what."""


@dataclass(frozen=True)
class Box:
    """Rows of boxes, low <= x <= high, float64 of shape (rows, n); ``high is low`` where all are points."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def points(cls, values: np.ndarray) -> "Box":
        values = np.asarray(values, dtype=np.float64)
        return cls(values, values)

    @property
    def pointed(self) -> bool:
        return self.high is self.low

    def __getitem__(self, rows) -> "Box":
        return Box.points(self.low[rows]) if self.pointed else Box(self.low[rows], self.high[rows])

    def __add__(self, other: "Box") -> "Box":
        if self.pointed and other.pointed:
            return Box.points(self.low + other.low)
        return Box(self.low + other.low, self.high + other.high)


class LinearMap:
    """x -> W x on boxes, with integer weights W of shape (out, in).

    Args:
        limit: no sum of absolute values may reach this.  A quarter of the bound below which integers are exact: a
            mix adds up two such sums and a bias.
    """

    def __init__(self, matrix, limit: int):
        self.matrix = matrix.tocsc().astype(np.float64)
        self.matrix.eliminate_zeros()
        self.absolute = abs(self.matrix)
        self.limit = limit
        self.used = np.flatnonzero(np.diff(self.matrix.indptr))
        """The inputs that the map reads."""

    def __call__(self, box: Box) -> Box:
        """Raises NotCovered where a partial sum could reach the limit."""
        largest = np.abs(box.low).max(axis=0, initial=0)
        if not box.pointed:
            largest = np.maximum(largest, np.abs(box.high).max(axis=0, initial=0))
        sums = (self.absolute @ largest).max(initial=0)
        if sums >= self.limit:
            raise NotCovered(f"a sum of {sums:.3g} could leave the range in which every step is exact")
        base = self._product(self.matrix, box.low)
        if box.pointed:
            return Box.points(base)
        width = box.high - box.low
        return Box(base + self._product(self.matrix.minimum(0), width), base + self._product(self.matrix.maximum(0), width))

    def _product(self, matrix, values: np.ndarray) -> np.ndarray:
        """values W^T, through the columns in which some value is not 0."""
        columns = self.used[values[:, self.used].any(axis=0)]
        part = matrix[:, columns]
        x = values[:, columns]
        if part.nnz * _SPARSE_COST < part.shape[0] * part.shape[1]:
            return np.asarray((part @ x.T).T)
        return x @ part.toarray().T


class LayerMaps:
    """The maps of one layer."""

    def __init__(self, layer: Layer, limit: int):
        self.layer = layer
        self.gate = LinearMap(layer.gate.matrix, limit)
        self.increment = LinearMap(layer.increment.matrix, limit)
        self.mixes = []
        inputs = layer.width
        for mix in layer.phi:
            # The columns that read what the stage before gives, and those that read the layer's features.
            self.mixes.append((mix, LinearMap(mix.affine.matrix[:, :inputs], limit), LinearMap(mix.affine.matrix[:, inputs:], limit)))
            inputs = mix.affine.outputs
        self.read_by_phi = np.unique(np.concatenate([features.used for _, _, features in self.mixes]))
        """The features that phi reads."""

    def gates(self, x: Box) -> Box:
        return self.gate(x) + Box.points(self.layer.gate.bias)

    def increments(self, x: Box) -> Box:
        return self.increment(x) + Box.points(self.layer.increment.bias)

    def phi(self, h: Box, x: Box, ids: np.ndarray | None = None) -> Box:
        """z for states h (after the step) and features x; row r of h goes with row ids[r] of x (by default row r)."""
        z = h
        for mix, from_previous, from_features in self.mixes:
            read = from_features(x) + Box.points(mix.affine.bias)
            z = _activate(mix, from_previous(z) + (read if ids is None else read[ids]))
        return z


class Maps:
    """All maps of a model.

    Raises:
        NotCovered: for fractional weights, gate functions, and ``wrap`` arithmetic.
    """

    def __init__(self, ssm: SSM):
        self.ssm = ssm
        check_covered(ssm)
        self.limit = ssm.arithmetic.limit // 4
        if max([np.abs(ssm.embedding).max(initial=0)] + [np.abs(a.bias).max(initial=0) for _, a in ssm.affines()]) >= self.limit:
            raise NotCovered(f"a weight is too large for {ssm.arithmetic} arithmetic to be exact")
        self.embedding = Box.points(ssm.embedding)
        self.layers = [LayerMaps(layer, self.limit) for layer in ssm.layers]
        self._readout = LinearMap(ssm.readout.matrix, self.limit)

    def readout(self, z: Box) -> Box:
        return self._readout(z) + Box.points(self.ssm.readout.bias)


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
    if box.pointed:
        return Box.points(np.clip(box.low, low, high))
    return Box(np.clip(box.low, low, high), np.clip(box.high, low, high))
