"""A linear recurrence of whole numbers, written as the paper's SSM: the same numbers, step by step.

A diagonal family whose numbers are integers is a special case of the paper's layer, where only the current stream is
read.  The state is the same; phi has the neurons as a first mix, and as a second one the stream with what they add::

    z1 = relu(R h_t + W x_t)            z = P z1 + x_t

So whatever is proved of the SSM about all strings holds of the recurrence, as long as its gates are those of its
family, which the SSM does not ask.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from automata.errors import InputError
from constructions.linear.weights import DIAGONAL, LINEAR_FAMILIES, LinearLayer, LinearWeights, Sparse
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM


def as_ssm(weights: LinearWeights) -> SSM:
    """The SSM that is the recurrence; O(nonzero weights + layers * coordinates of the stream).

    Raises:
        InputError: saying why there is none: the transition is no diagonal of integers, or what was read one step ago
            is read.

    >>> from verify import build, compile, language
    >>> as_ssm(build(compile(language("dyck-1"), target="lru"), "lru").weights).hidden_size
    1
    """
    if LINEAR_FAMILIES[weights.family].shape != DIAGONAL:
        raise InputError(f"the matrices of {weights.family} are not diagonal")
    if weights.ring.degree > 1:
        raise InputError(f"its numbers are those of a root of unity of order {weights.order}")
    width = len(weights.coordinates)
    embedding = _integers(weights.embedding, weights.embedding.shape[1]).toarray()
    layers = tuple(_layer(layer, width) for layer in weights.layers)
    readout = _affine(_integers(weights.head, width))
    exact = Arithmetic("exact")
    return SSM(weights.alphabet, weights.outputs, embedding, layers, readout, exact, names=weights.coordinates)


def _layer(layer: LinearLayer, width: int) -> Layer:
    cells, neurons = len(layer.names), layer.neurons.shape[0]
    fired = sparse.hstack([_integers(layer.read, cells), _integers(layer.neurons, width)])
    stream = sparse.hstack([_integers(layer.write, neurons), sparse.eye_array(width, dtype=np.int64)])
    return Layer(
        _gate(layer.transition, width),
        _affine(_integers(layer.increment, width)),
        np.zeros(cells, dtype=np.int64),
        (Mix(_affine(fired)), Mix(_affine(stream), "linear")),
        names=layer.names,
    )


def _gate(transition: Sparse, width: int) -> Affine:
    """The diagonal; what the first coordinate adds to it is a bias, as that coordinate is always 1."""
    read, row, _ = transition.places.T
    always, values = read == 0, transition.values.reshape(len(read))
    bias = np.zeros(transition.shape[1], dtype=np.int64)
    bias[row[always]] = values[always]
    others = Sparse((len(bias), 2 * width), np.stack([row, read], axis=1)[~always], values[~always])
    return Affine(_integers(others, width), bias)


def _integers(array: Sparse, columns: int) -> sparse.csr_array:
    """As a matrix of so many columns.

    Raises:
        InputError: when it reads a later one.
    """
    row, column = array.places.T
    if (column >= columns).any():
        raise InputError("it reads what was read one step ago")
    values = array.values.reshape(len(array.places))
    return sparse.csr_array((values, (row, column)), shape=(array.shape[0], columns))


def _affine(matrix: sparse.csr_array) -> Affine:
    return Affine(matrix, np.zeros(matrix.shape[0], dtype=np.int64))
