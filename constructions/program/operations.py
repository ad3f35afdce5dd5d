"""Programs: a cascade as operations on the numbers of a residual stream, with no word about one architecture.

A *coordinate* is a number in the stream that every part of a model reads and adds to; almost all are 0 or 1.  A *form*
is a sum of whole multiples of coordinates.  A *half* is what a model does between reading the stream and adding to it
once; an architecture says which kinds of operations each of its halves can do
(:mod:`constructions.stock.architecture`).

:func:`run_program` is the meaning of a program, in whole numbers: what an architecture's weights are held against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Mapping, Union

LinearForm = Mapping[int, int]
"""Coordinate -> multiple."""

CONSTANT_ONE, BEGINNING = 0, 1
"""The coordinate that is always 1, and the one that is 1 on BOS alone."""


@dataclass(frozen=True)
class Neuron:
    """Adds relu(reads) times a multiple to each coordinate that it writes: an AND of conditions."""

    reads: LinearForm
    writes: LinearForm


@dataclass(frozen=True)
class Hold:
    """Cells that are set where the gate is 1, and held where it is 0; they begin at 0.

    Attributes:
        name: of the register.
        gate: 0 or 1.
        cells: for each cell its value when it is set, 0 or 1, and the coordinate that it is written to.
        late: coordinates for the values before the step, for architectures that have them at no cost.
    """

    name: str
    gate: LinearForm
    cells: tuple[tuple[LinearForm, int], ...]
    late: tuple[int, ...] = ()


@dataclass(frozen=True)
class Delay:
    """Writes what the form was one step ago; 0 at the first."""

    reads: LinearForm
    writes: int


@dataclass(frozen=True)
class Accumulate:
    """A sum over all steps of ``up`` less ``down``, both nonnegative.

    Attributes:
        name: of the register.
        up, down: what is added and what is taken away.
        writes: the coordinate of the sum.
        initial: the register's first value, which the sum leaves out.
    """

    name: str
    up: LinearForm
    down: LinearForm
    writes: int
    initial: int = 0


@dataclass(frozen=True)
class Flip:
    """A cell that is set to a value, turned over, or held where neither event is 1; it begins at 0."""

    name: str
    set: LinearForm
    value: LinearForm
    flip: LinearForm
    writes: int


@dataclass(frozen=True)
class Swap:
    """A register of several values, of which two change places where their event is 1, or one of which is set.

    Attributes:
        name: of the register.
        values: how many.
        initial: the value at the beginning, and after BOS.
        sets: for a value the event that sets it.
        swaps: for two values the event that makes them change places; no two events hold together.
        writes: for a value the coordinate to which 1 or -1 is added while the register has it.
    """

    name: str
    values: int
    initial: int
    sets: Mapping[int, LinearForm]
    swaps: Mapping[tuple[int, int], LinearForm]
    writes: Mapping[int, int]


@dataclass(frozen=True)
class Turn:
    """A register whose values stand in a circle, which an event turns by some places, or which is set.

    Attributes:
        name: of the register.
        values: how many.
        initial: the value at the beginning, and after BOS.
        sets: for a value the event that sets it.
        turns: for a number of places, 1 to ``values`` - 1, the event that turns by it; no two events hold together.
        writes: for a value the coordinate that is 1 while the register has it.
    """

    name: str
    values: int
    initial: int
    sets: Mapping[int, LinearForm]
    turns: Mapping[int, LinearForm]
    writes: Mapping[int, int]


Operation = Union[Neuron, Hold, Delay, Accumulate, Flip, Swap, Turn]


@dataclass(frozen=True)
class Program:
    """Operations in halves, read from symbols and giving outputs.

    Attributes:
        alphabet: the symbols.
        outputs: what can be given out.
        coordinates: a name for each; the first is always 1.
        symbols: the coordinate that is 1 on each symbol.
        halves: the operations, half by half; those of a half read what stood in the stream before it.
        answers: for each output a form that is 1 where it is given out and 0 where it is not.
    """

    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    coordinates: tuple[str, ...]
    symbols: tuple[int, ...]
    halves: tuple[tuple[Operation, ...], ...]
    answers: tuple[LinearForm, ...]

    def half(self, number: int) -> tuple[Operation, ...]:
        """The operations of a half; none beyond the last."""
        return self.halves[number] if number < len(self.halves) else ()

    def __repr__(self) -> str:
        operations = sum(map(len, self.halves))
        return f"Program({len(self.halves)} halves, {operations} operations, {len(self.coordinates)} coordinates)"


def run_program(program: Program, word: Iterable[str]) -> list[frozenset[str]]:
    """What a program gives out on BOS and after each symbol, in whole numbers.

    Raises:
        ValueError: where a gate, an event or an answer is neither 0 nor 1: then it is no program.
    """
    held: dict[tuple[int, int], list[int]] = {}
    given = []
    for symbol in (None, *word):
        stream = [0] * len(program.coordinates)
        stream[CONSTANT_ONE] = 1
        stream[BEGINNING if symbol is None else program.symbols[program.alphabet.index(symbol)]] = 1
        for number, half in enumerate(program.halves):
            after = list(stream)
            for place, operation in enumerate(half):
                for coordinate, value in _written(operation, stream, held, (number, place)):
                    after[coordinate] += value
            stream = after
        given.append(frozenset(o for o, form in zip(program.outputs, program.answers) if _bit(form, stream)))
    return given


def _written(
    operation: Operation, stream: list[int], held: dict[tuple[int, int], list[int]], key: tuple[int, int]
) -> list[tuple[int, int]]:
    """What one operation adds to which coordinates; what it keeps is in ``held``."""
    if isinstance(operation, Neuron):
        fired = max(0, value_of(operation.reads, stream))
        return [(coordinate, multiple * fired) for coordinate, multiple in operation.writes.items()]
    if isinstance(operation, Delay):
        before = held.get(key, [0])
        held[key] = [value_of(operation.reads, stream)]
        return [(operation.writes, before[0])]
    if isinstance(operation, Accumulate):
        held[key] = [held.get(key, [0])[0] + value_of(operation.up, stream) - value_of(operation.down, stream)]
        return [(operation.writes, held[key][0])]
    if isinstance(operation, Flip):
        bit = held.get(key, [0])[0]
        flipped = 1 - bit if _bit(operation.flip, stream) else bit
        held[key] = [_bit(operation.value, stream) if _bit(operation.set, stream) else flipped]
        return [(operation.writes, held[key][0])]
    if isinstance(operation, Turn):
        value = held.get(key, [operation.initial])[0]
        value += sum(places for places, event in operation.turns.items() if _bit(event, stream))
        held[key] = [next((v for v, event in operation.sets.items() if _bit(event, stream)), value % operation.values)]
        return [(operation.writes[held[key][0]], 1)] if held[key][0] in operation.writes else []
    if isinstance(operation, Swap):
        value = held.get(key, [operation.initial])[0]
        for (one, other), event in operation.swaps.items():
            if _bit(event, stream) and value in (one, other):
                value = one + other - value
                break
        held[key] = [next((v for v, event in operation.sets.items() if _bit(event, stream)), value)]
        return [(operation.writes[held[key][0]], 1)] if held[key][0] in operation.writes else []
    before = held.get(key, [0] * len(operation.cells))
    now = list(before)
    if _bit(operation.gate, stream):
        now = [_bit(value, stream) for value, _ in operation.cells]
    held[key] = now
    return [*zip((coordinate for _, coordinate in operation.cells), now), *zip(operation.late, before)]


def value_of(form: LinearForm, stream: list[int]) -> int:
    """The number that a form is on a stream."""
    return sum(multiple * stream[coordinate] for coordinate, multiple in form.items())


def _bit(form: LinearForm, stream: list[int]) -> int:
    found = value_of(form, stream)
    if found not in (0, 1):
        raise ValueError(f"expected 0 or 1, found {found}")
    return found
