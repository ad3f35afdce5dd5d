"""The channels of a float layer on a periodic input: where do they end, and after how many periods at the latest?

A period maps a channel's state by h -> round(round(a h) + b), once for each symbol.  With gates 0 <= a <= 1 the limit
solves h = A h + c up to the rounding errors E of one period (A the product of the gates), so it lies in an interval
of half-width E / (1 - A).  From distance g the state moves by at least (1 - A) g - 2 E, and at least to the
neighbouring float: a geometric phase, then a crawl over the floats of that interval.

All channels are treated at once, in double precision, with allowances for its own rounding errors.
"""

from __future__ import annotations

import numpy as np

from verify.impossible.transients.channels import Fate, Unsettled

_OWN_ERROR = 2.0**-51
"""Relative error of a few operations in double precision."""


class FloatChannels:
    """The channels of one layer over one period of m symbols.

    Args:
        gates, increments: least and greatest values, shape (2, m, d).
        low, high: of the first state, shape (d,), finite.
        precision: significand bits of the floats.
        names: of the channels, for reasons.
    """

    def __init__(
        self, gates: np.ndarray, increments: np.ndarray, low: np.ndarray, high: np.ndarray, precision: int, names
    ):
        self.dtype, self.precision, self.names = low.dtype, precision, names
        self.low, self.high = low, high
        self.gates, self.increments = gates.astype(np.float64), increments.astype(np.float64)
        self.epsilon = 2.0**-precision
        self.tiny = float(np.finfo(self.dtype).smallest_subnormal)
        self.symbols = gates.shape[1]
        # What one period can add, in absolute value; then -log A and 1 - A for the greatest product A of gates, 1 - A
        # for the least.
        self.total = np.abs(self.increments).max(axis=0).sum(axis=0)
        self.start = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
        with np.errstate(divide="ignore"):
            self.speed = -np.log1p(self.gates[1] - 1).sum(axis=0)
            self.widest_gap = -np.expm1(np.log1p(self.gates[0] - 1).sum(axis=0))
        self.gap = -np.expm1(-self.speed)

    def fates(self, window: int | None) -> list[Fate]:
        """What becomes of each channel.

        Args:
            window: where given, a channel with gate 1 is described as growing, which holds for so many periods only;
                otherwise it is followed until it stalls, where what is added is below half a digit.

        Raises:
            Unsettled: for a gate above 1, a possible overflow, or, with a window, a gate too close to 1.
        """
        self._check()
        forgets = (self.gates[1] == 0).any(axis=0)
        keeps = (self.gates == 1).all(axis=(0, 1))
        slow = ~forgets & (self.gap <= 8 * (1 + 1e-9) * self.symbols * self.epsilon)
        still = keeps & (self.total == 0)
        growing = slow & ~still
        if window is not None:
            for i in np.flatnonzero(growing & ~keeps)[:1]:
                raise Unsettled(f"{self.names[i]} has gates too close to 1 for its growth to be described")
        low, high, periods = self.low.copy(), self.high.copy(), np.zeros(len(self.low), dtype=object)
        self._contract(np.flatnonzero(~slow & ~forgets), low, high, periods)
        self._forget(np.flatnonzero(forgets), low, high, periods)
        fates = [Fate(*numbers) for numbers in zip(low, high, periods)]
        for i in np.flatnonzero(growing):
            fates[i] = self._stalling(i) if window is None else self._growing(i, window)
        return fates

    def _check(self) -> None:
        for i in np.flatnonzero((self.gates[1] > 1).any(axis=0))[:1]:
            raise Unsettled(f"{self.names[i]} has a gate above 1 in float arithmetic")
        size = np.minimum(self._stalled(), self.start + 4 * self.total / np.where(self.gap > 0, self.gap, self.epsilon))
        for i in np.flatnonzero(~(4 * size < np.finfo(self.dtype).max))[:1]:
            raise Unsettled(f"{self.names[i]} may overflow")

    def _stalled(self) -> np.ndarray:
        """Beyond this size nothing that is added makes a difference."""
        return self.start + self.total * 2.0 ** (self.precision + 2)

    def _growing(self, i: int, window: int) -> Fate:
        error = 4 * self.symbols * self.epsilon * (self.start[i] + 2 * window * self.total[i])
        least, greatest = self.increments[:, :, i].sum(axis=1)
        return Fate(self.low[i], self.high[i], 0, least - error, greatest + error, False)

    def _stalling(self, i: int) -> Fate:
        """A channel with gates of about 1: it moves by what is added, then float by float, until nothing makes a
        difference.
        """
        stalled = self._stalled()[i]
        low, high = self._outward(np.array([-1.0, 1.0]) * stalled)
        least, greatest = (ends[0] for ends in _composed(self.gates[:, :, [i]], self.increments[:, :, [i]]))
        added = max(least, -greatest)
        # Up to this size what gates and rounding take away is at most half of what is added.
        near = added / (4 * (self.widest_gap[i] + 4 * self.symbols * self.epsilon)) - self.total[i]
        if near <= 0:
            return Fate(low, high, int(floats_between(*np.array([[low], [high]], dtype=self.dtype))[0]))
        outside = floats_between(*np.array([[near], [high]], dtype=self.dtype))[0]
        return Fate(low, high, 2 * int(outside) + int(8 * near / added) + 2)

    def _forget(self, which: np.ndarray, low: np.ndarray, high: np.ndarray, periods: np.ndarray) -> None:
        """A gate of 0 forgets the state: one period says everything, in the model's own arithmetic."""
        for (a, c), (b, d) in zip(self._own(self.gates, which), self._own(self.increments, which)):
            corners = a * low[which], c * low[which], a * high[which], c * high[which]
            low[which], high[which] = np.minimum.reduce(corners) + b, np.maximum.reduce(corners) + d
        periods[which] = 1

    def _own(self, numbers: np.ndarray, which: np.ndarray) -> np.ndarray:
        return numbers[:, :, which].transpose(1, 0, 2).astype(self.dtype)

    def _contract(self, which: np.ndarray, low: np.ndarray, high: np.ndarray, periods: np.ndarray) -> None:
        if not len(which):
            return
        gates, increments = self.gates[:, :, which], self.increments[:, :, which]
        gap, speed, symbols = self.gap[which], self.speed[which], self.symbols
        least, greatest = _composed(gates, increments)
        widest = self.widest_gap[which]
        within = self.total[which] if symbols > 1 else 0.0
        own = (symbols + 2) * _OWN_ERROR
        size = np.maximum(self.start[which], 2 * np.maximum(np.abs(least), np.abs(greatest)) / gap)
        size = np.maximum(size, self.tiny / self.epsilon) + within
        time = np.zeros(len(which))
        distance = np.full(len(which), np.inf)
        active = np.ones(len(which), dtype=bool)
        while True:
            error = (symbols * (2 * self.epsilon * size + 2 * self.tiny) + own * (symbols - 1) * within) * (1 + 1e-9)
            bottom, top = least - error, greatest + error
            bottom, top = bottom / np.where(bottom >= 0, widest, gap), top / np.where(top >= 0, gap, widest)
            bottom, top = bottom - own * np.abs(bottom), top + own * np.abs(top)
            distance = np.minimum(distance, np.maximum(high[which], top) - np.minimum(low[which], bottom))
            # The distance to the limit shrinks by the product of the gates, up to the errors of both.
            near = 4 * error / gap
            active &= 2 * near <= distance
            if not active.any():
                break
            shrinking = np.log(distance[active] / near[active] * 2) / speed[active]
            time[active] += np.ceil(shrinking * (1 + 1e-9)) + 1
            distance[active] = near[active]
            smaller = np.maximum(np.abs(bottom), np.abs(top)) + distance + within
            active &= 2 * smaller <= size
            size = np.where(active, smaller, size)
        # What is left is crossed one float at a time, in the phase of the period where floats lie least densely.
        first, last = bottom - distance, top + distance
        crossing = np.full(len(which), np.inf)
        for (a, c), (b, d) in zip(gates.transpose(1, 0, 2), increments.transpose(1, 0, 2)):
            first, last = (
                np.minimum(a * first, c * first) + b - 2 * error,
                np.maximum(a * last, c * last) + d + 2 * error,
            )
            ends = self._outward(first, up=False), self._outward(last, up=True)
            # All floats that there are, or those within the distance where they lie most densely.
            nearest = np.where(np.sign(ends[0]) == np.sign(ends[1]), np.minimum(*np.abs(ends)), 0).astype(self.dtype)
            with np.errstate(over="ignore"):
                within_distance = (distance + 2 * error) / np.spacing(nearest).astype(np.float64) * (1 + 1e-9) + 2
            crossing = np.minimum(crossing, np.minimum(floats_between(*ends).astype(np.float64), within_distance))
        if symbols == 1:
            crossing = np.minimum(crossing, self._near_zero(distance, gap))
        low[which], high[which] = self._outward(bottom, up=False), self._outward(top, up=True)
        periods[which] = [int(t) for t in (time + crossing) * (1 + 1e-9) + 2]

    def _near_zero(self, distance: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """Steps that cover a distance to the limit L, however close to 0 L is, where floats lie densely; periods of one
        symbol.

        States move monotonically to L, so a step at distance D errs by at most (D + |L|) 2 u, where u = 2^-precision,
        and L itself by 2 u |L|, the product by half a subnormal t more.  With 1 - a >= 16 u a step covers (1 - a) D /
        4, as long as D >= (8 u |L| + 2 t) / (1 - a); so near L there are at most 34 / (1 - a) floats to be crossed.
        """
        least = 2 * self.tiny
        steps = (4 * (np.log(np.maximum(distance, least)) - np.log(least)) + 34) / gap * (1 + 1e-9) + 3
        return np.where(gap >= 16 * (1 - 1e-9) * self.epsilon, steps, np.inf)

    def _outward(self, ends: np.ndarray, up: bool | None = None) -> np.ndarray:
        """Double precision numbers as the model's floats, rounded away; without ``up``, the first down, the second
        up.
        """
        towards = np.array([-np.inf, np.inf]) if up is None else np.inf if up else -np.inf
        towards = np.asarray(towards, dtype=self.dtype)
        return np.nextafter(np.nextafter(ends.astype(self.dtype), towards), towards)


def _composed(gates: np.ndarray, increments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of c, where a period maps h to A h + c before any rounding."""
    least = greatest = np.zeros(gates.shape[2])
    for (a, c), (b, d) in zip(gates.transpose(1, 0, 2), increments.transpose(1, 0, 2)):
        least, greatest = np.minimum(a * least, c * least) + b, np.maximum(a * greatest, c * greatest) + d
    return least, greatest


def floats_between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How many floats lie in (low, high].

    >>> floats_between(np.array([-5e-324, 1.0]), np.array([5e-324, 2.0])).tolist()
    [2, 4503599627370496]
    """
    ranks = []
    for ends in (low, high):
        # The bits of a positive float, read as an integer, are its place among the positive floats.
        place = np.abs(ends).view(f"u{ends.dtype.itemsize}").astype(np.uint64)
        ranks.append(np.where(ends < 0, -place, place))
    return ranks[1] - ranks[0]
