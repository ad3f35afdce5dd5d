"""The DOT language: from text to nodes and edges with their attributes.

All of the grammar is read: default attributes and their scopes, subgraphs (also as the ends of edges), chains of
edges, ports, comments, quoted and HTML strings.  Undirected graphs are refused.

Source: the grammar at graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import NamedTuple

from automata import limits
from automata.errors import InputError, quoted


class Html(str):
    """A string written between < and >."""


class Edge(NamedTuple):
    source: str
    target: str
    attributes: dict[str, str]
    line: int


@dataclass
class Graph:
    """Nodes in order of first mention, with attributes; edges in order; the attributes of the graph itself."""

    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


def parse_dot(text: str, source: str = "DOT text") -> Graph:
    """The graph that a DOT text describes.

    Args:
        text: one digraph.
        source: where the text is from, for the errors.

    Raises:
        InputError: with the source, line, column, what was found and what was expected.

    >>> graph = parse_dot('digraph { node [shape=box]; a -> {b c} [label="x, y"] }')
    >>> graph.nodes["c"], graph.edges[1].target, graph.edges[1].attributes
    ({'shape': 'box'}, 'c', {'label': 'x, y'})
    """
    return _Parser(text, source).graph()


_TOKEN = re.compile(
    r"""(?P<blank>\s+ | //[^\n]* | /\*.*?\*/ | ^\#[^\n]*)
      | (?P<word>(?:[A-Za-z_]|[^\x00-\x7f])(?:\w|[^\x00-\x7f])* | -?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?))
      | "(?P<quoted>(?:[^"\\]|\\.)*)"
      | (?P<mark>->|--|[{}\[\];,=:+])""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_KEYWORDS = ("node", "edge", "graph", "digraph", "subgraph", "strict")


class _Token(NamedTuple):
    kind: str  # "name", "keyword", "mark" or "end"
    text: str
    position: int


@dataclass
class _Scope:
    """Default attributes inside braces, and the nodes mentioned there."""

    node: dict[str, str]
    edge: dict[str, str]
    mentioned: dict[str, None] = field(default_factory=dict)


class _Parser:
    def __init__(self, text: str, source: str):
        self.text = text
        self.source = source
        self.line_ends = [match.start() for match in re.finditer("\n", text)]
        self.tokens = list(self._scan())
        self.next = 0
        self.result = Graph()

    # -- tokens ---------------------------------------------------------------------------------------

    def _scan(self):
        position = 0
        while position < len(self.text):
            match = _TOKEN.match(self.text, position)
            if match is None and self.text[position] != "<":
                if self.text[position] == '"':
                    raise self._error(position, "the end inside a string", "'\"'")
                if self.text.startswith("/*", position):
                    raise self._error(position, "the end inside a comment", "'*/'")
                raise self._error(
                    position, quoted(self.text[position]), "a name, a string or a mark of the DOT language"
                )
            start, position = position, self._html_end(position) if match is None else match.end()
            if match is None:
                yield _Token("name", Html(self.text[start:position]), start)
            elif match["mark"] is not None:
                yield _Token("mark", match["mark"], start)
            elif match["quoted"] is not None:
                # DOT itself knows one escape; others are left to whoever reads the attribute.
                text = re.sub(r'\\(\\|"|\n)', lambda m: {"\\": "\\\\", '"': '"', "\n": ""}[m[1]], match["quoted"])
                yield _Token("name", text, start)
            elif match["word"] is not None:
                kind = "keyword" if match["word"].lower() in _KEYWORDS else "name"
                yield _Token(kind, match["word"], start)
        yield _Token("end", "", len(self.text))

    def _html_end(self, position: int) -> int:
        depth = 0
        for end in range(position, len(self.text)):
            depth += {"<": 1, ">": -1}.get(self.text[end], 0)
            if depth == 0:
                return end + 1
        raise self._error(position, "the end inside an HTML string", "'>'")

    def _error(self, position: int, found: str, expected: str) -> InputError:
        line, column = self._line(position), position - self.text.rfind("\n", 0, position)
        return InputError(f"{self.source}, line {line}, column {column}: found {found}, expected {expected}")

    def _line(self, position: int) -> int:
        return bisect_left(self.line_ends, position) + 1

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def _unexpected(self, expected: str) -> InputError:
        found = "the end" if self.token.kind == "end" else quoted(str(self.token.text))
        return self._error(self.token.position, found, expected)

    def _take(self, *marks: str) -> bool:
        """Skip this mark or keyword if it comes next."""
        if any(map(self._is, marks)):
            self.next += 1
            return True
        return False

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise self._unexpected(repr(mark))

    def _name(self) -> str:
        parts: list[str] = []
        while not parts or self._take("+"):
            if self.token.kind != "name":
                raise self._unexpected("a name")
            parts.append(self.token.text)
            self.next += 1
        return parts[0] if len(parts) == 1 else "".join(parts)

    def _is(self, text: str) -> bool:
        """Whether this mark or keyword comes next."""
        return self.token.kind in ("mark", "keyword") and self.token.text.lower() == text

    # -- grammar --------------------------------------------------------------------------------------

    def graph(self) -> Graph:
        self._take("strict")
        if self._is("graph"):
            raise self._unexpected("'digraph': the edges of an automaton have a direction")
        self._expect("digraph")
        if self.token.kind == "name":
            self._name()
        self._braces(_Scope({}, {}), 0)
        if self.token.kind != "end":
            raise self._unexpected("the end after the graph")
        return self.result

    def _braces(self, scope: _Scope, depth: int) -> None:
        if limits.exceeded("file-nesting", depth):
            most = f"at most {limits.limit('file-nesting')} subgraphs inside each other"
            raise limits.refusal("file-nesting", self._unexpected(most))
        self._expect("{")
        while not self._take("}"):
            self._statement(scope, depth)
            self._take(";")

    def _statement(self, scope: _Scope, depth: int) -> None:
        if self._take("graph"):
            attributes = self._attributes()
            if depth == 0:
                self.result.attributes.update(attributes)
        elif self._take("node"):
            scope.node.update(self._attributes())
        elif self._take("edge"):
            scope.edge.update(self._attributes())
        elif self.token.kind == "name" and self.tokens[self.next + 1][:2] == ("mark", "="):
            key = self._name()
            self._expect("=")
            value = self._name()
            if depth == 0:
                self.result.attributes[key] = value
        else:
            self._nodes_or_edges(scope, depth)

    def _nodes_or_edges(self, scope: _Scope, depth: int) -> None:
        position = self.token.position
        is_node = self.token.kind == "name"
        ends = [self._end(scope, depth)]
        while self._take("->"):
            ends.append(self._end(scope, depth))
        if self._is("--"):
            raise self._unexpected("'->': the edges of an automaton have a direction")
        attributes = self._attributes() if self._is("[") else {}
        if len(ends) == 1 and is_node:
            self.result.nodes[ends[0][0]].update(attributes)
        line = self._line(position) if len(ends) > 1 else 0
        # A short text can ask for many, between all nodes of two subgraphs.
        if limits.exceeded("edges", len(self.result.edges) + sum(len(a) * len(b) for a, b in zip(ends, ends[1:]))):
            raise limits.refusal("edges", self._error(position, "one more edge", f"at most {limits.limit('edges'):,}"))
        for sources, targets in zip(ends, ends[1:]):
            for source in sources:
                for target in targets:
                    self.result.edges.append(Edge(source, target, {**scope.edge, **attributes}, line))

    def _end(self, scope: _Scope, depth: int) -> list[str]:
        """A node or subgraph, as the list of its nodes."""
        if self._is("{") or self._is("subgraph"):
            if self._take("subgraph") and self.token.kind == "name":
                self._name()
            inner = _Scope(dict(scope.node), dict(scope.edge))
            self._braces(inner, depth + 1)
            scope.mentioned.update(inner.mentioned)
            return list(inner.mentioned)
        name = self._name()
        for _ in range(2):  # a port and a compass point
            if self._take(":"):
                self._name()
        self.result.nodes.setdefault(name, dict(scope.node))
        scope.mentioned[name] = None
        return [name]

    def _attributes(self) -> dict[str, str]:
        if not self._is("["):
            raise self._unexpected("'['")
        attributes = {}
        while self._take("["):
            while not self._take("]"):
                key = self._name()
                self._expect("=")
                attributes[key] = self._name()
                self._take(",", ";")
        return attributes
