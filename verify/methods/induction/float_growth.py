"""How large the registers of a float model can have become after a number of symbols, and what weights it can hold.

A register is updated as h -> gate * h + increment.  Where all its gates and increments are known, so is how large |h|
can be after n symbols, and with it how many symbols certainly leave every sum below 2^p, where integers are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterable

import numpy as np

from constructions.ssm.weights import SSM
from verify.numbers.boxes import NotCovered

MOST_SYMBOLS = 1 << 62
"""Longer strings are not asked about."""


@dataclass(frozen=True)
class Growth:
    """No step leads from |h| <= m to more than ``factor`` * m + ``step``, and at first m is ``start``.

    >>> Growth.of(0, [(1, 1), (1, -2)]).after(10), Growth.of(1, [(2, 1)]).after(10), Growth.of(0, [(0, 7)]).after(10)
    (20, 2047, 7)
    """

    start: int
    factor: int
    step: int

    @classmethod
    def of(cls, start: int, updates: Iterable[tuple[int, int]]) -> "Growth":
        """The growth under any sequence of these (gate, increment) pairs."""
        sizes = [(abs(gate), abs(increment)) for gate, increment in updates]
        moves = [(gate, increment) for gate, increment in sizes if gate]
        factor, step = max([1] + [gate for gate, _ in moves]), max([0] + [increment for _, increment in moves])
        # A gate of 0 sets the register, which adds up to nothing: it is as if the register had been there at first.
        most_set = max([0] + [increment for gate, increment in sizes if gate == 0])
        start = abs(start)
        return cls(start if most_set <= factor * start + step else most_set, factor, step)

    def after(self, symbols: int) -> int:
        """The most that |h| can be; where that is more than :data:`MOST_SYMBOLS`, some number that is more, too."""
        if self.factor == 1:
            return self.start + symbols * self.step
        size = self.start
        for _ in range(symbols):
            if size > MOST_SYMBOLS or self.factor * size + self.step == size:
                break
            size = self.factor * size + self.step
        return size


def longest(fits: Callable[[int], bool]) -> int | None:
    """The greatest n >= 0 such that ``fits(n)``, where what does not fit never fits again; None when everything fits.

    Raises:
        NotCovered: when 0 does not fit.

    >>> longest(lambda n: n * n < 50), longest(lambda n: True)
    (7, None)
    """
    if not fits(0):
        raise NotCovered("no symbol can be read for certain without rounding")
    least, most = 0, 1
    while fits(most):
        if most >= MOST_SYMBOLS:
            return None
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if fits(middle) else (least, middle)
    return least


def check_weights(ssm: SSM) -> None:
    """Raises NotCovered unless every weight of a float model is an integer up to 2^p: larger ones round, or are
    infinite.
    """
    if not ssm.arithmetic.is_float:
        return
    arrays = [
        ("embedding", ssm.embedding),
        *((f"layers.{i}.initial", layer.initial) for i, layer in enumerate(ssm.layers)),
    ]
    for name, affine in ssm.affines():
        arrays += [(name, affine.matrix.data), (f"{name}.bias", affine.bias)]
    for name, integers in arrays:
        largest = max((int(end) for end in (np.max(integers, initial=0), np.min(integers, initial=0))), key=abs)
        if abs(largest) > 1 << ssm.arithmetic.bits:
            raise NotCovered(
                f"the weight {largest} of {name} is beyond the integers that are exact in {ssm.arithmetic}"
            )
