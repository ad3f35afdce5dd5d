"""Past linear temporal logic: to a DFA, a state for each set of subformulas that can be true.

The notation is that of :mod:`automata.notation.temporal`.

Meaning.  A formula is true or false of a word w_1 … w_t as follows, and the language of a formula is the set of
words it is true of:

* a symbol: t >= 1 and w_t is this symbol;
* ``Y f``: t >= 2 and f is true of w_1 … w_{t-1};
* ``H f``: f is true of w_1 … w_s for every s with 1 <= s <= t;
* ``O f``: for some such s;
* ``f S g``: for some such s, g is true of w_1 … w_s, and f of w_1 … w_u for every u with s < u <= t.

So there is no position before the first symbol: of the empty word (t = 0) symbols, Y, O and S are false and H is
true, and negation is complement without exception.

Past LTL, with or without S defined from the rest, expresses exactly the star-free languages (Kamp 1968; Gabbay,
Pnueli, Shelah, Stavi 1980).  The route to registers, :mod:`constructions.compile.past_formula`, shares only the
parser, so that each checks the other.
"""

from __future__ import annotations

from typing import Iterable

from automata.dfa import DFA
from automata.errors import InputError
from automata.notation.temporal import FUTURE, Formula, parse_formula

STATE_LIMIT = 100_000
"""The number of states at which :func:`ltl_to_dfa` stops, unless told otherwise."""


def ltl_to_dfa(text: str, alphabet: Iterable[str] | None = None, limit: int = STATE_LIMIT) -> DFA:
    """The minimal complete DFA of a formula, states numbered breadth-first.

    A state is the set of those subformulas true of the prefix that the future depends on.

    Args:
        text: the formula.
        alphabet: the symbols, in order; those shown in the formula if absent.
        limit: the greatest number of sets of subformulas to look at.

    Raises:
        InputError: with the column, what was found and what was expected; or when the limit is reached.

    >>> dfa = ltl_to_dfa("H(a -> Y b)", "ab")
    >>> [dfa.accepts_word(word) for word in ("", "a", "ba", "baa", "bba")]
    [True, False, True, False, True]
    """
    return past_to_dfa(read_past(text, alphabet), limit)


def past_to_dfa(formula: Formula, limit: int = STATE_LIMIT) -> DFA:
    """The same of a formula that is read already."""
    return DFA.from_machine(_Truth(formula), limit).minimise()


def read_past(text: str, alphabet: Iterable[str] | None = None) -> Formula:
    """The formula, refused where it speaks of the future."""
    formula = parse_formula(text, alphabet)
    if formula.tense == FUTURE:
        raise InputError("the formula speaks of the future, expected one with the past operators Y H O S")
    return formula


class _Truth:
    """A formula as a Machine: a state is (whether a symbol was read, the subformulas to remember that are true)."""

    def __init__(self, formula: Formula):
        self.alphabet = formula.alphabet
        self.nodes = formula.nodes
        self.root = len(self.nodes) - 1
        self.remembered = {i for i, node in enumerate(self.nodes) if node.operator in ("H", "O", "S")}
        self.remembered |= {node.operands[0] for node in self.nodes if node.operator == "Y"} | {self.root}
        self.initial = (False, self._true_now(None, False, frozenset()))

    def step(self, state: tuple[bool, frozenset[int]], symbol: str) -> tuple[bool, frozenset[int]]:
        return True, self._true_now(symbol, *state)

    def accepts(self, state: tuple[bool, frozenset[int]]) -> bool:
        return self.root in state[1]

    def _true_now(self, symbol: str | None, started: bool, old: frozenset[int]) -> frozenset[int]:
        """The remembered subformulas true after ``symbol`` (None: of the empty word), given those true before it."""
        truth: list[bool] = []
        for index, (operator, operands, shown) in enumerate(self.nodes):
            args = [truth[i] for i in operands]
            if operator == "symbol":
                value = symbol == shown
            elif operator in ("true", "false"):
                value = operator == "true"
            elif operator == "!":
                value = not args[0]
            elif operator == "&":
                value = args[0] and args[1]
            elif operator == "|":
                value = args[0] or args[1]
            elif operator == "->":
                value = not args[0] or args[1]
            elif operator == "<->":
                value = args[0] == args[1]
            elif operator == "Y":
                value = started and operands[0] in old
            elif symbol is None:
                value = operator == "H"
            elif operator == "H":
                value = args[0] and index in old
            elif operator == "O":
                value = args[0] or index in old
            else:
                value = args[1] or (args[0] and index in old)
            truth.append(value)
        return frozenset(i for i in self.remembered if truth[i])
