"""Evidence ``levels``: the chart of nested sets that the digits of a holonomy cascade are read by."""

from __future__ import annotations

from typing import Any

from constructions.compile.pair_graph import Chart
from constructions.ssm.weights import SSM
from verify.methods.levelwise import digit_coordinates, states_of


def levels_evidence(ssm: SSM, chart: Chart) -> dict[str, Any]:
    """The chart, its sets numbered as they come, and the coordinates of each digit.

    Raises:
        NotCovered: when the coordinates are not named as bits of digits.
    """
    number = {stage: i for i, stage in enumerate(chart.level)}
    sets = [
        {
            "states": states_of(stage),
            "level": level,
            "tiles": [number[tile] for tile in chart.tiles.get(stage, ())] if level < chart.levels else [],
        }
        for stage, level in chart.level.items()
    ]
    digits = [list(coordinates) for coordinates in digit_coordinates(ssm, chart.levels)]
    return {"levels": {"digits": digits, "root": number[chart.root], "sets": sets}}
