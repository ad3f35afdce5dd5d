"""One step of a model, slow and obvious: the definition that the fast engine is held against.

Numbers are Fractions (``exact``, ``fixed``, ``wrap``) or NumPy float scalars (floats, where every single
operation rounds, sums running over the inputs in order, the bias last).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Mapping, Protocol, Sequence

import numpy as np

from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix

_ieee = np.errstate(over="ignore", invalid="ignore")
"""A float that overflows is infinite, and infinity less infinity is no number: values like others, and no warnings."""


class ModelWeights(Protocol):
    """What a step reads of a model; :class:`constructions.ssm.weights.SSM` says what it means."""

    @property
    def arithmetic(self) -> Arithmetic: ...

    @property
    def symbol_index(self) -> Mapping[str, int]: ...

    @property
    def embedding(self) -> np.ndarray: ...

    @property
    def embedding_exponent(self) -> int: ...

    @property
    def layers(self) -> tuple[Layer, ...]: ...

    @property
    def readout(self) -> Affine: ...

    @property
    def outputs(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class ModelState:
    """All h, layer by layer, and what was given out after the last symbol."""

    h: tuple[tuple, ...]
    outputs: frozenset[str]


@_ieee
def start(ssm: ModelWeights) -> ModelState:
    """The state before BOS: h_0 as stored, nothing given out."""
    h = tuple(
        tuple(
            stored_state(ssm.arithmetic, number(ssm.arithmetic, int(n), layer.initial_exponent)) for n in layer.initial
        )
        for layer in ssm.layers
    )
    return ModelState(h, frozenset())


def step(ssm: ModelWeights, state: ModelState, symbol: str) -> ModelState:
    """Reads one symbol (or BOS).  O(nonzero weights)."""
    return step_with_gates(ssm, state, symbol)[0]


@_ieee
def step_with_gates(ssm: ModelWeights, state: ModelState, symbol: str) -> tuple[ModelState, tuple[tuple, ...]]:
    """The state after one symbol, and the gates of that step, layer by layer."""
    arithmetic = ssm.arithmetic
    row = ssm.embedding[ssm.symbol_index[symbol]]
    x: Sequence = [stored_value(arithmetic, number(arithmetic, int(n), ssm.embedding_exponent)) for n in row]
    new_h, all_gates = [], []
    for layer, h in zip(ssm.layers, state.h):
        gates = gate_values(arithmetic, layer, x)
        increments = apply(arithmetic, layer.increment, x)
        new = tuple(stored_state(arithmetic, a * value + b) for a, value, b in zip(gates, h, increments))
        x = layer_features(arithmetic, layer, new, x)
        new_h.append(new)
        all_gates.append(tuple(gates))
    numbers = apply(arithmetic, ssm.readout, x)
    outputs = frozenset(name for name, v in zip(ssm.outputs, numbers) if v > 0)
    return ModelState(tuple(new_h), outputs), tuple(all_gates)


def layer_features(arithmetic: Arithmetic, layer: Layer, h: Sequence, x: Sequence) -> tuple:
    """phi(h, x): what the layer gives to the next one."""
    z = tuple(h)
    for mix in layer.phi:
        z = tuple(_mix(arithmetic, mix, [*z, *x]))
    return z


def gate_values(arithmetic: Arithmetic, layer: Layer, x: Sequence) -> list:
    """A(x), the gate function applied."""
    values = apply(arithmetic, layer.gate, x)
    if layer.gate_function == "affine":
        return values
    return [gate_function(layer.gate_function, value) for value in values]


def gate_function(name: str, value):
    """sigmoid or exp(-softplus), computed in double precision and rounded once to the value's type.

    Both are 1 / (1 + exp(-v)) up to the sign of v.
    """
    v = float(value) if name == "sigmoid" else -float(value)
    result = 1.0 / (1.0 + math.exp(-v)) if v >= 0 else math.exp(v) / (1.0 + math.exp(v))
    return type(value)(result)


def _mix(arithmetic: Arithmetic, mix: Mix, inputs: Sequence) -> list:
    values = [stored_value(arithmetic, v) for v in apply(arithmetic, mix.affine, inputs)]
    zero = number(arithmetic, 0, 0)
    if mix.activation == "relu":
        return [max(v, zero) for v in values]
    if mix.activation == "clip":
        low, high = (stored_value(arithmetic, number(arithmetic, n, mix.affine.exponent)) for n in (mix.low, mix.high))
        return [min(max(v, low), high) for v in values]
    return values


def apply(arithmetic: Arithmetic, affine: Affine, inputs: Sequence) -> list:
    """affine(inputs), inputs in order, bias last."""
    results = []
    indptr, indices, data = affine.matrix.indptr, affine.matrix.indices, affine.matrix.data
    for row in range(affine.outputs):
        total = number(arithmetic, 0, 0)
        for place in range(indptr[row], indptr[row + 1]):
            total = total + number(arithmetic, int(data[place]), affine.exponent) * inputs[indices[place]]
        results.append(total + number(arithmetic, int(affine.bias[row]), affine.exponent))
    return results


def number(arithmetic: Arithmetic, integer: int, exponent: int):
    """integer / 2^exponent in this arithmetic's own type."""
    if arithmetic.is_float:
        return np.dtype(str(arithmetic)).type(math.ldexp(integer, -exponent))
    return Fraction(integer, 1 << exponent)


def stored_value(arithmetic: Arithmetic, value):
    """A feature as it is stored."""
    return value if arithmetic.is_float else arithmetic.store(value)


def stored_state(arithmetic: Arithmetic, value):
    """A new state as it is stored."""
    return value if arithmetic.is_float else arithmetic.store_state(value)
