"""Checkpoint folders with something wrong in them, from a seed."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

WEIRD = (
    None,
    "",
    "x",
    "auto",
    "a\nb",
    "long" * 30_000,
    -1,
    0,
    1,
    3,
    1.5,
    True,
    10**12,
    2**70,
    -(2**63),
    [],
    {},
    [1],
    {"a": 1},
    float("nan"),
    float("inf"),
    1e-300,
)
CONFIG_KEYS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "expand",
    "state_size",
    "conv_kernel",
    "time_step_rank",
    "intermediate_size",
    "use_bias",
    "use_conv_bias",
    "residual_in_fp32",
    "tie_word_embeddings",
    "use_mambapy",
    "layer_norm_epsilon",
    "hidden_act",
    "dtype",
    "torch_dtype",
    "model_type",
    "architectures",
    "quantization_config",
    "layer_types",
    "bos_token_id",
    "auto_map",
    "d_model",
    "ssm_cfg",
)
TOKENIZER_KEYS = (
    "version",
    "added_tokens",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "model",
    "normalizer",
    "truncation",
)
TOKENIZER_CONFIG_KEYS = (
    "tokenizer_class",
    "bos_token",
    "eos_token",
    "pad_token",
    "auto_map",
    "model_max_length",
    "extra",
)
DTYPES = (torch.int8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn, torch.float16, torch.float64)


def spoil(folder: Path, seed: int) -> str:
    """Changes one or two things in the folder; returns what."""
    rng = np.random.default_rng(seed)
    return "; ".join(_spoil(folder, rng) for _ in range(1 + (rng.random() < 0.2)))


def _spoil(folder: Path, rng: np.random.Generator) -> str:
    def one(values):
        return values[rng.integers(len(values))]

    rare = ("file", "header", "vocabulary")
    kind = one(("config", "config", "config", "weights", "weights", "tokenizer", "tokenizer", *rare))
    if kind == "config":
        key = one(CONFIG_KEYS)
        return _edit(folder / "config.json", key, one((*WEIRD, "delete")))
    if kind == "tokenizer":
        if rng.random() < 0.5:
            return _edit(folder / "tokenizer.json", one(TOKENIZER_KEYS), one((*WEIRD, "delete")))
        return _edit(folder / "tokenizer_config.json", one(TOKENIZER_CONFIG_KEYS), one((*WEIRD, "delete")))
    if kind == "vocabulary":
        content = _read(folder / "tokenizer.json")
        if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
            return "nothing"
        content["model"][one(("vocab", "type", "unk_token"))] = value = one(WEIRD)
        (folder / "tokenizer.json").write_text(json.dumps(content))
        return f"vocabulary {value!r:.40}"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        return "nothing"
    if kind == "file":
        path = folder / one(("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"))
        data = path.read_bytes() if path.is_file() else b""
        how = one(("gone", "empty", "cut", "noise", "not text", "folder"))
        path.unlink(missing_ok=True)
        if how == "folder":
            path.mkdir()
        elif how != "gone":
            noise = bytes(rng.integers(0, 256, 500, dtype=np.uint8))
            cut = data[: rng.integers(len(data) + 1)]
            path.write_bytes({"empty": b"", "cut": cut, "noise": noise, "not text": b"\xff\xfe" + data}[how])
        return f"{path.name} {how}"
    try:
        tensors = load_file(weights)
    except Exception:  # spoiled before
        return "nothing"
    if kind == "header":
        return _header(weights, one(("long", "no JSON", "offsets", "shape", "dtype", "negative")))
    name = one(sorted(tensors))
    how = one(("gone", "extra", "shape", "dtype", "dtype", "nan", "inf", "huge", "prefix", "renamed", "empty"))
    tensor = tensors.pop(name)
    if how == "extra":
        tensors |= {name: tensor, one(("x", "lm_head.bias", "backbone.layers.9.mixer.D", "y" * 5000)): tensor.clone()}
    if how == "shape":
        tensors[name] = one((tensor[:-1].contiguous(), tensor[None], tensor.flatten()[:1].clone(), torch.tensor(1.0)))
    if how == "dtype":
        tensors[name] = tensor.to(one(DTYPES))
    if how in ("nan", "inf", "huge"):
        tensors[name] = tensor.clone()
        tensors[name].flatten()[0] = {"nan": float("nan"), "inf": float("-inf"), "huge": 3e38}[how]
    if how == "prefix":
        tensors[name] = tensor
        prefix = one(("module.", "_orig_mod.", "model.", "other."))
        tensors = {f"{prefix}{key}": value for key, value in tensors.items()}
    if how == "renamed":
        tensors |= {one((f"module.{name}", name.replace("backbone.", ""), name.upper())): tensor}
    if how == "empty":
        tensors = {}
    save_file(tensors, weights, metadata={"format": "pt"})
    return f"{name} {how}"


def _read(path: Path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def _edit(path: Path, key: str, value) -> str:
    content = _read(path)
    if not isinstance(content, dict):
        return "nothing"
    content.pop(key, None)
    if value != "delete":
        content[key] = value
    path.write_text(json.dumps(content))
    return f"{path.name} {key} {value!r:.40}"


def _header(path: Path, how: str) -> str:
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header, rest = json.loads(data[8 : 8 + size]), data[8 + size :]
    first = next((key for key in header if key != "__metadata__"), None)
    if first is None:  # spoiled before
        return "nothing"
    header[first] |= {
        "offsets": {"data_offsets": [0, 2**40]},
        "shape": {"shape": [2**40, 2**40]},
        "dtype": {"dtype": "F7"},
        "negative": {"data_offsets": [-4, 0]},
    }.get(how, {})
    text = b"{" if how == "no JSON" else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", 2**60 if how == "long" else len(text)) + text + rest)
    return f"header {how}"
