"""Star-freeness and its witnesses, against brute force over words."""

import itertools

import pytest
from baseline import ROWS, all_maps, from_maps
from bestiary import BESTIARY
from real_data import mlregtest

from automata.algebra.aperiodic import group_witness, is_aperiodic, is_star_free, membership_cycle
from automata.dfa import DFA
from automata.errors import InputError
from automata.notation.expressions import regex_to_dfa
from verify.testing.brute_force import aperiodic_by_brute_force
from verify.testing.random_automata import random_automata


def shortest_word_with_cycle(dfa, longest):
    """By trying all words in order: the first whose action moves a state round a cycle of two or more."""
    for length in range(1, longest + 1):
        for word in itertools.product(dfa.alphabet, repeat=length):
            action = [run(dfa, q, word) for q in range(dfa.states)]
            for q in range(dfa.states):
                path = [q]
                while action[path[-1]] not in path:
                    path.append(action[path[-1]])
                if action[path[-1]] != path[-1]:
                    return word
    return None


def run(dfa, state, word):
    for symbol in word:
        state = dfa.step(state, symbol)
    return state


def check_witness(dfa, witness):
    assert witness.period > 1 and len(set(witness.states)) == witness.period
    assert tuple(run(dfa, q, witness.word) for q in witness.states) == witness.states[1:] + witness.states[:1]


def test_verdicts_and_witnesses_against_brute_force():
    found = 0
    for dfa in random_automata(150, (1, 5), (1, 2), seed=21):
        witness = group_witness(dfa)
        assert is_aperiodic(dfa) == (witness is None) == aperiodic_by_brute_force(dfa)
        if witness is not None:
            found += 1
            check_witness(dfa, witness)
            assert witness.shortest
            assert witness.word == shortest_word_with_cycle(dfa, len(witness.word))
    assert found > 50


def test_round_trips_of_the_skeleton_are_witnesses_too():
    found = 0
    for dfa in (*random_automata(150, (2, 6), (2, 2), seed=22), all_maps(6)):
        witness = group_witness(dfa, search_limit=1)
        if witness is not None:
            found += 1
            assert not witness.shortest
            check_witness(dfa, witness)
    assert found > 50


def test_membership_cycles():
    cyclic = 0
    for dfa in random_automata(150, (2, 6), (1, 2), seed=23):
        cycle = membership_cycle(dfa)
        assert (cycle is None) == is_star_free(dfa) == aperiodic_by_brute_force(dfa.minimise())
        if cycle is None:
            continue
        cyclic += 1
        assert len(cycle.strings) == cycle.period + 1
        membership = [dfa.accepts_word(cycle.u + cycle.w * n + cycle.v) for n in range(3 * cycle.period + 1)]
        assert tuple(membership[: cycle.period + 1]) == cycle.membership
        assert membership[cycle.period :] == membership[: -cycle.period]
        assert len(set(membership)) == 2
    assert cyclic > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_verdicts(row):
    assert is_star_free(row.build()) == row.aperiodic


@pytest.mark.parametrize("case", BESTIARY, ids=lambda case: case.name)
def test_awkward_verdicts(case):
    assert is_star_free(case.dfa) == case.star_free
    assert (membership_cycle(case.dfa) is None) == case.star_free


def test_the_language_counts_not_the_automaton():
    swap = DFA("a", [[1], [0]], accepting=[0, 1])
    assert not is_aperiodic(swap) and is_star_free(swap) and membership_cycle(swap) is None


def test_a_long_period():
    witness = group_witness(from_maps([[1, 2, 3, 4, 5, 6, 0]]))
    assert (witness.word, witness.states) == (("m0",), (0, 1, 2, 3, 4, 5, 6))


def test_shortest_witness_need_not_be_a_letter():
    """(abab)*: a b swaps two states though neither letter permutes any."""
    cycle = membership_cycle(regex_to_dfa("(abab)*"))
    assert (cycle.w, cycle.period, cycle.membership) == (("a", "b"), 2, (True, False, True))


def test_limit_is_passed_on():
    with pytest.raises(InputError, match="more than 100 image sets"):
        is_star_free(all_maps(12), limit=100)


def test_real_automata(shared_data):
    cyclic = []
    for name, dfa, _ in mlregtest(shared_data):
        cycle = membership_cycle(dfa)
        if cycle is not None:
            cyclic.append(name)
            assert tuple(dfa.accepts_word(string) for string in cycle.strings) == cycle.membership
            assert len(set(cycle.membership)) == 2 and cycle.membership[0] == cycle.membership[-1]
    assert len(cyclic) == 20
    assert {name.split(".")[2] for name in cyclic} == {"Zp", "Reg"}
