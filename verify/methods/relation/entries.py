"""A relation between machine states and model states, written out: for each control, what each coordinate is.

An entry says: while the machine is in this control, its counters lie in these ranges, and each coordinate of the model
is a number, a counter, a bit of a stack cell, or anything within bounds.  Entries are read from the names of the
coordinates (:mod:`verify.methods.induction.relation`) and are guesses until each step has been shown to keep them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence, Union

from automata.machine import RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import ZERO, CounterMachine
from constructions.ssm.weights import SSM
from verify.methods.induction.counter_obligations import possible_signs
from verify.methods.induction.relation import CounterRelation, Place, StackRelation


@dataclass(frozen=True)
class CounterValue:
    """The value of a counter of the machine."""

    counter: int


@dataclass(frozen=True)
class BitOf:
    """A bit of a stack cell, 0 the lowest."""

    cell: int
    bit: int


@dataclass(frozen=True)
class Within:
    """Any integer from low to high; None where there is no bound."""

    low: int | None
    high: int | None


RelationTerm = Union[int, CounterValue, BitOf, Within]
"""What one coordinate is."""

BIT, ANY = Within(0, 1), Within(None, None)


@dataclass(frozen=True)
class Entry:
    """The relation in one control.

    Attributes:
        control: its number; None when no word is possible any more.
        ranges: for each counter its least and greatest value (None: no bound), None for a stack cell.
        state: a term for each coordinate, layer by layer.
    """

    control: int | None
    ranges: tuple[tuple[int, int | None] | None, ...]
    state: tuple[tuple[RelationTerm, ...], ...]


CounterRange = tuple[Union[int, None], Union[int, None]]
"""The least and the greatest value of a counter; None where there is no bound."""


def counter_range(found: tuple[int, int | None] | None) -> CounterRange:
    """The range of a counter, which is not a stack cell."""
    assert found is not None, "counter machines have no stack"
    return found


def counter_entries(ssm: SSM, machine: CounterMachine) -> tuple[Entry, ...]:
    """For each control that can be reached: counters are counted, latches show the control; then the entry of the dead.

    Raises:
        NotCovered: when a coordinate has no name, or one without meaning.

    >>> from automata.machines.counter_machine import counter_machine
    >>> from constructions.paper.counters import counter_cascade
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.lowering import lower
    >>> counter_entries(lower(counter_cascade("dyck-1"), Arithmetic("exact")), counter_machine("dyck-1"))
    (Entry(control=0, ranges=((0, None),), state=((CounterValue(counter=0),),)),)
    """
    relation = CounterRelation.of(ssm, machine)
    entries = []
    for control, signs in possible_signs(machine).items():
        known: dict[Place, RelationTerm] = {place: CounterValue(i) for i, place in enumerate(relation.counters)}
        known.update({place: _set(ssm, place) if control in controls else 0 for _, place, controls in relation.latches})
        if relation.dead is not None:
            known[relation.dead] = 0
        bounds = tuple((0, 0) if have == {ZERO} else (int(ZERO not in have), None) for have in signs)
        entries.append(Entry(machine.controls.index(control), bounds, _rows(ssm, known)))
    if ssm.mode == RECOGNISE and relation.dead is not None:
        known = {place: ANY for place in relation.counters}
        known.update({place: Within(0, None) if _counts(ssm, place) else BIT for _, place, _ in relation.latches})
        entries.append(Entry(None, (), _rows(ssm, {**known, relation.dead: _set(ssm, relation.dead)})))
    return tuple(entries)


def stack_entries(ssm: SSM, machine: DyckMachine) -> tuple[Entry, ...]:
    """For each depth: the slots hold the stack cells, those above the depth what was left there; then the entry of the
    dead.

    Raises:
        NotCovered: when a coordinate has no name, or one without meaning.
    """
    relation = StackRelation.of(ssm, machine)
    slots = {
        (relation.slot_layer, i): BitOf(int(j) - 1, int(b)) for i, (j, b) in enumerate(zip(relation.slot, relation.bit))
    }
    entries = []
    for depth in range(machine.depth + 1):
        known: dict[Place, RelationTerm] = {**slots, relation.depth: depth}
        if relation.dead is not None:
            known[relation.dead] = 0
        entries.append(Entry(depth, (None,) * machine.depth, _rows(ssm, known)))
    if relation.dead is not None:
        known = {place: BIT for place in slots}
        entries.append(Entry(None, (), _rows(ssm, {**known, relation.depth: ANY, relation.dead: Within(1, None)})))
    return tuple(entries)


def _set(ssm: SSM, place: Place) -> RelationTerm:
    """What a bit is that is set: 1, or, where it counts how often it was, positive."""
    return Within(1, None) if _counts(ssm, place) else 1


def _counts(ssm: SSM, place: Place) -> bool:
    """Whether the gate of a coordinate is 1 whatever is read, so that what is added to it stays."""
    number, i = place
    gate = ssm.layers[number].gate
    return gate.bias[i] == 1 << gate.exponent and gate.matrix.indptr[i] == gate.matrix.indptr[i + 1]


def _rows(ssm: SSM, known: dict[Place, RelationTerm]) -> tuple[tuple[RelationTerm, ...], ...]:
    return tuple(tuple(known[number, i] for i in range(layer.width)) for number, layer in enumerate(ssm.layers))


def of_control(entries: Sequence[Entry]) -> dict[int | None, Entry]:
    """Entries by their control."""
    return {entry.control: entry for entry in entries}
