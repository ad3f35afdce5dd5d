"""Cubes: the conditions that one neuron can test.

A *variable* has finitely many values, and in the residual stream one coordinate for each of them: exactly one is 1,
the others are 0.  A *cube* allows, for some of the variables, some of their values; it holds when all of them have an
allowed value.  One ReLU tests one cube: relu(sum of the allowed coordinates - (number of variables - 1)) is 1 or 0.

A list of cases (cube, value) says what to do in which cube.  :func:`tidy` brings it to a form in which no two cubes
can hold together, so that adding up the neurons of several cubes is their OR.
"""

from __future__ import annotations

from typing import Any, Hashable, Mapping, NamedTuple, Sequence

from automata import limits

Key = tuple[str, str]
"""A variable's identity: its kind and the name in the cascade ("symbol", "register", "register before", ...)."""

Cube = tuple[tuple[Key, frozenset[int]], ...]
"""Variables in order, each with its allowed values; a variable that may have any value does not occur."""

ALWAYS: Cube = ()


class Case(NamedTuple):
    """In this cube, this value."""

    cube: Cube
    value: Any


def cube(sides: Mapping[Key, frozenset[int]]) -> Cube:
    """The cube with these sides."""
    return tuple(sorted(sides.items(), key=lambda side: side[0]))


def meet(one: Cube, other: Cube) -> Cube | None:
    """The cube in which both hold; None when there is none.

    >>> a, b = ("register", "a"), ("register", "b")
    >>> both = meet(cube({a: frozenset({0, 1})}), cube({a: frozenset({1, 2}), b: frozenset({0})}))
    >>> [(name, sorted(values)) for (_, name), values in both]
    [('a', [1]), ('b', [0])]
    """
    sides = dict(one)
    for key, values in other:
        values = sides.get(key, values) & values
        if not values:
            return None
        sides[key] = values
    return cube(sides)


def without(one: Cube, other: Cube, sizes: Mapping[Key, int]) -> list[Cube]:
    """Disjoint cubes that are ``one`` where ``other`` does not hold; ``sizes`` counts each variable's values."""
    if meet(one, other) is None:
        return [one]
    sides, rest = dict(one), []
    for key, values in other:
        mine = sides.get(key, frozenset(range(sizes[key])))
        if mine - values:
            rest.append(cube({**sides, key: mine - values}))
        sides[key] = mine & values
    return rest


def tidy(cases: Sequence[Case], sizes: Mapping[Key, int]) -> list[Case]:
    """The same decisions by fewer cubes, no two of which can hold together; where two held, the earlier one decides.

    O(cases^2 * variables) when they are disjoint already.

    Raises:
        InputError: when there are more cases than the limit.

    >>> a, b = ("register", "a"), ("register", "b")
    >>> cubes = [cube({a: frozenset({0})}), cube({a: frozenset({1})}), cube({b: frozenset({0})})]
    >>> tidied = tidy([Case(where, 1) for where in cubes], {a: 3, b: 2})
    >>> [[(name, sorted(values)) for (_, name), values in case.cube] for case in tidied]
    [[('a', [0, 1])], [('a', [2]), ('b', [0])]]
    """
    if limits.exceeded("conditions", len(cases)):  # every pair of them is looked at
        found = f"{len(cases)} conditions on one register or signal need as many neurons in one block"
        raise limits.refusal("conditions", f"{found}, expected at most {limits.limit('conditions')}")
    disjoint: list[Case] = []
    for case in merge(cases, sizes):
        pieces = [case.cube]
        for earlier in disjoint:
            pieces = [piece for whole in pieces for piece in without(whole, earlier.cube, sizes)]
        disjoint += [Case(piece, case.value) for piece in pieces]
    return merge(disjoint, sizes)


def merge(cases: Sequence[Case], sizes: Mapping[Key, int]) -> list[Case]:
    """Unites cubes of equal value that differ in one variable only, as long as there are any."""
    cases = list(dict.fromkeys(Case(_trim(case.cube, sizes), case.value) for case in cases))
    before = None
    while before != len(cases):
        before = len(cases)
        for key in sorted({key for case in cases for key, _ in case.cube}):
            groups: dict[Hashable, tuple[Cube, Hashable, frozenset[int]]] = {}
            for case in cases:
                rest = tuple(side for side in case.cube if side[0] != key)
                values = dict(case.cube).get(key, frozenset(range(sizes[key])))
                known = groups.get((rest, case.value))
                groups[rest, case.value] = (rest, case.value, values if known is None else known[2] | values)
            cases = [
                Case(_trim(cube({**dict(rest), key: values}), sizes), value) for rest, value, values in groups.values()
            ]
    return cases


def _trim(sides: Cube, sizes: Mapping[Key, int]) -> Cube:
    return tuple((key, values) for key, values in sides if len(values) < sizes[key])
