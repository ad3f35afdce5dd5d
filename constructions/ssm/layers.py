"""Affine maps, mixes and layers: the parts of a model, as integers over a power of two.

All numbers are integers of at most 62 bits over a power of two of at most 62 (:mod:`constructions.ssm.integers`);
others are refused here.

Shape letters: e features, d state coordinates, m neurons of a mix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from automata.errors import InputError
from constructions.ssm.integers import (
    LARGEST_INTEGER,
    MOST_PLACES,
    binary_places,
    checked_exponent,
    checked_integer,
    finite_floats,
    first_place,
    whole_numbers,
)
from constructions.ssm.shown import SHOWN_WEIGHTS, constructor, integers_if_empty

ACTIVATIONS = ("relu", "linear", "clip")
GATES = ("affine", "sigmoid", "exp-softplus")


@dataclass(frozen=True)
class Affine:
    """x -> (matrix x + bias) / 2^exponent.

    Attributes:
        matrix: int64, shape (out, in), sparse rows.
        bias: int64, shape (out,).
        exponent: the common power of two below all weights, from 0 to 62.

    Raises:
        InputError: naming the weight that is not whole or too large, the shape or the exponent.

    >>> Affine([[3, -1]], [0], exponent=1).matrix.toarray().tolist()
    [[3, -1]]
    >>> Affine([[0.5]], [0])
    Traceback (most recent call last):
    automata.errors.InputError: weight [0, 0] is 0.5, expected an integer (Affine.from_floats takes fractions)
    """

    matrix: sparse.csr_array
    bias: np.ndarray
    exponent: int = 0

    def __post_init__(self) -> None:
        given = _csr(self.matrix)
        rows = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        values = whole_numbers("weight", given.data, rows, given.indices)
        # Floats are summed over the inputs in order, so each weight is stored once, in that order, and zeros not at
        # all.
        matrix = sparse.csr_array((values, given.indices, given.indptr), shape=given.shape, copy=True)
        if not matrix.has_canonical_format:
            sizes = sparse.csr_array(
                (np.abs(values).astype(np.float64), given.indices, given.indptr), shape=given.shape, copy=True
            )
            sizes.sum_duplicates()
            if (sizes.data >= LARGEST_INTEGER).any():
                raise InputError("a weight is given in parts, whose sum may need more than 62 bits")
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "bias", whole_numbers("bias", np.asarray(self.bias)))
        if self.bias.shape != (self.matrix.shape[0],):
            raise InputError(f"a bias of shape {self.bias.shape} does not fit a matrix of shape {self.matrix.shape}")
        object.__setattr__(self, "exponent", checked_exponent("the exponent of a weight array", self.exponent))

    @classmethod
    def from_floats(cls, matrix, bias) -> "Affine":
        """The map x -> matrix x + bias with exactly these weights: every finite float is an integer over a power of
        two.

        Args:
            matrix: shape (out, in), floats of up to 64 bits, dense or sparse.
            bias: shape (out,), likewise.

        Raises:
            InputError: naming the weight that is not finite, or that does not fit into 62 bits with the binary places
                of all the others.

        >>> affine = Affine.from_floats([[0.75, -2.0]], [0.125])
        >>> affine.matrix.toarray().tolist(), affine.bias.tolist(), affine.exponent
        ([[6, -16]], [1], 3)
        """
        given, bias = _csr(matrix), np.asarray(bias)
        rows = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        values, constants = finite_floats("weight", given.data, rows, given.indices), finite_floats("bias", bias)
        places = [binary_places(array) for array in (values, constants)]
        exponent = max(0, *(int(array.max(initial=0)) for array in places))
        parts = (("weight", values, places[0], (rows, given.indices)), ("bias", constants, places[1], ()))
        for what, array, needed, at in parts:
            if (needed > MOST_PLACES).any():
                where, value = first_place(what, array, needed > MOST_PLACES, *at)
                raise InputError(f"{where} is {value:g}, which has more than {MOST_PLACES} binary places")
        for what, array, _, at in parts:
            if (large := np.abs(array) > np.ldexp(float(LARGEST_INTEGER), -exponent)).any():
                where, value = first_place(what, array, large, *at)
                raise InputError(
                    f"{where} is {value:g}, which needs more than 62 bits with "
                    f"the {exponent} binary places of the others"
                )
        whole = sparse.csr_array(
            (np.ldexp(values, exponent).astype(np.int64), given.indices, given.indptr), shape=given.shape
        )
        return cls(whole, np.ldexp(constants, exponent).astype(np.int64), exponent)

    def __repr__(self) -> str:
        if np.prod(self.matrix.shape) > SHOWN_WEIGHTS:
            return f"<Affine of {self.inputs} inputs, {self.outputs} outputs, {self.nonzero} nonzero weights>"
        return constructor(self, matrix=self.matrix.toarray() if self.outputs else self.matrix)

    @property
    def outputs(self) -> int:
        return self.matrix.shape[0]

    @property
    def inputs(self) -> int:
        return self.matrix.shape[1]

    @property
    def largest(self) -> float:
        """The largest absolute weight or bias."""
        return max(np.abs(self.matrix.data).max(initial=0), np.abs(self.bias).max(initial=0)) / 2**self.exponent

    @property
    def nonzero(self) -> int:
        """How many weights and biases are not zero."""
        return int(np.count_nonzero(self.matrix.data) + np.count_nonzero(self.bias))


@dataclass(frozen=True)
class Mix:
    """One stage of phi: act(affine([previous; x])).

    Attributes:
        affine: shape (m, inputs of the stage + e).
        activation: "relu", "linear" or "clip" (to [low, high] / 2^exponent).
        names: what each neuron means, m of them or none.

    Raises:
        InputError: for a bound that is not an integer of at most 62 bits.
    """

    affine: Affine
    activation: str = "relu"
    low: int = 0
    high: int = 0
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for end in ("low", "high"):
            object.__setattr__(self, end, checked_integer(f"the bound {end!r} of a clip", getattr(self, end)))


@dataclass(frozen=True)
class Layer:
    """One SSM layer.

    Attributes:
        gate: A before the gate function, shape (d, e).
        increment: B, shape (d, e).
        initial: h_0 as integers over 2^initial_exponent, shape (d,).
        phi: the mixes, first stage first; the output of the last is z.
        gate_function: "affine" (none), "sigmoid", or "exp-softplus" (exp(-softplus(.))), the latter two in floats.
        names: what each state coordinate means, d different ones or none.

    Raises:
        InputError: naming the start value that is too large, or the exponent.
    """

    gate: Affine
    increment: Affine
    initial: np.ndarray
    phi: tuple[Mix, ...]
    initial_exponent: int = 0
    gate_function: str = "affine"
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "initial", integers_if_empty(self.initial))
        if self.initial.dtype == np.int64:
            whole_numbers("start value", self.initial)
        object.__setattr__(
            self, "initial_exponent", checked_exponent("the exponent of the start values", self.initial_exponent)
        )

    def __repr__(self) -> str:
        return constructor(self)

    @property
    def width(self) -> int:
        """d, the number of state coordinates."""
        return self.gate.outputs

    @property
    def inputs(self) -> int:
        """e, the number of features read."""
        return self.gate.inputs

    @property
    def features(self) -> int:
        """The number of features of z."""
        return self.phi[-1].affine.outputs


def _csr(matrix) -> sparse.csr_array:
    """A matrix as sparse rows, its numbers as they are."""
    if not sparse.issparse(matrix) and np.asarray(matrix).dtype == np.float16:
        matrix = np.asarray(matrix, dtype=np.float32)  # sparse matrices have no halves
    try:
        rows = sparse.csr_array(matrix)
    except (TypeError, ValueError) as error:
        raise InputError(f"a weight array is not a matrix of numbers ({str(error)[:80]})") from None
    if rows.ndim != 2:
        raise InputError(f"a weight array has {rows.ndim} dimension, expected 2")
    return rows
