"""``python -m verify export LANGUAGE --to DIR``: a language as a stock Mamba checkpoint.

The same as ``prove LANGUAGE --target mamba --save DIR``: it is checked first, and not written when it is refuted; its
model card says what was proved, tested, or left undecided.
"""

from __future__ import annotations

import argparse

from automata.errors import InputError
from verify.commands.inputs import read_input
from verify.commands.options import add_common, add_drawing, nonempty
from verify.commands.starfree import PICTURES, add_language, compile_and_check

HELP = "write a language as a stock checkpoint (Hugging Face format), checked first"

EXAMPLES = ("export d-2 --to stock", "export --ltl 'G(a -> F b)' --alphabet 'a b' --to stock --dtype float16")

STRINGS = 200
"""Random strings by default."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    add_drawing(parser, PICTURES)
    add_common(parser)
    parser.add_argument("--to", type=nonempty, required=True, metavar="DIR", help="the folder to write")
    parser.set_defaults(target="mamba", strings=STRINGS)


def run(args: argparse.Namespace) -> int:
    if args.save:
        raise InputError(f"--save {args.save}: the folder of an export is named with --to")
    args.save = args.to
    return compile_and_check(read_input(args), args, "export")
