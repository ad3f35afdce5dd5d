"""The table of the paper's languages for readers: its columns, and the same cells as Markdown and as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Callable, Sequence

from verify.show.report import show_word
from verify.verdict import REFUTED, UNDECIDED

if TYPE_CHECKING:
    from verify.decision import Decision
    from verify.suite import Row

Cells = tuple[str, ...]

SIGNS = {"expressible": "yes", "impossible": "NO", "open": "?"}
"""An answer of :mod:`verify.decision` in one word."""

FAILS = "FAILS"


def suite_cells(found: Sequence[Row], targets: Sequence[str] = ()) -> list[Cells]:
    """The heads, and a line of cells for each row; the last cell is a sentence.

    Args:
        found: the rows.
        targets: the names of the columns besides the paper's SSM, in the order of the decisions of a row.
    """
    return [_heads(targets), *map(_cells, found)]


def as_markdown(table: Sequence[Cells]) -> str:
    """The table as GitHub shows it.

    >>> print(as_markdown([("language", "class"), ("aa*", "star-free")]), end="")
    | language | class |
    | --- | --- |
    | aa\\* | star-free |
    """
    lines = [" | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in row) for row in table]
    lines.insert(1, " | ".join("---" for _ in table[0]))
    return "".join(f"| {line} |\n" for line in lines)


def as_html(table: Sequence[Cells], caption: str, link: Callable[[str], str] | None = None) -> str:
    """The table as an element of HTML; the first cell of a line is its head.

    Args:
        table: the heads, then the lines.
        caption: what the table shows.
        link: from the first cell of a line to where it leads, if anywhere.
    """
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in table[0])
    lines = []
    for first, *rest in table[1:]:
        named = escape(first) if link is None else f'<a href="{escape(link(first))}">{escape(first)}</a>'
        cells = "".join(f"<td{_class(head, cell)}>{escape(cell)}</td>" for head, cell in zip(table[0][1:], rest))
        lines.append(f'<tr><th scope="row">{named}</th>{cells}</tr>')
    body = "\n".join(lines)
    return (
        f"<table>\n<caption>{escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        "</table>"
    )


def _class(head: str, cell: str) -> str:
    """What decides the colour of a cell, which says the same in words."""
    known = {"proved": "good", "yes": "good", "impossible": "never", "NO": "never", FAILS: "wrong", "WRONG": "wrong"}
    name = known.get(cell, "why" if head == "why" else "")
    return f' class="{name}"' if name else ""


def _heads(targets: Sequence[str]) -> Cells:
    sizes = ("language", "outcome", "class", "states", "monoid", "layers", "bits", "least")
    return (*sizes, "trained", "built", *targets, "labels", "why")


def _cells(one: Row) -> Cells:
    decision = one.decisions[0]
    sizes = (
        one.language.name,
        outcome_word(one),
        one.kind,
        _number(one.states, "infinite"),
        _number(one.monoid, "-"),
        _number(decision.size.get("layers"), "-"),
        _number(one.bits, "counters" if decision.answer == "expressible" else "-"),
        _number(one.least, "-"),
    )
    trained = "/".join(f"{percent:g}" for percent in one.published) or "-"
    targets = tuple(_sign(other) for other in one.decisions[1:])
    return (*sizes, trained, _built(one), *targets, _labels(one), why(one))


def _number(value: float | None, otherwise: str) -> str:
    if value is None:
        return otherwise
    return f"{value:.2f}" if isinstance(value, float) else str(value) if value < 10**6 else f"{value:.1e}"


def _sign(decision: Decision) -> str:
    """One word; weights that are refuted are not merely open."""
    refuted = decision.verdict is not None and decision.verdict.outcome == REFUTED
    return "WRONG" if refuted else SIGNS[decision.answer]


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


def outcome_word(one: Row) -> str:
    """What a row comes to: proved, impossible, open, or FAILS."""
    if one.outcome == REFUTED:
        return FAILS
    return one.decisions[0].answer if one.outcome == UNDECIDED or one.decisions[0].strings else one.outcome


def why(one: Row) -> str:
    """The proof, what forbids one, or what is wrong, in a sentence."""
    decision = one.decisions[0]
    said = one.faults[0] if one.faults else decision.reason
    if (failures := decision.failures) is not None and not one.faults:
        first, second = (show_word(word) for word in failures.strings)
        shown = "a random model answers both alike" if failures.wrong else "just one of them is a word"
        said = f"{decision.reason}; {first} and {second}: {shown}"
    if one.audit is not None and one.audit.wrong and one.audit.convention is not None and one.audit.convention.oddity:
        said += f"; labels: {one.audit.convention.oddity}"
    return said


def suite_data(one: Row) -> dict[str, object]:
    """A row as JSON has it."""
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
