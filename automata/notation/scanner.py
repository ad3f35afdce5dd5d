"""Reading infix notation: what regular expressions and temporal formulas have in common.

A front end cuts its text into tokens with a :class:`Scanner`, and :func:`to_postfix` orders them by precedence,
operands before their operators (Dijkstra's shunting-yard algorithm).  No recursion, so no nesting is too deep for
the Python stack; every error is one line with a column, what was found and what was expected.
"""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple

from automata import limits
from automata.dfa import check_alphabet
from automata.errors import InputError, quoted

OPERAND, PREFIX, INFIX, POSTFIX, OPEN, CLOSE = "operand", "prefix", "infix", "postfix", "(", ")"


class Token(NamedTuple):
    """A piece of the text: its role, its meaning to the front end, its 1-based column, and how it was written."""

    kind: str
    value: Any
    column: int
    text: str


class Scanner:
    """A position in a text, and the symbols that every notation writes in the same way.

    Args:
        text: the text.
        what: the name of the notation, which every error begins with.
        alphabet: the symbols that may occur; any if absent.
    """

    def __init__(self, text: str, what: str, alphabet: tuple[str, ...] | None):
        self.text = text
        self.what = what
        self.position = 0
        self.allowed = None if alphabet is None else frozenset(alphabet)
        self.shown: set[str] = set()

    @property
    def column(self) -> int:
        return self.position + 1

    def peek(self) -> str:
        """The next character that is not blank, or "" at the end; blanks are skipped."""
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1
        return self.text[self.position : self.position + 1]

    def take(self, text: str) -> bool:
        """Skip blanks and then this text, if it comes next."""
        self.peek()
        if not self.text.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def error(self, expected: str, column: int | None = None, found: str | None = None) -> InputError:
        """An error at a column (by default here, finding the next character)."""
        if found is None:
            character = self.peek()
            found = repr(character) if character else "the end"
        return InputError(f"{self.what}, column {column or self.column}: found {found}, expected {expected}")

    def misplaced(self, character: str, column: int) -> InputError:
        """The error for a character that is no symbol unless it is escaped, if it can be one."""
        escape = f" (the symbol itself is written \\{character})" if character.isprintable() else ""
        return self.error(f"a symbol or an operator{escape}", column, repr(character))

    def show(self, symbol: str, column: int) -> str:
        """Note that the text shows this symbol, if it may be one."""
        if self.allowed is not None and symbol not in self.allowed:
            raise self.error("a symbol of the given alphabet", column, f"the symbol {quoted(symbol)}")
        if symbol not in self.shown:
            try:
                check_alphabet((symbol,))
            except InputError as error:
                raise InputError(f"{self.what}, column {column}: {error}") from None
            self.shown.add(symbol)
        return symbol

    def number(self) -> int:
        """A decimal number."""
        self.peek()
        start = self.position
        while self.text[self.position : self.position + 1] in tuple("0123456789"):
            self.position += 1
        digits = self.text[start : self.position]
        if not digits:
            raise self.error("a number")
        if len(digits) > 18:
            raise self.error("at most 18", start + 1, f"a number of {len(digits)} digits")
        return int(digits)

    def marked_symbol(self) -> str | None:
        """A symbol written ``<open>``, ``'open'`` or ``\\*``, or None when none of these comes next.

        Inside the brackets and quotes a backslash makes the next character part of the symbol.
        """
        start = self.column
        opening = self.peek()
        if opening == "\\":
            return self.show(self._escaped(), start)
        if opening not in ("<", "'"):
            return None
        start = self.column
        closing = ">" if opening == "<" else opening
        self.position += 1
        symbol = ""
        while (character := self.text[self.position : self.position + 1]) != closing:
            if not character:
                raise self.error(repr(closing), found=f"the end inside the symbol opened at column {start}")
            if character.isspace():
                raise self.error(f"{closing!r} or a character that is not blank", self.column, repr(character))
            if character == "\\":
                symbol += self._escaped()
            else:
                symbol += character
                self.position += 1
        if not symbol:
            raise self.error("a symbol before it", self.column, repr(closing))
        self.position += 1
        return self.show(symbol, start)

    def _escaped(self) -> str:
        """The character after a backslash.  Letters and digits are refused: they mean something else elsewhere."""
        self.position += 1
        character = self.text[self.position : self.position + 1]
        if not character or character.isspace() or character.isalnum():
            found = f"{character!r} after a backslash" if character else "the end after a backslash"
            meant = next((f", {meaning}" for letters, meaning in _ESCAPES if character and character in letters), "")
            raise self.error("a character that is not a letter, digit or blank", self.column, found + meant)
        self.position += 1
        return character


_ESCAPES = (
    ("dDwWsSpP", "a class of characters elsewhere (a set is written [0-9])"),
    ("bBAzZG", "an anchor or a boundary elsewhere"),
    ("123456789kg", "a backreference elsewhere"),
    ("ntrfvR", "a blank elsewhere (a blank cannot be a symbol)"),
    ("xuUN0c", "the code of a character elsewhere (write the character)"),
)
"""What letters and digits after a backslash mean in other notations, which this one does not have."""


def to_postfix(
    scanner: Scanner,
    tokens: Iterable[Token],
    precedence: dict[str, int],
    right: frozenset[str] = frozenset(),
    juxtaposed: str | None = None,
) -> list[Token]:
    """The tokens in postfix order, without parentheses.

    Args:
        scanner: for the errors.
        tokens: in the order of the text.
        precedence: how tightly each prefix and infix operator (a token's value) binds; postfix binds tightest.
        right: the infix operators that group to the right.
        juxtaposed: the infix operator meant by two operands that follow each other; an error if absent.

    Raises:
        InputError: where the tokens are not an expression.
    """
    output: list[Token] = []
    waiting: list[Token] = []  # operators and open parentheses
    depth = 0
    operand_next = True
    for token in tokens:
        if not operand_next and token.kind in (OPERAND, PREFIX, OPEN) and juxtaposed is not None:
            _push_infix(Token(INFIX, juxtaposed, token.column, token.text), output, waiting, precedence, right)
            operand_next = True
        if operand_next:
            if token.kind == OPERAND:
                output.append(token)
                operand_next = False
            elif token.kind in (PREFIX, OPEN):
                waiting.append(token)
                depth += token.kind == OPEN
                if limits.exceeded("nesting", depth):
                    most = f"at most {limits.limit('nesting')} open at once"
                    raise limits.refusal("nesting", scanner.error(most, token.column, "one more '('"))
            else:
                raise scanner.error("a symbol or '('", token.column, quoted(token.text))
        elif token.kind == POSTFIX:
            output.append(token)
        elif token.kind == INFIX:
            _push_infix(token, output, waiting, precedence, right)
            operand_next = True
        elif token.kind == CLOSE:
            while waiting and waiting[-1].kind != OPEN:
                output.append(waiting.pop())
            if not waiting:
                raise scanner.error("an operator or the end: no '(' is open", token.column, "')'")
            waiting.pop()
            depth -= 1
        else:
            raise scanner.error("an operator, ')' or the end", token.column, quoted(token.text))
    if operand_next:
        raise scanner.error("a symbol or '('")
    while waiting:
        if waiting[-1].kind == OPEN:
            raise scanner.error(f"')' for the '(' at column {waiting[-1].column}")
        output.append(waiting.pop())
    return output


def _push_infix(
    token: Token, output: list[Token], waiting: list[Token], precedence: dict[str, int], right: frozenset[str]
) -> None:
    """Operators that bind tighter have all their operands; then this one waits for its right operand."""
    here = precedence[token.value]
    while waiting and waiting[-1].kind != OPEN:
        there = precedence[waiting[-1].value]
        if there < here or (there == here and token.value in right):
            break
        output.append(waiting.pop())
    waiting.append(token)
