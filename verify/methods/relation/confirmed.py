"""The horizon of a float model, confirmed by running up to it and one past it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automata.machine import BOS, PREDICTIVE, run
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.methods.machine_states import Interned
from verify.methods.relation.forms import FormStep, ParameterForm
from verify.methods.relation.horizon import counter_places, largest_exact_value
from verify.methods.relation.prove import RelationProof
from verify.verdict import TESTED, UNDECIDED, Verdict

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


def confirm_horizon(proof: RelationProof, horizon: int, run_up: int | None = None) -> Confirmation | None:
    """Runs the model up to the horizon and one past it, on a string that shows a rounding there if any tried does.

    Args:
        run_up: run only so many steps up to the horizon, from the exact state; by default all of them, from BOS.

    Returns:
        None when no symbol, read for ever, makes a counter move by 1.  O(horizon) steps, or O(run_up).
    """
    machine = proof.machine
    found = None
    for prefix in ((), _lift(machine)):
        for symbol in machine.alphabet:
            drift = _drift(proof, prefix, symbol, horizon)
            if drift is None:
                continue
            if past := _rounded(proof, drift):
                return Confirmation(prefix, symbol, drift.steps, _runs_exactly(proof, drift, run_up), past)
            found = found or drift
    if found is None:
        return None
    return Confirmation(found.prefix, found.symbol, found.steps, _runs_exactly(proof, found, run_up), "")


def check_horizon(ssm: SSM, machine: CounterMachine) -> Verdict:
    """The horizon of a float model confirmed by running, as a verdict: ``tested``, or ``undecided`` where it is not
    confirmed.

    Raises:
        NotCovered: where there is no relation, or a sum may round on BOS or with the counters that BOS leaves.
    """
    proof = RelationProof(ssm, machine)
    horizon = largest_exact_value(proof)
    run_up = None if horizon <= NEAR_HORIZON else RUN_UP
    confirmed = confirm_horizon(proof, horizon, run_up)
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


def _drift(proof: RelationProof, prefix: tuple[str, ...], symbol: str, horizon: int) -> _Drift | None:
    machine, ssm = proof.machine, proof.ssm
    settled = (*prefix, symbol, symbol)
    if ssm.mode == PREDICTIVE and symbol not in machine.legal(run(machine, settled)):
        return None
    h = [layer.initial.tolist() for layer in ssm.layers]
    for read in (BOS, *settled):
        h = _after(_step(proof, h, read))
    moved = _after(_step(proof, h, symbol))
    by = [[new - old for new, old in zip(*rows)] for rows in zip(moved, h)]
    counters = [(h[layer][i], by[layer][i]) for layer, i in counter_places(proof).values()]
    if max(abs(amount) for _, amount in counters) != 1:
        return None
    more = min(horizon - value * amount for value, amount in counters if amount)
    if more < 0:
        return None
    state = [[value + more * amount for value, amount in zip(*rows)] for rows in zip(h, by)]
    return _Drift(prefix, symbol, 2 + more, state, by)


def _rounded(proof: RelationProof, drift: _Drift) -> str:
    """What the step past the horizon rounds; empty when it rounds nothing."""
    number = np.dtype(str(proof.ssm.arithmetic)).type
    for term in _step(proof, drift.state, drift.symbol).sums():
        assert isinstance(term, int), "no state has a parameter"
        if int(number(term)) != term:
            return f"{term} is rounded to {int(number(term))}"
    return ""


def _step(proof: RelationProof, h: list[list[int]], symbol: str) -> FormStep:
    """A step from states that are numbers."""
    return FormStep(proof.weights, tuple(map(tuple, h)), symbol, ())


def _after(step: FormStep) -> list[list[int]]:
    return [[_number(step.after(number, i)) for i in range(len(row))] for number, row in enumerate(step.h)]


def _number(form: ParameterForm) -> int:
    assert isinstance(form, int), "no state has a parameter"
    return form


def _runs_exactly(proof: RelationProof, drift: _Drift, run_up: int | None) -> bool:
    machine, ssm = proof.machine, proof.ssm
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
