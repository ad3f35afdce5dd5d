"""Automata in files: OpenFst text, JSON, DOT and JFLAP; each both ways.

Everywhere a missing transition rejects (it goes to a sink, added as the last state), a nondeterministic automaton is
made deterministic, and the alphabet is, in this order of preference, the one given by the caller, the one the file
declares, the symbols shown in the order of their code points.  What a format says is in its module:
:mod:`~automata.formats.openfst` (``.att``), :mod:`~automata.formats.json_text` (``.json``),
:mod:`~automata.formats.graphviz` (``.dot``, ``.gv``) and :mod:`~automata.formats.jflap` (``.jff``).
"""

from __future__ import annotations

from os.path import splitext
from pathlib import Path
from typing import Callable, Iterable

from automata.dfa import DFA
from automata.errors import InputError, quoted, shortened
from automata.files import read_text, write_text
from automata.formats.described import SUBSET_LIMIT, Described, some
from automata.formats.graphviz import parse_graphviz, render_graphviz
from automata.formats.jflap import parse_jflap, render_jflap
from automata.formats.json_text import parse_json, render_json
from automata.formats.networkx_graph import from_networkx, to_networkx
from automata.formats.openfst import parse_openfst, render_openfst

__all__ = ["from_networkx", "read_dfa", "read_described", "to_networkx", "write_dfa"]


def read_dfa(path: str | Path, alphabet: Iterable[str] | None = None, limit: int = SUBSET_LIMIT) -> DFA:
    """The automaton in a file; its extension says the format.

    A file without accepting states is the empty language; one with accepting states none of which can be reached is
    taken for a mistake.

    Args:
        path: a file that ends in .att, .json, .dot, .gv or .jff.
        alphabet: the symbols, in order, if they are not those that the file declares or shows.
        limit: the greatest number of sets of states, where it is not deterministic.

    Raises:
        InputError: naming the file and the line, column, state or symbol at fault.
    """
    return checked_dfa(read_described(path), alphabet, limit)


def read_described(path: str | Path, labels: str = "auto", accept: Iterable[str] | None = None) -> Described:
    """What the file says, as an acceptor.

    Args:
        path: as for :func:`read_dfa`.
        labels: how the labels of a DOT file are read, see :mod:`automata.formats.labels`.
        accept: the outputs after which a machine with outputs accepts; such a machine is refused if absent.

    Raises:
        InputError: naming the file and the line, column or state at fault.
    """
    parse, _ = _format_of(path)
    source = shortened(str(path), 150)
    if parse is parse_graphviz:
        described = parse_graphviz(read_text(path), source, labels)
    else:
        described = parse(read_text(path), source)
    if accept is not None:
        return described.accepting_after(accept)
    output = next(
        ((f"{source}, {t.place}: gives", t.output, "Mealy") for t in described.transitions if t.output is not None),
        None,
    )
    output = output or next(
        ((f"{source}: the state {quoted(q)} gives", o, "Moore") for q, o in described.outputs.items()), None
    )
    if output is not None:
        where, given, kind = output
        raise InputError(
            f"{where} the output {quoted(given)}: a {kind} machine, expected an acceptor "
            "(--accept says after which outputs a string is accepted; --labels symbols, that each label is one symbol)"
        )
    return described


def checked_dfa(described: Described, alphabet: Iterable[str] | None = None, limit: int = SUBSET_LIMIT) -> DFA:
    """The DFA, unless the initial state leads nowhere or no accepting state can be reached: a mistake in the file."""
    dfa = described.dfa(alphabet, limit)
    initial = quoted(described.initial)
    if described.transitions and not any(t.source == described.initial for t in described.transitions):
        raise InputError(f"{described.source}: no transition leaves the initial state {initial}")
    if described.accepting and dfa.shortest_word() is None:
        accepting = some(sorted(map(repr, described.accepting)))
        raise InputError(
            f"{described.source}: no accepting state can be reached from {initial} (accepting: {accepting})"
        )
    return dfa


def write_dfa(dfa: DFA, path: str | Path) -> None:
    """Writes the reachable part of an automaton, whole or not at all; the extension says the format.

    JSON keeps the alphabet's order; from other files it comes back in the order of code points.

    Raises:
        InputError: for an unknown extension, a file that cannot be written, or a symbol that the format has no way to
            write.
    """
    _, render = _format_of(path)
    write_text(path, render(_reachable(dfa)))


_FORMATS: dict[str, tuple[Callable[..., Described], Callable[[DFA], str]]] = {
    ".att": (parse_openfst, render_openfst),
    ".json": (parse_json, render_json),
    ".dot": (parse_graphviz, render_graphviz),
    ".gv": (parse_graphviz, render_graphviz),
    ".jff": (parse_jflap, render_jflap),
}

_OTHERS = {
    ".hoa": "the Hanoi format is about infinite words; ",
    ".fst": "a compiled OpenFst automaton is printed as text with fstprint; ",
    ".fsa": "a compiled OpenFst automaton is printed as text with fstprint; ",
    ".hfst": "a compiled HFST automaton is printed as text with hfst-fst2txt; ",
}


def _format_of(path: str | Path) -> tuple[Callable[..., Described], Callable[[DFA], str]]:
    extension = splitext(path)[1].lower()
    if extension not in _FORMATS:
        named = f"the extension is {quoted(extension)}" if extension else "there is no extension"
        shown = f"{_OTHERS.get(extension, '')}{named}"
        raise InputError(f"{shortened(str(path), 150)}: {shown}, expected one of {', '.join(_FORMATS)}")
    return _FORMATS[extension]


def _reachable(dfa: DFA) -> DFA:
    """Without the unreachable states; the others keep their order."""
    table = dfa.table.tolist()
    reached, waiting = {dfa.initial}, [dfa.initial]
    while waiting:
        fresh = set(table[waiting.pop()]) - reached
        reached |= fresh
        waiting.extend(fresh)
    kept = sorted(reached)
    number = {state: i for i, state in enumerate(kept)}
    rows = [[number[target] for target in table[state]] for state in kept]
    return DFA(dfa.alphabet, rows, [number[q] for q in dfa.accepting if q in number], number[dfa.initial])
