"""The command line in awkward surroundings: odd paths, pipes and devices, closed outputs, faults of its own.

Whatever happens, status 0 is left to what holds and status 1 to what is refuted, a bad path costs one line and no work,
and nothing is left behind.
"""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import REPOSITORY

import verify.commands.dyck
from constructions.storage import load
from verify.__main__ import main

DYCK = ["dyck", "--k", "2", "--depth", "2", "--strings", "3", "--max-length", "9"]


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Every test runs in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments):
    before = sorted(os.listdir())
    assert main([*DYCK, *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("error: ") and err.count("\n") == 1
    assert sorted(os.listdir()) == before
    return err


def process(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), **options.pop("env", {})}
    command = [sys.executable, "-m", "verify", *arguments]
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, **options)


# -- paths --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--json", "--save", "--strings-file", "--arithmetic"])
def test_an_empty_value_is_refused(capsys, option):
    assert f"argument {option}: is empty" in refused(capsys, option, "")


@pytest.mark.parametrize("option", ["--json", "--save"])
@pytest.mark.parametrize("path", ["x" * 300, "x" * 300 + "/report", "file/report"])
def test_places_that_cannot_be(capsys, workplace, option, path):
    (workplace / "file").write_text("")
    assert f"{option} {path}: cannot be written" in refused(capsys, option, path)


def test_a_report_over_a_folder_and_weights_over_a_file_or_other_things(capsys, workplace):
    (workplace / "folder").mkdir()
    (workplace / "folder" / "mine").write_text("keep")
    (workplace / "file").write_text("keep")
    assert "is a folder" in refused(capsys, "--json", "folder")
    assert "is not a folder" in refused(capsys, "--save", "file")
    assert "is not a saved model" in refused(capsys, "--save", "folder")
    assert (workplace / "folder" / "mine").read_text() == (workplace / "file").read_text() == "keep"


@pytest.mark.parametrize("report, weights", [("x", "x"), ("x/report", "x"), ("x", "x/weights"), ("./y/../x", "x"), ("x/model.json", "x/")])
def test_report_and_weights_in_one_place(capsys, report, weights):
    assert "in the same place" in refused(capsys, "--json", report, "--save", weights)


def test_a_report_over_the_strings(capsys, workplace):
    (workplace / "strings").write_text("(a a)\n")
    (workplace / "link").symlink_to("strings")
    assert "is the file of --strings-file" in refused(capsys, "--strings-file", "strings", "--json", "link")
    assert (workplace / "strings").read_text() == "(a a)\n"


def test_blanks_unicode_and_folders_to_be_made(capsys, workplace):
    assert main([*DYCK, "--json", "a b/ü/r 1.json", "--save", "é/m o"]) == 0
    assert json.loads((workplace / "a b" / "ü" / "r 1.json").read_text())["outcomes"] == ["proved", "tested"]
    assert load(workplace / "é" / "m o").hidden_size == 3
    # Saved again, over itself.
    assert main([*DYCK, "--json", "a b/ü/r 1.json", "--save", "é/m o"]) == 0
    assert sorted(os.listdir(workplace / "é")) == ["m o"] and os.listdir(workplace / "a b" / "ü") == ["r 1.json"]


def test_a_name_that_is_not_text(capsys, workplace):
    name = os.fsdecode(b"strings\xff")
    (workplace / name).write_text("(a a) END\n")
    assert main([*DYCK, "--strings-file", name, "--json", "report"]) == 0
    assert json.loads((workplace / "report").read_text())["strings_file"]["method"] == f"strings of {name}"


def test_a_link_stays_a_link(capsys, workplace):
    (workplace / "real").write_text("old")
    (workplace / "link").symlink_to("real")
    assert main([*DYCK, "--json", "link"]) == 0
    assert (workplace / "link").is_symlink() and json.loads((workplace / "real").read_text())


def test_a_pipe_is_written_to_and_read_from_and_stays_a_pipe(capsys, workplace):
    os.mkfifo(workplace / "report")
    os.mkfifo(workplace / "strings")
    received = []
    reader = threading.Thread(target=lambda: received.append((workplace / "report").read_text()))
    writer = threading.Thread(target=lambda: (workplace / "strings").write_text("(a a) END\n"))
    reader.start(), writer.start()
    assert main([*DYCK, "--json", "report", "--strings-file", "strings"]) == 0
    reader.join(), writer.join()
    assert json.loads(received[0])["outcomes"] == ["proved", "tested", "tested"]
    assert (workplace / "report").is_fifo() and (workplace / "strings").is_fifo()


def test_a_failure_while_saving_leaves_nothing(capsys, workplace, monkeypatch):
    import safetensors.numpy

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    assert main([*DYCK, "--save", "model", "--json", "report"]) == 2
    assert capsys.readouterr().err == "error: model: cannot be written (No space left on device)\n"
    assert os.listdir() == []


# -- outputs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_reads_the_output(unbuffered):
    """Neither 0 nor 1, for nothing was said about the model; and no traceback at exit."""
    reader, writer = os.pipe()
    os.close(reader)
    result = process(*DYCK, stdout=writer, stderr=subprocess.PIPE, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert (result.returncode, result.stderr) == (128 + signal.SIGPIPE, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_output_is_full(unbuffered):
    with open("/dev/full", "w") as full:
        result = process(*DYCK, stdout=full, stderr=subprocess.PIPE, env={"PYTHONUNBUFFERED": unbuffered})
    assert (result.returncode, result.stderr) == (2, b"error: standard output: No space left on device\n")


def test_closed_outputs_do_no_harm(workplace):
    command = f"{sys.executable} -m verify {' '.join(DYCK)} --json report >&- 2>&-"
    result = subprocess.run(["sh", "-c", command], env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert result.returncode == 0 and json.loads((workplace / "report").read_text())["outcomes"] == ["proved", "tested"]


def test_an_output_that_knows_ascii_only():
    arguments = ["dyck", "--k", "30", "--depth", "2", "--arithmetic", "wrap:1", "--strings", "1"]
    result = process(*arguments, capture_output=True, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 1 and result.stderr == b"" and b"\\u2026" in result.stdout


def test_interruption(capsys, monkeypatch):
    monkeypatch.setattr(verify.commands.dyck, "run", lambda args: (_ for _ in ()).throw(KeyboardInterrupt))
    assert main(DYCK) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


# -- limits -------------------------------------------------------------------------------------------


def test_out_of_memory_is_undecided(capsys, monkeypatch):
    monkeypatch.setattr(verify.commands.dyck, "run", lambda args: (_ for _ in ()).throw(MemoryError))
    assert main(DYCK) == 3
    assert capsys.readouterr().err == "error: out of memory, and nothing is decided\n"


def test_a_fault_of_the_program_does_not_look_like_a_refutation(capsys, monkeypatch):
    monkeypatch.setattr(verify.commands.dyck, "run", lambda args: 1 // 0)
    assert main(DYCK) == 70
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_language_with_more_classes_than_can_be_written_out(capsys):
    from verify.commands.dyck import task
    from verify.commands.pipeline import memory

    class Arguments:
        k, depth, mode = 16, 4000, "predictive"

    assert "log2(about 10^4816.5 Myhill-Nerode classes)" in memory(task(Arguments))["lower bound"]


def test_no_string_and_no_length(capsys):
    assert main([*DYCK, "--strings", "0", "--quiet"]) == 0
    assert "random test: tested: no string was tried\n" in capsys.readouterr().out
    assert main([*DYCK, "--max-length", "0", "--quiet"]) == 0
    assert main([*DYCK, "--seed", str(10**40), "--quiet"]) == 0


def test_the_smallest_limit_gives_up(capsys):
    assert main([*DYCK, "--limit", "0"]) == 3
    assert "gave up at" in capsys.readouterr().out
