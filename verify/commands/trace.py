"""``python -m verify trace LANGUAGE ... STRING``: one run of the weights, step by step, by name."""

from __future__ import annotations

import argparse

from automata.machine import MODES, PREDICTIVE
from verify.commands import counter, dyck, flipflop, starfree
from verify.commands.options import nonempty

HELP = "print a run step by step: symbol, gates, named state, outputs"

_LANGUAGES = {"dyck": dyck, "flipflop": flipflop, "counter": counter, "starfree": starfree}


def configure(parser: argparse.ArgumentParser) -> None:
    languages = parser.add_subparsers(dest="family", metavar="LANGUAGE", required=True)
    for name, module in _LANGUAGES.items():
        language = languages.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_language(language)
        language.add_argument("string", help="tokens separated by blanks")
        language.add_argument("--draw", type=nonempty, metavar="FILE", help="draw the run (.svg, .png or .pdf)")
        language.add_argument(
            "--mode", choices=MODES, default=PREDICTIVE, help="the question asked (default: predictive)"
        )
        language.add_argument(
            "--arithmetic", type=nonempty, metavar="A", help="exact, fixed:P, float16, float32, float64 or wrap:P"
        )


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import lowered
    from verify.evidence.strings_file import parse_word
    from verify.show.tracing import Trace

    if args.draw:
        from verify.show.pictures.canvas import check_extension

        check_extension(args.draw)
    task = _LANGUAGES[args.family].task(args)
    word = parse_word(args.string, task.parse, characters=True)
    found = Trace.of(lowered(task, args).weights, word, task.construction)
    if args.draw:
        from verify.show.pictures.drawing import draw

        draw(found, path=args.draw)
    for line in found.lines():
        print(line)
    return 0
