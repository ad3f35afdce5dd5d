"""RMSNorm made to do nothing but divide by a power of two.

The norm divides by the root of the mean square of all d coordinates, with d a power of two here.  Extra coordinates
that mean nothing, the *ballast*, make that mean square a power of 4 whatever the others are.  Two ways:

* :func:`constant_norm`: where the other coordinates always have the same sum of squares (each variable has exactly one
  1), four coordinates bring it to d * 4^k, since every natural number is a sum of four squares (Lagrange 1770);
* :func:`giant`: one or two coordinates so large that the squares of all others are rounded away beside theirs.  Needed
  where a counter's value is in the residual stream.

The epsilon of the norm is rounded away as well, since the mean square is at least 4^4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from automata.errors import InputError
from constructions.mamba.precision import Precision

CONSTANT, GIANT = "constant norm", "giant"

_CONSTANT_EXPONENT = 4
EPSILON = 1e-5
"""The norm's epsilon, the usual one: half a unit in the last place of 4^4 = 256 in float32 is 1.5e-5."""


@dataclass(frozen=True)
class Ballast:
    """What the extra coordinates hold, and what the norm then does.

    Attributes:
        kind: CONSTANT or GIANT.
        values: for each point between blocks (after the embedding, after block 1, ...) the ballast coordinates.
        exponent: the norm divides by 2^exponent.
        unit: what stands for 1 in all other coordinates.
    """

    kind: str
    values: tuple[tuple[float, ...], ...]
    exponent: int
    unit: float


def constant_norm(squares: list[int], width: int) -> Ballast:
    """The ballast for these sums of squares (one for each point between blocks) among ``width`` coordinates.

    >>> constant_norm([2, 5], 32).values[0], 2 + 90**2 + 9**2 + 3**2
    ((90.0, 9.0, 3.0, 0.0), 8192)
    """
    total = width * 4**_CONSTANT_EXPONENT
    return Ballast(CONSTANT, tuple(four_squares(total - n) for n in squares), _CONSTANT_EXPONENT, 1.0)


def giant(precision: Precision, points: int, width: int) -> Ballast:
    """The ballast of this precision for so many points between blocks among ``width`` coordinates.

    >>> from constructions.mamba.precision import precision
    >>> giant(precision("float32"), 3, 64).exponent
    37
    """
    exponent = math.log2(precision.ballast)
    width_exponent = math.log2(width)
    copies = 1 if width_exponent % 2 == 0 else 2
    values = (precision.ballast,) * copies
    return Ballast(GIANT, (values,) * points, int(exponent - (width_exponent - copies + 1) / 2), precision.unit)


def four_squares(n: int) -> tuple[float, ...]:
    """Four whole numbers whose squares add up to n, the first as large as possible.  O(n^0.5) in practice."""
    if n < 0:
        raise InputError(f"{n} is not a sum of squares")
    for a in range(math.isqrt(n), -1, -1):
        for b in range(math.isqrt(n - a * a), -1, -1):
            rest = n - a * a - b * b
            c = math.isqrt(rest)
            while 2 * c * c >= rest:
                d = math.isqrt(rest - c * c)
                if c * c + d * d == rest:
                    return (float(a), float(b), float(c), float(d))
                c -= 1
                if c < 0:
                    break
    raise AssertionError(f"no four squares add up to {n}")
