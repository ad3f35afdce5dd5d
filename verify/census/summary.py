"""What a census found, over all of its finished parts: counts, record holders, and a file for further questions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterator

from automata.algebra.enumeration import number_of_tables
from automata.errors import InputError
from verify.census.parts import CYCLING, Part, TableEntry, parts_in, read_part
from verify.progress import NO_PROGRESS, Progress


@dataclass
class Size:
    """The languages over so many letters with so many states.

    Attributes:
        done: tables of finished parts.
        tables: those that some language has.
        outcomes: languages by outcome.
        levels, bits, layers: star-free languages by what their models have.
        monoids: star-free languages by the size of their syntactic monoid.
        other_monoids: the same of the languages that are not star-free.
        groups: languages that are not star-free by group; one language may have several.
        records: the first table with the most of something, and the number of tables that have as much.
    """

    letters: int
    states: int
    done: int = 0
    tables: int = 0
    outcomes: Counter = field(default_factory=Counter)
    levels: Counter = field(default_factory=Counter)
    bits: Counter = field(default_factory=Counter)
    layers: Counter = field(default_factory=Counter)
    monoids: Counter = field(default_factory=Counter)
    other_monoids: Counter = field(default_factory=Counter)
    groups: Counter = field(default_factory=Counter)
    records: dict[str, tuple[int, TableEntry, int]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return ", ".join(
            f"{count} {what}{'s' * (count != 1)}" for count, what in ((self.states, "state"), (self.letters, "letter"))
        )

    @property
    def languages(self) -> int:
        return self.outcomes.total()

    @property
    def star_free(self) -> int:
        return self.languages - self.outcomes[CYCLING]

    @property
    def complete(self) -> bool:
        """Whether every table was looked at."""
        return self.done == number_of_tables(self.letters, self.states)

    def add(self, entry: TableEntry) -> None:
        """Counts the languages of one table."""
        count = entry.languages
        self.tables += 1
        self.outcomes[entry.outcome] += count
        if entry.outcome == CYCLING:
            self.other_monoids[entry.monoid] += count
            self.groups.update(dict.fromkeys(entry.groups, count))
            self._record("largest monoid", entry.monoid, entry)
            return
        self.levels[entry.levels] += count
        self.bits[entry.bits] += count
        self.layers[entry.layers] += count
        self.monoids[entry.monoid] += count
        self._record("most levels", entry.levels or 0, entry)
        self._record("most bits", entry.bits or 0, entry)
        self._record("largest aperiodic", entry.monoid, entry)
        self._record("largest monoid", entry.monoid, entry)

    def _record(self, what: str, value: int, entry: TableEntry) -> None:
        most, holder, holders = self.records.get(what, (-1, entry, 0))
        if value > most:
            self.records[what] = value, entry, 1
        elif value == most:
            self.records[what] = most, holder, holders + 1


def sizes_of(folder: str | Path, progress: Progress = NO_PROGRESS) -> list[Size]:
    """All sizes of a census, from the files of its parts.

    Args:
        progress: told about parts as they are read.

    Raises:
        InputError: when there is no such folder, it holds no part, a part that is not whole, or parts that overlap.
    """
    sizes: dict[tuple[int, int], Size] = {}
    for part, entries in _read(folder, progress):
        size = sizes.setdefault((part.letters, part.states), Size(part.letters, part.states))
        size.done += part.tables
        for entry in entries:
            size.add(entry)
    return [sizes[key] for key in sorted(sizes)]


def _read(folder: str | Path, progress: Progress) -> Iterator[tuple[Part, list[TableEntry]]]:
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    found = parts_in(place)
    if not found:
        raise InputError(f"{folder}: holds no parts of a census (census --out {folder} writes them)")
    progress.total = len(found)
    ends: dict[tuple[int, int], int] = {}
    for part in found:
        if part.first < ends.get((part.letters, part.states), 0):
            raise InputError(f"{place / part.file_name}: is about tables of another part too")
        ends[part.letters, part.states] = part.first + part.tables
        entries = read_part(part, place)
        if entries is None:
            raise InputError(f"{place / part.file_name}: is not whole: run the census again, or remove the file")
        yield part, entries
        progress.advance(1)


def require_pyarrow() -> Any:
    """The library that writes Parquet.

    Raises:
        InputError: where it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError("a Parquet file needs pyarrow: pip install 'ssm-compiler[census]'") from None
    return pyarrow


def write_parquet(folder: str | Path, path: str | Path, progress: Progress = NO_PROGRESS) -> int:
    """All entries as one Parquet file, one row per table; returns the number of rows.

    The columns are those of :class:`verify.census.parts.TableEntry`, and ``letters`` and ``states``; ``accepting_sets``
    lists the accepting set of each language as a number with one bit per state.

    Raises:
        InputError: as :func:`sizes_of`, without pyarrow, or when the file cannot be written.
    """
    from automata.files import write_bytes

    arrow = require_pyarrow()
    schema = _schema(arrow)
    sink, rows = arrow.BufferOutputStream(), 0
    with arrow.parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for part, entries in _read(folder, progress):
            rows += len(entries)
            if entries:
                made = [{"letters": part.letters, "states": part.states, **_row(entry)} for entry in entries]
                writer.write_table(arrow.Table.from_pylist(made, schema=schema))
    write_bytes(path, sink.getvalue().to_pybytes())
    return rows


def _schema(arrow: Any) -> Any:
    number, text = arrow.int32(), arrow.string()
    return arrow.schema(
        [
            ("letters", number),
            ("states", number),
            ("table", arrow.list_(arrow.list_(number))),
            ("accepting_sets", arrow.list_(arrow.int64())),
            ("languages", arrow.int64()),
            ("monoid", number),
            ("outcome", text),
            ("levels", number),
            ("bits", number),
            ("layers", number),
            ("word", arrow.list_(number)),
            ("groups", arrow.list_(text)),
        ]
    )


def _row(entry: TableEntry) -> dict[str, object]:
    names = ("table", "accepting_sets", "languages", "monoid", "outcome", "levels", "bits", "layers", "word", "groups")
    return {name: getattr(entry, name) for name in names}
