"""Proof by a relation on affine forms: counter machines, for every counter value, without a solver."""

from __future__ import annotations

from importlib.util import find_spec

from automata.machine import RECOGNISE
from automata.machines.counter_machine import CounterMachine
from constructions.linear.as_ssm import as_ssm
from constructions.linear.weights import LinearWeights
from constructions.ssm.weights import SSM
from verify.claim import Claim
from verify.methods.induction.prove import check_question
from verify.methods.relation.counters import prove_relation
from verify.methods.relation.recurrences import prove_recurrence, why_no_ssm
from verify.progress import Progress
from verify.verdict import Verdict

RELATION_COST, COST_OF_MANY = 19_000_000.0, 21_000_000.0
"""A relation is taken where a search would follow more transitions than this: before an induction with a solver, or
after it.
"""

MANY_COUNTERS = 7
"""With more counters than this a box has so many corners that a solver is quicker to say what is accepted, where there
is one.  What is legal asks for few counters at a time, of which a solver looks into every set.
"""


class RelationMethod:
    """Covers the paper's SSM for counter languages, its coordinates named as the constructions name them, and what is
    one written otherwise.
    """

    name = "relation"
    title = "a relation of machine and model states, on affine forms of the counters, is kept by every step"
    unit = "cases"

    def covers(self, claim: Claim) -> str:
        if not isinstance(claim.machine, CounterMachine):
            return "it speaks about counter languages"
        if isinstance(claim.weights, LinearWeights):
            return why_no_ssm(claim.weights)
        return "" if isinstance(claim.weights, SSM) else "it reads the weights of the paper's SSM"

    def cost(self, claim: Claim) -> float:
        assert isinstance(claim.machine, CounterMachine), "as covers() says"
        many = claim.mode == RECOGNISE and len(claim.machine.counters) > MANY_COUNTERS
        return COST_OF_MANY if many and find_spec("z3") is not None else RELATION_COST

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        assert isinstance(claim.machine, CounterMachine), "as covers() says"
        if isinstance(claim.weights, LinearWeights):
            check_question(as_ssm(claim.weights), claim.machine, claim.mode)
            return prove_recurrence(claim.weights, claim.machine, progress)
        check_question(claim.weights, claim.machine, claim.mode)
        return prove_relation(claim.weights, claim.machine, progress)


RELATION = RelationMethod()
