"""The obligations of the inductive proof for bounded Dyck, discharged on the weights as array operations.

The relation is :class:`verify.relation.StackRelation`.  Depth and symbol are enumerated; what else the step may
depend on is covered by boxes, so stale bits, and cells of the stack that a step does not touch, are never enumerated:

1. after BOS the model state is in R;
2. for every depth and symbol: the depth moves by one; a cell that stays keeps both values of each of its bits, the
   cell pushed takes the type of the bracket whatever was there, every stale bit stays 0 or 1;
3. for every depth and every type on top that the step can leave: the outputs are those of the machine.

A predictor is asked about legal symbols only.  For a recogniser a wrong symbol must raise the sticky register
(:mod:`verify.sticky`, which is why it rejects for ever); a closing bracket of the wrong type differs from the right
one in some bit, so there is one case for each bit, and all other bits are covered by the box.

Cost: depth * symbols * (state bits + non-zero weights of the depth's layer) for 2, and depth * types * outputs for 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterator

import numpy as np

from automata.bounded_dyck import DyckMachine
from automata.cascade import bit_length
from automata.machine import ACCEPT, PREDICTIVE
from constructions.engine import Engine
from constructions.ssm import SSM
from verify.boxes import Box, Maps, NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.relation import StackRelation

_FAILURES_KEPT = 64
_ROWS_AT_ONCE = 1 << 12


@dataclass(frozen=True)
class Failure:
    """An obligation that could not be discharged, and model states among which it fails.

    Attributes:
        what: in words.
        depth: before the step.
        symbol: the step's.
        cells: what is known of cells (1..h) before the step, cell -> type; those above the depth are stale.
        top: a type that the cell left on top has, if the failure depends on it.
    """

    what: str
    depth: int
    symbol: str
    cells: dict[int, int] = field(default_factory=dict)


@dataclass
class Result:
    """How many single facts were checked, and the failures found (at most a fixed number is kept)."""

    facts: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, failure: Failure) -> None:
        if len(self.failures) < _FAILURES_KEPT:
            self.failures.append(failure)


class StackInduction:
    """Checks all obligations for one model.

    Args:
        ssm: a model of Dyck(k, h) whose coordinates are named as :func:`constructions.bounded_dyck.bounded_dyck` does.
        machine: the ground truth, with k >= 2 and h >= 1.
        mode: "predictive" or "recognise".

    Raises:
        NotCovered: where no relation can be derived, or the model has something that boxes do not cover.
    """

    def __init__(self, ssm: SSM, machine: DyckMachine, mode: str):
        self.ssm, self.machine, self.mode = ssm, machine, mode
        self.relation = StackRelation.of(ssm, machine)
        self.maps = Maps(ssm)
        self.bits = bit_length(machine.k)
        self.codes = (np.arange(machine.k)[:, None] >> np.arange(self.bits)) & 1
        self.result = Result()
        self._sets: dict[frozenset[str], int] = {}
        self._rows: list[np.ndarray] = []
        self._output_index = {name: i for i, name in enumerate(ssm.outputs)}
        self._verified: dict[tuple[bytes, int], np.ndarray] = {}

    def run(self, progress: Progress = NO_PROGRESS) -> Result:
        """All obligations; O(see the module)."""
        self._initial()
        for depth in range(self.machine.depth + 1):
            for batch in self._batches(depth):
                self._check(batch)
            progress.advance(1, facts=self.result.facts)
        return self.result
