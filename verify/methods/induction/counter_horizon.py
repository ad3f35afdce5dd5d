"""How far a counter can count in floating point: the exact horizon, by queries to the solver.

In IEEE arithmetic with p significand bits an integer is exact up to 2^p, and beyond where it is even, and so on.
The horizon of a model is the largest N such that every product and every partial sum, in the order in which the
model adds, is exact on BOS and in every step, before a violation and after it, during which no counter leaves -N..N
(each is checked to stay within 2^p).  Up to there the float model *is* the exact one, so what is proved of the exact
model holds.  One past it some sum is rounded.

How many symbols that covers depends on how fast counters grow.  Before a violation they are the machine's.  In the step
of the violation and after it they are whatever the model's own gates and increments make of them.
"""

from __future__ import annotations

from automata.machine import PREDICTIVE
from automata.machines.counter_machine import CounterMachine
from verify.methods.induction.counter_obligations import Branch, CounterInduction
from verify.methods.induction.float_growth import Growth, longest
from verify.numbers.boxes import NotCovered


def exact_horizon(induction: CounterInduction) -> int:
    """The horizon of a float model, by one query to the solver for each case and a bisection where one rounds.

    Raises:
        NotCovered: when the solver gives no answer, or a sum may round on BOS or with the counters that BOS leaves.
    """
    bits = induction.ssm.arithmetic.bits
    start, horizon = max(induction.machine.initial[1]), 2 ** (bits + 1)
    for case in (induction.first_case(), *induction.cases()):
        if _exact_up_to(induction, case, bits, horizon):
            continue
        if not _exact_up_to(induction, case, bits, start):
            raise NotCovered(f"reading {case.symbol!r} rounds a sum, though no counter exceeds {start}")
        least, most = start, horizon
        while most - least > 1:
            middle = (least + most) // 2
            least, most = (middle, most) if _exact_up_to(induction, case, bits, middle) else (least, middle)
        horizon = least
    return horizon


def covered_length(induction: CounterInduction, horizon: int) -> int | None:
    """The length of the strings on which no counter of the model leaves -horizon..horizon; None when it is every
    length.

    Raises:
        NotCovered: when that is the empty string alone, or after a violation a gate or increment is not known.
    """
    return length_within(induction.machine, _updates(induction), horizon)


def length_within(machine: CounterMachine, updates: list[set[tuple[int, int]]], horizon: int) -> int | None:
    """The same, from the (gate, increment) pairs of all steps, for each counter."""
    growths = [Growth.of(start, pairs) for start, pairs in zip(machine.initial[1], updates)]
    length = longest(lambda symbols: all(growth.after(symbols) <= horizon for growth in growths))
    if length == 0:
        raise NotCovered(f"the first symbol can make a counter exceed {horizon}, up to which sums are exact")
    return length


def _updates(induction: CounterInduction) -> list[set[tuple[int, int]]]:
    """For each counter the (gate, increment) pairs of all its steps."""
    machine, counters = induction.machine, induction.relation.counters
    updates = [{(1, max(0, move.add[i])) for move in machine.moves} for i in range(len(counters))]
    if induction.ssm.mode == PREDICTIVE:
        return updates
    # The obligations say nothing of counters in and after the step of a violation.
    for case in induction.cases():
        for pairs, name, before, (number, i) in zip(updates, machine.counters, case.counters, counters):
            gate, increment = case.step.gates[number][i], case.step.increments[number][i]
            if isinstance(before, int) and before == 0:
                gate = 0
            if not (isinstance(gate, int) and isinstance(increment, int)):
                raise NotCovered(f"how fast {name!r} grows after a violation depends on other counters")
            pairs.add((gate, increment))
    return updates


def _exact_up_to(induction: CounterInduction, case: Branch, bits: int, bound: int) -> bool:
    """Whether no sum of this step rounds while the counters are in -bound..bound before and after it."""
    z3 = induction.z3
    after = [case.step.h[number][i] for number, i in induction.relation.counters]
    counters = [term for term in (*case.counters, *after) if not isinstance(term, int)]
    if any(isinstance(term, int) and abs(term) > 2**bits for term in case.step.sums):
        return False
    # Equal terms are one object for the solver.
    distinct = {term.get_id(): term for term in case.step.sums if not isinstance(term, int)}.values()
    solver = z3.SimpleSolver()
    solver.set("timeout", int(1000 * induction.timeout))
    solver.add(*case.assumptions, *[z3.And(-bound <= term, term <= bound) for term in counters])
    solver.add(z3.Or(*[z3.Or(term > 2**bits, term < -(2**bits)) for term in distinct]))
    answer = solver.check()
    if answer == z3.unknown:
        raise NotCovered(f"the solver does not say how far {case.symbol!r} is exact: {solver.reason_unknown()}")
    return answer == z3.unsat
