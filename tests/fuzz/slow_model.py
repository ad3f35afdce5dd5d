"""A saved model run from the definition of a step, on the arrays and the description as they are read from disk.

Nothing here is shared with the loader, the engine or the reference.  Numbers are Python integers and Fractions
(``exact``, ``fixed``, ``wrap``), or IEEE floats that are rounded in every single operation, sums running over the
inputs in order, the bias last.  Each coordinate is an array over a batch of states, so that one operation serves many
strings.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np


class SlowModel:
    """One model.  A state is a list of arrays, one for each coordinate of all layers, each over the batch."""

    def __init__(self, arrays: dict[str, np.ndarray], description: dict, arithmetic: str = ""):
        self.arrays = arrays
        self.arithmetic = arithmetic or description["arithmetic"]
        self.alphabet, self.outputs = tuple(description["alphabet"]), tuple(description["outputs"])
        self.mode = "recognise" if self.outputs == ("<accept>",) else "predictive"
        kind, _, bits = self.arithmetic.partition(":")
        self.is_float = kind.startswith("float")
        self.dtype = np.dtype(kind if self.is_float else object)
        self._unit = 1 << int(bits) if kind == "fixed" else 1 if kind == "wrap" else 0
        self._modulus = 1 << int(bits) if kind == "wrap" else 0
        self._store = np.frompyfunc(lambda v: _plain(Fraction(math.floor(v * self._unit), self._unit)), 1, 1)
        self._zero = self._number(0, 0)
        self._embedding = self._stored(self._numbers(arrays["embedding"], description["embedding"]["exponent"]))
        self._layers = []
        self.affine = all(layer["gate_function"] == "affine" for layer in description["layers"])
        for i, layer in enumerate(description["layers"]):
            gate = self._affine(f"layers.{i}.gate", layer["gate_exponent"])
            increment = self._affine(f"layers.{i}.increment", layer["increment_exponent"])
            mixes = [
                (self._affine(f"layers.{i}.phi.{j}", m["exponent"]), *self._activation(m))
                for j, m in enumerate(layer["phi"])
            ]
            self._layers.append((gate, layer["gate_function"], increment, mixes))
        self._readout = self._affine("readout", description["readout"]["exponent"])
        self._initial = [
            self._numbers(arrays[f"layers.{i}.initial"], layer["initial_exponent"])
            for i, layer in enumerate(description["layers"])
        ]

    def begin(self) -> tuple[list[np.ndarray], np.ndarray]:
        """State and outputs after BOS, a batch of one."""
        h = [self._stored(np.array([value], self.dtype), True) for values in self._initial for value in values]
        return self.step(h, np.array([len(self.alphabet)]))

    def step(self, h: list[np.ndarray], symbols: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """Each string of the batch reads its symbol (an index); the outputs are booleans of shape (outputs, batch)."""
        with np.errstate(all="ignore"):
            x = list(self._embedding[symbols].T)
            new, first = [], 0
            for gate, function, increment, mixes in self._layers:
                gates = [_gate(function, value) for value in self._apply(gate, x, symbols)]
                added = self._apply(increment, x, symbols)
                z = [self._stored(a * old + b, True) for a, old, b in zip(gates, h[first:], added)]
                new, first = new + z, first + len(z)
                for affine, low, high in mixes:
                    z = [self._stored(value) for value in self._apply(affine, [*z, *x], symbols)]
                    z = z if low is None else [np.maximum(value, low) for value in z]
                    z = z if high is None else [np.minimum(value, high) for value in z]
                x = z
            return new, np.array([value > 0 for value in self._apply(self._readout, x, symbols)], dtype=bool)

    def names(self, given: np.ndarray) -> frozenset[str]:
        """The outputs that one column of booleans stands for."""
        return frozenset(name for name, is_given in zip(self.outputs, given) if is_given)

    def _affine(self, name: str, exponent: int):
        """For each output its weights by column, zeros left out, and its bias."""
        weights: list[list] = [[] for _ in self.arrays[f"{name}.bias"]]
        entries = zip(*(self.arrays[f"{name}.{part}"].tolist() for part in ("rows", "columns", "values")))
        for row, column, value in sorted(entries):
            if value:
                weights[row].append((column, self._number(value, exponent)))
        return list(zip(weights, self._numbers(self.arrays[f"{name}.bias"], exponent)))

    def _apply(self, affine, inputs: list[np.ndarray], symbols: np.ndarray) -> list[np.ndarray]:
        results = []
        for weights, bias in affine:
            total = self._zero if weights else np.full(len(symbols), self._zero, self.dtype)
            for column, weight in weights:
                total = total + weight * inputs[column]
            results.append(total + bias)
        return results

    def _activation(self, mix: dict):
        """The bounds between which the values are cut; None where there is none."""
        if mix["activation"] == "clip":
            return self._stored(self._numbers([mix["low"], mix["high"]], mix["exponent"]))
        return (self._zero if mix["activation"] == "relu" else None), None

    def _numbers(self, integers, exponent: int) -> np.ndarray:
        integers = np.asarray(integers)
        numbers = np.empty(integers.shape, self.dtype)
        numbers.ravel()[:] = [self._number(n, exponent) for n in integers.ravel().tolist()]
        return numbers

    def _number(self, integer: int, exponent: int):
        if self.is_float:
            with np.errstate(all="ignore"):
                return self.dtype.type(math.ldexp(integer, -exponent))
        return _plain(Fraction(integer, 1 << exponent))

    def _stored(self, value: np.ndarray, state: bool = False) -> np.ndarray:
        value = self._store(value) if self._unit else value
        return value % self._modulus if state and self._modulus else value


def _plain(value: Fraction):
    """An integer where it is one: the same number, and faster."""
    return value.numerator if value.denominator == 1 else value


def _gate(function: str, values: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-v)), or 1 / (1 + exp(v)) for exp(-softplus(v)), in double precision, rounded once."""
    if function == "affine":
        return values

    def gate(v: float) -> float:
        v = v if function == "sigmoid" else -v
        return 1.0 / (1.0 + math.exp(-v)) if v >= 0 else math.exp(v) / (1.0 + math.exp(v))

    return np.array([gate(v) for v in values.tolist()]).astype(values.dtype)
