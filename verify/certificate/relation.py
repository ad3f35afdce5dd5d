"""Evidence ``relation``: for each control of the machine, what each coordinate of the model is."""

from __future__ import annotations

from typing import Any

import numpy as np

from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.ranges import Ranges, ranges
from constructions.ssm.weights import SSM
from verify.certificate.document import NoCertificate
from verify.methods.relation.entries import BitOf, CounterValue, Entry, RelationTerm, counter_entries, stack_entries
from verify.numbers.boxes import NotCovered


def relation_evidence(ssm: SSM, machine: CounterMachine | DyckMachine, horizon: int | None) -> dict[str, Any]:
    """The entries of a counter machine, or of bounded Dyck.

    Raises:
        NoCertificate: when the coordinates do not have the names that say what they are.
    """
    try:
        entries = counter_entries(ssm, machine) if isinstance(machine, CounterMachine) else stack_entries(ssm, machine)
    except NotCovered as error:
        raise NoCertificate(f"no relation is known: {error}") from None
    # Where what drifts after a violation can be in the step of the violation.
    first = (-1, machine.depth + 1) if isinstance(machine, DyckMachine) else (0, max(machine.initial[1]))
    growths = _growths(ssm) if horizon is not None and any(entry.control is None for entry in entries) else None
    return {"relation": {"entries": [_entry(entry, first, growths) for entry in entries]}}


def _entry(entry: Entry, first: tuple[int, int], growths: list[list[tuple[int, int]]] | None) -> dict[str, Any]:
    layers = [
        [_term(term, first, growths[number][i] if growths else None) for i, term in enumerate(row)]
        for number, row in enumerate(entry.state)
    ]
    ranges_ = [bounds and list(bounds) for bounds in entry.ranges]
    if growths is not None:
        # A counter known to be positive after some symbols would not lie in the range from which the dead ones grow.
        ranges_ = [[0, None] if bounds and bounds[1] is None else bounds for bounds in ranges_]
    return {
        "control": entry.control,
        "ranges": ranges_,
        "state": {"exponent": 0, "layers": layers},
    }


def _term(term: RelationTerm, first: tuple[int, int], growth: tuple[int, int] | None) -> Any:
    """A term; where strings have a horizon, what drifts starts within these bounds and grows from there."""
    if isinstance(term, int):
        return term
    if isinstance(term, CounterValue):
        return ["r", term.counter]
    if isinstance(term, BitOf):
        return ["b", term.cell, term.bit]
    if growth is None or None not in (term.low, term.high):
        return ["any", term.low, term.high]
    low = first[0] if term.low is None else term.low
    return ["any", low, max(low, first[1]), *growth]


def _growths(ssm: SSM) -> list[list[tuple[int, int]]]:
    """By how much each coordinate can move in one step, down and up."""
    known = ranges(ssm)
    return [[_growth(known, number, i, 0) for i in range(layer.width)] for number, layer in enumerate(ssm.layers)]


def _growth(known: Ranges, number: int, i: int, exponent: int) -> tuple[int, int]:
    increments = known.increments[number]
    least, most = increments.low[:, i].min(initial=0), increments.high[:, i].max(initial=0)
    return _scaled(-float(least), exponent) or 0, _scaled(float(most), exponent) or 0


def template(ssm: SSM, known: Ranges, sticky: int, horizon: int | None) -> dict[str, Any]:
    """A state after a violation: each coordinate anywhere in its range, and the sticky one at least 1.

    Args:
        sticky: its number among all coordinates.

    Raises:
        NoCertificate: when the values of a coordinate are no multiples of one power of two.
    """
    bits = [found for layer in known.state_bits for found in layer.tolist()]
    if not all(np.isfinite(bits)):
        raise NoCertificate("a coordinate takes values that are not multiples of one power of two")
    exponent = int(max([0, *bits]))
    numbers = iter(range(ssm.hidden_size))
    layers = []
    for number, layer in enumerate(ssm.layers):
        row: list[object] = []
        for i in range(layer.width):
            low, high = (_scaled(float(ends[number][i]), exponent) for ends in (known.low, known.high))
            if next(numbers) == sticky:
                low = 1 << exponent
            if horizon is not None and None in (low, high):
                start = _start(ssm, number, i, exponent)
                low = min(start, 0) if low is None else low
                row.append(
                    ["any", low, max(low, start) if high is None else high, *_growth(known, number, i, exponent)]
                )
            else:
                row.append(low if low == high is not None else ["any", low, high])
        layers.append(row)
    return {"exponent": exponent, "layers": layers}


def _start(ssm: SSM, number: int, i: int, exponent: int) -> int:
    layer = ssm.layers[number]
    return (int(layer.initial[i]) << exponent) >> layer.initial_exponent


def _scaled(value: float, exponent: int) -> int | None:
    return int(value * (1 << exponent)) if np.isfinite(value) else None
