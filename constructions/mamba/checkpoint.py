"""Writes a stock checkpoint: files that ``from_pretrained`` loads, and nobody needs this project for.

==================  ==============================================================================
config.json         the sizes, for ``MambaForCausalLM``
model.safetensors   the weights in the dtype asked for
tokenizer.json      one token per symbol; puts <bos> first (with tokenizer_config.json)
coordinates.json    what every residual coordinate and every inner channel means
edges.json          which channel feeds which (:mod:`constructions.mamba.edges`), of a Mamba that was compiled
language.json       which language it is about (:mod:`automata.saved_language`), where that is known
README.md           a model card with the verdict
==================  ==============================================================================

Nothing here imports torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Mapping

import numpy as np

from automata.errors import InputError
from automata.files import replaced_folder
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE, RECOGNISE
from automata.saved_language import LANGUAGE_FILE
from constructions.mamba.ballast import EPSILON
from constructions.mamba.edges import edges
from constructions.mamba.weights import BOS_TOKEN, CONV_KERNEL, EOS_TOKEN, PAD, STATE_SIZE, MambaWeights

PAD_NAME = "<pad>"
SPECIALS = (PAD_NAME, BOS, EOS)
CONFIG, GENERATION, SAFETENSORS = "config.json", "generation_config.json", "model.safetensors"
TOKENIZER, TOKENIZER_CONFIG = "tokenizer.json", "tokenizer_config.json"
COORDINATES_FILE, EDGES_FILE, CARD = "coordinates.json", "edges.json", "README.md"
CHECKPOINT_FILES = (
    CONFIG,
    GENERATION,
    SAFETENSORS,
    TOKENIZER,
    TOKENIZER_CONFIG,
    COORDINATES_FILE,
    EDGES_FILE,
    LANGUAGE_FILE,
    CARD,
)
A_CHECKPOINT = "a checkpoint"
_SAFETENSORS_DTYPE = {"float32": "F32", "bfloat16": "BF16", "float16": "F16", "float64": "F64"}


def config(weights: MambaWeights) -> dict:
    """config.json, as a dictionary."""
    return {
        "architectures": ["MambaForCausalLM"],
        "model_type": "mamba",
        "dtype": weights.precision.name,
        "vocab_size": weights.vocabulary,
        "hidden_size": weights.width,
        "intermediate_size": weights.inner,
        "expand": weights.expand,
        "num_hidden_layers": len(weights.layout.blocks),
        "state_size": STATE_SIZE,
        "conv_kernel": CONV_KERNEL,
        "time_step_rank": weights.rank,
        "layer_norm_epsilon": EPSILON,
        "hidden_act": "silu",
        "use_bias": False,
        "use_conv_bias": True,
        # The residual stream of a float64 model must not be cut to float32.
        "residual_in_fp32": weights.precision.name != "float64",
        "tie_word_embeddings": False,
        "pad_token_id": PAD,
        "bos_token_id": BOS_TOKEN,
        "eos_token_id": EOS_TOKEN,
        "use_cache": True,
    }


def vocabulary(alphabet: tuple[str, ...]) -> dict[str, int]:
    """Token -> number.

    Raises:
        InputError: for a symbol that is also the name of a special token.
    """
    for symbol in alphabet:
        if symbol in SPECIALS:
            raise InputError(f"the symbol {symbol!r} is also the name of a special token")
    return {token: number for number, token in enumerate((*SPECIALS, *alphabet))}


def write(weights: MambaWeights, directory: Path, card: str, language: str = "") -> None:
    """Writes the folder, complete or not at all (see :func:`write_folder`).

    Raises:
        InputError: when the folder cannot be written or holds something else, or a number is not exact in the dtype.
    """
    write_folder(
        directory,
        config(weights),
        weights.tensors,
        weights.precision.name,
        weights.layout.alphabet,
        coordinates(weights),
        card,
        language,
        {EDGES_FILE: (json.dumps(edges(weights), ensure_ascii=False) + "\n").encode()},
    )


def write_folder(
    directory: Path,
    configuration: dict,
    tensors: Mapping[str, np.ndarray],
    dtype: str,
    alphabet: tuple[str, ...],
    meanings: dict,
    card: str,
    language: str = "",
    more: Mapping[str, bytes | None] = MappingProxyType({}),
) -> None:
    """Writes a checkpoint of any architecture, with a tokenizer of one token for each symbol, complete or not at all.

    Args:
        directory: the place.
        configuration: of ``config.json``.
        tensors: by their names.
        dtype: the format of the numbers.
        alphabet: the symbols.
        meanings: of ``coordinates.json``.
        card: of ``README.md``.
        language: of ``language.json``; no such file where it is empty.
        more: further files that such a folder may have, by name; None where it has none now.

    Raises:
        InputError: when the folder cannot be written or holds something else, or a number is not exact in the format.
    """
    tokens = vocabulary(alphabet)
    files = {
        CONFIG: configuration,
        GENERATION: {"bos_token_id": BOS_TOKEN, "eos_token_id": EOS_TOKEN, "pad_token_id": PAD},
        TOKENIZER: _tokenizer(tokens),
        TOKENIZER_CONFIG: {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": PAD_NAME,
            "bos_token": BOS,
            "eos_token": EOS,
            "unk_token": PAD_NAME,
            "padding_side": "left",
            "model_max_length": 1_000_000_000,
        },
        COORDINATES_FILE: meanings,
    }
    blob = serialised(tensors, dtype)
    with replaced_folder(directory, (*CHECKPOINT_FILES, *more), A_CHECKPOINT) as fresh:
        for name, content in files.items():
            (fresh / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        (fresh / CARD).write_text(card, encoding="utf-8")
        if language:
            (fresh / LANGUAGE_FILE).write_text(language, encoding="utf-8")
        (fresh / SAFETENSORS).write_bytes(blob)
        for name, data in more.items():
            if data is not None:
                (fresh / name).write_bytes(data)


def coordinates(weights: MambaWeights) -> dict:
    """coordinates.json: alphabet, outputs, and a name for each coordinate and channel that is used."""
    channels = [{str(i): name for i, name in enumerate(block) if name} for block in weights.channel_names()]
    return {
        "alphabet": list(weights.layout.alphabet),
        "mode": RECOGNISE if weights.layout.outputs == (ACCEPT,) else PREDICTIVE,
        "convention": "an output is given when its logit is positive; acceptance is the logit of <eos>",
        "residual": {str(i): name for i, name in enumerate(weights.coordinate_names()) if name},
        "channels": channels,
    }


def serialised(tensors: Mapping[str, np.ndarray], name: str) -> bytes:
    """model.safetensors: the length of a JSON header, the header, the numbers.

    Written by hand because NumPy has no bfloat16.  Format: https://huggingface.co/docs/safetensors
    """
    header: dict = {"__metadata__": {"format": "pt"}}
    parts, end = [], 0
    for key, tensor in tensors.items():
        parts.append(tensor_bytes(key, tensor, name))
        start, end = end, end + len(parts[-1])
        header[key] = {"dtype": _SAFETENSORS_DTYPE[name], "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, *parts))


def tensor_bytes(key: str, tensor: np.ndarray, dtype: str) -> bytes:
    """The array's bytes in this dtype.

    Raises:
        InputError: naming the first number that the dtype cannot represent.
    """
    if dtype == "bfloat16":
        # The upper half of a float32.
        bits = tensor.astype(np.float32).view(np.uint32)
        cast = (bits & np.uint32(0xFFFF0000)).view(np.float32)
        data = (bits >> 16).astype("<u2").tobytes()
    else:
        with np.errstate(over="ignore"):
            cast = tensor.astype(np.dtype(dtype).newbyteorder("<"))
        data = cast.tobytes()
    wrong = np.argwhere(cast.astype(np.float64) != tensor)
    if len(wrong):
        place = tuple(int(i) for i in wrong[0])
        raise InputError(f"{key}{list(place)} is {tensor[place]}, which is not a number of {dtype}")
    return data


def _tokenizer(tokens: dict[str, int]) -> dict:
    """tokenizer.json: words split at blanks, and into characters where every symbol is one character.

    What is no symbol becomes padding: tools that ask a tokenizer about words of their own, as TransformerLens does when
    it loads a model, want an answer.
    """
    symbols = [token for token in tokens if token not in SPECIALS]
    split: dict = {"type": "WhitespaceSplit"}
    if all(len(symbol) == 1 for symbol in symbols):
        each = {"type": "Split", "pattern": {"Regex": "."}, "behavior": "Isolated", "invert": False}
        split = {"type": "Sequence", "pretokenizers": [split, each]}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    start = {"SpecialToken": {"id": BOS, "type_id": 0}}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": tokens[name], "content": name, **special} for name in SPECIALS],
        "normalizer": None,
        "pre_tokenizer": split,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [start, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [start, {"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {BOS: {"id": BOS, "ids": [tokens[BOS]], "tokens": [BOS]}},
        },
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": tokens, "unk_token": PAD_NAME},
    }
