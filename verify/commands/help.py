"""``python -m verify help TOPIC``: what a notation means (docs/notations.md), or the options of a command."""

from __future__ import annotations

import argparse
from pathlib import Path

from automata.errors import InputError, did_you_mean, one_line

HELP = "what expressions, formulas and files mean (help regex, help ltl, help files), or the options of a command"

EXAMPLES = ("help regex", "help ltl", "help files", "help prove")

NOTATIONS = {"regex": "Regular expressions", "ltl": "Temporal logic", "files": "Files"}
"""Topics, and how their headings in the text begin."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help=f"{', '.join(NOTATIONS)}, or a command")


def run(args: argparse.Namespace) -> int:
    from verify.commands.parser import command_line

    parser = command_line()
    if args.topic in NOTATIONS:
        print(notation(args.topic))
    elif args.topic is None or args.topic in parser.children:
        parser.children.get(args.topic, parser).print_help()
    else:
        topics = (*NOTATIONS, *parser.children)
        hint = did_you_mean(args.topic, topics) or f": expected {', '.join(NOTATIONS)} or a command"
        raise InputError(f"unknown topic {one_line(args.topic, most=60)!r}{hint}")
    return 0


def notation(topic: str) -> str:
    """The part of the text about a notation.

    >>> notation("regex").splitlines()[0]
    'Regular expressions: `--regex` (`automata/notation/expressions.py`)'
    """
    text = Path(__file__).parents[1].joinpath("notations.md").read_text(encoding="utf-8")
    parts = text.split("\n## ")
    return next(part for part in parts if part.startswith(NOTATIONS[topic])).strip()
