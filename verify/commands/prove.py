"""``python -m verify prove LANGUAGE``: any language, on any target, by any method: compiled, proved and tested."""

from __future__ import annotations

import argparse

from verify.commands.inputs import read_input
from verify.commands.options import add_common, add_drawing
from verify.commands.starfree import PICTURES, add_language, run_on

HELP = "any language: compiled for a target, proved and tested"

EXAMPLES = (
    "prove dyck-2-5",
    "prove anbn --mode recognise",
    "prove --regex '(ab)*' --save model --json report.json",
    "prove d-12 --target mamba --dtype bfloat16",
    "prove anbn --target lstm --limit 1000000",
)


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    add_drawing(parser, PICTURES)
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    return run_on(read_input(args), args, "prove")
