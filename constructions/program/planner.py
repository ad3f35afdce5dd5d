"""From a cascade to a program: each operation in the first half that can do it and by which all that it reads is there.

Memories become :class:`~constructions.program.operations.Hold`, conditions on several variables neurons, counters
:class:`~constructions.program.operations.Accumulate`.  A value before the step is kept a second time where the
architecture has that at no cost, and else delayed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Iterable, Mapping

from automata.errors import InputError
from constructions.cascade import Cascade
from constructions.compile.quotients import by_quotients
from constructions.compile.rotations import by_rotations
from constructions.compile.transpositions import by_transpositions
from constructions.conditions.cases import Case, Cube, Key
from constructions.conditions.coarser import coarser
from constructions.conditions.inline import inline
from constructions.conditions.network import SYMBOL, Choice, Latch, Network, Rearranged, Total, Window, network
from constructions.program.operations import (
    BEGINNING,
    CONSTANT_ONE,
    Accumulate,
    Delay,
    Flip,
    Hold,
    LinearForm,
    Neuron,
    Operation,
    Program,
    Swap,
    Turn,
)


@dataclass(frozen=True)
class Offer:
    """What the halves of an architecture can do.

    Attributes:
        halves: the kinds of operation of each half; the sequence is repeated without end.
        late: whether a :class:`Hold` gives the values before the step too, at no cost.
        delay: how many halves after a :class:`Delay` its value can be read.
        circles: the most values of a :class:`Turn`; 0 for any number.
    """

    halves: tuple[frozenset[type], ...]
    late: bool = False
    delay: int = 1
    circles: int = 0

    @property
    def kinds(self) -> frozenset[type]:
        """What some half can do."""
        return frozenset().union(*self.halves)

    def does(self, half: int, kind: type) -> bool:
        """Whether this half can do operations of this kind."""
        return kind in self.halves[half % len(self.halves)]


def plan(cascade: Cascade, offer: Offer) -> Program:
    """The program of a cascade, for an architecture.

    Args:
        cascade: resets, counters that are only increased, and signals.
        offer: the architecture's halves.

    Raises:
        InputError: naming the register that no operation can be, or the operation that no half can do.

    O(cubes * variables) after the network of cubes is made.

    >>> from constructions.paper.flip_flop import flip_flop
    >>> every = Offer((frozenset((Neuron, Hold, Delay)),))
    >>> plan(flip_flop(), every)
    Program(4 halves, 7 operations, 14 coordinates)
    """
    if Swap in offer.kinds:
        cascade = by_transpositions(by_quotients(cascade))
    elif Turn in offer.kinds:
        cascade = by_rotations(cascade, offer.circles)
    net = network(cascade, bool(offer.kinds & {Swap, Turn}))
    return _Planner(inline(coarser(net) if Swap in offer.kinds else net), offer).program()


@dataclass
class _Total:
    """Where a counter stands: its coordinate, its first value, what it is increased and decreased by."""

    coordinate: int
    initial: int
    up: LinearForm
    down: LinearForm


@dataclass
class _Planner:
    net: Network
    offer: Offer
    names: list[str] = field(default_factory=lambda: ["one", "<bos>"])
    halves: list[list[Operation]] = field(default_factory=list)
    # A coordinate can be read from this half on.
    ready: dict[int, int] = field(default_factory=lambda: {CONSTANT_ONE: 0, BEGINNING: 0})
    # The coordinates of a variable's values; at most one value has none.
    values: dict[Key, dict[int, int]] = field(default_factory=dict)
    # Equal neurons of a half are one: (half, what it reads) -> what it writes.
    neurons: dict[tuple[int, tuple[tuple[int, int], ...]], dict[int, int]] = field(default_factory=dict)
    totals: dict[str, _Total] = field(default_factory=dict)

    def program(self) -> Program:
        symbols = [self._coordinate(f"symbol {symbol}") for symbol in self.net.alphabet]
        self.values[SYMBOL] = {**dict(enumerate(symbols)), len(symbols): BEGINNING}
        for item in self.net.items:
            if isinstance(item, Latch):
                self._memory(item)
            elif isinstance(item, Rearranged):
                self._rearranged(item)
            elif isinstance(item, Choice):
                self._choice(item)
            elif isinstance(item, Total):
                self._total(item)
            else:
                self._window(item)
        answers = [self._event(self._where(self.net.emissions, out), f"given {out}") for out in self.net.outputs]
        for (half, reads), writes in self.neurons.items():
            self._at(half).append(Neuron(dict(reads), _plain(writes)))
        self._at(0)
        return Program(
            self.net.alphabet,
            self.net.outputs,
            tuple(self.names),
            tuple(symbols),
            tuple(map(tuple, self.halves)),
            tuple(answers),
        )

    # -- items ------------------------------------------------------------------------------------------

    def _memory(self, memory: Latch) -> None:
        values = sorted({case.value for case in memory.cases})
        events = {
            value: self._event(self._where(memory.cases, value), f"set {memory.name} to {value}") for value in values
        }
        if Hold not in self.offer.kinds and self._is_set_always(memory):
            self._read_off(memory, events)
            return
        gate = _sum(events.values())
        # The zero state stands for the value at the beginning, which so needs no cell.
        read = memory.after or memory.before
        assert read is not None, "a register that nobody reads is left out"
        kept = [value for value in range(len(read.labels)) if value != memory.initial]
        half = self._first([gate, *events.values()], Hold, memory.name)
        after = {value: self._coordinate(f"{memory.name} = {value}", half + 1) for value in kept}
        before: dict[int, int] = {}
        if memory.before and self.offer.late:
            before = {value: self._coordinate(f"{memory.name} before = {value}", half + 1) for value in kept}
        cells = tuple((events.get(value, {}), after[value]) for value in kept)
        self._at(half).append(Hold(memory.name, gate, cells, tuple(before.values())))
        if memory.before and not self.offer.late:
            before = self._delayed(memory.name, after)
        if memory.after:
            self.values[memory.after.key] = after
        if memory.before:
            self.values[memory.before.key] = before

    def _is_set_always(self, memory: Latch) -> bool:
        """Whether its cases, which are disjoint, are all that can be after the beginning."""
        keys = {key for case in memory.cases for key, _ in case.cube}
        sizes = {key: len(self.net.alphabet) if key == SYMBOL else self.net.sizes[key] for key in keys}
        covered = sum(
            prod(len([value for value in cube.get(key, range(size)) if value < size]) for key, size in sizes.items())
            for cube in (dict(case.cube) for case in memory.cases)
        )
        return covered == prod(sizes.values())

    def _read_off(self, memory: Latch, events: Mapping[int, LinearForm]) -> None:
        """A register that every step sets is what this step says; at the beginning no case holds."""
        read = memory.after or memory.before
        assert read is not None, "a register that nobody reads is left out"
        kept = [value for value in range(len(read.labels)) if value != memory.initial]
        after = {value: self._coordinate(f"{memory.name} = {value}") for value in kept}
        for value in kept:
            if value in events:
                self._neuron(events[value], {after[value]: 1})
        if memory.after:
            self.values[memory.after.key] = after
        if memory.before:
            self.values[memory.before.key] = self._delayed(memory.name, after)

    def _rearranged(self, item: Rearranged) -> None:
        actions = sorted({case.value for case in item.cases}, key=str)
        events = {
            action: self._event(self._where(item.cases, action), f"{item.name} {' '.join(map(str, action))}")
            for action in actions
        }
        sets = {action[1]: event for action, event in events.items() if action[0] == "set"}
        swaps = {action[1:]: event for action, event in events.items() if action[0] == "swap"}
        kept = [value for value in range(item.values) if value != item.initial]
        turns = {action[1]: event for action, event in events.items() if action[0] == "turn"}
        two = item.values == 2 and item.initial == 0
        kind = next(k for k in (Flip, Swap, Turn) if k in self.offer.kinds and (two or k is not Flip))
        half = self._first(events.values(), kind, item.name)
        after = {value: self._coordinate(f"{item.name} = {value}", half + 1) for value in kept}
        if kind is Flip:
            self._at(half).append(
                Flip(item.name, _sum(sets.values()), sets.get(1, {}), swaps.get((0, 1), {}), after[1])
            )
        elif kind is Turn:
            # Of two values a swap is a turn, and there is no other.
            turned = {1: swaps[0, 1]} if swaps else turns
            self._at(half).append(Turn(item.name, item.values, item.initial, sets, turned, after))
        else:
            signed = {value: self._coordinate(f"{item.name} = {value}, 1 or -1", half + 1) for value in kept}
            self._at(half).append(Swap(item.name, item.values, item.initial, sets, swaps, signed))
            for value in kept:
                for sign in (1, -1):
                    self._neuron({signed[value]: sign}, {after[value]: 1})
        if item.after:
            self.values[item.after.key] = after
        if item.before:
            self.values[item.before.key] = self._delayed(item.name, after)

    def _delayed(self, name: str, after: dict[int, int]) -> dict[int, int]:
        """Coordinates of the values one step late."""
        where = self._first([{coordinate: 1} for coordinate in after.values()], Delay, name)
        there = where + self.offer.delay
        before = {value: self._coordinate(f"{name} before = {value}", there) for value in after}
        self._at(where).extend(Delay({after[value]: 1}, before[value]) for value in after)
        self._at(there - 1)
        return before

    def _choice(self, choice: Choice) -> None:
        variable = choice.variable
        others = [value for value in range(len(variable.labels)) if value != variable.default]
        found = {value: self._coordinate(f"{variable.key[1]} {variable.labels[value]}") for value in others}
        for case in choice.cases:
            if case.value in found:
                self._neuron(self._conditions(case.cube), {found[case.value]: 1})
        self.values[variable.key] = found

    def _total(self, total: Total) -> None:
        up: dict[int, int] = {}
        down: dict[int, int] = {}
        for number, case in enumerate(total.cases):
            side = up if case.value > 0 else down
            for coordinate, multiple in self._event(
                [case.cube], f"{total.name} {case.value:+d}, case {number}"
            ).items():
                side[coordinate] = side.get(coordinate, 0) + multiple * abs(case.value)
        half = self._first([up, down], Accumulate, total.name)
        coordinate = self._coordinate(total.name, half + 1)
        self._at(half).append(Accumulate(total.name, _plain(up), _plain(down), coordinate, total.initial))
        self.totals[total.name] = _Total(coordinate, total.initial, _plain(up), _plain(down))

    def _window(self, window: Window) -> None:
        total = self.totals[window.counter]
        value = {total.coordinate: 1, CONSTANT_ONE: total.initial}
        if window.before:  # what it is now less what this step added
            value = _sum([value, {c: -k for c, k in total.up.items()}, total.down])
        key = window.variable.key
        found = {
            place + 1: self._coordinate(f"{window.counter} {window.variable.labels[place + 1]}")
            for place in range(len(window.cuts))
        }
        for place, cut in enumerate(window.cuts):
            # c >= cut is relu(c - cut + 1) - relu(c - cut); of two neighbouring values one takes over from the other.
            writes = {found[place + 1]: 1, **({found[place]: -1} if place else {})}
            self._neuron(_sum([value, {CONSTANT_ONE: 1 - cut}]), writes)
            self._neuron(_sum([value, {CONSTANT_ONE: -cut}]), {c: -k for c, k in writes.items()})
        self.values[key] = found

    # -- conditions -------------------------------------------------------------------------------------

    @staticmethod
    def _where(cases: Iterable[Case], value: object) -> list[Cube]:
        return [case.cube for case in cases if case.value == value]

    def _sides(self, where: Cube) -> list[LinearForm]:
        """A form for each variable of the cube, 1 where its value is allowed and else 0."""
        return [self._side(key, allowed) for key, allowed in where] or [{CONSTANT_ONE: 1}]

    def _side(self, key: Key, allowed: frozenset[int]) -> LinearForm:
        coordinates = self.values[key]
        if allowed <= coordinates.keys():
            return {coordinates[value]: 1 for value in sorted(allowed)}
        return {CONSTANT_ONE: 1, **{c: -1 for value, c in coordinates.items() if value not in allowed}}

    def _conditions(self, where: Cube) -> LinearForm:
        """relu of it is 1 where the cube holds and else 0."""
        sides = self._sides(where)
        return _sum([*sides, {CONSTANT_ONE: 1 - len(sides)}])

    def _event(self, boxes: list[Cube], name: str) -> LinearForm:
        """1 where one of these disjoint cubes holds and else 0: neurons only where a cube has several variables."""
        if all(len(where) < 2 for where in boxes):
            return _sum(side for where in boxes for side in self._sides(where))
        coordinate = self._coordinate(name)
        for where in boxes:
            self._neuron(self._conditions(where), {coordinate: 1})
        return {coordinate: 1}

    # -- places -----------------------------------------------------------------------------------------

    def _coordinate(self, name: str, ready: int = 0) -> int:
        self.names.append(name)
        self.ready[len(self.names) - 1] = ready
        return len(self.names) - 1

    def _at(self, half: int) -> list[Operation]:
        while len(self.halves) <= half:
            self.halves.append([])
        return self.halves[half]

    def _neuron(self, reads: LinearForm, writes: Mapping[int, int]) -> None:
        half = self._first([reads], Neuron, self.names[next(iter(writes))])
        known = self.neurons.setdefault((half, tuple(sorted(reads.items()))), {})
        for coordinate, multiple in writes.items():
            known[coordinate] = known.get(coordinate, 0) + multiple
            self.ready[coordinate] = max(self.ready[coordinate], half + 1)

    def _first(self, forms: Iterable[LinearForm], kind: type, name: str) -> int:
        """The first half of this kind by which everything that is read is there."""
        half = max((self.ready[coordinate] for form in forms for coordinate in form), default=0)
        if not any(kind in kinds for kinds in self.offer.halves):
            raise InputError(f"{name!r} needs the operation {kind.__name__}, which no part of this architecture does")
        while not (self.offer.does(half, kind) and self._goes_with(half, kind)):
            half += 1
        return half

    def _goes_with(self, half: int, kind: type) -> bool:
        """Cells that are swapped have a scale of their own, so they share no half with other memory."""
        here = self.halves[half] if half < len(self.halves) else []
        return kind is Neuron or all((kind is Swap) == isinstance(operation, Swap) for operation in here)


def _plain(form: Mapping[int, int]) -> dict[int, int]:
    return {coordinate: multiple for coordinate, multiple in form.items() if multiple}


def _sum(forms: Iterable[LinearForm]) -> dict[int, int]:
    total: dict[int, int] = {}
    for form in forms:
        for coordinate, multiple in form.items():
            total[coordinate] = total.get(coordinate, 0) + multiple
    return _plain(total)
