"""Outputs that boxes leave undecided, settled by half-spaces that are followed backwards.

The last norm multiplies by a positive number, so an output is the sign of a linear form v . h + c in the last block's
state h, after an edge.  Over that edge and those before it the form is pulled back (v a, c + v b), until the box of a
node decides it, or a form that is already known there implies it.  What is neither becomes a form to be known at that
node: together with the boxes, all of them are inductive.  It stops well where gates contract; nothing rests on that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from verify.learned.abstract_step import AbstractMamba
from verify.learned.float32 import SLACK, Bounds, silu
from verify.learned.semantics import ROUNDING, TINY
from verify.learned.windows import WindowBoxes

_LEVELS, _MOST_FORMS, _MOST_ASKED = 400, 2_000, 60_000

_NOISE = 2.0**-40
"""More than the sums of float64 err, relative to the sum of absolute values."""


@dataclass(frozen=True)
class HalfSpaces:
    """Forms that are positive on all reachable states at a node: v . h + c > 0 for the last block's state h.

    Attributes:
        nodes: (forms,).
        weights: v, (forms, i n).
        constants: c, (forms,).
    """

    nodes: np.ndarray
    weights: np.ndarray
    constants: np.ndarray


def half_spaces(
    model: AbstractMamba, found: WindowBoxes, tokens: np.ndarray, undecided: np.ndarray, wanted: np.ndarray
) -> HalfSpaces | None:
    """Forms that decide outputs whose boxes do not, or None.

    Args:
        tokens: that of each output, which is given where its logit is positive.
        undecided: booleans (edges, outputs).
        wanted: booleans (edges, outputs), whether the output is expected.
    """
    edges, outputs = np.nonzero(undecided)
    weights, constants = _forms(model, found, edges, tokens[outputs], wanted[edges, outputs])
    known = _Forms(found)
    nodes, weights, constants = known.back(edges, weights, constants)
    into: list[list[int]] = [[] for _ in found.graph.nodes]
    for edge, target in enumerate(found.graph.targets.tolist()):
        into[target].append(edge)
    asked = 0
    for _ in range(_LEVELS):
        asked += len(nodes)
        fresh = [row for row in known.open(nodes, weights, constants) if known.add(nodes, weights, constants, row)]
        if not fresh:
            return known.ended()
        if (nodes[fresh] == 0).any() or asked > _MOST_ASKED or len(known.forms) > _MOST_FORMS:
            return None
        rows = np.array([row for row in fresh for _ in into[nodes[row]]], dtype=np.int64)
        edges = np.array([edge for row in fresh for edge in into[nodes[row]]], dtype=np.int64)
        nodes, weights, constants = known.back(edges, weights[rows], constants[rows])
    return None


def _forms(
    model: AbstractMamba, found: WindowBoxes, edges: np.ndarray, tokens: np.ndarray, wanted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For outputs after edges, forms in the last block's state there whose sign they have, on the right side of 0."""
    last, sizes = found.blocks[-1], model.model
    block, rows = sizes.blocks[-1], len(edges)
    gains = model.gains[tokens] * np.where(wanted, 1, -1)[:, None]
    through = gains @ block.out_weight
    gate = silu(last.z[edges])
    ends = through * gate.low, through * gate.high
    channel = Bounds(np.minimum(*ends), np.maximum(*ends))
    readout, x = last.selected.readout[edges], last.x[edges]
    corners = [a[:, :, None] * b[:, None, :] for a in channel.ends for b in readout.ends]
    low, high = np.minimum.reduce(corners), np.maximum.reduce(corners)
    after = last.after[edges].largest.reshape(rows, sizes.inner, sizes.states)
    skipped = [block.skip * a * b for a in channel.ends for b in x.ends]
    hidden = last.hidden[edges]
    constant = np.minimum(gains * hidden.low, gains * hidden.high).sum(1) + gains @ block.out_bias
    constant = constant + np.minimum.reduce(skipped).sum(1)
    read = (readout.largest[:, None, :] * after).sum(2) + np.abs(block.skip) * x.largest
    mixed = gate.largest * read
    reach = hidden.largest + mixed @ np.abs(block.out_weight).T + np.abs(block.out_bias)
    reached = (np.abs(gains) * reach).sum(1)
    terms = sizes.width + sizes.inner + sizes.states + 20
    lost = np.abs(gains).sum(1) + (np.abs(gains) @ np.abs(block.out_weight) * (1 + gate.largest)).sum(1)
    error = SLACK * (terms * (ROUNDING + _NOISE) * reached + terms * TINY * lost)
    spread = ((high - low) / 2 * after).sum((1, 2)) * (1 + _NOISE)
    return ((low + high) / 2).reshape(rows, -1), constant - error - spread


class _Forms:
    """The forms that are to be known at nodes, and what decides others."""

    def __init__(self, found: WindowBoxes):
        self.found, self.last = found, found.blocks[-1]
        self.forms: list[tuple[int, np.ndarray, float]] = []
        self._at: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def back(
        self, edges: np.ndarray, weights: np.ndarray, constants: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Forms after edges as forms before them: nodes, weights, constants."""
        sources = self.found.graph.sources[edges]
        gates, increments = self.last.selected.gates[edges], self.last.selected.increments[edges]
        state, sizes = self.last.state[sources].largest, np.abs(weights)
        middle, radius = (gates.low + gates.high) / 2, (gates.high - gates.low) / 2
        exact = (gates.low == 1) & (increments.low == 0) & (increments.high == 0)
        rounding = 1.01 * ROUNDING * (2 * gates.high * state + increments.largest) + TINY
        lost = sizes * (radius * state + np.where(exact, 0, SLACK * rounding))
        gained = np.minimum(weights * increments.low, weights * increments.high)
        noise = _NOISE * (sizes * (state + increments.largest)).sum(1)
        return sources, weights * middle, constants + gained.sum(1) - lost.sum(1) - noise

    def open(self, nodes: np.ndarray, weights: np.ndarray, constants: np.ndarray) -> list[int]:
        """The forms that the boxes of their nodes do not decide."""
        return np.flatnonzero(~(constants + _least(weights, self.last.state[nodes]) > 0)).tolist()

    def add(self, nodes: np.ndarray, weights: np.ndarray, constants: np.ndarray, row: int) -> bool:
        """Whether the form is new: no form known at the node implies it.  It is known from now on."""
        node = int(nodes[row])
        if node in self._at:
            known_weights, known_constants = self._at[node]
            box = self.last.state[np.full(len(known_weights), node)]
            if (constants[row] - known_constants + _least(weights[row] - known_weights, box) >= 0).any():
                return False
            known_weights, known_constants = (
                np.vstack([known_weights, weights[row]]),
                np.append(known_constants, constants[row]),
            )
            self._at[node] = known_weights, known_constants
        else:
            self._at[node] = weights[row][None], constants[row][None]
        self.forms.append((node, weights[row], float(constants[row])))
        return True

    def ended(self) -> HalfSpaces:
        nodes, weights, constants = zip(*self.forms) if self.forms else ((), (), ())
        size = self.last.state.low.shape[1]
        return HalfSpaces(
            np.array(nodes, dtype=np.int64), np.array(weights).reshape(-1, size), np.array(constants, dtype=np.float64)
        )


def _least(weights: np.ndarray, box: Bounds) -> np.ndarray:
    """The least value of each form without its constant on its box, less what float64 may be off."""
    least = np.minimum(weights * box.low, weights * box.high).sum(1)
    return least - SLACK * _NOISE * (np.abs(weights) * box.largest).sum(1)
