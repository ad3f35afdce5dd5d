"""Linear temporal logic over finite words: the notation, for formulas of the past or of the future.

Tightest first (blanks separate words):

=======================  =============================================================================
``open``                 this symbol is here; a word of letters, digits, ``_`` and non-ASCII characters
``<+> '+' \\+``           a symbol that is not such a word, or is one of the words that are operators
``true false ( )``       constants and grouping
``!f``                   not; ``~`` and ``¬`` are the same
``Y f  H f  O f``        past: yesterday; historically (at all positions so far); once (at some position so far)
``X f  N f  F f  G f``   future: next; next, if there is one; finally (at some position from here); globally
                         (at all of them)
``<> ◇  [] □  ○``         the same as F, G and X
``f S g``                past: since; groups to the left
``f U g  f W g``         future: until, and weak until; group to the right
``f R g  f M g``         future: release, and strong release; group to the right
``f & g``                and; ``&&`` and ``∧`` are the same
``f | g``                or; ``||`` and ``∨`` are the same
``f -> g``               implies; ``→`` is the same; groups to the right
``f <-> g``              if and only if; ``↔`` is the same
=======================  =============================================================================

A symbol of the alphabet is an atom, and exactly one symbol is at each position: ``a & b`` is false everywhere.

A formula of the past speaks of the positions up to the last one, where it is evaluated
(:mod:`automata.notation.past_ltl`); one of the future of the positions from the first one on, where it is evaluated
(:mod:`automata.notation.future_ltl`).  No formula does both.  Without any temporal operator a formula counts as one of
the past: it speaks of the last symbol.
"""

from __future__ import annotations

from itertools import chain
from typing import Iterable, Iterator, NamedTuple

from automata.dfa import check_alphabet
from automata.errors import InputError
from automata.notation.scanner import CLOSE, INFIX, OPEN, OPERAND, PREFIX, Scanner, Token, to_postfix

PAST, FUTURE = "past", "future"


class Node(NamedTuple):
    """A subformula: "symbol", "true", "false" or an operator as written; operands are indices of earlier nodes."""

    operator: str
    operands: tuple[int, ...] = ()
    symbol: str | None = None


class Formula(NamedTuple):
    """The distinct subformulas, operands before operators, the formula itself last; and whether it is PAST or
    FUTURE.
    """

    alphabet: tuple[str, ...]
    nodes: tuple[Node, ...]
    tense: str = PAST


def parse_formula(text: str, alphabet: Iterable[str] | None = None) -> Formula:
    """The formula that a text denotes; see the head of this module for the notation.

    Args:
        text: the formula.
        alphabet: the symbols, in order; those shown in the text, in the order of their code points, if absent.

    Raises:
        InputError: with the column, what was found and what was expected.

    >>> parse_formula("H(open -> Y open)").nodes[-1]
    Node(operator='H', operands=(2,), symbol=None)
    >>> parse_formula("G(open -> F close)").tense
    'future'
    >>> parse_formula("a & (b |")
    Traceback (most recent call last):
    automata.errors.InputError: LTL formula, column 9: found the end, expected a symbol or '('
    """
    given = None if alphabet is None else check_alphabet(alphabet)
    scanner = Scanner(text, "LTL formula", given)
    if not scanner.peek():
        raise scanner.error("a formula")
    tokens = list(_tokens(scanner))
    tense = _tense(scanner, tokens)
    postfix = to_postfix(scanner, tokens, _PRECEDENCE, right=frozenset({"->", "U", "W", "R", "M"}))
    if given is None and not scanner.shown:
        raise InputError("the LTL formula shows no symbol: give the alphabet")
    nodes: dict[Node, int] = {}
    stack: list[int] = []
    for token in postfix:
        if token.kind == OPERAND:
            node = token.value
        else:
            arity = 1 if token.kind == PREFIX else 2
            node = Node(token.value, tuple(stack[-arity:]))
            del stack[-arity:]
        stack.append(nodes.setdefault(node, len(nodes)))
    # A subformula that occurs twice is one node.  The whole formula is longer than all its parts, so it is last.
    return Formula(given or tuple(sorted(scanner.shown)), tuple(nodes), tense)


def is_unquoted(symbol: str) -> bool:
    """Whether a formula writes this symbol without quotes."""
    return all(map(_in_word, symbol)) and symbol not in _KEYWORDS


_PAST, _FUTURE = "YHOS", "XNFGUWRM"
_PRECEDENCE = {"<->": 0, "->": 1, "|": 2, "&": 3, **dict.fromkeys("SUWRM", 4), "!": 5, **dict.fromkeys("YHOXNFG", 5)}
_INFIX = {"<->": "<->", "->": "->", "||": "|", "|": "|", "&&": "&", "&": "&", "↔": "<->", "→": "->", "∨": "|", "∧": "&"}
_PREFIX = {"!": "!", "~": "!", "¬": "!", "[]": "G", "□": "G", "<>": "F", "◇": "F", "○": "X"}
_SIGNS = frozenset(chain(*_INFIX, *_PREFIX))
_KEYWORDS = (*_PAST, *_FUTURE, "true", "false")


def _tense(scanner: Scanner, tokens: list[Token]) -> str:
    """Which of the two a formula speaks of; both is an error that names the second one."""
    first: dict[str, Token] = {}
    for token in tokens:
        if token.kind in (PREFIX, INFIX) and token.value in (*_PAST, *_FUTURE):
            first.setdefault(PAST if token.value in _PAST else FUTURE, token)
    if len(first) > 1:
        (tense, one), (other, two) = first.items()
        found = f"the {other} operator {two.value!r} after the {tense} operator {one.value!r} at column {one.column}"
        raise scanner.error(f"operators of one kind (the symbol itself is written '{two.value}')", two.column, found)
    return next(iter(first), PAST)


def _tokens(scanner: Scanner) -> Iterator[Token]:
    while character := scanner.peek():
        column = scanner.column
        if (infix := next((written for written in _INFIX if scanner.take(written)), None)) is not None:
            yield Token(INFIX, _INFIX[infix], column, infix)
        elif (prefix := next((written for written in _PREFIX if scanner.take(written)), None)) is not None:
            yield Token(PREFIX, _PREFIX[prefix], column, prefix)
        elif (symbol := scanner.marked_symbol()) is not None:
            yield Token(OPERAND, Node("symbol", symbol=symbol), column, symbol)
        elif _in_word(character):
            yield _word(scanner, column)
        else:
            scanner.position += 1
            if character == "(":
                yield Token(OPEN, None, column, "(")
            elif character == ")":
                yield Token(CLOSE, None, column, ")")
            else:
                raise scanner.misplaced(character, column)


def _word(scanner: Scanner, column: int) -> Token:
    start = scanner.position
    while _in_word(scanner.text[scanner.position : scanner.position + 1]):
        scanner.position += 1
    word = scanner.text[start : scanner.position]
    if word in tuple("YHOXNFG"):
        return Token(PREFIX, word, column, word)
    if word in tuple("SUWRM"):
        return Token(INFIX, word, column, word)
    if word in ("true", "false"):
        return Token(OPERAND, Node(word), column, word)
    return Token(OPERAND, Node("symbol", symbol=scanner.show(word, column)), column, word)


def _in_word(character: str) -> bool:
    return (
        character.isalnum()
        or character == "_"
        or (character > "\x7f" and not character.isspace() and character not in _SIGNS)
    )
