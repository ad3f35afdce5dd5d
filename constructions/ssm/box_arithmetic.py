"""Boxes of numbers under a model's maps: sound whatever is rounded, in float64 here or in the model's own arithmetic.

Ends of boxes are float64.  Where the numbers are multiples of a known power of two and small enough, every sum is
exact and points stay points; elsewhere a box is widened by the error that rounding can make.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix


@dataclass(frozen=True)
class Boxes:
    """A union of boxes: row r is the box low[r] <= x <= high[r].  Shape (rows, features), float64, may be infinite."""

    low: np.ndarray
    high: np.ndarray

    @property
    def finite(self) -> bool:
        """Whether every box is a point: a finite set, listed exactly or a superset of it."""
        return bool((self.low == self.high).all())

    def hull(self) -> "Boxes":
        """The one box around all of them."""
        return Boxes(self.low.min(axis=0, keepdims=True), self.high.max(axis=0, keepdims=True))


def stored(arithmetic: Arithmetic, values: np.ndarray) -> np.ndarray:
    """Values as stored; order-preserving, so it may be applied to the ends of an interval."""
    with np.errstate(over="ignore"):
        if arithmetic.kind == "fixed":
            return np.floor(values * 2.0**arithmetic.bits) / 2.0**arithmetic.bits
        if arithmetic.is_float:
            return values.astype(str(arithmetic)).astype(np.float64)
    return values


def number_boxes(arithmetic: Arithmetic, integers: np.ndarray, exponent: int) -> Boxes:
    """integers / 2^exponent as stored: points, except where float64 cannot hold an integer."""
    value = integers.astype(np.float64)
    long = np.abs(value) >= 2.0**53
    ends = (np.where(long, np.nextafter(value, away), value) for away in (-np.inf, np.inf))
    return Boxes(*(stored(arithmetic, end / 2.0**exponent) for end in ends))


def affine_boxes(arithmetic: Arithmetic, affine: Affine, low: np.ndarray, high: np.ndarray, bits: float) -> Boxes:
    """The affine map of boxes of inputs that have ``bits`` fractional bits, widened where a sum may round."""
    matrix = affine.matrix.astype(np.float64)
    positive, negative = matrix.maximum(0).copy(), matrix.minimum(0).copy()
    # An explicit zero times infinity would be NaN.
    positive.eliminate_zeros()
    negative.eliminate_zeros()

    def end(rising: np.ndarray, falling: np.ndarray, outwards: int) -> np.ndarray:
        value = np.asarray((positive @ rising.T + negative @ falling.T).T) + affine.bias
        size = np.asarray((positive @ np.abs(rising).T - negative @ np.abs(falling).T).T) + np.abs(affine.bias)
        inputs = np.maximum(np.abs(rising), np.abs(falling)).sum(axis=1, keepdims=True)
        value = (value + outwards * _rounding(arithmetic, affine, size, inputs, bits)) / 2.0**affine.exponent
        # Where infinities of both signs meet, nothing is known.
        return np.where(np.isnan(value), outwards * np.inf, value)

    with np.errstate(over="ignore", invalid="ignore"):
        return Boxes(end(low, high, -1), end(high, low, +1))


def _rounding(arithmetic: Arithmetic, affine: Affine, size: np.ndarray, inputs: np.ndarray, bits: float) -> np.ndarray:
    """A bound on what rounding changes in sums of terms of this total size: 0 where every partial sum is exact."""
    precision = arithmetic.bits if arithmetic.is_float else 53
    known = bits + affine.exponent <= least_exponent(arithmetic)
    inexact = size >= 2.0 ** (precision - bits) if known else np.ones_like(size, dtype=bool)
    # A weight that overflows is infinite in the model, and no number where it meets a zero.
    infinite = np.isinf(stored(arithmetic, _largest_weights(affine) / 2.0**affine.exponent))
    inexact |= infinite
    if not inexact.any():
        return np.zeros_like(size)
    # The classical bound on a sum of products of n terms, with room to spare; in floats, underflow and overflow too.
    terms = affine.inputs + 2
    error = terms * 2.0 ** (2 - precision) * size
    if arithmetic.is_float:
        numbers, scale = np.finfo(str(arithmetic)), 2.0**affine.exponent
        error += terms * 4.0 * float(numbers.smallest_subnormal) * scale * (1 + inputs)
        error[(size + error) / scale > float(numbers.max) / 4] = np.inf
        error[:, infinite] = np.inf
    return np.where(inexact, error, 0.0)


def _largest_weights(affine: Affine) -> np.ndarray:
    """The largest absolute weight of each row, its bias included."""
    largest = np.abs(affine.bias).astype(np.float64)
    np.maximum.at(
        largest, np.repeat(np.arange(affine.outputs), np.diff(affine.matrix.indptr)), np.abs(affine.matrix.data)
    )
    return largest


def gate_boxes(arithmetic: Arithmetic, layer: Layer, boxes: Boxes, bits: float) -> Boxes:
    raw = affine_boxes(arithmetic, layer.gate, boxes.low, boxes.high, bits)
    if layer.gate_function == "affine":
        return raw
    low, high = (raw.low, raw.high) if layer.gate_function == "sigmoid" else (-raw.high, -raw.low)
    with np.errstate(over="ignore"):
        low, high = 1 / (1 + np.exp(-low)), 1 / (1 + np.exp(-high))
    # Exponentials are right to a few units in the last place, here and in the model.
    return Boxes(stored(arithmetic, low * (1 - 2.0**-45)), stored(arithmetic, np.minimum(high * (1 + 2.0**-45), 1.0)))


def product_bounds(arithmetic: Arithmetic, gate: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds below and above of gate * end; a gate of 0 forgets the state, however large.

    Floats round it; in ``fixed`` it is not yet stored, since only the whole update is rounded down.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        value = np.nan_to_num(gate * end, nan=0.0, posinf=np.inf, neginf=-np.inf)
    if arithmetic.is_float:
        value = stored(arithmetic, value)
        return value, value
    with np.errstate(over="ignore"):
        exact = (gate == gate.astype("f4")) & (end == end.astype("f4"))
    if exact.all():
        return value, value
    exact |= gate == np.ldexp(np.sign(gate), np.frexp(gate)[1] - 1)
    return np.where(exact, value, np.nextafter(value, -np.inf)), np.where(exact, value, np.nextafter(value, np.inf))


def sum_bound(arithmetic: Arithmetic, a: np.ndarray, b: np.ndarray, towards: float) -> np.ndarray:
    """a + b as stored, moved ``towards`` where the sum is not exact."""
    with np.errstate(invalid="ignore"):
        value = a + b
    value = np.where(np.isnan(value), towards, value)
    if not arithmetic.is_float:
        with np.errstate(invalid="ignore"):
            # What float64 lost of the sum (Knuth, The Art of Computer Programming, volume 2, section 4.2.2).
            part = value - a
            lost = (a - (value - part)) + (b - part)
        value = np.where(np.isfinite(value) & (lost != 0), np.nextafter(value, towards), value)
    return stored(arithmetic, value)


def activate(arithmetic: Arithmetic, mix: Mix, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mix's activation on both ends; every one keeps the order of numbers."""
    if mix.activation == "relu":
        return np.maximum(low, 0), np.maximum(high, 0)
    if mix.activation == "clip":
        ends = number_boxes(arithmetic, np.array([mix.low, mix.high]), mix.affine.exponent)
        return np.clip(low, *ends.low), np.clip(high, *ends.high)
    return low, high


def least_exponent(arithmetic: Arithmetic) -> float:
    """The fractional bits of the smallest float; a number that is never reached elsewhere."""
    return -np.log2(np.finfo(str(arithmetic)).smallest_subnormal) if arithmetic.is_float else 1000.0
