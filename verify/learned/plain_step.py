"""One step of a Mamba on one box, for the check of a proof: slow and obvious, and shared with nothing that found it.

An interval is a pair (low, high) of arrays of float64.  Ends are moved outward by one place of float64 after each
operation, and what the float32 of a model can add to that is written out where it is added: see
:mod:`verify.learned.semantics`.
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

import numpy as np

from verify.learned.proof import NoProof
from verify.learned.semantics import FUNCTION, LARGEST_NUMBER, ROUNDING, SOFTPLUS_ZERO, TINY
from verify.learned.weights import BlockWeights, TrainedMamba

Interval = tuple[np.ndarray, np.ndarray]

_FLOAT64 = 2.0**-50
"""More than what one operation or function of float64 errs, relative to its result."""

_NOISE = 2.0**-40
"""More than what a sum of float64 errs, relative to the sum of absolute values."""


class LastScan(NamedTuple):
    """What the last block did in a step.

    Shapes: hidden, which it read, (d,); x and z (i,); readout, its C, (n,); gates, increments, and the state before and
    after, (i, n).
    """

    hidden: Interval
    x: Interval
    z: Interval
    readout: Interval
    gates: Interval
    increments: Interval
    before: Interval
    after: Interval


class PlainStep:
    """What any float32 execution can make of caches in a box, after one token.

    Args:
        read: pairs: the logit of a token is read, less that of another where it is not None.
    """

    def __init__(self, model: TrainedMamba, read: Sequence[tuple[int, int | None]]):
        self.model, self.read = model, tuple(read)
        nothing = np.zeros(model.width)
        self.heads = [(model.head[first], nothing if other is None else model.head[other]) for first, other in read]
        exact = [np.exp(block.a_log) for block in model.blocks]
        self.rates = [(np.maximum(low, 0), high) for low, high in (_function(rate, rate) for rate in exact)]

    def __call__(self, low: np.ndarray, high: np.ndarray, token: int) -> tuple[Interval, Interval, LastScan]:
        """All caches afterwards, what is read of the logits, and what the last block did."""
        model = self.model
        taps, size = (model.kernel - 1) * model.inner, len(low) // len(model.blocks)
        hidden: Interval = (model.embedding[token], model.embedding[token])
        caches = []
        for number, block in enumerate(model.blocks):
            here = slice(number * size, (number + 1) * size)
            past_low, past_high = (end[here][:taps].reshape(-1, model.inner) for end in (low, high))
            state_low, state_high = (end[here][taps:].reshape(model.inner, model.states) for end in (low, high))
            both = _dot(block.in_weight, _normed(hidden, block.norm, model.epsilon), block.in_bias)
            u, z = (both[0][: model.inner], both[1][: model.inner]), (both[0][model.inner :], both[1][model.inner :])
            seen = np.vstack([past_low, u[0]]), np.vstack([past_high, u[1]])
            x = _silu(_dot(block.conv_weight, (seen[0].T, seen[1].T), block.conv_bias))
            state = state_low, state_high
            gates, increments, readout = self._select(block, self.rates[number], x)
            after = _updated(gates, state, increments)
            mixed = self._mix(block, after, x, z, readout)
            caches += [(seen[0][1:].ravel(), seen[1][1:].ravel()), (after[0].ravel(), after[1].ravel())]
            last = LastScan(hidden, x, z, readout, gates, increments, state, after)
            hidden = _add(hidden, _dot(block.out_weight, mixed, block.out_bias))
        joined = np.concatenate([c[0] for c in caches]), np.concatenate([c[1] for c in caches])
        return joined, self._logits(last.hidden, mixed, hidden), last

    def _select(self, block: BlockWeights, rates: Interval, x: Interval) -> tuple[Interval, Interval, Interval]:
        """The gates exp(-dt rate), what is added, (dt B) x, and the readout C."""
        rank, states = self.model.rank, self.model.states
        projected = _dot(block.x_weight, x, None)
        low_rank, inputs, readout = (
            (projected[0][part], projected[1][part])
            for part in (slice(rank), slice(rank, rank + states), slice(rank + states, None))
        )
        dt = _softplus(_dot(block.dt_weight, low_rank, block.dt_bias))
        wide = dt[0][:, None], dt[1][:, None]
        gates = _decay(_multiply(wide, rates))
        return gates, _multiply(_multiply(wide, inputs), (x[0][:, None], x[1][:, None])), readout

    def _mix(self, block: BlockWeights, state: Interval, x: Interval, z: Interval, readout: Interval) -> Interval:
        """(C h + D x) silu(z)."""
        terms = _corners(state, readout)
        skip = np.stack([block.skip * x[0], block.skip * x[1]])
        pairs = np.hstack([terms[0], skip.min(0)[:, None]]), np.hstack([terms[1], skip.max(0)[:, None]])
        return _multiply(_total(pairs, self.model.states + 1), _silu(z))

    def _logits(self, hidden: Interval, mixed: Interval, after: Interval) -> Interval:
        """What is read of the logits, from what the last block reads and mixes.

        A logit is, up to rounding, r (g . hidden + g . W mixed) with g = head * norm and the same positive r for all.
        Its terms are rounded in the products of W and their sum, when they are added to what the block read, three
        times in the norm, and in the head's products and sum: fewer than d + i + 12 times in all.  Of a difference
        both logits are rounded, and r is the same.
        """
        model, block = self.model, self.model.blocks[-1]
        gains = np.array([(first - other) * model.norm for first, other in self.heads])
        both = np.array([np.abs(first) + np.abs(other) for first, other in self.heads])
        each = both * np.abs(model.norm)
        through = gains @ block.out_weight
        first, second = _corners((gains, gains), hidden), _corners((through, through), mixed)
        reach = _size(hidden) + np.abs(block.out_weight) @ _size(mixed) + np.abs(block.out_bias)
        sizes = each @ reach
        error = (model.width + model.inner + 12) * (ROUNDING + 2.0**-40) * sizes
        error = error + (model.inner + 4) * TINY * each.sum(1)
        constant = gains @ block.out_bias
        form = _outward(
            first[0].sum(1) + second[0].sum(1) + constant - error, first[1].sum(1) + second[1].sum(1) + constant + error
        )
        squares = _squares(after)
        roots = [np.sqrt(squares[end].sum() / model.width + model.epsilon) for end in (1, 0)]
        relative = _norm_error(model.width)
        scale = (1 - relative) / roots[0] * np.ones(1), (1 + relative) / roots[1] * np.ones(1)
        found = _corners(form, scale)
        # Products that underflow: of what is normed, with its gain, with the head.
        lost = TINY * ((both * (1 + np.abs(model.norm))).sum(1) + 2 * model.width)
        _bounded(sizes * (1 + scale[1]))
        _bounded(np.abs(model.norm).max() * _size(after).max() * (1 + scale[1]))
        return _outward(found[0] - lost, found[1] + lost)

    # -- linear forms in the last block's state -----------------------------------------------------------

    def form(self, last: LastScan, output: int, wanted: bool) -> tuple[np.ndarray, float]:
        """v and c such that the logit that is read for an output has, when v . h + c > 0 for the state h after the
        step, the wanted sign.

        Up to rounding the logit is r (g . hidden + g . W mixed) with r > 0, and mixed = (C h + D x) silu(z).
        """
        model, block = self.model, self.model.blocks[-1]
        gains = self.heads[output][0] * model.norm * (1 if wanted else -1)
        gate = _silu(last.z)
        channel = _corners((gains @ block.out_weight,) * 2, gate)
        low, high = _corners((channel[0][:, None], channel[1][:, None]), last.readout)
        reached = _size(last.after)
        constant = np.minimum(gains * last.hidden[0], gains * last.hidden[1]).sum() + gains @ block.out_bias
        constant += _corners(channel, (block.skip * last.x[0], block.skip * last.x[1]))[0].sum()
        constant -= ((high - low) / 2 * reached).sum() * (1 + _NOISE)
        read = (_size(last.readout) * reached).sum(1) + np.abs(block.skip) * _size(last.x)
        sizes = _size(last.hidden) + np.abs(block.out_weight) @ (_size(gate) * read) + np.abs(block.out_bias)
        # Roundings of the logit, as above, of a sum of n + 1 products and of their product with silu(z).
        terms = model.width + model.inner + model.states + 20
        lost = np.abs(gains).sum() + (np.abs(gains) @ np.abs(block.out_weight) * (1 + _size(gate))).sum()
        error = terms * (ROUNDING + _NOISE) * (np.abs(gains) @ sizes) + terms * TINY * lost
        return (low + high) / 2, float(constant - error)


def pulled_back(last: LastScan, weights: np.ndarray, constant: float) -> tuple[np.ndarray, float]:
    """A form in the state before a step that is at most the given form in the state after it."""
    state, added = _size(last.before), _size(last.increments)
    middle, radius = (last.gates[0] + last.gates[1]) / 2, (last.gates[1] - last.gates[0]) / 2
    held = (last.gates[0] == 1) & (last.increments[0] == 0) & (last.increments[1] == 0)
    rounding = np.where(held, 0, 1.01 * ROUNDING * (2 * last.gates[1] * state + added) + TINY)
    gained = np.minimum(weights * last.increments[0], weights * last.increments[1]).sum()
    lost = (np.abs(weights) * (radius * state + rounding)).sum()
    noise = _NOISE * (np.abs(weights) * (state + added)).sum()
    return weights * middle, float(constant + gained - lost - noise)


def least_value(weights: np.ndarray, box: Interval) -> np.ndarray:
    """The least values of forms without constants, (..., i, n), on a box, (i, n)."""
    least = np.minimum(weights * box[0], weights * box[1]).sum((-2, -1))
    return least - _NOISE * (np.abs(weights) * _size(box)).sum((-2, -1))


# -- operations on intervals --------------------------------------------------------------------------


def _bounded(sizes: np.ndarray) -> None:
    if not (sizes <= LARGEST_NUMBER).all():
        raise NoProof("a number could be so large that float32 overflows")


def _size(x: Interval) -> np.ndarray:
    return np.maximum(np.abs(x[0]), np.abs(x[1]))


def _outward(low: np.ndarray, high: np.ndarray) -> Interval:
    _bounded(_size((low, high)))
    return np.nextafter(low, -np.inf), np.nextafter(high, np.inf)


def _rounded(low: np.ndarray, high: np.ndarray) -> Interval:
    """Rounding to nearest keeps the order, so the rounded ends bound what is rounded in between."""
    low, high = _outward(low, high)
    return low.astype(np.float32).astype(np.float64), high.astype(np.float32).astype(np.float64)


def _corners(x: Interval, y: Interval) -> Interval:
    """Products without rounding of float32; sums to which they go have room for that of float64."""
    found = [a * b for a in x for b in y]
    return np.minimum.reduce(found), np.maximum.reduce(found)


def _multiply(x: Interval, y: Interval) -> Interval:
    return _rounded(*_corners(x, y))


def _add(x: Interval, y: Interval) -> Interval:
    return _rounded(x[0] + y[0], x[1] + y[1])


def _updated(gate: Interval, state: Interval, increment: Interval) -> Interval:
    """gate state + increment, fused or not."""
    # A gate is not negative: what is lowest comes from the lowest state, with one gate or the other.
    low, high = (np.stack([end * gate[0], end * gate[1]]) for end in state)
    least, greatest = low.min(0), high.max(0)
    fused = _rounded(least + increment[0], greatest + increment[1])
    apart = _add(_rounded(least, greatest), increment)
    return np.minimum(fused[0], apart[0]), np.maximum(fused[1], apart[1])


def _total(terms: Interval, count: int) -> Interval:
    """The sum along the last axis of ``count`` products, in any order, fused or not."""
    sizes = _size(terms).sum(-1)
    _bounded(sizes)
    error = (count + 2) * (ROUNDING + _FLOAT64) * sizes + (count + 2) * TINY
    return _outward(terms[0].sum(-1) - error, terms[1].sum(-1) + error)


def _dot(weights: np.ndarray, x: Interval, bias: np.ndarray | None) -> Interval:
    """weights x + bias, term by term; x has one row for all outputs or one for each."""
    terms = _corners((weights, weights), x)
    if bias is not None:
        terms = np.hstack([terms[0], bias[:, None]]), np.hstack([terms[1], bias[:, None]])
    return _total(terms, weights.shape[1] + 1)


def _squares(x: Interval) -> Interval:
    ends = np.stack([x[0] ** 2, x[1] ** 2])
    _bounded(ends.max(0).sum() * np.ones(1))
    return np.where((x[0] <= 0) & (0 <= x[1]), 0.0, ends.min(0)), ends.max(0)


def _normed(x: Interval, gain: np.ndarray, epsilon: float) -> Interval:
    """gain x / sqrt(mean(x^2) + epsilon): each number with itself under the root, the others where they matter."""
    squares, width = _squares(x), len(gain)
    others = 1 - np.eye(width)
    fewest, most = (others * squares[0]).sum(1), (others * squares[1]).sum(1)
    ends = []
    for value, rest in ((x[0], np.where(x[0] >= 0, most, fewest)), (x[1], np.where(x[1] >= 0, fewest, most))):
        ends.append(value / np.sqrt((value * value + rest) / width + epsilon))
    error = _norm_error(width)
    low, high = ends[0] - error * np.abs(ends[0]), ends[1] + error * np.abs(ends[1])
    corners = np.stack([gain * low, gain * high])
    lost = (1 + np.abs(gain)) * TINY
    return _outward(corners.min(0) - lost, corners.max(0) + lost)


def _norm_error(width: int) -> float:
    """Of a sum of squares, the division, epsilon, the root, two products, and squares that underflow."""
    return (width + 10) * ROUNDING + FUNCTION + _FLOAT64


def _function(low: np.ndarray, high: np.ndarray) -> Interval:
    """A function whose exact values lie between these."""
    error = FUNCTION + _FLOAT64
    return _outward(low - error * np.abs(low) - TINY, high + error * np.abs(high) + TINY)


def _silu(x: Interval) -> Interval:
    values = [np.where(end < 0, end * np.exp(np.minimum(end, 0)), end) / (1 + np.exp(-np.abs(end))) for end in x]
    low, high = np.minimum(*values), np.maximum(*values)
    turns = (x[0] <= -1.278464542761073) & (-1.278464542761075 <= x[1])
    return _function(np.where(turns, -0.278464542761074, low), high)


def _softplus(x: Interval) -> Interval:
    low, high = _function(*(np.maximum(end, 0) + np.log1p(np.exp(-np.abs(end))) for end in x))
    zero = x[1] <= SOFTPLUS_ZERO
    return np.where(zero, 0.0, np.maximum(low, 0)), np.where(zero, 0.0, high)


def _decay(x: Interval) -> Interval:
    """exp(-x) of what is not negative."""
    low, high = _function(np.exp(-x[1]), np.exp(-x[0]))
    one = x[1] == 0
    return np.where(one, 1.0, np.maximum(low, 0)), np.where(one, 1.0, np.minimum(high, 1))
