"""A guess of all joint states of a counter machine and a model up to some length: those of short strings, and straight
lines through them.

What a stock model keeps of a count is a number that grows by the same for each unit, and all else is one of a few.  So
the caches of short strings, of one control state of the machine and with the same numbers that never take new values,
lie on lines: number for number a cache is one of them, and the count's distance times a slope.  Lines are read off two
states that differ in a count alone.  None of it has to be right: what is guessed is stepped
(:mod:`verify.checkpoints.guessed_states`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Iterator

import numpy as np

from automata.machine import PREDICTIVE
from automata.machines.counter_machine import CounterMachine

_FAR, _MANY = 32, 2_000
"""Symbols of the short strings, and joint states after which these are not made longer."""

_SEEN = 3
"""Joint states on one line, which two always are."""

_APART = 8
"""Units between two states from which a slope is read, at most."""

_PAIRED = 16
"""States of the same counts from which slopes are read."""

_TOGETHER = 1 << 12
"""Caches that are computed at once."""

Counted = tuple[str | None, tuple[int, ...]]
"""A state of the machine; where no move applied, None and what its counters would be had they gone on by symbols."""


@dataclass(frozen=True)
class Short:
    """The joint states of short strings.

    Attributes:
        counted: of the machine.
        lengths: of the shortest strings that lead there.
        numbers: of the caches (states, numbers).
        sources, symbols: the last steps that were taken: which states they are from.
    """

    counted: list[Counted]
    lengths: np.ndarray
    numbers: np.ndarray
    sources: np.ndarray
    symbols: np.ndarray


class GoesOn:
    """A counter machine whose counters go on where no move applies: by what a symbol adds wherever it is read."""

    def __init__(self, machine: CounterMachine, alphabet: tuple[str, ...], mode: str):
        self.machine, self.alphabet, self.mode = machine, alphabet, mode
        none = (0,) * len(machine.counters)
        self._added = {symbol: none for symbol in alphabet} | {move.symbol: move.add for move in machine.moves}

    def steps(self, counted: Counted) -> Iterator[tuple[int, Counted]]:
        """The symbols that are followed, by their numbers, and where they lead."""
        control, counts = counted
        alive = None if control is None else (control, counts)
        legal = self.machine.legal(alive) if self.mode == PREDICTIVE else None
        for number, symbol in enumerate(self.alphabet):
            if legal is None or symbol in legal:
                target = self.machine.step(alive, symbol)
                gone = None, tuple(count + added for count, added in zip(counts, self._added[symbol]))
                yield number, gone if target is None else target


def short_strings(machine: GoesOn, model: Any) -> Short:
    """Steps a model through all short strings, breadth first.

    Args:
        machine: with the question.
        model: a :class:`constructions.mamba.stepping.SteppedMamba`.
    """
    first = model.begin(1)[0]
    counted: list[Counted] = [machine.machine.initial]
    rows, lengths = [first[0]], [0]
    known, here = {(counted[0], first[0].tobytes())}, [0]
    sources, symbols = [0], [0]
    for length in range(1, _FAR + 1):
        steps = [(state, symbol, target) for state in here for symbol, target in machine.steps(counted[state])]
        if not steps or len(counted) > _MANY:
            break
        sources, symbols = [state for state, _, _ in steps], [symbol for _, symbol, _ in steps]
        stepped, _ = model.advance(np.stack([rows[state] for state in sources]), np.array(symbols)[:, None])
        here = []
        for (_, _, target), row in zip(steps, stepped):
            if (target, row.tobytes()) not in known:
                known.add((target, row.tobytes()))
                here.append(len(counted))
                counted.append(target)
                rows.append(row)
                lengths.append(length)
    return Short(counted, np.array(lengths), model.numbers_in(np.stack(rows)), np.array(sources), np.array(symbols))


@dataclass(frozen=True)
class CountLine:
    """Caches of one control state.

    Attributes:
        control: of the machine.
        at_zero: the cache where all counts are 0, or would be.
        slopes: what a unit of each counter adds to it: (counters, numbers).
        low, high: counts on it.
    """

    control: str | None
    at_zero: np.ndarray
    slopes: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def at(self, counts: np.ndarray) -> np.ndarray:
        """The caches of these counts (rows, counters), in float64."""
        return self.at_zero + counts @ self.slopes


def count_lines(short: Short) -> list[CountLine]:
    """Straight lines through joint states of short strings, each through three or more."""
    numbers = short.numbers
    late = short.lengths > short.lengths.max(initial=0) // 2
    counting = np.array([bool(np.setdiff1d(column[late], column[~late]).size) for column in numbers.T], dtype=bool)
    kinds: dict[tuple[str | None, bytes], list[int]] = defaultdict(list)
    rest = np.ascontiguousarray(numbers[:, ~counting])
    for state, (control, _) in enumerate(short.counted):
        kinds[control, rest[state].tobytes()].append(state)
    counts = np.array([counts for _, counts in short.counted], dtype=np.float64)
    ends = counts.min(axis=0), counts.max(axis=0)
    found: list[CountLine] = []
    for (control, _), members in kinds.items():
        left = np.array(members)
        while len(left) >= _SEEN:
            slopes = np.stack([_slope(counts[left], numbers[left], counter) for counter in range(counts.shape[1])])
            zeros, which = np.unique(numbers[left] - counts[left] @ slopes, axis=0, return_inverse=True)
            groups = [left[which.ravel() == group] for group in range(len(zeros))]
            lines = [group for group in groups if len(group) >= _SEEN and np.ptp(counts[group], axis=0).any()]
            for group in lines:
                zero = numbers[group[0]] - counts[group[0]] @ slopes
                found.append(CountLine(control, zero, slopes, *_ends(counts[group], ends)))
            if not lines:
                break
            left = np.setdiff1d(left, np.concatenate(lines))
    return found


def _slope(counts: np.ndarray, numbers: np.ndarray, counter: int) -> np.ndarray:
    """What a unit of one counter adds, for most pairs of states that differ in it alone, and by little."""
    at: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for state, values in enumerate(counts.tolist()):
        if len(at[tuple(values)]) < _PAIRED:
            at[tuple(values)].append(state)
    for apart in range(1, _APART + 1):
        votes: Counter[bytes] = Counter()
        for values, states in at.items():
            further = at.get((*values[:counter], values[counter] + apart, *values[counter + 1 :]), ())
            votes.update(((numbers[b] - numbers[a]) / apart).tobytes() for a in states for b in further)
        if votes:
            return np.frombuffer(votes.most_common(1)[0][0])
    return np.zeros(numbers.shape[1])


def _ends(counts: np.ndarray, ends: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The counts that may be on a line: as far as any where those seen on it go with all that were seen."""
    low, high = counts.min(axis=0), counts.max(axis=0)
    moves = low < high
    down, up = moves & (2 * low <= ends[0]) & (low < 0), moves & (2 * high >= ends[1])
    return np.where(down, -np.inf, low), np.where(up, np.inf, high)


def counted_up_to(machine: GoesOn, lines: list[CountLine], most: int) -> tuple[list[Counted], int]:
    """The states of the machine after all strings of up to some length: the greatest with which about so many steps
    are taken from all of these lines; and that length.
    """
    weights: dict[str | None, int] = defaultdict(int)
    for line in lines:
        weights[line.control] += bool(np.isinf([line.low, line.high]).any())
    known: dict[Counted, None] = {machine.machine.initial: None}
    here: list[Counted] = [machine.machine.initial]
    steps = length = 0
    while here:
        there: dict[Counted, None] = {}
        for counted in here:
            for _, target in machine.steps(counted):
                # Where no line is, a step is counted all the same, so that this ends.
                steps += max(1, weights[counted[0]])
                if target not in known:
                    there[target] = None
        if steps > most:
            break
        known |= there
        here, length = list(there), length + 1
    return list(known), length


def on_lines(lines: list[CountLine], counted: list[Counted]) -> Iterator[tuple[list[Counted], np.ndarray]]:
    """The joint states with these states of the machine: a part of them, and the caches' numbers, at a time."""
    by_control: dict[str | None, list[tuple[int, ...]]] = defaultdict(list)
    for control, counts in counted:
        by_control[control].append(counts)
    for line in lines:
        points: np.ndarray = np.array(by_control[line.control], dtype=np.int64).reshape(-1, len(line.low))
        points = points[((points >= line.low) & (points <= line.high)).all(axis=1)]
        for first in range(0, len(points), _TOGETHER):
            part = points[first : first + _TOGETHER]
            yield [(line.control, tuple(row)) for row in part.tolist()], line.at(part)
