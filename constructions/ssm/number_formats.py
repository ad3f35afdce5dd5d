"""How the engine stores numbers: scaled integers, IEEE floats, or (slowly) rationals.

All three offer the same few operations on arrays, rows first.  *Raw* values are results of an affine map before
anything is rounded.  Exactness is checked, not hoped for: where a float matrix product stands in for integers,
every partial sum in any order lies between minus the sum of the negative products and the sum of the positive
ones, and both are checked against the bound; a failure is an InputError.

These bounds are computed in float64 themselves, and cannot come out too small: their terms are nonnegative, rounding
keeps order, and the bound that they are held against (at most 2^53) is a float64, below which integers are exact.
Bounds on int64 arrays are Python integers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Callable, Sequence, Union

import numpy as np

from automata.errors import InputError
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM

_DENSE_ENTRIES = 1 << 16
_SPARSE_SHARE, _SPARSE_ROWS = 64, 64
"""A matrix of which no more than this share is not 0 is multiplied as a sparse one with so many rows."""


class Product:
    """x -> x W^T + c for rows x, in float64, dense where that is small, sparse elsewhere, and where many rows are
    multiplied by what is 0 but for little.
    """

    def __init__(self, affine: Affine):
        matrix = affine.matrix.astype(np.float64)
        dense = (
            matrix.shape[0] * matrix.shape[1] <= _DENSE_ENTRIES or matrix.nnz * 4 > matrix.shape[0] * matrix.shape[1]
        )
        self.matrix = matrix.toarray().T.copy() if dense else matrix.T.tocsr()
        few = dense and matrix.nnz * _SPARSE_SHARE <= matrix.shape[0] * matrix.shape[1]
        self._sparse = matrix.tocsr() if few else None
        rows = self.matrix.T if dense else matrix
        self.size, self.positive, self.negative = abs(rows), rows * (rows > 0), -rows * (rows < 0)
        self.bias = affine.bias.astype(np.float64)
        self.largest = max(np.abs(matrix.data).max(initial=0), np.abs(self.bias).max(initial=0))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        if self._sparse is not None and len(x) >= _SPARSE_ROWS:
            return np.asarray((self._sparse @ x.T).T) + self.bias
        if isinstance(self.matrix, np.ndarray):
            return x @ self.matrix + self.bias
        return np.asarray((self.matrix.T @ x.T).T) + self.bias

    def partial_sums(self, least: np.ndarray, greatest: np.ndarray, unit: float = 1.0) -> float:
        """A bound on every partial sum's absolute value, when input i lies in [least[i], greatest[i]].

        ``unit`` is the weight of the bias (the inputs may be scaled).
        """
        low, high = np.minimum(least, 0), np.maximum(greatest, 0)
        up = self.positive @ high - self.negative @ low + np.maximum(self.bias, 0) * unit
        down = self.negative @ high - self.positive @ low + np.maximum(-self.bias, 0) * unit
        return float(max(up.max(initial=0), down.max(initial=0)))

    def stays_below(self, limit: float, x: np.ndarray, unit: float = 1.0) -> float | None:
        """None when no partial sum over these rows can reach the limit, else the bound that could."""
        # Columns side by side in memory: the extremes of long rows are found much sooner than those of many short ones.
        columns = np.ascontiguousarray(x.T)
        return self.within(limit, columns.min(axis=1), columns.max(axis=1), unit)

    def within(self, limit: float, least: np.ndarray, greatest: np.ndarray, unit: float = 1.0) -> float | None:
        """As :meth:`stays_below`, when input i lies in [least[i], greatest[i]]."""
        coarse = self.size @ np.maximum(-least, greatest) + np.abs(self.bias) * unit
        if coarse.max(initial=0) < limit:
            return None
        bound = self.partial_sums(least, greatest, unit)
        return None if bound < limit else bound


class ScaledIntegers:
    """int64 arrays of value * 2^unit_bits, for ``fixed``, ``wrap``, and ``exact`` with integer weights."""

    dtype = np.dtype(np.int64)

    def __init__(self, arithmetic: Arithmetic):
        self.arithmetic = arithmetic
        self.unit_bits = arithmetic.unit_bits
        self.limit = arithmetic.limit

    def stored(self, integers: np.ndarray, exponent: int) -> np.ndarray:
        """integers / 2^exponent, rounded down to the unit."""
        return _shift(integers, exponent - self.unit_bits)

    def affine(self, product: Product, affine: Affine, x: np.ndarray) -> np.ndarray:
        """Raw values: integers over 2^(affine.exponent + unit_bits), below the limit in absolute value."""
        if len(x) == 0:
            return np.zeros((0, affine.outputs), dtype=np.int64)
        bias_unit = 1 << self.unit_bits
        # Column by column in memory, as they are looked through.
        x = np.asfortranarray(x, dtype=np.float64)
        if (bound := product.stays_below(self.limit, x, bias_unit)) is not None:
            check_bound(bound, self.limit, self.arithmetic)
        values = product(x)
        if self.unit_bits:
            values += product.bias * (bias_unit - 1)
        return values.astype(np.int64)

    def sums_exactly(self, product: Product, affine: Affine, columns: Sequence[np.ndarray]) -> bool:
        """Whether no sum leaves the exact range when input i has any of the values ``columns[i]``."""
        return product.within(self.limit, *_extremes(columns), 1 << self.unit_bits) is None

    def mix(self, product: Product, mix: Mix, x: np.ndarray) -> np.ndarray:
        return self.activated(mix, self.affine(product, mix.affine, x))

    def activated(self, mix: Mix, raw: np.ndarray) -> np.ndarray:
        """What a mix makes of the raw values of its affine map."""
        values = _shift(raw, mix.affine.exponent)
        if mix.activation == "relu":
            return np.maximum(values, 0)
        if mix.activation == "clip":
            low, high = (n << self.unit_bits >> mix.affine.exponent for n in (mix.low, mix.high))
            check_bound(max(low, -high), self.limit, self.arithmetic)
            # All values are within the limit, so a bound beyond it clips nothing, and need not fit into 64 bits.
            return np.clip(values, max(low, -self.limit), min(high, self.limit))
        return values

    def positive(self, raw: np.ndarray) -> np.ndarray:
        return raw > 0

    def gates(self, layer: Layer, raw: np.ndarray) -> np.ndarray:
        return raw

    def one(self, layer: Layer) -> int:
        """A raw gate of 1."""
        return 1 << (layer.gate.exponent + self.unit_bits)

    def binary(self, layer: Layer, gates: np.ndarray) -> np.ndarray:
        """Per coordinate: are all its gates 0 or 1?"""
        return ((gates == 0) | (gates == self.one(layer))).all(axis=0)

    def added(self, layer: Layer, increments: np.ndarray) -> np.ndarray:
        """What a step with gate 0 or 1 adds to the stored state."""
        return _shift(increments, layer.increment.exponent)

    def wrapped(self, h: np.ndarray) -> np.ndarray:
        if self.arithmetic.kind != "wrap":
            return h
        return h.astype(np.int64, copy=False) & ((1 << self.arithmetic.bits) - 1)

    def update(self, layer: Layer, gates: np.ndarray, h: np.ndarray, increments: np.ndarray) -> np.ndarray:
        """round(gate * h + increment) for raw gates and increments of any value."""
        return self.updater(layer, gates, increments, h, 1)(h)

    def updater(self, layer: Layer, gates: np.ndarray, increments: np.ndarray, h: np.ndarray, steps: int) -> Callable:
        """The function h -> round(gate * h + increment), to be used so many times from ``h`` on."""
        a, b = layer.gate.exponent + self.unit_bits, layer.increment.exponent
        # Binary places that no gate uses are not carried along.
        used = int(np.bitwise_or.reduce(gates, axis=None)) | (1 << a)
        unused = min((used & -used).bit_length() - 1, 63)
        gates, a = gates >> unused, a - unused
        # floor((x + y / 2^n) / 2^m) = floor((x + floor(y / 2^n)) / 2^m) for a whole x: nothing is ever shifted to the
        # left.
        exponent = min(a, b)
        largest_gate, largest, size = largest_size(gates), largest_size(increments), largest_size(h)
        # With gates of at most 1 the state grows by at most one increment per step; otherwise each step is checked.
        once = steps == 1 or largest_gate <= 1 << a
        reach = size + (steps - 1) * ((largest >> b) + 1)
        if once and largest_gate * reach + largest >= 1 << 62:
            raise InputError(f"a state grows beyond the 62 bits that {self.arithmetic} arithmetic is run in")
        if not once:
            return lambda h: self.updater(layer, gates << unused, increments, h, 1)(h)
        increments = _shift(increments, b - exponent)
        return lambda h: self.wrapped(_shift(_shift(gates * h, a - exponent) + increments, exponent))


class Floats:
    """float16, float32 or float64 arrays; every operation rounds, to infinity where it overflows, without a warning."""

    def __init__(self, arithmetic: Arithmetic):
        self.arithmetic = arithmetic
        self.dtype = np.dtype(str(arithmetic))
        self.limit = arithmetic.limit
        self.most_bits = -np.log2(np.float64(np.finfo(self.dtype).smallest_subnormal))  # of a fraction

    def stored(self, integers: np.ndarray, exponent: int) -> np.ndarray:
        return np.ldexp(np.asarray(integers, dtype=np.float64), -exponent).astype(self.dtype)

    def affine(self, product: Product, affine: Affine, x: np.ndarray) -> np.ndarray:
        """affine(x), as if summed over the inputs in order, the bias last, rounding at each operation."""
        if len(x) == 0:
            return np.zeros((0, affine.outputs), dtype=self.dtype)
        scaled = x.astype(np.float64) * 4
        if self._in_quarters(product, affine, scaled):
            # Everything is a multiple of one unit and no partial sum leaves the exact range, so nothing
            # rounds and the order of summation does not matter: a matrix product gives the defined result.
            if product.stays_below(self.limit, scaled, 4.0) is None:
                values = product(scaled) + product.bias * 3
                return np.ldexp(values, -2 - affine.exponent).astype(self.dtype)
        matrix = affine.matrix.toarray()
        weights = self.stored(matrix, affine.exponent)
        total = np.zeros((len(x), affine.outputs), dtype=self.dtype)
        for i in np.flatnonzero(matrix.any(axis=0)):
            used = np.flatnonzero(matrix[:, i])
            total[:, used] += x[:, i, None] * weights[used, i]
        return total + self.stored(affine.bias, affine.exponent)

    def _in_quarters(self, product: Product, affine: Affine, scaled: np.ndarray) -> bool:
        """Whether weights are stored as they are, and inputs, given in quarters, are whole."""
        representable = product.largest < self.limit and affine.exponent + 2 <= self.most_bits
        return representable and bool((np.abs(scaled) < 2**50).all() and (scaled == np.rint(scaled)).all())

    def sums_exactly(self, product: Product, affine: Affine, columns: Sequence[np.ndarray]) -> bool:
        """As that of :class:`ScaledIntegers`."""
        scaled = [column.astype(np.float64) * 4 for column in columns]
        quarters = all(self._in_quarters(product, affine, column) for column in scaled)
        return quarters and product.within(self.limit, *_extremes(scaled), 4.0) is None

    def mix(self, product: Product, mix: Mix, x: np.ndarray) -> np.ndarray:
        values = self.affine(product, mix.affine, x)
        if mix.activation == "relu":
            return np.maximum(values, 0)
        if mix.activation == "clip":
            low, high = self.stored(np.array([mix.low, mix.high]), mix.affine.exponent)
            return np.clip(values, low, high)
        return values

    def positive(self, raw: np.ndarray) -> np.ndarray:
        return raw > 0

    def gates(self, layer: Layer, raw: np.ndarray) -> np.ndarray:
        if layer.gate_function == "affine":
            return raw
        flat = [reference.gate_function(layer.gate_function, value) for value in raw.ravel()]
        return np.array(flat, dtype=self.dtype).reshape(raw.shape)

    def one(self, layer: Layer) -> int:
        return 1

    def binary(self, layer: Layer, gates: np.ndarray) -> np.ndarray:
        return ((gates == 0) | (gates == 1)).all(axis=0)

    def added(self, layer: Layer, increments: np.ndarray) -> np.ndarray:
        return increments

    def wrapped(self, h: np.ndarray) -> np.ndarray:
        return h

    def update(self, layer: Layer, gates: np.ndarray, h: np.ndarray, increments: np.ndarray) -> np.ndarray:
        # Adding 0 turns -0 into 0: the two are equal numbers, and are to be equal states.
        return gates * h + increments + 0.0

    def updater(self, layer: Layer, gates: np.ndarray, increments: np.ndarray, h: np.ndarray, steps: int) -> Callable:
        return lambda h: self.update(layer, gates, h, increments)


class Rationals:
    """Arrays of Fractions: ``exact`` arithmetic with fractional weights.  Slow, and grows with every step."""

    dtype = np.dtype(object)

    def __init__(self, arithmetic: Arithmetic):
        self.arithmetic = arithmetic

    def stored(self, integers: np.ndarray, exponent: int) -> np.ndarray:
        return np.frompyfunc(lambda n: Fraction(int(n), 1 << exponent), 1, 1)(np.asarray(integers, dtype=object))

    def affine(self, product: Product, affine: Affine, x: np.ndarray) -> np.ndarray:
        rows = [reference.apply(self.arithmetic, affine, row) for row in x]
        values = np.empty((len(x), affine.outputs), dtype=object)
        for i, row in enumerate(rows):
            values[i, :] = row
        return values

    def mix(self, product: Product, mix: Mix, x: np.ndarray) -> np.ndarray:
        values = self.affine(product, mix.affine, x)
        if mix.activation == "relu":
            return np.maximum(values, _exact(Fraction(0)))
        if mix.activation == "clip":
            low, high = (_exact(Fraction(n, 1 << mix.affine.exponent)) for n in (mix.low, mix.high))
            return np.minimum(np.maximum(values, low), high)
        return values

    def positive(self, raw: np.ndarray) -> np.ndarray:
        return (raw > 0).astype(bool)

    def gates(self, layer: Layer, raw: np.ndarray) -> np.ndarray:
        return raw

    def one(self, layer: Layer) -> int:
        return 1

    def binary(self, layer: Layer, gates: np.ndarray) -> np.ndarray:
        return np.zeros(gates.shape[1], dtype=bool)

    def added(self, layer: Layer, increments: np.ndarray) -> np.ndarray:
        return increments

    def wrapped(self, h: np.ndarray) -> np.ndarray:
        return h

    def update(self, layer: Layer, gates: np.ndarray, h: np.ndarray, increments: np.ndarray) -> np.ndarray:
        return gates * h + increments

    def updater(self, layer: Layer, gates: np.ndarray, increments: np.ndarray, h: np.ndarray, steps: int) -> Callable:
        return lambda h: self.update(layer, gates, h, increments)


def _exact(number: Fraction) -> np.ndarray:
    """A Fraction as an array without axes."""
    return np.array(number, dtype=object)


NumberFormat = Union[ScaledIntegers, Floats, Rationals]


def numbers_for(ssm: SSM) -> NumberFormat:
    """The number format in which this model is run."""
    if ssm.arithmetic.is_float:
        return Floats(ssm.arithmetic)
    exponents = [ssm.embedding_exponent, *(layer.initial_exponent for layer in ssm.layers)]
    exponents += [affine.exponent for name, affine in ssm.affines() if name != "readout"]
    if ssm.arithmetic.kind == "exact" and any(exponents):
        return Rationals(ssm.arithmetic)
    return ScaledIntegers(ssm.arithmetic)


def check_bound(value: int | float, limit: int, arithmetic: Arithmetic) -> None:
    """Raises when integers could reach the bound below which the arithmetic is run exactly."""
    if not value < limit:
        raise InputError(
            f"values could reach {value:.3g}, and {arithmetic} arithmetic is run exactly below "
            f"2^{limit.bit_length() - 1} only: "
            "use shorter strings"
        )


def _extremes(columns: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value of each column, as float64."""
    least, greatest = zip(*((column.min(initial=0), column.max(initial=0)) for column in columns))
    return np.array(least, dtype=np.float64), np.array(greatest, dtype=np.float64)


def largest_size(integers: np.ndarray) -> int:
    """The largest absolute value, as a Python integer: NumPy's of -2^63 is negative."""
    return max(int(integers.max(initial=0)), -int(integers.min(initial=0)))


def _shift(integers: np.ndarray, exponent: int) -> np.ndarray:
    """floor(integers / 2^exponent)."""
    if exponent >= 0:
        return integers >> min(exponent, 63)
    if largest_size(np.asarray(integers)) >= 1 << max(62 + exponent, 0):
        raise InputError(f"a weight with {-exponent} fractional bits needs more than the 62 bits that it is run in")
    return integers << -exponent
