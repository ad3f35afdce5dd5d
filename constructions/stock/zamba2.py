"""Zamba2: the mixer of Mamba-2 in every layer, and a transformer block that layers share, which is idle.

The norm behind a mixer has an epsilon of its own, 1e-5, and norms groups.  With a group for each channel, UNIT^5
becomes exactly 1, as 2^70 + 1e-5 is 2^70 and its root is a power of two, and 0 stays 0; other numbers would become 1 as
well, so nothing is counted.
"""

from __future__ import annotations

import math
from typing import Any, Mapping

import numpy as np

from constructions.program.operations import Accumulate, Program
from constructions.program.planner import Offer
from constructions.stock.arrays import Tensors, around, under
from constructions.stock.gates import Gates, clamped_gates, nonnegative
from constructions.stock.mamba2_mixer import MAMBA2_OPERATIONS, WithMamba2, mamba2_channels, mamba2_mixer
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, UNIT, idle_shared_block, most, round_up, sizes
from constructions.stock.target import StockTarget


class Zamba2(WithMamba2):
    """``Zamba2ForCausalLM``; the shared block stands before the last mixer, which does nothing."""

    name, title = "zamba2", "a stock Zamba2 (Mamba-2 with shared attention, which is idle)"
    offer = Offer((MAMBA2_OPERATIONS - {Accumulate},))

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers, width = len(program.halves), round_up(len(program.coordinates), 8)
        inner = round_up(most(map(mamba2_channels, program.halves)), width)
        config = {
            **sizes(program, width),
            **idle_shared_block(layers),
            "n_mamba_heads": inner,
            "mamba_ngroups": inner,
            "mamba_d_state": 1,
            "mamba_d_conv": 2,
            "mamba_expand": inner // width,
            "chunk_size": 16,
            "adapter_rank": 1,
            # A prefill clamps delta from below, a step does not.
            "time_step_min": 2.0**-100,
            "rms_norm_eps": NORM_EPSILON,
        }
        gain = np.full(width, NORM_GAIN)
        tensors = around(program, width, gain, "model.embed_tokens", "model.final_layernorm")
        for number, half in enumerate(program.halves):
            layer = f"model.layers.{number}."
            mixer = {**mamba2_mixer(half, width, inner, groups=inner, states=1), "norm.weight": np.full(inner, UNIT**5)}
            tensors[layer + "input_layernorm.weight"] = gain
            tensors |= under(layer + "mamba.", mixer)
        return config, tensors

    def gates(self, config: Mapping[str, Any]) -> Gates:
        return clamped_gates(nonnegative(config, "time_step_min", 0.001), math.inf, "time_step_min")


ZAMBA2 = StockTarget(Zamba2())
