"""The obligations of the inductive proof for bounded Dyck, discharged on the weights as array operations.

The relation is :class:`verify.methods.induction.relation.StackRelation`.  Depth and symbol are enumerated; what else
the step may depend on is covered by boxes, so stale bits, and cells of the stack that a step does not touch, are never
enumerated:

1. after BOS the model state is in R;
2. for every depth and symbol: the depth moves by one; a cell that stays keeps both values of each of its bits, the
   cell pushed takes the type of the bracket whatever was there, every stale bit stays 0 or 1;
3. for every depth and every type on top that the step can leave: the outputs are those of the machine.

A predictor is asked about legal symbols only.  For a recogniser a wrong symbol must raise the dead register
(and :mod:`verify.methods.induction.stack_death` says why it then rejects for ever); a closing bracket of the wrong type
differs from the right one in some bit, so there is one case for each bit, and all other bits are covered by the box.

Cost: depth * symbols * (state bits + non-zero weights of the depth's layer) for 2, and depth * types * log(types) for
3, or depth * types * outputs where a model's outputs are not told apart bit by bit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Collection, Sequence

import numpy as np

from automata.machine import ACCEPT, BOS, PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from constructions.cascade import bit_length
from constructions.ssm.engine import Engine
from constructions.ssm.recurrence import distinct
from constructions.ssm.weights import SSM
from verify.methods.induction.float_growth import check_weights
from verify.methods.induction.obligations import FAILURES_KEPT, Result
from verify.methods.induction.relation import StackRelation
from verify.methods.induction.stack_death import dead_for_ever, exact_symbols
from verify.methods.induction.stack_steps import StackSteps
from verify.numbers.boxes import Box, NotCovered
from verify.progress import NO_PROGRESS, Progress

_NONE: dict[int, int] = {}
_OUTPUTS_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class StackFailure:
    """An obligation that could not be discharged.

    Attributes:
        what: in words.
        depth: before the step.
        symbol: the step's.
        cells: what it depends on: type by cell (from 1), before the step; cells above the depth are stale.
        dead: whether the prefix was dead before the step; the depth is then any integer.
    """

    what: str
    depth: int
    symbol: str
    cells: dict[int, int] = field(default_factory=dict)
    dead: bool = False

    def __str__(self) -> str:
        if self.symbol == BOS:
            return f"after BOS {self.what}"
        known = [f"depth = {self.depth}", *(f"slot {cell} = {kind}" for cell, kind in sorted(self.cells.items()))]
        known += ["dead = 1"] * self.dead
        return f"reading {self.symbol!r} with {', '.join(known)}: {self.what}"


@dataclass(frozen=True)
class _Batch:
    """All opening or all closing brackets at one depth, and what the layers above the slots make of them.

    Attributes:
        depth: before the step.
        after: the depth after the step.
        opening: which of the two.
        symbols: rows of the embedding, one for each type in order.
        features: what the slot layer reads, one row for each type.
    """

    depth: int
    after: int
    opening: bool
    symbols: np.ndarray
    features: Box


class StackInduction:
    """Checks all obligations for one model.

    Args:
        ssm: a model of Dyck(k, h) whose coordinates are named as in :mod:`constructions.paper.bounded_dyck`.
        machine: the ground truth, with k >= 2 and h >= 1.

    Raises:
        NotCovered: where no relation can be derived, or the model has something that boxes do not cover.
    """

    def __init__(self, ssm: SSM, machine: DyckMachine):
        self.ssm, self.machine = ssm, machine
        check_weights(ssm)
        self.relation = StackRelation.of(ssm, machine)
        self.steps = StackSteps(ssm, self.relation)
        self.result = Result()
        self.horizon: int | None = None
        """Symbols of the strings covered, where a float recogniser's integers drift after death; None: every length."""
        self.cleared = ssm.mode == PREDICTIVE
        """Whether all slots above the depth are 0, which a predictor may keep besides."""
        self._codes = (np.arange(machine.k)[:, None] >> np.arange(bit_length(machine.k))) & 1
        self._openers, self._closers = (
            np.array([ssm.symbol_index[symbol] for symbol in symbols]) for symbols in (machine.openers, machine.closers)
        )
        self._legal_rows = _LegalRows(machine, ssm.outputs)
        self._settled: dict[tuple[int, bytes], np.ndarray] = {}
        self._progress = NO_PROGRESS
        if (ssm.mode == RECOGNISE) != (self.relation.dead is not None):
            raise NotCovered("a recogniser has a dead register, and a predictor has none")

    def run(self, progress: Progress = NO_PROGRESS) -> Result:
        """All obligations."""
        self._progress = progress
        self._initial()
        for depth in range(self.machine.depth + 1):
            for opening in (True, False):
                after = depth + (1 if opening else -1)
                symbols = self._openers if opening else self._closers
                legal = 0 <= after <= self.machine.depth
                if not legal and self.ssm.mode == PREDICTIVE:
                    continue
                features, found = self.steps.features(depth, symbols)
                batch = _Batch(depth, after, opening, symbols, features)
                if legal:
                    self._depth(batch, found)
                (self._predict if self.ssm.mode == PREDICTIVE else self._recognise)(batch, legal)
            progress.advance(1, facts=self.result.facts)
        if self.ssm.mode == RECOGNISE:
            facts, features = dead_for_ever(self.steps, self.machine, self._dead_failure)
            self.result.facts += facts
            if self.ssm.arithmetic.is_float:
                self.horizon = exact_symbols(self.steps, self.machine, features)
        return self.result

    def _initial(self) -> None:
        engine = Engine(self.ssm)
        state, outputs = engine.begin(1)
        state = state / (1 << self.ssm.arithmetic.unit_bits)
        depth, slots = self.relation.columns(self.ssm)
        self.result.facts += state.shape[1] + len(self.ssm.outputs)
        if state[0, depth] != 0:
            self._note(f"the depth is {state[0, depth]:g}, not 0", 0, BOS)
        if not np.isin(state[0, slots], (0, 1)).all():
            self._note("a slot bit is neither 0 nor 1", 0, BOS)
        self.cleared &= not state[0, slots].any()
        if self.relation.dead is not None and state[0, -1] != 0:
            self._note("the dead register is not 0", 0, BOS)
        given = engine.names(outputs.table[outputs.ids[0, 0]])
        if given != self._legal_rows.expected(()):
            self._note(f"the outputs are {sorted(given)}", 0, BOS)

    # -- the next state -------------------------------------------------------------------------------

    def _depth(self, batch: _Batch, found: np.ndarray) -> None:
        self.result.facts += len(found)
        for row in np.flatnonzero(found != batch.after).tolist():
            self._fail(f"the depth becomes {found[row]:g}, not {batch.after}", batch, row)

    def _update(self, batch: _Batch, kept: int) -> None:
        """Cells up to ``kept`` keep their bits, a pushed cell takes the type, all others stay bits.

        Whether the cells above the new depth are 0, if those above the old one were, is looked at besides.
        """
        slot, bit = self.relation.slot, self.relation.bit
        from_0, from_1 = self.steps.slot_images(batch.features)
        pushed = slot == (batch.after if batch.opening else -1)
        fixed = slot <= kept
        code = self._codes[:, bit[pushed]]
        # What a legal closing bracket closes is known, bit for bit.
        closed = slot == (-1 if batch.opening or self.ssm.mode == RECOGNISE else batch.depth)
        self.result.facts += 2 * from_0.size
        # Above the new depth a cell was 0, or held the type that is closed.
        was_one = np.where(closed, self._codes[:, bit], 0) == 1
        self.cleared &= not np.where(was_one, from_1, from_0)[:, slot > batch.after].any()
        for old, image in ((0, from_0), (1, from_1)):
            right = (image == 0) | (image == 1)
            right[:, fixed] = image[:, fixed] == old
            right[:, pushed] = image[:, pushed] == code
            right[:, closed] |= self._codes[:, bit[closed]] != old
            if right.all():
                continue
            for row, column in np.argwhere(~right)[:FAILURES_KEPT].tolist():
                what = f"slot {slot[column]} bit {bit[column]} goes from {old} to {image[row, column]:g}"
                self._fail(what, batch, row, {int(slot[column]): old << int(bit[column])})

    # -- prediction -----------------------------------------------------------------------------------

    def _predict(self, batch: _Batch, legal: bool) -> None:
        self._update(batch, kept=batch.depth if batch.opening else batch.after)
        read, ids = self._read_by_phi(batch)
        types = np.arange(self.machine.k)
        for number in range(len(read.low)):
            if batch.opening:
                # Each bracket leaves its own type on top.
                self._outputs(read, number, types[ids == number], batch)
            else:
                self._outputs(read, number, types if batch.after else types[:1], batch)

    def _read_by_phi(self, batch: _Batch) -> tuple[Box, np.ndarray]:
        """The distinct rows of the features as far as phi of the slot layer reads them, and which row each symbol
        has.
        """
        columns = self.steps.slots.read_by_phi
        read = np.zeros_like(batch.features.low)
        read[:, columns] = batch.features.low[:, columns]
        varying = np.flatnonzero((read != read[0]).any(axis=0))
        if not len(varying):
            return Box.points(read[:1]), np.zeros(len(read), dtype=np.int64)
        rows, ids = distinct([np.ascontiguousarray(read[:, column]) for column in varying])
        return Box.points(read[rows]), ids

    def _outputs(self, read: Box, number: int, types: np.ndarray, batch: _Batch) -> None:
        """After the step, which left one of these types on top: are the outputs right?"""
        depth = batch.after
        settled = self._settled.setdefault((depth, read.low[number].tobytes()), np.zeros(self.machine.k, dtype=bool))
        types = types[~settled[types]]
        if not len(types):
            return
        if depth and not self.steps.below and self._every_type(read[[number]], depth):
            settled[:] = True
            return
        settled[types] = True
        for part in np.array_split(types, -(-len(types) * len(self.ssm.outputs) // _OUTPUTS_AT_ONCE)):
            self._outputs_for(read[np.full(len(part), number)], part, batch)

    def _every_type(self, features: Box, depth: int) -> bool:
        """Whether the outputs at this depth are right for every type on top; False where boxes are too coarse to tell.

        1. With anything on top, the outputs that close nothing are as the machine says.
        2. With one bit of the top known, no type that has the other bit is closed: so none is but the type on top.
        3. The closing bracket of the type on top is given: one output is looked at for each type.

        So types * bits facts do, where there are types * outputs pairs.
        """
        relation, codes = self.relation, self._codes
        top = np.flatnonzero(relation.slot == depth)
        bits = np.repeat(np.arange(len(top)), 2)
        known = self.steps.slot_box(len(bits))
        values = np.arange(len(bits)) % 2
        known.low[np.arange(len(bits)), top[bits]] = known.high[np.arange(len(bits)), top[bits]] = values
        outputs = self.steps.outputs(known, features[np.zeros(len(bits), dtype=np.intp)])
        always = self._legal_rows.row(self.machine.legal_at_depth(depth))
        closing = self._legal_rows.places(self.machine.closers)
        others = np.setdiff1d(np.arange(len(always)), closing)
        right = np.where(always, outputs.low > 0, outputs.high <= 0)[:, others].all()
        different = codes[:, relation.bit[top[bits]]].T != values[:, None]
        right &= (outputs.high[:, closing] <= 0)[different].all()
        rows = max(1, _OUTPUTS_AT_ONCE // len(relation.slot))
        for first in range(0, len(codes), rows):
            part = slice(first, first + rows)
            slots = self.steps.slot_box(len(codes[part]), relation.slot == depth, codes[part][:, relation.bit[top]])
            read = features[np.zeros(len(codes[part]), dtype=np.intp)]
            right &= (self.steps.least_outputs(slots, read, closing[part]) > 0).all()
        if right:
            self.result.facts += len(others) + codes.size + len(codes)
        return bool(right)

    def _outputs_for(self, features: Box, types: np.ndarray, batch: _Batch) -> None:
        depth = batch.after
        on_top = self.relation.slot == depth
        slots = self.steps.slot_box(len(types), on_top, self._codes[types][:, self.relation.bit[on_top]])
        outputs = self.steps.outputs(slots, features)
        below = (0,) * (depth - 1)
        expected = self._legal_rows.table([(*below, int(t)) if depth else () for t in types])
        wrong = np.where(expected, outputs.low <= 0, outputs.high > 0)
        self.result.facts += wrong.size
        if not wrong.any():
            return
        for row, output in np.argwhere(wrong)[:FAILURES_KEPT].tolist():
            what = (
                f"at depth {depth}{f' with type {types[row]} on top' * bool(depth)} the output "
                f"{self.ssm.outputs[output]!r} is wrong"
            )
            self._fail(what, batch, int(types[row]) if batch.opening else 0, {depth: int(types[row])} if depth else {})

    # -- recognition ----------------------------------------------------------------------------------

    def _recognise(self, batch: _Batch, legal: bool) -> None:
        here = self.relation.slot == batch.depth
        anything = self.steps.slot_box(self.machine.k)
        if not legal:
            self._must_die(batch, anything, None, "leaving the depths allowed")
            return
        self._update(batch, kept=batch.depth)
        if batch.opening:
            self._must_live(batch, anything)
            return
        matching = self._codes[:, self.relation.bit[here]]
        self._must_live(batch, self.steps.slot_box(self.machine.k, here, matching))
        for bit in range(self._codes.shape[1]):
            this_bit = here & (self.relation.bit == bit)
            slots = self.steps.slot_box(self.machine.k, this_bit, 1 - self._codes[:, [bit]])
            self._must_die(batch, slots, bit, f"closing a type that differs in bit {bit}")

    def _must_live(self, batch: _Batch, slots: Box) -> None:
        """A right symbol leaves the dead register at 0, and the word is accepted exactly when all is closed."""
        dead, outputs = self._dead_and_outputs(batch, slots)
        self.result.facts += 2 * len(batch.symbols)
        answered = outputs.low[:, 0] > 0 if batch.after == 0 else outputs.high[:, 0] <= 0
        alive = (dead.low[:, 0] == 0) & (dead.high[:, 0] == 0)
        for row in np.flatnonzero(~(alive & answered)).tolist():
            self._fail("the answer is wrong" if alive[row] else "a right symbol raises the dead register", batch, row)

    def _must_die(self, batch: _Batch, slots: Box, bit: int | None, why: str) -> None:
        dead, _ = self._dead_and_outputs(batch, slots)
        self.result.facts += len(batch.symbols)
        # With many types one depth takes long.
        self._progress.advance(0, facts=self.result.facts)
        for row in np.flatnonzero(dead.low[:, 0] < 1).tolist():
            cells = {} if bit is None else {batch.depth: int((1 - self._codes[row, bit]) << bit)}
            self._fail(f"{why} does not raise the dead register", batch, row, cells)

    def _dead_and_outputs(self, batch: _Batch, slots: Box) -> tuple[Box, Box]:
        """The dead register after the step and the outputs, when it was 0 before: it is the increment, whatever the
        gate.
        """
        layer = self.steps.below[-1]
        z = self.steps.dead_features(slots, batch.features)
        dead = layer.increments(z)
        return dead, self.steps.maps.readout(layer.phi(dead, z))

    # -- failures -------------------------------------------------------------------------------------

    def _note(self, what: str, depth: int, symbol: str, cells: dict[int, int] = _NONE, dead: bool = False) -> None:
        self.result.add(StackFailure(what, depth, symbol, cells, dead))

    def _fail(self, what: str, batch: _Batch, row: int, cells: dict[int, int] = _NONE) -> None:
        if not batch.opening and batch.depth > 0:
            # A legal closing bracket has its own type on top, unless the failure is about another one.
            cells = {batch.depth: row} | cells
        self._note(what, batch.depth, self.ssm.alphabet[batch.symbols[row]], cells)

    def _dead_failure(self, what: str, depth: int, row: int) -> None:
        self._note(f"with the dead register set, {what}", depth, self.ssm.alphabet[row], dead=True)


class _LegalRows:
    """The machine's answers as rows over the model's outputs; equal sets share a row."""

    def __init__(self, machine: DyckMachine, outputs: tuple[str, ...]):
        self.machine = machine
        self._index = {name: i for i, name in enumerate(outputs)}
        self._number: dict[frozenset[str], int] = {}
        self._rows: list[np.ndarray] = []
        self._recognise = outputs == (ACCEPT,)

    def expected(self, stack: tuple[int, ...]) -> frozenset[str]:
        """What is expected in this state."""
        if self._recognise:
            return frozenset((ACCEPT,)) if self.machine.accepts(stack) else frozenset()
        return self.machine.legal(stack)

    def places(self, names: Sequence[str]) -> np.ndarray:
        """Where these are among the outputs."""
        return np.array([self._index[name] for name in names], dtype=np.intp)

    def row(self, names: Collection[str]) -> np.ndarray:
        """Booleans: which outputs these are."""
        row = np.zeros(len(self._index), dtype=bool)
        row[self.places(tuple(names))] = True
        return row

    def table(self, stacks: list[tuple[int, ...]]) -> np.ndarray:
        """Booleans, one row for each stack."""
        numbers = []
        for expected in map(self.expected, stacks):
            number = self._number.get(expected)
            if number is None:
                number = self._number[expected] = len(self._rows)
                self._rows.append(self.row(expected))
            numbers.append(number)
        return np.array(self._rows)[numbers] if len(self._rows) < 64 else np.stack([self._rows[n] for n in numbers])
