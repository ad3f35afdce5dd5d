"""A user's strings from a text file: one string a line, tokens separated by blanks.

A line may end with the token ``END``, which says that the string is complete; where the alphabet has a symbol of this
name, it is that symbol, and strings cannot be marked.  Where every symbol is a single character, a line without blanks
is read character by character.  Empty lines are passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from automata.errors import InputError, shortened
from automata.files import read_text

END = "END"


@dataclass(frozen=True)
class Line:
    """One string of a file: its line number, its symbols, and whether it is marked as complete."""

    number: int
    word: tuple[str, ...]
    complete: bool


def read_strings(path: str | Path, parse: Callable[[str], str], characters: bool = False) -> list[Line]:
    """The strings of a file.

    Args:
        path: a UTF-8 text file.
        parse: from a token to a symbol, raising InputError for an unknown one.
        characters: read a token that ``parse`` does not know character by character.

    Raises:
        InputError: naming file, line and column of an unknown token, or what is wrong with the file.
    """
    text = read_text(path)
    marks = not _is_symbol(END, parse)
    name = shortened(str(path), 150)
    lines = [
        _line(name, i, line, parse, characters, marks) for i, line in enumerate(text.split("\n"), 1) if line.strip()
    ]
    if not lines:
        raise InputError(f"{name}: has no strings")
    return lines


def parse_word(text: str, parse: Callable[[str], str], characters: bool = False) -> tuple[str, ...]:
    """A string given in an argument, tokens as in a file."""
    return _word("the string", text, parse, characters)


def _is_symbol(token: str, parse: Callable[[str], str]) -> bool:
    try:
        parse(token)
    except InputError:
        return False
    return True


def _line(name: str, number: int, text: str, parse, characters: bool, marks: bool) -> Line:
    """The string of one line; with ``marks``, a last token END says that it is complete."""
    stripped = text.rstrip()
    complete = marks and stripped.split()[-1] == END
    if complete:
        stripped = stripped[: -len(END)]
    return Line(number, _word(f"{name}, line {number}", stripped, parse, characters), complete)


def _word(where: str, text: str, parse, characters: bool) -> tuple[str, ...]:
    word: list[str] = []
    column = 0
    for token in text.split():
        column = text.index(token, column)
        try:
            word.append(parse(token))
        except InputError as error:
            if not characters:
                raise InputError(f"{where}, column {column + 1}: {error}") from None
            for offset, character in enumerate(token):
                try:
                    word.append(parse(character))
                except InputError as single:
                    raise InputError(f"{where}, column {column + offset + 1}: {single}") from None
        column += len(token)
    return tuple(word)
