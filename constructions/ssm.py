"""The state space model of the paper, as weight arrays with names.

A layer reads features x_t and keeps a state h_t of d coordinates::

    h_t = A(x_t) * h_(t-1) + B(x_t)        elementwise; A, B affine (A may pass through a gate function)
    z_t = phi(h_t, x_t)                    a list of mixes: act(W [previous; x] + c), the first one on [h; x]

The first layer's features are rows of an embedding, the next layer's are this layer's z, and a readout maps the
last z to one number per output: an output is given when its number is positive.  Every run starts from h_0
with the symbol BOS.  (Sarrof, Veitsman, Hahn 2024, section 2, equations 1-3.)

All weights are integers over a power of two.  Nothing here is a closure: a model can be saved, printed,
counted, corrupted and reloaded.

Shape letters: k symbols (BOS is row k of the embedding), e features, d state coordinates, m neurons of a mix,
o outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Iterator

import numpy as np
from scipy import sparse

from automata.dfa import check_alphabet
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE, RECOGNISE
from constructions.arithmetic import Arithmetic

ACTIVATIONS = ("relu", "linear", "clip")
GATES = ("affine", "sigmoid", "exp-softplus")


@dataclass(frozen=True)
class Affine:
    """x -> (matrix x + bias) / 2^exponent.

    Attributes:
        matrix: int64, shape (out, in), sparse rows.
        bias: int64, shape (out,).
        exponent: the common power of two below all weights, >= 0.
    """

    matrix: sparse.csr_array
    bias: np.ndarray
    exponent: int = 0

    def __post_init__(self) -> None:
        # Floats are summed over the inputs in order, so each weight is stored once, in that order, and zeros not at all.
        matrix = sparse.csr_array(self.matrix, dtype=np.int64, copy=True)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "bias", np.asarray(self.bias, dtype=np.int64))
        if self.bias.shape != (self.matrix.shape[0],):
            raise InputError(f"a bias of shape {self.bias.shape} does not fit a matrix of shape {self.matrix.shape}")
        if self.exponent < 0:
            raise InputError(f"the exponent of a weight array is {self.exponent}, expected 0 or more")

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
        names: what each neuron means, m of them.
    """

    affine: Affine
    activation: str = "relu"
    low: int = 0
    high: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One SSM layer.

    Attributes:
        gate: A before the gate function, shape (d, e).
        increment: B, shape (d, e).
        initial: h_0 as integers over 2^initial_exponent, shape (d,).
        phi: the mixes, first stage first; the output of the last is z.
        gate_function: "affine" (none), "sigmoid", or "exp-softplus" (exp(-softplus(.))), the latter two in floats.
        names: what each state coordinate means, d of them.
    """

    gate: Affine
    increment: Affine
    initial: np.ndarray
    phi: tuple[Mix, ...]
    initial_exponent: int = 0
    gate_function: str = "affine"
    names: tuple[str, ...] = ()

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
    """A whole model; itself a Machine (its steps are those of :mod:`constructions.reference`).

    Attributes:
        alphabet: k symbols.
        outputs: o names: ``(ACCEPT,)`` for a recogniser, the alphabet and EOS for a predictor.
        embedding: int64, shape (k + 1, e), over 2^embedding_exponent; row k is BOS.
        layers: first layer first.
        readout: shape (o, features of the last layer).
        arithmetic: how states and features are stored.
        names: what each embedding coordinate means, e of them.

    Raises:
        InputError: naming the array whose shape, type or size is wrong.
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
        _check_shapes(self)

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
        """Names of all state coordinates, first layer first."""
        return tuple(name for layer in self.layers for name in layer.names)

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
        from constructions import reference

        return reference.step(self, reference.start(self), BOS)

    def step(self, state, symbol: str):
        from constructions import reference

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
    for i, layer in enumerate(ssm.layers):
        if layer.gate_function not in GATES:
            raise InputError(f"layers.{i} has the gate function {layer.gate_function!r}, expected one of {', '.join(GATES)}")
        if layer.gate_function != "affine" and not ssm.arithmetic.is_float:
            raise InputError(f"layers.{i} has a {layer.gate_function} gate, which needs float arithmetic, not {ssm.arithmetic}")
        for name, affine in (("gate", layer.gate), ("increment", layer.increment)):
            _expect(f"layers.{i}.{name}", affine.matrix.shape, (layer.width, features))
        _expect(f"layers.{i}.initial", layer.initial.shape, (layer.width,))
        if layer.initial.dtype != np.int64:
            raise InputError(f"layers.{i}.initial is {layer.initial.dtype}, expected int64")
        if not layer.phi:
            raise InputError(f"layers.{i} has no mix")
        previous = layer.width
        for j, mix in enumerate(layer.phi):
            _expect(f"layers.{i}.phi.{j}", mix.affine.matrix.shape, (mix.affine.outputs, previous + features))
            if mix.activation not in ACTIVATIONS:
                raise InputError(f"layers.{i}.phi.{j} has the activation {mix.activation!r}, expected one of {', '.join(ACTIVATIONS)}")
            if mix.low > mix.high:
                raise InputError(f"layers.{i}.phi.{j} clips from {mix.low} up to {mix.high}")
            previous = mix.affine.outputs
        features = previous
    _expect("readout", ssm.readout.matrix.shape, (len(ssm.outputs), features))


def _expect(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if tuple(shape) != expected:
        raise InputError(f"{name} has shape {tuple(shape)}, expected {expected}")
