"""Linear temporal logic over finite words, operators of the future: to a DFA.

The notation is that of :mod:`automata.notation.temporal`.  Meaning: a formula is true or false of a word w_1 … w_t as
follows, and the language of a formula is the set of words it is true of, the empty word (t = 0) among them or not:

* a symbol: t >= 1 and w_1 is this symbol;
* ``X f``: t >= 2 and f is true of w_2 … w_t;  ``N f``: t < 2 or f is true of w_2 … w_t;
* ``F f``: f is true of w_s … w_t for some s with 1 <= s <= t;  ``G f``: for every such s;
* ``f U g``: for some such s, g is true of w_s … w_t, and f of w_u … w_t for every u with 1 <= u < s;
* ``f W g``: ``(f U g) | G f``;  ``f R g``: ``!(!f U !g)``;  ``f M g``: ``g U (f & g)``.

On words of at least one symbol this is LTLf with one symbol at each position.

Source: De Giacomo, Vardi 2013, "Linear temporal logic and linear dynamic logic on finite traces".  Read from its end, a
word has for past what it has for future: a formula is true of a word exactly if its mirror, with Y for X, O for F, H
for G and S for U, is true of the reversed word.
"""

from __future__ import annotations

from typing import Iterable

from automata.dfa import DFA
from automata.notation.past_ltl import STATE_LIMIT, past_to_dfa
from automata.notation.temporal import PAST, Formula, Node, parse_formula


def formula_to_dfa(text: str, alphabet: Iterable[str] | None = None, limit: int = STATE_LIMIT) -> DFA:
    """The minimal complete DFA of a formula of the past or of the future, states numbered breadth-first.

    A formula of the future may need doubly exponentially many states.

    Args:
        text: the formula.
        alphabet: the symbols, in order; those shown in the formula if absent.
        limit: the greatest number of states to look at.

    Raises:
        InputError: with the column, what was found and what was expected; or when the limit is reached.

    >>> dfa = formula_to_dfa("G(a -> X b)", "ab")
    >>> [dfa.accepts_word(word) for word in ("", "a", "ab", "abb", "bab", "abab")]
    [True, False, True, True, True, True]
    """
    formula = parse_formula(text, alphabet)
    if formula.tense == PAST:
        return past_to_dfa(formula, limit)
    return _reversed(past_to_dfa(_mirror(formula), limit), limit)


def _mirror(formula: Formula) -> Formula:
    """The formula of the past that is true of the reversed words."""
    nodes: dict[Node, int] = {}

    def add(operator: str, *operands: int, symbol: str | None = None) -> int:
        return nodes.setdefault(Node(operator, operands, symbol), len(nodes))

    def no(operand: int) -> int:
        return add("!", operand)

    mirrored: list[int] = []
    for operator, operands, symbol in formula.nodes:
        f, g = [mirrored[i] for i in (operands[:1] + operands[-1:])] if operands else (0, 0)
        if operator in _MIRRORED:
            mirrored.append(add(_MIRRORED[operator], *(mirrored[i] for i in operands)))
        elif operator == "N":
            mirrored.append(no(add("Y", no(f))))
        elif operator == "W":
            mirrored.append(add("|", add("S", f, g), add("H", f)))
        elif operator == "R":
            mirrored.append(no(add("S", no(f), no(g))))
        elif operator == "M":
            mirrored.append(add("S", g, add("&", f, g)))
        else:
            mirrored.append(add(operator, *(mirrored[i] for i in operands), symbol=symbol))
    # Every node is a part of the last one, which is therefore new when it is added, and last here too.
    return Formula(formula.alphabet, tuple(nodes), PAST)


_MIRRORED = {"X": "Y", "F": "O", "G": "H", "U": "S"}


def _reversed(dfa: DFA, limit: int) -> DFA:
    """The minimal DFA of the reversed words: a state is the set of states from which what was read leads to acceptance.

    Every state of ``dfa`` has to be reachable; then no two of these sets have the same future (Brzozowski 1962).
    """
    return DFA.from_machine(_Preimages(dfa), limit).minimise()


class _Preimages:
    """The reversal of a DFA as a Machine: a state is a set of its states, as the bits of a number."""

    def __init__(self, dfa: DFA):
        self.alphabet = dfa.alphabet
        self.initial = sum(1 << state for state in dfa.accepting)
        self._start = dfa.initial
        self._targets = {symbol: dfa.table[:, i].tolist() for i, symbol in enumerate(dfa.alphabet)}

    def step(self, state: int, symbol: str) -> int:
        return sum(1 << q for q, target in enumerate(self._targets[symbol]) if state >> target & 1)

    def accepts(self, state: int) -> bool:
        return bool(state >> self._start & 1)
