"""``python -m verify dyck --k K --depth H``: bounded Dyck with optimal memory, built, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.options import add_common

HELP = "bounded Dyck: K bracket types, nested at most H deep"

MOST = 4096
"""The greatest K and H: the embedding has 2 K^2 entries, and the proof takes time in H^2."""

SEARCHED_TRANSITIONS, SEARCHED_DEPTH = 20_000_000, 2_000
"""Up to so many transitions and so deep the proof is a search; beyond, an induction."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    add_common(parser)


def add_language(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which language."""
    parser.add_argument("--k", type=int, required=True, metavar="K", help="bracket types, at least 1")
    parser.add_argument("--depth", type=int, required=True, metavar="H", help="greatest nesting depth, at least 0")


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import run_task

    return run_task(task(args), args, f"python -m verify dyck --k {args.k} --depth {args.depth}")


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

    for option, value in (("--k", args.k), ("--depth", args.depth)):
        if value > MOST:
            raise InputError(f"{option} {value}: at most {MOST}")
    machine = DyckMachine(args.k, args.depth)
    pairs = (args.depth + 1) * args.k ** min(args.depth, 64)
    searched = pairs * (args.k + 1) <= SEARCHED_TRANSITIONS and args.depth <= SEARCHED_DEPTH
    return Task(
        title=f"Dyck({args.k}, {args.depth}): {args.k} bracket type{'s' * (args.k > 1)}, nested at most {args.depth} deep",
        machine=machine,
        cascade=bounded_dyck(args.k, args.depth, args.mode),
        arithmetic="exact",
        classes=machine.classes() + (args.mode == RECOGNISE),
        parse=machine.parse_symbol,
        prove=None if searched else by_induction,
    )
