"""Each condition of the inductive proofs in turn: a model that breaks it, and no other where that can be."""

from dataclasses import replace

import numpy as np
import pytest
from float_faults import model_of, with_feature, with_letters, with_neuron, wrong_word

from automata.machine import BOS, PREDICTIVE, RECOGNISE
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from verify.methods.induction import prove_counter, prove_dyck
from verify.methods.induction.counter_obligations import CounterInduction
from verify.methods.induction.depths import DepthInduction
from verify.methods.induction.stack_obligations import StackInduction
from verify.methods.sticky import find_sticky
from verify.testing.corruption import with_layer
from verify.verdict import PROVED, REFUTED, UNDECIDED


def failures(machine, ssm):
    """What does not hold."""
    induction = CounterInduction(ssm, machine) if hasattr(machine, "counters") else StackInduction(ssm, machine)
    return induction.run().failures


def with_bias(ssm, number, part, bias):
    layer = ssm.layers[number]
    return with_layer(ssm, number, **{part: Affine(getattr(layer, part).matrix, np.full(layer.width, bias))})


def with_entry(ssm, number, part, place, value):
    """One weight set; the place may be counted from the end."""
    affine = getattr(ssm.layers[number], part)
    matrix = affine.matrix.toarray()
    matrix[place] = value
    return with_layer(ssm, number, **{part: Affine(matrix, affine.bias)})


def accepting_everything(ssm):
    return replace(ssm, readout=Affine(ssm.readout.matrix, ssm.readout.bias + 1))


# -- counters -----------------------------------------------------------------------------------------


@pytest.fixture
def brackets():
    return model_of("dyck-1", RECOGNISE, "exact")


def test_the_models_are_right(brackets):
    models = (brackets, model_of((2, 2), PREDICTIVE, "exact"), model_of((2, 2), RECOGNISE, "exact"))
    assert not any(failures(*model) for model in models)


def test_a_dead_register_of_counters_stays_1(brackets):
    machine, ssm = brackets
    found = failures(machine, with_bias(ssm, -1, "gate", 0))
    assert any(
        f.control is None and f.what == "the dead register is not set although no word is possible" for f in found
    )


def test_nothing_is_accepted_after_a_violation(brackets):
    machine, ssm = brackets
    assert any(
        f.control is None and f.what == "a dead string is accepted"
        for f in failures(machine, accepting_everything(ssm))
    )


def test_the_dead_register_of_counters_is_0_in_a_word(brackets):
    machine, ssm = brackets
    what = {f.what for f in failures(machine, with_bias(ssm, -1, "increment", 1))}
    assert "the dead register is set although a word is still possible" in what


def test_what_no_move_reads_is_a_violation(brackets):
    machine, ssm = brackets
    layer = ssm.layers[-1]
    deaf = with_layer(ssm, -1, increment=Affine(layer.increment.matrix * 0, layer.increment.bias))
    found = failures(machine, deaf)
    assert ("run", ")", (0,)) in {(f.control, f.symbol, f.counters) for f in found}


def test_the_start_is_an_obligation(brackets):
    machine, ssm = brackets
    found = failures(machine, with_layer(ssm, 0, initial=np.array([1])))
    assert {f.symbol for f in found} == {BOS}


def test_a_counter_at_0_is_a_case():
    """A neuron that wakes when a bracket is opened and one is open then, and at no other time."""
    machine, ssm = model_of("dyck-1", PREDICTIVE, "exact")
    ssm = with_feature(ssm, {"(": 5})
    inputs = ssm.layers[0].phi[0].affine.inputs
    ssm = with_neuron(ssm, 0, [[-1, *[0] * (inputs - 2), 1]], [-3], [1], 0, -9)
    assert wrong_word(machine, ssm, [("(",)]) == ("(",)
    verdict = prove_counter(ssm, machine, PREDICTIVE)
    assert verdict.outcome == REFUTED and verdict.witness.word == ("(",)


def test_a_violation_may_come_before_a_latch():
    """After c, 'reached c' is 1 and 'reached b' is 0: then reading a wakes a neuron."""
    machine, ssm = model_of("anbncn", RECOGNISE, "exact")
    ssm = with_feature(ssm, {"a": 1})
    names, inputs = ssm.layers[0].names, ssm.layers[0].phi[0].affine.inputs
    row = np.zeros(inputs, dtype=np.int64)
    row[names.index("reached c")], row[names.index("reached b")], row[-1] = 1, -1, 1
    ssm = with_neuron(ssm, 0, [row], [-1], [1], 0, 9)
    verdict = prove_counter(ssm, machine, RECOGNISE)
    assert verdict.outcome == REFUTED and verdict.witness.word == ("c", "a")


# -- stacks -------------------------------------------------------------------------------------------


def goes_from(machine, ssm):
    return {f.what for f in failures(machine, ssm) if " goes from " in f.what}


def test_a_stale_cell_stays_a_bit():
    """Opening the outermost bracket adds 2 to the cell above it."""
    machine, ssm = model_of((2, 2), PREDICTIVE, "exact")
    ssm = with_feature(ssm, {symbol: 2 for symbol in machine.openers})
    inputs = ssm.layers[0].phi[0].affine.inputs
    ssm = with_neuron(ssm, 0, [[-1, *[0] * (inputs - 2), 1]], [0], [1], 0, 0)
    ssm = with_entry(ssm, 1, "increment", (ssm.layers[1].names.index("slot 2"), -1), 2)
    assert "slot 2 bit 0 goes from 0 to 2" in goes_from(machine, ssm)


def test_a_cell_that_stays_keeps_its_bits():
    """The outermost cell forgets at every step, which nothing but a bracket of the second type inside would show."""
    machine, ssm = model_of((2, 2), PREDICTIVE, "exact")
    ssm = with_entry(ssm, 1, "gate", (ssm.layers[1].names.index("slot 1"), slice(None)), 0)
    layer = ssm.layers[1]
    ssm = with_layer(
        ssm, 1, gate=Affine(layer.gate.matrix, np.where(np.array(layer.names) == "slot 1", 0, layer.gate.bias))
    )
    assert "slot 1 bit 0 goes from 1 to 0" in goes_from(machine, ssm)


def test_a_pushed_cell_takes_the_type():
    machine, ssm = model_of((2, 2), PREDICTIVE, "exact")
    layer = ssm.layers[1]
    ssm = with_layer(ssm, 1, increment=Affine(layer.increment.matrix * 0, layer.increment.bias))
    assert goes_from(machine, ssm) == {f"slot {cell} bit 0 goes from {old} to 0" for cell in (1, 2) for old in (0, 1)}


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_slots_are_bits_after_bos(mode):
    machine, ssm = model_of((2, 2), mode, "exact")
    found = failures(machine, with_layer(ssm, 1, initial=np.array([2, 0])))
    assert [(f.symbol, f.what) for f in found] == [(BOS, "a slot bit is neither 0 nor 1")]


def reading_a_slot(ssm, slot, weight):
    """The dead register's increment changed by ``weight`` where this slot is 1."""
    ssm = with_neuron(ssm, 1, [[0] * (slot - 1) + [1]], [0], [1], 0, 0)
    return with_entry(ssm, 2, "increment", (0, -1), weight)


def test_a_right_symbol_never_kills():
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    found = failures(machine, reading_a_slot(ssm, 2, 1))
    assert any(f.symbol == "(a" and f.depth == 0 and f.what == "a right symbol raises the dead register" for f in found)


def test_a_wrong_symbol_always_kills():
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    found = failures(machine, reading_a_slot(ssm, 2, -1))
    what = "closing a type that differs in bit 0 does not raise the dead register"
    assert any(f.depth == 1 and f.what == what for f in found)


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("size", [(1, 3), (2, 2)])
def test_a_step_on_bos_beyond_the_range_of_the_engine_is_run_by_the_definition(size, mode):
    machine, ssm = model_of(size, mode, "exact")
    ssm = with_layer(ssm, 0, initial=np.array([2**60]))
    verdict = prove_dyck(with_letters(ssm, "gate", 0, {BOS: 7}), *size, mode)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) <= 1
    assert prove_dyck(with_letters(ssm, "gate", 0, {BOS: -1}), *size, mode).outcome == PROVED


# -- stacks after a violation -------------------------------------------------------------------------


def after_a_violation(machine, ssm):
    return {f.what.removeprefix("with the dead register set, ") for f in failures(machine, ssm) if f.dead}


def test_slots_stay_bits_after_a_violation():
    machine, ssm = model_of((2, 3), RECOGNISE, "exact")
    ssm = with_entry(ssm, 1, "gate", (1, 7), 1)
    assert after_a_violation(machine, ssm) == {"a slot bit is neither 0 nor 1"}


def test_a_dead_register_that_flips():
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    assert after_a_violation(machine, with_bias(with_bias(ssm, -1, "gate", -1), -1, "increment", 2)) == {
        "it may fall below 1"
    }


def test_a_dead_register_that_falls():
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    assert after_a_violation(machine, with_bias(ssm, -1, "gate", 0)) == {"it may fall below 1"}


def test_nothing_is_accepted_after_a_violation_of_brackets():
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    assert after_a_violation(machine, accepting_everything(ssm)) == {"the output may be positive"}


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_feature_that_changes_far_out(sign):
    """Nobody reads it, but nothing says so: no statement about all depths is made."""
    machine, ssm = model_of((2, 2), RECOGNISE, "exact")
    verdict = prove_dyck(with_neuron(ssm, 0, [[sign]], [0], [1], 0, 0), 2, 2, RECOGNISE)
    assert verdict.outcome == UNDECIDED and "a feature goes on changing with the depth" in verdict.reason


def test_a_dead_register_that_is_read_with_weights():
    """The dead register counts violations, each of which the readout takes 400 times."""
    machine, ssm = model_of((2, 1), RECOGNISE, "float16")
    plain = prove_dyck(ssm, 2, 1, RECOGNISE)
    loud = prove_dyck(with_neuron(ssm, 2, [[1]], [0], [1], 0, -100), 2, 1, RECOGNISE)
    assert plain.outcome == loud.outcome == PROVED and loud.horizon <= 512 // 100 < plain.horizon


# -- the relation, and depths -------------------------------------------------------------------------


def test_two_coordinates_of_one_name():
    _, ssm = model_of((2, 2), PREDICTIVE, "exact")
    verdict = prove_dyck(with_layer(ssm, 1, names=("slot 1", "depth")), 2, 2, PREDICTIVE)
    assert verdict.outcome == UNDECIDED and "two coordinates are named 'depth'" in verdict.reason


def test_a_depth_below_the_slots_is_not_covered():
    _, ssm = model_of((2, 1), PREDICTIVE, "exact")
    swapped = with_layer(with_layer(ssm, 0, names=("slot 1",)), 1, names=("depth",))
    verdict = prove_dyck(swapped, 2, 1, PREDICTIVE)
    assert verdict.outcome == UNDECIDED and "not in layers of this order" in verdict.reason


def depth_failures(machine, ssm):
    engine = Engine(ssm)
    return DepthInduction(engine, machine, find_sticky(engine) if ssm.mode == RECOGNISE else None).run().failures


def test_the_start_of_depths_is_an_obligation():
    machine, ssm = model_of((1, 3), PREDICTIVE, "exact")
    assert not depth_failures(machine, ssm)
    assert depth_failures(machine, with_layer(ssm, 0, initial=np.array([1]))) == [
        "after BOS the state or the answer is wrong"
    ]


def test_a_depth_that_is_off_and_not_yet_seen():
    """Opening a bracket sets the depth to 2: the answer is that of depth 1, and the state is not."""
    machine, ssm = model_of((1, 3), PREDICTIVE, "exact")
    ssm = with_letters(with_letters(ssm, "gate", 0, {"(a": -1}), "increment", 0, {"(a": 1})
    assert depth_failures(machine, ssm)[0] == "reading '(a' at depth 0 goes wrong"


def test_a_wrong_bracket_must_kill():
    machine, ssm = model_of((1, 3), RECOGNISE, "exact")
    violations = np.flatnonzero(ssm.layers[-1].increment.matrix.toarray()[0])
    found = [depth_failures(machine, with_entry(ssm, -1, "increment", (0, place), 0)) for place in violations]
    assert found == [["reading '(a' at depth 3 goes wrong"], ["reading 'a)' at depth 0 goes wrong"]]


# -- the sticky register ------------------------------------------------------------------------------


def test_a_sticky_register_of_no_symbol():
    """A bracket adds 3000 to the depth: float16 cannot count the first one."""
    _, ssm = model_of((1, 3), RECOGNISE, "float16")
    assert find_sticky(Engine(ssm)).horizon > 100
    assert find_sticky(Engine(with_letters(ssm, "increment", 0, {"(a": 1500, "a)": -1500}))) is None
