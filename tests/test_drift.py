"""Where numbers grow for ever: a search that takes those beyond a bound as one, and automata that never come back."""

import dataclasses
from itertools import islice, product

import numpy as np
import pytest
from test_linear_counters import all_words, corruptions, weights_of, with_gate

from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE, run
from constructions.build import build
from constructions.cascade import Counter
from constructions.compile.compiler import EXTENSIVE, NotExpressible, compile
from constructions.compile.extensive import extensive_cascade
from constructions.compile.set_once import counted
from constructions.linear.as_ssm import as_ssm
from constructions.linear.engine import LinearEngine
from constructions.linear.weights import LinearLayer, LinearWeights, Sparse
from verify.__main__ import main
from verify.claim import Claim
from verify.evidence.sampling import check_words
from verify.methods import drift
from verify.methods.drift import prove_drift
from verify.progress import NO_PROGRESS
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, UNDECIDED

MODES = (PREDICTIVE, RECOGNISE)
EXTENSIVE_ONES = ("tomita-1", "tomita-7", "aa*bb*cc*dd*ee*", "{a,b}*d{b,c}*")
BY_COUNTING = ("tomita-2", "d-2", "d-3", "d-4", "d-12")


# -- automata that never come back --------------------------------------------------------------------


def extensive_automaton(rng, states, symbols):
    """Every transition stays or goes up."""
    table = [[int(rng.integers(state, states)) for _ in range(symbols)] for state in range(states)]
    accepting = np.flatnonzero(rng.random(states) < 0.5).tolist()
    return DFA("abc"[:symbols], table, accepting).minimise()


def right(cascade, dfa, mode, length):
    """Whether a cascade gives what the automaton gives on all strings that are asked about."""
    for word in all_words(dfa.alphabet, length):
        states = [run(dfa, word[:n]) for n in range(len(word) + 1)]
        if mode == PREDICTIVE and any(s not in dfa.legal(q) for q, s in zip(states, word)):
            continue
        expected = dfa.legal(states[-1]) if mode == PREDICTIVE else {"<accept>"} if dfa.accepts(states[-1]) else set()
        if run(cascade, word).outputs != expected:
            return False
    return True


@pytest.mark.parametrize("seed", range(12))
def test_random_automata_that_never_come_back(seed):
    rng = np.random.default_rng(seed)
    dfa, mode = extensive_automaton(rng, 2 + seed % 5, 2 + seed % 2), MODES[seed // 2 % 2]
    cascade = extensive_cascade(dfa, mode)
    assert right(cascade, dfa, mode, 5) and right(counted(cascade), dfa, mode, 5)
    built = build(compile(dfa, mode, target="lru"), "lru")
    found = prove_claim(Claim(dfa, mode, LinearEngine(built.weights), built.weights, built.construction))
    assert found.outcome == PROVED and found.horizon is None, found.reason


def test_an_automaton_that_comes_back_has_none():
    assert extensive_cascade(language("tomita-4").dfa(), RECOGNISE) is None
    for name in ("tomita-4", "flip-flop"):
        with pytest.raises(NotExpressible, match="is set and held"):
            compile(language(name).machine, RECOGNISE, target="lru")


def test_states_that_nothing_reaches_take_no_bit():
    dfa = DFA("a", [[1], [1], [0]], [1])
    assert [register.name for register in extensive_cascade(dfa, RECOGNISE).registers] == ["state 2"]


# -- proofs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [*EXTENSIVE_ONES, *BY_COUNTING])
def test_what_never_forgets_is_proved_at_every_length(name, mode):
    machine = language(name).machine
    construction = compile(machine, mode, target="lru")
    assert mode == PREDICTIVE or construction.route == (EXTENSIVE if name in EXTENSIVE_ONES else "counter")
    weights = build(construction, "lru").weights
    found = prove_claim(Claim(machine, mode, LinearEngine(weights), weights, construction))
    assert found.outcome == PROVED and found.horizon is None, found.reason
    assert found.method == ("drift" if drifts(construction.cascade) else "search")


def drifts(cascade):
    return any(isinstance(register, Counter) and register.span is None for register in cascade.registers)


def test_another_language_is_refuted_by_a_string():
    weights = weights_of("d-12", RECOGNISE, "lru")
    found = prove_drift(weights, language("d-11").machine)
    assert found.outcome == REFUTED and len(found.witness.word) == 24
    found = prove_drift(weights, DFA("ab", [[0, 0]], []))
    assert found.outcome == REFUTED and found.witness.word == ()


@pytest.mark.parametrize("every", [43, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name, mode, length", [("tomita-7", PREDICTIVE, 8), ("d-3", RECOGNISE, 8)])
def test_no_wrong_weight_is_proved(name, mode, length, every):
    machine, outcomes = language(name).machine, []
    words = all_words(machine.alphabet, length)
    if mode == PREDICTIVE:
        words = [w for w in words if all(s in machine.legal(run(machine, w[:n])) for n, s in enumerate(w))]
    for what, wrong in islice(corruptions(weights_of(name, mode, "lru")), 0, None, every):
        try:
            fine = check_words(machine, LinearEngine(wrong), words, mode).outcome == "tested"
        except InputError:
            fine = False
        try:
            outcomes.append(prove_drift(wrong, machine, limit=300).outcome)
        except InputError:
            outcomes.append(REFUTED)
        assert fine or outcomes[-1] != PROVED, what
        assert not fine or outcomes[-1] != REFUTED, what
    assert {PROVED, REFUTED} <= set(outcomes)


@pytest.mark.parametrize("most", [1, 2])
def test_a_bound_that_is_too_small_proves_nothing(most, monkeypatch):
    """Of what lies beyond it nothing is known, so a right model is not proved, and a wrong one never."""
    monkeypatch.setattr(drift, "_furthest_threshold", lambda ssm: most)
    weights = weights_of("d-4", RECOGNISE, "lru")
    assert prove_drift(weights, language("d-4").machine).outcome == UNDECIDED
    assert prove_drift(weights, language("d-3").machine).outcome != PROVED


def counting(sign):
    """Accepts from the fourth a on: a cell that goes up, or down, by 1 for each."""
    one, shape = np.array([1]), (1, 6)
    layer = LinearLayer(
        Sparse.of((6, 1, 1), {(0, 0, 0): one}, 1),
        Sparse.of(shape, {(0, 1): sign * one}, 1),
        Sparse.of((1, 1), {(0, 0): sign * one}, 1),
        Sparse.of(shape, {(0, 0): -3}),
        Sparse.of((3, 1), {(2, 0): 1}),
        ("count",),
    )
    embedding = Sparse.of((2, 3), {(0, 0): 1, (0, 1): 1, (1, 0): 1})
    head = Sparse.of((1, 3), {(0, 2): 1})
    return LinearWeights("lru", 1, ("a",), (ACCEPT,), ("one", "a", "enough"), embedding, (layer,), head)


@pytest.mark.parametrize("sign", [1, -1])
def test_numbers_beyond_the_bound_go_on(sign, monkeypatch):
    fourth, nothing = DFA("a", [[1], [2], [3], [4], [4]], [4]), DFA("a", [[0]], [])
    assert prove_drift(counting(sign), fourth).outcome == PROVED
    assert prove_drift(counting(sign), nothing).witness.word == ("a",) * 4
    assert prove_drift(counting(sign), DFA("a", [[0]], [0])).witness.word == ()
    monkeypatch.setattr(drift, "_furthest_threshold", lambda ssm: 2)
    assert prove_drift(counting(sign), nothing).outcome == REFUTED  # a guess, which was run
    monkeypatch.setattr(drift, "_furthest_threshold", lambda ssm: 1)
    assert prove_drift(counting(sign), nothing).outcome == UNDECIDED


def test_a_bit_that_is_never_set_is_missed():
    """The dead one: what follows a violation is accepted."""
    weights, machine = weights_of("d-2", RECOGNISE, "lru"), language("d-2").machine
    number = next(n for n, layer in enumerate(weights.layers) if "dead" in layer.names)
    layer = weights.layers[number]
    kept = layer.increment.places[:, 0] != layer.names.index("dead")
    never = Sparse(layer.increment.shape, layer.increment.places[kept], layer.increment.values[kept])
    layers = list(weights.layers)
    layers[number] = dataclasses.replace(layer, increment=never)
    wrong = dataclasses.replace(weights, layers=tuple(layers))
    found = prove_drift(wrong, machine)
    assert found.outcome == REFUTED and found.witness.word in {("b",), ("b", "a")}


@pytest.mark.parametrize("coordinate, word", [("<bos>", ""), ("symbol a", "aa")])
def test_a_gate_of_3_is_no_gate_of_the_family(coordinate, word, monkeypatch):
    """Of the count on a signed diagonal, where the machine accepts nothing and no number matters."""
    weights, nothing = weights_of("anbn", RECOGNISE, "signed-diagonal"), DFA("ab", [[0, 0]], [])
    mute = dataclasses.replace(weights, head=Sparse.of(weights.head.shape, {}))
    assert prove_drift(mute, nothing).outcome == PROVED
    wrong = with_gate(mute, "unmatched a", coordinate, 2)
    with pytest.raises(InputError, match="the gate of 'unmatched a' is not -1, 0 or 1"):
        engine = LinearEngine(wrong)
        engine.advance(engine.begin(1)[0], engine.encode(word))
    found = prove_drift(wrong, nothing)
    assert found.outcome == UNDECIDED and "'unmatched a'" in found.reason
    monkeypatch.setattr(drift, "may_be_foreign", lambda *_: False)
    assert prove_drift(wrong, nothing).outcome == PROVED


def test_great_numbers_end_at_once(monkeypatch):
    """A weight of 2^39: neither are so many numbers written out, nor is each bound up to it tried."""
    weights = counting(1)
    layer = weights.layers[0]
    great = Sparse.of((1, 6), {(0, 0): -(1 << 39)})
    wrong = dataclasses.replace(weights, layers=(dataclasses.replace(layer, neurons=great),))
    tried = []
    up_to = drift._up_to
    monkeypatch.setattr(drift, "_up_to", lambda most, *others: tried.append(most) or up_to(most, *others))
    found = prove_drift(wrong, DFA("a", [[0]], []), limit=100)
    assert found.outcome == UNDECIDED and "limit 100" in found.reason and max(tried) <= 128
    # From above the bound a cell whose gate is -1 leads to any number within it.
    back = dataclasses.replace(
        layer,
        transition=Sparse.of((6, 1, 1), {(0, 0, 0): np.array([-1])}, 1),
        increment=Sparse.of((1, 6), {(0, 0): np.array([1 << 30]), (0, 1): np.array([1 << 31])}, 1),
    )
    mute = dataclasses.replace(weights, layers=(back,), head=Sparse.of((1, 3), {}))
    found = up_to(1 << 30, as_ssm(mute), mute, DFA("a", [[0]], []), 100, NO_PROGRESS)
    assert found.outcome == UNDECIDED and "more than 1000 numbers" in found.reason


def test_it_gives_up_at_the_limit():
    found = prove_drift(weights_of("d-12", RECOGNISE, "lru"), language("d-12").machine, limit=20)
    assert found.outcome == UNDECIDED and "limit 20" in found.reason


def test_the_method_is_asked_for_by_name():
    weights, machine = weights_of("tomita-7", RECOGNISE, "lru"), language("tomita-7").machine
    claim = Claim(machine, RECOGNISE, LinearEngine(weights), weights)
    assert prove_claim(claim, "drift").method == "drift"
    for other, why in (("anbn", "counter language"), ("d-2", "one step ago")):
        target = "lru" if other == "anbn" else "signed-diagonal"
        found = weights_of(other, RECOGNISE, target)
        claim = Claim(language(other).machine, RECOGNISE, LinearEngine(found), found)
        with pytest.raises(InputError, match=why):
            prove_claim(claim, "drift")


def test_all_short_strings_agree_with_the_machine():
    """Independent of any proof: the engine on every string of up to eight symbols."""
    for name in ("tomita-7", "tomita-2"):
        machine = language(name).machine
        engine = LinearEngine(weights_of(name, RECOGNISE, "lru"))
        for length in range(9):
            words = list(product(machine.alphabet, repeat=length))
            assert check_words(machine, engine, words, RECOGNISE).outcome == "tested"


def test_a_saved_model_is_checked_by_it(tmp_path, capsys):
    """The language's cascade for the target says that no search closes, so none is tried first."""
    folder = str(tmp_path / "model")
    assert main(["prove", "tomita-7", "--mode", RECOGNISE, "--target", "lru", "--save", folder]) == 0
    printed = capsys.readouterr().out
    # The counters have no bounds, and the language has its classes all the same.
    assert "0 bits and 4 unbounded counters" in printed and "log2(5 Myhill-Nerode classes)" in printed
    assert main(["check", folder, "--quiet"]) == 0
    assert "numbers beyond 0 taken as one: holds at every length" in capsys.readouterr().out
