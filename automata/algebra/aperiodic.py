"""Is a language star-free, and if not, which word shows it?

A regular language is star-free iff no word permutes states of its minimal DFA with a period above 1 (Schützenberger
1965, McNaughton and Papert 1971).  Deciding this is PSPACE-complete (Cho and Huynh 1991); here it costs as much as
the skeleton of image sets, which is small for most automata and stops at a limit for the others, and never needs
the monoid.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Iterator, Sequence

import numpy as np

from automata.algebra.holonomy import IMAGE_SET_LIMIT, Skeleton
from automata.algebra.monoid import actions, distinct_letters
from automata.dfa import DFA
from automata.errors import InputError

SEARCH_LIMIT = 20_000
"""Words' actions that the search for a shortest witness looks at."""


def is_aperiodic(dfa: DFA, limit: int = IMAGE_SET_LIMIT) -> bool:
    """Whether no word permutes states of the automaton as it stands.

    Raises:
        InputError: when there are more image sets than the limit.

    >>> is_aperiodic(DFA("a", [[1], [0]], accepting=[0])), is_aperiodic(DFA("a", [[1], [0]], accepting=[0, 1]))
    (False, False)
    """
    return Skeleton.of(dfa, limit).aperiodic


def is_star_free(dfa: DFA, limit: int = IMAGE_SET_LIMIT) -> bool:
    """Whether the automaton's language is star-free: whether its minimal DFA is aperiodic.

    >>> is_star_free(DFA("a", [[1], [0]], accepting=[0])), is_star_free(DFA("a", [[1], [0]], accepting=[0, 1]))
    (False, True)
    """
    return is_aperiodic(dfa.minimise(), limit)


@dataclass(frozen=True)
class GroupWitness:
    """A word that takes ``states[0]`` to ``states[1]``, … and the last back to the first.

    ``shortest`` says that every shorter word was looked at and has no such cycle.
    """

    word: tuple[str, ...]
    states: tuple[int, ...]
    shortest: bool

    @property
    def period(self) -> int:
        return len(self.states)


def group_witness(
    dfa: DFA, limit: int = IMAGE_SET_LIMIT, search_limit: int = SEARCH_LIMIT, skeleton: Skeleton | None = None
) -> GroupWitness | None:
    """A word that permutes states of the automaton with a period above 1, or None when it is aperiodic.

    The actions of words are looked at shortest word first, and the first with a cycle is taken: then the witness is
    shortest, and first in the alphabet's order.  When ``search_limit`` actions have none, the shortest round trip of
    the skeleton that permutes tiles is taken, a word there and a shortest word back.

    Raises:
        InputError: when there are more image sets than the limit.

    >>> group_witness(DFA("ab", [[0, 1], [1, 2], [2, 0]], accepting=[0]))
    GroupWitness(word=('b',), states=(0, 1, 2), shortest=True)
    """
    skeleton = skeleton or Skeleton.of(dfa, limit)
    if skeleton.aperiodic:
        return None
    word = _first_with_cycle(dfa, search_limit)
    shortest = word is not None
    if word is None:
        word = _round_trip(skeleton)
    return GroupWitness(word, _cycle(dfa, word), shortest)


def graded_witness(dfa: DFA, apart: int, multiple: int = 1, search_limit: int = SEARCH_LIMIT) -> GroupWitness | None:
    """A shortest word, of a length that is a multiple of a number, which permutes states of the automaton with a period
    that does not divide ``apart``.  None where there is none among so many actions, told apart by lengths modulo that
    number.

    >>> graded_witness(DFA("ab", [[0, 1], [1, 0]], accepting=[0]), apart=1, multiple=4).word
    ('a', 'a', 'a', 'b')
    >>> graded_witness(DFA("ab", [[0, 1], [1, 0]], accepting=[0]), apart=2) is None
    True
    """
    columns = [dfa.table[:, letter].tolist() for letter in range(len(dfa.alphabet))]
    start = tuple(range(dfa.states)), 0
    words: dict[tuple[tuple[int, ...], int], tuple[str, ...]] = {start: ()}
    waiting = deque([start])
    while waiting:
        action, length = here = waiting.popleft()
        for symbol, column in zip(dfa.alphabet, columns):
            there = tuple(column[q] for q in action), (length + 1) % multiple
            if there in words:
                continue
            words[there] = word = (*words[here], symbol)
            if there[1] == 0:
                for cycle in _cycles(there[0]):
                    if apart % len(cycle):
                        return GroupWitness(word, cycle, True)
            if len(words) >= search_limit:
                return None
            waiting.append(there)
    return None


@dataclass(frozen=True)
class MembershipCycle:
    """Strings u w^n v, n = 0, 1, …, whose membership repeats with the period of a witness and is not constant.

    ``membership[n]`` is that of u w^n v for n = 0 … period, so its last entry equals its first.
    """

    u: tuple[str, ...]
    w: tuple[str, ...]
    v: tuple[str, ...]
    period: int
    membership: tuple[bool, ...]

    @property
    def strings(self) -> tuple[tuple[str, ...], ...]:
        """The period + 1 strings, n = 0 … period."""
        return tuple(self.u + self.w * n + self.v for n in range(self.period + 1))


def membership_cycle(
    dfa: DFA, limit: int = IMAGE_SET_LIMIT, search_limit: int = SEARCH_LIMIT
) -> MembershipCycle | None:
    """Strings that show that the language is not star-free, or None when it is.

    ``w`` is the witness of the minimal DFA, ``u`` a shortest word to its cycle, ``v`` a shortest word that tells
    two neighbours of the cycle apart.  The memberships are read off ``dfa`` itself by running the strings, and are
    checked to cycle.

    Raises:
        InputError: when there are more image sets than the limit.

    >>> cycle = membership_cycle(DFA("01", [[0, 1], [1, 0]], accepting=[0]))
    >>> cycle.strings, cycle.membership
    (((), ('1',), ('1', '1')), (True, False, True))
    """
    minimal = dfa.minimise()
    witness = group_witness(minimal, limit, search_limit)
    if witness is None:
        return None
    u, start = min(((minimal.access(q), i) for i, q in enumerate(witness.states)), key=lambda found: len(found[0]))
    states = witness.states[start:] + witness.states[:start]
    v = min((_separator(minimal, p, q) for p, q in zip(states, states[1:])), key=len)
    strings = MembershipCycle(u, witness.word, v, witness.period, ()).strings
    membership = tuple(dfa.accepts_word(string) for string in strings)
    if membership[0] != membership[-1] or len(set(membership)) == 1:
        raise AssertionError(f"the strings {u} {witness.word}^n {v} do not cycle: {membership}")
    return MembershipCycle(u, witness.word, v, witness.period, membership)


# -- searches -----------------------------------------------------------------------------------------


def _first_with_cycle(dfa: DFA, limit: int) -> tuple[str, ...] | None:
    """The first word, shortest first, whose action has a cycle of two or more states; None beyond the limit."""
    letters = distinct_letters(dfa)
    parents: list[int] = []
    last: list[int] = []
    try:
        for block in actions(letters, dfa.states, limit):
            cyclic = np.flatnonzero(has_cycle(block.elements))
            first = len(parents)
            parents += block.parents
            last += block.last
            if len(cyclic):
                word, here = [], first + int(cyclic[0])
                while here:
                    word.append(letters[last[here]].symbols[0])
                    here = parents[here]
                return tuple(reversed(word))
    except InputError:
        return None
    raise AssertionError("an automaton that is not aperiodic has a word with a cycle")


def has_cycle(elements: np.ndarray) -> np.ndarray:
    """Of each map (a row), whether it moves some state round a cycle: whether t^m != t^(m+1) for an m >= states."""
    elements = elements.astype(np.int64)
    power = elements
    for _ in range(int(elements.shape[1] - 1).bit_length()):
        power = np.take_along_axis(power, power, axis=1)
    return (np.take_along_axis(elements, power, axis=1) != power).any(axis=1)


def _cycle(dfa: DFA, word: Sequence[str]) -> tuple[int, ...]:
    """The cycle with the least state among those of two or more states of a word's action, from that state on."""
    action = list(range(dfa.states))
    for symbol in word:
        column = dfa.table[:, dfa.index[symbol]].tolist()
        action = [column[q] for q in action]
    for cycle in _cycles(action):
        if len(cycle) > 1:
            return cycle
    raise AssertionError(f"the word {word} permutes no states")


def _cycles(action: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """The cycles of a map, each from its least state on, fixed points too."""
    for first in range(len(action)):
        cycle = [first]
        while action[cycle[-1]] not in cycle:
            cycle.append(action[cycle[-1]])
        if action[cycle[-1]] == first == min(cycle):
            yield tuple(cycle)


def _round_trip(skeleton: Skeleton) -> tuple[str, ...]:
    """A word that permutes the tiles of some class's first set, so also some states: the shortest of the turns' trips.

    A turn is an edge P -> P' whose action differs from that of the tree that carries the tiles: so one of
    the two trips first -> P -> P' -> first and first -> P' -> first, with the same way back, is not the identity.
    """
    trees: dict[int, tuple[dict, dict]] = {}
    trips = []
    for s, a, _ in skeleton.turns():
        c = skeleton.class_of[s]
        if c not in trees:
            trees[c] = _tree_words(skeleton, c)
        there, back = trees[c]
        target = skeleton.image[s][a]
        for trip in ((*there[s], a, *back[target]), (*there[target], *back[target])):
            if _permutes(skeleton, skeleton.first[c], trip):
                trips.append(trip)
    trip = min(trips, key=len)
    return tuple(skeleton.letters[a].symbols[0] for a in trip)


def _tree_words(skeleton: Skeleton, c: int) -> tuple[dict[int, tuple], dict[int, tuple]]:
    """Words of letter numbers: along the tree of the tiles from the class's first set to each of its sets, and back."""
    first = skeleton.first[c]
    there: dict[int, tuple] = {first: ()}
    backward: dict[int, list[tuple[int, int]]] = {}
    for s in (reached := [first]):
        for a, target in enumerate(skeleton.image[s]):
            if skeleton.class_of[target] == c:
                backward.setdefault(target, []).append((s, a))
                if target not in there:
                    there[target] = (*there[s], a)
                    reached.append(target)
    back: dict[int, tuple] = {first: ()}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        for s, a in backward.get(here, ()):
            if s not in back:
                back[s] = (a, *back[here])
                waiting.append(s)
    return there, back


def _permutes(skeleton: Skeleton, s: int, trip: Sequence[int]) -> bool:
    """Whether the word of letter numbers takes some tile of ``s`` to another."""
    for tile in skeleton.tiles[s]:
        here = tile
        for a in trip:
            here = skeleton.image[here][a]
        if here != tile:
            return True
    return False


def _separator(dfa: DFA, p: int, q: int) -> tuple[str, ...]:
    """A shortest word that is accepted from exactly one of the two states."""
    from_p = DFA(dfa.alphabet, dfa.table, dfa.accepting, p)
    word = from_p.difference_from(DFA(dfa.alphabet, dfa.table, dfa.accepting, q))
    assert word is not None, "states of a minimal automaton differ"
    return word
