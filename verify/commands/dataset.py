"""``python -m verify dataset DIR [LANGUAGE]``: are the labels of a data set right, and what is odd about the others?"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from automata.errors import InputError
from verify.commands.inputs import add_input, is_named, read_input
from verify.commands.options import add_report, nonempty

if TYPE_CHECKING:
    from automata.machine import Machine
    from verify.evidence.dataset import Audit, Kind
    from verify.verdict import Verdict

    Ran = tuple[str, Verdict | None]
    """A target, and how its model did."""

HELP = "label files of a data set against the definitions and the constructed models: each wrong label, and why"

EXAMPLES = (
    "dataset data/released",
    "dataset data/released tomita-3",
    "dataset data/released/Parity --regex '(0*10*1)*0*'",
    "dataset flare/dyck-2-3",
    "dataset k8_m10.dev dyck-8-10",
    "dataset 04.04.SL.2.1.0_Dev.txt --file 04.04.SL.2.1.0.att",
)

_SHOWN = 20
"""Malformed lines that are printed; JSON has all."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory",
        metavar="DIR",
        type=nonempty,
        help=(
            "a folder with val_src_bin0.txt and val_tgt_bin0.txt, or with FLaRe's main.tok and labels.txt, or one of "
            "such folders, each named as its language; or a file of strings, labelled TRUE or FALSE after a tab, or "
            "with END after words (docs/datasets.md says how each is written)"
        ),
    )
    add_input(parser, required=False)
    add_report(parser, "no progress, and the lines of what is wrong only")


def run(args: argparse.Namespace) -> int:
    from verify.evidence.dataset import Audit, Malformed
    from verify.progress import Progress
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED

    given = read_input(args) if is_named(args) else None
    report = Report(
        f"python -m verify dataset {shlex.quote(args.directory)} {given.options if given else ''}".rstrip(),
        args.quiet,
        args.json,
    )
    places = _places(args, given)
    report.title("labels beside the definitions, and the paper's SSM beside both")
    rows: list[tuple[str, ...]] = [
        ("folder", "lines", "labels", "differ", "unexplained", "model", "what a label says; the language")
    ]
    data: list[dict[str, object]] = []
    audits: list[tuple[Audit, Ran]] = []
    with Progress("languages", len(places), args.quiet, phase="labels") as progress:
        for place in places:
            found, title = Audit(place, 0, (), 0, None, (), ()), "unknown"
            model: Ran = ("ssm", None)
            try:
                machine, title = _definition(place) if given is None else (given.machine, given.title)
                found, mode = _audited(place, machine)
                model = _run(machine, found, mode)
            except InputError as error:
                found = Audit(place, 0, (), 0, None, (), (Malformed(place.name, 0, 0, str(error)),))
            progress.advance(1)
            audits.append((found, model))
            rows.append(_row(found, model, title))
            data.append(_data(found, model, title))
    report.table("labels", rows, data)
    for line in _lines(audits):
        report.say(line)
    report.close()
    holds = all(found.holds and (model is None or model.outcome != REFUTED) for found, (_, model) in audits)
    return EXIT_STATUS[PROVED if holds else REFUTED]


def _places(args: argparse.Namespace, given) -> list[Path]:
    """The folders to be audited: all, or those of the language that is named."""
    from automata.catalogue import language
    from verify.evidence.other_datasets import datasets

    found = datasets(args.directory)
    if given is None and found == [Path(args.directory)] and found[0].is_file():
        raise InputError(f"{args.directory}: is a file, which does not say its language: a LANGUAGE is needed")
    if given is None or found[0] == Path(args.directory):
        return found
    if (name := args.name or args.language) is None:
        raise InputError(f"{args.directory}: has folders for several languages: name the folder that is meant")

    def named(place: Path) -> bool:
        try:
            return language(place.name) == language(name, args.most)
        except InputError:
            return False

    chosen = [place for place in found if named(place)]
    if not chosen:
        raise InputError(f"{args.directory}: has no folder of {given.language.name}")
    return chosen


def _definition(place: Path) -> tuple[Machine, str]:
    """What the name of a folder says, with its title; that of FLaRe's further sets is the folder above."""
    from automata.catalogue import COUNTER, language
    from automata.machines.bounded_dyck import DyckMachine

    place = place.resolve()
    known = language((place.parents[1] if place.parent.name == "datasets" else place).name)
    own = known.kind == COUNTER or isinstance(known.machine, DyckMachine)
    return (known.machine if own else known.dfa()), known.title


def _audited(place: Path, machine: Machine) -> tuple[Audit, str]:
    """The labels, and the question that a model is asked on the strings."""
    from automata.machine import PREDICTIVE, RECOGNISE
    from verify.commands.tasks import parser_of
    from verify.evidence.dataset import audit
    from verify.evidence.other_datasets import audit_file, audit_flare, has_labels, is_flare

    if is_flare(place):
        return audit_flare(place, machine, parser_of(machine)), RECOGNISE
    if place.is_file():
        mode = RECOGNISE if has_labels(place) else PREDICTIVE
        return audit_file(place, machine, parser_of(machine)), mode
    return audit(place, machine), PREDICTIVE


def _run(machine: Machine, found: Audit, mode: str) -> Ran:
    """A model of the language on the strings: the paper's SSM, or another one where that cannot have it."""
    from verify.evidence.dataset import OTHER_TARGET, run_constructed

    model = run_constructed(machine, found.words, mode)
    if model is not None:
        return "ssm", model
    try:
        return OTHER_TARGET, run_constructed(machine, found.words, mode, OTHER_TARGET)
    except InputError as error:  # without torch
        return str(error), None


def _model(ran: Ran) -> str:
    """The outcome of the constructed model in a word or two."""
    target, model = ran
    if model is None:
        return "none"
    wrong = model.explored["disagreements"]
    return (f"{wrong} wrong" if wrong else "right") + f", {target}" * (target != "ssm")


def _row(found: Audit, model: Ran, title: str) -> tuple[str, ...]:
    says = "nothing was read" if found.convention is None else f"{found.convention.statement.says}; {title}"
    return (
        found.folder.resolve().name,
        str(found.lines),
        str(found.symbols),
        str(len(found.wrong)),
        str(found.unexplained),
        _model(model),
        says,
    )


def _lines(audits: list[tuple[Audit, Ran]]) -> list[str]:
    """One line for each kind of wrong label, each malformed line and each wrong model."""
    from verify.show.report import show_word

    lines = []
    for found, (_, model) in audits:
        name = found.folder.resolve().name
        lines += [f"{name}: {_sentence(kind)}" for kind in found.kinds]
        lines += [f"{name}: malformed: {fault}" for fault in found.malformed[:_SHOWN]]
        if len(found.malformed) > _SHOWN:
            lines.append(f"{name}: malformed: {len(found.malformed) - _SHOWN} more lines, which --json lists")
        if model is not None and model.witness is not None:
            lines.append(f"{name}: the constructed model is wrong after {show_word(model.witness.word)}")
    return [""] * bool(lines) + lines


def _sentence(kind: Kind) -> str:
    first = kind.first
    why = f"because {first.explanation}" if first.explanation else "which no convention explains"
    if first.given == first.right:
        why = "which is right, though not as the rest of the file has it"
    return (
        f"{kind.count} label{'s' * (kind.count != 1)} {first.given} for {first.right}, {why}; first in {first.file}, "
        f"line {first.line}, column {first.column}"
    )


def _data(found: Audit, ran: Ran, title: str) -> dict[str, object]:
    convention, (target, model) = found.convention, ran
    return {
        "folder": str(found.folder),
        "language": title,
        "lines": found.lines,
        "labels": found.symbols,
        "convention": None if convention is None else convention.statement.says,
        "oddity": None if convention is None else convention.oddity or None,
        "differ": len(found.wrong),
        "unexplained": found.unexplained,
        "kinds": [
            {
                "count": kind.count,
                "explanation": kind.first.explanation,
                "file": kind.first.file,
                "line": kind.first.line,
                "column": kind.first.column,
                "given": list(kind.first.given),
                "right": list(kind.first.right),
            }
            for kind in found.kinds
        ],
        "places": [
            [wrong.line, wrong.column, wrong.given, wrong.right, wrong.file]
            for wrong in found.wrong
            if wrong.explanation is None
        ],
        "malformed": [
            {"file": fault.file, "line": fault.line, "column": fault.column, "reason": fault.reason}
            for fault in found.malformed
        ],
        "target": target,
        "model": None if model is None else model.to_json(),
    }
