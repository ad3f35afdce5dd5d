"""Labels of data sets: conventions are found by counting, and every label that none explains is found at its place."""

import json
import random
import re

import pytest

from automata.catalogue import language
from automata.notation.expressions import regex_to_dfa
from verify.__main__ import main
from verify.evidence.dataset import HABIT, LABELS_FILE, STRINGS_FILE, audit, run_constructed


def write(folder, words, labels):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STRINGS_FILE).write_text("".join(f"{word}\n" for word in words))
    (folder / LABELS_FILE).write_text("".join(f"{line}\n" for line in labels))
    return folder


def nested(count=60, length=24, seed=0):
    """Prefixes of words of D_3 with their labels, by counting brackets."""
    rng = random.Random(seed)
    words, labels = [], []
    for _ in range(count):
        depth, word, line = 0, "", ""
        for _ in range(length):
            symbol = rng.choice("ab" if 0 < depth < 3 else "a" if depth == 0 else "b")
            depth += 1 if symbol == "a" else -1
            word += symbol
            line += f"{int(depth < 3)}{int(depth > 0)}"
        words.append(word)
        labels.append(line)
    return words, labels


def places(found):
    return {(wrong.line, wrong.column, wrong.given, wrong.right) for wrong in found.wrong if wrong.explanation is None}


def planted(labels, count, seed=1):
    """The labels, so many of them replaced by another label, and where: line, column, given, right."""
    rng = random.Random(seed)
    cells = [(i, j) for i, line in enumerate(labels) for j in range(0, len(line), 2)]
    rows, where = [list(line) for line in labels], set()
    for i, j in rng.sample(cells, count):
        right = labels[i][j : j + 2]
        given = rng.choice([label for label in ("00", "01", "10", "11") if label != right])
        rows[i][j : j + 2] = given
        where.add((i + 1, j + 1, given, right))
    return ["".join(row) for row in rows], where


def test_right_labels_are_right(tmp_path):
    words, labels = nested()
    found = audit(write(tmp_path / "D-3", words, labels), language("d-3").machine)
    assert found.holds and found.wrong == () and (found.lines, found.symbols) == (60, 60 * 24)
    assert found.convention.plain and run_constructed(language("d-3").machine, found.words).outcome == "tested"


def test_fifty_planted_errors_are_found_each_at_its_place(tmp_path):
    words, labels = nested()
    wrong, where = planted(labels, 50)
    found = audit(write(tmp_path / "D-3", words, wrong), language("d-3").machine)
    assert len(where) == 50 and places(found) == where
    assert found.unexplained == 50 and not found.holds and found.convention.plain
    assert sum(kind.count for kind in found.kinds) == 50


def test_errors_are_found_beside_an_oddity(tmp_path):
    """A file that is negated throughout, but for 50 labels."""
    words, labels = nested()
    negated = [line.translate(str.maketrans("01", "10")) for line in labels]
    wrong, where = planted(negated, 50)
    found = audit(write(tmp_path / "D-3", words, wrong), language("d-3").machine)
    assert found.convention.oddity == "each label is negated" and found.unexplained == 50
    assert {place[:3] for place in places(found)} == {place[:3] for place in where}


@pytest.mark.parametrize("count", [1, HABIT - 1])
def test_a_few_errors_are_no_convention(tmp_path, count):
    """They are all that one oddity would make, and are named nevertheless."""
    words, labels = ["110"] * 20 + ["0"] * count, ["cce"] * 20 + ["c"] * count
    found = audit(write(tmp_path / "d", words, labels), language("{0,1,2}*02*").machine)
    assert found.unexplained == count and found.convention.plain


@pytest.mark.parametrize("earlier", [True, False])
def test_shifted_labels(tmp_path, earlier):
    words, labels = nested()
    shifted = ["10" + line[:-2] if earlier else line[2:] + "00" for line in labels]
    found = audit(write(tmp_path / "D-3", words, shifted), language("d-3").machine)
    assert found.convention.oddity == f"each label is that of the {'prefix before' if earlier else 'next prefix'}"
    # The last label of a line is about no prefix of it, so whatever stands there follows the convention.
    assert found.unexplained == 0


def test_oddities_of_own_files(tmp_path):
    rng = random.Random(2)
    words = ["".join(rng.choice("012") for _ in range(20)) for _ in range(30)]
    prefixes = [[word[: i + 1] for i in range(20)] for word in words]
    labels = ["".join("e" if re.fullmatch("[012]*02+", p) else "c" for p in row) for row in prefixes]
    found = audit(write(tmp_path / "d", words, labels), language("{0,1,2}*02*").machine)
    assert found.convention.oddity == "no string may end right after 0" and found.unexplained == 0
    assert len(found.wrong) == sum(word.count("0") for word in words)


def test_a_live_state_taken_for_dead(tmp_path):
    """The file calls the deepest state of D_3 dead, and goes on through it."""
    words, labels = nested()
    told = [list(line) for line in labels]
    for word, line in zip(words, told):
        for i in range(len(word)):
            if word[: i + 1].count("a") - word[: i + 1].count("b") == 2:
                line[2 * i] = "0"
    found = audit(write(tmp_path / "D-3", words, ["".join(line) for line in told]), language("d-3").machine)
    assert found.convention.oddity == "the live state of a a a is taken for dead"
    assert found.unexplained == 0 and len(found.wrong) == sum(
        "".join(line)[i : i + 2] != right[i : i + 2]
        for line, right in zip(told, labels)
        for i in range(0, len(right), 2)
    )


def test_an_oddity_leaves_few_labels_unexplained(tmp_path):
    """Two oddities at once are none: one would excuse two thirds of what is wrong."""
    words, labels = ["110", "22"] * 20, ["ccc", "ee"] * 20
    found = audit(write(tmp_path / "d", words, labels), language("{0,1,2}*02*").machine)
    assert found.convention.plain and found.unexplained == len(found.wrong) == 60


def test_a_malformed_line_alone_fails(tmp_path):
    found = audit(write(tmp_path / "Parity", ["0110", "01"], ["1011", "1"]), language("parity").machine)
    assert (
        not found.holds
        and found.unexplained == 0
        and [str(fault) for fault in found.malformed]
        == [f"{LABELS_FILE}, line 2, column 2: 1 characters of labels for 2 symbols, expected 2"]
    )


# -- the released data --------------------------------------------------------------------------------


def counted(folder, expected, width=1):
    """How many labels differ from a function of the prefix: a script of its own."""
    wrong = 0
    for word, line in zip((folder / STRINGS_FILE).read_text().split(), (folder / LABELS_FILE).read_text().split()):
        for i in range(len(word)):
            wrong += line[i * width : (i + 1) * width] != expected(word[: i + 1])
    return wrong


def test_the_012_file_ends_no_string_right_after_0(shared_data):
    folder = shared_data("released/012Star_0_2Star")
    found = audit(folder, language("{0,1,2}*02*").machine)
    assert found.convention.oddity == "no string may end right after 0"
    wrong = counted(folder, lambda prefix: "e" if prefix.rstrip("2").endswith("0") else "c")
    assert (len(found.wrong), found.unexplained) == (wrong, 0) and wrong == 18_919
    first = found.wrong[0]
    assert (first.line, first.column, first.given, first.right) == (1, 2, "c", "e")


def test_the_tomita_3_file_takes_a_live_state_for_dead(shared_data):
    folder = shared_data("released/Tomita-3")
    found = audit(folder, language("tomita-3").machine)
    assert found.convention.oddity == "the live state of 1 0 is taken for dead"
    dead = re.compile("(^|0)1(11)*0(00)*1")
    wrong = counted(folder, lambda prefix: "".join(str(int(not dead.search(prefix + c))) for c in "01"), 2)
    assert (len(found.wrong), found.unexplained) == (wrong, 0) and wrong == 27_234


def test_the_parity_file_counts_to_even(shared_data):
    """Of whoever takes parity for an odd number of 1s each label is negated; of the catalogue's they all agree."""
    folder = shared_data("released/Parity")
    odd = audit(folder, regex_to_dfa("0*10*(10*10*)*", "01"))
    wrong = counted(folder, lambda prefix: str(prefix.count("1") % 2))
    assert odd.convention.oddity == "each label is negated"
    assert (len(odd.wrong), odd.unexplained, wrong) == (50_131, 0, 50_131)
    assert audit(folder, language("parity").machine).wrong == ()


# -- the command --------------------------------------------------------------------------------------


def test_malformed_lines_are_placed_and_stop_nothing(tmp_path, capsys):
    words, labels = nested()
    words[3], labels[5], labels[8] = (
        words[3][:6] + "x" + words[3][7:],
        labels[5][:-1],
        labels[8][:4] + "2" + labels[8][5:],
    )
    write(tmp_path / "D-3", [*words, "ab"], labels)
    write(tmp_path / "Parity", ["0110"], ["1011"])
    write(tmp_path / "Nonsense", ["a"], ["1"])
    (tmp_path / "D-2").mkdir()
    (tmp_path / "D-2" / STRINGS_FILE).write_bytes(b"a\xff\n")
    path = tmp_path.parent / "report.json"
    assert main(["dataset", str(tmp_path), "--json", str(path)]) == 1
    out = capsys.readouterr().out
    assert f"D-3: malformed: {STRINGS_FILE}, line 4, column 7: 'x' is not a symbol" in out
    assert f"D-3: malformed: {LABELS_FILE}, line 6, column 48: 47 characters of labels for 24 symbols" in out
    assert f"D-3: malformed: {LABELS_FILE}, line 61, column 1: the file ends" in out
    assert f"first in {LABELS_FILE}, line 9, column 5" in out
    assert "Nonsense: malformed: unknown language 'Nonsense'" in out and "D-2: malformed: " in out
    rows = {row["folder"].rpartition("/")[2]: row for row in json.loads(path.read_text())["labels"]}
    assert rows["D-3"]["labels"] == 58 * 24 and len(rows["D-3"]["places"]) == 1
    assert rows["Parity"]["labels"] == 4 and rows["Parity"]["places"] == rows["Parity"]["malformed"] == []


def test_the_language_may_be_named(tmp_path, capsys):
    write(tmp_path / "set" / "Parity", ["0110"] * 4, ["1011"] * 4)
    write(tmp_path / "set" / "D-3", ["ab"], ["0000"])
    assert main(["dataset", str(tmp_path / "set")]) == 1
    assert main(["dataset", str(tmp_path / "set"), "parity"]) == 0
    assert main(["dataset", str(tmp_path / "set" / "Parity"), "--regex", "0*10*(10*10*)*"]) == 0
    assert "because each label is negated" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, message",
    [
        (["missing"], "missing: cannot be read"),
        (["empty"], "empty: has no labels"),
        (["set", "d-4"], "set: has no folder of d-4"),
        (["set", "--regex", "a"], "name the folder that is meant"),
        (["set", "d-3", "--json", "set/report"], "lies in the same place as DIR set"),
    ],
)
def test_bad_input_is_one_line(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "set" / "D-3", ["ab"], ["1110"])
    assert main(["dataset", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err and captured.err.count("\n") == 1
