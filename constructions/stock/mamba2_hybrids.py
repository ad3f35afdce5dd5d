"""Hybrids of Mamba-2 and attention, which is idle: Bamba, Granite 4, Falcon-H1."""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import Neuron, Program
from constructions.program.planner import Offer
from constructions.stock.arrays import Tensors, around, gated_mlp, under
from constructions.stock.mamba2_mixer import (
    HEAD_STATES,
    MAMBA2_OPERATIONS,
    WIDE_EPSILON,
    WIDE_GAIN,
    WithMamba2,
    mamba2_channels,
    mamba2_mixer,
)
from constructions.stock.sizes import most, round_up, sizes
from constructions.stock.target import StockTarget


class Mamba2AndMLP(WithMamba2):
    """A layer is a mixer and an MLP; one idle attention layer at the end, without which transformers cannot decode."""

    offer = Offer((MAMBA2_OPERATIONS, frozenset((Neuron,))))
    final_norm = "model.final_layernorm"
    embeddings = "model.embed_tokens"

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(mamba2_channels, program.halves[::2])), width)
        units = most(len(half) for half in program.halves[1::2])
        config = {
            **sizes(program, width),
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "intermediate_size": units,
            **self.shape(layers, width, inner, units),
        }
        gain = np.full(width, WIDE_GAIN)
        tensors = around(program, width, gain, self.embeddings, self.final_norm)
        for number in range(layers):
            mixed = mamba2_mixer(program.half(2 * number), width, inner)
            mlp = gated_mlp(program.half(2 * number + 1), width, units)
            tensors |= self.layer(number, gain, mixed, *mlp)
        return config, tensors

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        """What is particular in the configuration."""
        return {
            "rms_norm_eps": WIDE_EPSILON,
            "num_hidden_layers": layers + 1,
            "mamba_n_heads": inner,
            "mamba_d_head": 1,
            "mamba_d_state": HEAD_STATES,
            "mamba_n_groups": 1,
            "mamba_d_conv": 2,
            "mamba_expand": inner // width,
            "mamba_chunk_size": 16,
            "mamba_conv_bias": True,
            "mamba_proj_bias": False,
        }

    def layer(
        self, number: int, gain: np.ndarray, mixer: Tensors, gate: np.ndarray, up: np.ndarray, down: np.ndarray
    ) -> Tensors:
        """The tensors of one layer, by their names."""
        names = {"input_layernorm.weight": gain, "pre_ff_layernorm.weight": gain, **under("mamba.", mixer)}
        mlp = {"gate_proj.weight": gate, "up_proj.weight": up, "down_proj.weight": down}
        return under(f"model.layers.{number}.", {**names, **under("feed_forward.", mlp)})


class Bamba(Mamba2AndMLP):
    name, title = "bamba", "a stock Bamba (Mamba-2 with attention, which is idle)"

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        return {**super().shape(layers, width, inner, units), "attn_layer_indices": [layers]}


class GraniteHybrid(Mamba2AndMLP):
    name, title = "granitemoehybrid", "a stock Granite 4 hybrid (Mamba-2 with attention, which is idle)"
    final_norm = "model.norm"

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        kinds = ["mamba"] * layers + ["attention"]
        own = {"layer_types": kinds, "num_local_experts": 0, "shared_intermediate_size": units}
        return {**super().shape(layers, width, inner, units), **own}

    def layer(
        self, number: int, gain: np.ndarray, mixer: Tensors, gate: np.ndarray, up: np.ndarray, down: np.ndarray
    ) -> Tensors:
        mlp = {"input_linear.weight": np.concatenate([gate, up]), "output_linear.weight": down}
        norms = {"input_layernorm.weight": gain, "post_attention_layernorm.weight": gain}
        return under(f"model.layers.{number}.", {**norms, **under("mamba.", mixer), **under("shared_mlp.", mlp)})


class FalconH1(Mamba2AndMLP):
    """Attention stands beside the mixer in every layer."""

    name, title = "falcon_h1", "a stock Falcon-H1 (Mamba-2 beside attention, which is idle)"

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        own = {
            "num_hidden_layers": layers,
            "mamba_d_ssm": inner,
            "mamba_rms_norm": True,
            "mamba_norm_before_gate": False,
        }
        return {**super().shape(layers, width, inner, units), **own}


BAMBA, GRANITE, FALCON_H1 = map(StockTarget, (Bamba(), GraniteHybrid(), FalconH1()))
