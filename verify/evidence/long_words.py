"""Long words of counter languages: up to high counter values and all the way down again.

A walk along uniformly drawn legal symbols soon completes a^n b^n, or a Boolean expression, and never counts far.  So
these walks climb first, taking the symbols that raise the counters most, and descend after a turning point.
"""

from __future__ import annotations

from typing import Iterator

import numpy as np

from automata.machine import EOS
from automata.machines.counter_machine import CounterMachine
from verify.evidence.long_runs import LongRun

_WANDERING = 0.3
"""Every other word takes this part of its symbols at random."""


def long_words(machine: CounterMachine, count: int, length: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """``count`` words of at most ``length`` symbols, by their places in the alphabet, complete where that is enough;
    every third one has one symbol changed.

    >>> from automata.machines.counter_machine import counter_machine
    >>> [word.tolist() for word in long_words(counter_machine("anbn"), 2, 12, np.random.default_rng(1))]
    [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1]]
    """
    # Going down takes as many symbols for each one on the way up as a symbol raises, or as there are runs to match.
    k, parts = len(machine.alphabet), 1 + max(machine.fastest, len(machine.controls) - 2)
    for number in range(count):
        turn = int(rng.integers(length // (2 * parts), length // parts + 1))
        word = np.concatenate(
            [np.zeros(0, dtype=np.intp), *_walk(machine, length, turn, _WANDERING * (number % 2), rng)]
        )
        if number % 3 == 2 and len(word) and k > 1:
            place = rng.integers(len(word))
            word[place] = (word[place] + rng.integers(1, k)) % k
        yield word


def _walk(machine: CounterMachine, length: int, turn: int, wandering: float, rng) -> Iterator[np.ndarray]:
    """The word, a part at a time: symbols are drawn as if the machine's view stayed, and kept as far as it does."""
    run, place = LongRun(machine), 0
    raises = {move.symbol: sum(move.add) for move in machine.moves}
    rises = np.array([raises.get(symbol, 0) for symbol in machine.alphabet])
    while place < length:
        climbing = place < turn
        legal = run.view.allowed.nonzero()[0]
        if not len(legal) or (not climbing and EOS in run.view.legal):
            return
        part = min(run.ahead, (turn if climbing else length) - place)
        best = legal[rises[legal] == (max if climbing else min)(rises[legal])]
        drawn = best[rng.integers(len(best), size=part)]
        wanders = rng.random(part) < wandering
        drawn[wanders] = legal[rng.integers(len(legal), size=int(wanders.sum()))]
        read = run.read(drawn)
        yield drawn[:read]
        place += read
