"""The time mix and the channel mix of RWKV-4 (Peng et al. 2023): how a constant decay holds for ever.

The time mix keeps (num, den, m): sums of values weighted by exp(k_t - w (now - t)), and the greatest exponent m.  A
write must outweigh all that is older, and a hold must weigh nothing.  In float32 the decay is absorbed:

    write k = -2^32 + 2^9,    hold k = -2^32 - 2^12,    w = 200:
    m goes from -2^32 + 2^9 to -2^32 + 2^8 to -2^32, and stays,

as 200 is less than half a unit there.  So a write is ahead of any older one by at least 256, a hold is behind by at
least 2^12 - 2^9, and exp of either is 0, at every length.  ``time_first`` of 2^9 reads the value after the step, of
-2^60 before it.  BOS writes 0, as the denominator must not be 0.
"""

from __future__ import annotations

import numpy as np

from constructions.program.operations import BEGINNING, CONSTANT_ONE, LinearForm, Operation
from constructions.program.selecting import neurons, read_registers
from constructions.stock.arrays import Tensors, row
from constructions.stock.sizes import UNIT

BIAS = 1024.0
"""Of the norms: beside it nothing is left of the noise on zeros."""

_WRITE, _HOLD = -(2.0**32) + 2.0**9, -(2.0**32) - 2.0**12
_DECAY = float(np.float32(np.log(200)))
_NOW, _BEFORE = 2.0**9, -(2.0**60)


def written_cells(half: tuple[Operation, ...]) -> list[tuple[LinearForm, LinearForm, int, float]]:
    """One for each cell: the gate, the value, the coordinate, ``time_first``."""
    return [
        ({**read.gate, BEGINNING: read.gate.get(BEGINNING, 0) + 1}, value, coordinate, _BEFORE if read.late else _NOW)
        for read in read_registers(half)
        for value, coordinate in read.cells
    ]


def _row(form: LinearForm, width: int, scale: float = 1.0, constant: float = 0.0) -> np.ndarray:
    """A form of normed coordinates, each of which has the bias of the norm, but for the one that is always 1."""
    weights = row(form, width, scale)
    weights[CONSTANT_ONE] += constant - BIAS * scale * sum(
        multiple for c, multiple in form.items() if c != CONSTANT_ONE
    )
    return weights


def time_mix(half: tuple[Operation, ...], width: int) -> Tensors:
    """The registers of a half."""
    key, value, receptance, out = (np.zeros((width, width)) for _ in range(4))
    receptance[:, CONSTANT_ONE] = UNIT
    first = np.zeros(width)
    for channel, (gate, now, coordinate, when) in enumerate(written_cells(half)):
        key[channel] = _row(gate, width, _WRITE - _HOLD, _HOLD)
        value[channel] = _row(now, width)
        first[channel] = when
        out[coordinate, channel], out[width // 2 + coordinate, channel] = 1, -1
    ones = np.ones(width)
    return {
        "time_decay": np.full(width, _DECAY),
        "time_first": first,
        **{f"time_mix_{name}": ones for name in ("key", "value", "receptance")},
        "key.weight": key,
        "value.weight": value,
        "receptance.weight": receptance,
        "output.weight": out,
    }


def channel_mix(half: tuple[Operation, ...], width: int, units: int) -> Tensors:
    """The neurons of a half, whose ReLU is squared."""
    key, value, receptance = np.zeros((units, width)), np.zeros((width, units)), np.zeros((width, width))
    receptance[:, CONSTANT_ONE] = UNIT
    for unit, neuron in enumerate(neurons(half)):
        key[unit] = _row(neuron.reads, width)
        for coordinate, multiple in neuron.writes.items():
            value[coordinate, unit], value[width // 2 + coordinate, unit] = multiple, -multiple
    ones = np.ones(width)
    return {
        **{f"time_mix_{name}": ones for name in ("key", "receptance")},
        "key.weight": key,
        "value.weight": value,
        "receptance.weight": receptance,
    }
