"""Counter machines, and the counter languages of the experiments defined by them.

A counter machine has a finite control and counters that are natural numbers.  A move is chosen by the control, the
symbol and a test of each counter: zero, positive, or either.  What has no move is dead for good.

=============  ==============================================================================  ==============
name           language                                                                        the empty word
=============  ==============================================================================  ==============
``dyck-1``     balanced brackets of one type                                                   is a word
``shuffle-K``  shuffles of K such languages, each over brackets of its own                     is a word
``boolean-N``  Boolean expressions in prefix notation, operators of arity 1 to N               is not a word
``anbn``       a^n b^n for n >= 1; likewise ``anbncn`` and ``anbncndn``                        is not a word
=============  ==============================================================================  ==============

Source: Bhattamishra, Ahuja, Goyal 2020 (the languages); Fischer, Meyer, Rosenberg 1968 (counter machines); Sarrof,
Veitsman, Hahn 2024, the theorem on unbounded counters.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, combinations
from operator import add
from typing import TypeVar

from automata.errors import InputError, LimitError, quoted
from automata.machine import EOS
from automata.machines.bounded_dyck import type_name

ZERO, POSITIVE, EITHER = "0", "+", "*"

_MOST_KEPT = 1 << 16
"""Moves, and legal sets, that a machine keeps."""

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

Configuration = tuple[str, tuple[int, ...]]
"""(control, counter values); None is the dead state."""


@dataclass(frozen=True)
class Move:
    """In ``control``, on ``symbol``, when all tests hold: go to ``target`` and add to the counters.

    Attributes:
        tests: one character for each counter: ``0`` it is zero, ``+`` it is positive, ``*`` either.
        add: one integer for each counter, at least -1, and -1 only under the test ``+``.
    """

    control: str
    symbol: str
    tests: str
    target: str
    add: tuple[int, ...]


@dataclass(frozen=True)
class CounterMachine:
    """A deterministic counter machine; both questions, predictive and recognition.

    The legal next symbols are those with a move, so the machine must be *trim*: every state that it reaches, the
    dead one apart, must have a way to acceptance.  The machines of this module are.

    Args:
        name: for messages.
        alphabet: the symbols.
        controls: the finite control's states, in the order in which a word meets them where it has one.
        counters: their names.
        initial: control and counter values after the empty prefix.
        moves: at most one applies to any control, symbol and counter values.
        accepting: (control, tests) pairs.

    Raises:
        InputError: naming the move at fault.

    >>> from automata.machine import run
    >>> machine = counter_machine("anbn")
    >>> run(machine, "aab")
    ('b', (1,))
    >>> sorted(machine.legal(('a', (2,)))), sorted(machine.legal(('b', (0,))))
    (['a', 'b'], ['<eos>'])
    >>> machine.accepts(run(machine, "aabb")), machine.accepts(run(machine, "aaba")), machine.accepts(machine.initial)
    (True, False, False)
    """

    name: str
    alphabet: tuple[str, ...]
    controls: tuple[str, ...]
    counters: tuple[str, ...]
    initial: Configuration
    moves: tuple[Move, ...]
    accepting: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        for move in self.moves:
            self._check(move)
        for control, tests in self.accepting:
            if control not in self.controls or len(tests) != len(self.counters):
                raise InputError(f"{self.name}: the accepting condition ({control}, {tests}) does not fit the machine")
        for moves in self.moves_from.values():
            for one, other in combinations(moves, 2):
                if not any({a, b} == {ZERO, POSITIVE} for a, b in zip(one.tests, other.tests)):
                    raise InputError(f"{self.name}: two moves apply together: {one} and {other}")

    def _check(self, move: Move) -> None:
        if not {move.control, move.target} <= set(self.controls) or move.symbol not in self.alphabet:
            raise InputError(f"{self.name}: {move} names a control or symbol that the machine does not have")
        if len(move.tests) != len(self.counters) or len(move.add) != len(self.counters):
            raise InputError(f"{self.name}: {move} does not have one test and one amount for each counter")
        for test, amount in zip(move.tests, move.add):
            if test not in (ZERO, POSITIVE, EITHER) or amount < (-1 if test == POSITIVE else 0):
                raise InputError(f"{self.name}: {move} could make a counter negative, or has an unknown test")

    @cached_property
    def moves_from(self) -> dict[tuple[str, str], tuple[Move, ...]]:
        """The moves by control and symbol."""
        table: dict[tuple[str, str], list[Move]] = {}
        for move in self.moves:
            table.setdefault((move.control, move.symbol), []).append(move)
        return {key: tuple(moves) for key, moves in table.items()}

    @cached_property
    def fastest(self) -> int:
        """The most that one symbol adds to a counter."""
        return max(chain((0,), chain.from_iterable(move.add for move in self.moves)))

    def move(self, state: Configuration, symbol: str) -> Move | None:
        """The move that applies, if any; O(counters), once it was asked for with the same counters at zero."""
        control, values = state
        key = (control, symbol, _signs(values))
        if key not in self._moves:
            moves = self.moves_from.get((control, symbol), ())
            _keep(self._moves, key, next((move for move in moves if satisfies(values, move.tests)), None))
        return self._moves[key]

    def step(self, state: Configuration | None, symbol: str) -> Configuration | None:
        """The next state; raises InputError for a symbol outside the alphabet."""
        if symbol not in self._symbols:
            raise InputError(f"symbol {quoted(symbol)} is not in the alphabet of {self.name}")
        if state is None or (move := self.move(state, symbol)) is None:
            return None
        return move.target, tuple(map(add, state[1], move.add))

    def legal(self, state: Configuration | None) -> frozenset[str]:
        """The symbols that may come next, with EOS in a word; empty in the dead state.  O(moves of the control), once
        for each pattern of zeros.
        """
        if state is None:
            return frozenset()
        key = (state[0], _signs(state[1]))
        if key not in self._legal:
            symbols = {move.symbol for move in self._of_control.get(state[0], ()) if satisfies(state[1], move.tests)}
            _keep(self._legal, key, frozenset(symbols | {EOS} if self.accepts(state) else symbols))
        return self._legal[key]

    def accepts(self, state: Configuration | None) -> bool:
        if state is None:
            return False
        return any(control == state[0] and satisfies(state[1], tests) for control, tests in self.accepting)

    @cached_property
    def _of_control(self) -> dict[str, tuple[Move, ...]]:
        return {name: tuple(move for move in self.moves if move.control == name) for name in self.controls}

    @cached_property
    def _symbols(self) -> frozenset[str]:
        return frozenset(self.alphabet)

    @cached_property
    def _moves(self) -> dict[tuple[str, str, tuple[bool, ...]], Move | None]:
        return {}

    @cached_property
    def _legal(self) -> dict[tuple[str, tuple[bool, ...]], frozenset[str]]:
        return {}


def _signs(values: tuple[int, ...]) -> tuple[bool, ...]:
    """Which counters are positive: all that a move and what is legal depend on, and there are few of these."""
    return tuple([value > 0 for value in values])


def _keep(found: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    """Keeps this, and lets go of all others where they are many: k counters have 2^k patterns."""
    if len(found) >= _MOST_KEPT:
        found.clear()
    found[key] = value


def satisfies(values: tuple[int, ...], tests: str) -> bool:
    """Whether all tests hold of the counters; O(those that are tested), once it was asked for."""
    return all((values[counter] > 0) == positive for counter, positive in _tested(tests))


@lru_cache(1 << 14)
def _tested(tests: str) -> tuple[tuple[int, bool], ...]:
    """Which counters are tested, and whether for being positive."""
    return tuple((counter, test == POSITIVE) for counter, test in enumerate(tests) if test != EITHER)


# -- the languages ------------------------------------------------------------------------------------

NAMES = ("dyck-1", "shuffle-2", "shuffle-4", "shuffle-6", "boolean-3", "boolean-5", "anbn", "anbncn", "anbncndn")
"""The nine counter languages of the experiments."""

RUNS = {"anbn": "ab", "anbncn": "abc", "anbncndn": "abcd"}
"""The letters of the languages of equal runs."""

OPERATORS = "~+>*^"
"""Operators of arity 1, 2, 3, 4, 5."""

OPERANDS = "01"

SHUFFLE_LIMIT = 64
"""The greatest number of bracket types in a shuffle, unless told otherwise."""

_BRACKETS = ("()", "[]", "{}", "<>", "+-", "ab")


def shuffle_brackets(k: int) -> tuple[tuple[str, str], ...]:
    """The (opening, closing) symbols of shuffle-k: the six pairs of the experiments, or named ones where k > 6.

    >>> shuffle_brackets(2)
    (('(', ')'), ('[', ']'))
    >>> shuffle_brackets(7)[-1]
    ('(g', 'g)')
    """
    if k <= len(_BRACKETS):
        return tuple((pair[0], pair[1]) for pair in _BRACKETS[:k])
    return tuple((f"({type_name(i)}", f"{type_name(i)})") for i in range(k))


def parse_name(name: str, most: int | None = None) -> tuple[str, int]:
    """(family, number): ("dyck", 1), ("shuffle", k), ("boolean", n) or (one of RUNS, 0).

    Args:
        name: the name.
        most: the greatest k of a shuffle; by default SHUFFLE_LIMIT.

    Raises:
        InputError: for an unknown name, with near matches, or a number out of range.
        LimitError: for a shuffle of too many types.

    >>> parse_name("shuffle-3"), parse_name("anbncn")
    (('shuffle', 3), ('anbncn', 0))
    """
    if name in RUNS:
        return name, 0
    family, dash, number = name.partition("-")
    greatest = {"dyck": 1, "shuffle": SHUFFLE_LIMIT if most is None else most, "boolean": len(OPERATORS)}.get(family)
    if not dash or greatest is None or not (number.isascii() and number.isdigit() and len(number) < 9):
        near = difflib.get_close_matches(name[:100], (*NAMES, "shuffle", "boolean"), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(NAMES)}"
        raise InputError(f"unknown counter language {quoted(name)}: {hint}")
    expected = f"{name}: the number is {int(number)}, expected {'1' if family == 'dyck' else f'from 1 to {greatest}'}"
    if family == "shuffle" and int(number) > greatest:
        raise LimitError(f"{expected}: raise the limit to go on", "most")
    if not 1 <= int(number) <= greatest:
        raise InputError(expected)
    return family, int(number)


def counter_machine(name: str, most: int | None = None) -> CounterMachine:
    """The machine that defines a counter language.

    Args:
        name: the name.
        most: as for :func:`parse_name`.

    Raises:
        InputError, LimitError: as :func:`parse_name`.

    >>> [counter_machine(name).accepts(counter_machine(name).initial) for name in ("dyck-1", "boolean-3")]
    [True, False]
    """
    family, number = parse_name(name, most)
    if family in RUNS:
        return _runs(name, RUNS[family])
    if family == "boolean":
        return _boolean(name, number)
    return _brackets(name, shuffle_brackets(number))


def _brackets(name: str, pairs: tuple[tuple[str, str], ...]) -> CounterMachine:
    """One counter for each type: how many of its brackets are open."""
    k = len(pairs)

    def at(i: int, test: str) -> str:
        return EITHER * i + test + EITHER * (k - i - 1)

    def add(i: int, amount: int) -> tuple[int, ...]:
        return tuple(amount if j == i else 0 for j in range(k))

    opening = tuple(Move("run", pair[0], EITHER * k, "run", add(i, 1)) for i, pair in enumerate(pairs))
    closing = tuple(Move("run", pair[1], at(i, POSITIVE), "run", add(i, -1)) for i, pair in enumerate(pairs))
    return CounterMachine(
        name=name,
        alphabet=tuple(chain.from_iterable(pairs)),
        controls=("run",),
        counters=tuple(f"open {opened} {closed}" for opened, closed in pairs),
        initial=("run", (0,) * k),
        moves=opening + closing,
        accepting=(("run", ZERO * k),),
    )


def _boolean(name: str, n: int) -> CounterMachine:
    """One counter: how many expressions are still to come.  An operator takes one and asks for its arity."""
    operators = OPERATORS[:n]
    moves = tuple(Move("run", symbol, POSITIVE, "run", (arity - 1,)) for arity, symbol in enumerate(operators, start=1))
    moves += tuple(Move("run", symbol, POSITIVE, "run", (-1,)) for symbol in OPERANDS)
    return CounterMachine(name, (*operators, *OPERANDS), ("run",), ("pending",), ("run", (1,)), moves, (("run", ZERO),))


def _runs(name: str, letters: str) -> CounterMachine:
    """Counter i: how many of letter i are not matched by letter i + 1 yet.  The control is the run that we are in."""
    count = len(letters) - 1

    def tests(needed: dict[int, str]) -> str:
        return "".join(needed.get(i, EITHER) for i in range(count))

    def add(amounts: dict[int, int]) -> tuple[int, ...]:
        return tuple(amounts.get(i, 0) for i in range(count))

    moves = [Move(control, letters[0], EITHER * count, letters[0], add({0: 1})) for control in ("start", letters[0])]
    for i, letter in enumerate(letters[1:], start=1):
        # A letter needs one of the letter before it, and all of those before that matched.
        needed = {i - 1: POSITIVE, i - 2: ZERO}
        moves += [
            Move(control, letter, tests(needed), letter, add({i - 1: -1, i: 1})) for control in (letters[i - 1], letter)
        ]
    return CounterMachine(
        name=name,
        alphabet=tuple(letters),
        controls=("start", *letters),
        counters=tuple(f"unmatched {letter}" for letter in letters[:-1]),
        initial=("start", (0,) * count),
        moves=tuple(moves),
        accepting=((letters[-1], EITHER * (count - 1) + ZERO),),
    )
