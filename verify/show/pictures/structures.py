"""Pictures of what is inside: the wiring of a cascade, the eggboxes of a transition monoid.

The figures are objects of matplotlib, so a notebook shows them as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from automata import limits
from automata.dfa import DFA
from automata.errors import InputError
from constructions.cascade import Cascade, Copy, Counter, In, Literal, Permutation, Signal
from verify.show.pictures.canvas import ACCENT, BACKGROUND, INK, SIGNAL, blank, plain_text
from verify.show.pictures.routes import Canvas, text_half

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEVEL, _BETWEEN, _LINE = 0.95, 0.45, 0.19
"""Inches between levels, between the boxes of one, and between lines of the legend."""

_WORDS = 4
"""Values whose words stand in the box of a register."""


# -- cascades -----------------------------------------------------------------------------------------


def cascade_figure(cascade: Cascade, legend: Sequence[str] = ()) -> Figure:
    """One row per level, registers and signals as boxes, an arrow from each to those that read it (dashed: as it was
    before the step).

    Args:
        legend: lines that are written below.

    Raises:
        InputError: for more than the limit of registers and signals.
    """
    items = len(cascade.names)
    if limits.exceeded("drawn-items", items):
        most = limits.limit("drawn-items")
        found = f"a cascade of {items} registers and signals is too large to be drawn, expected at most {most}"
        raise limits.refusal("drawn-items", found)
    rows: list[list[str]] = [["symbol"]]
    for level in cascade.levels:
        rows.append([item.name for item in (*level.registers, *level.signals)])
    rows.append(["outputs"])
    texts = {name: _item_label(name, cascade.names.get(name)) for row in rows for name in row}
    boxes: dict[object, tuple[float, float, float, float]] = {}
    for number, row in enumerate(filter(None, rows)):
        widths = [2 * text_half(texts[name], 9)[0] + 0.2 for name in row]
        x = -(sum(widths) + _BETWEEN * (len(row) - 1)) / 2
        for name, width in zip(row, widths):
            boxes[name] = (x + width / 2, -_LEVEL * number, width / 2, text_half(texts[name], 9)[1] + 0.06)
            x += width + _BETWEEN
    canvas = Canvas(boxes)
    reads = _reads(cascade)
    paired = {(source, target) for source, target, _ in reads}
    bends = {}
    for source, target, before in sorted(reads, key=lambda read: _length(boxes, *read[:2])):
        both = (target, source) in paired or {(source, target, True), (source, target, False)} <= reads
        bends[source, target, before] = canvas.bend(source, target, (0.14 if before else -0.14) * both)
    low, high = canvas.extent()
    low, high = low - 0.2, high + 0.2
    said = ["dashed: as it was before the step"] * any(before for _, _, before in reads) + list(legend)
    low[1] -= _LINE * len(said)
    high[0] = max([high[0], *(low[0] + 2 * text_half(line, 8)[0] + 0.3 for line in said)])
    figure = blank(*(high - low))
    from matplotlib.patches import FancyBboxPatch

    axes = figure.axes[0]
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    patches = {}
    for name in texts:
        x, y, width, height = boxes[name]
        item = cascade.names.get(name)
        colour = BACKGROUND if item is None else SIGNAL if isinstance(item, Signal) else ACCENT
        patches[name] = FancyBboxPatch(
            (x - width, y - height),
            2 * width,
            2 * height,
            boxstyle="round,pad=0,rounding_size=0.06",
            facecolor=colour,
            edgecolor=INK,
            zorder=3,
            gid=f"box {name}",
        )
        axes.add_patch(patches[name])
        axes.text(x, y, plain_text(texts[name]), ha="center", va="center", fontsize=9, zorder=4, gid=f"label {name}")
    for (source, target, before), bend in bends.items():
        style = {
            "arrowstyle": "-|>",
            "color": INK,
            "linewidth": 1.0,
            "linestyle": "--" if before else "-",
            "connectionstyle": f"arc3,rad={-bend}",
            "zorder": 2,
            "gid": f"read {source} -> {target}" + " before" * before,
        }
        ends = {"patchA": patches[source], "patchB": patches[target], "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", boxes[target][:2], boxes[source][:2], arrowprops={**style, **ends})
    for number, line in enumerate(reversed(said)):
        axes.text(low[0] + 0.1, low[1] + 0.08 + _LINE * number, plain_text(line), fontsize=8, color=INK, gid="legend")
    return figure


def _length(boxes: dict, source: str, target: str) -> float:
    return abs(boxes[source][0] - boxes[target][0]) + abs(boxes[source][1] - boxes[target][1])


def _reads(cascade: Cascade) -> set[tuple[str, str, bool]]:
    """What is read: source, reader, and whether as it was before the step."""
    found = set()
    readers: list[tuple[str, tuple[Literal, ...], object]] = [
        (item.name, rule.when, rule.then) for item in cascade.names.values() for rule in item.rules
    ]
    readers += [("outputs", emission.when, None) for emission in cascade.emissions]
    for reader, when, action in readers:
        for literal in when:
            found.add(("symbol", reader, False) if isinstance(literal, In) else (literal.name, reader, literal.before))
        if isinstance(action, Copy):
            found.add((action.source, reader, action.before))
    return found


def _item_label(name: str, item) -> str:
    if item is None:
        return name
    kind = (
        "signal"
        if isinstance(item, Signal)
        else "counter"
        if isinstance(item, Counter)
        else "group"
        if isinstance(item, Permutation)
        else "register"
    )
    words = getattr(item, "words", ())
    if 0 < len(words) <= _WORDS:
        return f"{name}\n{kind}: {', '.join(words)}"
    return f"{name}\n{kind}" + ("" if isinstance(item, Counter) else f", {item.values} values")


# -- monoids ------------------------------------------------------------------------------------------


def eggbox_figure(dfa: DFA) -> Figure:
    """One grid per D-class, from the identity down: rows are R-classes, columns L-classes, a star marks an idempotent.

    Each cell shows a shortest word of its H-class, and how many more elements it has.

    Raises:
        InputError: for a monoid of more elements than the limit.
    """
    from automata.algebra.monoid import TransitionMonoid

    most = limits.limit("drawn-elements")
    try:
        monoid = TransitionMonoid(dfa, most)
    except InputError:
        raise limits.refusal(
            "drawn-elements", f"a monoid of more than {most} elements is too large to be drawn"
        ) from None
    boxes = monoid.green().eggboxes()
    words = {cell: " ".join(monoid.word(min(e))) or "ε" for box in boxes for cell, e in _cells(box)}
    width = max(0.5, 0.11 * max(map(len, words.values())) + 0.35)
    height = sum(box.rows + 1 for box in boxes)
    figure = blank(width * max(box.columns for box in boxes) + 0.5, 0.4 * height)
    axes = figure.axes[0]
    from matplotlib.patches import Rectangle

    y = 0.0
    for box in boxes:
        left = -box.columns * width / 2
        for (row, column), elements in box.cells.items():
            corner = left + column * width, y - row - 1
            group = (row, column) in box.idempotents
            axes.add_patch(Rectangle(corner, width, 1, facecolor=ACCENT if group else BACKGROUND, edgecolor=INK))
            label = (
                words[id(box), row, column]
                + ("*" if group else "")
                + (f" +{len(elements) - 1}" if len(elements) > 1 else "")
            )
            axes.text(corner[0] + width / 2, corner[1] + 0.5, plain_text(label), ha="center", va="center", fontsize=8)
        y -= box.rows + 1
    axes.set_xlim(
        -width * max(box.columns for box in boxes) / 2 - 0.2, width * max(box.columns for box in boxes) / 2 + 0.2
    )
    axes.set_ylim(y, 0.5)
    return figure


def _cells(box):
    return [((id(box), *place), elements) for place, elements in box.cells.items()]
