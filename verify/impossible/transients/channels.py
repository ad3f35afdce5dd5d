"""One channel on a periodic input: where does it end, and after how many periods at the latest?

A period maps the channel's state by h -> round(a h + b), once for each symbol of the period.  With gates a >= 0 this
map F keeps order, so h, F(h), F(F(h)), … is monotone: it reaches a fixed point or grows for ever.  Nothing is looped
over; what is known of gates, increments and the first state are intervals (the same unknown numbers in every
period), and so is the answer.

In integers (``fixed:p``) with gates <= 1, F is also nonexpansive, F(h + 1) <= F(h) + 1, so F(h) - h never increases
with h, and the limit is found by bisection.  From a state at distance g from its limit, F moves by at least (1 - A) g -
m units and by at least one, A the product of the gates and m the symbols of a period: hence the bound on the time.
With all gates 1, F adds a constant.  Floats are in :mod:`verify.impossible.transients.float_channels`.

Source: the mechanism is that of Sarrof, Veitsman, Hahn 2024, Theorem 2; the bounds are elementary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Callable, Sequence

FOR_EVER = 1 << 400
"""A slope with no bound, where only the other bound decides anything."""


class Unsettled(Exception):
    """Why it cannot be said that a model settles."""


@dataclass(frozen=True)
class Fate:
    """What becomes of a channel, at the end of the periods n >= periods, counted from the first state given.

    Constant, somewhere in [low, high], when both slopes are 0; otherwise between low + least_slope * n and
    high + greatest_slope * n.  ``steady`` means exactly affine in n, for one of the slopes.

    In ``exact`` arithmetic, where a state may approach its limit for ever, nothing is said to be constant: with slopes
    of 0 it is within [low, high], and may go on moving there.
    """

    low: Any
    high: Any
    periods: int = 0
    least_slope: Any = 0
    greatest_slope: Any = 0
    steady: bool = True


@dataclass(frozen=True)
class PeriodicChannel:
    """One channel over one period: intervals of its gates and increments, symbol by symbol, and of its first state."""

    gates: Sequence[tuple]
    increments: Sequence[tuple]
    low: Any
    high: Any

    @property
    def known(self) -> bool:
        """Whether there is no uncertainty at all."""
        return self.low == self.high and all(a == b for a, b in (*self.gates, *self.increments))

    @property
    def forgets(self) -> bool:
        """Whether some gate of the period is 0."""
        return any(high == 0 for _, high in self.gates)

    def keeps(self, one) -> bool:
        """Whether every gate of the period is certainly 1."""
        return all(low == one == high for low, high in self.gates)


def exactly(number) -> Fraction:
    """An integer, Fraction or float as the rational that it is."""
    return Fraction(number) if isinstance(number, (int, Fraction)) else Fraction(float(number))


def rate(gates: Sequence, one) -> float:
    """-log of the product of gates <= one, from 1 - gate, so that gates close to 1 lose nothing."""
    return -sum(math.log1p(-float(Fraction(one - gate) / Fraction(one))) for gate in gates)


def shrinking_time(distance: float, target: float, speed: float) -> int:
    """Steps after which a distance that shrinks by exp(-speed) per step has fallen to the target."""
    if distance <= target:
        return 0
    # One part in 10^9, and one step, are far more than the logarithms and the division can err by.
    return math.ceil((math.log(distance) - math.log(target)) / speed * (1 + 1e-9)) + 1


# -- integers -----------------------------------------------------------------------------------------


def integer_fate(channel: PeriodicChannel, one: int) -> Fate:
    """The fate of an integer state under h -> floor((a h + b) / one), one a power of two."""
    least = lambda h: _integer_period(channel, one, h)[0]  # noqa: E731
    greatest = lambda h: _integer_period(channel, one, h)[1]  # noqa: E731
    low, high, symbols = channel.low, channel.high, len(channel.gates)
    if channel.forgets:
        return Fate(min(least(low), least(high)), max(greatest(low), greatest(high)), 1)
    if channel.keeps(one):
        slopes = [sum(b[end] // one for b in channel.increments) for end in (0, 1)]
        return Fate(low, high, 0, *slopes)
    if any(gate > one for _, gate in channel.gates):
        return _expanding_fate(channel, one, least, greatest)
    below, above = _limit(least, low, channel, one), _limit(greatest, high, channel, one)
    largest = [gate for _, gate in channel.gates]
    product_is_below_one = any(gate < one for gate in largest)
    # A product below 1 is at most the largest possible gate below 1, and gates are multiples of 1 / one.
    speed = rate(largest, one) if product_is_below_one else rate([one - 1], one)
    gap = -math.expm1(-speed)
    if below is not None and above is not None:
        distance = max(high, above) - min(low, below)
        crawl = math.ceil(2 * symbols / gap)
        periods = min(distance, shrinking_time(distance, symbols / gap, speed) + crawl)
        return Fate(below, above, periods)
    # The product of the gates may be 1, and then the channel may grow; or it is below 1, and the channel converges.
    slopes = [sum(b[end] // one for b in channel.increments) for end in (0, 1)]
    reach = (sum(max(abs(a), abs(b)) // one + 2 for a, b in channel.increments) + symbols) * one
    distance = 2 * reach + max(abs(low), abs(high))
    periods = shrinking_time(distance, symbols / gap, speed) + math.ceil(2 * symbols / gap)
    return Fate(min(low, -reach), max(high, reach), periods, min(0, slopes[0]), max(0, slopes[1]))


def _integer_period(channel: PeriodicChannel, one: int, h: int) -> tuple[int, int]:
    low = high = h
    for (a, c), (b, d) in zip(channel.gates, channel.increments):
        low, high = ((a if low >= 0 else c) * low + b) // one, ((c if high >= 0 else a) * high + d) // one
    return low, high


def _limit(period: Callable[[int], int], h: int, channel: PeriodicChannel, one: int) -> int | None:
    """The fixed point that h, F(h), … reaches, by bisection; None when it grows beyond all bounds."""
    if period(h) == h:
        return h
    rising = period(h) > h
    beyond = (lambda x: period(x) <= x) if rising else (lambda x: period(x) >= x)
    # If the product of the gates is below 1, then by 1 / one at least, and every fixed point lies within this bound.
    furthest = abs(h) + (sum(max(abs(a), abs(b)) // one + 2 for a, b in channel.increments) + 1) * one * 2
    before, step = h, 1
    while not beyond(after := h + step if rising else h - step):
        before = after
        step *= 2
        if step > 4 * furthest:
            return None
    while abs(after - before) > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if beyond(middle) else (middle, after)
    return after


def _expanding_fate(channel: PeriodicChannel, one: int, least, greatest) -> Fate:
    """With gates above 1 a fixed point repels; where none is below 1, a state that leaves moves ever faster."""
    low, high = channel.low, channel.high
    if channel.known and least(low) == low:
        return Fate(low, high)
    if all(gate >= one for gate, _ in channel.gates):
        if least(low) > low:
            return Fate(low, high, 0, least(low) - low, FOR_EVER, False)
        if greatest(high) < high:
            return Fate(low, high, 0, -FOR_EVER, greatest(high) - high, False)
    raise Unsettled("has a gate above 1, and its growth is not decided")


# -- rationals ----------------------------------------------------------------------------------------


def rational_fate(channel: PeriodicChannel, tolerance: Fraction) -> Fate:
    """Where a rational state that is never rounded stays: within the tolerance of its limits, or along its growth.

    The gates and increments of the channel may be other ones in every period, as long as they lie in their intervals.
    A period maps h to A h + c.  With A <= B < 1 and L the greatest c / (1 - A), A L + c <= L, so h - L is at most B (h
    - L) or 0 after one more period, whichever is greater, and likewise from below: it vanishes like B^n.

    Args:
        tolerance: positive; how close to the limit the state is to be.
    """
    if channel.known and _rational_period(channel, channel.low)[0] == channel.low:
        return Fate(channel.low, channel.high)
    if channel.forgets:
        least, greatest = (_rational_period(channel, h)[end] for end, h in enumerate((channel.low, channel.high)))
        return Fate(least, greatest, 1)
    if channel.keeps(1):
        return Fate(channel.low, channel.high, 0, *(sum(b[end] for b in channel.increments) for end in (0, 1)))
    smallest, largest = (math.prod(gate[end] for gate in channel.gates) for end in (0, 1))
    if largest < 1:
        return _approaching(channel, smallest, largest, tolerance)
    if all(gate >= 1 for gate, _ in channel.gates):
        ends = (lambda h: _rational_period(channel, h)[0], lambda h: _rational_period(channel, h)[1])
        return _expanding_fate(channel, 1, *ends)
    raise Unsettled("may have a gate of 1 or more while its input approaches a limit, and its growth is not decided")


def _approaching(channel: PeriodicChannel, smallest: Fraction, largest: Fraction, tolerance: Fraction) -> Fate:
    """The fate of a channel whose gates' product is in [smallest, largest], below 1."""
    # From 0, as A h + c with h = 0: the interval of c.
    least, greatest = _rational_period(channel, Fraction(0))
    bottom = least / (1 - (smallest if least >= 0 else largest))
    top = greatest / (1 - (largest if greatest >= 0 else smallest))
    # Fewer digits, which every layer above would multiply.
    unit = tolerance / 16
    if not bottom == top == channel.low == channel.high:
        bottom, top = bottom // unit * unit, -(-top // unit) * unit
    below, above = max(0, bottom - channel.low), max(0, channel.high - top)
    distance = max(below, above)
    periods = 0 if distance <= tolerance else _halvings(distance / tolerance, largest)
    return Fate(bottom - min(below, tolerance), top + min(above, tolerance), periods)


def _halvings(ratio: Fraction, gate: Fraction) -> int:
    """Periods after which a gate in [0, 1) has divided by the ratio, at the latest."""
    if gate == 0:
        return 1
    # log2 ratio from above, by the digits of its integer part; -log2 gate from below, as -ln g >= 1 - g >= 1 - gate.
    digits = math.ceil(ratio).bit_length()
    return math.ceil(digits * Fraction(math.log(2) * (1 + 1e-9)) / (1 - gate)) + 1


def _rational_period(channel: PeriodicChannel, h: Fraction) -> tuple[Fraction, Fraction]:
    """The least and the greatest state that a period leads to from h."""
    low = high = h
    for (a, c), (b, d) in zip(channel.gates, channel.increments):
        low, high = (a if low >= 0 else c) * low + b, (c if high >= 0 else a) * high + d
    return low, high
