"""Proof by induction: what is proved, what is refuted, and that the verdicts are true of the weights."""

import builtins
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from planted_faults import KINDS, plant

from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE, RECOGNISE, run
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import NAMES, CounterMachine, counter_machine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from constructions.ssm.lowering import lower
from verify.evidence.sampling import expect, random_words
from verify.methods.bisimulation import bisimulation
from verify.methods.bounded_search import bounded_search
from verify.methods.induction import prove_counter, prove_dyck
from verify.methods.induction.counter_obligations import CounterInduction
from verify.methods.induction.depths import DepthInduction
from verify.methods.induction.stack_obligations import StackInduction
from verify.methods.induction.stack_states import failing_state
from verify.methods.relation.confirmed import check_horizon, confirm_horizon
from verify.methods.relation.horizon import largest_exact_value
from verify.methods.relation.prove import RelationProof
from verify.methods.sticky import find_sticky
from verify.numbers.boxes import NotCovered
from verify.testing.brute_force import plain_outputs
from verify.testing.corruption import corruptions, with_layer
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED

EXACT = Arithmetic("exact")

both_modes = pytest.mark.parametrize("mode", MODES)


def counter_model(name, mode=PREDICTIVE, arithmetic="exact"):
    return lower(counter_cascade(name, mode), Arithmetic.parse(arithmetic))


def dyck_model(k, depth, mode=PREDICTIVE, arithmetic="exact"):
    return lower(bounded_dyck(k, depth, mode), Arithmetic.parse(arithmetic))


# -- counter languages --------------------------------------------------------------------------------


@both_modes
@pytest.mark.parametrize("name", (*NAMES, "shuffle-1", "shuffle-3", "boolean-1"))
def test_counter_languages_are_proved_for_every_counter_value(name, mode):
    verdict = prove_counter(counter_model(name, mode), counter_machine(name), mode)
    assert verdict.outcome == PROVED and verdict.horizon is None and verdict.method == "induction"
    assert "every counter value" in verdict.reason and verdict.explored["facts"] > 10


@both_modes
@pytest.mark.parametrize("name", NAMES)
def test_the_second_opinion_agrees(name, mode):
    verdict = bounded_search(counter_machine(name), Engine(counter_model(name, mode)), 3, limit=3000)
    assert verdict.outcome == TESTED and verdict.explored["pairs"] >= 4


@pytest.mark.parametrize("name, other", [("anbn", "anbncn"), ("dyck-1", "shuffle-2")])
def test_another_language_is_refuted_or_refused(name, other):
    """The relation cannot even be derived, or the alphabets differ: never proved."""
    with pytest.raises(InputError, match="alphabet of only one"):
        prove_counter(counter_model(name), counter_machine(other), PREDICTIVE)


def test_a_subtly_different_language_is_refuted():
    """Boolean expressions whose ~ takes two operands."""
    machine = counter_machine("boolean-2")
    moves = tuple(replace(move, add=(1,)) if move.symbol == "~" else move for move in machine.moves)
    verdict = prove_counter(counter_model("boolean-2"), replace(machine, moves=moves), PREDICTIVE)
    assert verdict.outcome == REFUTED and verdict.witness.word == ("~", "0")
    assert "'pending' does not count what the machine counts" in verdict.reason


def test_the_relation_is_an_obligation_too():
    """A machine whose signs the relation would narrow wrongly: the narrowing itself is checked against its moves."""
    induction = CounterInduction(counter_model("anbncn"), counter_machine("anbncn"))
    induction.signs = {**induction.signs, "a": (frozenset("0"), frozenset("0"))}
    assert any("a sign that R excludes" in failure.what for failure in induction.run().failures)


def test_a_failed_obligation_names_a_model_state():
    ssm = counter_model("dyck-1", RECOGNISE)
    ssm = with_layer(ssm, 1, increment=Affine(ssm.layers[1].increment.matrix, ssm.layers[1].increment.bias - 1))
    failures = CounterInduction(ssm, counter_machine("dyck-1")).run().failures
    assert failures and set(failures[-1].state) == {"open ( )", "dead"}
    assert "in the model state open ( ) = " in str(failures[-1]) and "dead = 1" in str(failures[-1])
    verdict = prove_counter(ssm, counter_machine("dyck-1"), RECOGNISE)
    assert verdict.outcome == REFUTED


def test_a_fault_far_out_is_found():
    """A neuron that first speaks when the counter is 1000: no search over small counters sees it."""
    ssm = counter_model("dyck-1")
    layer = ssm.layers[0]
    first, second = layer.phi
    matrix = np.vstack([first.affine.matrix.toarray(), np.eye(1, first.affine.inputs, dtype=np.int64)])
    bias = np.append(first.affine.bias, -1000)
    wide = second.affine.matrix.toarray()
    wide = np.insert(wide, first.affine.outputs, 0, axis=1)
    closing = next(i for i, name in enumerate(second.names) if name == "open ( ) >= 1")
    wide[closing, first.affine.outputs] = -1
    phi = (
        replace(first, affine=Affine(matrix, bias), names=(*first.names, "far out")),
        replace(second, affine=Affine(wide, second.affine.bias)),
    )
    faulty = with_layer(ssm, 0, phi=phi)
    machine = counter_machine("dyck-1")
    assert bounded_search(machine, Engine(faulty), 20).outcome == TESTED
    verdict = prove_counter(faulty, machine, PREDICTIVE)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) == 1001
    assert_witness_fails(faulty, machine, verdict.witness)


def test_unknown_is_not_proved():
    """No time for the solver: undecided, with the reason."""
    verdict = prove_counter(counter_model("shuffle-6"), counter_machine("shuffle-6"), PREDICTIVE, timeout=1e-9)
    assert verdict.outcome in (UNDECIDED, PROVED)
    induction = CounterInduction(counter_model("dyck-1"), counter_machine("dyck-1"))
    induction.result.unknown.append("is it?")
    assert induction.run().unknown == ["is it?"]


def test_a_solver_that_gives_up_proves_nothing(monkeypatch):
    z3 = pytest.importorskip("z3")
    monkeypatch.setattr(z3.Solver, "check", lambda self, *assumptions: z3.unknown)
    verdict = prove_counter(counter_model("dyck-1"), counter_machine("dyck-1"), PREDICTIVE)
    assert verdict.outcome == UNDECIDED and "obligations are not decided" in verdict.reason


def test_without_the_solver_there_is_a_search_and_no_proof(monkeypatch):
    real = builtins.__import__

    def without_z3(name, *arguments, **options):
        if name == "z3":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_z3)
    verdict = prove_counter(counter_model("anbn"), counter_machine("anbn"), PREDICTIVE)
    assert verdict.outcome == TESTED and verdict.method == "bounded search"
    assert "no proof" in verdict.reason and "pip install z3-solver" in verdict.reason


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda ssm: with_layer(ssm, 0, names=("x",)), "no coordinate is named 'open ( )'"),
        (lambda ssm: with_layer(ssm, 0, names=()), "have no names"),
        (lambda ssm: with_layer(ssm, 0, initial_exponent=1), "some weights are fractions"),
        (lambda ssm: replace(ssm, arithmetic=Arithmetic("wrap", 40)), "integers wrap round"),
    ],
)
def test_what_is_not_covered_is_undecided(change, reason):
    verdict = prove_counter(change(counter_model("dyck-1")), counter_machine("dyck-1"), PREDICTIVE)
    assert verdict.outcome == UNDECIDED and reason in verdict.reason


def test_the_mode_must_be_the_models():
    with pytest.raises(InputError, match="answers the question of mode 'predictive'"):
        prove_counter(counter_model("dyck-1"), counter_machine("dyck-1"), RECOGNISE)
    with pytest.raises(InputError, match="answers the question of mode 'predictive'"):
        prove_dyck(dyck_model(2, 3), 2, 3, RECOGNISE)


# -- horizons -----------------------------------------------------------------------------------------


HORIZONS = {
    ("dyck-1", PREDICTIVE): 0,
    ("anbn", PREDICTIVE): 0,
    ("boolean-5", PREDICTIVE): 0,
    ("dyck-1", RECOGNISE): -1,
    ("anbncn", RECOGNISE): -1,
    ("shuffle-4", PREDICTIVE): -3,
}
"""Relative to 2^p: a recogniser's counters drift below zero too, and a sum over four counters goes three beyond."""


@pytest.mark.parametrize("arithmetic, limit", [("float16", 2**11), ("float32", 2**24)])
@pytest.mark.parametrize("name, mode", HORIZONS)
def test_the_horizon(name, mode, arithmetic, limit):
    machine = counter_machine(name)
    ssm = counter_model(name, mode, arithmetic)
    verdict = prove_counter(ssm, machine, mode)
    horizon = limit + HORIZONS[name, mode]
    assert verdict.outcome == PROVED and verdict.explored["largest counter value"] == horizon
    assert verdict.horizon == (horizon - max(machine.initial[1])) // machine.fastest
    assert f"no counter exceeds {horizon}" in verdict.reason


@pytest.mark.parametrize("name, mode", HORIZONS)
def test_the_float16_horizon_is_confirmed_by_running_up_to_it_and_one_past_it(name, mode):
    verdict = check_horizon(counter_model(name, mode, "float16"), counter_machine(name))
    assert verdict.outcome == TESTED and "is rounded to" in verdict.reason
    assert abs(verdict.explored["steps run"] - 2048) < 5


def test_a_horizon_too_far_to_run_to_is_confirmed_by_its_last_steps():
    verdict = check_horizon(
        lower(counter_cascade("anbn", RECOGNISE), Arithmetic.parse("float64")), counter_machine("anbn")
    )
    assert verdict.outcome == TESTED and verdict.explored == {"largest counter value": 2**53 - 1, "steps run": 100_000}
    assert (
        "the last 100000 symbols of" in verdict.reason and f"{-(2**53) - 1} is rounded to {-(2**53)}" in verdict.reason
    )


@pytest.mark.parametrize("name, run_up", [("dyck-1", None), ("anbn", 100_000), ("anbncndn", 100_000)])
def test_the_float32_horizon_is_confirmed_by_running_up_to_it_and_one_past_it(name, run_up):
    """For dyck-1 all 2^24 symbols are read; then one more, on which the counter stands still."""
    ssm, machine = counter_model(name, PREDICTIVE, "float32"), counter_machine(name)
    proof = RelationProof(ssm, machine)
    confirmed = confirm_horizon(proof, largest_exact_value(proof), run_up)
    assert confirmed.steps == 2**24 and confirmed.exact
    assert confirmed.past == f"{2**24 + 1} is rounded to {2**24}"
    engine = Engine(ssm)
    at_the_horizon = np.zeros((1, ssm.hidden_size), dtype=np.float32)
    at_the_horizon[0, 0] = 2.0**24
    past, _ = engine.advance(at_the_horizon, engine.encode([confirmed.symbol]))
    assert past[0, 0] == 2.0**24


def test_a_run_that_is_not_exact_is_not_confirmed():
    """Half a step too far, the run and the exact state differ."""
    proof = RelationProof(counter_model("dyck-1", PREDICTIVE, "float16"), counter_machine("dyck-1"))
    assert confirm_horizon(proof, 2048).exact and not confirm_horizon(proof, 2050).exact


def test_beyond_the_horizon_the_float_model_is_wrong():
    """2049 brackets opened in float16: the model counts 2048 of them, and wants the end one bracket too early."""
    ssm, machine = counter_model("dyck-1", PREDICTIVE, "float16"), counter_machine("dyck-1")
    for opened, right in ((2048, True), (2049, False)):
        word = ["("] * opened + [")"] * 2048
        state, outputs = Engine(ssm).begin(1)
        engine = Engine(ssm)
        state, outputs = engine.advance(engine.begin(1)[0], engine.encode(word))
        given = engine.names(outputs.table[outputs.ids[0, -1]])
        assert (given == machine.legal(run(machine, word))) == right


# -- bounded Dyck -------------------------------------------------------------------------------------


SIZES = [(2, 5), (8, 5), (8, 10), (64, 32)]


@pytest.mark.parametrize("k, depth", [*SIZES, (1024, 64)])
def test_bounded_dyck_is_proved(k, depth):
    verdict = prove_dyck(dyck_model(k, depth), k, depth, PREDICTIVE)
    assert verdict.outcome == PROVED and verdict.horizon is None
    bits = depth * (k - 1).bit_length()
    # Every slot bit from both its values, for every bracket at every depth at which it is legal.
    assert verdict.explored["facts"] >= 2 * depth * k * 2 * bits


@pytest.mark.parametrize("k, depth", SIZES)
def test_recognition_of_bounded_dyck_is_proved(k, depth):
    verdict = prove_dyck(dyck_model(k, depth, RECOGNISE), k, depth, RECOGNISE)
    assert verdict.outcome == PROVED and verdict.horizon is None


@both_modes
@pytest.mark.parametrize("k, depth", [(1, 1), (1, 4), (3, 0), (2, 1), (3, 1), (3, 3), (5, 2), (7, 4)])
def test_the_edges_of_bounded_dyck(k, depth, mode):
    """One type, no depth, and numbers of types whose codes are not all used."""
    assert prove_dyck(dyck_model(k, depth, mode), k, depth, mode).outcome == PROVED


@both_modes
@pytest.mark.parametrize("arithmetic", ["fixed:2", "float16", "float32", "float64"])
def test_bounded_dyck_in_other_arithmetics(arithmetic, mode):
    verdict = prove_dyck(dyck_model(4, 3, mode, arithmetic), 4, 3, mode)
    drifts = mode == RECOGNISE and arithmetic.startswith("float")
    assert verdict.outcome == PROVED and (verdict.horizon is not None) == drifts


def test_wrapping_arithmetic_is_not_covered():
    verdict = prove_dyck(dyck_model(8, 6, PREDICTIVE, "wrap:8"), 8, 6, PREDICTIVE)
    assert verdict.outcome == UNDECIDED and "wrap round" in verdict.reason


def test_a_neuron_that_only_rounding_keeps_asleep_is_not_taken_for_asleep():
    """relu((2^24 + 1) * opening - 2^24 * depth) is 1 when the first bracket is opened; in float32 the two weights are
    equal.
    """
    ssm = dyck_model(2, 2)
    first, second = ssm.layers[0].phi
    row = np.zeros((1, first.affine.inputs), dtype=np.int64)
    row[0, 0], row[0, 1 + ssm.names.index("symbol (a (b")] = -(2**24), 2**24 + 1
    wide = np.hstack(
        [second.affine.matrix[:, : len(first.names)].toarray(), np.zeros((second.affine.outputs, 1), dtype=np.int64)]
    )
    wide[second.names.index("change slot 1"), -1] = 5
    phi = (
        replace(
            first,
            affine=Affine(np.vstack([first.affine.matrix.toarray(), row]), np.append(first.affine.bias, 0)),
            names=(),
        ),
        replace(
            second,
            affine=Affine(np.hstack([wide, second.affine.matrix[:, len(first.names) :].toarray()]), second.affine.bias),
        ),
    )
    faulty = with_layer(ssm, 0, phi=phi)
    verdict = prove_dyck(faulty, 2, 2, PREDICTIVE)
    assert verdict.outcome == REFUTED and "could leave the range in which every step is exact" in verdict.reason
    assert_witness_fails(faulty, DyckMachine(2, 2), verdict.witness)


def test_the_order_of_the_alphabet_does_not_matter():
    ssm = dyck_model(3, 2)
    order = np.random.default_rng(0).permutation(6)
    shuffled = replace(
        ssm,
        alphabet=tuple(ssm.alphabet[i] for i in order),
        outputs=(*(ssm.alphabet[i] for i in order), ssm.outputs[-1]),
        embedding=np.ascontiguousarray(ssm.embedding[[*order, 6]]),
        readout=Affine(ssm.readout.matrix[[*order, 6]], ssm.readout.bias[[*order, 6]]),
    )
    assert prove_dyck(shuffled, 3, 2, PREDICTIVE).outcome == PROVED


@both_modes
@pytest.mark.parametrize("made, asked", [((2, 3), (2, 2)), ((2, 2), (2, 3))])
def test_an_off_by_one_depth_is_refuted(made, asked, mode):
    machine = DyckMachine(*asked)
    ssm = dyck_model(*made, mode)
    verdict = prove_dyck(ssm, *asked, mode)
    assert verdict.outcome == REFUTED
    assert_witness_fails(ssm, machine, verdict.witness)


def test_a_renamed_coordinate_makes_a_proof_fail_never_succeed():
    """Two slots whose names are exchanged: R is wrong, the model is right, the verdict undecided."""
    ssm = dyck_model(4, 3)
    names = list(ssm.layers[1].names)
    names[0], names[2] = names[2], names[0]
    verdict = prove_dyck(with_layer(ssm, 1, names=tuple(names)), 4, 3, PREDICTIVE)
    assert verdict.outcome == UNDECIDED and "no string was found" in verdict.reason


@both_modes
@pytest.mark.parametrize("arithmetic", ["exact", "fixed:2"])
def test_a_failed_obligation_names_a_concrete_model_state_that_fails(mode, arithmetic):
    """Stepped by the engine from the state named, the model leaves the relation."""
    ssm = dyck_model(3, 3, mode, arithmetic)
    increment = ssm.layers[1].increment
    coordinate = ssm.layers[1].names.index("slot 2 bit 1")
    bias = increment.bias.copy()
    bias[coordinate] += 1
    faulty = with_layer(ssm, 1, increment=Affine(increment.matrix, bias))
    verdict = prove_dyck(faulty, 3, 3, mode)
    assert verdict.outcome == REFUTED and "slot 2 bit 1 goes from" in verdict.reason
    assert "for instance in the model state depth = " in verdict.reason
    induction = StackInduction(faulty, DyckMachine(3, 3))
    states = [failing_state(Engine(faulty), DyckMachine(3, 3), induction.relation, f) for f in induction.run().failures]
    # A recogniser's obligations ask more than R does where the step kills: some fail without leading out of R.
    assert (all if mode == PREDICTIVE else any)(state is not None for state in states)
    right = StackInduction(ssm, DyckMachine(3, 3))
    assert all(
        failing_state(Engine(ssm), DyckMachine(3, 3), right.relation, f) is None for f in induction.result.failures
    )


def test_a_deep_fault_in_a_large_model_has_a_witness():
    """One slot bit, 25 deep, among 192: the obligation names it, and a string that uses it is found."""
    ssm = dyck_model(64, 32)
    gate = ssm.layers[1].gate
    coordinate = ssm.layers[1].names.index("slot 25 bit 3")
    matrix = gate.matrix.copy()
    matrix.data[matrix.indptr[coordinate] : matrix.indptr[coordinate + 1]] = 0
    faulty = with_layer(ssm, 1, gate=Affine(matrix, gate.bias))
    verdict = prove_dyck(faulty, 64, 32, PREDICTIVE)
    assert verdict.outcome == REFUTED and "slot 25 bit 3 goes from 1 to" in verdict.reason
    assert len(verdict.witness.word) >= 25
    assert_witness_fails(faulty, DyckMachine(64, 32), verdict.witness)


def test_a_failure_at_a_negative_depth_has_words_too():
    """A gate that goes wrong only where more brackets were closed than opened, which the dead register hides."""
    ssm = dyck_model(2, 3, RECOGNISE)
    gate = ssm.layers[1].gate
    matrix = gate.matrix.toarray()
    matrix[1, 7] = 1
    verdict = prove_dyck(with_layer(ssm, 1, gate=Affine(matrix, gate.bias)), 2, 3, RECOGNISE)
    assert verdict.outcome == UNDECIDED
    assert "depth = -5, dead = 1" in verdict.reason and "no string was found" in verdict.reason


# -- planted faults -----------------------------------------------------------------------------------


def given_by_plain_run(ssm, word):
    """The outputs after each prefix, by the equations alone; None where numbers grow too large for them."""
    indices = np.array([[ssm.symbol_index[symbol] for symbol in word]], dtype=np.int64).reshape(1, -1)
    with np.errstate(over="ignore", invalid="ignore"):
        rows = plain_outputs(ssm, indices)[0]
    return [frozenset(ssm.outputs[i] for i in np.flatnonzero(row)) for row in rows]


def assert_witness_fails(ssm, machine, witness):
    """Run by the equations alone, the model gives what the witness says, and the machine something else."""
    expected = expect(machine, witness.word, ssm.mode).sets
    assert len(expected) == len(witness.word) + 1 and expected[-1] == witness.expected
    assert given_by_plain_run(ssm, witness.word)[-1] == witness.given != witness.expected


def is_wrong_somewhere(ssm, machine):
    """Whether an independent run of many strings finds the model wrong: all short ones, and random ones."""
    length = max(n for n in range(1, 9) if len(machine.alphabet) ** n <= 700)
    words = [*product(machine.alphabet, repeat=length), *random_words(machine, 60, 40, np.random.default_rng(0))]
    longest = max(map(len, words))
    padded = np.zeros((len(words), longest), dtype=np.int64)
    for row, word in zip(padded, words):
        row[: len(word)] = [ssm.symbol_index[symbol] for symbol in word]
    with np.errstate(over="ignore", invalid="ignore"):
        outputs = plain_outputs(ssm, padded)
    index = {name: i for i, name in enumerate(ssm.outputs)}
    for word, rows in zip(words, outputs):
        for expected, row in zip(expect(machine, word, ssm.mode).sets, rows):
            if {index[name] for name in expected} != set(np.flatnonzero(row).tolist()):
                return True
    return False


CONSTRUCTIONS = [*product(NAMES, MODES), *product([(2, 3), (3, 2), (8, 5), (8, 10)], MODES)]
FAULTS = 100


def planted_fault(number):
    """(what was done, machine, faulty model, its proof, its second opinion)."""
    language, mode = CONSTRUCTIONS[number % len(CONSTRUCTIONS)]
    kind = KINDS[(number // len(CONSTRUCTIONS) + number) % len(KINDS)]
    rng = np.random.default_rng(number)
    if isinstance(language, str):
        machine = counter_machine(language)
        what, ssm = plant(counter_model(language, mode), kind, rng)
        return f"{language}, {mode}: {what}", machine, ssm, lambda: prove_counter(ssm, machine, mode)
    machine = DyckMachine(*language)
    what, ssm = plant(dyck_model(*language, mode), kind, rng)
    return f"{machine}, {mode}: {what}", machine, ssm, lambda: prove_dyck(ssm, *language, mode)


def second_opinion(machine, ssm):
    """The outcome of a search over small counters, or over few pairs; None where numbers leave the engine's range."""
    try:
        if isinstance(machine, CounterMachine):
            return bounded_search(machine, Engine(ssm), 3, limit=1500).outcome
        return bisimulation(machine, Engine(ssm), ssm.mode, limit=1500).outcome
    except InputError:
        return None


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_planted_faults(capsys, every):
    outcomes = Counter()
    for number in range(0, FAULTS, every):
        what, machine, ssm, prove = planted_fault(number)
        verdict = prove()
        wrong = is_wrong_somewhere(ssm, machine)
        search = second_opinion(machine, ssm)
        outcomes[verdict.outcome] += 1
        if verdict.outcome == REFUTED:
            assert_witness_fails(ssm, machine, verdict.witness)
        else:
            assert not wrong, f"{what}: {verdict.outcome}, but it changes the behaviour"
            assert search != REFUTED, f"{what}: {verdict.outcome}, but the second opinion refutes it"
        if isinstance(machine, CounterMachine):
            assert (search == REFUTED) == (verdict.outcome == REFUTED), what
    with capsys.disabled():
        counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        print(f"\n{outcomes.total()} planted faults: {counts}")
    assert outcomes[REFUTED] >= 0.7 * outcomes.total() and outcomes[UNDECIDED] <= 3


def test_facts_are_counted_once_for_each_depth_symbol_and_bit():
    result = StackInduction(dyck_model(2, 1), DyckMachine(2, 1)).run()
    # After BOS: two coordinates and five outputs; two brackets up, two down: the depth and both values of one bit each;
    # at depth 0 five outputs; at depth 1 three that close nothing, each type's bracket against each bit, and on its own
    # top.
    assert result.facts == (2 + 5) + 4 * (1 + 2) + 5 + (3 + 2 * 1 + 2)


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("k, depth", [(1, 70_000), (3000, 1)])
def test_chains_and_fans(k, depth, mode):
    """As many joint states as a search visits easily, but one after the other, or with as many symbols as states."""
    ssm = lower(bounded_dyck(k, depth, mode), Arithmetic("exact"))
    verdict = prove_dyck(ssm, k, depth, mode)
    assert verdict.outcome == PROVED and verdict.horizon is None


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_one_type_with_a_wrong_weight(mode):
    """Each weight of Dyck(1, 3) in turn: the induction over depths proves no model that a search refutes."""
    ssm, machine = lower(bounded_dyck(1, 3, mode), Arithmetic("exact")), DyckMachine(1, 3)
    outcomes = Counter()
    for _, fault in corruptions(ssm):
        engine = Engine(fault)
        sticky = find_sticky(engine) if mode == RECOGNISE else None
        searched = bisimulation(machine, engine, mode, limit=2000, absorbed=sticky)
        try:
            failures = DepthInduction(engine, machine, sticky).run().failures
        except NotCovered:
            outcomes["not covered"] += 1
            continue
        outcomes[f"{'fails' if failures else 'proved'}, search says {searched.outcome}"] += 1
    print(f"\nDyck(1, 3), {mode}: {dict(outcomes)}")
    assert outcomes["proved, search says refuted"] == 0 and outcomes["proved, search says proved"] > 0
    assert outcomes["fails, search says refuted"] > 20


@pytest.mark.parametrize("output, when", [("(b", 2), ("<eos>", 1)])
def test_an_output_that_closes_nothing_is_given_where_it_is_not_legal(output, when):
    """An opening bracket at the greatest depth, the end of the word before all is closed."""
    ssm, machine = dyck_model(3, 2), DyckMachine(3, 2)
    bias = ssm.readout.bias.copy()
    bias[ssm.outputs.index(output)] = 1
    fault = replace(ssm, readout=Affine(ssm.readout.matrix, bias, ssm.readout.exponent))
    verdict = prove_dyck(fault, 3, 2, PREDICTIVE)
    assert verdict.outcome == REFUTED and len(verdict.witness.word) == when
    assert_witness_fails(fault, machine, verdict.witness)


def test_a_bracket_that_is_closed_by_two_tops():
    """One of 300 types is closed also when a type that differs from it in one bit is on top."""
    k = 300
    ssm, machine = lower(bounded_dyck(k, 1), Arithmetic("exact")), DyckMachine(k, 1)
    row = ssm.outputs.index(machine.closers[77])
    other = ssm.outputs.index(machine.closers[77 ^ 4])
    readout = ssm.readout.matrix.tolil()
    readout[row] = readout[row] + readout[other]
    fault = replace(ssm, readout=Affine(readout.tocsr(), ssm.readout.bias, ssm.readout.exponent))
    verdict = prove_dyck(fault, k, 1, PREDICTIVE)
    assert verdict.outcome == REFUTED and verdict.witness.word[-1] == machine.openers[77 ^ 4]
    assert_witness_fails(fault, machine, verdict.witness)


def test_the_relation_of_a_stack_is_said_in_words():
    machine = DyckMachine(4, 5)
    verdict = prove_dyck(lower(bounded_dyck(4, 5, RECOGNISE), Arithmetic("exact")), 4, 5, RECOGNISE)
    depth, *slots, types, stale, dead = verdict.relation
    assert depth == "'depth' is the number of open brackets" and dead.startswith("'dead' is 0 while")
    for j, line in zip((1, 2, 5), (slots[0], slots[1], slots[3])):
        assert line == f"slot {j} holds the type of the bracket opened at depth {j}, as bits 0 to 1 of its number"
    assert slots[2] == "likewise the slots between" and types == "of the types, (a is 0, (b is 1, (c is 2, …"
    assert machine.openers[2] == "(c" and "stale" in stale and verdict.to_json()["relation"] == list(verdict.relation)
    assert prove_dyck(lower(bounded_dyck(1, 5), Arithmetic("exact")), 1, 5, PREDICTIVE).relation == (depth,)
