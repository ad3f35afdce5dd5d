"""Kimi Linear, and Bailing (Ling 2.5): KDA, DeltaNet with a decay for each row of the key."""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Operation
from constructions.stock.arrays import Tensors, remembering, straight, under
from constructions.stock.delta_net import DeltaNet, delta_mixer, flat
from constructions.stock.sizes import NORM_GAIN, UNIT, HeadCount, power_of_four
from constructions.stock.target import StockTarget


class KimiLinear(DeltaNet):
    """``KimiLinearForCausalLM``: KDA, a decay for each row of the key."""

    name, title = "kimi_linear", "a stock Kimi Linear (KDA with attention, which is idle)"

    def value_width(self, cells: int) -> int:
        # Keys and values are equally wide, and the query is divided by the root of that.
        return power_of_four(cells)

    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        return {
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "kv_lora_rank": 4,
            "qk_nope_head_dim": 4,
            "qk_rope_head_dim": 4,
            "v_head_dim": 4,
            "mlp_layer_types": ["dense"] * (layers + 1),
            "linear_num_heads": count,
            "linear_head_dim": values,
            "linear_conv_kernel_dim": 2,
        }

    def key_width(self, values: int) -> int:
        return values

    def mixer(self, half: tuple[Operation, ...], width: int, count: HeadCount, values: int) -> Tensors:
        m = delta_mixer(half, width, count, values, values, UNIT / values**0.5)
        return under(
            "self_attn.",
            {
                "q_proj.weight": flat(m.q),
                "k_proj.weight": flat(m.k),
                "v_proj.weight": flat(m.v),
                "b_proj.weight": m.strength,
                "conv1d.weight": np.concatenate([flat(straight(count, values)), flat(m.conv_k), flat(m.conv_v)]),
                "forget_gate.dt_bias": remembering(count, values),
                "o_norm.weight": np.full(values, NORM_GAIN),
                "o_proj.weight": m.out.reshape(width, -1),
                **self.output_gate(width, count, values),
            },
        )

    def output_gate(self, width: int, count: HeadCount, values: int) -> Tensors:
        """Projections under which sigmoid gives 1."""
        first, second = np.zeros((values, width)), np.zeros((count.all * values, values))
        first[0, CONSTANT_ONE], second[: count.working * values, 0] = UNIT, 1
        return {"g_a_proj.weight": first, "g_b_proj.weight": second}


class BailingHybrid(KimiLinear):
    """``BailingHybridForCausalLM`` (Ling 2.5): KDA with a decay exp(-5 sigmoid(.)), which is 1 here."""

    name, title = "bailing_hybrid", "a stock Bailing hybrid (KDA with attention, which is idle)"
    gate = "a and a (1 - b), with a = exp(-5 sigmoid(...)) and b = sigmoid(...): from 0 to 1"

    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        shape = {name: value for name, value in super().shape(layers, count, values).items() if "linear_" not in name}
        own = {"num_attention_heads": count, "num_key_value_heads": count, "head_dim": values}
        return {**shape, **own, "short_conv_kernel_size": 2, "q_lora_rank": 4, "num_mtp_layers": 0}

    def output_gate(self, width: int, count: HeadCount, values: int) -> Tensors:
        gate = np.zeros((count.all * values, width))
        gate[: count.working * values, CONSTANT_ONE] = UNIT
        return {"g_proj.weight": gate}


KIMI_LINEAR, BAILING_HYBRID = StockTarget(KimiLinear()), StockTarget(BailingHybrid())
