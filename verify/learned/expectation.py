"""What theory expects of a Mamba: over the reals it predicts strictly local languages, and no others.

Each gate of a Mamba over the reals is exp(-softplus(·) a) with a > 0, and its argument is bounded, since a norm comes
before it: every gate lies below one constant less than 1.  So a Mamba of any depth forgets: after u wⁿ its state tends
to a limit in which u has no part.  Where w leads two states back to themselves that some v tells apart, the answer to
u wⁿ v or to u' wⁿ v is wrong for all large n, or its margin goes to 0 (Dankowiakowski and Ronca, *Metric Automata
Theory*, NeurIPS 2025, Theorem 7, is the case of the flip-flop).  Where no word does, the last k symbols decide, for
some k, and a convolution and a gate can see them: the language is strictly local, when what is asked is which symbols
may come next, and definite, when it is whether the string is a word.

In floats a gate can be exactly 1, and then none of this binds: that is what the other checks are for.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from automata.machine import PREDICTIVE, Machine
from verify.learned.part import Part, part_of

_STATES = 1_500
"""States that are looked at: the pairs of them take a table."""

_SHORT = 3
"""Symbols of the words that are tried before all words are."""


@dataclass(frozen=True)
class InTheory:
    """Whether some Mamba over the reals answers every string right, with a margin.

    Attributes:
        mode: the question.
        possible: None where too large a part of the machine was not looked at.
        w: a word that leads two states back to themselves; empty where none does.
        to: the two strings that lead to these states.
        v: what tells the states apart.
    """

    mode: str
    possible: bool | None
    w: tuple[str, ...] = ()
    to: tuple[tuple[str, ...], ...] = ()
    v: tuple[str, ...] = ()

    def __str__(self) -> str:
        kind = "strictly local" if self.mode == PREDICTIVE else "definite"
        states = "live states" if self.mode == PREDICTIVE else "states"
        if self.possible is None:
            return (
                f"not known: more than {_STATES} states, and no short word leads two of those back that were looked at"
            )
        if self.possible:
            return f"{kind}, no word leads two {states} back to themselves: a Mamba over the reals can have it"
        if not self.w:
            return f"not {kind}, since it is not regular: over the reals no Mamba has it"
        first, second = (_shown(u) for u in self.to)
        apart = f"{_shown(self.v)} tells them apart" if self.v else "what they expect differs"
        return (
            f"not {kind}: {' '.join(self.w)} leads the {states} of {first} and of {second} back to themselves, and "
            f"{apart}; over the reals each Mamba forgets which it was, as its gates are below 1: it takes gates that "
            "are exactly 1 in floats"
        )


def expectation(machine: Machine, mode: str, regular: bool = True, states: int = _STATES) -> InTheory:
    """Decides what theory expects, of a machine with up to ``states`` states; of others it may find a word.

    Args:
        regular: whether the language is known to be regular: no other is strictly local or definite.

    >>> from automata.catalogue import language
    >>> print(expectation(language("tomita-4").machine, "predictive"))
    strictly local, no word leads two live states back to themselves: a Mamba over the reals can have it
    >>> found = expectation(language("d-2").machine, "predictive")
    >>> found.possible, found.w, found.to, found.v
    (False, ('a', 'b'), ((), ('a',)), ())
    """
    part = part_of(machine, mode, states)
    for word, fixed in part.loops(_SHORT):
        for i, p in enumerate(fixed.tolist()):
            for q in fixed[i + 1 :].tolist():
                if (v := _separator(part, p, q)) is not None:
                    return _impossible(part, mode, word, p, q, v)
    if not part.complete:
        return InTheory(mode, None if regular else False)
    found = _cycle(part)
    if found is None:
        return InTheory(mode, True)
    word, p, q = found
    v = _separator(part, p, q)
    assert v is not None, "states of different classes are told apart"
    return _impossible(part, mode, word, p, q, v)


def _impossible(part: Part, mode: str, word: tuple[int, ...], p: int, q: int, v: tuple[int, ...]) -> InTheory:
    to = tuple(sorted((part.spelled(part.access[state]) for state in (p, q)), key=len))
    return InTheory(mode, False, part.spelled(word), to, part.spelled(v))


def _separator(part: Part, p: int, q: int) -> tuple[int, ...] | None:
    """A shortest word after which different outputs are expected from the two states; None where none is known."""
    seen = {(p, q)}
    todo: deque[tuple[int, int, tuple[int, ...]]] = deque([(p, q, ())])
    while todo:
        p, q, word = todo.popleft()
        if part.expected[p] != part.expected[q]:
            return word
        for symbol in range(len(part.alphabet)):
            pair = int(part.next[p, symbol]), int(part.next[q, symbol])
            if min(pair) >= 0 and pair[0] != pair[1] and pair not in seen:
                seen.add(pair)
                todo.append((*pair, (*word, symbol)))
    return None


def _cycle(part: Part) -> tuple[tuple[int, ...], int, int] | None:
    """A word that leads two states of different classes back to themselves, and these; None where there is none.

    In the graph of the pairs of different classes, those from which no path is endless are taken away, last ones
    first; where some are left, a path among them comes back.  O(classes² · symbols) for each step of the longest path.
    """
    classes = _classes(part)
    representative = np.unique(classes, return_index=True)[1]
    following = part.next[representative]
    table = np.where(following >= 0, classes[following], -1)
    alive = ~np.eye(len(table), dtype=bool)
    while True:
        goes_on = np.zeros_like(alive)
        for column in table.T:
            legal = np.flatnonzero(column >= 0)
            grid = np.ix_(legal, legal)
            goes_on[grid] |= alive[np.ix_(column[legal], column[legal])]
        left = alive & goes_on
        if not left.any():
            return None
        if (left == alive).all():
            break
        alive = left
    p, q = (int(i) for i in np.argwhere(alive)[0])
    path: list[tuple[int, int]] = [(p, q)]
    word: list[int] = []
    while True:
        for symbol, column in enumerate(table.T):
            if column[p] >= 0 and column[q] >= 0 and alive[column[p], column[q]]:
                p, q = int(column[p]), int(column[q])
                word.append(symbol)
                break
        for pair in ((p, q), (q, p)):
            if pair in path:
                start = path.index(pair)
                first, second = (int(representative[place]) for place in path[start])
                return _within(part, tuple(word[start:]), first, second)
        path.append((p, q))


def _within(part: Part, word: tuple[int, ...], p: int, q: int) -> tuple[tuple[int, ...], int, int]:
    """A power of the word, and two states that it leads back; the word leads these to their classes, or swaps them."""
    states, seen, power = np.array([p, q]), [], 0
    while (pair := tuple(states.tolist())) not in seen:
        seen.append(pair)
        states = part.after(states, word)
        power += 1
    start = seen.index(pair)
    return word * (power - start), *pair


def _classes(part: Part) -> np.ndarray:
    """Of each state the number of its class: states of one class expect the same after every word."""
    numbers: dict[frozenset[str], int] = {}
    classes = np.array([numbers.setdefault(expected, len(numbers)) for expected in part.expected])
    while True:
        following = np.where(part.next >= 0, classes[part.next], -1)
        _, finer = np.unique(np.column_stack([classes, following]), axis=0, return_inverse=True)
        finer = finer.reshape(-1)
        if finer.max() == classes.max():
            return finer
        classes = finer


def _shown(word: tuple[str, ...]) -> str:
    return f"'{' '.join(word)}'" if word else "the empty string"
