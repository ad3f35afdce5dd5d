"""Proof by search through all reachable pairs of machine state and model state."""

from __future__ import annotations

import math
from dataclasses import replace

from automata.machine import RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.cascade import Cascade, Counter, bit_length
from constructions.compile.compiler import DRIFT, needs
from constructions.ssm.engine import Engine
from verify.claim import Claim
from verify.methods.bisimulation import bisimulation
from verify.methods.hopeless import search_within
from verify.methods.sticky import find_sticky
from verify.progress import Progress
from verify.verdict import UNDECIDED, Verdict

HOPELESS_LIMIT = 200_000
"""Joint states of a search that cannot close, since the language has more classes than the limit allows."""

COUNTING_LIMIT = 10_000
"""Joint states of a search over counters without bounds, of a model that is not the paper's SSM: it cannot close.  The
numbers of the paper's SSM may saturate, or begin anew.
"""

DEEPEST, OUTPUTS_AT_ONCE = 2_000, 25
"""A search follows strings of up to so many brackets one after another; so many outputs cost nothing beside a
transition.
"""


class Search:
    """Covers everything that runs; closes where the pairs are finitely many."""

    name = "search"
    title = "all reachable pairs of machine state and model state are compared"
    unit = "joint states"

    def covers(self, claim: Claim) -> str:
        return ""

    def cost(self, claim: Claim) -> float:
        """Counted on the machine for bounded Dyck, on the registers elsewhere, previous digits included."""
        machine = claim.machine
        if isinstance(machine, DyckMachine):
            if machine.depth > DEEPEST:
                return math.inf
            # Each transition compares all outputs, which tells where there are very many of them.
            states = (machine.depth + 1.0) * 2.0 ** min(1000.0, machine.depth * math.log2(machine.k))
            return states * (machine.k + 1) * max(1.0, (2 * machine.k + 1) / OUTPUTS_AT_ONCE)
        if claim.construction is None:
            return math.inf
        return _states(claim.construction.cascade) * len(machine.alphabet)

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        drifts = claim.construction is None or DRIFT in needs(claim.construction.cascade)
        looked_for = drifts and claim.mode == RECOGNISE and isinstance(claim.model, Engine)
        absorbed = find_sticky(claim.model) if looked_for else None

        def search(limit: int) -> Verdict:
            return bisimulation(
                claim.machine, claim.model, claim.mode, limit=limit, absorbed=absorbed, progress=progress
            )

        if isinstance(claim.machine, CounterMachine) and not isinstance(claim.model, Engine):
            verdict = search(min(claim.limit, COUNTING_LIMIT))
            why = "cannot close: a counter has infinitely many values"
            return replace(verdict, reason=f"{why}; {verdict.reason}") if verdict.outcome == UNDECIDED else verdict
        return search_within(claim, HOPELESS_LIMIT, search)


def _states(cascade: Cascade) -> float:
    """About how many states the registers have together; infinite with a counter that no range holds."""
    bits = 0.0
    for register in cascade.registers:
        if isinstance(register, Counter):
            if register.span is None:
                return math.inf
            bits += math.log2(register.span[1] - register.span[0] + 1)
        else:
            bits += bit_length(register.values) * (1 + (register.name in cascade.read_before))
    return 2.0 ** min(bits, 1000.0)


SEARCH = Search()
