"""``python -m verify flipflop``: the flip-flop language, built, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.options import add_common

HELP = "the flip-flop language: the bit after r equals the bit after the last w"


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    add_common(parser)


def add_language(parser: argparse.ArgumentParser) -> None:
    """There is one such language: nothing to choose."""


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import run_task

    return run_task(task(args), args, "python -m verify flipflop")


def task(args: argparse.Namespace):
    """The language as a task of the pipeline."""
    from automata.errors import InputError, quoted
    from automata.flip_flop import FlipFlopMachine
    from automata.machine import RECOGNISE
    from constructions.flip_flop import flip_flop
    from verify.commands.pipeline import Task

    def parse(token: str) -> str:
        if token not in FlipFlopMachine.alphabet:
            raise InputError(f"{quoted(token)} is not a symbol of the flip-flop language: expected w r i 0 1")
        return token

    recognise = args.mode == RECOGNISE
    return Task(
        title="the flip-flop language over w r i 0 1",
        machine=FlipFlopMachine(),
        cascade=flip_flop(args.mode),
        # The recogniser reads the symbol before, which takes a fractional bit; the predictor does not.
        arithmetic="fixed:1" if recognise else "exact",
        classes=9 if recognise else 8,
        parse=parse,
    )
