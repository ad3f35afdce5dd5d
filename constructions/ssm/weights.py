"""The state space model of the paper, as weight arrays with names.

A layer reads features x_t and keeps a state h_t of d coordinates::

    h_t = A(x_t) * h_(t-1) + B(x_t)        elementwise; A, B affine (A may pass through a gate function)
    z_t = phi(h_t, x_t)                    a list of mixes: act(W [previous; x] + c), the first one on [h; x]

The first layer's features are rows of an embedding, the next layer's are this layer's z, and a readout maps the
last z to one number per output: an output is given when its number is positive.  Every run starts from h_0
with the symbol BOS.  (Sarrof, Veitsman, Hahn 2024, section 2, equations 1-3.)

All numbers are integers over a power of two, of at most 62 bits both (:mod:`constructions.ssm.integers`); others are refused
here.  Nothing is a closure: a model can be saved, printed, counted, corrupted and reloaded.

Shape letters: k symbols (BOS is row k of the embedding), e features, d state coordinates, m neurons of a mix,
o outputs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Iterator, Sequence

import numpy as np
from scipy import sparse

from automata.dfa import check_alphabet
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE, RECOGNISE
from constructions.ssm.arithmetic import Arithmetic
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

ACTIVATIONS = ("relu", "linear", "clip")
GATES = ("affine", "sigmoid", "exp-softplus")
_SURROGATE = re.compile("[\ud800-\udfff]")


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
        # Floats are summed over the inputs in order, so each weight is stored once, in that order, and zeros not at all.
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
        """The map x -> matrix x + bias with exactly these weights: every finite float is an integer over a power of two.

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
                    f"{where} is {value:g}, which needs more than 62 bits with the {exponent} binary places of the others"
                )
        whole = sparse.csr_array(
            (np.ldexp(values, exponent).astype(np.int64), given.indices, given.indptr), shape=given.shape
        )
        return cls(whole, np.ldexp(constants, exponent).astype(np.int64), exponent)

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
        object.__setattr__(self, "initial", np.asarray(self.initial))
        if self.initial.dtype == np.int64:
            whole_numbers("start value", self.initial)
        object.__setattr__(
            self, "initial_exponent", checked_exponent("the exponent of the start values", self.initial_exponent)
        )

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


@dataclass(frozen=True)
class SSM:
    """A whole model; itself a Machine (its steps are those of :mod:`constructions.ssm.reference`).

    Attributes:
        alphabet: k symbols.
        outputs: o names: ``(ACCEPT,)`` for a recogniser, the alphabet and EOS for a predictor.
        embedding: int64, shape (k + 1, e), over 2^embedding_exponent; row k is BOS.
        layers: first layer first.
        readout: shape (o, features of the last layer).
        arithmetic: how states and features are stored.
        names: what each embedding coordinate means, e of them or none.

    Raises:
        InputError: naming the array whose shape, type, size or numbers are wrong.
    """

    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    embedding: np.ndarray
    layers: tuple[Layer, ...]
    readout: Affine
    arithmetic: Arithmetic
    embedding_exponent: int = 0
    names: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "embedding", np.asarray(self.embedding))
        object.__setattr__(
            self, "embedding_exponent", checked_exponent("the embedding's exponent", self.embedding_exponent)
        )
        _check_shapes(self)
        self.check_numbers()

    def check_numbers(self) -> None:
        """Raises an InputError that names a number outside the range: arrays may have been edited since they were made."""
        whole_numbers("embedding", self.embedding)
        for i, layer in enumerate(self.layers):
            whole_numbers(f"layers.{i}.initial", layer.initial)
        for name, affine in self.affines():
            whole_numbers(f"{name}.values", affine.matrix.data)
            whole_numbers(f"{name}.bias", affine.bias)

    @property
    def mode(self) -> str:
        return RECOGNISE if self.outputs == (ACCEPT,) else PREDICTIVE

    @property
    def hidden_size(self) -> int:
        """State coordinates over all layers, counted on the arrays."""
        return sum(layer.width for layer in self.layers)

    @cached_property
    def symbol_index(self) -> dict[str, int]:
        """Symbol (and BOS) -> its row of the embedding."""
        return {symbol: i for i, symbol in enumerate((*self.alphabet, BOS))}

    @cached_property
    def state_names(self) -> tuple[str, ...]:
        """Names of all state coordinates, first layer first; made up where a layer has none."""
        return tuple(
            name
            for number, layer in enumerate(self.layers, 1)
            for name in layer.names or (f"layer {number} h{i + 1}" for i in range(layer.width))
        )

    def affines(self) -> Iterator[tuple[str, Affine]]:
        """Every affine map with its name, in the order in which a symbol meets it."""
        for i, layer in enumerate(self.layers):
            yield f"layers.{i}.gate", layer.gate
            yield f"layers.{i}.increment", layer.increment
            for j, mix in enumerate(layer.phi):
                yield f"layers.{i}.phi.{j}", mix.affine
        yield "readout", self.readout

    @property
    def largest_weight(self) -> float:
        """The largest absolute value among all weights."""
        largest = [np.abs(self.embedding).max(initial=0) / 2**self.embedding_exponent]
        largest += [np.abs(layer.initial).max(initial=0) / 2**layer.initial_exponent for layer in self.layers]
        return float(max(largest + [affine.largest for _, affine in self.affines()]))

    @property
    def nonzero(self) -> int:
        """How many weights are not zero: the size of the model."""
        arrays = [self.embedding, *(layer.initial for layer in self.layers)]
        return sum(int(np.count_nonzero(a)) for a in arrays) + sum(affine.nonzero for _, affine in self.affines())

    # -- as a Machine ---------------------------------------------------------------------------------

    @cached_property
    def initial(self):
        """The state after BOS: (all h, outputs given)."""
        from constructions.ssm import reference

        return reference.step(self, reference.start(self), BOS)

    def step(self, state, symbol: str):
        from constructions.ssm import reference

        if symbol not in self.symbol_index or symbol == BOS:
            raise InputError(f"symbol {symbol!r} is not in the model's alphabet")
        return reference.step(self, state, symbol)

    def legal(self, state) -> frozenset[str]:
        return state.outputs

    def accepts(self, state) -> bool:
        return ACCEPT in state.outputs or EOS in state.outputs


def _check_shapes(ssm: SSM) -> None:
    check_alphabet(ssm.alphabet)
    rows = len(ssm.alphabet) + 1
    if ssm.embedding.dtype != np.int64 or ssm.embedding.ndim != 2 or ssm.embedding.shape[0] != rows:
        raise InputError(f"embedding is {ssm.embedding.dtype} {ssm.embedding.shape}, expected int64 ({rows}, features)")
    if ssm.outputs not in ((ACCEPT,), (*ssm.alphabet, EOS)):
        raise InputError("a model's outputs are either (ACCEPT,) or its alphabet followed by EOS")
    if not ssm.layers:
        raise InputError("a model has at least one layer")
    features = ssm.embedding.shape[1]
    _check_names("the embedding", "coordinate", ssm.names, features)
    for i, layer in enumerate(ssm.layers):
        if layer.gate_function not in GATES:
            raise InputError(
                f"layers.{i} has the gate function {layer.gate_function!r}, expected one of {', '.join(GATES)}"
            )
        if layer.gate_function != "affine" and not ssm.arithmetic.is_float:
            raise InputError(
                f"layers.{i} has a {layer.gate_function} gate, which needs float arithmetic, not {ssm.arithmetic}"
            )
        for name, affine in (("gate", layer.gate), ("increment", layer.increment)):
            _expect(f"layers.{i}.{name}", affine.matrix.shape, (layer.width, features))
        _expect(f"layers.{i}.initial", layer.initial.shape, (layer.width,))
        if layer.initial.dtype != np.int64:
            raise InputError(f"layers.{i}.initial is {layer.initial.dtype}, expected int64")
        _check_names(f"layers.{i}", "state coordinate", layer.names, layer.width, distinct=True)
        if not layer.phi:
            raise InputError(f"layers.{i} has no mix")
        previous = layer.width
        for j, mix in enumerate(layer.phi):
            _expect(f"layers.{i}.phi.{j}", mix.affine.matrix.shape, (mix.affine.outputs, previous + features))
            if mix.activation not in ACTIVATIONS:
                raise InputError(
                    f"layers.{i}.phi.{j} has the activation {mix.activation!r}, expected one of {', '.join(ACTIVATIONS)}"
                )
            if mix.low > mix.high:
                raise InputError(f"layers.{i}.phi.{j} clips from {mix.low} up to {mix.high}")
            _check_names(f"layers.{i}.phi.{j}", "neuron", mix.names, mix.affine.outputs)
            previous = mix.affine.outputs
        features = previous
    _expect("readout", ssm.readout.matrix.shape, (len(ssm.outputs), features))


def _expect(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if tuple(shape) != expected:
        raise InputError(f"{name} has shape {tuple(shape)}, expected {expected}")


def _check_names(what: str, of: str, names: Sequence[str], expected: int, distinct: bool = False) -> None:
    """Raises unless there are no names at all, or as many as expected, which are Unicode text and (``distinct``) differ."""
    if not names:
        return
    if len(names) != expected:
        raise InputError(f"{what} has {len(names)} {of} names, expected {expected}")
    seen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or _SURROGATE.search(name):
            raise InputError(f"{what} has the {of} name {str(name)[:40]!a}, which is not Unicode text")
        if distinct and name in seen:
            raise InputError(f"{what} has the {of} name {name[:40]!r} twice")
        seen.add(name)


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
