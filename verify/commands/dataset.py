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

HELP = "label files of a data set against the definitions and the constructed models: each wrong label, and why"

EXAMPLES = (
    "dataset data/released",
    "dataset data/released tomita-3",
    "dataset data/released/Parity --regex '(0*10*1)*0*'",
)

_SHOWN = 20
"""Malformed lines that are printed; JSON has all."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory",
        metavar="DIR",
        type=nonempty,
        help="a folder with val_src_bin0.txt and val_tgt_bin0.txt, or one of such folders, each named as its language",
    )
    add_input(parser, required=False)
    add_report(parser, "no progress, and the lines of what is wrong only")


def run(args: argparse.Namespace) -> int:
    from verify.evidence.dataset import Audit, Malformed, audit, run_constructed
    from verify.progress import Progress
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED

    given = read_input(args) if is_named(args) else None
    report = Report(
        f"python -m verify dataset {shlex.quote(args.directory)} {given.options if given else ''}".rstrip(),
        args.quiet,
        args.json,
    )
    report.title("labels beside the definitions, and the paper's SSM beside both")
    rows: list[tuple[str, ...]] = [
        ("folder", "lines", "labels", "differ", "unexplained", "model", "what a label says; the language")
    ]
    data, audits = [], []
    places = _places(args, given)
    with Progress("languages", len(places), args.quiet, phase="labels") as progress:
        for place in places:
            found, model, title = Audit(place, 0, (), 0, None, (), ()), None, "unknown"
            try:
                machine, title = _definition(place) if given is None else (given.machine, given.title)
                found = audit(place, machine)
                model = run_constructed(machine, found.words)
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
    holds = all(found.holds and (model is None or model.outcome != REFUTED) for found, model in audits)
    return EXIT_STATUS[PROVED if holds else REFUTED]


def _places(args: argparse.Namespace, given) -> list[Path]:
    """The folders to be audited: all, or those of the language that is named."""
    from automata.catalogue import language
    from verify.evidence.dataset import folders

    found = folders(args.directory)
    if given is None or found == [Path(args.directory)]:
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
    """What the name of a folder says, with its title."""
    from automata.catalogue import COUNTER, language

    known = language(place.resolve().name)
    return (known.machine if known.kind == COUNTER else known.dfa()), known.title


def _model(model: Verdict | None) -> str:
    """The outcome of the constructed model in a word or two."""
    if model is None:
        return "none"
    wrong = model.explored["disagreements"]
    return f"{wrong} wrong" if wrong else "right"


def _row(found: Audit, model: Verdict | None, title: str) -> tuple[str, ...]:
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


def _lines(audits: list[tuple[Audit, Verdict | None]]) -> list[str]:
    """One line for each kind of wrong label, each malformed line and each wrong model."""
    from verify.show.report import show_word

    lines = []
    for found, model in audits:
        name = found.folder.resolve().name
        lines += [f"{name}: {_sentence(kind)}" for kind in found.kinds]
        lines += [f"{name}: malformed: {fault}" for fault in found.malformed[:_SHOWN]]
        if len(found.malformed) > _SHOWN:
            lines.append(f"{name}: malformed: {len(found.malformed) - _SHOWN} more lines, which --json lists")
        if model is not None and model.witness is not None:
            lines.append(f"{name}: the constructed model is wrong after {show_word(model.witness.word)}")
    return [""] * bool(lines) + lines


def _sentence(kind: Kind) -> str:
    from verify.evidence.dataset import LABELS_FILE

    first = kind.first
    why = f"because {first.explanation}" if first.explanation else "which no convention explains"
    if first.given == first.right:
        why = "which is right, though not as the rest of the file has it"
    return (
        f"{kind.count} label{'s' * (kind.count != 1)} {first.given} for {first.right}, {why}; first in {LABELS_FILE}, "
        f"line {first.line}, column {first.column}"
    )


def _data(found: Audit, model: Verdict | None, title: str) -> dict[str, object]:
    convention = found.convention
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
                "line": kind.first.line,
                "column": kind.first.column,
                "given": list(kind.first.given),
                "right": list(kind.first.right),
            }
            for kind in found.kinds
        ],
        "places": [
            [wrong.line, wrong.column, wrong.given, wrong.right] for wrong in found.wrong if wrong.explanation is None
        ],
        "malformed": [
            {"file": fault.file, "line": fault.line, "column": fault.column, "reason": fault.reason}
            for fault in found.malformed
        ],
        "model": None if model is None else model.to_json(),
    }
