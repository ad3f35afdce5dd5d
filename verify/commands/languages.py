"""``python -m verify languages [LANGUAGE]``: the catalogue, or one language, with sizes."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from verify.commands.inputs import add_input, image_set_limit, is_named, read_input, unminimised_limit
from verify.commands.options import add_report

if TYPE_CHECKING:
    from automata.catalogue import Language

_TITLE = (
    "languages with a name; besides these, d-N, dyck-K-H (K bracket types, at most H deep), shuffle-K, boolean-N, "
    "mqar-K-V (associative recall of K keys and V values) and copy-N (w # w)"
)

HELP = "the languages that have a name: sizes, star-free or not"

EXAMPLES = ("languages", "languages dyck-2-7", "languages --regex '(aa)*'")


def configure(parser: argparse.ArgumentParser) -> None:
    add_input(parser, required=False)
    add_report(parser, "")


def run(args: argparse.Namespace) -> int:
    from automata.catalogue import LANGUAGES
    from verify.progress import Progress, each
    from verify.show.report import Report

    given = read_input(args) if is_named(args) else None
    known = list(LANGUAGES.values()) if given is None else [given.language]
    report = Report(f"python -m verify languages {given.options if given else ''}".rstrip(), json_path=args.json)
    report.title(given.title if given else _TITLE)
    with Progress("languages", len(known), phase="star-free or not") as progress:
        data = [_entry(found, args) for found in each(known, progress)]
    heads = ("name", "symbols", "states", "star-free", "other names", "what it is")
    rows = [
        (
            entry["name"],
            str(len(entry["alphabet"])),
            "-" if entry["states"] is None else str(entry["states"]),
            {True: "yes", False: "no", None: "not regular"}[entry["star_free"]],
            ", ".join(entry["aliases"]) or "-",
            entry["title"],
        )
        for entry in data
    ]
    report.table("languages", [heads, *rows], data)
    report.close()
    return 0


def _entry(known: Language, args: argparse.Namespace) -> dict:
    """What JSON says of a language, and the table too."""
    from automata.algebra.holonomy import Skeleton
    from automata.catalogue import COUNTER

    dfa = None if known.kind == COUNTER else known.dfa(unminimised_limit(args))
    star_free = known.known
    if dfa is not None and star_free is None:
        star_free = Skeleton.of(dfa, image_set_limit(args)).aperiodic
    return {
        "name": known.name,
        "aliases": list(known.aliases),
        "title": known.title,
        "alphabet": list(known.alphabet),
        "states": None if dfa is None else dfa.states,
        "star_free": star_free,
    }
