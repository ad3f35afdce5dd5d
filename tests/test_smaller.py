"""Smaller cascades: each route on languages made for it, and on random ones; a wrong cascade is never taken."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from baseline import chain_language, cycle, dyck, order_preserving
from bestiary import BESTIARY
from real_data import mlregtest

import constructions.compile.smaller as smaller
from automata.algebra.holonomy import Skeleton
from automata.algebra.live_part import (
    NOWHERE,
    Effort,
    completions,
    live_part,
    maximal_partition,
    quotient,
    readings,
    whole,
)
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE, RECOGNISE, run
from automata.notation.expressions import regex_to_dfa
from constructions.cascade import Counter, Reset
from constructions.compile.bounded_counter import bounded_counter_cascade
from constructions.compile.emulation import emulates
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.smaller import Limits, compile_dfa, cost
from constructions.compile.window import window_cascade
from verify.testing.random_automata import random_aperiodic, random_automata, random_order_preserving


def flip_flops(count):
    """Some flip-flops, each with a letter to set and a letter to clear it; words are those after which all are set."""
    states = list(product((0, 1), repeat=count))
    number = {state: i for i, state in enumerate(states)}
    rows = [[number[(*state[:i], bit, *state[i + 1 :])] for i in range(count) for bit in (0, 1)] for state in states]
    return DFA(
        [f"{'clear' if bit == 0 else 'set'}{i}" for i in range(count) for bit in (0, 1)], rows, [number[(1,) * count]]
    )


def test_four_flip_flops_need_four_bits():
    for dfa in (flip_flops(4), ~flip_flops(4)):
        cascade, route = compile_dfa(dfa, RECOGNISE)
        assert (route.name, route.bits, route.holonomy_bits, cascade.memory_bits) == ("product", 4, 9, 4)
        assert emulates(cascade, dfa) is None


@pytest.mark.parametrize("mode", MODES)
def test_chain_languages_are_counters(mode):
    for n in (4, 12):
        cascade, route = compile_dfa(chain_language(n), mode)
        dead = mode == RECOGNISE
        assert (route.name, route.bits, route.holonomy_bits) == ("counter", n.bit_length() + dead, n + 1)
        assert [type(register) for register in cascade.registers] == [Counter, Reset][: 1 + dead]


def test_a_counter_that_has_left_its_range_stays_out():
    dfa = chain_language(3)
    cascade = bounded_counter_cascade(dfa, RECOGNISE)
    assert emulates(cascade, dfa) is None
    rng = np.random.default_rng(41)
    for _ in range(300):
        word = "".join(rng.choice(["a", "b"], rng.integers(0, 14)))
        assert cascade.accepts(run(cascade, word)) == dfa.accepts_word(word)


def test_counters_with_holes_in_what_they_give_out():
    """A step counter whose outputs are no interval: end allowed at 0, 2 and 5 of 0..5."""
    rows = [[min(q + 1, 6), q - 1 if 0 < q < 6 else 6, q] for q in range(7)]
    dfa = DFA("+-0", rows, [0, 2, 5])
    for mode in MODES:
        cascade = bounded_counter_cascade(dfa, mode)
        assert emulates(cascade, dfa) is None
        assert cost(cascade) == 3 + (mode == RECOGNISE)


def test_no_counter_where_there_is_none():
    assert bounded_counter_cascade(order_preserving(4), PREDICTIVE) is None
    assert bounded_counter_cascade(regex_to_dfa("a*b*"), RECOGNISE) is None
    assert bounded_counter_cascade(DFA("a", [[0]], []), RECOGNISE) is None


@pytest.mark.parametrize(
    "expression, mode, width",
    [("(.*(aa|bb|cc))", RECOGNISE, 2), ("aa*bb*cc*dd*ee*", PREDICTIVE, 1), (".*a.{4}", RECOGNISE, 5),
     ("~(.*000.*)", PREDICTIVE, 2), ("~(.*(ac|ba|cab).*)", PREDICTIVE, 2)],
)  # fmt: skip
def test_windows(expression, mode, width):
    dfa = regex_to_dfa(expression)
    cascade = window_cascade(dfa, mode, 20)
    assert len(cascade.levels) == width
    assert emulates(cascade, dfa) is None


def test_windows_that_do_not_exist():
    assert window_cascade(regex_to_dfa("(ab)*"), RECOGNISE, 20) is None
    assert window_cascade(regex_to_dfa(".*a.{4}", "ab"), RECOGNISE, 4) is None


def test_routes_of_known_languages():
    def route(expression, mode):
        return compile_dfa(regex_to_dfa(expression), mode)[1]

    assert (route("aa*bb*cc*dd*ee*", PREDICTIVE).bits, route("aa*bb*cc*dd*ee*", PREDICTIVE).holonomy_bits) == (3, 8)
    assert (route("[ab]*d[bc]*", PREDICTIVE).name, route("[ab]*d[bc]*", PREDICTIVE).bits) == ("quotient", 1)
    assert route("1*", PREDICTIVE).bits == 0
    assert route(".*abaab.*", RECOGNISE).name == "holonomy"


@pytest.mark.parametrize("mode", MODES)
def test_random_languages(mode):
    automata = [*random_aperiodic(80, (2, 6), (2, 3), seed=42), *random_order_preserving(30, (3, 7), 3, seed=43)]
    automata += [
        a & b
        for a, b in zip(automata[:20], random_aperiodic(20, (2, 3), (2, 2), seed=44))
        if set(a.alphabet) == set(b.alphabet)
    ]
    for dfa in automata:
        cascade, route = compile_dfa(dfa, mode)
        assert emulates(cascade, dfa) is None
        assert route.bits == cost(cascade) <= route.holonomy_bits == Skeleton(dfa.minimise()).bits
        assert (route.name == "holonomy") == (route.bits == route.holonomy_bits)


@pytest.mark.parametrize("mode", MODES)
def test_awkward_languages(mode):
    for case in BESTIARY:
        cascade, route = compile_dfa(case.dfa, mode)
        assert emulates(cascade, case.dfa) is None, case.name
        assert route.bits <= route.holonomy_bits, case.name


def test_languages_with_groups_keep_their_permutations():
    cascade, route = compile_dfa(cycle(6), RECOGNISE)
    assert route.name == "holonomy" and "not star-free" in route.reason
    assert emulates(cascade, cycle(6)) is None


def test_holonomy_can_be_asked_for():
    cascade, route = compile_dfa(chain_language(5), PREDICTIVE, route="holonomy")
    assert (route.name, route.bits, cascade) == (
        "holonomy",
        6,
        holonomy_cascade(chain_language(5).minimise(), PREDICTIVE),
    )


def test_a_wrong_cascade_is_not_taken(monkeypatch):
    dfa = flip_flops(4)
    right, _ = compile_dfa(dfa, RECOGNISE)
    wrong = replace(right, emissions=right.emissions[:-1])
    monkeypatch.setattr(smaller, "product_cascades", lambda *_: iter([(4, wrong)]))
    assert compile_dfa(dfa, RECOGNISE)[1].name == "holonomy"


def test_a_cascade_too_large_to_check_is_not_taken(monkeypatch):
    monkeypatch.setattr(smaller, "SMALLER_LIMIT", 3)
    monkeypatch.setattr(smaller, "PAIRS_PER_STATE", 0)
    assert compile_dfa(flip_flops(3), RECOGNISE)[1].name == "holonomy"


def test_a_smaller_route_helps_where_holonomy_explodes():
    _, route = compile_dfa(flip_flops(5), RECOGNISE, limits=Limits(image_sets=50))
    assert (route.name, route.bits, route.holonomy_bits) == ("product", 5, None)
    with pytest.raises(InputError, match="more than 50 image sets"):
        compile_dfa(order_preserving(7), RECOGNISE, limits=Limits(image_sets=50))


def test_bad_arguments():
    with pytest.raises(InputError, match="'fast'"):
        compile_dfa(chain_language(2), PREDICTIVE, route="fast")
    with pytest.raises(InputError, match="'generate'"):
        compile_dfa(chain_language(2), "generate")


@pytest.mark.parametrize("mode", MODES)
def test_empty_and_full_languages(mode):
    for accepting in ([], [0]):
        dfa = DFA("ab", [[0, 0]], accepting)
        cascade, route = compile_dfa(dfa, mode)
        assert route.bits == 0 and emulates(cascade, dfa) is None


# -- partitions ---------------------------------------------------------------------------------------


def closed(table, partition):
    blocks = {}
    for state, row in enumerate(table):
        for a, target in enumerate(row):
            if target != NOWHERE and blocks.setdefault((partition[state], a), partition[target]) != partition[target]:
                return False
    return True


def test_partitions_are_closed_and_cannot_be_coarser():
    rng = np.random.default_rng(45)
    for _ in range(60):
        n = int(rng.integers(2, 8))
        table = rng.integers(-1, n, size=(n, 2)).tolist()
        state, others = 0, [q for q in range(1, n) if rng.integers(2)]
        partition = maximal_partition(table, (state, others), rng.permutation(n).tolist(), Effort(10**6))
        assert closed(table, partition) and all(partition[q] != partition[state] for q in others)
        for one in range(max(partition) + 1):
            for other in range(one):
                # joining two blocks and what that forces must put the state together with one of the others
                forced = maximal_partition(
                    quotient(table, partition),
                    (partition[state], {partition[q] for q in others}),
                    range(max(partition) + 1),
                    Effort(10**6),
                )
                assert len(set(forced)) == len(set(partition)), (one, other)


def test_readings_decide_the_outputs():
    for dfa in (*random_automata(60, (3, 8), (2, 3), seed=46), flip_flops(3), dyck(2, 2)):
        for part in (whole(dfa, RECOGNISE), live_part(dfa)):
            for all_only in (False, True):
                found = part and readings(part, all_only, 1000)
                if not found:
                    continue
                partitions, said = found
                assert all(closed(part.table, partition) for partition in partitions)
                for q, outputs in enumerate(part.outputs):
                    given = set()
                    for reading in said:
                        votes = [partitions[i][q] in blocks for i, blocks in reading.allowed.items()]
                        if all(votes) if reading.all_of else any(votes):
                            given.add(reading.output)
                    assert given == outputs


def test_completions_do_what_the_partial_automaton_does():
    partial = [[1, NOWHERE], [NOWHERE, 0], [1, 2]]
    for table in completions(partial):
        assert all(NOWHERE not in row for row in table)
        assert all(
            there in (target, *([] if target != NOWHERE else range(4)))
            for row, full in zip(partial, table)
            for target, there in zip(row, full)
        )


def test_a_search_that_takes_too_long_gives_up():
    assert maximal_partition([[1], [2], [3], [0]], (0, [2]), range(4), Effort(0)) is None


def test_real_automata(shared_data):
    names = {"04.04.SP.6.1.0": (12, 22), "04.04.SL.4.1.7": (6, 7), "04.03.TLTT.2.5.9": (13, 20)}
    for name, dfa, _ in mlregtest(shared_data):
        if name in names:
            cascade, route = compile_dfa(dfa, PREDICTIVE)
            assert (route.bits, route.holonomy_bits) == names.pop(name)
            assert emulates(cascade, dfa) is None
    assert not names
