"""Proof for an LSTM with cells that count: counts so large that they all look alike are one.

A search over states never closes where a cell counts.  But a counting cell gives tanh of its count, which from some
count on is 1; so whatever reads it sees no more of it than a few small counts, "many" and "less than minus many".  The
search here visits these.  What it rests on is run on the model itself:

* *A cell counts* when its gates read the token alone (the weights of what the layer gave before are zero), and a step
  adds to it what the token adds to a counter of the machine: looked at for every count up to the horizon and each
  token, and so is that it gives the same number for every count beyond the small ones.
* *Every step* of the search is a step of the model, from each small count and, beyond these, from each count that leads
  back to small ones and one that does not.  All other numbers of the state after a step are functions of the token and
  of what the cells gave, and these are the same for all counts that are taken as one: a cell of an LSTM reads what
  other cells give, and no count but its own.
* *Where several counters make too many states*, all counts beyond 1 are taken as one, though cells give several numbers
  of them: as long as no gate that reads these is any other for one of them (:mod:`verify.checkpoints.settled_gates`).
* *The machine* asks of a counter only whether it is zero, and adds by the symbol alone what the cell does.

By induction on its length, a string that leads to no count beyond the horizon leads to a state that was visited.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Iterator, NamedTuple, Sequence

import numpy as np

from automata.machine import PREDICTIVE, Machine
from automata.machines.counter_machine import CounterMachine
from verify.checkpoints.checkpoint_search import UNCLOSED, runs_wrong, search_checkpoint
from verify.checkpoints.counted_horizon import prove_along_lines
from verify.checkpoints.settled_gates import LstmGates
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict

MOST_SMALL, FINEST = 128, 64
"""Counts that may look different, and steps that may make a unit."""

MOST_COUNTED = 300_000
"""Joint states of the search, each of which takes a few steps of the model."""

_SWEPT, _TOGETHER, _ALONE = 1 << 14, 256, 20_000
"""Rows of a step on all counts, and of the search; steps up to which the search is done again in rows of one."""


class NotCounting(Exception):
    """Why this proof says nothing of a model."""


def searched(
    machine: Machine,
    model: Any,
    mode: str,
    *,
    limit: int,
    counted: int = 0,
    exact: int | None = None,
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """The verdict on a model of which nothing is known: by cells that count where it has these, else by the search
    through its caches, which of a counter machine cannot close and ends early, and then along lines of counts.

    Args:
        machine, model, mode: as of :func:`verify.checkpoints.checkpoint_search.search_checkpoint`.
        limit: joint states of the search.
        counted: the limit of counts that are run, and of steps along lines; the other one where it is 0.
        exact: the greatest length on which counters are certainly exact, where that is known: longer strings are not
            searched.
    """
    if not isinstance(machine, CounterMachine):
        return search_checkpoint(machine, model, mode, limit=limit, progress=progress)
    if getattr(model.runner, "cell", "") == "lstm":
        found = prove_counting(machine, model, mode, limit=counted or limit, progress=progress)
        if isinstance(found, Verdict):
            return found
        why, model = f"not proved by cells that count: {found}", model.with_batch(model.batch)
    else:
        why = "cannot close: a counter has infinitely many values"
    verdict = search_checkpoint(machine, model, mode, limit=min(limit, UNCLOSED), length=exact, progress=progress)
    if verdict.outcome != UNDECIDED:
        return verdict
    fresh = model.with_batch(model.batch)
    lines = prove_along_lines(machine, fresh, mode, limit=counted or limit, progress=progress)
    return lines if isinstance(lines, Verdict) else replace(verdict, reason=f"{why}; {verdict.reason}; {lines}")


def prove_counting(
    machine: CounterMachine, model: Any, mode: str, *, limit: int, progress: Progress = NO_PROGRESS
) -> Verdict | str:
    """Proves or refutes that an LSTM's decoding steps give a counter machine's outputs.

    Args:
        machine: the ground truth.
        model: a :class:`constructions.mamba.stepping.SteppedMamba` of an LSTM; it cannot be stepped afterwards.
        mode: the question.
        limit: counts and tokens that are run, which bounds the horizon.

    Returns:
        ``proved`` up to a horizon, ``refuted`` with a witness, or why neither is found.  O(limit) steps of the model.
    """
    try:
        counts = _Counts.of(machine, model, mode, limit, progress)
        signs = 1 if mode == PREDICTIVE else 2
        if (signs * (counts.small + 1) + 1) ** len(counts.cells) > MOST_COUNTED:
            counts = counts.by_gates(model)
        values = signs * (counts.small + 1) + 1
        if values ** len(counts.cells) > MOST_COUNTED:
            raise NotCounting(
                f"{len(counts.cells)} counters of {values} values that are told apart make more than {MOST_COUNTED} "
                "joint states, which take too long"
            )
        search = _Search(machine, model, mode, counts, _TOGETHER)
        found = search.run(progress)
        if found is None and search.steps <= _ALONE:
            found = _Search(machine, model, mode, counts, 1).run(progress)
    except NotCounting as refusal:
        return str(refusal)
    rows = "of one string at a time" if search.steps <= _ALONE else f"of {_TOGETHER} strings at once"
    conditions = model.runner.conditions
    explored = {"joint states": len(search.numbers), "transitions": search.steps, "counts run": counts.run}
    if found is not None:
        witness = runs_wrong(machine, model.with_batch(1), mode, found)
        if witness is None:
            word = " ".join(found) or "the empty string"
            return f"with large counts as one, {word} is answered wrong, and not when it is run"
        reason = f"run in {conditions}, steps of 1 row"
        return Verdict(REFUTED, "counting", mode, model.arithmetic, explored, reason, witness)
    allowed = " (as many as the limit allows: --limit)" if counts.allowed else ""
    alike = "look alike" if counts.settled is None else "make no gate another"
    reason = (
        f"every string of up to {counts.horizon} symbols: counts beyond {counts.small} {alike}, each up to "
        f"{counts.greatest} was run{allowed}, and the search with these as one closed, by single decoding steps {rows} "
        f"in {conditions}"
    )
    return Verdict(PROVED, "counting", mode, model.arithmetic, explored, reason, horizon=counts.horizon)


@dataclass
class _Counts:
    """The counting cells, one for each counter of the machine, and what was seen of them.

    Attributes:
        cells: their places in the first layer.
        scales: how many steps make a unit of each.
        added: what each token adds, in steps: (tokens of the alphabet, counters).
        small: counts up to this one, of either sign, are told apart.
        gives: what the cells give: (tokens, counters, counts from -MOST_SMALL - 1 to MOST_SMALL + 1).
        greatest: no count up to this one was rounded.
        horizon: no string of so many symbols leads to a greater one.
        run: how many steps were run to see this.
        allowed: whether greater ones were not run, since the limit allows no more.
        settled: the gates, where cells give several numbers of the counts that are not told apart.
    """

    cells: list[int]
    scales: np.ndarray
    added: np.ndarray
    small: int = 0
    gives: np.ndarray = field(default_factory=lambda: np.zeros(0))
    greatest: int = 0
    horizon: int = 0
    run: int = 0
    allowed: bool = False
    settled: LstmGates | None = None

    @classmethod
    def of(cls, machine: CounterMachine, model: Any, mode: str, limit: int, progress: Progress) -> "_Counts":
        """Finds the cells, and runs each count with each token."""
        found = cls(*_counting_cells(machine, model))
        signs = (1,) if mode == PREDICTIVE else (1, -1)
        most = limit // (len(signs) * len(machine.alphabet))
        seen = [found._sweep(model, token, sign, most, progress) for token in range(len(found.added)) for sign in signs]
        found.greatest = min(greatest for greatest, _ in seen)
        found.allowed = found.greatest == most
        fastest = max(1, int(np.abs(found.added).max()))
        if found.greatest <= MOST_SMALL + fastest:
            more = f", and --limit {limit} allows no more" if found.allowed else ""
            raise NotCounting(f"counts are as they should be up to {found.greatest} alone{more}")
        near = [gives for _, gives in seen]
        wide = np.full((len(found.added), len(found.cells), 2 * MOST_SMALL + 3), np.nan)
        for place, (token, sign) in enumerate(product(range(len(found.added)), signs)):
            for counter, cell in enumerate(near[place]):
                for count, value in cell.items():
                    wide[token, counter, count + MOST_SMALL + 1] = value
        found._narrow(wide, signs)
        start = max((abs(value) for value in machine.initial[1]), default=0)
        found.horizon = (found.greatest - start) // fastest
        return found

    def _sweep(
        self, model: Any, token: int, sign: int, most: int, progress: Progress
    ) -> tuple[int, list[dict[int, float]]]:
        """Steps with one token from each count of one sign: the greatest before anything is wrong, and for each counter
        what it gives of counts up to MOST_SMALL + 1, which stands for all that are greater.
        """
        runner, added = model.runner, self.added[token]
        near: list[dict[int, float]] = [{} for _ in self.cells]
        blank = _zeros(runner, _SWEPT)
        number = int(model.vocabulary.tokens[token])
        for first in range(0, most + 1, _SWEPT):
            counts = sign * np.arange(first, min(first + _SWEPT, most + 1))
            state = blank[:, :, : len(counts)]
            state[1, 0][:, self.cells] = counts[:, None] / self.scales
            _, after = runner.stepped(np.full(len(counts), number), state)
            self.run += len(counts)
            progress.advance(len(counts))
            wanted = counts[:, None] + added
            gives, wrong = after[0, 0][:, self.cells], after[1, 0][:, self.cells] * self.scales != wanted
            for counter, known in enumerate(near):
                small = np.abs(wanted[:, counter]) <= MOST_SMALL + 1
                known.update(zip(wanted[small, counter].tolist(), gives[small, counter].tolist()))
                beyond = known.get(sign * (MOST_SMALL + 1))
                wrong[:, counter] |= ~small & (gives[:, counter] != beyond)
            if wrong.any():
                return first + int(np.flatnonzero(wrong.any(axis=1))[0]) - 1, near
        return most, near

    def _narrow(self, wide: np.ndarray, signs: Sequence[int]) -> None:
        """Keeps of what is given of small counts as much as differs."""
        middle = MOST_SMALL + 1
        for self.small in range(MOST_SMALL):
            kept = [wide[:, :, middle + sign * (self.small + 1) :: sign] for sign in signs]
            if all((part == part[:, :, :1]).all() for part in kept):
                break
        else:
            raise NotCounting(f"what a cell gives of counts up to {MOST_SMALL} is never the same")
        self.gives = wide

    def by_gates(self, model: Any) -> "_Counts":
        """All counts beyond 1 as one, if the outputs are read off a layer that does not count."""
        layer = model.runner.model.layer
        return replace(self, small=1, settled=LstmGates(layer, model.arithmetic)) if layer.num_layers > 1 else self

    def given(self, symbols: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """What the cells give of counts (rows, counters), after these symbols."""
        place = np.clip(counts, -MOST_SMALL - 1, MOST_SMALL + 1) + MOST_SMALL + 1
        return self.gives[symbols[:, None], np.arange(len(self.cells)), place]

    def between(self, hidden: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """The least and the greatest of what the cells of a layer may give, (2, rows, units), if what they give is
        this but for counts that are not told apart.
        """
        found = np.stack([hidden, hidden])
        middle = MOST_SMALL + 1
        for sign in (1, -1):
            rows, counters = np.nonzero(sign * counts > self.small)
            if len(rows):
                beyond = self.gives[:, :, middle + sign * (self.small + 1) :: sign]
                # Counts to which a symbol does not lead are not there.
                found[0, rows, np.array(self.cells)[counters]] = np.nanmin(beyond, axis=(0, 2))[counters]
                found[1, rows, np.array(self.cells)[counters]] = np.nanmax(beyond, axis=(0, 2))[counters]
        return found


def _zeros(runner: Any, rows: int) -> np.ndarray:
    """Room for the states of so many rows: hidden states and cells, of each layer."""
    layer = runner.model.layer
    return np.zeros((2, layer.num_layers, rows, layer.hidden_size))


def _counting_cells(machine: CounterMachine, model: Any) -> tuple[list[int], np.ndarray, np.ndarray]:
    """For each counter of the machine a cell of the first layer that reads the token alone, and adds the same.

    Raises:
        NotCounting: naming the counter that has none, or the symbol that does not always add the same.
    """
    wanted: np.ndarray = np.zeros((len(model.alphabet), len(machine.counters)), dtype=np.int64)
    for place, symbol in enumerate(model.alphabet):
        amounts = {move.add for move in machine.moves if move.symbol == symbol}
        if len(amounts) != 1:
            raise NotCounting(f"{symbol!r} does not add the same wherever it is read")
        wanted[place] = amounts.pop()
    runner = model.runner
    units = runner.model.layer.hidden_size
    reads = runner.model.layer.weight_hh_l0.detach().double().numpy().reshape(4, units, units)
    alone = ~reads.any(axis=(0, 2))
    tokens = model.vocabulary.tokens
    steps = []
    for count in (0.0, 1.0):
        state = _zeros(runner, len(tokens))
        state[1, 0] = count
        steps.append(runner.stepped(tokens, state)[1][1, 0])
    holds = alone & (steps[1] - steps[0] == 1).all(axis=0)
    cells, scales = [], []
    for counter, name in enumerate(machine.counters):
        for cell in np.flatnonzero(holds).tolist():
            scale = next((s for s in _powers() if (steps[0][:, cell] * s == wanted[:, counter]).all()), None)
            if scale is not None and cell not in cells:
                cells.append(cell)
                scales.append(scale)
                break
        else:
            raise NotCounting(f"no cell counts {name!r} by the token alone")
    return cells, np.array(scales), wanted


def _powers() -> Iterator[int]:
    return (1 << power for power in range(FINEST.bit_length()))


class _Joint(NamedTuple):
    """A state of the search.

    Attributes:
        control: of the machine, None where no move applied.
        counts: of the cells; one beyond the small ones stands for all that are.
        state: of the model: (hidden states and cells, layers, units).
    """

    control: str | None
    counts: tuple[int, ...]
    state: np.ndarray

    @property
    def key(self) -> tuple[Any, ...]:
        return self.control, self.counts, self.state.tobytes()


class _Step(NamedTuple):
    """A step to be run: the number of the state that it is from, the symbol's number, counts before and after."""

    source: int
    symbol: int
    before: tuple[int, ...]
    after: tuple[int, ...]


class _Search:
    """Breadth-first, with all counts beyond the small ones as one."""

    def __init__(self, machine: CounterMachine, model: Any, mode: str, counts: _Counts, rows: int):
        self.machine, self.model, self.mode, self.counts, self.rows = machine, model, mode, counts, rows
        self.many = counts.small + 1
        self.numbers: dict[Any, int] = {}
        self.found: list[_Joint] = []
        self.came: list[tuple[int, int]] = []
        self.steps = 0
        self._tokens = model.vocabulary.tokens
        self._added = [tuple(row) for row in counts.added.tolist()]
        self._sets: dict[frozenset[str], np.ndarray] = {}

    def run(self, progress: Progress) -> tuple[str, ...] | None:
        """None where all outputs are right, else the symbols that lead to one that is not."""
        runner, machine = self.model.runner, self.machine
        logits, state = runner.stepped(np.full(1, self.model.vocabulary.bos), _zeros(runner, 1))
        control, values = machine.initial
        if (state[1, 0, 0, self.counts.cells] * self.counts.scales != values).any() or max(values) > self.counts.small:
            raise NotCounting("the cells do not begin as the machine's counters do")
        if not self._right(logits, [machine.initial]).all():
            return ()
        self._add(_Joint(control, tuple(values), state[:, :, 0]), -1, -1)
        steps: list[_Step] = []
        for source in self._sources(progress):
            steps += self._from(source)
            # Steps of the last states that are known are run whether or not they fill the rows.
            if len(steps) < self.rows and source + 1 < len(self.found):
                continue
            for first in range(0, len(steps), self.rows):
                wrong = self._take(steps[first : first + self.rows])
                if wrong is not None:
                    return (*self._way(wrong.source), self.model.alphabet[wrong.symbol])
            steps = []
        return None

    def _sources(self, progress: Progress) -> Iterator[int]:
        number = 0
        while number < len(self.found):
            if len(self.found) > 2 * MOST_COUNTED:
                raise NotCounting(f"more than {2 * MOST_COUNTED} joint states, all counts beyond some taken as one")
            yield number
            progress.advance(1)
            number += 1

    def _from(self, source: int) -> Iterator[_Step]:
        """The steps from a state: from a count beyond the small ones all that lead to small ones, and one more."""
        joint, many = self.found[source], self.many
        alive = None if joint.control is None else (joint.control, joint.counts)
        legal = self.machine.legal(alive) if self.mode == PREDICTIVE else None
        for symbol, name in enumerate(self.model.alphabet):
            if legal is not None and name not in legal:
                continue
            ways = []
            for count, added in zip(joint.counts, self._added[symbol]):
                back = max(0, -added if count > 0 else added) if abs(count) == many else 0
                sign = 1 if count > 0 else -1
                ways.append([(count + sign * k, count + sign * k + added) for k in range(back + 1)])
            for chosen in product(*ways):
                yield _Step(source, symbol, tuple(b for b, _ in chosen), tuple(a for _, a in chosen))

    def _take(self, steps: Sequence[_Step]) -> _Step | None:
        """Runs steps at once, in rows that are filled up; returns the first whose outputs are wrong."""
        counts, cells = self.counts, self.counts.cells
        filled = [*steps, *[steps[0]] * (self.rows - len(steps))]
        state = np.stack([self.found[step.source].state for step in filled], axis=2)
        state[1, 0][:, cells] = np.array([step.before for step in filled]) / counts.scales
        symbols = np.array([step.symbol for step in filled])
        logits, after = self.model.runner.stepped(self._tokens[symbols], state)
        self.steps += len(steps)
        reached = np.array([step.after for step in steps])
        if (after[1, 0, : len(steps)][:, cells] * counts.scales != reached).any():
            raise NotCounting("a cell counts otherwise beside other numbers")
        symbols = symbols[: len(steps)]
        if (after[0, 0, : len(steps)][:, cells] != counts.given(symbols, reached)).any():
            raise NotCounting("a cell gives another number beside other numbers")
        if counts.settled is not None and not self._settled(steps, symbols, state, after):
            raise NotCounting(f"counts beyond {counts.small} are told apart by what reads them")
        capped = np.clip(reached, -self.many, self.many)
        after[1, 0, : len(steps), cells] = (capped / counts.scales).T
        one = np.where(np.abs(reached) < self.many, reached, np.sign(reached) * (MOST_SMALL + 1))
        after[0, 0, : len(steps), cells] = counts.given(symbols, one).T
        targets = [self._target(step) for step in steps]
        right = self._right(logits[: len(steps)], targets)
        for place, (step, target) in enumerate(zip(steps, targets)):
            if not right[place]:
                return step
            control = None if target is None else target[0]
            self._add(
                _Joint(control, tuple(capped[place].tolist()), after[:, :, place].copy()), step.source, step.symbol
            )
        return None

    def _settled(self, steps: Sequence[_Step], symbols: np.ndarray, state: np.ndarray, after: np.ndarray) -> bool:
        """Whether these steps make the same of all counts that are not told apart."""
        counts, some = self.counts, slice(len(steps))
        assert counts.settled is not None
        table = self.model.runner.model.embedding.weight.detach().double().numpy()
        before = counts.between(state[0, 0, some], np.array([step.before for step in steps]))
        now = counts.between(after[0, 0, some], np.array([step.after for step in steps]))
        return counts.settled.same(table[self._tokens[symbols]], before, now, state[0, 1, some])

    def _target(self, step: _Step) -> Any:
        """Where the machine goes, which adds what the cells do."""
        control = self.found[step.source].control
        return None if control is None else self.machine.step((control, step.before), self.model.alphabet[step.symbol])

    def _right(self, logits: Any, targets: Sequence[Any]) -> np.ndarray:
        """Which outputs are those of the machine."""
        given = self.model.reading.given(logits, self.model.vocabulary.answers)
        wanted = np.stack([self._booleans(self._expected(target)) for target in targets])
        return (given == wanted).all(axis=1)

    def _expected(self, target: Any) -> frozenset[str]:
        if self.mode == PREDICTIVE:
            return self.machine.legal(target)
        return frozenset(self.model.outputs) if self.machine.accepts(target) else frozenset()

    def _booleans(self, outputs: frozenset[str]) -> np.ndarray:
        if outputs not in self._sets:
            self._sets[outputs] = np.array([name in outputs for name in self.model.outputs])
        return self._sets[outputs]

    def _add(self, joint: _Joint, source: int, symbol: int) -> None:
        if self.numbers.setdefault(joint.key, len(self.found)) == len(self.found):
            self.found.append(joint)
            self.came.append((source, symbol))

    def _way(self, number: int) -> tuple[str, ...]:
        """Symbols that lead to a state, where counts beyond the small ones are taken as one."""
        word = []
        while number > 0:
            number, symbol = self.came[number]
            word.append(self.model.alphabet[symbol])
        return tuple(reversed(word))
