"""xLSTM (Beck et al. 2024): the mLSTM, its gates driven to exactly 0 and 1.

    C = F C + I k v^T,    n = F n + I k,    o = q.C / (max(|q.n|, exp(-m)) + eps),    F = sigmoid(f),    I = exp(i)

i is 0 always, so that m = 0 and I = 1; f = +-512 gives F = 1 or 0, for which ``gate_soft_cap`` is 1024 (at its default
of 15 no gate is 0).  The heads are normed over their values, the mean taken off: values come with their negatives.

Hold
    k is the gate: n is 0 or 1, and the denominator 1.
Accumulate
    k = 2^-40 keeps q.n below 1, and on BOS 2^-10, beside which 2^-40 vanishes, so that n stays.
Delay
    There is no convolution.  F = 1/4 exactly, and C = 2^21 + b + b_before / 4, whose last digit drops all that is
    older; three neurons of the same layer's MLP read b_before off it.  The chunkwise kernel multiplies gates by adding
    logarithms, which is inexact for 1/4, so ``chunk_size`` is such that the sequential kernel runs.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from constructions.program.operations import (
    BEGINNING,
    CONSTANT_ONE,
    Accumulate,
    Delay,
    Hold,
    Neuron,
    Operation,
    Program,
)
from constructions.program.planner import Offer
from constructions.stock.architecture import (
    Architecture,
    Tensors,
    embedding,
    gated_mlp,
    head,
    most,
    neurons,
    power_of_four,
    round_up,
    row,
    sizes,
    under,
)
from constructions.stock.gates import Gates, nonnegative, sigmoid_gates
from constructions.stock.target import StockTarget

_NORM = 50
_EPSILON, _GAIN = 2.0 ** (2 * _NORM), 2.0**_NORM
_FORGET = 512.0
_BASE = 2.0**21
"""What a Delay's memory is always at: its last digit is 1/4."""

_QUARTER = -1.098612666130066
"""exp(logsigmoid(1024 tanh(x / 1024))) is exactly 1/4 in float32 for this x."""

_DECODED = ((4, 0, 1), (2, 1, -4), (2, 2, 4))
"""b_before = relu(4 y) - 4 relu(2 y - 1) + 4 relu(2 y - 2) for y = b + b_before / 4: factor, less, weight."""


class XLSTM(Architecture):
    """``xLSTMForCausalLM``: a layer is an mLSTM and an MLP."""

    name, title = "xlstm", "a stock xLSTM (mLSTM)"
    gate = "sigmoid(c tanh(f / c)) with c the gate_soft_cap, from 0 to 1"
    offer = Offer((frozenset((Hold, Delay, Accumulate)), frozenset((Neuron,))), delay=2)
    # transformers casts to a format of its own choice before its kernels, of which only float32 is exact.
    dtypes = ("float32",)
    cache_argument = "cache_params"
    attends = False

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        halves, layers = program.halves, -(-len(program.halves) // 2)
        delays = [(number, op) for number, half in enumerate(halves) for op in half if isinstance(op, Delay)]
        # Each Delay writes to a coordinate of its own, from which it is decoded.
        raw = {(number, op.writes): len(program.coordinates) + place for place, (number, op) in enumerate(delays)}
        cells = most(len(op.cells) for half in halves for op in half if isinstance(op, Hold))
        count = most(len(half) for half in halves[::2])
        size = power_of_four(max(4, 2 * cells))
        width = round_up(max(len(program.coordinates) + len(raw), count * size), 64)
        count = width // size
        units = round_up(
            most(
                len(neurons(program.half(2 * n + 1))) + 3 * sum(number == 2 * n for number, _ in delays)
                for n in range(layers)
            ),
            8,
        )
        config = {
            **sizes(program, width),
            "embedding_dim": width,
            "num_hidden_layers": layers,
            "num_blocks": layers,
            "num_heads": count,
            "qk_dim_factor": 1.0,
            "v_dim_factor": 1.0,
            "use_bias": False,
            "norm_eps": _EPSILON,
            "eps": 2.0**-100,
            "gate_soft_cap": 1024.0,
            "output_logit_soft_cap": 1024.0,
            "ffn_proj_factor": units / width,
            "ffn_round_up_to_multiple_of": 8,
            "chunk_size": 2**20 if raw else 16,
            "autocast_kernel_dtype": dtype,
            "inference_state_dtype": dtype,
            "mode": "inference",
            "weight_mode": "single",
            "add_out_norm": True,
        }
        del config["hidden_act"]
        gain = np.full(width, _GAIN)
        tensors = {
            "backbone.embeddings.weight": embedding(program, width),
            "backbone.out_norm.weight": gain,
            "lm_head.weight": head(program, width),
        }
        for number in range(layers):
            layer = f"backbone.blocks.{number}."
            here = {writes: place for (half, writes), place in raw.items() if half == 2 * number}
            mlp = gated_mlp((*program.half(2 * number + 1), *_decoders(here)), width, units)
            names = ("ffn.proj_up_gate.weight", "ffn.proj_up.weight", "ffn.proj_down.weight")
            tensors |= under(layer, {"norm_mlstm.weight": gain, "norm_ffn.weight": gain, **dict(zip(names, mlp))})
            mixer = _mixer(program.half(2 * number), width, count, size, here)
            tensors |= under(layer + "mlstm_layer.", {**mixer, "multihead_norm.weight": gain})
        return config, tensors

    def gates(self, config: Mapping[str, Any]) -> Gates:
        name = "gate_soft_cap"
        return sigmoid_gates(None if config.get(name, 15.0) is None else nonnegative(config, name, 15.0), name)

    def states(self, model: Any, cache: Any) -> list[list[Any]]:
        return [list(cache.rnn_state[layer]) for layer in sorted(cache.rnn_state)]


def _decoders(raw: dict[int, int]) -> list[Neuron]:
    """The neurons that read the value before off each Delay's memory."""
    return [
        Neuron({place: factor, CONSTANT_ONE: -int(factor * _BASE) - less}, {writes: weight})
        for writes, place in raw.items()
        for factor, less, weight in _DECODED
    ]


def _mixer(half: tuple[Operation, ...], width: int, count: int, size: int, raw: dict[int, int]) -> Tensors:
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


XLSTM_TARGET = StockTarget(XLSTM())
