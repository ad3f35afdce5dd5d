"""Each family of linear recurrences as a target, in exact arithmetic."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

import numpy as np

from automata.dfa import DFA
from automata.errors import InputError
from automata.files import check_replaceable
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.cascade import Cascade
from constructions.compile.compiler import ADD, DRIFT, PERMUTE, READ_BEFORE, RESET, TRANSFORM, Construction
from constructions.compile.table import table_cascade
from constructions.linear import storage
from constructions.linear.engine import LinearEngine
from constructions.linear.lowering import KEY, lower_program, lower_table
from constructions.linear.weights import FORGETTING, LINEAR_FAMILIES, LinearLayer, LinearWeights, Sparse
from constructions.program.operations import Accumulate, Delay, Flip, Hold, Neuron, Turn
from constructions.program.planner import Offer, plan
from constructions.target import CLOCKED, MONOTONE, NONLINEAR, SIGNED, SOLVABLE

_ALWAYS = (Delay, Neuron)
OFFERS = {
    "signed-diagonal": Offer((frozenset((*_ALWAYS, Hold, Flip, Turn, Accumulate)),), circles=2),
    "complex-diagonal": Offer((frozenset((*_ALWAYS, Hold, Flip, Turn, Accumulate)),)),
    "lru": Offer((frozenset((*_ALWAYS, Turn, Accumulate)),)),
    "longhorn": Offer((frozenset((*_ALWAYS, Hold)),)),
}
"""What a layer of the diagonal families does; the others hold an automaton in one register."""

_MOTIONS = {"signed-diagonal": SIGNED, "complex-diagonal": SOLVABLE, "lru": CLOCKED, "longhorn": MONOTONE}


class LinearTarget:
    """A family of linear recurrences (see :class:`constructions.target.Target`)."""

    reluctant = frozenset((DRIFT,))
    numbers = "exact"
    test_length = 100
    loads_with: dict[str, object] = {"loads with": "constructions.linear.storage.load_linear"}

    def __init__(self, family: str):
        self.family = LINEAR_FAMILIES[family]
        self.name, self.title = family, self.family.title
        self.motion = _MOTIONS.get(family, NONLINEAR)

    @property
    def abilities(self) -> frozenset[str]:
        """What its registers can do, read off the operations that its layers offer."""
        if self.name not in OFFERS:
            return frozenset((TRANSFORM,))
        kinds = OFFERS[self.name].kinds
        able = {Hold: {RESET}, Delay: {READ_BEFORE}, Turn: {PERMUTE}, Accumulate: {ADD, DRIFT}}
        return frozenset().union(*(able.get(kind, set()) for kind in kinds))

    def cannot_hold(self, cascade: Cascade, numbers: str) -> InputError | None:
        """None: its numbers do not come in formats."""
        return None

    def lower(
        self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None
    ) -> LinearWeights:
        if self.name in OFFERS:
            return lower_program(plan(cascade, OFFERS[self.name]), self.name)
        return lower_table(cascade, self.name)

    @contextmanager
    def running(self, weights: LinearWeights) -> Iterator[LinearEngine]:
        yield LinearEngine(weights)

    @contextmanager
    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator[LinearEngine]:
        rng = np.random.default_rng(seed)
        if self.name in OFFERS:
            yield LinearEngine(_random(self.name, alphabet, outputs, rng))
            return
        states = 6
        table = rng.integers(0, states, (states, len(alphabet))).tolist()
        dfa = DFA(alphabet, table, np.flatnonzero(rng.random(states) < 0.5).tolist())
        mode = RECOGNISE if outputs == (ACCEPT,) else PREDICTIVE
        yield LinearEngine(lower_table(table_cascade(dfa, mode), self.name))

    def longest(self, weights: LinearWeights, construction: Construction | None, wanted: int) -> int:
        return wanted

    def exact_range(self, weights: LinearWeights) -> str:
        return "numbers below 2^40 are exact, and others refused"

    def size(self, weights: LinearWeights) -> dict[str, int]:
        return {"layers": len(weights.layers), "cells": weights.cells, "nonzero weights": weights.nonzero}

    def describe(self, weights: LinearWeights, construction: Construction | None) -> dict[str, object]:
        """Layers, cells, gates and sizes, counted on the arrays."""
        return {
            "layers": len(weights.layers),
            "cells": f"{weights.cells} ({' + '.join(str(len(layer.names)) for layer in weights.layers)})",
            "root of unity": f"of order {weights.order}",
            "gates": self.family.gate,
            "nonzero": weights.nonzero,
        }

    def save(self, weights: LinearWeights, folder: str | Path, card: str = "", language: str = "") -> None:
        storage.save_linear(weights, folder, language)

    def check_place(self, folder: str | Path) -> None:
        check_replaceable(folder, storage.LINEAR_FILES, storage.A_LINEAR_MODEL)

    def owns(self, folder: Path) -> bool:
        path = folder / storage.LINEAR_FILE
        if not path.is_file():
            return False
        named = _family(path)
        # A description that names no family is the first one's, which says what is wrong with it.
        return named == self.name or (named not in LINEAR_FAMILIES and self.name == next(iter(LINEAR_FAMILIES)))

    def load(self, folder: str | Path) -> LinearWeights:
        return storage.load_linear(folder)


def _family(path: Path) -> str | None:
    """The family that a description names, where it names one at all."""
    try:
        named = storage.read_description(path).get("family")
    except InputError:
        return None
    return named if isinstance(named, str) else None


def _random(
    family: str, alphabet: tuple[str, ...], outputs: tuple[str, ...], rng: np.random.Generator
) -> LinearWeights:
    """Two layers of three cells whose gates depend on the symbol, each seen through neurons.

    Of complex numbers it has 1, i, -1 and -i, whose real parts are whole.
    """
    forgets, signed = LINEAR_FAMILIES[family].shape == FORGETTING, family == "signed-diagonal"
    order, degree, cells = (1, 1, 3) if forgets or signed else (4, 2, 3)
    tokens = len(alphabet) + 1
    width = 1 + tokens + 2 * cells
    layers = []
    for number in range(2):
        transition, increment = {}, {}
        for cell in range(cells):
            for token in range(tokens if LINEAR_FAMILIES[family].input_dependent else 0):
                gate = np.zeros(degree, dtype=np.int64)
                gate[rng.integers(degree)] = KEY * rng.integers(0, 2) if forgets else rng.integers(-1, 2)
                transition[1 + token, cell, cell] = gate
            if not LINEAR_FAMILIES[family].input_dependent:
                transition[0, cell, cell] = np.eye(degree, dtype=np.int64)[rng.integers(degree)]
            for column in range(1, 1 + tokens + number * cells):
                added = np.zeros(degree, dtype=np.int64)
                added[0] = rng.integers(-2, 3) * (KEY if forgets else 1)
                increment[cell, column] = added
        read = {(n, c): rng.integers(-2, 3, degree) for n in range(cells) for c in range(cells)}
        neurons = {(n, column): int(rng.integers(-2, 3)) for n in range(cells) for column in range(1 + tokens)}
        write = {(1 + tokens + number * cells + n, n): 1 for n in range(cells)}
        layers.append(
            LinearLayer(
                Sparse.of((2 * width, cells, cells), transition, degree),
                Sparse.of((cells, 2 * width), increment, degree),
                Sparse.of((cells, cells), read, degree),
                Sparse.of((cells, 2 * width), neurons),
                Sparse.of((width, cells), write),
                tuple(f"layer {number + 1} h{c + 1}" for c in range(cells)),
            )
        )
    embedding = {(token, column): 1 for token in range(tokens) for column in (0, 1 + token)}
    head = {(o, column): int(rng.integers(-2, 3)) for o in range(len(outputs)) for column in range(width)}
    names = tuple(f"x{column}" for column in range(width))
    return LinearWeights(
        family, order, alphabet, outputs, names, Sparse.of((tokens, width), embedding), tuple(layers),
        Sparse.of((len(outputs), width), head),
    )  # fmt: skip


SIGNED_DIAGONAL, COMPLEX_DIAGONAL, LRU, IDS4, PD_SSM, LINEAR_CDE, LONGHORN = map(LinearTarget, LINEAR_FAMILIES)
