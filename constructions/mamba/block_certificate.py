"""The exactness certificate of one block: what it computes is exact, whatever it reads.

With S the scale, for a block whose inputs are as :mod:`constructions.mamba.certificate` says:

1. *constant*: the first channel's neuron, and every constant neuron that something is made of, is exactly S;
2. *neurons*: every pre-activation is a whole multiple of S, so silu is relu; a neuron over groups is an AND of
   memberships (a *cube*), so 0 or S; one over a counter is a *ramp*;
3. *step sizes*: the cubes that drive one cannot hold together, so delta is 0 or S; A is -1 where a gate resets, so
   small where a cell counts that the gate is 1, and finite everywhere, so that a gate with delta 0 is 1;
4. *cells*: 0 or 1 times S, or, with gate 1, an integer times S;
5. *outputs*: what a block writes to a group is again at most one 1: by cubes that exclude each other, by cells of one
   register, or by ramps, checked at every breakpoint; what it writes to a counter is the counter's value, or the one
   before, and how far that moves with a symbol is read off the arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from constructions.mamba.weights import BOS_TOKEN

if TYPE_CHECKING:
    from constructions.mamba.certificate import Proof

_NEGLIGIBLE_A_LOG = -200
"""exp(-exp(A_log) * S) is 1 to the last digit of every format."""

_GREATEST_A_LOG = 64
"""exp(A_log) is finite, in float32 too, in which every format computes it."""


class BlockProof:
    """All claims for block ``number``; ``one`` is what stands for 1 in each coordinate that it reads."""

    def __init__(self, proof: Proof, number: int, one: np.ndarray):
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
        self.cubes: dict[int, dict[int, frozenset[int]]] = {}
        self.delayed: dict[int, bool] = {}
        self.ramps: dict[int, tuple[int, int]] = {}
        self.constants: set[int] = set()
        self.cells: dict[int, int] = {}
        self.counting: set[int] = set()
        self.amounts: dict[int, int] = {}

    def run(self) -> None:
        for channel in range(self.inner):
            self._neuron(channel)
        self._constant()
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
        products = self.tensor["in_proj.weight"][channel] * self.one
        row = products / self.scale
        taps, bias = self.tensor["conv1d.weight"][channel, 0], self.tensor["conv1d.bias"][channel] / self.scale
        if (row != np.rint(row)).any() or bias != round(bias):
            self.fail(channel, "its neuron is not a whole multiple of the scale")
        self.proof.sum(f"block {self.number + 1}, neuron {self.names[channel]!r}", products, self.number)
        read = np.flatnonzero(row).tolist()
        if not read:
            if bias > 1:
                self.fail(channel, f"its neuron is the constant {bias:g} S, expected S")
            if bias == 1:
                self.constants.add(channel)
            return
        if sorted(taps.tolist()) != [0, 1]:
            self.fail(channel, f"its convolution has the taps {taps.tolist()}, expected one 1")
        self.delayed[channel] = taps[0] == 1
        if any(c in self.layout.integers for c in read):
            if len(read) > 1 or row[read[0]] != 1 or self.delayed[channel]:
                self.fail(channel, "it reads a counter together with something else")
            self.ramps[channel] = (read[0], int(bias))
            what = f"block {self.number + 1}, ramp {self.names[channel]!r}"
            self.proof.bound(what, int(abs(bias)), 1, self.proof.scaled_limit)
            return
        self.cubes[channel] = self._cube(channel, row, int(bias))

    def _cube(self, channel: int, row: np.ndarray, bias: int) -> dict[int, frozenset[int]]:
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
        mine, theirs = self.cubes[one], self.cubes[other]
        return any(not (mine[group] & theirs[group]) for group in mine.keys() & theirs.keys())

    def _all_exclusive(self, channels: list[int]) -> tuple[int, int] | None:
        """A pair that can fire together, or None."""
        pairs = ((a, b) for i, a in enumerate(channels) for b in channels[:i])
        return next(((a, b) for a, b in pairs if not self._exclusive(a, b)), None)

    # -- step sizes, cells, increments ----------------------------------------------------------------

    def _constant(self) -> None:
        """The first channel is S at every position, and gives S to ``out_proj``: B, C, and what is always written."""
        gate = self.tensor["in_proj.weight"][self.inner, 0] * self.one[0] / self.scale
        if 0 not in self.constants or self.tensor["D"][0] * self.scale != 1 or gate != 1:
            self.fail(0, "it is not the constant channel")

    def _step_sizes(self) -> None:
        rows = self.tensor["x_proj.weight"][: self.proof.weights.rank]
        for step, row in enumerate(rows):
            drivers = np.flatnonzero(row).tolist()
            if any(d not in self.cubes or row[d] != 2 for d in drivers):
                self.proof.fail(
                    f"block {self.number + 1}, step size {step}: it is not driven by cubes alone, with weight 2"
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
        if a_log > _GREATEST_A_LOG:
            self.fail(channel, f"its A_log is {a_log:g}, and exp of it may not be finite")
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
        if np.flatnonzero(c_row).tolist() != [0] or c_row[0] != 1:
            self.proof.fail(f"block {self.number + 1}: C is not the constant 1/S")
        users = np.flatnonzero(b_row).tolist()
        if users == [0] and b_row[0] == 1:
            if self.counting:
                self.proof.fail(f"block {self.number + 1}: a counter grows at every step")
            return
        if self.cells or any(u not in self.cubes for u in users) or (b_row != np.rint(b_row)).any():
            self.proof.fail(f"block {self.number + 1}: B is neither constant nor a sum of whole amounts")
        self.amounts = {u: int(b_row[u]) for u in users}
        together = sum(map(abs, self.amounts.values()))
        self.proof.bound(f"block {self.number + 1}, increment", together, limit=self.proof.scaled_limit)
        if self.counting:
            self.proof.bound(f"block {self.number + 1}, total", 0, 1, self.proof.scaled_limit)

    def _movement(self) -> tuple[int, int]:
        """How far BOS, and how far any other symbol, can move the block's counter."""
        sizes = {user: abs(amount) for user, amount in self.amounts.items()}
        symbols = self.layout.groups[0][1]
        row = self.proof.tensors["backbone.embeddings.weight"][BOS_TOKEN]
        bos = next((c for c in symbols if row[c]), -1)
        at_bos = sum(size for user, size in sizes.items() if bos in self.cubes[user].get(0, {bos}))
        if self._all_exclusive(list(sizes)) is None:
            return at_bos, max(sizes.values(), default=0)
        return at_bos, sum(sizes.values())

    # -- what is written ------------------------------------------------------------------------------

    def _written(self, coordinates: tuple[int, ...]) -> np.ndarray:
        """Whole coefficients, shape (coordinates, channels), of what is written; the gates of the writers are on."""
        matrix = self.tensor["out_proj.weight"][list(coordinates)] * self.scale / self.proof.unit
        gates = self.tensor["in_proj.weight"][self.inner :, 0] * self.one[0] != 0
        wrong = (matrix != np.rint(matrix)) | (np.abs(matrix) > self.proof.limit) | ((matrix != 0) & ~gates)
        for row, channel in np.argwhere(wrong).tolist():
            self.fail(channel, f"it writes {matrix[row, channel]} to {self.proof.names[coordinates[row]]!r}")
        return np.rint(matrix).astype(np.int64)

    def _group(self, members: tuple[int, ...]) -> None:
        """At most one of the coordinates is 1 (exactly one in a complete layout), the others 0."""
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
        elif (pair := self._all_exclusive([c for c in channels if self._is_cube(c)])) is not None:
            self.fail(
                pair[0],
                f"it can fire with channel {pair[1]} {self.names[pair[1]]!r}, which writes to the same variable",
            )
        # At most one channel is on besides the constant one.
        self._check_one_hot(members, np.concatenate([start[None], start + change]))
        largest = np.abs(start).max(initial=0) + np.abs(change).max(initial=0)
        self.proof.bound(f"block {self.number + 1}, {self.proof.names[members[0]]!r}", int(largest))

    def _is_cube(self, channel: int) -> bool:
        if channel not in self.cubes or not self.tensor["D"][channel]:
            self.fail(channel, "it writes to a variable, but is neither a cube nor a cell nor a ramp")
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
        if float(ramps.max()) * float(np.abs(change).sum()) >= 2.0**62:
            self.fail(channels[0], "its window is too wide or too steep to be checked in integers")
        self._check_one_hot(members, start + ramps @ sparse.csr_array(change))
        if change.sum(axis=0).any():
            self.fail(channels[0], "its window does not become constant for large counters")
        # relu(counter + offset) is at most the counter's absolute value plus the offset's positive part.
        constant = np.abs(start) + np.maximum(0, offsets) @ np.abs(change)
        for c, fixed, weight in zip(members, constant.tolist(), np.abs(change).sum(axis=0).tolist()):
            self.proof.bound(f"block {self.number + 1}, {self.proof.names[c]!r}", fixed, weight)

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
            if channel and channel not in cells and self._is_cube(channel)
        ]
        if len(cells) != 1 or row[cells[0]] != 1:
            self.proof.fail(f"block {self.number + 1}: {self.proof.names[coordinate]!r} is not one counter")
        if others and {channel: -int(row[channel]) for channel in others} != self.amounts:
            self.proof.fail(
                f"block {self.number + 1}: {self.proof.names[coordinate]!r} is "
                "neither a counter's value nor the one before"
            )
        start = int(abs(row[0]))
        together = sum(map(abs, self.amounts.values())) if others else 0
        self.proof.bound(f"block {self.number + 1}, {self.proof.names[coordinate]!r}", start + together, 1)
        at_bos, fastest = self._movement()
        self.proof.movements.append((start + at_bos, fastest))
