"""Gathers what the page shows: each language decided, its model compiled, its pictures drawn."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Sequence

from automata.catalogue import Language
from automata.errors import InputError
from automata.machine import EOS, PREDICTIVE
from constructions.ssm.weights import SSM
from constructions.target import TARGETS
from verify.decision import decide
from verify.evidence.dataset import OTHER_TARGET
from verify.progress import Progress
from verify.report.exported import Exported, export_model
from verify.report.page import PageEntry
from verify.report.pictures import Picture, pictures
from verify.suite import Row, row_of

_EXAMPLE = 8
"""Symbols of the string that stands in a stepper at first."""

_TRIES = 50
"""Strings by chance of which it is the best."""

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
"""Where the project keeps its notebooks; they are not installed."""


def entries(
    languages: Sequence[Language], targets: Sequence[str], data: str | None, limit: int, drawn: bool, progress: Progress
) -> list[PageEntry]:
    """An entry for each language.

    Args:
        languages: from the catalogue.
        targets: names of further columns of the table.
        data: a folder of released labels, or None.
        limit: joint states of each proof.
        drawn: whether there are pictures.
        progress: advances by one for each language.

    Raises:
        InputError: as :func:`verify.suite.row_of`.
    """
    found = []
    for known in languages:
        row, model = row_of(known, targets, data, limit), export_model(known)
        shown: tuple[Picture, ...] = tuple(pictures(model)) if drawn else ()
        found.append(PageEntry(row, model, _note(row, model, limit), example(known), shown))
        progress.advance(1)
    return found


def _note(row: Row, model: Exported, limit: int) -> str:
    """What is said of a model that is not the paper's SSM."""
    if isinstance(model.built.weights, SSM):
        return ""
    units = len(model.built.weights.units)
    what = f"Stepped here is one layer of torch.nn.RNN with relu, {units} units, of which the theorem does not speak"
    try:
        found = decide(row.language, PREDICTIVE, TARGETS.named(OTHER_TARGET), limit=limit)
    except InputError as error:
        return f"{what}; it is not proved here ({error})."
    return f"{what}: {found.reason}."


def example(known: Language) -> tuple[str, ...]:
    """A prefix of a word, the same each time, after which many different things are legal.

    >>> from automata.catalogue import language
    >>> " ".join(example(language("d-2"))), " ".join(example(language("dyck-8-10")))
    ('a a b b a a b a', '(h (b (g (f (d (e (c (d')
    """
    rng, machine = random.Random(0), known.machine
    best: tuple[str, ...] = ()
    most = 0
    for _ in range(_TRIES):
        state, met = machine.initial, set()
        word: list[str] = []
        while len(word) < _EXAMPLE and (legal := sorted(machine.legal(state) - {EOS})):
            word.append(rng.choice(legal))
            state = machine.step(state, word[-1])
            met.add(machine.legal(state))
        if len(met) > most:
            best, most = tuple(word), len(met)
    return best


def notebooks() -> tuple[tuple[Path, str], ...]:
    """The notebooks of the project with their titles, where they are there."""
    return tuple((path, _title(path)) for path in sorted(NOTEBOOKS.glob("*.ipynb")))


def _title(path: Path) -> str:
    """The first heading of a notebook."""
    import json

    for cell in json.loads(path.read_text(encoding="utf-8")).get("cells", ()):
        for line in "".join(cell.get("source", ())).splitlines():
            if line.startswith("# "):
                return line.removeprefix("# ")
    return path.stem
