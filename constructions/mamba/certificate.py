"""The exactness certificate: from the arrays of a checkpoint, that no operation of the model ever rounds.

Block by block, by induction over the blocks, with S the scale, everything in units that are powers of two:

1. *residual*: each group of coordinates has at most one 1 (exactly one where the norm is constant), a counter's
   coordinate is an integer, each is written by one block only;
2. *norm*: the mean square is a power of 4 in every order of summation;
3. *neurons*: every pre-activation is a whole multiple of S, so silu is relu; a neuron over groups is an AND of
   memberships (a *box*), so 0 or S; one over a counter is a *ramp*;
4. *step sizes*: the boxes that drive one cannot hold together, so delta is 0 or S, and the gate 0 or 1;
5. *cells*: 0 or 1 times S, or, with gate 1, an integer times S;
6. *sums*: in every matrix product the absolute values of the terms that can be nonzero together add up to at most
   2^digits units, and stay finite, so that no order of summation, and no fused multiplication, rounds;
7. *outputs*: what a block writes to a group is again at most one 1: by boxes that exclude each other, by cells of one
   register, or by ramps, checked at every breakpoint.

So every kernel that computes in at least this precision and sums in any order gives the same bits, -0 for 0 aside: full
forward, prefill, decoding, any batch.  With a counter, as long as its value stays within the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from automata.errors import InputError
from constructions.mamba.ballast import EPSILON
from constructions.mamba.weights import MambaWeights

_FLOAT32_DIGITS = 24
"""Norms are computed in float32 in every format."""

_NEGLIGIBLE_A_LOG = -200
"""exp(-exp(A_log) * S) is 1 to the last digit of every format."""


@dataclass(frozen=True)
class Certificate:
    """What was proved.

    Attributes:
        greatest: the greatest absolute value of a counter for which everything is exact; None without counters.
        horizon: the number of symbols that cannot bring a counter beyond that; None without counters.
        sums: how many sums were bounded.
        largest: the largest bound of a sum, in units, apart from what counters contribute.
        digits: sums of up to 2^digits units are exact.
    """

    greatest: int | None
    horizon: int | None
    sums: int
    largest: int
    digits: int


def certify(weights: MambaWeights) -> Certificate:
    """Proves exactness from the arrays; the layout only says where to look.

    Raises:
        InputError: naming the block and channel or coordinate where the proof fails.

    >>> from constructions.flip_flop import flip_flop
    >>> from constructions.mamba.lowering import lower_to_mamba
    >>> certificate = certify(lower_to_mamba(flip_flop()))
    >>> certificate.horizon is None, certificate.largest < 2**certificate.digits
    (True, True)
    """
    return _Proof(weights).run()


class _Proof:
    def __init__(self, weights: MambaWeights):
        self.weights, self.layout = weights, weights.layout
        self.tensors = weights.tensors
        self.scale = float(weights.precision.scale)
        self.unit = weights.ballast.unit
        self.names = weights.coordinate_names()
        self.first_ballast = len(self.layout.coordinates)
        self.limit = 2**weights.precision.digits
        # What is counted in units of S must not overflow either.
        self.scaled_limit = min(self.limit, int(weights.precision.greatest / self.scale))
        self.greatest: int | None = self.limit if self.layout.integers else None
        self.sums, self.largest = 0, 0
        self.group_of = {c: number for number, (_, members) in enumerate(self.layout.groups) for c in members}
        self.born = self._births()

    def run(self) -> Certificate:
        self._embedding()
        for number in range(len(self.layout.blocks)):
            one = self._norm(number, f"backbone.layers.{number}.norm.weight")
            _BlockProof(self, number, one).run()
        one = self._norm(len(self.layout.blocks), "backbone.norm_f.weight")
        for token, row in enumerate(self.tensors["lm_head.weight"]):
            self._sum(f"logit {token}", row * one, len(self.layout.blocks))
        horizon = None
        if self.greatest is not None:
            horizon = min(
                (self.greatest - abs(start)) // max(fastest, 1) for start, fastest in self.layout.counters.values()
            )
        return Certificate(self.greatest, horizon, self.sums, self.largest, self.weights.precision.digits)

    # -- the residual stream --------------------------------------------------------------------------

    def _births(self) -> np.ndarray:
        """For each coordinate the number of blocks after which it is written; claims 1 of the docstring."""
        born = np.zeros(self.weights.width, dtype=int)
        for coordinate in range(1, self.first_ballast):
            writers = [0] if self.tensors["backbone.embeddings.weight"][:, coordinate].any() else []
            for number in range(len(self.layout.blocks)):
                if self.tensors[f"backbone.layers.{number}.mixer.out_proj.weight"][coordinate].any():
                    writers.append(number + 1)
            if len(writers) > 1:
                self.fail(f"coordinate {self.names[coordinate]!r} is written {len(writers)} times")
            # What is never written is 0 for ever, which is one of the values allowed everywhere.
            born[coordinate] = writers[0] if writers else 0
        return born

    def _embedding(self) -> None:
        table = self.tensors["backbone.embeddings.weight"]
        symbols = self.layout.groups[0][1]
        for token, row in enumerate(table):
            values = row[list(symbols)]
            if not np.isin(values, (0, self.unit)).all() or np.count_nonzero(values) > 1 or row[0] != self.unit:
                self.fail(f"the embedding of token {token} is not one-hot")
            if self.layout.complete and not values.any():
                self.fail(f"the embedding of token {token} has no symbol, so its norm is not constant")
            others = np.ones(len(row), dtype=bool)
            others[[0, *symbols]] = False
            others[self.first_ballast :] = False
            if row[others].any():
                self.fail(
                    f"the embedding of token {token} writes to {self.names[int(np.flatnonzero(row * others)[0])]!r}"
                )

    def _ballast(self, point: int) -> np.ndarray:
        """The ballast coordinates after so many blocks, the same for all tokens."""
        table = self.tensors["backbone.embeddings.weight"][:, self.first_ballast :]
        if (table != table[0]).any():
            self.fail("the ballast depends on the token")
        ballast = table[0].copy()
        for number in range(point):
            rows = self.tensors[f"backbone.layers.{number}.mixer.out_proj.weight"][self.first_ballast :]
            if rows[:, 1:].any():
                self.fail(f"block {number + 1} moves the ballast by a channel that is not constant")
            ballast += rows[:, 0] * self.scale
        return ballast

    def _norm(self, point: int, name: str) -> np.ndarray:
        """Checks the norm after so many blocks; returns what stands for 1 after it, 0 where nothing is read."""
        ballast, width, exponent = self._ballast(point), self.weights.width, self.weights.ballast.exponent
        mean = 4.0**exponent
        squares = float((ballast**2).sum())
        written = [number for number, (ready, _) in enumerate(self.layout.groups) if ready <= point]
        if self.layout.complete:
            total = (1 + len(written)) * self.unit**2 + squares
            if total != width * mean or total >= 2**_FLOAT32_DIGITS or (ballast != np.rint(ballast)).any():
                self.fail(f"the sum of squares after block {point} is {total:g}, not {width} * 4^{exponent}")
        else:
            counters = sum(1 for c in self.layout.integers if self.born[c] <= point)
            if squares != width * mean or len(set(ballast[ballast != 0])) != 1:
                self.fail(
                    f"the ballast after block {point} has the sum of squares {squares:g}, not {width} * 4^{exponent}"
                )
            # All other squares together are less than half a unit in the last place of one ballast square.
            room = float(ballast.max()) ** 2 / 2**_FLOAT32_DIGITS / self.unit**2 - (1 + len(written))
            if room <= counters:
                self.fail(f"the ballast {ballast.max():g} does not hide {len(written)} variables")
            if counters:
                self.greatest = min(self.greatest, int((room / counters) ** 0.5))
        if EPSILON >= mean / 2**_FLOAT32_DIGITS:
            self.fail(f"the epsilon {EPSILON:g} is not rounded away beside the mean square 4^{exponent}")
        one = self.tensors[name] * self.unit / 2.0**exponent
        if (one != _power_of_two_below(one)).any():
            self.fail(f"{name} is not a power of two everywhere")
        return one

    # -- sums -----------------------------------------------------------------------------------------

    def _sum(self, what: str, row: np.ndarray, point: int) -> None:
        """Bounds the partial sums of row * coordinates, where every product is a multiple of a common power of two."""
        used = np.flatnonzero(row)
        if not len(used):
            return
        quantum = float(_lowest_bit(row[used]).min())
        fixed, by_counter, by_group = 0.0, 0.0, {}
        for c in used.tolist():
            size = abs(row[c]) / quantum
            if c >= self.first_ballast:
                self.fail(f"{what} reads the ballast")
            if self.born[c] > point:
                self.fail(f"{what} reads {self.names[c]!r} before it is written")
            if c in self.layout.integers:
                by_counter += size
            elif c == 0:
                fixed += size
            else:
                by_group[self.group_of[c]] = max(by_group.get(self.group_of[c], 0.0), size)
        self.bound(what, fixed + sum(by_group.values()), by_counter, scaled=True)

    def bound(self, what: str, fixed: float, by_counter: float = 0.0, scaled: bool = False) -> None:
        """fixed + by_counter * (a counter's absolute value) must be at most 2^digits; ``scaled``: in units of S."""
        self.sums += 1
        self.largest = max(self.largest, int(fixed))
        limit = self.scaled_limit if scaled else self.limit
        if fixed + by_counter > limit:
            self.fail(
                f"{what} can add up to {fixed + by_counter:.0f} units, and {self.weights.precision.name} is exact up to "
                f"{limit}"
            )
        if by_counter:
            self.greatest = min(self.greatest, int((limit - fixed) // by_counter))

    def fail(self, reason: str) -> None:
        raise InputError(f"no certificate of exactness: {reason}")


class _BlockProof:
    """Claims 3 to 7 for one block."""

    def __init__(self, proof: _Proof, number: int, one: np.ndarray):
        self.proof, self.number, self.one = proof, number, one
        self.layout = proof.layout
        self.inner, self.scale = proof.weights.inner, proof.scale
        self.tensor = {
            name: proof.tensors[f"backbone.layers.{number}.mixer.{name}"]
            for name in (
                "in_proj.weight",
                "conv1d.weight",
                "conv1d.bias",
                "x_proj.weight",
                "dt_proj.weight",
                "dt_proj.bias",
                "A_log",
                "D",
                "out_proj.weight",
            )
        }
        self.names = proof.weights.channel_names()[number]
        self.boxes: dict[int, dict[int, frozenset[int]]] = {}
        self.delayed: dict[int, bool] = {}
        self.ramps: dict[int, tuple[int, int]] = {}
        self.constants: set[int] = set()
        self.cells: dict[int, int] = {}
        self.counting: set[int] = set()

    def run(self) -> None:
        for channel in range(self.inner):
            self._neuron(channel)
        self._step_sizes()
        for channel in range(self.inner):
            self._cell(channel)
        self._increment()
        for ready, members in self.layout.groups:
            if ready == self.number + 1 and members:
                self._group(members)
        for coordinate in self.layout.integers:
            if self.proof.born[coordinate] == self.number + 1:
                self._integer(coordinate)

    def fail(self, channel: int, reason: str) -> None:
        self.proof.fail(f"block {self.number + 1}, channel {channel} {self.names[channel]!r}: {reason}")

    # -- neurons --------------------------------------------------------------------------------------

    def _neuron(self, channel: int) -> None:
        row = self.tensor["in_proj.weight"][channel] * self.one / self.scale
        taps, bias = self.tensor["conv1d.weight"][channel, 0], self.tensor["conv1d.bias"][channel] / self.scale
        if (row != np.rint(row)).any() or bias != round(bias):
            self.fail(channel, "its neuron is not a whole multiple of the scale")
        self.proof._sum(f"block {self.number + 1}, neuron {self.names[channel]!r}", row, self.number)
        read = np.flatnonzero(row).tolist()
        if not read:
            if bias > 0:
                self.constants.add(channel)
            return
        if sorted(taps.tolist()) != [0, 1]:
            self.fail(channel, f"its convolution has the taps {taps.tolist()}, expected one 1")
        self.delayed[channel] = taps[0] == 1
        if any(c in self.layout.integers for c in read):
            if len(read) > 1 or row[read[0]] != 1 or self.delayed[channel]:
                self.fail(channel, "it reads a counter together with something else")
            self.ramps[channel] = (read[0], int(bias))
            self.proof.bound(f"block {self.number + 1}, ramp {self.names[channel]!r}", abs(bias), 1, scaled=True)
            return
        self.boxes[channel] = self._box(channel, row, int(bias))

    def _box(self, channel: int, row: np.ndarray, bias: int) -> dict[int, frozenset[int]]:
        """Group -> the coordinates of which one must be 1; -1 stands for none of them."""
        sides: dict[int, frozenset[int]] = {}
        excluded = 0
        for c in np.flatnonzero(row[1:]) + 1:
            group = self.proof.group_of[int(c)]
            if group in sides:
                continue
            members = self.layout.groups[group][1]
            values = row[list(members)]
            if set(values.tolist()) <= {0.0, 1.0}:
                sides[group] = frozenset(m for m, value in zip(members, values) if value)
            elif set(values.tolist()) <= {0.0, -1.0}:
                excluded += 1
                none = () if self.layout.complete else (-1,)
                sides[group] = frozenset([*(m for m, value in zip(members, values) if not value), *none])
            else:
                self.fail(channel, f"it weighs the values of one variable differently: {values.tolist()}")
        # A neuron that reads nothing but "one" is the AND of nothing; "one" also stands for each variable that is read
        # by exclusion.
        if bias != 1 - max(1, len(sides)) or row[0] != (excluded if sides else 1):
            self.fail(channel, "it is not an AND")
        return sides

    def _exclusive(self, one: int, other: int) -> bool:
        if self.delayed[one] != self.delayed[other]:
            return False
        mine, theirs = self.boxes[one], self.boxes[other]
        return any(not (mine[group] & theirs[group]) for group in mine.keys() & theirs.keys())

    def _all_exclusive(self, channels: list[int]) -> tuple[int, int] | None:
        """A pair that can fire together, or None."""
        pairs = ((a, b) for i, a in enumerate(channels) for b in channels[:i])
        return next(((a, b) for a, b in pairs if not self._exclusive(a, b)), None)

    # -- step sizes, cells, increments ----------------------------------------------------------------

    def _step_sizes(self) -> None:
        rows = self.tensor["x_proj.weight"][: self.proof.weights.rank]
        for step, row in enumerate(rows):
            drivers = np.flatnonzero(row).tolist()
            if any(d not in self.boxes or row[d] != 2 for d in drivers):
                self.proof.fail(
                    f"block {self.number + 1}, step size {step}: it is not driven by boxes alone, with weight 2"
                )
            if (pair := self._all_exclusive(drivers)) is not None:
                self.fail(
                    pair[0],
                    f"it can fire with channel {pair[1]} {self.names[pair[1]]!r}, which drives the same step size",
                )
        self.drivers = [frozenset(np.flatnonzero(row).tolist()) for row in rows]

    def _cell(self, channel: int) -> None:
        steps = np.flatnonzero(self.tensor["dt_proj.weight"][channel]).tolist()
        bias = self.tensor["dt_proj.bias"][channel]
        a_log = self.tensor["A_log"][channel, 0]
        gate, skip = (
            self.tensor["in_proj.weight"][self.inner + channel] * self.one / self.scale,
            self.tensor["D"][channel] * self.scale,
        )
        if np.flatnonzero(gate).tolist() not in ([], [0]) or gate[0] not in (0, 1) or skip not in (0, 1):
            self.fail(channel, "its output gate or its skip is not 0 or 1")
        if steps:
            if (
                len(steps) > 1
                or self.tensor["dt_proj.weight"][channel, steps[0]] != 1
                or bias != -self.scale
                or a_log != 0
            ):
                self.fail(channel, "its gate is not 0 or 1")
            if channel not in self.drivers[steps[0]]:
                self.fail(channel, "it is not among the neurons that overwrite its cell")
            if skip:
                self.fail(channel, "it writes its cell and its neuron at once")
            self.cells[channel] = steps[0]
        elif bias == self.scale:
            if a_log > _NEGLIGIBLE_A_LOG or channel not in self.constants or skip:
                self.fail(channel, "it adds at every step, but not with gate 1 and a constant neuron")
            self.counting.add(channel)
        elif bias != -self.scale:
            self.fail(channel, "its step size is neither off nor the scale")

    def _increment(self) -> None:
        """B and C: constant 1/S, or, in a block that counts, B = amount / S."""
        b_row, c_row = self.tensor["x_proj.weight"][self.proof.weights.rank :] * self.scale**2
        if np.flatnonzero(c_row).tolist() != [0] or c_row[0] != 1 or 0 not in self.constants:
            self.proof.fail(f"block {self.number + 1}: C is not the constant 1/S")
        users = np.flatnonzero(b_row).tolist()
        if users == [0] and b_row[0] == 1:
            if self.counting:
                self.proof.fail(f"block {self.number + 1}: a counter grows at every step")
            return
        if self.cells or any(u not in self.boxes for u in users) or (b_row != np.rint(b_row)).any():
            self.proof.fail(f"block {self.number + 1}: B is neither constant nor a sum of whole amounts")
        self.proof.bound(f"block {self.number + 1}, increment", float(np.abs(b_row).sum()))
        if self.counting:
            self.proof.bound(f"block {self.number + 1}, total", 0, 1, scaled=True)

    # -- what is written ------------------------------------------------------------------------------

    def _written(self, coordinates: tuple[int, ...]) -> np.ndarray:
        """Whole coefficients, shape (coordinates, channels), of what is written; the gates of the writers are on."""
        matrix = self.tensor["out_proj.weight"][list(coordinates)] * self.scale / self.proof.unit
        gates = self.tensor["in_proj.weight"][self.inner :, 0] != 0
        for row, channel in np.argwhere((matrix != np.rint(matrix)) | ((matrix != 0) & ~gates)).tolist():
            self.fail(channel, f"it writes {matrix[row, channel]} to {self.proof.names[coordinates[row]]!r}")
        return np.rint(matrix).astype(np.int64)

    def _group(self, members: tuple[int, ...]) -> None:
        """At most one of the coordinates is 1 (exactly one in a complete layout), the others 0."""
        if 0 not in self.constants or not self.tensor["D"][0]:
            self.fail(0, "it is not the constant channel")
        matrix = self._written(members)
        channels = [channel for channel in np.flatnonzero(matrix.any(axis=0)).tolist() if channel]
        start, change = matrix[:, 0], matrix[:, channels].T
        if any(channel in self.ramps for channel in channels):
            self._window(members, channels, start, change)
            return
        cells = {self.cells[channel] for channel in channels if channel in self.cells}
        if cells:
            if len(cells) > 1 or any(channel not in self.cells for channel in channels):
                self.fail(channels[0], "it writes to a variable together with another register's channel")
        elif (pair := self._all_exclusive([c for c in channels if self._is_box(c)])) is not None:
            self.fail(
                pair[0],
                f"it can fire with channel {pair[1]} {self.names[pair[1]]!r}, which writes to the same variable",
            )
        # At most one channel is on besides the constant one.
        self._check_one_hot(members, np.concatenate([start[None], start + change]))
        largest = np.abs(start).max(initial=0) + np.abs(change).max(initial=0)
        self.proof.bound(f"block {self.number + 1}, {self.proof.names[members[0]]!r}", float(largest))

    def _is_box(self, channel: int) -> bool:
        if channel not in self.boxes or not self.tensor["D"][channel]:
            self.fail(channel, "it writes to a variable, but is neither a box nor a cell nor a ramp")
        return True

    def _window(self, members: tuple[int, ...], channels: list[int], start: np.ndarray, change: np.ndarray) -> None:
        if any(channel not in self.ramps or not self.tensor["D"][channel] for channel in channels):
            self.fail(channels[0], "it writes to a variable together with a ramp")
        if len({self.ramps[channel][0] for channel in channels}) > 1:
            self.fail(channels[0], "it writes to a variable together with a ramp on another counter")
        offsets = np.array([self.ramps[channel][1] for channel in channels])
        # Between corners everything is affine, so these points decide: a slope that is not 0 at one of them leaves 0
        # and 1 at the next.
        points = np.unique(np.concatenate([-offsets - 1, -offsets, 1 - offsets]))
        ramps = np.maximum(0, points[:, None] + offsets)
        self._check_one_hot(members, start + ramps @ sparse.csr_array(change))
        if change.sum(axis=0).any():
            self.fail(channels[0], "its window does not become constant for large counters")
        # relu(counter + offset) is at most the counter's absolute value plus the offset's positive part.
        constant = np.abs(start) + np.maximum(0, offsets) @ np.abs(change)
        for c, fixed, weight in zip(members, constant.tolist(), np.abs(change).sum(axis=0).tolist()):
            self.proof.bound(f"block {self.number + 1}, {self.proof.names[c]!r}", float(fixed), float(weight))

    def _check_one_hot(self, members: tuple[int, ...], rows: np.ndarray) -> None:
        """Every row is a value that the variable may have."""
        total = rows.sum(axis=1)
        wrong = ((rows != 0) & (rows != 1)).any(axis=1) | (total > 1) | (self.layout.complete & (total != 1))
        if wrong.any():
            values = rows[np.flatnonzero(wrong)[0]].tolist()
            self.proof.fail(
                f"block {self.number + 1} can write {values} to the variable of {self.proof.names[members[0]]!r}"
            )

    def _integer(self, coordinate: int) -> None:
        """The counter's cell, plus a constant, minus the step's increment where the value before is wanted."""
        row = self._written((coordinate,))[0]
        cells = [channel for channel in np.flatnonzero(row).tolist() if channel in self.counting]
        others = [
            channel
            for channel in np.flatnonzero(row).tolist()
            if channel and channel not in cells and self._is_box(channel)
        ]
        if len(cells) != 1 or row[cells[0]] != 1:
            self.proof.fail(f"block {self.number + 1}: {self.proof.names[coordinate]!r} is not one counter")
        fixed = abs(row[0]) + sum(abs(row[channel]) for channel in others)
        self.proof.bound(f"block {self.number + 1}, {self.proof.names[coordinate]!r}", float(fixed), 1.0)


def _lowest_bit(values: np.ndarray) -> np.ndarray:
    """The greatest power of two that divides each (nonzero) number."""
    mantissa, exponent = np.frexp(np.abs(values))
    whole = (mantissa * 2**53).astype(np.int64)
    return (whole & -whole) * 2.0 ** (exponent - 53)


def _power_of_two_below(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 2.0 ** np.floor(np.log2(np.where(values > 0, values, 1))), 0)
