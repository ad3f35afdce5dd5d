"""``python -m verify census --letters 2 --states 3``: all small regular languages, decided, compiled and proved."""

from __future__ import annotations

import argparse

from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE
from verify.commands.options import add_report, nonempty, whole_number

HELP = "every minimal automaton up to a size: decided, compiled and proved"

EXAMPLES = ("census --letters 2 --states 3", "census --states 4 --workers 2 --out parts")

_TOTALS = {(2, 1): 2, (2, 2): 24, (2, 3): 1028, (2, 4): 56014, (2, 5): 3705306}
"""Published numbers of languages, for the progress bar alone."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--letters", type=whole_number, default=2, metavar="K", help="size of the alphabet (default: 2)"
    )
    parser.add_argument(
        "--states", type=whole_number, default=3, metavar="N", help="all sizes from 1 to N states (default: 3)"
    )
    parser.add_argument(
        "--workers",
        type=whole_number,
        default=1,
        metavar="W",
        help="processes (default: 1); never more than four for each processor",
    )
    parser.add_argument(
        "--out",
        type=nonempty,
        metavar="FOLDER",
        help="keep finished parts here; a census that was interrupted goes on from them",
    )
    parser.add_argument(
        "--mode", choices=MODES, default=PREDICTIVE, help="the question that the models answer (default: predictive)"
    )
    add_report(parser, "no progress")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from verify.census import CYCLING, census
    from verify.progress import Progress
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED

    for option, least, most in (("letters", 1, 26), ("states", 1, None), ("workers", 1, None)):
        if getattr(args, option) < least or (most and getattr(args, option) > most):
            raise InputError(
                f"--{option} {getattr(args, option)}: expected {least} or more" + (f", up to {most}" if most else "")
            )
    folder = Path(args.out) if args.out else None
    command = f"python -m verify census --letters {args.letters} --states {args.states} --mode {args.mode}"
    report = Report(command, json_path=args.json)
    report.title(f"all languages over {args.letters} letter{'s' * (args.letters != 1)} of 1 to {args.states} states")
    status = EXIT_STATUS[PROVED]
    for states in range(1, args.states + 1):
        with Progress("languages", _TOTALS.get((args.letters, states)), args.quiet) as progress:
            counts = census(args.letters, states, args.mode, args.workers, folder, progress)
        star_free = sum(counts.values()) - counts[CYCLING]
        values = {
            "minimal automata": sum(counts.values()),
            "star-free": star_free,
            "not star-free": f"{counts[CYCLING]}, each with strings whose membership cycles",
            "proved": counts[PROVED],
            "undecided": counts[UNDECIDED],
        }
        if counts[REFUTED]:
            values["refuted"] = counts[REFUTED]
        report.section(f"{states} state{'s' * (states != 1)}", values, dict(counts))
        if counts[REFUTED] or counts[UNDECIDED]:
            status = EXIT_STATUS[REFUTED] if counts[REFUTED] else status or EXIT_STATUS[UNDECIDED]
    if args.out:
        report.wrote("parts", args.out)
    report.close()
    return status
