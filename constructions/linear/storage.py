"""Linear recurrences on disk: ``linear.json`` and the arrays in ``weights.safetensors``, all int64.

An array NAME is ``NAME.shape``, ``NAME.places`` and ``NAME.values``.  Nothing is unpickled, and everything read is
checked before a model is made of it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import numpy as np

from automata.errors import InputError
from automata.files import replaced_folder
from automata.saved_language import LANGUAGE_FILE
from constructions.linear.weights import LinearLayer, LinearWeights, Sparse
from constructions.ssm.storage import MODEL_FORMAT, WEIGHTS_FILE, read_arrays, read_description, read_names

LINEAR_FILE = "linear.json"
LINEAR_FILES = (WEIGHTS_FILE, LINEAR_FILE, LANGUAGE_FILE)
A_LINEAR_MODEL = "a saved linear recurrence"


def save_linear(weights: LinearWeights, folder: str | Path, language: str = "") -> None:
    """Writes the model, complete or not at all.

    Raises:
        InputError: when the folder cannot be written, or holds something else.
    """
    from safetensors.numpy import save_file

    description = {
        "format": MODEL_FORMAT,
        "family": weights.family,
        "order": weights.order,
        "alphabet": list(weights.alphabet),
        "outputs": list(weights.outputs),
        "coordinates": list(weights.coordinates),
        "cells": [list(layer.names) for layer in weights.layers],
    }
    arrays = {
        f"{name}.{part}": np.ascontiguousarray(np.array(getattr(array, part), dtype=np.int64))
        for name, array in _named(weights)
        for part in ("shape", "places", "values")
    }
    with replaced_folder(folder, LINEAR_FILES, A_LINEAR_MODEL) as fresh:
        save_file(arrays, fresh / WEIGHTS_FILE)
        (fresh / LINEAR_FILE).write_text(json.dumps(description, indent=1, ensure_ascii=False), encoding="utf-8")
        if language:
            (fresh / LANGUAGE_FILE).write_text(language, encoding="utf-8")


def load_linear(folder: str | Path) -> LinearWeights:
    """Reads a saved model.

    Raises:
        InputError: naming the file and the array or entry that is missing, surplus, misshapen or of a wrong type.
    """
    folder = Path(folder)
    description, arrays = read_description(folder / LINEAR_FILE), read_arrays(folder / WEIGHTS_FILE)

    def take(name: str) -> Sparse:
        parts = []
        for part in ("shape", "places", "values"):
            if (array := arrays.pop(f"{name}.{part}", None)) is None:
                raise InputError(f"array '{name}.{part}' is missing from {WEIGHTS_FILE}")
            parts.append(array)
        return Sparse(tuple(parts[0].reshape(-1).tolist()), parts[1], parts[2])

    try:
        if type(description["order"]) is not int or not isinstance(description["cells"], list):
            raise InputError("the order is no integer, or the cells are no list")
        layers = tuple(
            LinearLayer(**{part: take(f"layers.{number}.{part}") for part in _PARTS}, names=read_names(cells))
            for number, cells in enumerate(description["cells"])
        )
        names = {part: read_names(description[part]) for part in ("alphabet", "outputs", "coordinates")}
        weights = LinearWeights(
            description["family"], description["order"], embedding=take("embedding"), layers=layers, head=take("head"),
            **names,
        )  # fmt: skip
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    except (KeyError, TypeError) as error:
        raise InputError(f"{folder / LINEAR_FILE}: entry {error} is missing or not of the expected form") from None
    if arrays:
        raise InputError(f"{folder / WEIGHTS_FILE}: unexpected array {sorted(arrays)[0]!r}")
    return weights


_PARTS = ("transition", "increment", "read", "neurons", "write")


def _named(weights: LinearWeights) -> Iterator[tuple[str, Sparse]]:
    yield "embedding", weights.embedding
    for number, layer in enumerate(weights.layers):
        yield from ((f"layers.{number}.{part}", array) for part, array in layer.arrays().items())
    yield "head", weights.head
