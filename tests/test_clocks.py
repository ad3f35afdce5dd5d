"""What people hear while they wait: the title and what long work needs before it begins, and progress with a total."""

import os
import re
import threading
import time

import pytest
from baseline import chain_language, order_preserving
from trained_models import trained

from automata.algebra.holonomy import Skeleton
from automata.errors import InputError
from automata.machines.bounded_dyck import DyckMachine
from constructions.compile.compiler import compile
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from verify import progress
from verify.__main__ import main
from verify.certificate import coq_check
from verify.commands import certify, pipeline, repair, tasks, train
from verify.commands.pipeline import LARGE, MANY_STRINGS, RANDOM_STRINGS, SHORT, strings_for
from verify.progress import Progress
from verify.verdict import UNDECIDED, Verdict


def begun(monkeypatch, capsys, *options):
    """What is printed before any work."""

    def stop(*given):
        raise InputError("stopped")

    monkeypatch.setattr(tasks, "task_of", stop)
    assert main(["dyck", *options]) == 2
    return capsys.readouterr().out.splitlines()


def test_long_work_says_what_it_needs_before_it_begins(monkeypatch, capsys):
    title, question, _, needs, time, memory = begun(monkeypatch, capsys, "--k", "500000", "--depth", "1")
    assert title.startswith("Dyck(500000, 1)") and question.startswith("predictive") and needs == "needs"
    assert "minutes on one core" in time and "GB" in memory
    assert begun(monkeypatch, capsys, "--k", "500000", "--depth", "1", "--quiet") == []
    assert begun(monkeypatch, capsys, "--k", "2", "--depth", "5") == []


@pytest.mark.parametrize("build", [chain_language, order_preserving], ids=["chain", "order-preserving"])
def test_a_lowering_counts_up_to_its_total(build):
    dfa = build(4)
    for cascade in (holonomy_cascade(dfa, "predictive", Skeleton(dfa)), bounded_dyck(3, 3), bounded_dyck(1500, 1)):
        counted = []
        lower(cascade, Arithmetic("fixed", 1), counted.append)
        assert sum(counted) == cascade.rule_count


def test_large_models_run_fewer_random_strings_by_default():
    dfa = order_preserving(7)
    ssm = lower(holonomy_cascade(dfa, "predictive", Skeleton(dfa)), Arithmetic("fixed", 1))
    small = lower(bounded_dyck(2, 2), Arithmetic("exact"))
    assert strings_for(small) == RANDOM_STRINGS
    assert strings_for(ssm) == (RANDOM_STRINGS if ssm.nonzero <= LARGE else RANDOM_STRINGS * LARGE**2 // ssm.nonzero**2)
    assert strings_for(small, DyckMachine(2, 2)) == strings_for(small, DyckMachine(2, 2), SHORT) == MANY_STRINGS
    one_by_one = bounded_dyck(2, 2)  # a machine like any other, of which nothing is known but its steps
    assert strings_for(small, DyckMachine(2, 2), 100 * SHORT) == strings_for(small, one_by_one) == RANDOM_STRINGS
    large = lower(bounded_dyck(3000, 1), Arithmetic("exact"))
    assert large.nonzero > LARGE and 3 <= strings_for(large) < RANDOM_STRINGS


@pytest.mark.parametrize(
    "command", [("prove", "tomita-4"), ("counter", "anbn"), ("flipflop",), ("dyck", "--k=2", "--depth=2")]
)
def test_long_work_begins_with_its_title(command, monkeypatch, capsys):
    """Whatever is slow before a report is opened, its title is printed once, ahead of everything else."""
    monkeypatch.setattr(progress, "DELAY", 0.15)
    monkeypatch.setattr(progress, "_AHEAD", 0.1)
    said = []

    def slow(*given, **options):
        time.sleep(0.4)
        said.append(capsys.readouterr().out)
        return compile(*given, **options)

    monkeypatch.setattr(pipeline, "compile", slow)
    few = ("--strings", "3", "--max-length", "9")
    assert main([*command, *few]) == 0
    assert len(said) == 1 and said[0].count("\n") == 1
    slowly = said[0] + capsys.readouterr().out
    monkeypatch.setattr(pipeline, "compile", compile)
    monkeypatch.setattr(progress, "DELAY", 60)
    assert main([*command, *few]) == 0
    quickly = capsys.readouterr().out
    assert slowly.splitlines()[:-1] == quickly.splitlines()[:-1]


def test_a_title_comes_earlier_where_the_start_was_slow(monkeypatch):
    """The line of progress comes when it always does."""
    monkeypatch.setattr(progress, "DELAY", 60.0)
    monkeypatch.setattr(progress, "_AHEAD", 1.0)
    waited = []

    class Clock(threading.Event):
        def wait(self, timeout=None):
            waited.append(timeout)
            return len(waited) % 3 == 0

    monkeypatch.setattr(threading, "Event", Clock)
    for age, early in ((0.0, 59.0), (0.5, 58.5), (100.0, 58.3)):
        monkeypatch.setattr(progress.clock, "seconds", lambda age=age: age)
        said = []
        progress.announce("title", said.append)
        line = Progress("things", phase="phase")
        line._tick()
        assert said == ["title"] and waited[-3:-1] == pytest.approx([early, 60.0 - early])


def test_a_trace_begins_with_its_title(monkeypatch, capsys):
    announced = []
    monkeypatch.setattr(progress, "_say_first", lambda: announced.append(progress._announcement.text))
    monkeypatch.setattr(
        pipeline, "compile", lambda *given, **options: progress._say_first() or compile(*given, **options)
    )
    assert main(["trace", "d-2", "ab"]) == 0
    assert announced == [capsys.readouterr().out.splitlines()[0]] != [""]


def test_what_was_refused_leaves_no_title_behind(monkeypatch, capsys):
    monkeypatch.setattr(progress, "DELAY", 0.15)
    monkeypatch.setattr(progress, "_AHEAD", 0.1)
    refused = ["counter", "anbn", "--target", "mamba", "--arithmetic", "exact"]
    monkeypatch.setattr(progress, "_STARTED", 0.0)  # however long ago this process began
    assert main(refused) == 2  # what it takes is imported now, so that the next one is quick
    capsys.readouterr()
    assert main(refused) == 2
    assert capsys.readouterr().out == ""
    with Progress("things", phase="phase"):
        time.sleep(0.4)
    assert capsys.readouterr().out == ""


def test_a_title_that_nobody_reads_ends_no_thread(monkeypatch):
    """Nor does it print a traceback beside the work: the next line that is printed meets the same."""
    monkeypatch.setattr(progress, "DELAY", 0.15)
    failed = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    for error in (BrokenPipeError(), ValueError("I/O operation on closed file")):

        def say(text, error=error):
            raise error

        progress.announce("a title", say)
        with Progress("things", phase="phase"):
            time.sleep(0.4)
        assert progress.announced("a title") and failed == []


def test_each_architecture_is_named_while_it_is_decided(monkeypatch, capsys):
    phases = []
    monkeypatch.setattr(progress.Progress, "__enter__", lambda self: phases.append(self.phase) or self)
    monkeypatch.setattr(progress.Progress, "__exit__", lambda *_: None)
    assert main(["decide", "d-2", "--on", "ssm,signed-diagonal"]) == 0
    assert [phase for phase in phases if "d-2 on" in phase] == ["d-2 on ssm, 1 of 2", "d-2 on signed-diagonal, 2 of 2"]


def test_looks_at_the_clock_are_no_work(monkeypatch, capsys):
    """One thing in ten looks at the clock: a rate from the last of them alone would be ten times too high."""
    monkeypatch.setattr(progress, "DELAY", 0.0)
    monkeypatch.setattr(progress, "BEAT", 0.1)
    with Progress("models", total=4) as line:
        time.sleep(1.5)
        line.advance(1)
        time.sleep(0.3)
    rates = re.findall(r"([0-9.]+)s/ models", capsys.readouterr().err)
    assert rates and all(float(rate) >= 1.5 for rate in rates)


@pytest.fixture
def phases(monkeypatch):
    """Those that are shown, and an announced title before them."""
    shown = []

    def entered(line):
        shown.append(f"{progress._announcement.text}, {line.phase}".removeprefix(", "))
        return line

    monkeypatch.setattr(Progress, "__enter__", entered)
    return shown


def test_what_loads_pytorch_says_so(tmp_path, phases):
    """It takes seconds: a model that is started, a checkpoint that is read, and tried on random strings."""
    pytest.importorskip("transformers", reason="transformers is not installed")
    stock = str(tmp_path / "stock")
    assert main(["export", "tomita-4", "--to", stock, "--strings", "3", "--max-length", "9"]) == 0
    assert phases[-3:] == ["starting the model", "proof", "random test"]
    for command, title in (
        (["check", stock, "--strings", "3"], f"{stock}: a Mamba checkpoint against "),
        (["extract", stock], f"{stock}: which automaton is a Mamba checkpoint?"),
    ):
        del phases[:]
        assert main(command) == 0
        start = next(i for i, phase in enumerate(phases) if phase.endswith("starting the model"))
        assert phases[start].startswith(title) and phases[start + 1].endswith("reading the checkpoint")
        assert ("exact accuracy" if command[0] == "check" else "extraction") in phases
    del phases[:]
    assert main(["gates", stock]) == 0 and "weights" in phases


def test_a_description_and_a_list_say_what_they_are_at(phases):
    assert main(["describe", "tomita-3"]) == 0
    shown = [phase.rpartition(", ")[2] for phase in phases]
    assert shown == ["reading", "holonomy", "transition monoid", "registers"] and phases[1].startswith("tomita-3: ")
    del phases[:]
    assert main(["languages", "tomita-3"]) == 0
    assert phases == ["reading", "star-free or not"]


def test_trainings_begin_with_their_titles(tmp_path, monkeypatch, phases):
    pytest.importorskip("transformers", reason="transformers is not installed")

    def stop(*given, **options):
        raise InputError("stopped")

    monkeypatch.setattr(train, "trained", stop)
    monkeypatch.setattr(repair, "trained", stop)
    to, known = str(tmp_path / "learned"), str(trained("tomita-1"))
    for command, title in (
        (["train", "tomita-1", "--to", to], f"{to}: a Mamba trained on "),
        (["repair", known, "--to", to], f"{known}: trained on, on "),
    ):
        del phases[:]
        assert main(command) == 2
        shown = next(phase for phase in phases if phase.endswith("starting the model"))
        assert shown.startswith(title)
    assert phases[-1] == f"{title}tomita-1: 1*, over 0 1, reading the checkpoint"


def test_coq_is_waited_for_with_progress(tmp_path, monkeypatch, phases):
    monkeypatch.setattr(coq_check, "coq_installed", lambda: True)
    monkeypatch.setattr(certify, "_checked", lambda *_: Verdict(UNDECIDED, "Coq", "predictive", "exact"))
    assert main(["certify", "d-2", "--coq", str(tmp_path / "d2.v"), "--check"]) == 3
    assert phases[-1] == "Coq"


def test_random_models_are_counted_while_they_are_refuted(phases):
    assert main(["parity", "--models", "1"]) == 0
    assert phases == ["random models", "models of width 1", "sympy"]


def test_a_terminal_that_does_not_say_how_wide_it_is_shows_progress(monkeypatch):
    """One that a program has opened often has no columns."""
    pty = pytest.importorskip("pty")
    reading, writing = pty.openpty()
    os.set_blocking(reading, False)
    monkeypatch.setattr(progress, "DELAY", 0.0)
    with open(writing, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        with Progress("things", 4, phase="some phase") as line:
            line.advance(1)
            time.sleep(0.3)
        shown = os.read(reading, 1 << 16).decode()
    os.close(reading)
    assert "some phase" in shown and "1.00/4.00" in shown
