"""What is claimed of float models: every step, on BOS and after a violation too, and only as far as it is true."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from float_faults import (
    faulty,
    model_of,
    short_words,
    with_detector,
    with_feature,
    with_letters,
    with_neuron,
    wrong_word,
)

from automata.machine import BOS, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import counter_machine
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from verify.evidence.sampling import check_words
from verify.methods.bisimulation import bisimulation
from verify.methods.induction import prove_counter, prove_dyck
from verify.methods.induction.counter_horizon import covered_length, exact_horizon
from verify.methods.induction.counter_obligations import CounterInduction
from verify.methods.induction.float_growth import MOST_SYMBOLS, Growth, check_weights, longest
from verify.methods.relation.confirmed import check_horizon
from verify.methods.sticky import find_sticky
from verify.numbers.boxes import NotCovered
from verify.testing.corruption import with_layer
from verify.verdict import PROVED, REFUTED, UNDECIDED


def coordinate(ssm, name):
    return next((number, layer.names.index(name)) for number, layer in enumerate(ssm.layers) if name in layer.names)


# -- the step on BOS ----------------------------------------------------------------------------------


def undone_on_bos(name, mode, start, gate, undo):
    """A counter that starts at ``start``, and that a gate and increments on BOS bring back to 0, in exact
    arithmetic.
    """
    machine, ssm = model_of(name, mode, "float16")
    initial = ssm.layers[0].initial.copy()
    initial[0] = start
    ssm = with_letters(with_layer(ssm, 0, initial=initial), "gate", 0, {BOS: gate - 1})
    for amount in undo:
        ssm = with_letters(ssm, "increment", 0, {BOS: amount})
    return machine, ssm


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize(
    "start, gate, undo",
    [
        (2049, 3, (-6147,)),  # a start value that float16 does not have
        (1025, 3, (-2047, -2, -1026)),  # every weight is exact, the product and the sums are not
    ],
)
def test_a_step_on_bos_that_rounds_is_part_of_the_claim(start, gate, undo, mode):
    machine, ssm = undone_on_bos("anbn", mode, start, gate, undo)
    exact = replace(ssm, arithmetic=model_of("anbn", mode, "exact")[1].arithmetic)
    assert prove_counter(exact, machine, mode).outcome == PROVED
    verdict = prove_counter(ssm, machine, mode)
    assert verdict.outcome == REFUTED and wrong_word(machine, ssm, [verdict.witness.word]) == verdict.witness.word
    assert ("beyond the integers that are exact" if start == 2049 else "reading '<bos>' rounds a sum") in verdict.reason


def test_a_step_on_bos_that_rounds_and_does_no_harm_is_no_proof():
    """3 * 1025 - 3075: both round to 3076.  What is found wrong is what every model in float16 is wrong on."""
    machine, ssm = undone_on_bos("dyck-1", PREDICTIVE, 1025, 3, (-1025, -1025, -1025))
    verdict = prove_counter(ssm, machine, PREDICTIVE)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) > 2048
    assert "reading '<bos>' rounds a sum, though no counter exceeds 0" in verdict.reason
    with pytest.raises(NotCovered, match="rounds a sum"):
        check_horizon(ssm, machine)


@pytest.mark.parametrize("name", ["dyck-1", "boolean-1"])
def test_a_horizon_is_not_taken_from_a_value_that_was_never_tested(name):
    """Four neurons that are always 1 add 2046 + 2 - 1024 - 1024 = 0 to every output; in float16 an output of 1 becomes
    0.

    The counter of boolean-1 never exceeds the value that it starts from: a horizon of that value would cover every
    length.
    """
    machine, ssm = model_of(name, PREDICTIVE, "float16")
    for weight in (2046, 2, -1024, -1024):
        ssm = with_neuron(ssm, 0, [[0]], [1], [1], 0, weight)
    verdict = prove_counter(ssm, machine, PREDICTIVE)
    assert wrong_word(machine, ssm, [machine.alphabet]) == ()
    assert verdict.outcome == REFUTED and verdict.witness.word == ()


# -- after a violation: counters ----------------------------------------------------------------------


def proved_up_to(verdict):
    assert verdict.outcome == PROVED
    return verdict.horizon


def test_where_the_machine_does_not_count_up_the_model_may_count_down():
    """No symbol of boolean-1 raises the counter; after a violation every operand lowers the model's."""
    machine, right = model_of("boolean-1", RECOGNISE, "float16")
    assert machine.fastest == 0 and proved_up_to(prove_counter(right, machine, RECOGNISE)) == 2046
    ssm = with_detector(right, *coordinate(right, "pending"), -1, 3, 9)
    horizon = proved_up_to(prove_counter(ssm, machine, RECOGNISE))
    word = ("0",) * 2200
    assert horizon == 2044 and wrong_word(machine, ssm, [word], horizon) is None
    assert len(wrong_word(machine, ssm, [word])) == 2049
    predictor = model_of("boolean-1", PREDICTIVE, "float16")[1]
    verdict = prove_counter(predictor, machine, PREDICTIVE)
    assert verdict.outcome == PROVED and verdict.horizon is None and "at every length" in verdict.reason


@pytest.mark.parametrize("gate, horizon", [(32, 3), (2, 10), (-1, 2045), (-3, 7)])
def test_a_letter_may_multiply_a_counter_after_a_violation(gate, horizon):
    """While the word is alive 'unmatched b' is 0 whenever a is read, so any gate is right there."""
    machine, ssm = model_of("anbncn", RECOGNISE, "float16")
    number, place = coordinate(ssm, "unmatched b")
    ssm = with_letters(ssm, "gate", place, {"a": gate - 1})
    for sign in (-1, 1):
        ssm = with_detector(ssm, number, place, sign, 3, 9)
    assert proved_up_to(prove_counter(ssm, machine, RECOGNISE)) == horizon
    words = [(*start, *"a" * (40 if abs(gate) > 1 else 2100)) for start in ("ab", "ba", "abb", "c", "ac", "abbb")]
    assert wrong_word(machine, ssm, words, horizon) is None
    if abs(gate) > 1:
        assert horizon < len(wrong_word(machine, ssm, words)) < 20


@pytest.mark.parametrize("wakes", [3, 7])
def test_latches_stay_bits_after_a_violation(wakes):
    """A gate of 2 on a letter doubles the latch 'reached b', which is 1 only after a violation when a is read."""
    machine, ssm = model_of("anbn", RECOGNISE, "exact")
    number, place = coordinate(ssm, "reached b")
    ssm = with_letters(ssm, "gate", place, {"a": 1})
    ssm = with_neuron(ssm, number, [[0] * place + [1]], [-wakes], [1], 0, 1)
    verdict = prove_counter(ssm, machine, RECOGNISE)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) == (3 if wakes == 3 else 4)
    assert "'reached b' is neither 0 nor 1" in verdict.reason


def test_a_counter_whose_growth_depends_on_others_is_not_proved():
    """A counter below another one, whose increment reads it after a violation."""
    machine, ssm = model_of("dyck-1", RECOGNISE, "float16")
    induction = CounterInduction(ssm, machine)
    assert covered_length(induction, exact_horizon(induction)) == 2047
    case = next(case for case in induction.cases() if case.control is None)
    case.step.increments[0][0] = case.counters[0]
    induction.cases = lambda: iter((case,))
    with pytest.raises(NotCovered, match="depends on other counters"):
        covered_length(induction, 2047)


def test_a_horizon_of_no_symbol_is_no_proof():
    induction = CounterInduction(model_of("dyck-1", RECOGNISE, "float16")[1], counter_machine("dyck-1"))
    assert covered_length(induction, 1) == 1
    with pytest.raises(NotCovered, match="the first symbol can make a counter exceed 0"):
        covered_length(induction, 0)


def test_a_recogniser_without_a_dead_register_is_not_covered():
    machine, ssm = model_of("dyck-1", RECOGNISE, "exact")
    number, _ = coordinate(ssm, "dead")
    verdict = prove_counter(with_layer(ssm, number, names=("open ( )",)), machine, RECOGNISE)
    assert verdict.outcome == UNDECIDED
    layer = ssm.layers[number]
    empty = np.zeros((0, layer.inputs), dtype=np.int64)
    first = layer.phi[0].affine
    phi = (replace(layer.phi[0], affine=Affine(first.matrix.toarray()[:, 1:], first.bias)), *layer.phi[1:])
    nothing = Affine(empty, np.zeros(0))
    gone = with_layer(ssm, number, gate=nothing, increment=nothing, initial=layer.initial[:0], names=(), phi=phi)
    verdict = prove_counter(gone, machine, RECOGNISE)
    assert verdict.outcome == REFUTED and "named 'dead'" in verdict.reason


# -- after a violation: stacks ------------------------------------------------------------------------


def with_gate_of_dead(ssm, gate):
    return with_layer(ssm, len(ssm.layers) - 1, gate=Affine(ssm.layers[-1].gate.matrix, np.array([gate])))


def test_a_dead_register_that_doubles():
    machine, ssm = model_of((2, 1), RECOGNISE, "float32")
    ssm = with_detector(with_gate_of_dead(ssm, 2), len(ssm.layers) - 1, 0, 1, 3, 1)
    horizon = proved_up_to(prove_dyck(ssm, 2, 1, RECOGNISE))
    word = ("a)", *["(a", "a)"] * 20)
    assert 15 <= horizon <= 24 and wrong_word(machine, ssm, [word], horizon) is None
    assert 24 < len(wrong_word(machine, ssm, [word])) < 30


def with_gate_of_depth(symbols, gate):
    """Dyck(2, 1): the depth is 0 when a bracket is opened and 1 when one is closed, so any gate is right, with its
    increment.
    """
    machine, ssm = model_of((2, 1), RECOGNISE, "float16")
    ssm = with_letters(ssm, "gate", 0, {symbol: gate - 1 for symbol in symbols})
    if symbols[0] == "a)":
        ssm = with_letters(ssm, "increment", 0, {symbol: 1 - gate for symbol in symbols})
    for sign, offset in product((-1, 1), (3, 5, 7)):
        ssm = with_detector(ssm, 0, 0, sign, offset, 9)
    return machine, ssm


@pytest.mark.parametrize("symbols, horizon, wrong", [(("(a", "(b"), 6, 12), (("a)", "b)"), 5, 10)])
def test_a_depth_that_doubles_after_a_violation(symbols, horizon, wrong):
    machine, ssm = with_gate_of_depth(symbols, 2)
    words = [(*start, *[symbols[0]] * 40) for start in ((), ("a)",), ("a)", "a)"), ("(a", "(a"), ("(a", "b)"))]
    assert proved_up_to(prove_dyck(ssm, 2, 1, RECOGNISE)) == horizon
    assert wrong_word(machine, ssm, words, horizon) is None and len(wrong_word(machine, ssm, words)) == wrong
    # A search that stops at the violation claims no more.
    searched = bisimulation(machine, Engine(ssm), RECOGNISE, absorbed=find_sticky(Engine(ssm)))
    assert 1 <= proved_up_to(searched) < wrong


def test_a_depth_that_is_multiplied_by_32_after_a_violation():
    machine, ssm = with_gate_of_depth(("(a", "(b"), 32)
    verdict = prove_dyck(ssm, 2, 1, RECOGNISE)
    assert verdict.outcome == REFUTED and wrong_word(machine, ssm, [verdict.witness.word]) == verdict.witness.word


def test_a_closed_cell_stays_a_bit():
    """Closing the outermost bracket makes its cell 2, which wakes a neuron that no bit can wake."""
    machine, ssm = model_of((2, 2), PREDICTIVE, "exact")
    ssm = with_feature(ssm, {"a)": 1})
    width = ssm.layers[0].phi[0].affine.inputs
    ssm = with_neuron(ssm, 0, [[-1, *[0] * (width - 2), 1]], [0], [1], 0, 0)  # a) was read and the depth is 0
    number, place = coordinate(ssm, "slot 1")
    increment = ssm.layers[number].increment.matrix.toarray()
    increment[place, -1] = 2
    ssm = with_layer(ssm, number, increment=Affine(increment, ssm.layers[number].increment.bias))
    ssm = with_neuron(ssm, number, [[0] * place + [1]], [-1], [1], 0, 9)
    verdict = prove_dyck(ssm, 2, 2, PREDICTIVE)
    assert verdict.outcome == REFUTED and verdict.witness.word == ("(a", "a)")
    assert "slot 1 bit 0 goes from 0 to 2" in verdict.reason


# -- weights, growth and lengths ----------------------------------------------------------------------


@pytest.mark.parametrize("weight", [65_520, -2049, 2**62])
def test_weights_that_a_float_does_not_have(weight):
    """A weight of 65520 is infinite in float16: times 0 it is not a number."""
    machine, ssm = model_of("dyck-1", PREDICTIVE, "float16")
    matrix = ssm.layers[0].increment.matrix.toarray()
    ssm = with_feature(ssm, {})
    check_weights(ssm)
    matrix = np.hstack([matrix, [[weight]]])
    ssm = with_layer(ssm, 0, increment=Affine(matrix, ssm.layers[0].increment.bias))
    with pytest.raises(NotCovered, match=f"the weight {weight} of layers.0.increment is beyond"):
        check_weights(ssm)
    assert prove_counter(ssm, machine, PREDICTIVE).outcome != PROVED


def test_every_weight_is_looked_at():
    ssm = model_of((2, 2), RECOGNISE, "float16")[1]
    check_weights(ssm)
    for faulty_model in (
        replace(ssm, embedding=ssm.embedding * 5000),
        with_layer(ssm, 0, initial=np.array([5000])),
        replace(ssm, readout=Affine(ssm.readout.matrix * 5000, ssm.readout.bias)),
        replace(ssm, readout=Affine(ssm.readout.matrix, ssm.readout.bias - 5000)),
    ):
        with pytest.raises(NotCovered):
            check_weights(faulty_model)


UPDATES = [[(1, 1), (1, -3)], [(2, 1), (0, 50)], [(0, 7)], [(-2, -1), (1, 4)], [(2, 0)], [(0, 1), (-1, 0)]]


@pytest.mark.parametrize("start, updates", list(zip((0, 1, 0, 3, 0, 2), UPDATES)))
def test_growth_bounds_every_sequence_of_updates(start, updates):
    """And is reached, where no gate is 0, by the largest of them."""
    growth, reached = Growth.of(start, updates), {start}
    for symbols in range(9):
        assert max(map(abs, reached)) <= growth.after(symbols)
        reached = {
            gate * value + sign * increment for value in reached for gate, increment in updates for sign in (1, -1)
        }
        reached = {min(reached), max(reached), *sorted(reached, key=abs)[-2:]}


def test_growth_beyond_all_bounds_ends():
    assert Growth.of(1, [(2, 0)]).after(MOST_SYMBOLS) > MOST_SYMBOLS
    assert Growth.of(0, [(2, 0)]).after(MOST_SYMBOLS) == 0


@pytest.mark.parametrize("last", [0, 1, 2, 3, 1000, MOST_SYMBOLS - 1])
def test_the_longest_length_that_fits(last):
    assert longest(lambda length: length <= last) == last


def test_nothing_fits():
    with pytest.raises(NotCovered, match="no symbol"):
        longest(lambda length: False)
    assert longest(lambda length: True) is None


# -- far out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_a_depth_beyond_what_float16_counts_is_refuted(mode):
    """( ^2049 ) ^2048 leaves one bracket open, and the model none."""
    machine, ssm = model_of((1, 3000), mode, "float16")
    verdict = prove_dyck(ssm, 1, 3000, mode)
    assert verdict.outcome == REFUTED and 2048 < len(verdict.witness.word) < 6000
    assert check_words(machine, Engine(ssm), [verdict.witness.word], mode).outcome == REFUTED


# -- any of these together ----------------------------------------------------------------------------


def claims_hold(seed):
    """The outcome for one seed; fails where a proof or a refutation is false of the equations of the layer."""
    what, language, machine, ssm = faulty(seed)
    prove = prove_counter(ssm, machine, ssm.mode) if isinstance(language, str) else prove_dyck(ssm, *language, ssm.mode)
    if prove.outcome == REFUTED:
        assert wrong_word(machine, ssm, [prove.witness.word]) is not None, what
    if prove.outcome == PROVED:
        word = wrong_word(machine, ssm, short_words(machine.alphabet, 120), prove.horizon)
        assert word is None, f"{what}: proved, and wrong on {word}"
        words = [[symbol] * min(2100, prove.horizon or 2100) for symbol in machine.alphabet[:4]]
        if str(ssm.arithmetic) == "float16":
            assert check_words(machine, Engine(ssm), words, ssm.mode).outcome != REFUTED, what
    return prove.outcome


def test_random_changes_are_never_proved_wrongly():
    outcomes = Counter(claims_hold(seed) for seed in range(16))
    assert outcomes[PROVED] >= 3 and outcomes[REFUTED] >= 5


@pytest.mark.slow
def test_many_random_changes_are_never_proved_wrongly():
    outcomes = Counter(claims_hold(seed) for seed in range(1000, 1400))
    assert outcomes[PROVED] >= 60 and outcomes[REFUTED] >= 100
