"""The languages as automata of a few lines each, independent of those that the provers are given.

Every automaton is *trim*: a state from which no word can be completed is None.  So what may come next can be read off
the steps, and both questions (the legal next symbols; accept or reject) are answered by the same automaton.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Hashable

EOS, ACCEPT = "<eos>", "<accept>"


@dataclass(frozen=True)
class Language:
    """An automaton: ``step`` gives None for a violation, ``word`` says whether a state ends a word."""

    alphabet: tuple[str, ...]
    start: Hashable
    step: Callable[[Hashable, str], Hashable]
    word: Callable[[Hashable], bool]

    def after(self, state: Hashable, symbol: str) -> Hashable:
        """The next state; None stays None."""
        return None if state is None else self.step(state, symbol)

    def answer(self, state: Hashable, mode: str) -> frozenset[str]:
        """What a model should give out after a prefix that leads to this state."""
        ends = state is not None and self.word(state)
        if mode == "recognise":
            return frozenset({ACCEPT} if ends else ())
        return frozenset([s for s in self.alphabet if self.after(state, s) is not None] + [EOS] * ends)


def dyck(k: int, depth: int) -> Language:
    alphabet = tuple(symbol for letter in "abcdefgh"[:k] for symbol in (f"({letter}", f"{letter})"))

    def step(stack: str, symbol: str):
        if symbol[0] == "(":
            return stack + symbol[1] if len(stack) < depth else None
        return stack[:-1] if stack[-1:] == symbol[0] else None

    return Language(alphabet, "", step, lambda stack: stack == "")


def shuffle(brackets: str) -> Language:
    def step(open_: tuple, symbol: str):
        place = brackets.index(symbol)
        moved = tuple(n + (1 - 2 * (place % 2)) * (i == place // 2) for i, n in enumerate(open_))
        return moved if min(moved) >= 0 else None

    return Language(tuple(brackets), (0,) * (len(brackets) // 2), step, lambda open_: not any(open_))


def boolean(arity: int) -> Language:
    needed = {operator: n for n, operator in enumerate("~+>*^"[:arity])} | {"0": -1, "1": -1}
    return Language(tuple(needed), 1, lambda n, symbol: n + needed[symbol] if n > 0 else None, lambda n: n == 0)


def equal_runs(letters: str) -> Language:
    def step(counts: tuple, letter: str):
        i = letters.index(letter)
        if any(counts[i + 1 :]) or (i and (counts[i] == counts[i - 1] or counts[i - 1] != counts[0])):
            return None
        return (*counts[:i], counts[i] + 1, *counts[i + 1 :])

    return Language(tuple(letters), (0,) * len(letters), step, lambda counts: counts[0] == counts[-1] > 0)


def flip_flop() -> Language:
    def step(state: str, symbol: str):
        pending, bit = state[:-1], state[-1]
        if pending:
            right = symbol in "01" and (pending != "r" or symbol == bit)
            return (symbol if pending == "w" else bit) if right else None
        # After w the old bit can never be read again.
        return "w-" if symbol == "w" else symbol + bit if symbol in "ri" and bit != "-" else None

    return Language(tuple("wri01"), "-", step, lambda state: len(state) == 1)


def chain(alphabet: str, moves: str, ends: str) -> Language:
    """Moves such as "0a1 1b0": in state 0 the symbol a leads to 1."""
    table = {(move[0], move[1]): move[2] for move in moves.split()}
    return Language(tuple(alphabet), moves[0], lambda q, s: table.get((q, s)), lambda q: q in ends)


def nested(n: int) -> Language:
    return Language(
        ("a", "b"), 0, lambda q, s: q + 1 if s == "a" and q < n else q - 1 if s == "b" and q else None, lambda q: q == 0
    )


def even(alphabet: tuple[str, ...], counted: str) -> Language:
    """Words with an even number of one symbol: not star-free, over any alphabet."""
    return Language(alphabet, 0, lambda q, s: q ^ (s == counted), lambda q: q == 0)


REGULAR = {
    "tomita-1": chain("01", "011 111", "01"),
    "tomita-2": chain("01", "011 100", "0"),
    "tomita-4": chain("01", "001 010 102 110 210", "012"),
    "tomita-7": chain("01", "000 011 102 111 202 213 313", "0123"),
    "aa*bb*cc*dd*ee*": chain("abcde", "0a1 1a1 1b2 2b2 2c3 3c3 3d4 4d4 4e5 5e5", "5"),
    "{a,b}*d{b,c}*": chain("abcd", "0a0 0b0 0d1 1b1 1c1", "1"),
    "{0,1,2}*02*": chain("012", "010 020 001 101 110 121", "1"),
    "flip-flop": flip_flop(),
    "d-1": nested(1),
    "d-2": nested(2),
    "d-4": nested(4),
    "dyck-2-2": dyck(2, 2),
}
COUNTER = {
    "dyck-1": shuffle("()"),
    "shuffle-2": shuffle("()[]"),
    "shuffle-4": shuffle("()[]{}<>"),
    "shuffle-6": shuffle("()[]{}<>+-ab"),
    "boolean-3": boolean(3),
    "boolean-5": boolean(5),
    **{name: equal_runs("".join(re.findall("[a-d](?=n)", name))) for name in ("anbn", "anbncn", "anbncndn")},
}
