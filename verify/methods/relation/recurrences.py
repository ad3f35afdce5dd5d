"""Counter languages on a linear recurrence of whole numbers, which is the paper's SSM written otherwise.

What the SSM does not ask of a gate, the recurrence does: its engine refuses a step whose gate is none of the family's.
So a proof also shows of every gate of every step from R that it is -1, 0 or 1.  A string that a search of the SSM
finds is run on the recurrence itself.
"""

from __future__ import annotations

from dataclasses import replace

from automata.errors import InputError
from automata.machines.counter_machine import CounterMachine
from constructions.linear.as_ssm import as_ssm
from constructions.linear.engine import LinearEngine
from constructions.linear.weights import LinearWeights
from verify.evidence.sampling import check_words
from verify.methods.relation.counters import prove_relation
from verify.methods.relation.forms import FormStep, bounds, decided_parts
from verify.methods.relation.prove import RelationProof
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict


def prove_recurrence(weights: LinearWeights, machine: CounterMachine, progress: Progress = NO_PROGRESS) -> Verdict:
    """Proves or refutes that a recurrence is right about a counter language: every length, every counter value.

    Args:
        weights: of a diagonal family with integers, its cells named as in :mod:`constructions.paper.counters`.
        machine: the definition of the language.
        progress: told about cases as they are done.

    Returns:
        As of :func:`~verify.methods.relation.counters.prove_relation`.  Numbers of any size are meant; what the engine
        cannot run exactly it refuses.

    Raises:
        InputError: where the recurrence is no SSM, or while a string is run, for a gate that is not of the family.

    >>> from verify import build, compile, language
    >>> found = language("anbn")
    >>> prove_recurrence(build(compile(found, "recognise", target="lru"), "lru").weights, found.machine).outcome
    'proved'
    """
    ssm = as_ssm(weights)
    verdict = prove_relation(ssm, machine, progress)
    if verdict.outcome == PROVED:
        name = foreign_gate(RelationProof(ssm, machine))
        if not name:
            return replace(verdict, reason=f"the recurrence is an SSM; {verdict.reason}")
        why = f"in some step from R the gate of {name!r} is none of {weights.family}, or not known to be one"
        return replace(verdict, outcome=UNDECIDED, reason=why, relation=())
    if verdict.outcome == REFUTED:
        assert verdict.witness is not None, "a refutation has a string"
        seen = check_words(machine, LinearEngine(weights), [verdict.witness.word], ssm.mode)
        assert seen.outcome == REFUTED, "the recurrence and its SSM give the same"
    return verdict


def why_no_ssm(weights: LinearWeights) -> str:
    """Empty where the recurrence is an SSM."""
    try:
        as_ssm(weights)
    except InputError as error:
        return str(error)
    return ""


def foreign_gate(proof: RelationProof) -> str:
    """The name of a coordinate whose gate is not certainly -1, 0 or 1 in every step from R; empty if there is none."""
    for stepped in (proof.first(), *proof.steps()):
        for number, i in proof.places:
            if may_be_foreign(stepped.step, number, i):
                return proof.ssm.layers[number].names[i]
    return ""


def may_be_foreign(step: FormStep, layer: int, i: int) -> bool:
    """Whether the gate of a coordinate, a whole number, is not certainly -1, 0 or 1 in a step."""
    for part, gate in decided_parts(step, lambda step: step.gate(layer, i)):
        least, most = bounds(gate, part.box)
        if least is None or most is None or least < -1 or most > 1:
            return True
    return False
