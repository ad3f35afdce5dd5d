"""What a proof by boxes assumes of an execution in float32: the constants, in one place.

An execution is any way to compute a Mamba's equations in float32, symbol by symbol, such that

* every +, -, * and / is rounded to nearest, with gradual underflow; a product may be fused with a sum;
* sums are added up in any order;
* exp, softplus, silu and 1/sqrt err by at most :data:`ULPS` units in the last place, or by :data:`TINY`; exp of what is
  not positive is at most 1, exp(0) is 1, neither exp nor softplus is negative, and softplus is exactly 0 from
  :data:`SOFTPLUS_ZERO` down;
* no intermediate result overflows, which is checked: none exceeds :data:`LARGEST_NUMBER`.

So single steps and whole strings, any batch and any number of threads are covered.  Scans in another order than the
string's (associative or blockwise), TF32, bfloat16, FFT convolutions and flushing to zero are not.
"""

from __future__ import annotations

ROUNDING = 2.0**-24
"""Rounding to nearest errs by at most this, relative to the exact result."""

ULPS = 4

FUNCTION = ULPS * 2.0**-23
"""A function's error relative to its exact value: a unit in the last place of y is at most 2^-23 |y|."""

TINY = 2.0**-120
"""Near zero, what functions may be off, and more than products lose by gradual underflow: silu(x) computed as
x / (1 + exp(-x)) is 0 from about -88.8 down, where the exact value is above -2^-121."""

SOFTPLUS_ZERO = -105.0

LEAST_EPSILON = 2.0**-60
"""A norm whose epsilon is smaller is not covered: squares that underflow would matter beside it."""

LARGEST_NUMBER = 1e30

PROBABILITY = 2.0**-23
"""See :func:`probability_error`."""

SENTENCE = f"for every float32 execution that rounds each operation, sums in any order, functions within {ULPS} ulp"


def probability_error(tokens: int) -> float:
    """The relative error of a probability, exp(l - greatest) / sum, of so many tokens, in float32 or float64, besides
    TINY: an exponent down to -104 is rounded, below it exp is 0 or next to it; exp errs in two places, and sum,
    quotient and threshold are rounded.
    """
    return (tokens + 160) * PROBABILITY


CONSTANTS = {
    "unit": ROUNDING.hex(),
    "ulps": ULPS,
    "tiny": TINY.hex(),
    "softplus is 0 from": SOFTPLUS_ZERO.hex(),
    "least epsilon": LEAST_EPSILON.hex(),
    "largest": LARGEST_NUMBER.hex(),
}
"""As a saved proof names them."""
