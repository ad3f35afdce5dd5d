"""Many transition tables at once: their monoids, and the accepting sets with which they are minimal.

What is decided of a table does not depend on what its automaton accepts.  With an accepting set that makes it minimal,
a table is the minimal automaton of its language, and its transition monoid is the syntactic monoid; so the language is
star-free iff no word permutes states of the table round a cycle.

Arrays of tables have the shape (tables, states, letters).  Each function here has a slow and obvious twin elsewhere,
which takes one table: :func:`automata.algebra.monoid.actions` and
:func:`automata.algebra.enumeration.distinguishing_sets`.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np

from automata.algebra.aperiodic import has_cycle
from automata.algebra.monoid import MONOID_LIMIT, Letter, actions

NUMBERED_MAPS = 50_000
"""With at most so many maps of states to states, n^n, a map is a number, and a monoid a row of that many booleans."""


class Monoid(NamedTuple):
    """What is asked of a table's transition monoid.

    ``word``: the first word in the order of length and letters that permutes states round a cycle, as letter numbers;
    None where no word does.
    """

    size: int
    word: tuple[int, ...] | None


def monoids(tables: np.ndarray) -> list[Monoid]:
    """The transition monoid of each table, identity included.

    Raises:
        LimitError: when one of more than 6 states has too many elements.

    Cost: O(elements of all monoids * letters * states).

    >>> monoids(np.array([[[1, 0], [0, 0]], [[1, 0], [1, 1]]]))  # the first letter swaps two states; or sets them
    [Monoid(size=4, word=(0,)), Monoid(size=2, word=None)]
    """
    states = tables.shape[1]
    if states**states > NUMBERED_MAPS:
        return [_monoid(table) for table in tables]
    return _numbered(tables)


def _monoid(table: np.ndarray) -> Monoid:
    """The monoid of one table, its elements told apart by their images."""
    states, letters = table.shape
    generators = [Letter((str(a),), tuple(table[:, a].tolist())) for a in range(letters)]
    parents: list[int] = []
    last: list[int] = []
    word: tuple[int, ...] | None = None
    for sphere in actions(generators, states, MONOID_LIMIT):
        first = len(parents)
        parents += sphere.parents
        last += sphere.last
        cyclic = np.flatnonzero(has_cycle(sphere.elements))
        if word is None and len(cyclic):
            word = _word(first + int(cyclic[0]), parents, last)
    return Monoid(len(parents), word)


def _word(here: int, parents: list[int], last: list[int]) -> tuple[int, ...]:
    letters = []
    while here:
        letters.append(last[here])
        here = parents[here]
    return tuple(reversed(letters))


@cache
def _maps(states: int) -> tuple[np.ndarray, np.ndarray]:
    """The images of every map, by its number in base ``states``, first state lowest; and which maps have a cycle."""
    digits = np.unravel_index(np.arange(states**states), (states,) * states)
    images = np.array(digits[::-1]).T.astype(np.int64)
    return images, has_cycle(images)


def _numbered(tables: np.ndarray) -> list[Monoid]:
    """All monoids, sphere after sphere: a search breadth-first in all tables at once."""
    count, states, letters = tables.shape
    images, cyclic = _maps(states)
    places = states ** np.arange(states)
    maps = states**states
    identity = int(places @ np.arange(states))
    seen = np.zeros(count * maps, dtype=bool)
    parent = np.zeros(count * maps, dtype=np.int32)
    last = np.zeros(count * maps, dtype=np.int8)
    here = np.arange(count) * maps + identity
    seen[here] = True
    first = np.full(count, -1)
    while len(here):
        table, element = np.divmod(here, maps)
        # Elements in order of appearance, each with the letters in order: so the first that leads to a map is its word.
        after = tables[table[:, None], images[element]]  # what each letter makes of each state's image
        products = np.einsum("esa,s->ea", after, places, dtype=np.int64) + (table * maps)[:, None]
        products = products.ravel()
        fresh = np.flatnonzero(~seen[products])
        _, once = np.unique(products[fresh], return_index=True)
        fresh = fresh[np.sort(once)]
        new = products[fresh]
        seen[new] = True
        parent[new] = element[fresh // letters]
        last[new] = fresh % letters
        found = new[cyclic[new % maps]]
        owners, once = np.unique(found // maps, return_index=True)
        unmet = first[owners] < 0
        first[owners[unmet]] = found[once[unmet]]
        here = new
    sizes = seen.reshape(count, maps).sum(axis=1)
    result = []
    for number, (size, cyclic_element) in enumerate(zip(sizes.tolist(), first.tolist())):
        word: list[int] | None = None
        if cyclic_element >= 0:
            word, at = [], cyclic_element
            while at != number * maps + identity:
                word.append(int(last[at]))
                at = number * maps + int(parent[at])
        result.append(Monoid(size, None if word is None else tuple(reversed(word))))
    return result


def distinguishing(tables: np.ndarray) -> np.ndarray:
    """With which accepting sets each table is minimal.

    Returns:
        Booleans of shape (tables, 2^states); the column of a set has a one in bit q of its number for each state q that
        accepts.

    Two states are told apart by those sets that hold one of them, and by those that tell apart what some letter makes
    of the two: the least solution of this, found by going round as long as anything is added.  O(tables * pairs *
    letters * 2^states) for each round, of which there are fewer than pairs.

    >>> distinguishing(np.array([[[1], [0]], [[0], [0]]])).astype(int).tolist()
    [[0, 1, 1, 0], [0, 1, 1, 0]]
    """
    count, states, letters = tables.shape
    sets = np.arange(1 << states)
    holds = sets >> np.arange(states)[:, None] & 1  # states, sets
    pairs = list(combinations(range(states), 2))
    if not pairs:
        return np.ones((count, len(sets)), dtype=bool)
    number = np.full((states, states), len(pairs))
    for i, (p, q) in enumerate(pairs):
        number[p, q] = number[q, p] = i
    one, other = np.array(pairs).T
    told = np.zeros((count, len(pairs) + 1, len(sets) + 7 >> 3), dtype=np.uint8)  # the last pair is no pair
    told[:, :-1] = np.packbits(holds[one] != holds[other], axis=1, bitorder="little")
    following = number[tables[:, one], tables[:, other]]  # tables, pairs, letters
    rows = np.arange(count)[:, None]
    while True:
        more = told[:, :-1].copy()
        for a in range(letters):
            more |= told[rows, following[:, :, a]]
        if np.array_equal(more, told[:, :-1]):
            break
        told[:, :-1] = more
    minimal = np.bitwise_and.reduce(told[:, :-1], axis=1)
    return np.unpackbits(minimal, axis=1, count=len(sets), bitorder="little").astype(bool)
