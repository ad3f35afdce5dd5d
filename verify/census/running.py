"""Runs a census: the parts that are missing are decided here, or by workers, and written as they come."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from string import ascii_lowercase
from typing import Iterator

from automata.errors import InputError
from verify.census.parts import TABLES_PER_PART, Part, TableEntry, entries_of, part_text, parts, read_part, write_part
from verify.census.tables import decide
from verify.progress import NO_PROGRESS, Progress


def census(
    letters: int,
    states: int,
    workers: int = 1,
    folder: Path | None = None,
    progress: Progress = NO_PROGRESS,
    scheduler: str | None = None,
    size: int = TABLES_PER_PART,
) -> Counter:
    """How many languages of exactly ``states`` states have which outcome.

    Args:
        letters: from 1 to 26.
        states: at least 1.
        workers: processes that are asked for (see :func:`verify.census.cluster.processes`).
        folder: where finished parts are kept, and looked for.
        progress: told about tables as they are done.
        scheduler: the address of a Dask scheduler whose workers are asked, in place of processes here.
        size: tables of a part; a folder holds the parts of one size.

    Raises:
        InputError: for numbers out of range, a folder that cannot be written, or a scheduler that cannot be used.
        MemoryError: when workers were killed again and again, which is what the system does where memory is short.

    >>> sorted(census(1, 2).items())
    [('not star-free', 2), ('proved', 2)]
    """
    if not 1 <= letters <= len(ascii_lowercase) or states < 1 or workers < 1:
        raise InputError(
            f"{letters} letters (1 to {len(ascii_lowercase)}), {states} states and {workers} workers (at least 1) are "
            "not all in range"
        )
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror})") from None
    counts: Counter = Counter()
    missing = []
    for part in parts(letters, states, size):
        entries = None if folder is None else read_part(part, folder)
        if entries is None:
            missing.append(part)
        else:
            _count(part, entries, counts, progress)
    for part, text in _texts(missing, workers, scheduler):
        entries = entries_of(part, text)
        if entries is None:
            raise InputError(f"a worker's answer is not about {part.file_name}: is its version another one?")
        if folder is not None:
            write_part(part, text, folder)
        _count(part, entries, counts, progress)
    return counts


def _count(part: Part, entries: list[TableEntry], counts: Counter, progress: Progress) -> None:
    for entry in entries:
        counts[entry.outcome] += entry.languages
    progress.advance(part.tables, languages=counts.total())


def _texts(missing: list[Part], workers: int, scheduler: str | None) -> Iterator[tuple[Part, str]]:
    from verify.census.cluster import by_workers, processes

    if not missing or (scheduler is None and processes(workers, len(missing)) == 1):
        for part in missing:
            yield part, part_text(part, decide(part))
    else:
        yield from by_workers(missing, workers, scheduler)
