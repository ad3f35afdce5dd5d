"""Tight bounded Dyck: a slot is cleared when its bracket closes, so the states reached are the classes, no more."""

from dataclasses import replace

import numpy as np
import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from constructions.cascade import Cascade, In, Is, Level, Rule, Set
from constructions.compile.compiler import PAPER, TIGHT, compile
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.__main__ import main
from verify.methods.bisimulation import bisimulation
from verify.methods.induction import prove_dyck
from verify.show.memory import Memory
from verify.testing.corruption import corrupt
from verify.verdict import PROVED

SIZES = [(1, 3), (2, 1), (2, 5), (3, 3), (4, 2), (5, 2)]


@pytest.mark.parametrize("arithmetic", ["exact", "float32", "fixed:4"])
@pytest.mark.parametrize("k, depth", SIZES)
def test_the_states_reached_are_the_classes(k, depth, arithmetic):
    ssm = lower(bounded_dyck(k, depth, tight=True), Arithmetic.parse(arithmetic))
    verdict = bisimulation(DyckMachine(k, depth), Engine(ssm))
    assert verdict.outcome == PROVED
    assert verdict.explored["joint states"] == DyckMachine(k, depth).classes()
    assert len(ssm.layers) == (2 if k > 1 else 1)


def test_the_states_of_eight_types_nested_five_deep():
    verdict = bisimulation(DyckMachine(8, 5), Engine(lower(bounded_dyck(8, 5, tight=True), Arithmetic("exact"))))
    assert verdict.outcome == PROVED and verdict.explored["joint states"] == 37_449


@pytest.mark.parametrize("route", [PAPER, TIGHT])
@pytest.mark.parametrize("k, depth", SIZES)
def test_the_report_counts_the_states_that_a_search_reaches(k, depth, route):
    found = compile(DyckMachine(k, depth), route=route)
    verdict = bisimulation(DyckMachine(k, depth), Engine(lower(found.cascade, Arithmetic("exact"))))
    assert Memory.of(found).reachable == verdict.explored["joint states"]


def test_a_recogniser_has_no_tight_form_and_neither_have_other_languages():
    with pytest.raises(InputError, match="tight is for prediction"):
        compile(DyckMachine(2, 3), RECOGNISE, TIGHT)
    with pytest.raises(InputError, match="is for bounded Dyck languages"):
        compile(language("tomita-4").machine, route=TIGHT)


def relation_of(ssm, k=3, depth=3):
    verdict = prove_dyck(ssm, k, depth, "predictive")
    assert verdict.outcome == PROVED
    return " ".join(verdict.relation)


@pytest.mark.parametrize("arithmetic", ["exact", "float32", "fixed:4"])
@pytest.mark.parametrize("k, depth", [(2, 4), (3, 3), (8, 10)])
def test_the_induction_shows_that_slots_above_the_depth_are_0(k, depth, arithmetic):
    tight, loose = (
        relation_of(lower(bounded_dyck(k, depth, tight=kind), Arithmetic.parse(arithmetic)), k, depth)
        for kind in (True, False)
    )
    assert "slots above the depth are 0" in tight and f"each of the {DyckMachine(k, depth).classes()} " in tight
    assert "slots above the depth are stale" in loose


def test_a_slot_that_begins_at_1_is_not_cleared():
    """It is right all the same: nobody reads a slot above the depth."""
    ssm = lower(bounded_dyck(3, 3, tight=True), Arithmetic("exact"))
    begun = corrupt(ssm, "layers.1.initial", (ssm.layers[1].names.index("slot 3 bit 0"),), 1)
    assert "are stale" in relation_of(begun)


@pytest.mark.parametrize("slot", [1, 2, 3])
def test_one_slot_that_is_not_cleared_is_enough(slot):
    cascade = bounded_dyck(3, 3, tight=True)
    levels = [
        Level(
            tuple(replace(r, rules=r.rules[:1]) if r.name == f"slot {slot}" else r for r in level.registers),
            level.signals,
        )
        for level in cascade.levels
    ]
    loose = Cascade(cascade.alphabet, tuple(levels), cascade.outputs, cascade.emissions)
    ssm = lower(loose, Arithmetic("exact"))
    assert "are stale" in relation_of(ssm)
    joint = bisimulation(DyckMachine(3, 3), Engine(ssm)).explored["joint states"]
    assert joint > DyckMachine(3, 3).classes()


def test_a_slot_above_the_depth_that_is_set_on_the_way_is_not_cleared():
    """An opening bracket that is the first sets the last slot besides."""
    cascade = bounded_dyck(3, 3, tight=True)
    early = Rule((In(cascade.alphabet[0::2]), Is("depth", 1)), Set(1))
    levels = [
        Level(
            tuple(replace(r, rules=(*r.rules, early)) if r.name == "slot 3" else r for r in level.registers),
            level.signals,
        )
        for level in cascade.levels
    ]
    ssm = lower(Cascade(cascade.alphabet, tuple(levels), cascade.outputs, cascade.emissions), Arithmetic("exact"))
    assert "are stale" in relation_of(ssm)


def test_the_command_says_which_memory_it_means(capsys):
    assert main(["dyck", "--k", "2", "--depth", "5", "--tight", "--strings", "9", "--quiet"]) == 0
    assert main(["dyck", "--k", "2", "--depth", "5", "--tight", "--strings", "9"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "7.58 bits = 5 + log2(6), of registers" in shown
    assert "5.98 bits = log2(63 reachable states of the registers), ratio 1.000" in shown
    assert "dyck --k 2 --depth 5 --tight --mode predictive" in shown


def test_a_tight_mamba_is_proved():
    pytest.importorskip("torch")
    from constructions.build import build
    from verify.claim import Claim
    from verify.proving import prove_claim

    machine = DyckMachine(2, 2)
    found = compile(machine, route=TIGHT, target="mamba")
    built = build(found, "mamba")
    with built.running() as model:
        verdict = prove_claim(Claim(machine, found.mode, model, built.weights, found))
    assert verdict.outcome == PROVED and verdict.explored["machine states"] == machine.classes()
    assert np.isfinite(list(verdict.explored.values())).all()
