"""Reads any Mamba checkpoint in Hugging Face's format, trained or built; what cannot be used is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Sequence

import torch
from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

from automata.errors import InputError
from constructions.mamba.checkpoint import CONFIG, TOKENIZER, WEIGHTS
from constructions.mamba.huggingface import quiet
from constructions.mamba.stepping import Vocabulary

INDEX = "model.safetensors.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_SIZES = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "state_size",
    "conv_kernel",
    "time_step_rank",
)


def load(directory: Path) -> MambaForCausalLM:
    """The model, in evaluation mode and in the dtype in which it was saved.

    Raises:
        InputError: when the folder is no checkpoint, is of another architecture, has pickled weights only, lacks
            weights or has too many, or has a weight that is not a finite number.  Nothing is unpickled.
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


def read_vocabulary(directory: Path, alphabet: Sequence[str], outputs: Sequence[str], size: int) -> Vocabulary:
    """Which of the checkpoint's tokens stand for the language's symbols, for the beginning and for the end.

    Args:
        size: the number of tokens of the model.

    Raises:
        InputError: naming the symbol or special token that the vocabulary lacks, or that the model has no token for.
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
    numbers = {symbol: known[symbol] for symbol in alphabet}
    special = {tokenizer.bos_token: tokenizer.bos_token_id, tokenizer.eos_token: tokenizer.eos_token_id}
    for name, number in {**numbers, **special}.items():
        if number >= size:
            raise InputError(f"{directory}: token {name!r} has the number {number}, and the model has {size} tokens")
    for symbol, number in numbers.items():
        if list(numbers.values()).count(number) > 1:
            raise InputError(f"{directory}: token {symbol!r} has the number {number}, and another symbol has it too")
    return Vocabulary(alphabet, outputs, list(numbers.values()), tokenizer.bos_token_id, tokenizer.eos_token_id)


def _check_files(directory: Path) -> None:
    if not directory.is_dir():
        raise InputError(f"{directory}: is not a folder")
    if not (directory / CONFIG).is_file():
        raise InputError(f"{directory}: is no checkpoint, it has no {CONFIG}")
    architecture = _read_json(directory, CONFIG).get("model_type")
    if architecture != "mamba":
        raise InputError(f"{directory}: the architecture is {architecture!r}, expected 'mamba'")
    _check_sizes(directory, _weight_files(directory))


def _read_json(directory: Path, name: str) -> dict:
    try:
        content = json.loads((directory / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{directory}: {name} cannot be read: {_first_line(error)}") from None
    if not isinstance(content, dict):
        raise InputError(f"{directory}: {name} has no named values")
    return content


def _weight_files(directory: Path) -> list[Path]:
    """The files that the weights are read from; an index may name others, but none that is pickled."""
    if (directory / WEIGHTS).is_file():
        return [directory / WEIGHTS]
    if (directory / INDEX).is_file():
        places = _read_json(directory, INDEX).get("weight_map")
        names = list(places.values()) if isinstance(places, dict) else []
        present = {path.name for path in directory.iterdir()}
        for name in names or [None]:
            if not (isinstance(name, str) and name.endswith(".safetensors") and name in present):
                raise InputError(f"{directory}: {INDEX} names {name!r}, which is no safetensors file in the folder")
        return [directory / name for name in set(names)]
    for path in sorted(path for pattern in _PICKLES for path in directory.glob(pattern)):
        raise InputError(
            f"{directory}: {path.name} is pickled, which can run code when it is read: refused, save as {WEIGHTS}"
        )
    raise InputError(f"{directory}: has no {WEIGHTS}")


def _check_sizes(directory: Path, files: list[Path]) -> None:
    """Sizes that fit the files, so that no model is built of which most has no weights."""
    stored = sum(path.stat().st_size for path in files)
    for name, size in _read_json(directory, CONFIG).items():
        if name in _SIZES and isinstance(size, int) and size > stored:
            raise InputError(f"{directory}: {CONFIG}: {name} is {size}, and there are {stored} bytes of weights")
    try:
        config = MambaConfig.from_pretrained(directory, local_files_only=True)
        sizes = {name: int(getattr(config, name)) for name in _SIZES}
    except Exception as error:  # whatever the library raises on values of wrong types
        raise InputError(f"{directory}: {CONFIG}: {_first_line(error)}") from None
    for name, size in sizes.items():
        if size < 1:
            raise InputError(f"{directory}: {CONFIG}: {name} is {size}, expected at least 1")
    tokens, width, inner, layers, *others = sizes.values()
    least = tokens * width + layers * inner * (3 * width + sum(others))
    if least > stored:
        raise InputError(
            f"{directory}: {CONFIG} asks for more than {least} weights, and there are {stored} bytes of them"
        )


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # A heading alone says nothing.
    shown = " ".join(lines[: 2 if lines[:1] and lines[0].endswith(":") else 1])
    return f"{type(error).__name__}: {shown or 'no reason given'}"
