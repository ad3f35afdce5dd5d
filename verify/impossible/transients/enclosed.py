"""A run of an exact model between bounds of a fixed number of digits.

The fractions of an exact run grow with every symbol, with several layers faster than its length.  Here every number is
held between two multiples of 2^-bits instead, rounded outwards in each operation, and an answer is given only where its
sign is certain.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM
from verify.numbers.intervals import Intervals

_BITS = 192
"""Fractional digits: a run of hundreds of symbols then loses none that matter, gates of at most 1 making no error
larger.
"""


class EnclosedRun:
    """The steps of one model in ``exact`` arithmetic, on boxes that hold its exact numbers.

    A state is a list of boxes, one for each layer, whose ends are Python integers over 2^bits in object arrays.

    >>> from automata.machine import ACCEPT
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.random_ssm import random_ssm
    >>> ssm = random_ssm(1, depth=2, width=3, arithmetic=Arithmetic("exact"))
    >>> run = EnclosedRun(ssm)
    >>> state, answer = run.begin()
    >>> answer == ssm.initial.outputs
    True
    """

    def __init__(self, ssm: SSM, bits: int = _BITS):
        self.ssm, self.bits = ssm, bits
        self._maps = {name: _Map(affine, bits) for name, affine in ssm.affines()}
        self._embedding = [self._constant(row, ssm.embedding_exponent) for row in ssm.embedding]

    def begin(self) -> tuple[list[Intervals], frozenset[str] | None]:
        """The state after BOS, and the outputs there: None where some output is not certain."""
        start = [self._constant(layer.initial, layer.initial_exponent) for layer in self.ssm.layers]
        return self._step(start, len(self.ssm.alphabet))

    def read(self, state: list[Intervals], symbols: list[int]) -> tuple[list[Intervals], frozenset[str] | None]:
        """The state and the outputs after these symbols, at least one, given by their indices."""
        answer = None
        for symbol in symbols:
            state, answer = self._step(state, symbol)
        return state, answer

    def numbers(self, state: list[Intervals]) -> Intervals:
        """All state coordinates, first layer first, as Fractions."""
        unit = Fraction(1, 1 << self.bits)
        return Intervals(*(np.concatenate([box[end] for box in state]) * unit for end in (0, 1)))

    def _step(self, state: list[Intervals], symbol: int) -> tuple[list[Intervals], frozenset[str] | None]:
        x, after = self._embedding[symbol], []
        for number, (layer, h) in enumerate(zip(self.ssm.layers, state)):
            h = self._updated(number, h, x)
            after.append(h)
            x = self._phi(number, layer, h, x)
        low, high = self._maps["readout"].sums(x)
        if any(least <= 0 < greatest for least, greatest in zip(low, high)):
            return after, None
        return after, frozenset(name for name, least in zip(self.ssm.outputs, low) if least > 0)

    def _updated(self, number: int, h: Intervals, x: Intervals) -> Intervals:
        gates, added = self._maps[f"layers.{number}.gate"](x), self._maps[f"layers.{number}.increment"](x)
        products = [gate * end for gate in gates for end in h]
        low, high = np.minimum.reduce(products), np.maximum.reduce(products)
        return Intervals((low >> self.bits) + added.low, -(-high >> self.bits) + added.high)

    def _phi(self, number: int, layer: Layer, h: Intervals, x: Intervals) -> Intervals:
        z = h
        for stage, mix in enumerate(layer.phi):
            raw = self._maps[f"layers.{number}.phi.{stage}"](z.then(x))
            z = Intervals(*(self._activated(mix, end) for end in raw))
        return z

    def _activated(self, mix: Mix, values: np.ndarray) -> np.ndarray:
        if mix.activation == "relu":
            return np.maximum(values, 0)
        if mix.activation == "clip":
            ends = self._constant(np.array([mix.low, mix.high]), mix.affine.exponent)
            return np.minimum(np.maximum(values, ends.low[0]), ends.high[1])
        return values

    def _constant(self, integers: np.ndarray, exponent: int) -> Intervals:
        scaled = integers.astype(object) << self.bits
        return Intervals(scaled >> exponent, -(-scaled >> exponent))


class _Map:
    """An affine map on such boxes."""

    def __init__(self, affine: Affine, bits: int):
        matrix = affine.matrix
        self.weights, self.inputs, self.rising = matrix.data.astype(object), matrix.indices, matrix.data > 0
        self.rows = np.flatnonzero(np.diff(matrix.indptr))
        self.starts = matrix.indptr[self.rows]
        self.bias, self.exponent = affine.bias.astype(object) << bits, affine.exponent

    def sums(self, x: Intervals) -> Intervals:
        """The map before the division by 2^exponent."""
        low, high = x.low[self.inputs], x.high[self.inputs]
        return Intervals(self._summed(np.where(self.rising, low, high)), self._summed(np.where(self.rising, high, low)))

    def _summed(self, values: np.ndarray) -> np.ndarray:
        sums = self.bias.copy()
        if len(self.rows):
            sums[self.rows] += np.add.reduceat(self.weights * values, self.starts)
        return sums

    def __call__(self, x: Intervals) -> Intervals:
        low, high = self.sums(x)
        return Intervals(low >> self.exponent, -(-high >> self.exponent))
