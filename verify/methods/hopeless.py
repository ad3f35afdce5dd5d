"""Searches that cannot close, since the language has more classes than the limit allows joint states."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Callable

from automata.dfa import DFA
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.recall import RecallMachine
from verify.claim import Claim
from verify.verdict import UNDECIDED, Verdict

SEARCHES = ("search", "caches")
"""Methods that visit each joint state."""


def search_within(claim: Claim, most: int, search: Callable[[int], Verdict]) -> Verdict:
    """The verdict of a search, which takes a limit of joint states.

    Each Myhill-Nerode class of the language is a joint state of its own, so a search of more classes than the limit
    cannot close.  It can still refute, for which short strings do: it stops early, and says at first what it cannot do.

    Args:
        most: joint states of a search that cannot close.
    """
    why = cannot_close(claim)
    if not why:
        return search(claim.limit)
    verdict = search(min(claim.limit, most))
    return replace(verdict, reason=f"{why}; {verdict.reason}") if verdict.outcome == UNDECIDED else verdict


def cannot_close(claim: Claim) -> str:
    """Why no search closes within the limit; empty where that is not known beforehand.

    >>> from verify.claim import Claim
    >>> cannot_close(Claim(DyckMachine(2, 3), "predictive", None, limit=14))
    'cannot close: each of 15 Myhill-Nerode classes is a joint state, and --limit is 14'
    >>> cannot_close(Claim(DyckMachine(2, 3), "predictive", None, limit=15))
    ''
    """
    classes = _classes(claim)
    if classes <= claim.limit:
        return ""
    number = str(classes) if classes < 10**12 else f"about 10^{math.log10(classes):.1f}"
    return f"cannot close: each of {number} Myhill-Nerode classes is a joint state, and --limit is {claim.limit}"


def _classes(claim: Claim) -> int:
    """Of strings that can still become words, as far as that is known and may be more than the limit."""
    machine = claim.machine
    if isinstance(machine, (DyckMachine, RecallMachine, CopyMachine)):
        return machine.classes()
    if isinstance(machine, DFA) and machine.states > claim.limit:
        return int(machine.minimise().live.sum())
    return 0
