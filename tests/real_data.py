"""The MLRegTest automata (van der Poel et al., CC BY 4.0) where they are present."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator

from automata.dfa import DFA
from automata.formats import read_dfa


def mlregtest(shared_data: Callable[[str], Path]) -> Iterator[tuple[str, DFA, tuple[int, int, int]]]:
    """Name, minimal complete DFA, and the published (states without sink, monoid size, D-classes) of each automaton."""
    folder = shared_data("mlregtest")
    counts = {}
    for line in (folder / "counts.tsv").read_text().splitlines()[1:]:
        fields = line.split("\t")
        counts[".".join(fields[:6])] = tuple(map(int, fields[6:9]))
    for path in sorted(folder.glob("*.att")):
        yield path.stem, read_dfa(path).minimise(), counts[path.stem]
