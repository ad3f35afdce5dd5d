"""All minimal automata of a given size, each language once.

A complete automaton all of whose states are reached has exactly one numbering that is breadth-first (from the initial
state, in the alphabet's order), so tables numbered that way are the automata up to renaming of states.  With the
accepting sets that leave no two states equivalent, they are the languages of that many Myhill-Nerode classes.

Source: M. Domaratzki, D. Kisman, J. Shallit, "On the number of distinct languages accepted by finite automata with n
states" (2002); OEIS A129622 for two letters.
"""

from __future__ import annotations

from itertools import product
from typing import Iterator

Table = tuple[tuple[int, ...], ...]
"""``table[q][a]``: the state reached from q by letter a."""


def breadth_first_tables(letters: int, states: int) -> Iterator[Table]:
    """The transition tables with this many letters and states, all reached from state 0, numbered breadth-first.

    >>> [sum(1 for _ in breadth_first_tables(2, n)) for n in (1, 2, 3, 4)]
    [1, 12, 216, 5248]
    """
    cells = letters * states
    table = [0] * cells

    def fill(cell: int, seen: int) -> Iterator[Table]:
        if cell == cells:
            if seen == states:
                yield tuple(tuple(table[q * letters : (q + 1) * letters]) for q in range(states))
            return
        if cell // letters >= seen:
            return  # this state is not reached from those before it
        for target in range(min(seen + 1, states)):
            table[cell] = target
            yield from fill(cell + 1, max(seen, target + 1))

    return fill(0, 1)


def distinguishing_sets(table: Table) -> Iterator[tuple[int, ...]]:
    """The accepting sets with which the automaton is minimal.

    >>> list(distinguishing_sets(((1,), (0,))))
    [(1,), (0,)]
    """
    for accepting in product((False, True), repeat=len(table)):
        if _minimal(table, accepting):
            yield tuple(q for q, accepts in enumerate(accepting) if accepts)


def _minimal(table: Table, accepting: tuple[bool, ...]) -> bool:
    """Moore's refinement: whether no two states are equivalent."""
    block: list[int] = [int(accepts) for accepts in accepting]
    blocks = len(set(block))
    while True:
        numbers: dict[tuple, int] = {}
        block = [
            numbers.setdefault((block[q], *[block[target] for target in row]), len(numbers))
            for q, row in enumerate(table)
        ]
        if len(numbers) == blocks:
            return blocks == len(table)
        blocks = len(numbers)
