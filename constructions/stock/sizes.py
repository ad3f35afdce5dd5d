"""Which numbers configurations of stock architectures have in common, whatever the architecture."""

from __future__ import annotations

import math
from typing import Any, Iterable, NamedTuple

from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, PAD
from constructions.program.operations import Program

UNIT = 128.0
"""What stands for a 1 before a saturating function: silu, gelu, sigmoid and softplus of +-128 are exact in all
formats.
"""

NORM_EPSILON, NORM_GAIN = 2.0**60, 2.0**30
"""A norm with this epsilon and this gain changes nothing: beside its epsilon the mean square is rounded away."""

KERNEL_CHANNELS = 8
"""The official kernel of a causal convolution (causal-conv1d 1.7) takes a multiple of so many channels and no other
number, though transformers' own functions take any.
"""


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


def idle_shared_block(layers: int) -> dict[str, Any]:
    """So many layers, and one with a transformer block that layers would share, as small as it can be."""
    return {
        "num_hidden_layers": layers + 1,
        "layers_block_type": ["linear_attention"] * layers + ["hybrid"],
        "intermediate_size": 8,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
    }


def layer_number(name: str) -> int:
    """The first number in the name of a tensor."""
    return next((int(part) for part in name.split(".") if part.isdigit()), -1)


def round_up(number: int, step: int) -> int:
    """The least multiple of ``step`` that is at least ``number``, and at least ``step``."""
    return step * max(1, -(-number // step))


class HeadCount(NamedTuple):
    """How many heads of a mixer work, and how many there are; those that do not work have no weights."""

    working: int
    all: int


def heads_for_kernels(working: int, channels: int) -> HeadCount:
    """Heads that work, and as few idle ones as make the convolved channels, so many of each head, suit the kernel."""
    return HeadCount(working, round_up(working, KERNEL_CHANNELS // math.gcd(channels, KERNEL_CHANNELS)))


def power_of_four(number: int) -> int:
    """The least power of 4 that is at least ``number``: its root is a power of 2, and so exact everywhere."""
    power = 1
    while power < number:
        power *= 4
    return power


def most(counts: Iterable[int]) -> int:
    """The greatest of some counts, at least 1."""
    return max([1, *counts])
