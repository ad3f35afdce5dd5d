"""The search through the cache of a checkpoint of which nothing is known: what it claims is claimed of a batch of one.

Which row of a batch a state stands in may change how torch sums, so a search that steps many states at once follows
runs that nobody makes: a string's states stand in one row after the other.  It is quick, and decides what to look at;
what it finds is found again.  Either by steps of many rows of which every operation is looked at, so that each row has
the bits of one alone (:mod:`constructions.mamba.rows_apart`); or, where an operation is refused or there is little to
do, one state at a time, in the batch of one row that a user runs.  Where no sum ever rounds, as the certificate of a
compiled Mamba says, all rows are alike and this is not needed (:mod:`verify.checkpoints.search`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automata.machine import Machine
from verify.checkpoints.greedy import JudgedByTop
from verify.evidence.sampling import expect
from verify.methods.bisimulation import bisimulation
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict, Witness

_FEW, _MANY = 300, 2_000
"""Transitions that are quickly taken one by one; beyond which more rows at once are quicker."""

UNCLOSED = 2_000
"""Joint states of a search that cannot close, since a counter has infinitely many values; it can refute."""


def search_checkpoint(
    machine: Machine,
    model,
    mode: str,
    *,
    limit: int,
    length: int | None = None,
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Proves or refutes that the model's decoding steps, in a batch of one, give the machine's outputs.

    Args:
        model: a :class:`constructions.mamba.stepping.SteppedMamba` of many rows; it cannot be stepped afterwards.
        limit: joint states after which a search gives up.
        length: be content with all strings up to this length.
    """
    verdict = bisimulation(machine, model, mode, limit=limit, length=length, progress=progress)
    if verdict.outcome == UNDECIDED:
        return replace(verdict, method="cache search", reason=f"{verdict.reason}; run in {model.conditions}")
    if verdict.outcome == REFUTED and verdict.witness is not None:
        witness = runs_wrong(machine, model.with_batch(1), mode, verdict.witness.word)
        if witness is not None:
            reason = f"{verdict.reason}; run in {model.conditions}, and wrong in steps of 1 row too"
            return replace(verdict, method="cache search", reason=reason, witness=witness)
    found, steps = None, "single decoding steps"
    if verdict.outcome == PROVED and (count := verdict.explored["transitions"]) > _FEW:
        rows = 64 if count < _MANY else 256
        found = _rows_apart(machine, model, mode, rows, limit=limit, length=length, progress=progress)
    if found is None:
        alone, steps = model.with_batch(1), f"{steps} of one string at a time"
        found = bisimulation(machine, alone, mode, limit=limit, length=length, progress=progress), alone.conditions
    verdict, conditions = found
    if verdict.outcome != PROVED:
        return replace(verdict, method="cache search", reason=f"{verdict.reason}; run in {conditions}")
    what = "the search over caches closed: every length"
    if verdict.horizon is not None:
        what = f"every string of up to {verdict.horizon} symbols, as far as counters are certainly exact"
    reason = f"{what}, by {steps} in {conditions}; nothing follows for other batches"
    return replace(verdict, method="cache search", reason=reason)


def _rows_apart(machine: Machine, model, mode: str, rows: int, **how) -> tuple[Verdict, str] | None:
    """A search in which each row has the bits of one alone, and how it was run; None where that is not so, or it does
    not prove the claim.
    """
    from constructions.mamba.numbers_alone import Refusal
    from constructions.mamba.rows_apart import with_rows_apart

    try:
        apart = model.with_rows_apart(rows) if isinstance(model, JudgedByTop) else with_rows_apart(model, rows)
        if apart is None:
            return None
        verdict = bisimulation(machine, apart, mode, **how)
    except Refusal:
        return None
    return (verdict, apart.conditions) if verdict.outcome == PROVED else None


def runs_wrong(machine: Machine, model, mode: str, word: tuple[str, ...]) -> Witness | None:
    """The shortest prefix of the word that the model, stepping this string alone, answers wrong, or None."""
    expectation = expect(machine, word, mode)
    rows, outputs = model.begin(1)
    for length in range(len(word) + 1):
        if length:
            rows, outputs = model.advance(rows, np.array([[model.alphabet.index(word[length - 1])]]))
        given = frozenset(name for name, on in zip(model.outputs, outputs.dense()[0, 0]) if on)
        if given != expectation.sets[length]:
            return Witness(word[:length], expectation.sets[length], given)
    return None
