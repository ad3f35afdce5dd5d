"""Why a recogniser of bounded Dyck that has seen a violation rejects for ever, whatever its depth counts meanwhile.

The invariant: dead >= 1, every slot bit is 0 or 1, the depth is any integer at all.  Three obligations, for every
symbol:

1. at every depth a step leaves slot bits 0 or 1;
2. at every depth gate >= 0 and gate + increment >= 1 for the dead register, so dead >= 1 stays so;
3. with dead >= 1 the output is <= 0, whatever the features that its layer reads.

Depths -m..m are enumerated.  From m on, and from -m down, the features that leave the layers above the slots are
constant, which is read off the slopes of all neurons there: each is past its corner.  The same is done for large
values of the dead register in 3.
"""

from __future__ import annotations

from typing import Callable

import numpy as np

from automata.machines.bounded_dyck import DyckMachine
from verify.methods.induction.float_growth import Growth, longest
from verify.methods.induction.stack_steps import StackSteps
from verify.numbers.boxes import Box, LayerMaps, NotCovered

_FARTHEST = 8
"""Neurons that have to do with depths have their corners within so many times the greatest depth."""

_LARGEST = 1 << 12
"""So many values of the dead register are looked at one by one."""


def dead_for_ever(steps: StackSteps, machine: DyckMachine, fail: Callable[[str, int, int], None]) -> tuple[int, Box]:
    """Checks the three obligations; failures are told as (what, depth, symbol's number).

    Returns:
        The number of facts, and one box around all features that the dead register's layer reads.

    Raises:
        NotCovered: when features go on changing with the depth.
    """
    facts = 0
    farthest = _settled_depth(steps, machine.depth + 2)
    seen: list[Box] = []
    anything = steps.slot_box(machine.k)
    layer = steps.below[-1]
    for depth in range(-farthest, farthest + 1):
        for first in (0, 1):
            symbols = np.arange(first, 2 * machine.k, 2)
            features, _ = steps.features(depth, symbols)
            for image in steps.slot_images(features):
                facts += image.size
                for row in np.flatnonzero(((image != 0) & (image != 1)).any(axis=1)).tolist():
                    fail("a slot bit is neither 0 nor 1", depth, int(symbols[row]))
            z = steps.dead_features(anything, features)
            gates, increments = layer.gates(z).low[:, 0], layer.increments(z).low[:, 0]
            facts += 2 * len(symbols)
            for row in np.flatnonzero((gates < 0) | (gates + increments < 1)).tolist():
                fail("it may fall below 1", depth, int(symbols[row]))
            seen.append(Box(z.low.min(axis=0), z.high.max(axis=0)))
    hull = Box(np.min([box.low for box in seen], axis=0)[None], np.max([box.high for box in seen], axis=0)[None])
    if not _silences(steps, hull):
        fail("the output may be positive", 0, 0)
    return facts + 1, hull


def exact_symbols(steps: StackSteps, machine: DyckMachine, features: Box) -> int | None:
    """A number of symbols during which every sum of a float model is exact, however the depth and the dead register
    drift.

    None where neither can grow.  How fast they do is read off the model's own gates and increments: before a violation
    the depth moves by one, and the dead register is 0.

    Args:
        features: the box of :func:`dead_for_ever`.

    Beyond the depths looked at one by one, and the values of the dead register, every term of a sum grows linearly with
    the two integers, so what fits at both ends of a range fits inside.

    Raises:
        NotCovered: when not even one symbol is certain.
    """
    layer, limit = steps.below[-1], steps.maps.ssm.arithmetic.limit
    symbols = np.arange(2 * machine.k)
    gates, increments = layer.gates(features), layer.increments(features)
    most = [max(int(-box.low.min()), int(box.high.max())) for box in (gates, increments)]
    depth, dead = Growth.of(0, [(1, 1), *steps.depth_updates(symbols)]), Growth.of(0, [(most[0], most[1])])

    def fits(length: int) -> bool:
        sizes = depth.after(length), dead.after(length)
        if max(sizes) >= limit:
            return False
        try:
            for end in (sizes[0], -sizes[0]):
                steps.features(end, symbols)
            steps.maps.readout(layer.phi(Box.points([[sizes[1]]]), features))
        except NotCovered:
            return False
        return True

    length = longest(fits)
    if length == 0:
        raise NotCovered("after a violation the first symbol may already be rounded")
    return length


def _settled_depth(steps: StackSteps, depth: int) -> int:
    """An m >= depth such that the features above the slots are the same for all depths >= m, and for all <= -m."""
    farthest = _FARTHEST * depth
    while depth <= farthest:
        if all(_settled(steps, end) for end in (depth, -depth)):
            return depth
        depth *= 2
    raise NotCovered("a feature goes on changing with the depth")


def _settled(steps: StackSteps, depth: int) -> bool:
    x = steps.maps.embedding.columns(np.arange(steps.maps.embedding.low.shape[1]))[:-1]
    slope = np.zeros_like(x.low)
    for number, layer in enumerate(steps.above):
        gates = layer.gates(x).low
        h = gates * steps.state(number, depth) + layer.increments(x).low
        # One further in the direction of the ray moves the depth by the gate, and nothing else.
        h_slope = gates * (steps.state(number, depth + np.sign(depth)) - steps.state(number, depth))
        ray = _phi_on_ray(layer, Box.points(h), h_slope, x, slope)
        if ray is None:
            return False
        x, slope = ray
    return not slope.any()


def _silences(steps: StackSteps, features: Box) -> bool:
    """Whether every output is <= 0 once the dead register is at least 1, for features in this box (one row)."""
    layer = steps.below[-1]
    for value in range(1, _LARGEST):
        h = Box.points([[value]])
        ray = _phi_on_ray(layer, h, np.ones((1, 1)), features, np.zeros_like(features.low))
        if ray is not None:
            slopes = steps.maps.readout(Box.points(ray[1])).low - steps.maps.ssm.readout.bias
            return bool((steps.maps.readout(ray[0]).high <= 0).all() and (slopes <= 0).all())
        if (steps.maps.readout(layer.phi(h, features)).high > 0).any():
            return False
    return False


def _phi_on_ray(
    layer: LayerMaps, h: Box, h_slope: np.ndarray, x: Box, x_slope: np.ndarray
) -> tuple[Box, np.ndarray] | None:
    """z at the start of a ray and its slope along the ray, where every neuron is past its corner; None otherwise."""
    z, z_slope = h, Box.points(h_slope)
    for mix, from_previous, from_features in layer.mixes:
        if mix.activation != "relu":
            return None
        before = from_previous(z) + (from_features(x) + Box.points(mix.affine.bias))
        slope = (from_previous(z_slope) + from_features(Box.points(x_slope))).low
        on = (before.low >= 0) & (slope >= 0)
        off = (before.high <= 0) & (slope <= 0)
        flat = slope == 0
        if not (on | off | flat).all():
            return None
        z = Box(np.maximum(before.low, 0), np.maximum(before.high, 0))
        z_slope = Box.points(np.where(on, slope, 0))
    return z, z_slope.low
