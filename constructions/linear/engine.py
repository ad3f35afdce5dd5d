"""Runs linear recurrences exactly: integers, coefficients of roots of unity, and for one family rounded float32.

A state is a row of integers: of every layer the coordinates that it reads one step late, and its cells' coefficients.
What a family asks of a transition matrix that depends on the input is checked at every step, on the matrix itself.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from automata.errors import InputError
from constructions.linear.weights import (
    DIAGONAL,
    EXACT_BELOW,
    FORGETTING,
    LINEAR_FAMILIES,
    ONE_PER_COLUMN,
    LinearLayer,
    LinearWeights,
    Sparse,
)
from constructions.ssm.engine import Outputs


class LinearEngine:
    """Runs one model in batches (see :class:`constructions.target.Model`); O(nonzero weights) for each symbol."""

    def __init__(self, weights: LinearWeights):
        self.weights = weights
        self.alphabet, self.outputs = weights.alphabet, weights.outputs
        self.arithmetic = "float32" if LINEAR_FAMILIES[weights.family].shape == FORGETTING else "exact"
        self._embedding = _matrix(weights.embedding)
        self._head = _Map(_matrix(weights.head), "the head")
        self._layers = [_Steps(weights, layer) for layer in weights.layers]
        self._ends = np.cumsum([0, *(layer.width for layer in self._layers)])
        # A model without memory has a state like all others: one number, which never changes.
        self._idle = int(not self._ends[-1])

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """States and outputs after BOS."""
        zero = np.zeros((batch, self._ends[-1] + self._idle), dtype=np.int64)
        return self.advance(zero, np.full((batch, 1), len(self.alphabet)))

    def advance(self, states: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """States after words of symbol indices, shape (batch, time), and the outputs after each symbol."""
        given = np.empty((*symbols.shape, len(self.outputs)), dtype=bool)
        for t in range(symbols.shape[1]):
            stream = self._embedding[symbols[:, t]].toarray()
            parts = []
            for number, layer in enumerate(self._layers):
                state, stream = layer.step(states[:, self._ends[number] : self._ends[number + 1]], stream)
                parts.append(state)
            states = np.concatenate([*parts, np.zeros((len(stream), self._idle), dtype=np.int64)], axis=1)
            given[:, t] = self._head(stream) > 0
        flat = given.reshape(-1, len(self.outputs))
        table, ids = np.unique(flat, axis=0, return_inverse=True)
        return states, Outputs(table, ids.reshape(symbols.shape))

    def encode(self, word: Sequence[str]) -> np.ndarray:
        """Symbol indices, shape (1, time)."""
        return np.array([[self.alphabet.index(symbol) for symbol in word]], dtype=np.int64).reshape(1, len(word))


class _Steps:
    """One layer, its arrays as matrices over coefficients."""

    def __init__(self, weights: LinearWeights, layer: LinearLayer):
        self.ring, self.family, self.names = weights.ring, LINEAR_FAMILIES[weights.family], layer.names
        self.cells, self.stream = len(layer.names), len(weights.coordinates)
        arrays = (layer.transition.places[:, 0], layer.increment.places[:, 1], layer.neurons.places[:, 1])
        late = np.concatenate([*arrays, np.zeros(0, dtype=np.int64)])
        self.late = np.unique(late[late >= self.stream]) - self.stream
        self.width = len(self.late) + self.cells * self.ring.degree
        self._transition = layer.transition
        self._neurons = _Map(_matrix(layer.neurons), "a neuron")
        self._write = _Map(_matrix(layer.write), "the stream")
        self._increment = _Map(_matrix(layer.increment, self.ring.degree), "an increment")
        self._read = _Map(_by_blocks(self.ring, layer.read), "a neuron")
        # A step adds u[read] (value * h[column]) to h[row], coefficient by coefficient.
        read, row, column = layer.transition.places.T
        self._reads, self._columns = read, column
        products = [self.ring.times(value) for value in layer.transition.values]
        self._products = np.array(products, dtype=np.int64).reshape(-1, self.ring.degree, self.ring.degree)
        self._onto_rows = csr_matrix(
            (np.ones(len(row), dtype=np.int64), (row, np.arange(len(row)))), shape=(self.cells, len(row))
        )

    def step(self, state: np.ndarray, stream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The state after, and the stream with what this layer adds."""
        u = np.zeros((len(stream), 2 * self.stream), dtype=np.int64)
        u[:, : self.stream] = stream
        u[:, self.stream + self.late] = state[:, : len(self.late)]
        h = state[:, len(self.late) :].reshape(len(state), self.cells, self.ring.degree)
        h = self._forgetting(u, h) if self.family.shape == FORGETTING else self._linear(u, h)
        _bounded(h, "a cell")
        flat = h.reshape(len(h), self.cells * self.ring.degree)
        added = self._neurons(u)
        reads = self._read(flat).reshape(added.size, self.ring.degree)
        fired = self.ring.rectified(reads, added.reshape(-1)).reshape(added.shape)
        stream = stream + self._write(fired)
        _bounded(stream, "the stream")
        return np.concatenate([u[:, self.late], flat], axis=1), stream

    def _linear(self, u: np.ndarray, h: np.ndarray) -> np.ndarray:
        self._check_matrix(u)
        entries = len(self._columns) * self.ring.degree
        if entries * _largest(self._products) * _largest(h) * _largest(u) >= 2**62:
            raise InputError("a product reaches 2^62, and exact runs stay below it")
        moved = np.einsum("eij,bej->bei", self._products, h[:, self._columns]) * u[:, self._reads, None]
        by_entry = moved.transpose(1, 0, 2).reshape(len(self._columns), len(h) * self.ring.degree)
        after = (self._onto_rows @ by_entry).reshape(self.cells, len(h), self.ring.degree).transpose(1, 0, 2)
        return after + self._increment(u).reshape(after.shape)

    def _check_matrix(self, u: np.ndarray) -> None:
        """What the family says of a transition matrix, checked on those of this step."""
        if self.family.shape not in (DIAGONAL, ONE_PER_COLUMN) or not self.cells:
            return
        read, row, column = self._transition.places.T
        for used in np.unique(u[:, np.unique(read)], axis=0):
            by_read = dict(zip(np.unique(read).tolist(), used.tolist()))
            numbers: dict[tuple[int, int], np.ndarray] = {}
            for entry, value in enumerate(self._transition.values):
                place = int(row[entry]), int(column[entry])
                numbers[place] = numbers.get(place, 0) + by_read[int(read[entry])] * value
            there = {place: number for place, number in numbers.items() if number.any()}
            if self.family.shape == ONE_PER_COLUMN and len({c for _, c in there}) < len(there):
                raise InputError(f"a column of the transition matrix has two numbers, and {self.family.name} has one")
            elements = np.array(list(there.values()), dtype=np.int64).reshape(len(there), self.ring.degree)
            wrong = ~self.ring.is_gate(elements)
            if wrong.any():
                cell = list(there)[int(np.flatnonzero(wrong)[0])][0]
                raise InputError(f"the gate of {self.names[cell]!r} is not {self.family.gate}")

    def _forgetting(self, u: np.ndarray, h: np.ndarray) -> np.ndarray:
        """h (1 - d k^2) + d k x with d = b / (1 + b k^2) and b = sigmoid(0), every operation rounded to float32."""
        read, row, _ = self._transition.places.T
        keys = np.zeros((len(u), self.cells), dtype=np.int64)
        if max(1, len(read)) * _largest(self._transition.values) * _largest(u) >= 2**62:
            raise InputError("a key reaches 2^62, and exact runs stay below it")
        for entry, value in enumerate(self._transition.values[:, 0]):
            keys[:, row[entry]] += value * u[:, read[entry]]
        values = self._increment(u)
        _bounded(keys, "a key")
        k, x, old = (a.astype(np.float32) for a in (keys, values, h[:, :, 0]))
        one, b = np.float32(1), np.float32(0.5)
        square = k * k
        rate = b / (one + b * square)
        after = (one - rate * square) * old + rate * k * x
        whole = np.rint(after).astype(np.int64)
        if (whole.astype(np.float32) != after).any():
            raise InputError("a cell is no integer, and only integers go on")
        return whole[:, :, None]


def _matrix(array: Sparse, degree: int = 0) -> csr_matrix:
    """As a SciPy matrix; with a degree, rows are coefficients."""
    rows, columns = array.shape
    values = array.values if array.values.ndim == 2 else array.values[:, None]
    places = np.arange(values.shape[1])
    if not degree:
        values, places = values[:, :1], places[:1]
    at = (array.places[:, :1] * len(places) + places).reshape(-1)
    across = np.repeat(array.places[:, 1], len(places))
    return csr_matrix((values.reshape(-1), (at, across)), shape=(rows * len(places), columns), dtype=np.int64)


def _by_blocks(ring, array: Sparse) -> csr_matrix:
    """A matrix of numbers of the ring as one that acts on coefficients."""
    d = ring.degree
    blocks = np.array([ring.times(value) for value in array.values], dtype=np.int64).reshape(-1, d, d)
    rows = array.places[:, 0][:, None, None] * d + np.arange(d)[None, :, None]
    columns = array.places[:, 1][:, None, None] * d + np.arange(d)[None, None, :]
    rows, columns = np.broadcast_to(rows, blocks.shape), np.broadcast_to(columns, blocks.shape)
    shape = (array.shape[0] * d, array.shape[1] * d)
    return csr_matrix((blocks.reshape(-1), (rows.reshape(-1), columns.reshape(-1))), shape=shape, dtype=np.int64)


class _Map:
    """A matrix of integers; what it gives is exact, or refused by the name of what it is."""

    def __init__(self, matrix: csr_matrix, what: str):
        self.matrix, self.what = matrix, what
        # Python's integers: the sum of many large weights must not wrap around here either.
        sums: dict[int, int] = {}
        entries = matrix.tocoo()
        for row, value in zip(entries.row.tolist(), entries.data.tolist()):
            sums[row] = sums.get(row, 0) + abs(value)
        self.norm = max(sums.values(), default=0)

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        if self.norm * _largest(rows) >= 2**62:
            raise InputError(f"{self.what} reaches 2^62, and exact runs stay below it")
        return (self.matrix @ rows.T).T


def _largest(numbers: np.ndarray) -> int:
    return int(np.abs(numbers).max(initial=0))


def _bounded(numbers: np.ndarray, what: str) -> None:
    if _largest(numbers) >= EXACT_BELOW:
        raise InputError(f"{what} reaches 2^40, and exact runs stay below it")
