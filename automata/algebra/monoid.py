"""The transition monoid of a DFA: what its words do to its states.

Words act on the right: the element of ``uv`` first does ``u``, then ``v``.  An element is the array of the
states' images.  Letters that do the same to every state are one letter here.

Sources: V. Froidure and J.-E. Pin, "Algorithms for computing finite semigroups" (1997), for the two Cayley
graphs from one breadth-first search; J. A. Green, "On the structure of semigroups" (1951).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Iterator, NamedTuple, Sequence

import numpy as np

from automata.dfa import DFA
from automata.errors import LimitError

MONOID_LIMIT = 100_000
"""Elements after which an enumeration stops unless told otherwise."""

STATES_PER_ELEMENT = 1000
"""A limit of n elements is one of 1000 n images of states too: what the elements take of memory."""


@dataclass(frozen=True)
class Letter:
    """The symbols with one common action, in the alphabet's order, and the action: state -> state."""

    symbols: tuple[str, ...]
    images: tuple[int, ...]


def distinct_letters(dfa: DFA) -> tuple[Letter, ...]:
    """The different actions of the symbols, each with its symbols, in the alphabet's order.  O(n k).

    >>> same = DFA("abc", [[1, 0, 1], [1, 0, 1]], accepting=[1])
    >>> [letter.symbols for letter in distinct_letters(same)]
    [('a', 'c'), ('b',)]
    """
    symbols: dict[tuple[int, ...], list[str]] = {}
    for symbol, column in zip(dfa.alphabet, dfa.table.T.tolist()):
        symbols.setdefault(tuple(column), []).append(symbol)
    return tuple(Letter(tuple(names), images) for images, names in symbols.items())


class Sphere(NamedTuple):
    """The actions whose shortest words have one length.

    ``elements``: one row of images per action.  ``parents`` and ``last``: the number of the action, and of the letter
    after it, that first gave it.  ``right``: the numbers of the products of the *previous* sphere's actions, one row
    each, one column per letter.
    """

    elements: np.ndarray
    parents: list[int]
    last: list[int]
    right: list[list[int]]


def actions(letters: Sequence[Letter], states: int, limit: int) -> Iterator[Sphere]:
    """The actions of all words, sphere after sphere, shortest words first; the last sphere is empty.

    Actions are numbered in order of appearance, the identity being 0.

    Args:
        limit: the greatest number of actions; with more than STATES_PER_ELEMENT states fewer, so that they fit into
            memory.

    Raises:
        LimitError: when there are more actions.
    """
    most = min(limit, limit * STATES_PER_ELEMENT // states)
    generators = np.array([letter.images for letter in letters], dtype=_smallest_type(states))
    identity = np.arange(states, dtype=generators.dtype)
    number = {identity.tobytes(): 0}
    sphere = Sphere(identity[None, :], [0], [0], [])
    length = 0
    yield sphere
    while len(sphere.elements):
        length += 1
        first = len(number) - len(sphere.elements)
        # products[i, a] is "do action i of the sphere, then letter a"
        products = generators[:, sphere.elements].transpose(1, 0, 2)
        fresh, parents, last, right = [], [], [], []
        for i, rows in enumerate(products):
            edges = []
            for a, row in enumerate(rows):
                key = row.tobytes()
                target = number.get(key)
                if target is None:
                    if len(number) >= most:
                        raise LimitError(
                            f"the transition monoid has more than {most} elements "
                            f"(found by words up to length {length}): raise the limit to go on",
                            "monoid",
                        )
                    target = number[key] = len(number)
                    parents.append(first + i)
                    last.append(a)
                    fresh.append(row)
                edges.append(target)
            right.append(edges)
        sphere = Sphere(np.array(fresh, dtype=generators.dtype).reshape(len(fresh), states), parents, last, right)
        yield sphere


class TransitionMonoid:
    """The monoid of all words' actions, identity included, by a breadth-first search with shortest words first.

    Element 0 is the identity (the empty word); element numbers grow with the length of the shortest word, and
    among words of one length in the alphabet's order.

    Args:
        dfa: the automaton; every state counts, so take its minimal DFA to speak of the language.
        limit: the number of elements after which the search gives up.

    Raises:
        LimitError: when there are more elements (see :func:`actions`).

    Cost: O(elements * letters * states) array work and one hash of each product.

    >>> monoid = TransitionMonoid(DFA("ab", [[1, 2], [2, 0], [2, 2]], accepting=[0]))  # (ab)*
    >>> len(monoid), monoid.semigroup_size, [" ".join(monoid.word(i)) for i in range(6)]
    (6, 5, ['', 'a', 'b', 'a a', 'a b', 'b a'])
    """

    def __init__(self, dfa: DFA, limit: int = MONOID_LIMIT):
        self.dfa = dfa
        self.letters = distinct_letters(dfa)
        spheres = list(actions(self.letters, dfa.states, limit))
        self.lengths = [len(sphere.elements) for sphere in spheres[:-1]]
        self.elements = np.concatenate([sphere.elements for sphere in spheres])
        self.right = np.array([row for sphere in spheres for row in sphere.right], dtype=np.int64)
        self._parents = np.array([parent for sphere in spheres for parent in sphere.parents], dtype=np.int64)
        self._last = np.array([letter for sphere in spheres for letter in sphere.last], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.elements)

    @cached_property
    def semigroup_size(self) -> int:
        """Elements that some nonempty word gives: one less than the monoid's, unless a word does nothing."""
        return len(self) - (not (self.right == 0).any())

    def word(self, element: int) -> tuple[str, ...]:
        """A shortest word with this action."""
        letters = []
        while element:
            letters.append(self.letters[self._last[element]].symbols[0])
            element = self._parents[element]
        return tuple(reversed(letters))

    @cached_property
    def left(self) -> np.ndarray:
        """``left[i, a]``: the element of "letter a, then element i"; ``right`` is the mirror image.

        No product is computed: a * (u b) = (a * u) * b, and u comes before u b.
        """
        left = np.empty_like(self.right)
        left[0] = self.right[0]
        start = 1
        for count in self.lengths[1:]:
            block = slice(start, start + count)
            left[block] = self.right[left[self._parents[block]], self._last[block][:, None]]
            start += count
        return left

    def green(self) -> "GreenClasses":
        """Green's relations, from the strongly connected components of the two Cayley graphs.

        Cost: linear in elements * letters.
        """
        both = np.concatenate([self.right, self.left], axis=1)
        return GreenClasses(self, _components(self.right), _components(self.left), _components(both))


class GreenClasses:
    """Green's classes of a transition monoid.

    ``r``, ``l`` and ``d`` have one class number per element.  In a finite monoid D = J, so the D-classes are
    the strongly connected components of the two-sided Cayley graph.

    >>> brandt = TransitionMonoid(DFA("ab", [[1, 2], [2, 0], [2, 2]], accepting=[0])).green()
    >>> brandt.d_classes, [str(box) for box in brandt.eggboxes()]
    (3, ['1 x 1 of C1', '2 x 2 of C1', '1 x 1 of C1'])
    """

    def __init__(self, monoid: TransitionMonoid, r: np.ndarray, left: np.ndarray, d: np.ndarray):
        self.monoid, self.r, self.l, self.d = monoid, r, left, d

    @cached_property
    def d_classes(self) -> int:
        """The number of D-classes."""
        return int(self.d.max()) + 1

    @cached_property
    def idempotents(self) -> np.ndarray:
        """The elements e with e * e = e, ascending."""
        elements = self.monoid.elements
        return np.flatnonzero((np.take_along_axis(elements, elements.astype(np.int64), axis=1) == elements).all(axis=1))

    def eggboxes(self) -> list["Eggbox"]:
        """One eggbox per D-class, in the order of its shortest word."""
        boxes = []
        order = np.argsort(self.d, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(self.d[order])) + 1)
        idempotent = set(self.idempotents.tolist())
        for members in sorted(groups, key=lambda group: group[0]):
            rows = {c: i for i, c in enumerate(dict.fromkeys(self.r[members].tolist()))}
            columns = {c: i for i, c in enumerate(dict.fromkeys(self.l[members].tolist()))}
            cells: dict[tuple[int, int], list[int]] = {}
            for element in members.tolist():
                cells.setdefault((rows[self.r[element]], columns[self.l[element]]), []).append(element)
            with_idempotent = {cell: e for cell, box in cells.items() for e in box if e in idempotent}
            boxes.append(Eggbox(self.monoid, len(rows), len(columns), cells, with_idempotent))
        return boxes


@dataclass(frozen=True)
class Eggbox:
    """A D-class as a grid: rows are R-classes, columns are L-classes, cells are H-classes.

    ``cells[row, column]`` lists the elements of an H-class, and ``idempotents[row, column]`` names the
    idempotent of each cell that is a group.
    """

    monoid: TransitionMonoid
    rows: int
    columns: int
    cells: dict[tuple[int, int], list[int]]
    idempotents: dict[tuple[int, int], int]

    @property
    def size(self) -> int:
        """Elements in the D-class."""
        return sum(map(len, self.cells.values()))

    @property
    def regular(self) -> bool:
        """Whether the D-class has an idempotent, so that some of its H-classes are groups."""
        return bool(self.idempotents)

    def group(self) -> list[tuple[int, ...]] | None:
        """The elements of its group H-classes (all isomorphic) as permutations of 0..r-1; None if not regular.

        The r points are the states in the image of the idempotent, ascending.
        """
        if not self.regular:
            return None
        cell, idempotent = next(iter(self.idempotents.items()))
        points = sorted(set(self.monoid.elements[idempotent].tolist()))
        index = {q: i for i, q in enumerate(points)}
        return [tuple(index[q] for q in self.monoid.elements[e][points].tolist()) for e in self.cells[cell]]

    def __str__(self) -> str:
        from automata.algebra.groups import group_name

        group = self.group()
        name = "no group" if group is None else group_name(group)
        return f"{self.rows} x {self.columns} of {name}"


def _smallest_type(states: int):
    return np.uint8 if states <= 256 else np.uint16 if states <= 65536 else np.int64


def _components(edges: np.ndarray) -> np.ndarray:
    """The strongly connected component of each node of a graph with ``edges[node, i]`` its successors."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    nodes, degree = edges.shape
    starts = np.arange(0, nodes * degree + 1, degree)
    graph = csr_array((np.ones(nodes * degree, dtype=np.int8), edges.ravel(), starts), shape=(nodes, nodes))
    return connected_components(graph, directed=True, connection="strong")[1]
