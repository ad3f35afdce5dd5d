"""Long words of counter languages: up to high counter values and all the way down again.

A walk along uniformly drawn legal symbols soon completes a^n b^n, or a Boolean expression, and never counts far.  So
these walks climb first, taking the symbols that raise the counters most, and descend after a turning point.
"""

from __future__ import annotations

from typing import Iterator

import numpy as np

from automata.machine import EOS
from automata.machines.counter_machine import CounterMachine

_WANDERING = 0.3
"""Every other word takes this part of its symbols at random."""


def long_words(machine: CounterMachine, count: int, length: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """``count`` words of at most ``length`` symbols, complete where that is enough; every third one has one symbol
    changed.

    >>> from automata.machines.counter_machine import counter_machine
    >>> ["".join(word) for word in long_words(counter_machine("anbn"), 2, 12, np.random.default_rng(1))]
    ['aaaabbbb', 'aaabbb']
    """
    raises = {move.symbol: sum(move.add) for move in machine.moves}
    # Going down takes as many symbols for each one on the way up as a symbol raises, or as there are runs to match.
    parts = 1 + max(machine.fastest, len(machine.controls) - 2)
    for number in range(count):
        turn = int(rng.integers(length // (2 * parts), length // parts + 1))
        wandering = _WANDERING * (number % 2)
        word = list(_walk(machine, raises, length, turn, wandering, rng))
        if number % 3 == 2 and word:
            word[int(rng.integers(len(word)))] = str(rng.choice(machine.alphabet))
        yield tuple(word)


def _walk(
    machine: CounterMachine, raises: dict[str, int], length: int, turn: int, wandering: float, rng
) -> Iterator[str]:
    state = machine.initial
    choices: dict[tuple[frozenset[str], bool], tuple[list[str], list[str]]] = {}
    for place, (chance, draw) in enumerate(rng.random((length, 2)).tolist()):
        legal = machine.legal(state)
        climbing = place < turn
        if (legal, climbing) not in choices:
            symbols = sorted(legal - {EOS})
            best = (max if climbing else min)([raises[symbol] for symbol in symbols], default=0)
            choices[legal, climbing] = symbols, [symbol for symbol in symbols if raises[symbol] == best]
        symbols = choices[legal, climbing][chance >= wandering]
        if not symbols:
            return
        if not climbing and EOS in legal:
            return
        symbol = symbols[int(draw * len(symbols))]
        yield symbol
        after = machine.step(state, symbol)
        assert after is not None, "a legal symbol leads on"
        state = after
