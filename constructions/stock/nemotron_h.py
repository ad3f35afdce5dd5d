"""Nemotron-H: Mamba-2, with MLPs that square and are layers of their own."""

from __future__ import annotations

import math
from typing import Any, Mapping

import numpy as np

from constructions.program.operations import Accumulate, Neuron
from constructions.program.planner import Offer
from constructions.stock.arrays import Tensors, under
from constructions.stock.gates import Gates, clamped_gates, nonnegative
from constructions.stock.mamba2_hybrids import Mamba2AndMLP
from constructions.stock.mamba2_mixer import HEAD_STATES, MAMBA2_OPERATIONS, WIDE_EPSILON
from constructions.stock.sizes import UNIT
from constructions.stock.target import StockTarget


class NemotronH(Mamba2AndMLP):
    """Mixers and MLPs are layers of their own; the MLP squares its ReLU, and has no gate."""

    name, title = "nemotron_h", "a stock Nemotron-H (Mamba-2 with attention, which is idle)"
    # A squared neuron is right for 0 and 1 only, so no counter is compared with a bound.
    offer = Offer((MAMBA2_OPERATIONS - {Accumulate}, frozenset((Neuron,))))
    final_norm, embeddings = "model.norm_f", "model.embeddings"

    def gates(self, config: Mapping[str, Any]) -> Gates:
        # What its configuration calls time_step_limit is not read by transformers 5.23.
        return clamped_gates(nonnegative(config, "time_step_min", 0.001), math.inf, "time_step_min")

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        return {
            "num_hidden_layers": 2 * layers + 1,
            "layers_block_type": ["mamba", "mlp"] * layers + ["attention"],
            "layer_norm_epsilon": WIDE_EPSILON,
            "mamba_num_heads": inner,
            "mamba_head_dim": 1,
            "ssm_state_size": HEAD_STATES,
            "n_groups": 1,
            "conv_kernel": 2,
            "chunk_size": 16,
            "expand": inner // width,
            "use_conv_bias": True,
            "mlp_hidden_act": "relu2",
            # A prefill clamps delta from below, a step does not.
            "time_step_min": 2.0**-100,
            "head_dim": 8,
        }

    def layer(
        self, number: int, gain: np.ndarray, mixer: Tensors, gate: np.ndarray, up: np.ndarray, down: np.ndarray
    ) -> Tensors:
        first, second = f"model.layers.{2 * number}.", f"model.layers.{2 * number + 1}."
        mlp = {"up_proj.weight": gate / UNIT, "down_proj.weight": down * UNIT}
        mixed = {"norm.weight": gain, **under("mixer.", mixer)}
        return {**under(first, mixed), **under(second, {"norm.weight": gain, **under("mixer.", mlp)})}


NEMOTRON_H = StockTarget(NemotronH())
