"""RecurrentGemma (Griffin; De et al. 2024): the RG-LRU, whose input gate needs no compensation.

    h = a h + sqrt(1 - a^2) sigmoid(i) x,    a = exp(-8 softplus(L) sigmoid(r)),
    r and i linear in the convolution's output

With softplus(L) = 16, a = exp(-128 sigmoid(r)) is 1 at r = -128, where sqrt(1 - 1) = 0 and x is not even seen, and 0 at
r = 128, where x is taken whole.  A gate channel of its own, always overwritten, carries a register's gate through the
convolution; with the convolution one step late the same gives the values before the step.

A layer is {Hold, Accumulate} and {Neuron}: the MLP's gelu is exact at 0 and from 6 on.
"""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np

from constructions.program.operations import Accumulate, Hold, Neuron, Operation, Program
from constructions.program.planner import Offer
from constructions.program.selecting import counters, neurons, read_registers
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, embedding, head, row, under
from constructions.stock.gates import Gates, in_float32
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, UNIT, layer_number, most, power_of_four, sizes
from constructions.stock.target import StockTarget

_GELU = 32.0
"""What stands for a 1 before gelu."""

_SLOW = float(np.float32(np.log(2e-8 / 8)))
"""With this L, exp(-2e-8) is 1 in float32 while sqrt(1 - exp(-4e-8)) is 2^-12: gate 1 and an input at once."""


class RecurrentGemma(Architecture):
    """``RecurrentGemmaForCausalLM``, with one idle attention layer at the end."""

    name = "recurrent_gemma"
    title = "a stock RecurrentGemma (RG-LRU with attention, which is idle)"
    gate = "exp(-8 softplus(L) sigmoid(r)), from 0 to 1"
    offer = Offer((frozenset((Hold, Accumulate)), frozenset((Neuron,))), late=True)
    dtypes = ("float32", "bfloat16", "float64")
    counts_in = ("float32",)
    counts_where = (
        "Its counters need an exp that rounds rightly near 0, exp(-4e-8) = 1 - 2^-24 in float32, which CPUs have: "
        "on CUDA it is 1, and a counter stays where it is."
    )

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        channels = most(
            sum(1 + len(read.cells) for read in read_registers(half)) + len(counters(half)) for half in program.halves
        )
        # The embedding is multiplied by sqrt(width), which has to be a power of two; the state is as wide as the
        # stream.
        width = power_of_four(max(16, len(program.coordinates), channels))
        units = most(len(neurons(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "num_hidden_layers": layers + 1,
            "lru_width": width,
            "intermediate_size": 2 * units,
            "num_attention_heads": 1,
            "num_key_value_heads": 1,
            "conv1d_width": 2,
            "block_types": ["recurrent"] * layers + ["attention"],
            "rms_norm_eps": NORM_EPSILON,
            "logits_soft_cap": 30.0,
        }
        del config["hidden_act"]
        gain = np.full(width, NORM_GAIN)  # the norm multiplies by 1 + it, which is the same number
        tensors = {
            "model.embed_tokens.weight": embedding(program, width, width**-0.5),
            "model.final_norm.weight": gain,
            "lm_head.weight": head(program, width),
        }
        for number in range(layers + 1):
            norms = {"temporal_pre_norm.weight": gain, "channel_pre_norm.weight": gain}
            tensors |= under(f"model.layers.{number}.", norms)
        for number in range(layers):
            layer = f"model.layers.{number}."
            tensors |= under(layer + "temporal_block.", _mixer(program.half(2 * number), width))
            tensors |= under(layer + "mlp_block.", _mlp(program.half(2 * number + 1), width, units))
        return config, tensors

    def gates_of(self, tensors: Mapping[str, np.ndarray]) -> list[Gates]:
        found = []
        for name in sorted((name for name in tensors if name.endswith("recurrent_param")), key=layer_number):
            least = np.exp(-8 * np.logaddexp(0, tensors[name].astype(np.float64))).min()
            found.append(Gates(in_float32(least), 1.0, in_float32(least) == 0))
        return found

    def fresh(self, model: Any, rows: int) -> Any:
        """The state lives in the modules, and what an earlier string left there has to go."""
        from transformers import DynamicCache

        model.model._setup_cache(model.config, rows, "cpu", model.dtype)
        return DynamicCache(config=model.config)

    def states(self, model: Any, cache: Any) -> list[list[Any]]:
        blocks = [layer.temporal_block for layer in model.model.layers]
        return [[b.conv1d_state, b.rg_lru.recurrent_states] for b in blocks if hasattr(b, "rg_lru")]


def _mixer(half: tuple[Operation, ...], width: int) -> Tensors:
    """The recurrent block: projections, convolution, gates."""
    x, out, conv = np.zeros((width, width)), np.zeros((width, width)), np.zeros((width, 1, 2))
    conv[:, 0, 1] = 1
    gate, bias, decay = np.zeros((width, width)), np.full(width, -UNIT), np.full(width, 16.0)
    channel = 0
    for read in read_registers(half):
        carrier = channel
        x[carrier], conv[carrier, 0], bias[carrier] = row(read.gate, width), read.taps, UNIT
        for value, coordinate in read.cells:
            channel += 1
            x[channel], conv[channel, 0] = row(value, width), read.taps
            gate[carrier, channel] = 2 * UNIT
            out[coordinate, channel] = 1 / _GELU
        channel += 1
    for count in counters(half):
        x[channel] = row(count.up, width, 2.0**12) - row(count.down, width, 2.0**12)
        bias[channel], decay[channel] = UNIT, _SLOW
        out[count.writes, channel] = 1 / _GELU
        channel += 1
    return {
        "linear_x.weight": x,
        "linear_y.bias": np.full(width, _GELU),
        "conv_1d.weight": conv,
        "linear_out.weight": out,
        "rg_lru.recurrent_param": decay,
        "rg_lru.recurrent_gate_weight": gate[None],
        "rg_lru.recurrent_gate_bias": bias[None],
        "rg_lru.input_gate_bias": np.full((1, width), UNIT),
    }


def _mlp(half: tuple[Operation, ...], width: int, units: int) -> Tensors:
    gate, down = np.zeros((units, width)), np.zeros((width, units))
    for unit, neuron in enumerate(neurons(half)):
        gate[unit] = row(neuron.reads, width, _GELU)
        for coordinate, multiple in neuron.writes.items():
            down[coordinate, unit] = multiple / _GELU
    return {"gate_proj.weight": gate, "up_proj.bias": np.ones(units), "down_proj.weight": down}


RECURRENT_GEMMA = StockTarget(RecurrentGemma())
