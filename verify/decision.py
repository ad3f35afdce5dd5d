"""Which architecture can have a language: weights with a proof, what forbids it with strings that show it, or neither.

What is expressible is built and proved (:func:`verify.proving.prove_claim`).  What is not star-free is impossible where
the state moves by monotone maps, and so are other groups elsewhere; strings that show it are then run on models with
random weights, each of which gets one wrong.  Everything else is open, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from automata.algebra.quasi_aperiodic import is_quasi_aperiodic
from automata.catalogue import COUNTER, Language
from automata.errors import InputError, LimitError
from automata.machine import ACCEPT, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import ADD, NotExpressible, compile
from constructions.stock.rows import random_row
from constructions.target import CLOCKED, CONTRACTION, MONOTONE, SIGNED, SOLVABLE, Target
from verify.claim import Claim
from verify.impossible.cycles import find_cycle
from verify.impossible.endings import words_that_end_alike
from verify.impossible.random_models import Draw, Failures, Shown, on_few, on_powers, on_strings
from verify.progress import NO_PROGRESS, Progress
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, Verdict

EXPRESSIBLE, IMPOSSIBLE, NOT_KNOWN = ANSWERS = ("expressible", "impossible", "open")

_ALIKE = 8
"""Symbols at the end of two strings that no window of so many tells apart."""

_LEAST_HORIZON = 100
"""Weights that are proved up to fewer symbols do not say that an architecture has a language."""

_TURNS = 4
"""Steps of w after which models of two layers whose gates are -1, 0 or 1 answer as before: each layer doubles them."""

_CLOCK = 4
"""The order of the gates of random models that are the same at every step: 1, i, -1, -i."""

THEOREM = (
    "each number of its state moves by a monotone map, given those above it, and repeating a word brings such maps to "
    "rest (Sarrof, Veitsman, Hahn 2024, Theorem 2; machine-checked in verify/coq)"
)

GROUPS = {
    SIGNED: "each number of its state moves by a monotone map or one that turns the order over, given those above it, "
    "and finitely many of these have groups of order 2, 4, 8, … alone (Krohn, Rhodes 1965)",
    SOLVABLE: "each number of its state moves by a map z -> a z + b of a field, given those above it, and finitely "
    "many of these have solvable groups alone (Krohn, Rhodes 1965)",
}
"""What forbids a group, by how the state moves: its divisors are those of a wreath product of the levels' groups."""

CLOCK = (
    "whatever number divides the length of w, there is a w that permutes states (the language is not quasi-aperiodic: "
    "Barrington, Compton, Straubing, Therien 1992); where the orders of gates that never change divide it, every "
    "number after u w^n v is a polynomial in n from some n on, in exact arithmetic, so the answer settles"
)

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
        failures: where it is impossible, strings that random models were run on, and how many got one wrong.
        shown: what runs other models on strings found in the same way.
        claim: what was proved of the paper's SSM; None of other weights, which nobody asks for again.
    """

    target: str
    answer: str
    reason: str
    size: dict[str, int] = field(default_factory=dict)
    verdict: Verdict | None = None
    failures: Failures | None = None
    shown: Shown | None = None
    claim: Claim | None = None

    @property
    def strings(self) -> tuple[tuple[str, ...], ...]:
        """Those of the failures."""
        return self.failures.strings if self.failures else ()


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
        models: random models that are run on the same strings, where it is impossible.

    Raises:
        InputError: when the target cannot be run here, naming what is not installed.
    """
    try:
        construction = compile(language.machine, mode, target=target)
        built = build(construction, target)
    except NotExpressible as refusal:
        return _refused(language, target, refusal, models, progress)
    except LimitError as error:
        return Decision(target.name, NOT_KNOWN, str(error))
    endless = language.kind == COUNTER
    with built.running() as model:
        claim = Claim(language.machine, mode, model, built.weights, construction, limit)
        verdict = prove_claim(claim, progress=progress)
    size = target.size(built.weights)
    if verdict.outcome == REFUTED:
        return Decision(
            target.name, NOT_KNOWN, f"the weights that were built are wrong: {verdict.reason}", size, verdict
        )
    if verdict.outcome == PROVED and verdict.horizon is not None and verdict.horizon < _LEAST_HORIZON:
        reason = (
            f"weights were built and proved by {verdict.method}, up to {verdict.horizon} symbols alone: too few to say"
        )
        return Decision(target.name, NOT_KNOWN, reason, size, verdict)
    if verdict.outcome == PROVED:
        length = "every length" if verdict.horizon is None else f"up to {verdict.horizon} symbols"
        kept = claim if target.numbers == "arithmetic" else None
        return Decision(target.name, EXPRESSIBLE, f"proved by {verdict.method}: {length}", size, verdict, claim=kept)
    if endless and target.numbers == "dtype":
        reason = f"weights were built, and count as far as their format does, not for ever: {_FINITE}"
        return Decision(target.name, NOT_KNOWN, reason, size, verdict)
    if endless:
        seen = verdict.explored.get("joint states", 0)
        reason = (
            f"weights were built, with no disagreement in {seen} joint states; no search closes, as the language has "
            "infinitely many classes, and these weights have no other proof"
        )
        return Decision(target.name, NOT_KNOWN, reason, size, verdict)
    return Decision(target.name, NOT_KNOWN, f"weights were built and not proved: {verdict.reason}", size, verdict)


def decide_without_weights(
    language: Language, name: str, models: int = 1, progress: Progress = NO_PROGRESS
) -> Decision:
    """The answer for an architecture of WITHOUT_WEIGHTS; only random models are run, where it is impossible.

    Raises:
        InputError: when such a model cannot be run here, naming what is not installed.
    """
    draw = partial(random_row, name, language.alphabet, (ACCEPT,))
    regular = language.star_free is not None
    if name == "lfm2" and regular and (strings := words_that_end_alike(language.dfa(), _ALIKE)) is not None:
        reason = f"{WITHOUT_WEIGHTS[name]}; strings that end alike, however long, are told apart by their beginnings"
        made = f"the last {_ALIKE} symbols of both are the same"
        return _forbidden(
            name, reason, partial(on_strings, language=language, strings=strings, made=made), draw, models, progress
        )
    if name == "minimax" and language.star_free is False:
        return _settled(name, language, draw, models, progress)
    return Decision(name, NOT_KNOWN, WITHOUT_WEIGHTS[name])


def _refused(language: Language, target: Target, refusal: NotExpressible, models: int, progress: Progress) -> Decision:
    """What no register of the target does: impossible where a theorem says so, else open."""
    draw = partial(target.random, language.alphabet, (ACCEPT,))
    if language.star_free is False and target.motion == MONOTONE:
        return _settled(target.name, language, draw, models, progress)
    if language.star_free is False and target.motion == CLOCKED and not _quasi_aperiodic(language):
        cycle = find_cycle(language.dfa(), RECOGNISE, multiple=_CLOCK)
        assert cycle is not None, "words of any multiple permute states"
        return _forbidden(
            target.name, CLOCK, partial(on_powers, language=language, cycle=cycle), draw, models, progress
        )
    if refusal.group:
        turning = find_cycle(language.dfa(), RECOGNISE, apart=_TURNS) if target.motion == SIGNED else None
        shown: Shown = partial(on_few, language=language)
        if turning is not None:
            shown = partial(on_powers, language=language, cycle=turning)
        reason = f"{refusal}: {GROUPS[target.motion]}; {CONDITIONS}"
        return _forbidden(target.name, reason, shown, draw, models, progress)
    if language.star_free is None and ADD not in target.abilities:
        return Decision(target.name, NOT_KNOWN, f"{refusal}; {_FINITE}")
    return Decision(target.name, NOT_KNOWN, _UNKNOWN.get(target.motion, f"{refusal}; no theorem is known"))


def _settled(name: str, language: Language, draw: Draw, models: int, progress: Progress) -> Decision:
    """Of an architecture that settles where a word is repeated, and a language that does not."""
    cycle = find_cycle(language.dfa(), RECOGNISE)
    assert cycle is not None, "it is not star-free"
    reason = f"repeating {' '.join(cycle.w)} permutes states with period {cycle.period}: Theorem 2"
    return _forbidden(name, reason, partial(on_powers, language=language, cycle=cycle), draw, models, progress)


def _forbidden(name: str, reason: str, shown: Shown, draw: Draw, models: int, progress: Progress) -> Decision:
    """Impossible, with strings that random models get wrong."""
    return Decision(name, IMPOSSIBLE, reason, failures=shown(draw, models=models, progress=progress), shown=shown)


def _quasi_aperiodic(language: Language) -> bool:
    """Whether it is, or that is not known."""
    try:
        return is_quasi_aperiodic(language.dfa())
    except InputError:
        return True
