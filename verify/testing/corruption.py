"""Models with one number changed, named by the array, the place, and what the coordinate there means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterator, Sequence

import numpy as np

from automata.errors import InputError
from automata.machine import BOS
from constructions.ssm.layers import Affine
from constructions.ssm.weights import SSM

Indices = tuple[int, ...]


def corruptions(model: SSM) -> Iterator[tuple[str, SSM]]:
    """Every nonzero weight and start value set to zero, negated, and made larger by one unit: (what was done, model).

    >>> from verify import build, compile, language
    >>> next(corruptions(build(compile(language("flip-flop"))).weights))[0]
    'embedding[0, 0] = 0, was 1 (symbol w, feature symbol w)'
    """
    for array, numbers in arrays(model):
        for place in _where(numbers != 0):
            for value in changed(int(numbers[place])):
                yield _described(model, array, place, numbers[place], value), corrupt(model, array, place, value)


def edits(model: SSM, values: Sequence[int], zeros: bool) -> Iterator[tuple[str, SSM]]:
    """Every number changed to each of the values, those that are zero only if asked for: (what was done, model)."""
    for array, numbers in arrays(model):
        for place in _where((numbers != 0) | zeros):
            for value in values:
                if value != numbers[place]:
                    yield _described(model, array, place, numbers[place], value), corrupt(model, array, place, value)


def corrupt(model: SSM, array: str, place: Indices, value: int) -> SSM:
    """The model with one number changed.

    Args:
        model: which is left as it is.
        array: a name as :func:`corruptions` shows it: "embedding", "layers.0.gate", "layers.0.phi.1.bias", "readout".
        place: indices into that array.
        value: the new integer, in units of the array's power of two.

    Raises:
        InputError: for an array or a place that the model does not have.
    """
    numbers = next((numbers for name, numbers in arrays(model) if name == array), None)
    if numbers is None:
        raise InputError(f"the model has no array {array!r}")
    if len(place) != numbers.ndim or not all(0 <= i < size for i, size in zip(place, numbers.shape)):
        raise InputError(f"{array} has shape {numbers.shape}, and nothing at {list(place)}")
    numbers = numbers.copy()
    numbers[place] = value
    head, _, rest = array.partition(".")
    if head == "embedding":
        return replace(model, embedding=numbers)
    if head == "readout":
        return replace(model, readout=_affine(model.readout, rest, numbers))
    index, part, *more = rest.split(".")
    layer = model.layers[int(index)]
    if part == "initial":
        return with_layer(model, int(index), initial=numbers)
    if part == "phi":
        stage, bias = int(more[0]), ".".join(more[1:])
        mix = replace(layer.phi[stage], affine=_affine(layer.phi[stage].affine, bias, numbers))
        return with_layer(model, int(index), phi=(*layer.phi[:stage], mix, *layer.phi[stage + 1 :]))
    return with_layer(model, int(index), **{part: _affine(getattr(layer, part), ".".join(more), numbers)})


def with_layer(model: SSM, number: int, **changes: Any) -> SSM:
    """The model with fields of one layer replaced."""
    layers = list(model.layers)
    layers[number] = replace(layers[number], **changes)
    return replace(model, layers=tuple(layers))


def changed(value: int) -> tuple[int, ...]:
    """What a nonzero weight is corrupted to."""
    return tuple({0, -value, value + 1} - {value})


def arrays(model: SSM) -> Iterator[tuple[str, np.ndarray]]:
    """Every array of the model with its name, dense: those of a layer in the order in which a symbol meets them."""
    yield "embedding", model.embedding
    affines = dict(model.affines())
    for number, layer in enumerate(model.layers):
        yield f"layers.{number}.initial", layer.initial
        for name in [f"layers.{number}.gate", f"layers.{number}.increment"] + [
            f"layers.{number}.phi.{stage}" for stage in range(len(layer.phi))
        ]:
            yield name, affines[name].matrix.toarray()
            yield f"{name}.bias", affines[name].bias
    yield "readout", model.readout.matrix.toarray()
    yield "readout.bias", model.readout.bias


def _where(chosen: np.ndarray) -> Iterator[Indices]:
    return map(tuple, np.argwhere(chosen).tolist())


def _affine(affine: Affine, part: str, numbers: np.ndarray) -> Affine:
    return replace(affine, bias=numbers) if part == "bias" else replace(affine, matrix=numbers)


def _described(model: SSM, array: str, place: Indices, before: int, after: int) -> str:
    """What was changed, with the meanings of the row and of the column where these have names."""
    rows, columns = _meanings(model, array)
    names = [axis[i] for axis, i in zip((rows, columns), place) if i < len(axis) and axis[i]]
    meaning = f" ({', '.join(names)})" if names else ""
    return f"{array}{list(place)} = {after}, was {before}{meaning}"


def _meanings(model: SSM, array: str) -> tuple[Sequence[str], Sequence[str]]:
    """For the rows and the columns of an array what each stands for; empty where nothing is known."""

    def features(number: int) -> list[str]:
        """Of what layer ``number`` reads."""
        names, width = (model.names, model.embedding.shape[1])
        if number:
            last = model.layers[number - 1].phi[-1]
            names, width = last.names, last.affine.outputs
        return [f"feature {name}" for name in names] or [""] * width

    head, _, rest = array.partition(".")
    if head == "embedding":
        return [f"symbol {symbol}" for symbol in (*model.alphabet, BOS)], features(0)
    if head == "readout":
        return [f"output {name}" for name in model.outputs], features(len(model.layers))
    index, part, *more = rest.split(".")
    number, layer = int(index), model.layers[int(index)]
    coordinates = [f"coordinate {name}" for name in layer.names] or [""] * layer.width
    if part != "phi":
        return coordinates, features(number)
    stage = int(more[0])
    earlier = coordinates
    if stage:
        before = layer.phi[stage - 1]
        earlier = [f"neuron {name}" for name in before.names] or [""] * before.affine.outputs
    return [f"neuron {name}" for name in layer.phi[stage].names], [*earlier, *features(number)]
