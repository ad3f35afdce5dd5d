"""The part of an automaton that prefixes of words visit, and the smaller machines that it maps onto.

A predictor is asked on prefixes of words only, so the dead state need not exist and a transition into it may go
anywhere: what is left is a *partial* automaton.  A *closed partition* of its states is one where the states of a
block go, by each symbol, to one block, as far as they go anywhere; its blocks form a smaller partial automaton, a
quotient.

Source: J. Hartmanis and R. E. Stearns, "Algebraic Structure Theory of Sequential Machines" (1966).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Collection, Iterator, Sequence

from automata.dfa import DFA
from automata.machine import ACCEPT, PREDICTIVE

NOWHERE = -1
"""In a table: there is no transition that matters."""

MERGE_LIMIT = 100_000
"""Attempts to merge blocks after which a search for quotients gives up."""

TransitionRows = list[list[int]]
Partition = tuple[int, ...]
"""For each state its block; blocks are numbered in the order of their first states."""


@dataclass(frozen=True)
class LivePart:
    """A partial automaton: state 0 is initial, states are numbered breadth-first.

    ``symbols[a]`` are the symbols of letter ``a``, which act alike; ``table[q][a]`` is a state or NOWHERE;
    ``outputs[q]`` is what state ``q`` gives out.
    """

    symbols: tuple[tuple[str, ...], ...]
    table: TransitionRows
    outputs: tuple[frozenset[str], ...]

    @property
    def states(self) -> int:
        return len(self.table)


def live_part(dfa: DFA) -> LivePart | None:
    """What is left of an automaton on prefixes of words, with their legal sets; None when there is no word.

    >>> live = live_part(DFA("ab", [[1, 2], [2, 0], [2, 2]], accepting=[0]))  # (ab)*
    >>> live.table, [sorted(outputs) for outputs in live.outputs]
    ([[1, -1], [-1, 0]], [['<eos>', 'a'], ['b']])
    """
    if not dfa.live[dfa.initial]:
        return None
    return _part(dfa, lambda q: dfa.live[q], PREDICTIVE)


def whole(dfa: DFA, mode: str) -> LivePart:
    """All reachable states, with what they give out in this mode."""
    return _part(dfa, lambda q: True, mode)


def _part(dfa: DFA, keep, mode: str) -> LivePart:
    table = dfa.table.tolist()
    number = {dfa.initial: 0}
    order = [dfa.initial]
    for q in order:
        for target in table[q]:
            if target not in number and keep(target):
                number[target] = len(order)
                order.append(target)
    columns: dict[tuple[int, ...], list[str]] = {}
    for a, symbol in enumerate(dfa.alphabet):
        columns.setdefault(tuple(number.get(table[q][a], NOWHERE) for q in order), []).append(symbol)
    outputs = [dfa.legal(q) if mode == PREDICTIVE else frozenset({ACCEPT} if dfa.accepts(q) else ()) for q in order]
    return LivePart(tuple(map(tuple, columns.values())), [list(row) for row in zip(*columns)], tuple(outputs))


# -- closed partitions --------------------------------------------------------------------------------


@dataclass
class Effort:
    """How many more merges of blocks may be tried; shared by the steps of one search."""

    merges: int


def maximal_partition(
    table: TransitionRows, apart: tuple[int, Collection[int]], order: Sequence[int], effort: Effort
) -> Partition | None:
    """A closed partition that cannot be coarser and still keep the state ``apart[0]`` out of the blocks of
    ``apart[1]``.

    States are merged with earlier ones of the order wherever that is possible.  None when the effort was used up.
    Cost: O(states^2) attempts, each as long as what it would merge.
    """
    blocks = _Blocks(table, apart, effort)
    roots: list[int] = []
    for state in order:
        if effort.merges < 0:
            return None
        here = blocks.find(state)
        if not any(blocks.merge(root, here) for root in dict.fromkeys(map(blocks.find, roots))):
            roots.append(state)
    return blocks.partition()


class _Blocks:
    """Disjoint sets of states, merged together with all that they lead to, or not at all."""

    def __init__(self, table: TransitionRows, apart: tuple[int, Collection[int]], effort: Effort):
        self.effort = effort
        self.parent = list(range(len(table)))
        self.targets = [list(row) for row in table]
        # 1: has the state that is to be kept apart; 2: has one of those from which; never both
        self.colour = [0] * len(table)
        for state in apart[1]:
            self.colour[state] = 2
        self.colour[apart[0]] |= 1

    def find(self, state: int) -> int:
        while self.parent[state] != state:
            state = self.parent[state]
        return state

    def merge(self, one: int, other: int) -> bool:
        """Whether the two blocks could be merged (or were one already); if not, nothing has changed."""
        undo: list[tuple[int, int, list[int], int]] = []
        todo = [(one, other)]
        while todo:
            one, other = sorted(map(self.find, todo.pop()))
            if one == other:
                continue
            if self.colour[one] | self.colour[other] == 3:
                for kept, merged, targets, colour in reversed(undo):
                    self.parent[merged], self.targets[kept], self.colour[kept] = merged, targets, colour
                return False
            self.effort.merges -= 1
            undo.append((one, other, self.targets[one], self.colour[one]))
            self.parent[other] = one
            self.colour[one] |= self.colour[other]
            both = list(zip(self.targets[one], self.targets[other]))
            self.targets[one] = [max(pair) for pair in both]
            todo += [pair for pair in both if min(pair) >= 0 and pair[0] != pair[1]]
        return True

    def partition(self) -> Partition:
        names: dict[int, int] = {}
        return tuple(names.setdefault(self.find(state), len(names)) for state in range(len(self.parent)))


def quotient(table: TransitionRows, partition: Partition) -> TransitionRows:
    """The partial automaton of the blocks of a closed partition.

    >>> quotient([[1, -1], [2, 0], [-1, 1]], (0, 1, 0))
    [[1, 1], [0, 0]]
    """
    blocks = [[NOWHERE] * len(table[0]) for _ in range(max(partition) + 1)]
    for state, row in enumerate(table):
        for a, target in enumerate(row):
            if target != NOWHERE:
                blocks[partition[state]][a] = partition[target]
    return blocks


def completions(table: TransitionRows) -> Iterator[TransitionRows]:
    """Some complete automata that do what a partial one does: each either has its states or one more, the sink.

    Where the partial one goes nowhere, they stay; or, by a letter that goes to one state only, go there, and else
    stay; or go to the sink.
    """
    if all(NOWHERE not in row for row in table):
        yield table
        return
    goals = [set(column) - {NOWHERE} for column in zip(*table)]
    only = [goal.pop() if len(goal) == 1 else None for goal in goals]
    for elsewhere in ([None] * len(only), only):
        yield [
            [(q if there is None else there) if target == NOWHERE else target for target, there in zip(row, elsewhere)]
            for q, row in enumerate(table)
        ]
    yield with_sink(table)


def with_sink(table: TransitionRows) -> TransitionRows:
    """The complete automaton with one more state, to which all goes that went nowhere."""
    sink = len(table)
    rows = [[sink if target == NOWHERE else target for target in row] for row in table]
    return rows + [[sink] * len(table[0])]


# -- which outputs need which partitions ---------------------------------------------------------------


@dataclass(frozen=True)
class OutputReading:
    """How one output follows from the blocks: given iff it is allowed by all of these partitions, or by one of them.

    ``allowed[i]``: for each partition that has a say, by its index, the blocks that allow the output.
    """

    output: str
    all_of: bool
    allowed: dict[int, frozenset[int]]


def readings(part: LivePart, all_only: bool, budget: int) -> tuple[list[Partition], list[OutputReading]] | None:
    """Closed partitions from whose blocks every output follows, or None when their codes need ``budget`` bits or more.

    None too after MERGE_LIMIT attempts to merge blocks.

    Each output is read either as "all allow it" or, unless ``all_only``, as "one allows it", whichever adds fewer
    blocks.
    """
    orders = (range(part.states), range(part.states - 1, -1, -1))
    effort = Effort(MERGE_LIMIT)
    chosen: list[Partition] = []
    found: list[OutputReading] = []
    used = 0
    for output in sorted(set(chain.from_iterable(part.outputs))):
        given = [output in outputs for outputs in part.outputs]
        best = None
        for all_of in (True,) if all_only else (True, False):
            # "one allows it" is "not all forbid it": the same search with the roles of the states exchanged
            wanted = given if all_of else [not here for here in given]
            extra = _separate(part.table, wanted, chosen, orders, budget - used, effort)
            if extra is not None:
                blocks = sum(map(max, extra))
                if best is None or blocks < best[0]:
                    best = (blocks, all_of, wanted, extra)
        if best is None:
            return None
        _, all_of, wanted, extra = best
        used += sum(max(partition).bit_length() for partition in extra)
        chosen += extra
        found.append(_reading(output, all_of, wanted, chosen))
    needed = sorted({i for reading in found for i in reading.allowed})
    position = {i: new for new, i in enumerate(needed)}
    moved = [OutputReading(r.output, r.all_of, {position[i]: blocks for i, blocks in r.allowed.items()}) for r in found]
    return [chosen[i] for i in needed], moved


def _separate(
    table: TransitionRows,
    wanted: list[bool],
    chosen: list[Partition],
    orders: Sequence[Sequence[int]],
    budget: int,
    effort: Effort,
) -> list[Partition] | None:
    """Partitions, besides those chosen, such that each unwanted state is in some block without wanted states."""
    inside = [q for q, here in enumerate(wanted) if here]
    missing = [q for q, here in enumerate(wanted) if not here]
    for partition in chosen:
        missing = _still_mixed(partition, inside, missing)
    extra: list[Partition] = []
    bits = 0
    while missing:
        tried = [maximal_partition(table, (missing[0], inside), order, effort) for order in orders]
        found = [partition for partition in tried if partition is not None]
        if len(found) < len(tried):
            return None
        partition = min(found, key=max)
        extra.append(partition)
        bits += max(partition).bit_length()
        if bits >= budget:
            return None
        missing = _still_mixed(partition, inside, missing)
    return extra


def _still_mixed(partition: Partition, inside: list[int], missing: list[int]) -> list[int]:
    mixed = {partition[q] for q in inside}
    return [q for q in missing if partition[q] in mixed]


def _reading(output: str, all_of: bool, wanted: list[bool], chosen: list[Partition]) -> OutputReading:
    """Which of the partitions have a say in an output: the last ones first, since they were made for it."""
    inside = [q for q, here in enumerate(wanted) if here]
    missing = [q for q, here in enumerate(wanted) if not here]
    say: dict[int, frozenset[int]] = {}
    for i in reversed(range(len(chosen))):
        left = _still_mixed(chosen[i], inside, missing)
        if len(left) < len(missing):
            blocks = frozenset(chosen[i][q] for q in inside)
            say[i] = blocks if all_of else frozenset(range(max(chosen[i]) + 1)) - blocks
            missing = left
    return OutputReading(output, all_of, say)
