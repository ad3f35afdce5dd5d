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

from functools import cached_property

import numpy as np

from automata.machine import ACCEPT, EOS, PREDICTIVE, RECOGNISE, Machine
from constructions.growing import Growing
from constructions.joint_states import MOST_JOINT_STATES, JointStates
from constructions.ssm.engine import Engine, Outputs
from constructions.ssm.tabulated import TooManyStates
from verify.claim import JOINT_STATE_LIMIT
from verify.methods.coded_models import AllThatIsReached, ByRows, ByTables, InColumns
from verify.methods.machine_states import Interned, MachineStates, machine_states
from verify.methods.sticky import Sticky
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict, Witness

_BLOCK, _BLOCK_OUTPUTS = 1 << 16, 1 << 24
"""Transitions followed at once, and how many numbers their outputs may take."""
_MOST_CASES = 1 << 20
"""Numbers that are told apart by a table of all."""


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
            pair of such a row and a machine state that rejects for ever needs no further search.  Not asked of a
            model that holds its states in columns.
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
    states = machine_states(machine, model.alphabet, model.outputs, mode)
    # Another engine may answer differently.
    if type(model) is Engine:
        try:
            return _Search(states, ByTables(model), model.arithmetic, absorbed).run(limit, length, progress)
        except TooManyStates:
            pass  # its parts have too many states: it is run as it is, from the beginning
    if isinstance(model, InColumns):
        search = _Search(states, model, model.arithmetic, None)
        verdict = search.beforehand(model.closed(states.targets), limit, length, progress)
        if verdict is None:
            verdict = search.run(limit, length, progress)
            model.settle()
        return verdict
    return _Search(states, ByRows(model), model.arithmetic, absorbed).run(limit, length, progress)


class _Search:
    """Breadth-first, a part of a frontier at a time."""

    def __init__(self, states: MachineStates, model: ByTables | ByRows | InColumns, arithmetic: str, absorbed):
        self.states, self.model, self.arithmetic, self.absorbed = states, model, arithmetic, absorbed
        self.parents, self.symbols = Growing(np.uint32), Growing(np.min_scalar_type(len(states.alphabet)))
        self.transitions = 0
        self.pairs_absorbed = 0
        self._ended: set[int] = set()
        """Machine states of the pairs that were absorbed."""
        self._start = model.begin()
        self.pairs = JointStates(1 + len(self._start[0]))

    def run(self, limit: int, length: int | None, progress: Progress) -> Verdict:
        machines: np.ndarray = np.zeros(1, dtype=np.int64)
        columns, outputs = self._start
        if (wrong := self._compare(machines, outputs)) is not None:
            return self._refuted((), 0, *wrong)
        self._add(machines, columns, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))
        first, limit = 0, min(limit, MOST_JOINT_STATES)
        compared = -1
        while first < len(self.pairs):
            last = len(self.pairs)
            compared += 1  # all strings of this length have been compared
            if compared == length:
                return self._verdict(PROVED, "all strings up to this length", horizon=length)
            for begin in range(first, last, self.at_once):
                refuted = self._follow(begin, min(begin + self.at_once, last), progress)
                if refuted is not None:
                    return refuted
                if len(self.pairs) > limit:
                    reason = (
                        f"gave up at {len(self.pairs)} joint states (limit {limit}), "
                        "with no disagreement on strings of up "
                        f"to {compared} symbols: this is not a proof"
                    )
                    return self._verdict(UNDECIDED, reason)
            first = last
        if not self.pairs_absorbed:
            return self._verdict(PROVED, "closed: holds at every length")
        horizon = self.absorbed.horizon
        reach = "at every length" if horizon is None else f"as far as {self.arithmetic} counts exactly"
        return self._verdict(PROVED, f"closed: holds {reach}; {self.absorbed.reason}", horizon=horizon)

    def beforehand(
        self, closed: AllThatIsReached | None, limit: int, length: int | None, progress: Progress
    ) -> Verdict | None:
        """A proof, where all that is reached is known beforehand; None where it takes a search."""
        # A joint state is reached by fewer symbols than there are joint states.
        if closed is None or closed.explored["joint states"] > (limit if length is None else min(limit, length)):
            return None
        right = self._compare(np.zeros(1, dtype=np.int64), self._start[1]) is None
        if not right or self._compare(closed.machines, closed.outputs) is not None:
            return None
        progress.advance(closed.explored["joint states"], transitions=closed.explored["transitions"])
        return self._verdict(PROVED, "closed: holds at every length", explored=closed.explored)

    @cached_property
    def _grid(self) -> tuple[np.ndarray, np.ndarray]:
        """The places of the pairs that are followed at once, each with every symbol."""
        pairs, symbols = np.arange(self.at_once), np.arange(len(self.states.alphabet))
        return pairs.repeat(len(symbols)), np.tile(symbols, len(pairs))

    @property
    def at_once(self) -> int:
        """How many pairs are followed at once."""
        symbols = len(self.states.alphabet)
        return max(1, min(_BLOCK, _BLOCK_OUTPUTS // len(self.model.outputs)) // max(1, symbols))

    def _follow(self, first: int, last: int, progress: Progress) -> Verdict | None:
        """Takes every step from these pairs, and adds the pairs that are new."""
        machines, *columns = self.pairs.fields(first, last)
        target: np.ndarray = self.states.targets(machines.astype(np.int64)).ravel()
        sources, symbols = (grid[: len(target)] for grid in self._grid)
        if target.min(initial=0) < 0:
            followed = np.flatnonzero(target >= 0)
            if not len(followed):
                return None
            target, sources, symbols = target.take(followed), sources.take(followed), symbols.take(followed)
        stepped, outputs = self.model.step(columns, sources, symbols)
        self.transitions += len(sources)
        if (wrong := self._compare(target, outputs)) is not None:
            at, expected, given = wrong
            return self._refuted((int(symbols[at]),), first + int(sources[at]), at, expected, given)
        new = self._add(target, stepped, sources + first, symbols)
        progress.advance(new, transitions=self.transitions)
        return None

    def _add(self, machines, columns, parents, symbols) -> int:
        """Records the pairs that are new; returns how many they are."""
        if self.absorbed is not None:
            left = self._not_absorbed(machines, columns)
            machines, parents, symbols = machines.take(left), parents.take(left), symbols.take(left)
            columns = [column.take(left) for column in columns]
        new = self.pairs.add([machines, *columns])
        self.parents.append(parents[new])
        self.symbols.append(symbols[new])
        return len(new)

    def _not_absorbed(self, machines, columns) -> np.ndarray:
        assert not isinstance(self.model, InColumns), "of these nothing is absorbed"
        over = self.states.reject_for_ever(machines)
        dead = np.flatnonzero(over)
        holds = self.model.absorbed(self.absorbed, columns, dead)
        over[dead] = holds
        ended = machines.take(dead if holds.all() else dead[holds])
        if len(ended):
            # Most machines have one such state.
            others = np.flatnonzero(ended != ended[0])
            self._ended.update([int(ended[0]), *np.unique(ended[others]).tolist()])
        self.pairs_absorbed += len(ended)
        return np.flatnonzero(~over)

    def _compare(self, machines: np.ndarray, outputs: Outputs) -> tuple[int, frozenset[str], frozenset[str]] | None:
        """The first pair whose outputs differ: its position, what was expected, what was given."""
        expected, given = self.states.expected_at(machines), outputs.ids[:, 0]
        # There are few combinations of a set that is expected and a row that is given, and each is compared once.
        wanted, rows = self.states.table(), len(outputs.table)
        both = expected * rows + given
        cases = _present(both, len(wanted) * rows)
        differ = (wanted[cases // rows] != outputs.table[cases % rows]).any(axis=1)
        if not differ.any():
            return None
        at = int(np.flatnonzero(np.isin(both, cases[differ]))[0])
        names = frozenset(self.model.outputs[i] for i in np.flatnonzero(outputs.table[given[at]]))
        return at, self.states.sets[expected[at]], names

    def _refuted(self, last: tuple[int, ...], parent: int, at: int, expected, given) -> Verdict:
        word = list(last)
        while parent > 0:
            word.append(int(self.symbols.rows[parent]))
            parent = int(self.parents.rows[parent])
        witness = Witness(tuple(self.states.alphabet[s] for s in reversed(word)), expected, given)
        return self._verdict(REFUTED, "the witness is a shortest one", witness)

    def _verdict(
        self, outcome: str, reason: str, witness: Witness | None = None, horizon: int | None = None, explored=None
    ) -> Verdict:
        explored = explored or {
            "machine states": len(np.union1d(self.pairs.values(0), np.array(sorted(self._ended), dtype=np.uint64))),
            "joint states": len(self.pairs),
            "transitions": self.transitions,
        }
        return Verdict(outcome, "search", self.states.mode, self.arithmetic, explored, reason, witness, horizon)


def _present(numbers: np.ndarray, below: int) -> np.ndarray:
    """The different ones among numbers, which are all below this."""
    if below > _MOST_CASES:
        return np.unique(numbers)
    present = np.zeros(below, dtype=bool)
    present[numbers] = True
    return np.flatnonzero(present)


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
