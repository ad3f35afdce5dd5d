"""Gated DeltaNet (Yang et al. 2024) and KDA with a write strength below 1: what models with such layers share.

    S = a (S - b k (k . S)) + b k v,
    k = silu(conv(.)) / |silu(conv(.))|,    b = sigmoid(.),    a = exp(-softplus(.) ...)

The gate of a register is the key: k is 1 or 0, b = sigmoid(UNIT) = 1, a = 1, so that S becomes v or stays.  Keys and
values pass the convolution, so a second head behind a convolution that looks one step back has the values before the
step.

A layer is {Hold, Delay} and {Neuron}; one idle attention layer at the end, without which transformers cannot decode.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple, Union

import numpy as np

from constructions.program.operations import CONSTANT_ONE, Delay, Flip, Hold, Neuron, Operation, Program, Swap
from constructions.program.planner import Offer
from constructions.program.selecting import ReadRegister, counters, neurons, read_registers
from constructions.stock.architecture import Architecture
from constructions.stock.arrays import Tensors, decoder, row, straight, under
from constructions.stock.sizes import NORM_EPSILON, NORM_GAIN, UNIT, HeadCount, heads_for_kernels, most, round_up, sizes
from constructions.target import CONTRACTION


def heads(half: tuple[Operation, ...]) -> list[ReadRegister]:
    """What the heads of a half hold, counters left out: a delay is a register that is always set, read late."""
    delays = [operation for operation in half if isinstance(operation, Delay)]
    return read_registers(half) + [
        ReadRegister({CONSTANT_ONE: 1}, ((one.reads, one.writes),), late=True) for one in delays
    ]


class HeadThatReads(NamedTuple):
    """A head that reads one value of a swapped register."""

    register: Swap
    value: int
    coordinate: int


HeadOf = Union[ReadRegister, Flip, HeadThatReads]


def reflecting_heads(half: tuple[Operation, ...]) -> list[HeadOf]:
    """The same with those that flip or swap, where the write strength goes up to 2."""
    found: list[HeadOf] = list(heads(half))
    for operation in half:
        if isinstance(operation, Flip):
            found.append(operation)
        elif isinstance(operation, Swap):
            found += [HeadThatReads(operation, value, coordinate) for value, coordinate in operation.writes.items()]
    return found


class Mixer(NamedTuple):
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


def delta_mixer(
    half: tuple[Operation, ...], width: int, count: HeadCount, keys: int, values: int, unread: float
) -> Mixer:
    """The heads of a half; ``unread`` is what the output of a cell of 1 is multiplied by, to be undone."""
    every, work = count.all, slice(count.working)
    q, k, v = np.zeros((every, keys, width)), np.zeros((every, keys, width)), np.zeros((every, values, width))
    conv_k, conv_v = straight(count, keys), straight(count, values)
    strength, out = np.zeros((every, width)), np.zeros((width, every, values))
    strength[work, CONSTANT_ONE] = UNIT
    q[work, 0, CONSTANT_ONE] = UNIT
    for number, found in enumerate(heads(half)):
        if found.late:
            conv_k[number, :, 0], conv_v[number, :, 0] = (1, 0), (1, 0)
        k[number, 0] = row(found.gate, width, UNIT)
        for place, (value, coordinate) in enumerate(found.cells):
            v[number, place] = row(value, width, UNIT)
            out[coordinate, number, place] = 1 / unread
    return Mixer(q, k, v, strength, conv_k, conv_v, out)


def flat(array: np.ndarray) -> np.ndarray:
    """Heads and their rows as one axis."""
    return array.reshape(-1, *array.shape[2:])


class DeltaNet(Architecture):
    """What these models share: an MLP after each mixer, and the ends of the model."""

    gate = "a and a (1 - b), with a = exp(-softplus(...)) and b = sigmoid(...): from 0 to 1"
    motion = CONTRACTION
    offer = Offer((frozenset((Hold, Delay)), frozenset((Neuron,))), late=True)
    dtypes = ("float32", "bfloat16", "float64")

    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        layers = -(-len(program.halves) // 2)
        width = round_up(len(program.coordinates), 8)
        working = most(len(heads(half)) + len(counters(half)) for half in program.halves)
        values = self.value_width(most(len(found.cells) for half in program.halves for found in heads(half)))
        count = heads_for_kernels(working, 2 * self.key_width(values) + values)
        units = most(len(neurons(half)) for half in program.halves)
        config = {
            **sizes(program, width),
            "intermediate_size": units,
            "num_hidden_layers": layers + 1,
            "layer_types": ["linear_attention"] * layers + ["full_attention"],
            "rms_norm_eps": NORM_EPSILON,
            **self.shape(layers, count.all, values),
        }
        tensors = decoder(program, width, units, np.full(width, NORM_GAIN))
        for number in range(layers):
            layer = f"model.layers.{number}."
            tensors |= under(layer, self.mixer(program.half(2 * number), width, count, values))
        return config, tensors

    def value_width(self, cells: int) -> int:
        """The width of a head that has room for so many cells."""
        return cells

    @abstractmethod
    def key_width(self, values: int) -> int:
        """The width of a key beside values of this width."""

    @abstractmethod
    def shape(self, layers: int, count: int, values: int) -> dict[str, Any]:
        """What is particular in the configuration."""

    @abstractmethod
    def mixer(self, half: tuple[Operation, ...], width: int, count: HeadCount, values: int) -> Tensors:
        """The mixer's tensors."""
