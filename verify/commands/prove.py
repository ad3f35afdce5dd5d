"""``python -m verify prove LANGUAGE``: any language, on any target, by any method: compiled, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.inputs import read_input
from verify.commands.options import add_common, nonempty
from verify.commands.starfree import add_language, run_on

HELP = "any language: compiled for a target, proved and tested"


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw a picture (.svg, .png or .pdf)")
    parser.add_argument(
        "--draw-what", choices=("dfa", "cascade", "eggbox"), default="dfa", help="what is drawn (default: dfa)"
    )
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    return run_on(read_input(args), args, "prove")
