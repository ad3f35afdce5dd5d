"""Strings u w^n v on which the right answer never settles: what shows a model wrong that does.

A language is not star-free iff some word w permutes states of its minimal automaton with a period p > 1
(Schützenberger 1965).  Then the right answer after u w^n v depends on n modulo p, and not constantly.  In
predictive mode v is chosen so that the two strings to be compared, u w^n v and u w^(n+1) v, are prefixes of words.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from automata.algebra.aperiodic import group_witness
from automata.dfa import DFA
from automata.machine import ACCEPT, PREDICTIVE


@dataclass(frozen=True)
class Cycle:
    """Strings u w^n v, n = 0, 1, …, and the right answers.

    Attributes:
        u, w, v: words; u and v may be empty.
        answers: the answer after u w^n v for n = 0 … period - 1; the answers repeat from there.
        residues: the n modulo the period for which the answers after u w^n v and u w^(n+1) v differ, and are both
            asked for.
    """

    u: tuple[str, ...]
    w: tuple[str, ...]
    v: tuple[str, ...]
    answers: tuple[frozenset[str], ...]
    residues: tuple[int, ...]

    @property
    def period(self) -> int:
        return len(self.answers)

    def answer(self, n: int) -> frozenset[str]:
        """The right answer after u w^n v."""
        return self.answers[n % self.period]

    def first_from(self, n: int) -> int:
        """The least number from n on whose residue is one of ``residues``."""
        return next(k for k in range(n, n + self.period) if k % self.period in self.residues)


def find_cycle(dfa: DFA, mode: str) -> Cycle | None:
    """The strings with a shortest w, and then shortest u and v; None when the language is star-free.

    Raises:
        InputError: when the automaton has too many image sets to decide.

    >>> from automata.machine import RECOGNISE
    >>> parity = DFA("01", [[0, 1], [1, 0]], accepting=[0])
    >>> cycle = find_cycle(parity, RECOGNISE)
    >>> cycle.u, cycle.w, cycle.v, cycle.residues
    ((), ('1',), (), (0, 1))
    """
    minimal = dfa.minimise()
    witness = group_witness(minimal)
    if witness is None:
        return None
    u, start = min(((minimal.access(q), i) for i, q in enumerate(witness.states)), key=lambda found: len(found[0]))
    states = witness.states[start:] + witness.states[:start]
    v = min((_separator(minimal, p, q, mode) for p, q in zip(states, states[1:] + states[:1])), key=len)
    ends = [_after(minimal, q, v, mode) for q in states]
    answers = tuple(frozenset() if q is None else _answer(minimal, q, mode) for q in ends)
    following = zip(ends, ends[1:] + ends[:1], answers, answers[1:] + answers[:1])
    residues = tuple(i for i, (p, q, here, there) in enumerate(following) if None not in (p, q) and here != there)
    return Cycle(u, witness.word, v, answers, residues)


def _answer(dfa: DFA, state: int, mode: str) -> frozenset[str]:
    if mode == PREDICTIVE:
        return dfa.legal(state)
    return frozenset((ACCEPT,)) if dfa.accepts(state) else frozenset()


def _after(dfa: DFA, state: int, word: tuple[str, ...], mode: str) -> int | None:
    """The state after the word, None where predictive mode asks nothing any more."""
    for symbol in word:
        if mode == PREDICTIVE and symbol not in dfa.legal(state):
            return None
        state = dfa.step(state, symbol)
    return state


def _separator(dfa: DFA, p: int, q: int, mode: str) -> tuple[str, ...]:
    """A shortest word after which the answers from the two states differ, asked for in both."""
    words: dict[tuple[int, int], tuple[str, ...]] = {(p, q): ()}
    waiting = deque(words)
    while waiting:
        p, q = pair = waiting.popleft()
        if _answer(dfa, p, mode) != _answer(dfa, q, mode):
            return words[pair]
        for symbol in dfa.alphabet:
            # In predictive mode both answers are the same set of legal symbols here.
            if mode == PREDICTIVE and symbol not in dfa.legal(p):
                continue
            target = dfa.step(p, symbol), dfa.step(q, symbol)
            if target not in words:
                words[target] = (*words[pair], symbol)
                waiting.append(target)
    raise AssertionError("two states of a minimal automaton have the same answers after every word")
