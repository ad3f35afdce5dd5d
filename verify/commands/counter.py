"""``python -m verify counter NAME``: a counter language, built, proved for every counter value, and tested."""

from __future__ import annotations

import argparse

from verify.commands.inputs import add_most, repeated_most
from verify.commands.options import add_common, add_drawing, nonempty

HELP = "a counter language: dyck-1, shuffle-K, boolean-N, anbn, anbncn or anbncndn"


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    parser.add_argument(
        "--released",
        type=nonempty,
        metavar="DIR",
        help="also check the released validation files below this folder (Dyck1, Shuffle2, ...)",
    )
    add_drawing(parser, ("cascade",))
    add_common(parser)


def add_language(parser: argparse.ArgumentParser) -> None:
    """The argument that says which language."""
    parser.add_argument("name", metavar="NAME", help="dyck-1, shuffle-K, boolean-N, anbn, anbncn or anbncndn")
    add_most(parser, "the K of shuffle-K", "64")


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import run_task

    return run_task(task(args), args, f"python -m verify counter {args.name}{repeated_most(args)}")


def task(args: argparse.Namespace):
    """The language as a task of the pipeline."""
    from dataclasses import replace

    from automata.machines.counter_machine import counter_machine
    from verify.commands.tasks import task_of
    from verify.evidence.released import read_released

    machine = counter_machine(args.name, args.most)
    empty = "is a word" if machine.accepts(machine.initial) else "is not a word"
    found = task_of(f"{args.name} over {' '.join(machine.alphabet)}; the empty string {empty}", machine, args)
    released = getattr(args, "released", None)
    return replace(found, released=tuple(read_released(released, args.name))) if released else found
