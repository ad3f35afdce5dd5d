"""The exactness certificate: from the arrays of a checkpoint, that no operation of the model ever rounds.

By induction over the blocks, with S the scale, everything in units that are powers of two:

1. *numbers*: every weight is a number of the format, neither too large nor so small that a kernel may take it for 0;
2. *residual*: each group of coordinates has at most one 1 (exactly one where the norm is constant), a counter's
   coordinate is an integer, each is written by one block only, and the coordinate that is always 1 by none;
3. *norm*: the mean square is a power of 4 in every order of summation, and nothing of the ballast comes through;
4. *blocks*: see :mod:`constructions.mamba.block_certificate`;
5. *sums*: in every matrix product the absolute values of the terms that can be nonzero together add up to at most
   2^digits units, and stay finite, so that no order of summation, and no fused multiplication, rounds.

So every kernel that computes in at least this precision, whose nonlinearities are exact where
:mod:`constructions.mamba.precision` says so, and that sums products in any order, those of a convolution too, gives the
same numbers: full forward, prefill, decoding, any batch.  They are the same bits but for the sign of zeros, which a sum
may choose.  With a counter, as long as its value stays within the horizon.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from automata.errors import InputError
from constructions.mamba.ballast import EPSILON
from constructions.mamba.block_certificate import BlockProof
from constructions.mamba.precision import PRECISIONS
from constructions.mamba.weights import MambaWeights

_FLOAT32_DIGITS = 24
"""Norms, and the scan of a single step, are computed in float32 in every format, float64 too."""

_GREATEST = 2.0**500
"""Products of two numbers up to this are finite in float64, in which this file computes."""

_SLACK = 1 - 2.0**-12
"""What rounding may add to a sum of squares of several large counters is less than the part left out by this."""


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

    @property
    def sentence(self) -> str:
        """What follows, in words."""
        text = (
            "full forward, prefill, other rows and other batches give the same "
            "bits but for the sign of zeros, since no sum "
            f"exceeds 2^{self.digits} units"
        )
        if self.greatest is None:
            return text
        return f"{text} while no counter exceeds {self.greatest}, as none can within {self.horizon} symbols"


def certify(weights: MambaWeights) -> Certificate:
    """Proves exactness from the arrays; the layout only says where to look.  It is done once for the same arrays.

    Raises:
        InputError: naming the block and channel or coordinate where the proof fails.

    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.mamba.lowering import lower_to_mamba
    >>> certificate = certify(lower_to_mamba(flip_flop()))
    >>> certificate.horizon is None, certificate.largest < 2**certificate.digits
    (True, True)
    """
    proved = _fingerprint(weights)
    known = vars(weights).get("_certificate")
    if known is None or known[0] != proved:
        known = vars(weights)["_certificate"] = (proved, Proof(weights).run())
    return known[1]


def _fingerprint(weights: MambaWeights) -> bytes:
    """Of all that a certificate is about, so that one is kept with the weights, and not with others put in their
    place.
    """
    found = hashlib.blake2b(repr((weights.precision, weights.ballast, weights.width, weights.expand)).encode())
    for name, tensor in weights.tensors.items():
        found.update(repr((name, tensor.shape, tensor.dtype)).encode())
        found.update(np.ascontiguousarray(tensor).data)
    return found.digest()


class Proof:
    """What is known of the residual stream, and the bounds that all blocks share."""

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
        # A counter is normalised, and kept in a cell.
        self.greatest: int | None = min(self.limit, 2**_FLOAT32_DIGITS) if self.layout.integers else None
        self.movements: list[tuple[int, int]] = []
        self.sums, self.largest = 0, 0
        self.group_of = {c: number for number, (_, members) in enumerate(self.layout.groups) for c in members}
        self.born = self._births()

    def run(self) -> Certificate:
        self._numbers()
        self._embedding()
        for number in range(len(self.layout.blocks)):
            one = self._norm(number, f"backbone.layers.{number}.norm.weight")
            BlockProof(self, number, one).run()
        one = self._norm(len(self.layout.blocks), "backbone.norm_f.weight")
        for token, row in enumerate(self.tensors["lm_head.weight"]):
            self.sum(f"logit {token}", row * one, len(self.layout.blocks))
        self._format()
        horizon = None
        if self.greatest is not None:
            horizon = min(
                ((self.greatest - start) // max(fastest, 1) for start, fastest in self.movements), default=self.greatest
            )
            if horizon < 0:
                self.fail(
                    f"a counter starts beyond {self.greatest}, up to which {self.weights.precision.name} is exact"
                )
        return Certificate(self.greatest, horizon, self.sums, self.largest, self.weights.precision.digits)

    # -- the residual stream --------------------------------------------------------------------------

    def _numbers(self) -> None:
        """The constants are those of the format, and the checks below can compute with the numbers without rounding."""
        format_, width = self.weights.precision, self.weights.width
        if PRECISIONS.get(format_.name) != format_:
            self.fail(f"{format_} is none of the formats whose nonlinearities were measured")
        if width & (width - 1):
            self.fail(f"the mean over {width} coordinates is not exact, their number is no power of two")
        for name, tensor in self.tensors.items():
            self._each(name, np.abs(tensor) <= _GREATEST, "a number that can be reasoned about")

    def _format(self) -> None:
        """Claim 1: said last, since a sum that is too large says more than a weight that is."""
        format_ = self.weights.precision
        for name, tensor in self.tensors.items():
            digits, grid = np.frexp(tensor)[0] * 2.0**format_.digits, tensor / format_.least
            right = (np.abs(tensor) <= format_.greatest) & (digits == np.rint(digits)) & (grid == np.rint(grid))
            self._each(name, right, f"a number of {format_.name}")

    def _each(self, name: str, right: np.ndarray, what: str) -> None:
        if not right.all():
            place = tuple(int(i) for i in np.argwhere(~right)[0])
            value = self.tensors[name][place]
            self.fail(f"{name}{list(place)} is {value:g}, which is not {what}")

    def _births(self) -> np.ndarray:
        """For each coordinate the number of blocks after which it is written; claim 2 of the docstring."""
        born = np.zeros(self.weights.width, dtype=int)
        ready = {c: when for when, members in self.layout.groups for c in members}
        for coordinate in range(self.first_ballast):
            writers = [0] if self.tensors["backbone.embeddings.weight"][:, coordinate].any() else []
            for number in range(len(self.layout.blocks)):
                if self.tensors[f"backbone.layers.{number}.mixer.out_proj.weight"][coordinate].any():
                    writers.append(number + 1)
            if len(writers) > 1:
                self.fail(f"coordinate {self.names[coordinate]!r} is written {len(writers)} times")
            if any(when and when != ready.get(coordinate, when) for when in writers):
                self.fail(f"coordinate {self.names[coordinate]!r} is written by block {writers[0]}, not by its own")
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
        if (np.abs(ballast) > self.weights.precision.greatest).any():
            self.fail(f"the ballast after block {point} is beyond the range of {self.weights.precision.name}")
        written = [number for number, (ready, _) in enumerate(self.layout.groups) if ready <= point]
        if self.layout.complete:
            total = (1 + len(written)) * self.unit**2 + squares
            if total != width * mean or total >= 2**_FLOAT32_DIGITS or (ballast != np.rint(ballast)).any():
                self.fail(f"the sum of squares after block {point} is {total:g}, not {width} * 4^{exponent}")
            if (np.abs(ballast) > self.limit).any():
                self.fail(f"the ballast after block {point} is not exact in {self.weights.precision.name}")
        else:
            counters = sum(1 for c in self.layout.integers if self.born[c] <= point)
            used = ballast[ballast != 0]
            if squares != width * mean or (used != used[:1]).any() or used[0] != _power_of_two_below(used[0]):
                self.fail(
                    f"the ballast after block {point} has the sum of squares {squares:g}, not {width} * 4^{exponent}"
                )
            # All other squares together are less than half a unit in the last place of one ballast square.
            room = float(ballast.max()) ** 2 / 2**_FLOAT32_DIGITS / self.unit**2 - (1 + len(written))
            if counters > 1:
                room *= _SLACK
            if room <= counters:
                self.fail(f"the ballast {ballast.max():g} does not hide {len(written)} variables")
            if counters and self.greatest is not None:
                self.greatest = min(self.greatest, int((room / counters) ** 0.5))
        if EPSILON >= mean / 2**_FLOAT32_DIGITS:
            self.fail(f"the epsilon {EPSILON:g} is not rounded away beside the mean square 4^{exponent}")
        if self.unit / 2.0**exponent < self.weights.precision.least:
            self.fail(f"a unit after the norm, {self.unit:g} / 2^{exponent}, is below {self.weights.precision.least:g}")
        one = self.tensors[name] * self.unit / 2.0**exponent
        if (one != _power_of_two_below(one)).any():
            self.fail(f"{name} is not a power of two everywhere")
        if one[self.first_ballast :].any():
            self.fail(f"{name} lets the ballast through")
        # As many units as a counter may have, in numbers of the format.
        if (
            one.max() * self.limit > self.weights.precision.greatest
            or (one[one > 0] < self.weights.precision.least).any()
        ):
            self.fail(f"{name} makes a unit too large or too small for {self.weights.precision.name}")
        return one

    # -- sums -----------------------------------------------------------------------------------------

    def sum(self, what: str, products: np.ndarray, point: int) -> None:
        """Bounds the partial sums of coordinates times weights; ``products`` are those of one unit of each
        coordinate.
        """
        used = np.flatnonzero(products)
        if not len(used):
            return
        quantum = float(_lowest_bit(products[used]).min())
        if quantum < self.weights.precision.least or np.abs(products).max() > self.weights.precision.greatest:
            self.fail(f"{what} has products beyond the range of {self.weights.precision.name}")
        fixed, by_counter = 0, 0
        by_group: dict[int, int] = {}
        for c in used.tolist():
            size = int(abs(products[c]) / quantum)
            if c >= self.first_ballast:
                self.fail(f"{what} reads the ballast")
            if self.born[c] > point:
                self.fail(f"{what} reads {self.names[c]!r} before it is written")
            if c in self.layout.integers:
                by_counter += size
            elif c == 0:
                fixed += size
            else:
                by_group[self.group_of[c]] = max(by_group.get(self.group_of[c], 0), size)
        limit = min(self.limit, int(self.weights.precision.greatest / quantum))
        self.bound(what, fixed + sum(by_group.values()), by_counter, limit)

    def bound(self, what: str, fixed: int, by_counter: int = 0, limit: int | None = None) -> None:
        """fixed + by_counter * (a counter's absolute value) must be at most ``limit`` (default: 2^digits) units."""
        self.sums += 1
        self.largest = max(self.largest, fixed)
        limit = self.limit if limit is None else limit
        if fixed + by_counter > limit:
            self.fail(
                f"{what} can add up to {fixed + by_counter} units, and {self.weights.precision.name} is exact up to "
                f"{limit}"
            )
        if by_counter and self.greatest is not None:
            self.greatest = min(self.greatest, (limit - fixed) // by_counter)

    def fail(self, reason: str) -> None:
        raise InputError(f"no certificate of exactness: {reason}")


def _lowest_bit(values: np.ndarray) -> np.ndarray:
    """The greatest power of two that divides each (nonzero) number."""
    mantissa, exponent = np.frexp(np.abs(values))
    whole = (mantissa * 2**53).astype(np.int64)
    return (whole & -whole) * 2.0 ** (exponent - 53)


def _power_of_two_below(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 2.0 ** np.floor(np.log2(np.where(values > 0, values, 1))), 0)
