"""The page: it computes what the engine computes, in a browser and in node; it is complete, small and its own."""

import html
import json
import random
import re
import shutil
import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import BOS, EOS
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.weights import SSM
from verify.__main__ import main
from verify.evidence.dataset import LABELS_FILE, STRINGS_FILE
from verify.report.exported import Exported, affine_data, export_model, slug, ssm_data
from verify.report.page import MANIFEST, SOURCES
from verify.show.tracing import Trace
from verify.suite import PAPER_LANGUAGES

SCRIPTS = Path(__file__).parent / "page"
STRINGS, TYPED, LONGEST = 200, 6, 24
MOST_BYTES = 3_000_000
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = "4.10.3"

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed")
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The whole page."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    folder = tmp_path_factory.mktemp("page") / "out"
    assert main(["report", "--out", str(folder), "--quiet"]) == 0
    return folder


@pytest.fixture(scope="module")
def models():
    return {name: export_model(language(name)) for name in PAPER_LANGUAGES}


@pytest.fixture(scope="module")
def strings():
    """Of each language: prefixes of words and others, the empty one among them."""
    found = {}
    for name in PAPER_LANGUAGES:
        machine, rng = language(name).machine, random.Random(name)
        words = [()]
        while len(words) < STRINGS:
            word, state = [], machine.initial
            stray = rng.random() < 0.3
            for _ in range(rng.randrange(1, LONGEST)):
                legal = sorted(machine.legal(state) - {EOS})
                if not legal and not stray:
                    break
                word.append(rng.choice(machine.alphabet if stray and rng.random() < 0.2 or not legal else legal))
                state = machine.step(state, word[-1])
            words.append(tuple(word))
        found[name] = words
    return found


def by_engine(model, words):
    """Of each word, each step by the engine: the outputs as bits, and the state as fractions."""
    with model.built.running() as engine:
        index = {symbol: i for i, symbol in enumerate(engine.alphabet)}
        state, outputs = engine.begin(len(words))
        steps = [(outputs.dense()[:, -1], state)]
        for time in range(max(map(len, words))):
            symbols = np.array([[index[word[time]] if time < len(word) else 0] for word in words])
            state, outputs = engine.advance(state, symbols)
            steps.append((outputs.dense()[:, -1], state))
        unit = 2**engine.ssm.arithmetic.unit_bits if isinstance(model.built.weights, SSM) else None
    found = []
    for number, word in enumerate(words):
        run = []
        for given, states in steps[: len(word) + 1]:
            bits = "".join(str(int(bit)) for bit in given[number])
            run.append((bits, None if unit is None else [Fraction(int(h), unit) for h in states[number]]))
        found.append(run)
    return found


@pytest.fixture(scope="module")
def expected(models, strings):
    """What the engine, and torch for the other cells, computes of each string."""
    if not all(isinstance(model.built.weights, SSM) for model in models.values()):
        pytest.importorskip("torch", reason="torch, which runs the other cells, is not installed")
    return {name: by_engine(models[name], words) for name, words in strings.items()}


def compare(computed, expected, strings):
    steps = 0
    for name, words in strings.items():
        assert len(computed[name]) == len(words) == STRINGS
        for word, given, right in zip(words, computed[name], expected[name]):
            assert len(given) == len(right) == len(word) + 1
            for line, (bits, state) in zip(given, right):
                first, *numbers = line.split(" ") if " " in line else (line,)
                assert first == bits, (name, word)
                if state is not None:
                    values = [Fraction(int(n), 2 ** int(e)) for n, e in (number.split("/") for number in numbers)]
                    assert values == state, (name, word)
                steps += 1
    assert steps > 50_000


def browse(folder, tmp_path, scripts, *options):
    """Opens a copy of the page with these scripts besides its own, and reads what they found."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for name, text in scripts.items():
        (copy / name).write_text(text)
    index = copy / "index.html"
    added = "".join(f'<script src="{name}"></script>\n' for name in scripts)
    index.write_text(index.read_text().replace("</body>", f"{added}</body>"))
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    run = subprocess.run(
        [*command, "--virtual-time-budget=600000", *options, "--dump-dom", index.as_uri()],
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = re.search('<pre id="found">(.*?)</pre>', run.stdout, re.S)
    assert found, run.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@needs_node
def test_node_computes_what_the_engine_computes(page, expected, strings, tmp_path):
    (tmp_path / "strings.json").write_text(json.dumps(strings))
    run = subprocess.run(
        ["node", SCRIPTS / "check.js", page, tmp_path / "strings.json"], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    compare(json.loads(run.stdout), expected, strings)


@needs_browser
def test_the_browser_shows_what_the_engine_computes(page, models, expected, strings, tmp_path):
    typed = {name: words[:TYPED] for name, words in strings.items()}
    data = f"const STRINGS = {json.dumps(strings)};\nconst TYPED = {json.dumps(typed)};\n"
    found = browse(page, tmp_path, {"strings.js": data, "check.js": (SCRIPTS / "check.js").read_text()})
    compare(found["computed"], expected, strings)
    for name, words in typed.items():
        for word, rows in zip(words, found["displayed"][name]):
            assert [row[1] for row in rows] == ["(start)", *word]
            assert not any("differs" in row[5] for row in rows)
            if isinstance(models[name].built.weights, SSM):
                shown_as_traced(models[name], word, rows)
            shown_as_defined(models[name].language, word, rows)


def shown_as_traced(model, word, rows):
    """Gates, registers and legal symbols are those of the reference step."""
    traced = Trace.of(model.built.weights, word, model.construction)
    for shown, right in zip(rows, traced.rows):
        assert shown[2] == right[2] and shown[3] == right[3], (model.name, word)
        if "left the language" not in right[4]:
            assert set(shown[4].split()) == set(right[4].split())
        else:
            assert f"left the language at step {traced.left}" in shown[4]


def shown_as_defined(known, word, rows):
    """The state of the language's own machine."""
    machine = known.machine
    dfa = None if known.kind == "counter" or known.name == "dyck-8-10" else known.dfa()
    state, place = machine.initial, None if dfa is None else dfa.initial
    for symbol, row in zip((BOS, *word), rows):
        if symbol != BOS:
            state = machine.step(state, symbol)
            place = None if dfa is None else dfa.step(place, symbol)
        dead = not machine.legal(state)
        assert row[6].startswith("dead") == dead
        if dfa is not None and not dead:
            assert row[6] == f"q{place}"
        elif not dead and known.kind == "counter":
            assert [int(number) for number in re.findall(r" (\d+)(?:,|$)", row[6])] == list(state[1])
        elif not dead:
            assert len(re.findall(r"\(", row[6])) == len(state)


@needs_node
def test_a_planted_wrong_weight_is_seen(page, expected, strings, tmp_path):
    """The scripts run the weights: one that is changed changes the answers, whatever the automaton says."""
    copy = tmp_path / "copy"
    shutil.copytree(page, copy)
    text = (copy / "models.js").read_text()
    start = text.index('"d-3"')
    place = text.index('"bias":[', text.index('"readout"', start)) + len('"bias":[')
    (copy / "models.js").write_text(text[:place] + "100+" + text[place:])
    (tmp_path / "strings.json").write_text(json.dumps({"d-3": strings["d-3"]}))
    command = ["node", SCRIPTS / "check.js", copy, tmp_path / "strings.json"]
    computed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    right = expected["d-3"]
    assert [[line.split()[0] for line in run] for run in computed["d-3"]] != [
        [bits for bits, _ in run] for run in right
    ]


def test_the_page_is_complete_without_scripts(page):
    text = (page / "index.html").read_text()
    assert sum(path.stat().st_size for path in page.iterdir()) < MOST_BYTES
    names = [f"<h3>{html.escape(name)}</h3>" for name in PAPER_LANGUAGES]
    assert all(name in text for name in names) and text.count('<tr><th scope="row">') == len(PAPER_LANGUAGES)
    assert len({slug(name) for name in PAPER_LANGUAGES}) == len(PAPER_LANGUAGES)
    for source in re.findall(r'(?:src|href)="([^"#:]+)"', text):
        assert (page / source).is_file(), source
    for anchor in re.findall(r'href="#([^"]+)"', text):
        assert f'id="{anchor}"' in text, anchor
    assert "<noscript>" in text
    # Nothing is fetched: the one address is a link to read on.
    everything = text + "".join((page / name).read_text() for name in ("style.css", "engine.js", "stepper.js"))
    assert set(re.findall(r"https?://[^\s\"<]+", everything)) == {"https://arxiv.org/abs/2405.17394"}
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|@import|url\(", everything)


def test_the_same_page_is_written_again_and_nothing_else_is(page, tmp_path, capsys):
    folder, command = tmp_path / "out", ["report", "--only", "d-1,parity", "--no-pictures", "--quiet"]
    assert main([*command, "--out", str(folder)]) == 0
    assert main([*command, "--out", str(folder)]) == 0
    (folder / "mine.txt").write_text("mine")
    assert main([*command, "--out", str(folder)]) == 2
    assert "exists and is not a page" in capsys.readouterr().err and (folder / "mine.txt").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "index.html").write_text("another page")
    for manifest in (None, "", "[]", '{"page": 1, "files": "index.html"}', '{"page": 2, "files": ["index.html"]}'):
        if manifest is not None:
            (tmp_path / "other" / MANIFEST).write_text(manifest)
        assert main([*command, "--out", str(tmp_path / "other")]) == 2
        assert (tmp_path / "other" / "index.html").read_text() == "another page"


def test_a_folder_that_is_not_the_page_s_is_refused_at_once(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    monkeypatch.setattr("verify.report.contents.entries", lambda *given: pytest.fail("work was done"))
    assert main(["report", "--out", str(tmp_path), "--no-pictures"]) == 2
    assert "exists and is not a page" in capsys.readouterr().err


def test_numbers_beyond_those_of_javascript():
    exported = affine_data(Affine([[2**53 - 1, 2**53]], [-(2**60) - 1], exponent=3))
    assert exported["values"] == [2**53 - 1, str(2**53)] and exported["bias"] == [str(-(2**60) - 1)]


@needs_node
def test_other_arithmetics_are_run_too(tmp_path):
    """Random models: rounding down, wrapping, clipping, numbers of 60 bits, against the reference step."""
    models, strings = {}, {}
    for seed in range(24):
        arithmetic = Arithmetic.parse(("exact", "fixed:3", "wrap:4", "fixed:0")[seed % 4])
        ssm = random_ssm(seed, 2, 3, arithmetic, alphabet=("a", "b"), outputs=("a", "b", EOS))
        if seed % 3 == 0:
            first = ssm.layers[0]
            clipped = replace(first.phi[0], activation="clip", low=-1, high=5)
            ssm = replace(ssm, layers=(replace(first, phi=(clipped, *first.phi[1:])), *ssm.layers[1:]))
        if seed % 4 == 0:
            bias = ssm.readout.bias.copy()
            bias[0] = 2**60 + 1
            ssm = replace(ssm, readout=replace(ssm.readout, bias=bias))
        models[str(seed)] = ssm
        rng = random.Random(seed)
        strings[str(seed)] = [[rng.choice("ab") for _ in range(rng.randrange(9))] for _ in range(10)]
    data = {
        name: {"bos": BOS, "eos": EOS, "alphabet": ["a", "b"], "outputs": list(ssm.outputs), **ssm_data(ssm, None)}
        for name, ssm in models.items()
    }
    (tmp_path / "models.js").write_text(f"const MODELS = {json.dumps(data)};\n")
    shutil.copy(SOURCES / "engine.js", tmp_path)
    (tmp_path / "strings.json").write_text(json.dumps(strings))
    command = ["node", SCRIPTS / "check.js", tmp_path, tmp_path / "strings.json"]
    computed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    kinds = set()
    for name, ssm in models.items():
        for word, lines in zip(strings[name], computed[name]):
            state = reference.start(ssm)
            assert len(lines) == len(word) + 1
            for symbol, line in zip((BOS, *word), lines):
                state = reference.step(ssm, state, symbol)
                first, *numbers = line.split()
                assert first == "".join(str(int(output in state.outputs)) for output in ssm.outputs)
                values = [Fraction(int(n), 2 ** int(e)) for n, e in (number.split("/") for number in numbers)]
                assert values == [value for layer in state.h for value in layer], (name, word)
                kinds.add((name, first))
    assert len(kinds) > len(models)


def test_a_page_about_floats_is_refused():
    built = build(compile(language("d-2").machine), arithmetic="float32")
    with pytest.raises(InputError, match="the page runs integers"):
        Exported(language("d-2"), built).data()


def test_a_row_that_fails_is_shown_and_is_the_exit_status(tmp_path):
    data = tmp_path / "data" / "D-2"
    data.mkdir(parents=True)
    (data / STRINGS_FILE).write_text("aabb\n" * 20)
    (data / LABELS_FILE).write_text("11011110\n" * 19 + "11111110\n")
    command = ["report", "--only", "d-2,parity", "--no-pictures", "--quiet", "--data", str(tmp_path / "data")]
    assert main([*command, "--out", str(tmp_path / "out")]) == 1
    text = (tmp_path / "out" / "index.html").read_text()
    assert "<strong>1 fail</strong>" in text and text.count('<span class="badge wrong">FAILS</span>') == 1
    assert "1 label is wrong, the first in line 20, column 3: 11 for 01" in text


# -- the table of architectures --------------------------------------------------------------------------


def test_the_architecture_table_of_decide_is_shown(tmp_path, capsys):
    report, folder = tmp_path / "decisions.json", tmp_path / "out"
    line = {"language": "parity", "decisions": [{"architecture": "ssm", "answer": "impossible", "reason": ""}]}
    report.write_text(json.dumps({"title": "recognise: asked", "decisions": [line]}))
    command = ["report", "--only", "parity,d-1", "--no-pictures", "--quiet", "--out", str(folder), "--decide"]
    assert main([*command, str(report)]) == 0
    text = (folder / "index.html").read_text()
    assert 'id="architectures"' in text and "recognise: asked" in text and '<td class="never">NO</td>' in text
    capsys.readouterr()
    for content, message in [
        ("{", "is not JSON"),
        ("[]", "has no decisions"),
        (json.dumps({"title": "one", "decisions": [{"architecture": "ssm"}]}), "decision 1: names no language"),
        (json.dumps({"title": "", "decisions": [{**line, "decisions": [1]}]}), "decision 1: has no answers"),
        (json.dumps({"title": "", "decisions": [line, {**line, "decisions": []}]}), "decision 2: is about other"),
        (json.dumps({"title": "", "decisions": [line]}).replace("impossible", "maybe"), "'maybe' is no answer"),
    ]:
        report.write_text(content)
        assert main([*command, str(report)]) == 2
        err = capsys.readouterr().err
        assert message in err and "decide --all --json" in err and err.count("\n") == 1
    assert (folder / "index.html").read_text() == text


# -- accessibility ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def axe():
    """axe-core, from npm's registry, kept in build/."""
    found = REPOSITORY / "build" / "page-check" / "node_modules" / "axe-core"
    if not (found / "axe.min.js").exists() or json.loads((found / "package.json").read_text())["version"] != AXE:
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed")
        options = ["--prefix", found.parents[1], "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        run = subprocess.run(["npm", "install", *options, f"axe-core@{AXE}"], capture_output=True, timeout=120)
        if run.returncode:
            pytest.skip(f"axe-core {AXE} could not be installed")
    return (found / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page of three languages, each of another kind, with a table of architectures."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    folder = tmp_path_factory.mktemp("small")
    answers = [{"architecture": "ssm", "answer": "impossible", "reason": ""}]
    report = {"title": "recognise", "decisions": [{"language": "parity", "decisions": answers}]}
    (folder / "decisions.json").write_text(json.dumps(report))
    command = ["report", "--only", "parity,dyck-8-10,anbn", "--decide", str(folder / "decisions.json"), "--quiet"]
    assert main([*command, "--out", str(folder / "out")]) == 0
    return folder / "out"


@needs_browser
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_no_serious_fault_of_accessibility(axe, small, tmp_path, look):
    options = {
        "light": ["--window-size=1280,1000"],
        "dark": ["--window-size=1280,1000", "--blink-settings=preferredColorScheme=0"],
        "phone": ["--window-size=500,900"],
    }[look]
    found = browse(small, tmp_path, {"axe.js": axe, "check.js": (SCRIPTS / "axe.js").read_text()}, *options)
    assert [rule for rule in found["violations"] if rule["impact"] in ("serious", "critical")] == []
    assert found["passes"] > 20 and found["steppers"] == 3 and found["dark"] == (look == "dark")
    # Only tables scroll sideways, in boxes of their own.
    assert found["overflow"] <= 0


@needs_browser
def test_axe_sees_what_is_wrong(axe, small, tmp_path):
    copy = tmp_path / "wrong"
    shutil.copytree(small, copy)
    index = copy / "index.html"
    index.write_text(index.read_text().replace("<h1>", '<button></button><img src="x.svg"><h1>'))
    found = browse(copy, tmp_path, {"axe.js": axe, "check.js": (SCRIPTS / "axe.js").read_text()})
    assert {"button-name", "image-alt"} <= {rule["id"] for rule in found["violations"]}
