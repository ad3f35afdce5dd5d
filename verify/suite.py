"""The paper's languages in one table: what is proved of each, what it costs, and what training reached.

A row puts side by side what the theory says of a language, the weights that were built and proved (or the two strings
that no such model tells apart), the released labels, and the published accuracy of trained models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Sequence

from automata.algebra.monoid import TransitionMonoid
from automata.catalogue import COUNTER, LANGUAGES, Language, language
from automata.errors import InputError, LimitError
from automata.machine import PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from constructions.compile.compiler import compile
from constructions.target import TARGETS
from verify.decision import EXPRESSIBLE, IMPOSSIBLE, Decision, decide
from verify.evidence.dataset import Audit, audit, folders, run_constructed
from verify.show.memory import Memory, classes_of
from verify.verdict import PROVED, REFUTED, UNDECIDED, Verdict

PAPER_TARGET = "ssm"

PAPER_LANGUAGES = (*LANGUAGES, "dyck-8-10")
"""The 27 languages of the experiments, the flip-flop language, and the bounded Dyck language of the experiments."""

JOINT_STATES, MONOID = 10_000, 10_000
"""Limits of each proof, and of a monoid that is counted, unless told otherwise."""

PUBLISHED: dict[str, tuple[float, ...]] = {
    **{name: (100, 100) for name, known in LANGUAGES.items() if known.known and name != "flip-flop"},
    "d-12": (99.99, 99.85),
    "parity": (91.2, 16.7),
    "aa-star": (4.2, 0),
    "aaaa-star": (4, 0),
    "abab-star": (0, 0),
    "tomita-3": (60.9, 29.4),
    "tomita-5": (38.4, 0),
    "tomita-6": (54.6, 0.04),
    "dyck-1": (100, 62.6, 13.9),
    "shuffle-2": (100, 65.5, 9.7),
    "shuffle-4": (100, 63.8, 7.8),
    "shuffle-6": (100, 61.2, 9.9),
    "boolean-3": (100, 73.5, 8.6),
    "boolean-5": (100, 80.2, 14.9),
    "anbn": (100, 21.3, 0),
    "anbncn": (100, 7.6, 0),
    "anbncndn": (100, 4.8, 0),
}
"""Accuracy in percent of a trained Mamba, by bins of ever longer strings, the first of the lengths of training: of
three layers, and for the counter languages the best of one to three layers in each bin.

Source: the spreadsheets released with Sarrof, Veitsman, Hahn 2024.
"""


@dataclass(frozen=True)
class Row:
    """What is known of one language.

    Attributes:
        language: which.
        states: of the minimal complete automaton; None where it has none.
        monoid: elements of its transition monoid, the identity among them; None where it has none or too many.
        decisions: of the targets, the paper's SSM first.
        bits: of memory that the paper's SSM uses; None where it has no weights, or counters without bound.
        least: bits that any model needs; None where no number of them is enough.
        audit: of the released labels, where there are any.
        model: the weights run on the released strings.
        faults: what is wrong, in words; a row without faults holds.
    """

    language: Language
    states: int | None
    monoid: int | None
    decisions: tuple[Decision, ...]
    bits: float | None
    least: float | None
    audit: Audit | None = None
    model: Verdict | None = None
    faults: tuple[str, ...] = field(default=())

    @property
    def kind(self) -> str:
        if self.language.kind == COUNTER:
            return "counter"
        return "star-free" if self.language.star_free else "regular"

    @property
    def outcome(self) -> str:
        """``refuted`` where something is wrong; ``undecided`` where the theory has an answer, and none was found."""
        if self.faults:
            return REFUTED
        expected = IMPOSSIBLE if self.language.star_free is False else EXPRESSIBLE
        return PROVED if self.decisions[0].answer == expected else UNDECIDED

    @property
    def published(self) -> tuple[float, ...]:
        return PUBLISHED.get(self.language.name, ())


def row_of(
    known: Language, targets: Sequence[str] = (), data: str | Path | None = None, limit: int = JOINT_STATES
) -> Row:
    """Decides one language on the paper's SSM and these targets, and looks at its labels.

    Args:
        known: from the catalogue.
        targets: names of further targets.
        data: a folder of released labels.
        limit: joint states of each proof.

    Raises:
        InputError: when a target cannot be run here, or the labels cannot be read.
    """
    names = [PAPER_TARGET, *(name for name in targets if name != PAPER_TARGET)]
    decisions = tuple(decide(known, PREDICTIVE, TARGETS.named(name), limit=limit) for name in names)
    found, model = _released(known, data) if data is not None else (None, None)
    states, monoid = _sizes(known)
    bits, least = _memory(known, decisions[0])
    faults = tuple(_faults(known, decisions, found, model))
    return Row(known, states, monoid, decisions, bits, least, found, model, faults)


def languages_named(text: str | None) -> list[Language]:
    """The languages of ``--only``, or all.

    Raises:
        InputError: for an unknown name.
    """
    return [language(name.strip()) for name in (PAPER_LANGUAGES if text is None else text.split(","))]


def targets_named(text: str | None) -> list[str]:
    """The targets of ``--targets``, each once, the paper's SSM left out: it is always there.

    Raises:
        InputError: for an unknown name.
    """
    names = [TARGETS.named(name.strip()).name for name in text.split(",")] if text else []
    return [name for name in dict.fromkeys(names) if name != PAPER_TARGET]


def outcome_of(rows: Sequence[Row]) -> str:
    """Of all rows: the worst."""
    outcomes = {row.outcome for row in rows}
    return next(outcome for outcome in (REFUTED, UNDECIDED, PROVED) if outcome in outcomes)


def _sizes(known: Language) -> tuple[int | None, int | None]:
    """States and elements of the monoid, where there are finitely many, and not too many."""
    if known.kind == COUNTER:
        return None, None
    states = classes_of(known.machine, RECOGNISE)
    if isinstance(known.machine, DyckMachine) and (states is None or states > MONOID):
        return states, None
    dfa = known.dfa()
    try:
        return dfa.states, len(TransitionMonoid(dfa, MONOID))
    except LimitError:
        return dfa.states, None


def _memory(known: Language, decision: Decision) -> tuple[float | None, float | None]:
    """Bits of the paper's SSM, and the least that any model needs."""
    if decision.answer != EXPRESSIBLE:
        return None, None
    found = Memory.of(compile(known.machine, PREDICTIVE))
    return (None, None) if found.bound is None else (found.used, found.bound)


def _released(known: Language, data: str | Path) -> tuple[Audit | None, Verdict | None]:
    """The labels of a language, and its weights on their strings."""
    for place in folders(data):
        try:
            named = language(place.resolve().name)
        except InputError:
            continue
        if named.name == known.name:
            machine = known.machine if known.kind == COUNTER else known.dfa()
            found = audit(place, machine)
            return found, run_constructed(machine, found.words)
    return None, None


def _faults(
    known: Language, decisions: Sequence[Decision], found: Audit | None, model: Verdict | None
) -> Iterator[str]:
    """What contradicts the theory, the definition or the labels."""
    for decision in decisions:
        if decision.verdict is not None and decision.verdict.outcome == REFUTED:
            yield f"{decision.target}: {decision.reason}"
        if decision.answer == EXPRESSIBLE and known.star_free is False and decision.target == PAPER_TARGET:
            yield f"{decision.target}: weights are said to be proved for a language that is not star-free"
        if decision.answer == IMPOSSIBLE:
            one, other = decision.strings
            if known.star_free or known.dfa().accepts_word(one) == known.dfa().accepts_word(other):
                yield f"{decision.target}: said to be impossible, with strings that do not show it"
    if model is not None and model.outcome == REFUTED:
        yield f"the weights are wrong on {model.explored['disagreements']} prefixes of the released strings"
    if found is not None and found.malformed:
        yield f"{found.folder}: {len(found.malformed)} malformed lines, the first {found.malformed[0]}"
    if found is not None and found.unexplained:
        first = next(label for label in found.wrong if label.explanation is None)
        wrong = "1 label is" if found.unexplained == 1 else f"{found.unexplained} labels are"
        yield (
            f"{found.folder}: {wrong} wrong, the first in line {first.line}, column {first.column}: "
            f"{first.given} for {first.right}"
        )
