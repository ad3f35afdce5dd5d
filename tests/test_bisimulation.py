"""The search against brute force: what it proves is equal, what it refutes is shortest, and giving up is no proof."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, EOS, PREDICTIVE, RECOGNISE, run
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.testing.brute_force import accepts, all_words, shortest_difference
from verify.testing.strategies import dfas
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED, Verdict, Witness, worst


def dyck_engine(k, depth, mode=PREDICTIVE):
    return Engine(lower(bounded_dyck(k, depth, mode), Arithmetic("exact")))


# -- pairs of automata --------------------------------------------------------------------------------


@given(dfas(), dfas())
def test_recognition_is_equality_of_languages(machine, model):
    verdict = bisimulation(machine, Stepwise(model, RECOGNISE), RECOGNISE)
    difference = machine.difference_from(model)
    if difference is None:
        assert verdict.outcome == PROVED and verdict.horizon is None
        return
    assert verdict.outcome == REFUTED
    word = verdict.witness.word
    assert len(word) == len(difference) == shortest_difference(machine, model, 12)
    assert verdict.witness.expected == ({ACCEPT} if accepts(machine, word) else frozenset())
    assert verdict.witness.given == ({ACCEPT} if accepts(model, word) else frozenset())


@given(dfas(), dfas())
def test_prediction_is_asked_on_prefixes_of_words_alone(machine, model):
    """Brute force over all prefixes that are alive in the machine, whatever the model thinks of them."""
    verdict = bisimulation(machine, Stepwise(model), PREDICTIVE)
    wrong = None
    for word in all_words("ab", 9):
        asked = all(symbol in machine.legal(run(machine, word[:i])) for i, symbol in enumerate(word))
        if asked and machine.legal(run(machine, word)) != model.legal(run(model, word)):
            wrong = word
            break
    if wrong is not None:
        assert verdict.outcome == REFUTED and len(verdict.witness.word) == len(wrong)
        assert verdict.witness.expected == machine.legal(run(machine, verdict.witness.word))
        assert verdict.witness.given == model.legal(run(model, verdict.witness.word))
    elif verdict.outcome == REFUTED:
        assert len(verdict.witness.word) > 9
    else:
        assert verdict.outcome == PROVED


@given(dfas(), dfas(), st.integers(0, 20))
def test_a_limit_never_proves_more_than_was_looked_at(machine, model, limit):
    whole = bisimulation(machine, Stepwise(model, RECOGNISE), RECOGNISE)
    cut = bisimulation(machine, Stepwise(model, RECOGNISE), RECOGNISE, limit=limit)
    if cut.outcome == UNDECIDED:
        assert cut.explored["joint states"] > limit
        assert "gave up" in cut.reason and "not a proof" in cut.reason
    else:
        assert cut == whole
    if whole.outcome == PROVED and whole.explored["joint states"] > 1:
        assert cut.outcome == (PROVED if limit >= whole.explored["joint states"] else UNDECIDED)


# -- pairs that need no further search -----------------------------------------------------------------


class Absorbing:
    """Takes the rows in ``numbers`` (states of a Stepwise model) to reject for ever; whether they do is for the test to
    say.
    """

    horizon, reason = None, "these rows reject for ever"

    def __init__(self, *numbers):
        self.numbers = numbers

    def __call__(self, rows):
        return np.isin(rows[:, 0], self.numbers)


DIES = DFA("ab", [[1, 0], [1, 1]], [0])
"""b*: after an `a` nothing is accepted."""


def test_a_pair_is_searched_on_unless_the_model_is_shown_to_reject_for_ever():
    revives = DFA("ab", [[1, 0], [1, 2], [2, 2]], [0, 2])
    verdict = bisimulation(DIES, Stepwise(revives, RECOGNISE), RECOGNISE, absorbed=Absorbing())
    assert verdict.outcome == REFUTED and verdict.witness.word == ("a", "b")


def test_a_pair_is_searched_on_unless_the_machine_rejects_for_ever():
    late = DFA("ab", [[1, 0], [1, 2], [2, 2]], [0, 2])
    verdict = bisimulation(late, Stepwise(DIES, RECOGNISE), RECOGNISE, absorbed=Absorbing(1))
    assert verdict.outcome == REFUTED and verdict.witness.word == ("a", "b")


def test_a_pair_that_rejects_for_ever_on_both_sides_ends_the_search_and_is_named():
    verdict = bisimulation(DIES, Stepwise(DIES, RECOGNISE), RECOGNISE, absorbed=Absorbing(1))
    assert verdict.outcome == PROVED and verdict.explored["joint states"] == 1
    assert Absorbing.reason in verdict.reason


# -- weights ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("weights, truth", [((2, 2), (2, 3)), ((2, 3), (2, 2)), ((1, 4), (1, 3))])
def test_weights_for_another_depth_are_refuted_by_a_shortest_string(weights, truth, mode):
    machine, other = DyckMachine(*truth), DyckMachine(*weights)
    verdict = bisimulation(machine, dyck_engine(*weights, mode), mode)
    # One bracket too deep, and closed again where only whole words count.
    shallow = min(truth[1], weights[1])
    assert len(verdict.witness.word) == (shallow if mode == PREDICTIVE else 2 * (shallow + 1))
    state, wrong = run(machine, verdict.witness.word), run(other, verdict.witness.word)
    if mode == PREDICTIVE:
        assert (verdict.witness.expected, verdict.witness.given) == (machine.legal(state), other.legal(wrong))
    else:
        assert machine.accepts(state) != other.accepts(wrong)


def test_a_model_that_is_wrong_from_the_start_is_refuted_by_the_empty_string():
    nothing = DFA("ab", [[0, 0]], [])
    verdict = bisimulation(DFA("ab", [[0, 0]], [0]), Stepwise(nothing, RECOGNISE), RECOGNISE)
    assert verdict.witness == Witness((), frozenset({ACCEPT}), frozenset())


def test_fractions_are_told_apart_by_value():
    """h goes 0, 1/2, 3/4, … and is accepted below 1 - 2^-40: wrong after forty steps, each in a state of its own."""

    def affine(matrix, bias, exponent=0):
        return Affine(np.array(matrix), np.array(bias), exponent)

    layer = Layer(
        affine([[0, 0]], [1], 1),
        affine([[0, 0]], [1], 1),
        np.array([0]),
        (Mix(affine([[-(2**40), 0, 0]], [2**40 - 1])),),
    )
    ssm = SSM(("a",), (ACCEPT,), np.array([[1, 0], [0, 1]]), (layer,), affine([[1]], [0]), Arithmetic("exact"))
    verdict = bisimulation(DFA("a", [[0]], [0]), Engine(ssm), RECOGNISE, limit=300)
    # BOS is the first step.
    assert verdict.outcome == REFUTED and len(verdict.witness.word) == 39


@pytest.mark.parametrize("model", [flip_flop(), lower(flip_flop(), Arithmetic("exact"))])
def test_any_machine_can_be_the_model(model):
    verdict = bisimulation(FlipFlopMachine(), Stepwise(model))
    assert verdict.outcome == PROVED and verdict.arithmetic == "none"


@settings(max_examples=30)
@given(dfas("abc"), st.lists(st.lists(st.integers(0, 2), min_size=6, max_size=6), min_size=1, max_size=5))
def test_stepwise_gives_what_the_machine_gives(dfa, words):
    model = Stepwise(dfa)
    state, first = model.begin(len(words))
    assert (first.dense()[:, 0] == [symbol in dfa.legal(dfa.initial) for symbol in ("a", "b", "c", EOS)]).all()
    _, outputs = model.advance(state, np.array(words))
    for row, word in zip(outputs.dense(), words):
        for time in range(6):
            legal = dfa.legal(run(dfa, [dfa.alphabet[i] for i in word[: time + 1]]))
            assert row[time].tolist() == [symbol in legal for symbol in ("a", "b", "c", EOS)]


# -- what cannot be compared --------------------------------------------------------------------------


def test_alphabets_and_modes_must_fit():
    with pytest.raises(InputError, match="symbol '\\(b' is in the alphabet of only one"):
        bisimulation(DyckMachine(2, 2), dyck_engine(1, 2))
    with pytest.raises(InputError, match="does not answer the question of mode 'predictive'"):
        bisimulation(DyckMachine(2, 2), dyck_engine(2, 2, RECOGNISE), PREDICTIVE)
    with pytest.raises(InputError, match="does not answer the question of mode 'recognise'"):
        bisimulation(DyckMachine(2, 2), dyck_engine(2, 2), RECOGNISE)
    with pytest.raises(InputError, match="mode 'both' is not one of"):
        bisimulation(DyckMachine(2, 2), dyck_engine(2, 2), "both")


def test_symbols_are_matched_by_name():
    """The same language with the alphabet in another order."""
    swapped = DFA("ba", [[1, 0], [1, 0]], [1])
    machine = DFA("ab", [[0, 1], [0, 1]], [1])
    assert bisimulation(machine, Stepwise(swapped), PREDICTIVE).outcome == PROVED
    assert bisimulation(machine, Stepwise(swapped, RECOGNISE), RECOGNISE).outcome == PROVED


# -- verdicts -----------------------------------------------------------------------------------------


def test_verdicts_do_not_blur():
    plain = Verdict(PROVED, "search", PREDICTIVE, "exact")
    undecided, tested = (Verdict(outcome, "search", PREDICTIVE, "exact") for outcome in (UNDECIDED, TESTED))
    refuted = Verdict(REFUTED, "search", PREDICTIVE, "exact", witness=Witness(("a",), frozenset({EOS}), frozenset()))
    assert [v.exit_status for v in (plain, tested, refuted, undecided)] == [0, 0, 1, 3]
    assert worst([plain, undecided, refuted]) == 1 and worst([tested, undecided]) == 3 and worst([plain, tested]) == 0
    assert refuted.to_json()["witness"] == {"word": ["a"], "expected": [EOS], "given": []}
    with pytest.raises(ValueError, match="not an outcome"):
        Verdict("certain", "search", PREDICTIVE, "exact")
    with pytest.raises(ValueError, match="witness"):
        Verdict(REFUTED, "search", PREDICTIVE, "exact")
    with pytest.raises(ValueError, match="witness"):
        Verdict(PROVED, "search", PREDICTIVE, "exact", witness=refuted.witness)
