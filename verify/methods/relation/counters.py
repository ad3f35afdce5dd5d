"""Counter languages on the paper's SSM, by a relation on affine forms: every counter value, without a solver."""

from __future__ import annotations

from itertools import chain

from automata.machines.counter_machine import CounterMachine
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.methods.induction.counter_obligations import read_aloud
from verify.methods.induction.counter_words import counter_words
from verify.methods.induction.far_words import far_words
from verify.methods.induction.obligations import Result
from verify.methods.induction.relation import CounterRelation
from verify.methods.relation.horizon import covered_symbols, largest_exact_value
from verify.methods.relation.prove import RelationProof
from verify.methods.witness import find_witness, without_proof
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, Verdict

WORDS = 60
"""Symbols of the random words on which a model is tried that is not proved."""

_KEPT = "every step from R stays in R and R implies equal outputs"


def prove_relation(ssm: SSM, machine: CounterMachine, progress: Progress = NO_PROGRESS) -> Verdict:
    """Proves or refutes that a model is right about a counter language: every length, every counter value.

    Args:
        ssm: a model whose coordinates are named as in :mod:`constructions.paper.counters`; the names are guesses that
            are checked.
        machine: the definition of the language.
        progress: told about cases (a control and a symbol) as they are done.

    Returns:
        ``proved``; in float arithmetic with the largest counter value up to which every step is exact, and the length
        of the strings that this covers.  ``refuted`` with a string, or ``undecided`` with the reason.

    >>> from automata.machines.counter_machine import counter_machine
    >>> from constructions.paper.counters import counter_cascade
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.ssm.lowering import lower
    >>> verdict = prove_relation(lower(counter_cascade("anbn"), Arithmetic.parse("float32")), counter_machine("anbn"))
    >>> verdict.outcome, verdict.horizon
    ('proved', 16777216)
    """
    engine, result, explored = Engine(ssm), Result(), dict[str, int]()

    def verdict(outcome: str, reason: str, **more) -> Verdict:
        found = {"facts": result.facts, **explored}
        return Verdict(outcome, "relation", ssm.mode, str(ssm.arithmetic), found, reason, **more)

    words = far_words(machine, ssm)
    try:
        proof = RelationProof(ssm, machine)
        result = proof.run(progress)
        aloud = tuple(read_aloud(CounterRelation.of(ssm, machine), machine))
        if not result.failures and not ssm.arithmetic.is_float:
            return verdict(PROVED, f"{_KEPT}: holds at every length and every counter value", relation=aloud)
        if not result.failures:
            explored["largest counter value"] = value = largest_exact_value(proof)
            length = covered_symbols(proof, value)
            held = "holds at every length" + " at which integers that drift are certainly exact" * (length is not None)
            reason = f"{_KEPT}, and every step is exact while no counter exceeds {value}: {held}"
            return verdict(PROVED, reason, horizon=length, relation=aloud)
        failed = f"an obligation fails: {result.failures[0]}"
        words = chain(counter_words(machine, result.failures), words)
    except NotCovered as error:
        failed = f"the relation does not speak about this model: {error}"
    witness = find_witness(engine, machine, words, WORDS)
    return verdict(*without_proof(failed, witness), witness=witness)
