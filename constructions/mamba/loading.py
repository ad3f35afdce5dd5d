"""Reads any Mamba checkpoint in Hugging Face's format, trained or built; what cannot be used is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Sequence

import torch
from transformers import AutoTokenizer, MambaForCausalLM

from automata.errors import InputError
from constructions.mamba.huggingface import quiet
from constructions.mamba.stepping import Vocabulary

WEIGHTS, INDEX, TOKENIZER = "model.safetensors", "model.safetensors.index.json", "tokenizer.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def load(directory: Path) -> MambaForCausalLM:
    """The model, in evaluation mode and in the dtype in which it was saved.

    Raises:
        InputError: when the folder is no checkpoint, is of another architecture, has pickled weights only, lacks
            weights or has too many, or has a weight that is not a finite number.
    """
    _check_files(directory)
    try:
        with quiet():
            model, report = MambaForCausalLM.from_pretrained(
                directory,
                local_files_only=True,
                use_safetensors=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
    except Exception as error:  # whatever the libraries raise on a damaged folder
        raise InputError(f"{directory}: cannot be loaded: {_first_line(error)}") from None
    for what, names in (("lacks", report["missing_keys"]), ("has the unknown", report["unexpected_keys"])):
        for name in sorted(names):
            raise InputError(f"{directory}: {WEIGHTS} {what} tensor {name!r}")
    for name, *_ in sorted(report["mismatched_keys"]):
        raise InputError(f"{directory}: tensor {name!r} does not have the shape that config.json asks for")
    for name, tensor in model.state_dict().items():
        bad = torch.nonzero(~torch.isfinite(tensor))
        if len(bad):
            place = tuple(bad[0].tolist())
            raise InputError(f"{directory}: tensor {name}{list(place)} is {tensor[place].item()}")
    return model.eval()


def read_vocabulary(directory: Path, alphabet: Sequence[str], outputs: Sequence[str]) -> Vocabulary:
    """Which of the checkpoint's tokens stand for the language's symbols, for the beginning and for the end.

    Raises:
        InputError: naming the symbol or special token that the vocabulary lacks.
    """
    if not (directory / TOKENIZER).is_file():
        raise InputError(f"{directory}: has no {TOKENIZER}")
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(directory, local_files_only=True)
            known = tokenizer.get_vocab()
    except Exception as error:
        raise InputError(f"{directory}: the tokenizer cannot be loaded: {_first_line(error)}") from None
    for symbol in alphabet:
        if symbol not in known:
            raise InputError(f"{directory}: the vocabulary has no token {symbol!r}, which is a symbol of the language")
    for name in ("bos", "eos"):
        if getattr(tokenizer, f"{name}_token_id") is None:
            raise InputError(f"{directory}: the tokenizer has no {name} token")
    tokens = [known[symbol] for symbol in alphabet]
    return Vocabulary(alphabet, outputs, tokens, tokenizer.bos_token_id, tokenizer.eos_token_id)


def _check_files(directory: Path) -> None:
    if not directory.is_dir():
        raise InputError(f"{directory}: is not a folder")
    if not (directory / "config.json").is_file():
        raise InputError(f"{directory}: is no checkpoint, it has no config.json")
    try:
        config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
        architecture = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{directory}: config.json is not the configuration of a model: {_first_line(error)}"
        ) from None
    if architecture != "mamba":
        raise InputError(f"{directory}: the architecture is {architecture!r}, expected 'mamba'")
    if not any((directory / name).is_file() for name in (WEIGHTS, INDEX)):
        pickles = sorted(path.name for pattern in _PICKLES for path in directory.glob(pattern))
        if pickles:
            raise InputError(
                f"{directory}: {pickles[0]} is pickled, which can run code when it is read: refused, save as {WEIGHTS}"
            )
        raise InputError(f"{directory}: has no {WEIGHTS}")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"
