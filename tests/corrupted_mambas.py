"""Damaged copies of a trained Mamba, and a look at whether they are right that owes nothing to any proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from automata.machine import PREDICTIVE
from verify.learned.fading import fading_words
from verify.learned.part import part_of
from verify.verdict import REFUTED

FACTORS = (0.0, -1.0, 0.5, 1.5, 2.0, 10.0, 100.0)


def damage(model: Any, seed: int) -> str:
    """Changes the weights of a stock model in place; says how."""
    rng = np.random.default_rng(seed)
    named = dict(model.named_parameters())
    names = sorted(named)
    name = names[rng.integers(len(names))]
    kind, block = seed % 8, rng.integers(sum(name.endswith(".mixer.A_log") for name in names))
    with torch.no_grad():
        tensor = named[name]
        if kind == 0:
            size = 10 ** rng.uniform(-4, -0.3)
            for each in names:
                noise = torch.from_numpy(rng.standard_normal(tuple(named[each].shape)).astype(np.float32))
                named[each].add_(size * noise * named[each].abs().mean())
            return f"noise of {size:.2g}"
        if kind == 1:
            flat, factor = tensor.view(-1), FACTORS[rng.integers(len(FACTORS))]
            flat[rng.integers(len(flat))] *= factor
            return f"a number of {name} times {factor}"
        if kind == 2:
            tensor[rng.integers(len(tensor))] = 0
            return f"a row of {name} is 0"
        if kind == 3:
            first, second = rng.integers(len(tensor), size=2)
            tensor[[first, second]] = tensor[[second, first]]
            return f"two rows of {name} change places"
        if kind == 4:  # the step sizes: gates that held no longer do, or hold what they should not
            bias = named[f"backbone.layers.{block}.mixer.dt_proj.bias"]
            bias[rng.integers(len(bias))] += float(rng.choice([-30, -3, -1, 1, 3, 30]))
            return "a step size"
        if kind == 5:  # gates just below 1
            rates = named[f"backbone.layers.{block}.mixer.A_log"]
            rates += float(rng.uniform(-12, 3))
            return "all rates of a block"
        if kind == 6:  # how all strings begin, alone
            row = named["backbone.embeddings.weight"][1]
            row += torch.from_numpy((rng.standard_normal(len(row)) * rng.choice([0.1, 1, 3])).astype(np.float32))
            return "the embedding of the beginning"
        flat = tensor.view(-1)
        flat[rng.integers(len(flat))] = float(rng.choice([1e-30, -1e4, 1e10, 1e25]))
        return f"an extreme number in {name}"


def all_strings(machine: Any, length: int) -> tuple[np.ndarray, np.ndarray]:
    """All legal strings of up to so many symbols as prefixes of rows: places in the alphabet, and states, -1 beyond an
    end.
    """
    part = part_of(machine, PREDICTIVE, 1000)
    symbols, states = np.zeros((1, 0), dtype=np.int64), np.zeros((1, 1), dtype=np.int64)
    for _ in range(length):
        last = states[:, -1]
        followed = (part.next[last] >= 0) & (last >= 0)[:, None]
        rows, chosen = np.nonzero(followed)
        ended = np.flatnonzero(~followed.any(1))
        nothing = np.full(len(ended), -1)
        symbols = np.concatenate(
            [np.column_stack([symbols[rows], chosen]), np.column_stack([symbols[ended], np.zeros(len(ended), "i8")])]
        )
        after = np.column_stack([states[rows], part.next[last[rows], chosen]])
        states = np.concatenate([after, np.column_stack([states[ended], nothing])])
    return symbols, states


def long_strings(machine: Any, count: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random legal strings, each with letters as often as it likes, in the same form."""
    rng, part = np.random.default_rng(seed), part_of(machine, PREDICTIVE, 1000)
    weights = rng.lognormal(0, 2.0, (count, len(part.alphabet)))
    symbols, states = np.zeros((count, length), dtype=np.int64), np.zeros((count, length + 1), dtype=np.int64)
    for place in range(length):
        last = states[:, place]
        odds = weights * (part.next[last] >= 0) * (last >= 0)[:, None]
        going = odds.sum(1) > 0
        total = odds.cumsum(1)
        chosen = (rng.random((count, 1)) * total[:, -1:] >= total).sum(1).clip(0, len(part.alphabet) - 1)
        symbols[:, place] = np.where(going, chosen, 0)
        states[:, place + 1] = np.where(going, part.next[last, symbols[:, place]], -1)
    return symbols, states


def is_wrong(stepped: Any, machine: Any, strings: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether the stock model's full forward is wrong after some prefix."""
    symbols, states = strings
    part = part_of(machine, PREDICTIVE, 1000)
    order = [stepped.alphabet.index(symbol) for symbol in part.alphabet]
    expected = np.array([[output in given for output in stepped.outputs] for given in part.expected])
    tokens = np.concatenate(
        [np.full((len(symbols), 1), stepped.vocabulary.bos), stepped.vocabulary.tokens[order][symbols]], axis=1
    )
    for first in range(0, len(tokens), 4096):
        rows = slice(first, first + 4096)
        with torch.no_grad():
            logits = stepped.runner.logits(torch.from_numpy(tokens[rows])).numpy()
        given = logits[:, :, stepped.vocabulary.answers] > 0
        if ((given != expected[states[rows]]) & (states[rows] >= 0)[:, :, None]).any():
            return True
    return False


def is_wrong_on_fading_words(stepped: Any, machine: Any, symbols: int) -> bool:
    return fading_words(machine, stepped.with_batch(64), PREDICTIVE, symbols=symbols).outcome == REFUTED
