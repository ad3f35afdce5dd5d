"""Reads the folder of a cell; what cannot be used is refused in one line."""

from __future__ import annotations

from pathlib import Path

from automata.errors import InputError
from constructions.mamba.checkpoint import CONFIG, SAFETENSORS
from constructions.recurrent.cells import EXACT_TERMS, CellWeights, shapes


def load_cell(directory: Path, cell: str) -> tuple[CellWeights, tuple[str, ...]]:
    """The weights, as numbers of the format that they are run in, and what was done to read them.

    Raises:
        InputError: when weights are lacking, too many, not finite, or of shapes that do not fit each other.
    """
    from constructions.mamba.named_values import read_json, shown
    from constructions.mamba.stored import format_of, read_tensors, weight_files

    content = read_json(directory, CONFIG)
    tensors = read_tensors(directory, weight_files(directory))
    dtype, notes = format_of(directory, content, tensors)
    if dtype not in EXACT_TERMS:
        raise InputError(f"{directory}: {CONFIG}: dtype is {dtype}, expected one of {', '.join(EXACT_TERMS)}")
    embedding, hidden = tensors.get("embedding.weight"), tensors.get("layer.weight_hh_l0")
    for name, tensor in (("embedding.weight", embedding), ("layer.weight_hh_l0", hidden)):
        if tensor is None or tensor.dim() != 2:
            raise InputError(f"{directory}: {SAFETENSORS} has no matrix {name!r}")
    assert embedding is not None and hidden is not None
    layers = 1
    while f"layer.weight_hh_l{layers}" in tensors:
        layers += 1
    wanted = shapes(cell, tokens=len(embedding), units=hidden.shape[1], layers=layers)
    for name in sorted(wanted.keys() ^ tensors.keys()):
        raise InputError(
            f"{directory}: {SAFETENSORS} {'lacks' if name in wanted else 'has the unknown'} tensor {shown(name)}"
        )
    for name, tensor in tensors.items():
        if tuple(tensor.shape) != wanted[name]:
            raise InputError(
                f"{directory}: tensor {name!r} has the shape {tuple(tensor.shape)}, expected {wanted[name]}"
            )
    arrays = {name: tensor.double().numpy() for name, tensor in tensors.items()}
    return CellWeights(cell, dtype, (), (), ("",) * hidden.shape[1], arrays), tuple(notes)
