"""Where a Mamba ends up under u w w w … s: the closed form against runs, and strings that are wrong only very late."""

import numpy as np
import pytest

pytest.importorskip("transformers")

import torch  # noqa: E402

from automata.catalogue import language  # noqa: E402
from automata.machine import PREDICTIVE  # noqa: E402
from automata.machines.flip_flop import FlipFlopMachine  # noqa: E402
from constructions.mamba.huggingface import random_model  # noqa: E402
from tests.soft_flip_flop import pre_activation, soft_flip_flop, stepped  # noqa: E402
from verify.learned.conclusion import conclusion, status  # noqa: E402
from verify.learned.horizon import predicted  # noqa: E402
from verify.learned.limits import Limit, _Numbers, limits, run_to_limits, sentence  # noqa: E402
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED, Verdict, Witness  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

MACHINE = FlipFlopMachine()


@pytest.mark.parametrize("seed", range(4))
def test_the_closed_form_is_what_long_runs_tend_to(seed):
    """Of two layers with random weights, in float64, for words of every short length, with and without an ending."""
    model = random_model(("a", "b", "c"), ("a", "b", "c", "<eos>"), seed).runner.model.double()
    with torch.no_grad():
        for block in model.backbone.layers:  # so that 1000 repetitions come to rest
            block.mixer.dt_proj.weight.mul_(0.02)
            block.mixer.dt_proj.bias.clamp_(min=0)
            block.mixer.A_log.clamp_(min=1)
    rng = np.random.default_rng(seed)
    numbers = _Numbers(model)
    for period in (1, 2, 3, 5):
        for ending in (0, 2):
            word = rng.integers(3, 6, period + ending)
            u = rng.integers(3, 6, 4)
            run = np.concatenate([[1], u, np.tile(word[:period], 1000), word[period:]])
            with torch.no_grad():
                logits = model(torch.from_numpy(run)[None]).logits[0, -1].numpy()
            blank = [np.zeros((1, layer.inner, layer.state)) for layer in numbers.layers]
            settled, kept = numbers.settled(word[None], period, blank)
            assert 0 < kept[0] and kept[0] ** 1000 < 1e-6
            assert np.allclose(settled[0], logits, rtol=1e-5, atol=1e-5)


def test_what_is_held_stays_in_the_limit():
    found = limits(MACHINE, stepped(soft_flip_flop()), PREDICTIVE)
    assert len(found) > 40 and not any(limit.wrong for limit in found)
    assert "all are right" in sentence(found)
    faded = limits(MACHINE, stepped(soft_flip_flop(pre_activation(0.9))), PREDICTIVE)
    wrong = [limit for limit in faded if limit.wrong]
    assert wrong and all(limit.u[:2] in (("w", "0"), ("w", "1")) for limit in wrong)
    assert len(faded) == len(found) and "wrong" in sentence(faded)


def test_a_wrong_limit_is_run_until_it_shows():
    model = stepped(soft_flip_flop(pre_activation(0.998)))
    found = limits(MACHINE, model, PREDICTIVE)
    verdict = run_to_limits(MACHINE, stepped(model.runner.model), PREDICTIVE, found)
    assert verdict.outcome == REFUTED and 3_000 < len(verdict.witness.word) < 8_000
    assert verdict.explored["wrong in the limit"] == sum(limit.wrong for limit in found)


def test_a_limit_that_floats_do_not_reach_refutes_nothing():
    model = stepped(soft_flip_flop())
    claimed = [Limit(("w", "0"), ("i", "1"), ("r",), True, 0.5)]
    verdict = run_to_limits(MACHINE, model, PREDICTIVE, claimed)
    assert verdict.outcome == UNDECIDED and "may never be reached" in verdict.reason


def test_endings_are_those_that_may_follow():
    machine = language("d-2").machine
    model = random_model(("a", "b"), ("a", "b", "<eos>"), 0)
    for limit in limits(machine, model.with_batch(16), PREDICTIVE):
        state = machine.initial
        for symbol in (*limit.u, *limit.w, *limit.s):
            assert symbol in machine.legal(state)
            state = machine.step(state, symbol)


def verdict(outcome, word=None, **more):
    witness = None if word is None else Witness(tuple(word), frozenset(), frozenset("a"))
    return Verdict(outcome, f"method of {outcome}", PREDICTIVE, "float32", {"states": 3}, "r", witness, **more)


def test_conclusions():
    proved, open_, tested = verdict(PROVED), verdict(UNDECIDED), verdict(TESTED)
    long, short = verdict(REFUTED, "abab"), verdict(REFUTED, "ab")
    assert status([tested, open_, proved]) == 0 and status([tested, open_]) == 3 and status([tested]) == 0
    assert status([proved, long]) == 1
    assert conclusion([tested, long, short, open_]).keys() == {"refuted"}
    assert "has 2 symbols" in conclusion([tested, long, short])["refuted"]
    assert conclusion([tested, open_, proved])["proved"].startswith("every length, in float32")
    assert conclusion([verdict(PROVED, horizon=7)])["proved"].startswith("up to 7 symbols")
    assert conclusion([tested, open_], "gates").items() >= {"predicted": "gates", "stopped": "r"}.items()


def test_predictions():
    assert predicted([0.5, 0.98]) == "gates at most 0.98: no state repeats; what is held fades after about 824 symbols"
    assert "gates at most 1 - 1e-06" in predicted([1 - 1e-6])
    assert "exactly 1" in predicted([0.5, 1.0])
