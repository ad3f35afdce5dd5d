"""The command line in awkward surroundings: odd paths, pipes and devices, closed outputs, faults of its own.

Whatever happens, status 0 is left to what holds and status 1 to what is refuted, a bad path costs one line and no work,
and nothing is left behind.
"""

import argparse
import io
import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import REPOSITORY

import verify.commands.dyck
from automata.errors import InputError
from constructions.ssm.storage import load
from verify.__main__ import main
from verify.commands.places import check_places

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
    (workplace / "folder" / "model.json").write_text("keep")
    assert "is not a saved model" in refused(capsys, "--save", "folder")
    assert (workplace / "folder" / "mine").read_text() == (workplace / "file").read_text() == "keep"


@pytest.mark.parametrize(
    "report, weights", [("x", "x"), ("x/report", "x"), ("x", "x/weights"), ("./y/../x", "x"), ("x/model.json", "x/")]
)
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


def after_progress(stderr: bytes) -> bytes:
    """What stays on the screen: a line of progress, which a slow machine may show, is erased by what follows it."""
    return stderr.rpartition(b"\r")[2]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_nobody_reads_the_output(unbuffered):
    """Neither 0 nor 1, for nothing was said about the model; and no traceback at exit."""
    reader, writer = os.pipe()
    os.close(reader)
    result = process(*DYCK, stdout=writer, stderr=subprocess.PIPE, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert (result.returncode, after_progress(result.stderr)) == (128 + signal.SIGPIPE, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_the_output_is_full(unbuffered):
    with open("/dev/full", "w") as full:
        result = process(*DYCK, stdout=full, stderr=subprocess.PIPE, env={"PYTHONUNBUFFERED": unbuffered})
    assert (result.returncode, after_progress(result.stderr)) == (
        2,
        b"error: standard output: No space left on device\n",
    )


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_an_answer_that_is_lost_at_the_very_end():
    """Nothing else than the end of the command writes out what a quiet one has printed."""
    with open("/dev/full", "w") as full:
        result = process(*DYCK, "--quiet", stdout=full, stderr=subprocess.PIPE, env={"PYTHONUNBUFFERED": ""})
    assert (result.returncode, result.stderr) == (2, b"error: standard output: No space left on device\n")


def test_closed_outputs_do_no_harm(workplace):
    command = f"{sys.executable} -m verify {' '.join(DYCK)} --json report >&- 2>&-"
    result = subprocess.run(["sh", "-c", command], env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    assert result.returncode == 0 and json.loads((workplace / "report").read_text())["outcomes"] == ["proved", "tested"]


def test_an_output_that_knows_ascii_only():
    arguments = ["dyck", "--k", "30", "--depth", "2", "--arithmetic", "wrap:1", "--strings", "1"]
    result = process(*arguments, capture_output=True, env={"PYTHONIOENCODING": "ascii"})
    assert result.returncode == 1 and after_progress(result.stderr) == b"" and b"\\u2026" in result.stdout


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
    from automata.machines.bounded_dyck import DyckMachine
    from verify.commands.pipeline import memory
    from verify.commands.tasks import task_of

    task = task_of("", DyckMachine(16, 4000), argparse.Namespace(mode="predictive"))
    said, data = memory(task)
    assert "log2(about 10^4816.5 Myhill-Nerode classes)" in said["lower bound"] and data["classes"] == task.classes


def test_no_string_and_no_length(capsys):
    assert main([*DYCK, "--strings", "0", "--quiet"]) == 0
    assert "random test: tested: no string was tried\n" in capsys.readouterr().out
    assert main([*DYCK, "--max-length", "0", "--quiet"]) == 0
    assert main([*DYCK, "--seed", str(10**40), "--quiet"]) == 0


def test_the_smallest_limit_gives_up(capsys):
    assert main([*DYCK, "--method", "search", "--limit", "0"]) == 3
    assert "gave up at" in " ".join(capsys.readouterr().out.split())


# -- nothing that is read is lost ---------------------------------------------------------------------


@pytest.fixture
def model(workplace, capsys):
    """A saved model, its files with what is in them."""
    assert main(["starfree", "--regex", "(ab)*", "--save", "model", "--strings", "3", "--quiet"]) == 0
    capsys.readouterr()
    return {path: path.read_bytes() for path in sorted((workplace / "model").iterdir())}


AUTOMATON = "0 0 a\n0\n"

PLACES = [
    (
        ["refute", "--weights", "model", "--regex", "(ab)*", "--json", "model/model.json"],
        "in the same place as --weights",
    ),
    (["refute", "--weights", "model", "--regex", "(ab)*", "--json", "model/new"], "in the same place as --weights"),
    (
        ["refute", "--weights", "model", "--regex", "(ab)*", "--json", "other/model.json"],
        "in the same place as --weights",
    ),
    (["starfree", "--regex", "a", "--json", "model/model.json"], "is a saved model or a checkpoint"),
    (["starfree", "--regex", "a", "--json", "model/reports/r"], "is a saved model or a checkpoint"),
    (["starfree", "--regex", "a", "--json", "way/model.json"], "is a saved model or a checkpoint"),
    (["starfree", "--regex", "a", "--json", "description"], "is a saved model or a checkpoint"),
    (["starfree", "--regex", "a", "--save", "model/part"], "is a saved model or a checkpoint"),
    (["starfree", "--regex", "a", "--draw", "model/picture.svg"], "is a saved model or a checkpoint"),
    (["describe", "--regex", "a", "--draw", "model/weights.safetensors"], "is a saved model or a checkpoint"),
    (["parity", "--plot", "model/picture.svg"], "is a saved model or a checkpoint"),
    (["census", "--states", "1", "--out", "model"], "is a saved model or a checkpoint"),
    (["census", "--states", "1", "--out", "model/parts"], "is a saved model or a checkpoint"),
    (["export", "d-2", "--to", "model/part"], "is a saved model or a checkpoint"),
    (["export", "d-2", "--to", "model"], "is not a checkpoint"),
    (["checkpoint", "stock", "--language", "d-2", "--json", "stock/config.json"], "in the same place as DIR"),
    (["starfree", "--regex", "a", "--save", "stock"], "is not a saved model"),
    (["starfree", "--regex", "a", "--json", "stock/report"], "is a saved model or a checkpoint"),
    (["starfree", "--file", "alone/model.json", "--save", "alone"], "in the same place as --file"),
    (["starfree", "--file", "a.att", "--json", "a.att"], "is the file of --file"),
    (["describe", "--file", "a.att", "--json", "hard"], "is the file of --file"),
    (["describe", "--file", "a.svg", "--draw", "a.svg"], "is the file of --file"),
    (["describe", "--file", "soft", "--json", "a.att"], "is the file of --file"),
    (["describe", "--file", "a.att", "--json", "./way/../a.att"], "is the file of --file"),
    (["starfree", "--regex", "a", "--strings-file", "strings", "--draw", "s.svg"], "is the file of --strings-file"),
    (["starfree", "--regex", "a", "--json", "x.svg", "--draw", "x.svg"], "in the same place as --json"),
    (["starfree", "--regex", "a", "--json", "x", "--save", "x"], "in the same place as --json"),
    (["starfree", "--regex", "a", "--draw", "x.svg", "--save", "x.svg/y"], "in the same place as --draw"),
    (["export", "d-2", "--to", "x", "--json", "x/report"], "in the same place as --json"),
    (["census", "--out", "x", "--json", "x/report"], "in the same place as --json"),
    (
        ["counter", "dyck-1", "--released", "published", "--json", "published/Dyck1/val_src_bin0.txt"],
        "in the same place as --released",
    ),
    (["counter", "dyck-1", "--released", "published", "--save", "published"], "--released"),
    (["starfree", "--file", "pipe", "--json", "pipe"], "is also read, by --file"),
]


@pytest.mark.parametrize("arguments, culprit", PLACES)
def test_what_is_read_or_is_a_model_is_not_written_over(capsys, workplace, model, arguments, culprit):
    (workplace / "a.att").write_text(AUTOMATON)
    os.link("a.att", "hard")
    os.link("a.att", "a.svg")
    (workplace / "soft").symlink_to("a.att")
    (workplace / "strings").write_text("a\n")
    os.link("strings", "s.svg")
    (workplace / "other").symlink_to("model")
    (workplace / "way").symlink_to("model")
    (workplace / "description").symlink_to("model/model.json")
    os.mkfifo("pipe")
    (workplace / "alone").mkdir()
    (workplace / "alone" / "model.json").write_text("{}")
    for folder, *names in (
        ("stock", "config.json", "model.safetensors"),
        ("published/Dyck1", "val_src_bin0.txt", "val_tgt_bin0.txt"),
    ):
        (workplace / folder).mkdir(parents=True)
        for name in names:
            (workplace / folder / name).write_text("()\n")
    before = {path: path.read_bytes() for path in workplace.rglob("*") if path.is_file()}
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and culprit in err and err.count("\n") == 1 and len(err) <= 401
    assert {path: path.read_bytes() for path in workplace.rglob("*") if path.is_file()} == before
    assert {path: path.read_bytes() for path in model} == model


def test_what_is_in_nobodys_way_is_written(capsys, workplace, model):
    """Beside a model, over it as a whole, over an old report, in a folder of published strings, and to a device
    twice.
    """
    (workplace / "model.json").write_text("an old report")
    assert (
        main(["starfree", "--regex", "(ab)*", "--save", "model", "--json", "model.json", "--strings", "3", "--quiet"])
        == 0
    )
    assert json.loads((workplace / "model.json").read_text())["outcomes"]
    assert load("model").alphabet == ("a", "b")
    check_places(argparse.Namespace(released=".", json="report", save=None))
    assert main([*DYCK, "--strings-file", "/dev/null", "--json", "/dev/null"]) == 2
    assert capsys.readouterr().err == "error: /dev/null: has no strings\n"


# -- folders that are replaced ------------------------------------------------------------------------


def test_a_folder_that_cannot_be_replaced_is_as_it_was(workplace, monkeypatch):
    from automata.files import replaced_folder

    (workplace / "folder").mkdir()
    (workplace / "folder" / "a").write_text("old")
    replace = os.replace
    for failure in (OSError(28, "No space left on device"), KeyboardInterrupt()):

        def fails(source, target, failure=failure):
            if str(source).endswith("fresh"):
                raise failure
            replace(source, target)

        monkeypatch.setattr(os, "replace", fails)
        with pytest.raises((InputError, KeyboardInterrupt)):
            with replaced_folder("folder", ["a"], "mine") as fresh:
                (fresh / "a").write_text("new")
        assert (workplace / "folder" / "a").read_text() == "old" and os.listdir() == ["folder"]
    monkeypatch.undo()


def test_a_link_to_a_folder_stays_a_link(capsys, workplace, model):
    (workplace / "link").symlink_to("model")
    assert main([*DYCK, "--save", "link"]) == 0
    assert (workplace / "link").is_symlink() and load("model").alphabet == load("link").alphabet == (
        "(a",
        "a)",
        "(b",
        "b)",
    )


# -- texts without end --------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no device of zeros")
@pytest.mark.parametrize("arguments", [[*DYCK, "--strings-file", "/dev/zero"], ["describe", "--file", "zeros.att"]])
def test_a_device_without_end(capsys, workplace, arguments):
    (workplace / "zeros.att").symlink_to("/dev/zero")
    assert main(arguments) == 2
    assert "not a text file (byte 0 is 0)" in capsys.readouterr().err


def test_a_text_that_is_too_large(workplace, monkeypatch):
    from automata import files, limits

    monkeypatch.setitem(limits.LIMITS, "text", 10)
    (workplace / "text").write_text("x" * 10)
    assert files.read_text("text") == "x" * 10
    (workplace / "text").write_text("x" * 11)
    with pytest.raises(InputError, match="more than 10 bytes"):
        files.read_text("text")


# -- whatever can or cannot be written, the status says what holds -------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
@pytest.mark.parametrize("where", [">&- 2>&-", ">/dev/full 2>/dev/full", "2>/dev/full"])
@pytest.mark.parametrize(
    "arguments, status",
    [
        ("flipflop --nonsense", 2),
        ("flipflop --strings 0 --quiet --limit 1", 3),
        ("dyck --k 1 --depth 3 --mode recognise --arithmetic wrap:2 --strings 0 --quiet", 1),
        ("", 2),
        ("--help", 0),
    ],
)
def test_the_status_when_nothing_can_be_said(arguments, status, where):
    """Full is a failure too, since what was found is lost; closed was asked for."""
    command = f"{sys.executable} -m verify {arguments} {where}"
    result = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert result.returncode == (2 if ">/dev/full 2" in where else status)
    assert b"Traceback" not in result.stdout + result.stderr


def test_an_error_is_not_printed_as_an_answer(capsys, monkeypatch):
    """Where standard error is closed Python has None for it, and prints to standard output what is meant for None."""
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["sing"]) == 2
    monkeypatch.undo()
    assert capsys.readouterr().out == ""


def test_a_progress_that_cannot_be_shown_is_no_failure(monkeypatch):
    from verify.progress import Progress

    class Full:
        encoding = "utf-8"

        def write(self, text):
            raise OSError(28, "No space left on device")

        flush = isatty = lambda self: False

    monkeypatch.setattr(sys, "stderr", Full())
    with Progress("things", 3) as progress:
        progress._bar.delay = 0
        for _ in range(3):
            progress.advance(1, note=1)
    monkeypatch.setattr(sys, "stderr", None)
    with Progress("things", 3) as progress:
        progress.advance(1, note=1)


def test_a_fault_is_one_line_and_its_traceback_is_there_when_asked_for(capsys, monkeypatch):
    def fault(args):
        raise ValueError("x" * 1000 + "\nsecond line")

    monkeypatch.setattr(verify.commands.dyck, "run", fault)
    assert main(DYCK) == 70
    err = capsys.readouterr().err
    assert (
        err.startswith("error: internal error: ValueError (test_cli_surroundings.py, line ")
        and err.count("\n") == 1
        and len(err) <= 401
    )
    assert err.endswith("please report it, with the traceback that SSM_VERIFY_TRACEBACK=1 prints\n")
    monkeypatch.setenv("SSM_VERIFY_TRACEBACK", "1")
    assert main(DYCK) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_what_the_system_refuses_names_no_file_that_is_not_at_fault(capsys, monkeypatch):
    def refused(args):
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(verify.commands.dyck, "run", refused)
    assert main(DYCK) == 2
    assert capsys.readouterr().err == "error: the system refuses: Resource temporarily unavailable\n"


# -- published strings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strings, labels, culprit",
    [
        (b"()\n(x\n", b"10\n1\n", "val_src_bin0.txt, line 2, column 2: 'x' is not a symbol of dyck-1: expected ( )"),
        (b"(\x0b)\n", b"10\n", "line 1, column 2: '\\x0b'"),
        (b"", b"", "has no strings"),
        (b"()\n", b"10\n10\n", "1 strings, but 2 lines of labels"),
        (b"(\xff\n", b"10\n", "val_src_bin0.txt: not UTF-8 text (byte 1 is 0xff)"),
        (b"()\n", b"1\x00\n", "val_tgt_bin0.txt: not a text file"),
        (None, b"10\n", "val_src_bin0.txt: cannot be read (No such file or directory)"),
    ],
)
def test_published_strings_that_cannot_be_used(capsys, workplace, strings, labels, culprit):
    (workplace / "Dyck1").mkdir()
    for half, content in (("src", strings), ("tgt", labels)):
        if content is not None:
            (workplace / "Dyck1" / f"val_{half}_bin0.txt").write_bytes(content)
    assert main(["counter", "dyck-1", "--released", "."]) == 2
    out, err = capsys.readouterr()
    assert (
        out == ""
        and culprit.encode().decode("unicode_escape") in err.encode().decode("unicode_escape")
        and err.count("\n") == 1
    )


def test_published_strings_are_read_line_by_line(workplace):
    from verify.evidence.released import Labelled, read_released

    (workplace / "Dyck1").mkdir()
    (workplace / "Dyck1" / "val_src_bin0.txt").write_bytes(b"()\r\n\r\n(")
    (workplace / "Dyck1" / "val_tgt_bin0.txt").write_bytes(b"10\n\n1\n")
    assert read_released(".", "dyck-1") == [
        Labelled(1, ("(", ")"), "10"),
        Labelled(2, (), ""),
        Labelled(3, ("(",), "1"),
    ]


# -- messages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["x" * 10**6, "a\nb\r\u2028c\x85", "\x1b[2J\x07\x00" * 200, "\ud800 \udfff", "é" * 500, "\u202ex"]
)
def test_whatever_an_error_says_it_is_one_short_line(capsys, monkeypatch, text):
    def bad(args):
        raise InputError(text)

    monkeypatch.setattr(verify.commands.dyck, "run", bad)
    assert main(DYCK) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ") and err.endswith("\n") and len(err) <= 401 and err[:-1].isprintable()


def test_a_stream_without_the_characters_gets_a_short_line_too(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stderr", stream)
    assert main(["describe", "--regex", "a" + "é" * 300 + "("]) == 2
    stream.seek(0)
    assert len(stream.read()) <= 401
