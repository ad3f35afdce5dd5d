"""All minimal automata of a given size, each language once.

A complete automaton all of whose states are reached has exactly one numbering that is breadth-first (from the initial
state, in the alphabet's order), so tables numbered that way are the automata up to renaming of states.  With the
accepting sets that leave no two states equivalent, they are the languages of that many Myhill-Nerode classes.

Source: M. Domaratzki, D. Kisman, J. Shallit, "On the number of distinct languages accepted by finite automata with n
states" (2002); OEIS A129622 for two letters.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Iterator

Table = tuple[tuple[int, ...], ...]
"""``table[q][a]``: the state reached from q by letter a."""


def number_of_tables(letters: int, states: int) -> int:
    """How many transition tables :func:`breadth_first_tables` gives; O(letters * states^2).

    >>> [number_of_tables(2, n) for n in (1, 2, 3, 4, 5, 6)]
    [1, 12, 216, 5248, 160675, 5931540]
    """
    return _fillings(letters, states, 0, 1)


def breadth_first_tables(letters: int, states: int, first: int = 0) -> Iterator[Table]:
    """The transition tables with this many letters and states, all reached from state 0, numbered breadth-first.

    Args:
        first: how many are passed over, which takes no time.

    >>> [sum(1 for _ in breadth_first_tables(2, n)) for n in (1, 2, 3, 4)]
    [1, 12, 216, 5248]
    >>> next(breadth_first_tables(2, 2, first=11))
    ((1, 1), (1, 1))
    """
    cells = letters * states
    table = [0] * cells
    passed = first

    def fill(cell: int, seen: int) -> Iterator[Table]:
        nonlocal passed
        if passed:
            below = _fillings(letters, states, cell, seen)
            if passed >= below:
                passed -= below
                return
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


@cache
def _fillings(letters: int, states: int, cell: int, seen: int) -> int:
    """In how many ways the cells from this one on can be filled, with so many states seen before."""
    if cell == letters * states:
        return int(seen == states)
    if cell // letters >= seen:
        return 0
    old = seen * _fillings(letters, states, cell + 1, seen)
    return old + (_fillings(letters, states, cell + 1, seen + 1) if seen < states else 0)


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
