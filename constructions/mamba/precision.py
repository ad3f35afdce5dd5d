"""The number formats of a Mamba, and the scale at which its nonlinearities are exact in each.

The one fact on which exact weights rest: for arguments that are whole multiples of a large enough power of two S,

    silu(n S) = n S for n >= 0 and 0 for n < 0          (the ReLU)
    softplus(S) = S, softplus(-S) = 0                   (a step size that is on or off)
    exp(-S) = 0, exp(0) = 1                             (a gate that resets or holds)

hold without any rounding error, because the true values differ from these by less than the format can show.  Least
integers at which each holds in PyTorch 2.13 on a CPU:

=========  ===========  =============  ===============  ================  ===========
format     silu(x) = x  silu(-x) = 0   softplus(x) = x  softplus(-x) = 0  exp(-x) = 0
=========  ===========  =============  ===============  ================  ===========
float32    17           89             15               104               104
bfloat16   6            89             5                93                93
float16    9            21             7                18                18
float64    37           710            21               746               746
=========  ===========  =============  ===============  ================  ===========

S = 128 is above all of them but those of float64 (float16 too: kernels compute it in float32).  A smaller S may give
the same outputs and yet leave residue in the caches.
"""

from __future__ import annotations

from dataclasses import dataclass

from automata.errors import InputError


@dataclass(frozen=True)
class Precision:
    """One number format.

    Attributes:
        name: as PyTorch calls it.
        digits: bits of the significand: integers up to 2^digits are exact.
        scale: S of the module's docstring.
        greatest: a bound for all numbers, close to the greatest finite one; of float64 one whose products float64 has.
        least: what all numbers are whole multiples of; smaller ones some kernels take for 0.
        ballast: the giant ballast (see :mod:`constructions.mamba.ballast`), a power of two.
        unit: the value of one unit in the residual stream beside a giant ballast.
        greatest_gain: the greatest power of two that a norm's weight may be.
    """

    name: str
    digits: int
    scale: int
    greatest: float
    least: float
    ballast: float
    unit: float
    greatest_gain: float


PRECISIONS = {
    "float32": Precision("float32", 24, 128, 3.4e38, 2.0**-126, 2.0**40, 1.0, 2.0**60),
    "bfloat16": Precision("bfloat16", 8, 128, 3.3e38, 2.0**-126, 2.0**40, 1.0, 2.0**60),
    "float16": Precision("float16", 11, 128, 65504.0, 2.0**-24, 2.0**15, 2.0**-6, 2.0**14),
    "float64": Precision("float64", 53, 1024, 2.0**500, 2.0**-500, 2.0**40, 1.0, 2.0**60),
}


def precision(name: str) -> Precision:
    """The format of that name; an InputError that lists them otherwise."""
    if name not in PRECISIONS:
        raise InputError(f"the dtype {name!r} is not one of {', '.join(PRECISIONS)}")
    return PRECISIONS[name]
