"""Automata drawn with Graphviz (``.dot``, ``.gv``): which node is initial, which accept, and what the edges read.

* Accepting: a shape that begins with ``double``, ``peripheries`` of 2 or more, or ``accepting=true`` or ``final=true``.
* Initial: the target of a *marker*, a node that no edge enters and that is not drawn (shape ``point``, ``none``,
  ``plain`` or ``plaintext``, style ``invis``, or a black dot) or has a single edge without a label; or the node with
  ``initial=true``, ``start=true`` or ``root=true``; or the only node with style ``bold``, as OpenFst draws it.
* An edge's ``label`` is read as :mod:`automata.formats.labels` says; an attribute ``symbol``, where present, is one
  symbol, whatever is in it.
* Moore machine: no node is accepting, and the label of each is a name and an output, ``q0|x`` or ``q0/x``.
"""

from __future__ import annotations

import re
from typing import Hashable

from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.formats.described import Described, Transition, some
from automata.formats.dot import Graph, parse_dot
from automata.formats.labels import DETECTED, Label, is_plain, read_labels, text_of


def parse_graphviz(text: str, source: str, labels: str = DETECTED) -> Described:
    """What a DOT file says.

    Args:
        text: the file's text.
        source: its name, for the errors.
        labels: one of the modes of :mod:`automata.formats.labels`.

    Raises:
        InputError: naming the line, node or label at fault.
    """
    graph = parse_dot(text, source)
    _refuse_infinite_words(graph, source)
    described = Described(source)
    markers = _markers(graph)
    for node, attributes in graph.nodes.items():
        if node not in markers:
            described.states[node] = None
            if _is_accepting(attributes):
                described.accepting.append(node)
    described.initial = _initial(graph, markers, source)
    _refuse_weighted_states(graph, described)
    edges = [edge for edge in graph.edges if edge.source not in markers]
    shown = []
    for edge in edges:
        where = f"{source}, line {edge.line}: the edge from {quoted(edge.source)} to {quoted(edge.target)}"
        shown.append(_label(edge.attributes, where))
    try:
        read = read_labels(shown, labels)
    except InputError as error:
        raise (error if str(error).startswith(source) else error.at(source)) from None
    for edge, symbols in zip(edges, read):
        for symbol, output in symbols:
            described.transitions.append(Transition(edge.source, symbol, edge.target, f"line {edge.line}", output))
    if labels == DETECTED and not described.accepting and all(t.output is None for t in described.transitions):
        described.outputs = _moore_outputs(graph, described)
    return described


def render_graphviz(dfa: DFA) -> str:
    """The text of a DFA; symbols that a label could not name are written as the attribute ``symbol`` too."""
    lines = ["digraph {", "  rankdir=LR;", "  node [shape=circle];", "  start [shape=point];"]
    for state in range(dfa.states):
        lines.append(f"  {state} [shape=doublecircle];" if state in dfa.accepting else f"  {state};")
    lines.append(f"  start -> {dfa.initial};")
    for state, row in enumerate(dfa.table.tolist()):
        together: dict[int, list[str]] = {}
        for symbol, target in zip(dfa.alphabet, row):
            if is_plain(symbol):
                together.setdefault(target, []).append(symbol)
            else:
                lines.append(f"  {state} -> {target} [label={_quoted(symbol)}, symbol={_quoted(symbol)}];")
        for target, symbols in together.items():
            lines.append(f"  {state} -> {target} [label={_quoted(', '.join(symbols))}];")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return f'"{escaped}"'


# -- states -------------------------------------------------------------------------------------------


def _markers(graph: Graph) -> dict[str, list[str]]:
    """The nodes that only point to the initial state, with their targets."""
    outgoing: dict[str, list] = {}
    for edge in graph.edges:
        outgoing.setdefault(edge.source, []).append(edge)
    entered = {edge.target for edge in graph.edges}
    markers = {}
    for node, edges in outgoing.items():
        attributes = graph.nodes[node]
        silent = all(not edge.attributes.get("label", "").strip() and "symbol" not in edge.attributes for edge in edges)
        if node not in entered and not _is_accepting(attributes) and not _is_named_initial(attributes):
            if (len(edges) == 1 and (silent or _not_drawn(attributes))) or (silent and _not_drawn(attributes)):
                markers[node] = [edge.target for edge in edges]
    return markers


def _not_drawn(attributes: dict[str, str]) -> bool:
    dot = attributes.get("label") == "" and "black" in (attributes.get("fillcolor"), attributes.get("color"))
    hidden = attributes.get("shape") in ("point", "none", "plain", "plaintext") or "invis" in attributes.get(
        "style", ""
    )
    return hidden or (dot and "filled" in attributes.get("style", ""))


def _is_named_initial(attributes: dict[str, str]) -> bool:
    return "true" in map(attributes.get, ("initial", "start", "root"))


def _is_accepting(attributes: dict[str, str]) -> bool:
    if attributes.get("shape", "").startswith("double") or "true" in (
        attributes.get("accepting"),
        attributes.get("final"),
    ):
        return True
    return re.fullmatch(r"0*([2-9]|[1-9]\d+)", attributes.get("peripheries", ""), re.ASCII) is not None


def _initial(graph: Graph, markers: dict[str, list[str]], source: str) -> str:
    """The one initial state."""
    states = {node: attributes for node, attributes in graph.nodes.items() if node not in markers}
    pointed = [target for targets in markers.values() for target in targets]
    named = [node for node, attributes in states.items() if _is_named_initial(attributes)]
    bold = [node for node, attributes in states.items() if attributes.get("style") == "bold"]
    initial = list(dict.fromkeys(pointed + named)) or bold
    if len(initial) != 1:
        found = f"{len(initial)} initial states ({some(initial)})" if initial else "no initial state"
        raise InputError(f"{source}: {found}, expected one (an edge from a node of shape point, or initial=true)")
    return initial[0]


def _moore_outputs(graph: Graph, described: Described) -> dict[Hashable, str]:
    """The output of each state, where every state's label has one."""
    outputs: dict[Hashable, str] = {}
    for node in map(str, described.states):
        label = graph.nodes[node].get("label", node)
        found = re.fullmatch(r"\{?\s*(?:<\w+>)?([^|/{}]*[^|/{}\s])\s*[|/]\s*(?:<\w+>)?([^|/{}]*[^|/{}\s])\s*\}?", label)
        if found is None:
            return {}
        outputs[node] = found[2].strip()
    return outputs


# -- what is no acceptor of finite words ----------------------------------------------------------------


def _refuse_weighted_states(graph: Graph, described: Described) -> None:
    for node in map(str, described.accepting):
        found = re.search(r"\S/(\d*\.?\d+(?:[eE][+-]?\d+)?)$", graph.nodes[node].get("label", ""), re.ASCII)
        if found and float(found[1]) != 0:
            raise InputError(
                f"{described.source}: the accepting state {quoted(node)} has the weight {found[1]}: a weighted "
                "automaton, expected an acceptor"
            )


def _refuse_infinite_words(graph: Graph, source: str) -> None:
    label = graph.attributes.get("label", "")
    if re.search(r"\b(Inf|Fin)\s*\(|B(ü|u|&uuml;)chi", label):
        raise InputError(
            f"{source}: the label {quoted(label)} says that it is about infinite words, expected an automaton of "
            "finite words"
        )


def _label(attributes: dict[str, str], where: str) -> Label:
    try:
        if "symbol" in attributes:
            return Label(where, text_of(attributes["symbol"]), whole=True)
        return Label(where, text_of(attributes.get("label", "")).strip())
    except InputError as error:
        raise InputError(f"{where} {error}") from None
