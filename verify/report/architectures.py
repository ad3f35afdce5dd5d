"""The architecture table of the page, from what ``decide --all --json`` wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from automata.errors import InputError, one_line
from automata.files import read_text
from verify.decision import ANSWERS
from verify.show.suite_table import SIGNS, Cells

_EXPECTED = "expected a report of `python -m verify decide --all --json FILE`"


def read_architectures(path: str | Path) -> tuple[str, list[Cells]]:
    """What was asked, and the table: a line for each language, a column for each architecture.

    Raises:
        InputError: naming the file and the entry, when it is no such report.
    """
    try:
        report = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not JSON ({one_line(str(error), most=80)}), {_EXPECTED}") from None
    lines = report.get("decisions") if isinstance(report, dict) else None
    if not isinstance(lines, list) or not lines or not isinstance(report.get("title"), str):
        raise InputError(f"{path}: has no decisions, {_EXPECTED}")
    names: list[str] | None = None
    table: list[Cells] = []
    for number, line in enumerate(lines, start=1):
        where = f"{path}: decision {number}"
        answers = _answers(line, where)
        if names is None:
            names = [name for name, _ in answers]
        if [name for name, _ in answers] != names:
            raise InputError(f"{where}: is about other architectures than the first one, {_EXPECTED}")
        table.append((line["language"], *(SIGNS[answer] for _, answer in answers)))
    return report["title"], [("language", *(names or ())), *table]


def _answers(line: Any, where: str) -> list[tuple[str, str]]:
    if not isinstance(line, dict) or not isinstance(line.get("language"), str):
        raise InputError(f"{where}: names no language, {_EXPECTED}")
    found = line.get("decisions")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InputError(f"{where}: has no answers, {_EXPECTED}")
    answers = [(one.get("architecture"), one.get("answer")) for one in found]
    for name, answer in answers:
        if not isinstance(name, str) or answer not in ANSWERS:
            raise InputError(f"{where}: {one_line(str(answer), most=40)!r} is no answer, {_EXPECTED}")
    return answers
