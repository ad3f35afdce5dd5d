"""The parts of a census, and their files.

The work is cut into parts, some transition tables each.  A finished part is a small file of JSON lines in a folder:
first what it is, then one line per table that some language has, last how many tables and languages there were.  It is
written whole or not at all, and one that lacks its last line, or is about something else, counts as not there.  So an
interrupted census goes on where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from itertools import islice
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from automata.algebra.enumeration import Table, breadth_first_tables, number_of_tables
from automata.files import write_text

TABLES_PER_PART = 512
_VERSION = 2


@dataclass(frozen=True)
class Part:
    """Which transition tables a part is about: so many of this size, from ``first`` on."""

    letters: int
    states: int
    first: int
    tables: int
    version: int = _VERSION

    @property
    def file_name(self) -> str:
        return f"{self.letters}-letters-{self.states}-states-{self.first:09}.jsonl"

    def contents(self) -> Iterator[Table]:
        return islice(breadth_first_tables(self.letters, self.states, self.first), self.tables)


@dataclass(frozen=True)
class TableEntry:
    """What is known of all languages whose minimal automaton has one transition table.

    Attributes:
        table: ``table[q][a]``, the state reached from q by letter a.
        accepting: an accepting set for each language, as an integer with one bit per state; together they are the ones
            of a number of 2^states bits, in hexadecimal.
        languages: how many these are.
        monoid: elements of the syntactic monoid of each.
        outcome: of the proof, or CYCLING.
        levels, bits, layers: of the models, where the languages are star-free.
        word: where they are not, the first word that permutes states round a cycle, as letter numbers.
        groups: the names of the groups by which words permute image sets.
    """

    table: Table
    accepting: str
    languages: int
    monoid: int
    outcome: str
    levels: int | None = None
    bits: int | None = None
    layers: int | None = None
    word: tuple[int, ...] | None = None
    groups: tuple[str, ...] = ()

    @property
    def accepting_sets(self) -> list[int]:
        """The accepting sets, one bit per state."""
        number = int(self.accepting, 16)
        return [i for i in range(1 << len(self.table)) if number >> i & 1]


CYCLING = "not star-free"
"""The outcome of languages with a word that permutes states of their minimal automaton."""


def accepting_number(minimal: np.ndarray) -> str:
    """Booleans, one for each accepting set, as a number in hexadecimal."""
    return f"{int.from_bytes(np.packbits(minimal, bitorder='little').tobytes(), 'little'):x}"


def parts(letters: int, states: int, size: int = TABLES_PER_PART) -> list[Part]:
    """All parts of one size of automata, so many tables each.

    >>> [part.tables for part in parts(2, 4, 2000)]
    [2000, 2000, 1248]
    """
    count = number_of_tables(letters, states)
    return [Part(letters, states, first, min(size, count - first)) for first in range(0, count, size)]


def part_text(part: Part, entries: list[TableEntry]) -> str:
    """The text of a part's file."""
    last = {"tables": part.tables, "languages": sum(entry.languages for entry in entries)}
    lines = [asdict(part), *map(_line, entries), last]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def _line(entry: TableEntry) -> dict[str, Any]:
    """What differs from the defaults."""
    return {name: value for name, value in asdict(entry).items() if value not in (None, ())}


def entries_of(part: Part, text: str) -> list[TableEntry] | None:
    """The entries of a part's text; None when it is not whole, or is about something else."""
    try:
        lines = [json.loads(line) for line in text.splitlines()]
        if len(lines) < 2 or lines[0] != asdict(part):
            return None
        entries = [_entry(line) for line in lines[1:-1]]
    except (ValueError, TypeError, KeyError):
        return None
    last = {"tables": part.tables, "languages": sum(entry.languages for entry in entries)}
    return entries if lines[-1] == last else None


def _entry(line: dict[str, Any]) -> TableEntry:
    known = {field.name for field in fields(TableEntry)}
    if not isinstance(line, dict) or set(line) - known:
        raise ValueError("no entry")
    table = tuple(tuple(int(target) for target in row) for row in line["table"])
    word = line.get("word")
    entry = TableEntry(
        **{
            **line,
            "table": table,
            "word": None if word is None else tuple(word),
            "groups": tuple(line.get("groups", ())),
        }
    )
    if entry.languages != int(entry.accepting, 16).bit_count():
        raise ValueError("not as many languages as accepting sets")
    return entry


def write_part(part: Part, text: str, folder: Path) -> None:
    """The part's file, whole or not at all."""
    write_text(folder / part.file_name, text)


def read_part(part: Part, folder: Path) -> list[TableEntry] | None:
    """The entries of a finished part; None when there is no such file, or it is not whole."""
    try:
        text = (folder / part.file_name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    return entries_of(part, text)


def parts_in(folder: Path) -> list[Part]:
    """The parts of whose files there are some in a folder, by their first lines; in order.

    Files of other names or contents are passed over.
    """
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        try:
            with open(path, encoding="utf-8") as file:
                part = Part(**json.loads(file.readline()))
        except (OSError, ValueError, TypeError):
            continue
        if part.file_name == path.name and part.version == _VERSION:
            found.append(part)
    return found
