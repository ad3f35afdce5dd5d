"""Sums whose order depends on the batch: what a search of many rows finds is claimed of one row only if it holds
there.
"""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.machine import EOS, PREDICTIVE  # noqa: E402
from constructions.mamba.huggingface import HuggingFaceRunner  # noqa: E402
from constructions.mamba.stepping import BATCH, SteppedMamba, Vocabulary  # noqa: E402
from constructions.mamba.surroundings import quiet  # noqa: E402
from verify.checkpoints.checkpoint_search import search_checkpoint  # noqa: E402
from verify.commands.check_checkpoint import run_alone  # noqa: E402
from verify.methods.bisimulation import bisimulation  # noqa: E402
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict, Witness  # noqa: E402

ONES = language("tomita-1").machine
"""1*: after every legal prefix a 1 or the end may follow."""

ZERO_TOKEN, ONE_TOKEN = 3, 4


@pytest.fixture(autouse=True)
def no_remarks(one_thread):
    with quiet():
        yield


def constant_model(size: int, seed: int):
    """A model whose residual stream is the same vector whatever it reads, and that vector after the last norm."""
    torch.manual_seed(seed)
    config = transformers.MambaConfig(
        vocab_size=5, hidden_size=size, num_hidden_layers=1, state_size=1, conv_kernel=2, tie_word_embeddings=False
    )
    model = transformers.MambaForCausalLM(config).eval()
    with torch.no_grad():
        model.backbone.embeddings.weight.copy_(torch.randn(size).expand(5, size))
        # Nothing is read and nothing is written, so that the caches never change.
        model.backbone.layers[0].mixer.in_proj.weight.zero_()
        model.backbone.layers[0].mixer.out_proj.weight.zero_()
        vector = model.backbone(torch.tensor([[1]])).last_hidden_state[0, 0]
        model.lm_head.weight.zero_()
        model.lm_head.weight[2] = vector
        model.lm_head.weight[ZERO_TOKEN] = -vector
    return model, vector


def stepped(model) -> SteppedMamba:
    vocabulary = Vocabulary(ONES.alphabet, (*ONES.alphabet, EOS), [ZERO_TOKEN, ONE_TOKEN], 1, 2)
    return SteppedMamba(HuggingFaceRunner(model), vocabulary)


def delicate_model(size: int, sign: int):
    """The logit of 1 is about 0: positive (times ``sign``) in the first row of a large batch, and not in a batch of
    one.
    """
    for seed in range(200):
        model, vector = constant_model(size, seed)
        with torch.no_grad():
            weight = torch.randn(size)
            rest = weight[:-1].double() @ vector[:-1].double()
            weight[-1] = -rest / vector[-1].double()
            model.lm_head.weight[ONE_TOKEN] = weight
            many = model(torch.ones(BATCH, 1, dtype=torch.int64)).logits[:2, 0, ONE_TOKEN]
            alone = model(torch.ones(1, 1, dtype=torch.int64)).logits[0, 0, ONE_TOKEN]
        if (sign * many > 0).all() and sign * alone < 0:
            return model
    pytest.skip("no sum was found whose order depends on the batch, on this machine")


@pytest.mark.parametrize("size", [10, 16, 17])
def test_what_holds_in_a_large_batch_only_is_refuted(size):
    model = delicate_model(size, 1)
    assert bisimulation(ONES, stepped(model), PREDICTIVE).outcome == PROVED
    verdict = search_checkpoint(ONES, stepped(model), PREDICTIVE, limit=1000)
    assert verdict.outcome == REFUTED and verdict.witness.word == () and verdict.witness.given == {EOS}
    assert "steps of 1 row" in verdict.reason and "256" not in verdict.reason


@pytest.mark.parametrize("size", [10, 17])
def test_what_fails_in_a_large_batch_only_is_not_held_against_one_string(size):
    model = delicate_model(size, -1)
    assert bisimulation(ONES, stepped(model), PREDICTIVE).outcome == REFUTED
    verdict = search_checkpoint(ONES, stepped(model), PREDICTIVE, limit=1000)
    assert verdict.outcome == PROVED and verdict.horizon is None
    assert "one string at a time" in verdict.reason and "steps of 1 row;" in verdict.reason


def test_a_refutation_is_run_again_alone():
    model, vector = constant_model(17, 0)
    verdict = search_checkpoint(ONES, stepped(model), PREDICTIVE, limit=1000)
    assert verdict.outcome == REFUTED and "steps of 256 rows, and wrong in steps of 1 row too" in verdict.reason


def test_a_refutation_by_strings_run_together_stands_when_one_alone_is_wrong_too():
    """Many strings together give another sum than one alone."""
    wrong = Witness((), frozenset({"1", EOS}), frozenset({EOS}))
    verdict = Verdict(REFUTED, "random strings", PREDICTIVE, "float32", {}, "1 disagreement", wrong)
    model, vector = constant_model(17, 0)
    assert run_alone(ONES, stepped(model), verdict) == verdict
    with torch.no_grad():
        model.lm_head.weight[ONE_TOKEN] = vector
    found = run_alone(ONES, stepped(model), verdict)
    assert found.outcome == UNDECIDED and found.witness is None and "depends on the batch" in found.reason


def test_a_search_that_gives_up_names_the_rows():
    model, vector = constant_model(17, 0)
    with torch.no_grad():
        model.lm_head.weight[ONE_TOKEN] = vector
    verdict = search_checkpoint(ONES, stepped(model), PREDICTIVE, limit=0)
    assert verdict.outcome == UNDECIDED and "steps of 256 rows" in verdict.reason
