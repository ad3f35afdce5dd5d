"""RWKV-4 (Peng et al. 2023): a decay that is the same at every step, made to hold for ever by rounding.

Its norms take the mean off: coordinates come with their negatives.  torch's running mean leaves about 1e-8 on zeros,
which a bias of 1024 rounds away and which forms take off again; ``ln_out`` has an epsilon of its own, so that the
logits have a factor, inexact but positive.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Hold, Neuron, Program
from constructions.program.planner import Offer
from constructions.program.selecting import neurons
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, embedding, head, under
from constructions.stock.gates import Gates
from constructions.stock.rwkv_mixes import BIAS, channel_mix, time_mix, written_cells
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, layer_number, most, round_up, sizes
from constructions.stock.target import StockTarget


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
        cells = most(len(written_cells(half)) for half in program.halves)
        half_width = max(round_up(len(program.coordinates), 8), round_up(cells, 16) // 2)
        width = 2 * half_width
        units = most(len(neurons(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "attention_hidden_size": width,
            "intermediate_size": units,
            "num_hidden_layers": layers,
            "context_length": 1024,
            "layer_norm_epsilon": NORM_EPSILON,
            "rescale_every": 0,
        }
        del config["hidden_act"]
        gain, bias = np.full(width, NORM_GAIN), np.full(width, BIAS)
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
            tensors |= under(layer + "attention.", time_mix(program.half(2 * number), width))
            tensors |= under(layer + "feed_forward.", channel_mix(program.half(2 * number + 1), width, units))
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

    def put_back(self, model: Any, cache: Any) -> Any:
        """The cache, with denominators of 1 and exponents of 0 in the channels that give 0 for ever.

        Where a channel's rows of keys and values are all 0, its key and its value are 0, so its numerator stays 0.  Of
        the two weights of a mean, exp(a - max(a, b)) and exp(b - max(a, b)), one is 1: its denominator is 1 from the
        first token on, or more, and at most one more at each step, until that is rounded away.  So the channel gives 0
        divided by such a number, whatever it is.  Where what it reads is no number, its numerator is none from there
        on, and so is what it gives.
        """
        _, _, numerators, denominators, exponents = cache
        for layer, block in enumerate(model.rwkv.blocks):
            mixes = block.attention.key.weight, block.attention.value.weight
            idle = ~(mixes[0].any(dim=1) | mixes[1].any(dim=1)) & (numerators[:, :, layer] == 0)
            denominators[:, :, layer].masked_fill_(idle, 1.0)
            exponents[:, :, layer].masked_fill_(idle, 0.0)
        return cache


def _mirrored(rows: np.ndarray, half_width: int) -> np.ndarray:
    rows[:, half_width:] = -rows[:, :half_width]
    return rows


RWKV = StockTarget(RWKV4())
