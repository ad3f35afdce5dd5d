"""Proof by search where numbers grow for ever: what lies beyond a bound is taken as one.

A coordinate that counts how often something happened makes the reachable states infinitely many, although nothing
tells the counts beyond a few apart.  So a state is looked at with each coordinate either a number from -T to T, or
"above T", or "below -T".  From such a state each symbol is followed by a step on affine forms
(:mod:`verify.methods.relation.forms`), the numbers beyond T as parameters: every value that a coordinate may have after
it is kept, by itself, and the outputs have to be the machine's whatever the parameters are.  There are finitely many
such states, and every run of the model is among the runs of them.

The model is a diagonal recurrence of whole numbers, looked at as the SSM that it is; that its gates are those of its
family is shown at every step.
"""

from __future__ import annotations

import math
from collections import deque
from itertools import product
from typing import Hashable, Iterable, Union

import numpy as np

from automata.machine import ACCEPT, BOS, PREDICTIVE, Machine
from automata.machines.counter_machine import CounterMachine
from constructions.linear.as_ssm import as_ssm
from constructions.linear.engine import LinearEngine
from constructions.linear.weights import LinearWeights
from constructions.ssm.weights import SSM
from verify.claim import Claim
from verify.evidence.sampling import check_words
from verify.methods.induction.prove import check_question
from verify.methods.relation.forms import (
    FormStep,
    ParameterBox,
    ParameterForm,
    RowWeights,
    bounds,
    decided_parts,
    parameter,
)
from verify.methods.relation.recurrences import may_be_foreign, why_no_ssm
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict

_ABOVE, _BELOW = "above", "below"
_Cut = Union[int, str]
"""A number from -T to T, or _ABOVE, or _BELOW."""

_COST = 19_500_000.0
"""It is taken where a search would follow more transitions than this, as each one takes longer."""

_MOST_PAIRS = 20_000
"""Pairs after which it gives up, as it takes a thousand times as long for each as a search."""

MOST_FROM_ONE_STEP = 1_000
"""States that one step may lead to, coordinate by coordinate, after which the proof gives up."""


class Drift:
    """Covers diagonal recurrences of whole numbers, for languages that are no counter languages."""

    name = "drift"
    title = "all reachable pairs are compared, numbers beyond a bound taken as one"
    unit = "joint states"

    def covers(self, claim: Claim) -> str:
        if isinstance(claim.machine, CounterMachine):
            return "it tells finitely many numbers apart, and a counter language all of them"
        if not isinstance(claim.weights, LinearWeights):
            return "it reads the weights of a linear recurrence"
        return why_no_ssm(claim.weights)

    def cost(self, claim: Claim) -> float:
        return _COST

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        check_question(as_ssm(claim.weights), claim.machine, claim.mode)
        return prove_drift(claim.weights, claim.machine, min(claim.limit, _MOST_PAIRS), progress)


def prove_drift(
    weights: LinearWeights, machine: Machine, limit: int = _MOST_PAIRS, progress: Progress = NO_PROGRESS
) -> Verdict:
    """Proves or refutes that a recurrence gives the machine's outputs on every string.

    Args:
        weights: of a diagonal family with integers, where nothing is read one step late.
        machine: the ground truth.
        limit: pairs after which the proof gives up.
        progress: told about pairs as they are found.

    Returns:
        ``proved``, ``refuted`` with a string that was run, or ``undecided`` with the reason.  O(pairs * symbols *
        weights), where the pairs are at most the machine's states times (2 T + 3)^coordinates.

    Raises:
        InputError: where the recurrence is no SSM.

    >>> from verify import build, compile, language
    >>> found = language("tomita-7")
    >>> weights = build(compile(found, "recognise", target="lru"), "lru").weights
    >>> prove_drift(weights, found.machine).outcome
    'proved'
    """
    ssm = as_ssm(weights)
    furthest = _furthest_threshold(ssm)
    # A small bound is tried first, as the states that are told apart grow with it; once too many, so they stay.
    for most in (0, *(1 << power for power in range(furthest.bit_length() - 1)), furthest):
        verdict = _up_to(most, ssm, weights, machine, limit, progress)
        if verdict.outcome != UNDECIDED or verdict.explored["joint states"] > limit:
            break
    return verdict


_Pair = tuple[Hashable, tuple[tuple[_Cut, ...], ...]]
"""A state of the machine, and one of the model, layer by layer."""


def _up_to(most: int, ssm: SSM, weights: LinearWeights, machine: Machine, limit: int, progress: Progress) -> Verdict:
    """The verdict with numbers beyond this one taken together."""
    search = _Search(ssm, machine, most)
    try:
        failure = search.run(limit, progress)
    except NotCovered as error:
        failure = str(error), None
    explored = {"joint states": len(search.parents), "transitions": search.transitions, "numbers up to": most}

    def verdict(outcome: str, reason: str, **more) -> Verdict:
        return Verdict(outcome, "drift", ssm.mode, str(ssm.arithmetic), explored, reason, **more)

    if failure is None:
        return verdict(PROVED, f"closed, with numbers beyond {most} taken as one: holds at every length")
    reason, word = failure
    if word is not None:
        seen = check_words(machine, LinearEngine(weights), [word], ssm.mode)
        if seen.outcome == REFUTED:
            return verdict(REFUTED, reason, witness=seen.witness)
    return verdict(UNDECIDED, reason)


class _Search:
    """Breadth-first over pairs."""

    def __init__(self, ssm: SSM, machine: Machine, most: int):
        self.ssm, self.machine, self.most = ssm, machine, most
        self.weights = RowWeights(ssm)
        self.parents: dict[_Pair, tuple[_Pair | None, str]] = {}
        self.transitions = 0

    def run(self, limit: int, progress: Progress) -> tuple[str, tuple[str, ...] | None] | None:
        """None where all is as it should be; else why not, and a string on which the model may be wrong."""
        h = tuple(tuple(layer.initial.tolist()) for layer in self.ssm.layers)
        step = FormStep(self.weights, h, BOS, ())
        waiting: deque[_Pair] = deque()
        failure = self._arrive(step, None, BOS, self.machine.initial, waiting)
        while waiting and failure is None:
            pair = waiting.popleft()
            for symbol in self._followed(pair[0]):
                self.transitions += 1
                step = FormStep(self.weights, *self._forms(pair[1], symbol))
                failure = self._arrive(step, pair, symbol, self.machine.step(pair[0], symbol), waiting)
                if failure is not None:
                    break
                if len(self.parents) > limit:
                    return f"gave up at {len(self.parents)} joint states (limit {limit})", None
            progress.advance(1, transitions=self.transitions)
        return failure

    def _followed(self, state: Hashable) -> Iterable[str]:
        legal = self.machine.legal(state) if self.ssm.mode == PREDICTIVE else self.machine.alphabet
        return [symbol for symbol in self.machine.alphabet if symbol in legal]

    def _forms(
        self, state: tuple[tuple[_Cut, ...], ...], symbol: str
    ) -> tuple[tuple[tuple[ParameterForm, ...], ...], str, ParameterBox]:
        """The state before the step, with a parameter for each number that is beyond the bound."""
        box: list[tuple[int | None, int | None]] = []
        rows = []
        for row in state:
            forms: list[ParameterForm] = []
            for value in row:
                if isinstance(value, int):
                    forms.append(value)
                else:
                    forms.append(parameter(len(box)))
                    box.append((self.most + 1, None) if value == _ABOVE else (None, -self.most - 1))
            rows.append(tuple(forms))
        return tuple(rows), symbol, tuple(box)

    def _arrive(
        self, step: FormStep, source: _Pair | None, symbol: str, target: Hashable, waiting: deque[_Pair]
    ) -> tuple[str, tuple[str, ...] | None] | None:
        """Compares the outputs after a step, and adds the pairs that are new."""
        given = self._expected(target)
        for number, output in enumerate(self.ssm.outputs):
            for part, value in decided_parts(step, lambda step: step.output(number)):
                least, most = bounds(value, part.box)
                if output in given and (least is None or least <= 0):
                    return self._failure(f"the output {output!r} may be missing", source, symbol)
                if output not in given and (most is None or most > 0):
                    return self._failure(f"the output {output!r} may be given", source, symbol)
        places = [
            [self._after(step, number, i) for i in range(layer.width)] for number, layer in enumerate(self.ssm.layers)
        ]
        if math.prod(len(values) for row in places for values in row) > MOST_FROM_ONE_STEP:
            raise NotCovered(f"one step leads to more than {MOST_FROM_ONE_STEP} states")
        for rows in product(*(product(*row) for row in places)):
            pair = target, rows
            if pair not in self.parents:
                self.parents[pair] = source, symbol
                waiting.append(pair)
        return None

    def _after(self, step: FormStep, number: int, i: int) -> list[_Cut]:
        """What a coordinate may be after the step.

        Raises:
            NotCovered: for a gate that may be none of the family.
        """
        if may_be_foreign(step, number, i):
            name = self.ssm.layers[number].names[i]
            raise NotCovered(f"after some string the gate of {name!r} is none of the family, or not known to be one")
        found: dict[_Cut, None] = {}
        for part, value in decided_parts(step, lambda step: step.after(number, i)):
            least, most = bounds(value, part.box)
            if least is None or least < -self.most:
                found[_BELOW] = None
            low = -self.most if least is None else max(least, -self.most)
            high = self.most if most is None else min(most, self.most)
            if high - low >= MOST_FROM_ONE_STEP:
                raise NotCovered(f"one step leads to more than {MOST_FROM_ONE_STEP} numbers")
            found.update(dict.fromkeys(range(low, high + 1)))
            if most is None or most > self.most:
                found[_ABOVE] = None
        return list(found)

    def _expected(self, state: Hashable) -> Iterable[str]:
        if self.ssm.mode == PREDICTIVE:
            return self.machine.legal(state)
        return {ACCEPT} if self.machine.accepts(state) else ()

    def _failure(self, what: str, source: _Pair | None, symbol: str) -> tuple[str, tuple[str, ...]]:
        """With the string that leads there, which is one of the model's own where no number is beyond the bound."""
        word = [] if source is None else [symbol]
        while source is not None:
            source, symbol = self.parents[source]
            if source is not None:
                word.append(symbol)
        return f"after some string {what}", tuple(reversed(word))


def _furthest_threshold(ssm: SSM) -> int:
    """The greatest T that is tried: beyond all weights and biases, so beyond what a neuron compares a number with."""
    maps = [mix.affine for layer in ssm.layers for mix in layer.phi]
    return 1 + max(int(np.abs(numbers).max(initial=0)) for found in maps for numbers in (found.matrix.data, found.bias))


DRIFT_SEARCH = Drift()
