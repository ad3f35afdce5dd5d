"""Memory used, register by register, beside the least that can tell a language's classes apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

from automata.dfa import DFA
from automata.machine import PREDICTIVE, RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.counter_machine import CounterMachine
from automata.machines.flip_flop import FlipFlopMachine
from automata.machines.recall import RecallMachine
from constructions.cascade import Counter, bit_length
from constructions.compile.compiler import PAPER, TIGHT, Construction


@dataclass(frozen=True)
class Memory:
    """Bits of a construction.

    Attributes:
        parts: registers with their bits: ceil(log2 values), or log2 of the range of a counter.
        previous: bits for the digits before the step, of the registers that are read before it.
        classes: the Myhill-Nerode classes to be told apart; None where a counter has no bounds.
        reachable: the states that the registers ever have, which may be fewer than they could hold, where that is
            known of the construction: a predictor of bounded Dyck.
    """

    parts: tuple[tuple[str, float], ...]
    previous: int
    classes: int | None
    reachable: int | None = None

    @classmethod
    def of(cls, construction: Construction) -> "Memory":
        """Counted on the cascade.

        >>> from constructions.compile.compiler import compile
        >>> found = Memory.of(compile(DyckMachine(2, 3)))
        >>> found.parts, found.classes, f"{found.used:.2f} {found.bound:.2f}"
        ((('depth', 2.0), ('slot 1', 1), ('slot 2', 1), ('slot 3', 1)), 15, '5.00 3.91')
        """
        cascade = construction.cascade
        parts: list[tuple[str, float]] = []
        previous, bounded = 0, True
        for register in cascade.registers:
            if isinstance(register, Counter):
                bounded = bounded and register.span is not None
                if register.span is not None:
                    parts.append((register.name, math.log2(register.span[1] - register.span[0] + 1)))
                continue
            bits = bit_length(register.values)
            parts.append((register.name, bits))
            previous += bits * (register.name in cascade.read_before)
        classes = classes_of(construction.machine, construction.mode) if bounded else None
        return cls(tuple(parts), previous, classes, _reachable(construction))

    @property
    def used(self) -> float:
        return sum(bits for _, bits in self.parts) + self.previous

    @property
    def bound(self) -> float | None:
        """Bits that any model needs; None where no number of them is enough."""
        return None if self.classes is None else math.log2(self.classes)


def _reachable(construction: Construction) -> int | None:
    """Below the depth the types that are open, above it any that were, unless they are cleared."""
    machine = construction.machine
    if not isinstance(machine, DyckMachine) or construction.mode != PREDICTIVE:
        return None
    if construction.route == TIGHT or machine.k == 1:
        return machine.classes()
    return (machine.depth + 1) * machine.k**machine.depth if construction.route == PAPER else None


def classes_of(machine: Machine, mode: str) -> int | None:
    """The number of Myhill-Nerode classes that a model has to tell apart; None where it is infinite."""
    if isinstance(machine, (DyckMachine, RecallMachine, CopyMachine)):
        return machine.classes() + (mode == RECOGNISE)
    if isinstance(machine, FlipFlopMachine):
        return 9 if mode == RECOGNISE else 8
    if isinstance(machine, CounterMachine):
        return None
    if not isinstance(machine, DFA):
        raise ValueError(f"the classes of {machine!r} are not counted")
    return max(1, int(machine.live.sum()) if mode == PREDICTIVE else machine.states)
