"""The inductive proof for Dyck with one bracket type: the state is a depth, and all depths are taken at once.

The relation: the coordinate named ``depth`` is the number of open brackets, and, in a recogniser, ``dead`` is 0.  A
violation leads to a state that rejects for ever (:mod:`verify.methods.sticky`).  A search would find the same pairs one
after the other, since each depth is reached from the one before.
"""

from __future__ import annotations

from typing import Iterator

import numpy as np

from automata.machine import ACCEPT, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from constructions.ssm.engine import Engine, Outputs
from constructions.ssm.number_formats import ScaledIntegers
from verify.methods.induction.obligations import Result
from verify.methods.sticky import Sticky
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress

_AT_ONCE = 1 << 16


class DepthInduction:
    """Checks all obligations for one model, in time linear in the depth.

    Args:
        machine: the ground truth, with one bracket type.
        sticky: which states reject for ever, for a recogniser.

    Raises:
        NotCovered: when the coordinates are not those of the relation.
    """

    def __init__(self, engine: Engine, machine: DyckMachine, sticky: Sticky | None):
        self.engine, self.machine, self.sticky = engine, machine, sticky
        self.recognise = engine.ssm.mode == RECOGNISE
        if self.recognise and sticky is None:
            raise NotCovered("no register is shown to stay dead and to silence the readout")
        names = engine.ssm.state_names
        if (
            sorted(names) != (["dead", "depth"] if self.recognise else ["depth"])
            or len(names) != engine.ssm.hidden_size
        ):
            raise NotCovered("the coordinates are not the depth (and the dead register of a recogniser)")
        self.column = names.index("depth")
        self.one = 1 << engine.numbers.unit_bits if isinstance(engine.numbers, ScaledIntegers) else 1
        self.result = Result()

    def run(self, progress: Progress = NO_PROGRESS) -> Result:
        """All obligations; failures are in words."""
        state, outputs = self.engine.begin(1)
        if not self._right(state, outputs, np.zeros(1, dtype=np.int64)).all():
            self.result.add("after BOS the state or the answer is wrong")
        for first in range(0, self.machine.depth + 1, _AT_ONCE):
            depths = np.arange(first, min(first + _AT_ONCE, self.machine.depth + 1))
            for symbol, after, legal in self._steps(depths):
                self._step(symbol, depths[legal], after[legal], alive=True)
                if self.recognise:
                    self._step(symbol, depths[~legal], after[~legal], alive=False)
            progress.advance(len(depths), facts=self.result.facts)
        return self.result

    def _steps(self, depths: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Each symbol with the depths after it, and where it is legal."""
        for symbol, after in ((self.machine.openers[0], depths + 1), (self.machine.closers[0], depths - 1)):
            yield symbol, after, (after >= 0) & (after <= self.machine.depth)

    def _states(self, depths: np.ndarray) -> np.ndarray:
        """Rows with these depths, rounded as floats are: what is then related is checked as it stands, step by step."""
        h = np.zeros((len(depths), self.engine.ssm.hidden_size), dtype=self.engine.numbers.dtype)
        with np.errstate(over="ignore"):
            h[:, self.column] = depths * self.one
        return h

    def _step(self, symbol: str, depths: np.ndarray, after: np.ndarray, alive: bool) -> None:
        if not len(depths):
            return
        read = np.full((len(depths), 1), self.engine.ssm.symbol_index[symbol])
        state, outputs = self.engine.advance(self._states(depths), read)
        if alive:
            right = self._right(state, outputs, after)
        else:
            assert self.sticky is not None, "a recogniser is asked for it"
            right = self.sticky(state) & ~outputs.dense()[:, 0].any(axis=1)
        self.result.facts += len(depths) * (state.shape[1] + len(self.engine.outputs))
        for depth in depths[~right][:1].tolist():
            self.result.add(f"reading {symbol!r} at depth {depth} goes wrong")

    def _right(self, state: np.ndarray, outputs: Outputs, depths: np.ndarray) -> np.ndarray:
        """Where state and answer are those of these depths."""
        answers = np.stack([self._expected(depth) for depth in (0, 1, self.machine.depth)])
        kind = np.where(depths == 0, 0, np.where(depths < self.machine.depth, 1, 2))
        return (state == self._states(depths)).all(axis=1) & (outputs.dense()[:, 0] == answers[kind]).all(axis=1)

    def _expected(self, depth: int) -> np.ndarray:
        """The machine's answer at a depth: it is the same for all that are neither 0 nor the greatest."""
        stack = (0,) * depth
        if self.recognise:
            names = frozenset((ACCEPT,)) if self.machine.accepts(stack) else frozenset()
        else:
            names = self.machine.legal(stack)
        return np.array([name in names for name in self.engine.outputs])
