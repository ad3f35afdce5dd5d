"""``python -m verify census --letters 2 --states 3``: all small regular languages, decided, compiled and proved."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import TYPE_CHECKING

from automata.errors import InputError, one_line
from automata.machine import MODES, PREDICTIVE
from verify.commands.options import add_report, nonempty, whole_number

if TYPE_CHECKING:
    from verify.census.summary import Size

HELP = "every minimal automaton up to a size: decided, compiled and proved; and summaries of what was found"

EXAMPLES = (
    "census --letters 2 --states 3",
    "census --states 5 --workers 2 --out parts",
    "census summary parts",
)

SUMMARY = "summary"

_LETTERS, _STATES, _WORKERS = 2, 3, 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="summary FOLDER",
        help="a summary of the parts in a folder, with a picture and a Parquet file",
    )
    parser.add_argument("--letters", type=whole_number, metavar="K", help=f"size of the alphabet (default: {_LETTERS})")
    parser.add_argument(
        "--states", type=whole_number, metavar="N", help=f"all sizes from 1 to N states (default: {_STATES})"
    )
    parser.add_argument(
        "--workers",
        type=whole_number,
        metavar="W",
        help=f"processes, started by Dask (default: {_WORKERS}); never more than four for each processor",
    )
    parser.add_argument(
        "--scheduler",
        type=nonempty,
        metavar="ADDRESS",
        help="a Dask scheduler, such as tcp://host:8786, whose workers do the work: one that you trust",
    )
    parser.add_argument(
        "--out",
        type=nonempty,
        metavar="FOLDER",
        help="keep finished parts here; a census that was interrupted goes on from them",
    )
    parser.add_argument(
        "--mode",
        choices=MODES,
        help="the question that the models answer (default: predictive); one proof holds for both",
    )
    parser.add_argument(
        "--plot", type=nonempty, metavar="FILE", help="of a summary: its picture (default: FOLDER/census.svg)"
    )
    parser.add_argument(
        "--parquet", type=nonempty, metavar="FILE", help="of a summary: its table (default: FOLDER/census.parquet)"
    )
    add_report(parser, "no progress")


def run(args: argparse.Namespace) -> int:
    if not args.words:
        return _census(args)
    if args.words[0] != SUMMARY:
        raise InputError(f"unknown word {one_line(args.words[0], most=60)!r}: expected {SUMMARY} FOLDER, or options")
    if len(args.words) != 2:
        raise InputError(f"census {SUMMARY}: expected one FOLDER, given {len(args.words) - 1}")
    return _summary(args, args.words[1])


def _census(args: argparse.Namespace) -> int:
    from pathlib import Path

    from automata.algebra.enumeration import number_of_tables
    from verify.census.parts import CYCLING
    from verify.census.running import census
    from verify.progress import Progress
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED

    _only_with(args, SUMMARY, "plot", "parquet")
    letters, most, workers = (
        given if given is not None else default
        for given, default in ((args.letters, _LETTERS), (args.states, _STATES), (args.workers, _WORKERS))
    )
    for option, value, limit in (("letters", letters, 26), ("states", most, None), ("workers", workers, None)):
        if value < 1 or (limit and value > limit):
            raise InputError(f"--{option} {value}: expected 1 or more" + (f", up to {limit}" if limit else ""))
    folder = Path(args.out) if args.out else None
    mode = args.mode or PREDICTIVE
    report = Report(f"python -m verify census --letters {letters} --states {most} --mode {mode}", json_path=args.json)
    report.title(f"all languages over {letters} letter{'s' * (letters != 1)} of 1 to {most} states")
    totals: Counter = Counter()
    for states in range(1, most + 1):
        tables = number_of_tables(letters, states)
        with Progress("tables", tables, args.quiet, phase=f"{states} states") as progress:
            counts = census(letters, states, workers, folder, progress, args.scheduler)
        values = {
            "minimal automata": counts.total(),
            "star-free": counts.total() - counts[CYCLING],
            "not star-free": f"{counts[CYCLING]}, each with strings whose membership cycles",
            "proved": counts[PROVED],
            "undecided": counts[UNDECIDED],
        }
        if counts[REFUTED]:
            values["refuted"] = counts[REFUTED]
        report.section(f"{states} state{'s' * (states != 1)}", values, dict(counts))
        totals += counts
    if args.out:
        report.wrote("parts", args.out)
    report.close()
    return EXIT_STATUS[next((outcome for outcome in (REFUTED, UNDECIDED) if totals[outcome]), PROVED)]


def _only_with(args: argparse.Namespace, what: str, *options: str) -> None:
    for option in options:
        if getattr(args, option) is not None:
            raise InputError(f"--{option} belongs to census {what}")


def _summary(args: argparse.Namespace, folder: str) -> int:
    import os

    from verify.census.parts import CYCLING
    from verify.census.summary import require_pyarrow, sizes_of, write_parquet
    from verify.commands.places import check_writable
    from verify.progress import Progress
    from verify.show.pictures.canvas import check_extension, require_matplotlib, save_figure
    from verify.show.pictures.census import census_figure
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED

    for option in ("letters", "states", "workers", "scheduler", "out", "mode"):
        if getattr(args, option) is not None:
            raise InputError(f"--{option} belongs to a census, not to its {SUMMARY}")
    plot = args.plot or os.path.join(folder, "census.svg")
    parquet = args.parquet or os.path.join(folder, "census.parquet")
    check_extension(plot)
    if not parquet.endswith(".parquet"):
        raise InputError(f"--parquet {parquet}: the extension has to be .parquet")
    require_matplotlib()
    require_pyarrow()
    report = Report(f"python -m verify census {SUMMARY} {folder}", json_path=args.json)
    title = f"the census in {folder}"
    report.announce(title)
    with Progress("parts", None, args.quiet, phase="reading") as progress:
        sizes = sizes_of(folder, progress)
    for path, option in ((plot, "--plot"), (parquet, "--parquet")):
        check_writable(path, option)
    report.title(title)
    report.table("sizes", [_HEADS, *map(_cells, sizes)], [_data(size) for size in sizes])
    for size in sizes:
        report.section(size.title, _details(size), {})
    with Progress("parts", None, args.quiet, phase="writing") as progress:
        write_parquet(folder, parquet, progress)
        save_figure(census_figure(sizes), plot)
    report.wrote("picture", plot, table=parquet)
    report.close()
    open_languages = any(size.outcomes[UNDECIDED] or not size.complete for size in sizes)
    refuted = any(size.outcomes[REFUTED] for size in sizes)
    assert all(set(size.outcomes) <= {CYCLING, PROVED, UNDECIDED, REFUTED} for size in sizes)
    return EXIT_STATUS[REFUTED if refuted else UNDECIDED if open_languages else PROVED]


_COUNTED = ("states", "letters", "tables", "languages", "star-free", "proved", "undecided", "refuted")
_HEADS = (*_COUNTED, "levels", "bits", "layers", "monoid", "other monoids")


def _cells(size: Size) -> tuple[str, ...]:
    from automata.algebra.enumeration import number_of_tables
    from verify.verdict import PROVED, REFUTED, UNDECIDED

    tables = f"{size.done}" if size.complete else f"{size.done} of {number_of_tables(size.letters, size.states)}"
    proved, undecided, refuted = (str(size.outcomes[outcome]) for outcome in (PROVED, UNDECIDED, REFUTED))
    counts = (str(size.states), str(size.letters), tables, str(size.languages), str(size.star_free))
    spans = tuple(map(_span, (size.levels, size.bits, size.layers, size.monoids, size.other_monoids)))
    return (*counts, proved, undecided, refuted, *spans)


def _span(counts: Counter) -> str:
    if not counts:
        return "-"
    return f"{min(counts)} to {max(counts)}" if min(counts) < max(counts) else str(min(counts))


def _details(size: Size) -> dict[str, object]:
    details: dict[str, object] = {
        "star-free by levels": _listed(size.levels),
        "by bits": _listed(size.bits),
        "by layers": _listed(size.layers),
        "groups that forbid": ", ".join(f"{name} in {count}" for name, count in size.groups.most_common()) or "none",
    }
    for what, (value, entry, holders) in size.records.items():
        rows = " ".join("".join(map(str, row)) for row in entry.table)
        more = f", the first of {holders} tables" if holders > 1 else ""
        details[what] = f"{value}: {rows} with {entry.languages} accepting sets{more}"
    return details


def _listed(counts: Counter) -> str:
    return ", ".join(f"{value}: {count}" for value, count in sorted(counts.items())) or "none"


def _data(size: Size) -> dict[str, object]:
    names = ("outcomes", "levels", "bits", "layers", "monoids", "other_monoids", "groups")
    return {
        "letters": size.letters,
        "states": size.states,
        "tables_done": size.done,
        "complete": size.complete,
        "languages": size.languages,
        "star_free": size.star_free,
        **{name: dict(sorted(getattr(size, name).items())) for name in names},
        "records": {
            what: {"value": value, "table": entry.table, "accepting_sets": entry.accepting_sets, "tables": holders}
            for what, (value, entry, holders) in size.records.items()
        },
    }
