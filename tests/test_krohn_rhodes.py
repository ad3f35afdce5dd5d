"""Holonomy cascades: they emulate, both checks say so, and both find planted faults."""

from dataclasses import replace

import numpy as np
import pytest
from baseline import ROWS, all_maps, chain_language, dyck, order_preserving
from bestiary import BESTIARY
from real_data import mlregtest

from automata.algebra.holonomy import Skeleton
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, MODES, PREDICTIVE, RECOGNISE, run
from automata.notation.expressions import regex_to_dfa
from constructions.cascade import Bit, Cascade, Emit, In, Level, Permutation, Permute, Reset, Rule, Set
from constructions.compile.emulation import _Program, emulates
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.pair_graph import chart_of, check_pair_graph
from verify import build, compile, ltl, prove, regex
from verify.testing.random_automata import random_aperiodic, random_automata, random_order_preserving
from verify.verdict import PROVED


def compiled(dfa, mode):
    skeleton = Skeleton(dfa)
    return holonomy_cascade(dfa, mode, skeleton), chart_of(skeleton)


@pytest.mark.parametrize("mode", MODES)
def test_random_automata_are_emulated(mode):
    automata = [
        *random_aperiodic(60, (1, 5), (1, 3), seed=31),
        *random_aperiodic(10, (5, 6), (2, 2), seed=32),
        *random_order_preserving(30, (2, 6), 3, seed=33),
    ]
    for dfa in automata:
        cascade, chart = compiled(dfa, mode)
        assert all(isinstance(register, Reset) for register in cascade.registers)
        assert emulates(cascade, dfa) is None
        assert check_pair_graph(cascade, dfa, chart) is None
        assert cascade.memory_bits == Skeleton(dfa).bits


@pytest.mark.parametrize("mode", MODES)
def test_automata_with_groups_are_emulated_with_permutations(mode):
    permuting = 0
    for dfa in (*random_automata(60, (2, 5), (1, 3), seed=34), all_maps(3), all_maps(4)):
        cascade, chart = compiled(dfa, mode)
        assert emulates(cascade, dfa) is None
        assert check_pair_graph(cascade, dfa, chart) is None
        permuting += any(isinstance(register, Permutation) for register in cascade.registers)
    assert permuting > 20


@pytest.mark.parametrize("case", BESTIARY, ids=lambda case: case.name)
def test_awkward_automata_are_emulated_as_they_stand(case):
    for mode in MODES:
        cascade, chart = compiled(case.dfa, mode)
        assert emulates(cascade, case.dfa) is None
        assert check_pair_graph(cascade, case.dfa, chart) is None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_automata_are_proved(row):
    dfa = row.build()
    for mode in MODES:
        cascade, chart = compiled(dfa, mode)
        assert check_pair_graph(cascade, dfa, chart) is None
        if row.aperiodic:
            assert cascade.memory_bits == row.bits


@pytest.mark.parametrize(
    "build",
    [lambda: chain_language(8), lambda: dyck(2, 5), lambda: order_preserving(5)],
    ids=["D_8", "Dyck(2,5)", "O_5"],
)
def test_the_search_agrees_on_published_automata(build):
    dfa = build()
    for mode in MODES:
        assert emulates(holonomy_cascade(dfa, mode), dfa) is None


def test_size_of_the_chain_languages_grows_linearly():
    """D_n has quadratically many pairs, but its merged nodes and rules grow by a constant from one n to the next."""
    for mode in MODES:
        rules = [
            sum(len(level.signals[0].rules) for level in compiled(chain_language(n), mode)[0].levels)
            for n in range(4, 13)
        ]
        assert len(set(np.diff(rules))) == 1


def test_a_chain_of_128_is_proved_by_levels():
    dfa = chain_language(128)
    cascade, chart = compiled(dfa, PREDICTIVE)
    assert cascade.memory_bits == 129
    assert check_pair_graph(cascade, dfa, chart) is None


def test_real_automata_are_proved_by_levels(shared_data):
    for name, dfa, _ in mlregtest(shared_data):
        if dfa.states > 150:
            continue  # the largest have a test of their own
        cascade, chart = compiled(dfa, RECOGNISE)
        assert check_pair_graph(cascade, dfa, chart) is None, name


def test_the_largest_real_automaton(shared_data):
    dfa = next(dfa for name, dfa, _ in mlregtest(shared_data) if name == "04.04.SP.6.1.8")
    cascade, chart = compiled(dfa, PREDICTIVE)
    assert (dfa.states, len(cascade.levels), cascade.memory_bits) == (613, 22, 48)
    assert check_pair_graph(cascade, dfa, chart) is None


# -- shape --------------------------------------------------------------------------------------------


def test_rules_are_cheap_to_lower():
    for dfa in (chain_language(5), dyck(2, 3), order_preserving(5), all_maps(4)):
        cascade = holonomy_cascade(dfa, PREDICTIVE)
        for level in cascade.levels:
            assert all(len(rule.when) == 1 for rule in level.registers[0].rules)
            bits = (level.registers[0].values - 1).bit_length()
            for rule in level.signals[0].rules:
                assert len(rule.when) <= 1 + bits
                assert all(literal.name == level.registers[0].name for literal in rule.when[1:])


def test_a_register_is_read_before_the_step_only_where_a_step_loses_a_digit_that_is_needed():
    """Told from the finished rules: a node that sets the register and goes on by its digit."""
    lost, kept = 0, 0
    for dfa in (
        *random_aperiodic(40, (2, 5), (1, 3), seed=38),
        *random_automata(40, (2, 5), (1, 3), seed=39),
        dyck(2, 3),
    ):
        levels = compiled(dfa, RECOGNISE)[0].levels
        for level in levels:
            (register,), (signal,) = level.registers, level.signals
            read = {literal for rule in signal.rules for literal in rule.when[1:]}
            going = {rule.when[0] for rule in signal.rules if len(rule.when) > 1}
            setting = {rule.when[0] for rule in register.rules if isinstance(rule.then, Set)}
            assert {literal.before for literal in read} in ([{bool(going & setting)}] if read else [set()])
            lost, kept = lost + bool(going & setting), kept + bool(going - setting)
        assert not any(literal.before for rule in levels[-1].signals[0].rules for literal in rule.when[1:])
    assert lost > 20 and kept > 20


def read_where(cascade, before):
    """The cascade with every register read before the step, or after it."""

    def moved(rule):
        return Rule(tuple(replace(x, before=before) if isinstance(x, Bit) else x for x in rule.when), rule.then)

    levels = [
        Level(level.registers, tuple(replace(s, rules=tuple(map(moved, s.rules))) for s in level.signals))
        for level in cascade.levels
    ]
    return replace(cascade, levels=tuple(levels))


def test_reading_at_the_wrong_time_is_found_by_both_checks():
    for dfa, set_and_read in ((chain_language(4), True), (order_preserving(4), True), (all_maps(3), True)):
        cascade, chart = compiled(dfa, RECOGNISE)
        assert bool(cascade.read_before) == set_and_read
        after = read_where(cascade, before=False)
        assert emulates(after, dfa) is not None and check_pair_graph(after, dfa, chart) is not None
    last = regex_to_dfa("(0|1|2)*02*")
    cascade, chart = compiled(last, RECOGNISE)
    assert not cascade.read_before and check_pair_graph(cascade, last, chart) is None
    # A digit that is held is the same before the step; a digit that is permuted is not.
    before = read_where(cascade, before=True)
    assert emulates(before, last) is None and check_pair_graph(before, last, chart) is None
    cycle = DFA("ab", [[1, 0], [2, 1], [0, 2]], [0])
    cascade, chart = compiled(cycle, RECOGNISE)
    before = read_where(cascade, before=True)
    assert emulates(before, cycle) is not None and check_pair_graph(before, cycle, chart) is not None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "language",
    [regex("(0|1|2)*02*"), regex("a*b(a|b)*"), ltl("O a"), ltl("O a", "abc"), ltl("!b S a"), ltl("!b S a", "abc")],
    ids=lambda language: language.name,
)
def test_one_bit_that_is_read_after_the_step_is_proved_in_exact_arithmetic(language, mode):
    construction = compile(language, mode, "holonomy")
    assert construction.cascade.memory_bits == 1 and not construction.cascade.read_before
    model = build(construction, arithmetic="exact")
    assert model.weights.layers[0].width == 1
    for method in ("search", "levels"):
        verdict = prove(language, model, method=method)
        assert verdict.outcome == PROVED and verdict.horizon is None


def test_letters_with_equal_maps_share_their_rules():
    one = DFA("ab", [[1, 0], [1, 0]], [1])
    many = DFA("abcd", [[1, 0, 1, 0], [1, 0, 1, 0]], [1])
    rules = [sum(len(item.rules) for item in holonomy_cascade(dfa, RECOGNISE).names.values()) for dfa in (one, many)]
    assert rules[0] == rules[1]


def test_one_state():
    for accepting in ([0], []):
        dfa = DFA("ab", [[0, 0]], accepting)
        for mode in MODES:
            cascade, chart = compiled(dfa, mode)
            assert (
                cascade.levels == ()
                and emulates(cascade, dfa) is None
                and check_pair_graph(cascade, dfa, chart) is None
            )


def test_unknown_mode():
    with pytest.raises(InputError, match="'generate'"):
        holonomy_cascade(chain_language(2), "generate")


# -- the checks ---------------------------------------------------------------------------------------


def test_the_fast_program_is_the_slow_step():
    rng = np.random.default_rng(35)
    for dfa in (*random_automata(20, (2, 5), (2, 3), seed=36), chain_language(4), dyck(2, 3)):
        cascade = holonomy_cascade(dfa, PREDICTIVE)
        program = _Program(cascade)
        state = cascade.initial
        assert program.step(tuple(r.initial for r in cascade.registers), BOS) == (state.values, state.outputs)
        for symbol in rng.choice(dfa.alphabet, 50):
            after = cascade.step(state, str(symbol))
            assert program.step(state.values, str(symbol)) == (after.values, after.outputs)
            state = after


def faults(cascade, rng, count):
    """Cascades with one fault each: two actions of a register swapped, or one edge of the pair graph redirected."""
    for _ in range(count):
        depth = int(rng.integers(len(cascade.levels)))
        register, signal = cascade.levels[depth].registers[0], cascade.levels[depth].signals[0]
        if rng.integers(2) and len(register.rules) > 1:
            rules = list(register.rules)
            i, j = rng.choice(len(rules), 2, replace=False)
            rules[i], rules[j] = Rule(rules[i].when, rules[j].then), Rule(rules[j].when, rules[i].then)
            register = replace(register, rules=tuple(rules))
        elif signal.rules:
            rules = list(signal.rules)
            i = int(rng.integers(len(rules)))
            rules[i] = Rule(rules[i].when, Set(int(rng.integers(signal.values))))
            signal = replace(signal, rules=tuple(rules))
        levels = list(cascade.levels)
        levels[depth] = Level((register,), (signal,))
        faulty = replace(cascade, levels=tuple(levels))
        if faulty != cascade:
            yield faulty


@pytest.mark.parametrize("mode", MODES)
def test_planted_faults_are_found_by_both_checks(mode):
    rng = np.random.default_rng(37)
    real = harmless = 0
    for dfa in (
        chain_language(4),
        dyck(2, 2),
        order_preserving(4),
        all_maps(3),
        *(row.build() for row in ROWS if row.name in ("A*abaabA*", "L_FF")),
    ):
        cascade, chart = compiled(dfa, mode)
        for faulty in faults(cascade, rng, 25):
            word = emulates(faulty, dfa)
            fault = check_pair_graph(faulty, dfa, chart)
            if word is None:
                harmless += 1  # only on digits that never occur, or on prefixes that a predictor is not asked about
                continue
            real += 1
            assert fault is not None
            assert shows_difference(faulty, dfa, word) and not any(
                shows_difference(faulty, dfa, word[:i]) for i in range(len(word))
            )
    assert real > 60 and real > harmless


def shows_difference(cascade, dfa, word):
    """By the slow step: whether the cascade goes wrong exactly here."""
    try:
        outputs = run(cascade, word).outputs
    except InputError:
        return True
    state = run(dfa, word)
    return outputs != (
        dfa.legal(state) if cascade.mode == PREDICTIVE else ({"<accept>"} if dfa.accepts(state) else frozenset())
    )


def test_the_levelwise_check_says_where():
    dfa = chain_language(4)
    cascade, chart = compiled(dfa, RECOGNISE)
    level = cascade.levels[2]
    rules = level.registers[0].rules
    swapped = replace(
        level.registers[0], rules=(Rule(rules[0].when, rules[1].then), Rule(rules[1].when, rules[0].then), *rules[2:])
    )
    levels = (*cascade.levels[:2], Level((swapped,), level.signals), *cascade.levels[3:])
    fault = check_pair_graph(replace(cascade, levels=levels), dfa, chart)
    assert fault.startswith("level 3, node ") and "leads to" in fault


def test_a_cascade_for_another_language_is_found_out():
    one, other = chain_language(3), chain_language(4)
    cascade, chart = compiled(one, RECOGNISE)
    assert emulates(cascade, other) == ("a",) * 4 + ("b",) * 4
    assert check_pair_graph(cascade, other, chart) is not None


def test_a_wrong_chart_is_found_out():
    dfa = chain_language(3)
    cascade, chart = compiled(dfa, RECOGNISE)
    stage, tiles = next((stage, tiles) for stage, tiles in chart.tiles.items() if tiles != tiles[::-1])
    assert check_pair_graph(cascade, dfa, replace(chart, tiles={**chart.tiles, stage: tiles[::-1]})) is not None


def test_different_alphabets_are_refused():
    cascade, chart = compiled(chain_language(2), RECOGNISE)
    other = DFA("xy", [[0, 0]], [0])
    for check in (lambda: emulates(cascade, other), lambda: check_pair_graph(cascade, other, chart)):
        with pytest.raises(InputError, match="alphabet"):
            check()


def test_the_search_stops_at_its_limit():
    dfa = chain_language(8)
    with pytest.raises(InputError, match="more than 50 pairs"):
        emulates(holonomy_cascade(dfa, RECOGNISE), dfa, limit=50)


def test_permutation_rules_are_found_out_when_wrong():
    dfa = all_maps(3)
    cascade, chart = compiled(dfa, RECOGNISE)
    register = cascade.levels[0].registers[0]
    rules = tuple(
        (
            Rule(rule.when, Permute(tuple(np.argsort(rule.then.images).tolist())))
            if isinstance(rule.then, Permute)
            else rule
        )
        for rule in register.rules
    )
    faulty = Cascade(
        cascade.alphabet,
        (Level((replace(register, rules=rules),), cascade.levels[0].signals), *cascade.levels[1:]),
        cascade.outputs,
        cascade.emissions,
    )
    assert emulates(faulty, dfa) is not None
    assert check_pair_graph(faulty, dfa, chart) is not None


# -- each condition by itself -------------------------------------------------------------------------


def test_what_a_recogniser_gives_in_the_dead_state_is_compared():
    only_a = DFA("ab", [[0, 1], [1, 1]], accepting=[0])
    everything = Cascade(("a", "b"), (), (ACCEPT,), (Emit((), {ACCEPT}),))
    assert emulates(everything, only_a) == ("b",)


def test_outputs_that_are_missing_after_bos_are_a_fault():
    dfa = DFA("ab", [[0, 1], [0, 1]], accepting=[0])
    cascade, chart = compiled(dfa, RECOGNISE)
    assert check_pair_graph(cascade, dfa, chart) is None
    late = replace(
        cascade,
        emissions=tuple(Emit((*emission.when, In({"a", "b"})), emission.outputs) for emission in cascade.emissions),
    )
    assert check_pair_graph(late, dfa, chart) == "after BOS the outputs are [], expected ['accept']".replace(
        "accept", ACCEPT
    )
    assert emulates(late, dfa) == ()


def test_one_level_has_to_include_the_image():
    """Each of two automata with one register is consistent with itself; only where a step leads tells them apart."""
    ends_in_b, ends_in_a = DFA("ab", [[0, 1], [0, 1]], accepting=[1]), DFA("ab", [[1, 0], [1, 0]], accepting=[1])
    cascade, chart = compiled(ends_in_b, RECOGNISE)
    assert len(cascade.levels) == 1 and chart.tiles == {3: (1, 2)}
    assert check_pair_graph(cascade, ends_in_b, chart) is None
    assert "but 'tile 1' then says {0}" in check_pair_graph(cascade, ends_in_a, chart)
