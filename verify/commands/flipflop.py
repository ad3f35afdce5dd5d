"""``python -m verify flipflop``: the flip-flop language, built, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.options import add_common, add_drawing

HELP = "the flip-flop language: the bit after r equals the bit after the last w"

EXAMPLES = ("flipflop", "flipflop --mode recognise --strings-file strings.txt")


def configure(parser: argparse.ArgumentParser) -> None:
    add_drawing(parser, ("cascade", "memory", "dfa"))
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    from automata.machines.flip_flop import FlipFlopMachine
    from verify.commands.pipeline import announce_title, run_task
    from verify.commands.tasks import task_of

    title = "the flip-flop language over w r i 0 1"
    announce_title(title, args)
    task = task_of(title, FlipFlopMachine(), args)
    return run_task(task, args, "python -m verify flipflop")
