"""The trained models beside the tests: some are proved at every length, some are wrong though few strings say so."""

import json

import numpy as np
import pytest
from trained_models import PROVED, TRAINED, WRONG, trained

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from automata.machine import EOS, PREDICTIVE  # noqa: E402
from automata.saved_language import saved_language  # noqa: E402
from constructions.mamba.reading import Reading  # noqa: E402
from constructions.mamba.surroundings import transformers_ready  # noqa: E402
from verify.checkpoints.opening import open_checkpoint  # noqa: E402
from verify.commands.check_checkpoint import run_alone  # noqa: E402
from verify.evidence.accuracy import accuracy  # noqa: E402
from verify.evidence.sampling import random_words  # noqa: E402
from verify.learned.fading import fading_words  # noqa: E402
from verify.learned.invariant import prove_running  # noqa: E402
from verify.training.folder import read_record  # noqa: E402

BYTES = 100_000


def opened(name):
    """The machine, and the model as it is run."""
    machine = saved_language(trained(name))[0].machine
    return machine, open_checkpoint(trained(name), machine.alphabet, (*machine.alphabet, EOS), Reading()).model


@pytest.fixture(autouse=True)
def quiet_transformers():
    with transformers_ready():
        yield


def test_every_model_is_here_small_and_says_how_it_was_trained():
    assert {path.name for path in TRAINED.iterdir()} == {*PROVED, *WRONG}
    for name in (*PROVED, *WRONG):
        assert (trained(name) / "model.safetensors").stat().st_size < BYTES
        record = read_record(trained(name))
        assert record.over and record.protocol.sharpen == ("-sharp" in name)
        config = json.loads((trained(name) / "config.json").read_text())
        assert config["num_hidden_layers"] == record.protocol.layers


LONGER = {"tomita-7-2-sharp"}
"""Whose proof takes longest, but for one of as many blocks."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONGER)) for name in PROVED])
def test_what_was_learned_is_proved_at_every_length(name):
    machine, model = opened(name)
    found = prove_running(model, machine, PREDICTIVE)
    assert found.status == "proved" and found.checked.boxes > 0
    words = list(random_words(machine, 20, 300, np.random.default_rng(0)))
    assert accuracy(machine, model.by_full_forward, words, PREDICTIVE, [300]).witness is None


@pytest.mark.parametrize("name", WRONG)
def test_what_was_not_learned_is_wrong_after_its_string_and_never_proved(name):
    machine, model = opened(name)
    word = WRONG[name]
    result = accuracy(machine, model.by_full_forward, [word], PREDICTIVE, [len(word)])
    assert result.witness is not None and len(result.witness.word) == len(word)
    assert prove_running(model, machine, PREDICTIVE, limit_steps=3_000).status != "proved"


def test_a_model_that_is_right_on_all_random_strings_to_1000_symbols_is_wrong_on_a_fading_word():
    machine, model = opened("flip-flop-long")
    every = enumerate(random_words(machine, 1500, 1000, np.random.default_rng(0)))
    words = [word for number, word in every if number % 3 == 0]
    assert max(map(len, words)) > 990
    assert accuracy(machine, model.by_full_forward, words, PREDICTIVE, [1000]).witness is None
    verdict = run_alone(machine, model, fading_words(machine, model, PREDICTIVE))
    assert verdict.outcome == "refuted" and list(verdict.witness.word) == WRONG["flip-flop-long"]
