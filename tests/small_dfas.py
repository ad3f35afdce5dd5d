"""Small automata for property tests, and what they mean, spelled out word by word."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st

from automata.dfa import DFA


@st.composite
def dfas(draw, alphabet: str = "ab", max_states: int = 6) -> DFA:
    """Any complete automaton of up to ``max_states`` states, any of them initial; shrinks towards one rejecting
    state.
    """
    n = draw(st.integers(1, max_states))
    state = st.integers(0, n - 1)
    table = draw(st.lists(st.lists(state, min_size=len(alphabet), max_size=len(alphabet)), min_size=n, max_size=n))
    return DFA(alphabet, table, draw(st.sets(state)), draw(state))


def all_words(alphabet, length: int):
    """All words up to this length, shortest first, then in the alphabet's order."""
    for n in range(length + 1):
        yield from product(alphabet, repeat=n)


def accepts(dfa: DFA, word) -> bool:
    """Membership by walking the table, sharing no code with the class."""
    state = dfa.initial
    for symbol in word:
        state = int(dfa.table[state][list(dfa.alphabet).index(symbol)])
    return state in dfa.accepting


def shortest_difference(dfa: DFA, other: DFA, length: int) -> int | None:
    """The length of the shortest word up to ``length`` that is in one language only, None when there is none."""
    return next((len(w) for w in all_words(dfa.alphabet, length) if accepts(dfa, w) != accepts(other, w)), None)


def moore_classes(dfa: DFA) -> int:
    """The number of reachable classes of indistinguishable states, by Moore's rounds of refinement."""
    reachable = {dfa.initial}
    while (more := reachable | {int(t) for q in reachable for t in dfa.table[q]}) != reachable:
        reachable = more
    classes = {q: int(q in dfa.accepting) for q in reachable}
    while True:
        signatures = {q: (classes[q], *(classes[int(t)] for t in dfa.table[q])) for q in reachable}
        numbers = {signature: i for i, signature in enumerate(sorted(set(signatures.values())))}
        refined = {q: numbers[signatures[q]] for q in reachable}
        if len(set(refined.values())) == len(set(classes.values())):
            return len(set(refined.values()))
        classes = refined
