"""Gated DeltaNet whose write strength goes up to 2, so that a head can reflect: the arrays of one mixer.

    S = a S - b k (k . S) + b k v,    k = silu(conv(.)) / |silu(conv(.))|,    b = 2 sigmoid(.),    o = S . q / sqrt(|k|)

Hold, Delay
    One key row, 1 or 0; b = 2 sigmoid(0) = 1 exactly.
Flip
    b = 2 sigmoid(UNIT) = 2 exactly: S becomes 2 v - S, with v half of what stands for a 1.
Swap
    A value is two rows, and k = (rows of i, rows of j) / 2 a unit vector of dyadic numbers, which b = 2 reflects: i and
    j change places and sign, as keys are never negative.  a = 0 and a write set it.  One head for each value that is
    read.

The norm of o has an epsilon of its own, 1e-5.  Beside a ballast of 2^30 in columns of their own nothing else counts;
swapped cells are 2^-32, whose squares vanish beside the epsilon, so they stand in layers of their own.

Source: negative eigenvalues in linear recurrences, Grazzi et al. 2024; Householder products, Siems et al. 2025.
"""

from __future__ import annotations

import numpy as np

from automata.errors import InputError
from constructions.program.operations import BEGINNING, CONSTANT_ONE, Flip, LinearForm
from constructions.program.selecting import ReadRegister
from constructions.stock.arrays import Tensors, remembering, row, straight
from constructions.stock.delta_net import HeadOf, HeadThatReads, flat
from constructions.stock.sizes import UNIT, HeadCount, power_of_four

_BALLAST = 2.0**30
_SWAPPED = 2.0**-32
_ROOT = np.float32(316.22778)
"""What the norm multiplies by where only its epsilon counts: 1 / sqrt(1e-5) in float32."""


def ballast_columns(values: int) -> int:
    """So many columns that their share of the mean square is a power of four."""
    return 1 if power_of_four(values) == values else 2


class ReflectingMixer:
    """The arrays of one mixer, filled head by head."""

    def __init__(self, width: int, count: HeadCount, keys: int, values: int):
        self.width, self.count, self.keys, self.values = width, count, keys, values
        every = count.all
        self.q, self.k = np.zeros((every, keys, width)), np.zeros((every, keys, width))
        self.v, self.gate = np.zeros((every, values, width)), np.zeros((every, values, width))
        self.conv_q, self.conv_k, self.conv_v = (straight(count, rows) for rows in (keys, keys, values))
        self.decay, self.strength = np.zeros((every, width)), np.zeros((every, width))
        self.out = np.zeros((width, every, values))
        self.gate[: count.working, :, CONSTANT_ONE] = UNIT
        self.norm = np.zeros(values)

    def fill(self, found: list[HeadOf]) -> None:
        """All heads of a layer; swapped cells share it with no other memory."""
        columns = ballast_columns(self.values)
        if any(isinstance(one, HeadThatReads) for one in found):
            if not all(isinstance(one, HeadThatReads) for one in found):
                raise InputError("swapped cells share a layer with other memory")
            # Two rows of 2^-32, read with 1/2 each and divided by the root of the width.
            self.norm[0] = _undoing(1 / (_SWAPPED * self.keys**-0.5))
        else:
            self.norm[:] = _BALLAST / (self.values / columns) ** 0.5 / UNIT
            self.norm[self.values - columns :] = 0
        for number, one in enumerate(found):
            if isinstance(one, HeadThatReads):
                self._swapped(number, one)
                continue
            self.q[number, 0, CONSTANT_ONE] = UNIT
            self.v[number, self.values - columns :, CONSTANT_ONE] = _BALLAST
            self._flipped(number, one) if isinstance(one, Flip) else self._held(number, one)

    def _held(self, number: int, found: ReadRegister) -> None:
        if found.late:
            self.conv_k[number, :, 0], self.conv_v[number, :, 0] = (1, 0), (1, 0)
        self.k[number, 0] = row(found.gate, self.width, UNIT)
        for place, (value, coordinate) in enumerate(found.cells):
            self.v[number, place] = row(value, self.width, UNIT)
            self.out[coordinate, number, place] = 1 / UNIT

    def _flipped(self, number: int, found: Flip) -> None:
        self.k[number, 0] = self._sum({BEGINNING: 1}, found.set, found.flip) * UNIT
        self.strength[number] = row(found.flip, self.width, UNIT)
        self.v[number, 0] = row(found.flip, self.width, UNIT / 2) + row(found.value, self.width, UNIT)
        self.out[found.writes, number, 0] = 1 / UNIT

    def _swapped(self, number: int, found: HeadThatReads) -> None:
        register, value = found.register, found.value
        # Two rows that stay 0, read with every value, and two for the other half of a key that writes.
        still = 2 * register.values
        self.q[number, [2 * value, 2 * value + 1, still, still + 1], CONSTANT_ONE] = UNIT
        begun = {**register.sets.get(register.initial, {})}
        begun[BEGINNING] = begun.get(BEGINNING, 0) + 1
        for to, event in {**register.sets, register.initial: begun}.items():
            self.k[number, [2 * to, 2 * to + 1, still + 2, still + 3]] += row(event, self.width, UNIT)
            self.v[number, 0] += row(event, self.width, 4 * _SWAPPED)
            self.decay[number] += row(event, self.width, 2 * UNIT)
        for (one, other), event in register.swaps.items():
            rows = [2 * one, 2 * one + 1, 2 * other, 2 * other + 1]
            self.k[number, rows] += row(event, self.width, UNIT)
            self.strength[number] += row(event, self.width, UNIT)
        self.out[found.coordinate, number, 0] = 1 / UNIT

    def _sum(self, *forms: LinearForm) -> np.ndarray:
        return np.sum([row(form, self.width) for form in forms], axis=0)

    def tensors(self) -> Tensors:
        """By their names."""
        return {
            "q_proj.weight": flat(self.q),
            "k_proj.weight": flat(self.k),
            "v_proj.weight": flat(self.v),
            "a_proj.weight": self.decay,
            "b_proj.weight": self.strength,
            "g_proj.weight": flat(self.gate),
            "o_proj.weight": self.out.reshape(self.width, -1),
            "conv1d.weight": np.concatenate([flat(taps) for taps in (self.conv_q, self.conv_k, self.conv_v)]),
            "dt_bias": remembering(self.count),
            "o_norm.weight": self.norm,
        }


def _undoing(power: float) -> float:
    """A number of float32 whose product with the norm's root is this power of two, rounded.

    Raises:
        InputError: when there is none.
    """
    near = np.float32(power / float(_ROOT))
    for weight in (near, np.nextafter(near, np.float32(0)), np.nextafter(near, np.float32(np.inf))):
        if np.float32(_ROOT * weight) == np.float32(power):
            return float(weight)
    raise InputError(f"no number of float32 makes {power} of {_ROOT}")
