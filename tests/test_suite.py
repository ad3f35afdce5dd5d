"""The table of the paper's languages: sizes, verdicts, and that a planted fault turns exactly its row red."""

import json
import re
from dataclasses import replace

import pytest
from conftest import REPOSITORY

import verify.decision
from automata.catalogue import LANGUAGES, language
from constructions.build import build
from verify.__main__ import main
from verify.evidence.dataset import LABELS_FILE, STRINGS_FILE
from verify.impossible.random_models import Failures
from verify.suite import PAPER_LANGUAGES, PUBLISHED, row_of
from verify.testing.corruption import corrupt

SIZES = {
    "tomita-1": (2, 2),
    "tomita-2": (3, 6),
    "tomita-3": (5, 26),
    "tomita-4": (4, 12),
    "tomita-5": (4, 4),
    "tomita-6": (3, 3),
    "tomita-7": (5, 9),
    "parity": (2, 2),
    "aa-star": (2, 2),
    "aaaa-star": (4, 4),
    "abab-star": (5, 10),
    "aa*bb*cc*dd*ee*": (7, 17),
    "{a,b}*d{b,c}*": (3, 5),
    "{0,1,2}*02*": (2, 3),
    "flip-flop": (9, 81),
    "d-2": (4, 15),
    "d-12": (14, 820),
    "dyck-8-10": ((8**11 - 1) // 7 + 1, None),
}


def rows(path):
    return {entry["language"]: entry for entry in json.loads(path.read_text())["suite"]}


def test_every_row_is_proved_or_impossible(tmp_path, capsys):
    path, table, page = tmp_path / "report.json", tmp_path / "table.md", tmp_path / "table.html"
    assert main(["suite", "--json", str(path), "--markdown", str(table), "--html", str(page)]) == 0
    found = rows(path)
    assert list(found) == list(PAPER_LANGUAGES) and len(found) == 29
    for name, entry in found.items():
        decision, known = entry["decisions"][0], language(name)
        assert entry["outcome_of_row"] == "proved" and entry["faults"] == []
        assert (entry["states"], entry["monoid"]) == SIZES.get(name, (entry["states"], entry["monoid"]))
        if known.star_free is False:
            one, other = decision["strings"]
            assert decision["answer"] == "impossible"
            assert known.dfa().accepts_word(one) != known.dfa().accepts_word(other)
        else:
            assert decision["verdict"]["outcome"] == "proved" and decision["verdict"]["horizon"] is None
            assert entry["least_bits"] is None or entry["bits"] >= entry["least_bits"]
    assert found["dyck-8-10"]["bits"] == pytest.approx(33.46, abs=0.005)
    lines = table.read_text().splitlines()
    assert len(lines) == 31 and len({line.replace("\\|", "").count(" | ") for line in lines}) == 1
    text = page.read_text()
    assert text.count('<tr><th scope="row">') == 29 and "FAILS" not in text and "<script" not in text
    assert text.count('<td class="good">proved</td>') == 22 and text.count('<td class="never">impossible</td>') == 7
    assert capsys.readouterr().out.count("FAILS") == 0


def test_published_numbers_are_of_all_that_were_trained():
    assert set(PUBLISHED) == set(LANGUAGES) - {"flip-flop"}


def test_published_numbers_are_those_of_the_theory():
    """Read from the text by a script of its own."""
    theory = REPOSITORY.parent / "shared" / "THEORY.md"
    if not theory.exists():
        pytest.skip("the theory is not beside the project")
    text = theory.read_text().split("## Published numbers")[1].split("\n## ")[0].replace("\n", " ")
    names = {"a^n b^n": "anbn", "a^n b^n c^n": "anbncn", "a^n b^n c^n d^n": "anbncndn", "(aa)*": "aa-star"}
    names |= {"(aaaa)*": "aaaa-star", "(abab)*": "abab-star"}
    found = {}
    for part in (
        text.split("Not star-free, 3 layers:")[1].split("Bounded Dyck")[0].replace("bins 1/2/3:", ",").split(",")
    ):
        if match := re.search("([^:]+?) ((?:[0-9.]+/)+[0-9.]*[0-9])", part.split(": ")[-1]):
            name = match[1].strip()
            found[names.get(name, name.lower())] = tuple(map(float, match[2].split("/")))
    d_12 = re.search(r"D_12 \(1, 2, 3 layers: .*?([0-9.]+)/([0-9.]+)\)", text)
    found["d-12"] = (float(d_12[1]), float(d_12[2]))
    assert len(found) == 17 and {name: PUBLISHED[name] for name in found} == found
    others = set(PUBLISHED) - set(found)
    assert "Star-free: 100/100 on every language but D_12" in text
    assert {PUBLISHED[name] for name in others} == {(100, 100)} and all(language(name).star_free for name in others)


def planted_build(name):
    """Builds as ever, but one weight of the readout of this language is wrong."""

    def wrong(construction, target):
        built = build(construction, target)
        if construction.machine != language(name).machine:
            return built
        bias = built.weights.readout.bias
        return replace(built, weights=corrupt(built.weights, "readout.bias", (0,), int(bias[0]) + 100))

    return wrong


@pytest.mark.parametrize("name", ["d-2", "anbn"])
def test_a_wrong_weight_turns_its_row_red(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(verify.decision, "build", planted_build(name))
    path = tmp_path / "report.json"
    assert main(["suite", "--only", "d-2,parity,tomita-1,anbn", "--json", str(path)]) == 1
    red = {language for language, entry in rows(path).items() if entry["outcome_of_row"] != "proved"}
    assert red == {name} and rows(path)[name]["outcome_of_row"] == "refuted"
    assert capsys.readouterr().out.count("FAILS") == 1


def write(folder, word, labels, times=20):
    folder.mkdir(parents=True)
    (folder / STRINGS_FILE).write_text(f"{word}\n" * times)
    (folder / LABELS_FILE).write_text(f"{labels}\n" * times)


@pytest.fixture
def data(tmp_path):
    write(tmp_path / "data" / "D-2", "aabb", "11011110")
    write(tmp_path / "data" / "Parity", "0110", "1011")
    write(tmp_path / "data" / "anbn", "aabb", "aabT")
    return tmp_path / "data"


@pytest.mark.parametrize("folder, line", [("D-2", "11111110"), ("Parity", "1001"), ("anbn", "aaTT")])
def test_a_wrong_label_turns_its_row_red(tmp_path, data, capsys, folder, line):
    command = ["suite", "--only", "d-2,parity,anbn", "--data", str(data), "--json", str(tmp_path / "report.json")]
    assert main(command) == 0
    lines = (data / folder / LABELS_FILE).read_text().splitlines()
    (data / folder / LABELS_FILE).write_text("\n".join([*lines[:7], line, *lines[8:]]) + "\n")
    page = tmp_path / "table.html"
    assert main([*command, "--html", str(page)]) == 1 and page.read_text().count('<td class="wrong">FAILS</td>') == 1
    found = rows(tmp_path / "report.json")
    assert [name for name, entry in found.items() if entry["faults"]] == [language(folder).name]
    assert "1 label is wrong, the first in line 8" in found[language(folder).name]["faults"][0]
    assert capsys.readouterr().out.count("FAILS") == 1


def test_a_malformed_line_turns_its_row_red(tmp_path, data):
    command = ["suite", "--only", "d-2,parity,anbn", "--data", str(data), "--json", str(tmp_path / "report.json")]
    (data / "Parity" / STRINGS_FILE).write_text("0110\n" * 19 + "0120\n")
    assert main(command) == 1
    found = rows(tmp_path / "report.json")
    assert [name for name, entry in found.items() if entry["faults"]] == ["parity"]
    assert "line 20, column 3: '2' is not a symbol" in found["parity"]["faults"][0]


def test_what_is_said_to_be_impossible_is_shown(monkeypatch):
    """A decision whose strings do not show it is a fault of the row."""
    right, shows_nothing = verify.suite.decide, Failures(((), ("0",)), "", 1, 1)
    monkeypatch.setattr(verify.suite, "decide", lambda *a, **k: replace(right(*a, **k), failures=shows_nothing))
    assert row_of(language("parity")).outcome == "refuted"


def test_a_proof_that_gives_up_is_undecided(capsys):
    assert main(["suite", "--only", "d-12,parity", "--limit", "1"]) == 3
    assert "FAILS" not in capsys.readouterr().out


def test_targets_have_columns(tmp_path):
    pytest.importorskip("transformers", reason="transformers is not installed")
    path = tmp_path / "report.json"
    assert main(["suite", "--only", "parity,tomita-1", "--targets", "ssm,mamba,gru", "--json", str(path)]) == 0
    answers = {name: [one["answer"] for one in entry["decisions"]] for name, entry in rows(path).items()}
    assert answers == {"parity": ["impossible", "impossible", "expressible"], "tomita-1": ["expressible"] * 3}


def test_labels_of_the_release(shared_data, tmp_path):
    path = tmp_path / "report.json"
    command = ["suite", "--only", "tomita-3,{0,1,2}*02*,d-2", "--data", str(shared_data("released"))]
    # A name with commas of its own cannot be listed: it has another one.
    command[2] = command[2].replace("{0,1,2}*02*", "012star-0-2star")
    assert main([*command, "--json", str(path)]) == 0
    assert [entry["labels"]["differ"] for entry in rows(path).values()] == [27_234, 18_919, 0]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--only", "tomita-44"], "unknown language 'tomita-44': did you mean tomita-4"),
        (["--targets", "mamba3"], "unknown target 'mamba3': did you mean mamba"),
        (["--data", "missing"], "missing: cannot be read"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert main(["suite", *words]) == 2
    err = capsys.readouterr().err
    assert message in err and err.count("\n") == 1
