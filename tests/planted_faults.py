"""Faults planted in the weights of counter and stack constructions: (what was done, model), a seed at a time.

Four kinds, as they happen to people: a wrong sign, a shifted threshold, two rows swapped (two bits of a slot, two
counters, two outputs), and a count that is off by one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from constructions.ssm.layers import Affine
from constructions.ssm.weights import SSM
from verify.testing.corruption import with_layer

KINDS = ("wrong sign", "shifted threshold", "swapped rows", "off by one")


def plant(ssm: SSM, kind: str, rng: np.random.Generator) -> tuple[str, SSM]:
    """The model with one fault of this kind."""
    if kind == "wrong sign":
        places = [
            (name, place) for name, affine in ssm.affines() for place in np.flatnonzero(affine.matrix.data).tolist()
        ]
        name, place = places[int(rng.integers(len(places)))]
        return f"{name}: weight {place} negated", _with_affine(ssm, name, lambda affine: _negated(affine, place))
    if kind == "shifted threshold":
        places = [(name, row) for name, affine in ssm.affines() if ".phi." in name for row in range(affine.outputs)]
        name, row = places[int(rng.integers(len(places)))]
        by = int(rng.choice([-1, 1]))
        return f"{name}: bias {row} moved by {by}", _with_affine(ssm, name, lambda affine: _moved(affine, row, by))
    if kind == "swapped rows":
        names = [name for name, affine in ssm.affines() if affine.outputs > 1 and not name.endswith("gate")]
        name = names[int(rng.integers(len(names)))]
        rows = rng.choice(dict(ssm.affines())[name].outputs, 2, replace=False)
        return f"{name}: rows {rows[0]} and {rows[1]} swapped", _with_affine(
            ssm, name, lambda affine: _swapped(affine, *rows)
        )
    number = int(rng.integers(len(ssm.layers)))
    layer, by = ssm.layers[number], int(rng.choice([-1, 1]))
    coordinate = int(rng.integers(layer.width))
    if rng.random() < 0.5:
        initial = layer.initial.copy()
        initial[coordinate] += by
        return f"layers.{number}: {layer.names[coordinate]!r} starts {by} off", with_layer(ssm, number, initial=initial)
    increment = _moved(layer.increment, coordinate, by)
    return f"layers.{number}: {layer.names[coordinate]!r} counts {by} more", with_layer(
        ssm, number, increment=increment
    )


def _with_affine(ssm: SSM, name: str, change) -> SSM:
    if name == "readout":
        return replace(ssm, readout=change(ssm.readout))
    _, number, part, *stage = name.split(".")
    layer = ssm.layers[int(number)]
    if not stage:
        return with_layer(ssm, int(number), **{part: change(getattr(layer, part))})
    phi = list(layer.phi)
    phi[int(stage[0])] = replace(phi[int(stage[0])], affine=change(phi[int(stage[0])].affine))
    return with_layer(ssm, int(number), phi=tuple(phi))


def _negated(affine: Affine, place: int) -> Affine:
    matrix = affine.matrix.copy()
    matrix.data[place] *= -1
    return replace(affine, matrix=matrix)


def _moved(affine: Affine, row: int, by: int) -> Affine:
    bias = affine.bias.copy()
    bias[row] += by
    return replace(affine, bias=bias)


def _swapped(affine: Affine, one: int, other: int) -> Affine:
    order = np.arange(affine.outputs)
    order[[one, other]] = order[[other, one]]
    return replace(affine, matrix=affine.matrix[order], bias=affine.bias[order])
