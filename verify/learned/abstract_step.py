"""A Mamba's step on boxes: for each operation of the model, the interval of what any float32 execution gives.

A row is one box.  Shapes: hidden (rows, d), u and z and x (rows, i), past (rows, k - 1, i), gates and increments and
states (rows, i n), where channel c's state s is column c n + s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from verify.learned.answers import NOTHING
from verify.learned.float32 import (
    SLACK,
    Bounds,
    added,
    approximated,
    concatenated,
    decay,
    linear,
    multiplied,
    normalised,
    products,
    reciprocal_norm,
    silu,
    softplus,
    summed,
    updated,
)
from verify.learned.semantics import ROUNDING, TINY
from verify.learned.weights import TrainedMamba


class Selected(NamedTuple):
    """What a block's input decides of its scan: gates, increments (rows, i n), and the readout C (rows, n)."""

    gates: Bounds
    increments: Bounds
    readout: Bounds


class AbstractMamba:
    """The maps of a model, each on many boxes at once."""

    def __init__(self, model: TrainedMamba):
        self.model = model
        self.embedding = Bounds.exactly(model.embedding)
        # A rate beyond all numbers has bounds that are none, of which nothing is proved.
        with np.errstate(over="ignore", invalid="ignore"):
            exact = [np.exp(block.a_log) for block in model.blocks]
            self.rates = [
                Bounds(np.maximum(low, 0), high) for low, high in (approximated(rate, rate).ends for rate in exact)
            ]
        """-A of each block, (i, n)."""
        self.gains = model.head * model.norm
        """The last norm's gain and the head as one map, (v, d)."""

    def projected(self, number: int, hidden: Bounds) -> tuple[Bounds, Bounds]:
        """What block ``number`` convolves (u), and its gate before silu (z)."""
        block, inner = self.model.blocks[number], self.model.inner
        both = linear(block.in_weight, normalised(hidden, self.model.epsilon, block.norm), block.in_bias)
        return both[..., :inner], both[..., inner:]

    def convolved(self, number: int, past: Bounds, u: Bounds) -> Bounds:
        """x: silu of the convolution's last kernel inputs."""
        block = self.model.blocks[number]
        taps = block.conv_weight.T
        seen = concatenated([past, u[..., None, :]], -2)
        terms = products(seen, Bounds.exactly(taps))
        exact = Bounds(terms.low.sum(-2) + block.conv_bias, terms.high.sum(-2) + block.conv_bias)
        sizes = terms.largest.sum(-2) + np.abs(block.conv_bias)
        return silu(summed(exact, sizes, self.model.kernel + 1))

    def selected(self, number: int, x: Bounds) -> Selected:
        block, rank, states = self.model.blocks[number], self.model.rank, self.model.states
        mixed = linear(block.x_weight, x)
        steps = softplus(linear(block.dt_weight, mixed[..., :rank], block.dt_bias))
        wide, rows = steps[..., None], (*x.low.shape[:-1], self.model.inner * states)
        gates = decay(multiplied(wide, self.rates[number]))
        inputs = multiplied(wide, mixed[..., None, rank : rank + states])
        increments = multiplied(inputs, x[..., None])
        return Selected(gates.reshaped(*rows), increments.reshaped(*rows), mixed[..., rank + states :])

    def mixed(self, number: int, state: Bounds, x: Bounds, z: Bounds, readout: Bounds) -> Bounds:
        """(C . h + D x) silu(z), (rows, i)."""
        block, model = self.model.blocks[number], self.model
        terms = products(state.reshaped(*x.low.shape, model.states), readout[..., None, :])
        skipped = products(x, Bounds.exactly(block.skip))
        exact = Bounds(terms.low.sum(-1) + skipped.low, terms.high.sum(-1) + skipped.high)
        read = summed(exact, terms.largest.sum(-1) + skipped.largest, model.states + 1)
        return multiplied(read, silu(z))

    def residual(self, number: int, hidden: Bounds, mixed: Bounds) -> Bounds:
        """What the next block reads."""
        block = self.model.blocks[number]
        return added(hidden, linear(block.out_weight, mixed, block.out_bias))

    def logits(self, hidden: Bounds, mixed: Bounds, read: np.ndarray) -> Bounds:
        """Differences of logits, from what the last block reads and mixes: (rows, differences).

        The last norm multiplies all numbers by one positive number, so a difference has the sign of a linear form in
        the last block's mix, to which all rounding up to the two logits is added.

        Args:
            read: (differences, 2), see :class:`verify.learned.answers.Answers`.
        """
        block, model = self.model.blocks[-1], self.model
        first, second, taken = read[:, 0], read[:, 1], read[:, 1, None] != NOTHING
        gains = self.gains[first] - taken * self.gains[second]
        sizes = np.abs(self.gains[first]) + taken * np.abs(self.gains[second])
        heads = np.abs(model.head[first]) + taken * np.abs(model.head[second])
        through = gains @ block.out_weight
        sizes_out = np.abs(block.out_weight)
        constant = gains @ block.out_bias
        straight, turned = _form(gains, hidden), _form(through, mixed)
        reach = hidden.largest + mixed.largest @ sizes_out.T + np.abs(block.out_bias)
        terms = model.width + model.inner + 12
        error = terms * (ROUNDING + 2.0**-40) * (reach @ sizes.T)
        error = error + (model.inner + 4) * TINY * sizes.sum(-1)
        form = Bounds(straight.low + turned.low + constant, straight.high + turned.high + constant).widened(
            SLACK * error
        )
        scale = reciprocal_norm(self.residual(len(model.blocks) - 1, hidden, mixed), model.epsilon)
        found = products(form, scale)
        lost = (heads * (1 + np.abs(model.norm))).sum(-1) + 2 * model.width
        return found.widened(SLACK * TINY * lost)

    # -- a whole step ---------------------------------------------------------------------------------

    @property
    def cache_size(self) -> int:
        """Numbers in all caches."""
        model = self.model
        return len(model.blocks) * model.inner * (model.kernel - 1 + model.states)

    def step(self, caches: Bounds, tokens: np.ndarray, read: np.ndarray) -> tuple[Bounds, Bounds]:
        """All caches after one token for each row, (rows, cache size), and the differences of logits ``read``.

        A row of caches has, block by block, the convolution's last inputs and the scan's state.
        """
        model, rows = self.model, len(tokens)
        taps, after = (model.kernel - 1) * model.inner, []
        hidden, size = self.embedding[tokens], self.cache_size // len(model.blocks)
        for number in range(len(model.blocks)):
            cache = caches[:, number * size : (number + 1) * size]
            past = cache[:, :taps].reshaped(rows, model.kernel - 1, model.inner)
            u, z = self.projected(number, hidden)
            x = self.convolved(number, past, u)
            selected = self.selected(number, x)
            state = updated(selected.gates, cache[:, taps:], selected.increments)
            mixed = self.mixed(number, state, x, z, selected.readout)
            shifted = concatenated([past, u[:, None, :]], 1)[:, 1:]
            after += [shifted.reshaped(rows, -1), state]
            if number + 1 < len(model.blocks):
                hidden = self.residual(number, hidden, mixed)
        return concatenated(after, 1), self.logits(hidden, mixed, read)


def _form(weights: np.ndarray, x: Bounds) -> Bounds:
    """weights x without roundings of float32, and those of float64 left to the caller."""
    middle, radius = (x.low + x.high) / 2, (x.high - x.low) / 2
    centre, around = middle @ weights.T, radius @ np.abs(weights).T
    return Bounds(centre - around, centre + around)
