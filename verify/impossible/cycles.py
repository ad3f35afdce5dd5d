"""Strings u w^n v on which the right answer never settles: what shows a model wrong that does.

A language is not star-free iff some word w permutes states of its minimal automaton with a period p > 1
(Schützenberger 1965).  Then the right answer after u w^n v depends on n modulo p, and not constantly.  In
predictive mode v is chosen so that the two strings to be compared, u w^n v and u w^(n+1) v, are prefixes of words.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from automata.algebra.aperiodic import graded_witness, group_witness
from automata.dfa import DFA
from automata.machine import ACCEPT, PREDICTIVE


@dataclass(frozen=True)
class Cycle:
    """Strings u w^n v, n = 0, 1, …, and the right answers.

    Attributes:
        u, w, v: words; u and v may be empty.
        answers: the answer after u w^n v for n = 0 … period - 1; the answers repeat from there.
        residues: the n modulo the period for which the answers after u w^n v and u w^(n + apart) v differ, and are
            both asked for.
        apart: by how many w the two strings to be compared differ.
    """

    u: tuple[str, ...]
    w: tuple[str, ...]
    v: tuple[str, ...]
    answers: tuple[frozenset[str], ...]
    residues: tuple[int, ...]
    apart: int = 1

    @property
    def period(self) -> int:
        return len(self.answers)

    def answer(self, n: int) -> frozenset[str]:
        """The right answer after u w^n v."""
        return self.answers[n % self.period]

    def first_from(self, n: int) -> int:
        """The least number from n on whose residue is one of ``residues``."""
        return next(k for k in range(n, n + self.period) if k % self.period in self.residues)


def find_cycle(dfa: DFA, mode: str, apart: int = 1, multiple: int = 1) -> Cycle | None:
    """The strings with a shortest w, and then shortest u and v; None when the language is star-free.

    Args:
        dfa: the language.
        mode: the question.
        apart: by how many w the two strings to be compared differ; the period does not divide it.
        multiple: what the length of w is a multiple of.  With this, or ``apart`` above 1, None also says that no such
            w was found.

    Raises:
        InputError: when the automaton has too many image sets to decide.

    >>> from automata.machine import RECOGNISE
    >>> parity = DFA("01", [[0, 1], [1, 0]], accepting=[0])
    >>> cycle = find_cycle(parity, RECOGNISE)
    >>> cycle.u, cycle.w, cycle.v, cycle.residues
    ((), ('1',), (), (0, 1))
    >>> find_cycle(parity, RECOGNISE, multiple=3).w, find_cycle(parity, RECOGNISE, apart=2)
    (('0', '0', '1'), None)
    """
    minimal = dfa.minimise()
    witness = group_witness(minimal) if apart == multiple == 1 else graded_witness(minimal, apart, multiple)
    if witness is None:
        return None
    u, start = min(((minimal.access(q), i) for i, q in enumerate(witness.states)), key=lambda found: len(found[0]))
    states = witness.states[start:] + witness.states[:start]
    shift = apart % len(states)
    v = min((_separator(minimal, p, q, mode) for p, q in zip(states, states[shift:] + states[:shift])), key=len)
    ends = [_after(minimal, q, v, mode) for q in states]
    answers = tuple(frozenset() if q is None else _answer(minimal, q, mode) for q in ends)
    following = zip(ends, ends[shift:] + ends[:shift], answers, answers[shift:] + answers[:shift])
    residues = tuple(i for i, (p, q, here, there) in enumerate(following) if None not in (p, q) and here != there)
    return Cycle(u, witness.word, v, answers, residues, apart)


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
