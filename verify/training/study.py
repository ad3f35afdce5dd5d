"""The study: the star-free languages of the paper and flip-flop, trained with and without exact gates, and judged.

A row is one model: it is trained, then checked, each in a process of its own and each kept in the study's folder, so a
study that was interrupted goes on, and models can be checked again without being trained again.

=====================  ===========================================================================
NAME/                  the model, as ``train`` writes it
NAME.json              the report of ``check``
study.json, study.md   the table, for machines and for people
=====================  ===========================================================================
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from automata.errors import InputError, did_you_mean
from automata.files import read_text, write_text
from automata.processes import end_with
from verify.suite import PUBLISHED
from verify.training.folder import Record, read_record
from verify.training.protocol import Protocol
from verify.verdict import PROVED, REFUTED, UNDECIDED

STUDY_TABLE, STUDY_PAGE = "study.json", "study.md"

PLAIN_STEPS = 1500
"""Of a model whose gates are left alone, which learns as much as it will in these; others take the usual number."""

ABSTRACT = ("boxes", "joint states")
"""What a proof counts its abstract states by, see :class:`verify.verdict.Verdict`."""

_POLL = 0.1
"""Seconds between two looks at the processes."""

_LOOP = 4
"""Symbols of the longest part of a string that is written as a power."""


@dataclass(frozen=True)
class Lesson:
    """One model of the study.

    Attributes:
        name: of its folder.
        language: what it is trained on.
        sharpen: whether its gates are driven to exactly 0 and 1.
        layers, d_model, state: its sizes.
        seed: of its training.
        control: whether the language is one that no model of this kind can have.
    """

    name: str
    language: str
    sharpen: bool = False
    layers: int = 1
    d_model: int = 8
    state: int = 1
    seed: int = 0
    control: bool = False

    @property
    def protocol(self) -> Protocol:
        steps = Protocol.steps if self.sharpen else PLAIN_STEPS
        return Protocol(
            layers=self.layers,
            d_model=self.d_model,
            state=self.state,
            steps=steps,
            sharpen=self.sharpen,
            seed=self.seed,
        )

    @property
    def options(self) -> list[str]:
        """Of the command that trains it."""
        numbers = {"layers": self.layers, "d-model": self.d_model, "state": self.state, "seed": self.seed}
        found = [part for name, number in numbers.items() for part in (f"--{name}", str(number))]
        return [*found, "--steps", str(self.protocol.steps), *["--sharpen"] * self.sharpen]


def _pairs() -> list[Lesson]:
    deep = {"d-3": 2, "d-4": 2, "d-12": 2}
    names = {
        "{a,b}*d{b,c}*": "abstar-d-bcstar",
        "{0,1,2}*02*": "012star-0-2star",
        "aa*bb*cc*dd*ee*": "aabbccddee",
    }
    found = []
    for language in (
        *("tomita-1", "tomita-2", "tomita-4", "tomita-7", *names),
        *("d-2", "d-3", "d-4", "d-12", "flip-flop"),
    ):
        name, layers = names.get(language, language), deep.get(language, 1)
        found += [Lesson(name, language, False, layers), Lesson(f"{name}-sharp", language, True, layers)]
    return found


LESSONS = (
    *_pairs(),
    # The first seed is not learned.
    Lesson("012star-0-2star-sharp-s1", "{0,1,2}*02*", True, seed=1),
    Lesson("flip-flop-2-sharp", "flip-flop", True, layers=2),
    Lesson("flip-flop-n16-sharp", "flip-flop", True, d_model=16, state=16),
    Lesson("tomita-7-2-sharp", "tomita-7", True, layers=2),
    Lesson("abstar-d-bcstar-2-sharp", "{a,b}*d{b,c}*", True, layers=2),
    Lesson("d-2-2-sharp", "d-2", True, layers=2),
    Lesson("dyck-2-2", "dyck-2-2", d_model=16),
    Lesson("dyck-2-2-sharp", "dyck-2-2", True, d_model=16),
    Lesson("parity", "parity", control=True),
    Lesson("aa-star", "aa-star", control=True),
    Lesson("tomita-3", "tomita-3", control=True),
)


def lessons_named(names: Sequence[str]) -> list[Lesson]:
    """Those of these names, or on these languages.

    Raises:
        InputError: for a name that is neither.
    """
    known = [part for lesson in LESSONS for part in (lesson.name, lesson.language)]
    for name in names:
        if name not in known:
            raise InputError(f"the study has no row {name!r}{did_you_mean(name, known)}")
    return [lesson for lesson in LESSONS if {lesson.name, lesson.language} & set(names)]


@dataclass(frozen=True)
class Outcome:
    """What became of a model.

    Attributes:
        name, language, sharpen, layers, d_model, state, seed, control: of the lesson.
        parameters: numbers of the model.
        seconds: of CPU time that training took.
        bins: percentages right, by length.
        outcome: ``proved``, ``refuted`` or ``undecided``.
        method: by which it is decided.
        states: abstract states of the proof; None without one.
        string: the shortest string that it gets wrong; None where none is known.
        reason: of the verdict.
        checked: seconds that the check took.
    """

    name: str
    language: str
    sharpen: bool
    layers: int
    d_model: int
    state: int
    seed: int
    control: bool
    parameters: int
    seconds: float
    bins: list[dict[str, Any]]
    outcome: str
    method: str
    states: int | None
    string: list[str] | None
    reason: str
    checked: float


def run_study(folder: Path, lessons: Sequence[Lesson], jobs: int, advance: Callable[[int], object]) -> list[Outcome]:
    """Does what is not done yet of these rows, so many at a time, and writes the tables of all rows that are done.

    Args:
        advance: is told of each row that is over.

    Raises:
        InputError: when the command of a row fails, with the line that it says; the other rows are done first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [_commands(folder, lesson) for lesson in lessons]
    running: list[_Command] = []
    failed: list[str] = []
    try:
        while waiting or running:
            for command in [command for command in running if command.process.poll() is not None]:
                running.remove(command)
                if command.process.returncode in (0, 1, 3):
                    waiting.insert(0, command.row)
                else:
                    failed.append(command.complaint())
            while waiting and len(running) < jobs:
                row = waiting.pop(0)
                arguments = next(row, None)
                if arguments is None:
                    advance(1)
                else:
                    running.append(_Command(arguments, row))
            time.sleep(_POLL)
    finally:
        for command in running:
            command.process.terminate()  # it saves what is done
    found = [outcome for lesson in LESSONS if (outcome := read_outcome(folder, lesson)) is not None]
    write_text(
        folder / STUDY_TABLE, json.dumps([asdict(outcome) for outcome in found], indent=1, ensure_ascii=False) + "\n"
    )
    write_text(folder / STUDY_PAGE, page(found))
    if failed:
        raise InputError(failed[0])
    return found


def _commands(folder: Path, lesson: Lesson) -> Iterator[list[str]]:
    """What is left to do of a row, one command after the other."""
    place, report = folder / lesson.name, folder / f"{lesson.name}.json"
    record = read_record(place)
    if record is None or not record.result:
        yield ["train", lesson.language, "--to", str(place), *lesson.options, "--no-check", "--quiet"]
    if not report.is_file():
        yield ["check", str(place), "--json", str(report), "--quiet"]


class _Command:
    """A command of this program in a process of its own, which does not outlive this one."""

    def __init__(self, arguments: list[str], row: Iterator[list[str]]):
        self.arguments, self.row = arguments, row
        root = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        self._errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "verify", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
            preexec_fn=partial(end_with, os.getpid()),
        )

    def complaint(self) -> str:
        """What it said as it failed."""
        self._errors.seek(0)
        said = self._errors.read().strip().splitlines() or [f"exit status {self.process.returncode}"]
        return f"{' '.join(self.arguments[:2])}: {said[-1][-250:]}"


def read_outcome(folder: Path, lesson: Lesson) -> Outcome | None:
    """What is known of a row; None where it is not done."""
    record, report = read_record(folder / lesson.name), folder / f"{lesson.name}.json"
    if record is None or not record.result or not report.is_file():
        return None
    found = json.loads(read_text(report))
    verdicts = [entry for entry in found.values() if isinstance(entry, dict) and "outcome" in entry]
    return _outcome(lesson, record, verdicts, found["seconds"])


def _outcome(lesson: Lesson, record: Record, verdicts: Sequence[dict[str, Any]], checked: float) -> Outcome:
    refuted = [v for v in verdicts if v["outcome"] == REFUTED and v.get("witness")]
    proved = [v for v in verdicts if v["outcome"] == PROVED]
    undecided = [v for v in verdicts if v["outcome"] == UNDECIDED]
    if refuted:
        verdict = min(refuted, key=lambda v: len(v["witness"]["word"]))
    else:
        verdict = (proved or undecided or list(verdicts))[-1]
    counts = verdict["explored"]
    return Outcome(
        **asdict(lesson),
        parameters=record.result["parameters"],
        seconds=round(record.seconds, 1),
        bins=record.result["bins"],
        outcome=verdict["outcome"] if refuted or proved else UNDECIDED,
        method=verdict["method"],
        states=next((counts[name] for name in ABSTRACT if name in counts), None) if proved and not refuted else None,
        string=verdict["witness"]["word"] if refuted else None,
        reason=verdict["reason"],
        checked=checked,
    )


def read_study(path: str | Path) -> list[Outcome]:
    """The rows of ``study.json``."""
    return [Outcome(**entry) for entry in json.loads(read_text(path))]


# -- the table ----------------------------------------------------------------------------------------


def as_power(word: Sequence[str]) -> str:
    """A string with its longest repeated part as a power.

    >>> as_power(["w", "0", *["i", "1"] * 22, "r"])
    'w 0 (i 1)^22 r'
    >>> as_power(["a", "b"]), as_power(list("aaaa")), as_power([])
    ('a b', 'a^4', 'the empty string')
    """
    word = list(word)
    best = (0, 0, 1, 0)
    for size in range(1, _LOOP + 1):
        for start in range(len(word)):
            times = 1
            while word[start + times * size : start + (times + 1) * size] == word[start : start + size]:
                times += 1
            best = max(best, ((times - 1) * size, -start, size, times))
    saved, start, size, times = best[0], -best[1], best[2], best[3]
    if saved < 3:
        return " ".join(word) or "the empty string"
    loop = " ".join(word[start : start + size])
    left, right = "[]" if "(" in loop or ")" in loop else "()"
    power = f"{left}{loop}{right}^{times}" if size > 1 else f"{loop}^{times}"
    return " ".join([*word[:start], power, *word[start + size * times :]])


def table(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """Rows of text, the headings first."""
    sizes = ("language", "blocks × d_model × d_state", "gates", "seed", "parameters")
    found = ("right in each bin, %", "published", "verdict", "shortest wrong string", "method", "abstract states")
    rows: list[tuple[str, ...]] = [(*sizes, *found, "CPU s")]
    for one in outcomes:
        percents = "/".join("-" if b["percent"] is None else f"{b['percent']:.3g}" for b in one.bins)
        string = "-" if one.string is None else f"{as_power(one.string)} ({len(one.string)})"
        rows.append(
            (
                one.language,
                f"{one.layers} × {one.d_model} × {one.state}",
                "sharp" if one.sharpen else "plain",
                str(one.seed),
                str(one.parameters),
                percents,
                "/".join(f"{percent:g}" for percent in PUBLISHED.get(one.language, ())) or "-",
                one.outcome,
                string,
                one.method,
                "-" if one.states is None else str(one.states),
                f"{one.seconds:.0f}",
            )
        )
    return rows


def page(outcomes: Sequence[Outcome]) -> str:
    """The table as Markdown, and why what is undecided is."""
    escaped = [[cell.replace("|", "\\|").replace("*", "\\*") for cell in row] for row in table(outcomes)]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    lines.insert(1, "|" + " --- |" * len(escaped[0]))
    open_ones = [f"* `{one.name}`, seed {one.seed}: {one.reason}" for one in outcomes if one.outcome == UNDECIDED]
    parts = ["\n".join(lines)]
    if open_ones:
        parts.append("Undecided, and why:\n\n" + "\n".join(open_ones))
    return "\n\n".join(parts) + "\n"
