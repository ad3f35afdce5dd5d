"""OLMo-hybrid: gated DeltaNet that reflects, and so every group is had.

A layer is {Hold, Delay, Flip, Swap} and {Neuron}; one idle attention layer at the end.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from automata.errors import InputError
from constructions.program.operations import Delay, Flip, Hold, Neuron, Program, Swap
from constructions.program.planner import Offer
from constructions.program.selecting import ReadRegister, neurons
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, decoder, under
from constructions.stock.delta_net import HeadThatReads, reflecting_heads
from constructions.stock.gates import Gates
from constructions.stock.reflections import ReflectingMixer, ballast_columns
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, heads_for_kernels, most, power_of_four, round_up, sizes
from constructions.stock.target import StockTarget
from constructions.target import REFLECTION


class OlmoHybrid(Architecture):
    """``OlmoHybridForCausalLM``, with one idle attention layer at the end."""

    name, title = "olmo_hybrid", "a stock OLMo-hybrid (gated DeltaNet with reflections; attention is idle)"
    gate = "a and a (1 - b), with b = 2 sigmoid(...): from -1 to 1"
    motion = REFLECTION
    offer = Offer((frozenset((Hold, Delay, Flip, Swap)), frozenset((Neuron,))), late=True)
    dtypes = ("float32",)

    def gates(self, config: Mapping[str, Any]) -> Gates:
        name = "linear_allow_neg_eigval"
        allowed = config.get(name, True)
        if not isinstance(allowed, bool):
            raise InputError(f"{name} is {str(allowed)[:40]!r}, expected true or false")
        return Gates(-1.0 if allowed else 0.0, notes={name: "b goes up to 2" if allowed else "b stays below 1"})

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        width = round_up(len(program.coordinates), 8)
        every = [reflecting_heads(half) for half in program.halves]
        registers = [found.register.values for half in every for found in half if isinstance(found, HeadThatReads)]
        keys = power_of_four(2 * max(registers) + 4) if registers else 1
        cells = most(len(found.cells) for half in every for found in half if isinstance(found, ReadRegister))
        values = 2
        while values < cells + ballast_columns(values):
            values *= 2
        count = heads_for_kernels(most(map(len, every)), 2 * keys + values)
        units = most(len(neurons(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "intermediate_size": units,
            "num_hidden_layers": layers + 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "layer_types": ["linear_attention"] * layers + ["full_attention"],
            "linear_num_key_heads": count.all,
            "linear_num_value_heads": count.all,
            "linear_key_head_dim": keys,
            "linear_value_head_dim": values,
            "linear_conv_kernel_dim": 2,
            "linear_allow_neg_eigval": True,
            "rms_norm_eps": NORM_EPSILON,
        }
        tensors = decoder(program, width, units, np.full(width, NORM_GAIN))
        for number in range(layers):
            layer = f"model.layers.{number}."
            mixer = ReflectingMixer(width, count, keys, values)
            mixer.fill(reflecting_heads(program.half(2 * number)))
            tensors |= under(layer + "linear_attn.", mixer.tensors())
        return config, tensors


OLMO_HYBRID = StockTarget(OlmoHybrid())
