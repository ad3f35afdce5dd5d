"""The proof for counter machines by a relation that every step keeps, on affine forms: every length, every counter
value, no solver.

For each entry of the relation (:mod:`~verify.methods.relation.entries`), each symbol and each move of the machine, one
step of the weights is taken on forms whose parameters are the counters.  It has to lead into the entry of the move's
target, with the counters after the move, and each output has to be given exactly when the machine gives it.  In
recognition, where no move applies, it has to lead into the entry of the dead, and from there by every symbol back to
it, with nothing given.  Before all that BOS has to lead into the entry of the start.

Each number is looked at by itself, in as many parts of the counters' ranges as its own neurons need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, Sequence

from automata.machine import ACCEPT, BOS, EOS, RECOGNISE
from automata.machines.counter_machine import EITHER, POSITIVE, ZERO, CounterMachine
from constructions.ssm.weights import SSM
from verify.methods.induction.counter_obligations import CounterFailure
from verify.methods.induction.float_growth import check_weights
from verify.methods.induction.obligations import Result
from verify.methods.relation.entries import (
    BitOf,
    CounterValue,
    Entry,
    RelationTerm,
    Within,
    counter_entries,
    counter_range,
    of_control,
)
from verify.methods.relation.forms import (
    FormStep,
    ParameterBox,
    ParameterForm,
    RowWeights,
    above,
    bounds,
    corner,
    decided_parts,
    form_sum,
    parameter,
    times,
)
from verify.progress import NO_PROGRESS, Progress


@dataclass
class Stepped:
    """One symbol read in one entry, in one part of the parameters.

    Attributes:
        entry: before the step; None before BOS.
        symbol: read.
        step: the model's.
        counters: the machine's before the step.
    """

    entry: Entry | None
    symbol: str
    step: FormStep
    counters: tuple[ParameterForm, ...]


class RelationProof:
    """Checks that the relation of a counter machine is kept.

    Args:
        ssm: a model whose coordinates are named as in :mod:`constructions.paper.counters`.
        machine: the ground truth.

    Raises:
        NotCovered: where there is no relation, or a number is no affine form.
    """

    def __init__(self, ssm: SSM, machine: CounterMachine):
        check_weights(ssm)
        self.ssm, self.machine = ssm, machine
        self.weights = RowWeights(ssm)
        self.entries = counter_entries(ssm, machine)
        self.of = of_control(self.entries)
        self.recognise = ssm.mode == RECOGNISE
        self.places = [(number, i) for number, layer in enumerate(ssm.layers) for i in range(layer.width)]
        self.result = Result()
        self.parts = 0

    def run(self, progress: Progress = NO_PROGRESS) -> Result:
        """All obligations."""
        control, values = self.machine.initial
        self._lead(self.first(), control, tuple(values))
        for stepped in self.steps():
            before = self.result.facts
            if stepped.entry is None or stepped.entry.control is None:
                self._die(stepped)
            else:
                self._live(stepped)
            progress.advance(1, facts=self.result.facts - before)
        return self.result

    # -- the cases ----------------------------------------------------------------------------------------

    def first(self) -> Stepped:
        """The step on BOS, from the start values."""
        h = tuple(tuple(layer.initial.tolist()) for layer in self.ssm.layers)
        return Stepped(None, BOS, FormStep(self.weights, h, BOS, ()), ())

    def steps(self) -> Iterator[Stepped]:
        """Every entry with every symbol that is followed."""
        for entry in self.entries:
            for symbol in self.machine.alphabet:
                if self.recognise or (self._control(entry), symbol) in self.machine.moves_from:
                    box, h, counters = self._state(entry)
                    yield Stepped(entry, symbol, FormStep(self.weights, h, symbol, box), counters)

    def _control(self, entry: Entry | None) -> str | None:
        return None if entry is None or entry.control is None else self.machine.controls[entry.control]

    def _state(
        self, entry: Entry
    ) -> tuple[ParameterBox, tuple[tuple[ParameterForm, ...], ...], tuple[ParameterForm, ...]]:
        """The parameters' ranges, the model's state, and the machine's counters."""
        box: list[tuple[int | None, int | None]] = [counter_range(found) for found in entry.ranges]
        counters = tuple(parameter(i) for i in range(len(box)))
        rows = []
        for row in entry.state:
            terms: list[ParameterForm] = []
            for term in row:
                if isinstance(term, CounterValue):
                    terms.append(counters[term.counter])
                elif isinstance(term, Within):
                    terms.append(parameter(len(box)))
                    box.append((term.low, term.high))
                else:
                    assert isinstance(term, int), "counter machines have no stack"
                    terms.append(term)
            rows.append(tuple(terms))
        return tuple(box), tuple(rows), counters

    # -- obligations --------------------------------------------------------------------------------------

    def _live(self, stepped: Stepped) -> None:
        control = self._control(stepped.entry)
        moves = self.machine.moves_from.get((control, stepped.symbol), ()) if control is not None else ()
        for box, move in self._choices(stepped.step.box, stepped.counters, [(move.tests, move) for move in moves]):
            case = Stepped(stepped.entry, stepped.symbol, stepped.step.within(box), stepped.counters)
            if move is not None:
                after = tuple(form_sum(value, amount) for value, amount in zip(stepped.counters, move.add))
                self._lead(case, move.target, after)
            elif self.recognise:
                self._die(case)

    def _choices(
        self, box: ParameterBox, counters: Sequence[ParameterForm], ways: list[tuple[str, object]]
    ) -> Iterator[tuple]:
        """The box in parts in each of which it is known which tests hold: (part, what belongs to them, or None)."""
        signs = [_signs(value, box) for value in counters]
        ways = [
            (tests, found)
            for tests, found in ways
            if all(test == EITHER or test in sign for test, sign in zip(tests, signs))
        ]
        for place, sign in enumerate(signs):
            if len(sign) > 1 and any(tests[place] != EITHER for tests, _ in ways):
                for part in above(counters[place], 0, box):
                    yield from self._choices(part, counters, ways)
                return
        yield box, ways[0][1] if ways else None

    def _lead(self, stepped: Stepped, control: str, counters: tuple[ParameterForm, ...]) -> None:
        """The step leads into the entry of the control, with these counters, and gives the right outputs."""
        target = self.of.get(self.machine.controls.index(control))
        if target is None:
            self._fail(stepped, f"the control {control!r} is not in R", ())
            return
        for place, (value, found) in enumerate(zip(counters, target.ranges)):
            low, high = counter_range(found)
            assert low is not None
            least, most = bounds(value, stepped.step.box)
            self.result.facts += 1
            if least is None or least < low or (high is not None and (most is None or most > high)):
                name = self.machine.counters[place]
                self._fail(stepped, f"the machine's {name!r} leaves the range of R in the control {control!r}", ())
        for where, term in zip(self.places, (term for row in target.state for term in row)):
            self._coordinate(stepped, where, counters[term.counter] if isinstance(term, CounterValue) else term)
        for number, output in enumerate(self.ssm.outputs):
            self._output(stepped, number, self._ways(control, output), counters)

    def _ways(self, control: str, output: str) -> list[tuple[str, object]]:
        """The tests under any of which the machine gives the output in the control."""
        if output in (EOS, ACCEPT):
            return [(tests, True) for accepting, tests in self.machine.accepting if accepting == control]
        return [(move.tests, True) for move in self.machine.moves_from.get((control, output), ())]

    def _die(self, stepped: Stepped) -> None:
        """The step leads into the entry of the dead, and nothing is given."""
        target = self.of.get(None)
        if target is None:
            self._fail(stepped, "no word is possible any more, and no register shows it", ())
            return
        for place, term in zip(self.places, (term for row in target.state for term in row)):
            self._coordinate(stepped, place, term)
        for number in range(len(self.ssm.outputs)):
            self._output(stepped, number, [], ())

    def _coordinate(self, stepped: Stepped, place: tuple[int, int], wanted: ParameterForm | RelationTerm) -> None:
        """A coordinate after the step is what it should be."""
        assert not isinstance(wanted, (CounterValue, BitOf)), "the dead have no counters, and counter machines no stack"
        if isinstance(wanted, Within) and wanted.low is None and wanted.high is None:
            return
        for part, value in self._parts(stepped.step, lambda step: step.after(*place)):
            if isinstance(wanted, Within):
                low, high, difference = wanted.low, wanted.high, value
            else:
                low, high, difference = 0, 0, form_sum(value, times(-1, wanted))
            least, most = bounds(difference, part.box)
            self.result.facts += 1
            for wrong, greatest in (
                (low is not None and (least is None or least < low), False),
                (high is not None and (most is None or most > high), True),
            ):
                if wrong:
                    name = self.ssm.layers[place[0]].names[place[1]]
                    self._fail(stepped, f"{name!r} is not what R says", corner(difference, part.box, greatest))
                    break

    def _output(self, stepped: Stepped, number: int, ways: list, counters: tuple[ParameterForm, ...]) -> None:
        """An output is given exactly when one of the ways is open."""
        for box, found in self._choices(stepped.step.box, counters, ways) if ways else [(stepped.step.box, None)]:
            given = found is not None
            for part, value in self._parts(stepped.step.within(box), lambda step: step.output(number)):
                least, most = bounds(value, part.box)
                self.result.facts += 1
                if given and (least is None or least <= 0) or not given and (most is None or most > 0):
                    what = f"the output {self.ssm.outputs[number]!r} is {'not ' * given}given"
                    self._fail(stepped, what, corner(value, part.box, not given))

    def _parts(
        self, step: FormStep, look: Callable[[FormStep], ParameterForm]
    ) -> Iterator[tuple[FormStep, ParameterForm]]:
        for part, value in decided_parts(step, look):
            self.parts += 1
            yield part, value

    def _fail(self, stepped: Stepped, what: str, point: tuple[int, ...]) -> None:
        """Notes a failure, with the state in which it happens."""
        box = stepped.step.box
        point = point or corner(0, box, greatest=False)

        def at(value: ParameterForm) -> int:
            return value if isinstance(value, int) else value[0] + sum(c * point[p] for p, c in value[1])

        state = {self.ssm.layers[number].names[i]: at(stepped.step.h[number][i]) for number, i in self.places}
        control = None if stepped.entry is None else self._control(stepped.entry)
        if control is None:
            names = self.machine.counters
            counters = tuple(state.get(name, 0) for name in names)
        else:
            counters = tuple(at(value) for value in stepped.counters)
        self.result.add(CounterFailure(what, state, control, counters, stepped.symbol))


def _signs(value: ParameterForm, box: ParameterBox) -> str:
    """The signs that a counter can have in the box."""
    least, most = bounds(value, box)
    return ZERO * (least is None or least <= 0) + POSITIVE * (most is None or most > 0)
