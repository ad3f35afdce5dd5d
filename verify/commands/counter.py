"""``python -m verify counter NAME``: a counter language, built, proved for every counter value, and tested."""

from __future__ import annotations

import argparse

from automata.errors import InputError
from verify.commands.inputs import add_most, repeated_most
from verify.commands.options import add_common, add_drawing, nonempty

HELP = "a counter language: dyck-1, shuffle-K, boolean-N, anbn, anbncn or anbncndn"

EXAMPLES = ("counter anbncn", "counter shuffle-2 --arithmetic float16", "counter dyck-1 --released published")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="dyck-1, shuffle-K, boolean-N, anbn, anbncn or anbncndn")
    add_most(parser, "the K of shuffle-K", "64")
    parser.add_argument(
        "--released",
        type=nonempty,
        metavar="DIR",
        help="also check the released validation files below this folder (Dyck1, Shuffle2, ...)",
    )
    add_drawing(parser, ("cascade",))
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from dataclasses import replace

    from automata.machines.counter_machine import counter_machine
    from verify.commands.pipeline import announce_title, run_task
    from verify.commands.tasks import task_of
    from verify.evidence.released import read_released

    _refuse_regular(args.name)
    machine = counter_machine(args.name, args.most)
    empty = "is a word" if machine.accepts(machine.initial) else "is not a word"
    title = f"{args.name} over {' '.join(machine.alphabet)}; the empty string {empty}"
    announce_title(title, args)
    task = task_of(title, machine, args)
    if args.released:
        task = replace(task, released=tuple(read_released(args.released, args.name)))
    return run_task(task, args, f"python -m verify counter {args.name}{repeated_most(args)}")


def _refuse_regular(name: str) -> None:
    """Raises for a language of the catalogue that has a finite automaton, naming the command for it."""
    from automata.catalogue import LANGUAGES, REGULAR

    known = next((found for found in LANGUAGES.values() if name in (found.name, *found.aliases)), None)
    if known is not None and known.kind == REGULAR:
        raise InputError(f"{name} is regular, no counter is needed: see `python -m verify prove {name}`")
