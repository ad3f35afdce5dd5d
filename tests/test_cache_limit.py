"""A search through caches that cannot close says so, is short, and still refutes."""

import pytest

from automata.catalogue import language
from automata.machine import MODES
from automata.machines.bounded_dyck import DyckMachine
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.target import TARGETS
from verify.__main__ import main
from verify.claim import Claim
from verify.methods import cache, search
from verify.methods.hopeless import cannot_close
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, UNDECIDED

pytest.importorskip("transformers", reason="transformers is not installed")


def prove(machine, limit, mode="predictive", built_for=None, target="mamba"):
    """The verdict of the search on a model that was built for a language, the machine's own if none is given."""
    found = TARGETS.named(target)
    built = build(compile(built_for or machine, mode, target=found), found)
    with built.running() as model:
        return prove_claim(Claim(machine, mode, model, built.weights, built.construction, limit), "caches")


@pytest.mark.parametrize("mode", MODES)
def test_more_classes_than_the_limit_are_told_before_the_search_and_end_it_early(mode, monkeypatch):
    monkeypatch.setattr(cache, "HOPELESS_LIMIT", 3)
    verdict = prove(DyckMachine(2, 3), 14, mode)
    assert verdict.outcome == UNDECIDED and verdict.explored["joint states"] < 14
    assert verdict.reason.startswith(
        "cannot close: each of 15 Myhill-Nerode classes is a joint state, and --limit is 14; gave up at "
    )
    assert "(limit 3)" in verdict.reason


def test_as_many_classes_as_the_limit_are_searched(monkeypatch):
    monkeypatch.setattr(cache, "HOPELESS_LIMIT", 3)
    assert prove(DyckMachine(1, 2), 100).outcome == PROVED
    verdict = prove(DyckMachine(2, 3), 15)
    assert verdict.outcome == UNDECIDED and "cannot close" not in verdict.reason and "(limit 15)" in verdict.reason


def test_a_wrong_model_is_refuted_though_the_search_cannot_close(monkeypatch):
    monkeypatch.setattr(cache, "HOPELESS_LIMIT", 3)
    verdict = prove(DyckMachine(2, 3), 14, built_for=DyckMachine(2, 1))
    assert verdict.outcome == REFUTED and verdict.witness.word == ("(a",)


def test_the_command_tests_what_it_cannot_prove(monkeypatch, capsys):
    monkeypatch.setattr(cache, "HOPELESS_LIMIT", 3)
    few = ("--strings", "3", "--max-length", "5", "--limit", "14")
    assert main(["dyck", "--k", "2", "--depth", "3", "--target", "mamba", *few]) == 3
    printed = " ".join(capsys.readouterr().out.split())
    beforehand = "search beforehand it cannot close: each of 15 Myhill-Nerode classes is a joint state"
    assert printed.index(beforehand) < printed.index("construction") < printed.index("proof")
    assert "undecided cannot close: each of 15 Myhill-Nerode classes" in printed
    assert "tested no disagreement" in printed


@pytest.mark.parametrize("mode", MODES)
def test_the_search_over_an_engine_does_not_begin_what_cannot_close(mode, monkeypatch):
    monkeypatch.setattr(search, "HOPELESS_LIMIT", 3)
    built = build(compile(DyckMachine(2, 3), mode))
    with built.running() as model:
        claim = Claim(DyckMachine(2, 3), mode, model, built.weights, built.construction, 14)
        verdict = prove_claim(claim, "search")
        assert verdict.outcome == UNDECIDED and verdict.explored["joint states"] <= 14
        assert verdict.reason.startswith("cannot close: each of 15 Myhill-Nerode classes is a joint state")


@pytest.mark.parametrize("command", [("dyck", "--k", "2", "--depth", "9"), ("prove", "d-12", "--route", "holonomy")])
def test_what_no_search_closes_is_proved_by_a_method_that_visits_no_states(command, capsys):
    assert main([*command, "--limit", "12", "--strings", "3"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "proved" in printed and "undecided" not in printed
    assert ("it cannot close: each of 1023 " in printed) == (command[0] == "dyck")


def test_as_many_classes_of_an_automaton_as_the_limit_can_close():
    machine = language("d-12").dfa()
    # 13 states are alive, and the dead one is no joint state of a predictor.
    assert machine.states == 14
    assert not cannot_close(Claim(machine, "predictive", None, limit=13))
    assert "each of 13 " in cannot_close(Claim(machine, "predictive", None, limit=12))
