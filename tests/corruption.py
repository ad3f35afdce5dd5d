"""Single-weight corruptions of a saved model, and a plain run of its arrays that shares nothing with the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator

import numpy as np

from constructions.ssm.layers import Affine
from constructions.ssm.weights import SSM


def corruptions(ssm: SSM) -> Iterator[tuple[str, SSM]]:
    """Every nonzero weight set to zero, negated, and made larger by one unit: (what was done, model)."""
    for row, column in np.argwhere(ssm.embedding != 0).tolist():
        for value in changed(int(ssm.embedding[row, column])):
            embedding = ssm.embedding.copy()
            embedding[row, column] = value
            yield f"embedding[{row}, {column}] = {value}", replace(ssm, embedding=embedding)
    for number, layer in enumerate(ssm.layers):
        for i in np.flatnonzero(layer.initial).tolist():
            for value in changed(int(layer.initial[i])):
                initial = layer.initial.copy()
                initial[i] = value
                yield f"layers.{number}.initial[{i}] = {value}", with_layer(ssm, number, initial=initial)
        for part in ("gate", "increment"):
            for what, affine in affine_corruptions(getattr(layer, part)):
                yield f"layers.{number}.{part}{what}", with_layer(ssm, number, **{part: affine})
        for stage, mix in enumerate(layer.phi):
            for what, affine in affine_corruptions(mix.affine):
                phi = (*layer.phi[:stage], replace(mix, affine=affine), *layer.phi[stage + 1 :])
                yield f"layers.{number}.phi.{stage}{what}", with_layer(ssm, number, phi=phi)
    for what, affine in affine_corruptions(ssm.readout):
        yield f"readout{what}", replace(ssm, readout=affine)


def changed(value: int) -> tuple[int, ...]:
    """What a nonzero weight is corrupted to."""
    return tuple({0, -value, value + 1} - {value})


def affine_corruptions(affine: Affine) -> Iterator[tuple[str, Affine]]:
    matrix = affine.matrix
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    for place in np.flatnonzero(matrix.data).tolist():
        for value in changed(int(matrix.data[place])):
            corrupted = matrix.copy()
            corrupted.data[place] = value
            yield f"[{rows[place]}, {matrix.indices[place]}] = {value}", replace(affine, matrix=corrupted)
    for i in np.flatnonzero(affine.bias).tolist():
        for value in changed(int(affine.bias[i])):
            bias = affine.bias.copy()
            bias[i] = value
            yield f".bias[{i}] = {value}", replace(affine, bias=bias)


def edits(ssm: SSM, values: tuple[int, ...], zeros: bool) -> Iterator[tuple[str, SSM]]:
    """Every number changed to each of the values, those that are zero only if asked for: (what was done, model)."""
    for (row, column), embedding in edited(ssm.embedding, values, zeros):
        yield f"embedding[{row}, {column}] = {embedding[row, column]}", replace(ssm, embedding=embedding)
    for number, layer in enumerate(ssm.layers):
        for (i,), initial in edited(layer.initial, values, zeros):
            yield f"layers.{number}.initial[{i}] = {initial[i]}", with_layer(ssm, number, initial=initial)
        for part in ("gate", "increment"):
            for what, affine in affine_edits(getattr(layer, part), values, zeros):
                yield f"layers.{number}.{part}{what}", with_layer(ssm, number, **{part: affine})
        for stage, mix in enumerate(layer.phi):
            for what, affine in affine_edits(mix.affine, values, zeros):
                phi = (*layer.phi[:stage], replace(mix, affine=affine), *layer.phi[stage + 1 :])
                yield f"layers.{number}.phi.{stage}{what}", with_layer(ssm, number, phi=phi)
    for what, affine in affine_edits(ssm.readout, values, zeros):
        yield f"readout{what}", replace(ssm, readout=affine)


def edited(array: np.ndarray, values: tuple[int, ...], zeros: bool) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    for place in map(tuple, np.argwhere((array != 0) | zeros).tolist()):
        for value in values:
            if value != array[place]:
                changed = array.copy()
                changed[place] = value
                yield place, changed


def affine_edits(affine: Affine, values: tuple[int, ...], zeros: bool) -> Iterator[tuple[str, Affine]]:
    for place, matrix in edited(affine.matrix.toarray(), values, zeros):
        yield f"{list(place)} = {matrix[place]}", replace(affine, matrix=matrix)
    for (i,), bias in edited(affine.bias, values, zeros):
        yield f".bias[{i}] = {bias[i]}", replace(affine, bias=bias)


def with_layer(ssm: SSM, number: int, **changes) -> SSM:
    layers = list(ssm.layers)
    layers[number] = replace(layers[number], **changes)
    return replace(ssm, layers=tuple(layers))


def plain_outputs(ssm: SSM, words: np.ndarray) -> np.ndarray:
    """Outputs after BOS and each symbol, booleans of shape (batch, time + 1, outputs).

    The equations of the layer, dense and one step at a time, in float64 (whose integers are exact here), for
    integer weights in exact arithmetic.
    """
    batch = len(words)
    states = [np.tile(layer.initial.astype(float), (batch, 1)) for layer in ssm.layers]
    dense = {
        name: (affine.matrix.toarray().T.astype(float), affine.bias.astype(float)) for name, affine in ssm.affines()
    }

    def apply(name: str, x: np.ndarray) -> np.ndarray:
        matrix, bias = dense[name]
        return x @ matrix + bias

    bos = np.full((batch, 1), len(ssm.alphabet))
    outputs = []
    for symbols in np.concatenate([bos, words], axis=1).T:
        x = ssm.embedding[symbols].astype(float)
        for i, layer in enumerate(ssm.layers):
            states[i] = apply(f"layers.{i}.gate", x) * states[i] + apply(f"layers.{i}.increment", x)
            z = states[i]
            for j in range(len(layer.phi)):
                z = np.maximum(apply(f"layers.{i}.phi.{j}", np.concatenate([z, x], axis=1)), 0)
            x = z
        outputs.append(apply("readout", x) > 0)
    return np.stack(outputs, axis=1)
