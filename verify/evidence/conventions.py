"""How a file of labels may be written: the small space of conventions in which a label file is read.

A label says something of a prefix: whether it is a word, whether the string may end, which symbols may come next.  It
may say so turned over, or one prefix too early or too late, or of a language that differs in one place: a state taken
for dead, a word that may not end.  Which of these a file does is not told by anybody; it is found by counting.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Callable, Iterator

from automata.dfa import DFA
from automata.machine import EOS, Machine

END_MARK = "T"
"""The label that says the string may end, among labels that are symbols."""

FLIPPED = str.maketrans("01ec", "10ce")

EARLIER, IN_PLACE, LATER = -1, 0, 1


@dataclass(frozen=True)
class Situation:
    """What labels can depend on: a prefix up to its state and its last symbol.

    Attributes:
        last: the last symbol; None of the empty prefix.
        legal: the legal next symbols, EOS among them in a word.
        accepts: whether the prefix is a word.
        state: of the automaton; None of a machine that has infinitely many.
    """

    last: str | None
    legal: frozenset[str]
    accepts: bool
    state: int | None = None


@dataclass(frozen=True)
class Statement:
    """What a label says when nothing is odd about it.

    Attributes:
        width: characters of a label.
        says: in words.
        label: of a situation; "?" where this statement has none.
    """

    width: int
    says: str
    label: Callable[[Situation], str]


@dataclass(frozen=True)
class Alteration:
    """One place in which the language of the labels differs from the definition.

    Attributes:
        says: in words.
        change: from a situation to what the labels take it for.
    """

    says: str
    change: Callable[[Situation], Situation]


@dataclass(frozen=True)
class Convention:
    """A statement, and at most one oddity."""

    statement: Statement
    negated: bool = False
    shift: int = IN_PLACE
    alteration: Alteration | None = None

    @property
    def plain(self) -> bool:
        return not self.negated and self.shift == IN_PLACE and self.alteration is None

    @property
    def oddity(self) -> str:
        """What is odd, in words; nothing of a plain convention."""
        if self.alteration is not None:
            return self.alteration.says
        odd = ["each label is negated"] * self.negated
        odd += {
            EARLIER: ["each label is that of the prefix before"],
            LATER: ["each label is that of the next prefix"],
        }.get(self.shift, [])
        return " and ".join(odd)

    def label(self, situation: Situation) -> str:
        """The label of a situation, which for a shifted convention is the neighbour's."""
        told = situation if self.alteration is None else self.alteration.change(situation)
        label = self.statement.label(told)
        return label.translate(FLIPPED) if self.negated else label


@dataclass(frozen=True)
class Conventions:
    """All conventions in which labels about a machine may be written.

    >>> from automata.catalogue import language
    >>> found = Conventions(language("tomita-3").machine)
    >>> found.widths, len(list(found.plain(1))), len(list(found.odd(2)))
    ((1, 2), 4, 16)
    """

    machine: Machine

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Without any oddity."""
        alphabet = self.machine.alphabet
        later = tuple(symbol for symbol in alphabet if symbol not in self.machine.legal(self.machine.initial))
        found = [
            Statement(1, "1 where the prefix is a word, else 0", lambda s: str(int(s.accepts))),
            Statement(1, "e where the string may end, else c", lambda s: "e" if s.accepts else "c"),
            Statement(len(alphabet), f"which of {' '.join(alphabet)} may come next", _bits(alphabet)),
            Statement(1, f"the symbol that may come next besides the last one, {END_MARK} for the end", _other),
            Statement(1, f"the first symbol that may come next, {END_MARK} where the string may end", _first),
        ]
        if later and later != alphabet:
            found.append(Statement(len(later), f"which of {' '.join(later)} may come next", _bits(later)))
        return tuple(found)

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(sorted({statement.width for statement in self.statements}))

    def plain(self, width: int) -> Iterator[Convention]:
        """Those without any oddity, of labels so wide."""
        yield from (Convention(statement) for statement in self.statements if statement.width == width)

    def odd(self, width: int) -> Iterator[Convention]:
        """Those with one, the simplest first."""
        for plain in self.plain(width):
            statement = plain.statement
            if statement.label not in (_other, _first):
                yield Convention(statement, negated=True)
            yield from (
                Convention(statement, negated, shift)
                for shift in (EARLIER, LATER)
                for negated in (False, True)
                if not negated or statement.label not in (_other, _first)
            )
            yield from (Convention(statement, alteration=alteration) for alteration in self.alterations)

    @cached_property
    def alterations(self) -> tuple[Alteration, ...]:
        """Each place in which the language may differ."""
        found = [_ending_after(symbol, may) for symbol in self.machine.alphabet for may in (False, True)]
        if isinstance(self.machine, DFA):
            dfa = self.machine
            states = [state for state in range(dfa.states) if dfa.live[state]]
            found += [_dead(dfa, state) for state in states if state != dfa.initial]
            found += [_ending_in(dfa, state) for state in states]
        return tuple(found)


def _bits(symbols: tuple[str, ...]) -> Callable[[Situation], str]:
    return lambda situation: "".join("1" if symbol in situation.legal else "0" for symbol in symbols)


def _other(situation: Situation) -> str:
    others = situation.legal - {situation.last}
    (other,) = others if len(others) == 1 else "?"
    return END_MARK if other == EOS else other


def _first(situation: Situation) -> str:
    return END_MARK if EOS in situation.legal else min(situation.legal, default="?")


def _ends(situation: Situation, may: bool) -> Situation:
    legal = situation.legal | {EOS} if may else situation.legal - {EOS}
    return Situation(situation.last, legal, may, situation.state)


def _ending_after(symbol: str, may: bool) -> Alteration:
    says = f"every string may end right after {symbol}" if may else f"no string may end right after {symbol}"
    return Alteration(says, lambda s: _ends(s, may) if s.last == symbol else s)


def _ending_in(dfa: DFA, state: int) -> Alteration:
    may = not dfa.accepts(state)
    says = f"strings {'may' if may else 'may not'} end in the state of {_access(dfa, state)}"
    return Alteration(says, lambda s: _ends(s, may) if s.state == state else s)


def _dead(dfa: DFA, state: int) -> Alteration:
    """The files go on through the state, and call every step into it illegal."""

    def change(situation: Situation) -> Situation:
        if situation.state is None:
            return situation
        row = dfa.table[situation.state].tolist()
        into = {symbol for symbol, target in zip(dfa.alphabet, row) if target == state}
        return Situation(situation.last, situation.legal - into, situation.accepts, situation.state)

    return Alteration(f"the live state of {_access(dfa, state)} is taken for dead", change)


def _access(dfa: DFA, state: int) -> str:
    return " ".join(dfa.access(state)) or "the empty string"
