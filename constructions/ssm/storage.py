"""Models on disk: a folder with ``weights.safetensors`` (the arrays) and ``model.json`` (everything else).

``language.json`` may say which language it is about (:mod:`automata.saved_language`); nothing here reads it.
``model.json`` holds the format version, alphabet, outputs, arithmetic, the exponents and activations, and the
name of every embedding coordinate, state coordinate and neuron.  The arrays of an affine map NAME are
``NAME.rows``, ``NAME.columns``, ``NAME.values`` (its nonzero weights), ``NAME.shape`` and ``NAME.bias``, all int64.
Nothing is unpickled, and everything read is checked before a model is made of it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
from scipy import sparse

from automata.errors import InputError
from automata.files import replaced_folder
from automata.saved_language import LANGUAGE_FILE
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.integers import checked_exponent, checked_integer, whole_numbers
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM

MODEL_FORMAT = 1
WEIGHTS_FILE, DESCRIPTION = "weights.safetensors", "model.json"
MODEL_FILES = (WEIGHTS_FILE, DESCRIPTION, LANGUAGE_FILE)
A_SAVED_MODEL = "a saved model"


def save(ssm: SSM, folder: str | Path, language: str = "") -> None:
    """Writes the model, and the text of ``language.json`` where there is one; the folder appears complete or not at
    all.

    Raises:
        InputError: when the folder cannot be written, or holds something that is not a saved model.
    """
    from safetensors.numpy import save_file

    with replaced_folder(folder, MODEL_FILES, A_SAVED_MODEL) as fresh:
        save_file(_arrays(ssm), fresh / WEIGHTS_FILE)
        (fresh / DESCRIPTION).write_text(json.dumps(_description(ssm), indent=1, ensure_ascii=False), encoding="utf-8")
        if language:
            (fresh / LANGUAGE_FILE).write_text(language, encoding="utf-8")


def load(folder: str | Path) -> SSM:
    """Reads a saved model.

    Raises:
        InputError: naming the file and the array or entry that is missing, surplus, misshapen or of a wrong type.

    >>> import tempfile
    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.ssm.lowering import lower
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(lower(flip_flop(), Arithmetic("exact")), folder + "/model")
    ...     load(folder + "/model").hidden_size
    3
    """
    folder = Path(folder)
    description = read_description(folder / DESCRIPTION)
    arrays = read_arrays(folder / WEIGHTS_FILE)
    try:
        ssm = _build(description, arrays, folder)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(f"{folder}: {error}") from None
        raise InputError(f"{folder / DESCRIPTION}: entry {error} is missing or not of the expected form") from None
    if arrays:
        raise InputError(f"{folder / WEIGHTS_FILE}: unexpected array {sorted(arrays)[0]!r}")
    return ssm


def _arrays(ssm: SSM) -> dict[str, np.ndarray]:
    arrays = {"embedding": ssm.embedding}
    for i, layer in enumerate(ssm.layers):
        arrays[f"layers.{i}.initial"] = layer.initial
    for name, affine in ssm.affines():
        matrix = sparse.coo_array(affine.matrix)
        arrays[f"{name}.rows"] = matrix.coords[0]
        arrays[f"{name}.columns"] = matrix.coords[1]
        arrays[f"{name}.values"] = matrix.data
        arrays[f"{name}.shape"] = np.array(matrix.shape)
        arrays[f"{name}.bias"] = affine.bias
    return {name: np.ascontiguousarray(array, dtype=np.int64) for name, array in arrays.items()}


def _description(ssm: SSM) -> dict:
    return {
        "format": MODEL_FORMAT,
        "alphabet": list(ssm.alphabet),
        "outputs": list(ssm.outputs),
        "arithmetic": str(ssm.arithmetic),
        "embedding": {"exponent": ssm.embedding_exponent, "names": list(ssm.names)},
        "layers": [
            {
                "gate_function": layer.gate_function,
                "gate_exponent": layer.gate.exponent,
                "increment_exponent": layer.increment.exponent,
                "initial_exponent": layer.initial_exponent,
                "names": list(layer.names),
                "phi": [
                    {
                        "activation": mix.activation,
                        "low": mix.low,
                        "high": mix.high,
                        "exponent": mix.affine.exponent,
                        "names": list(mix.names),
                    }
                    for mix in layer.phi
                ],
            }
            for layer in ssm.layers
        ],
        "readout": {"exponent": ssm.readout.exponent},
    }


def read_description(path: Path) -> dict:
    """The entries of a model's description.

    Raises:
        InputError: naming the file and the place, where it is not JSON or of another format.
    """
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: is not a plain file")
    try:
        description = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_entries, parse_constant=_no_number
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        where = (
            f", line {error.lineno} column {error.colno}: {error.msg}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise InputError(f"{path}: is not JSON{where}") from None
    if not isinstance(description, dict) or repr(description.get("format")) != repr(MODEL_FORMAT):
        raise InputError(f"{path}: is not a model description of format {MODEL_FORMAT}")
    return description


def _entries(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object, whose keys differ: of two entries of one name neither can be the one that was meant."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise InputError(f"entry {twice[:40]!r} is given twice")
    return entries


def _no_number(text: str):
    raise InputError(f"{text} is not a number of JSON, expected an integer")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a model, by name.

    Raises:
        InputError: naming the file, and the array that is not int64.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    if not path.is_file():
        raise InputError(f"{path}: there is no such file (only safetensors are read, nothing is unpickled)")
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: is not a safetensors file ({error})") from None
    for name, array in arrays.items():
        if array.dtype.kind == "f":
            kind = (
                "NaN"
                if np.isnan(array).any()
                else "an infinite number"
                if np.isinf(array).any()
                else f"type {array.dtype}"
            )
            raise InputError(f"{path}: array {name!r} has {kind}, expected int64")
        if array.dtype != np.int64:
            raise InputError(f"{path}: array {name!r} has type {array.dtype}, expected int64")
        whole_numbers(f"{path}: array {name!r}", array)
    return arrays


def _build(description: dict, arrays: dict[str, np.ndarray], folder: Path) -> SSM:
    def take(name: str, dimensions: int = 1) -> np.ndarray:
        if name not in arrays:
            raise InputError(f"array {name!r} is missing from {WEIGHTS_FILE}")
        array = arrays.pop(name)
        if array.ndim != dimensions:
            raise InputError(f"array {name!r} has {array.ndim} dimensions, expected {dimensions}")
        return array

    def affine(name: str, exponent: int) -> Affine:
        rows, columns, values = (take(f"{name}.{part}") for part in ("rows", "columns", "values"))
        shape, bias = take(f"{name}.shape"), take(f"{name}.bias")
        if len(shape) != 2 or (shape < 0).any() or shape[0] != len(bias):
            raise InputError(
                f"array '{name}.shape' is {shape.tolist()}, which does not fit a bias of {len(bias)} numbers"
            )
        if not len(rows) == len(columns) == len(values):
            raise InputError(f"arrays '{name}.rows', '.columns' and '.values' have different lengths")
        for part, index, end in (("rows", rows, shape[0]), ("columns", columns, shape[1])):
            if ((index < 0) | (index >= end)).any():
                raise InputError(f"array '{name}.{part}' has an index outside 0..{end - 1}")
        matrix = sparse.csr_array((values, (rows, columns)), shape=tuple(shape.tolist()))
        if matrix.nnz < len(values):
            raise InputError(f"arrays '{name}.rows' and '.columns' name a weight twice")
        return Affine(matrix, bias, checked_exponent(f"the exponent of {name}", exponent))

    layers = []
    for i, entry in enumerate(description["layers"]):
        gate = affine(f"layers.{i}.gate", entry["gate_exponent"])
        increment = affine(f"layers.{i}.increment", entry["increment_exponent"])
        phi = tuple(
            Mix(
                affine(f"layers.{i}.phi.{j}", mix["exponent"]),
                mix["activation"],
                checked_integer(f"layers.{i}.phi.{j}.low", mix["low"]),
                checked_integer(f"layers.{i}.phi.{j}.high", mix["high"]),
                read_names(mix["names"]),
            )
            for j, mix in enumerate(entry["phi"])
        )
        initial_exponent = checked_exponent(f"layers.{i}.initial_exponent", entry["initial_exponent"])
        names = read_names(entry["names"])
        layers.append(
            Layer(gate, increment, take(f"layers.{i}.initial"), phi, initial_exponent, entry["gate_function"], names)
        )
    return SSM(
        alphabet=read_names(description["alphabet"]),
        outputs=read_names(description["outputs"]),
        embedding=take("embedding", 2),
        layers=tuple(layers),
        readout=affine("readout", description["readout"]["exponent"]),
        arithmetic=Arithmetic.parse(description["arithmetic"]),
        embedding_exponent=checked_exponent("the embedding's exponent", description["embedding"]["exponent"]),
        names=read_names(description["embedding"]["names"]),
    )


def read_names(value) -> tuple[str, ...]:
    """A list of names.

    Raises:
        InputError: when it is none.
    """
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InputError(f"{str(value)[:40]!r} is not a list of strings")
    return tuple(value)
