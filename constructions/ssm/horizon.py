"""How long a model's numbers are certainly exact: the greatest length at which no sum can leave the exact range."""

from __future__ import annotations

import numpy as np

from constructions.ssm.box_arithmetic import Boxes, activate, affine_boxes, least_exponent
from constructions.ssm.layers import Affine
from constructions.ssm.number_formats import Product, Rationals, numbers_for
from constructions.ssm.ranges import Ranges, mix_bits_of, ranges
from constructions.ssm.weights import SSM


def exact_length(ssm: SSM) -> int | None:
    """The number of symbols up to which every number is certainly exact; None when there is no limit.

    Where no coordinate drifts there is none.  Otherwise |h| grows by at most the largest increment per step (or
    by the largest gate, where that is above 1), and the greatest length is found, by bisection, at which all partial
    sums of all mixes stay below the arithmetic's bound.
    """
    if not ssm.arithmetic.monotone or isinstance(numbers_for(ssm), Rationals):
        return None
    known = ranges(ssm)
    if known.bounded:
        return None
    reach = _Reach(ssm, known)
    fits = lambda length: reach.largest(length) < ssm.arithmetic.limit  # noqa: E731
    if not fits(0):
        return 0
    least, most = 0, 1
    while fits(most) and most < 1 << 60:
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if fits(middle) else (least, middle)
    # BOS is a step too.
    return max(0, least - 1)


class _Reach:
    """How large the states and partial sums can be after a number of steps, each in units of its last bit."""

    def __init__(self, ssm: SSM, known: Ranges):
        self.ssm, self.known = ssm, known
        self.products = {name: Product(affine) for name, affine in ssm.affines()}

    def largest(self, length: int) -> float:
        """The largest of all."""
        ssm, known = self.ssm, self.known
        x, largest = known.features[0].hull(), 0.0
        for i, layer in enumerate(ssm.layers):
            # In fixed point the engine counts in units of the last stored bit.
            bits = max(known.feature_bits[i], ssm.arithmetic.unit_bits)
            state_bits = np.maximum(known.state_bits[i], ssm.arithmetic.unit_bits)
            for part in ("gate", "increment"):
                largest = max(largest, self._sums(f"layers.{i}.{part}", getattr(layer, part), x, bits))
            size = self._state_size(i, length)
            z = Boxes(np.maximum(known.low[i], -size)[None], np.minimum(known.high[i], size)[None])
            with np.errstate(over="ignore", invalid="ignore"):
                units = np.nan_to_num(np.abs([z.low, z.high]) * 2.0**state_bits, nan=np.inf, posinf=np.inf)
            largest = max(largest, float(units.max(initial=0)))
            stages = zip(layer.phi, mix_bits_of(ssm.arithmetic, layer, bits, state_bits))
            for j, (mix, sum_bits) in enumerate(stages):
                if not np.isfinite(largest):
                    return np.inf
                z = Boxes(np.concatenate([z.low, x.low], axis=1), np.concatenate([z.high, x.high], axis=1))
                largest = max(largest, self._sums(f"layers.{i}.phi.{j}", mix.affine, z, sum_bits))
                box = affine_boxes(ssm.arithmetic, mix.affine, z.low, z.high, sum_bits)
                z = Boxes(*activate(ssm.arithmetic, mix, box.low, box.high))
            hull = known.features[i + 1].hull()
            x = Boxes(np.maximum(z.low, hull.low), np.minimum(z.high, hull.high))
        return max(
            largest, self._sums("readout", ssm.readout, x, max(known.feature_bits[-1], ssm.arithmetic.unit_bits))
        )

    def _state_size(self, number: int, length: int) -> np.ndarray:
        """|h| after so many steps, each of the largest gate and increment."""
        layer, known = self.ssm.layers[number], self.known
        gate = np.maximum(1.0, np.abs([known.gates[number].low, known.gates[number].high]).max(axis=(0, 1), initial=0))
        step = np.abs([known.increments[number].low, known.increments[number].high]).max(axis=(0, 1), initial=0)
        with np.errstate(over="ignore", invalid="ignore"):
            # Powers of a gate above 1 round, by less than one in 2^30.
            growth = np.where(gate > 1, gate**length * (1 + 2.0**-30), 1.0)
            size = growth * (np.abs(layer.initial) / 2.0**layer.initial_exponent + length * step)
        return np.nan_to_num(size, nan=np.inf, posinf=np.inf)

    def _sums(self, name: str, affine: Affine, x: Boxes, bits: float) -> float:
        """The largest partial sum; infinite where the last bit, a weight or an input is out of the arithmetic's
        reach.
        """
        arithmetic = self.ssm.arithmetic
        if not (np.isfinite(x.low).all() and np.isfinite(x.high).all()):
            return np.inf
        if (
            bits + affine.exponent > least_exponent(arithmetic)
            or affine.largest * 2.0**affine.exponent >= arithmetic.limit
        ):
            return np.inf
        return self.products[name].partial_sums(x.low[0] * 2.0**bits, x.high[0] * 2.0**bits, 2.0**bits)
