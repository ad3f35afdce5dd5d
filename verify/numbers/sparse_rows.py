"""The maps of a model's layers on many rows of features at once, where most features of a row are 0.

The engine evaluates dense rows; a layer whose features are one-hot signals has thousands of features of which two or
three are not 0.  Here rows are sparse, and what is computed is what the engine computes, number for number, in its
integer arithmetics.

A mix is relu(A p + B x + c) of what came before it, p, and the layer's features x.  There are few different p, as a
digit has few values, and each may reach all neurons; there are many x, and each reaches few.  So A p + c is computed
once for each p, B x once for each x, and the two are added up only where B x is not 0 or A p + c is positive: anywhere
else relu makes 0 of the sum.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from constructions.ssm.number_formats import ScaledIntegers, check_bound, largest_size
from verify.numbers.boxes import NotCovered

_ROWS = 1 << 16
"""Rows of sums made at once."""
_ENTRIES = 1 << 23
"""Entries of a dense array made at once."""


class SparseMaps:
    """The maps of one model on sparse rows.

    Rows are int64 CSR arrays of shape (n, features); states are int64 arrays of shape (n, d); both hold integers times
    2^unit_bits, as the engine's do.

    Raises:
        NotCovered: when the model's numbers are not integers over a power of two, or an activation is not relu.

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.ssm.lowering import lower
    >>> maps = SparseMaps(Engine(lower(flip_flop(), Arithmetic("exact"))))
    >>> rows = maps.embedding(np.array([0, 3]))
    >>> gates = maps.gates(0, rows)
    >>> maps.phi(0, np.zeros_like(gates), rows).shape
    (2, 6)
    """

    def __init__(self, engine: Engine):
        if not isinstance(engine.numbers, ScaledIntegers):
            raise NotCovered(f"the numbers of {engine.arithmetic} arithmetic are not integers over one power of two")
        for number, layer in enumerate(engine.ssm.layers, 1):
            if any(mix.activation != "relu" for mix in layer.phi):
                raise NotCovered(f"layer {number} has an activation other than relu")
        self.ssm, self.numbers = engine.ssm, engine.numbers
        self.unit = 1 << self.numbers.unit_bits
        self._gates = [self._map(layer.gate) for layer in self.ssm.layers]
        self._increments = [self._map(layer.increment) for layer in self.ssm.layers]
        self._mixes = [
            [self._map(mix.affine, mix.affine.inputs - layer.inputs) for mix in layer.phi] for layer in self.ssm.layers
        ]
        self._readout = self._map(self.ssm.readout)

    def _map(self, affine: Affine, before: int = 0) -> "_Map":
        return _Map(affine, before, self.numbers, self.unit)

    def embedding(self, symbols: np.ndarray) -> sparse.csr_array:
        """The rows of these symbol indices."""
        return sparse.csr_array(self.numbers.stored(self.ssm.embedding[symbols], self.ssm.embedding_exponent))

    def gates(self, number: int, rows: sparse.csr_array) -> np.ndarray:
        """Raw gates of layer ``number`` (from 0), shape (n, d)."""
        return self.numbers.gates(self.ssm.layers[number], self._gates[number].dense(rows))

    def increments(self, number: int, rows: sparse.csr_array) -> np.ndarray:
        """Raw increments, shape (n, d)."""
        return self._increments[number].dense(rows)

    def update(self, number: int, gates: np.ndarray, h: np.ndarray, increments: np.ndarray) -> np.ndarray:
        """The engine's own step of a layer's state, shape (n, d)."""
        return self.numbers.update(self.ssm.layers[number], gates, h, increments)

    def phi(self, number: int, h: np.ndarray, rows: sparse.csr_array) -> sparse.csr_array:
        """z of the layer, for its new states and the features it read, row by row."""
        each = np.arange(len(h))
        numbers, z = self.distinct_phi(number, h, rows, each, each)
        return z[numbers]

    def distinct_phi(
        self, number: int, h: np.ndarray, rows: sparse.csr_array, of_state: np.ndarray, of_row: np.ndarray
    ) -> tuple[np.ndarray, sparse.csr_array]:
        """z of the layer for pairs of a new state and a row of features: the number of each pair's z, and the different
        z.
        """
        numbers, values = of_state, sparse.csr_array(h)
        for affine in self._mixes[number]:
            numbers, values = affine.relu(values, rows, numbers, of_row)
        return numbers, values

    def outputs(self, rows: sparse.csr_array, readout: Affine | None = None) -> np.ndarray:
        """Which outputs the last layer's features give, booleans of shape (n, o); by another readout where one is
        given.
        """
        read = self._readout if readout is None else self._map(readout)
        return self.numbers.positive(read.dense(rows))


class _Map:
    """One affine map, cut in two: the inputs that came before (the first ``before``), and the features."""

    def __init__(self, affine: Affine, before: int, numbers: ScaledIntegers, unit: int):
        self.numbers, self.exponent = numbers, affine.exponent
        check_bound(largest_size(affine.bias) * unit, numbers.limit, numbers.arithmetic)
        self.bias = affine.bias * unit
        columns = affine.matrix.T.tocsr()  # inputs, neurons
        self.before, self.features = columns[:before], columns[before:]
        self.size, self.constant = abs(affine.matrix).astype(np.float64), np.abs(self.bias).astype(np.float64)

    def _check(self, *inputs: sparse.csr_array) -> None:
        """Raises where a sum could leave the exact range, for inputs side by side, each with rows of its own."""
        largest = [
            abs(rows).max(axis=0).toarray().ravel() if min(rows.shape) else [0] * rows.shape[1] for rows in inputs
        ]
        sums = self.size @ np.concatenate(largest).astype(np.float64) + self.constant
        check_bound(float(sums.max(initial=0)), self.numbers.limit, self.numbers.arithmetic)

    def dense(self, rows: sparse.csr_array) -> np.ndarray:
        """rows W^T + c, of which there are few columns."""
        self._check(rows)
        return (rows @ self.features).toarray() + self.bias

    def relu(
        self, before: sparse.csr_array, rows: sparse.csr_array, of_before: np.ndarray, of_row: np.ndarray
    ) -> tuple[np.ndarray, sparse.csr_array]:
        """relu of the sums, rounded down, for pairs of a row before and a row of features.

        Returns:
            The number of each pair's result, and the different results.
        """
        self._check(before, rows)
        by_row = rows @ self.features
        by_row.eliminate_zeros()
        same_row, first = distinct_rows(by_row, {})
        by_row = by_row[first]
        pairs, number = np.unique(of_before * len(first) + same_row[of_row], return_inverse=True)
        known: dict = {}
        numbers, parts = [np.zeros(0, dtype=np.int64)], []
        befores = max(1, _ENTRIES // max(1, len(self.bias)))
        for start in range(0, before.shape[0], befores):
            by_before = (before[start : start + befores] @ self.before).toarray() + self.bias
            reached = with_entries(by_row, np.flatnonzero((by_before > 0).any(axis=0)))
            inside = pairs[slice(*np.searchsorted(pairs, (start * len(first), (start + befores) * len(first))))]
            for block in np.split(inside, range(_ROWS, len(inside), _ROWS)):
                one, other = np.divmod(block, len(first))
                sums = reached[other]
                sums.data += by_before[np.repeat(one - start, np.diff(sums.indptr)), sums.indices]
                sums.data = np.maximum(sums.data >> self.exponent, 0)
                sums.eliminate_zeros()
                ids, fresh = distinct_rows(sums, known)
                numbers.append(ids)
                parts.append(sums[fresh])
        empty = sparse.csr_array((0, len(self.bias)), dtype=np.int64)
        return np.concatenate(numbers)[number], sparse.vstack([empty, *parts], format="csr")


def with_entries(rows: sparse.csr_array, columns: np.ndarray) -> sparse.csr_array:
    """The same rows, with an entry (0 where there was none) in each of these columns.

    >>> with_entries(sparse.csr_array(np.array([[0, 2, 0]])), np.array([1, 2])).nnz
    2
    """
    if not len(columns):
        return rows
    count = rows.shape[0]
    row = np.concatenate([np.repeat(np.arange(count), np.diff(rows.indptr)), np.repeat(np.arange(count), len(columns))])
    column = np.concatenate([rows.indices, np.tile(columns, count)])
    data = np.concatenate([rows.data, np.zeros(count * len(columns), dtype=rows.data.dtype)])
    return sparse.csr_array((data, (row, column)), shape=rows.shape)


def distinct_rows(rows: sparse.csr_array, known: dict[tuple[bytes, bytes], int]) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row among the rows ever seen, and the positions of those seen here for the first time.

    Args:
        rows: without explicit zeros.
        known: from a row's entries to its number; new rows are added.
    """
    rows.sort_indices()
    starts = rows.indptr.tolist()
    columns, values = rows.indices.astype(np.int32).tobytes(), rows.data.astype(np.int64).tobytes()
    numbers, fresh = np.empty(len(starts) - 1, dtype=np.int64), []
    for i, (start, end) in enumerate(zip(starts, starts[1:])):
        key = columns[4 * start : 4 * end], values[8 * start : 8 * end]
        number = known.get(key)
        if number is None:
            number = known[key] = len(known)
            fresh.append(i)
        numbers[i] = number
    return numbers, np.array(fresh, dtype=np.int64)
