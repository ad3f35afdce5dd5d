"""The first layers of a model as an automaton, where they have few states together.

A step of some layers depends on their states and on the symbol alone.  Where no layer among the first ones counts
without end, all states that they reach are found once, each with what every symbol makes of it, and a word is read by
one look at a table for each symbol.  What stands in the table was computed from the weights, on the very values.
"""

from __future__ import annotations

from typing import Callable

import numpy as np

from automata.errors import InputError
from constructions.growing import Numbered
from constructions.ssm.given import lasting
from constructions.ssm.layers import Layer

OneStep = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Of states, shape (n, width), and symbols, shape (n,): the states after them, and the features that are given."""


_WORDS, _TIME = 32, 8
"""Fewer words together, or shorter ones, are not read by a table."""
_SHARE, _MOST_STEPS = 2, 1 << 16
"""One step is made for so many symbols that were read, and how many are made at most."""


class ByTable:
    """The first layers, read by a table as soon as that pays.

    Args:
        layers: of the whole model.
        step: of the first layers, by the number of them.
        start: the state that a word begins with.
        symbols: how many there are.
    """

    def __init__(self, layers: tuple[Layer, ...], step: Callable[[int], OneStep], start: Callable, symbols: int):
        self.layers = _countless(layers)
        self.width = sum(layer.width for layer in layers[: self.layers])
        self._step, self._start, self._symbols = step(self.layers), start, symbols
        self._read = self._tried = 0
        self._table: FirstLayers | None = None

    @property
    def features(self) -> np.ndarray:
        """All rows that the last of these layers has been found to give out."""
        if self._table is None:
            raise AssertionError("nothing was read by a table")
        return self._table.features

    def run(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """As :meth:`FirstLayers.run`, of states of the whole model; None where there is no table, too."""
        if not self.layers or len(words) < _WORDS or words.shape[1] < _TIME:
            return None
        if self._table is None:
            # What is tried in vain costs little beside what was read in the meantime.
            self._read += words.size
            allowed = min(self._read // _SHARE, _MOST_STEPS)
            if allowed < 2 * self._tried:
                return None
            self._tried = allowed
            self._table = FirstLayers.closed(self._step, self._start()[:, : self.width], self._symbols, allowed)
        return None if self._table is None else self._table.run(states[:, : self.width], words)


def _countless(layers: tuple[Layer, ...]) -> int:
    """How many of the first layers have no coordinate whose gate is the same whatever is read: such a one counts."""
    for number, layer in enumerate(layers):
        if layer.width and (np.diff(layer.gate.matrix.indptr) == 0).any():
            return number
    return len(layers)


class FirstLayers:
    """A table of all steps.

    Attributes:
        features: all rows that are given out, each once.

    >>> def step(states, symbols):  # of a counter modulo 3, which is given out
    ...     after = (states + symbols[:, None]) % 3
    ...     return after, after
    >>> table = FirstLayers.closed(step, np.array([[0]]), 2, 100)
    >>> after, given = table.run(np.array([[0]]), np.array([[1, 1, 0, 1]]))
    >>> after.tolist(), table.features[given].ravel().tolist()
    ([[0]], [1, 2, 2, 0])
    """

    def __init__(self, states: Numbered, following: np.ndarray, features: np.ndarray, given: np.ndarray):
        self.features = features
        self._states, self._symbols = states, following.shape[1]
        # Where a state's row begins, so that nothing has to be multiplied on the way.
        self._following, self._given = following.ravel() * self._symbols, given.ravel()

    @classmethod
    def closed(cls, step: OneStep, start: np.ndarray, symbols: int, most: int) -> "FirstLayers | None":
        """All that is reached from one state, shape (1, width), by ``symbols`` different symbols; None where that are
        more than ``most`` steps, or a number could leave the range in which it is exact.  O(steps).
        """
        states = Numbered(start.shape[1], start.dtype)
        states.number(start)
        following, given, features, known = [], [], None, 0
        while known < len(states):
            if len(states) * symbols > most:
                return None
            rows = states.rows[known:].repeat(symbols, axis=0)
            known = len(states)
            try:
                after, z = step(rows, np.tile(np.arange(symbols), len(rows) // symbols))
            except InputError:
                return None
            if features is None:
                features = Numbered(z.shape[1], z.dtype)
            following.append(states.number(after))
            given.append(features.number(z))
        if features is None:
            return None
        table = np.concatenate(following).reshape(-1, symbols)
        return cls(states, table, lasting(features.rows), np.concatenate(given))

    def run(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """The states after words, shape (batch, time), and which row of the features is given at each position, shape
        (batch * time,); None where a state was not met before, or a symbol has no place in the table.
        """
        if words.max() >= self._symbols:
            return None
        different = states[:1] if (states == states[:1]).all() else states
        numbers = self._states.find(different)
        if (numbers < 0).any():
            return None
        symbols = np.array(words.T, dtype=np.intp, order="C")  # a copy, which is written to
        row = np.broadcast_to(numbers * self._symbols, len(states))
        for now in symbols:
            now += row
            row = self._following.take(now)
        return self._states.rows[row // self._symbols], self._given.take(symbols).T.ravel()
