"""A run of the weights as text: at each step the symbol, the gates, the named state, and what is given out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Iterator, Sequence

from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE
from constructions.ssm import reference
from constructions.ssm.weights import SSM


@dataclass(frozen=True)
class Trace:
    """A run as a table, one row for each symbol, BOS first.

    Attributes:
        head: the columns' names.
        rows: as many cells each.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, ssm: SSM, word: Sequence[str]) -> "Trace":
        """A run of the weights by the reference step."""
        rows = []
        state = reference.start(ssm)
        for step, symbol in enumerate((BOS, *word)):
            state, gates = reference.step_with_gates(ssm, state, symbol)
            rows.append(
                (str(step), symbol, _named(ssm, gates, skip=1), _named(ssm, state.h), _outputs(ssm, state.outputs))
            )
        return cls(
            ("step", "symbol", "gates not 1", "state", "legal next" if ssm.mode == PREDICTIVE else "answer"),
            tuple(rows),
        )

    def lines(self) -> Iterator[str]:
        """The table as text."""
        table = (self.head, *self.rows)
        widths = [max(len(row[i]) for row in table) for i in range(len(self.head) - 1)]
        for row in table:
            yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1]])

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><tr>{''.join(f'<th>{name}</th>' for name in self.head)}</tr>{rows}</table>"


def trace(ssm: SSM, word: Sequence[str]) -> Iterator[str]:
    """Lines of a table, one for each symbol, BOS first.

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.ssm.lowering import lower
    >>> for line in trace(lower(flip_flop(), Arithmetic("exact")), "w1"):
    ...     print(line)
    step  symbol  gates not 1    state                legal next
    0     <bos>   -              instruction=0 bit=0  w end
    1     w       instruction=0  instruction=0 bit=0  0 1
    2     1       bit=0          instruction=0 bit=1  i r w end
    """
    return Trace.of(ssm, word).lines()


def _named(ssm: SSM, numbers, skip: int | None = None) -> str:
    """name=number for each state coordinate; the bits of one register as one number where they all are 0 or 1."""
    cells: dict[str, list] = {}
    for layer, values in zip(ssm.layers, numbers):
        for name, value in zip(layer.names or [f"h{i + 1}" for i in range(layer.width)], values):
            cells.setdefault(name.rpartition(" bit ")[0] or name, []).append(value)
    parts = []
    for name, values in cells.items():
        if all(value == skip for value in values):
            continue
        if len(values) > 1 and len(set(values)) == 1 and skip is not None:
            values = values[:1]
        if len(values) > 1 and all(value in (0, 1) for value in values):
            values = [sum(int(value) << i for i, value in enumerate(values))]
        parts.append(f"{name}={','.join(format(float(value), 'g') for value in values)}")
    return " ".join(parts) or "-"


def _outputs(ssm: SSM, outputs: frozenset[str]) -> str:
    if ssm.mode != PREDICTIVE:
        return "accept" if ACCEPT in outputs else "reject"
    return " ".join([*sorted(outputs - {EOS}), *["end"] * (EOS in outputs)]) or "nothing"
