"""Nonlinear cells of torch as targets: every regular language, groups or not, proved by closed search."""

import dataclasses
from itertools import permutations

import numpy as np
import pytest
from safetensors.numpy import load_file

from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from constructions.build import build
from constructions.compile.compiler import NotExpressible, compile
from constructions.recurrent.cells import CELLS, lower_to_cell
from verify.claim import Claim
from verify.evidence.sampling import check_words, random_words
from verify.proving import prove_claim

torch = pytest.importorskip("torch")

TARGETS_OF_CELLS = ("relu-rnn", "tanh-rnn", "gru", "lstm")


def proved(machine, mode, target, dtype="float32", corrupt=lambda weights: weights):
    construction = compile(machine, mode, target=target, dtype=dtype)
    built = build(construction, target, dtype=dtype)
    built = dataclasses.replace(built, weights=corrupt(built.weights))
    with built.running() as model:
        verdict = prove_claim(Claim(machine, mode, model, built.weights, construction, 50_000))
        words = list(random_words(machine, 20, 60, np.random.default_rng(0)))
        return verdict, check_words(machine, model.by_full_forward, words, mode)


def word_problem(*generators):
    """The automaton of a permutation group that accepts the words that multiply to the identity."""
    points = range(len(generators[0]))
    elements = {element: number for number, element in enumerate(permutations(points))}
    table = [[elements[tuple(g[x] for x in element)] for g in generators] for element in elements]
    return DFA("abcd"[: len(generators)], table, [elements[tuple(points)]], elements[tuple(points)]).minimise()


def random_dfa(rng, states, letters):
    table = rng.integers(0, states, (states, letters))
    return DFA("abc"[:letters], table.tolist(), np.flatnonzero(rng.random(states) < 0.5).tolist()).minimise()


@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize(
    "name", ["parity", "tomita-3", "tomita-5", "tomita-6", "(aaaa)*", "(abab)*", "d-4", "dyck-2-3"]
)
def test_every_regular_language_is_proved(name, mode, target):
    verdict, forward = proved(language(name).machine, mode, target)
    assert verdict.outcome == "proved" and verdict.horizon is None and forward.outcome == "tested"


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
def test_in_other_formats(target, dtype):
    assert proved(language("tomita-6").machine, "recognise", target, dtype)[0].outcome == "proved"


@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
def test_word_problems_of_symmetric_groups(target):
    s3, s5 = word_problem((1, 0, 2), (1, 2, 0)), word_problem((1, 0, 2, 3, 4), (1, 2, 3, 4, 0))
    assert (s3.states, s5.states) == (6, 120)
    for dfa in (s3, s5):
        verdict, _ = proved(dfa, "recognise", target)
        assert verdict.outcome == "proved" and verdict.explored["machine states"] == dfa.states


@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
def test_random_automata(target):
    rng = np.random.default_rng(5)
    for _ in range(12):
        assert proved(random_dfa(rng, int(rng.integers(2, 8)), 2), "recognise", target)[0].outcome == "proved"


@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
def test_corrupted_weights_are_refuted_exactly_where_a_string_shows_it(target):
    machine, rng, seen = language("tomita-3").machine, np.random.default_rng(1), set()

    def corrupt(weights):
        name = ("layer.weight_hh_l0", "layer.weight_ih_l0", "head.weight")[int(rng.integers(3))]
        tensor = weights.tensors[name].copy()
        places = np.argwhere(tensor)
        place = tuple(places[int(rng.integers(len(places)))])
        tensor[place] = -tensor[place]
        return dataclasses.replace(weights, tensors={**weights.tensors, name: tensor})

    for _ in range(25):
        verdict, _ = proved(machine, "recognise", target, corrupt=corrupt)
        seen.add(verdict.outcome)
        if verdict.outcome == "refuted":
            assert verdict.witness.expected != verdict.witness.given
    assert seen == {"refuted", "proved"}


@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
def test_a_saved_folder_needs_nothing_of_this_project(target, tmp_path):
    machine = language("parity").machine
    built = build(compile(machine, "recognise", target=target), target).save(tmp_path / "cell")
    arrays = load_file(tmp_path / "cell" / "model.safetensors")
    units = len(built.weights.units)
    more = {"nonlinearity": built.target.cell} if CELLS[built.target.cell] == "RNN" else {}
    layer = getattr(torch.nn, CELLS[built.target.cell])(5, units, batch_first=True, **more)
    layer.load_state_dict({name[6:]: torch.tensor(a) for name, a in arrays.items() if name.startswith("layer.")})
    embedding, head = torch.tensor(arrays["embedding.weight"]), torch.tensor(arrays["head.weight"])
    for word in ("", "1", "11", "10101", "0110"):
        tokens = torch.tensor([1, *(3 + int(symbol) for symbol in word)])
        with torch.no_grad():
            hidden = layer(embedding[tokens][None])[0][0, -1]
        logit = (head @ hidden + torch.tensor(arrays["head.bias"]))[2]
        assert (logit > 0) == (word.count("1") % 2 == 0), word


def back_to_the_first(states):
    """One symbol goes on to the last state, the other back to the first, from every unit: a sum of all but one."""
    table = [[min(state + 1, states - 1), 0] for state in range(states)]
    return DFA("ab", table, [states - 1]).minimise()


@pytest.mark.parametrize("target", TARGETS_OF_CELLS)
def test_how_many_units_there_are_is_nothing_to_bfloat16(target):
    verdict, _ = proved(language("dyck-2-5").machine, "recognise", target, "bfloat16")
    assert verdict.outcome == "proved" and verdict.explored["joint states"] == 129


def test_as_many_as_bfloat16_adds_are_proved():
    s5 = word_problem((1, 0, 2, 3, 4), (1, 2, 3, 4, 0))
    assert proved(s5, "predictive", "lstm", "bfloat16")[0].outcome == "proved"
    assert proved(back_to_the_first(250), "recognise", "gru", "bfloat16")[0].outcome == "proved"


def test_more_units_than_a_format_adds_exactly_in_one_sum_are_refused():
    machine, refusal = back_to_the_first(251), "register 'state' is read off 252 units at once, and bfloat16 adds 251"
    with pytest.raises(NotExpressible, match=refusal):
        compile(machine, "recognise", target="gru", dtype="bfloat16")
    for target in ("tanh-rnn", "gru", "lstm"):
        with pytest.raises(NotExpressible, match=refusal):
            build(compile(machine, "recognise", target=target), target, dtype="bfloat16")
    # All but one unit of a relu are 0.
    assert compile(machine, "recognise", target="relu-rnn", dtype="bfloat16").route == "table"


def test_more_outputs_than_a_format_adds_exactly_are_refused():
    with pytest.raises(NotExpressible, match="is read off 600 units at once, and bfloat16 adds 251 exactly"):
        compile(language("d-300").machine, "predictive", target="gru", dtype="bfloat16")
    assert compile(language("d-300").machine, "recognise", target="gru", dtype="bfloat16").route == "table"


def test_a_layer_that_would_not_fit_is_refused(monkeypatch):
    monkeypatch.setattr("constructions.recurrent.target.MOST_UNITS", 20)
    with pytest.raises(NotExpressible, match="register 'state' takes 23 units, .*, and a layer has 20"):
        compile(language("d-10").machine, "recognise", target="relu-rnn")


def test_what_an_lstm_cannot_count_is_refused_by_the_name_of_its_state():
    with pytest.raises(NotExpressible, match="register 'state' is read off 260 units at once"):
        compile(language("dyck-2-7").machine, "recognise", target="lstm", dtype="bfloat16")


def test_a_cell_takes_one_transformation_register_and_nothing_else():
    with pytest.raises(InputError, match="one register that takes any function of its values"):
        lower_to_cell(compile(language("d-2").machine).cascade, "gru", "float32")
