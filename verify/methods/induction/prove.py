"""Proof by induction on the weights, for state spaces that no search can close.

A relation R between machine states and model states is read from the names of the registers
(:mod:`verify.methods.induction.relation`).  Three obligations make it a proof for every length: the initial states are
in R; one step of both from R stays in R; R implies equal outputs.  All are discharged on the weight arrays.

A failed obligation is looked at twice: as a concrete model state, named in the reason, and as a string on which the
model is wrong, when one is found (:mod:`verify.methods.witness`).  When none is, the verdict is ``undecided``: R is not
inductive, which is not yet a fault.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Iterable

from automata.errors import InputError
from automata.machine import RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.evidence.sampling import check_words
from verify.methods.bisimulation import bisimulation
from verify.methods.bounded_search import bounded_search
from verify.methods.induction.counter_horizon import covered_length, exact_horizon
from verify.methods.induction.counter_obligations import CounterInduction
from verify.methods.induction.counter_words import counter_words
from verify.methods.induction.depths import DepthInduction
from verify.methods.induction.far_words import far_words
from verify.methods.induction.obligations import Result
from verify.methods.induction.stack_obligations import StackFailure as StackFailure
from verify.methods.induction.stack_obligations import StackInduction
from verify.methods.induction.stack_states import failing_state
from verify.methods.induction.stack_words import stack_words
from verify.methods.induction.symbolic import SolverMissing
from verify.methods.sticky import find_sticky
from verify.methods.witness import find_witness, without_proof
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict

BOUND = 6
"""Counters up to this are searched where there is no solver."""

SEARCHED = 200_000
"""Joint states up to which a model is searched that the induction over depths does not prove."""

_LENGTH = 500
"""Of random words where the numbers of a model of one bracket type leave the range of the engine."""

_INDUCTIVE = "every step from R stays in R and R implies equal outputs"
_COUNTER_WORDS = 60


def prove_dyck(ssm: SSM, k: int, depth: int, mode: str, progress: Progress = NO_PROGRESS) -> Verdict:
    """Proves or refutes, by induction, that a model is right about Dyck(k, depth) on every string.

    Args:
        ssm: a model whose coordinates are named as in :mod:`constructions.paper.bounded_dyck`.
        mode: "predictive" or "recognise"; must be the model's.
        progress: told about depths as they are done.

    Returns:
        ``proved`` (by search for depth = 0; for a float recogniser up to a length), ``refuted`` with a string, or
        ``undecided`` with the reason.  Time: see :mod:`verify.methods.induction.stack_obligations`; Dyck(1024, 64)
        takes seconds.

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.bounded_dyck import bounded_dyck
    >>> from constructions.ssm.lowering import lower
    >>> verdict = prove_dyck(lower(bounded_dyck(8, 10), Arithmetic("exact")), 8, 10, "predictive")
    >>> verdict.outcome, verdict.explored["facts"]
    ('proved', 10235)
    """
    machine = DyckMachine(k, depth)
    check_question(ssm, machine, mode)
    engine = Engine(ssm)
    if k == 1 or depth == 0:
        try:
            return _prove_depths(engine, machine, progress)
        except InputError as error:
            return _not_covered(engine, machine, error, (), min(4 * depth + 4, _LENGTH))
    words = lambda failures: chain(stack_words(machine, failures), far_words(machine, ssm))  # noqa: E731
    try:
        induction = StackInduction(ssm, machine)
        result = induction.run(progress)
    except (NotCovered, InputError) as error:
        # Of the questions asked of the engine, the step on BOS may leave its range.
        return _not_covered(engine, machine, error, words([]), 4 * depth + 4)
    if result.failures:
        failures = result.failures
        states = (failing_state(engine, machine, induction.relation, failure) for failure in failures)
        found = next(
            ((failure, state) for failure, state in zip(failures, states) if state is not None), (failures[0], None)
        )
        return _failed(engine, machine, result, _in_state(*found), words(failures), 4 * depth + 4)
    aloud = tuple(induction.relation.read_aloud(machine, induction.cleared))
    reason = f"{_INDUCTIVE}: {_holds(induction.horizon)}"
    return _verdict(ssm, PROVED, reason, result, horizon=induction.horizon, relation=aloud)


def _prove_depths(engine: Engine, machine: DyckMachine, progress: Progress) -> Verdict:
    """Without bracket types to remember: all depths at once, or by search where that does not prove it."""
    sticky = find_sticky(engine) if engine.ssm.mode == RECOGNISE else None
    try:
        if machine.k == 1:
            result = DepthInduction(engine, machine, sticky).run(progress)
            if not result.failures:
                horizon = sticky.horizon if sticky else None
                aloud = ("'depth' is the number of open brackets",)
                reason = f"{_INDUCTIVE}: {_holds(horizon)}"
                return _verdict(engine.ssm, PROVED, reason, result, horizon=horizon, relation=aloud)
    except NotCovered:
        pass
    searched = bisimulation(machine, engine, engine.ssm.mode, limit=SEARCHED, absorbed=sticky, progress=progress)
    if searched.outcome != UNDECIDED:
        return searched
    tried = check_words(machine, engine, far_words(machine, engine.ssm), engine.ssm.mode)
    if tried.outcome != REFUTED:
        return searched
    return replace(
        searched, outcome=REFUTED, reason="the witness is the shortest of a few long strings", witness=tried.witness
    )


def prove_counter(
    ssm: SSM, machine: CounterMachine, mode: str, progress: Progress = NO_PROGRESS, timeout: float = 20.0
) -> Verdict:
    """Proves or refutes, by induction, that a model is right about a counter language: every length, every counter
    value.

    Args:
        ssm: a model whose coordinates are named as in :mod:`constructions.paper.counters`.
        machine: the definition of the language, from :func:`automata.machines.counter_machine.counter_machine`.
        mode: "predictive" or "recognise"; must be the model's.
        progress: told about cases (a control and a symbol) as they are done.
        timeout: seconds for one query to the solver.

    Returns:
        ``proved``; in float arithmetic with the largest counter value up to which every step is exact, and the length
        of the strings that this covers.  ``refuted`` with a string.  ``undecided`` with the reason, for instance a
        query that timed out.  Without z3, ``tested`` by bounded search, and the reason says that this is no proof.

    >>> from automata.machines.counter_machine import counter_machine
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.counters import counter_cascade
    >>> from constructions.ssm.lowering import lower
    >>> ssm = lower(counter_cascade("anbn"), Arithmetic.parse("float32"))
    >>> verdict = prove_counter(ssm, counter_machine("anbn"), "predictive")
    >>> verdict.outcome, verdict.horizon
    ('proved', 16777216)
    """
    check_question(ssm, machine, mode)
    engine = Engine(ssm)
    words = lambda failures: chain(counter_words(machine, failures), far_words(machine, ssm))  # noqa: E731
    try:
        induction = CounterInduction(ssm, machine, timeout)
        result = induction.run(progress)
        if result.failures:
            return _failed(engine, machine, result, str(result.failures[0]), words(result.failures), _COUNTER_WORDS)
        if result.unknown:
            reason = f"{len(result.unknown)} obligations are not decided, the first of them: {result.unknown[0]}"
            return _verdict(ssm, UNDECIDED, reason, result)
        if not ssm.arithmetic.is_float:
            reason = f"{_INDUCTIVE}: holds at every length and every counter value"
            return _verdict(ssm, PROVED, reason, result, relation=tuple(induction.read_aloud()))
        return _up_to_horizon(induction, result)
    except SolverMissing as error:
        searched = bounded_search(machine, engine, BOUND, progress=progress)
        return replace(searched, reason=f"{searched.reason}; this is no proof: {error}")
    except NotCovered as error:
        return _not_covered(engine, machine, error, words([]), _COUNTER_WORDS)


def _up_to_horizon(induction: CounterInduction, result: Result) -> Verdict:
    """What is proved of the exact model holds of the float model while every step is exact."""
    horizon = exact_horizon(induction)
    length = covered_length(induction, horizon)
    reason = f"{_INDUCTIVE}, and every step is exact while no counter exceeds {horizon}: {_holds(length)}"
    aloud = tuple(induction.read_aloud())
    verdict = _verdict(induction.ssm, PROVED, reason, result, horizon=length, relation=aloud)
    verdict.explored["largest counter value"] = horizon
    return verdict


def _holds(length: int | None) -> str:
    return f"holds at every length{'' if length is None else ' at which integers that drift are certainly exact'}"


def check_question(ssm: SSM, machine: Machine, mode: str) -> None:
    """Raises an InputError unless the model answers the question of this mode about strings over the machine's
    symbols.
    """
    if mode != ssm.mode:
        raise InputError(f"the model answers the question of mode {ssm.mode!r}, not {mode!r}")
    if set(ssm.alphabet) != set(machine.alphabet):
        symbol = sorted(set(machine.alphabet) ^ set(ssm.alphabet))[0]
        raise InputError(f"symbol {symbol!r} is in the alphabet of only one of machine and model")


def _in_state(failure: StackFailure, state: dict[str, int] | None) -> str:
    """A failed obligation of the stack with a concrete model state, slots that hold type 0 left out."""
    if state is None:
        return str(failure)
    shown = ", ".join(f"{name} = {value}" for name, value in state.items() if value or not name.startswith("slot"))
    return f"{failure} (for instance in the model state {shown}, other slots 0)"


def _failed(engine: Engine, machine: Machine, result: Result, failure: str, words: Iterable, length: int) -> Verdict:
    """An obligation fails: is there a string on which the model is wrong?"""
    witness = find_witness(engine, machine, words, length)
    return _verdict(engine.ssm, *without_proof(f"an obligation fails: {failure}", witness), result, witness=witness)


def _not_covered(engine: Engine, machine: Machine, error: Exception, words: Iterable, length: int) -> Verdict:
    witness = find_witness(engine, machine, words, length)
    failed = f"the induction does not speak about this model: {error}"
    return _verdict(engine.ssm, *without_proof(failed, witness), Result(), witness=witness)


def _verdict(ssm: SSM, outcome: str, reason: str, result: Result, **more) -> Verdict:
    return Verdict(outcome, "induction", ssm.mode, str(ssm.arithmetic), {"facts": result.facts}, reason, **more)
