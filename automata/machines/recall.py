"""Associative recall over a finite alphabet: after a key, the value that it had before.

Words are pairs of a key and a value; a key that comes again has the value that it had the first time.  It is the task
of multi-query associative recall with no sign between what is told and what is asked.

Source: Arora et al. 2024, "Zoology", who measure it of models with finitely large states.
"""

from __future__ import annotations

from automata.errors import InputError, quoted
from automata.machine import EOS

RecallState = tuple[tuple[int, ...], int]
"""(for each key its value, 0 for none; the key that waits for its value, 0 for none)."""


class RecallMachine:
    """Recall of ``keys`` keys and ``values`` values; None is the dead state.

    >>> from automata.machine import run
    >>> machine = RecallMachine(2, 3)
    >>> sorted(machine.legal(run(machine, ["k1", "v3", "k2", "v1", "k1"])))
    ['v3']
    """

    def __init__(self, keys: int, values: int):
        self.keys, self.values = keys, values
        self.key_symbols = tuple(f"k{i}" for i in range(1, keys + 1))
        self.value_symbols = tuple(f"v{i}" for i in range(1, values + 1))
        self.alphabet = self.key_symbols + self.value_symbols
        self.initial: RecallState = ((0,) * keys, 0)

    def step(self, state: RecallState | None, symbol: str) -> RecallState | None:
        """The next state; raises InputError for a symbol outside the alphabet."""
        if symbol not in self.alphabet:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet")
        if state is None or symbol not in self.legal(state):
            return None
        known, waiting = state
        if not waiting:
            return known, self.key_symbols.index(symbol) + 1
        value = self.value_symbols.index(symbol) + 1
        return (*known[: waiting - 1], value, *known[waiting:]), 0

    def legal(self, state: RecallState | None) -> frozenset[str]:
        """The symbols that may come next, with EOS after complete pairs; empty in the dead state."""
        if state is None:
            return frozenset()
        known, waiting = state
        if not waiting:
            return frozenset((*self.key_symbols, EOS))
        value = known[waiting - 1]
        return frozenset((self.value_symbols[value - 1],) if value else self.value_symbols)

    def accepts(self, state: RecallState | None) -> bool:
        return state is not None and not state[1]

    def classes(self) -> int:
        """The number of live Myhill-Nerode classes: with one value there is nothing to recall.

        >>> RecallMachine(2, 3).classes(), RecallMachine(5, 1).classes()
        (45, 2)
        """
        if self.values == 1:
            return 2
        told, one_less = (self.values + 1) ** self.keys, (self.values + 1) ** (self.keys - 1)
        # A key that waits for a value which it has is like any other key that has this value.
        return told + self.keys * one_less + self.values * (told - self.values**self.keys)

    def __repr__(self) -> str:
        return f"RecallMachine({self.keys}, {self.values})"
