"""Proof by search for a model with a counter in it: states that differ by a translation are one.

A *translation* of a ``fixed:P`` model is a vector t of state coordinates such that the model started from h + t does
for ever what it does from h: the states stay t apart, and every output is the same.  It is read off the weights: a
coordinate with gate 1 may be moved by any t, a coordinate with gate 0 is moved by what its input is moved, a mix
moves its values by whole units (so that rounding down commutes) and passes nothing on through a ReLU or clip, no gate
sees the movement, and none of it reaches the readout.  States are then looked at modulo t, and where these are
finitely many a search closes although the state itself grows without bound.
"""

from __future__ import annotations

import numpy as np

from automata.errors import InputError
from constructions.ssm.engine import Engine, Outputs
from constructions.ssm.layers import Affine, Layer
from constructions.ssm.number_formats import largest_size
from constructions.ssm.weights import SSM

_LARGEST = 16
"""Translations of 1, 2, 4, … up to 2^16 units are tried."""
_FURTHEST = 1 << 53
"""What follows in the layers above may not move further: the engine's numbers lie below."""


def find_translation(ssm: SSM) -> np.ndarray | None:
    """A translation, in units of 2^-P, of a coordinate of the first layer and what follows from it; None if none is
    found.

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.parity_models import unbounded_parity
    >>> find_translation(unbounded_parity(Arithmetic.parse("fixed:4"))).tolist()
    [2, 1]
    """
    if ssm.arithmetic.kind != "fixed":
        return None
    first = ssm.layers[0]
    for coordinate in np.flatnonzero(_constant(first.gate) & (first.gate.bias == 1 << first.gate.exponent)):
        for power in range(_LARGEST + 1):
            # Python integers: a large weight must not make a movement wrap round to 0.
            seed = np.zeros(first.width, dtype=object)
            seed[coordinate] = 1 << power
            moved = _follow(ssm, seed)
            if moved is not None and max(map(abs, moved)) < _FURTHEST:
                return moved.astype(np.int64)
    return None


class Folded:
    """An engine whose states are taken modulo a translation; a model for
    :func:`verify.methods.bisimulation.bisimulation`.

    >>> from automata.catalogue import language
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.parity_models import unbounded_parity
    >>> from verify.methods.bisimulation import bisimulation
    >>> engine = Engine(unbounded_parity(Arithmetic.parse("fixed:4")))
    >>> proof = bisimulation(language("parity").dfa(), Folded(engine, find_translation(engine.ssm)), "recognise")
    >>> proof.outcome, proof.explored["joint states"]
    ('proved', 2)
    """

    def __init__(self, engine: Engine, translation: np.ndarray):
        self.engine, self.translation = engine, translation
        self.alphabet, self.outputs, self.arithmetic = engine.alphabet, engine.outputs, engine.arithmetic
        self._first = int(np.flatnonzero(translation)[0])

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        state, outputs = self.engine.begin(batch)
        return self._fold(state), outputs

    def advance(self, state: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        state, outputs = self.engine.advance(state, words)
        return self._fold(state), outputs

    def _fold(self, state: np.ndarray) -> np.ndarray:
        times = state[:, self._first] // self.translation[self._first]
        if largest_size(times) * largest_size(self.translation) + largest_size(state) >= 1 << 62:
            raise InputError("a state that is taken modulo a translation needs more than 62 bits")
        return state - times[:, None] * self.translation


def _follow(ssm: SSM, seed: np.ndarray) -> np.ndarray | None:
    """The whole translation that moves the first layer's state by ``seed``, or None where something sees it."""
    moved: list[np.ndarray] = []
    x: np.ndarray = np.zeros(ssm.layers[0].inputs, dtype=object)
    for number, layer in enumerate(ssm.layers):
        h = seed if number == 0 else _state(layer, x)
        if h is None or _sees(layer.gate, x):
            return None
        moved.append(h)
        z = h
        for mix in layer.phi:
            image = _image(mix.affine, np.concatenate([z, x]))
            if image is None or (mix.activation != "linear" and image.any()):
                return None
            z = image
        x = z
    if _product(ssm.readout, x).any():
        return None
    return np.concatenate(moved)


def _state(layer: Layer, x: np.ndarray) -> np.ndarray | None:
    """How far a state moves whose input moves by x: with gate 0 as far as the increment, otherwise not at all."""
    added = _image(layer.increment, x)
    forgets = _constant(layer.gate) & (layer.gate.bias == 0)
    if added is None or added[~forgets].any():
        return None
    return added


def _image(affine: Affine, x: np.ndarray) -> np.ndarray | None:
    """How far the values of an affine map move, None unless by whole units."""
    raw = _product(affine, x)
    return None if (raw % (1 << affine.exponent)).any() else raw >> affine.exponent


def _product(affine: Affine, x: np.ndarray) -> np.ndarray:
    """matrix x, in Python integers."""
    return affine.matrix.toarray().astype(object) @ x


def _sees(affine: Affine, x: np.ndarray) -> bool:
    """Whether the map reads any input that moves."""
    return bool(np.abs(affine.matrix.toarray())[:, x != 0].any())


def _constant(affine: Affine) -> np.ndarray:
    """Which values of an affine map do not depend on its input."""
    return ~affine.matrix.toarray().any(axis=1)
