"""The one place where a proof is asked for: the cheapest method that covers the claim, and what follows when it gives
up.
"""

from __future__ import annotations

import math
from dataclasses import replace

from automata.errors import InputError
from verify.claim import Claim
from verify.methods import METHODS, Method
from verify.methods.hopeless import SEARCHES, cannot_close
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import UNDECIDED, Verdict

CHEAPEST = "auto"


def chosen(claim: Claim, name: str = CHEAPEST) -> list[Method]:
    """The methods to be tried on a claim, in this order.

    Raises:
        InputError: for an unknown method, or one that does not speak about the claim, with the reason.
    """
    if name == CHEAPEST:
        covering = [found for found in map(METHODS.named, METHODS) if not found.covers(claim)]
        # Sorting keeps the order of the registry where nothing is known of the cost.
        first, *others = sorted(covering, key=lambda found: found.cost(claim))
        most = claim.limit * len(claim.machine.alphabet)
        # Where no search closes, whatever else speaks about the claim is worth its time.
        worth = bool(cannot_close(claim))
        tried = (found for found in others if found.cost(claim) <= most or (worth and _is_quicker(found, claim)))
        return [first, *tried]
    found = METHODS.named(name)
    if why_not := found.covers(claim):
        raise InputError(f"--method {name}: {why_not}")
    return [found]


def _is_quicker(method: Method, claim: Claim) -> bool:
    """Whether it visits no joint states, and is known to end."""
    return method.name not in SEARCHES and method.cost(claim) < math.inf


def prove_claim(claim: Claim, name: str = CHEAPEST, progress: Progress = NO_PROGRESS) -> Verdict:
    """Proves or refutes a claim.

    Args:
        claim: what is to be shown.
        name: a name of :data:`verify.methods.METHODS`, or "auto": methods are tried from the cheapest on, until one
            decides.

    Returns:
        The verdict of the method that decided; where none did, ``undecided`` with the reason of the first.
    """
    verdicts: list[Verdict] = []
    for found in chosen(claim, name):
        verdicts.append(naming_the_limit(found.run(claim, progress), claim.limit))
        if verdicts[-1].outcome != UNDECIDED:
            return verdicts[-1]
    return verdicts[0]


def naming_the_limit(verdict: Verdict, limit: int) -> Verdict:
    """A search that gave up at the limit of ``--limit`` says so."""
    if verdict.outcome == UNDECIDED and verdict.explored.get("joint states", 0) > limit:
        return replace(verdict, reason=f"{verdict.reason}; raise the limit with --limit")
    return verdict
