"""From a network to blocks of named channels: what every coordinate and every channel of the Mamba is for.

Glossary: a *coordinate* is a number in the residual stream that all blocks read and add to; a *channel* is one of
the inner channels of a block: a neuron (what it reads through the convolution), a memory cell (what its scan keeps) and
what it writes to coordinates.

A channel is described in whole numbers, as if every constant of the model were 1; :mod:`constructions.mamba.weights`
chooses the constants.  Its neuron is relu(sum of coefficient * coordinate + constant), of this position or,
``delayed``, of the previous one; before the first position all coordinates are 0.

Each item of the network goes to the first block at which all that it reads has been written; a counter needs a block
without other memory, because its increments are the block's B, which all channels share.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from constructions.conditions.cases import Cube, Key
from constructions.conditions.network import SYMBOL, Choice, Item, Latch, Network, Total, Variable, Window

ALWAYS_ONE = "one"
"""The name of the coordinate that is always 1."""

BOS_LABEL = "<bos>"


@dataclass(frozen=True)
class Channel:
    """One inner channel.

    Attributes:
        name: what it means.
        reads: coordinate -> coefficient.
        constant: added to the neuron.
        delayed: whether the neuron reads the previous position.
        drives: the number of the block's step size that is on when this neuron fires; -1 for none.
        keeps: "" for no memory; "set" for a cell that is overwritten whenever its step size (``drives``) is on; "sum"
            for a cell to which the block's increment is added at every step.
        skips: whether the neuron itself is written, not the cell.
        adds: how much the block's increment grows when the neuron fires.
        writes: coordinate -> coefficient.
    """

    name: str
    reads: Mapping[int, int] = field(default_factory=dict)
    constant: int = 0
    delayed: bool = False
    drives: int = -1
    keeps: str = ""
    skips: bool = False
    adds: int = 0
    writes: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """Channels of one block, the constant channel first.

    ``step_names`` names the step sizes (the registers, and copies of registers, whose cells they move).
    """

    channels: tuple[Channel, ...]
    step_names: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """The whole model in names.

    Attributes:
        alphabet, outputs: as in the cascade.
        coordinates: the name of each coordinate.
        groups: sets of coordinates of which at most one is 1, the others 0 (exactly one where the layout is complete),
            each with the number of blocks after which that is so.
        complete: whether a variable's default value has a coordinate too.
        integers: coordinate of a counter's value -> the counter's name.
        counters: name -> (initial value, the most that one symbol changes it by).
        symbols: the coordinates of the symbols, BOS last.
        answers: for each output the coordinate that is positive when it is given.
        blocks: first block first.
    """

    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    coordinates: tuple[str, ...]
    groups: tuple[tuple[int, tuple[int, ...]], ...]
    complete: bool
    integers: Mapping[int, str]
    counters: Mapping[str, tuple[int, int]]
    symbols: tuple[int, ...]
    answers: tuple[int, ...]
    blocks: tuple[Block, ...]


def layout(network: Network, complete: bool = True) -> Layout:
    """Places the network; time and size are linear in its cubes.

    Args:
        complete: give every value of a variable a coordinate, so that the sum of squares never changes; otherwise
            the default value is where the other values' coordinates are 0, and two outputs do not need four.
    """
    return _Placement(network, complete).layout()


class _Placement:
    def __init__(self, network: Network, complete: bool):
        self.network, self.complete = network, complete
        self.coordinates: list[str] = [ALWAYS_ONE]
        self.groups: list[tuple[int, tuple[int, ...]]] = []
        self.integers: dict[int, str] = {}
        self.values: dict[Key, dict[int, int]] = {}
        self.number_of: dict[tuple[str, bool], int] = {}
        self.ready: dict[Key, int] = {SYMBOL: 0}
        self.counter_ready: dict[str, int] = {}
        self.building: list[_Building] = []
        self.labels: dict[Key, list[str]] = {}
        labels = (*(f"= {symbol}" for symbol in network.alphabet), f"= {BOS_LABEL}")
        self._variable(Variable(SYMBOL, labels, default=len(network.alphabet)), 0)

    def layout(self) -> Layout:
        for item in self.network.items:
            self._place(item)
        answers = self._answers()
        return Layout(
            alphabet=self.network.alphabet,
            outputs=self.network.outputs,
            coordinates=tuple(self.coordinates),
            groups=tuple(self.groups),
            complete=self.complete,
            integers=self.integers,
            counters={
                item.name: (item.initial, item.fastest) for item in self.network.items if isinstance(item, Total)
            },
            symbols=tuple(self.values[SYMBOL].values()),
            answers=answers,
            blocks=tuple(building.block() for building in self.building),
        )

    # -- where ----------------------------------------------------------------------------------------

    def _place(self, item: Item) -> None:
        if isinstance(item, Window):
            self._window(item, self._block(self.counter_ready[item.counter]))
            return
        ready = max((self.ready[key] for case in item.cases for key, _ in case.cube), default=0)
        if isinstance(item, Choice):
            self._choice(item, self._block(ready))
            return
        number = ready
        while not self._block(number).has_room_for(item):
            number += 1
        if isinstance(item, Total):
            self._total(item, self._block(number))
        elif isinstance(item, Latch):
            self._memory(item, self._block(number))

    def _block(self, number: int) -> "_Building":
        """Block ``number``, which can read what is ready after so many blocks."""
        while len(self.building) <= number:
            self.building.append(_Building(len(self.building)))
        return self.building[number]

    def _variable(self, variable: Variable, ready: int) -> dict[int, int]:
        """The coordinate of each value of a variable that is complete after so many blocks."""
        name = " ".join(
            part
            for part in (variable.key[1] or variable.key[0], "before" if "before" in variable.key[0] else "")
            if part
        )
        coordinates = {}
        for value, label in enumerate(variable.labels):
            if self.complete or value != variable.default:
                coordinates[value] = self._coordinate(f"{name} {label}")
        self.values[variable.key] = coordinates
        self.labels[variable.key] = [f"{name} {label}" for label in variable.labels]
        self.groups.append((ready, tuple(coordinates.values())))
        self.ready[variable.key] = ready
        return coordinates

    def _coordinate(self, name: str) -> int:
        self.coordinates.append(name)
        return len(self.coordinates) - 1

    def _default(self, block: "_Building", variable: Variable) -> None:
        """The default value holds unless a case says otherwise."""
        if self.complete:
            block.always(self.values[variable.key][variable.default], 1)

    def _instead(self, variable: Variable, value: int) -> dict[int, int]:
        """What a case writes that changes the value from the default to this one."""
        coordinates = self.values[variable.key]
        return {coordinates[value]: 1, coordinates[variable.default]: -1} if self.complete else {coordinates[value]: 1}

    def _integer(self, name: str, before: bool) -> int:
        coordinate = self._coordinate(f"{name} before" if before else name)
        self.integers[coordinate] = name
        self.number_of[name, before] = coordinate
        return coordinate

    # -- what -----------------------------------------------------------------------------------------

    def _memory(self, memory: Latch, block: "_Building") -> None:
        block.has_memory = True
        for variable, delayed in ((memory.after, False), (memory.before, True)):
            if variable is None:
                continue
            self._variable(variable, block.number + 1)
            name = f"{memory.name}, one step late" if delayed else memory.name
            step = block.step(name)
            for case in memory.cases:
                # The initial value is what holds while no cell is on, so setting it means clearing the others.
                cell = case.value != memory.initial
                block.add(
                    Channel(
                        name=f"set {name} to {case.value}: {self._describe(case.cube)}",
                        **self._neuron(case.cube),
                        delayed=delayed,
                        drives=step,
                        keeps="set" if cell else "",
                        writes=self._instead(variable, case.value) if cell else {},
                    )
                )
            self._default(block, variable)

    def _choice(self, choice: Choice, block: "_Building") -> None:
        self._variable(choice.variable, block.number + 1)
        for case in choice.cases:
            if case.value != choice.variable.default:
                self._detector(block, case.cube, self._instead(choice.variable, case.value))
        self._default(block, choice.variable)

    def _total(self, total: Total, block: "_Building") -> None:
        block.counts = True
        coordinate = self._integer(total.name, False)
        block.always(coordinate, total.initial)
        written = {coordinate: 1}
        if total.before:
            previous = self._integer(total.name, True)
            block.always(previous, total.initial)
            written[previous] = 1
        block.add(Channel(f"count {total.name}", constant=1, keeps="sum", writes=written))
        for case in total.cases:
            block.add(
                Channel(
                    name=f"{total.name} {case.value:+d}: {self._describe(case.cube)}",
                    **self._neuron(case.cube),
                    skips=True,
                    adds=case.value,
                    writes={previous: -case.value} if total.before else {},
                )
            )
        self.counter_ready[total.name] = block.number + 1

    def _window(self, window: Window, block: "_Building") -> None:
        coordinates = self._variable(window.variable, block.number + 1)
        counter = self.number_of[window.counter, window.before]
        name = self.coordinates[counter]
        self._default(block, window.variable)
        for place, cut in enumerate(window.cuts):
            # [counter >= cut] = relu(counter - cut + 1) - relu(counter - cut)
            for offset, sign in ((1 - cut, 1), (-cut, -1)):
                writes = {coordinates[place + 1]: sign}
                if place in coordinates:
                    writes[coordinates[place]] = -sign
                block.detect(f"how far {name} is above {-offset}", {counter: 1}, offset, writes)

    def _answers(self) -> tuple[int, ...]:
        """The last block: every output is a variable of its own, given or not."""
        ready = max((self.ready[key] for case in self.network.emissions for key, _ in case.cube), default=0)
        block = self._block(max(ready, len(self.building) - 1))
        answers = []
        for output in self.network.outputs:
            variable = Variable(("output", output), ("not given", "given"))
            answers.append(self._variable(variable, block.number + 1)[1])
            for case in self.network.emissions:
                if case.value == output:
                    self._detector(block, case.cube, self._instead(variable, 1))
            self._default(block, variable)
        return tuple(answers)

    # -- neurons --------------------------------------------------------------------------------------

    def _detector(self, block: "_Building", where: Cube, writes: dict[int, int]) -> None:
        block.detect(self._describe(where), **self._neuron(where), writes=writes)

    def _neuron(self, where: Cube) -> dict:
        """relu(number of variables with an allowed value - (number of variables - 1)).

        Where it is shorter, or where the default value is allowed and has no coordinate, the other values are
        subtracted from 1. Before the first position every coordinate, ``one`` too, is 0, and so is the neuron.
        """
        reads: dict[int, int] = {}
        for key, values in where or ((SYMBOL, frozenset(range(self.network.sizes[SYMBOL]))),):
            coordinates = self.values[key]
            others = [coordinate for value, coordinate in coordinates.items() if value not in values]
            named = values <= coordinates.keys()
            if named and (not self.complete or len(values) <= len(others) + 1):
                reads.update((coordinates[value], 1) for value in values)
            else:
                reads[0] = reads.get(0, 0) + 1
                reads.update((coordinate, -1) for coordinate in others)
        return {"reads": dict(sorted(reads.items())), "constant": 1 - max(1, len(where))}

    def _describe(self, where: Cube) -> str:
        return " and ".join(self._describe_side(key, values) for key, values in where) or "always"

    def _describe_side(self, key: Key, values: frozenset[int]) -> str:
        names = self.labels[key]
        inside, outside = [names[v] for v in sorted(values)], [n for v, n in enumerate(names) if v not in values]
        return " or ".join(inside) if len(inside) <= len(outside) else "not " + " nor ".join(outside)


class _Building:
    """A block while it grows."""

    def __init__(self, number: int):
        self.number = number
        self.has_memory = False
        self.counts = False
        self.step_names: list[str] = []
        self.channels: list[Channel] = []
        self.constant: dict[int, int] = {}
        self.detectors: dict[tuple, tuple[str, dict[int, int]]] = {}

    def has_room_for(self, item: Item) -> bool:
        return not self.counts and not (isinstance(item, Total) and self.has_memory)

    def step(self, name: str) -> int:
        self.step_names.append(name)
        return len(self.step_names) - 1

    def add(self, channel: Channel) -> None:
        self.channels.append(channel)

    def detect(self, name: str, reads: dict[int, int], constant: int, writes: dict[int, int]) -> None:
        """A neuron without memory; an equal one is used again."""
        _, known = self.detectors.setdefault((tuple(sorted(reads.items())), constant), (name, {}))
        for coordinate, coefficient in writes.items():
            known[coordinate] = known.get(coordinate, 0) + coefficient

    def always(self, coordinate: int, value: int) -> None:
        self.constant[coordinate] = self.constant.get(coordinate, 0) + value

    def block(self) -> Block:
        constant = Channel("constant", constant=1, skips=True, writes=_nonzero(self.constant))
        detectors = [
            Channel(name, dict(reads), offset, skips=True, writes=_nonzero(writes))
            for (reads, offset), (name, writes) in self.detectors.items()
        ]
        return Block((constant, *self.channels, *detectors), tuple(self.step_names))


def _nonzero(writes: dict[int, int]) -> dict[int, int]:
    return {coordinate: coefficient for coordinate, coefficient in sorted(writes.items()) if coefficient}
