"""Words that count further than a coarse float does, and back again: there a model that is not proved may be wrong."""

from __future__ import annotations

from itertools import product
from typing import Iterator

from automata.machine import RECOGNISE, Machine
from constructions.ssm.weights import SSM

_FARTHEST = 1 << 12
"""Integers beyond this are not counted up to, one symbol at a time: of the floats, float16 alone is so coarse."""

_SYMBOLS, _LONGEST_PREFIX = 8, 3


def far_words(machine: Machine, ssm: SSM) -> Iterator[tuple[str, ...]]:
    """One symbol until counters are past what a float counts exactly, then another one for as long.

    From the start, and for a recogniser after a violation.  Nothing where the arithmetic counts far.  O(symbols^2)
    words, of the first few symbols of a large alphabet.
    """
    if not ssm.arithmetic.is_float or ssm.arithmetic.limit > _FARTHEST:
        return
    symbols, times = machine.alphabet[:_SYMBOLS], ssm.arithmetic.limit + 2
    for start in ((), _violation(machine, symbols)) if ssm.mode == RECOGNISE else ((),):
        for up, down in product(symbols, repeat=2):
            yield (*start, *[up] * times, *[down] * (times + len(start)))


def _violation(machine: Machine, symbols: tuple[str, ...]) -> tuple[str, ...]:
    """A short prefix that no word has; empty when there is none."""
    for length in range(1, _LONGEST_PREFIX + 1):
        for word in product(symbols, repeat=length):
            state = machine.initial
            for symbol in word:
                state = machine.step(state, symbol)
            if state is None:
                return word
    return ()
