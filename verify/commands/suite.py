"""``python -m verify suite``: the paper's languages in one table, each proved or shown to be impossible."""

from __future__ import annotations

import argparse
import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING, Sequence

from verify.commands.options import add_report, nonempty, whole_number

if TYPE_CHECKING:
    from verify.show.report import Report
    from verify.show.suite_table import Cells
    from verify.suite import Row

HELP = "the paper's languages in one table: proved or impossible, memory, released labels, published accuracy"

EXAMPLES = (
    "suite",
    "suite --only parity,d-12,anbn --targets mamba,mamba2",
    "suite --data data/released --markdown table.md --html table.html",
    "suite --draw table.svg",
)

SUITE_LIMIT = 10_000


def configure(parser: argparse.ArgumentParser) -> None:
    add_rows(parser)
    parser.add_argument("--markdown", type=nonempty, metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--html", type=nonempty, metavar="FILE", help="write the table as a page of its own")
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw the table (.svg, .png or .pdf)")
    add_report(parser, "no progress, and only the rows that fail")


def add_rows(parser: argparse.ArgumentParser) -> None:
    """What the rows and columns of the table are, and the limit of each proof."""
    parser.add_argument(
        "--only", type=nonempty, metavar="NAME,…", help="these languages (default: the 27, flip-flop and dyck-8-10)"
    )
    parser.add_argument(
        "--targets", type=nonempty, metavar="NAME,…", help="a column for each of these besides the paper's SSM"
    )
    parser.add_argument("--data", type=nonempty, metavar="DIR", help="also audit the labels of this data set")
    parser.add_argument(
        "--limit",
        type=whole_number,
        default=SUITE_LIMIT,
        metavar="N",
        help=f"joint states of each proof (default: {SUITE_LIMIT})",
    )


def run(args: argparse.Namespace) -> int:
    from verify.evidence.dataset import folders
    from verify.progress import Progress
    from verify.show.pictures.canvas import check_extension, require_matplotlib
    from verify.show.report import Report
    from verify.show.suite_table import suite_cells, suite_data
    from verify.suite import languages_named, outcome_of, row_of, targets_named
    from verify.verdict import EXIT_STATUS

    if args.draw:
        check_extension(args.draw)
        require_matplotlib()
    languages = languages_named(args.only)
    targets = targets_named(args.targets)
    if args.data:
        folders(args.data)
    report = Report(_command(args), args.quiet, args.json)
    report.title(
        "predictive: the paper's SSM in its own arithmetic, weights that are proved or strings that forbid them"
    )
    found: list[Row] = []
    with Progress("languages", len(languages), args.quiet, phase="suite") as progress:
        for known in languages:
            found.append(row_of(known, targets, args.data, args.limit))
            progress.advance(1)
    table = suite_cells(found, targets)
    report.table("suite", table, [suite_data(one) for one in found])
    say_faults(report, found)
    for what, path in (("table", args.markdown), ("page", args.html), ("picture", args.draw)):
        if path:
            report.wrote(what, path)
    report.close(lambda: _write(args, table, found))
    return EXIT_STATUS[outcome_of(found)]


def say_faults(report: Report, found: Sequence[Row]) -> None:
    """A line for each thing that is wrong."""
    from verify.show.terminal import painted
    from verify.verdict import REFUTED

    for one in found:
        for fault in one.faults:
            report.say(painted(f"{one.language.name}: {fault}", REFUTED, report.stream))


def _write(args: argparse.Namespace, table: Sequence[Cells], found: Sequence[Row]) -> None:
    """The files that are asked for: when one cannot be written, none is."""
    from automata.files import staged
    from verify.report.page import table_document
    from verify.show.pictures.canvas import save_figure
    from verify.show.pictures.table import suite_figure
    from verify.show.suite_table import as_markdown

    with ExitStack() as stack:
        if args.markdown:
            stack.enter_context(staged(args.markdown, as_markdown(table).encode()))
        if args.html:
            stack.enter_context(staged(args.html, table_document(_command(args), table).encode()))
        if args.draw:
            save_figure(suite_figure(found), args.draw)


def _command(args: argparse.Namespace) -> str:
    given = ("only", "targets", "data", "markdown", "html", "draw")
    options = "".join(f" --{name} {shlex.quote(value)}" for name in given if (value := getattr(args, name)) is not None)
    return f"python -m verify suite{options}" + (f" --limit {args.limit}" if args.limit != SUITE_LIMIT else "")
