"""Any permutation register of a solvable group as registers that turn in circles: for targets with roots of unity.

A register over points is moved by elements of a group G.  With P the product of all that was read, its value is P of
its first value.  Let N be a normal subgroup with G/N cyclic of order m, and t an element of order m modulo N; then
P = t^i n with n in N, and reading s = t^a s' gives

    s P = t^(i + a mod m) [t^-(i + a mod m) s t^i] n,

so the place i turns by a, and n is moved by an element of N that depends on s and on what i was before: a register
of the group N, and so on down to the group of one element.  Each step has the order of a solvable group as a product:
circles as long as the abelian quotients allow, or all of two values where turns of more are not had.

The rules of a level number at most the order of the group above it, times those of the register.

Source: Krohn and Rhodes 1965; a group is solvable exactly when such a series exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, Sequence

from automata.algebra.groups import group_name
from constructions.cascade import Cascade, Is, Level, Literal, Permutation, Permute, Reset, Rule, Set, Signal
from constructions.compile.compiler import NotExpressible
from constructions.compile.splitting import Splitting, signal_of

Element = tuple[int, ...]

LARGEST_GROUP = 1000
"""Elements of a group that are listed."""


def by_rotations(cascade: Cascade, longest: int = 0) -> Cascade:
    """The cascade, every permutation register split into registers that turn in circles.

    Args:
        cascade: any.
        longest: the most values of a circle; 0 for any number.

    Raises:
        NotExpressible: naming a register, and its group, that is not solvable, has a factor longer than ``longest``,
            or more than LARGEST_GROUP elements.

    >>> from automata.catalogue import language
    >>> from automata.machine import RECOGNISE
    >>> from constructions.compile.krohn_rhodes import holonomy_cascade
    >>> threes = holonomy_cascade(language("tomita-6").dfa(), RECOGNISE)
    >>> [register.values for register in by_rotations(threes).registers]
    [3]
    """
    return _Splitting(cascade, longest).cascade()


@dataclass(frozen=True)
class Factor:
    """One circle: ``generator`` to the power i is its place i, modulo the subgroup below."""

    generator: Element
    order: int
    place: dict[Element, int]

    def split(self, element: Element, before: int) -> tuple[int, Element]:
        """The place after an element is read at a place, and the element by which the subgroup is moved."""
        after = (before + self.place[element]) % self.order
        powers = _power(self.generator, before), _inverse(_power(self.generator, after))
        return after, _times(_times(powers[1], element), powers[0])


def series(generators: Iterable[Element], points: int, longest: int = 0) -> list[Factor] | None:
    """The circles of a group, from the whole group down; None where it has none of the length that is allowed.

    Raises:
        OverflowError: for a group of more than LARGEST_GROUP elements.

    >>> [factor.order for factor in series([(1, 0, 2), (1, 2, 0)], 3)]
    [2, 3]
    """
    found: list[Factor] = []
    group = _generated(generators, points)
    while len(group) > 1:
        factor = _factor(group, points, longest)
        if factor is None:
            return None
        found.append(factor)
        group = frozenset(element for element in group if not factor.place[element])
    return found


def _factor(group: frozenset[Element], points: int, longest: int) -> Factor | None:
    """A cyclic quotient of the group: the whole group where it is cyclic, else of prime order."""
    for element in sorted(group):
        order = _order(element)
        if order == len(group) and (not longest or order <= longest):
            return Factor(element, order, {_power(element, i): i for i in range(order)})
    derived = _generated([_times(_times(a, b), _times(_inverse(a), _inverse(b))) for a in group for b in group], points)
    index = len(group) // len(derived)
    prime = next((p for p in range(2, index + 1) if index % p == 0 and (not longest or p <= longest)), None)
    if prime is None:
        return None
    # The quotient by commutators and p-th powers is elementary abelian: each new element makes it p times smaller.
    below = _generated([*derived, *(_power(element, prime) for element in group)], points)
    while len(group) > prime * len(below):
        below = _generated([*below, min(group - below)], points)
    generator = min(group - below)
    places = {_times(_power(generator, i), n): i for i in range(prime) for n in below}
    return Factor(generator, prime, places)


def _times(one: Element, other: Element) -> Element:
    """``other`` first, then ``one``."""
    return tuple(one[image] for image in other)


def _inverse(element: Element) -> Element:
    found = [0] * len(element)
    for point, image in enumerate(element):
        found[image] = point
    return tuple(found)


def _power(element: Element, exponent: int) -> Element:
    found: Element = tuple(range(len(element)))
    for _ in range(exponent):
        found = _times(element, found)
    return found


def _order(element: Element) -> int:
    order, found = 1, element
    while found != tuple(range(len(element))):
        order, found = order + 1, _times(element, found)
    return order


def _generated(generators: Iterable[Element], points: int) -> frozenset[Element]:
    identity: Element = tuple(range(points))
    moving = sorted({element for element in generators if element != identity})
    found, waiting = {identity}, [identity]
    while waiting:
        element = waiting.pop()
        for generator in moving:
            product = _times(generator, element)
            if product not in found:
                found.add(product)
                waiting.append(product)
                if len(found) > LARGEST_GROUP:
                    raise OverflowError
    return frozenset(found)


class _Splitting(Splitting):
    def __init__(self, whole: Cascade, longest: int):
        super().__init__(whole)
        self.longest = longest

    def levels_of(self, register: Permutation) -> list[Level] | None:
        return None if self._turns(register) else self._levels(register)

    def _turns(self, register: Permutation) -> bool:
        """Whether the register is a circle as it is."""
        size = register.values
        return (not self.longest or size <= self.longest) and all(
            image == (value + rule.then.images[0]) % size
            for rule in register.rules
            if isinstance(rule.then, Permute)
            for value, image in enumerate(rule.then.images)
        )

    def _levels(self, register: Permutation) -> list[Level]:
        """A level for each circle; the last holds signals of the register's name and of its value before the step."""
        name = register.name
        moves = [rule.then.images for rule in register.rules if isinstance(rule.then, Permute)]
        try:
            factors = series(moves, register.values, self.longest)
        except OverflowError:
            raise NotExpressible(name, f"permutes its values by a group of over {LARGEST_GROUP} elements") from None
        if factors is None:
            can = "in circles of two" if self.longest == 2 else "in circles, so by solvable groups"
            group = group_name(moves)
            raise NotExpressible(name, f"permutes its values by {group}, and this target only turns {can}", group)
        starts = sorted({register.initial, *(rule.then.value for rule in register.rules if isinstance(rule.then, Set))})
        levels = [Level((self._at(register, factors, place),)) for place in range(len(factors))]
        if len(starts) > 1:
            rules = tuple(
                Rule(rule.when, Set(starts.index(rule.then.value)))
                for rule in register.rules
                if isinstance(rule.then, Set)
            )
            start = Reset(f"{name} from", len(starts), rules, starts.index(register.initial))
            levels.insert(0, Level((start,)))
        read = (False, True)[: 1 + (name in self.whole.read_before)]
        return [*levels, Level((), tuple(self._value(register, factors, starts, before) for before in read))]

    def _at(self, register: Permutation, factors: Sequence[Factor], place: int) -> Permutation:
        """The circle of one factor: turned as the rules say and as the circles above it were before the step."""
        order = factors[place].order
        rules: list[Rule] = []
        for rule in register.rules:
            if isinstance(rule.then, Set):
                rules.append(Rule(rule.when, Set(0)))
                continue
            assert isinstance(rule.then, Permute)
            for above, element in self._moved(register.name, factors[:place], rule.then.images):
                turn = factors[place].place[element]
                if turn:
                    images = tuple((value + turn) % order for value in range(order))
                    rules.append(Rule((*rule.when, *above), Permute(images)))
        return Permutation(_circle(register.name, place), order, tuple(rules), 0)

    def _moved(
        self, name: str, factors: Sequence[Factor], element: Element
    ) -> Iterator[tuple[tuple[Literal, ...], Element]]:
        """By which element what lies below the factors is moved, and for which of their places before the step."""
        found: list[tuple[tuple[Literal, ...], Element]] = [((), element)]
        for number, factor in enumerate(factors):
            below = []
            for above, moved in found:
                results = [factor.split(moved, before)[1] for before in range(factor.order)]
                if len(set(results)) == 1:
                    below.append((above, results[0]))
                    continue
                below += [
                    ((*above, Is(_circle(name, number), before, True)), result) for before, result in enumerate(results)
                ]
            found = below
        yield from found

    def _value(self, register: Permutation, factors: Sequence[Factor], starts: Sequence[int], before: bool) -> Signal:
        """The product of all circles, of the value that they started from."""
        products: list[tuple[tuple[Literal, ...], Element]] = [((), tuple(range(register.values)))]
        for number, factor in enumerate(factors):
            products = [
                ((*when, Is(_circle(register.name, number), i, before)), _times(product, _power(factor.generator, i)))
                for when, product in products
                for i in range(factor.order)
            ]
        rules = []
        for when, product in products:
            for place, start in enumerate(starts):
                base = (Is(f"{register.name} from", place, before),) if len(starts) > 1 else ()
                rules.append(Rule((*base, *when), Set(product[start])))
        return Signal(signal_of(register.name, before), register.values, tuple(rules), "binary")


def _circle(name: str, place: int) -> str:
    return f"{name} circle {place + 1}"
