"""Copying: w # w for the words w of one length over a and b.

Each of the 2^N words has to be told from all others when # is read, so that a model with S reachable states copies at
most S words, whatever its weights.

Source: Jelassi, Brandfonbrener, Kakade, Malach 2024, "Repeat After Me", theorem 2.7.
"""

from __future__ import annotations

from automata.errors import InputError, quoted
from automata.machine import EOS

COPIED, HASH = ("a", "b"), "#"


class CopyMachine:
    """w # w with \\|w\\| = ``length``; a state is what was read, None is the dead state.

    >>> from automata.machine import run
    >>> machine = CopyMachine(2)
    >>> [sorted(machine.legal(run(machine, word))) for word in ("a", "ab", "ab#", "ab#ab")] == [
    ...     ["a", "b"], ["#"], ["a"], [EOS]]
    True
    """

    alphabet = (*COPIED, HASH)

    def __init__(self, length: int):
        self.length = length
        self.initial: tuple[str, int] = ("", 0)

    def step(self, state: tuple[str, int] | None, symbol: str) -> tuple[str, int] | None:
        """The next state, (what is still to be known of w, symbols read); InputError for a foreign symbol."""
        if symbol not in self.alphabet:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet")
        if state is None or symbol not in self.legal(state):
            return None
        word, read = state
        if read < self.length:
            return word + symbol, read + 1
        return (word if read == self.length else word[1:]), read + 1

    def legal(self, state: tuple[str, int] | None) -> frozenset[str]:
        """The symbols that may come next, with EOS after a whole word; empty in the dead state."""
        if state is None:
            return frozenset()
        word, read = state
        if read < self.length:
            return frozenset(COPIED)
        if read == self.length:
            return frozenset((HASH,))
        return frozenset((word[0],)) if word else frozenset((EOS,))

    def accepts(self, state: tuple[str, int] | None) -> bool:
        return state is not None and state[1] == 2 * self.length + 1

    def classes(self) -> int:
        """The number of live Myhill-Nerode classes: what was read up to #, what is still to come after it.

        >>> CopyMachine(1).classes(), CopyMachine(3).classes()
        (6, 30)
        """
        return 2 ** (self.length + 2) - 2

    def __repr__(self) -> str:
        return f"CopyMachine({self.length})"


class FreeCopyMachine:
    """w # w for the words w of any length; a state is (w as far as it is known, symbols of it that are copied), None
    is the dead state.

    >>> from automata.machine import run
    >>> machine = FreeCopyMachine()
    >>> [sorted(machine.legal(run(machine, word))) for word in ("", "ab#", "ab#ab")] == [["#", "a", "b"], ["a"], [EOS]]
    True
    """

    alphabet = (*COPIED, HASH)
    initial: tuple[str, int | None] = ("", None)

    def step(self, state: tuple[str, int | None] | None, symbol: str) -> tuple[str, int | None] | None:
        """The next state; InputError for a foreign symbol."""
        if symbol not in self.alphabet:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet")
        if state is None or symbol not in self.legal(state):
            return None
        word, copied = state
        if copied is not None:
            return word, copied + 1
        return (word, 0) if symbol == HASH else (word + symbol, None)

    def legal(self, state: tuple[str, int | None] | None) -> frozenset[str]:
        """The symbols that may come next, with EOS after a whole word; empty in the dead state."""
        if state is None:
            return frozenset()
        word, copied = state
        if copied is None:
            return frozenset(self.alphabet)
        return frozenset((word[copied],) if copied < len(word) else (EOS,))

    def accepts(self, state: tuple[str, int | None] | None) -> bool:
        return state is not None and state[1] == len(state[0])


def without_equal_grams(length: int) -> list[str]:
    """All words in which no ``length`` letters stand twice, the shortest first.

    There is none of more than 2^length + length - 1 letters, so they are finitely many, and soon too many to list.

    >>> [len([word for word in without_equal_grams(2) if len(word) == n]) for n in range(7)]
    [1, 2, 4, 6, 8, 4, 0]
    """
    found, last = [""], [""]
    while last:
        last = [
            word + letter
            for word in last
            for letter in COPIED
            if len(word) + 1 < length or (word + letter)[-length:] not in word
        ]
        found += last
    return found
