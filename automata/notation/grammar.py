"""Context-free grammars whose derivations nest at most so deep: regular languages, as bounded Dyck is one.

A file has a rule on each line, alternatives separated by ``|``, tokens by blanks; lines that begin with ``%`` are
comments.  What stands left of an arrow is a nonterminal, the first one is where words begin, everything else is a
symbol; an empty alternative, or ``ε`` alone, is the empty word::

    S -> ( S ) S | [ S ] S | ε

A derivation is leftmost, and waits for what stands right of the nonterminal that it works on; depth is how many such
rests wait at once, so that a nonterminal at the end of a rule costs none.  The grammar above has depth D on exactly the
words of Dyck(2, D).

Source: bounded hierarchical structure as in Hewitt et al. 2020 and Sarrof, Veitsman, Hahn 2024, section 4.3; the
pushdown of a leftmost derivation is textbook.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from automata.dfa import DFA, check_alphabet
from automata.errors import InputError, LimitError, quoted
from automata.files import read_text

EMPTY = "ε"
ARROW, OR, COMMENT = "->", "|", "%"

Tokens = tuple[str, ...]
"""Tokens that are still to be derived."""

Waiting = tuple[Tokens, ...]
"""What waits, the outermost first; the last entry is being derived."""


@dataclass(frozen=True)
class Grammar:
    """Rules by nonterminal; ``start`` is the first one, ``alphabet`` the symbols in their order in the file."""

    start: str
    rules: dict[str, tuple[Tokens, ...]]
    alphabet: tuple[str, ...]


def read_grammar(path: str | Path) -> Grammar:
    """The grammar in a file.

    Raises:
        InputError: naming the file, line and column of what is wrong.
    """
    return parse_grammar(read_text(path), str(path))


def parse_grammar(text: str, name: str = "grammar") -> Grammar:
    """The grammar of a text (see the module); ``name`` is what errors call it.

    >>> parse_grammar("S -> a S b | ε").rules
    {'S': (('a', 'S', 'b'), ())}
    """
    found: dict[str, list[Tokens]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        tokens = line.split()
        if not tokens or tokens[0].startswith(COMMENT):
            continue
        place = f"{name}, line {number}"
        if len(tokens) < 2 or tokens[1] != ARROW:
            raise InputError(
                f"{place}, column {_column(line, 1)}: expected NONTERMINAL -> ..., as in S -> a S b | {EMPTY}"
            )
        left, right = tokens[0], tokens[2:]
        for token, what in ((left, "a rule"), *((token, "an alternative") for token in right)):
            if token == ARROW or (what == "a rule" and token in (OR, EMPTY)):
                raise InputError(f"{place}: {quoted(token)} cannot stand in {what}")
        alternatives: list[list[str]] = [[]]
        for token in right:
            if token == OR:
                alternatives.append([])
            else:
                alternatives[-1].append(token)
        for alternative in alternatives:
            if EMPTY in alternative and len(alternative) > 1:
                raise InputError(f"{place}: {EMPTY} stands beside other tokens, expected it alone")
            found.setdefault(left, []).append(() if alternative == [EMPTY] else tuple(alternative))
    if not found:
        raise InputError(f"{name}: has no rule, expected lines as S -> a S b | {EMPTY}")
    rules = {left: tuple(dict.fromkeys(alternatives)) for left, alternatives in found.items()}
    symbols = dict.fromkeys(token for alternatives in rules.values() for rest in alternatives for token in rest)
    alphabet = tuple(symbol for symbol in symbols if symbol not in rules)
    if not alphabet:
        raise InputError(f"{name}: has no symbol, every token is a nonterminal")
    check_alphabet(alphabet)
    return Grammar(next(iter(rules)), rules, alphabet)


def grammar_to_dfa(grammar: Grammar, depth: int, limit: int = 100_000) -> DFA:
    """The minimal automaton of the words that the grammar derives with at most ``depth`` rests waiting.

    Raises:
        LimitError: with more than ``limit`` states, 100 times as many stacks in all sets of them, or 1 000 times as
            many rests in these stacks.

    >>> from automata.catalogue import language
    >>> grammar = parse_grammar("S -> ( S ) S | [ S ] S | ε")
    >>> grammar_to_dfa(grammar, 3).states == language("dyck-2-3").dfa().states
    True
    """
    return DFA.from_machine(_Derivations(grammar, depth, limit), limit).minimise()


class _Derivations:
    """The sets of stacks after a prefix: a machine with ``accepts``."""

    def __init__(self, grammar: Grammar, depth: int, limit: int):
        self.grammar, self.depth, self.limit = grammar, depth, limit
        self.alphabet = grammar.alphabet
        self._stacks = self._rests = 0
        self.initial = self._closed({((grammar.start,),)})

    def step(self, state: frozenset[Waiting], symbol: str) -> frozenset[Waiting]:
        """All stacks whose next token is the symbol, without it."""
        return self._closed({_without_first(stack) for stack in state if stack and stack[-1][0] == symbol})

    def accepts(self, state: frozenset[Waiting]) -> bool:
        return () in state

    def _closed(self, stacks: set[Waiting]) -> frozenset[Waiting]:
        """With each nonterminal that comes next replaced, until symbols come next; finite, as stacks are bounded."""
        seen, waiting = set(stacks), list(stacks)
        while waiting:
            stack = waiting.pop()
            if not stack or stack[-1][0] not in self.grammar.rules:
                continue
            # What waits while the nonterminal is derived, whatever it comes to.
            below = _without_first(stack)
            if len(below) > self.depth:
                continue
            for alternative in self.grammar.rules[stack[-1][0]]:
                derived = (*below, alternative) if alternative else below
                if derived not in seen:
                    seen.add(derived)
                    waiting.append(derived)
        kept = frozenset(stack for stack in seen if not stack or stack[-1][0] not in self.grammar.rules)
        self._stacks += len(seen)
        if self._stacks > 100 * self.limit:
            raise LimitError(
                f"the grammar has more than {100 * self.limit} stacks; raise the limit to go on", "unminimised"
            )
        # Deep stacks are few, and fill the memory all the same.
        self._rests += sum(map(len, kept))
        if self._rests > 1000 * self.limit:
            raise LimitError(
                f"the grammar's stacks have more than {1000 * self.limit} rests of rules; raise the limit to go on",
                "unminimised",
            )
        return kept


def _without_first(stack: Waiting) -> Waiting:
    """The stack less its next token; a rest that is used up goes."""
    rest = stack[-1][1:]
    return (*stack[:-1], rest) if rest else stack[:-1]


def _column(line: str, token: int) -> int:
    """Where the token with this number begins, or the end of the line."""
    tokens, column = line.split(), 0
    for number, found in enumerate(tokens[: token + 1]):
        column = line.index(found, column)
        if number == token:
            return column + 1
        column += len(found)
    return len(line.rstrip()) + 1
