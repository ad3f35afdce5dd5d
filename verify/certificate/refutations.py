"""Evidence ``word`` and ``cycle``: a string on which a model is wrong, and strings on which no answer ever settles."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Sequence

from automata.algebra.aperiodic import membership_cycle
from automata.dfa import DFA
from verify.certificate.document import NoCertificate
from verify.impossible.cycles import Cycle
from verify.verdict import Pumped, Verdict


def word_evidence(verdict: Verdict, cycle: Cycle | None = None, answer: frozenset[str] | None = None) -> dict[str, Any]:
    """The string on which the model is wrong.

    Args:
        verdict: a refutation.
        cycle: for a pair of strings, the right answers.
        answer: what the model gave on both.

    Raises:
        NoCertificate: when the model was not run on any string.
    """
    if verdict.pair is not None and cycle is not None and answer is not None:
        wrong = next(string for string in verdict.pair if cycle.answer(string.n) != answer)
        return {"word": {"parts": _pumped(wrong)}}
    if verdict.witness is None:
        raise NoCertificate("the model was not run on the two strings, so it is not known which of them it gets wrong")
    return {"word": {"parts": _runs(verdict.witness.word)}}


def _pumped(string: Pumped) -> list[list[Any]]:
    parts = ((string.u, 1), (string.w, string.n), (string.v, 1))
    return [[list(part), times] for part, times in parts if part and times]


def _runs(word: Sequence[str]) -> list[list[Any]]:
    """Runs of one symbol, those of length 1 put together.

    >>> _runs("abaaac")
    [[['a', 'b'], 1], [['a'], 3], [['c'], 1]]
    """
    parts: list[list[Any]] = []
    for symbol, run in groupby(word):
        times = len(list(run))
        if times == 1 and parts and parts[-1][1] == 1:
            parts[-1][0].append(symbol)
        else:
            parts.append([[symbol], times])
    return parts


def cycle_evidence(dfa: DFA, image_sets: int | None = None) -> dict[str, Any]:
    """Strings u w^n v whose membership never settles.

    Raises:
        NoCertificate: for a star-free language.
    """
    cycle = membership_cycle(dfa) if image_sets is None else membership_cycle(dfa, image_sets)
    if cycle is None:
        raise NoCertificate("the language is star-free")
    return {"cycle": {"u": list(cycle.u), "w": list(cycle.w), "v": list(cycle.v), "period": cycle.period}}
