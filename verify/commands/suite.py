"""``python -m verify suite``: the paper's languages in one table, each proved or shown to be impossible."""

from __future__ import annotations

import argparse
import shlex
from contextlib import ExitStack
from typing import TYPE_CHECKING, Sequence

from verify.commands.options import add_report, nonempty, whole_number

if TYPE_CHECKING:
    from verify.show.suite_table import Cells
    from verify.suite import Row

HELP = "the paper's languages in one table: proved or impossible, memory, released labels, published accuracy"

EXAMPLES = (
    "suite",
    "suite --only parity,d-12,anbn --targets mamba,mamba2",
    "suite --data data/released --markdown table.md --html table.html",
    "suite --draw table.svg",
)

_LIMIT = 10_000


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", type=nonempty, metavar="NAME,…", help="these languages (default: the 27, flip-flop and dyck-8-10)"
    )
    parser.add_argument(
        "--targets", type=nonempty, metavar="NAME,…", help="a column for each of these besides the paper's SSM"
    )
    parser.add_argument("--data", type=nonempty, metavar="DIR", help="also audit the labels of this data set")
    parser.add_argument("--markdown", type=nonempty, metavar="FILE", help="write the table as Markdown")
    parser.add_argument("--html", type=nonempty, metavar="FILE", help="write the table as a page of its own")
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw the table (.svg, .png or .pdf)")
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
    from verify.show.pictures.canvas import check_extension, require_matplotlib
    from verify.show.report import Report
    from verify.show.suite_table import suite_cells, suite_data
    from verify.show.terminal import painted
    from verify.suite import PAPER_TARGET, languages_named, row_of
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED

    if args.draw:
        check_extension(args.draw)
        require_matplotlib()
    languages = languages_named(args.only)
    asked = [TARGETS.named(name.strip()).name for name in args.targets.split(",")] if args.targets else []
    targets = [name for name in dict.fromkeys(asked) if name != PAPER_TARGET]
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
    for one in found:
        for fault in one.faults:
            report.say(painted(f"{one.language.name}: {fault}", REFUTED, report.stream))
    for what, path in (("table", args.markdown), ("page", args.html), ("picture", args.draw)):
        if path:
            report.wrote(what, path)
    report.close(lambda: _write(args, table, found))
    outcomes = {one.outcome for one in found}
    return EXIT_STATUS[next(outcome for outcome in (REFUTED, UNDECIDED, PROVED) if outcome in outcomes)]


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
    return f"python -m verify suite{options}" + (f" --limit {args.limit}" if args.limit != _LIMIT else "")
