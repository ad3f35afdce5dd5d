"""One step of a cell of torch in float32 on a box of states: within which bounds is each number afterwards?

A box has for each number the least and the greatest, infinite or not, and whether it may be none: a unit of a relu that
doubles is infinite after 128 steps, and 0 times infinity is no number.  Bounds hold for every execution that rounds
each sum and product to nearest (fused or not), adds up in any order, has tanh and sigmoid within the error of
:mod:`verify.learned.semantics`, and exactly 1, -1 or 0 beyond :data:`SETTLED_ONE` and :data:`SETTLED_ZERO`.

In one order of additions a rounded sum grows with each of its terms, since rounding keeps the order of numbers.  So it
is at least what the same execution makes of the least terms: their exact sum, but for what is rounded of *these*.  A
term that is beyond all bounds above is nothing to the least sum, and sums of few bits are exact at both ends.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

import numpy as np

from verify.learned.float32 import SLACK, Bounds, approximated, multiplied, products, to_float32, updated
from verify.learned.semantics import ROUNDING, TINY
from verify.numbers.boxes import NotCovered

SETTLED_ONE, SETTLED_ZERO = 64.0, -120.0
"""From the first on sigmoid and tanh are exactly 1, and tanh of its negative is -1; from the second down sigmoid is
exactly 0."""

_GREATEST = float(np.finfo(np.float32).max)
_BITS, _FINEST = 2.0**24, 2.0**-120
"""Sums of so many units are exact, and how fine a unit may be for that."""

_MOST_TERMS = 1 << 14
"""Of a sum: more of them, and errors of second order would count."""

_Part = tuple[np.ndarray, "BoxOfState"]


class BoxOfState(NamedTuple):
    """All rows x with low <= x <= high, entry by entry, but that where ``lost`` an entry may be no number, too.

    Ends are numbers of float32, or infinite.
    """

    low: np.ndarray
    high: np.ndarray
    lost: np.ndarray

    @classmethod
    def of_point(cls, values: np.ndarray) -> "BoxOfState":
        return cls(values, values, np.zeros(len(values), dtype=bool))

    def within(self, other: "BoxOfState") -> bool:
        """Whether the other box has all that this one has."""
        return bool(
            (self.low >= other.low).all() and (self.high <= other.high).all() and (self.lost <= other.lost).all()
        )

    @property
    def numbers(self) -> Bounds:
        """The bounds, where all are finite numbers.

        Raises:
            NotCovered: where one may be infinite, or none.
        """
        if self.lost.any() or not (np.isfinite(self.low).all() and np.isfinite(self.high).all()):
            raise NotCovered("a number may be infinite, which is looked into in relu alone")
        return Bounds(self.low, self.high)


class CellOnBoxes:
    """The step of one layer of a cell, and of its readout.

    Args:
        runner: a :class:`constructions.recurrent.running.CellRunner`.

    Raises:
        NotCovered: for another format than float32, several layers, weights that are not finite, and too many units.
    """

    def __init__(self, runner: Any):
        layer, head = runner.model.layer, runner.model.head
        if runner.arithmetic != "float32" or layer.num_layers != 1:
            raise NotCovered("boxes of states are of one layer in float32")
        if layer.hidden_size + layer.input_size + 2 > _MOST_TERMS:
            raise NotCovered(f"sums of more than {_MOST_TERMS} terms are not bounded")
        names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"
        of_tokens, self._of_state, *self._biases = (_doubles(getattr(layer, name)) for name in names)
        self._embedding, self._of_tokens = _doubles(runner.model.embedding.weight), of_tokens
        self._head, self._head_bias = _doubles(head.weight), _doubles(head.bias)
        self._cell, self._units = runner.cell, layer.hidden_size

    def begin(self) -> BoxOfState:
        """Before BOS all numbers are 0: those that the cell gives, and after them those that an LSTM keeps."""
        return BoxOfState.of_point(np.zeros(self._units * (1 + (self._cell == "lstm"))))

    def step(self, state: BoxOfState, token: int, outputs: Sequence[int]) -> tuple[BoxOfState, BoxOfState]:
        """The box after a token, and the logits of some tokens there; O(units^2).

        Raises:
            NotCovered: where a number of a GRU or LSTM may be infinite.
        """
        read = BoxOfState.of_point(self._embedding[token])
        given = BoxOfState(*(part[: self._units] for part in state))
        with np.errstate(all="ignore"):
            after = {"gru": self._gru, "lstm": self._lstm}.get(self._cell, self._plain)(read, given, state)
            now = BoxOfState(*(part[: self._units] for part in after))
            rows = list(outputs)
            return after, weighted([(self._head[rows], now)], [self._head_bias[rows]])

    def _plain(self, read: BoxOfState, given: BoxOfState, state: BoxOfState) -> BoxOfState:
        total = self._sum(slice(None), read, given)
        if self._cell == "tanh":
            return _finite(_tanh(total.numbers))
        return BoxOfState(np.maximum(total.low, 0), np.maximum(total.high, 0), total.lost)

    def _gru(self, read: BoxOfState, given: BoxOfState, state: BoxOfState) -> BoxOfState:
        reset, keep, new = (slice(gate * self._units, (gate + 1) * self._units) for gate in range(3))
        opened = _sigmoid(self._sum(reset, read, given).numbers)
        kept = _sigmoid(self._sum(keep, read, given).numbers)
        of_read = weighted([(self._of_tokens[new], read)], [self._biases[0][new]]).numbers
        of_state = weighted([(self._of_state[new], given)], [self._biases[1][new]]).numbers
        return _finite(_mixed(kept, given.numbers, _tanh(updated(opened, of_state, of_read))))

    def _lstm(self, read: BoxOfState, given: BoxOfState, state: BoxOfState) -> BoxOfState:
        sums = [
            self._sum(slice(gate * self._units, (gate + 1) * self._units), read, given).numbers for gate in range(4)
        ]
        enter, keep, leave = (_sigmoid(sums[gate]) for gate in (0, 1, 3))
        exact = products(enter, _tanh(sums[2]))
        rounded = to_float32(exact.low, exact.high)
        added = Bounds(np.minimum(exact.low, rounded.low), np.maximum(exact.high, rounded.high))
        cells = updated(keep, Bounds(state.numbers.low[self._units :], state.numbers.high[self._units :]), added)
        given_now = multiplied(leave, _tanh(cells))
        return _finite(Bounds(np.concatenate([given_now.low, cells.low]), np.concatenate([given_now.high, cells.high])))

    def _sum(self, rows: slice, read: BoxOfState, given: BoxOfState) -> BoxOfState:
        parts = [(self._of_tokens[rows], read), (self._of_state[rows], given)]
        return weighted(parts, [bias[rows] for bias in self._biases])


def weighted(parts: Sequence[_Part], biases: Sequence[np.ndarray]) -> BoxOfState:
    """What a rounded sum of products and biases can be, in any order.

    Args:
        parts: matrices (rows, n), and boxes of n numbers.
        biases: (rows,) each.

    >>> box = BoxOfState(np.array([1.0]), np.array([np.inf]), np.array([False]))
    >>> weighted([(np.array([[1.0], [0.0]]), box)], [np.array([1.0, 1.0])])
    BoxOfState(low=array([2., 1.]), high=array([inf,  1.]), lost=array([False,  True]))
    """
    lows, highs = [np.stack(biases, axis=1)], [np.stack(biases, axis=1)]
    lost: np.ndarray = np.zeros(len(biases[0]), dtype=bool)
    with np.errstate(all="ignore"):
        for matrix, box in parts:
            for terms, ends in ((lows, (box.low, box.high)), (highs, (box.high, box.low))):
                terms.append(np.where(matrix == 0, 0, np.where(matrix > 0, matrix * ends[0], matrix * ends[1])))
            infinite = np.isinf(box.low) | np.isinf(box.high)
            lost |= box.lost.any() | ((matrix == 0) & infinite).any(axis=1)
        low, high = np.concatenate(lows, axis=1), np.concatenate(highs, axis=1)
        # No partial sum is beyond its terms of one sign; where those of both may overflow, they may meet.
        above = np.maximum(high, 0).sum(axis=1) * (1 + 2.0**-8) >= _GREATEST
        below = np.maximum(-low, 0).sum(axis=1) * (1 + 2.0**-8) >= _GREATEST
        least, greatest = low.sum(axis=1) - rounded_off(low), high.sum(axis=1) + rounded_off(high)
        found = to_float32(
            np.where(below | np.isnan(least), -np.inf, least), np.where(above | np.isnan(greatest), np.inf, greatest)
        )
    return BoxOfState(found.low, found.high, lost | (above & below))


def rounded_off(terms: np.ndarray) -> np.ndarray:
    """By how much a sum of these terms, (rows, n), may be off, in any order: 0 where each partial sum is exact."""
    count, sizes = terms.shape[1] + 4, np.abs(terms).sum(axis=1)
    digits, exponents = np.frexp(np.where(np.isfinite(terms), terms, 0))
    whole = (digits * 2.0**53).astype(np.int64)
    units = np.ldexp((whole & -whole).astype(np.float64), exponents - 53)
    unit = np.where(terms == 0, np.inf, units).min(axis=1)
    exact = (sizes <= unit * _BITS) & (unit >= _FINEST) & np.isfinite(sizes)
    return np.where(exact, 0, SLACK * count * (ROUNDING * sizes + TINY))


def _mixed(kept: Bounds, old: Bounds, new: Bounds) -> Bounds:
    """(1 - kept) new + kept old, or new + kept (old - new): both round at most four numbers of their sizes."""
    gates = kept.low, kept.high
    low = np.minimum.reduce([(1 - gate) * new.low + gate * old.low for gate in gates])
    high = np.maximum.reduce([(1 - gate) * new.high + gate * old.high for gate in gates])
    off = SLACK * (8 * ROUNDING * (old.largest + new.largest) + TINY)
    shut = kept.high == 0
    return to_float32(np.where(shut, new.low, low - off), np.where(shut, new.high, high + off))


def _sigmoid(x: Bounds) -> Bounds:
    found = approximated(*(1 / (1 + np.exp(-np.clip(end, -700, 700))) for end in x.ends))
    return _settled(x, found, 0.0, SETTLED_ZERO)


def _tanh(x: Bounds) -> Bounds:
    return _settled(x, approximated(np.tanh(x.low), np.tanh(x.high)), -1.0, -SETTLED_ONE)


def _settled(x: Bounds, found: Bounds, least: float, from_there: float) -> Bounds:
    """Within what the function gives at most, and at its ends where it is exact."""
    low = np.where(x.low >= SETTLED_ONE, 1.0, np.maximum(found.low, least))
    high = np.where(x.high <= from_there, least, np.minimum(found.high, 1.0))
    return to_float32(low, high)


def _finite(numbers: Bounds) -> BoxOfState:
    return BoxOfState(numbers.low, numbers.high, np.zeros(len(numbers.low), dtype=bool))


def _doubles(tensor: Any) -> np.ndarray:
    found = tensor.detach().double().numpy()
    if not np.isfinite(found).all():
        raise NotCovered("a weight is not finite")
    return found
