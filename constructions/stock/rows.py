"""Random models of the architectures of transformers that are no targets: to show what none can do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

from constructions.mamba.surroundings import transformers_ready
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL

_SMALL = {
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
}
_LIGHTNING = {"head_dim": 8, "num_local_experts": 2, "num_experts_per_tok": 1, "layer_types": ["linear_attention"] * 2}

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "minimax": {**_SMALL, **_LIGHTNING},
    "lfm2": {**_SMALL, "block_multiple_of": 4, "conv_L_cache": 3, "layer_types": ["conv", "conv"]},
}
"""Two small layers each, none of softmax attention."""


@contextmanager
def random_row(name: str, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator[Any]:
    """A small model with random weights, as a :class:`constructions.target.Model`."""
    with transformers_ready():
        from constructions.mamba.stepping import Vocabulary
        from constructions.stock.running import RandomModel

        tokens = range(FIRST_SYMBOL, FIRST_SYMBOL + len(alphabet))
        words = Vocabulary(alphabet, outputs, tokens, BOS_TOKEN, EOS_TOKEN)
        yield RandomModel(name, {**CONFIGURATIONS[name], "vocab_size": len(tokens) + FIRST_SYMBOL}, words, seed)
