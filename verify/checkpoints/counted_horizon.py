"""The proof for any model that is stepped and counts: every string up to a length, by joint states that were guessed.

A search never closes where something counts, and goes from one length to the next a few steps at a time.  Here the
joint states of all strings up to a length are guessed first (:mod:`verify.checkpoints.lines_of_counts`), and then all
of them are stepped in full batches (:mod:`verify.checkpoints.guessed_states`).  No architecture is known here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from automata.machines.counter_machine import CounterMachine
from verify.checkpoints.checkpoint_search import runs_wrong
from verify.checkpoints.guessed_states import Reach, follow_guessed
from verify.checkpoints.lines_of_counts import (
    CountLine,
    GoesOn,
    Short,
    count_lines,
    counted_up_to,
    on_lines,
    short_strings,
)
from verify.methods.machine_states import Interned
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, Verdict

STEPS_ALONG, _SHARE = 20_000, 250
"""Steps of a proof, or, where that is more, one for so many joint states that are allowed."""

AS_RUN = "; nothing follows for other batches"
"""The end of a reason, of a model of which nothing more is known."""

_ROWS, _ANEW = 1024, 30
"""Of a step; how often it is begun anew, since more of a state matters than was thought."""


def prove_along_lines(
    machine: CounterMachine,
    model: Any,
    mode: str,
    *,
    limit: int,
    progress: Progress = NO_PROGRESS,
) -> Verdict | str:
    """Proves that a model's decoding steps give a counter machine's outputs up to a length, or refutes it.

    Args:
        machine: the ground truth.
        model: a :class:`constructions.mamba.stepping.SteppedMamba` of many rows; it cannot be stepped afterwards.
        mode: the question.
        limit: joint states that are allowed.

    Returns:
        ``proved`` up to a horizon, ``refuted`` with a witness, or why neither is found.  O(limit) steps of the model.
    """
    if not hasattr(model, "rows_with"):
        return "no lines of counts: outputs are judged by the state of the machine"
    goes_on = GoesOn(machine, model.alphabet, mode)
    guess = _Guess(goes_on, short_strings(goes_on, model), max(min(limit, STEPS_ALONG), limit // _SHARE))
    found = _in_rows_apart(guess, model, progress)
    if found is None:
        many = model.with_batch(_ROWS if model.batch > 1 else 1)
        found = guess.followed(many, progress), many.conditions
    followed, conditions = found
    if isinstance(followed, str):
        return f"no lines of counts: {followed}"
    explored = {"joint states": followed.states, "transitions": followed.steps, "lines": len(guess.lines)}
    if followed.wrong is not None:
        witness = runs_wrong(machine, model.with_batch(1), mode, followed.wrong)
        if witness is not None:
            reason = f"run in {conditions}, and wrong in steps of 1 row too"
            return Verdict(REFUTED, "counting", mode, model.arithmetic, explored, reason, witness)
    what = "every length"
    if followed.length is not None:
        what = f"every string of up to {followed.length} symbols"
        if followed.within:
            what += f", and every longer one that keeps its counters below {followed.within}"
    reason = (
        f"{what}: {followed.states} joint states, guessed along lines on which caches differ in a count alone, were "
        f"all stepped, by single decoding steps in {conditions}{AS_RUN}"
    )
    return Verdict(PROVED, "counting", mode, model.arithmetic, explored, reason, horizon=followed.length)


class _Guess:
    """What is guessed of a model.

    Args:
        machine: with the question.
        short: the joint states of short strings.
        most: steps of the proof.

    Attributes:
        lines: of the last guess.
    """

    def __init__(self, machine: GoesOn, short: Short, most: int):
        self.short, self._machine, self._most = short, machine, most
        self.lines: list[CountLine] = []

    def followed(self, model: Any, progress: Progress) -> Reach | str:
        """What comes of it where this model is stepped; or why it is not worth a proof."""
        rows = model.rows_with(self.short.numbers)
        # Some of the numbers may not matter, and be left out of the states of this model.
        self.lines = count_lines(replace(self.short, numbers=model.numbers_in(rows)))
        if not self.lines:
            return "the caches of short strings lie on none"
        states = Interned(self._machine.machine, model.alphabet, model.outputs, self._machine.mode)
        counted, parts = list(self.short.counted), [rows]
        far, length = counted_up_to(self._machine, self.lines, self._most)
        for some, caches in on_lines(self.lines, far):
            counted += some
            parts.append(model.rows_with(caches))
        numbers = np.array([states.number(None if control is None else (control, c)) for control, c in counted])
        found = follow_guessed(states, model, numbers, np.concatenate(parts), length, progress)
        longest = int(self.short.lengths.max())
        if found.length is not None and found.length <= longest + 1 and found.wrong is None:
            return (
                f"states of strings of {found.length} symbols lead off them ({self._most} steps are allowed: --limit)"
            )
        return found


def _in_rows_apart(guess: _Guess, model: Any, progress: Progress) -> tuple[Reach | str, str] | None:
    """What comes of a guess, each row with the bits of one alone, and how that was run; None where that is not seen."""
    from constructions.mamba.numbers_alone import Refusal
    from constructions.mamba.rows_apart import MoreMatters, with_rows_apart

    short = guess.short
    try:
        apart = with_rows_apart(model, _ROWS)
        if apart is None:
            return None
        # What the first step sees is expected of all.
        apart.advance(apart.rows_with(short.numbers[short.sources[-_ROWS:]]), short.symbols[-_ROWS:, None])
        for _ in range(_ANEW):
            apart.glance(True)
            try:
                found = guess.followed(apart, progress)
                if isinstance(found, str) or found.wrong is not None:
                    return found, apart.conditions
                apart.glance(False)
                return guess.followed(apart, progress), apart.conditions
            except MoreMatters:
                continue
    except Refusal:
        pass
    return None
