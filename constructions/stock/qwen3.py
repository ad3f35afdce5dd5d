"""Qwen3-Next and Qwen3.5: gated DeltaNet, which counts too.

A counter needs S + n: with b = sigmoid(-41.5), about 2^-60, and v so large that b v is n, the difference v - S is v,
and S grows by b v exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Accumulate, Delay, Hold, Neuron, Operation
from constructions.program.planner import Offer
from constructions.program.selecting import counters
from constructions.stock.arrays import Tensors, remembering, row, straight, under
from constructions.stock.delta_net import DeltaNet, Mixer, delta_mixer, flat, heads
from constructions.stock.sizes import NORM_GAIN, UNIT, HeadCount
from constructions.stock.target import StockTarget

_FAINT, _STRONG = -41.5, float.fromhex("0x1.d47aeep+59")
"""sigmoid of the one times the other is exactly 1 in float32."""


class Qwen3Next(DeltaNet):
    """``Qwen3NextForCausalLM`` with dense MLPs; its projections are fused."""

    name, title = "qwen3_next", "a stock Qwen3-Next (gated DeltaNet with attention, which is idle)"
    offer = Offer((frozenset((Hold, Delay, Accumulate)), frozenset((Neuron,))), late=True)
    counts_in = ("float32",)

    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        return {
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "linear_num_key_heads": count,
            "linear_num_value_heads": count,
            "linear_key_head_dim": 1,
            "linear_value_head_dim": values,
            "linear_conv_kernel_dim": 2,
            "num_experts": 0,
        }

    def key_width(self, values: int) -> int:
        return 1

    def mixer(self, half: tuple[Operation, ...], width: int, count: HeadCount, values: int) -> Tensors:
        m = delta_mixer(half, width, count, 1, values, UNIT * UNIT)
        for number, counter in enumerate(counters(half), start=len(heads(half))):
            m.strength[number], m.k[number, 0, CONSTANT_ONE] = row({CONSTANT_ONE: 1}, width, _FAINT), UNIT
            # The state counts in units of 2^-90, since silu halves what is close to 0 and does nothing else to it.
            unit = _STRONG * 2.0**-89
            m.v[number, 0] = row(counter.up, width, unit) - row(counter.down, width, unit)
            m.out[counter.writes, number, 0] = 2.0**90 / UNIT
        z = np.zeros((count.all, values, width))
        z[: count.working, :, CONSTANT_ONE] = UNIT
        return under("linear_attn.", self.tensors(m, z, count, width))

    def tensors(self, m: Mixer, z: np.ndarray, count: HeadCount, width: int) -> Tensors:
        """The mixer's tensors by their names."""
        return {
            "in_proj_qkvz.weight": flat(np.concatenate([m.q, m.k, m.v, z], axis=1)),
            "in_proj_ba.weight": np.stack([m.strength, 0 * m.strength], axis=1).reshape(-1, width),
            "conv1d.weight": np.concatenate([flat(straight(count, 1)), flat(m.conv_k), flat(m.conv_v)]),
            "dt_bias": remembering(count),
            "norm.weight": np.full(z.shape[1], NORM_GAIN),
            "out_proj.weight": m.out.reshape(width, -1),
        }


class Qwen35(Qwen3Next):
    """``Qwen3_5ForCausalLM``: the same mixer, its projections apart."""

    name, title = "qwen3_5_text", "a stock Qwen3.5 (gated DeltaNet with attention, which is idle)"

    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        return {name: value for name, value in super().shape(layers, count, values).items() if name != "num_experts"}

    def tensors(self, m: Mixer, z: np.ndarray, count: HeadCount, width: int) -> Tensors:
        found = super().tensors(m, z, count, width)
        del found["in_proj_qkvz.weight"], found["in_proj_ba.weight"]
        return {
            **found,
            "in_proj_qkv.weight": np.concatenate([flat(m.q), flat(m.k), flat(m.v)]),
            "in_proj_z.weight": flat(z),
            "in_proj_b.weight": m.strength,
            "in_proj_a.weight": 0 * m.strength,
        }


QWEN3_NEXT, QWEN3_5 = StockTarget(Qwen3Next()), StockTarget(Qwen35())
