"""Are the labels of a data set right?  Every label beside the definition, and what is odd about those that differ.

A folder has a file of strings and a file of labels, line by line; the labels of a string follow each other without
separator, as many characters for each symbol as the convention needs (:mod:`verify.evidence.conventions`).  The
convention is found by counting: the one with the fewest labels that differ, and an odd one only where it explains
nearly all that the plain one does not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Sequence

import numpy as np

from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.files import read_text
from automata.machine import PREDICTIVE, Machine
from constructions.build import build
from constructions.compile.compiler import NotExpressible, compile
from verify.evidence.conventions import EARLIER, IN_PLACE, LATER, Convention, Conventions, Situation
from verify.evidence.sampling import check_words
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import Verdict

OTHER_TARGET = "relu-rnn"
"""What is run where no paper's SSM can have the language: one layer of a recurrent cell, for any automaton."""

STRINGS_FILE, LABELS_FILE = "val_src_bin0.txt", "val_tgt_bin0.txt"

HABIT = 8
"""An odd convention is believed where it explains at least so many labels more than the plain one."""

_REST = 10
"""And where it leaves at most one in so many of those that the plain one gets wrong."""


@dataclass(frozen=True)
class Malformed:
    """A line that cannot be read: where, and why; line 0 is a whole file."""

    file: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}: {self.reason}" if self.line else self.reason


@dataclass(frozen=True)
class WrongLabel:
    """A label that differs from the definition.

    Attributes:
        line, column: in the file, from 1 on.
        given: what stands there.
        right: what the definition says, in the convention of the file.
        explanation: the oddity of the file where that accounts for it; None where nothing does.
        file: its name.
    """

    line: int
    column: int
    given: str
    right: str
    explanation: str | None
    file: str = LABELS_FILE


@dataclass(frozen=True)
class Kind:
    """Wrong labels that are wrong alike: how many, and the first of them."""

    first: WrongLabel
    count: int


@dataclass(frozen=True)
class Audit:
    """What was found about one language.

    Attributes:
        folder: where the files are.
        lines: of strings, those that are malformed among them.
        words: of the lines that could be read.
        symbols: labels that were compared.
        convention: in which the labels are written; None where no line could be read.
        wrong: the labels that differ from the definition, and those that follow it where the file's own oddity
            does not, in their order.
        malformed: the lines that could not be read.
    """

    folder: Path
    lines: int
    words: tuple[Sequence[str], ...] = field(repr=False)
    symbols: int
    convention: Convention | None
    wrong: tuple[WrongLabel, ...] = field(repr=False)
    malformed: tuple[Malformed, ...]

    @property
    def unexplained(self) -> int:
        """Labels that differ, and that no convention accounts for."""
        return sum(wrong.explanation is None for wrong in self.wrong)

    @property
    def holds(self) -> bool:
        """Whether every line could be read, and one convention accounts for every label."""
        return not self.malformed and not self.unexplained

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The wrong labels by explanation, label given and label right; the most frequent first."""
        firsts: dict[tuple[str | None, str, str], WrongLabel] = {}
        counts: Counter[tuple[str | None, str, str]] = Counter()
        for wrong in self.wrong:
            key = (wrong.explanation, wrong.given, wrong.right)
            firsts.setdefault(key, wrong)
            counts[key] += 1
        return tuple(Kind(firsts[key], count) for key, count in counts.most_common())


def audit(folder: str | Path, machine: Machine) -> Audit:
    """Compares every label of a folder with a machine.

    Args:
        folder: with the files STRINGS_FILE and LABELS_FILE.
        machine: the definition, a minimal automaton where the language is regular.

    Raises:
        InputError: naming the file, when it is missing or no text.  What is wrong with a line is reported, not raised.

    Cost: one step of the machine for each symbol, and a table of the few situations for each convention.
    """
    folder = Path(folder)
    strings, labels = (text_lines(folder / name) for name in (STRINGS_FILE, LABELS_FILE))
    conventions = Conventions(machine)
    malformed: list[Malformed] = []
    if len(strings) != len(labels):
        name, line = (LABELS_FILE, len(labels)) if len(labels) < len(strings) else (STRINGS_FILE, len(strings))
        reason = f"the file ends, {len(strings)} strings beside {len(labels)} lines of labels"
        malformed.append(Malformed(name, line + 1, 1, reason))
    width = _width(strings, labels, conventions.widths)
    numbers: list[int] = []
    for number, (string, given) in enumerate(zip(strings, labels), start=1):
        fault = _fault(string, given, number, machine, width)
        malformed += [fault] if fault is not None else []
        numbers += [number] if fault is None else []
    words = tuple(strings[number - 1] for number in numbers)
    found = _Given([labels[number - 1] for number in numbers], words, width, machine)
    convention = found.best(conventions) if numbers else None
    wrong = found.wrong(convention, numbers) if convention is not None else ()
    return Audit(folder, len(strings), words, sum(map(len, words)), convention, wrong, tuple(malformed))


def believed(missed: int, left: int) -> bool:
    """Whether an odd convention is taken for the file's own.

    Args:
        missed: labels that the plain one gets wrong.
        left: labels that the odd one gets wrong.
    """
    return missed - left >= HABIT and left * _REST <= missed


def text_lines(path: Path) -> list[str]:
    """The lines of a text file."""
    lines = read_text(path).replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def _width(strings: Sequence[str], labels: Sequence[str], widths: Sequence[int]) -> int:
    """The width that most lines have; the least of these where several have as many."""
    fits = {
        width: sum(len(label) == width * len(string) > 0 for string, label in zip(strings, labels)) for width in widths
    }
    return max(widths, key=lambda width: (fits[width], -width))


def _fault(string: str, given: str, number: int, machine: Machine, width: int) -> Malformed | None:
    for column, symbol in enumerate(string, start=1):
        if symbol not in machine.alphabet:
            reason = f"{quoted(symbol)} is not a symbol, expected one of {' '.join(machine.alphabet)}"
            return Malformed(STRINGS_FILE, number, column, reason)
    if len(given) != width * len(string):
        reason = f"{len(given)} characters of labels for {len(string)} symbols, expected {width * len(string)}"
        return Malformed(LABELS_FILE, number, min(len(given), width * len(string)) + 1, reason)
    return None


class _Given:
    """The labels of all prefixes in one row, each with the number of its situation, and of its neighbours'."""

    def __init__(self, labels: Sequence[str], words: Sequence[str], width: int, machine: Machine):
        self.width, self.words = width, words
        self.situations, at, before, after = _walk(machine, words)
        self.at = {IN_PLACE: at, EARLIER: before, LATER: after}
        text = "".join(labels)
        pieces = [text[i : i + width] for i in range(0, len(text), width)]
        self.names = sorted(set(pieces))
        index = {name: i for i, name in enumerate(self.names)}
        self.labels = np.array([index[piece] for piece in pieces], dtype=np.int64)
        self._counted: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def best(self, conventions: Conventions) -> Convention:
        """The convention in which the labels are written."""
        plain = min(conventions.plain(self.width), key=self.differ)
        missed = self.differ(plain)
        odd = min(conventions.odd(self.width), key=self.differ) if missed >= HABIT else plain
        left = self.differ(odd)
        return odd if believed(missed, left) else plain

    def differ(self, convention: Convention) -> int:
        """How many labels are not as the convention says."""
        pairs, counts = self._counts(convention.shift)
        table = self._table(convention)
        here, given = pairs // len(self.names), pairs % len(self.names)
        return int(counts[table[here] != given].sum()) if len(pairs) else 0

    def wrong(self, convention: Convention, numbers: Sequence[int]) -> tuple[WrongLabel, ...]:
        """The labels that differ from the definition or from the convention.

        Args:
            convention: the file's.
            numbers: the line of each word.
        """
        definition = Convention(convention.statement)
        right = self._table(definition)[self.at[IN_PLACE]]
        here = self.at[convention.shift]
        expected = np.where(here >= 0, self._table(convention)[here], self.labels)
        starts = np.cumsum([0, *map(len, self.words)])
        found = []
        for place in np.flatnonzero((self.labels != right) | (self.labels != expected)).tolist():
            line = int(np.searchsorted(starts, place, side="right")) - 1
            explained = convention.oddity if self.labels[place] == expected[place] else None
            column = (place - int(starts[line])) * self.width + 1
            said = definition.label(self.situations[self.at[IN_PLACE][place]])
            found.append(WrongLabel(numbers[line], column, self.names[self.labels[place]], said, explained or None))
        return tuple(found)

    def _counts(self, shift: int) -> tuple[np.ndarray, np.ndarray]:
        """Each pair of situation and label that occurs, as one number, and how often; no neighbour, no pair."""
        if shift not in self._counted:
            here = self.at[shift]
            pairs = (here * len(self.names) + self.labels)[here >= 0]
            self._counted[shift] = np.unique(pairs, return_counts=True)
        return self._counted[shift]

    def _table(self, convention: Convention) -> np.ndarray:
        """The number of the label of each situation; -1 of one that no label of the file is."""
        index = {name: i for i, name in enumerate(self.names)}
        return np.array([index.get(convention.label(s), -1) for s in self.situations], dtype=np.int64)


def _walk(machine: Machine, words: Sequence[str]) -> tuple[list[Situation], np.ndarray, np.ndarray, np.ndarray]:
    """The situations, and their numbers at every prefix but the empty ones: of this one, the one before, the next.

    The next one of a whole string is -1: there is none.
    """
    finite = isinstance(machine, DFA)
    numbers: dict[Situation, int] = {}
    known: dict[tuple[Any, str | None], int] = {}
    steps: dict[tuple[Any, str], Any] = {}

    def number(state: Any, last: str | None) -> int:
        if (state, last) not in known:
            found = Situation(last, machine.legal(state), machine.accepts(state), state if finite else None)
            known[state, last] = numbers.setdefault(found, len(numbers))
        return known[state, last]

    at: list[int] = []
    before: list[int] = []
    after: list[int] = []
    for word in words:
        state, here = machine.initial, number(machine.initial, None)
        first = len(at)
        for symbol in word:
            if (state, symbol) not in steps:
                steps[state, symbol] = machine.step(state, symbol)
            state = steps[state, symbol]
            before.append(here)
            here = number(state, symbol)
            at.append(here)
        if word:
            after += at[first + 1 :]
            after.append(-1)
    here_, before_, after_ = (np.array(found, dtype=np.int64) for found in (at, before, after))
    return list(numbers), here_, before_, after_


def folders(place: str | Path) -> list[Path]:
    """The folders of a data set that have labels, by name; the place itself where it is one.

    Raises:
        InputError: when there are none.
    """
    place = Path(place)
    try:
        found = (
            [place]
            if (place / STRINGS_FILE).exists()
            else sorted(p for p in place.iterdir() if (p / STRINGS_FILE).exists())
        )
    except OSError as error:
        raise InputError(f"{place}: cannot be read ({error.strerror or error})") from None
    if not found:
        raise InputError(
            f"{place}: has no labels: expected {STRINGS_FILE} and {LABELS_FILE}, in it or in folders of it"
        )
    return found


def run_constructed(
    machine: Machine,
    words: Sequence[Sequence[str]],
    mode: str = PREDICTIVE,
    target: str = "ssm",
    progress: Progress = NO_PROGRESS,
) -> Verdict | None:
    """Runs a model that is compiled for a machine on the words of an audit; None where the target cannot have it.

    Returns:
        ``tested``, or ``refuted`` with the shortest prefix on which the model is wrong.

    Raises:
        InputError: when the target cannot be run here, naming what is not installed.
    """
    try:
        construction = compile(machine, mode, target=target)
    except NotExpressible:
        return None
    with build(construction, target).running() as model:
        running = getattr(model, "by_full_forward", model)
        return check_words(machine, running, words, mode, method="strings of the data set", progress=progress)
