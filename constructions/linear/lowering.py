"""From a cascade to a linear recurrence: an operation is a cell or a few, and neurons that read it.

=========== ======================================= =====================================
operation   cell                                    neuron that writes a value v
=========== ======================================= =====================================
Hold        h = (1 - gate) h + value                h
Flip        h = (1 - set - 2 flip) h + value + flip  h
Turn        h = zeta^places h + zeta^v where set     m^2 Re(zeta^-v h) + 1 - m^2
Accumulate  h = h + up - down                       h - initial, and initial - h
Delay       none: u has the stream one step ago     u, and -u
=========== ======================================= =====================================

Of m places on a circle the next one has a real part of at most 1 - 8/m^2, so that only the right one passes.  Where
any matrix is had, an automaton is one layer: its states are cells, and each symbol's matrix is that of its moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import lcm

import numpy as np

from automata.errors import InputError
from constructions.cascade import Cascade, In, Is, Transformation
from constructions.compile.compiler import NotExpressible
from constructions.linear.cyclotomic import Ring
from constructions.linear.weights import FORGETTING, FROM_IDENTITY, LINEAR_FAMILIES, LinearLayer, LinearWeights, Sparse
from constructions.program.operations import (
    BEGINNING,
    CONSTANT_ONE,
    Accumulate,
    Delay,
    Flip,
    Hold,
    LinearForm,
    Neuron,
    Operation,
    Program,
    Turn,
)

KEY = 1 << 13
"""A key after which float32 has forgotten: 1 + KEY^2 / 2 is rounded to KEY^2 / 2."""


def lower_program(program: Program, family: str) -> LinearWeights:
    """The weights of a program, a layer for each half; O(operations * what they read).

    Raises:
        NotExpressible: naming a register that turns only at times, where the family's gates are always the same.
    """
    circles = [o.values for half in program.halves for o in half if isinstance(o, Turn)]
    ring = Ring(lcm(*circles) if circles else 1)
    width = len(program.coordinates)
    layers = tuple(_Layer(half, width, ring, family, program).layer() for half in program.halves if half)
    embedding: dict[tuple[int, ...], int] = {}
    for token in range(len(program.alphabet) + 1):
        embedding[token, CONSTANT_ONE] = 1
        embedding[token, (*program.symbols, BEGINNING)[token]] = 1
    head = {(o, c): multiple for o, form in enumerate(program.answers) for c, multiple in form.items()}
    return LinearWeights(
        family,
        ring.order,
        program.alphabet,
        program.outputs,
        program.coordinates,
        Sparse.of((len(program.alphabet) + 1, width), embedding),
        layers,
        Sparse.of((len(program.outputs), width), head),
    )


@dataclass
class _Layer:
    """The entries of one layer's arrays."""

    half: tuple[Operation, ...]
    width: int
    ring: Ring
    family: str
    program: Program
    transition: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)
    increment: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)
    read: dict[tuple[int, ...], np.ndarray] = field(default_factory=dict)
    neurons: dict[tuple[int, ...], int] = field(default_factory=dict)
    write: dict[tuple[int, ...], int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    fired: int = 0

    def layer(self) -> LinearLayer:
        for operation in self.half:
            if isinstance(operation, Neuron):
                self._neuron(operation.reads, operation.writes)
            elif isinstance(operation, Delay):
                for sign in (1, -1):
                    late = {self.width + c: sign * multiple for c, multiple in operation.reads.items()}
                    self._neuron(late, {operation.writes: sign})
            elif isinstance(operation, Hold):
                self._hold(operation)
            elif isinstance(operation, Flip):
                self._flip(operation)
            elif isinstance(operation, Turn):
                self._turn(operation)
            elif isinstance(operation, Accumulate):
                cell = self._cell(operation.name)
                self._gate(cell, {CONSTANT_ONE: 1})
                self._add(cell, operation.up)
                self._add(cell, operation.down, -1)
                # The cell is the counter itself, as the paper has it, and the stream the sum of its changes.
                self._add(cell, {BEGINNING: operation.initial})
                for sign in (1, -1):
                    less = {CONSTANT_ONE: -sign * operation.initial} if operation.initial else {}
                    self._neuron(less, {operation.writes: sign}, cell, self.ring.root(0) * sign)
            else:
                raise InputError(f"{type(operation).__name__} is no operation of {self.family}")
        cells, columns, degree = len(self.names), 2 * self.width, self.ring.degree
        return LinearLayer(
            Sparse.of((columns, cells, cells), self.transition, degree),
            Sparse.of((cells, columns), self.increment, degree),
            Sparse.of((self.fired, cells), self.read, degree),
            Sparse.of((self.fired, columns), self.neurons),
            Sparse.of((self.width, self.fired), self.write),
            tuple(self.names),
        )

    def _hold(self, operation: Hold) -> None:
        for number, (value, coordinate) in enumerate(operation.cells):
            cell = self._cell(operation.name if len(operation.cells) == 1 else f"{operation.name}[{number}]")
            if LINEAR_FAMILIES[self.family].shape == FORGETTING:
                self._gate(cell, operation.gate, KEY)
                self._add(cell, value, KEY)
            else:
                self._gate(cell, {CONSTANT_ONE: 1})
                self._gate(cell, operation.gate, -1)
                self._add(cell, value)
            self._neuron({}, {coordinate: 1}, cell, self.ring.root(0))

    def _flip(self, operation: Flip) -> None:
        cell = self._cell(operation.name)
        self._gate(cell, {CONSTANT_ONE: 1})
        self._gate(cell, operation.set, -1)
        self._gate(cell, operation.flip, -2)
        self._add(cell, operation.value)
        self._add(cell, operation.flip)
        self._neuron({}, {operation.writes: 1}, cell, self.ring.root(0))

    def _turn(self, operation: Turn) -> None:
        cell, order = self._cell(operation.name), operation.values
        step = self.ring.order // order
        self._add(cell, {BEGINNING: 1}, self.ring.root(operation.initial * step))
        if LINEAR_FAMILIES[self.family].input_dependent:
            self._gate(cell, {CONSTANT_ONE: 1})
            for places, event in operation.turns.items():
                self._gate(cell, event, self.ring.root(places * step) - self.ring.root(0))
            for value, event in operation.sets.items():
                self._gate(cell, event, -1)
                self._add(cell, event, self.ring.root(value * step))
        else:
            self._gate(cell, {CONSTANT_ONE: 1}, self.ring.root(self._always(operation) * step))
        for value, coordinate in operation.writes.items():
            sharp = order**2
            toward = self.ring.root(-value * step) * sharp
            self._neuron({CONSTANT_ONE: 1 - sharp}, {coordinate: 1}, cell, toward)

    def _always(self, operation: Turn) -> int:
        """By how many places a register turns at every step, whatever is read."""
        if not operation.sets and len(operation.turns) == 1:
            ((places, event),) = operation.turns.items()
            every = [sum(event.get(c, 0) for c in (CONSTANT_ONE, symbol)) for symbol in self.program.symbols]
            if set(event) <= {CONSTANT_ONE, BEGINNING, *self.program.symbols} and set(every) == {1}:
                return places
        reason = f"turns or is set at some symbols only, and the gates of {self.family} never change"
        raise NotExpressible(operation.name, reason)

    # -- entries ------------------------------------------------------------------------------------------

    def _cell(self, name: str) -> int:
        self.names.append(name)
        return len(self.names) - 1

    def _gate(self, cell: int, form: LinearForm, factor: int | np.ndarray = 1) -> None:
        for column, multiple in form.items():
            place = column, cell, cell
            self.transition[place] = self.transition.get(place, 0) + self._number(multiple, factor)

    def _add(self, cell: int, form: LinearForm, factor: int | np.ndarray = 1) -> None:
        for column, multiple in form.items():
            place = cell, column
            self.increment[place] = self.increment.get(place, 0) + self._number(multiple, factor)

    def _number(self, multiple: int, factor: int | np.ndarray) -> np.ndarray:
        return multiple * (self.ring.root(0) * factor if isinstance(factor, int) else factor)

    def _neuron(
        self, form: LinearForm, writes: LinearForm, cell: int | None = None, reads: np.ndarray | None = None
    ) -> None:
        neuron, self.fired = self.fired, self.fired + 1
        for column, multiple in form.items():
            self.neurons[neuron, column] = multiple
        if cell is not None and reads is not None:
            self.read[neuron, cell] = reads
        for coordinate, multiple in writes.items():
            self.write[coordinate, neuron] = multiple


def lower_table(cascade: Cascade, family: str) -> LinearWeights:
    """The weights of an automaton in one layer, a cell for each state; O(states * symbols).

    Args:
        cascade: from :func:`constructions.compile.table.table_cascade`.

    Raises:
        InputError: for any other cascade.
    """
    state = cascade.registers[0] if len(cascade.registers) == 1 else None
    if not isinstance(state, Transformation) or any(level.signals for level in cascade.levels):
        raise InputError(f"{family} holds one register that takes any function of its values, and nothing else")
    symbols, states = len(cascade.alphabet), state.values
    first = BEGINNING + 1 + symbols
    one, width = np.array([1]), first + states
    added: dict[tuple[int, ...], np.ndarray] = {}
    for rule in state.rules:
        (literal,) = rule.when
        assert isinstance(literal, In)
        for symbol in literal.symbols:
            column = BEGINNING + 1 + cascade.alphabet.index(symbol)
            for q, image in enumerate(rule.then.images):
                added[column, image, q] = one
                if LINEAR_FAMILIES[family].shape == FROM_IDENTITY:
                    added[column, q, q] = added.get((column, q, q), 0 * one) - one
    if LINEAR_FAMILIES[family].shape == FROM_IDENTITY:
        added |= {(CONSTANT_ONE, q, q): one for q in range(states)}
    names = tuple(f"state {q}" for q in range(states))
    layer = LinearLayer(
        Sparse.of((2 * width, states, states), added, 1),
        Sparse.of((states, 2 * width), {(state.initial, BEGINNING): one}, 1),
        Sparse.of((states, states), {(q, q): one for q in range(states)}, 1),
        Sparse.of((states, 2 * width), {}),
        Sparse.of((width, states), {(first + q, q): 1 for q in range(states)}),
        names,
    )
    embedding = {(token, CONSTANT_ONE): 1 for token in range(symbols + 1)}
    embedding |= {(token, (BEGINNING + 1 + token) if token < symbols else BEGINNING): 1 for token in range(symbols + 1)}
    head = {
        (cascade.outputs.index(output), first + emission.when[0].value): 1
        for emission in cascade.emissions
        if isinstance(emission.when[0], Is)
        for output in emission.outputs
    }
    return LinearWeights(
        family,
        1,
        cascade.alphabet,
        cascade.outputs,
        ("one", "<bos>", *(f"symbol {symbol}" for symbol in cascade.alphabet), *names),
        Sparse.of((symbols + 1, width), embedding),
        (layer,),
        Sparse.of((len(cascade.outputs), width), head),
    )
