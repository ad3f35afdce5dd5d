"""What every number of a model can be, over all strings: sound boxes, from the weights alone.

The features that enter a layer are described by a union of *boxes* (rows of least and greatest values); a finite
feature set is one whose boxes are points.  Layer by layer:

* each state coordinate gets an interval that holds h_0 and is closed under every gate and increment that the boxes
  allow (widened to infinity where it keeps growing: a *drifting* coordinate, such as a counter);
* phi is evaluated on boxes cut into pieces: a coordinate with few values is taken value by value; a drifting one is
  taken value by value around the breakpoints of the neurons that read it, and along the two rays outside them, where
  every neuron is affine, so that slopes decide what happens for ever.

Nothing is sampled, and nothing is lost to rounding: values are taken one by one only where they provably lie on a grid
(:func:`_state_bits`), and where a sum may round its box is widened by the error
(:mod:`constructions.ssm.box_arithmetic`). One limit remains: along a ray the model's floats round at last, and
:mod:`constructions.ssm.horizon` says after how many symbols.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from automata.errors import InputError
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.box_arithmetic import (
    Boxes,
    activate,
    affine_boxes,
    gate_boxes,
    number_boxes,
    product_bounds,
    stored,
    sum_bound,
)
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM

_BUDGET = 1 << 22
"""Numbers held at once while phi is evaluated on pieces."""
_LARGEST_BUDGET = 1 << 28
"""Numbers computed, one part after the other, for the sake of a drifting integer with breakpoints far apart."""
_ROUNDS_BEFORE_WIDENING = 40
_VALUES_PER_COORDINATE, _VALUES_OF_A_DRIFTING_INTEGER = 1 << 12, 1 << 21
_MOST_BITS = 64


@dataclass(frozen=True)
class Ranges:
    """The result for one model.

    Attributes:
        features: for each layer the boxes of its input, then those of the readout's input.
        gates, increments: for each layer the boxes of A(x) and B(x), row by row as ``features``.
        low, high: for each layer the intervals of its state coordinates, shape (d,).
        state_bits: for each layer the fractional bits of its state coordinates, infinite where they are not known.
        feature_bits: for each layer those of its input, then those of the readout's input.
    """

    features: list[Boxes]
    gates: list[Boxes]
    increments: list[Boxes]
    low: list[np.ndarray]
    high: list[np.ndarray]
    state_bits: list[np.ndarray]
    feature_bits: list[float]

    @property
    def bounded(self) -> bool:
        """Whether no state coordinate drifts."""
        return all(np.isfinite(a).all() for a in (*self.low, *self.high))


def ranges(ssm: SSM) -> Ranges:
    """Sound ranges of all numbers of the model over all strings.

    Args:
        ssm: the model; not in ``wrap`` arithmetic, whose rounding keeps no order.

    Returns:
        The ranges.  Cost: layers times rows of boxes times weights, the rows limited by a fixed budget, beyond
        which boxes are merged (sound, but coarser).
    """
    if not ssm.arithmetic.monotone:
        raise InputError(
            f"ranges are not known in {ssm.arithmetic} arithmetic: its rounding does not keep the order of numbers"
        )
    boxes = number_boxes(ssm.arithmetic, np.unique(ssm.embedding, axis=0), ssm.embedding_exponent)
    bits: float = ssm.embedding_exponent
    if ssm.arithmetic.kind == "fixed":
        bits = min(bits, ssm.arithmetic.bits)
    result = Ranges([boxes], [], [], [], [], [], [bits])
    for layer in ssm.layers:
        gates = gate_boxes(ssm.arithmetic, layer, boxes, bits)
        increments = affine_boxes(ssm.arithmetic, layer.increment, boxes.low, boxes.high, bits)
        low, high = _invariant(ssm.arithmetic, layer, gates, increments)
        state_bits = _state_bits(ssm.arithmetic, layer, gates, increments, bits, low, high)
        mix_bits = mix_bits_of(ssm.arithmetic, layer, bits, state_bits)
        boxes, bits = _phi(ssm.arithmetic, layer, boxes, low, high, state_bits, mix_bits), mix_bits[-1]
        result.features.append(boxes)
        result.gates.append(gates)
        result.increments.append(increments)
        result.low.append(low)
        result.high.append(high)
        result.state_bits.append(state_bits)
        result.feature_bits.append(bits)
    return result


def outputs_when(ssm: SSM, known: Ranges, layer: int, coordinate: int, least: float) -> Boxes:
    """The boxes of the outputs' numbers at the moments at which one state coordinate is at least ``least``.

    What the other coordinates are at such a moment may have been decided long before, so they keep their ranges
    over all moments: only what is read off the states is narrowed.
    """
    boxes = known.features[0]
    for number, (low, high) in enumerate(zip(known.low, known.high)):
        if number == layer:
            low = low.copy()
            low[coordinate] = max(low[coordinate], least)
        state_bits = known.state_bits[number]
        mix_bits = mix_bits_of(ssm.arithmetic, ssm.layers[number], known.feature_bits[number], state_bits)
        boxes = _phi(ssm.arithmetic, ssm.layers[number], boxes, low, high, state_bits, mix_bits)
    return affine_boxes(ssm.arithmetic, ssm.readout, boxes.low, boxes.high, known.feature_bits[-1])


def keeps_one(arithmetic: Arithmetic, gates: Boxes, increments: Boxes) -> np.ndarray:
    """Per coordinate: does every step lead from a state of 1 or more to a state of 1 or more?"""
    kept = (gates.low >= 0) & (sum_bound(arithmetic, gates.low, increments.low, -np.inf) >= 1)
    return np.asarray(kept.all(axis=0))


def _invariant(arithmetic: Arithmetic, layer: Layer, gates: Boxes, increments: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """Intervals that hold h_0 and that every step maps into themselves."""
    start = number_boxes(arithmetic, layer.initial, layer.initial_exponent)
    low, high = start.low, start.high
    for round_ in range(_ROUNDS_BEFORE_WIDENING + 3):
        corners = [product_bounds(arithmetic, gate, end) for gate in (gates.low, gates.high) for end in (low, high)]
        least = sum_bound(arithmetic, np.min([corner for corner, _ in corners], axis=0), increments.low, -np.inf)
        greatest = sum_bound(arithmetic, np.max([corner for _, corner in corners], axis=0), increments.high, np.inf)
        new_low = np.minimum(low, least.min(axis=0, initial=np.inf))
        new_high = np.maximum(high, greatest.max(axis=0, initial=-np.inf))
        if np.array_equal(new_low, low) and np.array_equal(new_high, high):
            break
        if round_ >= _ROUNDS_BEFORE_WIDENING:
            new_low = np.where(new_low < low, -np.inf, new_low)
            new_high = np.where(new_high > high, np.inf, new_high)
        low, high = new_low, new_high
    else:
        low, high = np.full_like(low, -np.inf), np.full_like(high, np.inf)
    return low, high


def _state_bits(
    arithmetic: Arithmetic,
    layer: Layer,
    gates: Boxes,
    increments: Boxes,
    bits: float,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Fractional bits that hold every value of each state coordinate; infinite where none are known.

    Whole gates keep the bits of h_0 and of the increments.  A float of at least 2^e is a multiple of its last place.
    """
    whole = _column_bits(gates, bits + layer.gate.exponent if layer.gate_function == "affine" else np.inf) == 0
    start = number_boxes(arithmetic, layer.initial[None], layer.initial_exponent)
    kept = np.maximum(
        _column_bits(start, layer.initial_exponent), _column_bits(increments, bits + layer.increment.exponent)
    )
    found = np.where(whole, kept, np.inf)
    if arithmetic.kind == "fixed":
        return np.minimum(found, arithmetic.bits)
    if arithmetic.is_float:
        smallest = np.where((low > 0) | (high < 0), np.minimum(np.abs(low), np.abs(high)), 0.0)
        last_place = np.where(smallest > 0, np.maximum(arithmetic.bits - np.frexp(smallest)[1], 0), np.inf)
        found = np.minimum(found, last_place)
    return found


def _column_bits(boxes: Boxes, most: float) -> np.ndarray:
    """Fractional bits that hold all values of each column: counted where they are points, else ``most``."""
    points = ((boxes.low == boxes.high) & np.isfinite(boxes.low)).all(axis=0)
    values = np.where(points, boxes.low, 0.0)
    found = np.zeros(values.shape[1])
    while (broken := (np.ldexp(values, found.astype(int)) % 1 != 0).any(axis=0)).any():
        found += broken
    return np.where(points, found, most)


def mix_bits_of(arithmetic: Arithmetic, layer: Layer, feature_bits: float, state_bits: np.ndarray) -> list[float]:
    """Fractional bits of the inputs of each mix of phi, then of its result."""
    most = arithmetic.bits if arithmetic.kind == "fixed" else np.inf
    inputs, bits = [], float(state_bits.max(initial=0))
    for mix in layer.phi:
        inputs.append(max(bits, feature_bits))
        bits = min(inputs[-1] + mix.affine.exponent, most)
    return [*inputs, bits]


# -- phi on pieces ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pieces:
    """Values on pieces: value = [low, high] + slope * t for t >= 0, the same t for a whole row."""

    low: np.ndarray
    high: np.ndarray
    slope: np.ndarray


def _phi(
    arithmetic: Arithmetic,
    layer: Layer,
    boxes: Boxes,
    low: np.ndarray,
    high: np.ndarray,
    state_bits: np.ndarray,
    mix_bits: list[float],
) -> Boxes:
    cuts = _cuts(arithmetic, layer, boxes, low, high, state_bits, mix_bits[0])
    widest = max([layer.width + layer.inputs] + [m.affine.outputs + layer.inputs for m in layer.phi])
    count = math.prod(len(points) for points, _, _ in cuts.values())
    if count * len(boxes.low) * widest > _BUDGET:
        boxes = boxes.hull()
    part = max(1, _BUDGET // (len(boxes.low) * widest))
    parts = (np.arange(first, min(first + part, count)) for first in range(0, count, part))
    found = [_phi_on(arithmetic, layer, boxes, low, high, cuts, which, mix_bits) for which in parts]
    unique = np.unique(np.concatenate(found), axis=0)
    return Boxes(unique[:, : layer.features], unique[:, layer.features :])


def _phi_on(
    arithmetic: Arithmetic, layer: Layer, boxes: Boxes, low, high, cuts: dict, which: np.ndarray, mix_bits: list[float]
) -> np.ndarray:
    """The distinct boxes of z, their low ends beside their high ends, on some of the pieces."""
    count = len(which)
    grid = np.unravel_index(which, [len(points) for points, _, _ in cuts.values()] or (1,))
    h_low, h_high = np.tile(low, (count, 1)), np.tile(high, (count, 1))
    slope = np.zeros((count, layer.width))
    for place, (coordinate, (points, ends, slopes)) in enumerate(cuts.items()):
        chosen = grid[place]
        h_low[:, coordinate], h_high[:, coordinate] = points[chosen], ends[chosen]
        slope[:, coordinate] = slopes[chosen]
    rays = (slope != 0).sum(axis=1)
    # Two rays at once have no common parameter: such a piece is a box with infinite sides instead.
    several = rays > 1
    h_low[several] = np.where(slope[several] < 0, -np.inf, h_low[several])
    h_high[several] = np.where(slope[several] > 0, np.inf, h_high[several])
    slope[several] = 0
    rows = len(boxes.low)
    x = _Pieces(
        np.repeat(boxes.low, count, axis=0),
        np.repeat(boxes.high, count, axis=0),
        np.zeros((rows * count, layer.inputs)),
    )
    z = _Pieces(np.tile(h_low, (rows, 1)), np.tile(h_high, (rows, 1)), np.tile(slope, (rows, 1)))
    slope_bits = 0
    for mix, bits in zip(layer.phi, mix_bits):
        slope_bits += mix.affine.exponent
        z = _mix(arithmetic, mix, z, x, bits, slope_bits)
    ends = np.where(z.slope < 0, -np.inf, z.low), np.where(z.slope > 0, np.inf, z.high)
    return np.unique(np.concatenate(ends, axis=1), axis=0)


def _cuts(
    arithmetic: Arithmetic, layer: Layer, boxes: Boxes, low, high, state_bits: np.ndarray, input_bits: float
) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Which coordinates are taken piece by piece: for each, the pieces' ends and the slope (0, or +-1 on a ray)."""
    first = layer.phi[0].affine
    weights = first.matrix[:, : layer.width].tocsc()
    candidates = []
    for coordinate in range(layer.width):
        if weights.indptr[coordinate] == weights.indptr[coordinate + 1] or state_bits[coordinate] > _MOST_BITS:
            continue
        unit = 2.0 ** -state_bits[coordinate]
        drifting = not (np.isfinite(low[coordinate]) and np.isfinite(high[coordinate]))
        ends: tuple[float, float] | None = (low[coordinate], high[coordinate])
        if drifting:
            ends = _breakpoints(arithmetic, layer, boxes, low, high, coordinate, input_bits)
        most = _VALUES_OF_A_DRIFTING_INTEGER if drifting and unit == 1 else _VALUES_PER_COORDINATE
        if ends is None or (ends[1] - ends[0]) / unit > most or max(-ends[0], ends[1]) / unit > 2**50:
            continue
        least = np.floor(max(ends[0], low[coordinate]) / unit) * unit
        greatest = np.ceil(min(ends[1], high[coordinate]) / unit) * unit
        if not np.isfinite([least, greatest]).all():
            continue  # a start value that is infinite in this arithmetic
        values: np.ndarray = np.arange(least / unit, greatest / unit + 1) * unit
        slopes: np.ndarray = np.zeros(len(values))
        if low[coordinate] < least:
            values, slopes = np.append(values, least - unit), np.append(slopes, -1)
        if high[coordinate] > greatest:
            values, slopes = np.append(values, greatest + unit), np.append(slopes, 1)
        candidates.append((not drifting, len(values), coordinate, values, slopes))
    widest = max(m.affine.outputs + m.affine.inputs for m in layer.phi)
    cuts: dict[int, tuple] = {}
    pieces = len(boxes.low) * widest
    for bounded, count, coordinate, values, slopes in sorted(candidates, key=lambda c: c[:3]):
        # Drifting coordinates first, and with rows merged for their sake: without pieces nothing at all is known of
        # what reads them.
        merged = pieces // len(boxes.low)
        budget = _BUDGET if cuts else _LARGEST_BUDGET
        if count > 1 and (pieces * count <= _BUDGET or (not bounded and merged * count <= budget)):
            cuts[coordinate] = values, values, slopes
            pieces *= count
    return cuts


def _breakpoints(
    arithmetic: Arithmetic, layer: Layer, boxes: Boxes, low, high, coordinate: int, bits: float
) -> tuple[float, float] | None:
    """An interval outside which no first-mix neuron that reads the coordinate changes sign; None when there is none."""
    affine = layer.phi[0].affine
    column = affine.matrix[:, [coordinate]].toarray()[:, 0].astype(np.float64)
    others_low, others_high = low.copy(), high.copy()
    others_low[coordinate] = others_high[coordinate] = 0
    x = boxes.hull()
    rest = affine_boxes(
        arithmetic,
        Affine(affine.matrix, affine.bias),
        np.concatenate([others_low, x.low[0]])[None],
        np.concatenate([others_high, x.high[0]])[None],
        bits,
    )
    reads = column != 0
    at = np.concatenate([-rest.low[0][reads] / column[reads], -rest.high[0][reads] / column[reads]])
    if not np.isfinite(at).all():
        return None
    return float(np.floor(at.min())), float(np.ceil(at.max()))


def _mix(arithmetic: Arithmetic, mix: Mix, previous: _Pieces, x: _Pieces, bits: float, slope_bits: int) -> _Pieces:
    low = np.concatenate([previous.low, x.low], axis=1)
    high = np.concatenate([previous.high, x.high], axis=1)
    slope = np.concatenate([previous.slope, x.slope], axis=1)
    box = affine_boxes(arithmetic, mix.affine, low, high, bits)
    matrix = mix.affine.matrix.astype(np.float64)
    steepness = np.asarray((abs(matrix) @ np.abs(slope).T).T) / 2.0**mix.affine.exponent
    slope = np.asarray((matrix @ slope.T).T) / 2.0**mix.affine.exponent
    if (unknown := steepness >= 2.0 ** (53 - slope_bits)).any():
        # The slope itself may have been rounded: such a piece is a box with infinite sides.
        box = Boxes(np.where(unknown, -np.inf, box.low), np.where(unknown, np.inf, box.high))
        slope[unknown] = 0
    if arithmetic.kind == "fixed":
        # Along a ray the value moves, and rounding down takes off less than a unit everywhere.
        unit = 2.0**-arithmetic.bits
        exact = slope == 0
        box = Boxes(
            np.where(exact, stored(arithmetic, box.low), box.low - unit * (mix.affine.exponent > 0)),
            np.where(exact, stored(arithmetic, box.high), box.high),
        )
    return _on_ray(arithmetic, mix, box.low, box.high, slope)


def _on_ray(arithmetic: Arithmetic, mix: Mix, low: np.ndarray, high: np.ndarray, slope: np.ndarray) -> _Pieces:
    if mix.activation == "linear":
        return _Pieces(low, high, slope)
    if mix.activation == "clip":
        end_low, end_high = (np.where(slope < 0, -np.inf, low), np.where(slope > 0, np.inf, high))
        return _Pieces(*activate(arithmetic, mix, end_low, end_high), np.zeros_like(slope))
    keeps = (low >= 0) & (slope >= 0)
    falls, rises = (slope < 0), (slope > 0) & ~keeps
    relu_low, relu_high = activate(arithmetic, mix, low, high)
    return _Pieces(
        np.where(falls, 0.0, relu_low),
        np.where(rises, np.inf, relu_high),
        np.where(keeps, slope, 0.0),
    )
