"""Weights of linear recurrences: layers that read a stream of integers, step a state, and add to the stream.

    u_t = [x_t; x_(t-1)]                         the stream and, as a short convolution has it, the stream one step ago
    h_t = A(u_t) h_(t-1) + B u_t                 A linear in u, its numbers in Z[zeta]
    y_t = x_t + P relu(Re(R h_t) + W u_t)

The stream begins as a row of the embedding; the last one is read by a head, whose positive numbers are outputs.  A
family says which A it has; :data:`LINEAR_FAMILIES` are those of the literature.  Arrays are sparse: places and values.

Letters: w coordinates of the stream, d cells of a state, n neurons, f coefficients of a number of the ring.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Mapping

import numpy as np

from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.linear.cyclotomic import Ring

EXACT_BELOW = 1 << 40
"""Weights and numbers of a run are below this: products and their sums then fit 64 bits, or are refused."""

DIAGONAL, DENSE, ONE_PER_COLUMN, FROM_IDENTITY, FORGETTING = (
    "diagonal",
    "dense",
    "one per column",
    "1 + A",
    "forgetting",
)
"""What a family's transition matrix looks like."""


@dataclass(frozen=True)
class Family:
    """A kind of linear recurrence.

    Attributes:
        name: what ``--target`` takes.
        title: one line that says what it is.
        shape: of the transition matrix.
        order: the greatest root of unity among its numbers, 0 for any.
        input_dependent: whether the transition may depend on what is read.
        gate: what multiplies a state, in words.
        source: the literature.
    """

    name: str
    title: str
    shape: str
    order: int
    input_dependent: bool
    gate: str
    source: str


LINEAR_FAMILIES = {
    family.name: family
    for family in (
        Family(
            "signed-diagonal", "diagonal gates -1, 0, 1 that depend on the input", DIAGONAL, 2, True,
            "-1, 0 or 1", "Grazzi et al. 2024; Sarrof, Veitsman, Hahn 2024",
        ),
        Family(
            "complex-diagonal", "diagonal gates 0 and roots of unity that depend on the input, as in Mamba-3", DIAGONAL,
            0, True, "0 or a root of unity", "Orvieto et al. 2023; Merrill, Petty, Sabharwal 2024",
        ),
        Family(
            "lru", "diagonal gates on roots of unity, the same at every step, as in S4D and LRU", DIAGONAL, 0, False,
            "a root of unity, the same at every step", "Gu et al. 2022; Orvieto et al. 2023",
        ),
        Family(
            "ids4", "a dense transition matrix for each symbol", DENSE, 1, True, "any matrix",
            "IDS4 of Merrill, Petty, Sabharwal 2024",
        ),
        Family(
            "pd-ssm", "a column one-hot matrix times a diagonal one for each symbol", ONE_PER_COLUMN, 0, True,
            "one number in each column, of modulus 1", "Terzic et al. 2025",
        ),
        Family(
            "linear-cde", "a step by 1 + A, A linear in the input", FROM_IDENTITY, 1, True, "1 + any matrix",
            "Cirone et al. 2024; Walker et al. 2025",
        ),
        Family(
            "longhorn", "gates 1 - k^2 b / (1 + b k^2), in float32", FORGETTING, 1, True,
            "0 to 1; 0 and 1 by rounding alone", "Liu et al. 2024",
        ),
    )
}  # fmt: skip
"""By name."""


@dataclass(frozen=True)
class Sparse:
    """A sparse array of integers, or of numbers of a ring.

    Attributes:
        shape: of the array.
        places: int64, shape (entries, len(shape)).
        values: int64, shape (entries,) or (entries, f).
    """

    shape: tuple[int, ...]
    places: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, shape: tuple[int, ...], entries: Mapping[Any, Any], degree: int = 0) -> "Sparse":
        """From place -> number or coefficients; zeros are left out.  ``degree`` 0 is for integers."""
        kept = {place: value for place, value in sorted(entries.items()) if np.any(value)}
        places = np.array(list(kept), dtype=np.int64).reshape(len(kept), len(shape))
        tail = (degree,) if degree else ()
        return cls(shape, places, np.array(list(kept.values()), dtype=np.int64).reshape(len(kept), *tail))

    def check(self, name: str, shape: tuple[int, ...], degree: int = 0) -> None:
        """Raises an InputError that names the array unless its shape, places and sizes are right."""
        rows, tail = len(self.places), (degree,) if degree else ()
        if any(array.dtype != np.int64 for array in (self.places, self.values)):
            raise InputError(f"{name} has arrays of {self.places.dtype} and {self.values.dtype}, expected int64")
        if tuple(self.shape) != shape or self.places.shape != (rows, len(shape)) or self.values.shape != (rows, *tail):
            raise InputError(f"{name} has the shape {tuple(self.shape)}, expected {shape}, and a value for each place")
        if rows and ((self.places < 0).any() or (self.places >= np.array(shape)).any()):
            raise InputError(f"{name} has a place outside of its shape {shape}")
        if len(np.unique(self.places, axis=0)) < rows:
            raise InputError(f"{name} has two values for one place")
        if rows and (self.values.max() >= EXACT_BELOW or self.values.min() <= -EXACT_BELOW):
            raise InputError(f"{name} has a number of 2^40 or more")


@dataclass(frozen=True)
class LinearLayer:
    """One layer (see the module).

    Attributes:
        transition: (2w, d, d): for each number of u what it adds to A; in ``longhorn`` the keys, on the diagonal.
        increment: (d, 2w): B; in ``longhorn`` the values.
        read: (n, d): R.
        neurons: (n, 2w): W, integers.
        write: (w, n): P, integers.
        names: of the cells.
    """

    transition: Sparse
    increment: Sparse
    read: Sparse
    neurons: Sparse
    write: Sparse
    names: tuple[str, ...]

    def arrays(self) -> dict[str, Sparse]:
        """By name."""
        return {name: getattr(self, name) for name in ("transition", "increment", "read", "neurons", "write")}


@dataclass(frozen=True)
class LinearWeights:
    """A whole model.

    Attributes:
        family: a key of LINEAR_FAMILIES.
        order: m of the root of unity.
        alphabet, outputs: of the language.
        coordinates: names of the stream.
        embedding: (symbols + 1, w); the last row is BOS.
        layers: first one first.
        head: (outputs, w): an output is given where its number is positive.

    Raises:
        InputError: naming what is wrong, or no matrix of the family.
    """

    family: str
    order: int
    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    coordinates: tuple[str, ...]
    embedding: Sparse
    layers: tuple[LinearLayer, ...]
    head: Sparse

    def __post_init__(self) -> None:
        if not isinstance(self.family, str) or self.family not in LINEAR_FAMILIES:
            raise InputError(f"the family {str(self.family)[:40]!r} is not one of {', '.join(LINEAR_FAMILIES)}")
        most = LINEAR_FAMILIES[self.family].order
        if not 1 <= self.order <= (most or 10_000):
            raise InputError(f"{self.family} has roots of unity up to order {most or 10_000}, not {self.order}")
        width = len(self.coordinates)
        self.embedding.check("embedding", (len(self.alphabet) + 1, width))
        self.head.check("head", (len(self.outputs), width))
        self._check_constant()
        for number, layer in enumerate(self.layers):
            cells, neurons, degree = len(layer.names), layer.neurons.shape[0], self.ring.degree
            layer.transition.check(f"layers.{number}.transition", (2 * width, cells, cells), degree)
            layer.increment.check(f"layers.{number}.increment", (cells, 2 * width), degree)
            layer.read.check(f"layers.{number}.read", (neurons, cells), degree)
            layer.neurons.check(f"layers.{number}.neurons", (neurons, 2 * width))
            layer.write.check(f"layers.{number}.write", (width, neurons))
            self._check_family(f"layers.{number}.transition", layer.transition)

    def _check_constant(self) -> None:
        """Raises unless the first coordinate is 1 at every step: what "the same at every step" rests on."""
        column = self.embedding.places[:, 1] == 0
        if column.sum() != len(self.alphabet) + 1 or (self.embedding.values[column] != 1).any():
            raise InputError("embedding has a first coordinate that is not 1 on every symbol")
        for number, layer in enumerate(self.layers):
            if (layer.write.places[:, 0] == 0).any():
                raise InputError(f"layers.{number}.write changes the first coordinate, which is always 1")

    def _check_family(self, name: str, transition: Sparse) -> None:
        """Raises unless the transition is one of the family, as far as the arrays alone say it.

        What depends on the input, the engine checks at each step (:mod:`constructions.linear.engine`).
        """
        family, (read, row, column) = LINEAR_FAMILIES[self.family], transition.places.T
        if family.shape in (DIAGONAL, FORGETTING) and (row != column).any():
            raise InputError(f"{name} is not diagonal, as {self.family} is")
        if not family.input_dependent and read.size and read.any():
            raise InputError(f"{name} depends on the input, which {self.family} does not")
        if family.shape == FROM_IDENTITY:
            fixed = read == 0
            cells = transition.shape[1]
            identity = fixed.sum() == cells and (row[fixed] == column[fixed]).all()
            if not identity or (transition.values[fixed] != self.ring.root(0)).any():
                raise InputError(f"{name} is not 1 + A, as {self.family} is")

    @cached_property
    def ring(self) -> Ring:
        return Ring(self.order)

    @property
    def mode(self) -> str:
        return RECOGNISE if self.outputs == (ACCEPT,) else PREDICTIVE

    @property
    def cells(self) -> int:
        """Numbers of all states."""
        return sum(len(layer.names) for layer in self.layers)

    @property
    def nonzero(self) -> int:
        """Weights that are not 0."""
        arrays = [self.embedding, self.head, *(a for layer in self.layers for a in layer.arrays().values())]
        return sum(len(array.places) for array in arrays)

    def __repr__(self) -> str:
        return f"LinearWeights({self.family}: {len(self.layers)} layers, {self.cells} cells, {self.nonzero} nonzero)"
