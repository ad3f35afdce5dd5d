"""Gated DeltaNet (Yang et al. 2024) and KDA with a write strength below 1: Qwen3-Next, Qwen3.5, Kimi Linear, Bailing.

    S = a (S - b k (k . S)) + b k v,
    k = silu(conv(.)) / |silu(conv(.))|,    b = sigmoid(.),    a = exp(-softplus(.) ...)

The gate of a register is the key: k is 1 or 0, b = sigmoid(UNIT) = 1, a = 1, so that S becomes v or stays.  Keys and
values pass the convolution, so a second head behind a convolution that looks one step back has the values before the
step.

A counter needs S + n: with b = sigmoid(-41.5), about 2^-60, and v so large that b v is n, the difference v - S is v,
and S grows by b v exactly.

A layer is {Hold, Delay, Accumulate} and {Neuron}; one idle attention layer at the end, without which transformers
cannot decode.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

import numpy as np

from constructions.program.operations import (
    CONSTANT_ONE,
    Accumulate,
    Delay,
    Hold,
    LinearForm,
    Neuron,
    Operation,
    Program,
)
from constructions.program.planner import Offer
from constructions.stock.architecture import (
    NORM,
    UNIT,
    Architecture,
    Tensors,
    decoder,
    most,
    neurons,
    power_of_four,
    round_up,
    row,
    sizes,
    under,
)
from constructions.stock.target import StockTarget
from constructions.target import CONTRACTION

_EPSILON, _GAIN = 2.0 ** (2 * NORM), 2.0**NORM

_FAINT, _STRONG = -41.5, float.fromhex("0x1.d47aeep+59")
"""sigmoid of the one times the other is exactly 1 in float32."""


class Head(NamedTuple):
    """What one head does: the gate, the values with the coordinates that they are written to, and whether it is one
    step late.
    """

    gate: LinearForm
    cells: tuple[tuple[LinearForm, int], ...]
    late: bool = False


def heads(half: tuple[Operation, ...]) -> list[Head]:
    """The heads of a half, counters left out."""
    found = []
    for operation in half:
        if isinstance(operation, Hold):
            found.append(Head(operation.gate, operation.cells))
            if operation.late:
                cells = tuple((value, late) for (value, _), late in zip(operation.cells, operation.late))
                found.append(Head(operation.gate, cells, late=True))
        elif isinstance(operation, Delay):
            found.append(Head({CONSTANT_ONE: 1}, ((operation.reads, operation.writes),), late=True))
    return found


def _counts(half: tuple[Operation, ...]) -> list[Accumulate]:
    return [operation for operation in half if isinstance(operation, Accumulate)]


class _Mixer(NamedTuple):
    """A mixer's parts by heads: (heads, key or value width, stream), convolutions (…, 2), output (stream, heads, value
    width).
    """

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    strength: np.ndarray
    conv_k: np.ndarray
    conv_v: np.ndarray
    out: np.ndarray


def _mixer(half: tuple[Operation, ...], width: int, count: int, keys: int, values: int, unread: float) -> _Mixer:
    """The heads of a half; ``unread`` is what the output of a cell of 1 is multiplied by, to be undone."""
    q, k, v = np.zeros((count, keys, width)), np.zeros((count, keys, width)), np.zeros((count, values, width))
    conv_k, conv_v = np.zeros((count, keys, 1, 2)), np.zeros((count, values, 1, 2))
    conv_k[..., 1] = conv_v[..., 1] = 1
    strength, out = np.zeros((count, width)), np.zeros((width, count, values))
    strength[:, CONSTANT_ONE] = UNIT
    q[:, 0, CONSTANT_ONE] = UNIT
    for number, found in enumerate(heads(half)):
        if found.late:
            conv_k[number, :, 0], conv_v[number, :, 0] = (1, 0), (1, 0)
        k[number, 0] = row(found.gate, width, UNIT)
        for place, (value, coordinate) in enumerate(found.cells):
            v[number, place] = row(value, width, UNIT)
            out[coordinate, number, place] = 1 / unread
    return _Mixer(q, k, v, strength, conv_k, conv_v, out)


def _flat(array: np.ndarray) -> np.ndarray:
    """Heads and their rows as one axis."""
    return array.reshape(-1, *array.shape[2:])


class _DeltaNet(Architecture):
    """What these models share: an MLP after each mixer, and the ends of the model."""

    gate = "a and a (1 - b), with a = exp(-softplus(...)) and b = sigmoid(...): from 0 to 1"
    motion = CONTRACTION
    offer = Offer((frozenset((Hold, Delay)), frozenset((Neuron,))), late=True)
    dtypes = ("float32", "bfloat16", "float64")

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        width = round_up(len(program.coordinates), 8)
        count = most(len(heads(half)) + len(_counts(half)) for half in program.halves)
        values = self.value_width(most(len(found.cells) for half in program.halves for found in heads(half)))
        units = most(len(neurons(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "intermediate_size": units,
            "num_hidden_layers": layers + 1,
            "layer_types": ["linear_attention"] * layers + ["full_attention"],
            "rms_norm_eps": _EPSILON,
            **self.shape(layers, count, values),
        }
        tensors = decoder(program, width, units, np.full(width, _GAIN))
        for number in range(layers):
            layer = f"model.layers.{number}."
            tensors |= under(layer, self.mixer(program.half(2 * number), width, count, values))
        return config, tensors

    def value_width(self, cells: int) -> int:
        """The width of a head that has room for so many cells."""
        return cells

    @abstractmethod
    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        """What is particular in the configuration."""

    @abstractmethod
    def mixer(self, half: tuple[Operation, ...], width: int, count: int, values: int) -> Tensors:
        """The mixer's tensors."""


class Qwen3Next(_DeltaNet):
    """``Qwen3NextForCausalLM`` with dense MLPs; its projections are fused."""

    name, title = "qwen3_next", "a stock Qwen3-Next (gated DeltaNet with attention, which is idle)"
    offer = Offer((frozenset((Hold, Delay, Accumulate)), frozenset((Neuron,))), late=True)

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        if dtype != "float32":
            self.refuse_counts(program, dtype)
        return super().weights(program, dtype)

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

    def mixer(self, half: tuple[Operation, ...], width: int, count: int, values: int) -> Tensors:
        m = _mixer(half, width, count, 1, values, UNIT * UNIT)
        for number, counter in enumerate(_counts(half), start=len(heads(half))):
            m.strength[number], m.k[number, 0, CONSTANT_ONE] = row({CONSTANT_ONE: 1}, width, _FAINT), UNIT
            # The state counts in units of 2^-90, since silu halves what is close to 0 and does nothing else to it.
            unit = _STRONG * 2.0**-89
            m.v[number, 0] = row(counter.up, width, unit) - row(counter.down, width, unit)
            m.out[counter.writes, number, 0] = 2.0**90 / UNIT
        z = np.zeros((count, values, width))
        z[..., CONSTANT_ONE] = UNIT
        straight = np.zeros_like(m.conv_k)
        straight[..., 1] = 1
        return under("linear_attn.", self.tensors(m, z, straight, width))

    def tensors(self, m: _Mixer, z: np.ndarray, straight: np.ndarray, width: int) -> Tensors:
        """The mixer's tensors by their names."""
        count = len(m.strength)
        return {
            "in_proj_qkvz.weight": _flat(np.concatenate([m.q, m.k, m.v, z], axis=1)),
            "in_proj_ba.weight": np.stack([m.strength, 0 * m.strength], axis=1).reshape(-1, width),
            "conv1d.weight": np.concatenate([_flat(straight), _flat(m.conv_k), _flat(m.conv_v)]),
            "dt_bias": np.full(count, -UNIT),
            "norm.weight": np.full(z.shape[1], _GAIN),
            "out_proj.weight": m.out.reshape(width, -1),
        }


class Qwen35(Qwen3Next):
    """``Qwen3_5ForCausalLM``: the same mixer, its projections apart."""

    name, title = "qwen3_5_text", "a stock Qwen3.5 (gated DeltaNet with attention, which is idle)"

    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        return {name: value for name, value in super().shape(layers, count, values).items() if name != "num_experts"}

    def tensors(self, m: _Mixer, z: np.ndarray, straight: np.ndarray, width: int) -> Tensors:
        found = super().tensors(m, z, straight, width)
        del found["in_proj_qkvz.weight"], found["in_proj_ba.weight"]
        return {
            **found,
            "in_proj_qkv.weight": np.concatenate([_flat(m.q), _flat(m.k), _flat(m.v)]),
            "in_proj_z.weight": _flat(z),
            "in_proj_b.weight": m.strength,
            "in_proj_a.weight": 0 * m.strength,
        }


class KimiLinear(_DeltaNet):
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

    def mixer(self, half: tuple[Operation, ...], width: int, count: int, values: int) -> Tensors:
        m = _mixer(half, width, count, values, values, UNIT / values**0.5)
        straight = np.zeros_like(m.conv_k)
        straight[..., 1] = 1
        return under(
            "self_attn.",
            {
                "q_proj.weight": _flat(m.q),
                "k_proj.weight": _flat(m.k),
                "v_proj.weight": _flat(m.v),
                "b_proj.weight": m.strength,
                "conv1d.weight": np.concatenate([_flat(straight), _flat(m.conv_k), _flat(m.conv_v)]),
                "forget_gate.dt_bias": np.full(count * values, -UNIT),
                "o_norm.weight": np.full(values, _GAIN),
                "o_proj.weight": m.out.reshape(width, -1),
                **self.output_gate(width, count, values),
            },
        )

    def output_gate(self, width: int, count: int, values: int) -> Tensors:
        """Projections under which sigmoid gives 1."""
        first, second = np.zeros((values, width)), np.zeros((count * values, values))
        first[0, CONSTANT_ONE], second[:, 0] = UNIT, 1
        return {"g_a_proj.weight": first, "g_b_proj.weight": second}


class BailingHybrid(KimiLinear):
    """``BailingHybridForCausalLM`` (Ling 2.5): KDA with a decay exp(-5 sigmoid(.)), which is 1 here."""

    name, title = "bailing_hybrid", "a stock Bailing hybrid (KDA with attention, which is idle)"
    gate = "a and a (1 - b), with a = exp(-5 sigmoid(...)) and b = sigmoid(...): from 0 to 1"

    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        shape = {name: value for name, value in super().shape(layers, count, values).items() if "linear_" not in name}
        own = {"num_attention_heads": count, "num_key_value_heads": count, "head_dim": values}
        return {**shape, **own, "short_conv_kernel_size": 2, "q_lora_rank": 4, "num_mtp_layers": 0}

    def output_gate(self, width: int, count: int, values: int) -> Tensors:
        gate = np.zeros((count * values, width))
        gate[:, CONSTANT_ONE] = UNIT
        return {"g_proj.weight": gate}


QWEN3_NEXT, QWEN3_5, KIMI_LINEAR, BAILING_HYBRID = map(
    StockTarget, (Qwen3Next(), Qwen35(), KimiLinear(), BailingHybrid())
)
