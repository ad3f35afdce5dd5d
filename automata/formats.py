"""Automata in files: OpenFst text, JSON and DOT, and networkx graphs; each both ways.

Everywhere a missing transition rejects (it goes to a sink, added as the last state), and the alphabet is, in this
order of preference, the one given by the caller, the one the file declares, the symbols shown in the order of their
code points.

``.att``
    OpenFst text: ``source target symbol symbol`` (or ``source target symbol``) lines and lines with one accepting
    state, separated by blanks; states are numbers; the first line's first state is initial.  Epsilon and weights are
    refused.

``.json``
    An object with the keys ``states`` (numbers or strings), ``initial``, ``accepting``, ``transitions`` (triples
    ``[source, symbol, target]``) and, optionally, ``alphabet``.

``.dot``, ``.gv``
    A digraph.  Accepting: a shape that begins with ``double``, or ``peripheries=2``.  Initial: the target of the only
    edge of a node that is not drawn (shape ``point``, ``none`` or ``plaintext``, or style ``invis``), or a node with
    ``initial=true``.  An edge's ``label`` lists symbols, separated by commas or line breaks; an attribute ``symbol``,
    where present, is one symbol, whatever is in it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from os.path import splitext
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Hashable, Iterable, Iterator, NamedTuple

from automata.dfa import DFA, check_alphabet
from automata.dot import Html, parse_dot
from automata.errors import InputError
from automata.files import read_text, write_text

if TYPE_CHECKING:
    import networkx

_EPSILONS = ("<eps>", "<epsilon>", "ε", "@0@", "@_EPSILON_SYMBOL_@")


def read_dfa(path: str | Path, alphabet: Iterable[str] | None = None) -> DFA:
    """The automaton in a file; its extension says the format.

    A file without accepting states is the empty language; one with accepting states none of which can be reached is
    taken for a mistake.

    Args:
        path: a file that ends in .att, .json, .dot or .gv.
        alphabet: the symbols, in order, if they are not those that the file declares or shows.

    Raises:
        InputError: naming the file and the line, column, state or symbol at fault.
    """
    parse, _ = _format_of(path)
    described = parse(read_text(path), str(path))
    dfa = described.dfa(alphabet)
    if described.transitions and not any(t.source == described.initial for t in described.transitions):
        raise InputError(f"{path}: no transition leaves the initial state {described.initial!r}")
    if dfa.accepting and dfa.shortest_word() is None:
        accepting = sorted(map(repr, described.accepting))
        raise InputError(f"{path}: no accepting state can be reached from {described.initial!r} (accepting: {_some(accepting)})")
    return dfa


def write_dfa(dfa: DFA, path: str | Path) -> None:
    """Writes the reachable part of an automaton, whole or not at all; the extension says the format.

    JSON keeps the alphabet's order; from .att and .dot files it comes back in the order of code points.

    Raises:
        InputError: for an unknown extension, a file that cannot be written, or a symbol that the format has no way to write.
    """
    _, render = _format_of(path)
    write_text(path, render(_reachable(dfa)))


def _format_of(path: str | Path) -> tuple[Callable[[str, str], "_Described"], Callable[[DFA], str]]:
    extension = splitext(path)[1].lower()
    if extension not in _FORMATS:
        raise InputError(f"{path}: the extension is {extension or 'missing'!r}, expected one of {', '.join(_FORMATS)}")
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


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


# -- what a file says ---------------------------------------------------------------------------------


class _Transition(NamedTuple):
    source: Hashable
    symbol: str
    target: Hashable
    place: str


@dataclass
class _Described:
    """States in order (values are ignored), and where each transition is written."""

    source: str
    initial: Hashable = None
    states: dict[Hashable, None] = field(default_factory=dict)
    accepting: list[Hashable] = field(default_factory=list)
    transitions: list[_Transition] = field(default_factory=list)
    alphabet: list[str] | None = None

    def dfa(self, alphabet: Iterable[str] | None) -> DFA:
        """The complete DFA, states in order, the sink (where one is needed) last."""
        symbols = self._alphabet(alphabet)
        column = {symbol: i for i, symbol in enumerate(symbols)}
        number = {state: i for i, state in enumerate(self.states)}
        table: list[list[int | None]] = [[None] * len(symbols) for _ in number]
        first: dict[tuple[Hashable, str], str] = {}
        for source, symbol, target, place in self.transitions:
            if symbol not in column:
                raise InputError(f"{self.source}, {place}: symbol {symbol!r} is not in the alphabet")
            if (source, symbol) in first:
                raise InputError(
                    f"{self.source}, {place}: not deterministic, state {source!r} has a second transition by {symbol!r} "
                    f"(the first: {first[source, symbol]})"
                )
            first[source, symbol] = place
            table[number[source]][column[symbol]] = number[target]
        sink = len(table)
        if any(target is None for row in table for target in row):
            table.append([sink] * len(symbols))
        complete = [[sink if target is None else target for target in row] for row in table]
        return DFA(symbols, complete, [number[state] for state in self.accepting], number[self.initial])

    def _alphabet(self, given: Iterable[str] | None) -> tuple[str, ...]:
        if given is not None:
            return check_alphabet(given)
        shown = sorted({t.symbol for t in self.transitions}) if self.alphabet is None else self.alphabet
        if not shown:
            raise InputError(f"{self.source}: there are no transitions to take the symbols from: give the alphabet")
        try:
            return check_alphabet(shown)
        except InputError as error:
            raise InputError(f"{self.source}: {error}") from None


# -- OpenFst text -------------------------------------------------------------------------------------


def _parse_att(text: str, source: str) -> _Described:
    described = _Described(source)
    states = set()
    for number, line in enumerate(text.splitlines(), start=1):
        place, fields = f"line {number}", line.split()
        if not fields:
            continue
        here = [_att_state(name, f"{source}, {place}") for name in fields[: 2 if len(fields) > 2 else 1]]
        states.update(here)
        if described.initial is None:
            described.initial = here[0]
        if len(fields) == 2:
            raise InputError(f"{source}, {place}: the accepting state {here[0]} has a weight {fields[1]!r}, expected none")
        if len(fields) == 1:
            described.accepting.append(here[0])
            continue
        symbol, rest = fields[2], fields[3:]
        if rest and rest[0] != symbol:
            raise InputError(f"{source}, {place}: found {rest[0]!r} after the symbol, expected {symbol!r} again (no weights)")
        if len(rest) > 1:
            raise InputError(f"{source}, {place}: found {rest[1]!r} after the symbols, expected the end (no weights)")
        if symbol in _EPSILONS:
            raise InputError(f"{source}, {place}: epsilon ({symbol}) is not a symbol of a deterministic automaton")
        described.transitions.append(_Transition(here[0], symbol, here[1], place))
    if described.initial is None:
        raise InputError(f"{source}: the file is empty, expected a line for the initial state")
    described.states = dict.fromkeys(sorted(states))
    return described


def _att_state(name: str, where: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", name):
        raise InputError(f"{where}: found {name!r}, expected the number of a state")
    return int(name)


def _render_att(dfa: DFA) -> str:
    for symbol in dfa.alphabet:
        if symbol in _EPSILONS:
            raise InputError(f"symbol {symbol!r} means epsilon in OpenFst text: write .json")
    order = [dfa.initial, *(state for state in range(dfa.states) if state != dfa.initial)]
    lines = [
        f"{state}\t{target}\t{symbol}\t{symbol}"
        for state in order
        for symbol, target in zip(dfa.alphabet, dfa.table[state].tolist())
    ]
    return "\n".join([*lines, *map(str, sorted(dfa.accepting)), ""])


# -- JSON ---------------------------------------------------------------------------------------------

_JSON_KEYS = ("states", "initial", "accepting", "transitions")


def _parse_json(text: str, source: str) -> _Described:
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, source))
    except json.JSONDecodeError as error:
        raise InputError(f"{source}, line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise InputError(f"{source}: values are nested too deeply") from None
    except ValueError as error:
        raise InputError(f"{source}: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{source}: found {_kind(data)}, expected an object")
    for key in _JSON_KEYS:
        if key not in data:
            raise InputError(f"{source}: the key {key!r} is missing")
    for key in data:
        if key not in (*_JSON_KEYS, "alphabet"):
            raise InputError(f"{source}: unknown key {key!r}, expected {', '.join(_JSON_KEYS)} or alphabet")
    for key in data:
        if key != "initial" and not isinstance(data[key], list):
            raise InputError(f"{source}, {key}: found {_kind(data[key])}, expected a list")
    described = _Described(source)
    for state in data["states"]:
        if isinstance(state, bool) or not isinstance(state, (int, str)):
            raise InputError(f"{source}, states: found {_kind(state)}, expected a number or a string")
        if state in described.states:
            raise InputError(f"{source}, states: {state!r} occurs twice")
        described.states[state] = None
    described.initial = _json_state(data["initial"], described, "initial")
    described.accepting = [_json_state(state, described, "accepting") for state in data["accepting"]]
    for number, triple in enumerate(data["transitions"], start=1):
        place = f"transition {number}"
        if not isinstance(triple, list) or len(triple) != 3 or not isinstance(triple[1], str):
            raise InputError(f"{source}, {place}: found {_kind(triple)}, expected [source, symbol, target]")
        ends = [_json_state(state, described, place) for state in (triple[0], triple[2])]
        described.transitions.append(_Transition(ends[0], triple[1], ends[1], place))
    described.alphabet = data.get("alphabet")
    return described


def _object(pairs: list[tuple[str, object]], source: str) -> dict[str, object]:
    data: dict[str, object] = {}
    for key, value in pairs:
        if key in data:
            raise InputError(f"{source}: the key {key!r} occurs twice")
        data[key] = value
    return data


def _kind(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _json_state(state: object, described: _Described, place: str) -> int | str:
    if isinstance(state, bool) or not isinstance(state, (int, str)) or state not in described.states:
        raise InputError(f"{described.source}, {place}: {_kind(state)} is not one of the states")
    return state


def _render_json(dfa: DFA) -> str:
    entries = {
        "alphabet": list(dfa.alphabet),
        "states": list(range(dfa.states)),
        "initial": dfa.initial,
        "accepting": sorted(dfa.accepting),
    }
    lines = [f' "{key}": {json.dumps(value, ensure_ascii=False)},' for key, value in entries.items()]
    triples = [
        json.dumps([state, symbol, target], ensure_ascii=False)
        for state, row in enumerate(dfa.table.tolist())
        for symbol, target in zip(dfa.alphabet, row)
    ]
    body = ",\n  ".join(triples)
    return "\n".join(["{", *lines, f' "transitions": [\n  {body}\n ]', "}", ""])


# -- DOT ----------------------------------------------------------------------------------------------


def _parse_dot(text: str, source: str) -> _Described:
    graph = parse_dot(text, source)
    described = _Described(source)
    outgoing: dict[str, list[str]] = {}
    for edge in graph.edges:
        outgoing.setdefault(edge.source, []).append(edge.target)
    entered = {edge.target for edge in graph.edges}
    markers = {
        node
        for node, attributes in graph.nodes.items()
        if _not_drawn(attributes) and node not in entered and len(outgoing.get(node, ())) == 1
    }
    initial = [outgoing[marker][0] for marker in graph.nodes if marker in markers]
    for node, attributes in graph.nodes.items():
        if node in markers:
            continue
        described.states[node] = None
        if attributes.get("shape", "").startswith("double") or attributes.get("peripheries") == "2":
            described.accepting.append(node)
        if attributes.get("initial") == "true":
            initial.append(node)
    if len(set(initial)) != 1:
        found = f"{len(set(initial))} initial states ({_some(initial)})" if initial else "no initial state"
        raise InputError(f"{source}: {found}, expected one (an edge from a node of shape point, or initial=true)")
    described.initial = initial[0]
    for edge in graph.edges:
        if edge.source not in markers:
            place = f"line {edge.line}"
            for symbol in _dot_symbols(edge.attributes, f"{source}, {place}: the edge from {edge.source!r} to {edge.target!r}"):
                described.transitions.append(_Transition(edge.source, symbol, edge.target, place))
    return described


def _not_drawn(attributes: dict[str, str]) -> bool:
    return attributes.get("shape") in ("point", "none", "plaintext") or "invis" in attributes.get("style", "")


def _dot_symbols(attributes: dict[str, str], where: str) -> Iterator[str]:
    if "symbol" in attributes:
        yield _unescaped(attributes["symbol"])
        return
    label = attributes.get("label", "")
    if isinstance(label, Html):
        raise InputError(f"{where} has an HTML label, expected symbols")
    for symbol in re.split("[,\n]", _unescaped(label)):
        symbol = symbol.strip()
        if not symbol:
            raise InputError(f"{where} has the label {label!r}, expected symbols separated by commas")
        if symbol in _EPSILONS:
            raise InputError(f"{where} is labelled epsilon ({symbol}), which is not a symbol of a deterministic automaton")
        yield symbol


def _unescaped(text: str) -> str:
    r"""What a DOT string shows: ``\n``, ``\l`` and ``\r`` end a line, another character after a backslash is itself."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nlr" else match[1], text)


def _render_dot(dfa: DFA) -> str:
    lines = ["digraph {", "  rankdir=LR;", "  node [shape=circle];", "  start [shape=point];"]
    for state in range(dfa.states):
        lines.append(f"  {state} [shape=doublecircle];" if state in dfa.accepting else f"  {state};")
    lines.append(f"  start -> {dfa.initial};")
    for state, row in enumerate(dfa.table.tolist()):
        together: dict[int, list[str]] = {}
        for symbol, target in zip(dfa.alphabet, row):
            if "," in symbol or symbol in _EPSILONS:
                lines.append(f"  {state} -> {target} [label={_quoted(symbol)}, symbol={_quoted(symbol)}];")
            else:
                together.setdefault(target, []).append(symbol)
        for target, symbols in together.items():
            lines.append(f"  {state} -> {target} [label={_quoted(', '.join(symbols))}];")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_FORMATS = {
    ".att": (_parse_att, _render_att),
    ".json": (_parse_json, _render_json),
    ".dot": (_parse_dot, _render_dot),
    ".gv": (_parse_dot, _render_dot),
}

# -- networkx -----------------------------------------------------------------------------------------


def to_networkx(dfa: DFA) -> "networkx.MultiDiGraph":
    """The automaton as a graph: nodes 0..n-1 with ``initial`` and ``accepting``, one edge with ``symbol`` per transition.

    >>> graph = to_networkx(DFA("ab", [[0, 1], [1, 1]], accepting=[1]))
    >>> list(graph.edges(data="symbol"))
    [(0, 0, 'a'), (0, 1, 'b'), (1, 1, 'a'), (1, 1, 'b')]
    """
    import networkx

    graph = networkx.MultiDiGraph(alphabet=list(dfa.alphabet))
    for state in range(dfa.states):
        graph.add_node(state, initial=state == dfa.initial, accepting=state in dfa.accepting)
    for state, row in enumerate(dfa.table.tolist()):
        for symbol, target in zip(dfa.alphabet, row):
            graph.add_edge(state, target, symbol=symbol)
    return graph


def from_networkx(graph: "networkx.DiGraph | networkx.MultiDiGraph", alphabet: Iterable[str] | None = None) -> DFA:
    """The automaton that a directed graph describes, states in the order of the nodes.

    Args:
        graph: one node with a true ``initial``, any with a true ``accepting``, each edge with a string ``symbol``;
            missing transitions reject.
        alphabet: the symbols, in order; the graph's ``alphabet``, or else the symbols shown in order, if absent.

    Raises:
        InputError: naming the node or edge at fault.

    >>> dfa = DFA("ba", [[0, 1], [1, 1]], accepting=[1], initial=1)
    >>> from_networkx(to_networkx(dfa)) == dfa
    True
    """
    described = _Described("graph", states=dict.fromkeys(graph.nodes), alphabet=graph.graph.get("alphabet"))
    if not graph.is_directed():
        raise InputError("graph: the edges of an automaton have a direction")
    initial = [node for node, marked in graph.nodes(data="initial") if marked]
    if len(initial) != 1:
        raise InputError(f"graph: {len(initial)} nodes are initial, expected one")
    described.initial = initial[0]
    described.accepting = [node for node, marked in graph.nodes(data="accepting") if marked]
    for source, target, symbol in graph.edges(data="symbol"):
        place = f"edge from {source!r} to {target!r}"
        if not isinstance(symbol, str):
            raise InputError(f"graph, {place}: the symbol is {symbol!r}, expected a string")
        described.transitions.append(_Transition(source, symbol, target, place))
    return described.dfa(alphabet)
