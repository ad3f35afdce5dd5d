"""Proof by induction on the weights, for state spaces that no search can close.

A relation R between machine states and model states is read from the names of the registers
(:mod:`verify.relation`).  Three obligations make it a proof for every length: the initial states are in R; one step of
both from R stays in R; R implies equal outputs.  All are discharged on the weight arrays.

A failed obligation is looked at twice: as a concrete model state, named in the reason, and as a string on which the
model is wrong, when one is found (:mod:`verify.witness`).  When none is, the verdict is ``undecided``: R is not
inductive, which is not yet a fault.
"""

from __future__ import annotations

from automata.bounded_dyck import DyckMachine
from automata.errors import InputError
from automata.machine import RECOGNISE
from constructions.engine import Engine
from constructions.ssm import SSM
from verify.bisimulation import bisimulation
from verify.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.stack_obligations import Result, StackInduction
from verify.sticky import find_sticky
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict
from verify.witness import find_witness, stack_words


def prove_dyck(ssm: SSM, k: int, depth: int, mode: str, progress: Progress = NO_PROGRESS) -> Verdict:
    """Proves or refutes, by induction, that a model is right about Dyck(k, depth) on every string.

    Args:
        ssm: a model whose coordinates are named as in :mod:`constructions.bounded_dyck`.
        mode: "predictive" or "recognise"; must be the model's.
        progress: told about depths as they are done.

    Returns:
        ``proved`` (by search where there is no stack to reason about: k = 1 or depth = 0), ``refuted`` with a string, or
        ``undecided`` with the reason.  Time: see :mod:`verify.stack_obligations`; Dyck(1024, 64) takes seconds.

    >>> from constructions.arithmetic import Arithmetic
    >>> from constructions.bounded_dyck import bounded_dyck
    >>> from constructions.lowering import lower
    >>> verdict = prove_dyck(lower(bounded_dyck(8, 10), Arithmetic("exact")), 8, 10, "predictive")
    >>> verdict.outcome, verdict.explored["facts"]
    ('proved', 11185)
    """
    machine = DyckMachine(k, depth)
    if mode != ssm.mode:
        raise InputError(f"the model answers the question of mode {ssm.mode!r}, not {mode!r}")
    engine = Engine(ssm)
    if k == 1 or depth == 0:
        sticky = find_sticky(engine) if mode == RECOGNISE else None
        return bisimulation(machine, engine, mode, absorbed=sticky, progress=progress)

    def verdict(outcome: str, reason: str, result: Result, **more) -> Verdict:
        return Verdict(outcome, "induction", mode, str(ssm.arithmetic), {"facts": result.facts}, reason, **more)

    try:
        induction = StackInduction(ssm, machine)
        result = induction.run(progress)
    except NotCovered as error:
        witness = find_witness(engine, machine, stack_words(machine, mode, []), 4 * depth + 4)
        if witness is not None:
            return verdict(REFUTED, f"the induction does not speak about this model ({error})", Result(), witness=witness)
        return verdict(UNDECIDED, f"the induction does not speak about this model: {error}", Result())
    if not result.failures:
        reason = "every step from R stays in R and R implies equal outputs: holds at every length"
        return verdict(PROVED, reason, result)
    failed = f"an obligation fails: {result.failures[0]}"
    witness = find_witness(engine, machine, stack_words(machine, mode, result.failures), 4 * depth + 4)
    if witness is not None:
        return verdict(REFUTED, failed, result, witness=witness)
    return verdict(UNDECIDED, f"{failed}; no string was found on which the model is wrong", result)
