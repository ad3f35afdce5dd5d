"""Which architecture can have which language: against the theorems, by proofs and by models that are run."""

import json

import numpy as np
import pytest

from automata.catalogue import LANGUAGES, language
from automata.machine import RECOGNISE
from constructions.target import CONTRACTION, MONOTONE, NONLINEAR, TARGETS
from verify.__main__ import main
from verify.decision import EXPRESSIBLE, IMPOSSIBLE, NOT_KNOWN, decide
from verify.impossible.cycles import find_cycle
from verify.impossible.endings import words_that_end_alike
from verify.impossible.random_models import cycle_word

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

FEW = ("ssm", "mamba", "mamba2", "kimi_linear", "gru")


@pytest.mark.parametrize("name", ["tomita-1", "tomita-7", "parity", "tomita-3", "(abab)*"])
@pytest.mark.parametrize("target", FEW)
def test_what_is_decided_contradicts_no_theorem(name, target):
    known, able = language(name), TARGETS.named(target)
    found = decide(known, RECOGNISE, able)
    if known.star_free or able.motion == NONLINEAR:
        assert found.answer == EXPRESSIBLE and found.verdict.outcome == "proved" and found.size
    elif able.motion == MONOTONE:
        assert found.answer == IMPOSSIBLE and found.failures.wrong == 1
        dfa, (one, other) = known.dfa(), found.failures.strings
        assert dfa.accepts_word(one) != dfa.accepts_word(other)
    else:
        assert able.motion == CONTRACTION and found.answer == NOT_KNOWN


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
    assert main(["decide", "parity", "--on", "ssm,gru", "--json", str(path)]) == 0
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


@pytest.mark.parametrize(
    "words, message",
    [
        ([], "name one language, or all of the catalogue with --all"),
        (["parity", "--all"], "name one language, or all of the catalogue with --all"),
        (["parity", "--on", "mamba3"], "unknown target 'mamba3': did you mean mamba"),
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
