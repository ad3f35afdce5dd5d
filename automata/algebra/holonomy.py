"""The holonomy decomposition: what sets of states words can make of all states, and how they nest.

Glossary:

* *image set*: Q·w for a word w and the set Q of all states; the singletons count as image sets too.
* *class*: image sets that words lead to and back from; the strongly connected components of the image graph.
* *tiles* of an image set P: the maximal image sets strictly inside P.
* *level* of a class: the length of the longest strict chain from Q down to it, where one step down goes to a tile
  or, by a letter, out of the class.  The level of Q is 0; all singletons share the level below everything.
* *component*: the action of the words that return to a set on the tiles of that set; one per class.  Its group is
  the *holonomy group*, and the automaton is aperiodic iff all of these are trivial.

A state is written as a *chain* Q ⊃ tile ⊃ tile of the tile ⊃ … ⊃ {q}; the chain's digit at the level of one of
its sets is the index of the next set among the tiles.

Image sets are numbered, breadth-first; in memory they are integers with one bit per state.

Sources: S. Eilenberg, "Automata, Languages, and Machines" B (1976), ch. II; A. Egri-Nagy and C. L. Nehaniv,
"Computational holonomy decomposition of transformation semigroups", arXiv 1508.06345.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property
from typing import Iterator

import numpy as np

from automata.algebra.monoid import Letter, distinct_letters
from automata.dfa import DFA
from automata.errors import LimitError

IMAGE_SET_LIMIT = 20_000
"""Image sets (singletons not counted) after which the search stops unless told otherwise."""


@dataclass(frozen=True)
class Component:
    """One class's action on its tiles: the class's first set, the number of its tiles, and permutations of them.

    ``generators`` generate the holonomy group; none means that it is trivial.
    """

    level: int
    states: tuple[int, ...]
    points: int
    generators: tuple[tuple[int, ...], ...]


class Skeleton:
    """The image sets of an automaton with their classes, tiles and levels.

    Args:
        dfa: the automaton; every state counts, so take its minimal DFA to speak of the language.
        limit: image sets (singletons not counted) after which the search gives up; there can be 2^n of them.

    Raises:
        LimitError: when there are more image sets.

    Attributes (``s`` is the number of an image set; 0 is Q):
        letters: the different actions of the symbols.
        masks: ``masks[s]``, the set as an integer with one bit per state.
        size: ``size[s]``, its number of states.
        image: ``image[s][a]``, the image set that letter ``a`` makes of it.
        class_of: ``class_of[s]``, its class.
        first: ``first[c]``, the class's first set, whose tiles the digits index.
        tiles: ``tiles[s]``, its tiles, in the order that a path of letters from the class's first set carries over.
        level: ``level[s]``; for singletons, the number of levels.

    Cost: O(image sets * letters * states), and for the tiles O(classes * image sets) subset tests of machine words.

    >>> skeleton = Skeleton(DFA("ab", [[1, 2], [2, 0], [2, 2]], accepting=[0]))  # (ab)*
    >>> skeleton.notation, skeleton.bits, skeleton.aperiodic
    ('[2]^2', 2, True)
    """

    def __init__(self, dfa: DFA, limit: int = IMAGE_SET_LIMIT):
        self.dfa = dfa
        self.letters: tuple[Letter, ...] = distinct_letters(dfa)
        self._find_image_sets(limit)
        self._find_classes()
        self._find_tiles()
        self._find_levels()

    @classmethod
    def of(cls, dfa: DFA, limit: int = IMAGE_SET_LIMIT) -> "Skeleton":
        """The automaton's skeleton, made once and kept with the automaton, as is what stopped the search for it.

        Raises:
            LimitError: when there are more image sets than the limit.
        """
        known, stopped = vars(dfa).get("_skeleton", (None, None))
        if known is not None and known.large <= limit:
            return known
        if stopped is not None and stopped[0] >= limit:
            raise stopped[1].with_traceback(None)
        try:
            known = cls(dfa, limit)
        except LimitError as error:
            vars(dfa)["_skeleton"] = known, (limit, error)
            raise
        vars(dfa)["_skeleton"] = known, None
        return known

    @property
    def large(self) -> int:
        """The number of image sets that are no singletons."""
        return sum(size > 1 for size in self.size)

    # -- construction ---------------------------------------------------------------------------------

    def _find_image_sets(self, limit: int) -> None:
        states = self.dfa.states
        maps = [np.array(letter.images) for letter in self.letters]
        self.number: dict[int, int] = {}
        self.masks: list[int] = []
        self.image: list[list[int]] = []
        waiting: deque[np.ndarray] = deque()
        large = 0

        def number_of(members: np.ndarray) -> int:
            nonlocal large
            inside = np.zeros(states, dtype=bool)
            inside[members] = True
            mask = int.from_bytes(np.packbits(inside, bitorder="little").tobytes(), "little")
            found = self.number.get(mask)
            if found is None:
                large += mask & (mask - 1) != 0
                if large > limit:
                    raise LimitError(
                        f"the automaton of {states} states has more than {limit} image sets: "
                        f"raise the limit to go on (there can be 2^{states})",
                        "image-sets",
                    )
                found = self.number[mask] = len(self.masks)
                self.masks.append(mask)
                waiting.append(np.flatnonzero(inside))
            return found

        for seed in (np.arange(states), *np.arange(states)[:, None]):
            number_of(seed)
            while waiting:
                members = waiting.popleft()
                self.image.append([number_of(images[members]) for images in maps])
        self.size = [mask.bit_count() for mask in self.masks]

    def _find_classes(self) -> None:
        """Tarjan's strongly connected components, without recursion; a class's successors have smaller numbers."""
        sets = len(self.masks)
        self.class_of = [-1] * sets
        order, low = [-1] * sets, [0] * sets
        seen, classes = 0, 0
        open_sets: list[int] = []
        for root in range(sets):
            if order[root] >= 0:
                continue
            path = [(root, iter(self.image[root]))]
            order[root] = low[root] = seen
            seen += 1
            open_sets.append(root)
            while path:
                here, successors = path[-1]
                for target in successors:
                    if order[target] < 0:
                        order[target] = low[target] = seen
                        seen += 1
                        open_sets.append(target)
                        path.append((target, iter(self.image[target])))
                        break
                    if self.class_of[target] < 0:
                        low[here] = min(low[here], order[target])
                else:
                    path.pop()
                    if path:
                        above = path[-1][0]
                        low[above] = min(low[above], low[here])
                    if low[here] == order[here]:
                        while self.class_of[here] < 0:
                            self.class_of[open_sets.pop()] = classes
                        classes += 1
        self.first = [-1] * classes
        for s in reversed(range(sets)):
            self.first[self.class_of[s]] = s

    def _find_tiles(self) -> None:
        """Tiles of each class's first set, carried to the rest of its class along a breadth-first tree of letters."""
        self.tiles: list[tuple[int, ...]] = [()] * len(self.masks)
        by_size = sorted(range(len(self.masks)), key=lambda s: -self.size[s])
        smaller_from = {}
        for position, s in enumerate(by_size):
            smaller_from[self.size[s]] = position + 1
        for first in self.first:
            if self.size[first] == 1:
                continue
            self.tiles[first] = self._maximal_inside(first, by_size[smaller_from[self.size[first]] :])
            reached = [first]
            for s in reached:
                for a, target in enumerate(self.image[s]):
                    if not self.tiles[target] and self.class_of[target] == self.class_of[first]:
                        self.tiles[target] = tuple(self.image[tile][a] for tile in self.tiles[s])
                        reached.append(target)

    def _maximal_inside(self, s: int, smaller: list[int]) -> tuple[int, ...]:
        """The maximal sets inside ``s`` among ``smaller``, which lists the smaller image sets, largest first."""
        outside = ~self.masks[s]
        masks = self.masks
        inside = [t for t in smaller if not masks[t] & outside]
        tiles = []
        while inside:
            tile = inside[0]
            tiles.append(tile)
            outside = ~masks[tile]
            inside = [t for t in inside if masks[t] & outside]
        return tuple(tiles)

    def _find_levels(self) -> None:
        depth = [0] * len(self.first)
        members: list[list[int]] = [[] for _ in self.first]
        for s, c in enumerate(self.class_of):
            members[c].append(s)
        # A step down goes to a smaller set, or to a class of sets of the same size with a smaller number.
        inner = [c for c, first in enumerate(self.first) if self.size[first] > 1]
        for c in sorted(inner, key=lambda c: (-self.size[self.first[c]], -c)):
            below = {self.class_of[t] for t in self.tiles[self.first[c]]}
            below.update(self.class_of[t] for s in members[c] for t in self.image[s])
            for other in below - {c}:
                depth[other] = max(depth[other], depth[c] + 1)
        self.levels = 1 + max((depth[c] for c in inner), default=-1)
        self.level = [depth[c] if size > 1 else self.levels for c, size in zip(self.class_of, self.size)]

    # -- what it says ---------------------------------------------------------------------------------

    def members(self, s: int) -> tuple[int, ...]:
        """The states of an image set, ascending."""
        return tuple(q for q, bit in enumerate(reversed(bin(self.masks[s])[2:])) if bit == "1")

    @cached_property
    def points(self) -> tuple[tuple[int, ...], ...]:
        """For each level, the number of tiles of each component, largest first."""
        points: list[list[int]] = [[] for _ in range(self.levels)]
        for first in self.first:
            if self.size[first] > 1:
                points[self.level[first]].append(len(self.tiles[first]))
        return tuple(tuple(sorted(level, reverse=True)) for level in points)

    @cached_property
    def bits(self) -> int:
        """Flip-flops of the cascade: parallel components are never active together, so they share a register."""
        return sum((max(level) - 1).bit_length() for level in self.points)

    @cached_property
    def notation(self) -> str:
        """The points, top to bottom; ``m*p`` is m components of p points side by side, ``[x]^k`` is k equal levels."""
        levels: list[str] = []
        for level in self.points:
            counts = {p: level.count(p) for p in level}
            if len(level) <= 2:
                levels.append("+".join(map(str, level)))
            else:
                levels.append("+".join(f"{m}*{p}" if m > 1 else str(p) for p, m in counts.items()))
        runs: list[list] = []
        for text in levels:
            if runs and runs[-1][0] == text:
                runs[-1][1] += 1
            else:
                runs.append([text, 1])
        return "/".join(f"[{text}]^{k}" if k > 1 else text for text, k in runs)

    def turns(self) -> Iterator[tuple[int, int, tuple[int, ...]]]:
        """The edges inside a class that do not keep the order of the tiles: (set, letter, permutation of indices).

        The permutation takes the index of a tile to the index of the tile that the letter makes of it.  Together
        they generate the holonomy groups (Schreier's lemma); there is none iff the automaton is aperiodic: a word
        that permutes an image set then fixes each tile, so by induction on the size each state.
        """
        for s, targets in enumerate(self.image):
            for a, target in enumerate(targets):
                if self.class_of[target] == self.class_of[s] and self.size[s] > 1:
                    moved = tuple(self.image[tile][a] for tile in self.tiles[s])
                    if moved != self.tiles[target]:
                        yield s, a, tuple(map(self.tiles[target].index, moved))

    @cached_property
    def aperiodic(self) -> bool:
        """Whether no word permutes any states; found without enumerating the monoid."""
        return next(self.turns(), None) is None

    @cached_property
    def components(self) -> tuple[Component, ...]:
        """All components, by level, then by their classes' first sets."""
        generators: dict[int, dict[tuple[int, ...], None]] = {}
        for s, _, permutation in self.turns():
            generators.setdefault(self.class_of[s], {})[permutation] = None
        inner = [first for first in self.first if self.size[first] > 1]
        return tuple(
            Component(
                self.level[first],
                self.members(first),
                len(self.tiles[first]),
                tuple(sorted(generators.get(self.class_of[first], ()))),
            )
            for first in sorted(inner, key=lambda first: (self.level[first], first))
        )

    def chain(self, state: int) -> tuple[int, ...]:
        """The digits of one chain from Q to the state: at each set the first tile with it; 0 at skipped levels."""
        digits = [0] * self.levels
        here = 0
        while self.size[here] > 1:
            index = next(i for i, tile in enumerate(self.tiles[here]) if self.masks[tile] >> state & 1)
            digits[self.level[here]] = index
            here = self.tiles[here][index]
        return tuple(digits)

    def __repr__(self) -> str:
        return f"Skeleton({len(self.masks)} image sets, {self.levels} levels, {self.bits} bits)"
