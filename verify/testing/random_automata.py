"""Seeded random automata, for tests that do not shrink: any, aperiodic ones, and ones whose letters keep an order."""

from __future__ import annotations

from typing import Iterator

import numpy as np

from automata.dfa import DFA
from verify.testing.brute_force import aperiodic_by_brute_force


def random_automata(count: int, states: tuple[int, int], letters: tuple[int, int], seed: int) -> Iterator[DFA]:
    """Automata with every transition drawn uniformly and a random accepting set; ranges include both ends."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n, k = int(rng.integers(states[0], states[1] + 1)), int(rng.integers(letters[0], letters[1] + 1))
        accepting = [q for q in range(n) if rng.integers(2)]
        yield DFA("abcdefgh"[:k], rng.integers(n, size=(n, k)), accepting, int(rng.integers(n)))


def random_aperiodic(count: int, states: tuple[int, int], letters: tuple[int, int], seed: int) -> list[DFA]:
    """The first ``count`` random automata that are aperiodic by brute force."""
    found: list[DFA] = []
    for dfa in random_automata(1000 * count, states, letters, seed):
        if aperiodic_by_brute_force(dfa):
            found.append(dfa)
            if len(found) == count:
                return found
    raise AssertionError("too few aperiodic automata among the random ones")


def random_order_preserving(count: int, states: tuple[int, int], letters: int, seed: int) -> Iterator[DFA]:
    """Automata whose letters are order-preserving maps: aperiodic, and far from random ones in structure."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        n = int(rng.integers(states[0], states[1] + 1))
        table = np.sort(rng.integers(n, size=(n, letters)), axis=0)
        yield DFA("abcdefgh"[:letters], table, [q for q in range(n) if rng.integers(2)], int(rng.integers(n)))
