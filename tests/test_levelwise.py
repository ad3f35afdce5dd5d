"""The proof by levels on the weights: it agrees with the search, and planted faults are refuted by both."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from baseline import ROWS, chain_language, dyck, order_preserving
from bestiary import BESTIARY
from scipy import sparse

from automata.algebra.holonomy import Skeleton
from automata.catalogue import LANGUAGES
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, MODES, PREDICTIVE, RECOGNISE, run
from automata.notation.expressions import regex_to_dfa
from constructions.cascade import Emit, In, Level, Rule, Set
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.pair_graph import Chart, chart_of
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.methods.levelwise import prove_levelwise
from verify.numbers.sparse_rows import SparseMaps, distinct_rows
from verify.testing.corruption import corruptions, edits
from verify.testing.random_automata import random_aperiodic, random_order_preserving
from verify.verdict import PROVED, REFUTED, UNDECIDED

FIXED = Arithmetic("fixed", 1)
LIMIT = 5000


def compiled(dfa, mode):
    skeleton = Skeleton(dfa)
    return lower(holonomy_cascade(dfa, mode, skeleton), FIXED), chart_of(skeleton)


def disagrees(ssm, dfa, word):
    """By the slow reference: whether the model is asked after this word, and wrong."""
    if ssm.mode == PREDICTIVE and not dfa.live[run(dfa, word)] and word:
        return False
    state = run(dfa, word)
    wanted = dfa.legal(state) if ssm.mode == PREDICTIVE else {ACCEPT} if dfa.accepts(state) else set()
    return run(ssm, word).outputs != wanted


# -- where both finish they agree ---------------------------------------------------------------------

AUTOMATA = [
    *((case.name, case.dfa.minimise()) for case in BESTIARY if case.star_free),
    *((known.name, known.dfa()) for known in LANGUAGES.values() if known.star_free),
    *((row.name, row.build()) for row in ROWS if row.aperiodic),
    *((f"random {i}", dfa) for i, dfa in enumerate(random_aperiodic(25, (2, 5), (1, 3), seed=71))),
    *((f"order-preserving {i}", dfa) for i, dfa in enumerate(random_order_preserving(15, (3, 6), 3, seed=72))),
]


@pytest.mark.parametrize("mode", MODES)
def test_it_agrees_with_the_search(mode):
    both = 0
    for name, dfa in AUTOMATA:
        ssm, chart = compiled(dfa, mode)
        assert prove_levelwise(ssm, dfa, chart).outcome == PROVED, name
        searched = bisimulation(dfa, Engine(ssm), mode, limit=LIMIT).outcome
        assert searched in (PROVED, UNDECIDED), name
        both += searched == PROVED
    assert both > 80


@pytest.mark.parametrize("n", [12, 16, 128])
def test_chains_that_no_search_can_close(n):
    dfa = chain_language(n)
    ssm, chart = compiled(dfa, PREDICTIVE)
    verdict = prove_levelwise(ssm, dfa, chart)
    assert verdict.outcome == PROVED and verdict.horizon is None
    # polynomial: about n^2 pairs of sets for each of the two letters
    assert verdict.explored["facts"] < 2.5 * n * n
    assert bisimulation(dfa, Engine(ssm), PREDICTIVE, limit=LIMIT).outcome == UNDECIDED


@pytest.mark.parametrize("bits", [1, 3])
def test_other_arithmetics(bits):
    dfa = dyck(2, 3)
    skeleton = Skeleton(dfa)
    cascade = holonomy_cascade(dfa, RECOGNISE, skeleton)
    assert prove_levelwise(lower(cascade, Arithmetic("fixed", bits)), dfa, chart_of(skeleton)).outcome == PROVED
    floats = prove_levelwise(lower(cascade, Arithmetic("float", 24)), dfa, chart_of(skeleton))
    assert floats.outcome == UNDECIDED and "not integers" in floats.reason


# -- sparse rows are the engine's ---------------------------------------------------------------------


def test_sparse_rows_give_what_the_engine_gives():
    rng = np.random.default_rng(73)
    original, _ = compiled(dyck(2, 2), PREDICTIVE)
    models = [original, *(corrupted for _, corrupted in list(corruptions(original))[::150])]
    models.append(lower(bounded_dyck(2, 3), Arithmetic("exact")))
    models += [halved(ssm) for ssm in models[:3]]
    for ssm in models:
        engine = Engine(ssm)
        maps = SparseMaps(engine)
        for number, layer in enumerate(ssm.layers):
            x = rng.integers(0, 4, (20, layer.inputs)) * rng.integers(0, 2, (20, layer.inputs))
            h = rng.integers(-1, 4, (20, layer.width))
            rows = sparse.csr_array(x)
            numbers = engine.numbers
            assert np.array_equal(maps.gates(number, rows), numbers.affine(engine._gates[number], layer.gate, x))
            assert np.array_equal(
                maps.increments(number, rows), numbers.affine(engine._increments[number], layer.increment, x)
            )
            z = h
            for mix, affine in zip(layer.phi, engine._mixes[number]):
                z = numbers.mix(affine, mix, np.concatenate([z, x], axis=1))
            assert np.array_equal(maps.phi(number, h, rows).toarray(), z)
        last = rng.integers(0, 3, (20, ssm.readout.inputs))
        assert np.array_equal(
            maps.outputs(sparse.csr_array(last)), numbers.affine(engine._readout, ssm.readout, last) > 0
        )


def halved(ssm):
    """With all weights of the mixes over a power of two, so that values are rounded down."""
    layers = tuple(
        replace(layer, phi=tuple(replace(mix, affine=replace(mix.affine, exponent=1)) for mix in layer.phi))
        for layer in ssm.layers
    )
    return replace(ssm, layers=layers)


def test_sums_beyond_the_exact_range_are_refused():
    """Weights of 2^61 times 16 are 0 in 64 bits."""
    ssm = lower(bounded_dyck(2, 3), Arithmetic("exact"))
    layer = ssm.layers[0]

    def huge(affine):
        matrix = affine.matrix.copy()
        matrix.data[:] = 2**61
        return replace(affine, matrix=matrix)

    h, rows = np.full((1, layer.width), 16), sparse.csr_array(np.full((1, layer.inputs), 16))
    for phi in (
        (replace(layer.phi[0], affine=huge(layer.phi[0].affine)), *layer.phi[1:]),
        (layer.phi[0], replace(layer.phi[1], affine=huge(layer.phi[1].affine))),
    ):
        maps = SparseMaps(Engine(replace(ssm, layers=(replace(layer, phi=phi), *ssm.layers[1:]))))
        with pytest.raises(InputError, match="exact"):
            maps.phi(0, h, rows)
    wrong = replace(ssm, layers=(replace(layer, gate=huge(layer.gate)), *ssm.layers[1:]))
    if layer.gate.matrix.nnz:
        with pytest.raises(InputError, match="exact"):
            SparseMaps(Engine(wrong)).gates(0, rows)


def test_distinct_rows():
    known = {}
    rows = sparse.csr_array(np.array([[0, 1], [2, 0], [0, 1], [0, 0]]))
    numbers, fresh = distinct_rows(rows, known)
    assert numbers.tolist() == [0, 1, 0, 2] and fresh.tolist() == [0, 1, 3]
    numbers, fresh = distinct_rows(sparse.csr_array(np.array([[0, 0], [1, 1]])), known)
    assert numbers.tolist() == [2, 3] and fresh.tolist() == [1]


# -- planted faults -----------------------------------------------------------------------------------


def check_faulty(ssm, dfa, chart):
    """The two verdicts on a faulty model; both refute with one shortest string, or neither refutes."""
    searched = bisimulation(dfa, Engine(ssm), ssm.mode, limit=LIMIT)
    by_levels = prove_levelwise(ssm, dfa, chart)
    if searched.outcome == REFUTED:
        assert by_levels.outcome == REFUTED
        assert len(by_levels.witness.word) == len(searched.witness.word)
        assert disagrees(ssm, dfa, by_levels.witness.word)
    elif searched.outcome == PROVED:
        # The fault shows on no string; by levels it may still be one of a combination that never occurs.
        assert by_levels.outcome in (PROVED, UNDECIDED)
    else:
        assert by_levels.outcome != PROVED
    return searched.outcome, by_levels.outcome


KINDS = (
    "embedding",
    "initial",
    "gate[",
    "gate.bias",
    "increment[",
    "phi.0[",
    "phi.0.bias",
    "phi.1[",
    "phi.1.bias",
    "readout[",
)


@pytest.mark.parametrize("mode", MODES)
def test_faults_in_every_kind_of_array_are_refuted_by_both(mode):
    rng = np.random.default_rng(74)
    refuted, outcomes = Counter(), Counter()
    for dfa in (chain_language(1), chain_language(3), dyck(2, 2), order_preserving(3)):
        ssm, chart = compiled(dfa, mode)
        faults = list(corruptions(ssm))
        by_kind = {kind: [fault for fault in faults if kind in fault[0]] for kind in KINDS}
        for kind, found in by_kind.items():
            for i in rng.permutation(len(found))[:5]:
                pair = check_faulty(found[i][1], dfa, chart)
                outcomes[pair] += 1
                refuted[kind] += pair[0] == REFUTED
    assert all(refuted[kind] for kind in KINDS)
    assert outcomes[REFUTED, REFUTED] > 80
    assert outcomes[PROVED, PROVED] > outcomes[PROVED, UNDECIDED]


EXTREMES = (0, 1, -1, 2, -2, 2**31, 2**52, 2**53, -(2**53), 2**61, 2**62, -(2**62))


def check_edits(dfa, mode, values, every, zeros):
    """Every number of a model changed to each value: what is still proved is right by the slow reference, which knows
    no bound.
    """
    ssm, chart = compiled(dfa, mode)
    proved, refused = 0, 0
    for what, model in list(edits(ssm, values, zeros))[::every]:
        try:
            outcome = prove_levelwise(model, dfa, chart).outcome
        except InputError:
            refused += 1
            continue
        if outcome == PROVED:
            proved += 1
            assert bisimulation(dfa, Stepwise(model, mode), mode, limit=LIMIT).outcome == PROVED, what
    return proved, refused


@pytest.mark.parametrize("mode", MODES)
def test_no_number_of_any_size_makes_a_wrong_model_proved(mode, monkeypatch):
    monkeypatch.setattr("verify.methods.levelwise.find_witness", lambda *given: None)
    proved, refused = check_edits(chain_language(2), mode, EXTREMES, 31, zeros=False)
    assert proved and refused < 10
    check_edits(chain_language(2), mode, (-(2**62),), 7, zeros=True)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_no_number_of_any_size_makes_a_wrong_model_of_depth_4_proved(mode, monkeypatch):
    monkeypatch.setattr("verify.methods.levelwise.find_witness", lambda *given: None)
    assert check_edits(chain_language(4), mode, EXTREMES, 1, zeros=True)[0] > 400


def faulty_cascades(cascade, rng, count):
    """Two resets of a register swapped, or an edge of the pair graph redirected."""
    for _ in range(count):
        depth = int(rng.integers(len(cascade.levels)))
        register, signal = cascade.levels[depth].registers[0], cascade.levels[depth].signals[0]
        if rng.integers(2):
            register = (
                swapped(register, *rng.choice(len(register.rules), 2, replace=False))
                if len(register.rules) > 1
                else register
            )
        else:
            rules = list(signal.rules)
            i = int(rng.integers(len(rules)))
            rules[i] = Rule(rules[i].when, Set(int(rng.integers(signal.values))))
            signal = replace(signal, rules=tuple(rules))
        faulty = with_level(cascade, depth, Level((register,), (signal,)))
        if faulty != cascade:
            yield faulty


def swapped(register, i, j):
    rules = list(register.rules)
    rules[i], rules[j] = Rule(rules[i].when, rules[j].then), Rule(rules[j].when, rules[i].then)
    return replace(register, rules=tuple(rules))


def with_level(cascade, depth, level):
    return replace(cascade, levels=(*cascade.levels[:depth], level, *cascade.levels[depth + 1 :]))


@pytest.mark.parametrize("mode", MODES)
def test_faults_in_the_pair_graph_are_refuted_by_both(mode):
    rng = np.random.default_rng(75)
    outcomes = Counter()
    for dfa in (
        chain_language(3),
        dyck(2, 2),
        order_preserving(4),
        *(row.build() for row in ROWS if row.name in ("A*abaabA*", "L_FF")),
    ):
        skeleton = Skeleton(dfa)
        cascade = holonomy_cascade(dfa, mode, skeleton)
        for faulty in faulty_cascades(cascade, rng, 12):
            outcomes[check_faulty(lower(faulty, FIXED), dfa, chart_of(skeleton))] += 1
    assert outcomes[REFUTED, REFUTED] > 25


def test_swapped_resets_and_one_weight_have_a_shortest_witness():
    """Shortest by trying every shorter string on the slow reference."""
    dfa = chain_language(3)
    skeleton = Skeleton(dfa)
    cascade = holonomy_cascade(dfa, RECOGNISE, skeleton)
    level = cascade.levels[2]
    wrong_cascade = with_level(cascade, 2, Level((swapped(level.registers[0], 0, 1),), level.signals))
    ssm = lower(cascade, FIXED)
    gate = ssm.layers[1].gate
    wrong_gate = replace(gate, bias=gate.bias - (np.arange(gate.outputs) == 0))
    wrong_weight = replace(ssm, layers=(ssm.layers[0], replace(ssm.layers[1], gate=wrong_gate), *ssm.layers[2:]))
    for model in (lower(wrong_cascade, FIXED), wrong_weight):
        for verdict in (bisimulation(dfa, Engine(model), RECOGNISE), prove_levelwise(model, dfa, chart_of(skeleton))):
            assert verdict.outcome == REFUTED
            word = verdict.witness.word
            assert 0 < len(word) <= 8 and disagrees(model, dfa, word)
            assert not any(
                disagrees(model, dfa, shorter) for n in range(len(word)) for shorter in product("ab", repeat=n)
            )


def test_a_fault_deep_in_a_long_chain_is_found_on_a_string():
    """Too deep for the search: the failing step says which strings to try."""
    dfa = chain_language(40)
    skeleton = Skeleton(dfa)
    cascade = holonomy_cascade(dfa, PREDICTIVE, skeleton)
    level = cascade.levels[30]
    model = lower(with_level(cascade, 30, Level((swapped(level.registers[0], 0, 1),), level.signals)), FIXED)
    verdict = prove_levelwise(model, dfa, chart_of(skeleton))
    assert verdict.outcome == REFUTED and disagrees(model, dfa, verdict.witness.word)
    assert "layer 31" in verdict.reason


# -- what is trusted: nothing -------------------------------------------------------------------------


def test_a_model_of_another_language_is_refuted():
    ssm, _ = compiled(chain_language(3), RECOGNISE)
    verdict = prove_levelwise(ssm, chain_language(4), chart_of(Skeleton(chain_language(4))))
    assert verdict.outcome == REFUTED and verdict.witness.word == tuple("aaaabbbb")


def test_a_wrong_chart_proves_nothing():
    dfa = dyck(2, 2)
    ssm, chart = compiled(dfa, RECOGNISE)
    for stage, tiles in chart.tiles.items():
        if tiles != tiles[::-1] and stage.bit_count() > 2:
            wrong = replace(chart, tiles={**chart.tiles, stage: tiles[::-1]})
            assert prove_levelwise(ssm, dfa, wrong).outcome == UNDECIDED
            break
    assert prove_levelwise(ssm, dfa, replace(chart, root=3)).outcome == UNDECIDED
    assert prove_levelwise(ssm, dfa, replace(chart, levels=2)).outcome == UNDECIDED


def test_a_chart_whose_tiles_are_no_parts_of_their_set_proves_nothing():
    """Of the chain Q, {dead}, {start} the proof would drop every fact: nothing is asked after the dead state."""
    dfa = regex_to_dfa("(ab)*")
    ssm, _ = compiled(dfa, PREDICTIVE)
    start, dead = 1 << dfa.initial, 1 << int(np.flatnonzero(~dfa.live)[0])
    wrong = Chart(7, 2, {7: 0, dead: 1, start: 2}, {7: (dead, dead), dead: (start, start)})
    refuted = 0
    for _, model in list(corruptions(ssm))[::9]:
        verdict = prove_levelwise(model, dfa, wrong)
        assert verdict.outcome in (UNDECIDED, REFUTED)
        refuted += bisimulation(dfa, Engine(model)).outcome == REFUTED
    assert refuted > 10


def test_one_level_has_to_include_the_image():
    """Each of two automata with one register is consistent with itself; only where a step leads tells them apart."""
    ends_in_b, ends_in_a = DFA("ab", [[0, 1], [0, 1]], accepting=[1]), DFA("ab", [[1, 0], [1, 0]], accepting=[1])
    ssm, chart = compiled(ends_in_b, RECOGNISE)
    assert chart.levels == 1 and prove_levelwise(ssm, ends_in_b, chart).outcome == PROVED
    verdict = prove_levelwise(ssm, ends_in_a, chart)
    assert (verdict.outcome, verdict.witness.word) == (REFUTED, ("a",))


def test_the_digits_after_bos_name_the_initial_state():
    """Another start with the same outputs: every step is right, and the model is wrong."""
    table = [[1, 0], [2, 1], [2, 2]]
    dfa, other = (DFA("ab", table, accepting=[2], initial=start) for start in (0, 1))
    ssm, chart = compiled(other, RECOGNISE)
    assert prove_levelwise(ssm, other, chart).outcome == PROVED
    verdict = prove_levelwise(ssm, dfa, chart)
    assert (verdict.outcome, verdict.witness.word) == (REFUTED, ("a",))


def test_outputs_after_bos_are_compared():
    dfa = DFA("ab", [[0, 1], [0, 1]], accepting=[0])
    skeleton = Skeleton(dfa)
    cascade = holonomy_cascade(dfa, RECOGNISE, skeleton)
    late = replace(
        cascade,
        emissions=tuple(Emit((*emission.when, In({"a", "b"})), emission.outputs) for emission in cascade.emissions),
    )
    verdict = prove_levelwise(lower(late, FIXED), dfa, chart_of(skeleton))
    assert (verdict.outcome, verdict.witness.word) == (REFUTED, ())


def test_symbols_that_act_alike_are_told_apart_by_their_embedding():
    dfa = DFA("abc", [[0, 1, 1], [0, 1, 1]], accepting=[1])
    ssm, chart = compiled(dfa, RECOGNISE)
    embedding = ssm.embedding.copy()
    embedding[2] = embedding[0]
    verdict = prove_levelwise(replace(ssm, embedding=embedding), dfa, chart)
    assert (verdict.outcome, verdict.witness.word) == (REFUTED, ("c",))


NESTED = Chart(7, 2, {7: 0, 6: 1, 5: 1, 4: 2, 2: 2, 1: 2}, {7: (6, 5), 6: (4, 2), 5: (4, 1)})


@pytest.mark.parametrize(
    "changes, what",
    [
        ({"root": 3}, "root {0, 1} is not the set of all 3 states"),
        ({"root": 15}, "root {0, 1, 2, 3} is not the set of all 3 states"),
        ({"level": {6: 1, 5: 1, 4: 2, 2: 2, 1: 2}}, "does not know the level of {0, 1, 2}"),
        ({"tiles": {**NESTED.tiles, 6: (4, 2, 1)}}, "tile {0} is no part of {1, 2}"),
        ({"tiles": {**NESTED.tiles, 6: (4, 2, 0)}}, "tile {} is no part of {1, 2}"),
        ({"tiles": {**NESTED.tiles, 6: (4, 2, -2)}}, "is no part of {1, 2}"),
        ({"tiles": {**NESTED.tiles, 7: (6, 5, 3)}}, "tile {0, 1} does not lie below {0, 1, 2}"),
        ({"tiles": {**NESTED.tiles, 6: (4, 6)}}, "tile {1, 2} does not lie below {1, 2}"),
        ({"tiles": {**NESTED.tiles, 5: (4,)}}, "the tiles of {0, 2} cover {2} only"),
        ({"tiles": {7: (6, 5), 6: (4, 2)}}, "the tiles of {0, 2} cover {} only"),
        ({"level": {**NESTED.level, 4: 3}}, "has {2} at level 3, with 3 states and 2 levels"),
        ({"level": {**NESTED.level, 8: 1}}, "has {3} at level 1, with 3 states and 2 levels"),
    ],
)
def test_a_chart_has_to_nest(changes, what):
    assert NESTED.fault(3) is None
    assert what in replace(NESTED, **changes).fault(3)


def test_wrong_names_prove_nothing():
    ssm, chart = compiled(dyck(2, 2), RECOGNISE)
    first = ssm.layers[0]
    for names in (first.names[::-1], ("tile 1", "other"), ("tile 2 bit 0", "tile 2 bit 1")):
        renamed = replace(ssm, layers=(replace(first, names=names), *ssm.layers[1:]))
        assert prove_levelwise(renamed, dyck(2, 2), chart).outcome == UNDECIDED


def test_another_alphabet_is_refused():
    ssm, chart = compiled(chain_language(2), RECOGNISE)
    with pytest.raises(InputError, match="alphabet of only one"):
        prove_levelwise(ssm, DFA("xy", [[0, 0]], [0]), chart)
