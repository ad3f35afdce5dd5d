"""From an obligation that fails to a string on which the model is wrong.

A failed obligation names a state and a symbol.  First a short search over pairs of machine and model state looks for a
shortest string; then words are tried that are built to reach the failing state, take the step, and go on in
several ways (:mod:`verify.methods.induction.stack_words`, :mod:`verify.methods.induction.counter_words`); last, random
words.  Nothing here is trusted: whatever word is returned was run on the weights and compared with the machine.
"""

from __future__ import annotations

from typing import Iterable

import numpy as np

from automata.errors import InputError
from automata.machine import Machine
from constructions.ssm.engine import Engine
from verify.evidence.sampling import check_words, random_words
from verify.methods.bisimulation import Stepwise, bisimulation
from verify.verdict import REFUTED, UNDECIDED, Verdict, Witness

SEARCHED_PAIRS = 3_000
"""Joint states of the short search."""
_RANDOM_WORDS, _SLOW_WORDS = 200, 50


def find_witness(
    engine: Engine, machine: Machine, words: Iterable[tuple[str, ...]], length: int, seed: int = 0
) -> Witness | None:
    """A word on which the model is wrong: a shortest one if the short search meets any, else one of the words.

    Args:
        words: to be tried after the search.
        length: of the random words that are tried last.
    """
    mode = engine.ssm.mode
    try:
        searched = bisimulation(machine, engine, mode, limit=SEARCHED_PAIRS)
        if searched.outcome == REFUTED:
            return searched.witness
    except InputError:
        pass  # a number has grown out of the engine's exact range; the words below can do without the engine
    rng = np.random.default_rng(seed)
    for candidates in (words, random_words(machine, _RANDOM_WORDS, length, rng)):
        verdict = _check(machine, engine, list(candidates), mode)
        if verdict.outcome == REFUTED:
            return verdict.witness
    return None


def without_proof(failed: str, witness: Witness | None) -> tuple[str, str]:
    """The outcome and its reason, where a proof fails for this reason, and a witness was found or not.

    >>> without_proof("an obligation fails", None)
    ('undecided', 'an obligation fails; no string was found on which the model is wrong')
    """
    if witness is None:
        return UNDECIDED, f"{failed}; no string was found on which the model is wrong"
    return REFUTED, f"the witness was found by running it; a proof had failed before: {failed}"


def _check(machine: Machine, engine: Engine, words: list[tuple[str, ...]], mode: str) -> Verdict:
    try:
        return check_words(machine, engine, words, mode)
    except InputError:
        # The reference has no bound on its numbers, and is slow.
        return check_words(machine, Stepwise(engine.ssm, mode), words[:_SLOW_WORDS], mode)
