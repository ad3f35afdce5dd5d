"""``python -m verify train LANGUAGE --to DIR``: a stock Mamba trained on the language, and what can be proved of it."""

from __future__ import annotations

import argparse
import shlex

from automata.errors import InputError
from automata.machine import PREDICTIVE
from verify.commands.inputs import add_input, read_input
from verify.commands.options import nonempty
from verify.commands.trained import (
    add_training,
    between,
    check_trained,
    decimal,
    released_folder,
    report_training,
    trained,
)
from verify.training.protocol import COMPILED, RANDOM, Protocol

HELP = "train a stock Mamba on a language, on a CPU, and check what it learned: proved, or where it breaks"

EXAMPLES = (
    "train flip-flop --to learned --sharpen",
    "train d-2 --to plain --layers 2 --seconds 20",
    "train tomita-1 --to learned --strings-from data/released --epochs 1",
    "train flip-flop --to shaken --start compiled --noise 0.1",
)

EPOCH = 10_000
"""Own strings of an epoch; of released ones an epoch is all of them."""

_PLAIN, _COMPILED = 3500, 600
"""Steps unless told otherwise."""

_SIZES = {
    "layers": ("blocks", 1, 24),
    "d_model": ("numbers of the residual stream", 1, 1024),
    "state": ("numbers that each channel keeps", 1, 256),
    "conv": ("symbols that the convolution sees", 1, 16),
    "expand": ("channels for each number of the residual stream", 1, 8),
    "rank": ("numbers that step sizes are made of", 1, 1024),
}

_OWN = "own"


def configure(parser: argparse.ArgumentParser) -> None:
    add_input(parser)
    fresh = Protocol()
    for name, (what, least, most) in _SIZES.items():
        default = getattr(fresh, name)
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=between(least, most), metavar="N", help=f"{what} (default: {default})")
    parser.add_argument(
        "--epochs", type=between(1, 10_000), metavar="N", help=f"instead of --steps: times {EPOCH} own strings, or all"
    )
    parser.add_argument(
        "--strings-from",
        type=lambda text: None if text == _OWN else nonempty(text),
        metavar="FOLDER",
        help="a released data set, or own: walks of the automaton (default: own)",
    )
    parser.add_argument(
        "--sharpen", action="store_true", help="drive gates to exactly 0 and 1, so that it can be proved"
    )
    parser.add_argument(
        "--start", choices=(RANDOM, COMPILED), default=RANDOM, help=f"where weights begin (default: {RANDOM})"
    )
    parser.add_argument(
        "--noise", type=decimal, default=0.0, metavar="S", help="relative, on compiled weights (default: 0)"
    )
    add_training(parser, _PLAIN)


def run(args: argparse.Namespace) -> int:
    from automata.saved_language import saved_text
    from constructions.mamba.surroundings import transformers_ready
    from verify.progress import started
    from verify.show.report import Report

    given = read_input(args)
    released = None if args.strings_from is None else released_folder(args.strings_from, given)
    protocol = _protocol(args, released)
    report = Report(f"python -m verify train {given.options} --to {shlex.quote(args.to)}", args.quiet, args.json)
    title = f"{args.to}: a Mamba trained on {given.title}"
    report.announce(title)
    with started(transformers_ready(), args.quiet):
        from verify.training.course import Course

        language = saved_text(given.language, PREDICTIVE)
        course = Course(given.machine, given.title, language, protocol, released, seconds=args.seconds)
    report.title(title)
    record = trained(course, args)
    report_training(report, course, record, given.language.name)
    status = 0 if args.no_check else check_trained(report, given, args.to)
    report.wrote("model", args.to)
    report.close()
    return status


def _protocol(args: argparse.Namespace, released) -> Protocol:
    """How the options say that it is trained."""
    sizes = {name: value for name in _SIZES if (value := getattr(args, name)) is not None}
    compiled = args.start == COMPILED
    if compiled and sizes:
        name = next(iter(sizes))
        raise InputError(f"--{name.replace('_', '-')} {sizes[name]}: compiled weights have sizes of their own")
    if args.noise and not compiled:
        raise InputError(f"--noise {args.noise:g}: is put on compiled weights, see --start {COMPILED}")
    if args.epochs is not None and args.steps is not None:
        raise InputError(f"--epochs {args.epochs}: and --steps {args.steps} say the same twice")
    steps = args.steps or (_COMPILED if compiled else _PLAIN)
    if args.epochs is not None:
        from verify.training.strings import TRAINING_FILE, count_strings

        file = None if released is None else released / TRAINING_FILE
        strings = count_strings(file) if file is not None and file.is_file() else EPOCH
        steps = -(-args.epochs * strings // args.batch)
    rates = {name: value for name in ("rate", "decay") if (value := getattr(args, name)) is not None}
    if compiled:
        rates.setdefault("rate", 1e-3)
    return Protocol(
        **sizes,
        **rates,
        steps=steps,
        batch=args.batch,
        length=args.length,
        seed=args.seed,
        sharpen=args.sharpen,
        start=args.start,
        noise=args.noise,
        strings=_OWN if released is None else str(released),
    )
