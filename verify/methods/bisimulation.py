"""The proof by search: all reachable pairs (machine state, model state), compared one by one.

From the pair after the empty word, every symbol is followed (in predictive mode the symbols that are legal for
the machine, in recognition all of them) and the two outputs are compared.  When no new pair appears the search is
*closed*: the two agree on every string, of every length.  A disagreement ends it with a shortest witness,
because pairs are visited in order of word length.

The model is anything with the batched interface of :class:`constructions.ssm.engine.Engine`: ``alphabet``,
``outputs``, ``arithmetic``, ``begin(batch)`` and ``advance(states, symbols)``, whose states are rows of an array.
:class:`Stepwise` gives that interface to any Machine.
"""

from __future__ import annotations

from typing import Hashable, Sequence

import numpy as np

from automata.errors import InputError
from automata.machine import ACCEPT, EOS, MODES, PREDICTIVE, RECOGNISE, Machine
from constructions.ssm.engine import Outputs
from verify.claim import JOINT_STATE_LIMIT
from verify.methods.sticky import Sticky
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict, Witness

_BLOCK, _BLOCK_OUTPUTS = 1 << 15, 1 << 24
"""Transitions followed at once, and how many numbers their outputs may take."""


class Interned:
    """A machine's states as small integers, with transitions and expected outputs as arrays, filled on demand.

    Attributes:
        next: int32, shape (capacity, k): the next state, or -1 where the symbol is not to be followed.
        expected: int32, shape (capacity,): which set of :attr:`sets` is expected after reaching the state.
    """

    def __init__(self, machine: Machine, alphabet: tuple[str, ...], outputs: tuple[str, ...], mode: str):
        if set(machine.alphabet) != set(alphabet):
            symbol = sorted(set(machine.alphabet) ^ set(alphabet))[0]
            raise InputError(f"symbol {symbol!r} is in the alphabet of only one of machine and model")
        if (mode == RECOGNISE) != (outputs == (ACCEPT,)):
            raise InputError(
                f"the model does not answer the question of mode {mode!r}: its "
                f"outputs are {', '.join(outputs[:3])}, ..."
            )
        self.machine, self.alphabet, self.mode = machine, alphabet, mode
        self.sets: list[frozenset[str]] = []
        self._output_index = {name: i for i, name in enumerate(outputs)}
        self._rows = np.zeros((0, len(outputs)), dtype=bool)
        self._set_number: dict[frozenset[str], int] = {}
        self._number: dict[Hashable, int] = {}
        self._states: list[Hashable] = []
        self._expanded = np.zeros(64, dtype=bool)
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

    def rejects_for_ever(self, number: int) -> bool:
        """Whether this is a state that every symbol leaves unchanged, and that does not accept."""
        state = self._states[number]
        return not self.machine.accepts(state) and all(self.machine.step(state, s) == state for s in self.alphabet)


def bisimulation(
    machine: Machine,
    model,
    mode: str = PREDICTIVE,
    *,
    limit: int = JOINT_STATE_LIMIT,
    absorbed: Sticky | None = None,
    length: int | None = None,
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Proves or refutes that the model gives the machine's outputs on every string of the mode.

    Args:
        machine: the ground truth.
        model: a batched model (an Engine, or :class:`Stepwise` of any machine).
        mode: "predictive" (the machine has ``legal``) or "recognise" (it has ``accepts``).
        limit: stop, undecided, when more joint states than this are found.
        absorbed: for recognition, which rows provably reject for ever (:func:`verify.methods.sticky.find_sticky`); a
            pair of such a row and a machine state that rejects for ever needs no further search.
        length: be content with all strings up to this length.
        progress: told about joint states as they are found.

    Returns:
        ``proved`` (closed, or up to the ``length`` where one is given), ``refuted`` with a shortest witness, or
        ``undecided``, saying up to which length all strings were compared.  Time and memory are linear in the joint
        states times the symbols followed.

    >>> from automata.machines.flip_flop import FlipFlopMachine
    >>> from constructions.paper.flip_flop import flip_flop
    >>> bisimulation(FlipFlopMachine(), Stepwise(flip_flop())).outcome
    'proved'
    """
    if mode not in MODES:
        raise InputError(f"mode {mode!r} is not one of {', '.join(MODES)}")
    search = _Search(Interned(machine, model.alphabet, model.outputs, mode), model, absorbed)
    return search.run(limit, length, progress)


class _Search:
    """Breadth-first, a whole frontier at a time."""

    def __init__(self, interned: Interned, model, absorbed):
        self.interned, self.model, self.absorbed = interned, model, absorbed
        self.parents: list[np.ndarray] = []
        self.symbols: list[np.ndarray] = []
        self.count = 0
        self.transitions = 0
        self.pairs_absorbed = 0
        self.seen: set[Hashable] = set()
        self._ends_for_ever: dict[int, bool] = {}

    def run(self, limit: int, length: int | None, progress: Progress) -> Verdict:
        machines: np.ndarray = np.zeros(1, dtype=np.int32)
        rows, outputs = self.model.begin(1)
        rows = np.ascontiguousarray(rows)
        if (wrong := self._compare(machines, outputs)) is not None:
            return self._refuted(-1, (), *wrong)
        self._add(machines, rows, np.full(1, -1), np.full(1, -1))
        numbers = np.zeros(1, dtype=np.int64)
        compared = -1
        while len(machines):
            compared += 1  # all strings of this length have been compared
            if compared == length:
                return self._verdict(PROVED, "all strings up to this length", horizon=length)
            self.interned.expand(machines)
            sources, symbols = np.nonzero(self.interned.next[machines] >= 0)
            found = []
            size = max(64, min(_BLOCK, _BLOCK_OUTPUTS // len(self.model.outputs)))
            for start in range(0, len(sources), size):
                block = slice(start, start + size)
                source, symbol = sources[block], symbols[block]
                target = self.interned.next[machines[source], symbol]
                stepped, outputs = self.model.advance(rows[source], symbol[:, None])
                self.transitions += len(source)
                if (wrong := self._compare(target, outputs)) is not None:
                    at, expected, given = wrong
                    return self._refuted(int(numbers[source[at]]), (int(symbol[at]),), at, expected, given)
                new = self._add(target, np.ascontiguousarray(stepped), numbers[source], symbol)
                found.append((target[new], stepped[new]))
                progress.advance(len(new), transitions=self.transitions)
                if self.count > limit:
                    reason = (
                        f"gave up at {self.count} joint states (limit {limit}), "
                        "with no disagreement on strings of up "
                        f"to {compared} symbols: this is not a proof"
                    )
                    return self._verdict(UNDECIDED, reason)
            first = self.count - sum(len(t) for t, _ in found)
            machines = np.concatenate([t for t, _ in found]) if found else machines[:0]
            rows = np.concatenate([r for _, r in found]) if found else rows[:0]
            numbers = np.arange(first, self.count)
        if not self.pairs_absorbed:
            return self._verdict(PROVED, "closed: holds at every length")
        horizon = self.absorbed.horizon
        reach = "at every length" if horizon is None else f"as far as {self.model.arithmetic} counts exactly"
        return self._verdict(PROVED, f"closed: holds {reach}; {self.absorbed.reason}", horizon=horizon)

    def _add(self, machines, rows, parents, symbols) -> np.ndarray:
        """Records the pairs that are new; returns which they are."""
        keys = pair_keys(machines, rows)
        fresh: list[int] = []
        for i in self._not_absorbed(machines, rows):
            key = keys[i]
            if key not in self.seen:
                self.seen.add(key)
                fresh.append(i)
        new = np.array(fresh, dtype=np.int64)
        self.parents.append(np.asarray(parents)[new])
        self.symbols.append(np.asarray(symbols)[new])
        self.count += len(new)
        return new

    def _not_absorbed(self, machines, rows) -> Sequence[int]:
        if self.absorbed is None:
            return range(len(machines))
        for number in np.unique(machines).tolist():
            if number not in self._ends_for_ever:
                self._ends_for_ever[number] = self.interned.rejects_for_ever(number)
        over = np.array([self._ends_for_ever[number] for number in machines.tolist()], dtype=bool) & self.absorbed(rows)
        self.pairs_absorbed += int(over.sum())
        return np.flatnonzero(~over).tolist()

    def _compare(self, machines: np.ndarray, outputs: Outputs) -> tuple[int, frozenset[str], frozenset[str]] | None:
        """The first pair whose outputs differ: its position, what was expected, what was given."""
        expected = self.interned.expected[machines]
        wrong = np.flatnonzero((self.interned.table()[expected] != outputs.table[outputs.ids[:, 0]]).any(axis=1))
        if not len(wrong):
            return None
        at = int(wrong[0])
        given = frozenset(self.model.outputs[i] for i in np.flatnonzero(outputs.table[outputs.ids[at, 0]]))
        return at, self.interned.sets[expected[at]], given

    def _refuted(self, parent: int, last: tuple[int, ...], at: int, expected, given) -> Verdict:
        parents = np.concatenate(self.parents) if self.parents else np.zeros(0, dtype=np.int64)
        symbols = np.concatenate(self.symbols) if self.symbols else np.zeros(0, dtype=np.int64)
        word = list(last)
        while parent > 0:
            word.append(int(symbols[parent]))
            parent = int(parents[parent])
        witness = Witness(tuple(self.interned.alphabet[s] for s in reversed(word)), expected, given)
        return self._verdict(REFUTED, "the witness is a shortest one", witness)

    def _verdict(
        self, outcome: str, reason: str, witness: Witness | None = None, horizon: int | None = None
    ) -> Verdict:
        explored = {"machine states": len(self.interned), "joint states": self.count, "transitions": self.transitions}
        return Verdict(outcome, "search", self.interned.mode, self.model.arithmetic, explored, reason, witness, horizon)


def pair_keys(machines: np.ndarray, rows: np.ndarray) -> list[Hashable]:
    """One key for each pair, equal exactly when the pairs are."""
    if rows.dtype == object:
        # The bytes of an object are an address, which another number may have had before.
        return [tuple(pair) for pair in zip(machines.tolist(), *rows.T.tolist())]
    width = rows.dtype.itemsize * rows.shape[1]
    keys, buffer = machines.astype(np.int32).tobytes(), rows.tobytes()
    return [keys[4 * i : 4 * i + 4] + buffer[width * i : width * i + width] for i in range(len(machines))]


class Stepwise:
    """Any Machine as a batched model, one step at a time: slow, for cascades, DFAs and the reference.

    Args:
        machine: with ``legal`` or ``accepts``, whichever the mode asks.
        mode: which of the two to give out.
    """

    arithmetic = "none"

    def __init__(self, machine: Machine, mode: str = PREDICTIVE):
        self.machine = machine
        self.alphabet = tuple(machine.alphabet)
        self.outputs = (ACCEPT,) if mode == RECOGNISE else (*self.alphabet, EOS)
        self._interned = Interned(machine, self.alphabet, self.outputs, RECOGNISE if mode == RECOGNISE else PREDICTIVE)

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """The initial state, as a number."""
        return np.zeros((batch, 1), dtype=np.int64), self._outputs(np.zeros((batch, 1), dtype=np.int64))

    def advance(self, state: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As the engine's ``advance``."""
        states = np.empty(words.shape, dtype=np.int64)
        current = state[:, 0].tolist()
        number, step, known = self._interned.number, self.machine.step, self._interned._states
        for t in range(words.shape[1]):
            current = [number(step(known[q], self.alphabet[a])) for q, a in zip(current, words[:, t].tolist())]
            states[:, t] = current
        return states[:, -1:], self._outputs(states)

    def _outputs(self, states: np.ndarray) -> Outputs:
        return Outputs(self._interned.table(), self._interned.expected[states].astype(np.int64))
