"""From a cascade to the weights of a Mamba, all passes in a row."""

from __future__ import annotations

from automata.cascade import Cascade
from automata.errors import InputError
from constructions.mamba.ballast import CONSTANT, GIANT
from constructions.mamba.blocks import layout
from constructions.mamba.inline import inline
from constructions.mamba.network import Total, network
from constructions.mamba.precision import precision
from constructions.mamba.weights import MambaWeights, assemble


def lower_to_mamba(cascade: Cascade, dtype: str = "float32", norm: str | None = None) -> MambaWeights:
    """A stock Mamba that does what the cascade does, its constants chosen for ``dtype``.

    Args:
        cascade: resets, counters that are only increased, and signals.
        dtype: "float32", "bfloat16", "float16" or "float64".
        norm: "constant norm" or "giant" (see :mod:`constructions.mamba.ballast`); chosen where absent.

    Raises:
        InputError: naming the register that no Mamba can have, or the number that does not fit the dtype.

    >>> from constructions.flip_flop import flip_flop
    >>> weights = lower_to_mamba(flip_flop())
    >>> len(weights.layout.blocks), weights.width, weights.ballast.kind
    (3, 32, 'constant norm')
    """
    boxes = inline(network(cascade))
    format_ = precision(dtype)
    counter = next((item.name for item in boxes.items if isinstance(item, Total)), None)
    if norm == CONSTANT and counter is not None:
        raise InputError(f"there is no constant norm: the counter {counter!r} is in the residual stream")
    if norm == GIANT or counter is not None:
        return assemble(layout(boxes, complete=False), format_)
    try:
        return assemble(layout(boxes, complete=True), format_)
    except InputError:
        if norm == CONSTANT:
            raise
        return assemble(layout(boxes, complete=False), format_)
