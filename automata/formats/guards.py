"""Labels that are Boolean formulas over propositions: the letters of which each is true.

A letter is the set of the propositions that are true at a position, written ``{}``, ``{p}`` or ``{p,q}``.

The notation, tightest first: ``!p ~p ¬p`` (or ``not p``), ``p & q`` (also ``&& /\\ ∧ and``), ``p | q`` (also ``|| \\/ ∨
or``), parentheses, and the constants ``true True TRUE T 1 ⊤ tt`` and ``false False FALSE F 0 ⊥ ff``.
"""

from __future__ import annotations

import re
from itertools import chain, combinations
from typing import NamedTuple

from automata import limits
from automata.errors import InputError
from automata.notation.scanner import CLOSE, INFIX, OPEN, OPERAND, PREFIX, Scanner, Token, to_postfix

_TRUE = ("true", "True", "TRUE", "T", "1", "⊤", "tt")
_FALSE = ("false", "False", "FALSE", "F", "0", "⊥", "ff")
_CONSTANTS = {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}
_PIECE = re.compile(r"\s*(?:(&&|\|\||/\\|\\/|[()!~¬&∧|∨])|(\w+|⊤|⊥))")
_MARKS = {
    **dict.fromkeys("!~¬", (PREFIX, "!")),
    **dict.fromkeys(("&", "&&", "∧", "/\\"), (INFIX, "&")),
    **dict.fromkeys(("|", "||", "∨", "\\/"), (INFIX, "|")),
    "(": (OPEN, None),
    ")": (CLOSE, None),
}
_WORDS = {"not": (PREFIX, "!"), "and": (INFIX, "&"), "or": (INFIX, "|")}
_PRECEDENCE = {"|": 0, "&": 1, "!": 2}


class Guard(NamedTuple):
    """A formula in postfix order; a proposition or a constant is an operand, with the value True, False or its name."""

    postfix: tuple[Token, ...]

    @property
    def propositions(self) -> set[str]:
        return {token.value for token in self.postfix if token.kind == OPERAND and isinstance(token.value, str)}

    @property
    def constant(self) -> bool:
        """Whether it is one constant alone."""
        return len(self.postfix) == 1 and isinstance(self.postfix[0].value, bool)

    def uses(self, operator: str) -> bool:
        """Whether ``!``, ``&`` or ``|`` occurs."""
        return any(token.kind != OPERAND and token.value == operator for token in self.postfix)

    def holds(self, letter: frozenset[str]) -> bool:
        """Whether it is true where exactly these propositions are."""
        stack: list[bool] = []
        for token in self.postfix:
            if token.kind == OPERAND:
                stack.append(token.value if isinstance(token.value, bool) else token.value in letter)
            elif token.kind == PREFIX:
                stack.append(not stack.pop())
            else:
                right, left = stack.pop(), stack.pop()
                stack.append((left and right) if token.value == "&" else (left or right))
        return stack.pop()


def parse_guard(text: str) -> Guard | None:
    """The formula that a label is, or None where it is not one.

    >>> parse_guard("~p & (q | true)").holds(frozenset({"q"})), parse_guard("a, b")
    (True, None)
    """
    tokens: list[Token] = []
    position = 0
    text = text.rstrip()
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            return None
        mark, word = piece.groups()
        value: bool | str | None
        if mark or word in _WORDS:
            kind, value = _MARKS[mark] if mark else _WORDS[word]
        else:
            kind, value = OPERAND, _CONSTANTS.get(word, word)
        tokens.append(Token(kind, value, piece.start() + 1, mark or word))
        position = piece.end()
    try:
        return Guard(tuple(to_postfix(Scanner(text, "formula", None), tokens, _PRECEDENCE)))
    except InputError:
        return None


def letters(propositions: set[str]) -> dict[str, frozenset[str]]:
    """The letters over these propositions by name, the empty set first.

    >>> list(letters({"q", "p"}))
    ['{}', '{p}', '{q}', '{p,q}']
    """
    if limits.exceeded("propositions", len(propositions)):
        most = limits.limit("propositions")
        found = f"{len(propositions)} propositions make more letters than are read, expected at most {most}"
        raise limits.refusal("propositions", found)
    names = sorted(propositions)
    chosen = chain.from_iterable(combinations(names, size) for size in range(len(names) + 1))
    return {"{" + ",".join(letter) + "}": frozenset(letter) for letter in chosen}
