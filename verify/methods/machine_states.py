"""A machine's states as small integers, with transitions and expected outputs as arrays: the ground truth of a search.

Any machine's states are numbered as they are met, one step of the machine for each state and symbol.  The stacks of a
bounded Dyck language have numbers that are computed, so that nothing is kept of them.
"""

from __future__ import annotations

from typing import Hashable, Protocol, Sequence

import numpy as np

from automata.errors import InputError
from automata.machine import ACCEPT, MODES, PREDICTIVE, RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine

_MOST_SYMBOLS, _MOST_STACKS = 128, 1 << 60
"""Of a bounded Dyck language whose stacks are computed."""
_FEW_STACKS = 1 << 12
"""So few are all computed at once."""


class MachineStates(Protocol):
    """Numbered states; the initial one is 0.

    Attributes:
        alphabet: of the model: its places are the symbols' numbers.
        sets: the sets of outputs that are expected somewhere.
    """

    alphabet: tuple[str, ...]
    sets: list[frozenset[str]]
    mode: str

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        """The next states, shape (states, k): -1 where the symbol is not to be followed."""
        ...

    def expected_at(self, numbers: np.ndarray) -> np.ndarray:
        """Which of the sets is expected in each of these states."""
        ...

    def table(self) -> np.ndarray:
        """The expected sets as booleans, shape (sets, outputs)."""
        ...

    def reject_for_ever(self, numbers: np.ndarray) -> np.ndarray:
        """Which of these states are left unchanged by every symbol, and do not accept."""
        ...


def machine_states(machine: Machine, alphabet: tuple[str, ...], outputs: tuple[str, ...], mode: str) -> MachineStates:
    """The states of a machine, for a model with this alphabet and these outputs.

    Raises:
        InputError: when machine and model do not fit each other.
    """
    _check(machine, alphabet, outputs, mode)
    # A subclass may answer differently.
    if type(machine) is DyckMachine and len(alphabet) <= _MOST_SYMBOLS and machine.classes() < _MOST_STACKS:
        return Stacks(machine, alphabet, outputs, mode)
    return Interned(machine, alphabet, outputs, mode)


def _check(machine: Machine, alphabet: tuple[str, ...], outputs: tuple[str, ...], mode: str) -> None:
    if mode not in MODES:
        raise InputError(f"mode {mode!r} is not one of {', '.join(MODES)}")
    if set(machine.alphabet) != set(alphabet):
        symbol = sorted(set(machine.alphabet) ^ set(alphabet))[0]
        raise InputError(f"symbol {symbol!r} is in the alphabet of only one of machine and model")
    if (mode == RECOGNISE) != (outputs == (ACCEPT,)):
        raise InputError(
            f"the model does not answer the question of mode {mode!r}: its outputs are {', '.join(outputs[:3])}, ..."
        )


def _booleans(sets: Sequence[frozenset[str]], outputs: tuple[str, ...]) -> np.ndarray:
    index = {name: i for i, name in enumerate(outputs)}
    table = np.zeros((len(sets), len(outputs)), dtype=bool)
    for row, wanted in zip(table, sets):
        row[[index[name] for name in wanted]] = True
    return table


class Interned:
    """A machine's states as small integers, with transitions and expected outputs as arrays, filled on demand.

    Attributes:
        next: int32, shape (capacity, k): the next state, or -1 where the symbol is not to be followed.
        expected: int32, shape (capacity,): which set of :attr:`sets` is expected after reaching the state.
    """

    def __init__(self, machine: Machine, alphabet: tuple[str, ...], outputs: tuple[str, ...], mode: str):
        _check(machine, alphabet, outputs, mode)
        self.machine, self.alphabet, self.mode = machine, alphabet, mode
        self.sets: list[frozenset[str]] = []
        self._output_index = {name: i for i, name in enumerate(outputs)}
        self._rows = np.zeros((0, len(outputs)), dtype=bool)
        self._set_number: dict[frozenset[str], int] = {}
        self._number: dict[Hashable, int] = {}
        self._states: list[Hashable] = []
        self._expanded = np.zeros(64, dtype=bool)
        self._ending = np.zeros(0, dtype=bool)
        self.next: np.ndarray = np.full((64, len(alphabet)), -1, dtype=np.int32)
        self.expected: np.ndarray = np.zeros(64, dtype=np.int32)
        self.number(machine.initial)

    def __len__(self) -> int:
        return len(self._states)

    def number(self, state: Hashable) -> int:
        """The integer of a state, given out on first sight."""
        found = self._number.get(state)
        if found is not None:
            return found
        number = self._number[state] = len(self._states)
        self._states.append(state)
        if number == len(self.expected):
            self.next = np.concatenate([self.next, np.full_like(self.next, -1)])
            self.expected = np.concatenate([self.expected, np.zeros_like(self.expected)])
            self._expanded = np.concatenate([self._expanded, np.zeros_like(self._expanded)])
        self.expected[number] = self._set(self.outputs_of(state))
        return number

    def state(self, number: int) -> Hashable:
        """The state of an integer that was given out."""
        return self._states[number]

    def outputs_of(self, state: Hashable) -> frozenset[str]:
        """What a model should give out in this state."""
        if self.mode == PREDICTIVE:
            return self.machine.legal(state)
        return frozenset((ACCEPT,)) if self.machine.accepts(state) else frozenset()

    def _set(self, outputs: frozenset[str]) -> int:
        if outputs not in self._set_number:
            self._set_number[outputs] = len(self.sets)
            self.sets.append(outputs)
        return self._set_number[outputs]

    def table(self) -> np.ndarray:
        """The expected sets as booleans, shape (sets, outputs)."""
        for outputs in self.sets[len(self._rows) :]:
            row = np.zeros((1, len(self._output_index)), dtype=bool)
            row[0, [self._output_index[name] for name in outputs]] = True
            self._rows = np.concatenate([self._rows, row])
        return self._rows

    def expand(self, numbers: np.ndarray) -> None:
        """Fills in the transitions of these states.  One machine step per state and symbol, once."""
        for number in np.unique(numbers[~self._expanded[numbers]]).tolist():
            state = self._states[number]
            legal = self.machine.legal(state) if self.mode == PREDICTIVE else self.alphabet
            targets = [(i, self.machine.step(state, s)) for i, s in enumerate(self.alphabet) if s in legal]
            # Numbers are given out first: giving one out may move the table.
            row = [(i, self.number(target)) for i, target in targets]
            for i, target in row:
                self.next[number, i] = target
            self._expanded[number] = True

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        self.expand(numbers)
        return self.next[numbers]

    def expected_at(self, numbers: np.ndarray) -> np.ndarray:
        return self.expected[numbers]

    def reject_for_ever(self, numbers: np.ndarray) -> np.ndarray:
        known = len(self._ending)
        if known < len(self._states):
            ending = [self._rejects_for_ever(state) for state in self._states[known:]]
            self._ending = np.concatenate([self._ending, np.array(ending, dtype=bool)])
        return self._ending[numbers]

    def _rejects_for_ever(self, state: Hashable) -> bool:
        return not self.machine.accepts(state) and all(self.machine.step(state, s) == state for s in self.alphabet)


class Stacks:
    """The states of a bounded Dyck language, numbered without a table.

    The empty stack is 0; opening type i on top of stack s gives k s + 1 + i, as the children of a node in a k-ary heap
    are numbered.  So the top of s > 0 is the type (s - 1) mod k, and what is below it is (s - 1) div k.  Stacks of
    full depth are the last, from (k^depth - 1) / (k - 1) on; the dead state comes after them.
    """

    def __init__(self, machine: DyckMachine, alphabet: tuple[str, ...], outputs: tuple[str, ...], mode: str):
        _check(machine, alphabet, outputs, mode)
        self.alphabet, self.mode, self._k = alphabet, mode, machine.k
        self._dead = machine.classes()
        self._full = self._dead - machine.k**machine.depth
        self._opens = np.array([symbol in machine.openers for symbol in alphabet])
        kinds = [machine.openers.index(symbol) if symbol in machine.openers else 0 for symbol in alphabet]
        self._opened = 1 + np.array(kinds)
        self._closers = np.array([alphabet.index(symbol) for symbol in machine.closers])
        if mode == PREDICTIVE:
            tops = [machine.legal((0,) * below + (top,)) for top in range(machine.k) for below in self._below(machine)]
            self.sets = [machine.legal(()), *tops, machine.legal(None)]
        else:
            self.sets = [frozenset(), frozenset((ACCEPT,))]
        self._table = _booleans(self.sets, outputs)
        self._all: tuple[np.ndarray, np.ndarray] | None = None
        if self._dead < _FEW_STACKS:
            every = np.arange(self._dead + 1)
            self._all = self.targets(every), self.expected_at(every)

    @staticmethod
    def _below(machine: DyckMachine) -> tuple[int, int]:
        """How many brackets are below the top of a stack that is not full, and of one that is."""
        return 0, max(0, machine.depth - 1)

    def targets(self, numbers: np.ndarray) -> np.ndarray:
        if self._all is not None:
            return self._all[0].take(numbers, axis=0)
        nowhere = -1 if self.mode == PREDICTIVE else self._dead
        opens = (numbers < self._full)[:, None] & self._opens
        found = np.where(opens, (numbers * self._k)[:, None] + self._opened, nowhere)
        closes = np.flatnonzero((numbers > 0) & (numbers != self._dead))
        top, below = (numbers[closes] - 1) % self._k, (numbers[closes] - 1) // self._k
        found[closes, self._closers[top]] = below
        return found

    def expected_at(self, numbers: np.ndarray) -> np.ndarray:
        if self._all is not None:
            return self._all[1].take(numbers)
        if self.mode == RECOGNISE:
            return (numbers == 0).astype(np.intp)
        full = numbers >= self._full
        found = np.where(numbers == 0, 0, 1 + 2 * ((numbers - 1) % self._k) + full)
        return np.where(numbers == self._dead, len(self.sets) - 1, found)

    def table(self) -> np.ndarray:
        return self._table

    def reject_for_ever(self, numbers: np.ndarray) -> np.ndarray:
        return numbers == self._dead
