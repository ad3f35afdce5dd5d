"""The mixer of the first Mamba (Gu & Dao 2023), as models of other names have it.

``mamba`` itself has a lowering of its own, which puts a neuron and the memory that it feeds into one channel
(:mod:`constructions.mamba`); here every operation has its channel.  delta is read from the convolution's output, so a
gate channel carries a register's gate through it, and with the convolution one step late the same gives the values
before the step.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Delay, Hold, Neuron, Operation
from constructions.program.selecting import read_registers
from constructions.stock.arrays import Tensors, row
from constructions.stock.sizes import UNIT

MAMBA1_OPERATIONS = frozenset((Hold, Delay, Neuron))
"""What one mixer does."""

MAMBA1_GATE = "exp(-softplus(...) exp(A)), from 0 to 1"


def mamba1_channels(half: tuple[Operation, ...]) -> int:
    """One for the constants, one for each gate, cell, neuron and delay."""
    others = sum(not isinstance(operation, Hold) for operation in half)
    return 1 + others + sum(1 + len(read.cells) for read in read_registers(half))


def mamba1_sizes(inner: int, width: int, rank: int) -> dict[str, Any]:
    """The part of a configuration that is the mixer's, by the names that hybrids give it."""
    return {
        "mamba_d_state": 1,
        "mamba_d_conv": 2,
        "mamba_expand": inner // width,
        "mamba_dt_rank": rank,
        "mamba_conv_bias": True,
        "mamba_proj_bias": False,
    }


def mamba1_mixer(half: tuple[Operation, ...], width: int, inner: int, rank: int, divided: float) -> Tensors:
    """One mixer; its norms divide delta, B and C by ``divided``."""
    u, z, conv, conv_bias = np.zeros((inner, width)), np.zeros((inner, width)), np.zeros((inner, 1, 2)), np.zeros(inner)
    z[:, CONSTANT_ONE], conv[:, 0, 1], conv_bias[0] = UNIT, 1, UNIT
    x, delta, skip = np.zeros((rank + 2, inner)), np.zeros((inner, rank)), np.zeros(inner)
    out = np.zeros((width, inner))
    # B and C are read from the constant channel, which is UNIT.
    b = 1 / divided if divided > 1 else 1 / UNIT
    x[rank:, 0] = 1 / UNIT if divided > 1 else 1 / UNIT**2
    held = UNIT * b * b
    one = UNIT * held * UNIT  # what the output of a 1 is: x (delta B C or D) silu(z)
    channel = 1
    for number, read in enumerate(read_registers(half)):
        u[channel], conv[channel, 0], x[number, channel] = row(read.gate, width, UNIT), read.taps, 2
        channel += 1
        for value, coordinate in read.cells:
            u[channel], conv[channel, 0] = row(value, width, UNIT), read.taps
            delta[channel, number] = divided
            out[coordinate, channel] = 1 / one
            channel += 1
    for operation in half:
        if isinstance(operation, (Neuron, Delay)):
            u[channel], skip[channel] = row(operation.reads, width, UNIT), held
            if isinstance(operation, Delay):
                conv[channel, 0] = (1, 0)
                out[operation.writes, channel] = 1 / one
            else:
                for coordinate, multiple in operation.writes.items():
                    out[coordinate, channel] = multiple / one
            channel += 1
    return {
        "in_proj.weight": np.concatenate([u, z]),
        "conv1d.weight": conv,
        "conv1d.bias": conv_bias,
        "x_proj.weight": x,
        "dt_proj.weight": delta,
        "dt_proj.bias": np.full(inner, -UNIT),
        "D": skip,
        "out_proj.weight": out,
    }
