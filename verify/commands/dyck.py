"""``python -m verify dyck --k K --depth H``: bounded Dyck with optimal memory, built, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.options import add_common, whole_number

HELP = "bounded Dyck: K bracket types, nested at most H deep"

MOST_TYPES = 500_000
"""The greatest K: building a model takes a minute then."""

MOST_DEPTH, MOST_DEPTH_OF_ONE_TYPE = 4096, 1_000_000
"""The greatest H for several types, where the proof takes time in H^2, and for one, where nothing but the depth is kept."""

STRINGS, STRINGS_TIMES_TYPES = 1000, 250_000
"""Random strings by default: for hundreds of types fewer, since after each prefix all types are compared."""

LENGTH, LENGTH_TIMES_TYPES = 500, 50_000_000
"""The length of random strings by default, and the most that the sets expected along one of them leave memory for."""

SEARCHED_TRANSITIONS, SEARCHED_OUTPUTS, SEARCHED_DEPTH = 20_000_000, 500_000_000, 2_000
"""Up to so many transitions, outputs after all of them, and so deep the proof is a search; beyond, an induction."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    add_common(parser)
    parser.set_defaults(strings=None)


def add_language(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which language."""
    parser.add_argument("--k", type=whole_number, required=True, metavar="K", help="bracket types, at least 1")
    parser.add_argument("--depth", type=whole_number, required=True, metavar="H", help="greatest nesting depth, at least 0")


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import run_task

    language = task(args)
    _limit_strings(args)
    return run_task(language, args, f"python -m verify dyck --k {args.k} --depth {args.depth}")


def _limit_strings(args: argparse.Namespace) -> None:
    from automata.errors import InputError

    longest = max(1, LENGTH_TIMES_TYPES // args.k)
    if args.strings is None:
        args.strings = min(STRINGS, max(3, STRINGS_TIMES_TYPES // args.k))
    if args.max_length is None and longest < LENGTH:
        args.max_length = longest
    elif args.max_length is not None and args.max_length > longest and args.k > 1000:
        raise InputError(f"--max-length {args.max_length}: at most {longest} with {args.k} types, each prefix has as many legal symbols")


def task(args: argparse.Namespace):
    """The language as a task of the pipeline."""
    from automata.bounded_dyck import DyckMachine
    from automata.errors import InputError
    from automata.machine import RECOGNISE
    from constructions.bounded_dyck import bounded_dyck
    from verify.commands.pipeline import Task

    def by_induction(ssm, progress):
        from verify.induction import prove_dyck

        return prove_dyck(ssm, args.k, args.depth, args.mode, progress)

    deepest = MOST_DEPTH if args.k > 1 else MOST_DEPTH_OF_ONE_TYPE
    for option, value, most in (("--k", args.k, MOST_TYPES), ("--depth", args.depth, deepest)):
        if value > most:
            raise InputError(f"{option} {value}: at most {most}")
    machine = DyckMachine(args.k, args.depth)
    transitions = (args.depth + 1) * args.k ** min(args.depth, 64) * (args.k + 1)
    searched = transitions <= SEARCHED_TRANSITIONS and transitions * (2 * args.k + 1) <= SEARCHED_OUTPUTS and args.depth <= SEARCHED_DEPTH
    return Task(
        title=f"Dyck({args.k}, {args.depth}): {args.k} bracket type{'s' * (args.k > 1)}, nested at most {args.depth} deep",
        machine=machine,
        cascade=bounded_dyck(args.k, args.depth, args.mode),
        arithmetic="exact",
        classes=machine.classes() + (args.mode == RECOGNISE),
        parse=machine.parse_symbol,
        prove=None if searched else by_induction,
    )
