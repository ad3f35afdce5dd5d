"""RWKV-4 (Peng et al. 2023): a decay that is the same at every step, made to hold for ever by rounding.

The time mix keeps (num, den, m): sums of values weighted by exp(k_t - w (now - t)), and the greatest exponent m.  A
write must outweigh all that is older, and a hold must weigh nothing.  In float32 the decay is absorbed:

    write k = -2^32 + 2^9,    hold k = -2^32 - 2^12,    w = 200:
    m goes from -2^32 + 2^9 to -2^32 + 2^8 to -2^32, and stays,

as 200 is less than half a unit there.  So a write is ahead of any older one by at least 256, a hold is behind by at
least 2^12 - 2^9, and exp of either is 0, at every length.  ``time_first`` of 2^9 reads the value after the step, of
-2^60 before it.  BOS writes 0, as the denominator must not be 0.

Its norms take the mean off: coordinates come with their negatives.  torch's running mean leaves about 1e-8 on zeros,
which a bias of 1024 rounds away and which forms take off again; ``ln_out`` has an epsilon of its own, so that the
logits have a factor, inexact but positive.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from constructions.program.operations import BEGINNING, CONSTANT_ONE, Hold, LinearForm, Neuron, Operation, Program
from constructions.program.planner import Offer
from constructions.stock.architecture import (
    NORM,
    UNIT,
    Architecture,
    Tensors,
    embedding,
    head,
    layer_number,
    most,
    neurons,
    round_up,
    row,
    sizes,
    under,
)
from constructions.stock.gates import Gates
from constructions.stock.target import StockTarget

_BIAS = 1024.0
_WRITE, _HOLD = -(2.0**32) + 2.0**9, -(2.0**32) - 2.0**12
_DECAY = float(np.float32(np.log(200)))
_NOW, _BEFORE = 2.0**9, -(2.0**60)


def _copies(half: tuple[Operation, ...]) -> list[tuple[LinearForm, LinearForm, int, float]]:
    """One channel each: the gate, the value, the coordinate, ``time_first``."""
    found: list[tuple[LinearForm, LinearForm, int, float]] = []
    for operation in half:
        if isinstance(operation, Hold):
            gate: LinearForm = {**operation.gate, BEGINNING: operation.gate.get(BEGINNING, 0) + 1}
            found += [(gate, value, coordinate, _NOW) for value, coordinate in operation.cells]
            found += [(gate, value, late, _BEFORE) for (value, _), late in zip(operation.cells, operation.late)]
    return found


class RWKV4(Architecture):
    """``RwkvForCausalLM``: a layer is a time mix and a channel mix, whose ReLU is squared."""

    name, title = "rwkv", "a stock RWKV-4"
    gate = "exp(-w), from 0 to 1, the same at every step"
    offer = Offer((frozenset((Hold,)), frozenset((Neuron,))), late=True)
    dtypes = ("float32",)
    cache_argument = "state"
    attends = False
    # One-token decoding of several strings broadcasts wrongly in transformers 5.23.
    most_rows = 1

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = max(2, -(-len(program.halves) // 2))  # its initialisation divides by one less
        channels = most(len(_copies(half)) for half in program.halves)
        half_width = max(round_up(len(program.coordinates), 8), round_up(channels, 16) // 2)
        width = 2 * half_width
        units = most(len(neurons(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "attention_hidden_size": width,
            "intermediate_size": units,
            "num_hidden_layers": layers,
            "context_length": 1024,
            "layer_norm_epsilon": 2.0 ** (2 * NORM),
            "rescale_every": 0,
        }
        del config["hidden_act"]
        gain, bias = np.full(width, 2.0**NORM), np.full(width, _BIAS)
        bias[CONSTANT_ONE], bias[half_width:] = 0, 0
        tensors = {
            "rwkv.embeddings.weight": _mirrored(embedding(program, width), half_width),
            "rwkv.blocks.0.pre_ln.weight": gain,
            "rwkv.ln_out.weight": np.ones(width),
            "head.weight": _mirrored(head(program, width), half_width),
        }
        for number in range(layers):
            layer = f"rwkv.blocks.{number}."
            norms = {f"ln{n}.{what}": tensor for n in (1, 2) for what, tensor in (("weight", gain), ("bias", bias))}
            tensors |= under(layer, norms)
            tensors |= under(layer + "attention.", _time_mix(program.half(2 * number), width))
            tensors |= under(layer + "feed_forward.", _channel_mix(program.half(2 * number + 1), width, units))
        return config, tensors

    def gates(self, config: Mapping[str, Any]) -> Gates:
        # It switches in float32 only, by rounding: what is outweighed is gone, and a weight of 2^32 does not fade.
        return Gates(time_invariant=True, notes={"its decay": "outweighed and absorbed in float32, never switched"})

    def gates_of(self, tensors: Mapping[str, np.ndarray]) -> list[Gates]:
        found = []
        for name in sorted((name for name in tensors if name.endswith("time_decay")), key=layer_number):
            with np.errstate(over="ignore"):
                kept = np.exp(-np.exp(tensors[name].astype(np.float32)))
            found.append(Gates(float(kept.min()), float(kept.max()), False, True))
        return found

    def states(self, model: Any, cache: Any) -> list[list[Any]]:
        return [[tensor[:, :, layer] for tensor in cache] for layer in range(cache[0].shape[2])]


def _mirrored(rows: np.ndarray, half_width: int) -> np.ndarray:
    rows[:, half_width:] = -rows[:, :half_width]
    return rows


def _row(form: LinearForm, width: int, scale: float = 1.0, constant: float = 0.0) -> np.ndarray:
    """A form of normed coordinates, each of which has the bias of the norm, but for the one that is always 1."""
    weights = row(form, width, scale)
    weights[CONSTANT_ONE] += constant - _BIAS * scale * sum(
        multiple for c, multiple in form.items() if c != CONSTANT_ONE
    )
    return weights


def _time_mix(half: tuple[Operation, ...], width: int) -> Tensors:
    key, value, receptance, out = (np.zeros((width, width)) for _ in range(4))
    receptance[:, CONSTANT_ONE] = UNIT
    first = np.zeros(width)
    for channel, (gate, now, coordinate, reads) in enumerate(_copies(half)):
        key[channel] = _row(gate, width, _WRITE - _HOLD, _HOLD)
        value[channel] = _row(now, width)
        first[channel] = reads
        out[coordinate, channel], out[width // 2 + coordinate, channel] = 1, -1
    ones = np.ones(width)
    return {
        "time_decay": np.full(width, _DECAY),
        "time_first": first,
        **{f"time_mix_{name}": ones for name in ("key", "value", "receptance")},
        "key.weight": key,
        "value.weight": value,
        "receptance.weight": receptance,
        "output.weight": out,
    }


def _channel_mix(half: tuple[Operation, ...], width: int, units: int) -> Tensors:
    key, value, receptance = np.zeros((units, width)), np.zeros((width, units)), np.zeros((width, width))
    receptance[:, CONSTANT_ONE] = UNIT
    for unit, neuron in enumerate(neurons(half)):
        key[unit] = _row(neuron.reads, width)
        for coordinate, multiple in neuron.writes.items():
            value[coordinate, unit], value[width // 2 + coordinate, unit] = multiple, -multiple
    ones = np.ones(width)
    return {
        **{f"time_mix_{name}": ones for name in ("key", "receptance")},
        "key.weight": key,
        "value.weight": value,
        "receptance.weight": receptance,
    }


RWKV = StockTarget(RWKV4())
