"""The obligations of the inductive proof for counter machines, discharged on the weights by an SMT solver.

The relation is :class:`verify.methods.induction.relation.CounterRelation`, narrowed by the signs that a counter can
have in each control (:func:`possible_signs`; narrowing is part of R, so it is an obligation too).  Control and symbol
are enumerated, the counters are integers of any size:

1. after BOS the model state is in R;
2. for every control, symbol and move: counters stay equal, latches show the new control, the dead register stays 0;
   a recogniser's dead register is set where no move applies;
3. after the step each output is given exactly when the machine gives it;
4. once the dead register is set, with any counters, positive or negative, and any latches, it stays set and nothing is
   accepted.

Each obligation is one query.  ``unknown`` or a time-out counts as not proved.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Iterator

from automata.machine import ACCEPT, BOS, EOS, RECOGNISE
from automata.machines.counter_machine import EITHER, POSITIVE, ZERO, CounterMachine
from constructions.ssm.weights import SSM
from verify.methods.induction.float_growth import check_weights
from verify.methods.induction.obligations import FAILURES_KEPT, Result
from verify.methods.induction.relation import CounterRelation, Place
from verify.methods.induction.symbolic import IntegerTerm, Symbolic, SymbolicStep
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress

_SMALL = (2, 16, 256)
"""A failing state is looked for among counters up to these, before any."""

Signs = dict[str, tuple[frozenset[str], ...]]
"""Control -> for each counter the signs that it can have, ``0`` and ``+``."""


def read_aloud(relation: CounterRelation, machine: CounterMachine) -> list[str]:
    """The relation R in words, one sentence for each line."""
    lines = [f"counter {name!r} of the model is counter {name!r} of the machine" for name in machine.counters]
    for name, _, controls in relation.latches:
        inside = [control for control in machine.controls if control in controls]
        lines.append(f"latch {name!r} is 1 when the machine is in {' or '.join(inside)}, and 0 before")
    for control, signs in possible_signs(machine).items():
        for name, possible in zip(machine.counters, signs):
            if len(possible) == 1:
                lines.append(f"in {control}, {name!r} is {'0' if possible == {ZERO} else 'at least 1'}")
    if relation.dead is not None:
        lines.append("'dead' is 0; once the machine is dead it is 1, latches are 0 or 1, and counters are any integers")
    return lines


def possible_signs(machine: CounterMachine) -> Signs:
    """For each control that can be reached, the signs that each counter can have there (or more).

    >>> from automata.machines.counter_machine import counter_machine
    >>> [sorted(signs) for signs in possible_signs(counter_machine("anbncn"))["c"]]
    [['0'], ['+', '0']]
    """
    control, values = machine.initial
    signs: Signs = {control: tuple(frozenset(POSITIVE if value else ZERO) for value in values)}
    changed = True
    while changed:
        changed = False
        for move in machine.moves:
            if move.control not in signs:
                continue
            after = tuple(
                _after(have, test, amount) for have, test, amount in zip(signs[move.control], move.tests, move.add)
            )
            if not all(after):
                continue  # the tests never hold here
            old = signs.get(move.target, (frozenset(),) * len(values))
            signs[move.target] = tuple(one | other for one, other in zip(old, after))
            changed |= signs[move.target] != old
    return signs


def _after(signs: frozenset[str], test: str, amount: int) -> frozenset[str]:
    signs = signs if test == EITHER else signs & {test}
    if amount > 0 and signs:
        return frozenset(POSITIVE)
    return frozenset(ZERO + POSITIVE) if amount < 0 and signs else signs


@dataclass(frozen=True)
class CounterFailure:
    """An obligation that does not hold, and a model state in which it does not.

    Attributes:
        what: in words.
        state: named values of the model state before the step.
        control: of the machine state; None when it is dead.
        counters: of the machine state (of the model state where the machine is dead).
        symbol: the step's.
    """

    what: str
    state: dict[str, int]
    control: str | None
    counters: tuple[int, ...]
    symbol: str

    def __str__(self) -> str:
        if self.symbol == BOS:
            return f"after BOS {self.what}"
        state = ", ".join(f"{name} = {value}" for name, value in self.state.items())
        return f"reading {self.symbol!r} in the model state {state}, {self.what}"


@dataclass(frozen=True)
class Branch:
    """One symbolic step from R.

    Attributes:
        control: None when the machine is dead.
        symbol: the step's.
        counters: machine counters before it (the model's, where the machine is dead).
        state: the model state before it, by place.
        assumptions: what is known of the counters.
        step: the model's step.
    """

    control: str | None
    symbol: str
    counters: tuple[IntegerTerm, ...]
    state: dict[Place, IntegerTerm]
    assumptions: list
    step: SymbolicStep


class CounterInduction:
    """Checks all obligations for one model.

    Args:
        ssm: a model whose coordinates are named as in :mod:`constructions.paper.counters`.
        machine: the ground truth.
        timeout: seconds for one query.

    Raises:
        NotCovered: where no relation can be derived, or the model has something that the terms do not cover.
        SolverMissing: when z3 is not installed.
    """

    def __init__(self, ssm: SSM, machine: CounterMachine, timeout: float = 20.0):
        self.symbolic = Symbolic(ssm)
        self.z3 = self.symbolic.z3
        self.ssm, self.machine = ssm, machine
        check_weights(ssm)
        self.relation = CounterRelation.of(ssm, machine)
        if ssm.mode == RECOGNISE and self.relation.dead is None:
            raise NotCovered("no coordinate of this recogniser is named 'dead'")
        self.signs = possible_signs(machine)
        self.result = Result()
        self.timeout = timeout

    def run(self, progress: Progress = NO_PROGRESS) -> Result:
        """All obligations: controls * symbols * (registers + outputs) queries."""
        self._initial()
        for case in self.cases():
            if case.control is None:
                self._dead(case)
            else:
                self._live(case)
            progress.advance(1, facts=self.result.facts)
        return self.result

    def read_aloud(self) -> list[str]:
        """The relation R in words, one sentence for each line."""
        return read_aloud(self.relation, self.machine)

    def cases(self) -> Iterator[Branch]:
        """Every control with every symbol; for a recogniser also every dead state."""
        for control in self.signs:
            for symbol in self.machine.alphabet:
                if self.ssm.mode == RECOGNISE or (control, symbol) in self.machine.moves_from:
                    yield self._live_case(control, symbol)
        if self.ssm.mode == RECOGNISE:
            for latches in product((0, 1), repeat=len(self.relation.latches)):
                for symbol in self.machine.alphabet:
                    yield self._dead_case(latches, symbol)

    def first_case(self) -> Branch:
        """The step on BOS, from the start values."""
        h = [[int(n) for n in layer.initial] for layer in self.ssm.layers]
        return Branch(None, BOS, (), {}, [], self.symbolic.step(h, BOS))

    def _live_case(self, control: str, symbol: str) -> Branch:
        counters, assumptions = [], []
        for name, signs in zip(self.machine.counters, self.signs[control]):
            value = 0 if signs == {ZERO} else self.z3.Int(name)
            counters.append(value)
            if not isinstance(value, int):
                assumptions.append(value > 0 if signs == {POSITIVE} else value >= 0)
        latches = [int(control in controls) for _, _, controls in self.relation.latches]
        return self._case(control, symbol, tuple(counters), latches, 0, assumptions)

    def _dead_case(self, latches: tuple[int, ...], symbol: str) -> Branch:
        return self._case(None, symbol, tuple(self.z3.Int(name) for name in self.machine.counters), latches, 1, [])

    def _case(self, control, symbol, counters, latches, dead, assumptions) -> Branch:
        state: dict[Place, IntegerTerm] = dict(zip(self.relation.counters, counters))
        state.update({place: value for (_, place, _), value in zip(self.relation.latches, latches)})
        if self.relation.dead is not None:
            state[self.relation.dead] = dead
        h = [[state[number, i] for i in range(layer.width)] for number, layer in enumerate(self.ssm.layers)]
        return Branch(control, symbol, counters, state, assumptions, self.symbolic.step(h, symbol))

    # -- obligations ----------------------------------------------------------------------------------

    def _initial(self) -> None:
        control, values = self.machine.initial
        self._in_relation(self.first_case(), control, values, [])

    def _live(self, case: Branch) -> None:
        assert case.control is not None, "the machine is alive"
        moves = self.machine.moves_from.get((case.control, case.symbol), ())
        for move in moves:
            after = tuple(value + amount for value, amount in zip(case.counters, move.add))
            self._in_relation(case, move.target, after, self._tests(case.counters, move.tests))
        if self.ssm.mode == RECOGNISE:
            applies = [self._all(self._tests(case.counters, move.tests)) for move in moves]
            self._in_death(case, [self._not(self._any(applies))])

    def _dead(self, case: Branch) -> None:
        self._in_death(case, [])

    def _in_relation(self, case: Branch, control: str, counters: tuple[IntegerTerm, ...], known: list) -> None:
        """The step leads to a state of R for this machine state, with its outputs."""
        h = case.step.h
        for name, (number, i), value, signs in zip(
            self.machine.counters, self.relation.counters, counters, self.signs[control]
        ):
            self._fact(case, known, h[number][i] == value, f"{name!r} does not count what the machine counts")
            if len(signs) == 1:
                right = value == 0 if signs == {ZERO} else value > 0
                self._fact(
                    case, known, right, f"the machine's {name!r} has a sign that R excludes in the control {control!r}"
                )
        for name, (number, i), controls in self.relation.latches:
            self._fact(
                case, known, h[number][i] == int(control in controls), f"{name!r} does not show the control {control!r}"
            )
        if self.relation.dead is not None:
            number, i = self.relation.dead
            self._fact(case, known, h[number][i] == 0, "the dead register is set although a word is still possible")
        for output, value in zip(self.ssm.outputs, case.step.outputs):
            expected = self._expected(output, control, counters)
            self._fact(case, known, self._same(value > 0, expected), f"the output {output!r} is wrong")

    def _in_death(self, case: Branch, known: list) -> None:
        """The step leads to a dead state, which accepts nothing."""
        h = case.step.h
        for name, (number, i), _ in self.relation.latches:
            bit = h[number][i]
            self._fact(case, known, self._any([bit == 0, bit == 1]), f"{name!r} is neither 0 nor 1")
        assert self.relation.dead is not None, "a recogniser has a dead register"
        number, i = self.relation.dead
        self._fact(case, known, h[number][i] == 1, "the dead register is not set although no word is possible")
        for value in case.step.outputs:
            self._fact(case, known, value <= 0, "a dead string is accepted")

    def _expected(self, output: str, control: str, counters: tuple[IntegerTerm, ...]):
        if output in (EOS, ACCEPT):
            ways = [tests for accepting, tests in self.machine.accepting if accepting == control]
        else:
            ways = [move.tests for move in self.machine.moves_from.get((control, output), ())]
        return self._any([self._all(self._tests(counters, tests)) for tests in ways])

    # -- queries --------------------------------------------------------------------------------------

    def _fact(self, case: Branch, known: list, claim, what: str) -> None:
        self.result.facts += 1
        if claim is True or any(condition is False for condition in known):
            return
        solver = self.z3.SimpleSolver()
        solver.set("timeout", int(1000 * self.timeout))
        solver.set("ctrl_c", False)  # it would take an interrupt for an unknown answer
        solver.add(*case.assumptions, *[condition for condition in known if condition is not True])
        solver.add(self._not(claim))
        answer = solver.check()
        if answer == self.z3.sat:
            if len(self.result.failures) < FAILURES_KEPT:
                self.result.add(self._failure(case, solver, what))
        elif answer != self.z3.unsat:
            self.result.unknown.append(
                f"{what}? ({case.symbol!r} in the control {case.control!r}: {solver.reason_unknown()})"
            )

    def _failure(self, case: Branch, solver, what: str) -> CounterFailure:
        counters = [counter for counter in case.counters if not isinstance(counter, int)]
        model = solver.model()
        for bound in _SMALL:
            solver.push()
            solver.add(*[self.z3.And(-bound <= counter, counter <= bound) for counter in counters])
            found = solver.check() == self.z3.sat
            model = solver.model() if found else model
            solver.pop()
            if found:
                break

        def value(term: IntegerTerm) -> int:
            return term if isinstance(term, int) else model.eval(term, model_completion=True).as_long()

        names = {place: self.ssm.layers[place[0]].names[place[1]] for place in case.state}
        state = {names[place]: value(term) for place, term in case.state.items()}
        return CounterFailure(
            what, state, case.control, tuple(value(counter) for counter in case.counters), case.symbol
        )

    def _tests(self, counters: tuple[IntegerTerm, ...], tests: str) -> list:
        conditions = []
        for value, test in zip(counters, tests):
            if test != EITHER:
                conditions.append(value == 0 if test == ZERO else value > 0)
        return conditions

    # Connectives that keep plain truth values plain, so that what is decided needs no query.

    def _all(self, conditions: list):
        if any(condition is False for condition in conditions):
            return False
        terms = [condition for condition in conditions if condition is not True]
        return self.z3.And(*terms) if terms else True

    def _any(self, conditions: list):
        if any(condition is True for condition in conditions):
            return True
        terms = [condition for condition in conditions if condition is not False]
        return self.z3.Or(*terms) if terms else False

    def _not(self, condition):
        return not condition if isinstance(condition, bool) else self.z3.Not(condition)

    def _same(self, one, other):
        if isinstance(one, bool) and isinstance(other, bool):
            return one == other
        if isinstance(one, bool) or isinstance(other, bool):
            plain, term = (one, other) if isinstance(one, bool) else (other, one)
            return term if plain else self.z3.Not(term)
        return one == other
