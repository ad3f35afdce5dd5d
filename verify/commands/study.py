"""``python -m verify study --out DIR``: the paper's star-free languages and flip-flop, trained, in one table."""

from __future__ import annotations

import argparse
import shlex

from automata.errors import InputError
from verify.commands.options import add_report, nonempty
from verify.commands.trained import between

HELP = "the paper's star-free languages, trained with and without exact gates: what is proved, where the rest breaks"

EXAMPLES = ("study --out build/study", "study --out build/study --only flip-flop,d-2-sharp --jobs 1 --recheck")

_JOBS = 2


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=nonempty, required=True, metavar="DIR", help="keeps models and reports, and goes on from them"
    )
    parser.add_argument("--only", type=nonempty, metavar="NAME,…", help="these rows, or those on these languages")
    parser.add_argument(
        "--jobs", type=between(1, 64), default=_JOBS, metavar="N", help=f"rows at a time (default: {_JOBS})"
    )
    parser.add_argument("--recheck", action="store_true", help="check models again that were checked before")
    parser.add_argument("--plot", type=nonempty, metavar="FILE", help="draw the verdicts (.svg, .png or .pdf)")
    add_report(parser, "no progress, and no table")


def run(args: argparse.Namespace) -> int:
    from dataclasses import asdict
    from pathlib import Path

    from verify.progress import Progress
    from verify.show.pictures.canvas import check_extension, require_matplotlib, save_figure
    from verify.show.report import Report
    from verify.training.study import LESSONS, STUDY_PAGE, STUDY_TABLE, lessons_named, run_study, table
    from verify.verdict import PROVED

    if args.plot is not None:
        check_extension(args.plot)
        require_matplotlib()
    folder = Path(args.out)
    lessons = lessons_named([name.strip() for name in args.only.split(",")]) if args.only else list(LESSONS)
    if args.recheck:
        for lesson in lessons:
            (folder / f"{lesson.name}.json").unlink(missing_ok=True)
    report = Report(f"python -m verify study --out {shlex.quote(args.out)}", args.quiet, args.json)
    report.title("trained Mambas: proved right at every length, or a shortest string on which they are wrong")
    with Progress("models", len(lessons), args.quiet, phase="study") as progress:
        found = run_study(folder, lessons, args.jobs, progress.advance)
    report.table("study", table(found), [asdict(outcome) for outcome in found])
    report.wrote("folder", args.out, table=str(folder / STUDY_TABLE), page=str(folder / STUDY_PAGE))
    if args.plot is not None:
        from verify.show.pictures.study import study_figure

        report.wrote("picture", args.plot)
        save_figure(study_figure(found), args.plot)
    report.close()
    wrong = [outcome.name for outcome in found if outcome.control and outcome.outcome == PROVED]
    if wrong:
        raise InputError(f"{wrong[0]}: proved of a language that no such model has")
    return 0
