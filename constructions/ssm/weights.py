"""The state space model of the paper, as weight arrays with names.

A layer reads features x_t and keeps a state h_t of d coordinates::

    h_t = A(x_t) * h_(t-1) + B(x_t)        elementwise; A, B affine (A may pass through a gate function)
    z_t = phi(h_t, x_t)                    a list of mixes: act(W [previous; x] + c), the first one on [h; x]

The first layer's features are rows of an embedding, the next layer's are this layer's z, and a readout maps the
last z to one number per output: an output is given when its number is positive.  Every run starts from h_0
with the symbol BOS.  (Sarrof, Veitsman, Hahn 2024, section 2, equations 1-3.)

All numbers are integers over a power of two, of at most 62 bits both (:mod:`constructions.ssm.integers`); others are
refused here.  Nothing is a closure: a model can be saved, printed, counted, corrupted and reloaded.

Shape letters: k symbols (BOS is row k of the embedding), e features, d state coordinates, m neurons of a mix,
o outputs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Iterator, Sequence

import numpy as np

from automata.dfa import check_alphabet
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE, RECOGNISE
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.integers import checked_exponent, whole_numbers
from constructions.ssm.layers import ACTIVATIONS, GATES, Affine, Layer
from constructions.ssm.shown import SHOWN_WEIGHTS, constructor, integers_if_empty

_SURROGATE = re.compile("[\ud800-\udfff]")


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
        object.__setattr__(self, "embedding", integers_if_empty(self.embedding))
        object.__setattr__(
            self, "embedding_exponent", checked_exponent("the embedding's exponent", self.embedding_exponent)
        )
        _check_shapes(self)
        self.check_numbers()

    def __repr__(self) -> str:
        if self.embedding.size + sum(int(np.prod(affine.matrix.shape)) for _, affine in self.affines()) > SHOWN_WEIGHTS:
            return f"<SSM of {len(self.layers)} layers, {self.hidden_size} coordinates, {self.nonzero} nonzero weights>"
        return constructor(self)

    def check_numbers(self) -> None:
        """Raises an InputError that names a number outside the range: arrays may have been edited since they were
        made.
        """
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
        return reference.step(self, reference.start(self), BOS)

    def step(self, state, symbol: str):
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
                    f"layers.{i}.phi.{j} has the activation {mix.activation!r}, expected one of "
                    f"{', '.join(ACTIVATIONS)}"
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
    """Raises unless there are no names at all, or as many as expected, which are Unicode text and (``distinct``)
    differ.
    """
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
