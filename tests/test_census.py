"""The census: published counts, both decisions checked by brute force, and resuming after an interrupt."""

import json
from collections import Counter
from itertools import product

import pytest

from automata.algebra.enumeration import breadth_first_tables, distinguishing_sets
from automata.dfa import DFA
from automata.errors import InputError
from verify import census as module
from verify.__main__ import main
from verify.census import CYCLING, Part, census, decide, parts, read_part, write_part
from verify.testing.brute_force import aperiodic_by_brute_force
from verify.verdict import PROVED


def test_published_counts():
    """Domaratzki, Kisman, Shallit; OEIS A129622."""
    found = [sum(1 for table in breadth_first_tables(2, n) for _ in distinguishing_sets(table)) for n in (1, 2, 3, 4)]
    assert found == [2, 24, 1028, 56014]


@pytest.mark.parametrize("letters, states", [(1, 3), (2, 2), (3, 2), (2, 3)])
def test_each_language_once(letters, states):
    """Against all tables and accepting sets, minimised by another algorithm."""
    alphabet = "abc"[:letters]
    listed = [
        DFA(alphabet, table, accepting)
        for table in breadth_first_tables(letters, states)
        for accepting in distinguishing_sets(table)
    ]
    assert all(dfa.minimise() == dfa for dfa in listed)
    everything = set()
    for entries in product(range(states), repeat=letters * states):
        table = [entries[q * letters : (q + 1) * letters] for q in range(states)]
        for accepting in product((False, True), repeat=states):
            dfa = DFA(alphabet, table, [q for q in range(states) if accepting[q]]).minimise()
            if dfa.states == states:
                everything.add(dfa)
    assert len(listed) == len(set(listed)) and set(listed) == everything


@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_three_states_decided_and_proved(mode):
    counts = Counter()
    for part in parts(2, 3, mode):
        for entry in decide(part):
            dfa = DFA("ab", entry["table"], entry["accepting"])
            assert (entry["outcome"] == PROVED) == aperiodic_by_brute_force(dfa)
            counts[entry["outcome"]] += 1
    assert counts == {PROVED: 162, CYCLING: 866}


def test_workers_agree(tmp_path):
    assert (
        census(2, 2, "predictive", workers=2, folder=tmp_path)
        == census(2, 2, "predictive")
        == {PROVED: 10, CYCLING: 14}
    )


# -- resuming -----------------------------------------------------------------------------------------


def test_it_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    done = []

    def interrupted(part):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part)
        return decide(part)

    monkeypatch.setattr(module, "decide", interrupted)
    with pytest.raises(KeyboardInterrupt):
        census(2, 3, "predictive", folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    first = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = []
    monkeypatch.setattr(module, "decide", lambda part: again.append(part) or decide(part))
    assert sum(census(2, 3, "predictive", folder=tmp_path).values()) == 1028
    assert sorted([*done, *again], key=lambda part: part.first) == parts(2, 3, "predictive")
    assert {path: path.stat().st_mtime_ns for path in first} == first


def test_a_half_written_part_is_never_read(tmp_path):
    part = Part(2, 2, "predictive", 0)
    entries = json.loads(json.dumps(decide(part)))
    write_part(part, entries, tmp_path)
    path = tmp_path / part.file_name
    assert read_part(part, tmp_path) == entries
    text = path.read_text()
    for end in (0, 1, 40, len(text) // 2, text.rindex("\n", 0, -1) + 1, len(text) - 3):
        path.write_text(text[:end])
        assert read_part(part, tmp_path) is None
    lines = text.splitlines(keepends=True)
    path.write_text("".join(lines[:3] + lines[4:]))
    assert read_part(part, tmp_path) is None
    path.write_text(text.replace('"states": 2', '"states": 3'))
    assert read_part(part, tmp_path) is None
    assert read_part(Part(2, 2, "recognise", 0), tmp_path) is None
    assert census(2, 2, "predictive", folder=tmp_path) == {PROVED: 10, CYCLING: 14}
    assert read_part(part, tmp_path) == entries


# -- the command --------------------------------------------------------------------------------------


def test_the_command(capsys, tmp_path):
    for _ in range(2):
        assert (
            main(
                [
                    "census",
                    "--letters",
                    "2",
                    "--states",
                    "3",
                    "--quiet",
                    "--out",
                    str(tmp_path / "parts"),
                    "--json",
                    str(tmp_path / "r.json"),
                ]
            )
            == 0
        )
    printed = capsys.readouterr().out
    assert printed.count("minimal automata    1028") == 2 and printed.count("proved              162") == 2
    report = json.loads((tmp_path / "r.json").read_text())
    assert [sum(report[key].values()) for key in ("1_state", "2_states", "3_states")] == [2, 24, 1028]


def test_bad_input(capsys, tmp_path):
    for options in (["--letters", "0"], ["--letters", "27"], ["--workers", "0"], ["--states", "x"], ["--states", "0"]):
        assert main(["census", *options]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        census(2, 1, "predictive", folder=tmp_path / "file")
