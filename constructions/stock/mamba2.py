"""Mamba-2 (Dao & Gu 2024), alone and in the hybrids that have its mixer.

A channel is a head of width 1 with a state of size 1: x = silu(conv(u)) is a neuron, and its own delta = softplus(W n +
b) is linear in the stream, since it does not pass the convolution.  B, C and the output gate are constants.

=========  ==========  ==============================================================
operation  delta       what it does
=========  ==========  ==============================================================
Hold       0 or UNIT   gate exp(-UNIT) = 0 and x is taken, or gate 1 and nothing is
Neuron     UNIT        a cell that is always set
Delay      UNIT        the same behind a convolution that looks one step back
Accumulate      UNIT        A = -exp(-1000) = 0: gate 1; x = silu(+-2^-30 n) = +-2^-31 n
=========  ==========  ==============================================================

Neurons and delays are cells that are always set, so that where a clamp keeps delta from being 0 nothing is left behind:
on a hold x is 0.
"""

from __future__ import annotations

import math
from typing import Any, Mapping

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Accumulate, Delay, Hold, Neuron, Operation, Program
from constructions.program.planner import Offer
from constructions.stock.architecture import (
    UNIT,
    Architecture,
    Tensors,
    embedding,
    gated_mlp,
    head,
    most,
    round_up,
    row,
    sizes,
    under,
)
from constructions.stock.gates import Gates, clamped_gates, interval, nonnegative
from constructions.stock.target import StockTarget

_NORM = 50
"""As :data:`~constructions.stock.architecture.NORM`: the inner norm sees numbers of size UNIT^5."""

_EPSILON, _GAIN = 2.0 ** (2 * _NORM), 2.0**_NORM

_MIXER = frozenset((Hold, Delay, Neuron, Accumulate))


def _channels(half: tuple[Operation, ...]) -> int:
    return sum(len(operation.cells) if isinstance(operation, Hold) else 1 for operation in half)


def _mixer(half: tuple[Operation, ...], width: int, inner: int) -> Tensors:
    """One mixer whose ``inner`` heads do the operations of this half."""
    z, x, bc, dt = (np.zeros((rows, width)) for rows in (inner, inner, 2, inner))
    z[:, CONSTANT_ONE] = bc[:, CONSTANT_ONE] = UNIT
    conv = np.zeros((inner + 2, 1, 2))
    conv[:, 0, 1] = 1
    bias, a_log, out = np.full(inner, -UNIT), np.zeros(inner), np.zeros((width, inner))
    # What the output of a 1 is: delta B x C silu(z), each UNIT.
    one = UNIT**5
    channel = 0
    for operation in half:
        if isinstance(operation, Hold):
            for value, coordinate in operation.cells:
                x[channel] = row(value, width, UNIT)
                dt[channel] = row(operation.gate, width, 2 * UNIT)
                out[coordinate, channel] = 1 / one
                channel += 1
            continue
        bias[channel] = UNIT
        if isinstance(operation, Accumulate):
            x[channel] = row(operation.up, width, 2.0**-30) - row(operation.down, width, 2.0**-30)
            a_log[channel] = -1000
            out[operation.writes, channel] = 2.0**31 * UNIT / one
        elif isinstance(operation, Delay):
            x[channel], conv[channel, 0] = row(operation.reads, width, UNIT), (1, 0)
            out[operation.writes, channel] = 1 / one
        else:
            assert isinstance(operation, Neuron), "the planner puts nothing else here"
            x[channel] = row(operation.reads, width, UNIT)
            for coordinate, multiple in operation.writes.items():
                out[coordinate, channel] = multiple / one
        channel += 1
    return {
        "in_proj.weight": np.concatenate([z, x, bc, dt]),
        "conv1d.weight": conv,
        "dt_bias": bias,
        "A_log": a_log,
        "norm.weight": np.full(inner, _GAIN),
        "out_proj.weight": out,
    }


class _Family(Architecture):
    """What all have in common: delta may be clamped."""

    gate = "exp(-softplus(...) exp(A)), from 0 to 1"
    clamp = "time_step_limit"

    def gates(self, config: Mapping[str, Any]) -> Gates:
        return clamped_gates(*interval(config, self.clamp), self.clamp)


class Mamba2(_Family):
    """``Mamba2ForCausalLM``: every layer is a mixer."""

    name = "mamba2"
    title = "a stock Mamba-2"
    offer = Offer((_MIXER,))
    cache_argument = "cache_params"
    attends = False

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(_channels, program.halves)), width)
        config = {
            **sizes(program, width),
            "num_hidden_layers": len(program.halves),
            "expand": inner // width,
            "num_heads": inner,
            "head_dim": 1,
            "state_size": 1,
            "n_groups": 1,
            "conv_kernel": 2,
            "chunk_size": 16,
            "use_conv_bias": True,
            "use_bias": False,
            "layer_norm_epsilon": _EPSILON,
            "residual_in_fp32": True,
            "rms_norm": True,
        }
        tensors = {
            "backbone.embeddings.weight": embedding(program, width),
            "backbone.norm_f.weight": np.full(width, _GAIN),
            "lm_head.weight": head(program, width),
        }
        for number, half in enumerate(program.halves):
            layer = f"backbone.layers.{number}."
            tensors[layer + "norm.weight"] = np.full(width, _GAIN)
            tensors |= under(layer + "mixer.", _mixer(half, width, inner))
        return config, tensors


class _Hybrid(_Family):
    """A layer is a mixer and an MLP; one idle attention layer at the end, without which transformers cannot decode."""

    offer = Offer((_MIXER, frozenset((Neuron,))))
    final_norm = "model.final_layernorm.weight"
    embeddings = "model.embed_tokens.weight"

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(_channels, program.halves[::2])), width)
        units = most(len(half) for half in program.halves[1::2])
        config = {
            **sizes(program, width),
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "intermediate_size": units,
            **self.shape(layers, width, inner, units),
        }
        tensors = {
            self.embeddings: embedding(program, width),
            "lm_head.weight": head(program, width),
            self.final_norm: np.full(width, _GAIN),
        }
        for number in range(layers):
            mixer = _mixer(program.half(2 * number), width, inner)
            mlp = gated_mlp(program.half(2 * number + 1), width, units)
            tensors |= self.layer(number, np.full(width, _GAIN), mixer, *mlp)
        return config, tensors

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        """What is particular in the configuration."""
        return {
            "rms_norm_eps": _EPSILON,
            "num_hidden_layers": layers + 1,
            "mamba_n_heads": inner,
            "mamba_d_head": 1,
            "mamba_d_state": 1,
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


class Bamba(_Hybrid):
    name, title = "bamba", "a stock Bamba (Mamba-2 with attention, which is idle)"

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        return {**super().shape(layers, width, inner, units), "attn_layer_indices": [layers]}


class GraniteHybrid(_Hybrid):
    name, title = "granitemoehybrid", "a stock Granite 4 hybrid (Mamba-2 with attention, which is idle)"
    final_norm = "model.norm.weight"

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


class FalconH1(_Hybrid):
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


class NemotronH(_Hybrid):
    """Mixers and MLPs are layers of their own; the MLP squares its ReLU, and has no gate."""

    name, title = "nemotron_h", "a stock Nemotron-H (Mamba-2 with attention, which is idle)"
    # A squared neuron is right for 0 and 1 only, so no counter is compared with a bound.
    offer = Offer((_MIXER - {Accumulate}, frozenset((Neuron,))))
    final_norm, embeddings = "model.norm_f.weight", "model.embeddings.weight"

    def gates(self, config: Mapping[str, Any]) -> Gates:
        # What its configuration calls time_step_limit is not read by transformers 5.23.
        return clamped_gates(nonnegative(config, "time_step_min", 0.001), math.inf, "time_step_min")

    def shape(self, layers: int, width: int, inner: int, units: int) -> dict[str, Any]:
        return {
            "num_hidden_layers": 2 * layers + 1,
            "layers_block_type": ["mamba", "mlp"] * layers + ["attention"],
            "layer_norm_epsilon": _EPSILON,
            "mamba_num_heads": inner,
            "mamba_head_dim": 1,
            "ssm_state_size": 1,
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


MAMBA2, BAMBA, GRANITE, FALCON_H1, NEMOTRON_H = map(
    StockTarget, (Mamba2(), Bamba(), GraniteHybrid(), FalconH1(), NemotronH())
)
