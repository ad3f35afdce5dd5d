"""PARITY, the words over {0, 1} with an even number of 1s, in the ways in which it can be had after all.

No nonnegative model has it at finite precision, *provided that* the features of each layer form a finite set and that
nothing rounds what grows without bound (Sarrof, Veitsman, Hahn 2024, Theorem 2).  So each model here breaks one
condition:

* a gate of -1 (:func:`parity`, by the signed target of :mod:`constructions.ssm.signed`);
* integers that wrap round (:func:`wrapping_parity`);
* a layer that reads an unbounded feature (:func:`unbounded_parity`);
* a phi that rounds half of an unbounded state before its clip (:func:`rounding_parity`): one layer, gate 1, and
  all features finite.
"""

from __future__ import annotations

import numpy as np

from automata.machine import ACCEPT
from constructions.cascade import Cascade, Emit, In, Is, Level, Permutation, Permute, Rule
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM

BITS = ("0", "1")


def parity() -> Cascade:
    """PARITY as a cascade of one register, which every 1 swaps.

    >>> from automata.machine import run
    >>> parity().accepts(run(parity(), "0110")), parity().accepts(run(parity(), "1"))
    (True, False)
    """
    odd = Permutation("odd", 2, (Rule((In({"1"}),), Permute((1, 0))),))
    return Cascade(BITS, (Level((odd,)),), (ACCEPT,), (Emit((Is("odd", 0),), {ACCEPT}),))


def wrapping_parity(arithmetic: Arithmetic) -> SSM:
    """One layer with gate 1 that adds 2^(P-1) modulo 2^P on each 1.

    >>> wrapping_parity(Arithmetic.parse("wrap:8")).layers[0].increment.matrix.toarray().tolist()
    [[128]]
    """
    half = 1 << (arithmetic.bits - 1)
    layer = Layer(
        gate=_affine([[0]], [1]),
        increment=_affine([[half]], [0]),
        initial=np.zeros(1, dtype=np.int64),
        phi=(Mix(_affine([[1, 0]], [0]), "linear", names=("sum",)),),
        names=("sum",),
    )
    return _recogniser((layer,), _affine([[-1]], [1]), arithmetic)


def unbounded_parity(arithmetic: Arithmetic) -> SSM:
    """Two nonnegative layers in ``fixed:P`` with a linear phi.

    The first counts the 1s in units of 2^-P; the second, with gate 0, halves the count, rounded down; the count minus
    twice the half is 0 or one unit.
    """
    bits = arithmetic.bits
    count = Layer(
        gate=_affine([[0]], [1]),
        increment=_affine([[1]], [0], bits),
        initial=np.zeros(1, dtype=np.int64),
        phi=(Mix(_affine([[1, 0]], [0]), "linear", names=("count",)),),
        names=("count",),
    )
    half = Layer(
        gate=_affine([[0]], [0]),
        increment=_affine([[1]], [0], 1),
        initial=np.zeros(1, dtype=np.int64),
        phi=(Mix(_affine([[-2, 1]], [0]), "linear", names=("count - 2 half",)),),
        names=("half",),
    )
    return _recogniser((count, half), _affine([[-1 << bits]], [1]), arithmetic)


def rounding_parity(arithmetic: Arithmetic) -> SSM:
    """One nonnegative layer in ``fixed:P`` whose phi ends in a clip: its two stages do what the two layers above do."""
    bits = arithmetic.bits
    layer = Layer(
        gate=_affine([[0]], [1]),
        increment=_affine([[1]], [0], bits),
        initial=np.zeros(1, dtype=np.int64),
        phi=(
            Mix(_affine([[2, 0], [1, 0]], [0, 0], 1), "linear", names=("count", "half")),
            Mix(_affine([[1, -2, 0]], [0]), "clip", 0, 1, names=("count - 2 half",)),
        ),
        names=("count",),
    )
    return _recogniser((layer,), _affine([[-1 << bits]], [1]), arithmetic)


def _recogniser(layers: tuple[Layer, ...], readout: Affine, arithmetic: Arithmetic) -> SSM:
    """Over {0, 1}, from one feature that is 1 on the symbol 1."""
    embedding = np.array([[0], [1], [0]], dtype=np.int64)
    return SSM(BITS, (ACCEPT,), embedding, layers, readout, arithmetic, names=("symbol 1",))


def _affine(rows: list[list[int]], bias: list[int], exponent: int = 0) -> Affine:
    return Affine(np.array(rows, dtype=np.int64), np.array(bias), exponent)
