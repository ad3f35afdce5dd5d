"""From a star-free automaton to a proved model, in one call: for whole collections of languages."""

from __future__ import annotations

from automata.algebra.holonomy import Skeleton
from automata.dfa import DFA
from automata.machine import PREDICTIVE
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.compile.pair_graph import chart_of
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.methods.bisimulation import bisimulation
from verify.methods.levelwise import prove_levelwise
from verify.verdict import PROVED, Verdict

SEARCHED_BITS = 12
"""With up to so many bits, previous digits included, the proof is a search; beyond, it goes level by level."""

ARITHMETIC = Arithmetic("fixed", 1)
"""One fractional bit holds what a register held before the step."""


def prove_star_free(dfa: DFA, mode: str = PREDICTIVE, skeleton: Skeleton | None = None) -> Verdict:
    """Compiles an aperiodic automaton by holonomy, lowers the cascade to weights and proves them.

    Args:
        dfa: an aperiodic automaton, minimal for the smallest model.
        mode: the question that the model answers.
        skeleton: the automaton's skeleton where it is known already.

    Raises:
        InputError: when the automaton is not aperiodic, so that its cascade permutes, or has too many image sets.

    >>> prove_star_free(DFA("ab", [[1, 2], [2, 0], [2, 2]], accepting=[0])).outcome  # (ab)*
    'proved'
    """
    skeleton = skeleton or Skeleton.of(dfa)
    ssm = lower(holonomy_cascade(dfa, mode, skeleton), ARITHMETIC)
    if 2 * skeleton.bits <= SEARCHED_BITS:
        verdict = bisimulation(dfa, Engine(ssm), mode)
        if verdict.outcome == PROVED:
            return verdict
    return prove_levelwise(ssm, dfa, chart_of(skeleton))
