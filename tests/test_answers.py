"""By which rule a model answers: its logits, probabilities, or its most likely token; each verdict names it."""

import itertools
import json
import re

import numpy as np
import pytest

pytest.importorskip("transformers")

import torch  # noqa: E402

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from automata.machine import PREDICTIVE, RECOGNISE  # noqa: E402
from automata.machines.flip_flop import FlipFlopMachine  # noqa: E402
from constructions.mamba.huggingface import random_model  # noqa: E402
from constructions.mamba.reading import Reading  # noqa: E402
from constructions.mamba.stepping import SteppedMamba  # noqa: E402
from tests.soft_flip_flop import ONE, W, pre_activation, save, soft_flip_flop  # noqa: E402
from verify.__main__ import main  # noqa: E402
from verify.checkpoints.greedy import JudgedByTop, greedy  # noqa: E402
from verify.evidence.accuracy import accuracy  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

MACHINE = FlipFlopMachine()
TOP = Reading.parse("top")


def checked(folder, tmp_path, *arguments):
    """Status and report of a check against the flip-flop."""
    file = tmp_path / "report.json"
    status = main(["check", str(folder), "flip-flop", "--strings", "60", "--quiet", "--json", str(file), *arguments])
    return status, json.loads(file.read_text())


def test_the_most_likely_token_is_given_where_none_is_likelier():
    logits = torch.tensor(
        [[0.0, 3, 1, 2], [5, 3, 1, 2], [0, 3, 3, 2], [0, float("nan"), 1, 2], [-9, -3, -2, -float("inf")]]
    )
    given = TOP.given(logits, [1, 2])
    assert given.tolist() == [[True, False], [False, False], [True, True], [False, False], [False, True]]
    # One of those that share the greatest logit is no output.
    assert TOP.given(torch.tensor([[3.0, 3, 1, 2]]), [1, 2]).tolist() == [[False, False]]
    assert str(TOP).startswith("the most likely token") and TOP.option == "top" and Reading.parse("top") == TOP
    for text in ("top:1", "TOP", "top ", "softmax", "logit"):
        with pytest.raises(InputError, match="or top"):
            Reading.parse(text)


def test_what_is_wrong_by_each_rule():
    wanted = np.array([[1, 1, 0], [1, 1, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    given = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 0]], dtype=bool)
    assert TOP.wrong(wanted, given, PREDICTIVE).tolist() == [False, True, True, True, False]
    assert TOP.wrong(wanted[:, :1], given[:, :1], RECOGNISE).tolist() == [False, True, True, False, False]
    assert Reading().wrong(wanted, given, PREDICTIVE).tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("seed", range(3))
def test_judged_by_top_is_wrong_where_greedy_decoding_leaves_the_language(seed):
    machine = language("d-2").machine
    plain = random_model(("a", "b"), ("a", "b", "<eos>"), seed)
    model = SteppedMamba(plain.runner, plain.vocabulary, 4, TOP)
    judged = greedy(model, machine, PREDICTIVE)
    assert isinstance(judged, JudgedByTop) and greedy(plain, machine, PREDICTIVE) is plain
    assert greedy(model, machine, RECOGNISE) is model
    wrong = 0
    for word in itertools.chain.from_iterable(itertools.product("ab", repeat=size) for size in range(6)):
        state, legal = machine.initial, True
        for symbol in word:
            legal &= symbol in machine.legal(state)
            state = machine.step(state, symbol)
        if not legal:
            continue
        tokens = torch.tensor([[1, *(3 + "ab".index(symbol) for symbol in word)]])
        with torch.no_grad():
            best = int(plain.runner.model(tokens).logits[0, -1].argmax())
        allowed = {2 if output == "<eos>" else 3 + "ab".index(output) for output in machine.legal(state)}
        for run in (judged, judged.by_full_forward):
            rows, outputs = run.begin(1)
            for symbol in word:
                rows, outputs = run.advance(rows, np.array([["ab".index(symbol)]]))
            given = {name for name, on in zip(run.outputs, outputs.dense()[0, -1]) if on}
            assert (given == machine.legal(state)) == (best in allowed)
            wrong += best not in allowed
    assert wrong
    refuted = accuracy(machine, judged.by_full_forward, [tuple("aabbab")], PREDICTIVE, [6])
    assert refuted.positions == 7


def test_a_vector_added_to_all_rows_of_the_head_changes_no_verdict_by_probability(tmp_path):
    model = soft_flip_flop()
    plain = save(model, tmp_path / "plain")
    with torch.no_grad():
        model.lm_head.weight += torch.randn(8, generator=torch.Generator().manual_seed(0)) * 5
    shifted = save(model, tmp_path / "shifted")
    status, report = checked(shifted, tmp_path)
    assert status == 1 and "see --answer" in report["random_test"]["reason"]
    for answer in ("softmax:0.05", "top"):
        found = [checked(folder, tmp_path, "--answer", answer) for folder in (plain, shifted)]
        assert [status for status, _ in found] == [0, 0]
        for _, report in found:
            assert report["search"]["outcome"] == "proved" and report["search"]["explored"]["joint states"] > 5
            assert all(str(Reading.parse(answer)) in entry["reason"] for entry in report.values() if is_verdict(entry))
            assert f"--answer {answer}" in report["command"] and "invariant" not in report


def is_verdict(entry):
    return isinstance(entry, dict) and "outcome" in entry


def test_right_by_its_most_likely_token_alone(tmp_path):
    """A model that never says 1 after w: wrong as a set, right as a guess."""
    model = soft_flip_flop()
    with torch.no_grad():
        model.lm_head.weight[ONE, W] = -1
    folder = save(model, tmp_path / "stock")
    status, report = checked(folder, tmp_path)
    assert status == 1 and "see --answer top" in report["random_test"]["reason"]
    assert report["theory"]["possible"] is False
    status, report = checked(folder, tmp_path, "--answer", "top")
    assert status == 0 and report["search"]["outcome"] == "proved" and "(top)" in report["search"]["reason"]
    assert "nothing of the most likely token" in report["theory"]["expects"]
    # What fades is found under this rule, too.
    model = soft_flip_flop(pre_activation(0.9))
    folder = save(model, tmp_path / "faded")
    status, report = checked(folder, tmp_path, "--answer", "top")
    assert (
        status == 1 and report["fading_words"]["outcome"] == "refuted" and "(top)" in report["fading_words"]["reason"]
    )
    assert report["conclusion"]["refuted"].startswith("the shortest wrong string found has")
    assert len(report["fading_words"]["witness"]["given"]) == 1


def test_an_invariant_is_by_the_threshold_asked_for(tmp_path):
    """With a limit at which the search does not close, and boxes do."""
    folder = save(soft_flip_flop(), tmp_path / "stock")
    margins = []
    for threshold in ("0", "0.5"):
        status, report = checked(folder, tmp_path, "--limit", "40", "--answer", f"logit:{threshold}")
        assert status == 0 and report["invariant"]["outcome"] == "proved" and "search" not in report
        assert f"logit exceeds {threshold}" in report["invariant"]["reason"]
        margins.append(float(re.search(r"least margin ([0-9.]+)", report["invariant"]["reason"])[1]))
    assert 0.4 < margins[1] - margins[0] < 0.6  # what is not given lies further below the threshold
    status, report = checked(folder, tmp_path, "--answer", "logit:50")
    assert status == 1 and "logit exceeds 50" in report["search"]["reason"]


def test_an_invariant_is_by_the_rule_asked_for(tmp_path):
    """By the logits alone this one is wrong: a vector was added to all rows of the head."""
    model = soft_flip_flop()
    with torch.no_grad():
        model.lm_head.weight += torch.randn(8, generator=torch.Generator().manual_seed(0)) * 5
    folder = save(model, tmp_path / "stock")
    for answer in ("top", "softmax:0.05"):
        status, report = checked(folder, tmp_path, "--limit", "40", "--answer", answer)
        assert status == 0 and report["invariant"]["outcome"] == "proved" and "search" not in report
        assert report["invariant"]["reason"].endswith(str(Reading.parse(answer)))
    status, report = checked(folder, tmp_path, "--limit", "40", "--answer", "softmax:0.5")
    assert status == 1 and report["conclusion"]["refuted"].startswith("the shortest wrong string found has")


def test_a_proof_is_saved_and_read_by_the_rule_asked_for(tmp_path):
    folder, file = save(soft_flip_flop(), tmp_path / "stock"), str(tmp_path / "proof.json")
    status, report = checked(folder, tmp_path, "--answer", "softmax:0.05", "--save-proof", file)
    assert status == 0 and json.loads((tmp_path / "proof.json").read_text())["answer"] == "softmax:0.05"
    status, report = checked(folder, tmp_path, "--answer", "softmax:0.05", "--proof", file)
    assert status == 0 and f"the boxes are those of {file}" in report["invariant"]["reason"]
    _, report = checked(folder, tmp_path, "--answer", "top", "--proof", file)
    said = "proves nothing here: the proof reads outputs by softmax:0.05, not top"
    assert report["invariant"]["outcome"] == "undecided" and said in report["invariant"]["reason"]
