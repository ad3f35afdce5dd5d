"""The first finder: one box for each pair of an automaton's state and the last k tokens, as a least fixed point.

A block's convolution and projections depend on the last tokens only, so on an edge of this graph the first block's
gates and increments are small intervals, and its state's boxes solve h' = a h + b along the edges.  What that block
gives on each edge is what the next block reads, and so on: each block is one iteration of intervals.

A box grows from below until little changes, is inflated by what may still come, grows until it is closed, and is then
tightened by the step itself, which keeps it closed.  Columns of a state never meet in a step, so each is treated alone.
Gates near 1 would take many rounds: :func:`ceilings` says what no number can grow beyond.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from verify.learned.abstract_step import AbstractMamba, Selected
from verify.learned.behaviour import Behaviour
from verify.learned.float32 import Bounds, concatenated, updated
from verify.learned.semantics import ROUNDING, TINY

SLOW = 0.999
"""Gates that may exceed this take :func:`ceilings` instead of many rounds."""

_GROWING, _CLOSING, _DOUBLINGS, _TIGHTENING = 3000, 100, 40, 200
"""Rounds at most."""

_AT_ONCE = 16
"""Rounds after which the columns that no longer change are left alone."""


@dataclass(frozen=True)
class WindowGraph:
    """Strings by their state and their last tokens; node 0 is BOS alone.

    Attributes:
        nodes: (state, last tokens), tokens of symbols and BOS by their numbers.
        sources, symbols, targets: the edges, by rising target.
    """

    nodes: tuple[tuple[int, tuple[int, ...]], ...]
    sources: np.ndarray
    symbols: np.ndarray
    targets: np.ndarray


def window_graph(behaviour: Behaviour, tokens: Sequence[int], bos: int, length: int, limit: int) -> WindowGraph | None:
    """The graph of windows of up to ``length`` tokens; None when it has more nodes than the limit."""
    first: tuple[int, tuple[int, ...]] = 0, (bos,)
    numbers, nodes, edges = {first: 0}, [first], []
    for source, (state, window) in enumerate(nodes):
        for symbol, after in enumerate(behaviour.next[state].tolist()):
            if after < 0:
                continue
            node = after, (*window, tokens[symbol])[-length:]
            if node not in numbers:
                numbers[node] = len(nodes)
                nodes.append(node)
                if len(nodes) > limit:
                    return None
            edges.append((numbers[node], source, symbol))
    targets, sources, symbols = np.array(sorted(edges), dtype=np.int64).reshape(-1, 3).T
    return WindowGraph(tuple(nodes), sources, symbols, targets)


@dataclass(frozen=True)
class WindowBlock:
    """One block's intervals: on the edges, and its caches' boxes at the nodes.

    Attributes:
        past: (nodes, k - 1, i).
        state: (nodes, i n).
        hidden: what the block reads on each edge, (edges, d).
        x, z: (edges, i).
        selected: on each edge.
        mixed: (edges, i).
        after: the scan's state after each edge, (edges, i n).
    """

    past: Bounds
    state: Bounds
    hidden: Bounds
    x: Bounds
    z: Bounds
    selected: Selected
    mixed: Bounds
    after: Bounds


@dataclass(frozen=True)
class WindowBoxes:
    """Boxes at all nodes, closed under all edges.

    Attributes:
        first: bounds on the differences of logits after BOS, (1, differences).
        logits: after each edge, (edges, differences).
    """

    graph: WindowGraph
    blocks: tuple[WindowBlock, ...]
    first: Bounds
    logits: Bounds

    @property
    def caches(self) -> Bounds:
        """All caches at the nodes, block by block, convolution first."""
        count = len(self.graph.nodes)
        parts = [part for block in self.blocks for part in (block.past.reshaped(count, -1), block.state)]
        return concatenated(parts, 1)


def window_boxes(
    model: AbstractMamba, graph: WindowGraph, tokens: np.ndarray, bos: int, read: np.ndarray
) -> WindowBoxes | int:
    """Closed boxes at the nodes, or the number of the block (from 1) for which none were found.

    Args:
        tokens: that of each symbol.
        read: the differences of logits that are wanted (:class:`verify.learned.answers.Answers`).
    """
    before, hidden = model.embedding[np.array([bos])], model.embedding[tokens[graph.symbols]]
    blocks = []
    for number in range(len(model.model.blocks)):
        found = _block(model, graph, number, before, hidden)
        if found is None:
            return number + 1
        block, first = found
        blocks.append(block)
        if number + 1 < len(model.model.blocks):
            before = model.residual(number, before, first)
            hidden = model.residual(number, hidden, block.mixed)
    return WindowBoxes(graph, tuple(blocks), model.logits(before, first, read), model.logits(hidden, block.mixed, read))


def _block(
    model: AbstractMamba, graph: WindowGraph, number: int, before: Bounds, hidden: Bounds
) -> tuple[WindowBlock, Bounds] | None:
    """A block's boxes, and what it mixes after BOS; ``before`` and ``hidden`` are read after BOS and on the edges."""
    sizes = model.model
    u0, z0 = model.projected(number, before)
    u, z = model.projected(number, hidden)
    past = _pasts(graph, u0, u, sizes.kernel - 1)
    x0 = model.convolved(number, Bounds.exactly(np.zeros((1, sizes.kernel - 1, sizes.inner))), u0)
    x = model.convolved(number, past[graph.sources], u)
    selected0, selected = model.selected(number, x0), model.selected(number, x)
    first = updated(selected0.gates, Bounds.exactly(np.zeros((1, sizes.inner * sizes.states))), selected0.increments)
    state = closed_boxes(graph, selected.gates, selected.increments, first)
    if state is None:
        return None
    after = updated(selected.gates, state[graph.sources], selected.increments)
    mixed = model.mixed(number, after, x, z, selected.readout)
    first_mixed = model.mixed(number, first, x0, z0, selected0.readout)
    return WindowBlock(past, state, hidden, x, z, selected, mixed, after), first_mixed


def _pasts(graph: WindowGraph, u0: Bounds, u: Bounds, count: int) -> Bounds:
    """The last ``count`` inputs of a convolution at each node, (nodes, count, i)."""
    nothing = Bounds.exactly(np.zeros_like(u0.low))
    columns: list[Bounds] = []
    latest, first = u, u0
    for _ in range(count):
        column = _hull(graph, latest, first)
        columns.insert(0, column)
        # One place further back stands what was the latest before the edge.
        latest, first = column[graph.sources], nothing
    shape = (len(graph.nodes), count, u.low.shape[1])
    if not columns:
        return Bounds.exactly(np.zeros(shape))
    return Bounds(np.stack([c.low for c in columns], 1), np.stack([c.high for c in columns], 1))


def _hull(graph: WindowGraph, rows: Bounds, first: Bounds) -> Bounds:
    """The hull of the rows of all edges into each node; ``first`` at node 0, into which none leads."""
    low, high = (np.empty((len(graph.nodes), rows.low.shape[1])) for _ in range(2))
    low[0], high[0] = first.low[0], first.high[0]
    if len(graph.targets):
        starts = _starts(graph)
        low[1:] = np.minimum.reduceat(rows.low, starts, axis=0)
        high[1:] = np.maximum.reduceat(rows.high, starts, axis=0)
    return Bounds(low, high)


def _starts(graph: WindowGraph) -> np.ndarray:
    """The first edge into each node but node 0: every other node has one."""
    return np.flatnonzero(np.diff(graph.targets, prepend=0))


# -- the fixed point ----------------------------------------------------------------------------------


def closed_boxes(graph: WindowGraph, gates: Bounds, increments: Bounds, first: Bounds) -> Bounds | None:
    """Boxes at the nodes with ``first`` at node 0 and h' = a h + b inside along every edge; None if none were found.

    Shapes: gates and increments (edges, m), first (1, m), the boxes (nodes, m).
    """
    with np.errstate(invalid="ignore", over="ignore"):
        boxes = first[np.zeros(len(graph.nodes), dtype=np.int64)]
        found = _Columns(graph, gates, increments, first, boxes)
        found.fill()
        return found.tightened() if found.close(found.grow()) else None


class _Columns:
    """The boxes of some columns while they grow."""

    def __init__(self, graph: WindowGraph, gates: Bounds, increments: Bounds, first: Bounds, boxes: Bounds):
        self.graph, self.gates, self.increments, self.first, self.boxes = graph, gates, increments, first, boxes
        self.slow = gates.high > SLOW
        self.below, self.above = ceilings(gates, increments)

    def chosen(self, which: np.ndarray) -> _Columns:
        """Some of the columns, on their own."""
        return _Columns(
            self.graph, self.gates[:, which], self.increments[:, which], self.first[:, which], self.boxes[:, which]
        )

    def put(self, which: np.ndarray, boxes: Bounds) -> None:
        """Takes over these boxes as those of some columns."""
        low, high = self.boxes.low.copy(), self.boxes.high.copy()
        low[:, which], high[:, which] = boxes.low, boxes.high
        self.boxes = Bounds(low, high)

    def image(self, boxes: Bounds, edges: np.ndarray | slice = slice(None), jump: bool = True) -> Bounds:
        """After the edges; ``jump``: along slow ones as far as any number of rounds could lead."""
        state = boxes[self.graph.sources[edges]]
        after = updated(self.gates[edges], state, self.increments[edges])
        if not jump:
            return after
        slow = self.slow[edges]
        return Bounds(
            np.where(slow, np.minimum(after.low, np.minimum(state.low, self.below[edges])), after.low),
            np.where(slow, np.maximum(after.high, np.maximum(state.high, self.above[edges])), after.high),
        )

    def fill(self) -> None:
        """A first value at every node, breadth first."""
        low, high = np.full_like(self.boxes.low, np.inf), np.full_like(self.boxes.high, -np.inf)
        low[0], high[0] = self.first.low[0], self.first.high[0]
        done = np.zeros(len(low), dtype=bool)
        done[0] = True
        while not done.all():
            edges = np.flatnonzero(done[self.graph.sources] & ~done[self.graph.targets])
            after = self.image(Bounds(low, high), edges)
            np.minimum.at(low, self.graph.targets[edges], after.low)
            np.maximum.at(high, self.graph.targets[edges], after.high)
            done[self.graph.targets[edges]] = True
        self.boxes = Bounds(low, high)

    def join(self) -> np.ndarray:
        """One round of growing: by how much each column changed at most."""
        after = _hull(self.graph, self.image(self.boxes), self.first)
        low, high = np.minimum(self.boxes.low, after.low), np.maximum(self.boxes.high, after.high)
        change = np.maximum((self.boxes.low - low).max(0), (high - self.boxes.high).max(0))
        self.boxes = Bounds(low, high)
        return change

    def grow(self) -> np.ndarray:
        """Rounds until little changes: by how much each column still did."""
        last = np.zeros(self.gates.low.shape[1])
        active, part = np.arange(len(last)), self
        for number in range(_GROWING):
            last[active] = change = part.join()
            still = change > 1e-9 * np.maximum(1, part.boxes.largest.max(0))
            if not still.any():
                break
            if number % _AT_ONCE == 0 and not still.all():
                if part is not self:
                    self.put(active, part.boxes)
                active, part = active[still], part.chosen(np.flatnonzero(still))
        if part is not self:
            self.put(active, part.boxes)
        return last

    def close(self, change: np.ndarray) -> bool:
        """Inflates the columns that are still open, more and more, until all are closed.

        Args:
            change: by how much each column changed in the last round of growing.
        """
        kept = np.where(self.gates.high <= SLOW, self.gates.high, 0).max(0, initial=0)
        rest = (change + 2.0**-21 * self.boxes.largest.max(0) + 1e-12) / (1 - kept)
        opened = np.flatnonzero(self.chosen(np.arange(len(rest))).join() != 0)
        for doubling in range(_DOUBLINGS):
            if not len(opened):
                return bool(np.isfinite(self.boxes.largest).all())
            part, by = self.chosen(opened), rest[opened] * 2.0**doubling
            part.boxes = part.boxes.widened(by)
            for _ in range(_CLOSING):  # what is held hands on what was added, all along its path
                change = part.join()
                if not (change > 0).any():
                    break
            closed = change == 0
            self.put(opened[closed], part.boxes[:, closed])
            opened = opened[~closed]
        return False

    def tightened(self) -> Bounds:
        """The step's image of closed boxes is closed, and inside them."""
        for _ in range(_TIGHTENING):
            before = self.boxes
            self.boxes = _hull(self.graph, self.image(before, jump=False), self.first)
            change = max(np.abs(before.low - self.boxes.low).max(), np.abs(before.high - self.boxes.high).max())
            if change <= 1e-10:
                break
        return self.boxes


def ceilings(gates: Bounds, increments: Bounds) -> tuple[np.ndarray, np.ndarray]:
    """How low, and how high, one edge taken again and again can lead a number; infinities where it does not lead there.

    Two bounds, whichever is nearer to 0.  Rounding to nearest absorbs an increment below half a unit in the last place,
    and a gate is at most 1, so nothing grows beyond 2^25 |b|; and a gate below 1 contracts against both roundings.
    Where a gate is below 1, numbers also move towards 0.
    """
    contraction = 1 - gates.high * (1 + 1.01 * ROUNDING) ** 2
    found = []
    for size in (np.maximum(-increments.low, 0), np.maximum(increments.high, 0)):
        with np.errstate(divide="ignore", invalid="ignore"):
            balanced = np.where(contraction > 0, size * (1 + 4 * ROUNDING) / np.maximum(contraction, 1e-300), np.inf)
        absorbed = 2.0**25 * (1 + 2.0**-20) * size
        reached = np.where(size == 0, 0.0, np.minimum(balanced, absorbed) + 64 * TINY)
        found.append(np.where((gates.low < 1) | (size > 0), reached, -np.inf))
    return -found[0], found[1]
