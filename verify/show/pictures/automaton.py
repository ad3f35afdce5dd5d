"""Pictures of automata: states from left to right by their distance from the initial one, a loop for every self-loop.

Graphviz lays out files where its ``dot`` is installed; a figure of matplotlib, with a layout of networkx, is what
notebooks show and what stands in for it.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

import numpy as np

from automata import limits
from automata.dfa import DFA
from automata.errors import InputError, one_line
from automata.files import write_bytes
from verify.show.pictures.canvas import ACCENT, BACKGROUND, INK, blank, plain_text
from verify.show.pictures.routes import Canvas, text_half

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PALE, _MARKED = "#b8b8b8", "#c2410c"
_RADIUS, _ACROSS, _DOWN = 0.27, 1.7, 1.4
"""In inches: of a state, between columns, and between the states of a column."""

_LABELS = 6
_SINK_UP_TO = 7
"""With more states than this the sink is left out: nearly every state has an edge to it."""


@dataclass(frozen=True)
class Arrow:
    """One edge of a picture: all symbols that lead from one state to another.

    Attributes:
        sink: whether it leads to a state from which no word is reached.
        marked: whether a highlighted run takes it.
    """

    source: int
    target: int
    symbols: tuple[str, ...]
    sink: bool
    marked: bool

    @property
    def label(self) -> str:
        shown = " ".join(self.symbols[:_LABELS])
        return shown + (f" … ({len(self.symbols)})" if len(self.symbols) > _LABELS else "")


def arrows(dfa: DFA, run: Sequence[str] = ()) -> list[Arrow]:
    """The edges of a picture of the automaton, those of the run marked."""
    symbols: dict[tuple[int, int], list[str]] = {}
    for state, row in enumerate(dfa.table.tolist()):
        for symbol, target in zip(dfa.alphabet, row):
            symbols.setdefault((state, target), []).append(symbol)
    taken, state = set(), dfa.initial
    for symbol in run:
        following = dfa.step(state, symbol)
        taken.add((state, following))
        state = following
    return [
        Arrow(source, target, tuple(found), not dfa.live[target], (source, target) in taken)
        for (source, target), found in symbols.items()
    ]


def drawn_states(dfa: DFA) -> list[int]:
    """The states that are drawn: of larger automata those alone from which a word is reached."""
    alive = [state for state in range(dfa.states) if dfa.live[state]]
    return alive if alive and dfa.states > _SINK_UP_TO and dfa.live[dfa.initial] else list(range(dfa.states))


def automaton_figure(dfa: DFA, run: Sequence[str] = ()) -> Figure:
    """The automaton as a figure of matplotlib: accepting states double, the sink pale, the edges of a run in colour.

    Where the sink is left out (:func:`drawn_states`), a line below says so.

    Raises:
        InputError: for more states than the limit, a symbol of the run that is not in the alphabet, or without
            matplotlib.
    """
    _check_size(dfa)
    drawn = drawn_states(dfa)
    edges = [edge for edge in arrows(dfa, run) if edge.source in drawn and edge.target in drawn]
    places = _places(dfa)
    canvas = Canvas({state: (*places[state].tolist(), _RADIUS, _RADIUS) for state in drawn})
    x, y = places[dfa.initial].tolist()
    canvas.keep_free((x - _RADIUS - 0.3, y, 0.3, 0.08))
    crowded = {(edge.source, edge.target) for edge in edges}
    bends = {
        edge: canvas.bend(edge.source, edge.target, _bend(edge, (edge.target, edge.source) in crowded))
        for edge in edges
        if edge.source != edge.target
    }
    sides = {edge.source: canvas.loop(edge.source) for edge in edges if edge.source == edge.target}
    labels = {edge: canvas.label(edge.source, edge.target, bend, _half(edge)) for edge, bend in bends.items()}
    for edge in edges:
        if edge.source == edge.target:
            labels[edge] = canvas.loop_label(edge.source, sides[edge.source], _half(edge))
    low, high = canvas.extent()
    low, high = low - 0.25, high + 0.25
    left_out = len(drawn) < dfa.states
    low[1] -= 0.3 * left_out
    high[0] = max(high[0], low[0] + 5.2 * left_out)
    figure = blank(*(high - low))
    axes = figure.axes[0]
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    for edge in edges:
        if edge.source == edge.target:
            _draw_loop(axes, places[edge.source], edge, sides[edge.source])
        else:
            _draw_arrow(axes, places, edge, bends[edge])
        _draw_label(axes, labels[edge], edge)
    _draw_states(axes, dfa, places, drawn)
    if left_out:
        said = "symbols that are not shown lead to a state from which no word is reached"
        axes.text(low[0] + 0.1, low[1] + 0.15, said, fontsize=8, color=INK)
    return figure


def automaton_svg(dfa: DFA, run: Sequence[str] = ()) -> str | None:
    """The picture for a notebook; None for an automaton that is too large, or without matplotlib."""
    from verify.show.pictures.canvas import figure_svg

    try:
        return figure_svg(automaton_figure(dfa, run))
    except InputError:
        return None


def draw_automaton(dfa: DFA, path: str, run: Sequence[str] = ()) -> str:
    """Draws the automaton into a file; returns by what: "graphviz" where ``dot`` is installed, else "matplotlib"."""
    from verify.show.pictures.canvas import save_figure

    _check_size(dfa)
    program = shutil.which("dot")
    if program is None:
        save_figure(automaton_figure(dfa, run), path)
        return "matplotlib"
    kind = Path(path).suffix.lower().lstrip(".")
    done = subprocess.run(
        [program, f"-T{kind}"], input=to_graphviz(dfa, run), capture_output=True, text=False, check=False
    )
    if done.returncode or not done.stdout:
        save_figure(automaton_figure(dfa, run), path)
        return "matplotlib"
    write_bytes(path, done.stdout)
    return "graphviz"


def to_graphviz(dfa: DFA, run: Sequence[str] = ()) -> bytes:
    """The picture in Graphviz' language, left to right."""
    lines = [
        "digraph {",
        "  rankdir=LR; node [shape=circle fontname=sans fontsize=12]; edge [fontname=sans fontsize=11];",
    ]
    lines.append(f'  start [shape=point style=invis]; start -> "{dfa.initial}";')
    drawn = set(drawn_states(dfa))
    for state in sorted(drawn):
        style = [f'label="q{state}"']
        if state in dfa.accepting:
            style.append(f'shape=doublecircle style=filled fillcolor="{ACCENT}"')
        if not dfa.live[state]:
            style.append(f'color="{_PALE}" fontcolor="{_PALE}"')
        lines.append(f'  "{state}" [{" ".join(style)}];')
    for edge in arrows(dfa, run):
        if not {edge.source, edge.target} <= drawn:
            continue
        colour = _MARKED if edge.marked else _PALE if edge.sink else INK
        label = one_line(edge.label).replace("\\", "\\\\").replace('"', '\\"')
        width = 2 if edge.marked else 1
        lines.append(
            f'  "{edge.source}" -> "{edge.target}" [label="{label}" color="{colour}" fontcolor="{colour}" '
            f"penwidth={width}];"
        )
    return ("\n".join([*lines, "}"]) + "\n").encode("utf-8", "backslashreplace")


def _check_size(dfa: DFA) -> None:
    if limits.exceeded("drawn", dfa.states):
        found = (
            f"an automaton of {dfa.states} states is too large to be drawn, expected at most {limits.limit('drawn')}"
        )
        raise limits.refusal("drawn", found)


def _places(dfa: DFA) -> np.ndarray:
    """A place for each state, shape (n, 2): columns by distance from the initial state, the sink below all others."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(dfa.states))
    graph.add_edges_from(
        (edge.source, edge.target) for edge in arrows(dfa) if not edge.sink or not dfa.live[edge.source]
    )
    distance = dict(nx.single_source_shortest_path_length(nx.DiGraph(_pairs(dfa)), dfa.initial))
    for state in graph:
        graph.nodes[state]["subset"] = distance.get(state, max(distance.values()) + 1)
    found = nx.multipartite_layout(graph)
    columns = {state: graph.nodes[state]["subset"] for state in graph}
    places = np.zeros((dfa.states, 2))
    for column in sorted(set(columns.values())):
        inside = sorted((state for state in columns if columns[state] == column), key=lambda state: -found[state][1])
        for rank, state in enumerate(inside):
            # Every second column is moved a little, so that an edge over a column passes beside its state.
            places[state] = column * _ACROSS, ((len(inside) - 1) / 2 - rank) * _DOWN + 0.25 * (column % 2)
    dead = [state for state in range(dfa.states) if not dfa.live[state] and state != dfa.initial]
    if dead and len(dead) < dfa.states:
        alive = [state for state in range(dfa.states) if state not in dead]
        floor = places[alive, 1].min() - _DOWN
        for rank, state in enumerate(dead):
            places[state] = np.mean(places[alive, 0]) + rank * _ACROSS, floor
    return places


def _pairs(dfa: DFA) -> list[tuple[int, int]]:
    return [(state, target) for state, row in enumerate(dfa.table.tolist()) for target in row]


def _colour(edge: Arrow) -> str:
    return _MARKED if edge.marked else _PALE if edge.sink else INK


def _bend(edge: Arrow, both_ways: bool) -> float:
    """How far an edge had best leave the straight line: one of a pair makes way for the other."""
    return 0.22 if both_ways else 0.0


def _half(edge: Arrow) -> tuple[float, float]:
    return text_half(edge.label, 9)


def _draw_arrow(axes: Axes, places: np.ndarray, edge: Arrow, bend: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    start, end = places[edge.source], places[edge.target]
    bends = f"arc3,rad={-bend}"
    shrink = _RADIUS * 72  # points
    axes.add_patch(
        FancyArrowPatch(
            tuple(start),
            tuple(end),
            connectionstyle=bends,
            arrowstyle="-|>",
            mutation_scale=13,
            shrinkA=shrink,
            shrinkB=shrink,
            color=_colour(edge),
            linewidth=2.0 if edge.marked else 1.1,
            gid=f"edge {edge.source} {edge.target}",
        )
    )


def _draw_loop(axes: Axes, place: np.ndarray, edge: Arrow, side: tuple[int, int]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path as Curve

    out, across = np.array(side), np.array([side[1], -side[0]])
    foot = place + out * _RADIUS * 0.93
    points = [
        foot - across * 0.1,
        foot + out * 0.58 - across * 0.42,
        foot + out * 0.58 + across * 0.42,
        foot + across * 0.1,
    ]
    curve = Curve(points, [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4])
    axes.add_patch(
        FancyArrowPatch(
            path=curve,
            arrowstyle="-|>",
            mutation_scale=13,
            color=_colour(edge),
            linewidth=2.0 if edge.marked else 1.1,
            gid=f"edge {edge.source} {edge.target}",
        )
    )


def _draw_label(axes: Axes, place: tuple[float, float], edge: Arrow) -> None:
    axes.text(
        *place,
        plain_text(edge.label),
        ha="center",
        va="center",
        fontsize=9,
        color=_colour(edge),
        gid=f"label {edge.source} {edge.target}",
        bbox={"facecolor": BACKGROUND, "edgecolor": "none", "pad": 0.6},
    )


def _draw_states(axes: Axes, dfa: DFA, places: np.ndarray, drawn: list[int]) -> None:
    from matplotlib.patches import Circle

    for state in drawn:
        x, y = places[state].tolist()
        ink = INK if dfa.live[state] else _PALE
        accepting = state in dfa.accepting
        axes.add_patch(
            Circle(
                (x, y),
                _RADIUS,
                facecolor=ACCENT if accepting else BACKGROUND,
                edgecolor=ink,
                zorder=3,
                gid=f"state {state}",
            )
        )
        if accepting:
            axes.add_patch(Circle((x, y), _RADIUS * 0.82, facecolor="none", edgecolor=ink, zorder=3))
        axes.text(x, y, f"q{state}", ha="center", va="center", fontsize=10, color=ink, zorder=4)
    x, y = places[dfa.initial].tolist()
    axes.annotate("", (x - _RADIUS, y), (x - _RADIUS - 0.5, y), arrowprops={"arrowstyle": "-|>", "color": INK})
