"""Words of a counter language that reach a failed obligation and bring it to light.

A word to the failing machine state is looked for by best-first search, nearest counters first; the step is taken; then
the word is completed, overdone, or walked on at random.
"""

from __future__ import annotations

import heapq
from itertools import islice
from typing import Callable, Iterator

import numpy as np

from automata.machine import EOS
from automata.machines.counter_machine import Configuration, CounterMachine
from verify.methods.induction.counter_obligations import CounterFailure

_FAILURES_TRIED = 24
_STATES_SEARCHED = 20_000
_WALK = 40


def counter_words(machine: CounterMachine, failures: list[CounterFailure], seed: int = 0) -> Iterator[tuple[str, ...]]:
    """Words that reach the failures, each with several ways on."""
    rng = np.random.default_rng(seed)
    for failure in islice(failures, _FAILURES_TRIED):
        start: list[str] | None
        if failure.control is None:
            start = _dead_prefix(machine, failure)
        else:
            start = _path(machine, machine.initial, lambda state: _distance(state, failure))
        if start is None:
            continue
        word = [*start, failure.symbol] if failure.symbol in machine.alphabet else start
        yield tuple(word)
        state: Configuration | None = machine.initial
        for symbol in word:
            state = machine.step(state, symbol)
        if state is not None:
            completion = _path(machine, state, lambda s: 0 if machine.accepts(s) else 1 + sum(s[1]))
            for last in ((), *zip(machine.alphabet)):
                yield (*word, *(completion or ()), *last)
        for _ in range(4):
            yield (*word, *_walk(machine, state, rng))
        for _ in range(4):
            yield (*word, *rng.choice(machine.alphabet, _WALK).tolist())


def _distance(state: Configuration, failure: CounterFailure) -> int:
    return sum(abs(value - wanted) for value, wanted in zip(state[1], failure.counters)) + (state[0] != failure.control)


def _path(machine: CounterMachine, start: Configuration, distance: Callable[[Configuration], int]) -> list[str] | None:
    """A word from a live state to a state at distance 0, if best-first search finds one."""
    queue: list[tuple[int, int, Configuration, tuple | None]] = [(distance(start), 0, start, None)]
    seen = {start}
    while queue and len(seen) < _STATES_SEARCHED:
        left, _, state, history = heapq.heappop(queue)
        if left == 0:
            word: list[str] = []
            while history is not None:
                history, symbol = history
                word.append(symbol)
            return word[::-1]
        for symbol in machine.alphabet:
            following = machine.step(state, symbol)
            if following is not None and following not in seen:
                seen.add(following)
                heapq.heappush(queue, (distance(following), len(seen), following, (history, symbol)))
    return None


def _dead_prefix(machine: CounterMachine, failure: CounterFailure) -> list[str]:
    """A dead prefix after which the model's counters are near those wanted: every symbol moves them, dead or not."""
    effects: dict[str, tuple[int, ...]] = {}
    for move in machine.moves:
        effects.setdefault(move.symbol, move.add)
    counters = list(machine.initial[1])
    word: list[str] = []
    state: Configuration | None = machine.initial

    def take(symbol: str) -> None:
        nonlocal state, counters
        word.append(symbol)
        state = machine.step(state, symbol)
        counters = [value + amount for value, amount in zip(counters, effects[symbol])]

    for _ in range(8):
        if state is None:
            break
        take(next((s for s in machine.alphabet if machine.step(state, s) is None), machine.alphabet[-1]))
    for _ in range(64):
        steps = {
            symbol: sum(abs(v + a - w) for v, a, w in zip(counters, amounts, failure.counters))
            for symbol, amounts in effects.items()
        }
        best = min(steps, key=steps.__getitem__)
        if steps[best] >= sum(abs(v - w) for v, w in zip(counters, failure.counters)):
            break
        take(best)
    return word


def _walk(machine: CounterMachine, state: Configuration | None, rng: np.random.Generator) -> list[str]:
    word: list[str] = []
    for draw in rng.random(_WALK):
        symbols = sorted(machine.legal(state) - {EOS})
        if not symbols:
            break
        word.append(symbols[int(draw * len(symbols))])
        state = machine.step(state, word[-1])
    return word
