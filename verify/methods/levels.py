"""Proof level by level: each layer's weights compute exactly the rule that the pair graph of a holonomy cascade asks
for.
"""

from __future__ import annotations

from automata.dfa import DFA
from constructions.compile.pair_graph import chart_of
from constructions.ssm.weights import SSM
from verify.claim import Claim
from verify.methods.levelwise import prove_levelwise
from verify.progress import Progress
from verify.verdict import Verdict

SEARCHED_STATES = 4096.0
"""With more states of the registers than this, previous digits included, going level by level is the quicker way."""


class Levels:
    """Covers holonomy cascades on the paper's SSM, where integers are exact."""

    name = "levels"
    title = "each layer does what its level of the cascade has to do"
    unit = "facts"

    def covers(self, claim: Claim) -> str:
        if not isinstance(claim.weights, SSM):
            return "it reads the weights of the paper's SSM"
        if claim.weights.arithmetic.is_float:
            return "it speaks about integers over a power of two, not floats"
        construction = claim.construction
        if construction is None or construction.skeleton is None or not construction.cascade.levels:
            return "it speaks about holonomy cascades: add --route holonomy"
        if not isinstance(claim.machine, DFA):
            return "it speaks about finite automata"
        return ""

    def cost(self, claim: Claim) -> float:
        return SEARCHED_STATES * len(claim.machine.alphabet) + 1

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        construction = claim.construction
        assert construction is not None and construction.skeleton is not None and isinstance(claim.machine, DFA)
        return prove_levelwise(claim.weights, claim.machine, chart_of(construction.skeleton), progress)


LEVELS = Levels()
