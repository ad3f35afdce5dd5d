"""The table of languages as a picture: a bar for the published accuracy of training beside what is proved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from verify.show.pictures.canvas import BACKGROUND, INK, blank, plain_text
from verify.show.suite_table import FAILS, outcome_word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from verify.suite import Row

_LINE, _TOP = 0.235, 0.6
"""Inches of a line, and of what stands above the first one."""

_NAME, _SIZES, _BARS, _BAR, _OUTCOME = 0.1, 1.75, 3.2, 1.0, 5.55
"""Where columns begin, and how wide the bar of 100 percent is."""

_COLOURS = {"proved": "#00734f", "impossible": "#8a4a00", FAILS: "#a01010"}
_TRAINED, _PALE = ("#3b78b5", "#84b1da", "#bcd6ec"), "#ececec"
"""The bins, the first of the lengths of training; they differ in lightness."""


def suite_figure(found: Sequence[Row]) -> Figure:
    """One line for each language: states and bits, accuracy after training by bins, and what is proved.

    Raises:
        InputError: without matplotlib.
    """
    from matplotlib.patches import Rectangle

    figure = blank(7.0, _TOP + _LINE * len(found) + 0.1)
    axes = figure.axes[0]
    width, height = figure.get_size_inches()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)

    def say(x: float, y: float, text: str, **style) -> None:
        axes.text(x, y, plain_text(text), va="center", **{"fontsize": 8.5, "color": INK, **style})

    for x, head in ((_NAME, "language"), (_SIZES, "states"), (_SIZES + 0.7, "bits"), (_OUTCOME, "built: every length")):
        say(x, _TOP - 0.2, head, weight="bold")
    say(_BARS, _TOP - 0.42, "trained Mamba, accuracy in percent", weight="bold")
    for place, (colour, head) in enumerate(zip(_TRAINED, ("as in training", "longer", "longest"))):
        x = _BARS + (0, 0.95, 1.5)[place]
        axes.add_patch(Rectangle((x, _TOP - 0.25), 0.1, 0.1, facecolor=colour))
        say(x + 0.14, _TOP - 0.2, head, fontsize=7.5)
    for number, row in enumerate(found):
        y = _TOP + _LINE * (number + 0.5)
        if number % 2:
            axes.add_patch(Rectangle((0, y - _LINE / 2), width, _LINE, facecolor="#f5f6f8", zorder=0))
        say(_NAME, y, row.language.name)
        say(
            _SIZES,
            y,
            "infinite" if row.states is None else f"{row.states:.3g}" if row.states > 9999 else f"{row.states}",
        )
        counted = "counters" if row.language.kind == "counter" else "-"
        say(_SIZES + 0.7, y, counted if row.bits is None else f"{row.bits:.3g}")
        bar = _LINE * 0.8 / max(1, len(row.published))
        for place, percent in enumerate(row.published):
            top = y - _LINE * 0.4 + bar * place
            axes.add_patch(Rectangle((_BARS, top), _BAR, bar, facecolor=_PALE))
            axes.add_patch(Rectangle((_BARS, top), _BAR * percent / 100, bar, facecolor=_TRAINED[place]))
        say(
            _BARS + _BAR + 0.08,
            y,
            " / ".join(f"{percent:g}" for percent in row.published) or "not published",
            fontsize=8,
        )
        word = outcome_word(row)
        said = f"{word}: 100" if word == "proved" else word
        if word == "proved" and row.decisions[0].verdict is not None and row.decisions[0].verdict.horizon is not None:
            said = f"proved up to {row.decisions[0].verdict.horizon}"
        say(_OUTCOME, y, said, color=_COLOURS.get(word, INK), weight="bold", fontsize=8)
    axes.set_facecolor(BACKGROUND)
    return figure
