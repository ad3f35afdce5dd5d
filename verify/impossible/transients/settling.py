"""When does a model that reads w, w, w, … stop changing, and what does it answer from then on?

Layer by layer: once the features that enter a layer are the same in every period, each of its channels becomes
constant or grows steadily (:mod:`verify.impossible.transients.channels`); a clip then makes of growth a constant again,
so the layer's output is the same in every period too, and so on up to the answer.  The result is a number of periods
after which nothing changes any more, and what is known of the constants: often their exact values, otherwise intervals,
for a layer above a long transient starts from a state that only running could tell.

Mixes combine channels, so what a neuron does for ever is decided by the slope of the whole sum.  Where sums of
growing channels cancel, or a growing value is rounded before the clip, nothing is concluded (:class:`Unsettled`): such
a model can count, see :mod:`constructions.paper.parity_models`.

In ``exact`` arithmetic a state may approach its limit for ever.  Then nothing is constant, but everything is within
some tolerance of its limit from some period on, layer by layer, and where an output's limit is not 0 its sign no longer
changes.

Source: Sarrof, Veitsman, Hahn 2024, proof of Theorem 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from constructions.ssm.layers import Layer
from constructions.ssm.weights import SSM
from verify.impossible.transients.channels import Fate, PeriodicChannel, Unsettled, exactly, integer_fate, rational_fate
from verify.impossible.transients.float_channels import FloatChannels
from verify.numbers.intervals import FloatIntervals, Intervals, Weights, hull, numbers_of, step_box


@dataclass(frozen=True)
class Lines:
    """Numbers as functions of the period n: each is constant (slopes 0), or within its lines low + slope * n.

    ``slopes`` is None where every number is constant; ``steady`` says of each number that it is exactly affine.
    """

    box: Intervals
    slopes: Intervals | None = None
    steady: np.ndarray | None = None

    def slope(self, i: int) -> tuple:
        """The least and the greatest slope of one number."""
        return (0, 0) if self.slopes is None else (self.slopes.low[i], self.slopes.high[i])

    def is_steady(self, i: int) -> bool:
        return self.steady is None or bool(self.steady[i])


@dataclass(frozen=True)
class Settled:
    """The answer.

    Attributes:
        periods: after so many periods of w nothing changes any more (an upper bound); counted from the state given.
        estimate: about how many of them some channel certainly needs: if this is close, waiting longer will not
            bring a better bound.
        answers: per output whether it is given after the final v, None where only running can tell.
        fates: per layer, per channel: what becomes of it.
    """

    periods: int
    estimate: float
    answers: tuple[bool | None, ...]
    fates: tuple[tuple[Fate, ...], ...]


class Settler:
    """The limits of one model on periodic inputs.

    Args:
        ssm: in an arithmetic whose rounding keeps the order of numbers.

    Raises:
        Unsettled: in ``wrap`` arithmetic.

    >>> from constructions.ssm.random_ssm import random_ssm
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.engine import Engine
    >>> engine = Engine(random_ssm(3, depth=2, width=4, arithmetic=Arithmetic.parse("fixed:3")))
    >>> state, _ = engine.begin(1)
    >>> Settler(engine.ssm).settle(state[0], ("1",)).answers
    (False,)
    """

    def __init__(self, ssm: SSM):
        if not ssm.arithmetic.monotone:
            raise Unsettled(f"{ssm.arithmetic} arithmetic wraps round, which does not keep the order of numbers")
        self.ssm = ssm
        self.numbers = numbers_of(ssm.arithmetic)
        self.layers = [_LayerLimits(self.numbers, layer, i + 1) for i, layer in enumerate(ssm.layers)]
        self._embedding = self.numbers.constant(ssm.embedding, ssm.embedding_exponent)
        self._readout = _Stage(self.numbers, ssm.readout, "linear", 0, 0, ssm.outputs)

    def settle(
        self,
        state: np.ndarray | Intervals,
        w,
        v=(),
        window: int | None = None,
        tolerance: Fraction = Fraction(1, 1 << 32),
    ) -> Settled:
        """What the model does on w, w, w, … and then v, from a state of its engine.

        Args:
            state: one row of the engine's state; in ``exact`` arithmetic it may be a box that the state lies in.
            w: the symbols of the period, at least one.
            v: the symbols read at the end, once everything has settled.
            window: floats only: describe channels with gate 1 as growing, which is valid for so many periods.
            tolerance: ``exact`` only: how close to its limit each channel is waited for.

        Raises:
            Unsettled: with the reason, where nothing is concluded.
        """
        if isinstance(self.numbers, FloatIntervals) and not np.isfinite(state).all():
            raise Unsettled("a state is no longer finite")
        row = state if isinstance(state, Intervals) else Intervals.point(self.numbers.state(state))
        index = self.ssm.symbol_index
        inputs = [Intervals.point(self._embedding[index[symbol]]) for symbol in w]
        always: Intervals | None = hull(inputs)
        place, periods, limits = 0, 0, []
        for layer in self.layers:
            h = row.map(lambda ends: ends[place : place + layer.width])
            place += layer.width
            limit = layer.limit(inputs, always, h, periods, window, tolerance)
            limits.append(limit)
            if layer is not self.layers[-1]:
                inputs, always, periods = [layer.constant(z) for z in limit.outputs], limit.always, limit.periods
        last, start, periods = limits[-1].outputs[-1], limits[-1].start, limits[-1].periods
        ends = [limit.end for limit in limits]
        for symbol in v:
            features = Intervals.point(self._embedding[index[symbol]])
            for i, layer in enumerate(self.layers):
                ends[i] = layer.advance(ends[i], *layer.updates(features))
                last, after = layer.phi(ends[i], features)
                start = limits[i].start
                periods = max(periods, start + after)
                if layer is not self.layers[-1]:
                    features = layer.constant(last)
        answers, after = self._answers(last)
        # The first whole period that is settled is the one after; its end is where the answer is read.
        periods = max(periods, start + after) + 1
        fates = tuple(limit.fates for limit in limits)
        if (
            window is not None
            and periods >= window
            and any(fate.least_slope or fate.greatest_slope for layer in fates for fate in layer)
        ):
            raise Unsettled("rounding changes what grows before everything has settled")
        return Settled(periods, max(limit.estimate for limit in limits), answers, fates)

    def _answers(self, features: Lines) -> tuple[tuple[bool | None, ...], int]:
        raw, periods = self._readout.affine(features, None), 0
        answers = []
        for i in range(len(raw.box.low)):
            low, high = raw.box.low[i], raw.box.high[i]
            least, greatest = raw.slope(i)
            if least > 0 or greatest < 0:
                periods = max(periods, _periods_until(-low, least) if least > 0 else _periods_until(high, -greatest))
                answers.append(least > 0)
                continue
            if not (least == greatest == 0 and (raw.is_steady(i) or self.numbers.is_exact or low > 0 or high <= 0)):
                raise Unsettled(f"output {self.ssm.outputs[i]!r} reads channels whose growth may cancel")
            if self.numbers.is_exact and low <= 0 < high:
                raise Unsettled(f"output {self.ssm.outputs[i]!r} has a limit too close to 0 to know its sign")
            answers.append(True if low > 0 else False if high <= 0 else None)
        return tuple(answers), periods


def _periods_until(distance, speed) -> int:
    """Periods after which a distance is certainly covered, and passed."""
    return max(0, int(exactly(distance) // exactly(speed)) + 1)


class _Limit(NamedTuple):
    """What a layer does once its input has settled.

    ``start`` is the period from which its input repeats and from which ``end``, the state at the end of a period, is
    counted; ``outputs``, one for each symbol of the period, hold from ``periods`` on, and ``always`` holds at any time.
    """

    start: int
    periods: int
    end: Lines
    outputs: list[Lines]
    always: Intervals | None
    fates: tuple[Fate, ...]
    estimate: float


class _LayerLimits:
    """One layer on a periodic input."""

    def __init__(self, numbers, layer: Layer, number: int):
        self.numbers, self.layer, self.number = numbers, layer, number
        self.width = layer.width
        self.one = numbers.one(layer)
        self._gate, self._increment = Weights(layer.gate, numbers), Weights(layer.increment, numbers)
        self._phi = [_Stage(numbers, mix.affine, mix.activation, mix.low, mix.high, mix.names) for mix in layer.phi]

    def updates(self, x: Intervals) -> tuple[Intervals, Intervals]:
        """Gates and increments for features in the box."""
        gates = self.numbers.gates(self.layer, _finite(self.numbers.raw(self._gate, x)))
        for i in np.flatnonzero(gates.low < 0)[:1]:
            raise Unsettled(f"{self._name(i)} may have a gate below 0, which does not keep the order of states")
        return gates, self.numbers.increments(self.layer, _finite(self.numbers.raw(self._increment, x)))

    def limit(
        self,
        inputs: list[Intervals],
        always: Intervals | None,
        h: Intervals,
        start: int,
        window: int | None,
        tolerance: Fraction,
    ) -> _Limit:
        """The limit, when ``inputs`` repeat from period ``start`` on, ``always`` holds before, and the state is in h
        now.
        """
        updates = [self.updates(x) for x in inputs]
        entry = h if start == 0 else self._reach(h, always, start * len(inputs))
        fates, estimate = self._fates(updates, entry, window, tolerance)
        end = lines_of(fates, h.low.dtype)
        periods = max([fate.periods for fate in fates], default=0)
        outputs, lines = [], end
        for (gates, increments), x in zip(updates, inputs):
            lines = self.advance(lines, gates, increments, in_period=True)
            z, after = self.phi(lines, x)
            outputs.append(z)
            periods = max(periods, after)
        if start == periods == 0:
            always = hull([z.box for z in outputs])
        else:
            always = self._range(h, always)
        return _Limit(start, start + periods, end, outputs, always, fates, estimate)

    def advance(self, lines: Lines, gates: Intervals, increments: Intervals, in_period: bool = False) -> Lines:
        """The state after one more symbol; within a period, what grows has gates of 1 throughout."""
        box = step_box(self.numbers, self.layer, gates, lines.box, increments)
        if lines.slopes is None:
            return Lines(box)
        slopes = lines.slopes
        if not in_period:
            grows = (slopes.low != 0) | (slopes.high != 0)
            zero, one = (gates.high == 0), (gates.low == self.one) & (gates.high == self.one)
            for i in np.flatnonzero(grows & ~zero & ~one)[:1]:
                raise Unsettled(f"{self._name(i)} has grown when a gate other than 0 and 1 scales it")
            slopes = Intervals(np.where(zero, 0 * slopes.low, slopes.low), np.where(zero, 0 * slopes.high, slopes.high))
        return Lines(box, slopes, lines.steady)

    def phi(self, lines: Lines, x: Intervals | None) -> tuple[Lines, int]:
        """The layer's output, and the period from which on it holds."""
        periods = 0
        for stage in self._phi:
            lines, after = stage(lines, x)
            periods = max(periods, after)
        return lines, periods

    def constant(self, lines: Lines) -> Intervals:
        """The next layer's input, which must not grow."""
        if lines.slopes is not None:
            i = int(np.flatnonzero((lines.slopes.low != 0) | (lines.slopes.high != 0))[0])
            raise Unsettled(f"layer {self.number + 1} reads {self._phi[-1].name(i)}, which grows without bound")
        return lines.box

    # -- channels -------------------------------------------------------------------------------------

    def _fates(
        self, updates: list[tuple[Intervals, Intervals]], entry: Intervals, window: int | None, tolerance: Fraction
    ) -> tuple[tuple[Fate, ...], float]:
        """What becomes of each channel, and about how many periods one of them needs."""
        after = entry
        for gates, increments in updates:
            after = step_box(self.numbers, self.layer, gates, after, increments)
        if after.is_point and (after.low == entry.low).all():
            return tuple(Fate(h, h) for h in entry.low), 0.0
        if isinstance(self.numbers, FloatIntervals):
            gate_ends, increment_ends = (
                np.array([np.stack([box[end] for box in boxes]) for end in (0, 1)]) for boxes in zip(*updates)
            )
            names = [self._name(i) for i in range(self.width)]
            fates = FloatChannels(
                gate_ends, increment_ends, entry.low, entry.high, self.numbers.precision, names
            ).fates(window)
        else:
            fates = [self._fate(i, updates, entry, tolerance) for i in range(self.width)]
        if self.numbers.is_exact or not after.is_point:
            return tuple(fates), 0.0
        # What stays where it is needs no bounds; what moves covers its first step again and again, at most.
        estimate = 0.0
        for i, (here, there) in enumerate(zip(entry.low, after.low)):
            if here == there:
                fates[i] = Fate(here, here)
            elif not (fates[i].least_slope or fates[i].greatest_slope):
                limit = fates[i].low if there > here else fates[i].high
                estimate = max(estimate, abs(float(limit - here)) / abs(float(there - here)))
        return tuple(fates), estimate

    def _fate(self, i: int, updates: list[tuple[Intervals, Intervals]], entry: Intervals, tolerance: Fraction) -> Fate:
        gates = [(gate.low[i], gate.high[i]) for gate, _ in updates]
        channel = PeriodicChannel(gates, [(b.low[i], b.high[i]) for _, b in updates], entry.low[i], entry.high[i])
        try:
            return rational_fate(channel, tolerance) if self.numbers.is_exact else integer_fate(channel, self.one)
        except Unsettled as reason:
            raise Unsettled(f"{self._name(i)} {reason}") from None

    def _reach(self, h: Intervals, always: Intervals | None, steps: int | None) -> Intervals:
        """Where the state can be within so many steps (None: ever) of a state in h, with features in the box."""
        if always is None:
            raise Unsettled(f"layer {self.number} reads numbers without a known bound while the layers below it change")
        gates, increments = self.updates(always)
        if (gates.high > self.one).any():
            raise Unsettled(f"layer {self.number} may have a gate above 1 while the layers below it change")
        if isinstance(self.numbers, FloatIntervals):
            return self._float_reach(h, gates.high, increments, steps)
        gap = self.one - gates.high
        keeps = gap == 0
        if steps is None and keeps.any():
            raise Unsettled(f"layer {self.number} may grow without bound")
        # With a gate of at most A and increments of at most b, h <= max(h_0, 0, b / (1 - A)) for ever.
        safe = np.where(keeps, self.one, gap)
        low, high = (
            np.minimum(np.minimum(h.low, 0), increments.low // safe),
            np.maximum(np.maximum(h.high, 0), -(-increments.high // safe)),
        )
        most, least = -(-increments.high // self.one), increments.low // self.one
        return Intervals(
            np.where(keeps, h.low + (steps or 0) * np.minimum(least, 0), low),
            np.where(keeps, h.high + (steps or 0) * np.maximum(most, 0), high),
        )

    def _float_reach(self, state: Intervals, gates: np.ndarray, increments: Intervals, steps: int | None) -> Intervals:
        h, gap = state.low.astype(np.float64), 1 - gates.astype(np.float64)
        epsilon = 2.0**-self.numbers.precision
        size = np.maximum(np.abs(increments.low), np.abs(increments.high)).astype(np.float64)
        # Close to gate 1 the state may grow, until what is added is below half a digit.
        reach = np.abs(h) + 8 * size / epsilon
        if steps is not None and steps * epsilon < 0.25:
            reach = np.minimum(reach, 2 * (np.abs(h) + steps * size))
        close = gap <= 16 * epsilon
        # Elsewhere twice the bound of exact numbers is more than enough for all rounding.
        bound = 2 * np.where(close, 0, size / np.where(close, 1, gap))
        dtype = self.numbers.dtype
        low = np.nextafter(np.where(close, -reach, np.minimum(h, -bound)).astype(dtype), dtype.type(-np.inf))
        high = np.nextafter(np.where(close, reach, np.maximum(h, bound)).astype(dtype), dtype.type(np.inf))
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            raise Unsettled(f"layer {self.number} may overflow")
        return Intervals(low, high)

    def _range(self, h: Intervals, always: Intervals | None) -> Intervals | None:
        """A box around the layer's output at any time; None where there is no bound."""
        try:
            return self.phi(Lines(self._reach(h, always, None)), always)[0].box
        except Unsettled:
            last = self._phi[-1]
            return last.clipped if last.activation == "clip" else None

    def _name(self, i: int) -> str:
        return self.layer.names[i] if self.layer.names else f"channel {i + 1} of layer {self.number}"


def _finite(raw: Intervals) -> Intervals:
    """The raw values; infinities cancel to no number, of which a box knows nothing."""
    for end in (raw.low, raw.high):
        if end.dtype.kind == "f" and not np.isfinite(end).all():
            raise Unsettled("a sum of floats may overflow")
    return raw


class _Stage:
    """One mix (or the readout) on lines."""

    def __init__(self, numbers, affine, activation: str, low: int, high: int, names: tuple[str, ...]):
        self.numbers, self.activation, self.names = numbers, activation, names
        self._weights = Weights(affine, numbers)
        self._low, self._high = (numbers.constant(np.array([end]), affine.exponent)[0] for end in (low, high))
        self._whole = (affine.matrix.toarray() % (1 << affine.exponent) == 0).all(axis=1)

    @property
    def clipped(self) -> Intervals:
        """All values that a clip lets through."""
        full = np.zeros_like(self._weights.bias)
        return Intervals(full + self._low, full + self._high)

    def name(self, i: int) -> str:
        return self.names[i] if self.names else f"neuron {i + 1}"

    def affine(self, lines: Lines, x: Intervals | None) -> Lines:
        """The raw values; slopes of sums are sums of slopes."""
        box = lines.box if x is None else lines.box.then(x)
        raw = _finite(self.numbers.raw(self._weights, box))
        if lines.slopes is None:
            return Lines(raw)
        weights, grown = self._weights, len(lines.slopes.low)
        positive, negative = weights.positive[:, :grown], weights.negative[:, :grown]
        slopes = Intervals(
            positive @ lines.slopes.low + negative @ lines.slopes.high,
            positive @ lines.slopes.high + negative @ lines.slopes.low,
        )
        assert lines.steady is not None, "known where there are slopes"
        # Exact numbers that are said to have no slope may still be moving.
        shaky = ((weights.matrix[:, :grown] != 0) & ~lines.steady).any(axis=1) | self.numbers.is_exact
        if isinstance(self.numbers, FloatIntervals):
            return self._widened(raw, slopes, lines.slopes, box, ~shaky)
        return Lines(raw, slopes, ~shaky)

    def _widened(
        self, raw: Intervals, slopes: Intervals, inputs: Intervals, box: Intervals, steady: np.ndarray
    ) -> Lines:
        """In floats the sum of what grows is rounded too: by less than this part of all its terms."""
        sizes = np.abs(self._weights.matrix).astype(np.float64)
        part = 4 * (sizes.shape[1] + 2) * 2.0**-self.numbers.precision
        steepest, largest = (np.maximum(np.abs(b.low), np.abs(b.high)).astype(np.float64) for b in (inputs, box))
        growing = part * (sizes[:, : len(steepest)] @ steepest)
        fixed = np.where(growing > 0, part * (sizes @ largest + np.abs(self._weights.bias)), 0)
        low, high = raw.low.astype(np.float64) - fixed, raw.high.astype(np.float64) + fixed
        return Lines(Intervals(low, high), Intervals(slopes.low - growing, slopes.high + growing), steady)

    def __call__(self, lines: Lines, x: Intervals | None) -> tuple[Lines, int]:
        """The stage's values, and the period from which on they hold."""
        raw = self.affine(lines, x)
        if raw.slopes is None:
            return Lines(raw.box.map(self._activated)), 0
        assert raw.steady is not None, "known where there are slopes"
        ends = (raw.box.low, raw.box.high, raw.slopes.low, raw.slopes.high, raw.steady)
        fates = [self._fate(i, *numbers) for i, numbers in enumerate(zip(*ends))]
        return lines_of(fates, self._weights.bias.dtype), max((fate.periods for fate in fates), default=0)

    def _activated(self, raw):
        value = self.numbers.store(self._weights, raw)
        if self.activation == "relu":
            return np.maximum(value, 0)
        return np.minimum(np.maximum(value, self._low), self._high) if self.activation == "clip" else value

    def _fate(self, i: int, low, high, least, greatest, steady: bool) -> Fate:
        """What becomes of one neuron, from its raw line."""
        ends = self._activated(np.array([low, high], dtype=self._weights.bias.dtype))
        if least == greatest == 0:
            first, last = ends
            if steady or self.numbers.is_exact or first == last:
                return Fate(first, last)
        elif self.activation == "clip":
            bottom, top = (self.numbers.limit(self._weights, end) for end in (self._low, self._high))
            if least > 0:
                return Fate(self._high, self._high, _periods_until(top - low, least))
            if greatest < 0:
                return Fate(self._low, self._low, _periods_until(high - bottom, -greatest))
            if steady:
                # The slope is unknown, but a whole number of units: it is 0, or carries the value out of the clip.
                first = self._low if least < 0 else ends[0]
                last = self._high if greatest > 0 else ends[1]
                return Fate(first, last, _periods_until(max(top - low, high - bottom), 1))
        else:
            return self._growing(i, low, high, least, greatest, steady)
        raise self._cancelling(i)

    def _growing(self, i: int, low, high, least, greatest, steady: bool) -> Fate:
        """A neuron with no upper end."""
        scale = 1 << self._weights.exponent
        if isinstance(self.numbers, FloatIntervals):
            dtype = self.numbers.dtype.type
            low, high = np.nextafter(dtype(low), dtype(-np.inf)), np.nextafter(dtype(high), dtype(np.inf))
        elif self.numbers.rounds and not (self._whole[i] or least == greatest and least % scale == 0):
            # Rounding down makes steps of the line; it leaves it by less than a unit.
            low, high, steady = (low >> self._weights.exponent) - 1, (high >> self._weights.exponent) + 1, False
            least, greatest = Fraction(least, scale), Fraction(greatest, scale)
        else:
            low, high = (self.numbers.store(self._weights, x) for x in (low, high))
            if self.numbers.rounds:  # a slope is no stored number: rounded steps before may have made it a fraction
                least, greatest = Fraction(least, scale), Fraction(greatest, scale)
        if self.activation == "linear":
            return Fate(low, high, 0, least, greatest, steady)
        if least > 0:
            return Fate(low, high, _periods_until(-low, least), least, greatest, steady)
        if greatest < 0:
            return Fate(0 * low, 0 * high, _periods_until(high, -greatest))
        if steady:
            return Fate(min(low, 0), max(high, 0), _periods_until(max(-low, high), 1), max(least, 0), max(greatest, 0))
        raise self._cancelling(i)

    def _cancelling(self, i: int) -> Unsettled:
        return Unsettled(f"{self.name(i)} sums channels whose growth may cancel")


def lines_of(fates, dtype: np.dtype) -> Lines:
    """The lines that fates describe."""
    low, high = (np.array([getattr(fate, end) for fate in fates], dtype=dtype) for end in ("low", "high"))
    box = Intervals.point(low) if (low == high).all() else Intervals(low, high)
    if not any(fate.least_slope or fate.greatest_slope for fate in fates):
        return Lines(box)
    kind = object if dtype.kind == "O" else np.float64
    least, greatest = (
        np.array([getattr(fate, end) for fate in fates], dtype=kind) for end in ("least_slope", "greatest_slope")
    )
    return Lines(box, Intervals(least, greatest), np.array([fate.steady for fate in fates]))
