"""Copying by one layer of attention, as stock GPT-2 weights: after #, each position looks as far back as w is long.

What a recurrence needs 2^N states for, a transformer does with O(N) numbers of each token.  Every coordinate of the
stream stands there twice, as v and -v, so that the mean that a layer norm takes off is 0; beside an epsilon of 2^60
the variance is rounded away, and a gain of 2^30 makes the norm an identity.  Positions are one-hot, the query of
position p is the key of p - N, and scores of 128 and 0 make softmax one-hot, since exp(-128) is absorbed.

Source: Jelassi, Brandfonbrener, Kakade, Malach 2024, "Repeat After Me", who need two layers where positions are not
given as one-hot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from automata.machines.copying import COPIED, HASH, CopyMachine
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, PAD

SHARP = 128.0
_NORM = 30
GIVEN, _NEVER = 64.0, -256.0
"""Logits: of what is given, and beyond what any attention makes of it."""


def copying_weights(machine: CopyMachine) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The configuration of a ``GPT2LMHeadModel`` that copies, and its tensors that are not all zero.

    >>> config, tensors = copying_weights(CopyMachine(3))
    >>> config["n_layer"], config["n_positions"], tensors["transformer.wpe.weight"].shape
    (1, 8, (8, 64))
    """
    length, tokens = machine.length, FIRST_SYMBOL + len(machine.alphabet)
    positions = 2 * length + 2
    place = {position: len(COPIED) + position for position in range(positions)}
    seen = {letter: len(COPIED) + positions + i for i, letter in enumerate(COPIED)}
    width = 4
    while width < 2 * (2 * len(COPIED) + positions):
        width *= 4  # its root, by which scores are divided, is a power of 2

    embedding, attention = np.zeros((tokens, width)), np.zeros((width, 3 * width))
    projection, head = np.zeros((width, width)), np.zeros((tokens, width))
    for i, letter in enumerate(COPIED):
        token = FIRST_SYMBOL + machine.alphabet.index(letter)
        embedding[token] = doubled(i, width)
        attention[2 * i, 2 * width + i] = 1
        projection[i] = doubled(seen[letter], width)
        head[token, 2 * seen[letter]] = 2 * GIVEN
        for position in range(positions):
            first = GIVEN if position < length else _NEVER if position == length else -GIVEN
            head[token, 2 * place[position]] = first
    for token, given in ((FIRST_SYMBOL + machine.alphabet.index(HASH), length), (EOS_TOKEN, positions - 1)):
        for position in range(positions):
            head[token, 2 * place[position]] = GIVEN if position == given else -GIVEN
    for position in range(positions):
        attention[2 * place[position], width + position] = 1
        if position > length:
            attention[2 * place[position], position - length] = SHARP * np.sqrt(width)
    config = gpt2_config(tokens, positions, width, layers=1, heads=1)
    tensors = {
        "transformer.wte.weight": embedding,
        "transformer.wpe.weight": np.stack([doubled(place[position], width) for position in range(positions)]),
        **gpt2_norms(width, layers=1),
        "transformer.h.0.attn.c_attn.weight": attention,
        "transformer.h.0.attn.c_proj.weight": projection,
        "lm_head.weight": head,
    }
    return config, tensors


def doubled(coordinate: int, width: int) -> np.ndarray:
    """A row with 1 at a coordinate's first place and -1 at its second."""
    row = np.zeros(width)
    row[2 * coordinate], row[2 * coordinate + 1] = 1, -1
    return row


def gpt2_config(tokens: int, positions: int, width: int, *, layers: int, heads: int) -> dict[str, Any]:
    """A GPT-2 whose norms are identities."""
    return {
        "vocab_size": tokens,
        "n_positions": positions,
        "n_embd": width,
        "n_layer": layers,
        "n_head": heads,
        "n_inner": 4,
        "layer_norm_epsilon": 2.0 ** (2 * _NORM),
        "tie_word_embeddings": False,
        "pad_token_id": PAD,
        "bos_token_id": BOS_TOKEN,
        "eos_token_id": EOS_TOKEN,
        "resid_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "attn_pdrop": 0.0,
    }


def gpt2_norms(width: int, *, layers: int) -> dict[str, np.ndarray]:
    """The gains of all norms."""
    names = [*(f"h.{layer}.ln_{number}" for layer in range(layers) for number in (1, 2)), "ln_f"]
    return {f"transformer.{name}.weight": np.full(width, 2.0**_NORM) for name in names}
