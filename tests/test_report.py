"""The report: for programs as its schema says, over all commands; for people as wide and as coloured as the
terminal.
"""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys

import jsonschema
import pytest
from conftest import REPOSITORY

import verify.commands.tasks
import verify.training.study
from verify import clock
from verify.__main__ import main
from verify.commands import COMMANDS
from verify.show import terminal
from verify.show.report import Command, Report
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED

SCHEMA = json.loads((REPOSITORY / "verify" / "schema" / "report.schema.json").read_text(encoding="utf-8"))
FEW = ("--strings", "9", "--max-length", "20")


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Every test runs in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(verify.commands.tasks, "LONG_LENGTH", 100)
    monkeypatch.setattr(verify.training.study, "PLAIN_STEPS", 3)


REPORTS = {
    "dyck": ["dyck", "--k", "2", "--depth", "2", "--save", "model", *FEW],
    "refuted": ["dyck", "--k", "1", "--depth", "3", "--mode", "recognise", "--arithmetic", "wrap:2", *FEW],
    "undecided": ["prove", "d-9", "--limit", "1", *FEW],
    "flipflop": ["flipflop", *FEW],
    "counter": ["counter", "anbn", *FEW],
    "horizon": ["counter", "anbn", "--arithmetic", "float16", *FEW],
    "starfree": ["starfree", "--ltl", "H(a -> Y b)", "--alphabet", "ab", "--route", "holonomy", *FEW],
    "not star-free": ["starfree", "--language", "parity"],
    "parity": ["parity", "--models", "2"],
    "prove": ["prove", "--regex", "[ab]*b", "--save", "model", *FEW],
    "languages": ["languages"],
    "describe": ["describe", "tomita-3"],
    "census": ["census", "--letters", "1", "--states", "2", "--out", "parts"],
    "refute": ["refute", "--weights", "model", "--regex", "([ab][ab])*", "--alphabet", "ab"],
    "check": ["check", "model", "--strings", "9"],
    "decide": ["decide", "parity", "--on", "ssm"],
    "suite": ["suite", "--only", "parity,d-2,anbn", "--markdown", "table.md", "--html", "page.html", "--draw", "a.png"],
    "report": ["report", "--out", "page", "--only", "d-2,parity", "--no-pictures"],
    "dataset": ["dataset", str(REPOSITORY / "tests" / "labels")],
    "certify": ["certify", "d-2", "--coq", "model.v"],
    "gates": ["gates", "--range=0,0.99"],
    "export": ["export", "d-1", "--to", "stock", *FEW],
    "checkpoint": ["checkpoint", "stock", "--language", "d-1", "--strings", "9"],
    "extract": ["extract", "stock"],
    "train": ["train", "d-1", "--to", "model", "--d-model", "4", "--steps", "3", "--length", "8", "--no-check"],
    "study": ["study", "--out", "models", "--only", "parity"],
    "repair": ["repair", "model", "--to", "repaired", "--steps", "2", "--length", "8", "--rounds", "1"],
}
BEFORE = {"refute": "prove", "check": "prove", "checkpoint": "export", "extract": "export", "repair": "train"}


def test_every_command_with_a_report_is_here():
    silent = {"trace", "completion", "help"}
    assert {arguments[0] for arguments in REPORTS.values()} == set(COMMANDS) - silent


def texts(value, key=""):
    """All texts but symbols, names and notations, which may look like anything."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from texts(entry, name)
    elif isinstance(value, list):
        for entry in value:
            yield from texts(entry, "symbol" if isinstance(entry, str) else key)
    elif isinstance(value, str) and key not in ("symbol", "name", "points"):
        yield key, value


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_is_as_the_schema_says(capsys, name):
    if name in ("export", "checkpoint", "extract", "train", "repair", "study"):
        pytest.importorskip("transformers")
    if name in BEFORE:
        assert main([*REPORTS[BEFORE[name]], "--quiet"]) == 0
    assert main([*REPORTS[name], "--json", "report"]) in (0, 1, 3)
    report = json.loads(open("report", encoding="utf-8").read())
    jsonschema.Draft202012Validator(SCHEMA).validate(report)
    assert list(report)[:3] == ["version", "command", "title"]
    # A number, alone or with a unit, is no text.
    assert [found for found in texts(report) if re.fullmatch(r"-?[0-9][0-9 .,]*( ?%| [a-z]+)?", found[1])] == []
    # Whatever was written is named.
    out = capsys.readouterr().out
    for path in set(os.listdir()) - ({"model", "stock"} if name in BEFORE else set()):
        assert path in report["written"].values() and re.search(f"^  [a-z]+ +{path}$", out, re.MULTILINE)


BROKEN = {
    "no version": lambda r: r.pop("version"),
    "another version": lambda r: r.update(version=2),
    "time with a unit": lambda r: r.update(seconds="0.1 s"),
    "a number as text": lambda r: r["proof"]["explored"].update(strings="9"),
    "an unknown outcome": lambda r: r["proof"].update(outcome="true"),
    "a refutation without a witness": lambda r: r["proof"].update(outcome="refuted"),
    "a proof with a witness": lambda r: r["proof"].update(witness={"word": [], "expected": [], "given": []}),
    "an entry too many": lambda r: r["proof"].update(certain=True),
    "a section that is a text": lambda r: r.update(memory="9 bits"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_schema_refuses_what_is_no_report(capsys, what):
    assert main([*REPORTS["flipflop"], "--json", "report"]) == 0
    report = json.loads(open("report").read())
    BROKEN[what](report)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(report)


def test_json_on_standard_output_stands_there_alone(capsys):
    assert main(["dyck", "--k", "1", "--depth", "1", "--json", "-", "--save", "model", *FEW]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["outcomes"] == ["proved", "tested"] and json.loads(out)["written"]["folder"] == "model"
    assert err.startswith("Dyck(1, 1)") and "\nproof\n" in err and os.listdir() == ["model"]
    assert main(["flipflop", "--json", "-", "--quiet", *FEW]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["outcomes"] == ["proved", "tested"] and err.startswith("proof: proved")
    assert main(["starfree", "--language", "parity", "--json", "-", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["star-free"]["answer"] is False and err.startswith("star-free: no")
    assert main(["flipflop", "--json", "-", "--arithmetic", "exact", "--mode", "recognise"]) == 2
    assert capsys.readouterr().out == ""


# -- for people ------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    """A terminal of a test."""

    def isatty(self):
        return True

    def fileno(self):
        return 0


@pytest.fixture
def screen(monkeypatch):
    shown = Screen()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(os, "get_terminal_size", lambda descriptor: os.terminal_size((70, 24)))
    return shown


def test_lines_are_as_wide_as_the_terminal_but_for_commands(screen):
    with contextlib.redirect_stdout(screen):
        report = Report("python -m verify nothing")
        report.section("one", {"long": "word " * 100, "again": Command("command " * 50)})
        report.table("two", [("head", "rest"), ("x" * 10, "word " * 50)], [])
    lines = screen.getvalue().splitlines()
    commands = [line for line in lines if "command" in line]
    assert len(commands) == 1 and commands[0].count("command") == 50
    assert 60 < max(len(line) for line in lines if "command" not in line) <= 70


def test_a_pipe_has_a_width_of_its_own(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    Report("python -m verify nothing").section("one", {"long": "word " * 100})
    assert 100 < max(map(len, capsys.readouterr().out.splitlines())) <= terminal.PIPED


@pytest.mark.parametrize("outcome", [PROVED, TESTED, REFUTED, UNDECIDED])
def test_words_of_verdicts_are_coloured_on_a_terminal_only(screen, monkeypatch, outcome):
    assert re.fullmatch(r"\x1b\[3[0-9]m" + outcome + r"\x1b\[0m", terminal.painted(outcome, outcome, screen))
    assert terminal.painted("states", "states", screen) == "states"
    assert terminal.painted(outcome, outcome, io.StringIO()) == outcome
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.painted(outcome, outcome, screen) == outcome
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert terminal.painted(outcome, outcome, screen) == outcome


def test_a_report_on_a_terminal_is_coloured_where_it_says_what_holds(screen):
    with contextlib.redirect_stdout(screen):
        assert main(["flipflop", *FEW]) == 0
    coloured = re.findall(r"\x1b\[32m([^\x1b]*)\x1b\[0m", screen.getvalue())
    assert [text.strip() for text in coloured] == ["proved"]
    with contextlib.redirect_stdout(screen):
        assert main(["flipflop", "--quiet", *FEW]) == 0
    assert "proof: \x1b[32mproved\x1b[0m: closed" in screen.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal of Linux")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_real_terminal(no_color):
    """The process finds out by itself."""
    main_end, other_end = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": no_color, "TERM": "xterm"}
    command = [sys.executable, "-m", "verify", "flipflop", "--quiet", "--strings", "1"]
    streams = {"stdin": subprocess.DEVNULL, "stdout": other_end, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=environment, **streams)
    assert process.wait(60) == 0
    process.stderr.close()
    shown = os.read(main_end, 10_000).decode()
    os.close(main_end), os.close(other_end)
    assert ("\x1b[" in shown) != bool(no_color) and "proved" in shown


def test_time_is_counted_from_the_start_of_the_process(capsys):
    clock.begin(1000.0)
    report = Report("python -m verify nothing", json_path="report")
    report.close()
    assert json.loads(open("report").read())["seconds"] >= 1000
    assert "time 1000." in capsys.readouterr().out
    assert main(["flipflop", *FEW, "--json", "report"]) == 0
    assert json.loads(open("report").read())["seconds"] < 1000
    assert 0 <= clock.process_age() < 10**6
