"""The command line: what is printed and in which order, every exit status, and every bad input in one line."""

import json
import re
import subprocess
import sys

import pytest
from conftest import REPOSITORY

import verify
from automata.catalogue import language
from automata.formats import write_dfa
from constructions.ssm.storage import load
from verify.__main__ import main
from verify.commands import COMMANDS

FAST = ["--strings", "30", "--max-length", "40"]


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def refused(capsys, *arguments):
    """The one line of an error, status 2, nothing on standard output."""
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("error: ") and err.count("\n") == 1
    return err


def test_the_report_in_its_order(capsys):
    status, out, _ = run(capsys, "dyck", "--k", 2, "--depth", 5, *FAST)
    assert status == 0
    parts = ["construction", "memory", "proof", "random test", "time "]
    places = [out.index(f"\n{part}") for part in parts]
    assert places == sorted(places)
    for line in (
        "layers              2",
        "hidden size         6 (1 + 5)",
        "register depth",
        "register slot 5",
        "largest weight      6",
    ):
        assert line in out
    assert "5.98 bits = log2(63 Myhill-Nerode classes)" in out and "7.58 bits" in out
    assert "joint states        192" in out and "proved              closed: holds at every length" in out
    assert "tested              no disagreement: evidence, not a proof" in out


@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("language", [["flipflop"], ["dyck", "--k", "2", "--depth", "3"]])
def test_languages_hold(capsys, language, mode):
    status, out, _ = run(capsys, *language, "--mode", mode, "--quiet", *FAST)
    assert status == 0
    assert [line.split(": ")[:2] for line in out.splitlines()] == [["proof", "proved"], ["random test", "tested"]]


def test_a_refutation_shows_a_shortest_string_and_has_status_1(capsys):
    # Two bits cannot hold depth -1: it reads as depth 3.
    status, out, _ = run(capsys, "dyck", "--k", 1, "--depth", 3, "--mode", "recognise", "--arithmetic", "wrap:2", *FAST)
    assert status == 1
    assert "refuted" in out and "string              a) (a" in out and "given               accept" in out


def test_giving_up_is_status_3_and_no_proof(capsys):
    status, out, _ = run(capsys, "dyck", "--k", 2, "--depth", 5, "--limit", 10, "--method", "search", *FAST)
    assert status == 3
    assert "gave up" in " ".join(out.split()) and "\n  proved " not in out


def test_json_and_saved_weights(capsys, tmp_path):
    status, _, _ = run(
        capsys, "dyck", "--k", 2, "--depth", 3, "--json", tmp_path / "r.json", "--save", tmp_path / "model", *FAST
    )
    report = json.loads((tmp_path / "r.json").read_text())
    assert status == 0 and report["outcomes"] == ["proved", "tested"]
    assert report["proof"]["explored"]["joint states"] == 32
    assert load(tmp_path / "model").state_names == ("depth", "slot 1", "slot 2", "slot 3")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model", "r.json"]


def test_trace(capsys):
    status, out, _ = run(capsys, "trace", "dyck", "--k", 2, "--depth", 5, "( [ ] )")
    lines = [line.split() for line in out.splitlines()]
    assert status == 0 and out.startswith("dyck-2-5: brackets of 2 types") and len(lines) == 10
    assert lines[1] == lines[8] == [] and lines[9][:2] == ["slot", "j:"]
    assert lines[4][:4] == ["1", "(a", "slot", "1=0"] and lines[5][-3:] == ["(a", "(b", "b)"]
    assert run(capsys, "trace", "dyck", "--k", 2, "--depth", 5, "([])")[1] == out


def test_a_file_of_strings(capsys, tmp_path):
    path = tmp_path / "strings"
    path.write_text("(a (b b) a) END\nEND\n(a b) END\n( [ ] )\n")
    status, out, _ = run(capsys, "dyck", "--k", 2, "--depth", 3, "--strings-file", path, *FAST)
    assert status == 0
    section = out[out.index("strings file") :]
    assert "strings             4" in section and "marked END          3" in section
    assert "not in the language 1" in section and "line 3" in section


@pytest.mark.parametrize(
    "arguments, culprit",
    [
        (["dyck", "--k", "0", "--depth", "1"], "types is 0"),
        (["dyck", "--k", "2", "--depth", "-1"], "-1"),
        (["dyck", "--k", "two", "--depth", "1"], "--k"),
        (["dyck", "--k", "2"], "--depth"),
        (["dyck", "--k", "2", "--depth", "2", "--arithmetic", "fixed:-1"], "fixed:-1"),
        (["dyck", "--k", "2", "--depth", "2", "--arithmetic", "decimal"], "decimal"),
        (["dyck", "--k", "2", "--depth", "2", "--mode", "guess"], "guess"),
        (["dyck", "--k", "2", "--depth", "2", "--strings", "-3"], "-3"),
        (["dyck", "--k", "2", "--depth", "2", "--max-length", "99999999999999999999"], "99999999999999999999"),
        (["dyck", "--k", "2", "--depth", "2", "--arithmetic", "float32", "--max-length", "20000000"], "2^24"),
        (["dyck", "--k", "2", "--depth", "2", "--json", "/proc/none/report.json"], "/proc/none/report.json"),
        (["dyck", "--k", "2", "--depth", "2", "--save", "/proc/none/model"], "/proc/none/model"),
        (["dyck", "--k", "2", "--depth", "2", "--strings-file", "/no/such/file"], "/no/such/file"),
        (["flipflop", "--mode", "recognise", "--arithmetic", "exact"], "'last' is read before"),
        (["flipflop", "--mode", "recognise", "--arithmetic", "wrap:8"], "'last' is read before"),
        (["trace", "dyck", "--k", "2", "--depth", "2", "( x )"], "column 3: 'x'"),
        (["trace", "flipflop", "w 2"], "column 3: '2'"),
        (["sing"], "sing"),
    ],
)
def test_bad_input(capsys, arguments, culprit):
    assert culprit in refused(capsys, *arguments)


def test_no_command_prints_the_help_and_holds_nothing(capsys):
    status, out, err = run(capsys)
    assert (status, err) == (2, "error: a COMMAND is missing\n")
    assert out.startswith("usage: ") and all(
        re.search(f"^    {command}( |$)", out, re.MULTILINE) for command in COMMANDS
    )


def test_help_of_every_command_lists_the_exit_statuses(capsys):
    for command in ([], *([name] for name in COMMANDS), ["trace", "dyck"]):
        status, out, err = run(capsys, *command, "--help")
        assert (status, err) == (0, "")
        assert "exit status: 0 holds, 1 refuted (and nothing else), 2 bad input" in " ".join(out.split())


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"ssm-compiler {verify.__version__}\n", "")
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", verify.__version__)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["dick"], "unknown command 'dick': did you mean dyck?"),
        (["sing"], "unknown command 'sing': expected one of dyck, flipflop"),
        (["trace", "flip-flip", "w"], "unknown language 'flip-flip': did you mean flip-flop"),
        (["dyck", "--k", "2", "--depht", "3"], "unknown option --depht: did you mean --depth"),
        (["trace", "dyck", "--k", "2", "--depht=3", "( )"], "unknown option --depht: did you mean --depth"),
        (["flipflop", "--zzz"], "unknown option --zzz\n"),
        (["describe", "--language", "tomita44"], "did you mean tomita-4"),
        (["counter", "anbncm"], "did you mean anbncn"),
    ],
)
def test_near_names(capsys, arguments, message):
    assert message in refused(capsys, *arguments)


def test_what_follows_two_dashes_is_no_option(capsys):
    assert "column 1: '-'" in refused(capsys, "trace", "flipflop", "--", "--wr")


@pytest.mark.parametrize("text", ["1_0", "٣", "-1", "+1", "1e3", " 1", "1.0", "0x1", "²", "", "one"])
@pytest.mark.parametrize(
    "command, option", [(["dyck", "--depth", "2"], "--k"), (["flipflop"], "--seed"), (["census"], "--workers")]
)
def test_numbers_are_ascii_digits(capsys, command, option, text):
    err = refused(capsys, *command, f"{option}={text}")
    assert (
        err.startswith(f"error: argument {option}: ") and "is not a whole number: expected at least 0, in digits" in err
    )


@pytest.mark.parametrize(
    "text, culprit", [("9" * 61, "a number of 61 digits: at most 60"), ("9" * 5000, "5000 digits")]
)
def test_numbers_of_very_many_digits(capsys, text, culprit):
    for command in (
        ["dyck", "--depth", "2", "--k"],
        ["flipflop", "--limit"],
        ["checkpoint", "x", "--language", "d-2", "--bins"],
    ):
        assert culprit in refused(capsys, *command, text)


def test_an_error_is_short_and_printable(capsys):
    for text in ("x" * 10**6, "\x1b[2J" * 50, "\ud800", "a\nb\r\u2028c\x85"):
        err = refused(capsys, "describe", "--language", text)
        assert len(err) <= 401 and err[:-1].isprintable()
    assert "unknown language 'xxx" in refused(capsys, "describe", "--language", "x" * 10**6)


@pytest.mark.parametrize(
    "content, culprit",
    [
        (b"", "no strings"),
        (b"\n \n", "no strings"),
        (b"\xff\xfe\x00", "not"),
        (b"(a \0", "not"),
        (b"(a a)\n(a  (q\n", "line 2, column 5: '(q'"),
    ],
)
def test_bad_files(capsys, tmp_path, content, culprit):
    path = tmp_path / "strings"
    path.write_bytes(content)
    report = tmp_path / "report.json"
    err = refused(capsys, "dyck", "--k", 2, "--depth", 2, "--strings-file", path, "--json", report, *FAST)
    assert culprit in err and "strings" in err
    assert not report.exists()


def test_help_is_light():
    """Printing help imports neither NumPy nor anything heavier."""
    code = (
        "import sys, contextlib, io\nfrom verify.__main__ import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    main(['--help'])\n"
        "print([m for m in ('numpy', 'scipy', 'torch', 'sympy', 'matplotlib', 'z3') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_core_run_does_not_import_torch():
    code = (
        "import sys\nfrom verify.__main__ import main\n"
        "main(['dyck', '--k', '2', '--depth', '3', '--quiet', '--strings', '5'])\n"
        "print([m for m in ('torch', 'transformers', 'matplotlib', 'z3') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert result.stdout.strip().splitlines()[-1] == "[]"


# -- one way to name a language ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "old, new",
    [
        (["dyck", "--k", "2", "--depth", "3", "([])"], ["dyck-2-3", "([])"]),
        (["flipflop", "w1r1"], ["L_FF", "w1r1"]),
        (["counter", "anbn", "ab"], ["anbn", "ab"]),
        (["starfree", "--language", "tomita-4", "01"], ["tomita-4", "01"]),
        (["starfree", "--regex", "(ab)*", "ab"], ["ab", "--regex", "(ab)*"]),
    ],
)
def test_a_trace_takes_any_language_in_the_old_way_and_the_new(capsys, old, new):
    before, after = run(capsys, "trace", *old), run(capsys, "trace", *new)
    assert before == after and before[0] == 0 and before[1].count("\n") > 2


@pytest.mark.parametrize(
    "words",
    [
        ["d-2"],
        ["--language", "d-2"],
        ["--regex", "(a(ab)*b)*"],
        ["--ltl", "H a", "--alphabet", "ab"],
        ["--file", "d.att"],
    ],
)
def test_every_command_takes_every_way(capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    write_dfa(language("d-2").dfa(), "d.att")
    assert run(capsys, "export", *words, "--to", "stock", "--quiet", *FAST)[0] == 0
    assert run(capsys, "prove", *words, "--save", "model", "--quiet", *FAST)[0] == 0
    for command in (
        ["starfree", *words, "--quiet", *FAST],
        ["describe", *words],
        ["languages", *words],
        ["trace", *words, "a"],
        ["check", "model", *words, "--quiet"],
        ["refute", "--weights", "model", *words, "--quiet"],
        ["refute", "--weights", "model", "--quiet"],
    ):
        status, out, err = run(capsys, *command)
        assert (status in (0, 3) if command[0] == "refute" else status == 0) and out and not err, command


@pytest.mark.parametrize(
    "arguments, door",
    [
        (["describe", "anbn"], "anbn is not regular, it has no finite automaton: see `python -m verify prove anbn`"),
        (["starfree", "--language", "dyck-1"], "dyck-1 is not regular"),
        (["counter", "tomita-4"], "tomita-4 is regular, no counter is needed: see `python -m verify prove tomita-4`"),
        (["counter", "flipflop"], "flipflop is regular"),
        (["trace", "parity", "1"], "is not star-free, so there is no model of it: see `python -m verify prove parity`"),
        (["trace", "dyck", "( )"], "trace dyck-K-H STRING"),
        (["trace", "d-2", "--k", "2", "( )"], "bounded Dyck, which is written dyck-K-H"),
    ],
)
def test_the_wrong_door_names_the_right_one(capsys, arguments, door):
    assert door in refused(capsys, *arguments)


def test_words_may_stand_before_between_and_after_options(capsys):
    shown = [
        run(capsys, *order.split())
        for order in ("trace d-2 ab --mode recognise", "trace --mode=recognise d-2 ab", "trace d-2 --mod recognise ab")
    ]
    assert shown[0] == shown[1] == shown[2] and shown[0][0] == 0
    assert run(capsys, "trace", "-h")[0] == 0


def test_one_language_or_all_are_listed(capsys):
    status, out, _ = run(capsys, "languages", "dyck-2-7")
    assert status == 0 and out.count("dyck-2-7") == 2 and "anbn" not in out
    assert "no" in run(capsys, "languages", "--regex", "(aa)*")[1].split("\n")[3].split()
