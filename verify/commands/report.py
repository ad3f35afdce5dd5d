"""``python -m verify report --out DIR``: a static page of what is proved, with weights that run in the browser."""

from __future__ import annotations

import argparse
import shlex

from verify.commands.options import add_report, nonempty, whole_number

HELP = "a page to look at: the table, pictures, and weights that run in the browser, string by string"

EXAMPLES = ("report --out page", "report --out page --data data/released --decide decisions.json")

_LIMIT = 10_000


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=nonempty, required=True, metavar="DIR", help="the folder of the page; index.html opens from disk"
    )
    parser.add_argument(
        "--only", type=nonempty, metavar="NAME,…", help="these languages (default: the 27, flip-flop and dyck-8-10)"
    )
    parser.add_argument(
        "--targets", type=nonempty, metavar="NAME,…", help="a column for each of these besides the paper's SSM"
    )
    parser.add_argument("--data", type=nonempty, metavar="DIR", help="also audit the labels of this data set")
    parser.add_argument(
        "--decide", type=nonempty, metavar="FILE", help="also show the table that `decide --all --json FILE` wrote"
    )
    parser.add_argument("--no-pictures", action="store_true", help="draw nothing (pictures need matplotlib)")
    parser.add_argument(
        "--limit",
        type=whole_number,
        default=_LIMIT,
        metavar="N",
        help=f"joint states of each proof (default: {_LIMIT})",
    )
    add_report(parser, "no progress, and only the rows that fail")


def run(args: argparse.Namespace) -> int:
    from constructions.target import TARGETS
    from verify.evidence.dataset import folders
    from verify.progress import Progress
    from verify.report.architectures import read_architectures
    from verify.report.contents import entries, notebooks
    from verify.report.page import Page, check_place, files_of, write_page
    from verify.show.pictures.canvas import require_matplotlib
    from verify.show.report import Report
    from verify.show.suite_table import suite_cells, suite_data
    from verify.show.terminal import painted
    from verify.suite import PAPER_TARGET, languages_named
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED

    check_place(args.out)
    languages = list({known.name: known for known in languages_named(args.only)}.values())
    asked = [TARGETS.named(name.strip()).name for name in args.targets.split(",")] if args.targets else []
    targets = [name for name in dict.fromkeys(asked) if name != PAPER_TARGET]
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
    for row in rows:
        for fault in row.faults:
            report.say(painted(f"{row.language.name}: {fault}", REFUTED, report.stream))
    files = files_of(Page(command, tuple(found), tuple(suite_cells(rows, targets)), architectures, notebooks()))
    report.section("page", {"languages": len(rows), "files": len(files), "bytes": sum(map(len, files.values()))})
    report.wrote("page", args.out)
    report.close(lambda: write_page(files, args.out))
    outcomes = {row.outcome for row in rows}
    return EXIT_STATUS[next(outcome for outcome in (REFUTED, UNDECIDED, PROVED) if outcome in outcomes)]


def _command(args: argparse.Namespace) -> str:
    named = ("out", "only", "targets", "data", "decide")
    options = "".join(f" --{name} {shlex.quote(value)}" for name in named if (value := getattr(args, name)) is not None)
    options += " --no-pictures" * args.no_pictures
    return f"python -m verify report{options}" + (f" --limit {args.limit}" if args.limit != _LIMIT else "")
