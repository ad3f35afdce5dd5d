"""Which architecture can have which language: against the theorems, by proofs and by models that are run."""

import json
import re

import numpy as np
import pytest
from conftest import REPOSITORY

from automata.catalogue import LANGUAGES, language
from automata.machine import RECOGNISE
from constructions.target import TARGETS
from verify.__main__ import main
from verify.decided import Asked, decision_data, read_cell, write_cell
from verify.decision import EXPRESSIBLE, IMPOSSIBLE, NOT_KNOWN, WITHOUT_WEIGHTS, decide, decide_without_weights
from verify.impossible.cycles import find_cycle
from verify.impossible.endings import words_that_end_alike
from verify.impossible.random_models import cycle_word
from verify.numbers.boxes import NotCovered
from verify.verdict import PROVED, Verdict

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

NAMES = "tomita-1 tomita-2 tomita-3 tomita-4 tomita-5 tomita-6 tomita-7 parity (aa)* (aaaa)* (abab)* d-2".split()
NONNEGATIVE = "yes yes NO yes NO NO yes NO NO NO NO yes"
BELOW_TWO = "yes yes ? yes ? ? yes ? ? ? ? yes"
REGULAR = "yes yes yes yes yes yes yes yes yes yes yes yes"
THEOREMS = {
    # Gates in [0, 1]: star-free (Sarrof, Veitsman, Hahn 2024, Theorem 4).
    **dict.fromkeys(
        "ssm mamba mamba2 bamba granitemoehybrid falcon_h1 nemotron_h recurrent_gemma falcon_mamba jamba zamba zamba2 "
        "xlstm rwkv longhorn".split(),
        NONNEGATIVE,
    ),
    # 1 - b k k^T, b below 2: star-free over the reals, no bound in floats; b = 2 reflects (Grazzi et al. 2024).
    **dict.fromkeys("qwen3_next qwen3_5_text kimi_linear bailing_hybrid".split(), BELOW_TWO),
    "olmo_hybrid": REGULAR,
    # A cell, or a matrix, that takes any function of its state.
    **dict.fromkeys("relu-rnn tanh-rnn gru lstm ids4 pd-ssm linear-cde".split(), REGULAR),
    # Counting modulo 2, and not modulo 3 (Grazzi et al. 2024); solvable groups.
    "signed-diagonal": "yes yes yes yes yes NO yes yes yes yes yes yes",
    "complex-diagonal": REGULAR,
    # The same gates at every step: positions modulo m, and no symbols (Alsmann et al. 2026); what is counted for ever.
    "lru": "yes yes ? ? NO NO yes NO yes yes ? yes",
    "minimax": "? ? NO ? NO NO ? NO NO NO NO ?",
    "lfm2": "NO NO NO NO NO NO NO NO NO NO NO NO",
}
"""What is known of each architecture and the languages NAMES, written down from the literature: nothing is computed."""

LISTED = {"aa-star": "(aa)*", "aaaa-star": "(aaaa)*", "abab-star": "(abab)*", **{name: name for name in NAMES}}
"""The catalogue's name of each of NAMES."""

MEANT = {"yes": EXPRESSIBLE, "NO": IMPOSSIBLE, "?": NOT_KNOWN}
QUICK = {
    **dict.fromkeys(
        "ssm longhorn relu-rnn gru lstm ids4 pd-ssm linear-cde signed-diagonal complex-diagonal lfm2".split(), NAMES
    ),
    **dict.fromkeys("mamba mamba2 kimi_linear".split(), ["tomita-1", "tomita-7", "parity", "tomita-3", "(abab)*"]),
    "lru": NAMES,
    "minimax": ["tomita-1", "parity", "(aa)*"],
    "olmo_hybrid": ["parity"],
}


def test_the_table_of_the_docs_is_what_is_known():
    text = (REPOSITORY / "docs" / "decided.md").read_text()
    shared = text[text.index("*nonnegative gates*") : text.index("| |")]
    groups = {
        name: re.findall("`([^` ]+)`", part) for name, part in re.findall(r"\*([^*]+)\* are\s([^;.]+)[;.]", shared)
    }
    table = text[text.index("| |") :].partition("\n\n")[0]
    header, _, *rows = [re.split(r" \| ", line.strip("| \n")) for line in table.splitlines()]
    seen = 0
    for names, *answers in rows:
        for column, answer in zip(header, answers, strict=True):
            for target in groups.get(column, [column.strip("`")]):
                for name in re.findall("`([^`]+)`", names):
                    if name in LISTED:
                        known = THEOREMS[target].split()[NAMES.index(LISTED[name])]
                        assert answer == known.lower(), (name, target)
                        seen += 1
    assert seen == len(NAMES) * len(THEOREMS)


def decided_as_known(name, target):
    known, expected = language(name), MEANT[THEOREMS[target].split()[NAMES.index(name)]]
    if target in WITHOUT_WEIGHTS:
        found = decide_without_weights(known, target)
    else:
        found = decide(known, RECOGNISE, TARGETS.named(target))
    assert found.answer == expected, (name, target, found.reason)
    if expected == EXPRESSIBLE:
        assert found.verdict.outcome == "proved" and found.verdict.horizon is None and found.size
    elif expected == IMPOSSIBLE:
        dfa, (one, other) = known.dfa(), found.failures.strings
        assert dfa.accepts_word(one) != dfa.accepts_word(other) and found.failures.wrong == 1


def test_the_theorems_are_about_every_architecture():
    assert {*THEOREMS} == {*TARGETS, *WITHOUT_WEIGHTS} - {"mamba-ssm"}
    assert all(len(row.split()) == len(NAMES) for row in THEOREMS.values())


@pytest.mark.parametrize("target", QUICK)
def test_what_is_decided_contradicts_no_theorem(target):
    for name in QUICK[target]:
        decided_as_known(name, target)


@pytest.mark.slow
@pytest.mark.parametrize("target", THEOREMS)
def test_no_cell_contradicts_a_theorem(target):
    for name in NAMES:
        decided_as_known(name, target)


def test_counters_are_proved_exactly_and_no_search_of_them_goes_on(monkeypatch):
    dyck = language("dyck-1")
    assert decide(dyck, RECOGNISE, TARGETS.named("ssm")).answer == EXPRESSIBLE
    for target in ("gru", "ids4"):
        assert decide(dyck, RECOGNISE, TARGETS.named(target)).answer == NOT_KNOWN
    assert decide(dyck, RECOGNISE, TARGETS.named("signed-diagonal")).answer == EXPRESSIBLE
    # Where the relation is not shown, a search says how far it came.
    monkeypatch.setattr("verify.methods.relation.counters.RelationProof.run", lambda *_: not_covered())
    monkeypatch.setattr("verify.methods.relation.counters.find_witness", lambda *_: None)
    found = decide(dyck, RECOGNISE, TARGETS.named("signed-diagonal"))
    assert found.answer == NOT_KNOWN and "no search closes" in found.reason


def not_covered():
    raise NotCovered("not shown here")


def test_random_models_differ_with_their_seed():
    for target in ("mamba", "mamba2", "gru"):
        logits = []
        for seed in (0, 0, 1):
            with TARGETS.named(target).random(("0", "1"), ("<accept>",), seed) as model:
                logits.append(model.runner.logits(torch.tensor([[1, 3, 4, 4]])).detach().numpy())
        assert np.array_equal(logits[0], logits[1]) and not np.array_equal(logits[0], logits[2])


def test_what_counts_is_open_in_floats_and_proved_exactly():
    assert decide(language("anbn"), RECOGNISE, TARGETS.named("ssm")).answer == EXPRESSIBLE
    found = decide(language("anbn"), RECOGNISE, TARGETS.named("gru"))
    assert found.answer == NOT_KNOWN and "finitely many states" in found.reason


def test_the_command_prints_a_table_and_its_json(capsys, tmp_path):
    path = tmp_path / "table.json"
    assert main(["decide", "parity", "ssm", "gru", "--json", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "impossible" in shown and "expressible" in shown and "Theorem 2" in shown
    rows = json.loads(path.read_text())["decisions"]
    assert [row["answer"] for row in rows] == [IMPOSSIBLE, EXPRESSIBLE]
    assert rows[0]["strings"] == [[], ["1"]] and rows[1]["explored"]["joint states"] == 5


def test_the_table_of_the_whole_catalogue(capsys):
    assert main(["decide", "--all", "--on", "ssm"]) == 0
    lines = {line.split()[0]: line.split()[-1] for line in capsys.readouterr().out.splitlines() if line.split()}
    for known in LANGUAGES.values():
        assert lines[known.name.split()[0]] == ("NO" if known.star_free is False else "yes")


def test_an_interrupted_table_goes_on_where_it_was(capsys, tmp_path, monkeypatch):
    out, path = tmp_path / "cells", tmp_path / "table.json"
    words = ["decide", "--all", "--on", "ssm,ids4,lru", "--out", str(out), "--json", str(path)]
    few = {name: LANGUAGES[name] for name in ("tomita-1", "parity", "{a,b}*d{b,c}*")}
    monkeypatch.setattr("automata.catalogue.LANGUAGES", few)

    def stop_at(count):
        done = []

        def stopping(*given, **options):
            done.append(given)
            if len(done) > count:
                raise KeyboardInterrupt
            return decide(*given, **options)

        monkeypatch.setattr("verify.decision.decide", stopping)

    stop_at(7)
    assert main(words) == 130
    kept = {file: file.read_bytes() for file in out.iterdir()}
    assert len(kept) == 7 and not path.exists()
    first, second = sorted(kept)[:2]
    first.write_bytes(kept[first][:-9])  # half of a file
    second.write_bytes(kept[second].replace(b'"limit": 50000', b'"limit": 5'))
    stop_at(4)
    assert main(words) == 0
    assert {file: file.read_bytes() for file in kept} == kept
    whole = json.loads(path.read_text())
    assert whole["written"]["cells taken from there"] == 5
    stop_at(0)
    assert main(words) == 0 and json.loads(path.read_text())["decisions"] == whole["decisions"]


def test_a_proof_up_to_some_length_is_no_yes(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("automata.catalogue.LANGUAGES", {"anbn": language("anbn"), "tomita-1": language("tomita-1")})
    assert main(["decide", "--all", "--on", "ssm,lstm", "--limit", "2000"]) == 0
    lines = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line.split()}
    assert lines["anbn"] == ["yes", "to", "500"] and lines["tomita-1"] == ["yes", "yes"]


@pytest.mark.parametrize("change", [{"answer": "maybe"}, {"target": "gru"}, {"more": 1}])
def test_a_kept_answer_that_is_none_counts_as_not_there(change, tmp_path):
    asked = Asked("parity", "ssm", RECOGNISE, 9, 1)
    data = decision_data(decide(language("parity"), RECOGNISE, TARGETS.named("ssm")))
    write_cell(asked, data, tmp_path)
    assert read_cell(asked, tmp_path) == data
    write_cell(asked, {**data, **change}, tmp_path)
    assert read_cell(asked, tmp_path) is None


@pytest.mark.parametrize(
    "words, message",
    [
        (["parity", "--out", "cells"], "--out cells: answers are kept of the table of --all"),
        ([], "name one language, or all of the catalogue with --all"),
        (["parity", "--all"], "name one language, or all of the catalogue with --all"),
        (["parity", "--on", "mamba3"], "unknown target 'mamba3': did you mean mamba"),
        (["parity", "ssm", "mamba3"], "unknown target 'mamba3': did you mean mamba"),
        (["parity", "ssm", "--on", "gru"], "--on gru: architectures are named already, ssm"),
    ],
)
def test_bad_input_is_one_line(words, message, capsys):
    assert main(["decide", *words]) == 2
    assert message in capsys.readouterr().err


def test_cycle_words():
    cycle = find_cycle(language("parity").dfa(), RECOGNISE)
    assert cycle_word(cycle, 3) == ("1", "1", "1")


def test_architectures_that_are_no_targets_have_a_row_with_the_reason(capsys, tmp_path):
    path = tmp_path / "table.json"
    assert main(["decide", "parity", "--on", "minimax,lfm2", "--json", str(path)]) == 0
    rows = json.loads(path.read_text())["decisions"]
    assert [row["answer"] for row in rows] == [IMPOSSIBLE, IMPOSSIBLE]
    for row in rows:
        one, other = row["strings"]
        assert language("parity").dfa().accepts_word(one) != language("parity").dfa().accepts_word(other)
    assert one[-8:] == other[-8:]
    assert main(["decide", "tomita-1", "--on", "minimax", "--json", str(path)]) == 0
    (row,) = json.loads(path.read_text())["decisions"]
    assert row["answer"] == NOT_KNOWN and "nothing is known to reset it" in row["reason"]


@pytest.mark.parametrize("name", [known.name for known in LANGUAGES.values() if known.star_free is not None])
def test_strings_that_end_alike_exactly_where_no_window_decides(name):
    from automata.algebra.live_part import whole
    from constructions.compile.window import window_cascade

    dfa = language(name).dfa()
    if dfa.states > 40:
        pytest.skip("a window of many bits is not looked for")
    found = words_that_end_alike(dfa, 6)
    assert whole(dfa, RECOGNISE) is not None
    if found is None:
        assert window_cascade(dfa, RECOGNISE, 12) is not None or dfa.minimise().states == 1
    else:
        one, other = found
        assert one[-6:] == other[-6:] and dfa.accepts_word(one) != dfa.accepts_word(other)


def test_states_that_nothing_tells_apart_are_one():
    from automata.dfa import DFA

    ends_with_a = DFA("ab", [[2, 0], [3, 1], [3, 1], [2, 0]], [2, 3])
    assert words_that_end_alike(ends_with_a, 4) is None


@pytest.mark.parametrize("horizon, answer", [(None, EXPRESSIBLE), (100, EXPRESSIBLE), (99, NOT_KNOWN)])
def test_a_proof_of_short_strings_alone_decides_nothing(horizon, answer, monkeypatch):
    verdict = Verdict(PROVED, "counting", RECOGNISE, "float32", {}, "", horizon=horizon)
    monkeypatch.setattr("verify.decision.prove_claim", lambda claim, progress: verdict)
    found = decide(language("dyck-1"), RECOGNISE, TARGETS.named("mamba"))
    assert found.answer == answer and (horizon is None or f"up to {horizon} symbols" in found.reason)
