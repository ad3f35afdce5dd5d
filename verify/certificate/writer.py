"""From a claim and its verdict to a certificate: which evidence speaks for it."""

from __future__ import annotations

from typing import Any

from automata.dfa import DFA
from automata.machine import Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.compile.pair_graph import chart_of
from constructions.ssm.weights import SSM
from verify.certificate.bound import bound_evidence
from verify.certificate.closed import closed_evidence
from verify.certificate.document import (
    AT_MOST_STAR_FREE,
    CERTIFICATE_FORMAT,
    COMPUTES,
    NOT_STAR_FREE,
    WRONG,
    NoCertificate,
    language_object,
    model_object,
)
from verify.certificate.levels import levels_evidence
from verify.certificate.refutations import cycle_evidence, word_evidence
from verify.certificate.relation import relation_evidence
from verify.claim import Claim
from verify.impossible.cycles import Cycle
from verify.methods.induction import prove_dyck
from verify.verdict import PROVED, REFUTED, Verdict

ONLY_SSM = "certificates cover the paper's SSM only"


def certificate(claim: Claim, verdict: Verdict, expression: str | None = None) -> dict[str, Any]:
    """The certificate of a verdict about a claim.

    Args:
        claim: what was proved or refuted.
        verdict: the outcome.
        expression: the regular expression that the machine was made from, where it was.

    Raises:
        NoCertificate: for a verdict that is neither, for another model than the paper's SSM, and where no evidence is
            known.

    >>> from automata.catalogue import language
    >>> from constructions.build import build
    >>> from constructions.compile.compiler import compile
    >>> from constructions.ssm.engine import Engine
    >>> from verify.proving import prove_claim
    >>> made = build(compile(language("flip-flop").machine))
    >>> claim = Claim(made.construction.machine, "predictive", Engine(made.weights), made.weights, made.construction)
    >>> certificate(claim, prove_claim(claim))["evidence"]
    {'closed': {'states': 13, 'dead': None}}
    """
    ssm = claim.weights
    if not isinstance(ssm, SSM):
        raise NoCertificate(ONLY_SSM)
    if verdict.outcome == REFUTED:
        return refutation(ssm, claim.machine, verdict, expression=expression)
    if verdict.outcome != PROVED:
        raise NoCertificate(f"the verdict is {verdict.outcome}: only what is proved or refuted has a certificate")
    return {
        "format": CERTIFICATE_FORMAT,
        "claim": COMPUTES,
        "mode": verdict.mode,
        "horizon": verdict.horizon,
        "language": language_object(claim.machine, expression),
        "model": model_object(ssm),
        "evidence": _evidence(claim, verdict),
    }


def _evidence(claim: Claim, verdict: Verdict) -> dict[str, Any]:
    machine, ssm = claim.machine, claim.weights
    if verdict.method == "levelwise":
        assert claim.construction is not None and claim.construction.skeleton is not None, "the method needs its chart"
        return levels_evidence(ssm, chart_of(claim.construction.skeleton))
    if isinstance(machine, CounterMachine) or (
        isinstance(machine, DyckMachine) and machine.k > 1 and machine.depth > 0 and _kept(ssm, machine, verdict)
    ):
        return relation_evidence(ssm, machine, verdict.horizon)
    if "joint states" in verdict.explored and verdict.method == "search":
        return closed_evidence(ssm, machine, verdict)
    if isinstance(machine, DyckMachine):
        return {"closed": {"states": 4 * machine.depth + 4, "dead": None}}
    raise NoCertificate(f"no evidence is known for a proof by {verdict.method}")


def _kept(ssm: SSM, machine: DyckMachine, verdict: Verdict) -> bool:
    """Whether the relation that the names of the coordinates speak of is known to be kept: then it is shorter than a
    search.
    """
    if verdict.method == "induction":
        return True
    again = prove_dyck(ssm, machine.k, machine.depth, verdict.mode)
    longer = again.horizon is None or (verdict.horizon is not None and again.horizon >= verdict.horizon)
    return again.outcome == PROVED and again.method == "induction" and longer


def refutation(
    ssm: SSM,
    machine: Machine,
    verdict: Verdict,
    cycle: Cycle | None = None,
    answer: frozenset[str] | None = None,
    expression: str | None = None,
) -> dict[str, Any]:
    """The certificate of a refutation: see :func:`verify.certificate.refutations.word_evidence` for the two strings.

    Raises:
        NoCertificate: when the model was not run on any string.
    """
    return {
        "format": CERTIFICATE_FORMAT,
        "claim": WRONG,
        "mode": verdict.mode,
        "language": language_object(machine, expression),
        "model": model_object(ssm),
        "evidence": word_evidence(verdict, cycle, answer),
    }


def not_star_free(dfa: DFA, expression: str | None = None, image_sets: int | None = None) -> dict[str, Any]:
    """The certificate that a language is not star-free.

    Raises:
        NoCertificate: when it is.

    >>> not_star_free(DFA("a", [[1], [0]], accepting=[0]))["evidence"]
    {'cycle': {'u': [], 'w': ['a'], 'v': [], 'period': 2}}
    """
    return {
        "format": CERTIFICATE_FORMAT,
        "claim": NOT_STAR_FREE,
        "language": language_object(dfa, expression),
        "evidence": cycle_evidence(dfa, image_sets),
    }


def at_most_star_free(ssm: SSM) -> dict[str, Any]:
    """The certificate that whatever a model recognises or predicts is star-free.

    Raises:
        NoCertificate: when the audit does not say so, or a layer has too many states to be listed.
    """
    return {
        "format": CERTIFICATE_FORMAT,
        "claim": AT_MOST_STAR_FREE,
        "model": model_object(ssm),
        "evidence": bound_evidence(ssm),
    }
