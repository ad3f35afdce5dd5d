"""Do words of one length permute states, whatever that length is a multiple of?

A language is quasi-aperiodic iff, for some length, no word of that length, nor of a multiple of it, permutes states of
its minimal DFA.  These are the regular languages of AC0, and of first-order logic with order and positions modulo
numbers (Barrington, Compton, Straubing, Therien 1992): star-free ones, (aa)*, and not parity.
"""

from __future__ import annotations

import numpy as np

from automata.algebra.aperiodic import has_cycle
from automata.dfa import DFA
from automata.errors import InputError

WORK_LIMIT = 200_000
"""Actions of words, counted at each of their lengths."""


def is_quasi_aperiodic(dfa: DFA, limit: int = WORK_LIMIT) -> bool:
    """Whether the automaton's language is quasi-aperiodic.

    The actions of the words of one length determine those of the words that are one longer, so their sets repeat from
    some length on.  A multiple of the period that is as long has a set that all its own multiples share.

    Raises:
        InputError: when there are more actions than the limit, counted at each length, before the sets repeat.

    >>> is_quasi_aperiodic(DFA("a", [[1], [0]], accepting=[0])), is_quasi_aperiodic(DFA("ab", [[0, 1], [1, 0]], [0]))
    (True, False)
    """
    minimal = dfa.minimise()
    columns = [minimal.table[:, letter].tolist() for letter in range(len(minimal.alphabet))]
    spheres = [frozenset((tuple(range(minimal.states)),))]
    seen = {spheres[0]: 0}
    work = 0
    while True:
        longer = frozenset(tuple(column[q] for q in action) for action in spheres[-1] for column in columns)
        work += len(longer)
        if work > limit:
            raise InputError(f"words of up to {len(spheres)} symbols act in more than {limit} ways, counted by length")
        if longer in seen:
            break
        seen[longer] = len(spheres)
        spheres.append(longer)
    first, period = seen[longer], len(spheres) - seen[longer]
    stable = max(1, -(-first // period)) * period
    shared = spheres[first + (stable - first) % period]
    return not has_cycle(np.array(sorted(shared))).any()
