"""After how many symbols is what a model holds gone?  Predicted from its gates: a word of warning, and no proof."""

from __future__ import annotations

import math
from typing import Sequence

LEFT = 2.0**-24
"""The part of a number that is as good as nothing beside it, in float32."""


def fades_after(gate: float) -> int:
    """Symbols after which so little is left of what a gate below 1 keeps.

    >>> fades_after(0.5), fades_after(0.98), fades_after(1 - 1e-6)
    (24, 824, 16635525)
    """
    return math.ceil(math.log(LEFT) / math.log1p(-(1 - gate))) if gate > 0 else 1


def predicted(greatest: Sequence[float]) -> str:
    """What the greatest gate of each layer says, in words.

    Args:
        greatest: over all channels and all positions of the strings that were run.
    """
    from constructions.mamba.gates import near_one

    highest = max(greatest, default=1.0)
    if highest >= 1:
        return "some gates are exactly 1: what these hold need not fade"
    return (
        f"gates at most {near_one(highest)}: no state repeats; what is held fades after about "
        f"{fades_after(highest)} symbols"
    )
