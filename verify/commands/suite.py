"""``python -m verify suite``: the paper's languages in one table, each proved or shown to be impossible."""

from __future__ import annotations

import argparse
import shlex
from typing import TYPE_CHECKING, Sequence

from verify.commands.options import add_report, nonempty, whole_number

if TYPE_CHECKING:
    from verify.decision import Decision
    from verify.suite import Row

HELP = "the paper's languages in one table: proved or impossible, memory, released labels, published accuracy"

EXAMPLES = (
    "suite",
    "suite --only parity,d-12,anbn --targets mamba,mamba2",
    "suite --data data/released --markdown table.md",
)

_LIMIT = 10_000

_SIGNS = {"expressible": "yes", "impossible": "NO", "open": "?"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", type=nonempty, metavar="NAME,…", help="these languages (default: the 27, flip-flop and dyck-8-10)"
    )
    parser.add_argument(
        "--targets", type=nonempty, metavar="NAME,…", help="a column for each of these besides the paper's SSM"
    )
    parser.add_argument("--data", type=nonempty, metavar="DIR", help="also audit the labels of this data set")
    parser.add_argument("--markdown", type=nonempty, metavar="FILE", help="write the table as Markdown")
    parser.add_argument(
        "--limit",
        type=whole_number,
        default=_LIMIT,
        metavar="N",
        help=f"joint states of each proof (default: {_LIMIT})",
    )
    add_report(parser, "no progress, and only the rows that fail")


def run(args: argparse.Namespace) -> int:
    from automata.files import write_text
    from constructions.target import TARGETS
    from verify.evidence.dataset import folders
    from verify.progress import Progress
    from verify.show.report import Report
    from verify.show.terminal import painted
    from verify.suite import PAPER_TARGET, languages_named, row_of
    from verify.verdict import EXIT_STATUS, PROVED, REFUTED, UNDECIDED

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
    table = [_heads(targets), *(_cells(one) for one in found)]
    report.table("suite", table, [_data(one) for one in found])
    for one in found:
        for fault in one.faults:
            report.say(painted(f"{one.language.name}: {fault}", REFUTED, report.stream))
    if args.markdown:
        report.wrote("table", args.markdown)
        report.close(lambda: write_text(args.markdown, _markdown(table)))
    else:
        report.close()
    outcomes = {one.outcome for one in found}
    return EXIT_STATUS[next(outcome for outcome in (REFUTED, UNDECIDED, PROVED) if outcome in outcomes)]


def _command(args: argparse.Namespace) -> str:
    given = (("only", args.only), ("targets", args.targets), ("data", args.data), ("markdown", args.markdown))
    options = "".join(f" --{name} {shlex.quote(value)}" for name, value in given if value is not None)
    return f"python -m verify suite{options}" + (f" --limit {args.limit}" if args.limit != _LIMIT else "")


def _heads(targets: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns."""
    sizes = ("language", "class", "states", "monoid", "layers", "bits", "least")
    return (*sizes, "trained", "built", *targets, "labels", "outcome", "why")


def _cells(one: Row) -> tuple[str, ...]:
    decision = one.decisions[0]
    sizes = (
        one.language.name,
        one.kind,
        _number(one.states, "infinite"),
        _number(one.monoid, "-"),
        _number(decision.size.get("layers"), "-"),
        _number(one.bits, "counters" if decision.answer == "expressible" else "-"),
        _number(one.least, "-"),
    )
    trained = "/".join(f"{percent:g}" for percent in one.published) or "-"
    targets = tuple(_sign(other) for other in one.decisions[1:])
    return (*sizes, trained, _built(one), *targets, _labels(one), _outcome(one), _why(one))


def _number(value: float | None, otherwise: str) -> str:
    if value is None:
        return otherwise
    return f"{value:.2f}" if isinstance(value, float) else str(value) if value < 10**6 else f"{value:.1e}"


def _sign(decision: Decision) -> str:
    """One word; weights that are refuted are not merely open."""
    refuted = decision.verdict is not None and decision.verdict.outcome == "refuted"
    return "WRONG" if refuted else _SIGNS[decision.answer]


def _built(one: Row) -> str:
    """The accuracy of weights that are proved: of every string, or up to the length that the proof covers."""
    decision = one.decisions[0]
    if decision.answer != "expressible" or decision.verdict is None or one.faults:
        return "-"
    return "100" if decision.verdict.horizon is None else f"100 up to {decision.verdict.horizon}"


def _labels(one: Row) -> str:
    """Released labels that agree with the definition."""
    if one.audit is None:
        return "-"
    agree, total = one.audit.symbols - len(one.audit.wrong), one.audit.symbols
    if agree == total:
        return f"all {total}"
    return f"{agree} of {total}"


def _outcome(one: Row) -> str:
    if one.outcome == "refuted":
        return "FAILS"
    return one.decisions[0].answer if one.outcome == "undecided" or one.decisions[0].strings else one.outcome


def _why(one: Row) -> str:
    from verify.show.report import show_word

    decision = one.decisions[0]
    why = one.faults[0] if one.faults else decision.reason
    if decision.strings and not one.faults:
        first, second = (show_word(word) for word in decision.strings)
        shown = "a random model answers both alike" if decision.alike else "just one of them is a word"
        why = f"{decision.reason}; {first} and {second}: {shown}"
    if one.audit is not None and one.audit.wrong and one.audit.convention is not None and one.audit.convention.oddity:
        why += f"; labels: {one.audit.convention.oddity}"
    return why


def _markdown(table: Sequence[tuple[str, ...]]) -> str:
    lines = [" | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in row) for row in table]
    lines.insert(1, " | ".join("---" for _ in table[0]))
    return "".join(f"| {line} |\n" for line in lines)


def _data(one: Row) -> dict[str, object]:
    decision = one.decisions[0]
    return {
        "language": one.language.name,
        "class": one.kind,
        "states": one.states,
        "monoid": one.monoid,
        "outcome_of_row": one.outcome,
        "faults": list(one.faults),
        "layers": decision.size.get("layers"),
        "bits": one.bits,
        "least_bits": one.least,
        "published_accuracy": list(one.published),
        "decisions": [
            {
                "target": other.target,
                "answer": other.answer,
                "reason": other.reason,
                "size": other.size,
                "strings": [list(word) for word in other.strings],
                "verdict": other.verdict and other.verdict.to_json(),
            }
            for other in one.decisions
        ],
        "labels": None
        if one.audit is None
        else {
            "labels": one.audit.symbols,
            "differ": len(one.audit.wrong),
            "unexplained": one.audit.unexplained,
            "malformed": len(one.audit.malformed),
            "oddity": (one.audit.convention.oddity or None) if one.audit.convention else None,
        },
        "model_on_released_strings": one.model and one.model.to_json(),
    }
