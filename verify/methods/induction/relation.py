"""What the coordinates of a model mean, read from their names: the relation R of an inductive proof.

R relates a machine state to the model states that stand for it.  It is only a guess until its obligations are
discharged on the weights, so reading it from names is sound: a wrong name makes a proof fail, never succeed.

* ``depth`` is the number of open brackets; ``slot 3 bit 0`` is bit 0 of the type of the third of them, or, above the
  depth, a stale bit that is 0 or 1; ``dead`` is 0 while the prefix may still become a word.
* A coordinate named like a counter of a counter machine equals it; ``reached b`` is 1 in the control ``b`` and all
  later ones, 0 before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.cascade import bit_length
from constructions.ssm.weights import SSM
from verify.numbers.boxes import NotCovered

Place = tuple[int, int]
"""(layer, coordinate)."""

_ALOUD = 2
"""Slots that are read aloud one by one, before the last."""

_SLOT = re.compile(r"slot (\d+)(?: bit (\d+))?")


def places(ssm: SSM) -> dict[str, Place]:
    """Where each named coordinate is.

    Raises:
        NotCovered: when a coordinate has no name, or two have the same.
    """
    found: dict[str, Place] = {}
    for number, layer in enumerate(ssm.layers):
        if len(layer.names) != layer.width:
            raise NotCovered(f"the coordinates of layer {number + 1} have no names")
        for coordinate, name in enumerate(layer.names):
            if name in found:
                raise NotCovered(f"two coordinates are named {name!r}")
            found[name] = number, coordinate
    return found


@dataclass(frozen=True)
class StackRelation:
    """R for Dyck(k, h): the stack is ``depth`` and the slots up to it.

    Attributes:
        depth: where the depth is.
        slot_layer: the layer that has all the slots.
        slot, bit: for each coordinate of that layer, its slot (1..h) and its bit, shape (d,).
        dead: where the dead register is; None in a predictor.
    """

    depth: Place
    slot_layer: int
    slot: np.ndarray
    bit: np.ndarray
    dead: Place | None

    @classmethod
    def of(cls, ssm: SSM, machine: DyckMachine) -> "StackRelation":
        """Derived from the names.

        Raises:
            NotCovered: naming what is missing or has no meaning.
        """
        named = places(ssm)
        depth, dead = named.pop("depth", None), named.pop("dead", None)
        if depth is None:
            raise NotCovered("no coordinate is named 'depth'")
        meaning: dict[tuple[int, int], Place] = {}
        for name, place in named.items():
            match = _SLOT.fullmatch(name)
            if match is None:
                raise NotCovered(f"the coordinate {name!r} has no meaning in the relation")
            meaning[int(match[1]), int(match[2] or 0)] = place
        expected = [(j, i) for j in range(1, machine.depth + 1) for i in range(bit_length(machine.k))]
        if sorted(meaning) != expected:
            raise NotCovered(f"the slots are not the {len(expected)} bits of {machine.depth} stack cells")
        layers = {layer for layer, _ in meaning.values()}
        if len(layers) != 1 or not depth[0] < min(layers) or (dead is not None and not dead[0] > max(layers)):
            raise NotCovered("the depth, the slots and the dead register are not in layers of this order")
        slot_layer = layers.pop()
        of_coordinate = {coordinate: key for key, (_, coordinate) in meaning.items()}
        keys = [of_coordinate[coordinate] for coordinate in range(len(of_coordinate))]
        return cls(depth, slot_layer, np.array([j for j, _ in keys]), np.array([i for _, i in keys]), dead)

    def read_aloud(self, machine: DyckMachine, cleared: bool) -> list[str]:
        """R in words, one sentence for each line; of many slots the first ones and the last.

        Args:
            cleared: whether slots above the depth are always 0.
        """
        bits = int(self.bit.max()) + 1
        code = "as one bit" if bits == 1 else f"as bits 0 to {bits - 1} of its number"
        lines = ["'depth' is the number of open brackets"]
        for j in range(1, machine.depth + 1):
            if j <= _ALOUD or j == machine.depth:
                lines.append(f"slot {j} holds the type of the bracket opened at depth {j}, {code}")
            elif j == _ALOUD + 1:
                lines.append("likewise the slots between")
        numbers = ", ".join(f"{opener} is {number}" for number, opener in enumerate(machine.openers[: _ALOUD + 1]))
        lines.append(f"of the types, {numbers}{', …' if machine.k > _ALOUD + 1 else ''}")
        if cleared:
            lines.append(
                "slots above the depth are 0: a model state is its stack, and one is reached for each of the "
                f"{machine.classes()} Myhill-Nerode classes"
            )
        else:
            lines.append("slots above the depth are stale: each of their bits is 0 or 1, and nobody reads them")
        if self.dead is not None:
            lines.append("'dead' is 0 while the prefix may still become a word, then positive, and all else is free")
        return lines

    def columns(self, ssm: SSM) -> tuple[int, np.ndarray]:
        """The columns of an engine's state row that hold the depth and the slots."""
        starts = np.cumsum([0, *(layer.width for layer in ssm.layers)])
        return int(starts[self.depth[0]]) + self.depth[1], starts[self.slot_layer] + np.arange(len(self.slot))


@dataclass(frozen=True)
class CounterRelation:
    """R for a counter machine.

    Attributes:
        counters: for each counter of the machine, where it is.
        latches: name, place and the controls in which the latch is 1.
        dead: where the dead register is; None in a predictor.
    """

    counters: tuple[Place, ...]
    latches: tuple[tuple[str, Place, frozenset[str]], ...]
    dead: Place | None

    @classmethod
    def of(cls, ssm: SSM, machine: CounterMachine) -> "CounterRelation":
        """Derived from the names.

        Raises:
            NotCovered: naming what is missing or has no meaning.
        """
        named = places(ssm)
        dead = named.pop("dead", None)
        missing = [name for name in machine.counters if name not in named]
        if missing:
            raise NotCovered(f"no coordinate is named {missing[0]!r}")
        counters = tuple(named.pop(name) for name in machine.counters)
        latches = []
        for name, place in named.items():
            control = name.removeprefix("reached ")
            if control == name or control not in machine.controls:
                raise NotCovered(f"the coordinate {name!r} has no meaning in the relation")
            latches.append((name, place, frozenset(machine.controls[machine.controls.index(control) :])))
        return cls(counters, tuple(latches), dead)
