"""Features: 0/1 values on their way from symbols and registers to where they are read.

The lowering speaks of *features* ("depth = 3", "slot 2 bit 0 after"); this module places them as neurons.
Time inside one step is counted in *slots*: slot 0 is the embedding; layer l (from 1) has slot 2l-1, its first
mix, which reads the layer's state and slot 2l-2, and slot 2l, its second mix, which reads slots 2l-1 and
2l-2 and is the layer's output z.  Gates and increments of layer l read slot 2l-2, the readout the last slot.

A feature is an affine expression over atoms (embedding coordinates, state coordinates, neurons).  It is carried
to later slots by a neuron of its own, which is exact because features are never negative.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Hashable, Iterable

import numpy as np

Atom = tuple[int, int]
"""(slot, index) of an embedding coordinate or neuron, or (-layer, index) of a raw state coordinate."""


SymbolFunction = frozenset[tuple[int, int]]
"""A function of the symbol, as the (symbol index, value) pairs whose value is not 0."""


@dataclass(frozen=True)
class AffineForm:
    """constant + sum of coefficient * atom, all integers."""

    terms: tuple[tuple[Atom, int], ...] = ()
    constant: int = 0

    @classmethod
    def of(cls, terms: dict[Atom, int], constant: int = 0) -> "AffineForm":
        return cls(tuple((atom, c) for atom, c in terms.items() if c), constant)

    def __add__(self, other: "AffineForm") -> "AffineForm":
        return AffineForm.sum((self, other))

    @classmethod
    def sum(cls, expressions: Iterable["AffineForm"]) -> "AffineForm":
        """Their sum, in time linear in the terms."""
        terms: dict[Atom, int] = {}
        constant = 0
        for expression in expressions:
            constant += expression.constant
            for atom, c in expression.terms:
                terms[atom] = terms.get(atom, 0) + c
        return cls.of(terms, constant)

    def __mul__(self, factor: int) -> "AffineForm":
        return AffineForm.of({atom: c * factor for atom, c in self.terms}, self.constant * factor)

    def __sub__(self, other: "AffineForm") -> "AffineForm":
        return self + other * -1


ONE = AffineForm((), 1)


@dataclass(frozen=True)
class Feature:
    """A named value in {0, 1, ...}: an expression, and the first slot that can read it.

    ``table`` is set on features of the symbol alone: (symbol index, value) wherever the value is not 0.  Such a
    feature has its expression from :meth:`Placement.expression`.
    """

    name: str
    expression: AffineForm
    ready: int
    table: SymbolFunction | None = None


@dataclass
class Neuron:
    """relu(expression), to be placed in a mix."""

    name: str
    expression: AffineForm


@dataclass
class Placement:
    """The growing network: embedding columns and neurons by slot, each made once.

    Attributes:
        names: the symbols, BOS last: the rows of the embedding.
        columns: embedding columns, by name.
        neurons: slot -> neurons in order.
    """

    names: tuple[str, ...]
    columns: list[tuple[str, SymbolFunction]] = field(default_factory=list)
    neurons: dict[int, list[Neuron]] = field(default_factory=dict)
    _column_of: dict[SymbolFunction, int] = field(default_factory=dict)
    _neuron_of: dict[Hashable, Feature] = field(default_factory=dict)
    _carried: dict[tuple[int, Feature], AffineForm] = field(default_factory=dict)

    def symbol_feature(self, name: str, table: SymbolFunction) -> Feature:
        """A function of the symbol.  It becomes an embedding column only when a neuron reads it."""
        return Feature(name, AffineForm(), 1, table)

    def expression(self, feature: Feature) -> AffineForm:
        """The feature where it was made; a constant function of the symbol costs nothing."""
        if feature.table is None:
            return feature.expression
        values = {value for _, value in feature.table}
        if len(feature.table) < self.symbols:
            values.add(0)
        if len(values) == 1:
            return AffineForm((), values.pop())
        if feature.table not in self._column_of:
            self._column_of[feature.table] = len(self.columns)
            self.columns.append((self._column_name(feature), feature.table))
        return AffineForm((((0, self._column_of[feature.table]), 1),))

    def _column_name(self, feature: Feature) -> str:
        chosen = sorted(symbol for symbol, _ in feature.table or ())
        if len(chosen) > 8:
            return feature.name
        return "symbol " + " ".join(self.names[symbol] for symbol in chosen)

    @property
    def symbols(self) -> int:
        """The number of rows of the embedding."""
        return len(self.names)

    def embedding(self) -> np.ndarray:
        """The columns as an array of shape (symbols, columns)."""
        array = np.zeros((self.symbols, len(self.columns)), dtype=np.int64)
        for column, (_, table) in enumerate(self.columns):
            for symbol, value in table:
                array[symbol, column] = value
        return array

    def neuron(self, name: str, slot: int, expression: AffineForm) -> Feature:
        """relu(expression) as a neuron of this slot; an equal one is used again."""
        key = (slot, expression)
        if key not in self._neuron_of:
            row = self.neurons.setdefault(slot, [])
            self._neuron_of[key] = Feature(name, AffineForm((((slot, len(row)), 1),)), slot + 1)
            row.append(Neuron(name, expression))
        return self._neuron_of[key]

    def read(self, feature: Feature, slot: int) -> AffineForm:
        """The feature as an expression that a neuron of ``slot`` can read, carried there if need be."""
        if slot < feature.ready:
            raise AssertionError(f"{feature.name} is not ready at slot {slot}")
        expression = self.expression(feature)
        # Downwards, to where it can be read as it was made, or has been carried to already; then up again.
        places = []
        while not all(_readable(atom, slot) for atom, _ in expression.terms):
            # Carried in the output of the layer above, which both mixes of a layer can read; a raw state coordinate
            # is visible to the first mix alone, so a second mix of the same layer has it carried by that first mix.
            slot -= 1 if slot % 2 or feature.ready == slot - 1 else 2
            if (slot, feature) in self._carried:
                expression = self._carried[slot, feature]
                break
            places.append(slot)
        for place in reversed(places):
            expression = self._carried[place, feature] = self.neuron(feature.name, place, expression).expression
        return expression

    def read_output(self, feature: Feature, slot: int) -> AffineForm:
        """The feature as an expression over slot ``slot`` alone: what a gate, an increment or the readout can read."""
        expression = self.expression(feature)
        if all(atom[0] == slot for atom, _ in expression.terms):
            return expression
        return self.neuron(feature.name, slot, self.read(feature, slot)).expression

    def conjunction(self, name: str, literals: list[tuple[Feature, bool]]) -> Feature:
        """The AND of features and (where the flag is False) of negated features, as early as it can be.

        One neuron, relu(sum of literals - (count - 1)); none for a single literal or for symbols alone.
        """
        supports = [self._support(f.table, positive) for f, positive in literals if f.table is not None]
        literals = [(f, positive) for f, positive in literals if f.table is None]
        if supports:
            support = frozenset.intersection(*supports)
            if not support:
                return self.symbol_feature("never", frozenset())
            if len(support) < self.symbols or not literals:
                title = f"symbol for {name}" if literals else name
                literals.append((self.symbol_feature(title, frozenset((symbol, 1) for symbol in support)), True))
        if not literals:
            return self.symbol_feature("always", frozenset((symbol, 1) for symbol in range(self.symbols)))
        slot = max(feature.ready for feature, _ in literals)
        if len(literals) == 1:
            feature, positive = literals[0]
            return feature if positive else Feature(name, ONE - feature.expression, feature.ready)
        # One pass over all terms: there may be as many neurons as symbols.
        terms: dict[Atom, int] = {}
        constant = 1 - len(literals)
        for feature, positive in literals:
            value, sign = self.read(feature, slot), 1 if positive else -1
            constant += value.constant if positive else 1 - value.constant
            for atom, c in value.terms:
                terms[atom] = terms.get(atom, 0) + sign * c
        return self.neuron(name, slot, AffineForm.of(terms, constant))

    def _support(self, table: SymbolFunction, positive: bool) -> frozenset[int]:
        """The symbols of which a feature (or its negation) is true."""
        support = frozenset(symbol for symbol, _ in table)
        return support if positive else frozenset(range(self.symbols)) - support

    def total(self, name: str, features: list[tuple[Feature, int]]) -> Feature:
        """A weighted sum of features (weights >= 0), readable in one place."""
        features = [(f, weight) for f, weight in features if weight]
        if all(f.table is not None for f, _ in features):
            values: dict[int, int] = {}
            for f, weight in features:
                for symbol, number in f.table or ():
                    values[symbol] = values.get(symbol, 0) + number * weight
            return self.symbol_feature(name, frozenset(values.items()))
        ready = max(f.ready for f, _ in features)
        parts = []
        for f, weight in features:
            # What is not readable where the latest term is first readable travels there on its own neuron.
            value = self.expression(f)
            if not all(_readable(atom, ready) for atom, _ in value.terms):
                value = self.read(f, ready)
            parts.append(value * weight)
        return Feature(name, AffineForm.sum(parts), ready)


def _readable(atom: Atom, slot: int) -> bool:
    """Whether a neuron of this slot can read the atom; (-layer, i) is a raw state coordinate."""
    place = atom[0]
    if place < 0:
        return slot == -2 * place - 1
    return place == slot - 1 or (slot % 2 == 0 and place == slot - 2)
