"""A proof of all strings up to a length, for joint states that someone guessed: nothing is believed of the guess.

A joint state is a machine state and a row of the model's states.  Every one of them is stepped once, with every symbol
that is followed, many at a time; and so are, a few times, others to which that leads.  A step that gives what the
machine gives is a *transition*.  From the state after BOS the least number of transitions to each joint state is
counted.  Where the nearest one that was not stepped, or that has a step which gives something else, is n away, every
string of up to n symbols is answered right: by induction on its length, as all its beginnings that are shorter lead to
joint states that are nearer.  Where there is none, every string is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from constructions.joint_states import JointStates
from verify.methods.machine_states import Interned
from verify.progress import Progress

_BLOCK = 1 << 14
"""Steps whose results are looked up at once."""

_ROUNDS = 8
"""How often joint states are stepped that were not guessed, and to which a round before has led."""

_NOT_FOLLOWED, _WRONG = -1, -2
"""In the place of the joint state that a step leads to."""


@dataclass(frozen=True)
class Reach:
    """What was found.

    Attributes:
        states: joint states that were stepped.
        steps: of the model.
        length: every string of up to so many symbols is answered right; None: every string.
        within: every string, however long, that keeps all counters of the machine below this one is answered right,
            too.  None where that is not so of any: a state without counters was not stepped.
        wrong: a shortest string, by these steps, that is answered wrong, if any is.
    """

    states: int
    steps: int
    length: int | None
    within: int | None
    wrong: tuple[str, ...] | None


def follow_guessed(
    states: Interned, model: Any, numbers: np.ndarray, rows: np.ndarray, far: int, progress: Progress
) -> Reach:
    """Steps all guessed joint states, and says which strings are answered right.

    Args:
        states: of the machine, a :class:`automata.machines.counter_machine.CounterMachine`, and the question; joint
            states are stepped whose machine state has a number already.
        model: with ``begin`` and ``advance``, as a search wants it.
        numbers: of the machine states, one for each joint state.
        rows: of the model's states, as many.
        far: content with all strings up to this length.

    O(joint states times symbols) time and memory.
    """
    first, outputs = model.begin(1)
    if (outputs.dense()[0, 0] != states.table()[states.expected_at(np.zeros(1, dtype=np.intp))[0]]).any():
        return Reach(0, 0, 0, None, ())
    guessed = len(states)
    search = _Steps(states, model, 1 + rows.shape[1])
    begin = int(search.pairs.number([np.zeros(1, dtype=np.intp), *first.T])[0][0])
    search.pairs.add([numbers, *rows.T])
    there: np.ndarray = np.arange(len(search.pairs))
    for _ in range(1 + _ROUNDS):
        known = len(search.pairs)
        search.step(there, progress)
        leads, stepped = search.leads()
        levels, came = _levels(leads, begin)
        ends, mistaken = (levels >= 0) & ~stepped, (levels >= 0) & (leads == _WRONG).any(axis=1)
        length = int(levels[ends | mistaken].min()) if (ends | mistaken).any() else None
        if length is None or mistaken.any() or length >= far:
            break
        there = np.arange(known, len(search.pairs))
        there = there[search.machine(there) < guessed]
        if not len(there):
            break
    wrong = search.word(leads, levels, came, mistaken) if mistaken.any() else None
    return Reach(int(stepped.sum()), search.taken, length, search.least_count(ends | mistaken), wrong)


class _Steps:
    """The joint states that are known, and where steps lead."""

    def __init__(self, states: Interned, model: Any, fields: int):
        self._states, self._model = states, model
        self.pairs = JointStates(fields)
        self.taken = 0
        self._sources: list[np.ndarray] = []
        self._leads: list[np.ndarray] = []

    def machine(self, places: np.ndarray) -> np.ndarray:
        """The numbers of their machine states."""
        return self._fields(places)[0]

    def step(self, places: np.ndarray, progress: Progress) -> None:
        """Steps these joint states with every symbol that is followed."""
        machine, *columns = self._fields(places)
        held = np.stack(columns, axis=1).astype(np.int32)
        targets = self._states.targets(machine)
        leads: np.ndarray = np.full(targets.shape, _NOT_FOLLOWED)
        sources, symbols = np.nonzero(targets >= 0)
        for start in range(0, len(sources), _BLOCK):
            source, symbol = sources[start : start + _BLOCK], symbols[start : start + _BLOCK]
            target = targets[source, symbol]
            stepped, outputs = self._model.advance(held[source], symbol[:, None])
            found = self.pairs.number([target, *stepped.T])[0]
            wanted = self._states.table()[self._states.expected_at(target)]
            right = (outputs.dense()[:, 0] == wanted).all(axis=1)
            leads[source, symbol] = np.where(right, found, _WRONG)
            progress.advance(len(source))
        self.taken += len(sources)
        self._sources.append(places)
        self._leads.append(leads)

    def leads(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each symbol leads from all that are known, and which of these were stepped."""
        leads: np.ndarray = np.full((len(self.pairs), len(self._states.alphabet)), _NOT_FOLLOWED)
        stepped = np.zeros(len(self.pairs), dtype=bool)
        for places, found in zip(self._sources, self._leads):
            leads[places], stepped[places] = found, True
        return leads, stepped

    def least_count(self, ends: np.ndarray) -> int | None:
        """Over the machine states of these, the least of their greatest counters; None where one has no counters."""
        found: list[Any] = [self._states.state(int(n)) for n in np.unique(self.machine(np.flatnonzero(ends)))]
        return None if not found or None in found else min(max(counts) for _, counts in found)

    def word(self, leads: np.ndarray, levels: np.ndarray, came: np.ndarray, mistaken: np.ndarray) -> tuple[str, ...]:
        """A shortest way to a mistake, and the symbol with which it is made."""
        alphabet = self._states.alphabet
        state = int(np.where(mistaken, levels, len(levels)).argmin())
        path = [int((leads[state] == _WRONG).argmax())]
        while levels[state]:
            state, symbol = divmod(int(came[state]), len(alphabet))
            path.append(symbol)
        return tuple(alphabet[symbol] for symbol in reversed(path))

    def _fields(self, places: np.ndarray) -> list[np.ndarray]:
        fields = self.pairs.fields(0, len(self.pairs))
        return [field[places].astype(np.int64) for field in fields]


def _levels(leads: np.ndarray, begin: int) -> tuple[np.ndarray, np.ndarray]:
    """How many transitions lead to each joint state at the least, -1 where none do; and the last of these: the number
    of the state that it is from, times the symbols, and its symbol.
    """
    levels: np.ndarray = np.full(len(leads), -1)
    came: np.ndarray = np.full(len(leads), -1)
    levels[begin], level = 0, 0
    here = np.array([begin])
    while len(here):
        level += 1
        there = leads[here].ravel()
        origin = (here[:, None] * leads.shape[1] + np.arange(leads.shape[1])).ravel()
        new = np.flatnonzero((there >= 0) & (levels[there] < 0))
        there, origin = there[new], origin[new]
        levels[there], came[there] = level, origin
        here = np.unique(there)
    return levels, came
