"""The sticky register: what it may be told of, and every way in which a model can only look as if it had one."""

from dataclasses import replace

import numpy as np
import pytest

from automata.dfa import DFA
from automata.machine import ACCEPT, run
from automata.machines.bounded_dyck import DyckMachine
from constructions.cascade import Add, AtLeast, Cascade, Counter, Emit, In, Is, Level, Reset, Rule, Set
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from verify.methods.bisimulation import bisimulation
from verify.methods.sticky import find_sticky
from verify.testing.corruption import with_layer
from verify.verdict import PROVED, REFUTED

ONLY_AS = DFA("ab", [[1, 2], [1, 2], [2, 2]], [1])
"""The words a, aa, aaa, …: a single b is for ever."""


def check(machine, ssm, limit=500):
    engine = Engine(ssm)
    return bisimulation(machine, engine, "recognise", absorbed=find_sticky(engine), limit=limit)


def affine(matrix, bias, exponent=0):
    return Affine(np.array(matrix, dtype=np.int64), np.array(bias), exponent)


def recogniser(layer, readout, arithmetic="exact", embedding=((1, 0), (0, 1), (0, 0))):
    """A one-layer model over a and b; the features are "is a" and "is b"."""
    return SSM(("a", "b"), (ACCEPT,), np.array(embedding), (layer,), readout, Arithmetic.parse(arithmetic))


# -- where the argument holds -------------------------------------------------------------------------


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:0", "fixed:1", "fixed:8"])
@pytest.mark.parametrize("k, depth", [(1, 1), (3, 0), (2, 3), (8, 2)])
def test_recognition_is_proved_at_every_length(k, depth, arithmetic):
    ssm = lower(bounded_dyck(k, depth, "recognise"), Arithmetic.parse(arithmetic))
    sticky = find_sticky(Engine(ssm))
    assert sticky.name == "dead" and sticky.horizon is None
    verdict = check(DyckMachine(k, depth), ssm, limit=10_000)
    assert (verdict.outcome, verdict.horizon) == (PROVED, None)
    assert "'dead'" in verdict.reason and "every length" in verdict.reason


@pytest.mark.parametrize("arithmetic, most", [("float16", 2**11), ("float32", 2**24), ("float64", 2**53)])
def test_in_floats_the_proof_ends_where_counting_does(arithmetic, most):
    ssm = lower(bounded_dyck(2, 3, "recognise"), Arithmetic.parse(arithmetic))
    verdict = check(DyckMachine(2, 3), ssm)
    assert verdict.outcome == PROVED and most // 8 < verdict.horizon < most
    assert "every length" not in verdict.reason


def test_without_the_register_the_search_does_not_close():
    ssm = lower(bounded_dyck(2, 1, "recognise"), Arithmetic("exact"))
    verdict = bisimulation(DyckMachine(2, 1), Engine(ssm), "recognise", limit=2000)
    assert verdict.outcome == "undecided" and "not a proof" in verdict.reason


def test_wrapping_integers_keep_no_order_so_nothing_is_sticky():
    ssm = lower(bounded_dyck(2, 1, "recognise"), Arithmetic.parse("wrap:8"))
    assert find_sticky(Engine(ssm)) is None


# -- planted faults -----------------------------------------------------------------------------------


def dead_layer(ssm):
    return next(i for i, layer in enumerate(ssm.layers) if layer.names == ("dead",))


def with_dead(ssm, **changes):
    return with_layer(ssm, dead_layer(ssm), **changes)


@pytest.fixture
def dyck():
    return lower(bounded_dyck(2, 2, "recognise"), Arithmetic("exact"))


def refuted_or_unknown(ssm):
    verdict = check(DyckMachine(2, 2), ssm)
    assert verdict.outcome != PROVED
    if verdict.outcome == REFUTED:
        assert run(ssm, verdict.witness.word).outputs == verdict.witness.given
    return verdict


@pytest.mark.parametrize("gate", [0, -1])
def test_a_gate_that_forgets_or_flips(dyck, gate):
    faulty = with_dead(dyck, gate=replace(dyck.layers[dead_layer(dyck)].gate, bias=np.array([gate])))
    assert find_sticky(Engine(faulty)) is None
    assert refuted_or_unknown(faulty).outcome == REFUTED


def test_a_negative_increment(dyck):
    layer = dyck.layers[dead_layer(dyck)]
    faulty = with_dead(dyck, increment=replace(layer.increment, matrix=-layer.increment.matrix))
    assert find_sticky(Engine(faulty)) is None
    assert refuted_or_unknown(faulty).outcome == REFUTED


def test_an_increment_that_takes_one_back(dyck):
    layer = dyck.layers[dead_layer(dyck)]
    faulty = with_dead(dyck, increment=replace(layer.increment, bias=np.array([-1])))
    assert find_sticky(Engine(faulty)) is None
    refuted_or_unknown(faulty)


def test_a_readout_that_is_not_silenced(dyck):
    faulty = replace(dyck, readout=replace(dyck.readout, bias=np.array([1])))
    assert find_sticky(Engine(faulty)) is None
    assert refuted_or_unknown(faulty).outcome == REFUTED


def test_a_register_that_nobody_reads(dyck):
    last = dyck.layers[-1]
    first = last.phi[0].affine
    matrix = first.matrix.toarray()
    matrix[:, 0] = 0  # the column of the register
    faulty = with_layer(
        dyck, len(dyck.layers) - 1, phi=(replace(last.phi[0], affine=replace(first, matrix=matrix)), *last.phi[1:])
    )
    assert find_sticky(Engine(faulty)) is None
    assert refuted_or_unknown(faulty).outcome == REFUTED


# -- models that only look right ----------------------------------------------------------------------


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:1", "float32"])
def test_a_lower_register_that_was_set_before_the_violation(arithmetic):
    """A latch is set while the word is alive; later it opens the readout, although it can no longer be set."""
    dead = Counter("dead", (Rule((In({"b"}),), Add(1)),))
    latch = Reset("latch", 2, (Rule((In({"a"}), AtLeast("dead", 1, negated=True)), Set(1)),))
    opens = Emit((In({"a"}), Is("latch", 1)), {ACCEPT})
    ssm = lower(
        Cascade(("a", "b"), (Level((dead,)), Level((latch,))), (ACCEPT,), (opens,)), Arithmetic.parse(arithmetic)
    )
    verdict = check(ONLY_AS, ssm)
    assert verdict.outcome == REFUTED and verdict.witness.word == ("a", "b", "a")


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:1", "float32"])
def test_a_fraction_between_the_integers(arithmetic):
    """A register is 0, 1/2 or 1, and only at 1/2 does a tent function open the readout."""
    layer = Layer(
        gate=affine([[0, 0], [0, 0]], [1, 0]),  # a counter of b; the last letter
        increment=affine([[0, 2], [1, 2]], [0, 0], 1),
        initial=np.array([0, 0]),
        phi=(
            Mix(affine([[0, 2, 0, 0], [0, 4, 0, 0], [0, 0, 0, 1]], [0, -2, 0])),
            Mix(affine([[1, -1, -1, 0, 0]], [0])),
        ),
    )
    verdict = check(ONLY_AS, recogniser(layer, affine([[1]], [0]), arithmetic))
    assert verdict.outcome == REFUTED and verdict.witness.word == ("b", "a")


def test_a_sum_that_float32_rounds_up():
    """-1 + 2^25 - 1 - 1 + 3 - 2^25 is 0, and 4 in float32."""
    big = 2**25
    dead = [1, -1, 0, 0, 0]
    layer = Layer(
        gate=affine([[0, 0], [0, 0]], [1, 1]),  # a counter of b; the constant 1
        increment=affine([[0, 1], [0, 0]], [0, 0]),
        initial=np.array([0, 1]),
        phi=(
            Mix(affine([[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]], [0, -1, 0])),
            Mix(affine([dead, [0, 0, 1, 0, 0], dead, dead, [0, 0, 0, 1, 0], [0] * 5], [0, 0, 0, 0, 0, 1])),
        ),
    )
    readout = affine([[-1, big, -1, -1, 3, -big]], [0])
    assert check(ONLY_AS, recogniser(layer, readout)).outcome == PROVED
    verdict = check(ONLY_AS, recogniser(layer, readout, "float32"))
    assert verdict.outcome == REFUTED and verdict.witness.word == ("b", "a")


def test_a_register_that_leaks_less_than_float64_can_see():
    """Once b has been read the register is 1, and every a takes 2^-60 from it: 1 - 2^-60 rounds to 1."""
    tiny = 60
    layer = Layer(
        gate=affine([[0, 0]], [1]),
        increment=affine([[-1, 2**tiny]], [0], tiny),
        initial=np.array([0]),
        phi=(Mix(affine([[1, 0, 0]], [0]), "clip", 0, 1),),
    )
    ssm = recogniser(layer, affine([[-1]], [1]))
    assert find_sticky(Engine(ssm)) is None
