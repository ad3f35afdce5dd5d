"""Automata that never come back to a state they have left, by bits that are set once: one for each state but the first.

The states that such an automaton has visited are a chain, so its state is the last one visited in any order in which
transitions only go up.  The bit of a state is set when, of the bits below it, the last one is that of a state from
which the symbol leads to it; bits above it are not looked at.  So a bit may also be set when its state was passed by,
but then a later one is set already, and the last bit is right for ever.

Languages of such automata are the R-trivial ones.

Source: J. A. Brzozowski, F. E. Fich, "Languages of R-trivial monoids", 1980: partially ordered automata.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, PREDICTIVE
from constructions.cascade import Cascade, Emit, In, Is, Level, Literal, Reset, Rule, Set


def extensive_cascade(dfa: DFA, mode: str) -> Cascade | None:
    """A level for each state but the first; None where some state is left and reached again.

    O(states^2 * symbols), as a rule reads all bits between two states.

    >>> from automata.catalogue import language
    >>> [register.name for register in extensive_cascade(language("tomita-1").dfa(), "recognise").registers]
    ['state 2']
    >>> extensive_cascade(language("tomita-4").dfa(), "recognise") is None
    True
    """
    order = _ascending(dfa)
    if order is None:
        return None
    names = {state: f"state {place + 1}" for place, state in enumerate(order)}

    def last_is(place: int, below: int, before: bool) -> tuple[Literal, ...]:
        """The state at this place is visited, and none between it and the place ``below``."""
        first = (Is(names[order[place]], 1, before),) if place else ()
        return (*first, *(Is(names[state], 0, before) for state in order[place + 1 : below]))

    levels = []
    for place, state in enumerate(order[1:], start=1):
        rules = []
        for earlier in range(place):
            symbols = [s for s, target in zip(dfa.alphabet, dfa.table[order[earlier]]) if target == state]
            if symbols:
                rules.append(Rule((In(symbols), *last_is(earlier, place, True)), Set(1)))
        levels.append(Level((Reset(names[state], 2, tuple(rules)),)))
    outputs = (*dfa.alphabet, EOS) if mode == PREDICTIVE else (ACCEPT,)
    emissions = []
    for place, state in enumerate(order):
        given = dfa.legal(state) if mode == PREDICTIVE else {ACCEPT} if dfa.accepts(state) else set()
        if given:
            emissions.append(Emit(last_is(place, len(order), False), given))
    return Cascade(dfa.alphabet, tuple(levels), outputs, tuple(emissions))


def _ascending(dfa: DFA) -> list[int] | None:
    """The states from the initial one on, such that every transition stays or goes to a later one."""
    reached, waiting = {dfa.initial}, [dfa.initial]
    while waiting:
        for target in dfa.table[waiting.pop()]:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    sorter: TopologicalSorter = TopologicalSorter({state: () for state in sorted(reached)})
    for state in sorted(reached):
        for target in dfa.table[state]:
            if target != state:
                sorter.add(target, state)
    try:
        return list(sorter.static_order())
    except CycleError:
        return None
