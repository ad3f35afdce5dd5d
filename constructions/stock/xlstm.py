"""xLSTM (Beck et al. 2024): a layer is an mLSTM and an MLP.

``gate_soft_cap`` is 1024, since at its default of 15 no gate is 0.  The chunkwise kernel multiplies gates by adding
logarithms, which is inexact for the 1/4 of a Delay, so ``chunk_size`` is such that the sequential kernel runs.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from constructions.program.operations import (
    Accumulate,
    Delay,
    Hold,
    Neuron,
    Program,
)
from constructions.program.planner import Offer
from constructions.program.selecting import neurons
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, around, gated_mlp, under
from constructions.stock.gates import Gates, nonnegative, sigmoid_gates
from constructions.stock.mlstm_mixer import decoders, mlstm
from constructions.stock.sizes import most, power_of_four, round_up, sizes
from constructions.stock.target import StockTarget

_NORM = 50
_EPSILON, _GAIN = 2.0 ** (2 * _NORM), 2.0**_NORM


class XLSTM(Architecture):
    """``xLSTMForCausalLM``: a layer is an mLSTM and an MLP."""

    name, title = "xlstm", "a stock xLSTM (mLSTM)"
    gate = "sigmoid(c tanh(f / c)) with c the gate_soft_cap, from 0 to 1"
    offer = Offer((frozenset((Hold, Delay, Accumulate)), frozenset((Neuron,))), delay=2)
    # transformers casts to a format of its own choice before its kernels, of which only float32 is exact.
    dtypes = ("float32",)
    cache_argument = "cache_params"
    attends = False
    otherwise = "a string of chunk_size tokens or more is read in chunks, by another kernel than shorter ones"

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
        tensors = around(program, width, gain, "backbone.embeddings", "backbone.out_norm")
        for number in range(layers):
            layer = f"backbone.blocks.{number}."
            here = {writes: place for (half, writes), place in raw.items() if half == 2 * number}
            mlp = gated_mlp((*program.half(2 * number + 1), *decoders(here)), width, units)
            names = ("ffn.proj_up_gate.weight", "ffn.proj_up.weight", "ffn.proj_down.weight")
            tensors |= under(layer, {"norm_mlstm.weight": gain, "norm_ffn.weight": gain, **dict(zip(names, mlp))})
            mixed = mlstm(program.half(2 * number), width, count, size, here)
            tensors |= under(layer + "mlstm_layer.", {**mixed, "multihead_norm.weight": gain})
        return config, tensors

    def gates(self, config: Mapping[str, Any]) -> Gates:
        name = "gate_soft_cap"
        return sigmoid_gates(None if config.get(name, 15.0) is None else nonnegative(config, name, 15.0), name)

    def states(self, model: Any, cache: Any) -> list[list[Any]]:
        return [list(cache.rnn_state[layer]) for layer in sorted(cache.rnn_state)]

    def counts_of_steps(self, cache: Any) -> list[Any]:
        return [cache.seqlen_offset]


XLSTM_TARGET = StockTarget(XLSTM())
