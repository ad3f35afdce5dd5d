"""Help that helps: examples that are understood, notations from one text, completion in a shell."""

import importlib
import shlex
import subprocess
import sys
import zipfile

import pytest
from conftest import REPOSITORY

from verify.__main__ import main
from verify.commands import COMMANDS
from verify.commands.help import NOTATIONS, notation
from verify.commands.parser import parse


def run(capsys, *arguments):
    status = main(list(arguments))
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_are_shown_each_on_one_line_and_are_understood(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "60")
    status, out, err = run(capsys, command, "--help")
    assert (status, err) == (0, "") and out == run(capsys, "help", command)[1]
    examples = importlib.import_module(f"verify.commands.{command}").EXAMPLES
    assert examples
    for example in examples:
        assert f"\n  python -m verify {example}\n" in out
        assert parse(shlex.split(example)).command == command == example.split()[0]
    assert "exit status: 0 holds, 1 refuted (and nothing else)" in " ".join(out.split())


def test_help_alone_is_the_help_and_holds(capsys):
    assert run(capsys, "help") == run(capsys, "--help") and run(capsys, "help")[0] == 0


@pytest.mark.parametrize("topic", NOTATIONS)
def test_notations_come_from_the_documentation(capsys, topic):
    status, out, err = run(capsys, "help", topic)
    assert (status, err) == (0, "") and out == notation(topic) + "\n" and out.count("\n") > 8
    assert out.strip() in (REPOSITORY / "docs" / "notations.md").read_text(encoding="utf-8")
    assert all(other == topic or notation(other) not in out for other in NOTATIONS)


def test_an_unknown_topic_is_one_line(capsys):
    assert run(capsys, "help", "regx") == (2, "", "error: unknown topic 'regx': did you mean regex?\n")
    assert "expected regex, ltl, files or a command" in run(capsys, "help", "zzz")[2]
    assert "did you mean bash" in run(capsys, "completion", "bsh")[2]


def completed(script, *words):
    """What bash offers for the last of these words."""
    typed = " ".join(map(shlex.quote, words))
    lines = f"source {script}\nCOMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _shtab_ssm_verify"
    shell = ["bash", "-c", f'{lines}; printf "%s\\n" "${{COMPREPLY[@]}}"']
    return subprocess.run(shell, capture_output=True, text=True, check=True).stdout.split()


def test_bash_completes_commands_options_and_languages(capsys, tmp_path):
    pytest.importorskip("shtab")
    status, out, err = run(capsys, "completion", "bash")
    assert (status, err) == (0, "")
    script = tmp_path / "script"
    script.write_text(out)
    assert completed(script, "ssm-verify", "che") == ["check", "checkpoint"]
    assert completed(script, "ssm-verify", "prove", "--strings-") == ["--strings-file"]
    assert "tomita-4" in completed(script, "ssm-verify", "prove", "tomita")
    assert set(completed(script, "ssm-verify", "prove", "--mode", "")) == {"predictive", "recognise"}
    for shell in ("zsh", "tcsh"):
        assert "ssm-verify" in run(capsys, "completion", shell)[1]


def test_completion_without_shtab_is_one_line(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    status, out, err = run(capsys, "completion", "bash")
    assert (status, out) == (2, "") and "pip install 'ssm-compiler[completion]'" in err and err.count("\n") == 1


@pytest.mark.slow
def test_the_wheel_has_the_notations_and_the_schema(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"verify/notations.md", "verify/schema/report.schema.json"} <= set(names)
