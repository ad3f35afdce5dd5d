"""Signals with no more values than are told apart: where all that read a signal treat two of its values alike, they are
one.

A signal of a group's element, of which only whether it is the identity is ever asked, has two values then; and so what
it is read from may have fewer, in turn.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Sequence

from constructions.conditions.cases import Case, Key, cube, tidy
from constructions.conditions.network import Choice, Item, Network, Window


def coarser(network: Network) -> Network:
    """The network with signals of as few values as that, the last signals first.

    O(signals * cubes * values), and for each signal that gets smaller the square of its cubes.
    """
    for key in [item.variable.key for item in reversed(network.items) if isinstance(item, Choice)]:
        network = _merged(network, key)
    return network


def _merged(network: Network, key: Key) -> Network:
    size = network.sizes[key]
    asked = {dict(case.cube)[key] for cases in _everyone(network) for case in cases if key in dict(case.cube)}
    number: dict[frozenset[frozenset[int]], int] = {}
    of = [number.setdefault(frozenset(one for one in asked if value in one), len(number)) for value in range(size)]
    if len(number) == size:
        return network
    sizes = {**network.sizes, key: len(number)}
    items: list[Item] = []
    for item in network.items:
        if isinstance(item, Choice) and item.variable.key == key:
            named = [[label for label, n in zip(item.variable.labels, of) if n == one] for one in range(len(number))]
            labels = tuple(map(" or ".join, named))
            variable = replace(item.variable, labels=labels, default=of[item.variable.default])
            cases = [Case(case.cube, of[case.value]) for case in item.cases if of[case.value] != variable.default]
            item = Choice(variable, tuple(tidy(cases, sizes)))
        elif not isinstance(item, Window):
            item = replace(item, cases=_renamed(item.cases, key, of, len(number)))
        items.append(item)
    return replace(
        network, items=tuple(items), emissions=_renamed(network.emissions, key, of, len(number)), sizes=sizes
    )


def _renamed(cases: Sequence[Case], key: Key, of: Sequence[int], size: int) -> tuple[Case, ...]:
    """The cases, the signal's values in their new numbers."""
    found = []
    for case in cases:
        sides = dict(case.cube)
        if key in sides:
            sides[key] = frozenset(of[value] for value in sides[key])
            if len(sides[key]) == size:
                del sides[key]
        found.append(Case(cube(sides), case.value))
    return tuple(found)


def _everyone(network: Network) -> list[Sequence[Case]]:
    """The cases of all that read."""
    return [*(item.cases for item in network.items if not isinstance(item, Window)), network.emissions]
