"""``python -m verify report --out DIR``: a static page of what is proved, with weights that run in the browser."""

from __future__ import annotations

import argparse
import shlex

from verify.commands.options import add_report, nonempty
from verify.commands.suite import SUITE_LIMIT, add_rows, say_faults

HELP = "a page to look at: the table, pictures, and weights that run in the browser, string by string"

EXAMPLES = ("report --out page", "report --out page --data data/released --decide decisions.json")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=nonempty, required=True, metavar="DIR", help="the folder of the page; index.html opens from disk"
    )
    add_rows(parser)
    parser.add_argument(
        "--decide", type=nonempty, metavar="FILE", help="also show the table that `decide --all --json FILE` wrote"
    )
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing (pictures need matplotlib)")
    add_report(parser, "no progress, and only the rows that fail")


def run(args: argparse.Namespace) -> int:
    from verify.evidence.dataset import folders
    from verify.progress import Progress
    from verify.report.architectures import read_architectures
    from verify.report.contents import entries, notebooks
    from verify.report.page import Page, check_place, files_of, write_page
    from verify.show.pictures.canvas import require_matplotlib
    from verify.show.report import Report
    from verify.show.suite_table import suite_cells, suite_data
    from verify.suite import languages_named, outcome_of, targets_named
    from verify.verdict import EXIT_STATUS

    check_place(args.out)
    languages = list({known.name: known for known in languages_named(args.only)}.values())
    targets = targets_named(args.targets)
    if args.data:
        folders(args.data)
    architectures = read_architectures(args.decide) if args.decide else None
    if not args.no_pictures:
        require_matplotlib()
    command = _command(args)
    report = Report(command, args.quiet, args.json)
    report.title("a page of what is proved")
    with Progress("languages", len(languages), args.quiet, phase="page") as progress:
        found = entries(languages, targets, args.data, args.limit, not args.no_pictures, progress)
    rows = [one.row for one in found]
    report.content["suite"] = [suite_data(row) for row in rows]
    say_faults(report, rows)
    files = files_of(Page(command, tuple(found), tuple(suite_cells(rows, targets)), architectures, notebooks()))
    report.section("page", {"languages": len(rows), "files": len(files), "bytes": sum(map(len, files.values()))})
    report.wrote("page", args.out)
    report.close(lambda: write_page(files, args.out))
    return EXIT_STATUS[outcome_of(rows)]


def _command(args: argparse.Namespace) -> str:
    named = ("out", "only", "targets", "data", "decide")
    options = "".join(f" --{name} {shlex.quote(value)}" for name in named if (value := getattr(args, name)) is not None)
    options += " --no-pictures" * args.no_pictures
    return f"python -m verify report{options}" + (f" --limit {args.limit}" if args.limit != SUITE_LIMIT else "")
