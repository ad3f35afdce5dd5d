"""Pictures: an automaton, the wiring of a cascade, the eggboxes of a transition monoid.

networkx lays graphs out and matplotlib draws them; the figures are objects of matplotlib, so a notebook shows them as they are.
"""

from __future__ import annotations

import io
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from automata.cascade import Cascade, Copy, Counter, In, Permutation, Signal
from automata.dfa import DFA
from automata.errors import InputError, one_line
from automata.files import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATES, ITEMS, ELEMENTS = 150, 300, 600
"""The greatest automaton (states), cascade (registers and signals) and monoid (elements) that are drawn."""

_FORMATS = (".svg", ".png", ".pdf")
_INK, _PAPER, _ACCENT, _SIGNAL = "#222222", "#ffffff", "#cfe3f5", "#f3e6c4"


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
        figure = dfa_figure(dfa)
    elif what == "cascade":
        from automata.krohn_rhodes import holonomy_cascade

        figure = cascade_figure(holonomy_cascade(dfa, mode))
    else:
        figure = eggbox_figure(dfa)
    save_figure(figure, path)


def check_extension(path: str) -> None:
    """Raises unless the file's extension is one that is drawn."""
    if Path(path).suffix.lower() not in _FORMATS:
        raise InputError(f"{path}: the extension is {Path(path).suffix or 'missing'!r}, expected one of {', '.join(_FORMATS)}")


def save_figure(figure: Figure, path: str) -> None:
    """Writes a figure; the same figure gives the same file."""
    kind = Path(path).suffix.lower().removeprefix(".")
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        # A symbol for which the font has no picture is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph [0-9]+ .*missing from")
        figure.savefig(picture, format=kind, dpi=150, metadata=metadata, bbox_inches="tight")
    write_bytes(path, picture.getvalue())


def _figure(width: float, height: float) -> Figure:
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("pictures need matplotlib: pip install 'ssm-compiler[draw]'") from None
    # It remarks that it looks for fonts, or keeps what it found in another folder.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    matplotlib.rcParams["svg.hashsalt"] = "ssm-compiler"
    figure = Figure(figsize=(min(width, 40), min(height, 40)))
    axes = figure.add_subplot()
    axes.set_axis_off()
    return figure


def _text(label: str) -> str:
    """A label as matplotlib takes it: a dollar sign is not the start of a formula, and what is not printable is escaped."""
    return "\n".join(map(one_line, label.split("\n"))).replace("$", r"\$")


# -- automata -----------------------------------------------------------------------------------------


def dfa_figure(dfa: DFA) -> Figure:
    """States as circles (accepting ones double), the initial one with an arrow, one edge per pair of states with its symbols.

    Raises:
        InputError: for more than STATES states.
    """
    import networkx as nx

    if dfa.states > STATES:
        raise InputError(f"an automaton of {dfa.states} states is too large to be drawn: at most {STATES}")
    labels: dict[tuple[int, int], list[str]] = {}
    for state, row in enumerate(dfa.table.tolist()):
        for symbol, target in zip(dfa.alphabet, row):
            labels.setdefault((state, target), []).append(symbol)
    graph = nx.DiGraph(list(labels))
    size = 3 + dfa.states**0.5 * 1.6
    figure = _figure(size * 1.2, size)
    axes = figure.axes[0]
    circle = nx.circular_layout(graph)
    places = nx.kamada_kawai_layout(graph.to_undirected(), pos=circle) if dfa.states > 1 else circle
    draw_edges = {"ax": axes, "node_size": 700, "edge_color": _INK, "connectionstyle": "arc3,rad=0.15"}
    nx.draw_networkx_edges(graph, places, arrowsize=14, **draw_edges)
    nx.draw_networkx_nodes(graph, places, ax=axes, node_size=700, node_color=_PAPER, edgecolors=_INK)
    accepting = sorted(dfa.accepting)
    nx.draw_networkx_nodes(graph, places, nodelist=accepting, ax=axes, node_size=480, node_color=_ACCENT, edgecolors=_INK)
    nx.draw_networkx_labels(graph, places, ax=axes, font_size=10)
    names = {edge: _text(_some(symbols)) for edge, symbols in labels.items()}
    nx.draw_networkx_edge_labels(graph, places, names, ax=axes, font_size=8, connectionstyle="arc3,rad=0.15", node_size=700, rotate=False)
    x, y = places[dfa.initial]
    away = max((x * x + y * y) ** 0.5, 1e-9)
    axes.annotate("", (x, y), (x + 0.35 * x / away, y + 0.35 * y / away) if away > 0.1 else (x - 0.35, y), arrowprops={"arrowstyle": "-|>", "color": _INK, "shrinkB": 13})
    axes.margins(0.15)
    return figure


def _some(symbols: list[str], most: int = 6) -> str:
    return " ".join(symbols[:most]) + (f" … ({len(symbols)})" if len(symbols) > most else "")


# -- cascades -----------------------------------------------------------------------------------------


def cascade_figure(cascade: Cascade) -> Figure:
    """One row per level, registers and signals as boxes, an arrow from each to those that read it (dashed: as it was before the step).

    Raises:
        InputError: for more than ITEMS registers and signals.
    """
    items = [(level, item) for level, found in enumerate(cascade.levels) for item in (*found.registers, *found.signals)]
    if len(items) > ITEMS:
        raise InputError(f"a cascade of {len(items)} registers and signals is too large to be drawn: at most {ITEMS}")
    rows = max((len(level.registers) + len(level.signals) for level in cascade.levels), default=1)
    figure = _figure(max(5.0, 2.6 * rows), 1.0 + 0.9 * (len(cascade.levels) + 2))
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
        colour = _PAPER if item is None else _SIGNAL if isinstance(item, Signal) else _ACCENT
        box = {"boxstyle": "round", "facecolor": colour, "edgecolor": _INK}
        boxes[name] = axes.text(x, y, _text(_item_label(name, item)), ha="center", va="center", fontsize=9, bbox=box).get_bbox_patch()
    for (source, target), before in sorted(reads.items()):
        style = {"arrowstyle": "-|>", "color": _INK, "linestyle": "--" if before else "-", "connectionstyle": "arc3,rad=0.12"}
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
    kind = "signal" if isinstance(item, Signal) else "counter" if isinstance(item, Counter) else "group" if isinstance(item, Permutation) else "register"
    return f"{name}\n{kind}" + ("" if isinstance(item, Counter) else f", {item.values} values")


# -- monoids ------------------------------------------------------------------------------------------


def eggbox_figure(dfa: DFA) -> Figure:
    """One grid per D-class, from the identity down: rows are R-classes, columns L-classes, a star marks an idempotent.

    Each cell shows a shortest word of its H-class, and how many more elements it has.

    Raises:
        InputError: for a monoid of more than ELEMENTS elements.
    """
    from automata.monoid import TransitionMonoid

    try:
        monoid = TransitionMonoid(dfa, ELEMENTS)
    except InputError:
        raise InputError(f"a monoid of more than {ELEMENTS} elements is too large to be drawn") from None
    boxes = monoid.green().eggboxes()
    words = {cell: " ".join(monoid.word(min(e))) or "ε" for box in boxes for cell, e in _cells(box)}
    width = max(0.5, 0.11 * max(map(len, words.values())) + 0.35)
    height = sum(box.rows + 1 for box in boxes)
    figure = _figure(width * max(box.columns for box in boxes) + 0.5, 0.4 * height)
    axes = figure.axes[0]
    from matplotlib.patches import Rectangle

    y = 0.0
    for box in boxes:
        left = -box.columns * width / 2
        for (row, column), elements in box.cells.items():
            corner = left + column * width, y - row - 1
            group = (row, column) in box.idempotents
            axes.add_patch(Rectangle(corner, width, 1, facecolor=_ACCENT if group else _PAPER, edgecolor=_INK))
            label = words[id(box), row, column] + ("*" if group else "") + (f" +{len(elements) - 1}" if len(elements) > 1 else "")
            axes.text(corner[0] + width / 2, corner[1] + 0.5, _text(label), ha="center", va="center", fontsize=8)
        y -= box.rows + 1
    axes.set_xlim(-width * max(box.columns for box in boxes) / 2 - 0.2, width * max(box.columns for box in boxes) / 2 + 0.2)
    axes.set_ylim(y, 0.5)
    return figure


def _cells(box):
    return [((id(box), *place), elements) for place, elements in box.cells.items()]
