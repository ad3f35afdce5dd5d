"""Fewer blocks: a signal that is a small formula is written into the boxes that read it.

A signal costs a block of its own, because its neurons must have fired before somebody can read it.  A box that asks for
some of its values is the union of the boxes in which it has them, so it can be asked for directly, at the price of more
boxes.  All blocks of a Mamba are equally wide, so boxes are free until one item has too many of them.

Windows on counters stay: they are no boxes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

from constructions.conditions.cases import Box, Case, Key, meet, tidy, without
from constructions.conditions.network import Choice, Item, Memory, Network, Total

WIDTH = 64
"""An item may have this many boxes after inlining; where it has more already, none may be added."""


def inline(network: Network, width: int = WIDTH) -> Network:
    """The network with every signal inlined whose readers stay below ``width`` boxes, first signals first."""
    for choice in [item for item in network.items if isinstance(item, Choice)]:
        # It may have changed by what was inlined above it.
        choice = next(
            item for item in network.items if isinstance(item, Choice) and item.variable.key == choice.variable.key
        )
        smaller = _without_signal(network, choice)
        if all(_boxes(new) <= max(width, _boxes(old)) for old, new in _pairs(network, smaller, choice)):
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
    if isinstance(item, (Memory, Choice, Total)) and any(_reads(case.box, choice.variable.key) for case in item.cases):
        cases = _inlined(item.cases, choice, network, disjoint=not isinstance(item, Total))
        return replace(item, cases=tuple(cases))
    return item


def _inlined(cases: Sequence[Case], choice: Choice, network: Network, disjoint: bool) -> list[Case]:
    key = choice.variable.key
    if not any(_reads(case.box, key) for case in cases):
        return list(cases)
    written = [Case(part, case.value) for case in cases for part in _expanded(case.box, choice, network.sizes)]
    # The increments of a counter add up, so its boxes are neither merged nor made disjoint.
    return tidy(written, network.sizes) if disjoint else written


def _expanded(whole: Box, choice: Choice, sizes: dict[Key, int]) -> list[Box]:
    """The box with its demand on the signal replaced by the boxes in which the signal has one of these values."""
    key = choice.variable.key
    wanted = dict(whole).get(key)
    if wanted is None:
        return [whole]
    rest: Box = tuple(side for side in whole if side[0] != key)
    if choice.variable.default not in wanted:
        parts = (meet(rest, case.box) for case in choice.cases if case.value in wanted)
        return [part for part in parts if part is not None]
    parts = [rest]
    for case in choice.cases:
        if case.value not in wanted:
            parts = [piece for part in parts for piece in without(part, case.box, sizes)]
    return parts


def _pairs(network: Network, smaller: Network, choice: Choice):
    """The boxes of each reader before and after."""
    kept = [item for item in network.items if item is not choice]
    for old, new in zip(kept, smaller.items):
        if isinstance(old, (Memory, Choice, Total)):
            yield old.cases, new.cases
    yield network.emissions, smaller.emissions


def _boxes(cases: Sequence[Case]) -> int:
    return len({case.box for case in cases})


def _reads(where: Box, key: Key) -> bool:
    return any(side == key for side, _ in where)
