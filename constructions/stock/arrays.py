"""Arrays that stock architectures have in common: rows, embedding, head, MLPs, whatever the architecture."""

from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np

from automata.machine import ACCEPT, EOS
from constructions.mamba.weights import EOS_TOKEN, FIRST_SYMBOL, LOGIT_WEIGHT
from constructions.program.operations import BEGINNING, CONSTANT_ONE, LinearForm, Operation, Program
from constructions.program.selecting import neurons
from constructions.stock.sizes import UNIT, HeadCount

Tensors = dict[str, np.ndarray]


def row(form: LinearForm, width: int, scale: float = 1.0) -> np.ndarray:
    """A form as a row of weights."""
    weights = np.zeros(width)
    for coordinate, multiple in form.items():
        weights[coordinate] = multiple * scale
    return weights


def embedding(program: Program, width: int, unit: float = 1.0) -> np.ndarray:
    """One row for each token: the coordinate that is always 1, and the token's own."""
    rows = np.zeros((FIRST_SYMBOL + len(program.alphabet), width))
    rows[:, CONSTANT_ONE] = unit
    rows[:FIRST_SYMBOL, BEGINNING] = unit
    for number, coordinate in enumerate(program.symbols):
        rows[FIRST_SYMBOL + number, coordinate] = unit
    return rows


def head(program: Program, width: int) -> np.ndarray:
    """The output head: logits +64 where an output is given, -64 where it is not; acceptance is the end token."""
    rows = np.zeros((FIRST_SYMBOL + len(program.alphabet), width))
    rows[:, CONSTANT_ONE] = -LOGIT_WEIGHT
    for output, form in zip(program.outputs, program.answers):
        token = EOS_TOKEN if output in (ACCEPT, EOS) else FIRST_SYMBOL + program.alphabet.index(output)
        rows[token] += row(form, width, 2 * LOGIT_WEIGHT)
    return rows


def around(program: Program, width: int, gain: np.ndarray, embeddings: str, norm: str) -> Tensors:
    """What stands around the layers: embedding, last norm and head, the first two by these names."""
    return {
        f"{embeddings}.weight": embedding(program, width),
        f"{norm}.weight": gain,
        "lm_head.weight": head(program, width),
    }


def straight(count: HeadCount, rows: int) -> np.ndarray:
    """Convolutions (heads, rows, 1, 2) of heads with so many rows, that pass on what they read last."""
    taps = np.zeros((count.all, rows, 1, 2))
    taps[: count.working, ..., 1] = 1
    return taps


def remembering(count: HeadCount, rows: int = 1) -> np.ndarray:
    """What makes softplus 0, so that nothing decays, for so many rows of each head."""
    bias = np.zeros(count.all * rows)
    bias[: count.working * rows] = -UNIT
    return bias


def gated_mlp(operations: Sequence[Operation], width: int, inner: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gate, up and down projections of an MLP down(silu(gate x) * (up x)) whose units are neurons; up is 1."""
    gate, up, down = np.zeros((inner, width)), np.zeros((inner, width)), np.zeros((width, inner))
    up[:, CONSTANT_ONE] = 1
    for unit, neuron in enumerate(neurons(operations)):
        gate[unit] = row(neuron.reads, width, UNIT)
        for coordinate, multiple in neuron.writes.items():
            down[coordinate, unit] = multiple / UNIT
    return gate, up, down


def decoder(program: Program, width: int, units: int, gain: np.ndarray) -> Tensors:
    """Embedding, head and norms of a decoder whose layers are a mixer and a gated MLP, and the MLPs; no mixers.

    Args:
        program: its odd halves are the MLPs.
        width: of the stream.
        units: of each MLP.
        gain: of every norm.
    """
    tensors = around(program, width, gain, "model.embed_tokens", "model.norm")
    for number in range(-(-len(program.halves) // 2)):
        gate, up, down = gated_mlp(program.half(2 * number + 1), width, units)
        mlp = {"gate_proj.weight": gate, "up_proj.weight": up, "down_proj.weight": down}
        norms = {"input_layernorm.weight": gain, "post_attention_layernorm.weight": gain}
        tensors |= under(f"model.layers.{number}.", {**norms, **under("mlp.", mlp)})
    return tensors


def under(prefix: str, tensors: Mapping[str, np.ndarray]) -> Tensors:
    """The tensors with a prefix before their names."""
    return {prefix + name: tensor for name, tensor in tensors.items()}
