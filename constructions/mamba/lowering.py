"""From a cascade to the weights of a Mamba, all passes in a row."""

from __future__ import annotations

from automata import limits
from automata.errors import InputError
from constructions.cascade import Cascade, Counter, Reset
from constructions.conditions.inline import inline
from constructions.conditions.network import Network, Total, network
from constructions.mamba.ballast import CONSTANT, GIANT
from constructions.mamba.blocks import layout
from constructions.mamba.certificate import certify
from constructions.mamba.precision import Precision, precision
from constructions.mamba.weights import MambaWeights, assemble


def lower_to_mamba(cascade: Cascade, dtype: str = "float32", norm: str | None = None) -> MambaWeights:
    """A stock Mamba that does what the cascade does, its constants chosen for ``dtype``.

    Args:
        cascade: resets, counters that are only increased, and signals.
        dtype: "float32", "bfloat16", "float16" or "float64".
        norm: "constant norm" or "giant" (see :mod:`constructions.mamba.ballast`); chosen where absent.

    Raises:
        InputError: naming the register that no Mamba can have, the number that is not exact in the dtype, or the width.

    >>> from constructions.paper.flip_flop import flip_flop
    >>> weights = lower_to_mamba(flip_flop())
    >>> len(weights.layout.blocks), weights.width, weights.ballast.kind
    (3, 32, 'constant norm')
    """
    # Each needs a coordinate; said before all cubes are made, which may be millions.
    values = sum(register.values - 1 for register in cascade.registers if isinstance(register, Reset))
    if limits.exceeded("width", values):
        most = limits.limit("width")
        raise limits.refusal(
            "width", f"registers with {values} values besides their first do not fit a d_model of {most}"
        )
    cubes = inline(network(cascade))
    counter = next((item.name for item in cubes.items if isinstance(item, Total)), None)
    if norm == CONSTANT and counter is not None:
        raise InputError(f"there is no constant norm: the counter {counter!r} is in the residual stream")
    weights = _assembled(cubes, precision(dtype), GIANT if counter is not None else norm)
    greatest = certify(weights).greatest
    for register in cascade.registers:
        if not isinstance(register, Counter) or register.span is None:
            continue
        reached = max(map(abs, register.span))
        if greatest is not None and reached > greatest:
            raise InputError(f"counter {register.name!r} reaches {reached}, and {dtype} is exact up to {greatest} here")
    return weights


def _assembled(cubes: Network, format_: Precision, norm: str | None) -> MambaWeights:
    """With the norm asked for; where none is, with a constant norm if its ballast is exact in the format."""
    if norm != GIANT:
        try:
            return assemble(layout(cubes, complete=True), format_)
        except InputError:
            if norm == CONSTANT:
                raise
    return assemble(layout(cubes, complete=False), format_)
