"""The mLSTM of xLSTM (Beck et al. 2024), its gates driven to exactly 0 and 1.

    C = F C + I k v^T,    n = F n + I k,    o = q.C / (max(|q.n|, exp(-m)) + eps),    F = sigmoid(f),    I = exp(i)

i is 0 always, so that m = 0 and I = 1; f = +-512 gives F = 1 or 0.  The heads are normed over their values, the mean
taken off: values come with their negatives.

Hold
    k is the gate: n is 0 or 1, and the denominator 1.
Accumulate
    k = 2^-40 keeps q.n below 1, and on BOS 2^-10, beside which 2^-40 vanishes, so that n stays.
Delay
    There is no convolution.  F = 1/4 exactly, and C = 2^21 + b + b_before / 4, whose last digit drops all that is
    older; three neurons of the same layer's MLP read b_before off it.
"""

from __future__ import annotations

import numpy as np

from constructions.program.operations import BEGINNING, CONSTANT_ONE, Accumulate, Delay, Hold, Neuron, Operation
from constructions.stock.arrays import Tensors, row

_FORGET = 512.0
_BASE = 2.0**21
"""What a Delay's memory is always at: its last digit is 1/4."""

_QUARTER = -1.098612666130066
"""exp(logsigmoid(1024 tanh(x / 1024))) is exactly 1/4 in float32 for this x."""

_DECODED = ((0, 1), (2, -2), (4, 2))
"""b_before = relu(4 y) - 2 relu(4 y - 2) + 2 relu(4 y - 4) for y = b + b_before / 4: less, weight."""


def decoders(raw: dict[int, int]) -> list[Neuron]:
    """The neurons that read the value before off each Delay's memory."""
    return [
        Neuron({place: 4, CONSTANT_ONE: -4 * int(_BASE) - less}, {writes: weight})
        for writes, place in raw.items()
        for less, weight in _DECODED
    ]


def mlstm(half: tuple[Operation, ...], width: int, count: int, size: int, raw: dict[int, int]) -> Tensors:
    """One mLSTM of ``count`` heads; ``raw`` has the coordinate that each Delay writes to."""
    q, k, v = (np.zeros((count, size, width)) for _ in range(3))
    forget, bias, out = np.zeros((count, width)), np.full(count, _FORGET), np.zeros((width, count, size))
    opened = np.zeros((count * size, width))
    opened[:, CONSTANT_ONE] = _FORGET
    q[:, 0, CONSTANT_ONE] = size**0.5
    for number, operation in enumerate(half):
        if isinstance(operation, Hold):
            k[number, 0] = row(operation.gate, width)
            forget[number] = row(operation.gate, width, -2 * _FORGET)
            values = operation.cells
            for place, (value, coordinate) in enumerate(values):
                v[number, 2 * place] = row(value, width)
                out[coordinate, number, 2 * place] = 1
        elif isinstance(operation, Accumulate):
            k[number, 0, CONSTANT_ONE], k[number, 0, BEGINNING] = 2.0**-40, 2.0**-10
            v[number, 0] = row(operation.up, width, 2.0**40) - row(operation.down, width, 2.0**40)
            out[operation.writes, number, 0] = 1
        elif isinstance(operation, Delay):
            bias[number], k[number, 0, CONSTANT_ONE] = _QUARTER, 2.0**-20
            # Three quarters of the base at every step, the whole of it at the first: it is always there.
            v[number, 0] = row(operation.reads, width, 2.0**20)
            v[number, 0] += row({CONSTANT_ONE: 3, BEGINNING: 1}, width, _BASE / 4 * 2.0**20)
            out[raw[operation.writes], number, 0] = 1
    v[:, 1::2] = -v[:, ::2]
    return {
        "q.weight": q.reshape(-1, width),
        "k.weight": k.reshape(-1, width),
        "v.weight": v.reshape(-1, width),
        "ogate_preact.weight": opened,
        "fgate_preact.weight": forget,
        "fgate_preact.bias": bias,
        "out_proj.weight": out.reshape(width, -1),
    }
