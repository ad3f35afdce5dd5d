"""A counter machine along a long word, many symbols at once.

What a symbol does depends on the *view* alone: the control, and which counters are positive.  On the way up and down a
view stays for long, so symbols are read as if it stayed for ever, as far as it does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from automata.machine import PREDICTIVE
from automata.machines.counter_machine import CounterMachine
from verify.evidence.batches import Situations

_LEAST, _MOST = 64, 1 << 14
"""Symbols that are read at once."""
_NUMBERS = 1 << 21
"""That all views that are kept hold together; with many counters one of them holds thousands."""


class View(NamedTuple):
    """What a machine does while its control and the signs of its counters stay as they are.

    Attributes:
        control: which; None where the word is dead.
        positive: booleans, shape (counters,).
        legal: the symbols that may come next, with EOS in a word.
        accepts: whether the word may end here.
        allowed: booleans, shape (k,): whether the symbol is legal, by its place in the alphabet.
        targets: to which control it leads, where it is.
        stays: booleans, shape (k,): whether that is the same one.
        add: shape (k, counters): what it adds.
    """

    control: str | None
    positive: np.ndarray
    legal: frozenset[str]
    accepts: bool
    allowed: np.ndarray
    targets: list[str | None]
    stays: np.ndarray
    add: np.ndarray


class LongRun:
    """A machine in the middle of a word, which is empty at first.

    Attributes:
        view: now.
        counters: now, shape (counters,).
        ahead: how many symbols to read next, by how many were read before the view was another.

    >>> from automata.machines.counter_machine import counter_machine
    >>> run = LongRun(counter_machine("anbn"))
    >>> run.read(np.array([0, 0, 0, 1, 1, 1])), run.view.control, run.counters.tolist()
    (1, 'a', [1])
    >>> run.read(np.array([0, 0, 1, 1, 1])), run.view.control, run.counters.tolist()
    (3, 'b', [2])
    """

    def __init__(self, machine: CounterMachine):
        self._machine, self._views = machine, dict[tuple[str | None, bytes], View]()
        control, values = machine.initial
        self.counters: np.ndarray = np.array(values, dtype=np.int64)
        self.ahead = _LEAST
        self.view = self._seen(control)

    def read(self, symbols: np.ndarray) -> int:
        """Reads symbols, by their places in the alphabet, until the view is another or one is not legal; returns how
        many were read: those that are not legal are not.
        """
        view = self.view
        allowed = view.allowed.take(symbols)
        if not allowed.all():
            symbols = symbols[: allowed.argmin()]
        if not len(symbols):
            return 0
        after = view.add.take(symbols, axis=0).cumsum(axis=0)
        after += self.counters
        other = ((after > 0) != view.positive).any(axis=1)
        other |= ~view.stays.take(symbols)
        changes = bool(other.any())
        read = int(other.argmax()) + 1 if changes else len(symbols)
        self.counters = after[read - 1].copy()
        if changes:
            self.view = self._seen(view.targets[int(symbols[read - 1])])
        self.ahead = min(2 * self.ahead, _MOST) if read == self.ahead else max(_LEAST, 2 * read)
        return read

    def die(self) -> None:
        """What was read is no beginning of a word."""
        self.view = self._seen(None)

    def _seen(self, control: str | None) -> View:
        positive = self.counters > 0
        key = control, positive.tobytes()
        if key not in self._views:
            if len(self._views) * len(self._machine.alphabet) * len(positive) >= _NUMBERS:
                self._views.clear()
            self._views[key] = self._view(control, positive)
        return self._views[key]

    def _view(self, control: str | None, positive: np.ndarray) -> View:
        """Of any state that looks like this; O(k)."""
        machine = self._machine
        state = None if control is None else (control, tuple(positive.astype(int).tolist()))
        moves = [None if state is None else machine.move(state, symbol) for symbol in machine.alphabet]
        targets = [move.target if move else None for move in moves]
        return View(
            control,
            positive,
            machine.legal(state),
            machine.accepts(state),
            np.array([move is not None for move in moves]),
            targets,
            np.array([target == control for target in targets]),
            np.array([move.add if move else (0,) * len(positive) for move in moves], dtype=np.int64),
        )


def situations_of_words(machine: CounterMachine, words: list[np.ndarray], mode: str) -> tuple[Situations, np.ndarray]:
    """What is legal and accepted along words of symbols' places.

    Returns:
        The situations that were met, and their numbers after each prefix, the empty one first, shape (time + 1, words),
        as :func:`verify.evidence.batches.situations_along` gives them: -1 where nothing is asked.  Time goes with the
        symbols, and with the changes of view.
    """
    number: dict[tuple[frozenset[str], bool], int] = {}
    along: np.ndarray = np.full((1 + max(map(len, words), default=0), len(words)), -1, dtype=np.int32)
    for column, word in enumerate(words):
        run, place = LongRun(machine), 0

        def now(run: LongRun = run) -> int:
            return number.setdefault((run.view.legal, run.view.accepts), len(number))

        along[0, column] = now()
        while place < len(word):
            before, read = now(), run.read(word[place : place + run.ahead])
            if not read:
                if mode != PREDICTIVE:
                    run.die()
                    along[place + 1 : len(word) + 1, column] = now()
                break
            along[place + 1 : place + read, column] = before
            place += read
            along[place, column] = now()
    return Situations(machine.alphabet, list(number)), along
