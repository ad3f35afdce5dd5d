"""What a report may know of the terminal: its width, and whether the word of a verdict is coloured."""

from __future__ import annotations

import os
from typing import TextIO

from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED

PIPED, NARROWEST = 110, 60
"""Columns of a report that no terminal shows, and those below which it does not go."""

_COLOURS = {PROVED: 32, TESTED: 36, UNDECIDED: 33, REFUTED: 31}


def is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # there is none, or it is closed
        return False


def width(stream: TextIO) -> int:
    """Columns for a line: the terminal's, and a fixed number where a file or a pipe is written."""
    if not is_terminal(stream):
        return PIPED
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return PIPED
    return max(NARROWEST, columns) if columns else PIPED


def painted(text: str, outcome: str, stream: TextIO) -> str:
    """The text in the colour of an outcome, on a terminal, unless NO_COLOR or TERM=dumb asks for none."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not is_terminal(stream)
    return text if plain or outcome not in _COLOURS else f"\x1b[{_COLOURS[outcome]}m{text}\x1b[0m"
