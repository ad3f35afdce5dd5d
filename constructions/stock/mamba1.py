"""The mixer of the first Mamba (Gu & Dao 2023) in models of other names: Falcon-Mamba and Jamba.

``mamba`` itself has a lowering of its own, which puts a neuron and the memory that it feeds into one channel
(:mod:`constructions.mamba`); here every operation has its channel.  delta is read from the convolution's output, so a
gate channel carries a register's gate through it, and with the convolution one step late the same gives the values
before the step.

Falcon-Mamba norms delta, B and C without weights: with epsilon 2^(2 NORM) each is divided by 2^NORM, which is undone
behind it. Jamba norms them with weights, which are such that nothing is changed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Delay, Hold, LinearForm, Neuron, Operation, Program
from constructions.program.planner import Offer
from constructions.stock.architecture import (
    NORM,
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
from constructions.stock.target import StockTarget

_EPSILON, _GAIN = 2.0 ** (2 * NORM), 2.0**NORM

_MIXER = frozenset((Hold, Delay, Neuron))

CopiedCell = tuple[LinearForm, list[tuple[LinearForm, int]], tuple[int, int]]
"""A register as it is read at one time: its gate, its values with their coordinates, the convolution."""


def _copies(half: tuple[Operation, ...]) -> list[CopiedCell]:
    found: list[CopiedCell] = []
    for operation in half:
        if isinstance(operation, Hold):
            found.append((operation.gate, list(operation.cells), (0, 1)))
            if operation.late:
                late = [(value, coordinate) for (value, _), coordinate in zip(operation.cells, operation.late)]
                found.append((operation.gate, late, (1, 0)))
    return found


def _channels(half: tuple[Operation, ...]) -> int:
    """One for the constants, one for each gate, cell, neuron and delay."""
    others = sum(not isinstance(operation, Hold) for operation in half)
    return 1 + others + sum(1 + len(cells) for _, cells, _ in _copies(half))


def _mixer(half: tuple[Operation, ...], width: int, inner: int, rank: int, divided: float) -> Tensors:
    """One mixer; its norms divide delta, B and C by ``divided``."""
    u, z, conv, conv_bias = np.zeros((inner, width)), np.zeros((inner, width)), np.zeros((inner, 1, 2)), np.zeros(inner)
    z[:, CONSTANT_ONE], conv[:, 0, 1], conv_bias[0] = UNIT, 1, UNIT
    x, delta, skip = np.zeros((rank + 2, inner)), np.zeros((inner, rank)), np.zeros(inner)
    out = np.zeros((width, inner))
    # B and C are read from the constant channel, which is UNIT.
    b = 1 / divided if divided > 1 else 1 / UNIT
    x[rank:, 0] = 1 / UNIT if divided > 1 else 1 / UNIT**2
    held = UNIT * b * b
    one = UNIT * held * UNIT  # what the output of a 1 is: x (delta B C or D) silu(z)
    channel = 1
    for number, (gate, cells, taps) in enumerate(_copies(half)):
        u[channel], conv[channel, 0], x[number, channel] = row(gate, width, UNIT), taps, 2
        channel += 1
        for value, coordinate in cells:
            u[channel], conv[channel, 0] = row(value, width, UNIT), taps
            delta[channel, number] = divided
            out[coordinate, channel] = 1 / one
            channel += 1
    for operation in half:
        if isinstance(operation, (Neuron, Delay)):
            u[channel], skip[channel] = row(operation.reads, width, UNIT), held
            if isinstance(operation, Delay):
                conv[channel, 0] = (1, 0)
                out[operation.writes, channel] = 1 / one
            else:
                for coordinate, multiple in operation.writes.items():
                    out[coordinate, channel] = multiple / one
            channel += 1
    return {
        "in_proj.weight": np.concatenate([u, z]),
        "conv1d.weight": conv,
        "conv1d.bias": conv_bias,
        "x_proj.weight": x,
        "dt_proj.weight": delta,
        "dt_proj.bias": np.full(inner, -UNIT),
        "D": skip,
        "out_proj.weight": out,
    }


class FalconMamba(Architecture):
    """``FalconMambaForCausalLM``: every layer is a mixer."""

    name, title = "falcon_mamba", "a stock Falcon-Mamba"
    gate = "exp(-softplus(...) exp(A)), from 0 to 1"
    offer = Offer((_MIXER,), late=True)
    cache_argument = "cache_params"
    attends = False

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(_channels, program.halves)), width)
        rank = most(len(_copies(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "num_hidden_layers": len(program.halves),
            "state_size": 1,
            "expand": inner // width,
            "intermediate_size": inner,
            "conv_kernel": 2,
            "time_step_rank": rank,
            "layer_norm_epsilon": _EPSILON,
            "mixer_rms_eps": _EPSILON,
            "use_bias": False,
            "use_conv_bias": True,
            "residual_in_fp32": True,
        }
        gain = np.full(width, _GAIN)
        tensors = {
            "backbone.embeddings.weight": embedding(program, width),
            "backbone.norm_f.weight": gain,
            "lm_head.weight": head(program, width),
        }
        for number, half in enumerate(program.halves):
            layer = f"backbone.layers.{number}."
            tensors[layer + "norm.weight"] = gain
            tensors |= under(layer + "mixer.", _mixer(half, width, inner, rank, _GAIN))
        return config, tensors


class Jamba(Architecture):
    """``JambaForCausalLM``: a layer is a mixer and an MLP; one idle attention layer at the end."""

    name, title = "jamba", "a stock Jamba (Mamba with attention, which is idle)"
    gate = FalconMamba.gate
    offer = Offer((_MIXER, frozenset((Neuron,))), late=True)

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        mixers = program.halves[::2]
        width = round_up(len(program.coordinates), 8)
        inner = round_up(most(map(_channels, mixers)), width)
        rank = most(len(_copies(half)) for half in mixers)
        units = most(len(half) for half in program.halves[1::2])
        config = {
            **sizes(program, width),
            "num_hidden_layers": layers + 1,
            "attn_layer_period": layers + 1,
            "attn_layer_offset": layers,
            "expert_layer_period": 10**6,
            "expert_layer_offset": 10**6 - 1,
            "num_experts": 2,
            "num_experts_per_tok": 1,
            "intermediate_size": units,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "mamba_d_state": 1,
            "mamba_d_conv": 2,
            "mamba_expand": inner // width,
            "mamba_dt_rank": rank,
            "mamba_conv_bias": True,
            "mamba_proj_bias": False,
            "rms_norm_eps": _EPSILON,
        }
        gain = np.full(width, _GAIN)
        tensors = {
            "model.embed_tokens.weight": embedding(program, width),
            "model.final_layernorm.weight": gain,
            "lm_head.weight": head(program, width),
        }
        for number, half in enumerate(mixers):
            layer = f"model.layers.{number}."
            gate, up, down = gated_mlp(program.half(2 * number + 1), width, units)
            mlp = {"gate_proj.weight": gate, "up_proj.weight": up, "down_proj.weight": down}
            norms = {
                f"{name}_layernorm.weight": np.full(size, _GAIN) for name, size in (("dt", rank), ("b", 1), ("c", 1))
            }
            tensors |= under(layer, {"input_layernorm.weight": gain, "pre_ff_layernorm.weight": gain})
            tensors |= under(layer + "feed_forward.", mlp)
            tensors |= under(layer + "mamba.", {**_mixer(half, width, inner, rank, 1), **norms})
        return config, tensors


FALCON_MAMBA, JAMBA = StockTarget(FalconMamba()), StockTarget(Jamba())
