"""The census: published counts, decisions checked by brute force, proofs of many languages at once held against a
search of each, and resuming after whatever ended it.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from conftest import REPOSITORY

from automata.algebra.enumeration import breadth_first_tables, distinguishing_sets, number_of_tables
from automata.algebra.holonomy import Skeleton
from automata.algebra.image_groups import image_groups
from automata.algebra.monoid import TransitionMonoid
from automata.algebra.tables import distinguishing, monoids
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import MODES
from constructions.compile.krohn_rhodes import state_cascade
from constructions.compile.pair_graph import chart_of
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.__main__ import main
from verify.census import cluster, running
from verify.census.parts import CYCLING, Part, entries_of, part_text, parts, read_part, write_part
from verify.census.running import census
from verify.census.summary import sizes_of
from verify.census.tables import decide, decided_text, permutes
from verify.methods import readouts
from verify.methods.bisimulation import bisimulation
from verify.methods.readouts import prove_every_readout
from verify.progress import Progress
from verify.testing.brute_force import aperiodic_by_brute_force
from verify.testing.corruption import corruptions
from verify.verdict import PROVED, UNDECIDED

THREE = {PROVED: 162, CYCLING: 866}
PATIENCE = 120
"""Seconds after which a process that should be done is a failure; nothing here depends on how fast it is."""


def table_array(letters, states):
    return np.array(list(breadth_first_tables(letters, states)))


# -- tables and languages -----------------------------------------------------------------------------


def test_published_counts():
    """Domaratzki, Kisman, Shallit; OEIS A129622."""
    assert [int(distinguishing(table_array(2, n)).sum()) for n in (1, 2, 3, 4)] == [2, 24, 1028, 56014]
    assert int(distinguishing(table_array(3, 3)).sum()) == 41928


def test_published_sizes_of_monoids():
    """M. Holzer, B. König, "On deterministic finite automata and syntactic monoid size" (2004): the largest."""
    assert [max(monoid.size for monoid in monoids(table_array(2, n))) for n in (2, 3, 4)] == [4, 24, 176]


@pytest.mark.parametrize("letters, states", [(1, 3), (2, 2), (3, 2), (2, 3)])
def test_each_language_once(letters, states):
    """Against all tables and accepting sets, minimised by another algorithm."""
    alphabet = "abc"[:letters]
    listed = [
        DFA(alphabet, table, [q for q in range(states) if number >> q & 1])
        for table, minimal in zip(breadth_first_tables(letters, states), distinguishing(table_array(letters, states)))
        for number in np.flatnonzero(minimal)
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


@pytest.mark.parametrize("letters, states", [(1, 1), (1, 4), (2, 3), (3, 2)])
def test_tables_are_found_from_anywhere(letters, states):
    tables = list(breadth_first_tables(letters, states))
    assert number_of_tables(letters, states) == len(tables)
    for first in range(len(tables) + 1):
        assert list(breadth_first_tables(letters, states, first)) == tables[first:]


@pytest.mark.parametrize("letters, states", [(1, 1), (1, 4), (1, 7), (2, 3), (3, 2)])
def test_many_at_once_as_one_by_one(letters, states):
    tables = table_array(letters, states)
    for table, monoid, minimal in zip(tables.tolist(), monoids(tables), distinguishing(tables)):
        dfa = DFA("abc"[:letters], table, range(states))
        assert monoid.size == len(TransitionMonoid(dfa))
        assert (monoid.word is None) == Skeleton(dfa).aperiodic == (image_groups(table) == ())
        assert monoid.word is None or permutes(table, monoid.word)
        sets = {tuple(q for q in range(states) if number >> q & 1) for number in np.flatnonzero(minimal)}
        assert sets == set(distinguishing_sets(tuple(map(tuple, table))))


def test_maps_by_number_and_by_their_images(monkeypatch):
    tables = table_array(2, 4)[::7]
    numbered = monoids(tables)
    monkeypatch.setattr("automata.algebra.tables.NUMBERED_MAPS", 0)
    assert monoids(tables) == numbered


# -- decisions and proofs -----------------------------------------------------------------------------


def test_three_states_decided_and_proved():
    counts = Counter()
    for part in parts(2, 3):
        for entry in decide(part):
            for number in entry.accepting_sets:
                dfa = DFA("ab", entry.table, [q for q in range(3) if number >> q & 1])
                assert (entry.outcome == PROVED) == aperiodic_by_brute_force(dfa)
                counts[entry.outcome] += 1
    assert counts == THREE


def shared_model(table):
    dfa = DFA("ab", table, range(len(table)))
    skeleton = Skeleton(dfa)
    return lower(state_cascade(dfa, skeleton), Arithmetic("fixed", 1)), dfa, chart_of(skeleton)


def test_the_model_of_each_language_is_proved_by_search_too():
    tried = 0
    for part in [*parts(2, 1), *parts(2, 2), *parts(2, 3)]:
        for entry in decide(part):
            if entry.outcome != PROVED:
                continue
            ssm, dfa, chart = shared_model(entry.table)
            _, readout = prove_every_readout(ssm, dfa, chart)
            for number in entry.accepting_sets:
                language = DFA("ab", entry.table, [q for q in range(dfa.states) if number >> q & 1])
                mode = MODES[tried % 2]
                assert bisimulation(language, Engine(readout.model(ssm, language, mode)), mode).outcome == PROVED
                tried += 1
    assert tried == 2 + 10 + 162


def test_a_faulty_model_proves_no_language():
    """Whatever is changed in the layers: what is proved all the same is right in every language."""
    table = ((1, 2), (1, 0), (2, 2))
    ssm, dfa, chart = shared_model(table)
    outcomes = Counter()
    for _, model in list(corruptions(ssm))[::11]:
        try:
            verdict, readout = prove_every_readout(model, dfa, chart)
        except InputError:
            continue
        outcomes[verdict.outcome] += 1
        assert (readout is None) == (verdict.outcome != PROVED)
        for number in range(8) if readout else ():
            language = DFA("ab", table, [q for q in range(3) if number >> q & 1])
            faulty = readout.model(model, language, "recognise")
            assert bisimulation(language, Engine(faulty), "recognise").outcome == PROVED
    assert outcomes[PROVED] and len(outcomes) > 1


def test_a_readout_that_is_wrong_in_one_state_is_seen(monkeypatch):
    ssm, dfa, chart = shared_model(((1, 2), (1, 0), (2, 2)))
    right = readouts._guess
    for changed in ([1, 0, 2], [0, 1, 1], [0, 0, 2]):

        def wrong(*given):
            found = right(*given)
            return replace(found, matrix=found.matrix[changed])

        monkeypatch.setattr(readouts, "_guess", wrong)
        verdict, readout = prove_every_readout(ssm, dfa, chart)
        assert verdict.outcome == UNDECIDED and readout is None and "the readout of the states" in verdict.reason


def test_states_that_nothing_tells_apart_are_no_readout():
    """A model that accepts everything, and keeps its last emission alone."""
    ssm, dfa, chart = shared_model(((1, 2), (1, 0), (2, 2)))
    layer = ssm.layers[-1]
    affine = layer.phi[-1].affine
    merged = replace(affine, matrix=affine.matrix * 0, bias=np.ones_like(affine.bias))
    last = replace(layer, phi=(*layer.phi[:-1], replace(layer.phi[-1], affine=merged)))
    verdict, readout = prove_every_readout(replace(ssm, layers=(*ssm.layers[:-1], last)), dfa, chart)
    assert verdict.outcome == UNDECIDED and readout is None
    assert "the same features in several states" in verdict.reason


# -- resuming -----------------------------------------------------------------------------------------


def test_it_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    done = []

    def interrupted(part):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(part)
        return decide(part)

    monkeypatch.setattr(running, "decide", interrupted)
    with pytest.raises(KeyboardInterrupt):
        census(2, 3, folder=tmp_path, size=64)
    assert len(list(tmp_path.iterdir())) == 2
    first = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = []
    monkeypatch.setattr(running, "decide", lambda part: again.append(part) or decide(part))
    assert census(2, 3, folder=tmp_path, size=64) == THREE
    assert sorted([*done, *again], key=lambda part: part.first) == parts(2, 3, 64)
    assert {path: path.stat().st_mtime_ns for path in first} == first


def test_a_half_written_part_is_never_read(tmp_path):
    (part,) = parts(2, 2)
    entries = decide(part)
    assert entries_of(part, part_text(part, entries)) == entries
    write_part(part, part_text(part, entries), tmp_path)
    path = tmp_path / part.file_name
    assert read_part(part, tmp_path) == entries
    text = path.read_text()
    for end in (0, 1, 40, len(text) // 2, text.rindex("\n", 0, -1) + 1, len(text) - 3):
        path.write_text(text[:end])
        assert read_part(part, tmp_path) is None
    lines = text.splitlines(keepends=True)
    path.write_text("".join(lines[:3] + lines[4:]))
    assert read_part(part, tmp_path) is None
    for old, new in (
        ('"states":2', '"states":3'),
        ('"version":2', '"version":1'),
        ('"accepting":"6"', '"accepting":"4"'),
        ('"monoid":', '"order":'),
        ('"table":[[', '"table":[['[::-1]),
        ('"table":[[0', '"table":[["x"'),
    ):
        assert old in text
        path.write_text(text.replace(old, new))
        assert read_part(part, tmp_path) is None
    path.write_text(text)
    assert read_part(Part(2, 2, 0, 11), tmp_path) is None
    path.write_text("")
    assert census(2, 2, folder=tmp_path) == {PROVED: 10, CYCLING: 14}
    assert read_part(part, tmp_path) == entries


# -- workers ------------------------------------------------------------------------------------------


class Killing(Progress):
    """Kills a worker as soon as something is done."""

    killed = 0

    def advance(self, amount, **notes):
        if not self.killed:
            worker = min(multiprocessing.active_children(), key=lambda process: process.pid)
            os.kill(worker.pid, signal.SIGKILL)
            self.killed = worker.pid


@pytest.mark.skipif(sys.platform != "linux", reason="processes are killed on Linux only")
def test_a_worker_that_is_killed_costs_nothing(tmp_path):
    progress = Killing("", quiet=True)
    assert census(2, 3, workers=2, folder=tmp_path, progress=progress, size=12) == THREE
    assert progress.killed and not multiprocessing.active_children()
    assert census(2, 3, folder=tmp_path, size=12) == THREE


@pytest.mark.skipif(sys.platform != "linux", reason="processes are killed on Linux only")
def test_one_who_asked_and_was_killed_is_resumed(tmp_path):
    code = (
        "from pathlib import Path\nfrom verify.census.running import census\n"
        f"if __name__ == '__main__': census(2, 3, workers=2, folder=Path({str(tmp_path)!r}), size=4)"
    )
    script = tmp_path.parent / "asks.py"
    script.write_text(code)
    process = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": str(REPOSITORY)})
    until = time.monotonic() + PATIENCE
    while len(list(tmp_path.glob("*.jsonl"))) < 3:
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    finished = [part for part in parts(2, 3, 4) if read_part(part, tmp_path) is not None]
    written = {part: (tmp_path / part.file_name).stat().st_mtime_ns for part in finished}
    assert 3 <= len(finished) < len(parts(2, 3, 4))
    assert census(2, 3, folder=tmp_path, size=4) == THREE
    assert written == {part: (tmp_path / part.file_name).stat().st_mtime_ns for part in finished}


def test_a_scheduler_that_somebody_else_started(tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", silence_logs=60
    ) as others:
        assert census(2, 2, folder=tmp_path, scheduler=others.scheduler_address, size=5) == {PROVED: 10, CYCLING: 14}
    assert len(list(tmp_path.iterdir())) == 3


def _failing(part):
    raise RuntimeError("no such module")


def test_a_worker_elsewhere_that_cannot_do_it(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "decided_text", _failing)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0", silence_logs=60
    ) as others:
        with pytest.raises(InputError, match="is this version of ssm-compiler installed there.*no such module"):
            census(2, 2, scheduler=others.scheduler_address)


def _of_another_part(part):
    return decided_text(replace(part, first=0))


def test_an_answer_about_another_part_is_refused(monkeypatch):
    monkeypatch.setattr(running, "_texts", lambda missing, *_: ((part, _of_another_part(part)) for part in missing))
    with pytest.raises(InputError, match="is its version another one"):
        census(2, 2, size=6)


def test_what_cannot_be_asked(capsys, monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", 1)
    assert main(["census", "--states", "1", "--scheduler", "tcp://127.0.0.1:9", "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "no Dask scheduler answers there" in error and error.count("\n") == 1 and len(error) < 400
    monkeypatch.setitem(sys.modules, "distributed", None)
    for options in (["--scheduler", "tcp://127.0.0.1:9"], ["--workers", "2", "--states", "4"]):
        assert main(["census", "--quiet", *options]) == 2
        error = capsys.readouterr().err
        assert "ssm-compiler[census]" in error and error.count("\n") == 1


# -- the command --------------------------------------------------------------------------------------


def test_the_command(capsys, tmp_path):
    places = ["--out", str(tmp_path / "parts"), "--json", str(tmp_path / "r.json")]
    for _ in range(2):
        assert main(["census", "--letters", "2", "--states", "3", "--quiet", *places]) == 0
    printed = capsys.readouterr().out
    assert printed.count("minimal automata    1028") == 2 and printed.count("proved              162") == 2
    report = json.loads((tmp_path / "r.json").read_text())
    assert [sum(report[key].values()) for key in ("1_state", "2_states", "3_states")] == [2, 24, 1028]


def test_the_summary(capsys, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    folder = tmp_path / "parts"
    census(2, 2, folder=folder)
    census(2, 3, folder=folder, size=64)
    assert main(["census", "summary", str(folder), "--quiet", "--json", str(tmp_path / "r.json")]) == 0
    assert "C2 in 752, C3 in 276, S3 in 54" in capsys.readouterr().out
    report = json.loads((tmp_path / "r.json").read_text())
    two, three = report["sizes"]
    assert (two["languages"], three["languages"], three["star_free"]) == (24, 1028, 162)
    assert three["levels"] == {"2": 138, "3": 24} and three["records"]["largest monoid"]["value"] == 24
    assert (folder / "census.svg").read_text().startswith("<?xml")
    rows = parquet.read_table(folder / "census.parquet").to_pylist()
    assert sum(row["languages"] for row in rows) == 1052 == sum(len(row["accepting_sets"]) for row in rows)
    known = {entry.table: entry for part in parts(2, 3) for entry in decide(part)}
    for row in rows:
        if row["states"] == 3:
            entry = known[tuple(map(tuple, row["table"]))]
            assert (row["outcome"], row["monoid"], row["bits"]) == (entry.outcome, entry.monoid, entry.bits)
            assert row["word"] == (None if entry.word is None else list(entry.word))


def test_a_census_that_is_not_done_is_undecided(capsys, tmp_path):
    pytest.importorskip("pyarrow")
    census(2, 3, folder=tmp_path, size=100)
    (tmp_path / parts(2, 3, 100)[1].file_name).unlink()
    assert main(["census", "summary", str(tmp_path), "--quiet"]) == 3
    assert "116 of 216" in capsys.readouterr().out
    write_part(Part(2, 3, 50, 10), decided_text(Part(2, 3, 50, 10)), tmp_path)
    with pytest.raises(InputError, match="tables of another part too"):
        sizes_of(tmp_path)
    (tmp_path / Part(2, 3, 50, 10).file_name).unlink()
    path = tmp_path / parts(2, 3, 100)[2].file_name
    path.write_text(path.read_text()[:-5])
    with pytest.raises(InputError, match="is not whole"):
        sizes_of(tmp_path)


BAD = [
    ["--letters", "0"],
    ["--letters", "27"],
    ["--workers", "0"],
    ["--states", "x"],
    ["--states", "0"],
    ["summary"],
    ["summary", "nowhere"],
    ["summary", "."],
    ["summary", "a", "b"],
    ["totals", "."],
    ["summary", ".", "--states", "3"],
    ["summary", ".", "--plot", "x.txt"],
    ["summary", ".", "--parquet", "x.csv"],
    ["--plot", "x.svg"],
]


@pytest.mark.parametrize("options", BAD, ids=" ".join)
def test_bad_input(options, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["census", *options]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and len(error) < 400
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        census(2, 1, folder=tmp_path / "file")


def test_a_summary_of_nothing_is_one_line(capsys, tmp_path):
    for folder, message in (
        (tmp_path / "nowhere", "there is no such folder"),
        (tmp_path, "holds no parts of a census"),
    ):
        assert main(["census", "summary", str(folder)]) == 2
        captured = capsys.readouterr()
        assert captured.out == "" and message in captured.err and captured.err.count("\n") == 1


def test_what_a_summary_needs(capsys, tmp_path, monkeypatch):
    census(2, 1, folder=tmp_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert main(["census", "summary", str(tmp_path)]) == 2
    assert "ssm-compiler[census]" in capsys.readouterr().err
