"""Counter languages on linear recurrences: an SSM written otherwise, counted bits, and proofs of every length."""

import dataclasses
from itertools import islice, product

import numpy as np
import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import PREDICTIVE, RECOGNISE, run
from automata.machines.counter_machine import CounterMachine
from constructions.build import build
from constructions.cascade import Bit, Cascade, Copy, Counter, Emit, In, Is, Level, Reset, Rule, Set, Signal
from constructions.compile.compiler import compile
from constructions.compile.set_once import counted
from constructions.linear.as_ssm import as_ssm
from constructions.linear.engine import LinearEngine
from constructions.linear.target import LINEAR_FAMILIES
from constructions.linear.weights import Sparse
from constructions.ssm.engine import Engine
from constructions.target import TARGETS
from verify.claim import Claim
from verify.decision import EXPRESSIBLE, decide
from verify.evidence.sampling import check_words, random_words
from verify.methods.relation import recurrences
from verify.methods.relation.recurrences import prove_recurrence
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, UNDECIDED

COUNTERS = ("dyck-1", "shuffle-2", "shuffle-4", "shuffle-6", "anbn", "anbncn", "anbncndn", "boolean-3", "boolean-5")
MODES = (PREDICTIVE, RECOGNISE)
THAT_COUNT = ("signed-diagonal", "complex-diagonal", "lru")


def weights_of(name, mode, target):
    return build(compile(language(name).machine, mode, target=target), target).weights


def all_words(alphabet, length):
    return [word for n in range(length + 1) for word in product(alphabet, repeat=n)]


# -- proofs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, mode, target",
    [
        pytest.param(*case, marks=[pytest.mark.slow] * (case[0] == "shuffle-6" or case[2] == "complex-diagonal"))
        for case in product(COUNTERS, MODES, THAT_COUNT)
    ],
)
def test_every_counter_language_is_proved_at_every_length(name, mode, target):
    weights, machine = weights_of(name, mode, target), language(name).machine
    found = prove_claim(Claim(machine, mode, LinearEngine(weights), weights))
    assert (found.outcome, found.horizon, found.method) == (PROVED, None, "relation"), found.reason
    words = list(random_words(machine, 60, 80, np.random.default_rng(0)))
    assert check_words(machine, LinearEngine(weights), words, mode).outcome == "tested"


def test_decide_says_so():
    found = decide(language("shuffle-2"), RECOGNISE, TARGETS.named("lru"))
    assert found.answer == EXPRESSIBLE and found.verdict.horizon is None


def corruptions(weights):
    """Each number of each array made one larger, negated, and 0; those that are no model of the family are left out."""
    for number, layer in enumerate(weights.layers):
        for name, array in layer.arrays().items():
            for place, change in product(range(len(array.values)), (lambda v: v + 1, lambda v: -v, lambda v: 0 * v)):
                values = array.values.copy()
                values[place] = change(values[place])
                layers = list(weights.layers)
                layers[number] = dataclasses.replace(layer, **{name: Sparse(array.shape, array.places, values)})
                try:
                    yield f"{number} {name} {array.places[place]}", dataclasses.replace(weights, layers=tuple(layers))
                except InputError:
                    continue


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name, mode, target", [("anbn", RECOGNISE, "lru"), ("dyck-1", RECOGNISE, "signed-diagonal")])
def test_no_wrong_weight_is_proved(name, mode, target, every):
    """Each changed number: a proof where all short strings are right, a string where the model is refuted."""
    machine = language(name).machine
    words, outcomes = all_words(machine.alphabet, 8), []
    for what, wrong in islice(corruptions(weights_of(name, mode, target)), 0, None, every):
        try:
            right = check_words(machine, LinearEngine(wrong), words, mode).outcome == "tested"
        except InputError:
            right = False  # a gate that is none of the family's
        try:
            outcomes.append(prove_recurrence(wrong, machine).outcome)
        except InputError:
            outcomes.append(REFUTED)
        assert right or outcomes[-1] != PROVED, what
        assert outcomes[-1] != REFUTED or not right, what
    assert {PROVED, REFUTED} <= set(outcomes)


def with_gate(weights, name, coordinate, amount):
    """The gate of a cell larger by so much wherever this coordinate of the stream is 1."""
    number = next(n for n, layer in enumerate(weights.layers) if name in layer.names)
    layer, cell = weights.layers[number], weights.layers[number].names.index(name)
    place = (weights.coordinates.index(coordinate), cell, cell)
    old = layer.transition
    entries = {tuple(at): value for at, value in zip(old.places.tolist(), old.values)}
    entries[place] = entries.get(place, 0) + np.array([amount])
    layers = list(weights.layers)
    layers[number] = dataclasses.replace(layer, transition=Sparse.of(old.shape, entries, 1))
    return dataclasses.replace(weights, layers=tuple(layers))


@pytest.mark.parametrize("coordinate, word", [("<bos>", ""), ("symbol a", "a")])
def test_a_gate_of_3_is_no_gate_of_the_family(coordinate, word, monkeypatch):
    """Of a cell that is 0 whenever it is multiplied by 3, or after a violation, so that no number is another."""
    machine = language("anbncn").machine
    wrong = with_gate(weights_of("anbncn", RECOGNISE, "signed-diagonal"), "unmatched b", coordinate, 2)
    with pytest.raises(InputError, match="the gate of 'unmatched b' is not -1, 0 or 1"):
        engine = LinearEngine(wrong)
        engine.advance(engine.begin(1)[0], engine.encode(word))
    found = prove_recurrence(wrong, machine)
    assert found.outcome == UNDECIDED and found.relation == () and "'unmatched b'" in found.reason
    monkeypatch.setattr(recurrences, "foreign_gate", lambda proof: "")
    assert prove_recurrence(wrong, machine).outcome == PROVED


@pytest.mark.parametrize("change", ["row", "name"])
def test_what_the_names_say_is_shown(change):
    """Two counters that change places, or their names."""
    weights, machine = weights_of("shuffle-2", RECOGNISE, "lru"), language("shuffle-2").machine
    number = next(n for n, layer in enumerate(weights.layers) if "open ( )" in layer.names)
    layer = weights.layers[number]
    assert layer.names == ("open ( )", "open [ ]")
    if change == "name":
        layer = dataclasses.replace(layer, names=layer.names[::-1])
    else:
        places = layer.increment.places.copy()
        places[:, 0] = 1 - places[:, 0]
        order = np.lexsort(places.T[::-1])
        layer = dataclasses.replace(
            layer, increment=Sparse(layer.increment.shape, places[order], layer.increment.values[order])
        )
    layers = (*weights.layers[:number], layer, *weights.layers[number + 1 :])
    found = prove_recurrence(dataclasses.replace(weights, layers=layers), machine)
    assert found.outcome == (UNDECIDED if change == "name" else REFUTED), found.reason


# -- the SSM ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["signed-diagonal", "lru"])
@pytest.mark.parametrize("seed", range(6))
def test_the_ssm_has_the_same_numbers(target, seed):
    """A random model, its constant gates 1 or -1: cell by cell on random words, and the same outputs."""
    rng = np.random.default_rng(seed)
    with TARGETS.named(target).random(("a", "b"), ("a", "b", "<eos>"), seed) as engine:
        weights = engine.weights
    if weights.ring.degree > 1:
        layers = []
        for layer in weights.layers:
            parts = {
                name: Sparse(
                    array.shape, array.places, array.values[:, :1].copy() if array.values.ndim == 2 else array.values
                )
                for name, array in layer.arrays().items()
            }
            parts["transition"].values[:] = rng.choice([-1, 1], size=parts["transition"].values.shape)
            layers.append(dataclasses.replace(layer, **parts))
        weights = dataclasses.replace(weights, order=1, layers=tuple(layers))
    mine, other = LinearEngine(weights), Engine(as_ssm(weights))
    words = rng.integers(0, 2, (40, 7))
    (states, given), (others, also) = (model.advance(model.begin(40)[0], words) for model in (mine, other))
    assert (states == others).all()
    assert (given.table[given.ids] == also.table[also.ids]).all()


@pytest.mark.parametrize(
    "name, target, why",
    [
        ("d-2", "signed-diagonal", "one step ago"),
        ("aaaa-star", "complex-diagonal", "root of unity of order 4"),
        ("tomita-1", "ids4", "not diagonal"),
        ("tomita-1", "longhorn", "not diagonal"),
    ],
)
def test_what_is_no_ssm_is_said(name, target, why):
    weights = weights_of(name, RECOGNISE, target)
    assert why in recurrences.why_no_ssm(weights)
    with pytest.raises(InputError, match=why):
        as_ssm(weights)


# -- bits that are counted ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", COUNTERS)
def test_counted_bits_give_the_same(name, mode):
    cascade = compile(language(name).machine, mode).cascade
    other = counted(cascade)
    assert not any(isinstance(register, Reset) for register in other.registers)
    words = all_words(cascade.alphabet, 5 if len(cascade.alphabet) < 5 else 2)
    assert [run(cascade, word).outputs for word in words] == [run(other, word).outputs for word in words]


def register(rules, **more):
    return Reset("bit", more.pop("values", 2), rules, **more)


TO_1, TO_0 = Rule((In({"a"}),), Set(1)), Rule((In({"b"}),), Set(0))


@pytest.mark.parametrize(
    "bit, signals",
    [
        (register((TO_1, TO_0)), ()),
        (register((TO_1,), values=3), ()),
        (register((TO_0,), initial=1), ()),
        (register((TO_1,)), (Signal("copied", 2, (Rule((), Copy("bit")),), "binary"),)),
    ],
    ids=["taken back", "of three values", "that begins at 1", "that is copied"],
)
def test_a_bit_is_left_alone(bit, signals):
    accepts = (Emit((Is("bit", 1),), {"<accept>"}),)
    cascade = Cascade(("a", "b"), (Level((bit,), signals),), ("<accept>",), accepts)
    assert counted(cascade) is cascade


def test_a_bit_that_is_set_again_and_again_reads_as_set():
    emits = (Emit((Bit("bit", 0, 1),), {"a"}), Emit((Is("bit", 0),), {"b"}))
    cascade = Cascade(("a", "b"), (Level((register((TO_1,)),)),), ("a", "b", "<eos>"), emits)
    other = counted(cascade)
    assert isinstance(other.names["bit"], Counter)
    for word in all_words("ab", 5):
        assert run(other, word).outputs == run(cascade, word).outputs
    assert run(other, "aaa").values == (3,)


def test_only_what_never_forgets_counts():
    """The others have bits that they hold."""
    assert isinstance(language("anbn").machine, CounterMachine)
    for target in LINEAR_FAMILIES:
        if target in THAT_COUNT:
            kept = compile(language("anbn").machine, RECOGNISE, target=target).cascade.registers
            assert any(isinstance(found, Reset) for found in kept) == (target != "lru")
