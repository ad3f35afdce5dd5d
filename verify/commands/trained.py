"""What ``train`` and ``repair`` share: options, the report of a training, and the check that follows it."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from automata.errors import InputError, one_line
from automata.machine import PREDICTIVE
from verify.commands.options import add_report, nonempty, whole_number

if TYPE_CHECKING:
    from verify.commands.inputs import Input
    from verify.show.report import Report
    from verify.training.course import Course
    from verify.training.folder import Record

LARGEST = 1e6
"""Of the numbers that are no whole numbers."""


def between(least: int, most: int) -> Callable[[str], int]:
    """A whole number in these bounds, for argparse."""

    def read(text: str) -> int:
        number = whole_number(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"is {number}: expected {least} to {most}")
        return number

    return read


def decimal(text: str) -> float:
    """A number >= 0, for argparse.

    >>> decimal("1e-2")
    0.01
    """
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= LARGEST:
        raise argparse.ArgumentTypeError(f"{one_line(text, most=60)!r} is not a number from 0 to {LARGEST:g}")
    return number


def add_training(parser: argparse.ArgumentParser, steps: int) -> None:
    """--to, --steps, --seconds, --seed, --batch, --length, --rate, --decay, --no-check and the report."""
    parser.add_argument(
        "--to", type=nonempty, required=True, metavar="DIR", help="the folder to write, and to go on in"
    )
    parser.add_argument(
        "--steps", type=between(1, 10**7), metavar="N", help=f"updates of the weights (default: {steps})"
    )
    parser.add_argument(
        "--seconds", type=decimal, metavar="S", help="of CPU time: no more steps than fit into them, as first measured"
    )
    parser.add_argument(
        "--seed", type=between(0, 2**31 - 1), default=0, metavar="S", help="of weights, strings and noise (default: 0)"
    )
    parser.add_argument(
        "--batch", type=between(1, 4096), default=32, metavar="N", help="strings of a step (default: 32)"
    )
    parser.add_argument(
        "--length", type=between(1, 5000), default=40, metavar="L", help="of the longest own strings (default: 40)"
    )
    parser.add_argument(
        "--rate", type=decimal, metavar="R", help="the learning rate of AdamW, which falls (default: 0.01)"
    )
    parser.add_argument("--decay", type=decimal, metavar="D", help="of the weights (default: 0.01)")
    parser.add_argument("--no-check", action="store_true", help="only train, and say nothing about every length")
    add_report(parser)


def trained(course: Course, args: argparse.Namespace, instead_of: bool = False) -> Record:
    """Trains, showing how far it is.

    Args:
        instead_of: whether what another training wrote into the folder is replaced.

    Raises:
        InputError: as :func:`verify.training.course.train`.
    """
    from constructions.mamba.surroundings import transformers_ready
    from verify.progress import Progress, started

    with started(transformers_ready(), args.quiet):
        from verify.training.course import train

        with Progress("steps", course.protocol.steps, args.quiet, phase="training") as progress:
            return train(course, args.to, progress, instead_of)


def report_training(report: Report, course: Course, record: Record, name: str) -> None:
    """How it was trained, and how often it is right, with what was published beside it."""
    from verify.suite import PUBLISHED

    protocol, result = record.protocol, record.result
    sizes = (
        f"{protocol.layers} block{'s' if protocol.layers > 1 else ''}",
        f"d_model {protocol.d_model}",
        f"d_state {protocol.state}",
    )
    values = {
        "begins with": {"random": sizes, "compiled": "the weights compiled from the language"}.get(
            protocol.start, f"the weights of {record.origin}"
        ),
        "parameters": result["parameters"],
        "strings": f"{result['source']}; {result['distinct']} different ones",
        "steps": f"{record.step} of {protocol.batch} strings, seed {protocol.seed}",
        "gates": "driven to exactly 0 and 1" if protocol.sharpen else "as training leaves them",
        "CPU seconds": round(record.seconds, 1),
        "last loss": record.loss,
    }
    report.section("training", values, record.to_json())
    published = PUBLISHED.get(name, ())
    lines, data = {}, []
    for found in result["bins"]:
        number = found["bin"]
        beside = None if number is None or number >= len(published) else published[number]
        text = f"no strings of {found['name']}"
        if found["strings"]:
            text = f"{found['percent']:.2f} % of {found['strings']} strings right"
            text += f"; {found['overlap']:.0f} % of them are training strings"
        if beside is not None:
            text += f"; published, in bin {number}: {beside:g} %"
        lines[f"length {found['name']}"] = text
        data.append({**found, "published": beside})
    report.section("right after every prefix", lines, data)


def check_trained(report: Report, given: Input, folder: str) -> int:
    """The check of the folder, told in the same report; returns its exit status."""
    from verify.commands.check import EDGES, ROWS
    from verify.commands.check_checkpoint import check_checkpoint
    from verify.commands.parser import parse

    edges = [int(edge) for edge in EDGES.split(",")]
    args = parse(["check", folder])
    args.limit, args.quiet, args.json = ROWS, report.quiet, report.json_path
    command = f"python -m verify check {shlex.quote(folder)}"
    return check_checkpoint(given, PREDICTIVE, {}, args, command, edges, report)


def released_folder(data: str, given: Input) -> Path:
    """The folder of the language in a released data set, or the folder itself where it holds strings.

    Raises:
        InputError: when there is none.
    """
    from automata.catalogue import language
    from verify.evidence.dataset import STRINGS_FILE, folders

    if (Path(data) / STRINGS_FILE).is_file():
        return Path(data)
    for place in folders(data):
        try:
            named = language(place.resolve().name)
        except InputError:
            continue
        if named.name == given.language.name:
            return place
    raise InputError(f"--strings-from {data}: has no folder of strings of {given.language.name}")
