"""Pictures of a run and of memory: registers and answers over a string, and bits used beside the least number of
bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from automata import limits
from automata.errors import InputError
from automata.machine import ACCEPT, EOS
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.show.memory import Memory
from verify.show.pictures.canvas import ACCENT, BACKGROUND, INK, SIGNAL, new_figure, plain_text
from verify.show.tracing import Trace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CELL, _ROW, _MARKED = 0.52, 0.3, "#c2410c"
_OUTPUTS = 24
"""Outputs that have a row of their own; of more, the first ones are shown and the rest is counted."""


def run_figure(trace: Trace) -> "Figure":
    """A run from left to right: the gates of each register, its value after each step, and what is given out.

    A gate that holds is pale, one that forgets is dark.  Where the string has left the language the answers of a
    predictor are crossed out, and the picture says at which step that was.

    Raises:
        InputError: for more steps or registers than the limit, or without matplotlib.
    """
    steps, rows = len(trace.symbols), max(1, len(trace.registers))
    if limits.exceeded("drawn", max(steps, rows)):
        found = (
            f"a run of {steps} steps and {rows} registers is too large to be drawn, expected at most "
            f"{limits.limit('drawn')} of each"
        )
        raise limits.refusal("drawn", found)
    shown = trace.order[: _OUTPUTS + (len(trace.order) == _OUTPUTS + 1)]
    widest = max((len(cell.value) for cells in trace.cells for cell in cells), default=1)
    names = [*trace.registers, *map(_output, shown)]
    width = 0.09 * max(map(len, names), default=1) + steps * max(_CELL, 0.1 * widest + 0.12) + 0.6
    width = max([width, *(0.3 + 0.062 * len(line) for line in trace.legend)])
    figure, axes = _axes(
        3, width, 1.9 + _ROW * (2 * rows + len(shown)) + 0.16 * len(trace.legend), [rows, rows, len(shown)]
    )
    ticks = [plain_text(symbol) for symbol in trace.symbols]
    titles = (
        "gates (1 holds, 0 forgets)",
        "state after the step",
        "answer" if trace.order == (ACCEPT,) else "legal next",
    )
    for axis, title, labels in zip(axes, titles, (trace.registers, trace.registers, map(_output, shown))):
        labels = [plain_text(label) for label in labels]
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_xlim(-0.5, steps - 0.5)
        axis.set_ylim(len(labels) - 0.5, -0.5)
        axis.set_yticks(range(len(labels)), labels, fontsize=8)
        axis.set_xticks(range(steps), ticks if axis is axes[2] else [""] * steps, fontsize=8)
        axis.tick_params(length=0)
    greatest = [max(1.0, *(cells[row].number for cells in trace.cells)) for row in range(len(trace.registers))]
    for step, cells in enumerate(trace.cells):
        for row, cell in enumerate(cells):
            gate = min(1.0, max(0.0, min(cell.gates)))
            _cell(axes[0], step, row, _mix(INK, BACKGROUND, gate), cell.gate, "gate")
            shade = min(1.0, max(0.0, cell.number / greatest[row]))
            _cell(axes[1], step, row, _mix(BACKGROUND, "#3f7fb5", shade), cell.value, "state")
    for step, given in enumerate(trace.outputs):
        dead = trace.left is not None and step >= trace.left and trace.order != (ACCEPT,)
        for row, output in enumerate(shown):
            colour = "#dddddd" if dead else "#4d9a5b" if output in given else BACKGROUND
            _cell(axes[2], step, row, colour, "×" if dead else "", "output")
    notes = []
    if trace.left is not None:
        for axis in axes:
            axis.axvline(trace.left - 0.5, color=_MARKED, linewidth=2)
        notes.append(f"left the language at step {trace.left}: no continuation is legal")
    if len(shown) < len(trace.order):
        notes.append(f"{len(trace.order) - len(shown)} more outputs are not shown")
    axes[2].set_xlabel("; ".join(notes) or "symbol read", fontsize=9, color=_MARKED if trace.left is not None else INK)
    if trace.legend:
        figure.supxlabel(plain_text("\n".join(trace.legend)), x=0.01, ha="left", fontsize=8)
    return figure


def _cell(axis, step: int, row: int, colour: str, text: str, kind: str) -> None:
    from matplotlib.patches import Rectangle

    place = (step - 0.5, row - 0.5)
    axis.add_patch(
        Rectangle(place, 1, 1, facecolor=colour, edgecolor="#cccccc", linewidth=0.6, gid=f"{kind} {step} {row}")
    )
    if text:
        dark = sum(int(colour[i : i + 2], 16) for i in (1, 3, 5)) < 3 * 128
        ink = BACKGROUND if dark else INK
        axis.text(
            step,
            row,
            plain_text(text),
            ha="center",
            va="center",
            fontsize=8,
            color=ink,
            gid=f"value {kind} {step} {row}",
        )


def _mix(low: str, high: str, share: float) -> str:
    """The colour between two."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (low, high)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(*ends))


def _output(name: str) -> str:
    return {EOS: "end", ACCEPT: "accept"}.get(name, name)


def trajectory_figure(ssm: SSM, word: Sequence[str], points: int = 400) -> "Figure":
    """Every named coordinate as a line over a long string, looked at about ``points`` times."""
    engine = Engine(ssm)
    state, _ = engine.begin(1)
    codes = engine.encode(word)
    places, values = [0], [state[0].tolist()]
    every = max(1, len(word) // points)
    for first in range(0, len(word), every):
        state, _ = engine.advance(state, codes[:, first : first + every])
        places.append(min(first + every, len(word)))
        values.append(state[0].tolist())
    figure, (axis,) = _axes(1, 8, 3.4)
    unit = 2**ssm.arithmetic.unit_bits  # the engine counts in units of the last fractional bit
    for name, line in zip(ssm.state_names, zip(*values)):
        axis.plot(places, [value / unit for value in line], label=name)
    axis.set_xlabel("symbols read")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def memory_figure(found: Memory) -> "Figure":
    """Two bars: the bits of each register, and the least number of bits that any model needs.

    Raises:
        InputError: for counters without bounds, more registers than the limit, or without matplotlib.
    """
    if found.bound is None:
        raise InputError("a counter without bounds has no number of bits that could be drawn")
    if limits.exceeded("drawn", len(found.parts)):
        most = limits.limit("drawn")
        raise limits.refusal("drawn", f"{len(found.parts)} registers are too many to be drawn, expected at most {most}")
    parts = [(name, bits) for name, bits in found.parts if bits]
    if found.previous:
        parts.append(("previous digits", found.previous))
    whole = max(found.used, found.bound, 1)
    figure, (axis,) = _axes(1, 8, 2.2)
    left = 0.0
    for number, (name, bits) in enumerate(parts):
        colour = SIGNAL if name == "previous digits" else (ACCENT, "#e3eefa")[number % 2]
        axis.barh(1, bits, left=left, color=colour, edgecolor=INK, gid=f"part {name}")
        label = f"{name}\n{bits:.4g}"
        if 0.075 * len(name) + 0.05 < 6.5 * bits / whole:
            axis.text(left + bits / 2, 1, plain_text(label), ha="center", va="center", fontsize=8, gid=f"label {name}")
        left += bits
    axis.barh(0, found.bound, color="#d9d9d9", edgecolor=INK, gid="bound")
    axis.set_yticks([1, 0], [f"used: {found.used:.2f}", f"needed: {found.bound:.2f}"])
    axis.set_xlim(0, whole * 1.02)
    axis.set_xlabel(f"bits; log2 of {_count(found.classes or 0)} Myhill-Nerode classes are needed")
    return figure


def _count(classes: int) -> str:
    return str(classes) if classes < 10**9 else f"about {float(classes):.1e}" if classes < 10**300 else "very many"


def memory_family_figure(names: Sequence[str], found: Sequence[Memory]) -> "Figure":
    """Bits used by a family of models beside the least number of bits that any model needs."""
    if any(memory.bound is None for memory in found):
        raise InputError("a counter without bounds has no number of bits that could be drawn")
    figure, (axis,) = _axes(1, 6, 3.4)
    axis.plot(range(len(found)), [memory.used for memory in found], "o-", label="used", color="#1f5f99")
    axis.plot(range(len(found)), [memory.bound for memory in found], "s--", label="needed", color="#888888")
    axis.set_xticks(range(len(found)), map(plain_text, names), rotation=40, ha="right", fontsize=8)
    axis.set_ylabel("bits")
    axis.set_ylim(0)
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def _axes(count: int, width: float, height: float, heights: Sequence[int] | None = None):
    """A figure with so many panels below each other."""
    figure = new_figure(width, height, layout="constrained")
    return figure, list(figure.subplots(count, 1, squeeze=False, height_ratios=heights)[:, 0])
