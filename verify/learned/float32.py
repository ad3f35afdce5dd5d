"""Which numbers can an operation in float32 give, when its arguments lie in given intervals?  For the finders.

Intervals are arrays of float64.  Two facts keep them sound:

* rounding to nearest keeps the order of numbers, so the rounded ends of the exact interval bound every rounded result;
  the ends are computed in float64 and moved outward by one place first.  Where a gate is exactly 1 and an increment
  exactly 0, a number is thus handed on bit for bit, and where increments are below half a unit in the last place, they
  are absorbed, as in the model;
* a sum of n products, in any order and fused or not, errs by at most n + 2 roundings of the sum of absolute values.

What a finder finds is checked again by :mod:`verify.learned.recheck` with its own arithmetic, whose error terms are
those of :mod:`verify.learned.semantics`.  Here they are :data:`SLACK` times as large, so that what is closed here is
closed there, although sums of float64 differ in the last place.  Functions of one interval never look at another row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence

import numpy as np
from numpy.typing import ArrayLike

from verify.learned.semantics import FUNCTION, ROUNDING, SOFTPLUS_ZERO, TINY

SLACK = 2.0

SILU_LOWEST = -1.2784645427610738, -0.27846454276107380
"""Where silu is least, and its value there."""

_FLOAT64 = 2.0**-50
"""More than the relative error of a function of NumPy in float64."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """All x with low <= x <= high, entry by entry."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def exactly(cls, values: ArrayLike) -> Bounds:
        exact = np.asarray(values, dtype=np.float64)
        return cls(exact, exact)

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        return self.low, self.high

    def __getitem__(self, key: Any) -> Bounds:
        return Bounds(self.low[key], self.high[key])

    @property
    def largest(self) -> np.ndarray:
        """The largest absolute values."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def reshaped(self, *shape: int) -> Bounds:
        return Bounds(self.low.reshape(shape), self.high.reshape(shape))

    def widened(self, by: np.ndarray | float) -> Bounds:
        return Bounds(np.nextafter(self.low - by, -np.inf), np.nextafter(self.high + by, np.inf))


def concatenated(parts: Sequence[Bounds], axis: int) -> Bounds:
    """The parts one after the other."""
    return Bounds(
        np.concatenate([part.low for part in parts], axis), np.concatenate([part.high for part in parts], axis)
    )


# -- operations that are rounded once -----------------------------------------------------------------


def to_float32(low: np.ndarray, high: np.ndarray) -> Bounds:
    """Rounded to nearest, from ends that were computed in float64."""
    return Bounds(
        np.nextafter(low, -np.inf).astype(np.float32).astype(np.float64),
        np.nextafter(high, np.inf).astype(np.float32).astype(np.float64),
    )


def products(x: Bounds, y: Bounds) -> Bounds:
    """The exact products; the ends are rounded in float64."""
    corners = x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high
    return Bounds(
        np.minimum(np.minimum(corners[0], corners[1]), np.minimum(corners[2], corners[3])),
        np.maximum(np.maximum(corners[0], corners[1]), np.maximum(corners[2], corners[3])),
    )


def multiplied(x: Bounds, y: Bounds) -> Bounds:
    exact = products(x, y)
    return to_float32(exact.low, exact.high)


def added(x: Bounds, y: Bounds) -> Bounds:
    return to_float32(x.low + y.low, x.high + y.high)


def updated(gate: Bounds, state: Bounds, increment: Bounds) -> Bounds:
    """gate * state + increment for gates in [0, 1], fused or not."""
    low = np.minimum(gate.low * state.low, gate.high * state.low)
    high = np.maximum(gate.low * state.high, gate.high * state.high)
    fused = to_float32(low + increment.low, high + increment.high)
    rounded = to_float32(low, high)
    apart = to_float32(rounded.low + increment.low, rounded.high + increment.high)
    return Bounds(np.minimum(fused.low, apart.low), np.maximum(fused.high, apart.high))


# -- sums ---------------------------------------------------------------------------------------------


def summed(exact: Bounds, sizes: np.ndarray, terms: int) -> Bounds:
    """A sum of so many products, whose exact value has these bounds and whose terms have these absolute values."""
    return exact.widened(SLACK * ((terms + 2) * (ROUNDING + _FLOAT64) * sizes + (terms + 2) * TINY))


def linear(matrix: np.ndarray, x: Bounds, bias: np.ndarray | None = None) -> Bounds:
    """matrix x + bias with a matrix (out, in) of float32 numbers, on rows (..., in)."""
    middle, radius = (x.low + x.high) / 2, (x.high - x.low) / 2
    sizes = np.abs(matrix)
    centre, around, largest = middle @ matrix.T, radius @ sizes.T, x.largest @ sizes.T
    if bias is not None:
        centre, largest = centre + bias, largest + np.abs(bias)
    around = around * (1 + (matrix.shape[1] + 4) * _FLOAT64)
    return summed(Bounds(centre - around, centre + around), largest, matrix.shape[1] + 1)


# -- functions ----------------------------------------------------------------------------------------


def approximated(low: np.ndarray, high: np.ndarray) -> Bounds:
    """What a function gives whose exact values lie between these."""
    error = SLACK * FUNCTION + _FLOAT64
    return Bounds(low - error * np.abs(low) - SLACK * TINY, high + error * np.abs(high) + SLACK * TINY)


def silu(x: Bounds) -> Bounds:
    """x / (1 + exp(-x)), which falls down to its least value and rises from there."""
    ends = [end / (1 + np.exp(-np.maximum(end, -700.0))) for end in (x.low, x.high)]
    where, lowest = SILU_LOWEST
    low = np.where((x.low <= where) & (where <= x.high), lowest, np.minimum(*ends))
    return approximated(low, np.maximum(*ends))


def softplus(x: Bounds) -> Bounds:
    """log(1 + exp(x)), exactly 0 far below 0."""
    found = approximated(np.logaddexp(0, x.low), np.logaddexp(0, x.high))
    zero = x.high <= SOFTPLUS_ZERO
    return Bounds(np.where(zero, 0.0, np.maximum(found.low, 0.0)), np.where(zero, 0.0, found.high))


def decay(x: Bounds) -> Bounds:
    """exp(-x) for x >= 0: exactly 1 at 0, and never above."""
    found = approximated(np.exp(-x.high), np.exp(-x.low))
    one = x.high == 0
    return Bounds(np.where(one, 1.0, np.clip(found.low, 0, 1)), np.where(one, 1.0, np.clip(found.high, 0, 1)))


def normalised(x: Bounds, epsilon: float, gain: np.ndarray) -> Bounds:
    """gain x / sqrt(mean(x^2) + epsilon) on rows (..., d)."""
    width = x.low.shape[-1]
    least, greatest = _squares(x)
    others = (
        least.sum(-1, keepdims=True) * (1 - 1e-12) - least,
        greatest.sum(-1, keepdims=True) * (1 + 1e-12) - greatest,
    )
    fewest, most = np.maximum(others[0], 0), others[1]

    def scaled(value: np.ndarray, rest: np.ndarray) -> np.ndarray:
        return value / np.sqrt((value * value + rest) / width + epsilon)

    high = np.where(x.high >= 0, scaled(x.high, fewest), scaled(x.high, most))
    low = np.where(x.low >= 0, scaled(x.low, most), scaled(x.low, fewest))
    error = SLACK * norm_error(width)
    ends = products(Bounds(low - error * np.abs(low), high + error * np.abs(high)), Bounds.exactly(gain))
    return ends.widened(SLACK * (1 + np.abs(gain)) * TINY)


def reciprocal_norm(x: Bounds, epsilon: float) -> Bounds:
    """1 / sqrt(mean(x^2) + epsilon) of rows (..., d), as one column."""
    width = x.low.shape[-1]
    least, greatest = (squares.sum(-1, keepdims=True) for squares in _squares(x))
    error = SLACK * norm_error(width)
    return Bounds(
        (1 - error) / np.sqrt(greatest * (1 + 1e-12) / width + epsilon),
        (1 + error) / np.sqrt(least * (1 - 1e-12) / width + epsilon),
    )


def norm_error(width: int) -> float:
    """The relative error of a normed number: of the mean of squares (its sum, the division, epsilon, underflow), of the
    root, and of two products.
    """
    return (width + 10) * ROUNDING + FUNCTION + _FLOAT64


def _squares(x: Bounds) -> tuple[np.ndarray, np.ndarray]:
    ends = x.low * x.low, x.high * x.high
    return np.where((x.low <= 0) & (x.high >= 0), 0.0, np.minimum(*ends)), np.maximum(*ends)
