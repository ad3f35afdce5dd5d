"""The audit: what a model can compute at most, from its weights and its arithmetic alone.  Nothing is sampled.

The verdicts, and why each holds:

* ``at most star-free``: all gates are >= 0 on all reachable features, rounding keeps the order of numbers, and the
  features that enter each layer form a finite set.  A channel with finitely many states is then a chain with
  order-preserving maps; no word permutes them, and no word permutes the states of a feed-forward cascade of such
  channels.  A channel that grows without bound is allowed where nothing scales or rounds what it has grown to: its
  gates are 0 and 1, and no mix before a clip multiplies it by a fraction and rounds.  Then every u w^n v is answered
  alike for all large n, so that a *regular* language that the model recognises is star-free.
* ``time-invariant: no parity``: gates of any sign that do not depend on the input, all else as above; a channel that
  grows without bound may have the gate -1.  Two steps multiply a state by the square of a gate, which is >= 0, so that
  they keep order, and what
  grows by them does so in a straight line: so (1 0)^n is answered alike for all large n, and PARITY is not.
* ``may count modulo 2^k``: wrapping integers; rounding does not keep order.
* ``no bound known``: none of these; it does not say that the model can do more.

A channel with gates between -1 and 1, both excluded, is bounded whatever is added; any other is taken to grow unless
its range is known to be finite.  Float channels have finitely many states as long as nothing overflows and no gate is
above 1 or below -1.

Sources: Sarrof, Veitsman, Hahn 2024, Theorems 2 and 4; Nowak, Cotterell, Boumasmoud 2026 (wrapping).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from constructions.ssm.layers import Layer
from constructions.ssm.ranges import Ranges, ranges
from constructions.ssm.weights import SSM
from verify.numbers.intervals import FloatIntervals, Intervals, Weights

STAR_FREE, TIME_INVARIANT = "at most star-free", "time-invariant: no parity"
MODULO, NO_BOUND = "may count modulo 2^k", "no bound known"


@dataclass(frozen=True)
class UpperBound:
    """The verdict of the audit.

    Attributes:
        verdict: one of the four.
        reason: one sentence.
        channel: the state coordinate or neuron that decides it.
        least_gate: the least gate over the reachable features: exact where they are finitely many, else a lower
            bound; None in ``wrap`` arithmetic, where ranges are not known.
        monotone: whether rounding keeps the order of numbers.
        time_invariant: whether no gate depends on the input.
    """

    verdict: str
    reason: str
    channel: str
    least_gate: float | None
    monotone: bool
    time_invariant: bool


class _Proviso(Exception):
    """A condition that fails: the reason, and the channel."""


def upper_bound(ssm: SSM) -> UpperBound:
    """Audits a model.

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.ssm.lowering import lower
    >>> upper_bound(lower(flip_flop(), Arithmetic("exact"))).verdict
    'at most star-free'
    """
    arithmetic = ssm.arithmetic
    invariant = all(not layer.gate.matrix.data.any() for layer in ssm.layers)
    if not arithmetic.monotone:
        first = next((_name(layer, i, 0) for i, layer in enumerate(ssm.layers) if layer.width), "none")
        reason = (
            f"{arithmetic} arithmetic wraps round, so a state that grows comes back: a channel can count modulo "
            f"2^{arithmetic.bits}"
        )
        return UpperBound(MODULO, reason, first, None, False, invariant)
    # Floats may overflow, which is looked for.
    with np.errstate(over="ignore", invalid="ignore"):
        return _audit(ssm, invariant)


def _audit(ssm: SSM, invariant: bool) -> UpperBound:
    known = ranges(ssm)
    least, channel = _least_gate(ssm, known)

    def verdict(name: str, reason: str, channel: str) -> UpperBound:
        return UpperBound(name, reason, channel, least, True, invariant)

    if least < 0 and not invariant:
        reason = (
            f"{channel} may have gates down to {least:g} that depend on the "
            "input, and a negative gate can swap two states"
        )
        return verdict(NO_BOUND, reason, channel)
    try:
        _check_provisos(ssm, known)
    except _Proviso as failed:
        return verdict(NO_BOUND, *failed.args)
    if least < 0:
        reason = (
            f"{channel} has the gate {least:g} whatever the input: it "
            "swaps states at every second position, not at "
            "every second 1"
        )
        return verdict(TIME_INVARIANT, reason, channel)
    return verdict(
        STAR_FREE,
        f"no gate is below {least:g}, rounding keeps order, and the features of each layer form a finite set",
        channel,
    )


def _least_gate(ssm: SSM, known: Ranges) -> tuple[float, str]:
    """A lower bound on all gates, and the channel that has it."""
    found = [(np.inf, "none")]
    for number, layer in enumerate(ssm.layers):
        low = known.gates[number].low.min(axis=0, initial=np.inf)
        if layer.gate_function != "affine":
            low = np.maximum(low, 0)
        elif ssm.arithmetic.is_float:
            # A corner of the box, evaluated as the model does, is a bound with no allowance for rounding.
            hull = _float_hull(ssm, known, number)
            if hull is not None:
                numbers = FloatIntervals(ssm.arithmetic)
                low = np.maximum(low, numbers.raw(Weights(layer.gate, numbers), hull).low)
            elif layer.gate.matrix.data.any():
                low = np.full_like(low, -np.inf)
        low = np.where(np.isnan(low), -np.inf, low)
        found += [(float(value), _name(layer, number, i)) for i, value in enumerate(low)]
    return min(found, key=lambda pair: pair[0])


def _float_hull(ssm: SSM, known: Ranges, number: int) -> Intervals | None:
    """A box around a layer's input in floats: the clip before it, or the ranges where no number drifts; else None."""
    hull = known.features[number].hull()
    low, high = hull.low[0], hull.high[0]
    if number and (last := ssm.layers[number - 1].phi[-1]).activation == "clip":
        scale = 2.0**last.affine.exponent
        low, high = np.full_like(low, last.low / scale), np.full_like(high, last.high / scale)
    elif not all(np.isfinite(ends).all() for ends in (*known.low[:number], *known.high[:number], low, high)):
        return None
    dtype = np.dtype(str(ssm.arithmetic))
    return Intervals(low.astype(dtype), high.astype(dtype))


# -- provisos -----------------------------------------------------------------------------------------


def _check_provisos(ssm: SSM, known: Ranges) -> None:
    for number, layer in enumerate(ssm.layers):
        if ssm.arithmetic.is_float:
            _check_float_gates(ssm, known, number, layer)
            continue
        _check_features(ssm, known, number)
        _check_channels(ssm, known, number, layer)
        if ssm.arithmetic.kind == "fixed":
            _check_rounding(known, number, layer)
    if ssm.arithmetic.is_float:
        _check_overflow(ssm)


def _check_features(ssm: SSM, known: Ranges, number: int) -> None:
    boxes = known.features[number]
    previous = ssm.layers[number - 1].phi[-1].names if number else ()
    for i in np.flatnonzero(~(np.isfinite(boxes.low) & np.isfinite(boxes.high)).all(axis=0))[:1]:
        name = _neuron(previous, number - 1, i)
        raise _Proviso(f"layer {number + 1} reads {name}, which takes infinitely many values", name)
    if ssm.arithmetic.kind == "exact":
        for i in np.flatnonzero((boxes.low != boxes.high).any(axis=0))[:1]:
            name = _neuron(previous, number - 1, i)
            raise _Proviso(
                f"layer {number + 1} reads {name}, which is not rounded and not known to take finitely many values",
                name,
            )


def _check_channels(ssm: SSM, known: Ranges, number: int, layer: Layer) -> None:
    gates = known.gates[number]
    drifts = _drifts(known, number)
    # Without rounding every other gate makes infinitely many values of one.
    concerned = drifts | (ssm.arithmetic.kind == "exact")
    plain = ((gates.low == gates.high) & np.isin(gates.low, (-1, 0, 1))).all(axis=0)
    for i in np.flatnonzero(concerned & ~plain)[:1]:
        name = _name(layer, number, i)
        what = "may grow without bound and is scaled" if drifts[i] else "is scaled, and never rounded,"
        raise _Proviso(f"{name} {what} by gates other than 0 and 1", name)


def _drifts(known: Ranges, number: int) -> np.ndarray:
    """Which channels may grow without bound: not those whose gates lie between -1 and 1, whatever is added."""
    bounded = np.isfinite(known.low[number]) & np.isfinite(known.high[number])
    gates = known.gates[number]
    return ~bounded & ~(np.maximum(np.abs(gates.low), np.abs(gates.high)).max(axis=0, initial=0) < 1)


def _check_rounding(known: Ranges, number: int, layer: Layer) -> None:
    """No fraction of an unbounded number may be rounded before a clip: floor(h / 2) knows the parity of h."""
    drifts = _drifts(known, number)
    unbounded = np.concatenate([drifts, np.zeros(layer.inputs, dtype=bool)])
    for stage, mix in enumerate(layer.phi):
        weights = mix.affine.matrix.toarray()[:, unbounded]
        if mix.activation != "clip":
            for i in np.flatnonzero((weights % (1 << mix.affine.exponent) != 0).any(axis=1))[:1]:
                name = _neuron(mix.names, number, i)
                raise _Proviso(f"{name} rounds a fraction of a number that may grow without bound", name)
        grown = weights.any(axis=1) & (mix.activation != "clip")
        unbounded = np.concatenate([grown, np.zeros(layer.inputs, dtype=bool)])


def _check_float_gates(ssm: SSM, known: Ranges, number: int, layer: Layer) -> None:
    gates = known.gates[number]
    if layer.gate_function != "affine":
        return
    hull = _float_hull(ssm, known, number)
    numbers = FloatIntervals(ssm.arithmetic)
    least, greatest = gates.low.min(axis=0), gates.high.max(axis=0)
    if hull is not None:
        own = numbers.raw(Weights(layer.gate, numbers), hull)
        least, greatest = np.maximum(least, own.low), np.minimum(greatest, own.high)
    for i in np.flatnonzero(~((-1 <= least) & (greatest <= 1)))[:1]:
        name, where = _name(layer, number, i), "above 1" if not greatest[i] <= 1 else "below -1"
        raise _Proviso(f"{name} has a gate {where}, so that floats may overflow", name)


def _check_overflow(ssm: SSM) -> None:
    """With gates of size at most 1, a state stops growing where what is added is below half a digit.

    Weights, features, gates, increments, states and mixes are all looked at: each of them may be infinite by itself.
    """
    most = float(np.finfo(str(ssm.arithmetic)).max)
    size = float(np.abs(ssm.embedding).max(initial=0)) / 2.0**ssm.embedding_exponent
    for number, layer in enumerate(ssm.layers):
        x = size
        added = _gain(layer.increment, x)
        size = float(np.abs(layer.initial).max(initial=0)) / 2.0**layer.initial_exponent + added * 2.0 ** (
            ssm.arithmetic.bits + 1
        )
        sizes = [x, size, layer.gate.largest, layer.increment.largest, _gain(layer.gate, x)]
        for mix in layer.phi:
            size = _gain(mix.affine, max(size, x))
            sizes += [size, mix.affine.largest]
            if mix.activation == "clip":
                size = max(abs(mix.low), abs(mix.high)) / 2.0**mix.affine.exponent
                sizes.append(size)
        if max(sizes) > most / 2:
            name = f"layer {number + 1}"
            raise _Proviso(f"{name} may overflow, and infinite floats have no order that is kept", name)


def _gain(affine, size: float) -> float:
    """A bound on the values of an affine map of numbers up to this size, with room for rounding."""
    weights = np.asarray(abs(affine.matrix).astype(np.float64).sum(axis=1)).ravel()
    return 1.125 * float((weights * size + np.abs(affine.bias)).max(initial=0)) / 2.0**affine.exponent


def _name(layer: Layer, number: int, i: int) -> str:
    return repr(layer.names[i]) if layer.names else f"channel {i + 1} of layer {number + 1}"


def _neuron(names: tuple[str, ...], number: int, i: int) -> str:
    return repr(names[i]) if names else f"neuron {i + 1} of layer {number + 1}"
