"""What every number of a model can be, over all strings: sound boxes, from the weights alone.

The features that enter a layer are described by a union of *boxes* (rows of least and greatest values); a finite
feature set is one whose boxes are points.  Layer by layer:

* each state coordinate gets an interval that holds h_0 and is closed under every gate and increment that the boxes
  allow (widened to infinity where it keeps growing: a *drifting* coordinate, such as a counter);
* phi is evaluated on boxes cut into pieces: a coordinate with few values is taken value by value; a drifting one is
  taken value by value around the breakpoints of the neurons that read it, and along the two rays outside them, where
  every neuron is affine, so that slopes decide what happens for ever.

Nothing is sampled.  In float arithmetic the boxes hold as long as no sum rounds, which :func:`exact_length`
turns into a number of symbols.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from automata.errors import InputError
from constructions.arithmetic import Arithmetic
from constructions.number_formats import Product
from constructions.ssm import SSM, Affine, Layer, Mix

_BUDGET = 1 << 22
"""Numbers held at once while phi is evaluated on pieces."""
_ROUNDS_BEFORE_WIDENING = 40
_VALUES_PER_COORDINATE = 4096


@dataclass(frozen=True)
class Boxes:
    """A union of boxes: row r is the box low[r] <= x <= high[r].  Shape (rows, features), float64, may be infinite."""

    low: np.ndarray
    high: np.ndarray

    @property
    def finite(self) -> bool:
        """Whether every box is a point: a finite set, listed exactly or a superset of it."""
        return bool((self.low == self.high).all())

    def hull(self) -> "Boxes":
        """The one box around all of them."""
        return Boxes(self.low.min(axis=0, keepdims=True), self.high.max(axis=0, keepdims=True))


@dataclass(frozen=True)
class Ranges:
    """The result for one model.

    Attributes:
        features: for each layer the boxes of its input, then those of the readout's input.
        gates, increments: for each layer the boxes of A(x) and B(x), row by row as ``features``.
        low, high: for each layer the intervals of its state coordinates, shape (d,).
    """

    features: list[Boxes]
    gates: list[Boxes]
    increments: list[Boxes]
    low: list[np.ndarray]
    high: list[np.ndarray]

    @property
    def bounded(self) -> bool:
        """Whether no state coordinate drifts."""
        return all(np.isfinite(a).all() for a in (*self.low, *self.high))


def ranges(ssm: SSM, at_least: dict[tuple[int, int], float] | None = None) -> Ranges:
    """Sound ranges of all numbers of the model over all strings.

    Args:
        ssm: the model; not in ``wrap`` arithmetic, whose rounding keeps no order.
        at_least: assume that state coordinate (layer, coordinate) is at least this and otherwise unknown; only
            meaningful for a coordinate that stays so (see :mod:`verify.sticky`).

    Returns:
        The ranges.  Cost: layers times rows of boxes times weights, the rows limited by a fixed budget, beyond
        which boxes are merged (sound, but coarser).
    """
    if not ssm.arithmetic.monotone:
        raise InputError(f"ranges are not known in {ssm.arithmetic} arithmetic: its rounding does not keep the order of numbers")
    points = np.unique(ssm.embedding / 2.0**ssm.embedding_exponent, axis=0)
    boxes = Boxes(_stored(ssm.arithmetic, points), _stored(ssm.arithmetic, points))
    result = Ranges([boxes], [], [], [], [])
    for number, layer in enumerate(ssm.layers):
        gates = _gate_boxes(layer, boxes)
        increments = _affine(layer.increment, boxes.low, boxes.high)
        low, high = _invariant(ssm.arithmetic, layer, gates, increments)
        for (place, coordinate), least in (at_least or {}).items():
            if place == number:
                low[coordinate], high[coordinate] = least, np.inf
        boxes = _phi(ssm.arithmetic, layer, boxes, low, high)
        result.features.append(boxes)
        result.gates.append(gates)
        result.increments.append(increments)
        result.low.append(low)
        result.high.append(high)
    return result


def exact_length(ssm: SSM) -> int | None:
    """The number of symbols up to which every number is certainly exact; None when there is no limit.

    Where no coordinate drifts there is none.  Otherwise |h| grows by at most the largest increment per step (or
    by the largest gate, where that is above 1), and the greatest length is found, by bisection, at which all partial
    sums of all mixes stay below the arithmetic's bound.
    """
    if not ssm.arithmetic.monotone:
        return None
    known = ranges(ssm)
    if known.bounded:
        return None
    reach = [_Reach(ssm.arithmetic, layer, known, i) for i, layer in enumerate(ssm.layers)]
    fits = lambda length: all(layer.largest(length) < ssm.arithmetic.limit for layer in reach)  # noqa: E731
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
    """How large the partial sums of one layer's mixes can be after a number of steps."""

    def __init__(self, arithmetic: Arithmetic, layer: Layer, known: Ranges, number: int):
        self.x = known.features[number].hull()
        self.low, self.high = known.low[number], known.high[number]
        self.gate = max(1.0, float(np.abs([known.gates[number].low, known.gates[number].high]).max(initial=0)))
        steps = np.maximum(np.abs(known.increments[number].low), np.abs(known.increments[number].high))
        self.step = steps.max(axis=0, initial=0)
        self.start = np.abs(layer.initial) / 2.0**layer.initial_exponent
        self.layer = layer
        self.products = [Product(mix.affine) for mix in layer.phi]
        self.unit = 2.0**arithmetic.unit_bits

    def largest(self, length: int) -> float:
        """The largest state or partial sum, in units of the arithmetic."""
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.nan_to_num(self.gate**length * (self.start + length * self.step), nan=np.inf)
        low, high = np.maximum(self.low, -size), np.minimum(self.high, size)
        largest = float(np.abs([low, high]).max(initial=0)) * self.unit
        if not np.isfinite(largest):
            return np.inf
        for mix, product in zip(self.layer.phi, self.products):
            low, high = np.concatenate([low, self.x.low[0]]), np.concatenate([high, self.x.high[0]])
            largest = max(largest, product.partial_sums(low * self.unit, high * self.unit, self.unit))
            box = _affine(mix.affine, low[None], high[None])
            low, high = _activate(mix, box.low[0], box.high[0])
        return largest


def _stored(arithmetic: Arithmetic, values: np.ndarray) -> np.ndarray:
    """Values as stored; order-preserving, so it may be applied to the ends of an interval."""
    if arithmetic.kind == "fixed":
        return np.floor(values * 2.0**arithmetic.bits) / 2.0**arithmetic.bits
    if arithmetic.is_float:
        return values.astype(str(arithmetic)).astype(np.float64)
    return values


def _affine(affine: Affine, low: np.ndarray, high: np.ndarray) -> Boxes:
    """The affine map of boxes."""
    matrix = affine.matrix.astype(np.float64)
    positive, negative = matrix.maximum(0).copy(), matrix.minimum(0).copy()
    # An explicit zero times infinity would be NaN.
    positive.eliminate_zeros()
    negative.eliminate_zeros()
    scale = 2.0**affine.exponent
    least = np.asarray((positive @ low.T + negative @ high.T).T) + affine.bias
    greatest = np.asarray((positive @ high.T + negative @ low.T).T) + affine.bias
    return Boxes(least / scale, greatest / scale)


def _gate_boxes(layer: Layer, boxes: Boxes) -> Boxes:
    raw = _affine(layer.gate, boxes.low, boxes.high)
    if layer.gate_function == "affine":
        return raw
    with np.errstate(over="ignore"):
        if layer.gate_function == "sigmoid":
            return Boxes(1 / (1 + np.exp(-raw.low)), 1 / (1 + np.exp(-raw.high)))
        return Boxes(1 / (1 + np.exp(raw.high)), 1 / (1 + np.exp(raw.low)))


def _invariant(arithmetic: Arithmetic, layer: Layer, gates: Boxes, increments: Boxes) -> tuple[np.ndarray, np.ndarray]:
    """Intervals that hold h_0 and that every step maps into themselves."""
    low = layer.initial / 2.0**layer.initial_exponent
    high = low.copy()
    for round_ in range(_ROUNDS_BEFORE_WIDENING + 3):
        with np.errstate(invalid="ignore"):
            corners = np.stack([gate * end for gate in (gates.low, gates.high) for end in (low, high)])
        # A gate of 0 forgets the state, however large.
        corners = _stored(arithmetic, np.nan_to_num(corners, nan=0.0, posinf=np.inf, neginf=-np.inf))
        least = _stored(arithmetic, corners.min(axis=0) + increments.low).min(axis=0, initial=np.inf)
        greatest = _stored(arithmetic, corners.max(axis=0) + increments.high).max(axis=0, initial=-np.inf)
        new_low, new_high = np.minimum(low, least), np.maximum(high, greatest)
        if np.array_equal(new_low, low) and np.array_equal(new_high, high):
            break
        if round_ >= _ROUNDS_BEFORE_WIDENING:
            new_low = np.where(new_low < low, -np.inf, new_low)
            new_high = np.where(new_high > high, np.inf, new_high)
        low, high = new_low, new_high
    else:
        low, high = np.full_like(low, -np.inf), np.full_like(high, np.inf)
    return low, high


# -- phi on pieces ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pieces:
    """Values on pieces: value = [low, high] + slope * t for t >= 0, the same t for a whole row."""

    low: np.ndarray
    high: np.ndarray
    slope: np.ndarray


def _phi(arithmetic: Arithmetic, layer: Layer, boxes: Boxes, low: np.ndarray, high: np.ndarray) -> Boxes:
    cuts = _cuts(arithmetic, layer, boxes, low, high)
    widest = max([layer.width + layer.inputs] + [m.affine.outputs + layer.inputs for m in layer.phi])
    sizes = [len(points) for points, _, _ in cuts.values()]
    count = int(np.prod(sizes))
    if count * len(boxes.low) * widest > _BUDGET:
        boxes = boxes.hull()
    grid = np.unravel_index(np.arange(count), sizes or (1,))
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
    x = _Pieces(np.repeat(boxes.low, count, axis=0), np.repeat(boxes.high, count, axis=0), np.zeros((rows * count, layer.inputs)))
    z = _Pieces(np.tile(h_low, (rows, 1)), np.tile(h_high, (rows, 1)), np.tile(slope, (rows, 1)))
    for mix in layer.phi:
        z = _mix(arithmetic, mix, z, x)
    ends = np.where(z.slope < 0, -np.inf, z.low), np.where(z.slope > 0, np.inf, z.high)
    unique = np.unique(np.concatenate(ends, axis=1), axis=0)
    return Boxes(unique[:, : layer.features], unique[:, layer.features :])


def _cuts(arithmetic: Arithmetic, layer: Layer, boxes: Boxes, low, high) -> dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Which coordinates are taken piece by piece: for each, the pieces' ends and the slope (0, or +-1 on a ray)."""
    unit = 2.0 ** -max(layer.initial_exponent, arithmetic.unit_bits)
    first = layer.phi[0].affine
    weights = first.matrix[:, : layer.width].tocsc()
    candidates = []
    for coordinate in range(layer.width):
        if weights.indptr[coordinate] == weights.indptr[coordinate + 1]:
            continue
        drifting = not (np.isfinite(low[coordinate]) and np.isfinite(high[coordinate]))
        ends = _breakpoints(layer, boxes, low, high, coordinate) if drifting else (low[coordinate], high[coordinate])
        if ends is None or (ends[1] - ends[0]) / unit > _VALUES_PER_COORDINATE:
            continue
        least, greatest = max(ends[0], low[coordinate]), min(ends[1], high[coordinate])
        values = np.arange(least / unit, greatest / unit + 1) * unit
        slopes = np.zeros(len(values))
        if low[coordinate] < least:
            values, slopes = np.append(values, least - unit), np.append(slopes, -1)
        if high[coordinate] > greatest:
            values, slopes = np.append(values, greatest + unit), np.append(slopes, 1)
        candidates.append((not drifting, len(values), coordinate, values, slopes))
    widest = max(m.affine.outputs + m.affine.inputs for m in layer.phi)
    cuts, pieces = {}, len(boxes.low) * widest
    for bounded, count, coordinate, values, slopes in sorted(candidates, key=lambda c: c[:3]):
        # Drifting coordinates first: without pieces nothing at all is known of what reads them.
        if count > 1 and (pieces * count <= _BUDGET or not bounded):
            cuts[coordinate] = values, values, slopes
            pieces *= count
    return cuts


def _breakpoints(layer: Layer, boxes: Boxes, low, high, coordinate: int) -> tuple[float, float] | None:
    """An interval outside which no first-mix neuron that reads the coordinate changes sign; None when there is none."""
    affine = layer.phi[0].affine
    column = affine.matrix[:, [coordinate]].toarray()[:, 0].astype(np.float64)
    others_low, others_high = low.copy(), high.copy()
    others_low[coordinate] = others_high[coordinate] = 0
    x = boxes.hull()
    rest = _affine(
        Affine(affine.matrix, affine.bias),
        np.concatenate([others_low, x.low[0]])[None],
        np.concatenate([others_high, x.high[0]])[None],
    )
    reads = column != 0
    at = np.concatenate([-rest.low[0][reads] / column[reads], -rest.high[0][reads] / column[reads]])
    if not np.isfinite(at).all():
        return None
    return float(np.floor(at.min())), float(np.ceil(at.max()))


def _mix(arithmetic: Arithmetic, mix: Mix, previous: _Pieces, x: _Pieces) -> _Pieces:
    low = np.concatenate([previous.low, x.low], axis=1)
    high = np.concatenate([previous.high, x.high], axis=1)
    slope = np.concatenate([previous.slope, x.slope], axis=1)
    box = _affine(mix.affine, low, high)
    slope = np.asarray((mix.affine.matrix.astype(np.float64) @ slope.T).T) / 2.0**mix.affine.exponent
    if arithmetic.kind == "fixed":
        # Along a ray the value moves, and rounding down takes off less than a unit everywhere.
        unit = 2.0**-arithmetic.bits
        exact = slope == 0
        box = Boxes(
            np.where(exact, _stored(arithmetic, box.low), box.low - unit * (mix.affine.exponent > 0)),
            np.where(exact, _stored(arithmetic, box.high), box.high),
        )
    return _on_ray(mix, box.low, box.high, slope)


def _on_ray(mix: Mix, low: np.ndarray, high: np.ndarray, slope: np.ndarray) -> _Pieces:
    if mix.activation == "linear":
        return _Pieces(low, high, slope)
    if mix.activation == "clip":
        end_low, end_high = (np.where(slope < 0, -np.inf, low), np.where(slope > 0, np.inf, high))
        return _Pieces(*_activate(mix, end_low, end_high), np.zeros_like(slope))
    keeps = (low >= 0) & (slope >= 0)
    falls, rises = (slope < 0), (slope > 0) & ~keeps
    relu_low, relu_high = _activate(mix, low, high)
    return _Pieces(
        np.where(falls, 0.0, relu_low),
        np.where(rises, np.inf, relu_high),
        np.where(keeps, slope, 0.0),
    )


def _activate(mix: Mix, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if mix.activation == "relu":
        return np.maximum(low, 0), np.maximum(high, 0)
    if mix.activation == "clip":
        least, greatest = mix.low / 2.0**mix.affine.exponent, mix.high / 2.0**mix.affine.exponent
        return np.clip(low, least, greatest), np.clip(high, least, greatest)
    return low, high
