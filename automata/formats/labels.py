"""The labels of a DOT file: which symbols each edge reads, and what it gives out.

Tools write different things there, and one edge alone does not say what is meant.  So all labels of a file are looked
at, and the first of these that they fit is taken:

=================  =====================================================================================
weights            ``a:0.3``, ``a, 0.3``, ``a (0.3)``: refused
rewriting          ``a, Z -> AZ``, ``0 -> 1, R`` on every line: refused
Mealy machine      ``a/x`` on every line
transducer         ``a:x`` on every line: taken like a Mealy machine, or as ``a`` where both sides agree
formulas           ``p & !q``, ``true``: a Boolean formula everywhere, with ``!`` or ``&`` somewhere
                   (:mod:`automata.formats.guards`)
symbols            separated by commas or line breaks
=================  =====================================================================================

A comma inside brackets is part of a symbol, as in ``move(a,b)``, unless the brackets of some label are not in pairs:
then they are symbols or parts of such.

With the mode ``symbols`` or ``formulas`` the labels are that, whatever they look like.
"""

from __future__ import annotations

import html
import re
from typing import Iterable, Iterator, NamedTuple

from automata.errors import InputError, quoted
from automata.formats.described import EPSILONS
from automata.formats.dot import Html
from automata.formats.guards import letters, parse_guard

DETECTED, SYMBOLS, FORMULAS = "auto", "symbols", "formulas"
LABELLINGS = (DETECTED, SYMBOLS, FORMULAS)


class Label(NamedTuple):
    """The label of one edge: where it is, its text as it is drawn, and whether it is one symbol whatever is in it."""

    where: str
    text: str
    whole: bool = False

    @property
    def lines(self) -> list[str]:
        """Its lines, every run of blanks as one."""
        return [" ".join(line.split()) for line in self.text.split("\n")]


class Read(NamedTuple):
    """One symbol that an edge reads (None: epsilon), and the output that it gives, if any."""

    symbol: str | None
    output: str | None = None


_NUMBER = r"\d*\.\d+(?:[eE][+-]?\d+)?|\d+(?:\.\d+)?\s*%"
_WEIGHT = re.compile(rf"\S\s*(?:[:;,(\[/=\s]\s*(?:{_NUMBER})|[:(\[]\s*\d+/\d+)\s*[)\]]?$")
_ARROW = re.compile(r"\S\s*(->|→|\|->)\s*\S")
_SLASH = re.compile(r"([^/]*[^/\s])\s*/\s*([^/\s](?:[^/]*[^/\s])?)")
_COLON = re.compile(r"([^:]*[^:\s])\s*:\s*([^:\s](?:[^:]*[^:\s])?)")
_DIGITS = ("0", "1", "T", "F")  # constants among operators, and otherwise more likely symbols
_HINT = "(--labels symbols takes each label for a symbol)"


def read_labels(labels: list[Label], mode: str = DETECTED) -> list[list[Read]]:
    """What each edge reads, in the order of the labels.

    Raises:
        InputError: naming the edge whose label cannot be read.
    """
    open_labels = [label for label in labels if not label.whole]
    grouped = all(_in_pairs(label.text) for label in open_labels)
    for label in open_labels:
        if "" in label.lines:
            raise InputError(f"{label.where} has the label {quoted(label.text)}, expected symbols separated by commas")
    lines = [line for label in open_labels for line in label.lines]
    formulas = _are_formulas(open_labels, mode)
    slash = mode == DETECTED and bool(lines) and all(map(_SLASH.fullmatch, lines))
    colon = mode == DETECTED and bool(lines) and all(map(_COLON.fullmatch, lines))
    if mode == DETECTED and not formulas:
        _refuse_others(open_labels)
    guards = (
        {label: guard for label in open_labels if (guard := parse_guard(label.text)) is not None} if formulas else {}
    )
    names = letters({p for guard in guards.values() for p in guard.propositions}) if formulas else {}
    known: dict[Label, list[Read]] = {}

    def read(label: Label) -> list[Read]:
        if label.whole:
            return [Read(label.text)]
        if formulas:
            return [Read(name) for name, letter in names.items() if guards[label].holds(letter)]
        if slash or colon:
            pattern = _SLASH if slash else _COLON
            pairs = _halves(pattern, label.lines)
            if colon and all(inputs == output for inputs, output in _halves(_COLON, lines)):
                return [Read(_symbol(symbol)) for symbol, _ in pairs]
            return [Read(symbol, output) for inputs, output in pairs for symbol in _symbols(label, inputs, grouped)]
        return [Read(symbol) for line in label.lines for symbol in _symbols(label, line, grouped)]

    for label in labels:
        if label not in known:
            known[label] = read(label)
    return [known[label] for label in labels]


def _halves(pattern: re.Pattern[str], lines: Iterable[str]) -> list[tuple[str, str]]:
    """The two parts of each line, all of which fit the pattern."""
    return [(found[1], found[2]) for found in map(pattern.fullmatch, lines) if found is not None]


def text_of(value: str) -> str:
    r"""What a DOT string shows: ``\n``, ``\l`` and ``\r`` end a line, another character after a backslash is itself.

    Entities such as ``&epsilon;`` are read; of HTML, line breaks and plain formatting.

    Raises:
        InputError: naming the tag of HTML that says more.

    >>> text_of(r"a\nb&lt;"), text_of(Html("<a<BR/><B>b</B>>"))
    ('a\nb<', 'a\nb')
    """
    if isinstance(value, Html):
        text = re.sub(r"<br\s*/?>", "\n", value[1:-1], flags=re.IGNORECASE)
        text = re.sub(r"</?(b|i|u|o|s|font)(\s[^<>]*)?>", "", text, flags=re.IGNORECASE)
        if (tag := re.search("<[^>]*>?", text)) is not None:
            raise InputError(f"has an HTML label with {quoted(tag[0])}, expected text")
        return html.unescape(text)
    text = re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nlr" else match[1], value, flags=re.DOTALL)
    return html.unescape(text) if re.search(r"&#?\w+;", text) else text


def is_plain(symbol: str) -> bool:
    """Whether a label of this symbol alone, or among others, is read as this symbol, whatever else is in the file."""
    guard = parse_guard(symbol)
    named = guard is not None and (not guard.constant or symbol in _DIGITS)
    return re.fullmatch(r"\w+", symbol) is not None and symbol not in EPSILONS and named


def _are_formulas(labels: list[Label], mode: str) -> bool:
    found = [None] * len(labels) if mode == SYMBOLS else [parse_guard(label.text) for label in labels]
    if mode == FORMULAS:
        for label, guard in zip(labels, found):
            if guard is None:
                raise InputError(
                    f"{label.where} has the label {quoted(label.text)}, expected a Boolean formula such as p & !q"
                )
        return True
    guards = [guard for guard in found if guard is not None]
    if mode == SYMBOLS or not labels or len(guards) < len(found):
        return False
    if any(guard.uses("!") or guard.uses("&") for guard in guards):
        return True
    # A bar may list symbols, and a constant may be one; then one cannot tell.
    constants = [guard.constant and label.text.strip() not in _DIGITS for label, guard in zip(labels, guards)]
    unclear = next((label for label, guard in zip(labels, guards) if guard.uses("|")), None)
    if unclear is None and any(constants) and {label.text.strip().lower() for label in labels} != {"true", "false"}:
        unclear = labels[constants.index(True)]
    if unclear is not None:
        raise InputError(
            f"{unclear.where} has the label {quoted(unclear.text)}, a formula over propositions or not: "
            "--labels formulas or --labels symbols says which"
        )
    return False


def _refuse_others(labels: list[Label]) -> None:
    """Labels with weights, and those of machines that rewrite a stack or a tape."""
    for label in labels:
        if any(map(_WEIGHT.search, label.lines)):
            raise InputError(
                f"{label.where} has the label {quoted(label.text)} with a number: "
                f"a weighted or probabilistic automaton, expected an acceptor {_HINT}"
            )
    lines = [line for label in labels for line in label.lines]
    if lines and all(map(_ARROW.search, lines)):
        raise InputError(
            f"{labels[0].where} has the label {quoted(labels[0].text)}: a pushdown automaton or Turing machine, "
            f"expected a finite automaton {_HINT}"
        )


def _symbols(label: Label, text: str, grouped: bool) -> Iterator[str | None]:
    for symbol in _split(text) if grouped else text.split(","):
        symbol = symbol.strip()
        if not symbol:
            raise InputError(f"{label.where} has the label {quoted(label.text)}, expected symbols separated by commas")
        if len(symbol.split()) > 1:
            raise InputError(
                f"{label.where} has the label {quoted(label.text)}, where "
                f"{quoted(symbol)} has blanks: a symbol cannot have any"
            )
        yield _symbol(symbol)


def _symbol(symbol: str) -> str | None:
    return None if symbol in EPSILONS else symbol


_CLOSING = {"(": ")", "[": "]", "{": "}"}


def _split(text: str) -> list[str]:
    """The parts between the commas outside brackets; blanks after the commas inside are dropped."""
    parts, depth = [""], 0
    for piece in re.split(r"(,\s*|[()\[\]{}])", text):
        if piece.startswith(",") and depth == 0:
            parts.append("")
            continue
        depth += (piece in ("(", "[", "{")) - (piece in (")", "]", "}"))
        parts[-1] += piece.rstrip() if piece.startswith(",") else piece
    return parts


def _in_pairs(text: str) -> bool:
    """Whether every bracket has its partner, with something inside."""
    expected: list[str] = []
    for character in text:
        if character in _CLOSING:
            expected.append(_CLOSING[character])
        elif character in _CLOSING.values() and (not expected or expected.pop() != character):
            return False
    return not expected
