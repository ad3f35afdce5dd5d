"""Fewer edits and smaller numbers that still show the same finding."""

from __future__ import annotations

from typing import Callable

from .edits import Edit


def minimise(edits: list[Edit], still: Callable[[list[Edit]], bool]) -> list[Edit]:
    """Leaves out one edit after the other, then makes the numbers smaller, as long as the finding stays.

    >>> edits = [("set", "a", 0, 9), ("set", "b", 1, 1000)]
    >>> minimise(edits, lambda edits: any(e[1] == "b" and e[3] > 5 for e in edits))
    [('set', 'b', 1, 6)]
    """
    place = 0
    while place < len(edits):
        fewer = edits[:place] + edits[place + 1 :]
        if still(fewer):
            edits = fewer
        else:
            place += 1
    for place, edit in enumerate(edits):
        for value in _smaller(edit[-1]):
            tried = [*edits[:place], (*edit[:-1], value), *edits[place + 1 :]]
            if still(tried):
                edits = tried
                break
    return edits


def _smaller(value) -> list[int]:
    """Numbers nearer to 0, nearest first; none for what is not a number."""
    if type(value) is not int:
        return []
    sign = 1 if value > 0 else -1
    return [sign * n for n in (0, 1, 2, 3, 4, 6, *(2**bits for bits in range(3, 64))) if n < abs(value)]
