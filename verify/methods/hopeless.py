"""Searches that cannot close, since the language has more classes than the limit allows joint states."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Callable

from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.recall import RecallMachine
from verify.claim import Claim
from verify.verdict import UNDECIDED, Verdict


def search_within(claim: Claim, most: int, search: Callable[[int], Verdict]) -> Verdict:
    """The verdict of a search, which takes a limit of joint states.

    Each Myhill-Nerode class of the language is a joint state of its own, so a search of more classes than the limit
    cannot close.  It can still refute, for which short strings do: it stops early, and says at first what it cannot do.

    Args:
        most: joint states of a search that cannot close.
    """
    classes = claim.machine.classes() if isinstance(claim.machine, (DyckMachine, RecallMachine, CopyMachine)) else 0
    if classes <= claim.limit:
        return search(claim.limit)
    verdict = search(min(claim.limit, most))
    if verdict.outcome != UNDECIDED:
        return verdict
    number = str(classes) if classes < 10**12 else f"about 10^{math.log10(classes):.1f}"
    why = f"cannot close: each of {number} Myhill-Nerode classes is a joint state, and --limit is {claim.limit}"
    return replace(verdict, reason=f"{why}; {verdict.reason}")
