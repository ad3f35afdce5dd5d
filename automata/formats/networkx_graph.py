"""Graphs of networkx: nodes with ``initial`` and ``accepting``, edges with ``symbol``; both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterable

from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.formats.described import Described, Transition

if TYPE_CHECKING:
    import networkx


def to_networkx(dfa: DFA) -> "networkx.MultiDiGraph":
    """The automaton as a graph: nodes 0..n-1 with ``initial`` and ``accepting``, one edge with ``symbol`` per
    transition.

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
    described = Described("graph", states=dict.fromkeys(graph.nodes), alphabet=graph.graph.get("alphabet"))
    if not graph.is_directed():
        raise InputError("graph: the edges of an automaton have a direction")
    initial = [node for node, marked in graph.nodes(data="initial") if marked]
    if len(initial) != 1:
        raise InputError(f"graph: {len(initial)} nodes are initial, expected one")
    described.initial = initial[0]
    described.accepting = [node for node, marked in graph.nodes(data="accepting") if marked]
    for source, target, symbol in graph.edges(data="symbol"):
        place = f"edge from {quoted(source)} to {quoted(target)}"
        if not isinstance(symbol, str):
            raise InputError(f"graph, {place}: the symbol is {quoted(symbol)}, expected a string")
        described.transitions.append(Transition(source, symbol, target, place))
    return described.dfa(alphabet)
