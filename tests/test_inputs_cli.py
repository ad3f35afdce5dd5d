"""How a language is named on the command line: what titles say, the options that say how a file is read, and hints."""

import pytest

from verify.__main__ import main


def title(capsys, *arguments):
    """The first line of a description."""
    assert main(["describe", *map(str, arguments)]) == 0
    return capsys.readouterr().out.splitlines()[0]


def refusal(capsys, *arguments):
    assert main(["describe", *map(str, arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1 and len(printed.err) <= 401
    return printed.err


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--regex", "^(ab)*$"], "the regular expression ^(ab)*$, over a b"),
        (["--regex=-?[01]+"], "the regular expression -?[01]+, over - 0 1"),
        (["--regex", "a.", "--alphabet", "ab"], "the regular expression a., over a b"),
        (
            ["--regex", "a[^b]"],
            (
                "the regular expression a[^b], over a b (the symbols shown, as "
                "there is no --alphabet: . ~ and [^ speak of these)"
            ),
        ),
        (["--regex", "ab&a"], "the regular expression ab&a, over a b: the empty language, accepts no string"),
        (["--regex", "[ab]*"], "the regular expression [ab]*, over a b: the full language, accepts every string"),
        (["--ltl", "H a", "--alphabet", "ab"], "the past formula H a, over a b, one at each position"),
        (
            ["--ltl", "G(a -> F b)"],
            (
                "the future formula G(a -> F b), over a b, one at each position "
                "(the symbols shown, as there is no --alphabet)"
            ),
        ),
        (["--language", "tomita-1"], "tomita-1: 1*, over 0 1"),
    ],
)
def test_titles_show_the_symbols_and_what_is_empty_or_full(capsys, arguments, expected):
    assert title(capsys, *arguments) == expected


def test_a_formula_of_the_future_is_compiled_and_proved(capsys):
    assert main(["starfree", "--ltl", "!(G(!request | F state_0))", "--strings", "10"]) == 0
    out = capsys.readouterr().out
    assert "of the future: compiled from its automaton" in out and "proved " in out


def test_files(capsys, tmp_path):
    path = tmp_path / "x.att"
    path.write_text("0 0 a\n0 1 a\n1\n")
    assert (
        title(capsys, "--file", path)
        == f"the automaton in {path}, over a (nondeterministic, 2 states: made deterministic)"
    )
    path.write_text("0 0 a\n")
    assert title(capsys, "--file", path) == f"the automaton in {path}, over a: the empty language, accepts no string"
    path = tmp_path / "x.dot"
    path.write_text('digraph { q [initial=true] q -> q [label="a/x"] q -> q [label="b/y"] }')
    assert title(capsys, "--file", path, "--accept", "x") == f"the automaton in {path}, over a b"
    assert title(capsys, "--file", path, "--labels", "symbols").startswith(f"the automaton in {path}, over a/x b/y")
    assert "a Mealy machine, expected an acceptor (--accept says" in refusal(capsys, "--file", path)
    assert "--accept: speaks about the automaton in a --file" in refusal(capsys, "--regex", "a", "--accept", "x")
    assert "--labels: speaks about the automaton in a --file" in refusal(capsys, "--ltl", "a", "--labels", "symbols")


def test_the_limit_of_a_nondeterministic_file_names_its_option(capsys, tmp_path):
    path = tmp_path / "x.att"
    path.write_text(
        "\n".join(["0 0 a", "0 0 b", "0 1 a", *(f"{i} {i + 1} {x}" for i in range(1, 9) for x in "ab"), "9"])
    )
    assert "raise the limit (--unminimised)" in refusal(capsys, "--file", path, "--unminimised", "100")


def test_a_value_that_begins_with_a_hyphen(capsys):
    assert "one that begins with a hyphen is written --regex=" in refusal(capsys, "--regex", "-?[01]+")
    assert "one that begins with a hyphen is written --file=" in refusal(capsys, "--file", "-x.att")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--regex", "(" + "a" * 5000],
        ["--language", "x" * 5000],
        ["--ltl", "H(" + "a" * 5000],
        ["--file", "x" * 5000 + ".att"],
    ],
)
def test_nothing_long_is_quoted(capsys, arguments):
    assert len(refusal(capsys, *arguments)) <= 401
