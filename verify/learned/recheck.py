"""Is a proof by boxes a proof?  One pass, box by box and symbol by symbol, slow and obvious.

It believes neither the finder nor the file: that the weights are those, that the automaton is the language's, that the
caches after BOS lie in box 0, that the image of every box under every symbol lies in some box, and that every output is
decided there.  Its interval steps are its own and share nothing with those that found the boxes.

An interval is a pair (low, high) of arrays of float64.  Ends are moved outward by one place of float64 after each
operation, and what the float32 of a model can add to that is written out where it is added: see
:mod:`verify.learned.semantics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from automata.machine import ACCEPT, MODES, PREDICTIVE, Machine
from verify.learned.answers import Answers
from verify.learned.proof import BoxProof
from verify.learned.semantics import CONSTANTS, FUNCTION, LARGEST_NUMBER, ROUNDING, SOFTPLUS_ZERO, TINY
from verify.learned.weights import BlockWeights, TrainedMamba

if TYPE_CHECKING:
    from constructions.mamba.stepping import Vocabulary

Interval = tuple[np.ndarray, np.ndarray]

_FLOAT64 = 2.0**-50
"""More than what one operation or function of float64 errs, relative to its result."""


class NoProof(Exception):
    """The document does not prove what it says; the message names the condition that fails."""


@dataclass(frozen=True)
class Checked:
    """What holds: boxes, edges between them, and the least distance of an output's score from 0."""

    boxes: int
    edges: int
    margin: float


def recheck_boxes(
    proof: BoxProof, model: TrainedMamba, machine: Machine, vocabulary: Vocabulary, answers: Answers
) -> Checked:
    """Checks that the model gives the machine's outputs on every string of the proof's mode.

    Args:
        vocabulary: the checkpoint's tokens for symbols, outputs and the beginning.
        answers: the convention by which outputs are read, with the tokens that it reads.

    Raises:
        NoProof: naming the first condition that fails.
    """
    if proof.digest != model.digest:
        raise NoProof("the weights are not those of the proof")
    if proof.semantics != CONSTANTS:
        raise NoProof("the proof assumes another float32")
    if proof.answer != answers.option:
        raise NoProof(f"the proof reads outputs by {proof.answer}, not {answers.option}")
    if (proof.alphabet, proof.outputs) != (vocabulary.alphabet, vocabulary.outputs):
        raise NoProof("the proof names other symbols or outputs than the language")
    if proof.tokens != tuple(vocabulary.tokens.tolist()) or proof.bos != vocabulary.bos:
        raise NoProof("the proof has other tokens than the checkpoint")
    _check_automaton(proof, machine)
    _check_shapes(proof, model)
    read, margin, edges = np.array(answers.tokens), np.inf, 0
    with np.errstate(all="ignore"):
        step = _Step(model, read)
        nothing = np.zeros(proof.low.shape[1])
        caches, logits = step(nothing, nothing, proof.bos)
        margin = min(margin, _margin(answers, logits, proof.expected[0], "after BOS"))
        if not _inside(caches, proof, 0) or proof.states[0] != 0:
            raise NoProof("the caches after BOS are not inside box 0")
        for box, state in enumerate(proof.states.tolist()):
            for symbol, token in enumerate(proof.tokens):
                target = int(proof.next[state, symbol])
                if target < 0:
                    continue
                where = f"box {box}, symbol {proof.alphabet[symbol]!r}"
                caches, logits = step(proof.low[box], proof.high[box], token)
                margin = min(margin, _margin(answers, logits, proof.expected[target], where))
                successor = int(proof.successors[box, symbol])
                if not 0 <= successor < len(proof.states) or proof.states[successor] != target:
                    raise NoProof(f"{where}: the successor is not a box of the automaton's next state")
                if not _inside(caches, proof, successor):
                    raise NoProof(f"{where}: the image is not inside box {successor}")
                edges += 1
    return Checked(len(proof.states), edges, float(margin))


def _check_automaton(proof: BoxProof, machine: Machine) -> None:
    """The proof's table is the part of the machine that strings of the mode reach."""
    symbols, count = proof.alphabet, len(proof.next)
    shapes = (count, len(symbols)), (count, len(proof.outputs))
    if proof.next.shape != shapes[0] or proof.expected.shape != shapes[1] or set(symbols) != set(machine.alphabet):
        raise NoProof("the automaton's table does not have the language's alphabet")
    if len(set(symbols)) != len(symbols) or len(set(proof.outputs)) != len(proof.outputs) or not count:
        raise NoProof("the automaton's table names a symbol or an output twice, or has no state")
    if len(proof.tokens) != len(symbols) or len(set(proof.tokens)) != len(symbols):
        raise NoProof("not every symbol has its own token")
    if proof.mode not in MODES or (proof.mode == PREDICTIVE) != (proof.outputs != (ACCEPT,)):
        raise NoProof(f"the outputs do not answer the question of mode {proof.mode[:20]!r}")
    states: dict[int, Any] = {0: machine.initial}
    waiting = [0]
    while waiting:
        number = waiting.pop()
        state = states[number]
        given = machine.legal(state) if proof.mode == PREDICTIVE else {ACCEPT} if machine.accepts(state) else set()
        if given - set(proof.outputs) or any((o in given) != e for o, e in zip(proof.outputs, proof.expected[number])):
            raise NoProof(f"state {number} of the automaton's table expects other outputs than the language")
        for symbol, target in zip(symbols, proof.next[number].tolist()):
            if proof.mode == PREDICTIVE and symbol not in given:
                continue
            if not 0 <= target < count:
                raise NoProof(f"state {number} of the automaton's table does not follow {symbol!r}")
            after = machine.step(state, symbol)
            if target not in states:
                states[target] = after
                waiting.append(target)
            elif states[target] != after:
                raise NoProof(f"state {number} of the automaton's table goes elsewhere with {symbol!r}")


def _check_shapes(proof: BoxProof, model: TrainedMamba) -> None:
    size = len(model.blocks) * model.inner * (model.kernel - 1 + model.states)
    boxes = len(proof.states)
    shapes = {"low": (boxes, size), "high": (boxes, size), "successors": (boxes, len(proof.tokens)), "states": (boxes,)}
    for name, shape in shapes.items():
        if getattr(proof, name).shape != shape:
            raise NoProof(f"{name} has the shape {getattr(proof, name).shape}, expected {shape}")
    if not boxes or not ((0 <= proof.states) & (proof.states < len(proof.next))).all():
        raise NoProof("a box has no state of the automaton")
    if not (proof.low <= proof.high).all() or not (np.maximum(-proof.low, proof.high) <= LARGEST_NUMBER).all():
        raise NoProof("a box is empty or unbounded")
    if not all(0 <= token < len(model.embedding) for token in (*proof.tokens, proof.bos)):
        raise NoProof("the model has no such token")


def _inside(caches: Interval, proof: BoxProof, box: int) -> bool:
    return bool((proof.low[box] <= caches[0]).all() and (caches[1] <= proof.high[box]).all())


def _margin(answers: Answers, logits: Interval, expected: np.ndarray, where: str) -> float:
    """The least distance of a score from 0, on the right side of it."""
    low, high = answers.scores(logits[0][None], logits[1][None])
    margins = np.where(expected, low[0], -high[0])
    if not (margins > 0).all():
        raise NoProof(f"{where}: an output is not decided")
    return float(margins.min())


# -- one step on one box ------------------------------------------------------------------------------


class _Step:
    """What any float32 execution can make of caches in a box, after one token."""

    def __init__(self, model: TrainedMamba, read: np.ndarray):
        self.model, self.read = model, read
        exact = [np.exp(block.a_log) for block in model.blocks]
        self.rates = [(np.maximum(low, 0), high) for low, high in (_function(rate, rate) for rate in exact)]

    def __call__(self, low: np.ndarray, high: np.ndarray, token: int) -> tuple[Interval, Interval]:
        """All caches afterwards, and the logits that are read."""
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
            after, mixed = self._scan(block, self.rates[number], x, z, (state_low, state_high))
            caches += [(seen[0][1:].ravel(), seen[1][1:].ravel()), (after[0].ravel(), after[1].ravel())]
            before, hidden = hidden, _add(hidden, _dot(block.out_weight, mixed, block.out_bias))
        joined = np.concatenate([c[0] for c in caches]), np.concatenate([c[1] for c in caches])
        return joined, self._logits(before, mixed, hidden)

    def _scan(
        self, block: BlockWeights, rates: Interval, x: Interval, z: Interval, state: Interval
    ) -> tuple[Interval, Interval]:
        """h = exp(-dt rate) h + (dt B) x, and (C h + D x) silu(z)."""
        rank, states = self.model.rank, self.model.states
        projected = _dot(block.x_weight, x, None)
        low_rank, inputs, readout = (
            (projected[0][part], projected[1][part])
            for part in (slice(rank), slice(rank, rank + states), slice(rank + states, None))
        )
        dt = _softplus(_dot(block.dt_weight, low_rank, block.dt_bias))
        wide = dt[0][:, None], dt[1][:, None]
        gates = _decay(_multiply(wide, rates))
        increments = _multiply(_multiply(wide, inputs), (x[0][:, None], x[1][:, None]))
        after = _updated(gates, state, increments)
        terms = _corners(after, readout)
        skip = np.stack([block.skip * x[0], block.skip * x[1]])
        pairs = np.hstack([terms[0], skip.min(0)[:, None]]), np.hstack([terms[1], skip.max(0)[:, None]])
        read = _total(pairs, states + 1)
        return after, _multiply(read, _silu(z))

    def _logits(self, hidden: Interval, mixed: Interval, after: Interval) -> Interval:
        """Logits, from what the last block reads and mixes.

        A logit is, up to rounding, r (g . hidden + g . W mixed) with g = head * norm and the same positive r for all.
        Its terms are rounded in the products of W and their sum, when they are added to what the block read, three
        times in the norm, and in the head's products and sum: fewer than d + i + 12 times in all.
        """
        model, block = self.model, self.model.blocks[-1]
        gains = model.head[self.read] * model.norm
        through = gains @ block.out_weight
        first, second = _corners((gains, gains), hidden), _corners((through, through), mixed)
        reach = _size(hidden) + np.abs(block.out_weight) @ _size(mixed) + np.abs(block.out_bias)
        sizes = np.abs(gains) @ reach
        error = (model.width + model.inner + 12) * (ROUNDING + 2.0**-40) * sizes
        error = error + (model.inner + 4) * TINY * np.abs(gains).sum(1)
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
        lost = TINY * ((np.abs(model.head[self.read]) * (1 + np.abs(model.norm))).sum(1) + model.width)
        _bounded(sizes * (1 + scale[1]))
        _bounded(np.abs(model.norm).max() * _size(after).max() * (1 + scale[1]))
        return _outward(found[0] - lost, found[1] + lost)


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
