"""A slice of the malformed inputs, and that what is wrong with an answer would be seen."""

import os
import signal
import sys
import warnings

import pytest

from tests.malformed import run as module
from tests.malformed.cases import KINDS, Case, _checkpoint, case
from tests.malformed.run import answer, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cases run in processes that are forked")

HEAVY = ("export", "checkpoint")
"""Commands for which PyTorch is imported; they have tests of their own."""

SLICE = [number for number in range(200) if case(0, number).arguments[:1] not in ([name] for name in HEAVY)][:150]


@pytest.mark.parametrize("part", range(3))
def test_malformed_inputs(part):
    outcomes = list(run(0, SLICE[part::3]))
    assert [outcome for outcome in outcomes if outcome.wrong] == []
    assert len(outcomes) == 50 and {outcome.status for outcome in outcomes} >= {0, 2}


@pytest.mark.slow
def test_malformed_checkpoints():
    pytest.importorskip("transformers")  # imported once, not in a case
    outcomes = list(run(0, [number for number in range(1000) if case(0, number).kind == "checkpoint"]))
    assert [outcome for outcome in outcomes if outcome.wrong] == [] and len(outcomes) == 40


def test_cases_come_from_the_seed():
    assert sum(KINDS.values()) == 100 and _checkpoint in KINDS
    shown = [(found.kind, found.arguments, found.files) for found in (case(1, number) for number in SLICE)]
    assert shown == [(found.kind, found.arguments, found.files) for found in (case(1, number) for number in SLICE)]
    assert shown != [(found.kind, found.arguments, found.files) for found in (case(2, number) for number in SLICE)]


# -- what is wrong is seen ----------------------------------------------------------------------------


def _raises(*_):
    raise KeyError("x")


def _warns(*_):
    warnings.warn("a remark", stacklevel=1)
    return 0


def _says(out, err, status):
    def answered(*_):
        sys.stdout.write(out)
        sys.stderr.write(err)
        sys.stdout.flush(), sys.stderr.flush()
        return status

    return answered


def _leaves(name, status):
    def answered(*_):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        open(name, "w").close()
        sys.stderr.write("error: no\n" * (status == 2))
        sys.stderr.flush()
        return status

    return answered


@pytest.mark.parametrize(
    "main, complaint",
    [
        (_raises, "raises KeyError"),
        (_warns, "warns: a remark"),
        (_says("", "", 70), "status 70"),
        (_says("", "", 4), "status 4"),
        (_says("", "", 2), "not one line"),
        (_says("", "error: a\nb\n", 2), "not one line"),
        (_says("", "error: " + "x" * 400 + "\n", 2), "not one line"),
        (_says("", "error: \x1b\n", 2), "not one line"),
        (_says("an answer", "error: no\n", 2), "bad input after an answer"),
        (_says("", "error: 'NoneType' object has no attribute 'x'\n", 2), "speaks Python"),
        (_says("", "RuntimeWarning\n", 0), "an answer, and on standard error"),
        (_leaves("report", 2), "left report"),
        (_leaves(".saving-x/fresh", 0), "left .saving-x"),
        (_leaves("temporary/x", 0), "left temporary/x"),
        (_leaves("given", 0), "given is changed"),
        (_says("", "", 0), "not what is known"),
    ],
)
def test_each_complaint(monkeypatch, main, complaint):
    monkeypatch.setattr("verify.__main__.main", main)
    status, wrong = answer(Case("", ["x"], {"given": b"given"}, lambda status, out: "not what is known"))
    assert any(complaint in line for line in wrong), wrong


def test_an_answer_that_is_right_and_a_progress_that_is_erased(monkeypatch):
    monkeypatch.setattr("verify.__main__.main", _says("fine\n", "\r10 strings\r          \r", 0))
    assert answer(Case("", ["x"])) == (0, [])
    monkeypatch.setattr("verify.__main__.main", _says("", "error: no\n", 2))
    assert answer(Case("", ["x"])) == (2, [])


def test_cases_that_hang_or_crash_cost_only_themselves(monkeypatch):
    def main(arguments):
        while arguments[0] == "loops":
            pass
        if arguments[0] == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        return 0

    monkeypatch.setattr("verify.__main__.main", main)
    monkeypatch.setattr(module, "CPU_SECONDS", 0.5)
    monkeypatch.setattr(module, "case", lambda seed, number: Case("", [("loops", "crashes", "ends")[number]]))
    loops, crashes, ends = run(0, [0, 1, 2])
    assert loops.wrong == ["takes too long, and shows nothing"] and ends.wrong == []
    assert crashes.wrong == [f"crashed or hung beyond an alarm (exit code -{int(signal.SIGSEGV)})"]
