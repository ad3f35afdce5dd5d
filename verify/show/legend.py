"""What the values of a cascade's registers mean, in words.

A register whose values have words says so itself.  Of any other, the legend says in which states of the automaton a
string can be while the register has the value, and a shortest such string: found by running cascade and automaton side
by side.
"""

from __future__ import annotations

from collections import deque
from typing import Iterator

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import PREDICTIVE
from automata.machines.bounded_dyck import DyckMachine
from constructions.cascade import Counter, Reset
from constructions.compile.compiler import Construction

STEPS = 4_000
"""Steps of cascade and automaton that a legend is worth; without it the values stay numbers."""

_LINES, _STATES = 16, 12
"""Lines of a legend, and states that a line lists."""


def legend(construction: Construction) -> Iterator[str]:
    """The lines of the legend; none for a language that is given by no automaton, or where it would take too long.

    >>> from automata.notation.expressions import regex_to_dfa
    >>> from constructions.compile.compiler import compile
    >>> for line in legend(compile(regex_to_dfa("(0|1|2)*02*").minimise())):
    ...     print(line)
    tile 1 = 0: state {q1}, e.g. after 0
    tile 1 = 1: state {q0}, e.g. after the empty string
    """
    if isinstance(construction.machine, DyckMachine) and construction.machine.k > 1:
        yield "slot j: the bracket that was opened last at depth j; above the depth it is stale, and nobody reads it"
    found = meanings(construction)
    lines = [
        (
            f"{name} = {value}: state{'s' * (len(states) > 1)} {{{_listed(states)}}}, e.g. after "
            f"{' '.join(word) or 'the empty string'}"
        )
        for (name, value), (states, word, _) in sorted(found.items(), key=lambda item: item[1][2])
    ]
    yield from lines[:_LINES]
    if len(lines) > _LINES:
        yield f"… and {len(lines) - _LINES} more values"


def meanings(construction: Construction) -> dict[tuple[str, int], tuple[list[int], tuple[str, ...], tuple[int, int]]]:
    """Register and value -> the automaton's states that go with it, a shortest string that leads there, and its place.

    Of a predictor only prefixes of words are followed.  Cost: at most STEPS steps.
    """
    cascade, dfa = construction.cascade, construction.machine
    unnamed = [
        (place, register.name)
        for place, register in enumerate(cascade.registers)
        if not isinstance(register, Counter) and not (isinstance(register, Reset) and register.words)
    ]
    if not unnamed or not isinstance(dfa, DFA) or len(dfa.alphabet) > STEPS:
        return {}
    start = (cascade.initial.values, dfa.initial)
    words: dict[tuple, tuple[str, ...]] = {start: ()}
    states = {start: cascade.initial}
    waiting, steps = deque([start]), 0
    found: dict[tuple[str, int], tuple[set[int], tuple[str, ...], tuple[int, int]]] = {}
    while waiting:
        here = waiting.popleft()
        for place, name in unnamed:
            value = here[0][place]
            found.setdefault((name, value), (set(), words[here], (place, value)))[0].add(here[1])
        for symbol in dfa.alphabet:
            target = dfa.step(here[1], symbol)
            if cascade.mode == PREDICTIVE and not dfa.live[target]:
                continue
            steps += 1
            if steps > STEPS:
                return {}
            try:
                after = cascade.step(states[here], symbol)
            except InputError:
                return {}  # two rules fire together: no cascade of the language, so nothing is said of it
            there = (after.values, target)
            if there not in words:
                words[there], states[there] = (*words[here], symbol), after
                waiting.append(there)
    return {key: (sorted(inside), word, order) for key, (inside, word, order) in found.items()}


def _listed(states: list[int]) -> str:
    shown = ", ".join(f"q{state}" for state in states[:_STATES])
    return shown + (f", … {len(states) - _STATES} more" if len(states) > _STATES else "")
