"""Pictures of what is inside: the wiring of a cascade, the eggboxes of a transition monoid.

The figures are objects of matplotlib, so a notebook shows them as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from automata import limits
from automata.dfa import DFA
from automata.errors import InputError
from constructions.cascade import Cascade, Copy, Counter, In, Permutation, Signal
from verify.show.pictures.automaton import draw_automaton
from verify.show.pictures.canvas import ACCENT, BACKGROUND, INK, SIGNAL, blank, check_extension, plain_text, save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(what: str, dfa: DFA, mode: str, path: str) -> None:
    """Draws the automaton, its holonomy cascade or its monoid's eggboxes into a file.

    Args:
        what: "dfa", "cascade" or "eggbox".
        mode: the question that the cascade answers.
        path: ends in .svg, .png or .pdf.

    Raises:
        InputError: for another extension, something too large to be drawn, or without matplotlib.
    """
    check_extension(path)
    if what == "dfa":
        draw_automaton(dfa, path)
    elif what == "cascade":
        from constructions.compile.krohn_rhodes import holonomy_cascade

        save_figure(cascade_figure(holonomy_cascade(dfa, mode)), path)
    else:
        save_figure(eggbox_figure(dfa), path)


# -- cascades -----------------------------------------------------------------------------------------


def cascade_figure(cascade: Cascade) -> Figure:
    """One row per level, registers and signals as boxes, an arrow from each to those that read it (dashed: as it was before the step).

    Raises:
        InputError: for more than the limit of registers and signals.
    """
    items = [(level, item) for level, found in enumerate(cascade.levels) for item in (*found.registers, *found.signals)]
    if limits.exceeded("drawn-items", len(items)):
        most = limits.limit("drawn-items")
        found = f"a cascade of {len(items)} registers and signals is too large to be drawn, expected at most {most}"
        raise limits.refusal("drawn-items", found)
    rows = max((len(level.registers) + len(level.signals) for level in cascade.levels), default=1)
    figure = blank(max(5.0, 2.6 * rows), 1.0 + 0.9 * (len(cascade.levels) + 2))
    axes = figure.axes[0]
    places = {"symbol": (0.0, 0.0), "outputs": (0.0, -len(cascade.levels) - 1.0)}
    column: dict[int, int] = {}
    for level, item in items:
        here = column[level] = column.get(level, -1) + 1
        places[item.name] = (float(here) * 1.5, -level - 1.0)
    reads: dict[tuple[str, str], bool] = {}
    for _, item in items:
        for rule in item.rules:
            reads.update(_read(rule.when, rule.then, item.name))
    for emission in cascade.emissions:
        reads.update(_read(emission.when, None, "outputs"))
    boxes = {}
    for name, (x, y) in places.items():
        item = cascade.names.get(name)
        colour = BACKGROUND if item is None else SIGNAL if isinstance(item, Signal) else ACCENT
        box = {"boxstyle": "round", "facecolor": colour, "edgecolor": INK}
        boxes[name] = axes.text(
            x, y, plain_text(_item_label(name, item)), ha="center", va="center", fontsize=9, bbox=box
        ).get_bbox_patch()
    for (source, target), before in sorted(reads.items()):
        style = {
            "arrowstyle": "-|>",
            "color": INK,
            "linestyle": "--" if before else "-",
            "connectionstyle": "arc3,rad=0.12",
        }
        ends = {"patchA": boxes[source], "patchB": boxes[target], "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", places[target], places[source], arrowprops={**style, **ends})
    axes.set_xlim(-0.9, 1.5 * rows - 0.6)
    axes.set_ylim(-len(cascade.levels) - 1.6, 0.6)
    return figure


def _read(when, action, reader: str) -> dict[tuple[str, str], bool]:
    """What is read: (source, reader) -> whether only as it was before the step."""
    found = {}
    for literal in when:
        if isinstance(literal, In):
            found["symbol", reader] = False
        else:
            found[literal.name, reader] = literal.before
    if isinstance(action, Copy):
        found[action.source, reader] = action.before
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
