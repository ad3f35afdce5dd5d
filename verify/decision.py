"""Which architecture can have a language: weights with a proof, what forbids it with strings that show it, or neither.

What is expressible is built and proved (:func:`verify.proving.prove_claim`).  What is not star-free is impossible where
the state moves by monotone maps; the two strings of a cycle are then run on models with random weights, which answer
both alike.  Everything else is open, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from automata.catalogue import COUNTER, Language
from automata.errors import LimitError
from automata.machine import ACCEPT, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import ADD, NotExpressible, compile
from constructions.target import CONTRACTION, MONOTONE, SIGNED, SOLVABLE, Target
from verify.claim import Claim
from verify.impossible.cycles import Cycle, find_cycle
from verify.impossible.endings import words_that_end_alike
from verify.progress import NO_PROGRESS, Progress
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, Verdict

EXPRESSIBLE, IMPOSSIBLE, NOT_KNOWN = ANSWERS = ("expressible", "impossible", "open")

_ALIKE = 8
"""Symbols at the end of two strings that no window of so many tells apart."""

REPEATED = 48
"""How often w is repeated, at most, to find two strings that a model answers alike."""

THEOREM = (
    "each number of its state moves by a monotone map, given those above it, and repeating a word brings such maps to "
    "rest (Sarrof, Veitsman, Hahn 2024, Theorem 2; machine-checked in verify/coq)"
)

LONGEST_CONFUSED = 8
"""Strings up to this length are run on a random model."""

GROUPS = {
    SIGNED: "each number of its state moves by a monotone map or one that turns the order over, given those above it, "
    "and finitely many of these have groups of order 2, 4, 8, … alone (Krohn, Rhodes 1965)",
    SOLVABLE: "each number of its state moves by a map z -> a z + b of a field, given those above it, and finitely "
    "many of these have solvable groups alone (Krohn, Rhodes 1965)",
}
"""What forbids a group, by how the state moves: its divisors are those of a wreath product of the levels' groups."""

WITHOUT_WEIGHTS = {
    "minimax": "the decay of lightning attention is the same at every step, so nothing is known to reset it, and no "
    "weights are there; where attention is idle, theorems on nonnegative gates hold",
    "lfm2": "short convolutions see the last symbols only, and attention is idle: what such a model has is definite, "
    "and no weights are there",
}
"""Architectures of transformers that are no targets, and why."""

CONDITIONS = "finite precision, finitely many features entering each layer, attention idle"

_UNKNOWN = {
    CONTRACTION: "over the reals its maps never lengthen, which allows no groups where finitely many states are "
    "reached; no theorem is known for floats",
}

_FINITE = "every model in floats has finitely many states, and the language has infinitely many classes"


@dataclass(frozen=True)
class Decision:
    """The answer for one architecture.

    Attributes:
        target: its name.
        answer: one of ANSWERS.
        reason: in words.
        size: of the weights, where there are any.
        verdict: of the proof, where there was one.
        strings: the two strings that no model of the architecture tells apart, where it is impossible.
        alike: how many random models were run on such strings, and answered two of them alike.
        claim: what was proved of the paper's SSM; None of other weights, which nobody asks for again.
    """

    target: str
    answer: str
    reason: str
    size: dict[str, int] = field(default_factory=dict)
    verdict: Verdict | None = None
    strings: tuple[tuple[str, ...], ...] = ()
    alike: int = 0
    claim: Claim | None = None


def decide(
    language: Language,
    mode: str,
    target: Target,
    *,
    limit: int = 50_000,
    models: int = 1,
    progress: Progress = NO_PROGRESS,
) -> Decision:
    """Decides one language on one architecture.

    Args:
        language: from :func:`automata.catalogue.language`.
        mode: the question.
        target: the architecture.
        limit: joint states of the proof.
        models: random models that are run on the strings, where it is impossible.

    Raises:
        InputError: when the target cannot be run here, naming what is not installed.
    """
    try:
        construction = compile(language.machine, mode, target=target)
        built = build(construction, target)
    except NotExpressible as refusal:
        return _refused(language, target, refusal, models)
    except LimitError as error:
        return Decision(target.name, NOT_KNOWN, str(error))
    with built.running() as model:
        claim = Claim(language.machine, mode, model, built.weights, construction, limit)
        verdict = prove_claim(claim, progress=progress)
    size = target.size(built.weights)
    if verdict.outcome == REFUTED:
        return Decision(
            target.name, NOT_KNOWN, f"the weights that were built are wrong: {verdict.reason}", size, verdict
        )
    if verdict.outcome == PROVED:
        length = "every length" if verdict.horizon is None else f"up to {verdict.horizon} symbols"
        kept = claim if target.numbers == "arithmetic" else None
        return Decision(target.name, EXPRESSIBLE, f"proved by {verdict.method}: {length}", size, verdict, claim=kept)
    if language.kind == COUNTER and target.numbers == "dtype":
        reason = f"weights were built, and count as far as their format does, not for ever: {_FINITE}"
        return Decision(target.name, NOT_KNOWN, reason, size, verdict)
    return Decision(target.name, NOT_KNOWN, f"weights were built and not proved: {verdict.reason}", size, verdict)


def decide_without_weights(language: Language, name: str) -> Decision:
    """The answer for an architecture of WITHOUT_WEIGHTS, of which no model is built or run.

    >>> from automata.catalogue import language
    >>> [decide_without_weights(language("tomita-1"), name).answer for name in WITHOUT_WEIGHTS]
    ['open', 'impossible']
    """
    regular = language.star_free is not None
    if name == "lfm2" and regular and (strings := words_that_end_alike(language.dfa(), _ALIKE)) is not None:
        reason = f"{WITHOUT_WEIGHTS[name]}; strings that end alike, however long, are told apart by their beginnings"
        return Decision(name, IMPOSSIBLE, reason, strings=strings)
    if name == "minimax" and language.star_free is False:
        cycle = find_cycle(language.dfa(), RECOGNISE)
        assert cycle is not None, "it is not star-free"
        reason = f"repeating {' '.join(cycle.w)} permutes states with period {cycle.period}: Theorem 2"
        return Decision(name, IMPOSSIBLE, reason, strings=(cycle_word(cycle, 0), cycle_word(cycle, 1)))
    return Decision(name, NOT_KNOWN, WITHOUT_WEIGHTS[name])


def _refused(language: Language, target: Target, refusal: NotExpressible, models: int) -> Decision:
    """What no register of the target does: impossible where a theorem says so, else open."""
    if language.star_free is False and target.motion == MONOTONE:
        cycle = find_cycle(language.dfa(), RECOGNISE)
        assert cycle is not None
        found = [
            alike for seed in range(models) if (alike := answered_alike(target, language, cycle, seed)) is not None
        ]
        strings = found[0] if found else (cycle_word(cycle, 0), cycle_word(cycle, 1))
        reason = f"repeating {' '.join(cycle.w)} permutes states with period {cycle.period}: Theorem 2"
        return Decision(target.name, IMPOSSIBLE, reason, strings=strings, alike=len(found))
    if refusal.group:
        pairs = [pair for seed in range(models) if (pair := confused(target, language, seed)) is not None]
        reason = f"{refusal}: {GROUPS[target.motion]}; {CONDITIONS}"
        return Decision(target.name, IMPOSSIBLE, reason, strings=pairs[0] if pairs else (), alike=len(pairs))
    if language.star_free is None and ADD not in target.abilities:
        return Decision(target.name, NOT_KNOWN, f"{refusal}; {_FINITE}")
    return Decision(target.name, NOT_KNOWN, _UNKNOWN.get(target.motion, f"{refusal}; no theorem is known"))


def cycle_word(cycle: Cycle, n: int) -> tuple[str, ...]:
    """u w^n v."""
    return cycle.u + cycle.w * n + cycle.v


def answered_alike(
    target: Target, language: Language, cycle: Cycle, seed: int
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Strings u w^n v and u w^(n+1) v that a random model answers alike, though just one is in the language."""
    alphabet = language.alphabet
    with target.random(alphabet, (ACCEPT,), seed) as model:
        before: bool | None = None
        for n in range(REPEATED + 1):
            given = _accepts(model, alphabet, cycle_word(cycle, n))
            if before is not None and given == before and (n - 1) % cycle.period in cycle.residues:
                return cycle_word(cycle, n - 1), cycle_word(cycle, n)
            before = given
    return None


def confused(target: Target, language: Language, seed: int) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Two shortest strings that a random model answers alike, though just one is in the language."""
    dfa, alphabet = language.dfa(), language.alphabet
    with target.random(alphabet, (ACCEPT,), seed) as model:
        first: dict[tuple[bool, bool], tuple[str, ...]] = {}
        for length in range(LONGEST_CONFUSED + 1):
            for word in product(alphabet, repeat=length):
                given, right = _accepts(model, alphabet, word), dfa.accepts_word(word)
                first.setdefault((given, right), word)
                if (other := first.get((given, not right))) is not None:
                    return other, word
    return None


def _accepts(model: Any, alphabet: tuple[str, ...], word: tuple[str, ...]) -> bool:
    running = getattr(model, "by_full_forward", model)
    states, outputs = running.begin(1)
    if word:
        indices = np.array([[alphabet.index(symbol) for symbol in word]])
        _, outputs = running.advance(states, indices)
    return bool(outputs.dense()[0, -1, 0])
