"""Automata that are a bounded counter in disguise, as a cascade with one counter.

Depth in a bounded bracket language, and the like: every symbol adds a constant, whatever the state, as long as the
prefix is one of a word.  A predictor needs the counter alone, since it never leaves its range on such prefixes.  A
recogniser also needs one bit that is set when it does, and stays.
"""

from __future__ import annotations

from itertools import groupby
from typing import Iterator

import numpy as np

from automata.algebra.live_part import NOWHERE, LivePart, live_part
from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, PREDICTIVE
from constructions.cascade import Add, AtLeast, Cascade, Counter, Emit, In, Is, Level, Literal, Reset, Rule, Set

MOST_LETTERS = 8
"""All 3^k choices of what k letters add are tried; with more letters the automaton is not taken for a counter."""


def bounded_counter_cascade(dfa: DFA, mode: str) -> Cascade | None:
    """A cascade with a counter that does what the automaton does, or None where symbols do not add -1, 0 or 1.

    >>> depth = DFA("ab", [[1, 3], [2, 0], [3, 1], [3, 3]], accepting=[0])  # depth at most 2
    >>> from automata.machine import RECOGNISE, run
    >>> cascade = bounded_counter_cascade(depth, RECOGNISE)
    >>> [cascade.accepts(run(cascade, word)) for word in ("aabb", "aab", "aaabbb", "ba")]
    [True, False, False, False]
    """
    part = live_part(dfa)
    if part is None or (counts := _counts(part)) is None:
        return None
    steps, values = counts
    rules = []
    for amount in (1, -1):
        symbols = [symbol for names, step in zip(part.symbols, steps) if step == amount for symbol in names]
        if symbols:
            rules.append(Rule((In(symbols),), Add(amount)))
    counter = Counter("count", tuple(rules), values[0], span=(0, max(values)))
    if mode == PREDICTIVE:
        given: dict[tuple[Literal, ...], list[str]] = {}
        for output in (*dfa.alphabet, EOS):
            for interval in _intervals(values, [output in outputs for outputs in part.outputs]):
                given.setdefault(interval, []).append(output)
        return Cascade(
            dfa.alphabet,
            (Level((counter,)),),
            (*dfa.alphabet, EOS),
            tuple(Emit(when, outputs) for when, outputs in given.items()),
        )
    accepted = _intervals(values, [EOS in outputs for outputs in part.outputs])
    leaving = tuple(
        Rule((In(symbols), *interval), Set(1))
        for a, symbols in enumerate(part.symbols)
        for interval in _intervals(values, [row[a] == NOWHERE for row in part.table], before=True)
    )
    if not leaving:
        return Cascade(dfa.alphabet, (Level((counter,)),), (ACCEPT,), tuple(Emit(when, {ACCEPT}) for when in accepted))
    levels = (Level((counter,)), Level((Reset("dead", 2, leaving),)))
    return Cascade(dfa.alphabet, levels, (ACCEPT,), tuple(Emit((*when, Is("dead", 0)), {ACCEPT}) for when in accepted))


def _counts(part: LivePart) -> tuple[list[int], list[int]] | None:
    """What each letter adds, and the value of each state, least value 0; None when there is no such counting.

    Along a breadth-first tree every state has a vector saying how often each letter was read; every other
    transition gives an equation for what the letters add.
    """
    letters = len(part.symbols)
    if part.states < 2 or letters > MOST_LETTERS:
        return None
    read: dict[int, tuple[int, ...]] = {0: (0,) * letters}
    equations = set()
    for q, row in enumerate(part.table):  # states are numbered breadth-first, so read[q] is known here
        for a, target in enumerate(row):
            if target == NOWHERE:
                continue
            there = tuple(count + (b == a) for b, count in enumerate(read[q]))
            read.setdefault(target, there)
            equations.add(tuple(x - y for x, y in zip(there, read[target])))
    choices = np.stack(np.meshgrid(*[[1, -1, 0]] * letters, indexing="ij"), axis=-1).reshape(-1, letters)
    choices = choices[(choices @ np.array(sorted(equations)).T == 0).all(axis=1)]
    for steps in choices:
        values = np.array([read[q] for q in range(part.states)]) @ steps
        if len(set(values.tolist())) == part.states:
            return steps.tolist(), (values - values.min()).tolist()
    return None


def _intervals(values: list[int], wanted: list[bool], before: bool = False) -> Iterator[tuple[Literal, ...]]:
    """Literals for each greatest run of values, among those that occur, whose states are all wanted."""
    ordered = sorted(zip(values, wanted))
    runs = [(keep, [value for value, _ in run]) for keep, run in groupby(ordered, key=lambda item: item[1])]
    for i, (keep, run) in enumerate(runs):
        if keep:
            low = () if i == 0 else (AtLeast("count", run[0], before),)
            high = () if i == len(runs) - 1 else (AtLeast("count", runs[i + 1][1][0], before, negated=True),)
            yield (*low, *high)
