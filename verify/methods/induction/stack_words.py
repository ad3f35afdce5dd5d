"""Words of bounded Dyck that reach a failed obligation and bring it to light.

They fill the cells that matter (also those above the depth, which are then stale), take the step, and go on so that
every cell is closed again, rightly or wrongly.
"""

from __future__ import annotations

from itertools import islice
from typing import Iterator

import numpy as np

from automata.machines.bounded_dyck import DyckMachine, Stack
from verify.methods.induction.stack_obligations import StackFailure

_FAILURES_TRIED = 16


def stack_words(machine: DyckMachine, failures: list[StackFailure], seed: int = 0) -> Iterator[tuple[str, ...]]:
    """Words of bounded Dyck that reach the failures, each with several ways on."""
    rng = np.random.default_rng(seed)
    for failure in islice(failures, _FAILURES_TRIED):
        for filling in (0, machine.k - 1, None):
            yield from _words(machine, failure, filling, rng)


def _words(
    machine: DyckMachine, failure: StackFailure, filling: int | None, rng: np.random.Generator
) -> Iterator[tuple[str, ...]]:
    top = max([0, min(failure.depth, machine.depth), *failure.cells])  # the depth of a dead prefix may be negative
    others = rng.integers(0, machine.k, top) if filling is None else np.full(top, filling)
    types = [failure.cells.get(cell, int(other)) for cell, other in enumerate(others, start=1)]
    start = [machine.openers[t] for t in types]
    if failure.dead:
        start += _go_dead(machine, len(types), failure.depth)
    else:
        start += [machine.closers[t] for t in reversed(types[failure.depth :])]
    if failure.symbol in machine.alphabet:
        start.append(failure.symbol)
    for way_on in _ways_on(machine, start, rng):
        yield (*start, *way_on)


def _go_dead(machine: DyckMachine, depth: int, wanted: int) -> list[str]:
    """From a live depth to a dead prefix whose brackets count up to ``wanted``."""
    wrong = [*[machine.openers[0]] * (machine.depth - depth + 1), machine.closers[0]]
    difference = wanted - machine.depth
    return wrong + [(machine.openers if difference > 0 else machine.closers)[0]] * abs(difference)


def _ways_on(machine: DyckMachine, start: list[str], rng: np.random.Generator) -> Iterator[list[str]]:
    """Close everything; fill up and close everything; close one wrongly and count down to 0; walk at random."""
    stack = _open_types(machine, start)
    closing = [machine.closers[t] for t in reversed(stack)]
    yield closing
    room = machine.depth - len(stack)
    for kind in (0, machine.k - 1):
        yield [machine.openers[kind]] * room + [machine.closers[kind]] * room + closing
    for bit in range((machine.k - 1).bit_length()):
        if stack and (stack[-1] ^ (1 << bit)) < machine.k:
            yield [machine.closers[stack[-1] ^ (1 << bit)], *closing[1:]]
    balance = sum(1 if symbol in machine.openers else -1 for symbol in start)
    yield [(machine.closers if balance > 0 else machine.openers)[0]] * abs(balance)
    for _ in range(2):
        walk: list[str] = []
        state: Stack | None = tuple(stack)
        for draw in rng.random(4 * machine.depth + 4):
            legal = sorted(machine.legal(state) & set(machine.alphabet))
            walk.append(legal[int(draw * len(legal))])
            state = machine.step(state, walk[-1])
        yield walk


def _open_types(machine: DyckMachine, word: list[str]) -> list[int]:
    """The types still open after a word, wrong brackets ignored: a guess at how to go on."""
    stack: list[int] = []
    for symbol in word:
        if symbol in machine.openers:
            stack.append(machine.openers.index(symbol))
        elif stack:
            stack.pop()
    return stack[: machine.depth]
