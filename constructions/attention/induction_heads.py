"""Copying by content, in two layers of attention, as stock GPT-2 weights: previous tokens, then a match.

The first layer gives each position the n tokens before it, a head for each, and whether # was read.  In the second the
last n tokens are compared with what stands before each earlier position, and what stands where all n agree is given
out next.  # in what was read agrees with BOS before a position, and with all that is further back: so the copy begins
at the beginning.  Scores of n and at most n - 1 matches are 128 apart, and exp(-128) is absorbed: softmax is one-hot.

So w # w is copied whatever its length, where no n letters stand twice in w: the positions alone set a limit.
Coordinates stand twice, as v and -v, and norms are identities, as in :mod:`constructions.attention.copying`.

Sources: Jelassi, Brandfonbrener, Kakade, Malach 2024, "Repeat After Me"; Olsson et al. 2022, induction heads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from automata.machines.copying import COPIED, HASH, FreeCopyMachine
from constructions.attention.copying import GIVEN, SHARP, doubled, gpt2_config, gpt2_norms
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL

_BOS = "<bos>"
_TOKENS = (_BOS, *COPIED, HASH)


def induction_weights(grams: int, longest: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The configuration of a ``GPT2LMHeadModel`` of two layers that copies words without equal n-grams.

    Args:
        grams: n, how many tokens are compared.
        longest: letters of the longest word; there are 2 longest + 2 positions.

    >>> config, tensors = induction_weights(3, 10)
    >>> config["n_layer"], config["n_head"], config["n_positions"], config["n_embd"]
    (2, 4, 22, 256)
    """
    positions = 2 * longest + 2
    names = [*_TOKENS, *range(positions), "copying", *(("next", token) for token in (*COPIED, HASH))]
    names += [(lag, token) for lag in range(1, grams + 1) for token in _TOKENS]
    at = {name: number for number, name in enumerate(names)}
    heads, size = 1, 4
    while heads < grams + 1:
        heads *= 2
    while size < max(positions, 3 * grams) or heads * size < 2 * len(names):
        size *= 4  # its root, by which scores are divided, is a power of 2
    width = heads * size

    def block(head: int, kind: int) -> slice:
        """Columns of a head's queries (0), keys (1) or values (2)."""
        return slice(kind * width + head * size, kind * width + (head + 1) * size)

    def row(name: object) -> int:
        return 2 * at[name]

    sharp = SHARP * size**0.5
    first, gathered = np.zeros((width, 3 * width)), np.zeros((width, width))
    for head in range(grams):
        queries, keys, values = (first[:, block(head, kind)] for kind in range(3))
        for position in range(positions):
            queries[row(position), max(0, position - head - 1)] = sharp
            keys[row(position), position] = 1
        for number, token in enumerate(_TOKENS):
            values[row(token), number] = 1
            gathered[head * size + number] = doubled(at[head + 1, token], width)
    queries, keys, values = (first[:, block(grams, kind)] for kind in range(3))
    for position in range(positions):
        queries[row(position), 0] = sharp
    keys[row(HASH), 0] = values[row(HASH), 0] = 1
    gathered[grams * size] = doubled(at["copying"], width)

    second, given = np.zeros((width, 3 * width)), np.zeros((width, width))
    queries, keys, values = (second[:, block(0, kind)] for kind in range(3))
    for lag in range(1, grams + 1):
        for number, (read, before, weight) in enumerate([*((t, t, 1) for t in COPIED), (HASH, _BOS, grams - lag + 1)]):
            queries[row(read if lag == 1 else (lag - 1, read)), 3 * (lag - 1) + number] = sharp * weight
            keys[row((lag, before)), 3 * (lag - 1) + number] = 1
        # Nothing stands before BOS, whose own position has nothing else to attend to.
        keys[row(_BOS), 3 * lag - 1] = -1
    for number, token in enumerate((*COPIED, HASH)):
        values[row(token), number] = 1
        given[number] = doubled(at["next", token], width)

    alphabet = FreeCopyMachine.alphabet
    tokens = {_BOS: BOS_TOKEN, **{symbol: FIRST_SYMBOL + number for number, symbol in enumerate(alphabet)}}
    embedding = np.zeros((FIRST_SYMBOL + len(alphabet), width))
    readout = np.zeros_like(embedding)
    for symbol, number in tokens.items():
        embedding[number] = doubled(at[symbol], width)
    # Each logit before # is read and after it, and what is found that gives it out.
    answers = [*((tokens[letter], GIVEN, letter) for letter in COPIED), (tokens[HASH], GIVEN, None)]
    for number, early, copied in (*answers, (EOS_TOKEN, -3 * GIVEN, HASH)):
        for position in range(positions):
            readout[number, row(position)] = early
        readout[number, row("copying")] = -GIVEN - early
        if copied is not None:
            readout[number, row(("next", copied))] = 2 * GIVEN
    return gpt2_config(len(embedding), positions, width, layers=2, heads=heads), {
        "transformer.wte.weight": embedding,
        "transformer.wpe.weight": np.stack([doubled(at[position], width) for position in range(positions)]),
        **gpt2_norms(width, layers=2),
        "transformer.h.0.attn.c_attn.weight": first,
        "transformer.h.0.attn.c_proj.weight": gathered,
        "transformer.h.1.attn.c_attn.weight": second,
        "transformer.h.1.attn.c_proj.weight": given,
        "lm_head.weight": readout,
    }
