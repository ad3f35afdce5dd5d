"""The decided cells of a table, and their files.

A cell is one language on one architecture.  A finished one is a small file of JSON in a folder: what was asked, and
what was decided.  It is written whole or not at all, and one that is about something else, or broken, counts as not
there.  So an interrupted table goes on where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from automata.files import write_text
from verify.decision import ANSWERS, Decision

_VERSION = 1
_KEYS = {
    *("target", "answer", "reason", "size", "method", "horizon", "explored"),
    *("strings", "made", "random_models", "wrong_models"),
}


@dataclass(frozen=True)
class Asked:
    """One cell, and all that its answer may depend on."""

    language: str
    target: str
    mode: str
    limit: int
    models: int
    version: int = _VERSION

    @property
    def file_name(self) -> str:
        """One for each language and architecture.

        >>> Asked("(ab)*", "lstm", "recognise", 9, 1).file_name
        '%28ab%29%2A on lstm.json'
        """
        return f"{quote(self.language, safe='')} on {quote(self.target, safe='')}.json"


def decision_data(found: Decision) -> dict[str, Any]:
    """A decision as JSON has it."""
    failures = found.failures
    return {
        "target": found.target,
        "answer": found.answer,
        "reason": found.reason,
        "size": found.size,
        "method": found.verdict.method if found.verdict else None,
        "horizon": found.verdict.horizon if found.verdict else None,
        "explored": found.verdict.explored if found.verdict else {},
        "strings": [list(word) for word in found.strings],
        "made": failures.made if failures else "",
        "random_models": failures.models if failures else 0,
        "wrong_models": failures.wrong if failures else 0,
    }


def write_cell(asked: Asked, data: dict[str, Any], folder: Path) -> None:
    """The cell's file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / asked.file_name, json.dumps({"asked": asdict(asked), "decided": data}) + "\n")


def read_cell(asked: Asked, folder: Path) -> dict[str, Any] | None:
    """What was decided of it; None when there is no such file, or it is not whole, or is about something else."""
    try:
        found = json.loads((folder / asked.file_name).read_text(encoding="utf-8"))
        if found["asked"] != asdict(asked):
            return None
        decided: dict[str, Any] = found["decided"]
        whole = set(decided) == _KEYS and decided["answer"] in ANSWERS and decided["target"] == asked.target
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return decided if whole else None
