"""Does a cascade do what an automaton does?  Two answers, neither of which knows how the cascade was made.

:func:`emulates` walks all pairs of a cascade state and a state of the automaton that some word leads to.  It is exact
for every cascade, and its cost is the number of such pairs, which grows exponentially with the levels.

:func:`check_pair_graph` proves a cascade of the form that :mod:`automata.krohn_rhodes` makes, level by level, from
what the digits mean.  Its cost is polynomial in the number of (source, target) pairs, whatever the number of states of
the cascade.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Callable, Iterable, Sequence

from automata.cascade import AtLeast, Bit, Cascade, Copy, Counter, In, Is, Level, Literal, Permute, Rule, Set
from automata.dfa import DFA
from automata.errors import InputError
from automata.holonomy import Skeleton
from automata.machine import ACCEPT, BOS, PREDICTIVE

EMULATION_LIMIT = 200_000
"""Pairs of states after which :func:`emulates` stops unless told otherwise."""


def emulates(cascade: Cascade, dfa: DFA, limit: int = EMULATION_LIMIT) -> tuple[str, ...] | None:
    """None when the cascade gives what the automaton gives after every prefix, else a shortest word where it does not.

    A predictor is asked on prefixes of words only.  A word on which two rules of one register or signal fire together counts as one
    where it does not.  Where both have fallen silent for good, a register being stuck at a value that no output is given with,
    the search does not go on, so that a counter may go on counting there.

    Raises:
        InputError: when the alphabets differ, or when more than ``limit`` pairs of states are reached.

    Cost: O(pairs * symbols * (registers + signals)).
    """
    if set(cascade.alphabet) != set(dfa.alphabet):
        raise InputError(f"the cascade's alphabet is {cascade.alphabet}, the automaton's {dfa.alphabet}")
    predictive = cascade.mode == PREDICTIVE
    live = dfa.live.tolist()
    table = dfa.table.tolist()
    wanted = [dfa.legal(q) if predictive else frozenset({ACCEPT} if dfa.accepts(q) else ()) for q in range(dfa.states)]
    program = _Program(cascade)

    def word_to(pair: tuple, *last: str) -> tuple[str, ...]:
        letters = list(last)
        while parent[pair] is not None:
            pair, symbol = parent[pair]
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
                    raise InputError(f"more than {limit} pairs of a cascade state and a state: raise the limit to go on")
                parent[there] = (here, symbol)
                waiting.append(there)
    return None


def _silent_values(cascade: Cascade) -> list[tuple[int, int]]:
    """Registers (by position) and values such that the register never leaves the value, and nothing is given out with it."""

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
        and all(any(forbids(literal, register.name, value) for literal in emission.when) for emission in cascade.emissions)
    ]


# -- a fast way to run a cascade ------------------------------------------------------------------------


class _Conflict(Exception):
    """Two rules fired together that must not."""


class _Program:
    """A cascade made ready for many steps: each item's rules are looked up by a feature that all of them name.

    It agrees with :meth:`Cascade.step`, its slow twin; features live in one list of numbers, old registers first, and a signal
    that is off is None.
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
            current = None if old is None else features[old]
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
        return sets[0] if sets else current + sum(rule.then.amount for rule in fired)

    def _act(self, action: Set | Copy | Permute, current: int | None, features: list) -> int:
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


# -- the proof by levels --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chart:
    """What the digits of a cascade mean: sets of states that nest, as integers with one bit per state.

    The chain of some digits starts with ``root``; a set of level i < ``levels`` goes on with the tile that digit i names; a set of level
    ``levels`` ends it.
    """

    root: int
    levels: int
    level: dict[int, int]
    tiles: dict[int, tuple[int, ...]]


def chart_of(skeleton: Skeleton) -> Chart:
    """The meaning of the digits of a holonomy cascade."""
    masks = skeleton.masks
    return Chart(
        masks[0],
        skeleton.levels,
        dict(zip(masks, skeleton.level)),
        {masks[s]: tuple(masks[tile] for tile in tiles) for s, tiles in enumerate(skeleton.tiles) if tiles},
    )


def check_pair_graph(cascade: Cascade, dfa: DFA, chart: Chart) -> str | None:
    """None when the cascade provably does what the automaton does on every string, else what is wrong and where.

    The cascade must have one register and one signal per level, whose rules read nothing but the symbol, the signal of the level above
    and, in the signal's rules, the level's register before the symbol.  Nothing in it is taken on trust: the chart
    could be any sets.  Proof, for a symbol with action ``a``:

    Say that (signal, P, D) *holds* at a level when the signal of the level above has this value, P is the chain's set before the
    symbol at the end of the levels above, D the same after the symbol, and P·a ⊆ D.  At the first level this is (none,
    root, root).  From each such fact and each digit that P allows, the rules give this level's digit and signal, hence the
    next P and D, and it is checked that P·a ⊆ D again.  After the last level P = {q} and D = {q'}, so q·a = q': the
    registers hold a chain of the new state whenever they held a chain of the old one.  The outputs are checked there, and
    the start by running BOS.

    What fails here need not fail on a string, since a fact may be about digits that never occur; what passes is right on every string.

    Cost: O(facts * symbols with different rules * rules of one signal value).
    """
    try:
        _PairGraph(cascade, dfa, chart).check()
    except _Fault as fault:
        return str(fault)
    return None


class _Fault(Exception):
    """What the pair-graph check found wrong."""


class _PairGraph:
    def __init__(self, cascade: Cascade, dfa: DFA, chart: Chart):
        if set(cascade.alphabet) != set(dfa.alphabet):
            raise InputError(f"the cascade's alphabet is {cascade.alphabet}, the automaton's {dfa.alphabet}")
        self.cascade, self.dfa, self.chart = cascade, dfa, chart
        self.images: dict[tuple[int, str], int] = {}
        self.columns = {symbol: column for symbol, column in zip(dfa.alphabet, dfa.table.T.tolist())}

    def check(self) -> None:
        if len(self.cascade.levels) != self.chart.levels:
            raise _Fault(f"the cascade has {len(self.cascade.levels)} levels, the chart {self.chart.levels}")
        if self.chart.root != (1 << self.dfa.states) - 1:
            raise _Fault("the chart's root is not the set of all states")
        self._check_start()
        facts: dict[tuple, None] = {(None, self.chart.root, self.chart.root, symbol): None for symbol in self._representatives()}
        for depth, level in enumerate(self.cascade.levels):
            facts = self._descend(depth, level, facts)
        signal = self.cascade.levels[-1].signals[0].name if self.cascade.levels else ""
        emissions = _RulesByNode(self.cascade.emissions, signal, "")
        for node, source, target, symbol in facts:
            for stage in (source, target):
                if stage.bit_count() != 1:
                    raise _Fault(f"a chain ends at {self._show(stage)}, which is not one state")
            given = frozenset().union(*(emission.outputs for emission in emissions.firing(node, symbol, None)))
            state = target.bit_length() - 1
            if given != self._wanted(state):
                raise _Fault(f"in state {state} after {symbol!r} the outputs are {sorted(given)}, expected {sorted(self._wanted(state))}")

    def _wanted(self, state: int) -> frozenset[str]:
        if self.cascade.mode == PREDICTIVE:
            return self.dfa.legal(state)
        return frozenset({ACCEPT} if self.dfa.accepts(state) else ())

    def _check_start(self) -> None:
        start = self.cascade.initial
        here = self.chart.root
        for depth in range(self.chart.levels):
            if self._level(here) == depth:
                here = self._tile(here, start.values[depth])
        if here != 1 << self.dfa.initial:
            raise _Fault(f"after BOS the registers say {self._show(here)}, expected state {self.dfa.initial}")
        if start.outputs != self._wanted(self.dfa.initial):
            raise _Fault(f"after BOS the outputs are {sorted(start.outputs)}, expected {sorted(self._wanted(self.dfa.initial))}")

    def _representatives(self) -> list[str]:
        """One symbol of each set of symbols that neither the automaton nor any rule tells apart."""
        rules = [rule for item in self.cascade.names.values() for rule in item.rules] + list(self.cascade.emissions)
        named = {literal.symbols for rule in rules for literal in rule.when if isinstance(literal, In)}
        alike: dict[tuple, str] = {}
        for symbol in self.dfa.alphabet:
            alike.setdefault((tuple(self.columns[symbol]), *(symbol in symbols for symbols in named)), symbol)
        return list(alike.values())

    def _descend(self, depth: int, level: Level, facts: dict[tuple, None]) -> dict[tuple, None]:
        if len(level.registers) != 1 or len(level.signals) != 1:
            raise _Fault(f"level {depth + 1} has {len(level.registers)} registers and {len(level.signals)} signals, expected one of each")
        above = self.cascade.levels[depth - 1].signals[0].name if depth else ""
        register = level.registers[0].name
        writes = _RulesByNode(level.registers[0].rules, above, "")
        goings = _RulesByNode(level.signals[0].rules, above, register)
        following: dict[tuple, None] = {}
        for node, source, target, symbol in facts:
            here = self._level(source) == depth
            for digit in range(len(self.chart.tiles[source])) if here else (None,):
                written = self._written(writes.firing(node, symbol, digit), digit, register)
                refined = self._tile(source, digit) if here else source
                goal = target
                if self._level(target) == depth:
                    if written is None:
                        raise _Fault(f"{self._where(depth, node, source, target, symbol)}: {register!r} is held at a digit that is not known")
                    goal = self._tile(target, written)
                if self._image(refined, symbol) & ~goal:
                    raise _Fault(
                        f"{self._where(depth, node, source, target, symbol)}: digit {digit} leads to {self._show(self._image(refined, symbol))}, "
                        f"but {register!r} then says {self._show(goal)}"
                    )
                fired = goings.firing(node, symbol, digit)
                if len(fired) > 1:
                    raise _Fault(f"two rules of {level.signals[0].name!r} fire together in node {node}")
                going = self._value(fired[0]) if fired else None
                following[going, refined, goal, symbol] = None
        return following

    def _written(self, fired: list[Rule], digit: int | None, register: str) -> int | None:
        """The digit after the step; None when it is not known."""
        if len(fired) > 1:
            raise _Fault(f"two rules of {register!r} fire together")
        if not fired:
            return digit
        if isinstance(fired[0].then, Permute):
            return None if digit is None else fired[0].then.images[digit]
        return self._value(fired[0])

    @staticmethod
    def _value(rule: Rule) -> int:
        if not isinstance(rule.then, Set):
            raise _Fault(f"the action {rule.then} is not one of a pair graph")
        return rule.then.value

    def _level(self, stage: int) -> int:
        if stage not in self.chart.level:
            raise _Fault(f"the chart does not know the level of {self._show(stage)}")
        return self.chart.level[stage]

    def _tile(self, stage: int, digit: int) -> int:
        tiles = self.chart.tiles[stage]
        if digit >= len(tiles):
            raise _Fault(f"digit {digit} of {self._show(stage)} names no tile: there are {len(tiles)}")
        if self._level(tiles[digit]) <= self._level(stage):
            raise _Fault(f"tile {self._show(tiles[digit])} does not lie below {self._show(stage)}")
        return tiles[digit]

    def _image(self, stage: int, symbol: str) -> int:
        if (stage, symbol) not in self.images:
            column = self.columns[symbol]
            image = 0
            for state in _states(stage):
                image |= 1 << column[state]
            self.images[stage, symbol] = image
        return self.images[stage, symbol]

    def _where(self, depth: int, node: int | None, source: int, target: int, symbol: str) -> str:
        return f"level {depth + 1}, node {node}, {symbol!r} from {self._show(source)} to {self._show(target)}"

    @staticmethod
    def _show(stage: int) -> str:
        states = _states(stage)
        return "{" + ", ".join(map(str, states[:8])) + (", …" if len(states) > 8 else "") + "}"


class _RulesByNode:
    """Rules by the value of the signal above, evaluated from what a fact says and nothing else."""

    def __init__(self, rules: Iterable, above: str, register: str):
        self.register = register
        self.by_node: dict[int, list] = {}
        self.always: list = []
        for rule in rules:
            nodes = {literal.value for literal in rule.when if isinstance(literal, Is) and literal.name == above and above}
            rest = tuple(literal for literal in rule.when if not (isinstance(literal, Is) and literal.name == above and above))
            if len(nodes) == 1:
                self.by_node.setdefault(nodes.pop(), []).append((rest, rule))
            elif not nodes:
                self.always.append((rest, rule))

    def firing(self, node: int | None, symbol: str, digit: int | None) -> list:
        return [
            rule
            for entries in (self.always, self.by_node.get(node, ()))
            for literals, rule in entries
            if all(self._holds(literal, symbol, digit) for literal in literals)
        ]

    def _holds(self, literal: Literal, symbol: str, digit: int | None) -> bool:
        if isinstance(literal, In):
            return symbol in literal.symbols
        if isinstance(literal, (Is, Bit)) and literal.name == self.register and literal.before:
            if digit is None:
                raise _Fault(f"a rule reads {literal.name!r} where its digit is not known")
            return digit == literal.value if isinstance(literal, Is) else digit >> literal.index & 1 == literal.value
        raise _Fault(f"a rule reads {literal.name!r}, which the walk does not determine there")


def _states(mask: int) -> list[int]:
    """The states of a set, ascending."""
    return [q for q, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]
