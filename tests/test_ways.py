"""What a verdict says of each way to run a model: which are proved, which are only run, and which are wrong."""

import json

import pytest

from automata.catalogue import language
from constructions.build import build
from constructions.compile.compiler import compile
from verify.__main__ import main
from verify.claim import Claim
from verify.proving import prove_claim

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


def proved(target, name="tomita-4", mode="recognise", broken=lambda runner: None):
    """The verdict on a model whose runner was changed."""
    machine = language(name).machine
    construction = compile(machine, mode, target=target)
    built = build(construction, target)
    with built.running() as model:
        broken(model.runner)
        return prove_claim(Claim(machine, mode, model, built.weights, construction, 20_000))


def ways(verdict):
    return {way.name: way for way in verdict.ways}


def later(function, change):
    """The function, its result changed where more than one token is read."""
    return lambda tokens: change(function(tokens)) if tokens.shape[1] > 1 else function(tokens)


def test_what_is_proved_and_what_is_tested_is_said():
    verdict = proved("gru")
    assert verdict.outcome == "proved"
    assert {name: way.outcome for name, way in ways(verdict).items()} == {
        "single steps": "proved",
        "prefill": "tested",
        "full forward": "tested",
        "in pieces": "tested",
    }
    assert ways(verdict)["full forward"].reason == (
        "the same bits as single steps, on 3 strings of up to 66 symbols: not proved"
    )
    assert "only tested: prefill, full forward, in pieces" in verdict.reason
    assert "full forward</th><td>tested: the same bits" in verdict._repr_html_()


def test_a_full_forward_that_is_wrong_refutes_though_the_steps_are_proved():
    def broken(runner):
        runner.logits = later(runner.logits, lambda logits: -logits)

    verdict = proved("gru", broken=broken)
    assert verdict.outcome == "refuted" and verdict.witness.word == () and "single decoding steps" in verdict.reason
    assert ways(verdict)["full forward"].outcome == "refuted" and ways(verdict)["prefill"].outcome == "tested"


def test_a_prefill_that_is_wrong_refutes_though_the_steps_are_proved():
    def broken(runner):
        runner.start = later(runner.start, lambda logits: -logits)

    verdict = proved("gru", broken=broken)
    assert verdict.outcome == "refuted" and len(verdict.witness.word) == 1
    assert ways(verdict)["prefill"].outcome == "refuted" and ways(verdict)["full forward"].outcome == "tested"


def test_a_prefill_that_leaves_another_state_is_followed_to_where_it_is_wrong():
    def broken(runner):
        def lost(logits):
            for tensor in runner.caches()[0]:
                tensor.zero_()
            return logits

        runner.start = later(runner.start, lost)

    verdict = proved("gru", broken=broken)
    assert verdict.outcome == "refuted" and len(verdict.witness.word) > 1
    assert ways(verdict)["prefill"].outcome == "refuted"


def test_other_numbers_with_the_same_outputs_are_no_refutation():
    def broken(runner):
        runner.logits = later(runner.logits, lambda logits: logits * 2)

    verdict = proved("gru", broken=broken)
    assert verdict.outcome == "proved"
    found = ways(verdict)["full forward"]
    assert (found.outcome, found.strings, found.same) == ("tested", 3, 0)
    assert found.reason.startswith("the same outputs, on 0 of them the same bits")


def test_numbers_that_are_none_are_not_the_same():
    def broken(runner):
        runner.logits = later(runner.logits, lambda logits: logits * float("nan"))

    assert proved("gru", broken=broken).outcome == "refuted"


@pytest.mark.parametrize("target", ["falcon_mamba", "jamba", "recurrent_gemma"])
def test_where_the_library_forgets_when_it_reads_on_with_several_tokens_the_verdict_says_so(target):
    """Their scans, or their convolutions, begin anew where more than one token is read, whatever the cache holds."""
    verdict = proved(target)
    found = ways(verdict)["in pieces"]
    assert verdict.outcome == "proved" and found.outcome == "refuted" and found.reason.startswith("wrong on ")
    assert verdict.reason.endswith("proved: single steps; only tested: prefill, full forward")


def test_of_a_mamba_the_certificate_proves_prefill_and_full_forward():
    found = ways(proved("mamba"))
    outcomes = [found[name].outcome for name in ("single steps", "prefill", "full forward", "in pieces")]
    assert outcomes == ["proved", "proved", "proved", "undecided"]
    assert "by the certificate of" in found["prefill"].reason


def test_the_report_and_its_json_have_the_ways(tmp_path, capsys):
    folder, report = str(tmp_path / "model"), tmp_path / "report.json"
    assert main(["export", "tomita-1", "--target", "gru", "--to", folder, "--strings", "3", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["check", folder, "--strings", "3", "--bins", "20", "--json", str(report)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "single steps proved: every length" in said
    found = json.loads(report.read_text())["search"]["ways"]
    assert [(way["name"], way["outcome"], way["strings"]) for way in found] == [
        ("single steps", "proved", None),
        ("prefill", "tested", 3),
        ("full forward", "tested", 3),
        ("in pieces", "tested", 1),
    ]
