"""Data sets in the formats of others: what is wrong is found at its place, and a script of a few lines agrees."""

import json
import random

import pytest

from automata.catalogue import language
from automata.notation.expressions import regex_to_dfa
from verify.__main__ import main
from verify.commands.tasks import parser_of
from verify.evidence.other_datasets import FLARE_LABELS, FLARE_SETS, FLARE_STRINGS, audit_file, audit_flare, datasets


def flare(folder, words, labels, sets=None):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FLARE_STRINGS).write_text("".join(f"{' '.join(word)}\n" for word in words))
    (folder / FLARE_LABELS).write_text("".join(f"{label}\n" for label in labels))
    if sets is not None:
        (folder / FLARE_SETS).write_text("".join(f"{line}\n" for line in sets))
    return folder


def ends_in_b(count=80, seed=0):
    """Strings over a, b; whether each ends in b; of those that do, the sets after each prefix."""
    rng = random.Random(seed)
    words = ["".join(rng.choice("ab") for _ in range(rng.randrange(12))) for _ in range(count)]
    labels = [int(word.endswith("b")) for word in words]
    lines = [
        json.dumps([{"s": "a b", "e": word[:i].endswith("b")} for i in range(len(word) + 1)])
        for word, label in zip(words, labels)
        if label
    ]
    return words, labels, lines


ENDS_IN_B = regex_to_dfa("(a|b)*b")


def audited(folder, machine=ENDS_IN_B):
    return audit_flare(folder, machine, parser_of(machine))


def test_right_labels_and_sets_are_right(tmp_path):
    words, labels, sets = ends_in_b()
    found = audited(flare(tmp_path / "set", words, labels, sets))
    assert found.holds and found.wrong == () and found.lines == 80
    assert found.symbols == 80 + sum(len(word) + 1 for word, label in zip(words, labels) if label)


def test_planted_labels_and_sets_are_found_each_at_its_place(tmp_path):
    words, labels, sets = ends_in_b()
    rng = random.Random(1)
    wrong = rng.sample(range(len(words)), 7)
    lines, where = list(sets), set()
    positive = [word for word, label in zip(words, labels) if label]
    for line in rng.sample(range(len(positive)), 20):
        entry = rng.randrange(len(positive[line]) + 1)
        data = json.loads(lines[line])
        data[entry]["e"] = not data[entry]["e"]
        lines[line] = json.dumps(data)
        where.add((FLARE_SETS, line + 1, len(json.dumps(data[:entry])) + (2 if entry else 0)))
    folder = flare(tmp_path / "set", words, labels, lines)
    # A string that is labelled as no word has no line of sets, so labels are planted where that does not matter.
    found = audited(folder)
    assert {(label.file, label.line, label.column) for label in found.wrong} == where and found.unexplained == 20
    turned = [1 - label if i in wrong else label for i, label in enumerate(labels)]
    found = audited(flare(tmp_path / "labels", words, turned))
    assert {(label.file, label.line, label.column) for label in found.wrong} == {
        (FLARE_LABELS, i + 1, 1) for i in wrong
    }
    assert found.convention.plain and all(label.right == str(labels[label.line - 1]) for label in found.wrong)


def test_labels_that_are_negated_throughout(tmp_path):
    """But for three, which are named although they are right."""
    words, labels, _ = ends_in_b()
    negated = [label if i < 3 else 1 - label for i, label in enumerate(labels)]
    found = audited(flare(tmp_path / "set", words, negated))
    assert found.convention.oddity == "each label is negated" and len(found.wrong) == 80
    assert [label.line for label in found.wrong if label.explanation is None] == [1, 2, 3]


def test_malformed_lines_of_flare_stop_nothing(tmp_path):
    words, labels, sets = ends_in_b()
    words[labels.index(0)] = "axb"
    given = [*labels[:-1], "2"]
    lines = ["", "{", "[1]", '[{"s": "a c", "e": true}]', "[] x", *sets[5:]]
    found = audited(flare(tmp_path / "set", words, given, lines))
    told = [str(fault) for fault in found.malformed]
    assert f"{FLARE_STRINGS}, line {labels.index(0) + 1}, column 3: 'x' is not one of the symbols a b" in told
    assert f"{FLARE_LABELS}, line 80, column 1: '2' is not a label, expected 0 or 1" in told
    for line, reason in (
        (1, "expected '['"),
        (2, "expected '['"),
        (3, "expected an entry"),
        (4, "'c' is not"),
        (5, ""),
    ):
        assert any(text.startswith(f"{FLARE_SETS}, line {line}, ") and reason in text for text in told), (line, told)
    assert found.symbols > 100


def test_lines_that_do_not_fit_are_said(tmp_path):
    words, labels, sets = ends_in_b()
    found = audited(flare(tmp_path / "set", [*words, "a"], labels, sets[:-1]))
    told = [str(fault) for fault in found.malformed]
    assert f"{FLARE_LABELS}, line 81, column 1: the file ends, 81 strings beside 80 labels" in told
    assert any(f"{len(sets) - 1} lines for {len(sets)} strings" in text for text in told)
    found = audited(flare(tmp_path / "short", ["ab"], [1], ['[{"s": "a b", "e": false}]']))
    assert "1 sets for a string of 2 symbols, expected 3" in str(found.malformed[0])


def nested(k, depth, count=40, seed=0):
    """Words of Dyck(k, depth) as numbers: i opens type i, k + i closes it."""
    rng = random.Random(seed)
    words = []
    for _ in range(count):
        stack, word = [], []
        while len(word) < 20 or stack:
            if stack and (len(stack) == depth or len(word) >= 20 or rng.random() < 0.5):
                word.append(k + stack.pop())
            else:
                stack.append(rng.randrange(k))
                word.append(stack[-1])
        words.append(word)
    return words


def test_bounded_dyck_as_numbers_and_as_tokens(tmp_path):
    """Fifty brackets are turned into others; each is the first place where its string leaves the language."""
    k, depth, machine = 3, 4, language("dyck-3-4").machine
    words = nested(k, depth, count=60)
    rng = random.Random(2)
    where = {}
    for line in rng.sample(range(60), 50):
        places = [i for i, number in enumerate(words[line]) if number >= k]
        at = rng.choice(places)
        words[line][at] = k + (words[line][at] - k + 1) % k
        where[line + 1] = at
    for names in (list(map(str, range(2 * k))), ["(a", "(b", "(c", "a)", "b)", "c)"], list("([{)]}")):
        path = tmp_path / "strings"
        path.write_text("".join(" ".join(names[n] for n in word) + " END\n" for word in words))
        found = audit_file(path, machine, parser_of(machine))
        assert found.malformed == () and found.unexplained == 50
        columns = {line: 1 + sum(len(names[n]) + 1 for n in words[line - 1][:at]) for line, at in where.items()}
        assert {label.line: label.column for label in found.wrong} == columns
    path.write_text("0 1 5 6 END\n0\n0 END\n")
    found = audit_file(path, machine, parser_of(machine))
    assert [str(fault) for fault in found.malformed][0].startswith("strings, line 1, column 7: '6' is not a bracket")
    (label,) = found.wrong
    assert (label.line, label.column, label.given, label.right) == (3, 3, "END", "{(a (b (c a)}")


def test_labelled_strings_of_mlregtest(tmp_path):
    words, labels, _ = ends_in_b()
    path = tmp_path / "04.02.SL.txt"
    lines = [f"{word}\t{str(bool(label)).upper()}" for word, label in zip(words, labels)]
    path.write_text("\n".join(lines) + "\n")
    found = audit_file(path, ENDS_IN_B, parser_of(ENDS_IN_B))
    assert found.holds and found.symbols == 80
    wrong = random.Random(3).sample(range(80), 11)
    for i in wrong:
        lines[i] = f"{words[i]}\t{'FALSE' if labels[i] else 'TRUE'}"
    path.write_text("\n".join([*lines, "ab", "ab\tMAYBE", "acb\tTRUE"]) + "\n")
    found = audit_file(path, ENDS_IN_B, parser_of(ENDS_IN_B))
    assert {(label.line, label.column) for label in found.wrong} == {(i + 1, len(words[i]) + 2) for i in wrong}
    assert [(fault.line, fault.column) for fault in found.malformed] == [(81, 1), (82, 4), (83, 2)]


def test_automata_of_mlregtest_label_their_own_strings(shared_data, tmp_path):
    """The labels come from the table of the file, read by a script of its own."""
    source = sorted(shared_data("mlregtest").glob("04.04.SL*.att"))[0]
    table, accepting = {}, set()
    for fields in map(str.split, source.read_text().splitlines()):
        if len(fields) > 2:
            table[fields[0], fields[2]] = fields[1]
        elif fields:
            accepting.add(fields[0])
    first = source.read_text().split()[0]
    letters, rng, lines = sorted({letter for _, letter in table}), random.Random(4), []
    for _ in range(200):
        word, state = [rng.choice(letters) for _ in range(rng.randrange(1, 9))], first
        for letter in word:
            state = table.get((state, letter))
        lines.append("".join(word) + ("\tTRUE" if state in accepting else "\tFALSE"))
    (tmp_path / "strings.txt").write_text("\n".join(lines) + "\n")
    assert main(["dataset", str(tmp_path / "strings.txt"), "--file", str(source), "--quiet"]) == 0
    lines[100] = lines[100].replace("TRUE", "x").replace("FALSE", "TRUE").replace("x", "FALSE")
    (tmp_path / "strings.txt").write_text("\n".join(lines) + "\n")
    assert main(["dataset", str(tmp_path / "strings.txt"), "--file", str(source), "--quiet"]) == 1


def test_the_command_reads_them_all(tmp_path, capsys):
    parity = ["", "1", "0110", "01", "1 1 1"]
    labels = [int(word.count("1") % 2 == 0) for word in parity]
    for folder in ("parity", "parity/datasets/test"):
        flare(tmp_path / folder, [word.replace(" ", "") for word in parity], labels)
    words = [["(", "[", "]", ")"], ["(", "]"], []]
    flare(tmp_path / "dyck-2-3", words, [1, 1, 1])
    assert main(["dataset", str(tmp_path / "parity"), "--json", str(tmp_path / "report.json")]) == 0
    rows = json.loads((tmp_path / "report.json").read_text())["labels"]
    assert [row["labels"] for row in rows] == [5, 5] and datasets(tmp_path)[0].name == "dyck-2-3"
    capsys.readouterr()
    assert main(["dataset", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "dyck-2-3: 1 label 1 for 0, which no convention explains; first in labels.txt, line 2, column 1" in out
    (tmp_path / "strings").write_text("0 1 3 2 END\n")
    assert main(["dataset", str(tmp_path / "strings"), "dyck-2-3", "--quiet"]) == 0
    assert main(["dataset", str(tmp_path / "strings"), "--quiet"]) == 2
    assert "does not say its language" in capsys.readouterr().err


def test_a_model_is_run_where_the_paper_has_none(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    flare(tmp_path / "parity", ["0110", "01", ""], [1, 0, 1])
    path = tmp_path.parent / "report.json"
    assert main(["dataset", str(tmp_path / "parity"), "--json", str(path), "--quiet"]) == 0
    (row,) = json.loads(path.read_text())["labels"]
    assert row["target"] == "relu-rnn" and row["model"]["outcome"] == "tested"
