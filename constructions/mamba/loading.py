"""Builds any Mamba checkpoint, trained or compiled, as a stock model; what cannot be used is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

import torch
from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

from automata.errors import InputError
from constructions.mamba.checkpoint import CONFIG, SAFETENSORS, TOKENIZER
from constructions.mamba.named_values import first_line, shown
from constructions.mamba.stepping import Vocabulary
from constructions.mamba.stored import Stored, read_stored
from constructions.mamba.surroundings import quiet, unprinted

_HEAD, _EMBEDDING = "lm_head.weight", "backbone.embeddings.weight"


def load_checkpoint(directory: Path) -> tuple[MambaForCausalLM, tuple[str, ...]]:
    """The model, in evaluation mode and in the format that its configuration names, and what was done to read it.

    Raises:
        InputError: as :func:`constructions.mamba.stored.read_stored`, and when weights are lacking, too many, of other
            shapes than the configuration asks for, or not finite numbers of the model's format.
    """
    stored = read_stored(directory)
    try:
        with quiet():
            config = MambaConfig(**stored.config)
            model = MambaForCausalLM(config).to(getattr(torch, stored.dtype))
    except Exception as error:  # whatever the library raises on values that it does not know
        raise InputError(f"{directory}: {CONFIG}: {first_line(error)}") from None
    tensors = _with_head(directory, stored, config.tie_word_embeddings)
    wanted = model.state_dict()
    for name in sorted(wanted.keys() - tensors.keys()):
        raise InputError(f"{directory}: {SAFETENSORS} lacks tensor {name!r}")
    for name in sorted(tensors.keys() - wanted.keys()):
        raise InputError(f"{directory}: {SAFETENSORS} has the unknown tensor {shown(name)}")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(
                f"{directory}: tensor {name!r} does not have the shape that config.json asks for: "
                f"{tuple(tensor.shape)}, "
                f"expected {tuple(wanted[name].shape)}"
            )
        cast = tensor.to(getattr(torch, stored.dtype))
        bad = torch.nonzero(~torch.isfinite(cast))
        if len(bad):
            place = tuple(bad[0].tolist())
            raise InputError(
                f"{directory}: tensor {name}{list(place)} is {tensor[place].item():g}, which is too large for "
                f"{stored.dtype}"
            )
    model.load_state_dict(tensors, strict=True)
    return model.eval(), stored.notes


def read_vocabulary(directory: Path, alphabet: Sequence[str], outputs: Sequence[str], size: int) -> Vocabulary:
    """Which of the checkpoint's tokens stand for the language's symbols, for the beginning and for the end.

    Args:
        size: the number of tokens of the model.

    Raises:
        InputError: naming the symbol or special token that the vocabulary lacks, or that the model has no token for.
    """
    tokenizer, known = _tokenizer_of(directory)
    for symbol in alphabet:
        if symbol not in known:
            raise InputError(f"{directory}: the vocabulary has no token {symbol!r}, which is a symbol of the language")
    for name in ("bos", "eos"):
        if getattr(tokenizer, f"{name}_token_id") is None:
            raise InputError(f"{directory}: the tokenizer has no {name} token")
    numbers = {symbol: known[symbol] for symbol in alphabet}
    special = {tokenizer.bos_token: tokenizer.bos_token_id, tokenizer.eos_token: tokenizer.eos_token_id}
    for name, number in {**numbers, **special}.items():
        if number >= size:
            raise InputError(
                f"{directory}: token {shown(name)} has the number {number}, and the model has {size} tokens"
            )
    for symbol, number in numbers.items():
        if list(numbers.values()).count(number) > 1:
            raise InputError(f"{directory}: token {symbol!r} has the number {number}, and another symbol has it too")
    return Vocabulary(alphabet, outputs, list(numbers.values()), tokenizer.bos_token_id, tokenizer.eos_token_id)


def tokens_of(directory: Path) -> tuple[str, ...]:
    """The tokens that are not special, by their numbers.

    Raises:
        InputError: when the tokenizer cannot be loaded.
    """
    tokenizer, known = _tokenizer_of(directory)
    special = set(tokenizer.all_special_tokens)
    return tuple(token for token in sorted(known, key=lambda token: known[token]) if token not in special)


def _tokenizer_of(directory: Path) -> tuple[Any, dict[str, int]]:
    """The tokenizer of a folder, and its vocabulary."""
    if not (directory / TOKENIZER).is_file():
        raise InputError(f"{directory}: has no {TOKENIZER}")
    try:
        # What a file says too much, the library prints by itself.
        with quiet(), unprinted():
            tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
            return tokenizer, tokenizer.get_vocab()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic in the library is no Exception
        raise InputError(f"{directory}: the tokenizer cannot be loaded: {first_line(error)}") from None


def _with_head(directory: Path, stored: Stored, tied: bool) -> dict[str, torch.Tensor]:
    """The tensors, with the output head where it is the embedding (``tie_word_embeddings``) and not stored."""
    embedding = stored.tensors.get(_EMBEDDING)
    if not tied or embedding is None:
        return stored.tensors
    head = stored.tensors.setdefault(_HEAD, embedding)
    if head.shape != embedding.shape or not torch.equal(head, embedding):
        raise InputError(
            f"{directory}: {CONFIG} ties {_HEAD} to the embedding "
            "(tie_word_embeddings, which holds where it is not set), "
            "and they differ: set it to false, or leave the head out"
        )
    return stored.tensors
