"""Finite automata of JFLAP (``.jff``): XML with states and transitions.

A transition that reads several characters reads one after the other, one that reads none is epsilon, and ``[a-z]``
reads any of these.  Only ``fa`` is an acceptor with finite memory: other types are refused by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from automata import limits
from automata.dfa import DFA
from automata.errors import InputError, quoted
from automata.formats.described import Described, Transition

_TYPES = {
    "pda": "a pushdown automaton",
    "turing": "a Turing machine",
    "mealy": "a Mealy machine",
    "moore": "a Moore machine",
    "re": "a regular expression (give it with --regex)",
    "grammar": "a grammar",
    "lsystem": "an L-system",
}


@dataclass
class _Element:
    """An XML element: its name, attributes, elements inside, the text directly in it, and its line."""

    name: str
    attributes: dict[str, str]
    line: int
    inside: list[_Element] = field(default_factory=list)
    text: str = ""

    def all(self, name: str) -> list[_Element]:
        """The elements of this name, at any depth, in order."""
        return [found for part in self.inside for found in ([part] if part.name == name else part.all(name))]

    def has(self, name: str) -> bool:
        return any(part.name == name for part in self.inside)


def parse_jflap(text: str, source: str) -> Described:
    """What a JFLAP file says.

    Raises:
        InputError: naming the line and the element at fault.
    """
    root = _parse_xml(text, source)
    kinds = [element.text.strip() for element in root.all("type")]
    if root.name != "structure" or not kinds:
        raise InputError(
            f"{source}, line {root.line}: found the element {quoted(root.name)}, expected a structure with a type"
        )
    if kinds[0] != "fa":
        raise InputError(
            f"{source}: the type is {quoted(kinds[0])}: "
            f"{_TYPES.get(kinds[0], 'unknown')}, expected 'fa', a finite automaton"
        )
    described = Described(source)
    initial = []
    for element in root.all("state"):
        state = _attribute(element, "id", source)
        if state in described.states:
            raise InputError(f"{source}, line {element.line}: the state {quoted(state)} occurs twice")
        described.states[state] = None
        if element.has("initial"):
            initial.append(state)
        if element.has("final"):
            described.accepting.append(state)
    if len(initial) != 1:
        raise InputError(f"{source}: {len(initial)} states are initial, expected one")
    described.initial = initial[0]
    for number, element in enumerate(root.all("transition")):
        start, end = (_state(element, name, described) for name in ("from", "to"))
        _add(described, start, end, _child(element, "read", source, optional=True), number, element.line)
    return described


def _add(described: Described, start: str, end: str, read: str, number: int, line: int) -> None:
    """The transitions that read this text, by way of states of their own."""
    place = f"line {line}"
    choice = re.fullmatch(r"\[(.)-(.)\]", read, re.DOTALL)
    if choice and ord(choice[1]) <= ord(choice[2]) < ord(choice[1]) + 256:
        for code in range(ord(choice[1]), ord(choice[2]) + 1):
            described.transitions.append(Transition(start, chr(code), end, place))
        return
    path = [start, *((number, i) for i in range(1, len(read))), end]
    described.states.update(dict.fromkeys(path))
    for one, other, symbol in zip(path, path[1:], read or [None]):
        described.transitions.append(Transition(one, symbol, other, place))


def _attribute(element: _Element, name: str, source: str) -> str:
    if name not in element.attributes:
        raise InputError(f"{source}, line {element.line}: the {element.name} has no {name}")
    return element.attributes[name]


def _child(element: _Element, name: str, source: str, optional: bool = False) -> str:
    found = [part for part in element.inside if part.name == name]
    if len(found) > 1 or not (found or optional):
        raise InputError(
            f"{source}, line {element.line}: the {element.name} has {len(found)} elements {name!r}, expected one"
        )
    return found[0].text.strip() if found else ""


def _state(element: _Element, name: str, described: Described) -> str:
    state = _child(element, name, described.source)
    if state not in described.states:
        raise InputError(
            f"{described.source}, line {element.line}: the transition is {name} {quoted(state)}, which is not a state"
        )
    return state


def _parse_xml(text: str, source: str) -> _Element:
    """The outermost element.  Document types are refused, so there are no entities to be expanded."""
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    outermost = _Element("", {}, 0)
    path = [outermost]

    def begin(name: str, attributes: dict[str, str]) -> None:
        if limits.exceeded("file-nesting", len(path)):
            found = (
                f"{source}, line {parser.CurrentLineNumber}: more than "
                f"{limits.limit('file-nesting')} elements inside each other"
            )
            raise limits.refusal("file-nesting", found)
        element = _Element(name, attributes, parser.CurrentLineNumber)
        path[-1].inside.append(element)
        path.append(element)

    def characters(data: str) -> None:
        path[-1].text += data

    def doctype(*_) -> None:
        raise InputError(
            f"{source}, line {parser.CurrentLineNumber}: has a document type, expected plain XML as JFLAP writes it"
        )

    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        raise InputError(
            f"{source}, line {error.lineno}, column {error.offset + 1}: {expat.ErrorString(error.code)}"
        ) from None
    except UnicodeEncodeError:
        raise InputError(f"{source}: has half a character") from None
    return outermost.inside[0]


def render_jflap(dfa: DFA) -> str:
    """The text of a DFA whose symbols are single characters."""
    for symbol in dfa.alphabet:
        if len(symbol) != 1:
            raise InputError(
                f"symbol {quoted(symbol)} has several characters, which JFLAP reads one after the other: write .json"
            )
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="no"?><structure>', " <type>fa</type>", " <automaton>"]
    for state in range(dfa.states):
        marks = "<initial/>" * (state == dfa.initial) + "<final/>" * (state in dfa.accepting)
        lines.append(f'  <state id="{state}" name="q{state}"><x>{100 * state}</x><y>0</y>{marks}</state>')
    for state, row in enumerate(dfa.table.tolist()):
        for symbol, target in zip(dfa.alphabet, row):
            lines.append(
                f"  <transition><from>{state}</from><to>{target}</to><read>{escape(symbol)}</read></transition>"
            )
    return "\n".join([*lines, " </automaton>", "</structure>", ""])
