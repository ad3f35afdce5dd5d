"""What theory expects of a Mamba over the reals: a word that leads two states back to themselves, or none."""

import itertools
from collections import Counter

import numpy as np
import pytest

from automata.catalogue import language
from automata.dfa import DFA
from automata.machine import PREDICTIVE, RECOGNISE
from tests.real_data import mlregtest
from verify.learned.expectation import expectation
from verify.learned.part import part_of

STRICTLY_LOCAL = ("tomita-1", "tomita-2", "tomita-4", "(ab)*", "aa*bb*cc*dd*ee*")
OTHERS = ("flip-flop", "d-2", "tomita-7", "{a,b}*d{b,c}*", "{0,1,2}*02*", "dyck-2-2", "parity", "(aa)*", "dyck-1")


def shows_it(found, machine, mode):
    """Whether the word leads the states of both strings back, and what comes after tells these apart."""

    def state(word):
        here = machine.initial
        for symbol in word:
            if mode == PREDICTIVE and symbol not in machine.legal(here):
                return "nothing is asked"
            here = machine.step(here, symbol)
        return here

    def answer(word):
        here = state(word)
        return machine.legal(here) if mode == PREDICTIVE else machine.accepts(here)

    back = all("nothing is asked" != state(u) == state((*u, *found.w)) for u in found.to)
    first, second = (answer((*u, *found.v)) for u in found.to)
    return back and first != second


@pytest.mark.parametrize("name", STRICTLY_LOCAL)
def test_what_a_mamba_over_the_reals_can_have(name):
    machine = language(name).machine
    assert expectation(machine, PREDICTIVE).possible is True
    # The dead state and a live one stay what they are under some word.
    found = expectation(machine, RECOGNISE)
    assert found.possible is False and shows_it(found, machine, RECOGNISE)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_what_none_can_have_is_shown_by_a_word(name, mode):
    machine = language(name).machine
    found = expectation(machine, mode)
    assert found.possible is False and shows_it(found, machine, mode)
    assert " ".join(found.w) in str(found)


def test_what_is_not_known_is_said():
    machine = language("anbn").machine
    assert expectation(machine, PREDICTIVE).possible is None
    assert "not known" in str(expectation(machine, PREDICTIVE))
    irregular = expectation(machine, PREDICTIVE, regular=False)
    assert irregular.possible is False and "not regular" in str(irregular)


def test_a_word_that_swaps_two_states_is_taken_twice():
    # The only cycle of pairs is a swap by a word longer than those that are tried first: 1 0 0 0 0.
    table = [[1, 5], [2, 5], [3, 5], [4, 5], [4, 5], [5, 5]]
    assert expectation(DFA("01", table, [4]), PREDICTIVE).possible is True
    swap = [[2, 8], [3, 8], [4, 8], [5, 8], [6, 8], [7, 8], [1, 8], [0, 8], [8, 8]]
    machine = DFA("01", swap, [0, 1, 2, 4, 6])
    found = expectation(machine, PREDICTIVE)
    assert found.possible is False and shows_it(found, machine, PREDICTIVE) and len(found.w) > 3


def definite_by_force(dfa, mode):
    """The set of all pairs of words' actions: does the action of any word fix two states that differ?"""
    dfa = dfa.minimise()
    live = [q for q in range(dfa.states) if mode == RECOGNISE or dfa.live[q]]
    actions = {tuple(range(dfa.states))}
    todo = list(actions)
    while todo:
        action = todo.pop()
        for column in dfa.table.T.tolist():
            longer = tuple(column[q] for q in action)
            if longer not in actions:
                actions.add(longer)
                todo.append(longer)
    letters = {tuple(column) for column in dfa.table.T.tolist()}
    products = {tuple(column[q] for q in action) for action in actions for column in letters}
    return not any(sum(action[q] == q for q in live) > 1 for action in products)


def test_random_automata_against_all_words():
    rng = np.random.default_rng(5)
    seen = Counter()
    for _ in range(400):
        states, symbols = int(rng.integers(2, 6)), int(rng.integers(1, 3))
        dfa = DFA("ab"[:symbols], rng.integers(0, states, (states, symbols)), np.flatnonzero(rng.random(states) < 0.4))
        if not dfa.accepting:
            continue
        for mode in (PREDICTIVE, RECOGNISE):
            found = expectation(dfa, mode)  # not minimal: states that are not told apart are one
            assert found.possible == definite_by_force(dfa, mode)
            assert found.possible or shows_it(found, dfa, mode)
            seen[mode, found.possible] += 1
    assert min(seen.values()) > 20 and len(seen) == 4


def test_loops_are_all_short_words_that_lead_back():
    part = part_of(language("d-2").machine, PREDICTIVE, 100)
    found = {word: states.tolist() for word, states in part.loops(4)}
    for size in range(1, 5):
        for word in itertools.product(range(2), repeat=size):
            back = np.flatnonzero(part.after(np.arange(len(part)), word) == np.arange(len(part))).tolist()
            power = any(word == word[:d] * (size // d) for d in range(1, size) if size % d == 0)
            assert found.get(word, []) == ([] if power else back)


def test_exactly_the_strictly_local_automata_of_mlregtest(shared_data):
    found = Counter()
    for name, dfa, _ in mlregtest(shared_data):
        found[name.split(".")[2] == "SL", expectation(dfa, PREDICTIVE).possible] += 1
    assert found == {(True, True): 30, (False, False): 360}
