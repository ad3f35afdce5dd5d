"""Falcon-Mamba: the first Mamba with norms of delta, B and C that have no weights.

With an epsilon of 2^60 each is divided by 2^30, which is undone behind it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import Program
from constructions.program.planner import Offer
from constructions.program.selecting import read_registers
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, around, under
from constructions.stock.mamba1_mixer import MAMBA1_GATE, MAMBA1_OPERATIONS, mamba1_channels, mamba1_mixer
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, most, round_up, sizes
from constructions.stock.target import StockTarget


class FalconMamba(Architecture):
    """``FalconMambaForCausalLM``: every layer is a mixer."""

    name, title = "falcon_mamba", "a stock Falcon-Mamba"
    gate = MAMBA1_GATE
    offer = Offer((MAMBA1_OPERATIONS,), late=True)
    cache_argument = "cache_params"
    attends = False

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(mamba1_channels, program.halves)), width)
        rank = most(len(read_registers(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "num_hidden_layers": len(program.halves),
            "state_size": 1,
            "expand": inner // width,
            "intermediate_size": inner,
            "conv_kernel": 2,
            "time_step_rank": rank,
            "layer_norm_epsilon": NORM_EPSILON,
            "mixer_rms_eps": NORM_EPSILON,
            "use_bias": False,
            "use_conv_bias": True,
            "residual_in_fp32": True,
        }
        gain = np.full(width, NORM_GAIN)
        tensors = around(program, width, gain, "backbone.embeddings", "backbone.norm_f")
        for number, half in enumerate(program.halves):
            layer = f"backbone.layers.{number}."
            tensors[layer + "norm.weight"] = gain
            tensors |= under(layer + "mixer.", mamba1_mixer(half, width, inner, rank, NORM_GAIN))
        return config, tensors


FALCON_MAMBA = StockTarget(FalconMamba())
