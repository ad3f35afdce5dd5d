"""The operations of one half, by what an architecture's weights need of them."""

from __future__ import annotations

from typing import NamedTuple, Sequence

from constructions.program.operations import Accumulate, Hold, LinearForm, Neuron, Operation


class ReadRegister(NamedTuple):
    """A register as it is read at one time: its gate, its values with the coordinates that they are written to, and
    whether this is the state before the step.
    """

    gate: LinearForm
    cells: tuple[tuple[LinearForm, int], ...]
    late: bool = False

    @property
    def taps(self) -> tuple[int, int]:
        """Of a convolution of two that gives the right step."""
        return (1, 0) if self.late else (0, 1)


def read_registers(half: Sequence[Operation]) -> list[ReadRegister]:
    """Each register of a half after the step, and before it where that is asked for."""
    found = []
    for operation in half:
        if isinstance(operation, Hold):
            found.append(ReadRegister(operation.gate, operation.cells))
            if operation.late:
                cells = tuple((value, late) for (value, _), late in zip(operation.cells, operation.late))
                found.append(ReadRegister(operation.gate, cells, late=True))
    return found


def counters(half: Sequence[Operation]) -> list[Accumulate]:
    """Those operations that count."""
    return [operation for operation in half if isinstance(operation, Accumulate)]


def neurons(operations: Sequence[Operation]) -> list[Neuron]:
    """Those operations that are neurons."""
    return [operation for operation in operations if isinstance(operation, Neuron)]
