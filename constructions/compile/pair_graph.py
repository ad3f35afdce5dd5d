"""The proof by levels that a holonomy cascade does what its automaton does, polynomial where a search is exponential.

It looks at one level and one pair of sets of states at a time: the set where the chain before the symbol stands,
and the set where the chain after it does.  It reads the rules of the finished cascade and what the digits are said
to mean, and takes neither on trust: it shares no code with :mod:`constructions.compile.krohn_rhodes`, where such
cascades are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable

from automata.algebra.holonomy import Skeleton
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE
from constructions.cascade import Bit, Cascade, In, Is, Level, Literal, Permute, Rule, Set


@dataclass(frozen=True)
class Chart:
    """What the digits of a cascade mean: sets of states that nest, as integers with one bit per state.

    The chain of some digits starts with ``root``; a set of level i < ``levels`` goes on with the tile that digit i
    names; a set of level ``levels`` ends it.
    """

    root: int
    levels: int
    level: dict[int, int]
    tiles: dict[int, tuple[int, ...]]

    def fault(self, states: int) -> str | None:
        """None when the sets nest, for an automaton with so many states, else what does not.

        The root is the set of all states; a set of level i < ``levels`` is the union of its tiles, each a set of states
        that is not empty and lies on a lower level.  So each state of a set is named by some digit, and by a chain that
        does not leave it.
        """
        if self.root != (1 << states) - 1:
            return f"the chart's root {_show(self.root)} is not the set of all {states} states"
        if self.root not in self.level:
            return f"the chart does not know the level of {_show(self.root)}"
        for stage, level in self.level.items():
            if not 0 < stage <= self.root or not 0 <= level <= self.levels:
                return f"the chart has {_show(stage)} at level {level}, with {states} states and {self.levels} levels"
            union, tiles = 0, self.tiles.get(stage, ())
            for tile in tiles:
                if not 0 < tile or tile & ~stage:
                    return f"tile {_show(tile)} is no part of {_show(stage)}"
                if self.level.get(tile, -1) <= level:
                    return f"tile {_show(tile)} does not lie below {_show(stage)}"
                union |= tile
            if level < self.levels and union != stage:
                return f"the tiles of {_show(stage)} cover {_show(union)} only"
        return None


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

    The cascade must have one register and one signal per level, whose rules read nothing but the symbol, the signal
    of the level above and, in the signal's rules, the level's register, before the symbol or after.  Nothing in it is
    taken on trust: the chart could be any sets.  Proof, for a symbol with action ``a``:

    Say that (signal, P, D) *holds* at a level when the signal of the level above has this value, P is the chain's
    set before the symbol at the end of the levels above, D the same after the symbol, and P·a ⊆ D.  At the first
    level this is (none, root, root).  From each such fact and each digit that P allows, the rules give this level's
    digit and signal, hence the next P and D, and it is checked that P·a ⊆ D again.  After the last level P = {q}
    and D = {q'}, so q·a = q': the registers hold a chain of the new state whenever they held a chain of the old
    one.  The outputs are checked there, and the start by running BOS.

    What fails here need not fail on a string, since a fact may be about digits that never occur; what passes is
    right on every string.

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
        if (fault := self.chart.fault(self.dfa.states)) is not None:
            raise _Fault(fault)
        self._check_start()
        facts: dict[tuple, None] = {
            (None, self.chart.root, self.chart.root, symbol): None for symbol in self._representatives()
        }
        for depth, level in enumerate(self.cascade.levels):
            facts = self._descend(depth, level, facts)
        signal = self.cascade.levels[-1].signals[0].name if self.cascade.levels else ""
        emissions = _RulesByNode(self.cascade.emissions, signal, "")
        for node, source, target, symbol in facts:
            for stage in (source, target):
                if stage.bit_count() != 1:
                    raise _Fault(f"a chain ends at {_show(stage)}, which is not one state")
            given = frozenset().union(*(emission.outputs for emission in emissions.firing(node, symbol, None)))
            state = target.bit_length() - 1
            if given != self._wanted(state):
                raise _Fault(
                    f"in state {state} after {symbol!r} the outputs are {sorted(given)}, "
                    f"expected {sorted(self._wanted(state))}"
                )

    def _wanted(self, state: int) -> frozenset[str]:
        if self.cascade.mode == PREDICTIVE:
            return self.dfa.legal(state)
        return frozenset({ACCEPT} if self.dfa.accepts(state) else ())

    def _check_start(self) -> None:
        start = self.cascade.initial
        here = self.chart.root
        for depth in range(self.chart.levels):
            if self.chart.level[here] == depth:
                here = self._tile(here, start.values[depth])
        if here != 1 << self.dfa.initial:
            raise _Fault(f"after BOS the registers say {_show(here)}, expected state {self.dfa.initial}")
        if start.outputs != self._wanted(self.dfa.initial):
            raise _Fault(
                f"after BOS the outputs are {sorted(start.outputs)}, expected {sorted(self._wanted(self.dfa.initial))}"
            )

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
            raise _Fault(
                f"level {depth + 1} has {len(level.registers)} registers and {len(level.signals)} signals, "
                f"expected one of each"
            )
        above = self.cascade.levels[depth - 1].signals[0].name if depth else ""
        register = level.registers[0].name
        writes = _RulesByNode(level.registers[0].rules, above, "")
        goings = _RulesByNode(level.signals[0].rules, above, register)
        following: dict[tuple, None] = {}
        for node, source, target, symbol in facts:
            here = self.chart.level[source] == depth
            for digit in range(len(self.chart.tiles[source])) if here else (None,):
                written = self._written(writes.firing(node, symbol, digit), digit, register)
                refined = source if digit is None else self._tile(source, digit)
                goal = target
                if self.chart.level[target] == depth:
                    if written is None:
                        raise _Fault(
                            f"{self._where(depth, node, source, target, symbol)}: "
                            f"{register!r} is held at a digit that is not known"
                        )
                    goal = self._tile(target, written)
                if self._image(refined, symbol) & ~goal:
                    raise _Fault(
                        f"{self._where(depth, node, source, target, symbol)}: "
                        f"digit {digit} leads to {_show(self._image(refined, symbol))}, but {register!r} then says "
                        f"{_show(goal)}"
                    )
                fired = goings.firing(node, symbol, digit, written)
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

    def _tile(self, stage: int, digit: int) -> int:
        tiles = self.chart.tiles[stage]
        if digit >= len(tiles):
            raise _Fault(f"digit {digit} of {_show(stage)} names no tile: there are {len(tiles)}")
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
        return f"level {depth + 1}, node {node}, {symbol!r} from {_show(source)} to {_show(target)}"


class _RulesByNode:
    """Rules by the value of the signal above, evaluated from what a fact says and nothing else."""

    def __init__(self, rules: Iterable, above: str, register: str):
        self.register = register
        self.by_node: dict[int, list] = {}
        self.always: list = []
        for rule in rules:
            nodes = {
                literal.value for literal in rule.when if isinstance(literal, Is) and literal.name == above and above
            }
            rest = tuple(
                literal for literal in rule.when if not (isinstance(literal, Is) and literal.name == above and above)
            )
            if len(nodes) == 1:
                self.by_node.setdefault(nodes.pop(), []).append((rest, rule))
            elif not nodes:
                self.always.append((rest, rule))

    def firing(self, node: int | None, symbol: str, digit: int | None, written: int | None = None) -> list:
        """The rules that fire, where ``digit`` is the register's before the symbol and ``written`` after it; None: not
        known.
        """
        return [
            rule
            for entries in (self.always, () if node is None else self.by_node.get(node, ()))
            for literals, rule in entries
            if all(self._holds(literal, symbol, digit, written) for literal in literals)
        ]

    def _holds(self, literal: Literal, symbol: str, digit: int | None, written: int | None) -> bool:
        if isinstance(literal, In):
            return symbol in literal.symbols
        if isinstance(literal, (Is, Bit)) and literal.name == self.register:
            value = digit if literal.before else written
            if value is None:
                raise _Fault(f"a rule reads {literal.name!r} where its digit is not known")
            return value == literal.value if isinstance(literal, Is) else value >> literal.index & 1 == literal.value
        raise _Fault(f"a rule reads {literal.name!r}, which the walk does not determine there")


def _states(mask: int) -> list[int]:
    """The states of a set, ascending."""
    return [q for q, bit in enumerate(reversed(bin(mask)[2:])) if bit == "1"]


def _show(mask: int) -> str:
    states = _states(mask)
    return "{" + ", ".join(map(str, states[:8])) + (", …" if len(states) > 8 else "") + "}"
