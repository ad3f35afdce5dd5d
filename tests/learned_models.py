"""Trained Mambas for tests: those beside the tests, and those of the shared prototypes where they are present."""

import json
from pathlib import Path

import numpy as np
import pytest
from trained_models import TRAINED

from automata.catalogue import language
from automata.formats import read_dfa
from automata.machine import EOS

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


def trained(name: str) -> Path:
    """The folder of a small trained checkpoint; the test is skipped, saying so, where it is absent."""
    folder = TRAINED / name
    if folder.is_dir():
        return folder
    folder = SHARED / "prototypes" / "learned" / "models" / name
    if not folder.is_dir():
        pytest.skip(f"trained checkpoint not present: {name}")
    return folder


def machine_of(name: str):
    """A language of the catalogue, or of a file of the shared data."""
    path = SHARED / "data" / "mlregtest" / f"{name}.att"
    return read_dfa(str(path)) if name.startswith("04.") else language(name).machine


def opened(folder: Path, machine):
    """The stock model, ready to be stepped."""
    from constructions.mamba.reading import Reading
    from verify.checkpoints.opening import open_checkpoint

    return open_checkpoint(folder, machine.alphabet, (*machine.alphabet, EOS), Reading()).model


def stored(folder: Path) -> tuple[dict, float]:
    """The arrays of a checkpoint as they are stored, and its epsilon."""
    from safetensors.numpy import load_file

    arrays = load_file(folder / "model.safetensors")
    arrays.setdefault("lm_head.weight", arrays["backbone.embeddings.weight"])
    return arrays, json.loads((folder / "config.json").read_text())["layer_norm_epsilon"]


def with_a_pair(tensors: dict, channel: int, size: float) -> dict:
    """The arrays of a model of one block with two more channels, copies of one, whose outputs cancel: the same model
    but for rounding, and boxes do not see it.
    """
    mixer, added = "backbone.layers.0.mixer.", dict(tensors)
    inner, twice = len(tensors[f"{mixer}D"]), [channel, channel]
    both = tensors[f"{mixer}in_proj.weight"]
    added[f"{mixer}in_proj.weight"] = np.concatenate([both[:inner], both[twice], both[inner:], both[inner:][twice]])
    for name in ("conv1d.weight", "conv1d.bias", "dt_proj.weight", "dt_proj.bias", "A_log"):
        added[mixer + name] = np.concatenate([tensors[mixer + name], tensors[mixer + name][twice]])
    added[f"{mixer}D"] = np.pad(tensors[f"{mixer}D"], (0, 2))
    added[f"{mixer}x_proj.weight"] = np.pad(tensors[f"{mixer}x_proj.weight"], ((0, 0), (0, 2)))
    out = tensors[f"{mixer}out_proj.weight"]
    column = np.float32(size) * np.where(np.arange(len(out)) % 2, 1, -1).astype(np.float32)[:, None]
    added[f"{mixer}out_proj.weight"] = np.concatenate([out, column, -column], axis=1)
    return added
