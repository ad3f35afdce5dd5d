"""A model's maps on boxes of numbers, in the model's own arithmetic.

Rounding keeps the order of numbers, so an affine map evaluated at a corner of a box, with the model's rounding and
in the model's order of summation, bounds every value that the model itself computes on the box: nothing has to be
added for rounding errors, and a box that is one point gives exactly the model's value.

Numbers are Python integers times 2^-p in ``fixed:p``, Fractions in ``exact`` (both in object arrays) and NumPy floats.
A *raw* value is the result of an affine map before it is stored.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Union

import numpy as np

from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer


class Intervals(NamedTuple):
    """All x with low <= x <= high; the two are the same array where the box is known to be a point."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def point(cls, x: np.ndarray) -> "Intervals":
        return cls(x, x)

    @property
    def is_point(self) -> bool:
        return self.low is self.high

    def then(self, other: "Intervals") -> "Intervals":
        """The coordinates of this box followed by those of the other."""
        low = np.concatenate([self.low, other.low])
        if self.is_point and other.is_point:
            return Intervals.point(low)
        return Intervals(low, np.concatenate([self.high, other.high]))

    def map(self, increasing) -> "Intervals":
        """The box of an increasing function's values."""
        low = increasing(self.low)
        return Intervals.point(low) if self.is_point else Intervals(low, increasing(self.high))


def hull(boxes: list[Intervals]) -> Intervals:
    """The least box around all of them."""
    if len(boxes) == 1:
        return boxes[0]
    low, high = np.minimum.reduce([box.low for box in boxes]), np.maximum.reduce([box.high for box in boxes])
    return Intervals.point(low) if all(box.is_point for box in boxes) and (low == high).all() else Intervals(low, high)


class Weights:
    """An affine map as dense arrays of its positive and negative weights."""

    def __init__(self, affine: Affine, numbers: "IntervalArithmetic"):
        dense = affine.matrix.toarray()
        self.exponent = affine.exponent
        self.positive = numbers.weights(np.maximum(dense, 0), affine.exponent)
        self.negative = numbers.weights(np.minimum(dense, 0), affine.exponent)
        self.matrix = numbers.weights(dense, affine.exponent)
        self.bias = numbers.weights(affine.bias, affine.exponent)
        self.columns = np.flatnonzero(dense.any(axis=0))
        self.by_row = [(np.flatnonzero(row), row[row != 0].tolist()) for row in dense]


class IntegerIntervals:
    """``fixed:p`` (integers over 2^p, rounded down) and ``exact`` (Fractions, never rounded)."""

    def __init__(self, arithmetic: Arithmetic):
        self.rounds, self.is_exact = arithmetic.kind == "fixed", arithmetic.kind == "exact"
        self.bits = arithmetic.unit_bits

    def weights(self, integers: np.ndarray, exponent: int) -> np.ndarray:
        integers = integers.astype(object)
        return integers if self.rounds else integers * Fraction(1, 1 << exponent)

    def constant(self, integers: np.ndarray, exponent: int) -> np.ndarray:
        """integers / 2^exponent, stored."""
        integers = np.asarray(integers).astype(object)
        if not self.rounds:
            return integers * Fraction(1, 1 << exponent)
        return integers << (self.bits - exponent) if self.bits >= exponent else integers >> (exponent - self.bits)

    def state(self, row: np.ndarray) -> np.ndarray:
        """A row of the engine's state."""
        return row.astype(object)

    def raw(self, weights: Weights, x: Intervals) -> Intervals:
        """The affine map, not yet rounded: integers over 2^(weights.exponent + p)."""
        if self.is_exact:
            return (
                Intervals(*self._exact_ends(weights, x))
                if not x.is_point
                else Intervals.point(self._exact_ends(weights, x)[0])
            )
        bias = weights.bias << self.bits
        if x.is_point:
            return Intervals.point(weights.matrix @ x.low + bias)
        return Intervals(
            weights.positive @ x.low + weights.negative @ x.high + bias,
            weights.positive @ x.high + weights.negative @ x.low + bias,
        )

    @staticmethod
    def _exact_ends(weights: Weights, x: Intervals) -> tuple[np.ndarray, np.ndarray]:
        """The two ends of the map's values; sums of Fractions are long work, so only what is not 0 is added."""
        unit = Fraction(1, 1 << weights.exponent)
        ends = np.empty((2, len(weights.bias)), dtype=object)
        for row, (columns, numbers) in enumerate(weights.by_row):
            low, high = x.low[columns], x.high[columns]
            ends[0, row] = weights.bias[row] + unit * sum(
                n * (low if n > 0 else high)[i] for i, n in enumerate(numbers)
            )
            ends[1, row] = weights.bias[row] + unit * sum(
                n * (high if n > 0 else low)[i] for i, n in enumerate(numbers)
            )
        return ends[0], ends[1]

    def store(self, weights: Weights, raw: np.ndarray) -> np.ndarray:
        return raw >> weights.exponent if self.rounds else raw

    def limit(self, weights: Weights, stored):
        """A stored value as a raw value."""
        return stored << weights.exponent if self.rounds else stored

    def gates(self, layer: Layer, raw: Intervals) -> Intervals:
        """Gates as numerators over ``one(layer)``."""
        return raw.map(lambda g: g << self._shift(layer) - layer.gate.exponent - self.bits) if self.rounds else raw

    def increments(self, layer: Layer, raw: Intervals) -> Intervals:
        """Increments over the same denominator, in units of the state."""
        return raw.map(lambda b: b << self._shift(layer) - layer.increment.exponent) if self.rounds else raw

    def one(self, layer: Layer):
        """The numerator of a gate of 1."""
        return 1 << self._shift(layer) if self.rounds else Fraction(1)

    def step(self, layer: Layer, gate, h, increment):
        """round(gate * h + increment), for arrays and for single numbers."""
        value = gate * h + increment
        return value >> self._shift(layer) if self.rounds else value

    def _shift(self, layer: Layer) -> int:
        return max(layer.gate.exponent + self.bits, layer.increment.exponent)


_ieee = np.errstate(over="ignore", invalid="ignore")


class FloatIntervals:
    """float16, float32 and float64; an overflow is infinite and no warning, as in the engine."""

    rounds, is_exact = True, False

    def __init__(self, arithmetic: Arithmetic):
        self.dtype = np.dtype(str(arithmetic))
        self.precision = arithmetic.bits

    @_ieee
    def weights(self, integers: np.ndarray, exponent: int) -> np.ndarray:
        return np.ldexp(integers.astype(np.float64), -exponent).astype(self.dtype)

    constant = weights

    def state(self, row: np.ndarray) -> np.ndarray:
        return row

    @_ieee
    def raw(self, weights: Weights, x: Intervals) -> Intervals:
        """As :meth:`IntegerIntervals.raw`; meaningless where an end is not finite: the model skips weights of 0, and 0
        * inf is no number.
        """
        if x.is_point:
            return Intervals.point(self._sum(weights, weights.matrix * x.low))
        return Intervals(
            self._sum(weights, weights.positive * x.low + weights.negative * x.high),
            self._sum(weights, weights.positive * x.high + weights.negative * x.low),
        )

    @staticmethod
    def _sum(weights: Weights, products: np.ndarray) -> np.ndarray:
        """Summed over the inputs in order, the bias last; accumulating is sequential where ``sum`` is not."""
        if not len(weights.columns):
            return weights.bias
        total = np.add.accumulate(products[:, weights.columns], axis=1)[:, -1] if products.size else 0
        return total + weights.bias

    def store(self, weights: Weights, raw: np.ndarray) -> np.ndarray:
        return raw

    def limit(self, weights: Weights, stored):
        return stored

    def gates(self, layer: Layer, raw: Intervals) -> Intervals:
        if layer.gate_function == "affine":
            return raw
        function = np.vectorize(lambda value: reference.gate_function(layer.gate_function, value), otypes=[np.float64])
        if raw.is_point:
            return Intervals.point(function(raw.low).astype(self.dtype))
        ends = (raw.low, raw.high) if layer.gate_function == "sigmoid" else (raw.high, raw.low)
        low, high = (function(end.astype(np.float64)) for end in ends)
        # Both exponentials err in their last digits, and so need not be increasing there.
        return Intervals(
            (low * (1 - 2.0**-49)).astype(self.dtype), np.minimum(high * (1 + 2.0**-49), 1).astype(self.dtype)
        )

    def increments(self, layer: Layer, raw: Intervals) -> Intervals:
        return raw

    def one(self, layer: Layer):
        return self.dtype.type(1)

    @_ieee
    def step(self, layer: Layer, gate, h, increment):
        return gate * h + increment + self.dtype.type(0)


IntervalArithmetic = Union[IntegerIntervals, FloatIntervals]


def numbers_of(arithmetic: Arithmetic) -> IntervalArithmetic:
    """The numbers of an arithmetic whose rounding keeps their order."""
    return FloatIntervals(arithmetic) if arithmetic.is_float else IntegerIntervals(arithmetic)


def step_box(
    numbers: IntervalArithmetic, layer: Layer, gate: Intervals, h: Intervals, increment: Intervals
) -> Intervals:
    """The new states of one step, whatever the gate, state and increment in their boxes; gates of any sign."""
    if gate.is_point and h.is_point and increment.is_point:
        return Intervals.point(numbers.step(layer, gate.low, h.low, increment.low))
    corners = [(g, s) for g in {id(a): a for a in gate}.values() for s in {id(a): a for a in h}.values()]
    return Intervals(
        np.minimum.reduce([numbers.step(layer, g, s, increment.low) for g, s in corners]),
        np.maximum.reduce([numbers.step(layer, g, s, increment.high) for g, s in corners]),
    )
