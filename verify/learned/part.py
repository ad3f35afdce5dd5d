"""The states of a machine that the shortest strings reach, as arrays: where words are tried that lead back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Hashable, Iterator

import numpy as np

from automata.machine import ACCEPT, PREDICTIVE, Machine

ILLEGAL, BEYOND = -1, -2
"""In the place of a state: the symbol is not to be followed, or the state was not reached within the limit."""

_WORDS = 20_000
"""Short words that are looked at: of so many symbols as fit."""


@dataclass(frozen=True)
class Part:
    """States 0, 1, …, the initial one first, each reached by a shortest string.

    Attributes:
        alphabet: the machine's symbols.
        access: of each state the string that reaches it, as places in the alphabet.
        next: shape (states, symbols): the state that follows, ILLEGAL or BEYOND.
        expected: of each state what a model should give.
        complete: whether these are all states.
    """

    alphabet: tuple[str, ...]
    access: tuple[tuple[int, ...], ...]
    next: np.ndarray
    expected: tuple[frozenset[str], ...]
    complete: bool

    def __len__(self) -> int:
        return len(self.access)

    def spelled(self, word: tuple[int, ...]) -> tuple[str, ...]:
        """The symbols of a word."""
        return tuple(self.alphabet[symbol] for symbol in word)

    def after(self, states: np.ndarray, word: tuple[int, ...]) -> np.ndarray:
        """Where the word leads from each of these states; negative where it does not lead to a known state."""
        for symbol in word:
            states = np.where(states >= 0, self.next[states, symbol], states)
        return states

    def loops(self, longest: int) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
        """Each word of 1 to ``longest`` symbols that is no power of a shorter one, with the states that it leads back
        to themselves; shortest words first, and none of them beyond 20000.
        """
        words: list[tuple[tuple[int, ...], np.ndarray]] = [((), np.arange(len(self)))]
        for _ in range(longest):
            if len(words) * len(self.alphabet) > _WORDS:
                return
            longer = []
            for word, states in words:
                for symbol in range(len(self.alphabet)):
                    reached = self.after(states, (symbol,))
                    if (reached >= 0).any():
                        longer.append(((*word, symbol), reached))
            for word, reached in longer:
                fixed = np.flatnonzero(reached == np.arange(len(self)))
                if len(fixed) and not _is_power(word):
                    yield word, fixed
            words = longer


def part_of(machine: Machine, mode: str, limit: int) -> Part:
    """The states of a machine that are asked for something, breadth-first, up to a limit.

    In predictive mode legal symbols alone are followed.  O(limit · symbols) steps of the machine.
    """
    number: dict[Hashable, int] = {machine.initial: 0}
    order = [machine.initial]
    rows: list[list[int]] = []
    access: list[tuple[int, ...]] = [()]
    expected: list[frozenset[str]] = []
    complete = True
    for state in order:
        legal = machine.legal(state) if mode == PREDICTIVE else machine.alphabet
        accepted = frozenset((ACCEPT,)) if mode != PREDICTIVE and machine.accepts(state) else frozenset()
        expected.append(frozenset(legal) if mode == PREDICTIVE else accepted)
        row = []
        for place, symbol in enumerate(machine.alphabet):
            if symbol not in legal:
                row.append(ILLEGAL)
                continue
            target = machine.step(state, symbol)
            if target not in number:
                if len(order) == limit:
                    complete = False
                    row.append(BEYOND)
                    continue
                number[target] = len(order)
                order.append(target)
                access.append((*access[len(rows)], place))
            row.append(number[target])
        rows.append(row)
    table = np.array(rows, dtype=np.int64).reshape(len(rows), len(machine.alphabet))
    return Part(tuple(machine.alphabet), tuple(access), table, tuple(expected), complete)


@dataclass(frozen=True)
class Loops:
    """Strings u wⁿ, one in a row: a state, and a word that leads it back to itself.

    Attributes:
        part: where the states are.
        states: shape (rows,).
        words: of each row.
        left_out: how many there are more.
    """

    part: Part
    states: np.ndarray
    words: tuple[tuple[int, ...], ...]
    left_out: int


def short_loops(part: Part, longest: int, most: int) -> Loops:
    """Up to ``most`` pairs of a state and a word of at most ``longest`` symbols: short words first, as many of each
    state.
    """
    of_state: list[list[tuple[int, ...]]] = [[] for _ in range(len(part))]
    for word, fixed in part.loops(longest):
        for state in fixed.tolist():
            of_state[state].append(word)
    ranked = sorted((rank, state) for state, words in enumerate(of_state) for rank in range(len(words)))
    states = np.array([state for _, state in ranked[:most]], dtype=np.int64)
    return Loops(part, states, tuple(of_state[state][rank] for rank, state in ranked[:most]), len(ranked[most:]))


def read_to(loops: Loops, forks: Any, place: np.ndarray) -> None:
    """Reads u in each row.

    Args:
        forks: a :class:`constructions.mamba.forks.Forks` of as many strings, that have read nothing.
        place: of each symbol of the part its number in the model's alphabet.
    """
    accesses = [loops.part.access[state] for state in loops.states.tolist()]
    for i in range(max(map(len, accesses))):
        going = np.array([i < len(access) for access in accesses])
        forks.read(place[[access[i] if i < len(access) else 0 for access in accesses]], going)


def _is_power(word: tuple[int, ...]) -> bool:
    return any(word == word[:size] * (len(word) // size) for size in range(1, len(word)) if len(word) % size == 0)
