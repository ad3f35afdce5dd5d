"""Does a cascade do what an automaton does?  A search through all pairs of their states that some word leads to.

It is exact for every cascade and knows nothing of how it was made.  The number of pairs can grow exponentially with
the levels; :mod:`constructions.compile.pair_graph` is for holonomy cascades that have too many.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Callable, Iterable, Sequence

from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import BOS, PREDICTIVE
from constructions.cascade import Add, AtLeast, Bit, Cascade, Copy, Counter, In, Is, Literal, Permute, Rule, Set
from constructions.compile.krohn_rhodes import outputs_of

EMULATION_LIMIT = 200_000
"""Pairs of states after which :func:`emulates` stops unless told otherwise."""


def emulates(cascade: Cascade, dfa: DFA, limit: int = EMULATION_LIMIT) -> tuple[str, ...] | None:
    """None when the cascade gives what the automaton gives after every prefix, else a shortest word where it does not.

    A predictor is asked on prefixes of words only.  A word on which two rules of one register or signal fire
    together counts as one where it does not.  Where both have fallen silent for good, a register being stuck at a
    value that no output is given with, the search does not go on, so that a counter may go on counting there.

    Raises:
        InputError: when the alphabets differ, or when more than ``limit`` pairs of states are reached.

    Cost: O(pairs * symbols * (registers + signals)).
    """
    if set(cascade.alphabet) != set(dfa.alphabet):
        raise InputError(f"the cascade's alphabet is {cascade.alphabet}, the automaton's {dfa.alphabet}")
    predictive = cascade.mode == PREDICTIVE
    live = dfa.live.tolist()
    table = dfa.table.tolist()
    wanted = outputs_of(dfa, cascade.mode)
    program = _Program(cascade)

    def word_to(pair: tuple, *last: str) -> tuple[str, ...]:
        letters = list(last)
        while (edge := parent[pair]) is not None:
            pair, symbol = edge
            letters.append(symbol)
        return tuple(reversed(letters))

    if predictive and not live[dfa.initial]:
        return None
    values, outputs = program.step(tuple(register.initial for register in cascade.registers), BOS)
    if outputs != wanted[dfa.initial]:
        return ()
    silent = _silent_values(cascade)
    start = (values, dfa.initial)
    parent: dict[tuple, tuple | None] = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        values, state = here
        for symbol, target in zip(dfa.alphabet, table[state]):
            if predictive and not live[target]:
                continue
            try:
                after, outputs = program.step(values, symbol)
            except _Conflict:
                return word_to(here, symbol)
            there = (after, target)
            if outputs != wanted[target]:
                return word_to(here, symbol)
            if there not in parent and (live[target] or not any(after[place] == value for place, value in silent)):
                if len(parent) >= limit:
                    raise InputError(
                        f"more than {limit} pairs of a cascade state and a state: raise the limit to go on"
                    )
                parent[there] = (here, symbol)
                waiting.append(there)
    return None


def _silent_values(cascade: Cascade) -> list[tuple[int, int]]:
    """Positions of registers, and values that such a register never leaves and with which nothing is given out."""

    def forbids(literal: Literal, name: str, value: int) -> bool:
        if not isinstance(literal, (Is, Bit)) or literal.name != name or literal.before:
            return False
        return literal.value != (value if isinstance(literal, Is) else value >> literal.index & 1)

    return [
        (place, value)
        for place, register in enumerate(cascade.registers)
        if not isinstance(register, Counter)
        for value in range(register.values)
        if all(rule.then == Set(value) for rule in register.rules)
        and all(
            any(forbids(literal, register.name, value) for literal in emission.when) for emission in cascade.emissions
        )
    ]


# -- a fast way to run a cascade ------------------------------------------------------------------------


class _Conflict(Exception):
    """Two rules fired together that must not."""


class _Program:
    """A cascade made ready for many steps: each item's rules are looked up by a feature that all of them name.

    It agrees with :meth:`Cascade.step`, its slow twin; features live in one list of numbers, old registers first,
    and a signal that is off is None.
    """

    def __init__(self, cascade: Cascade):
        self.cascade = cascade
        self.old = {register.name: i for i, register in enumerate(cascade.registers)}
        self.new = {name: len(self.old) + i for i, name in enumerate(cascade.names)}
        self.binary = {name for name, item in cascade.names.items() if getattr(item, "coding", "") == "binary"}
        self.items = [
            (self.new[item.name], self.old.get(item.name), isinstance(item, Counter), _Dispatch(self, item.rules))
            for level in cascade.levels
            for item in (*level.registers, *level.signals)
        ]
        self.emissions = _Dispatch(self, cascade.emissions)
        self.registers = [self.new[register.name] for register in cascade.registers]

    def place(self, name: str, before: bool) -> int:
        return self.old[name] if before else self.new[name]

    def step(self, values: tuple[int, ...], symbol: str) -> tuple[tuple[int, ...], frozenset[str]]:
        """The registers' values and the outputs after the symbol."""
        features: list = [*values, *[None] * len(self.new)]
        for place, old, counts, rules in self.items:
            fired = rules.firing(features, symbol)
            # A signal has no value before, and is neither added to nor permuted.
            current: Any = None if old is None else features[old]
            if counts:
                features[place] = self._count(current, fired)
            elif not fired:
                features[place] = current
            elif len(fired) > 1:
                raise _Conflict
            else:
                features[place] = self._act(fired[0].then, current, features)
        outputs = frozenset().union(*(emission.outputs for emission in self.emissions.firing(features, symbol)))
        return tuple(features[place] for place in self.registers), outputs

    @staticmethod
    def _count(current: int, fired: Sequence[Rule]) -> int:
        sets = [rule.then.value for rule in fired if isinstance(rule.then, Set)]
        if sets and len(fired) > 1:
            raise _Conflict
        return sets[0] if sets else current + sum(rule.then.amount for rule in fired if isinstance(rule.then, Add))

    def _act(self, action: Set | Copy | Permute, current: int, features: list) -> int:
        if isinstance(action, Set):
            return action.value
        if isinstance(action, Permute):
            return action.images[current]
        return features[self.place(action.source, action.before)] or 0

    def test(self, literal: Literal) -> Callable[[list, str], bool]:
        """The literal as a function of the features and the symbol."""
        if isinstance(literal, In):
            symbols = literal.symbols
            return lambda features, symbol: symbol in symbols
        place = self.place(literal.name, literal.before)
        if isinstance(literal, Bit):
            index, value = literal.index, literal.value
            return lambda features, symbol: (features[place] or 0) >> index & 1 == value
        if isinstance(literal, AtLeast):
            bound, wanted = literal.bound, not literal.negated
            return lambda features, symbol: (features[place] >= bound) == wanted
        value = literal.value
        if literal.name in self.binary:
            return lambda features, symbol: (features[place] or 0) == value
        return lambda features, symbol: features[place] == value


class _Dispatch:
    """Rules (or emissions) by the value of a feature that the first literal of each asks for, where there is one."""

    def __init__(self, program: _Program, rules: Iterable):
        self.by_symbol: dict[str, list] = {}
        self.by_value: dict[tuple[int, int], list] = {}
        self.others: list = []
        self.places: list[int] = []
        for rule in rules:
            first = rule.when[0] if rule.when else None
            entry = (tuple(program.test(literal) for literal in rule.when[1:]), rule)
            if isinstance(first, In):
                for symbol in first.symbols:
                    self.by_symbol.setdefault(symbol, []).append(entry)
            elif isinstance(first, Is) and first.name not in program.binary:
                place = program.place(first.name, first.before)
                self.by_value.setdefault((place, first.value), []).append(entry)
                if place not in self.places:
                    self.places.append(place)
            else:
                self.others.append((tuple(program.test(literal) for literal in rule.when), rule))

    def firing(self, features: list, symbol: str) -> list:
        found = []
        candidates = [self.others, self.by_symbol.get(symbol, ())]
        candidates += [self.by_value.get((place, features[place]), ()) for place in self.places]
        for entries in candidates:
            for tests, rule in entries:
                if all(test(features, symbol) for test in tests):
                    found.append(rule)
        return found
