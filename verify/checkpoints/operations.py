"""The certificate by operations: a full forward and a prefill give the numbers of single steps, whatever the string.

All transitions between the states of the closed search are stepped; then strings that take every transition after every
transition before it are read at once, each operation looked at (:mod:`constructions.mamba.recorded`).  Where no
operation is refused, the numbers of a token are a function of its transition at every position of every string; and
those of the strings that were run are compared with the steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

import numpy as np

from automata.machine import Machine
from verify.methods.machine_states import machine_states

MOST_TRANSITIONS = 1_000
"""Transitions of a search beyond which strings are only tested."""

_TOGETHER = 512
"""Strings that are read at once."""

_MORE = 4
"""Symbols by which strings may be longer than the longest way, so that many states are reached by the same number."""


@dataclass(frozen=True)
class ByOperations:
    """What was looked at.

    Attributes:
        operations: how many sums were bounded.
        largest: the largest, in its units.
        values: how many different numbers functions were done again on.
        strings: how many were read at once.
    """

    operations: int
    largest: float
    values: int
    strings: int

    @property
    def sentence(self) -> str:
        """In words."""
        return (
            "the same bits as single steps but for the sign of zeros, by operations: on strings that take every "
            f"transition ({self.strings}) {self.operations} sums, of at most {self.largest:g} units, and functions of "
            f"{self.values} numbers depend on the numbers alone"
        )


class _Transitions:
    """The graph of a closed search, each transition stepped once by the model.

    Attributes:
        source, symbol, target: of each transition, by number; the first is BOS, from no state.
        logits: after each transition.
        rows: the model's state, for each state.
        model: what was stepped, whose numbers of states these are.
    """

    def __init__(self, machine: Machine, model: Any, mode: str):
        self.model = model
        known = machine_states(machine, model.alphabet, model.outputs, mode)
        start = model.begin(1)[0]
        self.source, self.symbol, self.target = [-1], [-1], [0]
        self.logits, self.rows, machines = [model.first_logits], [start[0]], [0]
        numbers, depths, done = {(0, start[0].tobytes()): 0}, [0], 0
        while done < len(self.rows) and len(self.source) <= MOST_TRANSITIONS:
            last = min(len(self.rows), done + model.batch)
            targets = known.targets(np.array(machines[done:last]))
            sources, symbols = np.nonzero(targets >= 0)
            if len(sources):
                rows, logits = _stepped(model, np.array(self.rows[done:last])[sources], symbols)
            for i, (source, symbol) in enumerate(zip(sources.tolist(), symbols.tolist())):
                key = int(targets[source, symbol]), rows[i].tobytes()
                number = numbers.setdefault(key, len(self.rows))
                if number == len(self.rows):
                    self.rows.append(rows[i])
                    machines.append(key[0])
                    depths.append(depths[done + source] + 1)
                self.source.append(done + source)
                self.symbol.append(symbol)
                self.target.append(number)
                self.logits.append(logits[i])
            done = last
        self._depth = max(depths)

    def strings(self) -> Iterator[np.ndarray]:
        """Numbers of transitions, BOS first, each transition the last of some string: of few lengths, and those of one
        length together, (strings, time).
        """
        outgoing: list[list[int]] = [[] for _ in self.rows]
        for number, source in enumerate(self.source[1:], 1):
            outgoing[source].append(number)
        # For each number of symbols, and each state that so many lead to, the last transition on the way.
        into: list[dict[int, int]] = [{0: 0}]
        while len(into) < self._depth + _MORE:
            into.append({self.target[number]: number for state in into[-1] for number in outgoing[state]})
        ends = [{number for state in level for number in outgoing[state]} for level in into]
        left = set(range(1, len(self.source)))
        while left:
            symbols = max(range(len(ends)), key=lambda n: (len(ends[n] & left), -n))
            yield np.array([self._way(into, symbols, number) for number in sorted(ends[symbols] & left)])
            left -= ends[symbols]

    def _way(self, into: list[dict[int, int]], symbols: int, number: int) -> list[int]:
        """A way to a transition, so many symbols before it."""
        way = [number]
        for level in range(symbols, -1, -1):
            way.append(into[level][self.source[way[-1]]])
        return way[::-1]

    def longer(self, taken: np.ndarray) -> np.ndarray:
        """The strings that can be followed by one more symbol, with one."""
        leaving = dict(zip(self.source, range(len(self.source))))
        more = [(*string, leaving[self.target[string[-1]]]) for string in taken if self.target[string[-1]] in leaving]
        return np.array(more, dtype=np.int64).reshape(len(more), taken.shape[1] + 1)


def _stepped(model: Any, rows: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The states and all logits after one step of each row."""
    found = [
        model.step(rows[first : first + model.batch], symbols[first : first + model.batch])
        for first in range(0, len(rows), model.batch)
    ]
    return np.concatenate([row for row, _ in found]), np.concatenate([given.double().numpy() for _, given in found])


def by_operations(machine: Machine, model: Any, mode: str) -> ByOperations | str:
    """The certificate, or why there is none.

    Args:
        machine: the ground truth, which the model's single steps are proved to give.
        model: a :class:`constructions.mamba.stepping.SteppedMamba`; it cannot be stepped afterwards.
        mode: the question.
    """
    from constructions.mamba.numbers_alone import Refusal
    from constructions.mamba.recorded import Recorder, recorded_run

    runner = model.runner
    if otherwise := getattr(runner, "otherwise", ""):
        return otherwise
    idle = getattr(runner, "attending", ())
    most = _TOGETHER if model.batch > 1 else 1
    forward, prefill = Recorder(runner.model, idle), Recorder(runner.model, idle)
    try:
        # What is refused is refused on one symbol, before all transitions are stepped.
        legal = (
            machine_states(machine, model.alphabet, model.outputs, mode).targets(np.zeros(1, dtype=np.int64))[0] >= 0
        )
        glance = np.array([[model.vocabulary.bos, *model.vocabulary.tokens[np.flatnonzero(legal)[:1]]]])
        taken = np.arange(glance.shape[1])[None]
        recorded_run(Recorder(runner.model, idle), runner.logits, glance, taken, taken - 1, (2, 2))
        graph = _Transitions(machine, model.with_batch(1), mode)
        if len(graph.source) > MOST_TRANSITIONS:
            return f"there are more than {MOST_TRANSITIONS} transitions"
        count, counts = 0, (len(graph.source), len(graph.rows))

        def run(taken: np.ndarray, recorder: Any, way: Any, *state: Any) -> np.ndarray:
            symbols = model.vocabulary.tokens[np.array(graph.symbol)[taken[:, 1:]]]
            tokens = np.concatenate([np.full((len(taken), 1), model.vocabulary.bos), symbols], axis=1)
            return recorded_run(recorder, way, tokens, taken, np.array(graph.source)[taken], counts, *state)

        at_once, begun = (forward, runner.logits), (prefill, runner.start, runner.caches)
        for strings in graph.strings():
            for first in range(0, len(strings), most):
                taken = strings[first : first + most]
                count += len(taken)
                logits, last = run(taken, *begun), taken[:, -1]
                rows = graph.model.read(len(taken))
                wanted = np.array(graph.rows)[np.array(graph.target)[last]]
                if (logits != np.array(graph.logits)[last]).any() or (rows != wanted).any():
                    return "a prefill gives other numbers than steps"
                # With one symbol more, what is kept of the token before is read after every transition.
                longer = graph.longer(taken)
                for others in (taken, longer) if len(longer) < len(taken) else (longer,):
                    if (run(others, *at_once) != np.array(graph.logits)[others]).any():
                        return "a full forward gives other numbers than steps"
                if len(longer):
                    run(longer, *begun)
                # One string alone goes through the same operations.
                run(taken[:1], *at_once)
                run(taken[:1], *begun)
        forward.tokens.complete()
        prefill.tokens.complete()
    except Refusal as refusal:
        return str(refusal)
    return ByOperations(
        forward.numbers.sums + prefill.numbers.sums,
        max(forward.numbers.largest, prefill.numbers.largest),
        max(forward.numbers.values, prefill.numbers.values),
        count,
    )
