"""Edits of a saved model, on the arrays and the description that lie on disk.

An edit is a tuple of plain values, so that a list of edits can be printed, pasted and made again:

    ("set", ARRAY, PLACE, VALUE)                     one number of an array (PLACE in the flattened array)
    ("weight", MAP, ROW, COLUMN, VALUE)              a weight of a sparse map, there or not; 0 stays an entry
    ("remove", MAP, ENTRY)                           one entry of a sparse map
    ("drop", ARRAY)                                  a whole array
    ("describe", PATH, VALUE)                        an entry of model.json
    ("alphabet", SYMBOLS)                            the alphabet in another order, and a predictor's outputs with it
"""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from constructions.ssm.storage import DESCRIPTION, WEIGHTS_FILE

Edit = tuple
_PARTS = ("rows", "columns", "values")
_EXTREME = [-(2**63), -(2**63) + 1, 2**63 - 1, 2**62, -(2**62)]
_EXTREME += [
    sign * (2**bits + by) for bits in (10, 11, 12, 16, 24, 31, 32, 53, 55, 61) for by in (-1, 0, 1) for sign in (1, -1)
]
_EXTREME += [2047, 2049, 4097, 32768, 65504, 65519, 65520, 65536, 2**127, 100_003]
EXTREME = [value for value in _EXTREME if -(2**63) <= value < 2**63]
"""Ends of the ranges of integers and floats, and their neighbours."""

ARITHMETICS = (
    "exact",
    "fixed:0",
    "fixed:1",
    "fixed:2",
    "fixed:8",
    "float16",
    "float32",
    "float64",
    "wrap:1",
    "wrap:3",
    "wrap:16",
)


def read(folder: Path) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays and description."""
    return load_file(folder / WEIGHTS_FILE), json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))


def write(arrays: dict[str, np.ndarray], description: dict, folder: Path) -> None:
    """Arrays and description into an existing folder."""
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / WEIGHTS_FILE)
    (folder / DESCRIPTION).write_text(json.dumps(description), encoding="utf-8")


def apply(edits: list[Edit], arrays: dict[str, np.ndarray], description: dict) -> tuple[dict[str, np.ndarray], dict]:
    """Copies with the edits made, in order."""
    arrays, description = {name: array.copy() for name, array in arrays.items()}, deepcopy(description)
    for what, *rest in edits:
        if what == "set":
            name, place, value = rest
            arrays[name].ravel()[place] = value
        elif what == "weight":
            name, row, column, value = rest
            rows, columns, values = (arrays[f"{name}.{part}"] for part in _PARTS)
            others = (rows != row) | (columns != column)
            for part, array, added in zip(_PARTS, (rows, columns, values), (row, column, value)):
                arrays[f"{name}.{part}"] = np.append(array[others], np.int64(added))
        elif what == "remove":
            name, entry = rest
            arrays.update({f"{name}.{part}": np.delete(arrays[f"{name}.{part}"], entry) for part in _PARTS})
        elif what == "drop":
            del arrays[rest[0]]
        elif what == "alphabet":
            recogniser = len(description["outputs"]) == 1
            description["alphabet"] = rest[0]
            description["outputs"] = description["outputs"] if recogniser else [*rest[0], description["outputs"][-1]]
        else:
            *path, last = rest[0]
            where = description
            for key in path:
                where = where[key]
            where[last] = rest[1]
    return arrays, description


def draw(rng: np.random.Generator, arrays: dict[str, np.ndarray], description: dict) -> list[Edit]:
    """One edit of a kind that is drawn first, or a few that belong together."""
    while True:
        edit = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))](rng, arrays, description)
        if edit:
            return edit if isinstance(edit, list) else [edit]


def misshapen(edit: Edit) -> bool:
    """Whether the arrays may not fit together any more, so that no further edit can be drawn."""
    return edit[0] == "drop" or (edit[0] == "set" and edit[1].endswith((".shape", ".rows", ".columns")))


def _value(rng: np.random.Generator, old: int, unit: int = 1) -> int:
    """Another number: near the old one, a small one, or one from the end of a range."""
    kind = rng.integers(8)
    if kind < 4:
        new = (old + unit, old - unit, -old, 2 * old)[int(rng.integers(4))]
    elif kind == 4:
        new = 0
    elif kind == 5:
        new = int(rng.integers(-4, 5)) * unit
    else:
        new = EXTREME[int(rng.integers(len(EXTREME)))]
    return min(max(new, -(2**63)), 2**63 - 1)


def _pick(rng: np.random.Generator, items: list):
    return items[int(rng.integers(len(items)))] if items else None


def _maps(arrays: dict[str, np.ndarray]) -> list[str]:
    return sorted(name[: -len(".bias")] for name in arrays if name.endswith(".bias"))


def _weight(rng, arrays, description) -> Edit | None:
    """A weight that is there, or one that is not."""
    name = _pick(rng, _maps(arrays))
    shape, values = arrays[f"{name}.shape"], arrays[f"{name}.values"]
    if len(values) and rng.random() < 0.7:
        entry = int(rng.integers(len(values)))
        if rng.random() < 0.15:
            return "remove", name, entry
        return "set", f"{name}.values", entry, _value(rng, int(values[entry]))
    if not shape.all():
        return None
    return "weight", name, int(rng.integers(shape[0])), int(rng.integers(shape[1])), _value(rng, 0)


def _number(rng, arrays, description) -> Edit | None:
    """A bias."""
    return _any(rng, arrays, [f"{name}.bias" for name in _maps(arrays)])


def _start(rng, arrays, description) -> Edit | None:
    """A start value."""
    return _any(rng, arrays, [name for name in sorted(arrays) if name.endswith(".initial")])


def _any(rng, arrays, names: list[str]) -> Edit | None:
    name = _pick(rng, [name for name in names if arrays[name].size])
    if name is None:
        return None
    place = int(rng.integers(arrays[name].size))
    return "set", name, place, _value(rng, int(arrays[name].flat[place]))


def _embedding(rng, arrays, description) -> Edit | None:
    """A number of the embedding, of BOS in every other case."""
    rows, columns = arrays["embedding"].shape
    if not columns:
        return None
    row = rows - 1 if rng.random() < 0.5 else int(rng.integers(rows))
    place = row * columns + int(rng.integers(columns))
    return "set", "embedding", place, _value(rng, int(arrays["embedding"].flat[place]))


def _gate(rng, arrays, description) -> Edit | None:
    """A gate, for all symbols or after some feature: 2, -1, 1/2, 0, … as the exponent has it."""
    number = int(rng.integers(len(description["layers"])))
    unit = 1 << min(description["layers"][number]["gate_exponent"], 60)
    value = int(_pick(rng, [2 * unit, -unit, unit // 2 or 3 * unit, 0, unit, -2 * unit, unit + 1, unit - 1]))
    width, inputs = arrays[f"layers.{number}.gate.shape"].tolist()
    if not width:
        return None
    row = int(rng.integers(width))
    if inputs and rng.random() < 0.5:
        return "weight", f"layers.{number}.gate", row, int(rng.integers(inputs)), value
    return "set", f"layers.{number}.gate.bias", row, value


def _describe(rng, arrays, description) -> Edit | None:
    """Something in the description: exponents, activations, clip bounds, names, the alphabet, the arithmetic."""
    number = int(rng.integers(len(description["layers"])))
    layer = description["layers"][number]
    stage = int(rng.integers(len(layer["phi"])))
    mix = layer["phi"][stage]
    phi = ["layers", number, "phi", stage]
    kind = int(rng.integers(9))
    if kind == 0:
        key = str(rng.choice(["gate_exponent", "increment_exponent", "initial_exponent"]))
        return "describe", ["layers", number, key], _exponent(rng, layer[key])
    if kind == 1:
        path = (["readout", "exponent"], ["embedding", "exponent"], [*phi, "exponent"])[int(rng.integers(3))]
        old = mix["exponent"] if path[0] == "layers" else description[path[0]]["exponent"]
        return "describe", path, _exponent(rng, old)
    if kind == 2:
        return "describe", [*phi, "activation"], str(rng.choice(["relu", "linear", "clip"]))
    if kind == 3:
        end = str(rng.choice(["low", "high"]))
        return "describe", [*phi, end], int(np.clip(_value(rng, mix[end]), -(2**62), 2**62))
    if kind in (4, 5):
        names = list(layer["names"])
        if len(names) < 2:
            return None
        i, j = rng.choice(len(names), 2, replace=False).tolist()
        if kind == 5 and rng.random() < 0.5:
            names[i] = names[j] if rng.random() < 0.5 else "unknown"
        else:
            names[i], names[j] = names[j], names[i]
        return "describe", ["layers", number, "names"], names
    if kind == 6:
        return "alphabet", [description["alphabet"][i] for i in rng.permutation(len(description["alphabet"])).tolist()]
    if kind == 7:
        return "describe", ["arithmetic"], str(rng.choice(ARITHMETICS))
    return "describe", ["layers", number, "gate_function"], str(rng.choice(["affine", "sigmoid", "exp-softplus"]))


def _exponent(rng: np.random.Generator, old: int) -> int:
    return int(rng.choice([old + 1, max(0, old - 1), 0, 10, 24, 31, 53, 62, 63, 64, 200, 1000]))


def _rare(rng, arrays, description) -> Edit | None:
    """A lost array, a shape or an index that is not right: what a loader has to refuse."""
    name = _pick(rng, sorted(arrays))
    if rng.random() < 0.3 or not arrays[name].size:
        return "drop", name
    name = _pick(rng, [n for n in sorted(arrays) if n.endswith((".shape", ".rows", ".columns")) and arrays[n].size])
    return name and ("set", name, int(rng.integers(arrays[name].size)), int(rng.integers(-1, 4)))


def _balanced(rng, arrays, description) -> list[Edit] | None:
    """A large number read with BOS, and start values that make up for it: the exact model is what it was, unless it
    rounds.
    """
    rows, columns = arrays["embedding"].shape
    layer = description["layers"][0]
    if not columns or any(layer[key] for key in ("gate_exponent", "increment_exponent", "initial_exponent")):
        return None
    place = (rows - 1) * columns + int(rng.integers(columns))
    edits: list[Edit] = [("set", "embedding", place, -_pick(rng, [n for n in EXTREME if 0 < n < 2**54]))]
    before, after = _on_bos(arrays), _on_bos(apply(edits, arrays, description)[0])
    for i, start in enumerate(arrays["layers.0.initial"].tolist()):
        (gate, added), (new_gate, new_added) = before[i], after[i]
        wanted = gate * start + added - new_added
        balanced = wanted // new_gate if new_gate and wanted % new_gate == 0 else wanted
        if balanced != start and abs(balanced) < 2**63:
            edits.append(("set", "layers.0.initial", i, balanced))
    return edits


def _on_bos(arrays: dict[str, np.ndarray]) -> list[tuple[int, int]]:
    """Gate and increment of each coordinate of the first layer on BOS, as integers."""
    x = arrays["embedding"][-1].tolist()
    sums = []
    for part in ("layers.0.gate", "layers.0.increment"):
        values = arrays[f"{part}.bias"].tolist()
        for row, column, weight in zip(*(arrays[f"{part}.{kind}"].tolist() for kind in _PARTS)):
            values[row] += weight * x[column]
        sums.append(values)
    return list(zip(*sums))


_KINDS = (_weight, _number, _start, _embedding, _gate, _describe, _rare, _balanced)
_SHARES = np.array([6, 4, 3, 4, 3, 4, 1, 1]) / 26
