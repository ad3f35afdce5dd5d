"""The picture of a census: how many languages are star-free, and what their models and monoids are like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from verify.census.summary import Size
from verify.show.pictures.canvas import INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#fdae6b", "#e6550d", "#a63603")


def census_figure(sizes: Sequence[Size]) -> Figure:
    """Three charts over all sizes: the share that is star-free, and the star-free languages by levels and by the size
    of their monoid.

    Raises:
        InputError: without matplotlib.
    """
    figure = new_figure(12, 4, layout="constrained")
    share, levels, monoids = figure.subplots(1, 3)
    names = [size.title.replace(", ", "\n") for size in sizes]
    places = range(len(sizes))
    share.bar(places, [100 * size.star_free / max(1, size.languages) for size in sizes], color=_COLOURS[1])
    share.set_xticks(places, names, fontsize=8)
    share.set_yscale("log")
    share.set_ylabel("star-free languages, % of all")
    for number, size in enumerate(sizes):
        colour = _COLOURS[number % len(_COLOURS)]
        for chart, counts in ((levels, size.levels), (monoids, size.monoids)):
            found = sorted(counts.items())
            marks = {"marker": "o"} if chart is levels else {"marker": ".", "linestyle": "none"}
            chart.plot(
                [value for value, _ in found], [count for _, count in found], color=colour, label=size.title, **marks
            )
    for chart, label in ((levels, "levels of the cascade"), (monoids, "elements of the monoid")):
        chart.set_yscale("log")
        chart.set_xlabel(label)
        chart.set_ylabel("star-free languages")
    levels.xaxis.get_major_locator().set_params(integer=True)
    levels.legend(fontsize=8, labelcolor=INK)
    return figure
