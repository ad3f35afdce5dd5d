"""The maps of a model's layers on many rows of features at once, where most features of a row are 0.

The engine evaluates dense rows; a layer whose features are one-hot signals has thousands of features of which two or
three are not 0.  Here rows are sparse, and what is computed is what the engine computes, number for number, in its
integer arithmetics: a neuron that no nonzero feature reaches has the value of its bias alone.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from constructions.ssm.number_formats import ScaledIntegers, check_bound, largest_size
from verify.numbers.boxes import NotCovered


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
        self._gates = [_SparseAffine(layer.gate, self, dense=True) for layer in self.ssm.layers]
        self._increments = [_SparseAffine(layer.increment, self, dense=True) for layer in self.ssm.layers]
        self._mixes = [[_SparseAffine(mix.affine, self, dense=False) for mix in layer.phi] for layer in self.ssm.layers]
        self._readout = _SparseAffine(self.ssm.readout, self, dense=True)

    def embedding(self, symbols: np.ndarray) -> sparse.csr_array:
        """The rows of these symbol indices."""
        return sparse.csr_array(self.numbers.stored(self.ssm.embedding[symbols], self.ssm.embedding_exponent))

    def gates(self, number: int, rows: sparse.csr_array) -> np.ndarray:
        """Raw gates of layer ``number`` (from 0), shape (n, d)."""
        return self.numbers.gates(self.ssm.layers[number], self._gates[number](rows).toarray())

    def increments(self, number: int, rows: sparse.csr_array) -> np.ndarray:
        """Raw increments, shape (n, d)."""
        return self._increments[number](rows).toarray()

    def update(self, number: int, gates: np.ndarray, h: np.ndarray, increments: np.ndarray) -> np.ndarray:
        """The engine's own step of a layer's state, shape (n, d)."""
        return self.numbers.update(self.ssm.layers[number], gates, h, increments)

    def phi(self, number: int, h: np.ndarray, rows: sparse.csr_array) -> sparse.csr_array:
        """z of the layer, for its new states and the features it read."""
        values = sparse.csr_array(h)
        for mix, affine in zip(self.ssm.layers[number].phi, self._mixes[number]):
            raw = affine(sparse.hstack([values, rows], format="csr"))
            raw.data = np.maximum(raw.data >> mix.affine.exponent, 0)
            raw.eliminate_zeros()
            values = raw
        return values

    def outputs(self, rows: sparse.csr_array) -> np.ndarray:
        """Which outputs the last layer's features give, booleans of shape (n, o)."""
        return self.numbers.positive(self._readout(rows).toarray())


class _SparseAffine:
    """rows -> rows W^T + c, as a sparse array whose absent entries are 0, or (unless ``dense``) 0 after relu.

    Outputs with a positive bias are entered in every row; of the others an entry is absent where no feature reaches it,
    and its value is then the bias, which relu makes 0.
    """

    def __init__(self, affine: Affine, maps: SparseMaps, dense: bool):
        self.numbers = maps.numbers
        check_bound(largest_size(affine.bias) * maps.unit, self.numbers.limit, self.numbers.arithmetic)
        bias = affine.bias * maps.unit
        constant = np.ones(len(bias), dtype=bool) if dense else bias > 0
        column = sparse.csr_array(np.where(constant, bias, 0)[:, None])
        self.matrix = sparse.hstack([affine.matrix, column], format="csr").T.tocsr()
        self.rest = np.where(constant, 0, bias)
        self.size, self.bias = abs(affine.matrix).astype(np.float64), np.abs(bias).astype(np.float64)

    def __call__(self, rows: sparse.csr_array) -> sparse.csr_array:
        largest = (
            abs(rows).max(axis=0).toarray().ravel() if rows.shape[0] and rows.shape[1] else np.zeros(rows.shape[1])
        )
        bound = (self.size @ largest.astype(np.float64) + self.bias).max(initial=0)
        check_bound(float(bound), self.numbers.limit, self.numbers.arithmetic)
        ones = sparse.csr_array(np.ones((rows.shape[0], 1), dtype=np.int64))
        result = sparse.csr_array(sparse.hstack([rows, ones], format="csr") @ self.matrix)
        result.data += self.rest[result.indices]
        return result


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
