"""What a checkpoint folder holds, read without building a model: sizes, weights, and how they were stored.

Two formats are read, and told apart by config.json: Hugging Face's (``"model_type": "mamba"``) and that of the official
package (``d_model``, ``n_layer``), whose names are translated.  Weights are read from safetensors alone, in one file or
several; nothing is unpickled.  Names may have the prefixes that training leaves behind, or lack that of the language
model.  Weights are floating-point numbers: a tensor of another kind would lose something when it is cast, and is
refused by name.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open

from automata.errors import InputError
from constructions.mamba.checkpoint import CONFIG, SAFETENSORS
from constructions.mamba.named_values import first_line, read_json, shown
from constructions.mamba.precision import PRECISIONS

INDEX = "model.safetensors.index.json"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
_PREFIXES = ("_orig_mod.", "module.", "model.")
"""What torch.compile, data parallelism and trainers put before every name."""

_SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "expand", "state_size", "conv_kernel", "time_step_rank")
_SWITCHES = ("use_bias", "use_conv_bias", "residual_in_fp32", "tie_word_embeddings", "use_mambapy")
_OFFICIAL_NAMES = {
    "d_model": "hidden_size",
    "n_layer": "num_hidden_layers",
    "vocab_size": "vocab_size",
    "tie_embeddings": "tie_word_embeddings",
    "residual_in_fp32": "residual_in_fp32",
}
_OFFICIAL_SSM_NAMES = {
    "d_state": "state_size",
    "d_conv": "conv_kernel",
    "expand": "expand",
    "dt_rank": "time_step_rank",
    "bias": "use_bias",
    "conv_bias": "use_conv_bias",
}
_OFFICIAL_NEUTRAL = ("layer", "dt_min", "dt_max", "dt_init", "dt_scale", "dt_init_floor", "use_fast_path")
"""What only matters for training, or was checked."""


@dataclass(frozen=True)
class Stored:
    """A checkpoint as read.

    Attributes:
        config: arguments of ``MambaConfig``, those that the numbers depend on.
        dtype: the name of the format in which the model computes.
        tensors: weights by Hugging Face's names, in the formats in which they were stored.
        notes: what was done to read it, one sentence each.
    """

    config: dict
    dtype: str
    tensors: dict[str, torch.Tensor]
    notes: tuple[str, ...]


def read_stored(directory: Path) -> Stored:
    """Reads configuration and weights.

    Raises:
        InputError: when the folder is no checkpoint, is of another architecture, has pickled weights only, or has a
            tensor that is not made of floating-point numbers.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: is not a folder")
    if not (directory / CONFIG).is_file():
        raise InputError(f"{directory}: is no checkpoint, it has no {CONFIG}")
    content = read_json(directory, CONFIG)
    official = "model_type" not in content and "d_model" in content and "n_layer" in content
    if not official and content.get("model_type") != "mamba":
        raise InputError(f"{directory}: the architecture is {shown(content.get('model_type'))}, expected 'mamba'")
    files = weight_files(directory)
    config = _official_config(directory, content) if official else _config(directory, content)
    _check_sizes(directory, config, sum(path.stat().st_size for path in files))
    notes = ["the layout is that of the official package mamba-ssm, its names translated"] if official else []
    read = read_tensors(directory, files)
    tensors, said = _plain_names(directory, read)
    notes += said
    dtype, said = format_of(directory, content, tensors)
    return Stored(config, dtype, tensors, (*notes, *said))


# -- config.json --------------------------------------------------------------------------------------


def _config(directory: Path, content: dict) -> dict:
    if content.get("quantization_config"):
        raise InputError(
            f"{directory}: {CONFIG}: the weights are quantised (quantization_config), expected plain numbers"
        )
    config = {
        name: content[name] for name in (*_SIZES, *_SWITCHES, "layer_norm_epsilon", "hidden_act") if name in content
    }
    _check_types(directory, config, {})
    return config


def _official_config(directory: Path, content: dict) -> dict:
    ssm = content.get("ssm_cfg", {})
    if not isinstance(ssm, dict):
        raise InputError(f"{directory}: {CONFIG}: ssm_cfg is {shown(ssm)}, expected named values")
    if ssm.get("layer", "Mamba1") != "Mamba1":
        raise InputError(f"{directory}: {CONFIG}: the layers are {shown(ssm['layer'])}, expected 'Mamba1'")
    for name, neutral in (("rms_norm", True), ("attn_layer_idx", []), ("attn_cfg", {}), ("d_intermediate", 0)):
        if content.get(name, neutral) != neutral:
            raise InputError(f"{directory}: {CONFIG}: {name} is {shown(content[name])}, only {neutral!r} can be read")
    for name in ssm:
        if name not in _OFFICIAL_SSM_NAMES and name not in _OFFICIAL_NEUTRAL:
            raise InputError(f"{directory}: {CONFIG}: ssm_cfg has the unknown {shown(name)}")
    names = {**_OFFICIAL_NAMES, **_OFFICIAL_SSM_NAMES}
    given = {**content, **ssm}
    config = {new: given[old] for old, new in names.items() if old in given}
    _check_types(directory, config, {new: old for old, new in names.items()})
    multiple = content.get("pad_vocab_size_multiple", 8)
    if type(multiple) is not int or not 1 <= multiple <= 2**20:
        raise InputError(f"{directory}: {CONFIG}: pad_vocab_size_multiple is {shown(multiple)}, expected at least 1")
    if "vocab_size" in config:
        config["vocab_size"] = -(-config["vocab_size"] // multiple) * multiple
    return config


def _check_types(directory: Path, config: dict, names: dict[str, str]) -> None:
    """``names``: how a value is called in the file, where that is not its name here."""
    for name, value in config.items():
        called = names.get(name, name)
        if name in _SIZES and not (name == "time_step_rank" and value == "auto"):
            if type(value) is not int:
                raise InputError(
                    f"{directory}: {CONFIG}: {called!r} expected int, got {type(value).__name__} (value: "
                    f"{shown(value)})"
                )
            if value < 1:
                raise InputError(f"{directory}: {CONFIG}: {called} is {value}, expected at least 1")
        if name in _SWITCHES and type(value) is not bool:
            raise InputError(f"{directory}: {CONFIG}: {called} is {shown(value)}, expected true or false")
    epsilon = config.get("layer_norm_epsilon", 0.0)
    if type(epsilon) not in (int, float) or not 0 <= epsilon < math.inf:
        raise InputError(f"{directory}: {CONFIG}: layer_norm_epsilon is {shown(epsilon)}, expected a number from 0")


def _check_sizes(directory: Path, config: dict, stored: int) -> None:
    """Sizes that fit the files, so that no model is built of which most has no weights."""
    sizes = {name: config[name] for name in _SIZES if type(config.get(name)) is int}
    for name, size in sizes.items():
        if size > stored:
            raise InputError(f"{directory}: {CONFIG}: {name} is {shown(size)}, and there are {stored} bytes of weights")
    defaults = {"vocab_size": 50280, "hidden_size": 768, "num_hidden_layers": 32, "expand": 2}
    tokens, width, layers, expand = (sizes.get(name, default) for name, default in defaults.items())
    others = sum(sizes.get(name, 1) for name in ("state_size", "conv_kernel", "time_step_rank"))
    least = tokens * width + layers * expand * width * (3 * width + others)
    if least > stored:
        raise InputError(
            f"{directory}: {CONFIG} asks for more than {least} weights, and there are {stored} bytes of them"
        )


def format_of(directory: Path, content: dict, tensors: dict[str, torch.Tensor]) -> tuple[str, list[str]]:
    """The format of the model: what config.json says, else that of the first tensor; and what to say about it."""
    said = {name: content[name] for name in ("dtype", "torch_dtype") if content.get(name) not in (None, "auto")}
    for name, value in said.items():
        if not isinstance(value, str) or value.removeprefix("torch.") not in PRECISIONS:
            raise InputError(
                f"{directory}: {CONFIG}: {name} is {shown(value)}, expected one of {', '.join(PRECISIONS)}"
            )
    names = {value.removeprefix("torch.") for value in said.values()}
    if len(names) > 1:
        raise InputError(f"{directory}: {CONFIG}: dtype is {said['dtype']}, and torch_dtype is {said['torch_dtype']}")
    stored = {str(tensor.dtype).removeprefix("torch."): None for tensor in tensors.values()}
    dtype = names.pop() if names else next(iter(stored))
    if list(stored) == [dtype]:
        return dtype, []
    rounded = sum(
        int((tensor.to(getattr(torch, dtype)).to(tensor.dtype) != tensor).sum()) for tensor in tensors.values()
    )
    why = "as config.json says" if said else "the format of the first tensor"
    return dtype, [
        f"stored in {' and '.join(stored)}, run in {dtype}, {why}: {rounded} "
        "weights are rounded, and all claims are about "
        f"the {dtype} model"
    ]


# -- weights ------------------------------------------------------------------------------------------


def weight_files(directory: Path) -> list[Path]:
    """The files that the weights are read from; an index may name others, but none that is pickled."""
    if (directory / SAFETENSORS).is_file():
        return [directory / SAFETENSORS]
    if (directory / INDEX).is_file():
        places = read_json(directory, INDEX).get("weight_map")
        names = list(places.values()) if isinstance(places, dict) else []
        present = {path.name for path in directory.iterdir() if path.is_file()}
        for name in names or [None]:
            if not (isinstance(name, str) and name.endswith(".safetensors") and name in present):
                raise InputError(
                    f"{directory}: {INDEX} names {shown(name)}, which is no safetensors file in the folder"
                )
        return [directory / name for name in sorted(set(names))]
    for path in sorted(path for pattern in _PICKLES for path in directory.glob(pattern)):
        raise InputError(
            f"{directory}: {path.name} is pickled, which can run code when it is read: refused, save as {SAFETENSORS} "
            "(safetensors.torch.save_file of the same state dict)"
        )
    raise InputError(f"{directory}: has no {SAFETENSORS}")


def read_tensors(directory: Path, files: list[Path]) -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for path in files:
        try:
            with safe_open(path, "pt") as opened:
                for name in opened.keys():
                    kind = opened.get_slice(name).get_dtype()
                    if kind not in ("F64", "F32", "F16", "BF16"):
                        raise InputError(
                            f"{directory}: tensor {shown(name)} is stored as {kind}, expected floating-point numbers "
                            "(F64, F32, F16, BF16): cast it first, knowing what is lost"
                        )
                    if name in tensors:
                        raise InputError(f"{directory}: tensor {shown(name)} is in two files")
                    tensors[name] = opened.get_tensor(name)
        except InputError:
            raise
        except Exception as error:  # whatever the library raises on a damaged file
            raise InputError(f"{directory}: {path.name} cannot be loaded: {first_line(error)}") from None
    if not tensors:
        raise InputError(f"{directory}: {files[0].name} has no tensors")
    for name, tensor in tensors.items():
        bad = torch.nonzero(~torch.isfinite(tensor))
        if len(bad):
            place = tuple(bad[0].tolist())
            raise InputError(f"{directory}: tensor {shown(name)[1:-1]}{list(place)} is {tensor[place].item()}")
    return tensors


def _plain_names(directory: Path, read: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Hugging Face's names, and which prefixes were taken off."""
    tensors, taken = {}, []
    for name, tensor in read.items():
        plain = name
        while prefix := next((prefix for prefix in _PREFIXES if plain.startswith(prefix)), ""):
            plain = plain.removeprefix(prefix)
            taken.append(prefix)
        if plain.startswith(("layers.", "embeddings.", "embedding.", "norm_f.")):
            plain = f"backbone.{plain}"
        if plain == "backbone.embedding.weight":
            plain = "backbone.embeddings.weight"
        if plain in tensors:
            raise InputError(f"{directory}: tensor {shown(plain)} is there twice, under two names")
        tensors[plain] = tensor
    prefixes = " and ".join(dict.fromkeys(taken))
    return tensors, [f"the prefix {prefixes} of the tensors' names is left out"] if taken else []
