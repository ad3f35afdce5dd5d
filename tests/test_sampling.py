"""Random strings: their kinds, their repeatability, and that no disagreement on them is missed."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, PREDICTIVE, RECOGNISE, run
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.evidence.sampling import WORD_KINDS, check_words, expect, random_words
from verify.methods.bisimulation import Stepwise
from verify.testing.strategies import dfas
from verify.verdict import REFUTED, TESTED


def draw(machine, count, longest, seed=0):
    return list(random_words(machine, count, longest, np.random.default_rng(seed)))


def alive(machine, word):
    """How many symbols of the word are legal where they stand."""
    for n, symbol in enumerate(word):
        if symbol not in machine.legal(run(machine, word[:n])):
            return n
    return len(word)


# -- strings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("machine", [DyckMachine(2, 3), FlipFlopMachine()])
def test_every_third_string_is_a_walk_along_legal_symbols(machine):
    words = draw(machine, 90, 30)
    assert len(words) == 90 and WORD_KINDS == ("valid", "arbitrary", "one-error")
    assert all(alive(machine, word) == len(word) <= 30 for word in words[0::3])
    assert sum(alive(machine, word) < len(word) for word in words[1::3]) > 20
    broken = [word for word in words[2::3] if alive(machine, word) < len(word)]
    assert len(broken) > 10 and all(len(word) <= 31 for word in words[2::3])
    assert len(set(words)) > 60 and max(map(len, words)) > 25


def test_a_one_error_string_is_one_change_away_from_a_walk():
    machine = DyckMachine(1, 2)

    def walks(length):
        return {word for word in product(machine.alphabet, repeat=length) if alive(machine, word) == length}

    for word in draw(machine, 300, 6, seed=4)[2::3]:
        near = walks(len(word)) if len(word) <= 6 else set()  # nothing changed: the same symbol again
        same = any(sum(a != b for a, b in zip(word, other)) <= 1 for other in near)
        shorter = any((*word[:i], *word[i + 1 :]) in walks(len(word) - 1) for i in range(len(word)))
        longer = any(
            (*word[:i], s, *word[i:]) in walks(len(word) + 1) for i in range(len(word) + 1) for s in machine.alphabet
        )
        assert same or shorter or longer


def test_the_seed_decides():
    machine = DyckMachine(2, 3)
    assert draw(machine, 30, 50, seed=5) == draw(machine, 30, 50, seed=5) != draw(machine, 30, 50, seed=6)


def test_walks_reach_the_ground_and_the_greatest_depth():
    machine = DyckMachine(2, 5)
    reached = {len(run(machine, word[:n])) for word in draw(machine, 300, 200)[0::3] for n in range(len(word) + 1)}
    assert reached == set(range(6))


def test_no_string_no_length_and_a_language_that_ends():
    machine = DyckMachine(2, 3)
    assert draw(machine, 0, 10) == []
    assert set(draw(machine, 30, 0)[0::3]) == {()}
    assert set(draw(DyckMachine(3, 0), 30, 10)[0::3]) == {()}
    single = DFA("ab", [[1, 2], [2, 2], [2, 2]], [1])
    assert set(draw(single, 60, 10)[0::3]) == {(), ("a",)}


# -- what is expected ---------------------------------------------------------------------------------


def test_nothing_is_asked_after_a_dead_prefix_in_predictive_mode():
    machine = DyckMachine(2, 2)
    expectation = expect(machine, ["(a", "b)", "(a"], PREDICTIVE)
    assert expectation.sets == (frozenset({"(a", "(b", EOS}), frozenset({"(a", "(b", "a)"}))
    assert expectation.word == ("(a", "b)", "(a")


def test_recognition_is_asked_to_the_end():
    expectation = expect(DyckMachine(2, 2), ["(a", "b)", "(a"], RECOGNISE)
    assert expectation.sets == (frozenset({ACCEPT}), frozenset(), frozenset(), frozenset())


# -- comparison ---------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    dfas(),
    dfas(),
    st.lists(st.lists(st.sampled_from("ab"), max_size=7), max_size=90),
    st.sampled_from([PREDICTIVE, RECOGNISE]),
)
def test_every_disagreement_is_counted_and_the_shortest_shown(machine, other, words, mode):
    verdict = check_words(machine, Stepwise(other, mode), words, mode)
    wrong = []
    compared = 0
    for word in words:
        for n in range((alive(machine, word) if mode == PREDICTIVE else len(word)) + 1):
            here, there = run(machine, word[:n]), run(other, word[:n])
            compared += 1
            if mode == PREDICTIVE and machine.legal(here) != other.legal(there):
                wrong.append(tuple(word[:n]))
            if mode == RECOGNISE and machine.accepts(here) != other.accepts(there):
                wrong.append(tuple(word[:n]))
    assert verdict.explored == {
        "strings": len(words),
        "longest": max(map(len, words), default=0),
        "symbols": sum(map(len, words)),
        "positions compared": compared,
        "disagreements": len(wrong),
    }
    assert (verdict.outcome == REFUTED) == bool(wrong)
    if wrong:
        assert verdict.witness.word in wrong and len(verdict.witness.word) == min(map(len, wrong))
        assert verdict.witness.given != verdict.witness.expected


def test_a_test_without_strings_says_so():
    verdict = check_words(DyckMachine(2, 2), Stepwise(DyckMachine(2, 2)), [], PREDICTIVE)
    assert verdict.outcome == TESTED and verdict.reason == "no string was tried"


def test_a_fault_far_into_a_long_string_is_found():
    """Longer than a chunk of time, so that the state has to be carried over."""
    machine = DyckMachine(1, 3)
    engine = Engine(lower(bounded_dyck(1, 4), Arithmetic("exact")))
    long = ["(a", "a)"] * 40_000 + ["(a"] * 3
    verdict = check_words(machine, engine, [[], long], PREDICTIVE)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) == len(long)
    assert verdict.explored["disagreements"] == 1
    assert (verdict.witness.expected, verdict.witness.given) == ({"a)"}, {"(a", "a)"})
