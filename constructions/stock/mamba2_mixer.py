"""The mixer of Mamba-2 (Dao & Gu 2024), which stands alone and in many hybrids.

A channel is a head of width 1, of whose state one number is used: x = silu(conv(u)) is a neuron, and its own delta =
softplus(W n + b) is linear in the stream, since it does not pass the convolution.  B, C and the output gate are
constants, and 0 where a state has more numbers.

=========  ==========  ==============================================================
operation  delta       what it does
=========  ==========  ==============================================================
Hold       0 or UNIT   gate exp(-UNIT) = 0 and x is taken, or gate 1 and nothing is
Neuron     UNIT        a cell that is always set
Delay      UNIT        the same behind a convolution that looks one step back
Accumulate      UNIT        A = -exp(-1000) = 0: gate 1; x = silu(+-2^-30 n) = +-2^-31 n
=========  ==========  ==============================================================

Neurons and delays are cells that are always set, so that where a clamp keeps delta from being 0 nothing is left behind:
on a hold x is 0.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Accumulate, Delay, Hold, Neuron, Operation
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, row
from constructions.stock.gates import Gates, clamped_gates, interval
from constructions.stock.sizes import UNIT

WIDE_EPSILON, WIDE_GAIN = 2.0**100, 2.0**50
"""As :data:`~constructions.stock.sizes.NORM_EPSILON`: the inner norm sees numbers of size UNIT^5."""

HEAD_STATES = 4
"""Numbers of a state where all heads have one B and one C, so that with these the convolved channels are a multiple of
:data:`~constructions.stock.sizes.KERNEL_CHANNELS`.
"""

MAMBA2_OPERATIONS = frozenset((Hold, Delay, Neuron, Accumulate))
"""What one mixer does."""


def mamba2_channels(half: tuple[Operation, ...]) -> int:
    return sum(len(operation.cells) if isinstance(operation, Hold) else 1 for operation in half)


def mamba2_mixer(
    half: tuple[Operation, ...], width: int, inner: int, groups: int = 1, states: int = HEAD_STATES
) -> Tensors:
    """One mixer whose ``inner`` heads, in so many groups and with so many numbers in a state, do the operations of this
    half.
    """
    z, x, bc, dt = (np.zeros((rows, width)) for rows in (inner, inner, 2 * groups * states, inner))
    z[:, CONSTANT_ONE] = bc[::states, CONSTANT_ONE] = UNIT
    conv = np.zeros((inner + 2 * groups * states, 1, 2))
    conv[:inner, 0, 1] = conv[inner::states, 0, 1] = 1
    bias, a_log, out = np.full(inner, -UNIT), np.zeros(inner), np.zeros((width, inner))
    # What the output of a 1 is: delta B x C silu(z), each UNIT.
    one = UNIT**5
    channel = 0
    for operation in half:
        if isinstance(operation, Hold):
            for value, coordinate in operation.cells:
                x[channel] = row(value, width, UNIT)
                dt[channel] = row(operation.gate, width, 2 * UNIT)
                out[coordinate, channel] = 1 / one
                channel += 1
            continue
        bias[channel] = UNIT
        if isinstance(operation, Accumulate):
            x[channel] = row(operation.up, width, 2.0**-30) - row(operation.down, width, 2.0**-30)
            a_log[channel] = -1000
            out[operation.writes, channel] = 2.0**31 * UNIT / one
        elif isinstance(operation, Delay):
            x[channel], conv[channel, 0] = row(operation.reads, width, UNIT), (1, 0)
            out[operation.writes, channel] = 1 / one
        else:
            assert isinstance(operation, Neuron), "the planner puts nothing else here"
            x[channel] = row(operation.reads, width, UNIT)
            for coordinate, multiple in operation.writes.items():
                out[coordinate, channel] = multiple / one
        channel += 1
    return {
        "in_proj.weight": np.concatenate([z, x, bc, dt]),
        "conv1d.weight": conv,
        "dt_bias": bias,
        "A_log": a_log,
        "norm.weight": np.full(inner, WIDE_GAIN),
        "out_proj.weight": out,
    }


class WithMamba2(Architecture):
    """What all have in common: delta may be clamped."""

    gate = "exp(-softplus(...) exp(A)), from 0 to 1"
    clamp = "time_step_limit"

    def gates(self, config: Mapping[str, Any]) -> Gates:
        return clamped_gates(*interval(config, self.clamp), self.clamp)
