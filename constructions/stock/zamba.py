"""Zamba: the mixer of the first Mamba in every layer, and a transformer block that layers share, which is idle."""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import Program
from constructions.program.planner import Offer
from constructions.program.selecting import read_registers
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, around, under
from constructions.stock.mamba1_mixer import MAMBA1_GATE, MAMBA1_OPERATIONS, mamba1_channels, mamba1_mixer, mamba1_sizes
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, idle_shared_block, most, round_up, sizes
from constructions.stock.target import StockTarget


class Zamba(Architecture):
    """``ZambaForCausalLM`` with one head; the shared block stands before the last mixer, which does nothing."""

    name, title = "zamba", "a stock Zamba (Mamba with shared attention, which is idle)"
    gate = MAMBA1_GATE
    offer = Offer((MAMBA1_OPERATIONS,), late=True)

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers, width = len(program.halves), round_up(len(program.coordinates), 8)
        inner = round_up(most(map(mamba1_channels, program.halves)), width)
        rank = most(len(read_registers(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            **idle_shared_block(layers),
            "n_mamba_heads": 1,
            **mamba1_sizes(inner, width, rank),
            "rms_norm_eps": NORM_EPSILON,
        }
        gain = np.full(width, NORM_GAIN)
        tensors = around(program, width, gain, "model.embed_tokens", "model.final_layernorm")
        for number, half in enumerate(program.halves):
            layer = f"model.layers.{number}."
            tensors[layer + "input_layernorm.weight"] = gain
            tensors |= under(layer + "mamba.", _by_heads(mamba1_mixer(half, width, inner, rank, 1), width))
        return config, tensors


def _by_heads(mixer: Tensors, width: int) -> Tensors:
    """The names and the order of one head: a row of the input is followed by the row of its gate."""
    x, z = np.split(mixer.pop("in_proj.weight"), 2)
    renamed = {name.replace("proj.", "proj_") if name[:2] in ("x_", "dt") else name: a for name, a in mixer.items()}
    return {**renamed, "in_proj.weight": np.stack([x, z], axis=1).reshape(-1, width)}


ZAMBA = StockTarget(Zamba())
