"""Reads a checkpoint of a stock architecture that has a target here; what cannot be used is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from automata.errors import InputError
from constructions.mamba.checkpoint import CONFIG, SAFETENSORS
from constructions.mamba.named_values import first_line, read_json, shown
from constructions.mamba.stored import format_of, read_tensors, weight_files
from constructions.mamba.surroundings import quiet
from constructions.stock.architecture import Architecture
from constructions.stock.running import configured, loaded

_NOT_SIZES = ("architectures", "dtype", "torch_dtype", "model_type", "transformers_version", "return_dict")
"""Entries of config.json that the model is not built by."""


def load_stock(directory: Path, architecture: Architecture) -> tuple[Any, tuple[str, ...]]:
    """The model, in evaluation mode and in the format that its configuration names, and what was done to read it.

    Raises:
        InputError: when the configuration is not one of the architecture, and when weights are lacking, too many, of
            other shapes than it asks for, or not finite numbers of the model's format.
    """
    content = read_json(directory, CONFIG)
    if content.get("quantization_config"):
        raise InputError(
            f"{directory}: {CONFIG}: the weights are quantised (quantization_config), expected plain numbers"
        )
    files = weight_files(directory)
    tensors = read_tensors(directory, files)
    dtype, notes = format_of(directory, content, tensors)
    given = {name: value for name, value in content.items() if name not in _NOT_SIZES}
    layers = given.get("num_hidden_layers")
    if isinstance(layers, int) and layers > len(tensors):
        raise InputError(
            f"{directory}: {CONFIG}: num_hidden_layers is {layers}, and there are {len(tensors)} tensors in all"
        )
    try:
        with quiet():
            config = configured(architecture, given)
            # Shapes first, so that no more memory is asked for than the file has weights.
            with torch.device("meta"):
                blank = AutoModelForCausalLM.from_config(config)
                wanted, tied = blank.state_dict(), getattr(blank, "all_tied_weights_keys", {})
    except InputError:
        raise
    except Exception as error:  # whatever the library raises on values that it does not know
        raise InputError(f"{directory}: {CONFIG}: {first_line(error)}") from None
    # What is tied to another tensor need not be stored.
    tensors |= {name: tensors[source] for name, source in tied.items() if name not in tensors and source in tensors}
    _check_shapes(directory, tensors, wanted)
    for name, tensor in tensors.items():
        bad = torch.nonzero(~torch.isfinite(tensor.to(getattr(torch, dtype))))
        if len(bad):
            place = tuple(bad[0].tolist())
            raise InputError(
                f"{directory}: tensor {name}{list(place)} is {tensor[place].item():g}, which is too large for {dtype}"
            )
    try:
        model = loaded(config, tensors, getattr(torch, dtype))
    except Exception as error:  # whatever the library raises on values that it does not know
        raise InputError(f"{directory}: {CONFIG}: {first_line(error)}") from None
    for name, tensor in model.state_dict().items():
        if not torch.equal(tensor, tensors[name].to(tensor.dtype)):
            raise InputError(
                f"{directory}: {name} is not as it is stored when the library has read it, as where {CONFIG} ties it "
                "to another tensor (tie_word_embeddings)"
            )
    return model, tuple(notes)


def _check_shapes(directory: Path, tensors: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    for name in sorted(wanted.keys() - tensors.keys()):
        raise InputError(f"{directory}: {SAFETENSORS} lacks tensor {name!r}")
    for name in sorted(tensors.keys() - wanted.keys()):
        raise InputError(f"{directory}: {SAFETENSORS} has the unknown tensor {shown(name)}")
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise InputError(
                f"{directory}: tensor {name!r} does not have the shape that {CONFIG} asks for: {tuple(tensor.shape)}, "
                f"expected {tuple(wanted[name].shape)}"
            )
