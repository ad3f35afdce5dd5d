"""Definite languages: what comes next depends on the last k symbols alone.  A line of delays remembers them.

Register ``last 1`` holds the letter just read (a number for the symbols that act alike), register ``last i`` copies
what ``last i-1`` held before.  At the start they hold a letter that could as well have been read k times, where
there is one, else a value of its own.

Sources: M. Perles, M. O. Rabin, E. Shamir (1963) for definite languages; local languages of McNaughton and Papert
(1971).
"""

from __future__ import annotations

from collections import deque
from typing import Iterator

import numpy as np

from automata.algebra.live_part import NOWHERE, LivePart, live_part, whole
from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, PREDICTIVE
from constructions.cascade import Bit, Cascade, Copy, Emit, In, Level, Literal, Reset, Rule, Set, bit_length

WINDOW_LIMIT = 20_000
"""Pairs of a state and a window that are looked at."""

_NAMED = 3
"""Symbols that a word for a letter lists."""

Suffix = tuple[int, ...]
"""The last letters, latest first."""


def window_cascade(dfa: DFA, mode: str, max_bits: int) -> Cascade | None:
    """A line of delays that does what the automaton does with at most ``max_bits`` bits, or None when there is none.

    >>> from automata.machine import RECOGNISE, run
    >>> last_but_one = DFA("ab", [[1, 0], [2, 3], [2, 3], [1, 0]], accepting=[2, 3])  # (a|b)*a(a|b)
    >>> cascade = window_cascade(last_but_one, RECOGNISE, 2)
    >>> cascade.memory_bits, [cascade.accepts(run(cascade, word)) for word in ("ab", "aba", "baa", "a")]
    (2, [True, False, True, False])
    """
    part = live_part(dfa) if mode == PREDICTIVE else whole(dfa, mode)
    if part is None:
        return None
    width = _width(part, max_bits)
    if not width:
        return None
    letters = len(part.symbols)
    for padding in range(letters + 1):
        values = max(letters, padding + 1)
        if values > 1 and width * bit_length(values) <= max_bits:
            windows = _windows(part, width, padding)
            if windows is not None:
                return _delays(dfa, part, windows, width, padding, values, mode)
    return None


def _width(part: LivePart, longest: int) -> int | None:
    """The least k, up to ``longest``, such that no word of k symbols leads two states to two with different outputs.

    Cost: O(longest * states^2 * letters) array work at most.
    """
    table = np.array(part.table)
    kinds = {outputs: i for i, outputs in enumerate(dict.fromkeys(part.outputs))}
    output = np.array([kinds[outputs] for outputs in part.outputs])
    one, other = np.triu_indices(part.states, 1)
    for width in range(longest + 1):
        if (output[one] == output[other]).all():
            return width
        here, there = table[one], table[other]
        met = (here != there) & (here != NOWHERE) & (there != NOWHERE)
        low, high = np.minimum(here[met], there[met]), np.maximum(here[met], there[met])
        pairs = np.unique(low * part.states + high)
        if len(pairs) == len(one):
            return None  # each step's pairs are among those of the step before: these stay for ever
        one, other = np.divmod(pairs, part.states)
    return None


def _windows(part: LivePart, width: int, padding: int) -> dict[Suffix, frozenset[str]] | None:
    """What each window that occurs gives out; None when one window gives different things, or there are too many."""
    start = (0, (padding,) * width)
    seen = {start}
    given = {start[1]: part.outputs[0]}
    waiting = deque([start])
    while waiting:
        state, window = waiting.popleft()
        for a, target in enumerate(part.table[state]):
            if target == NOWHERE:
                continue
            there = (target, (a, *window[:-1]))
            if there in seen:
                continue
            if given.setdefault(there[1], part.outputs[target]) != part.outputs[target] or len(seen) >= WINDOW_LIMIT:
                return None
            seen.add(there)
            waiting.append(there)
    return given


def _delays(
    dfa: DFA, part: LivePart, windows: dict[Suffix, frozenset[str]], width: int, padding: int, values: int, mode: str
) -> Cascade:
    rules = tuple(Rule((In(symbols),), Set(a)) for a, symbols in enumerate(part.symbols))
    words = _words(part, values)
    levels = [Level((Reset("last 1", values, rules, padding, words),))]
    for i in range(2, width + 1):
        copy = Rule((In(dfa.alphabet),), Copy(f"last {i - 1}", before=True))
        levels.append(Level((Reset(f"last {i}", values, (copy,), padding, words),)))
    outputs = (*dfa.alphabet, EOS) if mode == PREDICTIVE else (ACCEPT,)
    emissions = tuple(Emit(when, given) for when, given in _cases(windows, bit_length(values)) if given)
    return Cascade(dfa.alphabet, tuple(levels), outputs, emissions)


def _words(part: LivePart, values: int) -> tuple[str, ...]:
    """Each letter by the symbols that it stands for; a value that is no letter was there at the start."""
    names = [
        " or ".join(symbols) if len(symbols) <= _NAMED else f"{symbols[0]} or {len(symbols) - 1} others"
        for symbols in part.symbols
    ]
    return (*names, *["nothing"] * (values - len(names)))


def _cases(windows: dict[Suffix, frozenset[str]], bits: int) -> Iterator[tuple[tuple[Literal, ...], frozenset[str]]]:
    """Disjoint cases of the registers' bits, and what each gives out: a decision tree, most telling bits first."""

    def split(part: list[Suffix], place: int, index: int) -> tuple[list[Suffix], list[Suffix]]:
        halves: tuple[list[Suffix], list[Suffix]] = ([], [])
        for window in part:
            halves[window[place] >> index & 1].append(window)
        return halves

    def mixture(half: list[Suffix]) -> int:
        return len({windows[window] for window in half})

    todo: list[tuple[tuple[Literal, ...], list[Suffix]]] = [((), list(windows))]
    width = len(next(iter(windows)))
    while todo:
        literals, part = todo.pop()
        if mixture(part) == 1:
            yield literals, windows[part[0]]
            continue
        questions = ((place, index) for place in range(width) for index in range(bits))
        place, index = min(
            (q for q in questions if all(split(part, *q))), key=lambda q: sum(map(mixture, split(part, *q)))
        )
        for value, half in enumerate(split(part, place, index)):
            todo.append(((*literals, Bit(f"last {place + 1}", index, value)), half))
