"""Permutation registers: split into transpositions, as programs, and on the one stock architecture that reflects."""

import dataclasses
from itertools import permutations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import RECOGNISE
from constructions.build import build
from constructions.cascade import Permutation, Permute
from constructions.compile.compiler import compile
from constructions.compile.emulation import emulates
from constructions.compile.factorings import factorings, length
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.quotients import by_quotients
from constructions.compile.transpositions import by_transpositions
from constructions.conditions.coarser import coarser
from constructions.conditions.network import Choice, network
from constructions.program.operations import Delay, Flip, Hold, Neuron, Swap, run_program
from constructions.program.planner import Offer, plan
from verify.claim import Claim
from verify.evidence.sampling import check_words, random_words
from verify.proving import prove_claim

REFLECTS = Offer((frozenset((Hold, Delay, Flip, Swap)), frozenset((Neuron,))), late=True)

GROUPS = ("parity", "tomita-3", "tomita-5", "tomita-6", "(aa)*", "(aaaa)*", "(abab)*")

S3 = DFA("ab", [[1, 1], [2, 0], [0, 2]], [0])
T3 = DFA("abc", [[1, 1, 0], [2, 0, 0], [0, 2, 2]], [0])


def random_with_groups(rng):
    """A minimal automaton of up to four states, some word of which permutes states."""
    while True:
        states = int(rng.integers(2, 5))
        accepting = np.flatnonzero(rng.random(states) < 0.5).tolist()
        dfa = DFA("ab", rng.integers(0, states, (states, 2)).tolist(), accepting).minimise()
        if any(isinstance(register, Permutation) for register in holonomy_cascade(dfa, RECOGNISE).registers):
            return dfa


@given(st.lists(st.permutations(range(5)).map(tuple), min_size=1, max_size=4), st.integers(0, 4))
@settings(max_examples=60)
def test_transpositions_multiply_to_the_permutations(moves, initial):
    words = factorings(moves, initial) if any(map(length, moves)) else []
    for images, word in zip(moves, words):
        assert len(word) == max(map(length, moves))
        for point, image in enumerate(images):
            for one, other in filter(None, reversed(word)):
                point = other if point == one else one if point == other else point
            assert point == image


@given(st.permutations(range(7)))
def test_as_few_transpositions_as_can_be(images):
    cycles = nx.number_weakly_connected_components(nx.DiGraph(list(enumerate(images))))
    assert length(images) == 7 - cycles


def test_levels_meet_few_permutations():
    """The first that came to hand met 41,472 states."""
    dfa = DFA("ab", [[1, 2], [3, 3], [2, 4], [4, 0], [0, 3]], [2])
    cascade = by_transpositions(holonomy_cascade(dfa, RECOGNISE))
    assert emulates(cascade, dfa, 768) is None
    with pytest.raises(InputError, match="more than 767 pairs"):
        emulates(cascade, dfa, 767)


@pytest.mark.parametrize("dfa", [S3, T3, *(language(name).dfa() for name in GROUPS)], ids=["S3", "T3", *GROUPS])
def test_a_split_cascade_does_what_its_automaton_does(dfa):
    cascade = by_transpositions(holonomy_cascade(dfa.minimise(), RECOGNISE))
    assert emulates(cascade, dfa.minimise(), 10_000) is None
    for register in cascade.registers:
        for rule in register.rules:
            if isinstance(rule.then, Permute):
                assert sum(value != image for value, image in enumerate(rule.then.images)) == 2


def test_a_cycle_of_even_length_is_turned_by_halves():
    eight = holonomy_cascade(DFA("ab", [[(q + 1) % 8, (q + 6) % 8] for q in range(8)], [0, 3]), RECOGNISE)
    cascade = by_transpositions(eight)
    assert [register.values for register in cascade.registers] == [2, 2, 2]
    assert emulates(cascade, DFA("ab", [[(q + 1) % 8, (q + 6) % 8] for q in range(8)], [0, 3]), 1000) is None


def word_problem(points):
    """Words over a swap and a rotation that multiply to the identity: a state for each permutation."""
    elements = {element: number for number, element in enumerate(permutations(range(points)))}
    generators = (1, 0, *range(2, points)), (*range(1, points), 0)
    return DFA("ab", [[elements[tuple(g[x] for x in element)] for g in generators] for element in elements], [0])


@pytest.mark.parametrize(
    "points, side_by_side, split", [(3, [2, 3], 5), (4, [2, 3, 4], 11), (5, [2, 5, 5, 5], 1 + 3 * 5 + 3)]
)
def test_a_group_on_itself_is_small_registers_side_by_side(points, side_by_side, split):
    """Registers that move alike share all levels but the last: three of five points, at four levels."""
    dfa = word_problem(points)
    cascade = by_quotients(holonomy_cascade(dfa, RECOGNISE))
    assert sorted(register.values for register in cascade.registers) == side_by_side
    assert emulates(cascade, dfa, 1000) is None
    levels = by_transpositions(cascade)
    assert len(levels.registers) == split
    assert points == 5 or emulates(levels, dfa, 10_000) is None


def test_what_has_no_blocks_or_blocks_within_blocks_stays():
    for table in ([[1, 1], [2, 0], [0, 2]], [[(q + 1) % 8] * 2 for q in range(8)]):
        cascade = holonomy_cascade(DFA("ab", table, [0]).minimise(), RECOGNISE)
        assert by_quotients(cascade) == cascade


def test_registers_that_are_set_are_set_in_their_quotients():
    rows = [[(q + 1) % 6, 5 - q, 3] for q in range(6)]
    dfa = DFA("abc", rows, [0, 1]).minimise()
    cascade = by_quotients(holonomy_cascade(dfa, RECOGNISE))
    assert len(cascade.registers) > 1 and emulates(cascade, dfa, 10_000) is None


@pytest.mark.parametrize("seed", range(6))
def test_quotients_do_what_the_register_did(seed):
    """Three points and two, each permuted at random, and a letter that sets both."""
    rng = np.random.default_rng(seed)
    three, two = rng.permutation(3), rng.permutation(2)
    table = [[three[q // 2] * 2 + q % 2, q // 2 * 2 + two[q % 2], 5 - q, seed] for q in range(6)]
    dfa = DFA("abcd", np.array(table).tolist(), [0]).minimise()
    cascade = holonomy_cascade(dfa, RECOGNISE)
    assert emulates(by_quotients(cascade), dfa, 10_000) is None


def test_signals_have_the_values_that_are_told_apart():
    """Of the product only whether it is the identity is asked."""
    net = network(by_quotients(holonomy_cascade(word_problem(4), RECOGNISE)), True)
    sizes = [
        [len(item.variable.labels) for item in one.items if isinstance(item, Choice)] for one in (net, coarser(net))
    ]
    assert max(sizes[0]) == 24 and set(sizes[1]) == {2}


@pytest.mark.parametrize(
    "points", [3, pytest.param(4, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_word_problems_of_symmetric_groups_are_proved(points, mode):
    dfa = word_problem(points)
    built = build(compile(dfa, mode, target="olmo_hybrid"), "olmo_hybrid")
    with built.running() as model:
        verdict = prove_claim(Claim(dfa, mode, model, built.weights, built.construction, 100_000))
    assert verdict.outcome == "proved" and verdict.horizon is None


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_programs_of_groups(name, mode):
    machine = language(name).machine
    program = plan(compile(machine, mode, target="olmo_hybrid").cascade, REFLECTS)
    for word in random_words(machine, 20, 12, np.random.default_rng(0)):
        answers = run_program(program, word)
        if mode == RECOGNISE:
            accepted = [bool(given_out) for given_out in answers]
            assert accepted == [machine.accepts_word(word[:n]) for n in range(len(word) + 1)]


def test_random_automata_with_groups_as_programs():
    rng = np.random.default_rng(2)
    for _ in range(10):
        dfa = random_with_groups(rng)
        program = plan(compile(dfa, RECOGNISE, target="olmo_hybrid").cascade, REFLECTS)
        for word in random_words(dfa, 10, 12, rng):
            assert bool(run_program(program, word)[-1]) == dfa.accepts_word(word)


def proved(machine, mode, corrupt=lambda weights: weights):
    construction = compile(machine, mode, target="olmo_hybrid")
    built = build(construction, "olmo_hybrid")
    built = dataclasses.replace(built, weights=corrupt(built.weights))
    with built.running() as model:
        verdict = prove_claim(Claim(machine, mode, model, built.weights, construction, 20_000))
        words = list(random_words(machine, 10, 60, np.random.default_rng(0)))
        return verdict, check_words(machine, model.by_full_forward, words, mode)


@pytest.mark.parametrize("name", ["parity", "tomita-5", "(aaaa)*"])
def test_reflections_have_groups(name):
    pytest.importorskip("transformers")
    verdict, forward = proved(language(name).machine, RECOGNISE)
    assert verdict.outcome == "proved" and verdict.horizon is None and forward.outcome == "tested"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("dfa", [S3, T3, *(language(name).machine for name in GROUPS)], ids=["S3", "T3", *GROUPS])
def test_reflections_have_every_group_of_the_catalogue(dfa, mode):
    pytest.importorskip("transformers")
    verdict, forward = proved(dfa, mode)
    assert verdict.outcome == "proved" and forward.outcome == "tested"


@pytest.mark.slow
def test_random_automata_with_groups():
    pytest.importorskip("transformers")
    rng = np.random.default_rng(3)
    for _ in range(40):
        assert proved(random_with_groups(rng), RECOGNISE)[0].outcome == "proved"


def test_a_reflection_that_is_none_is_refuted():
    pytest.importorskip("transformers")

    def corrupt(weights):
        name = "model.layers.0.linear_attn.b_proj.weight"
        return dataclasses.replace(weights, tensors={**weights.tensors, name: 0 * weights.tensors[name]})

    assert proved(language("parity").machine, RECOGNISE, corrupt)[0].outcome == "refuted"
