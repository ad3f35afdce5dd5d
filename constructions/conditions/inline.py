"""Fewer blocks: a signal that is a small formula is written into the cubes that read it.

A signal costs a block of its own, because its neurons must have fired before somebody can read it.  A cube that asks
for some of its values is the union of the cubes in which it has them, so it can be asked for directly, at the price of
more cubes.  All blocks of a Mamba are equally wide, so cubes are free until one item has too many of them.

Windows on counters stay: they are no cubes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

from constructions.conditions.cases import Case, Cube, Key, meet, tidy, without
from constructions.conditions.network import Choice, Item, Latch, Network, Rearranged, Total, Window

WIDTH = 64
"""An item may have this many cubes after inlining; where it has more already, none may be added."""


_TRIED = 1_000
"""Cubes that are brought to disjoint ones to see how many are left, which takes their square."""


class _TooMany(Exception):
    """A signal is no small formula where it is read."""


def inline(network: Network, width: int = WIDTH) -> Network:
    """The network with every signal inlined whose readers stay below ``width`` cubes, first signals first."""
    for choice in [item for item in network.items if isinstance(item, Choice)]:
        # It may have changed by what was inlined above it.
        choice = next(
            item for item in network.items if isinstance(item, Choice) and item.variable.key == choice.variable.key
        )
        try:
            smaller = _without_signal(network, choice)
        except _TooMany:
            continue
        if all(_cubes(new) <= max(width, _cubes(old)) for old, new in _pairs(network, smaller, choice)):
            network = smaller
    return network


def _without_signal(network: Network, choice: Choice) -> Network:
    items = tuple(_rewritten(item, choice, network) for item in network.items if item is not choice)
    emissions: list[Case] = []
    for output in network.outputs:
        of_output = [case for case in network.emissions if case.value == output]
        emissions += _inlined(of_output, choice, network, disjoint=True)
    return replace(network, items=items, emissions=tuple(emissions))


def _rewritten(item: Item, choice: Choice, network: Network) -> Item:
    if isinstance(item, (Latch, Rearranged, Choice, Total)) and any(
        _reads(case.cube, choice.variable.key) for case in item.cases
    ):
        cases = _inlined(item.cases, choice, network, disjoint=not isinstance(item, Total))
        return replace(item, cases=tuple(cases))
    return item


def _inlined(cases: Sequence[Case], choice: Choice, network: Network, disjoint: bool) -> list[Case]:
    key = choice.variable.key
    if not any(_reads(case.cube, key) for case in cases):
        return list(cases)
    written = [Case(part, case.value) for case in cases for part in _expanded(case.cube, choice, network.sizes)]
    if disjoint and len(written) > _TRIED:
        raise _TooMany
    # The increments of a counter add up, so its cubes are neither merged nor made disjoint.
    return tidy(written, network.sizes) if disjoint else written


def _expanded(whole: Cube, choice: Choice, sizes: dict[Key, int]) -> list[Cube]:
    """The cube with its demand on the signal replaced by the cubes in which the signal has one of these values."""
    key = choice.variable.key
    wanted = dict(whole).get(key)
    if wanted is None:
        return [whole]
    rest: Cube = tuple(side for side in whole if side[0] != key)
    if choice.variable.default not in wanted:
        met = (meet(rest, case.cube) for case in choice.cases if case.value in wanted)
        return [part for part in met if part is not None]
    parts = [rest]
    for case in choice.cases:
        if case.value not in wanted:
            parts = [piece for part in parts for piece in without(part, case.cube, sizes)]
    return parts


def _pairs(network: Network, smaller: Network, choice: Choice):
    """The cubes of each reader before and after."""
    kept = [item for item in network.items if item is not choice]
    for old, new in zip(kept, smaller.items):
        if not isinstance(old, Window) and not isinstance(new, Window):
            yield old.cases, new.cases
    yield network.emissions, smaller.emissions


def _cubes(cases: Sequence[Case]) -> int:
    return len({case.cube for case in cases})


def _reads(where: Cube, key: Key) -> bool:
    return any(side == key for side, _ in where)
