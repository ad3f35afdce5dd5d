"""``python -m verify repair DIR [LANGUAGE] --to DIR2``: a refuted model, trained on until it can be proved."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automata.machine import PREDICTIVE
from verify.commands.inputs import add_input, read_for
from verify.commands.options import nonempty
from verify.commands.trained import add_training, between, check_trained, report_training, trained
from verify.training.protocol import REPAIR, Protocol

if TYPE_CHECKING:
    from verify.training.folder import Record

HELP = "train a Mamba on that was refuted, its gates driven to exactly 0 and 1, until it is proved"

EXAMPLES = ("repair model --to repaired", "repair model d-2 --to repaired --seconds 20 --rounds 3")

_STEPS, _ROUNDS = 3500, 2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory", metavar="DIR", type=nonempty, help="a folder that train, export or a trainer wrote"
    )
    add_input(parser, required=False)
    parser.add_argument(
        "--rounds",
        type=between(1, 100),
        default=_ROUNDS,
        metavar="N",
        help=f"give up after so many trainings, each from the given weights with another seed (default: {_ROUNDS})",
    )
    add_training(parser, _STEPS)


def run(args: argparse.Namespace) -> int:
    from automata.saved_language import saved_text
    from constructions.mamba.surroundings import transformers_ready
    from verify.progress import Progress, started
    from verify.show.report import Report
    from verify.training.folder import read_record
    from verify.verdict import PROVED

    given, _, notes = read_for(args.directory, args)
    options = f" {given.options}" * bool(given.options)
    command = f"python -m verify repair {shlex.quote(args.directory)}{options} --to {shlex.quote(args.to)}"
    report, title = Report(command, args.quiet, args.json), f"{args.directory}: trained on, on {given.title}"
    report.announce(title)
    with started(transformers_ready(), args.quiet), Progress(phase="reading the checkpoint", quiet=args.quiet):
        from verify.training.course import Course

        sizes = _sizes(args.directory)
    protocol = Protocol(
        **sizes,
        steps=args.steps or _STEPS,
        batch=args.batch,
        length=args.length,
        rate=1e-2 if args.rate is None else args.rate,
        decay=1e-2 if args.decay is None else args.decay,
        seed=args.seed,
        sharpen=True,
        start=REPAIR,
    )
    language = saved_text(given.language, PREDICTIVE)
    course = Course(given.machine, given.title, language, protocol, origin=args.directory, seconds=args.seconds)
    report.title(title)
    if notes:
        report.section("language", notes)
    first = _round_of(read_record(args.to), args)
    for number in range(first, args.rounds):
        del report.verdicts[:]
        this = replace(course, protocol=replace(protocol, seed=args.seed + number))
        record = trained(this, args, instead_of=number > first)
        report_training(report, this, record, given.language.name)
        status = 0 if args.no_check else check_trained(report, given, args.to)
        if args.no_check or PROVED in {verdict.outcome for verdict in report.verdicts} and status == 0:
            break
    report.wrote("model", args.to)
    report.close()
    return status


def _round_of(record: Record | None, args: argparse.Namespace) -> int:
    """The round in which an earlier call of the same command stopped."""
    reached = 0 if record is None else record.protocol.seed - args.seed
    return reached if 0 <= reached < args.rounds else 0


def _sizes(folder: str) -> dict[str, Any]:
    """Those of the stored model, by the names of a protocol, inside transformers_ready.

    Raises:
        InputError: when the folder is no checkpoint of a Mamba.
    """
    from constructions.mamba.loading import load_checkpoint

    config = load_checkpoint(Path(folder))[0].config
    return {
        "layers": config.num_hidden_layers,
        "d_model": config.hidden_size,
        "state": config.state_size,
        "conv": config.conv_kernel,
        "expand": config.expand,
        "rank": config.time_step_rank,
    }
