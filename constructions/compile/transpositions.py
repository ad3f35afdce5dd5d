"""Any permutation register as registers that one transposition a step moves: for targets that have single reflections.

A register over n points whose rules act as pi = t_1 t_2 ... t_k, transpositions, the last applied first.  With P the
product of all that was read and A = t_1 A', where a prime marks the value before the step,

    P = A B,    B = (A'^-1 t_2 ... t_k A') B',

which is a product of transpositions again, conjugated by what the level above was before the step.  So k levels do it:
each holds a permutation, point by point, the last one that of the initial point alone.  The transposition (a b) of a
rule swaps, at level j, the points that the product of the upper levels takes to a and b.  Setting the register sets all
upper levels to the identity.  The size is O(k n^3) rules for each rule.

A register that only turns around a cycle of even length is two instead: whether it is at an odd place, and half the
place, which turns by one more where two odd numbers meet.

Source: every permutation is a product of transpositions; conjugation, and turning by halves, as in the wreath products
of Krohn and Rhodes (1965).
"""

from __future__ import annotations

from typing import Any

from constructions.cascade import Cascade, Is, Level, Literal, Permutation, Permute, Rule, Set, Signal
from constructions.compile.factorings import Swapped, factorings, length
from constructions.compile.splitting import Splitting, signal_of


def by_transpositions(cascade: Cascade) -> Cascade:
    """The cascade, every permutation register that some rule moves by more than one transposition split into levels.

    The value of such a register is a signal of its name, the value before the step one of its name and " before".

    >>> from automata.catalogue import language
    >>> from automata.machine import RECOGNISE
    >>> from constructions.compile.krohn_rhodes import holonomy_cascade
    >>> threes = holonomy_cascade(language("tomita-6").dfa(), RECOGNISE)
    >>> len(threes.registers), len(by_transpositions(threes).registers)
    (1, 4)
    """
    return _Splitting(cascade).cascade()


_Moving = dict[Any, "_Points"]
"""For a way in which registers move the first of them."""


class _Splitting(Splitting):
    def __init__(self, whole: Cascade):
        super().__init__(whole)
        self._moving: _Moving = {}

    def levels_of(self, register: Permutation) -> list[Level] | None:
        read_before = register.name in self.whole.read_before
        return _levels(register, read_before, self._moving) if _many(register) else None


def _many(register: Permutation) -> bool:
    return any(isinstance(rule.then, Permute) and length(rule.then.images) > 1 for rule in register.rules)


def _levels(register: Permutation, read_before: bool, moving: _Moving) -> list[Level]:
    """The levels of one register; the last holds signals of its name and, where that is read, of its value before."""
    order = _around(register)
    if order is None or register.values % 2:
        return _Points(register, read_before, moving).levels()
    place, half = {value: number for number, value in enumerate(order)}, register.values // 2
    low_rules: list[Rule] = []
    high_rules: list[Rule] = []
    low_name, high_name = f"{register.name} is odd", f"{register.name} in pairs"
    for rule in register.rules:
        if isinstance(rule.then, Set):
            low_rules.append(Rule(rule.when, Set(place[rule.then.value] % 2)))
            high_rules.append(Rule(rule.when, Set(place[rule.then.value] // 2)))
            continue
        assert isinstance(rule.then, Permute)
        turn = place[rule.then.images[order[0]]]
        if turn % 2:
            low_rules.append(Rule(rule.when, Permute((1, 0))))
        for odd in (0, 1):
            images = tuple((number + (odd + turn) // 2) % half for number in range(half))
            if images != tuple(range(half)):
                high_rules.append(Rule((*rule.when, Is(low_name, odd, True)), Permute(images)))
    first = place[register.initial]
    low = Permutation(low_name, 2, tuple(low_rules), first % 2)
    high = Permutation(high_name, half, tuple(high_rules), first // 2)
    split = _many(high)
    upper = _levels(high, read_before, moving) if split else [Level((high,))]

    def value(before: bool) -> Signal:
        pairs = signal_of(high_name, before) if split else high_name
        rules = tuple(
            Rule((Is(low_name, number % 2, before), Is(pairs, number // 2, before and not split)), Set(order[number]))
            for number in range(register.values)
        )
        return Signal(signal_of(register.name, before), register.values, rules, "binary")

    return [Level((low,)), *upper, Level((), tuple(value(before) for before in (False, True)[: 1 + read_before]))]


def _around(register: Permutation) -> list[int] | None:
    """The values in the order of one cycle that every rule turns by some number of places; None where there is none."""
    everyone = [rule.then.images for rule in register.rules if isinstance(rule.then, Permute)]
    for images in everyone:
        order, value = [], 0
        while value not in order:
            order.append(value)
            value = images[value]
        if len(order) == register.values:
            break
    else:
        return None
    place = {value: number for number, value in enumerate(order)}
    for images in everyone:
        if len({(place[image] - place[value]) % len(order) for value, image in enumerate(images)}) > 1:
            return None
    return order


class _Points:
    """The levels of one register: at level j the register ``name.j(i)`` says where the level's permutation takes i.

    Of registers that always move in the same way, and begin or are set elsewhere, all levels but the last are the same
    and stand there once.
    """

    def __init__(self, register: Permutation, read_before: bool, moving: _Moving):
        self.register, self.read_before = register, read_before
        self.points = range(register.values)
        images = sorted({rule.then.images for rule in register.rules if isinstance(rule.then, Permute)})
        way = tuple((rule.when, rule.then if isinstance(rule.then, Permute) else Set(0)) for rule in register.rules)
        self.upper = moving.setdefault((register.values, way), self)
        if self.upper is self:
            self.words = dict(zip(images, factorings(images, register.initial)))
        else:
            self.words = self.upper.words
        self.depth = len(self.words[images[0]])

    def levels(self) -> list[Level]:
        found = []
        for level in range(1, self.depth + 1):
            points = [self.register.initial] if level == self.depth else list(self.points)
            signals: tuple[Signal, ...] = ()
            if 1 < level < self.depth:
                signals = tuple(
                    self._product(level, point, before, self._name_of_product(level, point, before))
                    for before in (True, False)
                    for point in points
                )
            if level == self.depth or self.upper is self:
                found.append(Level(tuple(self._at(level, point) for point in points), signals))
        start, name = self.register.initial, self.register.name
        last = [self._product(self.depth, start, False, name)]
        if self.read_before:
            last.append(self._product(self.depth, start, True, signal_of(name, True)))
        return [*found, Level((), tuple(last))]

    def _owner(self, level: int) -> str:
        return (self if level == self.depth else self.upper).register.name

    def _name(self, level: int, point: int) -> str:
        return f"{self._owner(level)}.{level}({point})"

    def _name_of_product(self, level: int, point: int, before: bool) -> str:
        return f"{self._owner(level)}.1-{level}({point}){' before' * before}"

    def _takes(self, level: int, point: int, value: int, before: bool) -> Is:
        """That the product of the levels up to this one takes the point to the value."""
        if level == 1:
            return Is(self._name(1, point), value, before)
        return Is(self._name_of_product(level, point, before), value)

    def _product(self, level: int, point: int, before: bool, name: str) -> Signal:
        """Where the product of the levels up to this one takes a point."""
        rules = tuple(
            Rule(
                (Is(self._name(level, point), inner, before), self._takes(level - 1, inner, value, before)), Set(value)
            )
            for inner in self.points
            for value in self.points
        )
        return Signal(name, self.register.values, rules, "binary")

    def _at(self, level: int, point: int) -> Permutation:
        rules: list[Rule] = []
        for rule in self.register.rules:
            if isinstance(rule.then, Permute):
                swapped = self.words[rule.then.images][level - 1]
                rules += self._moved(rule.when, level, swapped) if swapped else []
            else:
                assert isinstance(rule.then, Set)
                rules.append(Rule(rule.when, Set(rule.then.value if level == self.depth else point)))
        return Permutation(self._name(level, point), self.register.values, tuple(rules), point)

    def _moved(self, when: tuple[Literal, ...], level: int, swapped: Swapped) -> list[Rule]:
        one, other = swapped
        if level == 1:
            return [Rule(when, self._swap(one, other))]
        return [
            Rule(
                (*when, self._takes(level - 1, i, one, True), self._takes(level - 1, j, other, True)), self._swap(i, j)
            )
            for i in self.points
            for j in self.points
            if i != j
        ]

    def _swap(self, one: int, other: int) -> Permute:
        images = list(self.points)
        images[one], images[other] = other, one
        return Permute(tuple(images))
