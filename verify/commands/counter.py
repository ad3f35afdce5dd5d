"""``python -m verify counter NAME``: a counter language, built, proved for every counter value, and tested."""

from __future__ import annotations

import argparse

from verify.commands.inputs import add_most, repeated_most
from verify.commands.options import add_common, nonempty

HELP = "a counter language: dyck-1, shuffle-K, boolean-N, anbn, anbncn or anbncndn"

LONG_STRINGS, LONG_LENGTH, LONG_SEED = 3, 200_000, 0
"""The long random test: so many strings of up to so many symbols."""

SMALL_COUNTER, PAIRS = 5, 20_000
"""The second opinion follows every string on which no counter exceeds this, up to about so many pairs of states."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    parser.add_argument("--released", type=nonempty, metavar="DIR", help="also check the released validation files below this folder (Dyck1, Shuffle2, ...)")
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
    from automata.counter_machine import counter_machine
    from automata.errors import InputError, quoted
    from constructions.counters import counter_cascade
    from verify.commands.pipeline import Task
    from verify.induction import prove_counter
    from verify.released import read_released

    machine = counter_machine(args.name, args.most)

    def parse(token: str) -> str:
        if token not in machine.alphabet:
            raise InputError(f"{quoted(token)} is not a symbol of {args.name}: expected {' '.join(machine.alphabet)}")
        return token

    empty = "is a word" if machine.accepts(machine.initial) else "is not a word"
    return Task(
        title=f"{args.name} over {' '.join(machine.alphabet)}; the empty string {empty}",
        machine=machine,
        cascade=counter_cascade(args.name, args.mode, args.most),
        arithmetic="exact",
        classes=None,
        parse=parse,
        prove=lambda ssm, progress: prove_counter(ssm, machine, args.mode, progress),
        checks=_checks(args, machine),
        released=tuple(read_released(args.released, args.name)) if getattr(args, "released", None) else (),
    )


def _checks(args: argparse.Namespace, machine):
    """What is checked besides the proof and the common random test: names, and functions of the engine and a progress."""
    from constructions.arithmetic import Arithmetic
    from verify.bounded_search import bounded_search

    arithmetic = Arithmetic.parse(args.arithmetic or "exact")
    checks = [("second opinion", lambda engine, progress: bounded_search(machine, engine, SMALL_COUNTER, limit=PAIRS, progress=progress))]
    if arithmetic.is_float:
        checks.append(("exact horizon", lambda engine, progress: _horizon(machine, engine)))
    else:
        checks.append(("long random test", lambda engine, progress: _long_strings(machine, engine, progress)))
    return tuple(checks)


def _horizon(machine, engine):
    from verify.boxes import NotCovered
    from verify.induction.counter_horizon import check_horizon
    from verify.induction.symbolic import SolverMissing
    from verify.verdict import UNDECIDED, Verdict

    try:
        return check_horizon(engine.ssm, machine)
    except (NotCovered, SolverMissing) as error:
        return Verdict(UNDECIDED, "run to the horizon", engine.ssm.mode, engine.arithmetic, reason=str(error))


def _long_strings(machine, engine, progress):
    import numpy as np

    from verify.long_words import long_words
    from verify.sampling import check_words

    words = long_words(machine, LONG_STRINGS, LONG_LENGTH, np.random.default_rng(LONG_SEED))
    return check_words(machine, engine, words, engine.ssm.mode, method="long random strings", progress=progress)
