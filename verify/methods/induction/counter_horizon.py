"""How far a counter can count in floating point: the exact horizon, by analysis, and confirmed by running.

In IEEE arithmetic with p significand bits an integer is exact up to 2^p, and beyond where it is even, and so on.
The horizon of a model is the largest N such that every product and every partial sum, in the order in which the
model adds, is exact on BOS and in every step, before a violation and after it, during which no counter leaves -N..N
(each is checked to stay within 2^p).  Up to there the float model *is* the exact one, so what is proved of the exact
model holds.  One past it some sum is rounded.

How many symbols that covers depends on how fast counters grow.  Before a violation they are the machine's.  In the step
of the violation and after it they are whatever the model's own gates and increments make of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automata.machine import BOS, PREDICTIVE, run
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.methods.induction.counter_obligations import Branch, CounterInduction
from verify.methods.induction.float_growth import Growth, longest
from verify.methods.machine_states import Interned
from verify.numbers.boxes import NotCovered
from verify.verdict import TESTED, UNDECIDED, Verdict


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


NEAR_HORIZON, RUN_UP = 1 << 25, 100_000
"""A horizon beyond the first is too far to be run to from BOS: then so many steps are run up to it, from the exact
state.
"""


@dataclass(frozen=True)
class Confirmation:
    """A short prefix, then one symbol over and over, up to the horizon and one past it.

    Attributes:
        prefix: read first.
        symbol: read again and again; each time, a counter moves by 1.
        steps: how often, until some counter is at the horizon.
        exact: whether the float model, run from BOS, gave the right outputs at every step and ended in the exact state.
        past: what the next step rounds; empty when it rounds nothing.
    """

    prefix: tuple[str, ...]
    symbol: str
    steps: int
    exact: bool
    past: str


def confirm_horizon(induction: CounterInduction, horizon: int, run_up: int | None = None) -> Confirmation | None:
    """Runs the model up to the horizon and one past it, on a string that shows a rounding there if any tried does.

    Args:
        run_up: run only so many steps up to the horizon, from the exact state; by default all of them, from BOS.

    Returns:
        None when no symbol, read for ever, makes a counter move by 1.  O(horizon) steps, or O(run_up).
    """
    machine = induction.machine
    found = None
    for prefix in ((), _lift(machine)):
        for symbol in machine.alphabet:
            drift = _drift(induction, prefix, symbol, horizon)
            if drift is None:
                continue
            if past := _rounded(induction, drift):
                return Confirmation(prefix, symbol, drift.steps, _runs_exactly(induction, drift, run_up), past)
            found = found or drift
    if found is None:
        return None
    return Confirmation(found.prefix, found.symbol, found.steps, _runs_exactly(induction, found, run_up), "")


def check_horizon(ssm: SSM, machine: CounterMachine) -> Verdict:
    """The horizon of a float model confirmed by running, as a verdict: ``tested``, or ``undecided`` where it is not
    confirmed.

    Raises:
        NotCovered, SolverMissing: as :class:`verify.methods.induction.counter_obligations.CounterInduction`.
    """
    induction = CounterInduction(ssm, machine)
    horizon = exact_horizon(induction)
    run_up = None if horizon <= NEAR_HORIZON else RUN_UP
    confirmed = confirm_horizon(induction, horizon, run_up)
    explored = {"largest counter value": horizon}
    if confirmed is None:
        outcome, reason = TESTED, "no symbol, read for ever, makes a counter drift: there is nothing to run"
    else:
        explored["steps run"] = (
            len(confirmed.prefix) + confirmed.steps if run_up is None else min(run_up, confirmed.steps)
        )
        string = " ".join((*confirmed.prefix, f"{confirmed.symbol}^{confirmed.steps}"))
        if run_up is not None:
            string = f"the last {explored['steps run']} symbols of {string}, from the exact state before them,"
        if confirmed.exact and confirmed.past:
            outcome, reason = TESTED, f"every step of {string} is exact, and in the next one {confirmed.past}"
        else:
            outcome = UNDECIDED
            reason = (
                f"the run on {string} is {'' if confirmed.exact else 'not '}exact, and the next step rounds "
                f"{confirmed.past or 'nothing'}"
            )
    return Verdict(outcome, "run to the horizon", ssm.mode, str(ssm.arithmetic), explored, reason)


@dataclass(frozen=True)
class _Drift:
    """After ``prefix`` and ``steps`` times ``symbol`` the exact model is in ``state``, a counter at the horizon.

    States are lists of numbers, layer by layer; ``by`` is what each further symbol adds.
    """

    prefix: tuple[str, ...]
    symbol: str
    steps: int
    state: list[list[int]]
    by: list[list[int]]


def _lift(machine: CounterMachine) -> tuple[str, ...]:
    """A prefix of a word on which as many counters as possible are positive: each symbol that raises one, once."""
    word: list[str] = []
    state = machine.initial
    for symbol in machine.alphabet:
        following = machine.step(state, symbol)
        if following is not None and sum(following[1]) > sum(state[1]):
            word.append(symbol)
            state = following
    return tuple(word)


def _drift(induction: CounterInduction, prefix: tuple[str, ...], symbol: str, horizon: int) -> _Drift | None:
    machine, ssm = induction.machine, induction.ssm
    settled = (*prefix, symbol, symbol)
    if ssm.mode == PREDICTIVE and symbol not in machine.legal(run(machine, settled)):
        return None
    h = [[int(n) for n in layer.initial] for layer in ssm.layers]
    for read in (BOS, *settled):
        h = induction.symbolic.step(h, read).h
    moved = induction.symbolic.step(h, symbol).h
    by = [[new - old for new, old in zip(*rows)] for rows in zip(moved, h)]
    counters = [(h[layer][i], by[layer][i]) for layer, i in induction.relation.counters]
    if max(abs(amount) for _, amount in counters) != 1:
        return None
    more = min(horizon - value * amount for value, amount in counters if amount)
    if more < 0:
        return None
    state = [[value + more * amount for value, amount in zip(*rows)] for rows in zip(h, by)]
    return _Drift(prefix, symbol, 2 + more, state, by)


def _rounded(induction: CounterInduction, drift: _Drift) -> str:
    """What the step past the horizon rounds; empty when it rounds nothing."""
    number = np.dtype(str(induction.ssm.arithmetic)).type
    for term in induction.symbolic.step(drift.state, drift.symbol).sums:
        if int(number(term)) != term:
            return f"{term} is rounded to {int(number(term))}"
    return ""


def _runs_exactly(induction: CounterInduction, drift: _Drift, run_up: int | None) -> bool:
    machine, ssm = induction.machine, induction.ssm
    engine, interned = Engine(ssm), Interned(machine, ssm.alphabet, ssm.outputs, ssm.mode)

    def expected(times: int) -> np.ndarray:
        number = interned.number(run(machine, (*drift.prefix, *[drift.symbol] * times)))
        return interned.table()[interned.expected[number]]

    steps = drift.steps - 1
    if run_up is None:
        state, _ = engine.begin(1)
        if drift.prefix:
            state, _ = engine.advance(state, engine.encode(drift.prefix))
        state, outputs = engine.advance(state, engine.encode([drift.symbol]))
        if (outputs.dense()[0, 0] != expected(1)).any():
            return False
    else:
        steps = min(steps, run_up)
        before = [value - steps * amount for rows in zip(drift.state, drift.by) for value, amount in zip(*rows)]
        state = np.array([before], dtype=engine.numbers.dtype)
    # From the second time on the machine's control and signs stay, and so do the outputs expected.
    always = expected(2)
    blocks = engine.stream(np.full((1, steps), ssm.symbol_index[drift.symbol]), state)
    for _, state, outputs in blocks:
        if (outputs.table[np.unique(outputs.ids)] != always).any():
            return False
    return state[0].tolist() == [value for row in drift.state for value in row]
