"""From blocks of named channels to the arrays of a stock Mamba.

With S the scale of :mod:`constructions.mamba.precision`, n the normalised coordinates and c(t) the causal convolution,
a Mamba block does, for each inner channel (Gu and Dao 2023, section 3.4; the names are those of the parameters)::

    [u; z] = in_proj n        x = silu(conv1d(u))        [r; B; C] = x_proj x        delta = softplus(dt_proj r + bias)
    h = exp(-exp(A_log) delta) h + delta B x             y = C h + D x               out_proj (y silu(z))

and a channel of a layout becomes:

==================  ==========================================================================================
its neuron          u = S * (what it reads), constant S * constant in the bias of conv1d: x = S * relu(...)
delayed             the tap of conv1d on the previous position instead of the present one
constant channel    nothing read, bias S: x = S at every position; it makes B = C = 1/S, since x_proj has no bias
a step size         r = 2 * (sum of the neurons that drive it), bias -S: delta is S when one of them fires, else 0
keeps "set"         A = -1: the gate is exp(-S) = 0 when delta = S, else exp(0) = 1; h becomes S * B * x = x, or stays
keeps "sum"         delta = S always, A = -0 (A_log = -1000): gate 1; h grows by S * B * S, with B = amount / S
keeps nothing       delta = 0: h stays 0
skips               D = 1/S, so that y is the neuron; otherwise D = 0 and y = C h, the cell
the output gate     z = S * one: silu(z) = S, taken back by 1/S in out_proj
==================  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automata import limits
from automata.errors import InputError
from automata.machine import ACCEPT, EOS
from constructions.mamba.ballast import Ballast, constant_norm, giant
from constructions.mamba.blocks import Block, Layout
from constructions.mamba.precision import Precision

PAD, BOS_TOKEN, EOS_TOKEN = 0, 1, 2
"""Token numbers; symbol i is token FIRST_SYMBOL + i."""
FIRST_SYMBOL = 3

CONV_KERNEL = 2
STATE_SIZE = 1
LOGIT_WEIGHT = 64
"""Logits are +64 for what is given and -64 for what is not, so that in a softmax the latter have no mass in float32."""

COUNTING_A_LOG = -1000.0


@dataclass(frozen=True)
class MambaWeights:
    """A whole checkpoint as exact numbers.

    Attributes:
        layout: what everything means.
        precision: for which number format the constants were chosen.
        ballast: how the norms are made exact.
        width: d_model, a power of two.
        expand: inner channels per coordinate.
        rank: dt_rank.
        tensors: parameter name (of Hugging Face) -> float64 array, every entry exact in the precision.
    """

    layout: Layout
    precision: Precision
    ballast: Ballast
    width: int
    expand: int
    rank: int
    tensors: dict[str, np.ndarray]

    @property
    def inner(self) -> int:
        """d_inner."""
        return self.width * self.expand

    @property
    def vocabulary(self) -> int:
        return FIRST_SYMBOL + len(self.layout.alphabet)

    @property
    def parameters(self) -> int:
        return sum(tensor.size for tensor in self.tensors.values())

    @property
    def nonzero(self) -> int:
        return sum(int(np.count_nonzero(tensor)) for tensor in self.tensors.values())

    def coordinate_names(self) -> list[str]:
        """A name for each of the d_model coordinates; "" for those that are never used."""
        ballast = [f"ballast {i + 1}" for i in range(len(self.ballast.values[0]))]
        names = [*self.layout.coordinates, *ballast]
        return names + [""] * (self.width - len(names))

    def channel_names(self) -> list[list[str]]:
        """For each block a name for each of the d_inner channels; "" for those that are never used."""
        names = [[channel.name for channel in block.channels] for block in self.layout.blocks]
        return [row + [""] * (self.inner - len(row)) for row in names]


def assemble(layout: Layout, precision: Precision) -> MambaWeights:
    """The arrays for a layout: with a constant norm where it is complete, else with a giant ballast.

    Raises:
        InputError: when a complete layout's ballast is not exact in the precision, or the model would be too wide.
    """
    return _Assembly(layout, precision).build()


class _Assembly:
    def __init__(self, layout: Layout, precision: Precision):
        self.layout, self.precision = layout, precision
        self.scale = float(precision.scale)
        channels = max(len(block.channels) for block in layout.blocks)
        self.width = _power_of_two(len(layout.coordinates) + (4 if layout.complete else 2))
        # Matrices are dense, and grow with the square of the width.
        if limits.exceeded("width", max(self.width, (channels + 1) // 2)):
            found = f"{len(layout.coordinates)} coordinates and {channels} channels in one block"
            raise limits.refusal("width", f"{found} do not fit a d_model of {limits.limit('width')}")
        self.expand = max(2, -(-channels // self.width))
        self.rank = max(1, max(len(block.step_names) for block in layout.blocks))
        self.ballast = (
            self._constant_norm() if layout.complete else giant(precision, len(layout.blocks) + 1, self.width)
        )
        # What stands for 1 after a norm, and the norm's gain that brings it there: 1 itself unless the gain would be
        # too large.
        exact_gain = 2.0**self.ballast.exponent / self.ballast.unit
        self.gain = min(exact_gain, precision.greatest_gain)
        self.one = self.gain / exact_gain
        self.tensors: dict[str, np.ndarray] = {}

    def _constant_norm(self) -> Ballast:
        points = range(len(self.layout.blocks) + 1)
        ballast = constant_norm(
            [1 + sum(born <= point for born, _ in self.layout.groups) for point in points], self.width
        )
        largest = max(abs(value) for values in ballast.values for value in values)
        if largest > 2**self.precision.digits:
            raise InputError(
                f"there is no constant norm in {self.precision.name}: its ballast {largest:.0f} is not exact there"
            )
        return ballast

    def build(self) -> MambaWeights:
        first_ballast = len(self.layout.coordinates)
        unit = self.ballast.unit
        embedding = np.zeros((FIRST_SYMBOL + len(self.layout.alphabet), self.width))
        embedding[:, 0] = unit
        embedding[:, first_ballast : first_ballast + len(self.ballast.values[0])] = self.ballast.values[0]
        symbols = self.layout.symbols
        embedding[np.arange(FIRST_SYMBOL, len(embedding)), symbols[: len(self.layout.alphabet)]] = unit
        # Padding and the end of a word are never read; they look like BOS, which has a coordinate in a complete layout.
        embedding[:FIRST_SYMBOL, symbols[len(self.layout.alphabet) :]] = unit
        self.tensors["backbone.embeddings.weight"] = embedding
        for number, block in enumerate(self.layout.blocks):
            self._block(number, block)
        self.tensors["backbone.norm_f.weight"] = self._norm()
        self.tensors["lm_head.weight"] = self._readout()
        return MambaWeights(self.layout, self.precision, self.ballast, self.width, self.expand, self.rank, self.tensors)

    def _block(self, number: int, block: Block) -> None:
        inner, scale = self.width * self.expand, self.scale
        in_proj = np.zeros((2 * inner, self.width))
        conv, conv_bias = np.zeros((inner, 1, CONV_KERNEL)), np.zeros(inner)
        x_proj = np.zeros((self.rank + 2 * STATE_SIZE, inner))
        dt_proj, dt_bias = np.zeros((inner, self.rank)), np.full(inner, -scale)
        a_log, skip = np.zeros((inner, STATE_SIZE)), np.zeros(inner)
        out_proj = np.zeros((self.width, inner))
        b_row, c_row = self.rank, self.rank + 1
        counts = any(channel.keeps == "sum" for channel in block.channels)
        x_proj[c_row, 0] = 1 / scale**2  # the constant channel is the first
        if not counts:
            x_proj[b_row, 0] = 1 / scale**2
        for i, channel in enumerate(block.channels):
            for coordinate, coefficient in channel.reads.items():
                in_proj[i, coordinate] = coefficient * scale / self.one
            in_proj[inner + i, 0] = scale / self.one
            conv[i, 0, 0 if channel.delayed else 1] = 1
            conv_bias[i] = channel.constant * scale
            if channel.drives >= 0:
                x_proj[channel.drives, i] = 2
            if channel.keeps == "set":
                dt_proj[i, channel.drives] = 1
            if channel.keeps == "sum":
                dt_bias[i] = scale
                a_log[i] = COUNTING_A_LOG
            if channel.skips:
                skip[i] = 1 / scale
            if channel.adds:
                x_proj[b_row, i] = channel.adds / scale**2
            for coordinate, coefficient in channel.writes.items():
                out_proj[coordinate, i] = coefficient * self.ballast.unit / scale
        self._shift_ballast(number, out_proj)
        prefix = f"backbone.layers.{number}"
        self.tensors[f"{prefix}.norm.weight"] = self._norm()
        for name, tensor in (
            ("A_log", a_log),
            ("D", skip),
            ("conv1d.weight", conv),
            ("conv1d.bias", conv_bias),
            ("in_proj.weight", in_proj),
            ("x_proj.weight", x_proj),
            ("dt_proj.weight", dt_proj),
            ("dt_proj.bias", dt_bias),
            ("out_proj.weight", out_proj),
        ):
            self.tensors[f"{prefix}.mixer.{name}"] = tensor

    def _norm(self) -> np.ndarray:
        """The gain of every coordinate that is read; the ballast is not, and might overflow."""
        weight = np.zeros(self.width)
        weight[: len(self.layout.coordinates)] = self.gain
        return weight

    def _shift_ballast(self, number: int, out_proj: np.ndarray) -> None:
        """The constant channel moves the ballast to what the coordinates written by this block need."""
        first = len(self.layout.coordinates)
        before, after = self.ballast.values[number], self.ballast.values[number + 1]
        for i, (old, new) in enumerate(zip(before, after)):
            out_proj[first + i, 0] = (new - old) / self.scale

    def _readout(self) -> np.ndarray:
        """Logits LOGIT * (2 * given - 1); a recogniser's ACCEPT is EOS, and what has no output is never given."""
        readout = np.zeros((FIRST_SYMBOL + len(self.layout.alphabet), self.width))
        readout[:, 0] = -LOGIT_WEIGHT / self.one
        for output, coordinate in zip(self.layout.outputs, self.layout.answers):
            token = EOS_TOKEN if output in (ACCEPT, EOS) else FIRST_SYMBOL + self.layout.alphabet.index(output)
            readout[token, coordinate] = 2 * LOGIT_WEIGHT / self.one
        return readout


def _power_of_two(least: int) -> int:
    return 1 << max(3, (least - 1).bit_length())
