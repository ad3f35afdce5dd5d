"""Proof by induction on the weights: counters of any value, stacks of any size (see
:mod:`verify.methods.induction`).
"""

from __future__ import annotations

from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.ssm.weights import SSM
from verify.claim import Claim
from verify.methods.induction import prove_counter, prove_dyck
from verify.progress import Progress
from verify.verdict import Verdict

COST = 20_000_000.0
"""An induction is taken where a search would follow more transitions than this: it says less about where a model is
wrong.
"""


class Induction:
    """Covers the paper's SSM for counter languages and bounded Dyck, its coordinates named as the constructions name
    them.
    """

    name = "induction"
    title = "a relation of machine and model states is kept by every step"
    unit = "cases"

    def covers(self, claim: Claim) -> str:
        if not isinstance(claim.weights, SSM):
            return "it reads the weights of the paper's SSM"
        if not isinstance(claim.machine, (CounterMachine, DyckMachine)):
            return "it speaks about counter languages and bounded Dyck"
        return ""

    def cost(self, claim: Claim) -> float:
        return COST

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        machine = claim.machine
        if isinstance(machine, DyckMachine):
            return prove_dyck(claim.weights, machine.k, machine.depth, claim.mode, progress)
        assert isinstance(machine, CounterMachine), "as covers() says"
        return prove_counter(claim.weights, machine, claim.mode, progress)


INDUCTION = Induction()
