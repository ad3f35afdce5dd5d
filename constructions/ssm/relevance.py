"""Which coordinates of a layer matter to what it gives out, by the signs of its weights."""

from __future__ import annotations

import numpy as np

from constructions.ssm.distinct_rows import grouped
from constructions.ssm.layers import Affine, Layer
from constructions.ssm.number_formats import Floats, NumberFormat, Rationals

_EXACT = 2.0**50
"""Below which float64 adds whole numbers without rounding, with room to spare."""
_FEW = 64
"""Rows of features, of which no more are not searched for those that are read alike."""


def relevant(
    layer: Layer, numbers: NumberFormat, features: np.ndarray, least: np.ndarray, greatest: np.ndarray
) -> np.ndarray:
    """Which coordinates matter, for each row of features, while each coordinate keeps within its bounds.

    A neuron relu(w h + v x + b) of the first mix whose argument is at most 0 even where every w_i h_i is as large as it
    can be gives 0 whatever h is; a coordinate that no other neuron reads does not matter.  The bound is a sum of whole
    numbers that float64 adds without rounding, and so does the layer; where that is not certain, everything matters.
    Rows that differ only in features that the first mix does not read are looked at once.

    Args:
        features: shape (rows, e), in the number format.
        least, greatest: shape (d,), likewise.

    Returns:
        Booleans of shape (rows, d).
    """
    mix = layer.phi[0]
    everything = np.ones((len(features), layer.width), dtype=bool)
    if mix.activation != "relu" or isinstance(numbers, Rationals):
        return everything
    weights, fixed, bias = _dense(mix.affine, layer.width)
    first, number = _as_read(features, fixed)
    features = features[first]
    # In units of which everything is a whole number: of floats, quarters.
    unit, bias_unit = (4.0, 4.0) if isinstance(numbers, Floats) else (1.0, float(1 << numbers.unit_bits))
    x, least, greatest = (array.astype(np.float64) * unit for array in (features, least, greatest))
    whole = all((array == np.rint(array)).all() for array in (x, least, greatest))
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.abs(weights) @ np.maximum(-least, greatest) + np.abs(fixed) @ np.abs(x).max(axis=0, initial=0)
        largest = size + np.abs(bias) * bias_unit
    limit = min(_EXACT, numbers.limit) if isinstance(numbers, Floats) else _EXACT
    if not whole or not (largest < limit).all() or not _stored_exactly(mix.affine, numbers):
        return everything
    most = np.where(weights > 0, weights * greatest, weights * least).sum(axis=1)
    alive = x @ fixed.T + (bias * bias_unit + most) > 0
    return ((alive @ (weights != 0).astype(np.float64)) > 0)[number]


def _as_read(features: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One row of features for each that these weights tell apart, and for each row the number of its own."""
    if len(features) <= _FEW:
        return np.arange(len(features)), np.arange(len(features))
    return grouped(features[:, fixed.any(axis=0)])


def _dense(affine: Affine, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The weights of the state, the weights of the features, and the biases."""
    matrix = affine.matrix.toarray().astype(np.float64)
    return matrix[:, :width], matrix[:, width:], affine.bias.astype(np.float64)


def _stored_exactly(affine: Affine, numbers: NumberFormat) -> bool:
    """Whether the weights are what they are in these numbers, none rounded; they are small enough."""
    return not isinstance(numbers, Floats) or affine.exponent + 2 <= numbers.most_bits
