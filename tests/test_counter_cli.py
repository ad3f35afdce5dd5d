"""What a user types and sees: ``python -m verify counter`` and the large ``dyck``."""

import json
import sys

import pytest

from automata.errors import InputError
from automata.machines.counter_machine import parse_name
from verify.__main__ import main
from verify.commands import pipeline, tasks

FEW = ("--strings", "30", "--max-length", "30")


@pytest.fixture
def small(monkeypatch):
    """The checks beside the proof on a small scale."""
    from verify.commands import tasks

    monkeypatch.setattr(tasks, "LONG_LENGTH", 2_000)
    monkeypatch.setattr(tasks, "SMALL_COUNTER_PAIRS", 500)


def report_of(capsys, tmp_path, *arguments):
    """The exit status, the JSON report and what was printed."""
    path = tmp_path / "report.json"
    status = main([*arguments, *FEW, "--json", str(path)])
    return status, json.loads(path.read_text()), capsys.readouterr().out


@pytest.mark.parametrize("name", ["dyck-1", "shuffle-3", "boolean-5", "anbn"])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_proof_test_and_second_opinion(small, capsys, tmp_path, name, mode):
    status, report, printed = report_of(capsys, tmp_path, "counter", name, "--mode", mode)
    assert status == 0 and report["outcomes"] == ["proved", "tested", "tested", "tested"]
    assert report["proof"]["method"] == "relation" and "every counter value" in report["proof"]["reason"]
    assert report["long_random_test"]["explored"]["longest"] > 500
    assert report["second_opinion"]["method"] == "bounded search"
    assert "unbounded counter" in printed and "evidence, not a proof" in printed
    assert f"the empty string {'is a word' if name in ('dyck-1', 'shuffle-3') else 'is not a word'}" in printed


def test_a_search_in_the_place_of_a_proof_does_not_hold(small, capsys, tmp_path, monkeypatch):
    """An induction without z3: what to install is said, the search that is left is no proof, and the status says
    neither.
    """
    monkeypatch.setitem(sys.modules, "z3", None)
    status, report, printed = report_of(capsys, tmp_path, "counter", "anbn", "--method", "induction")
    assert status == 3 and report["outcomes"] == ["tested"] * 4
    assert (
        "pip install z3-solver, or 'ssm-compiler[smt]'" in " ".join(printed.split()) and "this is no proof" in printed
    )


@pytest.mark.parametrize("name", ["anbncn", "shuffle-2"])
def test_no_solver_is_needed(small, capsys, tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "z3", None)
    status, report, _ = report_of(capsys, tmp_path, "counter", name, "--mode", "recognise")
    assert status == 0 and report["proof"]["method"] == "relation" and report["proof"]["outcome"] == "proved"


def test_a_float_needs_no_solver_either(small, capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "z3", None)
    status, report, _ = report_of(capsys, tmp_path, "counter", "anbn", "--arithmetic", "float16")
    assert status == 0 and report["outcomes"] == ["proved", "tested", "tested", "tested"]
    assert "2049 is rounded to 2048" in report["exact_horizon"]["reason"]


def test_a_float_has_a_horizon(small, capsys, tmp_path):
    status, report, printed = report_of(capsys, tmp_path, "counter", "dyck-1", "--arithmetic", "float16")
    assert status == 0 and report["proof"]["horizon"] == 2048
    assert (
        "every step of (^2048 is exact, and in the next one 2049 is rounded to 2048"
        in report["exact_horizon"]["reason"]
    )
    assert "strings of up to 2048 symbols" in printed.replace("\n", " ").replace("                      ", "")


def test_released_strings(small, capsys, tmp_path, shared_data):
    status, report, _ = report_of(capsys, tmp_path, "counter", "anbncn", "--released", str(shared_data("released")))
    assert status == 0 and report["released_strings"]["explored"]["labels"] == 9534


def test_a_large_dyck_is_proved_by_induction(capsys, tmp_path):
    status, report, _ = report_of(capsys, tmp_path, "dyck", "--k", "8", "--depth", "10")
    assert status == 0 and report["proof"]["method"] == "induction" and report["proof"]["outcome"] == "proved"
    status, report, _ = report_of(capsys, tmp_path, "dyck", "--k", "2", "--depth", "5")
    assert status == 0 and report["proof"]["method"] == "search"


def test_a_run_by_name(capsys):
    assert main(["trace", "counter", "boolean-2", "+ 0 1"]) == 0
    assert "pending=0  end" in capsys.readouterr().out


@pytest.mark.parametrize("k, depth", [("0", "1"), ("500001", "1"), ("1", "100000000"), ("2", "4097"), ("2", "-1")])
def test_sizes_beyond_the_limits(capsys, k, depth):
    assert main(["dyck", "--k", k, "--depth", depth]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("at most" in error or "expected at least" in error)


def test_many_types_have_shorter_random_tests(capsys, tmp_path):
    path = tmp_path / "report.json"
    assert main(["dyck", "--k", "2500", "--depth", "1", "--max-length", "20", "--json", str(path)]) == 0
    report = json.loads(path.read_text())
    assert report["outcomes"] == ["proved", "tested"] and report["random_test"]["explored"]["strings"] == 100


@pytest.mark.parametrize("given, chosen", [([], (3, 250)), (["--max-length", "500", "--strings", "7"], (7, 500))])
def test_the_random_test_of_many_types_is_short_unless_a_longer_one_is_asked_for(monkeypatch, given, chosen):
    asked = []
    monkeypatch.setattr(
        pipeline, "run_task", lambda task, args, command, report: asked.append((args.strings, args.max_length)) or 0
    )
    monkeypatch.setattr(tasks, "task_of", lambda title, machine, args: None)
    assert main(["dyck", "--k", "200000", "--depth", "1", *given]) == 0 and asked == [chosen]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("dyck", "--k", "500001", "--depth", "1"), "--k 500001: at most 500000, raise the limit (--most) to go on"),
        (("dyck", "--k", "2", "--depth", "4097"), "--depth 4097: at most 4096, raise the limit (--most) to go on"),
        (
            ("dyck", "--k", "1", "--depth", "1000001"),
            "--depth 1000001: at most 1000000, raise the limit (--most) to go on",
        ),
        (("dyck", "--k", "3", "--depth", "1", "--most", "2"), "--k 3: at most 2, raise"),
        (("counter", "shuffle-65"), "expected from 1 to 64: raise the limit (--most) to go on"),
        (("counter", "shuffle-3", "--most", "2"), "expected from 1 to 2: raise the limit (--most)"),
    ],
)
def test_the_option_that_raises_a_limit_is_named(capsys, arguments, message):
    assert main(list(arguments)) == 2
    assert message in capsys.readouterr().err


def test_a_raised_limit_is_repeated(capsys, small):
    assert main(["counter", "shuffle-2", "--strings", "3", "--max-length", "5", "--most", "2"]) == 0
    assert "counter shuffle-2 --most 2 " in " ".join(capsys.readouterr().out.split())
    assert parse_name("shuffle-65", 65) == ("shuffle", 65)
    with pytest.raises(InputError, match="expected 1$"):
        parse_name("dyck-2", 100)


@pytest.mark.parametrize("command", ["counter", "prove"])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_what_is_asked_for_beyond_the_limit_is_compiled(capsys, small, monkeypatch, command, mode):
    monkeypatch.setattr("automata.machines.counter_machine.SHUFFLE_LIMIT", 2)
    arguments = [command, "shuffle-3", "--mode", mode, "--strings", "3", "--max-length", "5", "--quiet"]
    assert main(arguments) == 2 and "raise the limit (--most)" in capsys.readouterr().err
    assert main([*arguments, "--most", "3"]) == 0 and "proof: proved" in capsys.readouterr().out


def test_one_of_a_thing_is_no_plural(capsys, small):
    assert main(["counter", "anbn", "--strings", "3", "--max-length", "5"]) == 0
    assert "0 bits and 1 unbounded counter\n" in capsys.readouterr().out
    assert main(["dyck", "--k", "1", "--depth", "0", "--strings", "0"]) == 0
    printed = capsys.readouterr().out
    assert "log2(1 Myhill-Nerode class)" in printed and "log2(1 reachable state of the registers)" in printed
    assert main(["prove", "--regex", "∅", "--alphabet", "a", "--strings", "0"]) == 0
    printed = capsys.readouterr().out
    assert "1 state, 1 symbol with 1 action\n" in printed and "0 levels (no points), 0 bits\n" in printed


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("dyk-1",), "unknown counter language 'dyk-1': did you mean dyck-1?"),
        (("shuffle-0",), "the number is 0"),
        (("boolean-6",), "expected from 1 to 5"),
        (("anbn", "--released", "nowhere"), "cannot be read"),
        (("shuffle-3", "--released", "nowhere"), "no strings were released for shuffle-3"),
        (("anbn", "--arithmetic", "fixed:-1"), "fixed:-1"),
        (("anbn", "--dtype", "bfloat16"), "--dtype bfloat16: the numbers of ssm are chosen with --arithmetic"),
        ((), "NAME"),
    ],
)
def test_bad_input(capsys, arguments, message):
    assert main(["counter", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("error: ") and captured.err.count("\n") == 1
    assert message in captured.err
