"""A slice of the fuzz, and that the fuzz sees a false verdict of each kind."""

import warnings
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from fuzz import edits as editing
from fuzz import families
from fuzz.__main__ import Fuzz, judged
from fuzz.judge import explore
from fuzz.languages import COUNTER, REGULAR, dyck
from fuzz.slow_model import SlowModel

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, run
from automata.machines.bounded_dyck import DyckMachine
from constructions.ssm import reference
from constructions.ssm.storage import load, save
from verify.impossible.refuter import Refutation
from verify.impossible.upper_bound import STAR_FREE, UpperBound
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED, Pumped, Verdict, Witness

MODELS = 100


@pytest.mark.parametrize("first", range(0, MODELS, 25))
def test_no_verdict_about_an_edited_model_is_false(first):
    fuzz = Fuzz(seed=0)
    for index in range(first, first + 25):
        fuzz.model(index)
    assert fuzz.findings == []
    outcomes = {outcome for counts in fuzz.counts.values() for outcome in counts}
    assert {PROVED, REFUTED} <= outcomes


KNOWN = [
    ("dyck 1,1 predictive exact", "search", [("set", "readout.bias", 0, 1000)]),
    ("dyck 2,2 predictive exact", "induction", [("set", "readout.bias", 0, 1000)]),
    ("holonomy d-2 predictive fixed:1", "level by level", [("set", "readout.bias", 0, 1000)]),
    ("counter dyck-1 predictive float16", "induction", []),
    ("counter dyck-1 predictive float16", "exact length", [("set", "layers.0.initial", 0, 2030)]),
    ("parity rounding/fixed:3", "audit", []),
    ("parity unbounded/fixed:3", "folded", []),
    ("parity unbounded/fixed:3", "refuter", []),
    ("parity signed/exact", "audit", []),
    # A slope that is a fraction since a step before was rounded, and whole weights.
    (
        "parity rounding/fixed:3",
        "refuter",
        [("set", "layers.0.phi.1.values", 0, 0), ("describe", ["layers", 0, "phi", 1, "activation"], "relu")],
    ),
]
"""Models about which a prover says something false as soon as one condition of it is gone: see the planted faults."""


@pytest.mark.parametrize("name, check, edits", KNOWN)
def test_no_verdict_about_a_model_that_is_near_a_false_one(name, check, edits, tmp_path):
    report = judged(name, edits, files(name, tmp_path), 0, 60, {check})
    assert report.findings == {} and check in report.outcomes


# -- what the fuzz itself is made of ------------------------------------------------------------------


def files(name: str, tmp_path: Path):
    """Arrays and description of a family's model."""
    save(families.family(name).ssm, tmp_path / "model")
    return editing.read(tmp_path / "model")


@pytest.mark.parametrize("name", [*REGULAR, *COUNTER, "Dyck(3, 2)"])
def test_the_languages_are_those_of_the_catalogue(name):
    machine, own = (
        (DyckMachine(3, 2), dyck(3, 2))
        if name == "Dyck(3, 2)"
        else (language(name).machine, {**REGULAR, **COUNTER}[name])
    )
    assert set(machine.alphabet) == set(own.alphabet)
    for word in (w for n in range(8) if len(own.alphabet) ** n < 5000 for w in product(own.alphabet, repeat=n)):
        state, there = own.start, run(machine, word)
        for symbol in word:
            state = own.after(state, symbol)
        assert own.answer(state, "predictive") == machine.legal(there), word
        assert (ACCEPT in own.answer(state, "recognise")) == machine.accepts(there), word


@pytest.mark.parametrize("seed", range(30))
def test_the_slow_model_is_the_reference(seed, tmp_path):
    """On edited models of every arithmetic, for states and outputs; two definitions of one step that share no line."""
    rng = np.random.default_rng([99, seed])
    arrays, description = files(families.draw(rng), tmp_path)
    for _ in range(2):
        changed = editing.apply(editing.draw(rng, arrays, description), arrays, description)
        editing.write(*changed, tmp_path / "model")
        try:
            ssm = load(tmp_path / "model")
        except InputError:
            continue
        arrays, description = changed
    editing.write(arrays, description, tmp_path / "model")
    ssm, slow = load(tmp_path / "model"), SlowModel(arrays, description)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = reference.step(ssm, reference.start(ssm), BOS)
        h, given = slow.begin()
        for symbol in rng.integers(0, len(ssm.alphabet), 12).tolist():
            values = [value for layer in state.h for value in layer]
            np.testing.assert_array_equal([column[0] for column in h], values)
            assert slow.names(given[:, 0]) == state.outputs
            state = reference.step(ssm, state, ssm.alphabet[symbol])
            h, given = slow.step(h, np.array([symbol]))


def test_edits_are_made_and_leave_the_original_alone(tmp_path):
    arrays, description = files("counter anbn predictive exact", tmp_path)
    before = {name: array.copy() for name, array in arrays.items()}
    edits = [
        ("set", "layers.0.initial", 0, -(2**63)),
        ("weight", "readout", 0, 0, 7),
        ("remove", "layers.0.phi.0", 0),
        ("drop", "embedding"),
        ("describe", ["layers", 0, "names"], ["x"]),
        ("alphabet", ["b", "a"]),
    ]
    changed, described = editing.apply(edits, arrays, description)
    assert all(np.array_equal(arrays[name], before[name]) for name in before)
    assert changed["layers.0.initial"][0] == -(2**63) and "embedding" not in changed
    assert (changed["readout.rows"][-1], changed["readout.columns"][-1], changed["readout.values"][-1]) == (0, 0, 7)
    assert len(changed["layers.0.phi.0.values"]) == len(arrays["layers.0.phi.0.values"]) - 1
    assert described["layers"][0]["names"] == ["x"] and description["layers"][0]["names"] != ["x"]
    assert described["alphabet"] == ["b", "a"] and described["outputs"] == ["b", "a", "<eos>"]


@pytest.mark.parametrize("kind, is_so", [("_rare", True), ("_weight", False), ("_describe", False)])
def test_only_what_loses_its_shape_ends_the_edits_of_a_model(kind, is_so, tmp_path):
    found = files("counter anbn recognise exact", tmp_path)
    drawn = [getattr(editing, kind)(np.random.default_rng(seed), *found) for seed in range(20)]
    assert {editing.misshapen(edit) for edit in drawn if edit} == {is_so}


def test_balanced_edits_leave_the_exact_model_as_it_was(tmp_path):
    arrays, description = files("counter boolean-3 predictive exact", tmp_path)
    rng = np.random.default_rng(0)
    for _ in range(20):
        edits = editing._balanced(rng, arrays, description)
        changed = SlowModel(*editing.apply(edits, arrays, description))
        h, given = SlowModel(arrays, description).begin()
        assert [column.tolist() for column in changed.begin()[0]] == [column.tolist() for column in h]


def test_all_strings_are_followed_until_one_is_wrong(tmp_path):
    arrays, description = files("dyck 2,2 recognise exact", tmp_path)
    explored = explore(SlowModel(arrays, description), dyck(2, 2), 150)
    assert explored.wrong is None and len(explored.table) > 20
    assert explore(SlowModel(arrays, description), dyck(2, 1), 150).wrong == ("(a", "(a", "a)", "a)")


# -- a false verdict of each kind is seen -------------------------------------------------------------


def wrong_word() -> Verdict:
    """A refutation by a string on which the model is right."""
    witness = Witness(("1", "0"), frozenset({ACCEPT}), frozenset())
    return Verdict(REFUTED, "a lie", "recognise", "exact", witness=witness)


def alike() -> Refutation:
    """A pair of strings on which the model answers differently."""
    return Refutation(
        Verdict(REFUTED, "a lie", "recognise", "exact", pair=(Pumped((), ("1",), 4, ()), Pumped((), ("1",), 5, ())))
    )


def warned() -> Verdict:
    warnings.warn("overflow", RuntimeWarning, stacklevel=1)
    return Verdict(TESTED, "a lie", "recognise", "exact")


def raised() -> Verdict:
    raise ZeroDivisionError("division by zero")


def garrulous() -> Verdict:
    raise InputError("x" * 1000)


LIES = {
    "proved, and wrong on the empty word": (
        lambda: Verdict(PROVED, "a lie", "recognise", "exact"),
        [("set", "readout.bias", 0, -100)],
    ),
    "refuted on a word on which the model is right": (wrong_word, []),
    "a pair of strings that are not answered alike": (alike, []),
    "at most star-free, of a model that does parity": (
        lambda: UpperBound(STAR_FREE, "a lie", "", 0.0, True, False),
        [],
    ),
    "a warning": (warned, []),
    "an exception": (raised, []),
    "a message of a thousand characters": (garrulous, []),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_verdict_is_seen(lie, monkeypatch, tmp_path):
    name = "parity signed/exact"
    honest, (verdict, edits) = families.family(name), LIES[lie]
    check = replace(honest.checks["search"], run=lambda ssm: verdict())
    monkeypatch.setitem(honest.checks, "lie", check)
    found = judged(name, edits, files(name, tmp_path), 0, 60, {"lie"}).findings
    assert len(found) == 1 and list(found)[0].startswith("lie"), found


def test_a_length_beyond_which_floats_round_is_seen(monkeypatch, tmp_path):
    name = "counter dyck-1 predictive float16"
    checks = families.family(name).checks
    monkeypatch.setitem(checks, "lie", replace(checks["exact length"], run=lambda ssm: 10))
    edits = [("set", "layers.0.initial", 0, 2045)]
    assert "rounds on" in judged(name, edits, files(name, tmp_path), 0, 60, {"lie"}).findings["lie"]
    assert judged(name, [], files(name, tmp_path), 0, 60, {"lie"}).findings == {}


def test_a_finding_is_reported_with_the_one_edit_that_matters_and_written(monkeypatch, tmp_path, capsys):
    name = "parity signed/exact"
    checks = families.family(name).checks
    monkeypatch.setitem(
        checks, "lie", replace(checks["search"], run=lambda ssm: Verdict(PROVED, "a lie", ssm.mode, "exact"))
    )
    edits = [("describe", ["layers", 0, "names"], ["other"]), ("set", "readout.bias", 0, -1000)]
    fuzz = Fuzz(seed=5, out=tmp_path / "out")
    fuzz._found(name, edits, files(name, tmp_path), 3, "lie", "as above")
    printed = capsys.readouterr().out
    assert "seed 5, model 3" in printed and "edits = [('set', 'readout.bias', 0, -1)]" in printed
    assert load(tmp_path / "out" / "5_3_lie").readout.bias.tolist() == [-1]


def test_undecided_models_that_a_short_string_refutes_are_counted(tmp_path, monkeypatch):
    name = "parity signed/exact"
    checks = families.family(name).checks
    monkeypatch.setitem(
        checks, "lie", replace(checks["search"], run=lambda ssm: Verdict(UNDECIDED, "gave up", ssm.mode, "exact"))
    )
    report = judged(name, [("set", "readout.bias", 0, -100)], files(name, tmp_path), 0, 60, {"lie"})
    assert report.missed is not None and report.findings == {}
