"""What one architecture says of itself: what its halves can do, where the operations go in its weights, where its state
is.

Nothing here or in the architectures' files imports torch: weights are NumPy arrays of float64, each of which is exact
in the format that is asked for, or refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Iterable, Mapping, Sequence

import numpy as np

from automata.errors import InputError
from automata.machine import ACCEPT, EOS
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, LOGIT_WEIGHT, PAD
from constructions.program.operations import BEGINNING, CONSTANT_ONE, Accumulate, LinearForm, Neuron, Operation, Program
from constructions.program.planner import Offer
from constructions.stock.gates import Gates
from constructions.target import MONOTONE

Tensors = dict[str, np.ndarray]

UNIT = 128.0
"""What stands for a 1 before a saturating function: silu, gelu, sigmoid and softplus of +-128 are exact in all
formats.
"""

NORM = 30
"""A norm with epsilon 2^(2 NORM) and gain 2^NORM changes nothing: beside its epsilon the mean square is rounded
away.
"""


class Architecture(ABC):
    """A family of models of transformers.

    Attributes:
        name: ``model_type`` of its configuration.
        title: one line that says what it is.
        gate: what its gates can be, in words.
        offer: what its halves can do.
        motion: how its state moves (see :data:`constructions.target.MONOTONE`).
        dtypes: the formats in which its weights are exact.
        cache_argument: under what name ``forward`` takes the cache.
        attends: whether it has attention layers, which are idle in what is built here.
        most_rows: the largest batch that it decodes rightly; None for any.
    """

    name: str
    title: str
    gate: str
    offer: Offer
    motion = MONOTONE
    dtypes: tuple[str, ...] = ("float32", "bfloat16")
    cache_argument = "past_key_values"
    attends = True
    most_rows: int | None = None

    @abstractmethod
    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        """The configuration, and the tensors that are not all zero.

        Raises:
            InputError: for a program that the sizes of this architecture cannot hold.
        """

    def refuse_counts(self, program: Program, dtype: str) -> None:
        """Raises for a program that counts, where that works in float32 only."""
        for half in program.halves:
            for operation in half:
                if isinstance(operation, Accumulate):
                    raise InputError(
                        f"register {operation.name!r} counts, which {self.name} does in float32 only, not in {dtype}"
                    )

    def gates(self, config: Mapping[str, Any]) -> Gates:
        """What its gates can be, whatever the weights; ``config`` has no more than what differs from the defaults.

        Raises:
            InputError: for a value that is none.
        """
        return Gates()

    def gates_of(self, tensors: Mapping[str, np.ndarray]) -> list[Gates]:
        """What the gates of each layer can be with these weights, whatever is read; empty where that is not simple."""
        return []

    def fresh(self, model: Any, rows: int) -> Any:
        """A cache for a new batch; None where the model makes one itself."""
        return None

    def states(self, model: Any, cache: Any) -> list[list[Any]]:
        """The tensors of the state, for each layer that has some, to be read and written in place."""
        found = []
        for layer in cache.layers:
            tensors: list[Any] = []
            for name in ("conv_states", "recurrent_states"):
                kept = getattr(layer, name, None) or {}
                tensors += [tensor for tensor in kept.values() if tensor is not None]
            if tensors:
                found.append(tensors)
        return found


# -- what configurations and tensors have in common ---------------------------------------------------


def sizes(program: Program, width: int) -> dict[str, Any]:
    """The part of a configuration that is the same everywhere."""
    return {
        "vocab_size": FIRST_SYMBOL + len(program.alphabet),
        "hidden_size": width,
        "tie_word_embeddings": False,
        "hidden_act": "silu",
        "pad_token_id": PAD,
        "bos_token_id": BOS_TOKEN,
        "eos_token_id": EOS_TOKEN,
    }


def layer_number(name: str) -> int:
    """The first number in the name of a tensor."""
    return next((int(part) for part in name.split(".") if part.isdigit()), -1)


def round_up(number: int, step: int) -> int:
    """The least multiple of ``step`` that is at least ``number``, and at least ``step``."""
    return step * max(1, -(-number // step))


def power_of_four(number: int) -> int:
    """The least power of 4 that is at least ``number``: its root is a power of 2, and so exact everywhere."""
    power = 1
    while power < number:
        power *= 4
    return power


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


def neurons(operations: Sequence[Operation]) -> list[Neuron]:
    """Those operations that are neurons."""
    return [operation for operation in operations if isinstance(operation, Neuron)]


def most(counts: Iterable[int]) -> int:
    """The greatest of some counts, at least 1."""
    return max([1, *counts])


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
    tensors = {
        "model.embed_tokens.weight": embedding(program, width),
        "model.norm.weight": gain,
        "lm_head.weight": head(program, width),
    }
    for number in range(-(-len(program.halves) // 2)):
        gate, up, down = gated_mlp(program.half(2 * number + 1), width, units)
        mlp = {"gate_proj.weight": gate, "up_proj.weight": up, "down_proj.weight": down}
        norms = {"input_layernorm.weight": gain, "post_attention_layernorm.weight": gain}
        tensors |= under(f"model.layers.{number}.", {**norms, **under("mlp.", mlp)})
    return tensors


def under(prefix: str, tensors: Mapping[str, np.ndarray]) -> Tensors:
    """The tensors with a prefix before their names."""
    return {prefix + name: tensor for name, tensor in tensors.items()}
