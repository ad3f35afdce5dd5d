"""The study as a picture: a tile for each trained model, its colour the verdict, on it what decides it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from verify.show.pictures.canvas import INK, blank, plain_text
from verify.training.study import Outcome
from verify.verdict import PROVED, REFUTED, UNDECIDED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TILES = {PROVED: "#cfe8cf", REFUTED: "#f3c9c4", UNDECIDED: "#eeeeee"}

_ROW, _LABEL, _TILE = 0.3, 2.6, 2.3
"""Inches: the height of a row, the width of its name, and of a tile."""


def study_figure(outcomes: Sequence[Outcome]) -> Figure:
    """One row for each language and size; trained as it comes on the left, with sharp gates on the right."""
    kinds = list(dict.fromkeys((one.language, one.layers, one.d_model, one.state, one.seed) for one in outcomes))
    width, height = _LABEL + 2 * _TILE, _ROW * (len(kinds) + 1)
    figure = blank(width, height)
    from matplotlib.patches import Rectangle

    (axes,) = figure.axes
    axes.set_xlim(0, width)
    axes.set_ylim(-height, 0)
    for column, name in enumerate(("as trained", "gates driven to 0 and 1")):
        axes.text(_LABEL + (column + 0.5) * _TILE, -0.5 * _ROW, name, ha="center", va="center", fontsize=8, color=INK)
    for number, kind in enumerate(kinds, start=1):
        language, layers, d_model, state, seed = kind
        middle = -(number + 0.5) * _ROW
        size = f"{layers} × {d_model} × {state}" + f", seed {seed}" * bool(seed)
        axes.text(0.05, middle, plain_text(f"{language}  {size}"), va="center", fontsize=7, color=INK)
        for one in outcomes:
            if (one.language, one.layers, one.d_model, one.state, one.seed) != kind:
                continue
            left = _LABEL + one.sharpen * _TILE
            corner = (left, middle - 0.45 * _ROW)
            axes.add_patch(Rectangle(corner, _TILE - 0.04, 0.9 * _ROW, color=TILES[one.outcome], linewidth=0))
            text = _said(one)
            axes.text(left + _TILE / 2, middle, plain_text(text), ha="center", va="center", fontsize=7, color=INK)
    return figure


def _said(one: Outcome) -> str:
    if one.outcome == PROVED:
        return f"proved, {one.states} states"
    if one.outcome == REFUTED and one.string is not None:
        return f"refuted after {len(one.string)} symbols"
    return one.outcome
