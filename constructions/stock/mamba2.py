"""Mamba-2 alone: every layer is a mixer."""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import Program
from constructions.program.planner import Offer
from constructions.stock.arrays import Tensors, around, under
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


class Mamba2(WithMamba2):
    """``Mamba2ForCausalLM``: every layer is a mixer."""

    name = "mamba2"
    title = "a stock Mamba-2"
    offer = Offer((MAMBA2_OPERATIONS,))
    cache_argument = "cache_params"
    attends = False

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(mamba2_channels, program.halves)), width)
        config = {
            **sizes(program, width),
            "num_hidden_layers": len(program.halves),
            "expand": inner // width,
            "num_heads": inner,
            "head_dim": 1,
            "state_size": HEAD_STATES,
            "n_groups": 1,
            "conv_kernel": 2,
            "chunk_size": 16,
            "use_conv_bias": True,
            "use_bias": False,
            "layer_norm_epsilon": WIDE_EPSILON,
            "residual_in_fp32": True,
            "rms_norm": True,
        }
        gain = np.full(width, WIDE_GAIN)
        tensors = around(program, width, gain, "backbone.embeddings", "backbone.norm_f")
        for number, half in enumerate(program.halves):
            layer = f"backbone.layers.{number}."
            tensors[layer + "norm.weight"] = gain
            tensors |= under(layer + "mixer.", mamba2_mixer(half, width, inner))
        return config, tensors


MAMBA2 = StockTarget(Mamba2())
