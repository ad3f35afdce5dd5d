"""One step of a model's weights on unbounded counters, as terms of linear integer arithmetic for an SMT solver.

Coordinates that R fixes are plain integers and are computed with; only what depends on a counter becomes a term, with
if-then-else where a ReLU depends on it.  Integers in, integers out: models with fractional weights, gate functions or
wrapping arithmetic are refused (:class:`verify.numbers.boxes.NotCovered`).

z3 is imported where it is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Sequence, Union

from automata.errors import InputError
from constructions.ssm.layers import Affine, Mix
from constructions.ssm.weights import SSM
from verify.numbers.boxes import check_covered

IntegerTerm = Union[int, Any]
"""A Python integer or a z3 integer term."""


class SolverMissing(InputError):
    """z3 is not installed."""

    def __init__(self) -> None:
        super().__init__("proofs about unbounded counters need z3: pip install z3-solver, or 'ssm-compiler[smt]'")


def load_z3():
    """The z3 module.

    Raises:
        SolverMissing: saying what to install.
    """
    try:
        import z3
    except ImportError:
        raise SolverMissing() from None
    return z3


@dataclass(frozen=True)
class SymbolicStep:
    """One symbolic step.

    Attributes:
        h: the states after it, layer by layer.
        gates, increments: of that step, layer by layer.
        outputs: the numbers whose signs are the outputs.
        sums: every product and partial sum on the way, in the order in which floats would add them.
    """

    h: list[list[IntegerTerm]]
    gates: list[list[IntegerTerm]]
    increments: list[list[IntegerTerm]]
    outputs: list[IntegerTerm]
    sums: list[IntegerTerm]


class Symbolic:
    """A model whose steps are taken on terms.

    Raises:
        NotCovered: for fractional weights, gate functions, and ``wrap`` arithmetic.
        SolverMissing: when z3 is not installed.
    """

    def __init__(self, ssm: SSM):
        self.z3 = load_z3()
        check_covered(ssm)
        self.ssm = ssm

    def step(self, h: Sequence[Sequence[IntegerTerm]], symbol: str) -> SymbolicStep:
        """Reads one symbol (or BOS) in the state h; O(non-zero weights) terms at most."""
        sums: list[IntegerTerm] = []
        x: list[IntegerTerm] = [int(n) for n in self.ssm.embedding[self.ssm.symbol_index[symbol]]]
        after: list[list[IntegerTerm]] = []
        all_gates: list[list[IntegerTerm]] = []
        all_increments: list[list[IntegerTerm]] = []
        for layer, state in zip(self.ssm.layers, h):
            gates, increments = self._affine(layer.gate, x, sums), self._affine(layer.increment, x, sums)
            products = [_note(_times(gate, value), sums) for gate, value in zip(gates, state)]
            z = [_note(_plus(product, increment), sums) for product, increment in zip(products, increments)]
            for values, kept in ((z, after), (gates, all_gates), (increments, all_increments)):
                kept.append(values)
            for mix in layer.phi:
                z = [_note(self._activate(mix, value), sums) for value in self._affine(mix.affine, [*z, *x], sums)]
            x = z
        return SymbolicStep(after, all_gates, all_increments, self._affine(self.ssm.readout, x, sums), sums)

    def _affine(self, affine: Affine, inputs: list[IntegerTerm], sums: list[IntegerTerm]) -> list[IntegerTerm]:
        results = []
        matrix = affine.matrix
        for row in range(affine.outputs):
            total: IntegerTerm = 0
            for place in range(matrix.indptr[row], matrix.indptr[row + 1]):
                product = _times(int(matrix.data[place]), inputs[matrix.indices[place]])
                total = _note(_plus(total, _note(product, sums)), sums)
            results.append(_note(_plus(total, int(affine.bias[row])), sums))
        return results

    def _activate(self, mix: Mix, value: IntegerTerm) -> IntegerTerm:
        if mix.activation == "linear":
            return value
        if mix.activation == "relu":
            return max(value, 0) if isinstance(value, int) else self.z3.If(value > 0, value, 0)
        if isinstance(value, int):
            return min(max(value, mix.low), mix.high)
        return self.z3.If(value < mix.low, mix.low, self.z3.If(value > mix.high, mix.high, value))


def _times(factor: IntegerTerm, value: IntegerTerm) -> IntegerTerm:
    if isinstance(factor, int) and factor in (0, 1):
        return value if factor else 0
    if isinstance(value, int) and value in (0, 1):
        return factor if value else 0
    return factor * value


def _plus(total: IntegerTerm, amount: IntegerTerm) -> IntegerTerm:
    if isinstance(amount, int) and amount == 0:
        return total
    return amount if isinstance(total, int) and total == 0 else total + amount


def _note(value: IntegerTerm, sums: list[IntegerTerm]) -> IntegerTerm:
    sums.append(value)
    return value
