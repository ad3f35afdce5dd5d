"""Limits with a name: each refusal says how to raise it, and raising it helps."""

import pytest

from automata import limits
from automata.errors import InputError, LimitError
from automata.notation.expressions import regex_to_dfa
from verify.__main__ import main

DEEP = "(" * 1001 + "a" + ")" * 1001


@pytest.mark.parametrize(
    "name, value, arguments",
    [
        ("nesting", 1001, ["describe", "--regex", DEEP]),
        ("nesting", 1001, ["describe", "--ltl", "H(" * 1001 + "a" + ")" * 1001]),
        ("range", 5000, ["describe", "--regex", "[\u4e00-\u6187]", "--monoid", "10"]),
        ("propositions", 4, ["describe", "--labels", "formulas", "--file", "guards.dot", "--monoid", "10"]),
        ("file-nesting", 150, ["describe", "--file", "nested.dot"]),
        ("text", 10_000, ["describe", "--file", "nested.dot", "--raise", "file-nesting=150"]),
        ("drawn", 4, ["describe", "tomita-4", "--draw", "x.svg"]),
        ("drawn-items", 100, ["describe", "tomita-4", "--draw", "x.svg", "--draw-what", "cascade"]),
        ("drawn-elements", 100, ["describe", "tomita-4", "--draw", "x.svg", "--draw-what", "eggbox"]),
        ("width", 64, ["export", "tomita-4", "--to", "out", "--strings", "2", "--quiet"]),
    ],
)
def test_a_refusal_names_the_limit_and_raising_it_helps(name, value, arguments, tmp_path, monkeypatch, capsys):
    if arguments[0] == "export":
        pytest.importorskip("transformers")
    monkeypatch.chdir(tmp_path)
    guards = " & ".join(f"p{i}" for i in range(4))
    (tmp_path / "guards.dot").write_text(
        f'digraph {{ s [shape=point]; s -> a; a [shape=doublecircle]; a -> a [label="{guards}"]; }}'
    )
    (tmp_path / "nested.dot").write_text(
        "digraph " + "{" * 110 + "s [shape=point]; s -> a; a [peripheries=2]; a -> a [label=x]" + "}" * 110
    )
    if name in ("propositions", "text", "drawn", "drawn-items", "drawn-elements", "width"):
        monkeypatch.setitem(limits.LIMITS, name, 3)
    assert main(arguments) == 2
    assert f"raise the limit (--raise {name}=N) to go on" in capsys.readouterr().err
    assert main([*arguments, "--raise", f"{name}={value}"]) == 0
    assert limits.limit(name) == limits.LIMITS[name]


def test_limits_are_as_before_after_the_block():
    with limits.raised({"nesting": 2000, "range": 9}):
        assert limits.limit("nesting") == 2000 and regex_to_dfa(DEEP).states == 3
        with limits.raised({"nesting": 5}), pytest.raises(LimitError, match="at most 5 open at once"):
            regex_to_dfa(DEEP)
        assert limits.limit("nesting") == 2000
    assert limits.limit("nesting") == limits.LIMITS["nesting"]
    with (
        pytest.raises(InputError, match="there is no limit 'nestin': did you mean nesting"),
        limits.raised({"nestin": 3}),
    ):
        pass


def test_what_is_no_limit_is_said(capsys):
    for value, message in (
        ("nesting", "is not of the form NAME=N"),
        ("nesting=x", "is not a whole number"),
        ("=3", "there is no limit ''"),
    ):
        assert main(["languages", "--raise", value]) == 2
        assert message in capsys.readouterr().err
