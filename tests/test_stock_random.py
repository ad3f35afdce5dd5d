"""Stock targets on random star-free automata, and with random weights corrupted, against all short strings."""

import dataclasses
from itertools import product

import numpy as np
import pytest

from automata.algebra.aperiodic import membership_cycle
from automata.catalogue import language
from automata.dfa import DFA
from automata.machine import PREDICTIVE, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL
from constructions.stock.target import StockTarget
from constructions.target import TARGETS
from verify.claim import Claim
from verify.proving import prove_claim

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

STOCK = [name for name in TARGETS if isinstance(TARGETS.named(name), StockTarget)]

LONGEST = 6
"""Of the strings that are all tried."""


def random_star_free(rng, most):
    """A minimal star-free automaton of two letters, of two states or more."""
    while True:
        states = int(rng.integers(2, most + 1))
        accepting = np.flatnonzero(rng.random(states) < 0.5).tolist()
        dfa = DFA("ab", rng.integers(0, states, (states, 2)).tolist(), accepting).minimise()
        if dfa.states > 1 and membership_cycle(dfa) is None:
            return dfa


def proved(machine, mode, target, corrupt=lambda weights: weights, limit=20_000):
    """The verdict, and whether single steps are wrong on some string of up to LONGEST symbols."""
    construction = compile(machine, mode, target=target)
    built = build(construction, target)
    weights = corrupt(built.weights)
    with dataclasses.replace(built, weights=weights).running() as model:
        verdict = prove_claim(Claim(machine, mode, model, weights, construction, limit))
        return verdict, mode == RECOGNISE and wrong(machine, model.runner, weights.architecture.most_rows)


def wrong(machine, runner, rows):
    """Whether a string of up to LONGEST symbols is accepted wrongly: all of them, stepped one symbol at a time."""
    words = np.array(list(product(range(len(machine.alphabet)), repeat=LONGEST)))
    with torch.no_grad():
        for part in torch.from_numpy(words).split(rows or len(words)):
            steps = [runner.start(torch.full((len(part), 1), BOS_TOKEN))]
            steps += [runner.step(FIRST_SYMBOL + part[:, [place]]) for place in range(LONGEST)]
            for length, logits in enumerate(steps):
                expected = [
                    machine.accepts_word([machine.alphabet[i] for i in word[:length]]) for word in part.tolist()
                ]
                if (logits[:, EOS_TOKEN] > 0).tolist() != expected:
                    return True
    return False


@pytest.mark.parametrize("target", STOCK)
def test_two_random_automata(target):
    rng = np.random.default_rng(sum(map(ord, target)))
    for _ in range(2):
        assert proved(random_star_free(rng, 3), PREDICTIVE, target)[0].outcome == "proved"


@pytest.mark.slow
@pytest.mark.parametrize("target", STOCK)
def test_sixty_random_automata(target):
    rng = np.random.default_rng(60)
    for number in range(60):
        dfa = random_star_free(rng, 6)
        verdict, wrongly = proved(dfa, RECOGNISE if number % 6 == 0 and dfa.states <= 3 else PREDICTIVE, target)
        assert verdict.outcome == "proved" and not wrongly, (number, dfa.table, verdict)


def corrupted(rng):
    """One nonzero weight negated, doubled or set to 0."""

    def corrupt(weights):
        names = sorted(name for name, tensor in weights.tensors.items() if tensor.any())
        name = names[int(rng.integers(len(names)))]
        tensor = weights.tensors[name].copy()
        places = np.argwhere(tensor)
        place = tuple(places[int(rng.integers(len(places)))])
        tensor[place] *= (-1, 0, 2)[int(rng.integers(3))]
        return dataclasses.replace(weights, tensors={**weights.tensors, name: tensor})

    return corrupt


def agree(target, count, seed):
    """The outcomes of corrupted models, each of which is refuted by a short string exactly where one is wrong."""
    rng, seen = np.random.default_rng(seed), set()
    for _ in range(count):
        verdict, wrongly = proved(language("tomita-1").machine, RECOGNISE, target, corrupted(rng), limit=500)
        short = verdict.outcome == "refuted" and len(verdict.witness.word) <= LONGEST
        assert short == wrongly, (verdict, wrongly)
        seen.add(verdict.outcome)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("target", STOCK)
def test_forty_corrupted_models(target):
    assert {"proved", "refuted"} <= agree(target, 40, 1)


def test_some_corrupted_models():
    assert "refuted" in agree("qwen3_next", 8, 3)
