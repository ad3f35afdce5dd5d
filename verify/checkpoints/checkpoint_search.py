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
from typing import Any

import numpy as np

from automata.machine import Machine
from verify.checkpoints.greedy import JudgedByTop
from verify.evidence.sampling import expect
from verify.methods.bisimulation import bisimulation
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict, Witness

_FEW = 300
"""Transitions that are quickly taken one by one."""

_ROWS, _ANEW = 256, 30
"""Of a step that is looked at; how often a quick search begins anew, since more of a state matters than was thought."""

_MOST_NOTED = 1 << 18
"""Steps that are taken in full batches before a search; further ones as they come."""

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
    how: dict[str, Any] = {"length": length, "progress": progress}
    looked: Any = _Noted(model)
    few = _FEW // len(machine.alphabet)
    verdict, apart = bisimulation(machine, looked, mode, limit=min(limit, few), **how), None
    if verdict.outcome == UNDECIDED and limit > few:
        apart = _apart(model, looked)
        verdict, looked, apart = _glance(machine, model, apart, mode, limit=limit, **how)
    if verdict.outcome == UNDECIDED:
        return replace(verdict, method="cache search", reason=f"{verdict.reason}; run in {looked.conditions}")
    if verdict.outcome == REFUTED and verdict.witness is not None:
        witness = runs_wrong(machine, model.with_batch(1), mode, verdict.witness.word)
        if witness is not None:
            reason = f"{verdict.reason}; run in {looked.conditions}, and wrong in steps of 1 row too"
            return replace(verdict, method="cache search", reason=reason, witness=witness)
    found, steps = None, "single decoding steps"
    if verdict.outcome == PROVED and apart is not None:
        found = _again(machine, apart, mode, looked, limit=limit, **how)
    if found is None:
        alone, steps = model.with_batch(1), f"{steps} of one string at a time"
        found = bisimulation(machine, alone, mode, limit=limit, **how), alone.conditions
    verdict, conditions = found
    if verdict.outcome != PROVED:
        return replace(verdict, method="cache search", reason=f"{verdict.reason}; run in {conditions}")
    what = "the search over caches closed: every length"
    if verdict.horizon is not None:
        what = f"every string of up to {verdict.horizon} symbols, as far as counters are certainly exact"
    reason = f"{what}, by {steps} in {conditions}; nothing follows for other batches"
    return replace(verdict, method="cache search", reason=reason)


class _Noted:
    """A model, and the first steps that were asked of it."""

    def __init__(self, model: Any):
        self._model = model
        self._taken: list[tuple[np.ndarray, np.ndarray]] = []
        self._noted = 0
        self.alphabet, self.outputs, self.arithmetic = model.alphabet, model.outputs, model.arithmetic
        self.begin = model.begin

    def advance(self, rows: np.ndarray, words: np.ndarray) -> Any:
        """As the model's."""
        if self._noted < _MOST_NOTED:
            self._taken.append((rows, words))
            self._noted += len(rows)
        return self._model.advance(rows, words)

    @property
    def conditions(self) -> str:
        return self._model.conditions

    @property
    def taken(self) -> tuple[np.ndarray, np.ndarray]:
        """The states and symbols."""
        rows, words = zip(*self._taken)
        return np.concatenate(rows), np.concatenate(words)


def _apart(model: Any, looked: _Noted) -> Any:
    """The model with rows of which each has the bits of one alone, after one step; None where that is not so."""
    from constructions.mamba.numbers_alone import Refusal
    from constructions.mamba.rows_apart import with_rows_apart

    rows, words = looked.taken
    try:
        apart = model.with_rows_apart(_ROWS) if isinstance(model, JudgedByTop) else with_rows_apart(model, _ROWS)
        if apart is not None:
            # The last ones, which are of many kinds: what the first step sees of them is expected of all.
            apart.advance(rows[-_ROWS:], words[-_ROWS:])
        return apart
    except Refusal:
        return None


def _glance(machine: Machine, model: Any, apart: Any, mode: str, **how: Any) -> tuple[Verdict, _Noted, Any]:
    """A quick search, what was stepped, and the rows apart, if it was by these."""
    from constructions.mamba.numbers_alone import Refusal
    from constructions.mamba.rows_apart import MoreMatters

    for _ in range(_ANEW if apart is not None else 0):
        apart.glance(True)
        looked = _Noted(apart)
        try:
            return bisimulation(machine, looked, mode, **how), looked, apart
        except MoreMatters:
            continue
        except Refusal:
            break
    looked = _Noted(model.with_batch(model.batch))
    return bisimulation(machine, looked, mode, **how), looked, None


def _again(machine: Machine, apart: Any, mode: str, looked: _Noted, **how: Any) -> tuple[Verdict, str] | None:
    """The same search with every step looked at, and how it was run; None where one is refused, or it does not prove
    the claim.
    """
    from constructions.mamba.numbers_alone import Refusal

    apart.glance(False)
    try:
        apart.advance(*looked.taken)
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
