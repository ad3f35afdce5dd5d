"""How far a float model is the exact one: the largest counter value up to which no sum of any step rounds, by bounds of
forms.
"""

from __future__ import annotations

from typing import Iterator

from automata.machine import PREDICTIVE
from verify.methods.induction.counter_horizon import length_within
from verify.methods.relation.entries import CounterValue
from verify.methods.relation.forms import FormStep, ParameterForm, bounds, decided_parts
from verify.methods.relation.prove import RelationProof, Stepped
from verify.numbers.boxes import NotCovered

Sum = tuple
"""(constant, ((coefficient, low, high, moved), …)): a sum, with the range of each parameter.  A counter p is c p + d
after the step, where ``moved`` is (c, d); None is for what is no counter."""


def largest_exact_value(proof: RelationProof) -> int:
    """The largest N such that no sum rounds while no counter leaves -N..N, before a step and after it.

    Raises:
        NotCovered: when a sum may round on BOS, or with the counters that BOS leaves.
    """
    bits = proof.ssm.arithmetic.bits
    start, most = max(proof.machine.initial[1]), 2 ** (bits + 1)
    sums = {found: stepped.symbol for stepped in (proof.first(), *proof.steps()) for found in _sums(proof, stepped)}
    for found, symbol in sums.items():
        if not _exact(found, start, bits):
            raise NotCovered(f"reading {symbol!r} rounds a sum, though no counter exceeds {start}")
        if _exact(found, most, bits):
            continue
        least = start
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if _exact(found, middle, bits) else (least, middle)
        most = least
    return most


def covered_symbols(proof: RelationProof, horizon: int) -> int | None:
    """The length of the strings on which no counter of the model leaves -horizon..horizon; None when it is every
    length.

    Raises:
        NotCovered: when that is the empty string alone, or after a violation a gate or increment is not known.
    """
    machine = proof.machine
    updates = [{(1, max(0, move.add[i])) for move in machine.moves} for i in range(len(machine.counters))]
    if proof.ssm.mode != PREDICTIVE:
        # Nothing is proved of counters in and after the step of a violation.
        places = counter_places(proof)
        for stepped in proof.steps():
            for i, (number, place) in places.items():
                for part, (gate, increment) in decided_parts(
                    stepped.step, lambda step: (step.gate(number, place), step.increment(number, place))
                ):
                    if bounds(stepped.step.h[number][place], part.box) == (0, 0):
                        gate = 0
                    if not (isinstance(gate, int) and isinstance(increment, int)):
                        name = machine.counters[i]
                        raise NotCovered(f"how fast {name!r} grows after a violation depends on other counters")
                    updates[i].add((gate, increment))
    return length_within(machine, updates, horizon)


def counter_places(proof: RelationProof) -> dict[int, tuple[int, int]]:
    """Counter -> its place."""
    terms = (term for row in proof.entries[0].state for term in row)
    return {term.counter: place for place, term in zip(proof.places, terms) if isinstance(term, CounterValue)}


def _sums(proof: RelationProof, stepped: Stepped) -> Iterator[Sum]:
    """Every sum of the step, each with the ranges of its own parameters, in all parts."""
    places = counter_places(proof).values()
    for part, found in decided_parts(stepped.step, lambda step: set(step.sums())):
        moved = {}
        for number, i in places:
            before, after = stepped.step.h[number][i], part.after(number, i)
            if not isinstance(before, int):
                ((p, _),) = before[1]
                moved[p] = (1, 0)
                if not isinstance(after, int) and [q for q, _ in after[1]] == [p]:
                    moved[p] = after[1][0][1], after[0]
        for value in found:
            yield _sum(value, part, moved)


def _sum(value: ParameterForm, part: FormStep, moved: dict[int, tuple[int, int]]) -> Sum:
    if isinstance(value, int):
        return value, ()
    return value[0], tuple((c, *part.box[p], moved.get(p)) for p, c in value[1])


def _exact(found: Sum, bound: int, bits: int) -> bool:
    """Whether a sum does not round while no counter leaves -bound..bound."""
    constant, terms = found
    box = []
    for _, low, high, moved in terms:
        if moved is not None:
            for c, d in ((1, 0), moved):
                # -bound <= c p + d <= bound
                least, most = sorted(((-bound - d) * (1 if c > 0 else -1), (bound - d) * (1 if c > 0 else -1)))
                least, most = -(-least // abs(c)), most // abs(c)
                low, high = least if low is None else max(low, least), most if high is None else min(high, most)
            if low > high:
                return True
        box.append((low, high))
    form = (constant, tuple((p, c) for p, (c, *_) in enumerate(terms))) if terms else constant
    lowest, highest = bounds(form, tuple(box))
    return lowest is not None and highest is not None and max(-lowest, highest) <= 2**bits
