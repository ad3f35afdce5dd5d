"""The proof by a relation on affine forms agrees with the solver, and proves nothing that a search refutes."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from float_faults import with_feature, with_neuron

from automata.machine import BOS, MODES, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES, counter_machine
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from constructions.ssm.lowering import lower
from verify.claim import Claim
from verify.methods.bounded_search import bounded_search
from verify.methods.induction import prove_counter
from verify.methods.relation.counters import prove_relation
from verify.methods.relation.forms import above, bounds, corner
from verify.methods.relation.prove import RelationProof
from verify.numbers.boxes import NotCovered
from verify.proving import chosen, prove_claim
from verify.testing.corruption import corruptions, with_layer
from verify.verdict import PROVED, REFUTED, TESTED

EXACT = Arithmetic("exact")


def model(name, mode, arithmetic=EXACT):
    return lower(counter_cascade(name, mode), arithmetic)


def kept(ssm, name) -> bool:
    """Whether the relation is shown to be kept."""
    try:
        return not RelationProof(ssm, counter_machine(name)).run().failures
    except NotCovered:
        return False


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", NAMES)
def test_every_counter_language_is_proved(name, mode):
    verdict = prove_relation(model(name, mode), counter_machine(name))
    assert (verdict.outcome, verdict.horizon, verdict.method) == (PROVED, None, "relation")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "name",
    ["dyck-1", "boolean-3", *(pytest.param(n, marks=pytest.mark.slow) for n in ("shuffle-2", "anbncn", "shuffle-4"))],
)
@pytest.mark.parametrize("arithmetic", ["float16", "float64", "fixed:2"])
def test_the_solver_says_the_same(name, mode, arithmetic):
    ssm, machine = model(name, mode, Arithmetic.parse(arithmetic)), counter_machine(name)
    mine, other = prove_relation(ssm, machine), prove_counter(ssm, machine, mode)
    value = "largest counter value"
    assert (mine.outcome, mine.horizon, mine.explored.get(value)) == (
        other.outcome,
        other.horizon,
        other.explored.get(value),
    )
    assert mine.outcome == PROVED and (mine.horizon is not None) == ssm.arithmetic.is_float


@pytest.mark.parametrize(
    "name, mode", [("dyck-1", RECOGNISE), ("anbn", PREDICTIVE), ("boolean-3", PREDICTIVE), ("anbn", RECOGNISE)]
)
def test_no_corrupted_model_is_proved_that_a_search_refutes(name, mode):
    machine, proved, refuted = counter_machine(name), 0, 0
    for what, ssm in corruptions(model(name, mode)):
        found = bounded_search(machine, Engine(ssm), 4).outcome
        holds = kept(ssm, name)
        assert not (holds and found == REFUTED), what
        proved += holds
        refuted += found == REFUTED
    assert refuted > 20 and refuted > proved


def test_a_wrong_model_is_refuted_with_a_string():
    ssm = model("dyck-1", RECOGNISE)
    wrong = replace(ssm, readout=replace(ssm.readout, bias=ssm.readout.bias + 1))
    verdict = prove_relation(wrong, counter_machine("dyck-1"))
    assert verdict.outcome == REFUTED and verdict.witness.given != verdict.witness.expected


def test_a_counter_that_is_never_read_must_count_too():
    """A model that forgets that a counter went up has the right outputs for a while."""
    ssm = model("dyck-1", PREDICTIVE)
    layer = ssm.layers[0]
    matrix = layer.increment.matrix.copy()
    matrix.data = np.where(matrix.data == 1, 2, matrix.data)
    wrong = with_layer(ssm, 0, increment=replace(layer.increment, matrix=matrix))
    assert not kept(wrong, "dyck-1")


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:2", "float16", "float64"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n == "shuffle-6" else n for n in NAMES])
def test_every_counter_language_is_proved_where_there_is_no_solver(name, mode, arithmetic, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    ssm, machine = model(name, mode, Arithmetic.parse(arithmetic)), counter_machine(name)
    verdict = prove_claim(Claim(machine, mode, Engine(ssm), ssm))
    assert (verdict.outcome, verdict.method) == (PROVED, "relation")
    assert (verdict.horizon is not None) == ssm.arithmetic.is_float


def read_by(ssm, output: int, *neuron, bias: int = 0):
    """The model with one more feature, which alone says whether this output is given."""
    wide = with_neuron(ssm, 0, *neuron, np.arange(len(ssm.outputs)) == output)
    matrix, biases = wide.readout.matrix.toarray(), wide.readout.bias.copy()
    matrix[output, :-1], biases[output] = 0, bias
    return replace(wide, readout=Affine(matrix, biases))


@pytest.mark.parametrize(
    "output, neuron, bias",
    [
        # ) is given from 2 open brackets on: in a part of the range alone.
        (1, ([[1]], [0], [1], 0), -1),
        # <eos> is given below 3 open brackets: were the first relu no relu, its sum would be 0 from 1 on.
        (2, ([[1], [1]], [-3, 0], [1, -1], 3), 0),
    ],
)
def test_an_output_is_looked_at_in_the_whole_range(output, neuron, bias):
    ssm, machine = read_by(model("dyck-1", PREDICTIVE), output, *neuron, bias=bias), counter_machine("dyck-1")
    assert not kept(ssm, "dyck-1")
    assert bounded_search(machine, Engine(ssm), 4).witness.word == ("(",)


def test_the_start_is_looked_at():
    ssm = model("dyck-1", PREDICTIVE)
    wrong = with_layer(ssm, 0, initial=ssm.layers[0].initial + 1)
    assert not kept(wrong, "dyck-1") and bounded_search(counter_machine("dyck-1"), Engine(wrong), 4).outcome == REFUTED


def test_what_happens_after_a_violation_is_looked_at():
    """A recogniser whose dead register may fall back."""
    ssm = model("dyck-1", RECOGNISE)
    gate = ssm.layers[1].gate
    wrong = with_layer(ssm, 1, gate=replace(gate, bias=np.zeros_like(gate.bias)))
    assert not kept(wrong, "dyck-1")
    assert prove_relation(wrong, counter_machine("dyck-1")).outcome == REFUTED


def test_fractions_and_wrapping_integers_are_not_spoken_of():
    assert (
        prove_relation(model("dyck-1", PREDICTIVE, Arithmetic("wrap", 4)), counter_machine("dyck-1")).outcome != PROVED
    )


def test_a_second_opinion_still_exists():
    assert bounded_search(counter_machine("anbn"), Engine(model("anbn", PREDICTIVE)), 5).outcome == TESTED


@pytest.mark.parametrize("threshold", range(-7, 8))
@pytest.mark.parametrize("c", [-3, -2, -1, 1, 2, 5])
def test_a_cut_decides_a_form_of_one_parameter(c, threshold):
    value, box = (3, ((0, c),)), ((-20, 20),)
    least, most = bounds(value, box)
    if not least <= threshold < most:
        return
    parts = above(value, threshold, box)
    assert [q[0][0] for q in sorted(parts)] == [-20, sorted(parts)[0][0][1] + 1] and sorted(parts)[1][0][1] == 20
    for part in parts:
        low, high = bounds(value, part)
        assert high <= threshold or low > threshold
        assert value[0] + c * corner(value, part, greatest=True)[0] == high


def test_what_rounds_on_bos_is_no_proof():
    """3 * 1024 - 3072 is 0, but 3072 is beyond what float16 holds for certain."""
    ssm = with_feature(model("dyck-1", PREDICTIVE, Arithmetic.parse("float16")), {BOS: 2})
    layer = ssm.layers[0]
    gate, increment = layer.gate.matrix.toarray(), layer.increment.matrix.toarray()
    gate[0, -1], increment[0, -1] = 1, -1536
    parts = {"gate": replace(layer.gate, matrix=gate), "increment": replace(layer.increment, matrix=increment)}
    wrong = with_layer(ssm, 0, initial=layer.initial + 1024, **parts)
    assert kept(ssm, "dyck-1") and kept(wrong, "dyck-1")
    machine = counter_machine("dyck-1")
    assert prove_relation(ssm, machine).outcome == PROVED and prove_relation(wrong, machine).outcome != PROVED


def test_a_counter_that_runs_away_after_a_violation_shortens_the_horizon():
    """While a word is still possible, reading a multiplies a counter that is 0."""
    machine = counter_machine("anbncn")
    ssm = model("anbncn", RECOGNISE, Arithmetic.parse("float16"))
    layer = ssm.layers[0]
    gate = layer.gate.matrix.toarray()
    read = int(np.flatnonzero(ssm.embedding[ssm.symbol_index["a"]])[0])
    gate[layer.names.index("unmatched b"), read] += 31
    faster = with_layer(ssm, 0, gate=replace(layer.gate, matrix=gate))
    right, short = prove_relation(ssm, machine), prove_relation(faster, machine)
    assert right.horizon == 2047 and short.outcome == PROVED
    assert short.horizon == prove_counter(faster, machine, RECOGNISE).horizon < 10


@pytest.mark.parametrize(
    "k, mode, first", [(7, RECOGNISE, "relation"), (8, RECOGNISE, "induction"), (40, PREDICTIVE, "relation")]
)
def test_a_solver_is_asked_first_only_what_it_is_quicker_at(k, mode, first):
    pytest.importorskip("z3")
    ssm = model(f"shuffle-{k}", mode)
    claim = Claim(counter_machine(f"shuffle-{k}"), mode, Engine(ssm), ssm)
    assert chosen(claim)[0].name == first


def test_many_counters_are_proved_without_a_solver():
    ssm = model("shuffle-24", PREDICTIVE)
    found = prove_claim(Claim(counter_machine("shuffle-24"), PREDICTIVE, Engine(ssm), ssm))
    assert (found.outcome, found.method, found.horizon) == (PROVED, "relation", None)
