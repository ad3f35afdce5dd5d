"""What a user types and sees: ``python -m verify starfree`` and ``describe``."""

import json

import pytest

from automata.algebra.aperiodic import membership_cycle
from automata.catalogue import LANGUAGES, language
from automata.formats import read_dfa, write_dfa
from automata.notation.expressions import regex_to_dfa
from verify.__main__ import main

FEW = ("--strings", "30", "--max-length", "20")


def starfree(capsys, tmp_path, *options, few=FEW):
    """The exit status, the JSON report and what was printed."""
    path = tmp_path / "report.json"
    path.unlink(missing_ok=True)
    status = main(["starfree", *options, *few, "--json", str(path)])
    captured = capsys.readouterr()
    report = json.loads(path.read_text()) if path.exists() else None
    return status, report, captured.out if report else captured.err


def error_of(capsys, *arguments):
    """The one line of an error."""
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    error = captured.err.rpartition("\r")[2]  # on a slow machine a line of progress was there, and was erased
    assert captured.out == "" and error.startswith("error: ") and captured.err.count("\n") == 1
    return error


REGULAR = [known for known in LANGUAGES.values() if known.star_free is not None]


@pytest.mark.parametrize("known", REGULAR, ids=lambda known: known.name)
def test_the_catalogue(capsys, tmp_path, known):
    """Every verdict on a regular language of the catalogue."""
    status, report, printed = starfree(capsys, tmp_path, "--language", known.name)
    if known.star_free:
        assert status == 0 and report["outcomes"] == ["proved", "tested"]
        assert "at every length" in report["proof"]["reason"]
    else:
        assert status == 1 and report["star-free"]["answer"] is False
        assert "no SSM with nonnegative gates" in printed.replace("\n", " ").replace("  ", "")


@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("name", ["tomita-4", "d-4", "d-12", "dyck-2-2", "flip-flop", "aa*bb*cc*dd*ee*"])
def test_both_modes_and_plain_holonomy(capsys, tmp_path, name, mode):
    for route in ("auto", "holonomy"):
        status, report, _ = starfree(capsys, tmp_path, "--language", name, "--mode", mode, "--route", route)
        assert status == 0 and report["proof"]["outcome"] == "proved" and report["proof"]["mode"] == mode
    assert (report["star-free"]["route"], report["star-free"]["reason"]) == ("holonomy", "asked for")


def test_the_question_is_answered_first(capsys, tmp_path):
    _, report, printed = starfree(capsys, tmp_path, "--regex", "(ab)*")
    lines = printed.splitlines()
    assert lines[0] == "the regular expression (ab)*, over a b"
    assert lines.index("star-free") < lines.index("construction") < lines.index("proof") < lines.index("random test")
    answer = report["star-free"]
    assert answer["route"] == "quotient" and answer["holonomy"] == {"levels": 2, "points": "[2]^2", "bits": 2}
    assert (answer["levels"], answer["registers"], answer["bits"]) == (1, 1, 1)
    assert "  cascade             1 level, 1 register, 1 bit" in lines
    assert "  plain holonomy      2 levels ([2]^2), 2 bits" in lines
    assert lines[-1].startswith("time ")


@pytest.mark.parametrize("n", [12, 16])
def test_chains_as_holonomy_cascades_go_level_by_level(capsys, tmp_path, n):
    _, report, _ = starfree(capsys, tmp_path, "--language", f"d-{n}", "--route", "holonomy")
    assert report["proof"]["outcome"] == "proved" and report["proof"]["method"] == "levelwise"
    assert [report["star-free"][name] for name in ("levels", "registers", "bits")] == [n + 1] * 3
    assert report["construction"]["layers"] == n + 1


def test_the_proof_can_be_chosen(capsys, tmp_path):
    for proof, method in (("search", "search"), ("levelwise", "levelwise"), ("auto", "search")):
        options = ("--language", "tomita-4", "--route", "holonomy", "--proof", proof)
        assert starfree(capsys, tmp_path, *options)[1]["proof"]["method"] == method
    assert "add --route holonomy" in error_of(capsys, "starfree", "--language", "d-12", "--proof", "levelwise")


def test_a_limit_of_the_search_is_not_a_proof(capsys, tmp_path):
    options = ("--language", "d-12", "--route", "holonomy", "--proof", "search", "--limit", "100")
    status, report, _ = starfree(capsys, tmp_path, *options)
    assert status == 3 and report["proof"]["outcome"] == "undecided"


@pytest.mark.parametrize("formula", ["H(a -> Y b)", "O(a & Y b)", "(!a) S b", "H(a -> (b S c)) & O c"])
def test_formulas(capsys, tmp_path, formula):
    status, report, _ = starfree(capsys, tmp_path, "--ltl", formula, "--alphabet", "abc", "--mode", "recognise")
    assert status == 0 and report["proof"]["outcome"] == "proved"
    assert "agrees with the automaton on every string" in report["star-free"]["formula"]


@pytest.mark.parametrize("extension", [".att", ".json", ".dot"])
def test_files(capsys, tmp_path, extension):
    for expression, expected in (("(ab)*c?", 0), ("(aa)*b", 1)):
        path = tmp_path / f"automaton{extension}"
        write_dfa(regex_to_dfa(expression), path)
        assert starfree(capsys, tmp_path, "--file", str(path))[0] == expected


# -- not star-free ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["parity", "aa-star", "abab-star", "tomita-3", "tomita-5", "tomita-6", "aaaa-star"])
def test_the_strings_of_a_refusal_are_checked(capsys, tmp_path, name):
    _, report, printed = starfree(capsys, tmp_path, "--language", name)
    answer, dfa = report["star-free"], language(name).dfa()
    assert len(answer["strings"]) == answer["period"] + 1 == len(answer["states"]) + 1
    for n, (string, member) in enumerate(zip(answer["strings"], answer["membership"])):
        assert string == answer["u"] + answer["word"] * n + answer["v"]
        assert dfa.accepts_word(string) == member
        assert f"u w^{n} v" in printed
    assert answer["membership"][0] == answer["membership"][-1] and len(set(answer["membership"])) == 2
    state = answer["states"][0]
    for expected in (*answer["states"][1:], state):
        for symbol in answer["word"]:
            state = dfa.step(state, symbol)
        assert state == expected
    assert answer["shortest"] and membership_cycle(dfa).w == tuple(answer["word"])


def test_quiet_says_the_answer_alone(capsys):
    assert main(["starfree", "--language", "parity", "--quiet"]) == 1
    assert capsys.readouterr().out == "star-free: no: w = 1 has period 2\n"
    assert main(["starfree", "--language", "tomita-1", "--quiet", *FEW]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_no_model_of_it_can_be_traced(capsys):
    assert "is not star-free" in error_of(capsys, "trace", "starfree", "--language", "parity", "1")


def test_trace(capsys):
    assert main(["trace", "starfree", "--regex", "(ab)*", "ab"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9 and lines[0].startswith("the regular expression (ab)*") and lines[4].split()[-1] == "b"
    assert lines[1] == lines[6] == "" and lines[8] == "tile 1 = 1: state {q0}, e.g. after the empty string"


# -- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        (["--regex", "(ab"], "column 4"),
        (["--regex", ""], "expected an expression"),
        (["--regex", "ab", "--alphabet", "a"], "expected a symbol of the given alphabet"),
        (["--ltl", "H("], "column 3"),
        (["--ltl", "a & b", "--alphabet", "a"], "column"),
        (["--language", "tomita-44"], "did you mean tomita-4"),
        (["--language", "anbn"], "not regular"),
        (["--language", "d-4", "--alphabet", "ab"], "alphabet of its own"),
        (["--file", "nowhere.att"], "cannot be read"),
        (["--file", "x.txt"], "expected one of"),
        (["--regex", "a", "--ltl", "a"], "not allowed with"),
        ([], "required"),
        (["--regex", "a{6000}"], "more than 5000: raise the limit with --states"),
        (["--regex", "(ab)*", "--arithmetic", "exact", "--route", "holonomy"], "exact arithmetic refuses"),
        (["--regex", "ab", "--draw", "picture.txt"], "extension"),
        (["--regex", "ab", "--draw", "/nowhere/at/all/picture.svg"], "cannot be written"),
    ],
)
def test_bad_input_is_one_line(capsys, options, message):
    assert message in error_of(capsys, "starfree", *options)


@pytest.mark.parametrize(
    "text, message",
    [
        ("0 1 a\n0 2 b c\n1\n", "line 2"),
        ("0 1 a\n0 2 a\n1\n", ""),
        ("0 1 a\n1\n5 6 b\n6\n", ""),
        ("1 0 a\n0 1 b\n", ""),
    ],
)
def test_files_that_are_wrong_or_only_odd(capsys, tmp_path, text, message):
    """A transducer: refused; nondeterministic: made deterministic; unreachable states: dropped; no accepting state: the
    empty language.
    """
    path = tmp_path / "odd.att"
    path.write_text(text)
    if message:
        assert message in error_of(capsys, "starfree", "--file", str(path))
    else:
        assert main(["starfree", "--file", str(path), "--quiet", *FEW]) == 0
        assert "proof: proved" in capsys.readouterr().out


def test_too_many_image_sets_stop_with_the_count(capsys):
    options = ["--language", "dyck-2-3", "--route", "holonomy", "--image-sets", "5"]
    assert "more than 5 image sets: raise the limit (--image-sets) to go on" in error_of(capsys, "starfree", *options)
    assert "--image-sets" in error_of(capsys, "describe", *options[:2], *options[4:])


def test_a_smaller_cascade_where_holonomy_stops(capsys, tmp_path):
    """A window needs no image sets."""
    status, report, out = starfree(capsys, tmp_path, "--regex", ".*a.{3}", "--alphabet", "ab", "--image-sets", "3")
    assert status == 0 and report["outcomes"][0] == "proved"
    assert report["star-free"]["holonomy"] is None and "stopped at the limit of image sets" in out


@pytest.mark.parametrize("expression", ["(α🙂*é)*", "(<open> <close>)*", "[]", "()", "a*", ".*"])
def test_awkward_alphabets_and_languages(capsys, tmp_path, expression):
    alphabet = () if any(c.isalpha() for c in expression) else ("--alphabet", "ab")
    assert starfree(capsys, tmp_path, "--regex", expression, *alphabet)[0] == 0


def test_symbols_separated_by_blanks(capsys, tmp_path):
    _, report, _ = starfree(capsys, tmp_path, "--regex", "(<up> <down>)*", "--alphabet", "up down stay")
    assert report["star-free"]["symbols"] == 3


def test_strings_file_and_saved_weights(capsys, tmp_path):
    from constructions.ssm.storage import load

    (tmp_path / "strings.txt").write_text("ab ab END\na b\n")
    options = ("--regex", "(ab)*", "--strings-file", str(tmp_path / "strings.txt"), "--save", str(tmp_path / "model"))
    status, report, _ = starfree(capsys, tmp_path, *options)
    assert status == 0 and report["strings_file"]["explored"]["strings"] == 2
    assert load(tmp_path / "model").alphabet == ("a", "b")


# -- pictures and describe ----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["dfa", "cascade", "eggbox"])
def test_pictures(capsys, tmp_path, what):
    pytest.importorskip("matplotlib")
    for name in ("picture.svg", "picture.png"):
        path = tmp_path / name
        assert main(["describe", "--regex", r"(α|\$b)*ab", "--draw", str(path), "--draw-what", what]) == 0
        data = path.read_bytes()
        assert (b"<svg" in data) if name.endswith("svg") else data.startswith(b"\x89PNG")
        assert main(["starfree", "--language", "parity", "--draw", str(path), "--draw-what", what, "--quiet"]) == 1
        assert path.read_bytes() != data
    capsys.readouterr()
    assert "too large to be drawn" in error_of(
        capsys, "describe", "--language", "d-200", "--draw", str(tmp_path / "x.svg")
    )


def describe(capsys, tmp_path, *options):
    path = tmp_path / "report.json"
    assert main(["describe", *options, "--json", str(path)]) == 0
    capsys.readouterr()
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    "name, states, elements, groups",
    [
        ("tomita-3", 5, 26, "C2"),
        ("tomita-5", 4, 4, "C2 x C2"),
        ("tomita-6", 3, 3, "C3"),
        ("tomita-7", 5, 9, "none"),
        ("flip-flop", 9, 81, "none"),
        ("dyck-2-3", 16, 285, "none"),
        ("d-12", 14, 820, "none"),
    ],
)
def test_describe(capsys, tmp_path, name, states, elements, groups):
    report = describe(capsys, tmp_path, "--language", name)
    assert report["automaton"]["states"] == states and report["transition_monoid"]["elements"] == elements
    assert report["transition_monoid"]["groups"][:1] == ([] if groups == "none" else [groups])
    assert report["holonomy"]["aperiodic"] is (groups == "none")


def test_describe_names_the_symmetric_group(capsys, tmp_path):
    path = tmp_path / "s3.json"
    path.write_text(
        json.dumps(
            {
                "states": [0, 1, 2],
                "initial": 0,
                "accepting": [0],
                "transitions": [[0, "r", 1], [1, "r", 2], [2, "r", 0], [0, "s", 1], [1, "s", 0], [2, "s", 2]],
            }
        )
    )
    assert read_dfa(path).states == 3
    report = describe(capsys, tmp_path, "--file", str(path))
    assert report["transition_monoid"]["groups"] == ["S3"]
    assert report["holonomy"]["group 1"].startswith("S3 on 3 tiles")


def test_describe_stops_listing_a_large_monoid(capsys, tmp_path):
    report = describe(capsys, tmp_path, "--language", "d-12", "--monoid", "100")
    assert report["transition_monoid"] == {"more elements than": 100}
    assert report["holonomy"]["points"] == "[2]^13"


def test_describe_says_what_the_registers_of_its_cascade_mean(capsys):
    assert main(["describe", "--language", "tomita-4"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "registers of its cascade tile 1 = 0 states {q1, q2}, e.g. after 0 tile 1 = 1 state {q0}" in printed
