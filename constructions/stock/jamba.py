"""Jamba: the first Mamba with an MLP after each mixer, and norms of delta, B and C whose weights undo them."""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import Neuron, Program
from constructions.program.planner import Offer
from constructions.program.selecting import read_registers
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, around, gated_mlp, under
from constructions.stock.mamba1_mixer import MAMBA1_GATE, MAMBA1_OPERATIONS, mamba1_channels, mamba1_mixer, mamba1_sizes
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, most, round_up, sizes
from constructions.stock.target import StockTarget


class Jamba(Architecture):
    """``JambaForCausalLM``: a layer is a mixer and an MLP; one idle attention layer at the end."""

    name, title = "jamba", "a stock Jamba (Mamba with attention, which is idle)"
    gate = MAMBA1_GATE
    offer = Offer((MAMBA1_OPERATIONS, frozenset((Neuron,))), late=True)

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        mixers = program.halves[::2]
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(mamba1_channels, mixers)), width)
        rank = most(len(read_registers(half)) for half in mixers)
        units = most(len(half) for half in program.halves[1::2])
        config = {
            **sizes(program, width),
            "num_hidden_layers": layers + 1,
            "attn_layer_period": layers + 1,
            "attn_layer_offset": layers,
            "expert_layer_period": 10**6,
            "expert_layer_offset": 10**6 - 1,
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "intermediate_size": units,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            **mamba1_sizes(inner, width, rank),
            "rms_norm_eps": NORM_EPSILON,
        }
        gain = np.full(width, NORM_GAIN)
        tensors = around(program, width, gain, "model.embed_tokens", "model.final_layernorm")
        for number, half in enumerate(mixers):
            layer = f"model.layers.{number}."
            gate, up, down = gated_mlp(program.half(2 * number + 1), width, units)
            mlp = {"gate_proj.weight": gate, "up_proj.weight": up, "down_proj.weight": down}
            norms = {
                f"{name}_layernorm.weight": np.full(size, NORM_GAIN)
                for name, size in (("dt", rank), ("b", 1), ("c", 1))
            }
            tensors |= under(layer, {"input_layernorm.weight": gain, "pre_ff_layernorm.weight": gain})
            tensors |= under(layer + "feed_forward.", mlp)
            tensors |= under(layer + "mamba.", {**mamba1_mixer(half, width, inner, rank, 1), **norms})
        return config, tensors


JAMBA = StockTarget(Jamba())
