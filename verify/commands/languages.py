"""``python -m verify languages``: the catalogue, with sizes."""

from __future__ import annotations

import argparse

from verify.commands.options import nonempty

HELP = "the languages that have a name: sizes, star-free or not"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=nonempty, metavar="FILE", help="write the list as JSON")


def run(args: argparse.Namespace) -> int:
    from automata.catalogue import COUNTER, LANGUAGES
    from verify.show.report import Report

    report = Report("python -m verify languages")
    report.title(
        "languages with a name; besides these, d-N, dyck-K-H (K bracket types, at most H deep), shuffle-K and boolean-N"
    )
    rows: list[tuple[str, ...]] = [("name", "symbols", "states", "star-free", "other names", "what it is")]
    data = []
    for known in LANGUAGES.values():
        states = None if known.kind == COUNTER else known.dfa().states
        star_free = {True: "yes", False: "no", None: "not regular"}[known.star_free]
        rows.append(
            (
                known.name,
                str(len(known.alphabet)),
                "-" if states is None else str(states),
                star_free,
                ", ".join(known.aliases) or "-",
                known.title,
            )
        )
        data.append(
            {
                "name": known.name,
                "aliases": list(known.aliases),
                "title": known.title,
                "alphabet": list(known.alphabet),
                "states": states,
                "star_free": known.star_free,
            }
        )
    report.table("languages", rows, data)
    report.close(args.json)
    return 0
