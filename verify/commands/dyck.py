"""``python -m verify dyck --k K --depth H``: bounded Dyck with optimal memory, built, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.inputs import add_most, repeated_most
from verify.commands.options import add_common, add_drawing, whole_number

HELP = "bounded Dyck: K bracket types, nested at most H deep"

EXAMPLES = (
    "dyck --k 2 --depth 5",
    "dyck --k 8 --depth 10 --mode recognise --arithmetic float32",
    "dyck --k 2 --depth 3 --target mamba --save stock",
    "dyck --k 2 --depth 5 --tight",
)

MOST_TYPES = 500_000
"""The greatest K: building a model takes a minute then."""

MOST_DEPTH, MOST_DEPTH_OF_ONE_TYPE = 4096, 1_000_000
"""The greatest H for several types, where the proof takes time in H^2, and for one, where nothing but the depth is
kept.
"""

LONG_WORK = 20
"""Seconds from which on it is said beforehand how long it takes."""

SECONDS, GIGABYTES = (3.0, 1.8e-4, 2.1e-3, 6e-6), (0.4, 8.5e-6, 5.6e-5, 3e-8)
"""In all; for each type; for each type and further level; for each two levels: measured with the default options at
(25000, 1), (100000, 1), (300, 100) and (2, 2000).
"""

DYCK_STRINGS, STRINGS_TIMES_TYPES = 1000, 250_000
"""Random strings by default: for hundreds of types fewer, since after each prefix all types are compared."""

LENGTH, LENGTH_TIMES_TYPES = 500, 50_000_000
"""The length of random strings by default: for many types shorter, for the same reason."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--k", type=whole_number, required=True, metavar="K", help="bracket types, at least 1")
    parser.add_argument(
        "--depth", type=whole_number, required=True, metavar="H", help="greatest nesting depth, at least 0"
    )
    parser.add_argument(
        "--tight",
        dest="route",
        action="store_const",
        const="tight",
        default="auto",
        help="clear a slot when its bracket closes: no more reachable states than Myhill-Nerode classes (prediction)",
    )
    add_most(parser, "K and H", f"K {MOST_TYPES}; H {MOST_DEPTH}, and {MOST_DEPTH_OF_ONE_TYPE} for one type")
    add_drawing(parser, ("cascade", "memory", "dfa"))
    add_common(parser)
    parser.set_defaults(strings=None)


def run(args: argparse.Namespace) -> int:
    from automata.machines.bounded_dyck import DyckMachine
    from verify.commands.pipeline import announce_title, opened, run_task
    from verify.commands.tasks import task_of

    _check_size(args)
    title = f"Dyck({args.k}, {args.depth}): {args.k} bracket type{'s' * (args.k > 1)}, nested at most {args.depth} deep"
    tight = " --tight" * (args.route == "tight")
    command = f"python -m verify dyck --k {args.k} --depth {args.depth}{tight}{repeated_most(args)}"
    report = None
    announce_title(title, args)
    if needed := _needs(args):
        # Of work that takes long people hear before it begins.
        report = opened(title, args, command)
        report.section("needs", needed)
    task = task_of(title, DyckMachine(args.k, args.depth), args)
    _choose_strings(args)
    return run_task(task, args, command, report)


def _needs(args: argparse.Namespace) -> dict[str, object]:
    """About how much time and memory the paper's SSM takes, where that is much; measured on one core of 2026."""
    if args.target != "ssm" or args.k == 1:
        return {}
    parts = (1, args.k, args.k * (args.depth - 1), args.depth**2)
    seconds = sum(part * each for part, each in zip(parts, SECONDS))
    gigabytes = sum(part * each for part, each in zip(parts, GIGABYTES))
    if seconds < LONG_WORK:
        return {}
    time = f"{seconds / 60:.1f} minutes" if seconds >= 60 else f"{seconds:.0f} seconds"
    return {"time": f"about {time} on one core", "memory": f"about {gigabytes:.1f} GB"}


def _choose_strings(args: argparse.Namespace) -> None:
    """How many random strings of which length, where that was not asked for."""
    if args.strings is None and STRINGS_TIMES_TYPES // args.k < DYCK_STRINGS:
        args.strings = max(3, STRINGS_TIMES_TYPES // args.k)
    if args.max_length is None and LENGTH_TIMES_TYPES // args.k < LENGTH:
        args.max_length = max(1, LENGTH_TIMES_TYPES // args.k)


def _check_size(args: argparse.Namespace) -> None:
    from automata.errors import LimitError

    deepest = MOST_DEPTH if args.k > 1 else MOST_DEPTH_OF_ONE_TYPE
    for option, value, most in (("--k", args.k, MOST_TYPES), ("--depth", args.depth, deepest)):
        most = most if args.most is None else args.most
        if value > most:
            raise LimitError(f"{option} {value}: at most {most}, raise the limit to go on", "most")
