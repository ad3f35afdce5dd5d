"""The MLRegTest automata (van der Poel et al., CC BY 4.0) where they are present."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Iterator

from automata.dfa import DFA


def mlregtest(shared_data: Callable[[str], Path]) -> Iterator[tuple[str, DFA, tuple[int, int, int]]]:
    """Name, minimal complete DFA, and the published (states without sink, monoid size, D-classes) of each automaton."""
    folder = shared_data("mlregtest")
    counts = {}
    for line in (folder / "counts.tsv").read_text().splitlines()[1:]:
        fields = line.split("\t")
        counts[".".join(fields[:6])] = tuple(map(int, fields[6:9]))
    for path in sorted(folder.glob("*.att")):
        yield path.stem, read_att(path).minimise(), counts[path.stem]


def read_att(path: Path) -> DFA:
    """An automaton in OpenFst text: the first line's source is the initial state, a missing transition goes to a sink."""
    transitions, accepting, initial = {}, [], None
    for line in path.read_text().splitlines():
        fields = line.split()
        initial = int(fields[0]) if initial is None else initial
        if len(fields) >= 3:
            transitions[int(fields[0]), fields[2]] = int(fields[1])
        elif fields:
            accepting.append(int(fields[0]))
    symbols = sorted({symbol for _, symbol in transitions})
    states = sorted({q for q, _ in transitions} | set(transitions.values()) | set(accepting))
    number = {q: i for i, q in enumerate(states)}
    sink = len(states)
    rows = [[number.get(transitions.get((q, symbol)), sink) for symbol in symbols] for q in states]
    return DFA(symbols, rows + [[sink] * len(symbols)], [number[q] for q in accepting], number[initial])
