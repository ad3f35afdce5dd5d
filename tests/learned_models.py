"""Trained Mambas for tests: those beside the tests, and those of the shared prototypes where they are present."""

import json
from pathlib import Path

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
