"""A permutation register as smaller ones side by side, from whose values its own is read.

The permutations of a register may respect ways to part its values into blocks: each takes blocks to blocks.  Which
block the value is in is then a register of its own, with as many values as there are blocks.  Where several such
registers tell all values apart, they can stand in its place: of a group that acts on itself, on 120 points for S5, four
registers of 5 points that each hold where one point goes.

The ways to part the values are those that are made by putting two values together, and by putting two ways together, as
far as they are looked for.  Of these the ones are taken that tell most values apart for what they cost, and those that
turn out not to be needed are left out again.

Source: blocks of imprimitivity are the subgroups above a stabiliser, and an action with blocks that meet in single
points is a subdirect product of the actions on the blocks (Dixon and Mortimer, *Permutation Groups*, 1996, 1.5).
"""

from __future__ import annotations

from math import log
from typing import Iterable, Sequence

from constructions.cascade import Cascade, Is, Level, Permutation, Permute, Rule, Set, Signal
from constructions.compile.factorings import length
from constructions.compile.splitting import Splitting, signal_of

_MOST = 1 << 21
"""Values of all the ways to part them that are put together: a few seconds.  Up to 100 values all ways are found."""

Parting = tuple[int, ...]
"""For each value the least of its block."""


def by_quotients(cascade: Cascade) -> Cascade:
    """The cascade, every permutation register that some rule moves by more than one transposition, and for which there
    are smaller ones side by side, replaced by these.

    >>> from automata.dfa import DFA
    >>> from automata.machine import RECOGNISE
    >>> from constructions.compile.krohn_rhodes import holonomy_cascade
    >>> s3 = DFA("ab", [[2, 3], [3, 2], [0, 5], [1, 4], [5, 0], [4, 1]], [0])  # a swap, a rotation
    >>> cascade = holonomy_cascade(s3, RECOGNISE)
    >>> [register.values for register in cascade.registers]
    [6]
    >>> [register.values for register in by_quotients(cascade).registers]
    [2, 3]
    """
    return _Quotients(cascade).cascade()


class _Quotients(Splitting):
    def levels_of(self, register: Permutation) -> list[Level] | None:
        moves = sorted({rule.then.images for rule in register.rules if isinstance(rule.then, Permute)})
        simple = all(length(images) < 2 for images in moves)
        chosen = None if simple else _chosen(register.values, moves)
        if chosen is None:
            return None
        blocks: list[list[int]] = []
        for parting in chosen:
            blocks.append(_as_one_of(blocks, _numbered(parting), moves))
        names = [f"{register.name} by {number}" for number in range(1, len(chosen) + 1)]
        smaller = tuple(_quotient(register, name, block) for name, block in zip(names, blocks))
        signals = tuple(
            Signal(
                signal_of(register.name, before),
                register.values,
                tuple(
                    Rule(tuple(Is(name, block[value], before) for name, block in zip(names, blocks)), Set(value))
                    for value in range(register.values)
                ),
                "binary",
            )
            for before in (False, True)[: 1 + (register.name in self.whole.read_before)]
        )
        return [Level(smaller), Level((), signals)]


def _quotient(register: Permutation, name: str, block: Sequence[int]) -> Permutation:
    """The register of the blocks."""
    rules: list[Rule] = []
    for rule in register.rules:
        if isinstance(rule.then, Set):
            rules.append(Rule(rule.when, Set(block[rule.then.value])))
        else:
            images = dict(sorted((block[value], block[image]) for value, image in enumerate(rule.then.images)))
            rules.append(Rule(rule.when, Permute(tuple(images.values()))))
    return Permutation(name, max(block) + 1, tuple(rules), block[register.initial])


def _as_one_of(known: Sequence[list[int]], block: list[int], moves: Sequence[Sequence[int]]) -> list[int]:
    """The blocks in other numbers, in which they move as those of an earlier register do, if that can be."""
    for other in known:
        if max(other) != max(block):
            continue
        here, there = ([dict(zip(one, [one[v] for v in images])) for images in moves] for one in (block, other))
        for first in range(max(other) + 1):
            named, left = {block[0]: first}, [block[0]]
            while left:
                one = left.pop()
                for mine, theirs in zip(here, there):
                    if mine[one] not in named:
                        named[mine[one]] = theirs[named[one]]
                        left.append(mine[one])
            same = len(set(named.values())) == max(block) + 1 and all(
                named[mine[one]] == theirs[named[one]] for mine, theirs in zip(here, there) for one in mine
            )
            if same:
                return [named[one] for one in block]
    return block


def _chosen(values: int, moves: Sequence[Sequence[int]]) -> list[Parting] | None:
    """Ways to part the values that together tell all apart; None where no register gets smaller by that."""
    found = [parting for parting in _partings(values, moves) if 1 < _blocks(parting) < values]
    chosen: list[Parting] = []
    together: Sequence[int] = (0,) * values
    while _blocks(together) < values:
        best = max(
            ((_blocks(_both(together, parting)), parting) for parting in found),
            key=lambda one: log(one[0] / _blocks(together)) / _cost(one[1]),
            default=(0, ()),
        )
        if best[0] <= _blocks(together):
            return None
        chosen.append(best[1])
        together = _both(together, best[1])
    for parting in sorted(chosen, key=_cost):
        rest = [other for other in chosen if other != parting]
        if rest and _blocks(_all(rest)) == values:
            chosen = rest
    return chosen


def _cost(parting: Parting) -> int:
    """What a register of these blocks costs: a rule for each two of its values, at as many levels as it has values."""
    return _blocks(parting) ** 3


def _partings(values: int, moves: Sequence[Sequence[int]]) -> list[Parting]:
    """Ways to part the values that all moves respect, as far as _MOST allows."""
    apart = tuple(range(values))
    least = sorted({_joined(apart, [(one, other)], moves) for one in range(2) for other in range(one + 1, values)})
    found, left, joins = dict.fromkeys(least), list(least), 0
    while left and joins * values < _MOST:
        one, joins = left.pop(), joins + len(least)
        for other in least:
            both = _joined(one, list(enumerate(other)), moves)
            if both not in found:
                found[both] = None
                left.append(both)
    return list(found)


def _joined(parting: Iterable[int], pairs: Sequence[tuple[int, int]], moves: Sequence[Sequence[int]]) -> Parting:
    """The finest way that puts these pairs together, too, and is respected."""
    root = list(parting)

    def of(value: int) -> int:
        while root[value] != value:
            root[value] = root[root[value]]
            value = root[value]
        return value

    left = list(pairs)
    while left:
        one, other = (of(value) for value in left.pop())
        if one != other:
            root[max(one, other)] = min(one, other)
            left += [(images[one], images[other]) for images in moves]
    return tuple(of(value) for value in range(len(root)))


def _both(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The blocks of both at once, numbered."""
    number: dict[tuple[int, int], int] = {}
    return [number.setdefault(pair, len(number)) for pair in zip(one, other)]


def _all(partings: Sequence[Parting]) -> Sequence[int]:
    together: Sequence[int] = (0,) * len(partings[0])
    for parting in partings:
        together = _both(together, parting)
    return together


def _numbered(parting: Parting) -> list[int]:
    """The number of each value's block."""
    number = {block: i for i, block in enumerate(sorted(set(parting)))}
    return [number[block] for block in parting]


def _blocks(parting: Sequence[int]) -> int:
    return len(set(parting))
