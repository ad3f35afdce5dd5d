"""``python -m verify trace LANGUAGE STRING``: one run of the weights, step by step, by name."""

from __future__ import annotations

import argparse

from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE
from verify.commands.options import nonempty, whole_number
from verify.commands.starfree import add_language, task

HELP = "print a run step by step: symbol, gates, named state, outputs"

EXAMPLES = ("trace dyck-2-5 '( [ ] )'", "trace flip-flop 'w 1 r 1'", "trace --regex '(ab)*' abab --mode recognise")

FAMILIES = ("counter", "starfree")
"""Words that once stood before the language and say nothing more; ``dyck --k K --depth H`` is still understood too."""


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    parser.add_argument("string", metavar="STRING", help="tokens separated by blanks")
    parser.add_argument("--mode", choices=MODES, default=PREDICTIVE, help="the question asked (default: predictive)")
    parser.add_argument(
        "--arithmetic", type=nonempty, metavar="A", help="exact, fixed:P, float16, float32, float64 or wrap:P"
    )
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw the run (.svg, .png or .pdf)")
    parser.add_argument("--k", type=whole_number, help=argparse.SUPPRESS)
    parser.set_defaults(quiet=False)


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import lowered
    from verify.evidence.strings_file import parse_word
    from verify.show.report import Report
    from verify.show.tracing import Trace

    if args.draw:
        from verify.show.pictures.canvas import check_extension

        check_extension(args.draw)
    if args.name == "dyck":
        if None in (args.k, args.depth):
            raise InputError("bounded Dyck has two numbers, K bracket types and depth H: trace dyck-K-H STRING")
        args.name, args.depth = f"dyck-{args.k}-{args.depth}", None
    elif args.k is not None or (args.depth is not None and args.cfg is None):
        raise InputError("--k and --depth: speak about bounded Dyck, which is written dyck-K-H")
    report = Report("trace")
    traced = task(args, report.announce)
    word = parse_word(args.string, traced.parse, characters=True)
    found = Trace.of(lowered(traced, args).weights, word, traced.construction)
    if args.draw:
        from verify.show.pictures.drawing import draw

        draw(found, path=args.draw)
    report.title(f"{traced.title}\n")
    for line in found.lines():
        print(line)
    if args.draw:
        print(f"\nwritten: {args.draw}")
    return 0
