"""Any automaton in one layer of a nonlinear cell: a unit for each symbol and each state that it leads to.

A unit (symbol, state) is on exactly when this symbol was read and the state before was one that it takes to this state:

    on = [symbol] + (sum of the units whose state is a source) > 3/2,

one threshold, which every one of these cells has.  Exactly one unit is on at a time, and the state is its state; a
unit for BOS stands for the first.  Groups need nothing special, since a unit is no affine map of the state: the
obstruction of linear recurrences (Sarrof, Veitsman, Hahn 2024, Theorem 2) does not speak of these.

=====  ======================================================  ============
cell   how it is a threshold                                   off, on
=====  ======================================================  ============
relu   relu([symbol] + sum - 1)                                0, 1
tanh   tanh(STEEP (...)), which is exactly 1 or -1              -1, 1
gru    z = sigmoid(-STEEP) = 0, r = 1: the same tanh            -1, 1
lstm   f = 0, i = o = 1: c is the same tanh                    -tanh 1, tanh 1
=====  ======================================================  ============

The size is the sum over the symbols of the number of states that each leads to, and its square; O(units^2) to build.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from automata.errors import InputError
from automata.machine import ACCEPT, EOS
from constructions.cascade import Cascade, In, Is, Transformation
from constructions.mamba.weights import EOS_TOKEN, FIRST_SYMBOL, LOGIT_WEIGHT

STEEP = 128.0
"""tanh and sigmoid of 128 and more are exactly 1 in every format."""

CELLS = {"relu": "RNN", "tanh": "RNN", "gru": "GRU", "lstm": "LSTM"}
"""Which module of torch each cell is."""

_GATES = {"relu": 1, "tanh": 1, "gru": 3, "lstm": 4}
_CANDIDATE = {"relu": 0, "tanh": 0, "gru": 2, "lstm": 2}
"""Rows of torch's stacked matrices: how many gates, and which of them is the threshold."""

_OPEN = {"relu": (), "tanh": (), "gru": ((0, STEEP), (1, -STEEP)), "lstm": ((0, STEEP), (1, -STEEP), (3, STEEP))}
"""The biases of the other gates."""

_OF_STATE = "layer.weight_hh_l"
"""What the name of a layer's matrix of the state begins with."""

EXACT_TERMS = {"float32": 2**15, "float64": 2**15, "bfloat16": 2**8 - 5}
"""Sums of so many units that are 1 or -1, and at most 5 beside them, are exact before the threshold."""

MOST_UNITS = 2**15
"""Units of a layer, whose square is what it takes."""


@dataclass(frozen=True)
class CellWeights:
    """The weights of ``nn.Embedding``, layers of the cell, and ``nn.Linear``.

    Attributes:
        cell: a key of :data:`CELLS`.
        dtype: the format of the numbers.
        alphabet: the symbols.
        outputs: what can be given out.
        units: what each unit of a layer means, in words.
        tensors: by the names of torch, float64.
    """

    cell: str
    dtype: str
    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    units: tuple[str, ...]
    tensors: dict[str, np.ndarray]

    @property
    def layers(self) -> int:
        return sum(name.startswith(_OF_STATE) for name in self.tensors)

    @property
    def parameters(self) -> int:
        return sum(tensor.size for tensor in self.tensors.values())

    @property
    def nonzero(self) -> int:
        return sum(int(np.count_nonzero(tensor)) for tensor in self.tensors.values())


def lower_to_cell(cascade: Cascade, cell: str, dtype: str) -> CellWeights:
    """The weights of a cascade of one transformation register.

    Args:
        cascade: from :func:`constructions.compile.table.table_cascade`.
        cell: a key of :data:`CELLS`.
        dtype: a key of :data:`EXACT_TERMS`, which has as many as :func:`units_and_terms` says.

    Raises:
        InputError: for any other cascade.
    """
    images, units = _units(cascade)
    states = np.array([q for _, q in units])
    sources = np.zeros((len(units), len(units)))
    letters = np.zeros((len(units), FIRST_SYMBOL + len(cascade.alphabet)))
    letters[0, :FIRST_SYMBOL] = 1
    for number, (symbol, q) in enumerate(units[1:], start=1):
        assert symbol is not None, "only the first unit has none"
        letters[number, FIRST_SYMBOL + cascade.alphabet.index(symbol)] = 1
        sources[number] = np.array(images[symbol])[states] == q
    return CellWeights(
        cell,
        dtype,
        cascade.alphabet,
        cascade.outputs,
        tuple(f"read {symbol or '<bos>'}, now in state {q}" for symbol, q in units),
        {**_layer(cell, sources, letters), **readout(cell, cascade, _given(cascade, states))},
    )


def units_and_terms(cascade: Cascade, cell: str) -> tuple[int, int]:
    """How many units there are, and of how many that can be 1 or -1 a sum is, at most; O(states * symbols).

    Where all but one are 0, as in a relu, that is one.
    """
    images, units = _units(cascade)
    states = np.array([q for _, q in units])
    if cell == "relu":
        return len(units), 1
    found = [np.bincount(np.array(images[symbol])[states]).max() for symbol in cascade.alphabet]
    given = _given(cascade, states)
    found += [sum(output in outputs for outputs in given) for output in cascade.outputs]
    return len(units), int(max(found, default=1))


def _units(cascade: Cascade) -> tuple[dict[str, tuple[int, ...]], list[tuple[str | None, int]]]:
    """What each symbol makes of the states, and of each unit its symbol, none for BOS, and its state."""
    state = cascade.registers[0] if len(cascade.registers) == 1 else None
    if not isinstance(state, Transformation) or any(level.signals for level in cascade.levels):
        raise InputError("a cell holds one register that takes any function of its values, and nothing else")
    images = {
        symbol: rule.then.images
        for rule in state.rules
        for literal in rule.when[:1]
        if isinstance(literal, In)
        for symbol in literal.symbols
    }
    units: list[tuple[str | None, int]] = [(None, state.initial)]
    units += [(symbol, q) for symbol in cascade.alphabet for q in sorted(set(images[symbol]))]
    return images, units


def shapes(cell: str, tokens: int, units: int, layers: int = 1) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor."""
    rows = _GATES[cell] * units
    found: dict[str, tuple[int, ...]] = {"embedding.weight": (tokens, tokens)}
    for layer in range(layers):
        found[f"layer.weight_ih_l{layer}"] = (rows, units if layer else tokens)
        found[f"{_OF_STATE}{layer}"] = (rows, units)
        found[f"layer.bias_ih_l{layer}"] = found[f"layer.bias_hh_l{layer}"] = (rows,)
    return {**found, "head.weight": (tokens, units), "head.bias": (tokens,)}


def on(cell: str) -> float:
    """What a unit is that is on."""
    return float(np.tanh(1.0)) if cell == "lstm" else 1.0


def _layer(cell: str, sources: np.ndarray, letters: np.ndarray) -> dict[str, np.ndarray]:
    """The embedding, which is one-hot, and the layer."""
    count, tokens = letters.shape
    many = sources.sum(axis=1)
    first = np.zeros(count)
    if cell == "relu":
        of_symbol, of_state, first[1:] = letters, sources, -1
    else:
        # STEEP times 4 [symbol] + (2 - many or -many) + many - 5, which is 1 or at most -1.
        of_symbol, of_state = 4 * STEEP * letters, STEEP / on(cell) * sources
        first[0], first[1:] = -2 * STEEP, STEEP * (many[1:] - 5)
        # Before BOS all units are 0, neither on nor off.
        of_symbol[1:, :FIRST_SYMBOL] = -STEEP * (many[1:, None] + 2)
    rows = count * _CANDIDATE[cell]
    tensors = {
        name: np.zeros(shape) for name, shape in shapes(cell, tokens, count).items() if not name.startswith("head")
    }
    tensors["embedding.weight"] = np.eye(tokens)
    tensors["layer.weight_ih_l0"][rows : rows + count] = of_symbol
    tensors["layer.weight_hh_l0"][rows : rows + count] = of_state
    tensors["layer.bias_ih_l0"][rows : rows + count] = first
    for gate, value in _OPEN[cell]:
        tensors["layer.bias_ih_l0"][gate * count : (gate + 1) * count] = value
    return tensors


def _given(cascade: Cascade, states: np.ndarray) -> list[frozenset[str]]:
    """What is given out while each unit is on."""
    given: dict[int, frozenset[str]] = {
        emission.when[0].value: emission.outputs for emission in cascade.emissions if isinstance(emission.when[0], Is)
    }
    return [given.get(int(q), frozenset()) for q in states]


def readout(cell: str, cascade: Cascade, given: Sequence[frozenset[str]]) -> dict[str, np.ndarray]:
    """Logits of +64 or about that, or more, where an output is given, and -64 where it is not.

    Args:
        cell: a key of :data:`CELLS`.
        cascade: for its alphabet and outputs.
        given: the outputs that each unit gives while it is on.
    """
    weight = np.zeros((FIRST_SYMBOL + len(cascade.alphabet), len(given)))
    bias = np.full(len(weight), -float(LOGIT_WEIGHT))
    for output in cascade.outputs:
        token = EOS_TOKEN if output in (ACCEPT, EOS) else FIRST_SYMBOL + cascade.alphabet.index(output)
        with_it = np.array([output in outputs for outputs in given], dtype=np.float64)
        if cell == "relu":
            weight[token] = 2 * LOGIT_WEIGHT * with_it
        else:
            weight[token] = LOGIT_WEIGHT / on(cell) * with_it
            bias[token] = LOGIT_WEIGHT * (with_it.sum() - 1)
    return {"head.weight": weight, "head.bias": bias}


def rounded(tensors: dict[str, np.ndarray], dtype: str) -> dict[str, np.ndarray]:
    """The numbers of the format that are nearest; only those of an LSTM, divided by tanh 1, are not the same."""
    if dtype == "float64":
        return tensors
    found = {}
    for name, tensor in tensors.items():
        single = tensor.astype(np.float32)
        if dtype == "bfloat16":
            bits = single.view(np.uint32).astype(np.uint64)
            single = ((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000).astype(np.uint32).view(np.float32)
        found[name] = single.astype(np.float64)
    return found
