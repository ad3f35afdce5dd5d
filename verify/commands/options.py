"""Options that the commands share, checked once, before any work."""

from __future__ import annotations

import argparse

from automata.errors import one_line
from automata.machine import MODES, PREDICTIVE
from constructions.target import TARGETS
from verify.methods import METHODS

MOST_DIGITS = 60
"""Of a number given as an option; each option has a range of its own besides."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """--mode, --arithmetic, the random test, --strings-file, --json, --save, --quiet, --limit."""
    parser.add_argument(
        "--mode", choices=MODES, default=PREDICTIVE, help="the question asked after each prefix (default: predictive)"
    )
    parser.add_argument(
        "--arithmetic",
        type=nonempty,
        metavar="A",
        help="exact, fixed:P, float16, float32, float64 or wrap:P (default: what the construction needs)",
    )
    add_target(parser, tuple(TARGETS))
    parser.add_argument(
        "--method",
        choices=("auto", *METHODS),
        default="auto",
        help="how it is proved (default: the cheapest way that speaks about the model)",
    )
    parser.add_argument(
        "--strings",
        type=whole_number,
        metavar="N",
        help=(
            "random strings to test (default: 8000; 1000 where they are drawn one by one, on other targets and for "
            "more than 10000 weights, fewer beyond 50000)"
        ),
    )
    parser.add_argument("--max-length", type=whole_number, metavar="L", help="of the random strings (default: 500)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="of the random strings (default: 0)")
    parser.add_argument(
        "--strings-file", type=nonempty, metavar="F", help="also run the model on these strings, one a line"
    )
    parser.add_argument(
        "--limit",
        type=whole_number,
        default=5_000_000,
        metavar="N",
        help="give up the proof search beyond N joint states (default: 5000000)",
    )
    parser.add_argument(
        "--save",
        type=nonempty,
        metavar="DIR",
        help="write the weights (safetensors) and the names of all coordinates (JSON)",
    )
    add_certificate(parser)
    add_report(parser)


def add_report(parser: argparse.ArgumentParser, quiet: str = "print the verdicts only") -> None:
    """--json, and --quiet where there is something for it to leave out."""
    parser.add_argument(
        "--json",
        type=nonempty,
        metavar="FILE",
        help="write the report as JSON; - is standard output, and what is printed goes to standard error then",
    )
    if quiet:
        parser.add_argument("--quiet", action="store_true", help=quiet)


def add_drawing(parser: argparse.ArgumentParser, pictures: tuple[str, ...]) -> None:
    """--draw, and --draw-what with the first of these pictures by default."""
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw a picture (.svg, .png or .pdf)")
    parser.add_argument(
        "--draw-what", choices=pictures, default=pictures[0], help=f"what is drawn (default: {pictures[0]})"
    )


def add_certificate(parser: argparse.ArgumentParser) -> None:
    """--certificate: a verdict as a file, see :mod:`verify.commands.certificates`."""
    parser.add_argument(
        "--certificate",
        type=nonempty,
        metavar="FILE",
        help="write what is proved or refuted as a certificate (.json or .json.gz), which `check FILE` checks again",
    )


def add_target(parser: argparse.ArgumentParser, targets: tuple[str, ...]) -> None:
    """--target, the first of these by default, and --dtype."""
    from constructions.mamba.precision import PRECISIONS

    parser.add_argument(
        "--target",
        choices=targets,
        default=targets[0],
        help=f"what it is lowered to and run in (default: {targets[0]})",
    )
    parser.add_argument(
        "--dtype", choices=PRECISIONS, default="float32", help="of a Mamba's weights (default: float32)"
    )


def whole_number(text: str) -> int:
    """A number >= 0 in ASCII digits, for argparse, which names the option in its message.

    >>> whole_number("012")
    12
    """
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(
            f"{one_line(text, most=60)!r} is not a whole number: expected at least 0, in digits"
        )
    if len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"is a number of {len(text)} digits: at most {MOST_DIGITS}")
    return int(text)


def nonempty(text: str) -> str:
    """A path or a name for argparse, which names the option in its message."""
    if not text:
        raise argparse.ArgumentTypeError("is empty")
    return text
