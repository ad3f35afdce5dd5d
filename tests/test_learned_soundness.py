"""No damaged model stays proved that is wrong somewhere: all strings up to a length, long ones, fading words."""

from collections import Counter

import pytest
from learned_models import machine_of, opened, trained

from automata.machine import PREDICTIVE
from verify.learned.invariant import prove_running

pytest.importorskip("torch")
pytest.importorskip("transformers")

from corrupted_mambas import all_strings, damage, is_wrong, is_wrong_on_fading_words, long_strings  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

MODELS = {
    "flip-flop-sharp": "flip-flop",
    "flip-flop-n16-sharp": "flip-flop",
    "d-2-sharp": "d-2",
    "tomita-4": "tomita-4",
    "tomita-7-sharp": "tomita-7",
    "d-2-2-sharp": "d-2",
    "abstar-d-bcstar-2-sharp": "{a,b}*d{b,c}*",
}
"""The last two have two blocks; others of two blocks take ten times as many steps for each proof."""

STEPS, MORE_STEPS = 6_000, {"d-2-2-sharp": 12_000, "abstar-d-bcstar-2-sharp": 12_000}
"""Allowed for a proof: what that of the model itself takes, and some more."""


def tally(name: str, seeds: range, length: int, count: int, symbols: int) -> Counter:
    """What became of damaged models; asserts that those proved are right wherever they are looked at."""
    machine, folder = machine_of(MODELS[name]), trained(name)
    short = all_strings(machine, length)
    found: Counter = Counter()
    for seed in seeds:
        stepped = opened(folder, machine)
        how = damage(stepped.runner.model, seed)
        outcome = prove_running(stepped, machine, PREDICTIVE, limit_steps=MORE_STEPS.get(name, STEPS))
        wrong = is_wrong(stepped, machine, short)
        if not wrong:
            wrong = is_wrong(stepped, machine, long_strings(machine, count, 150, seed))
            wrong = wrong or is_wrong_on_fading_words(stepped, machine, symbols)
        found[outcome.status, "wrong" if wrong else "right"] += 1
        assert not (outcome.status == "proved" and wrong), (name, seed, how)
        assert not (outcome.status == "refuted" and not is_wrong_after(stepped, machine, outcome.word)), (seed, how)
    return found


def is_wrong_after(stepped, machine, word) -> bool:
    """Whether the stock model is wrong after this very string."""
    from verify.evidence.sampling import check_words

    return check_words(machine, stepped.by_full_forward, [word], PREDICTIVE).outcome == "refuted"


def test_a_few_damaged_models():
    found = tally("tomita-7-sharp", range(16), 10, 200, 100) + tally("flip-flop-sharp", range(16, 24), 8, 200, 100)
    assert found["proved", "right"] >= 6 and sum(found[outcome, "wrong"] for outcome in ("refuted", "undecided")) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 84, 14))
@pytest.mark.parametrize("name", MODELS)
def test_588_damaged_models(name, first):
    found = tally(name, range(first, first + 14), 12, 2_000, 400)
    print(f"\ndamaged {name}: {dict(found)}")
    right = sum(found[outcome, "right"] for outcome in ("proved", "undecided"))
    assert found["proved", "right"] >= 0.5 * right
