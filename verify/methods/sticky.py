"""Why a recogniser that has seen a violation rejects for ever, although some of its integers drift without bound.

After a dead prefix a recogniser's counters keep moving, so a search over its states would never close.  The
argument that replaces it needs no solver and no cut-off.  It looks for one state coordinate c, the *sticky*
register, such that, for every value that the layer's features can take (:mod:`constructions.ssm.ranges`):

1. the gate of c is >= 0 and gate * 1 + increment >= 1: once c >= 1, c >= 1 for ever (signs of weights);
2. with c >= 1 and every other coordinate anywhere in its range, every output is <= 0: c silences the readout.
   Drifting integers are covered at the breakpoints of the neurons that read them and by the slopes at the two ends.

A pair (dead machine, model with c >= 1) then needs no search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from constructions.ssm.engine import Engine
from constructions.ssm.horizon import exact_length
from constructions.ssm.number_formats import ScaledIntegers
from constructions.ssm.ranges import keeps_one, outputs_when, ranges


@dataclass(frozen=True)
class Sticky:
    """A coordinate that, once at least 1, stays so and silences every output.

    Attributes:
        name: of the register.
        column: its column in the engine's state rows.
        one: the number 1 in the engine's units.
        horizon: the longest strings for which this is certain, None when every length is: in floats that drift,
            sums round at last.
    """

    name: str
    column: int
    one: int
    horizon: int | None = None

    @property
    def reason(self) -> str:
        """The argument in one sentence."""
        return (
            f"after a violation register {self.name!r} stays >= 1 (gate and increments >= 0) and silences the readout, "
            "checked on all values of the integers that drift"
        )

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """Which state rows provably reject for ever."""
        return self.holds(rows[:, self.column])

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Which of these values of the register do."""
        return values >= self.one


def find_sticky(engine: Engine) -> Sticky | None:
    """The sticky register of a recogniser, from its weights alone; None when the argument fails for every
    coordinate.
    """
    ssm = engine.ssm
    if not ssm.arithmetic.monotone:
        return None
    horizon = exact_length(ssm) if ssm.arithmetic.is_float else None
    if horizon == 0:
        return None
    known = ranges(ssm)
    column = ssm.hidden_size
    for number in range(len(ssm.layers) - 1, -1, -1):
        layer = ssm.layers[number]
        column -= layer.width
        stays = keeps_one(ssm.arithmetic, known.gates[number], known.increments[number])
        for coordinate in np.flatnonzero(stays & (known.high[number] >= 1)).tolist():
            if (outputs_when(ssm, known, number, coordinate, 1.0).high <= 0).all():
                numbers = engine.numbers
                one = 1 << numbers.unit_bits if isinstance(numbers, ScaledIntegers) else 1
                name = layer.names[coordinate] if layer.names else f"layer {number + 1} coordinate {coordinate + 1}"
                return Sticky(name, column + coordinate, one, horizon)
    return None
