"""Sums that no order of summation rounds: all terms are whole multiples of a unit, and together within the format.

Each partial sum, in any order and with or without fused multiplication, is then a multiple of the unit that the format
holds, so that every kernel gives the same number.
"""

from __future__ import annotations

import numpy as np

NO_UNIT = 1 << 20
"""The exponent of the unit of a sum without terms."""


def lowest_bits(numbers: np.ndarray) -> np.ndarray:
    """For each number the exponent of the last digit that is not 0; very large for 0.

    >>> lowest_bits(np.array([1.0, 12.0, 0.375, 0.0])).tolist()
    [0, 2, -3, 1048576]
    """
    fraction, exponent = np.frexp(numbers)
    with np.errstate(invalid="ignore"):
        digits = (np.abs(fraction) * 2.0**53).astype(np.int64)
    last = np.frexp((digits & -digits).astype(np.float64))[1] - 1
    return np.where(digits == 0, NO_UNIT, exponent - 53 + last)


def product_sums(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the matrix products (..., r, k) by (..., k, c): for each entry the sum of the absolute values of its terms,
    and the exponent of its unit.

    >>> size, unit = product_sums(np.array([[3.0, 0.5]]), np.array([[1.0], [2.0]]))
    >>> size.tolist(), unit.tolist()
    ([[4.0]], [[0]])
    """
    size = np.abs(left) @ np.abs(right)
    low, other = lowest_bits(left), lowest_bits(right)
    unit = np.full(size.shape, NO_UNIT, dtype=np.int64)
    for k in range(left.shape[-1]):
        np.minimum(unit, low[..., :, k, None] + other[..., k, None, :], out=unit)
    return size, unit


def too_long(size: np.ndarray, unit: np.ndarray, digits: int, least: int, greatest: float) -> tuple[str, float]:
    """What is wrong with sums of these sizes and units, "" where none rounds; and the largest size in units.

    Args:
        digits: of the format; sums of up to 2^digits units are exact.
        least: exponent of the smallest number that no kernel takes for 0.
        greatest: number of the format.
    """
    used = size > 0
    if not np.isfinite(size).all() or (size > greatest).any():
        return f"a sum may reach {size.max():g}", np.inf
    if not used.any():
        return "", 0.0
    unit = unit[used]
    units = np.ldexp(size[used], -np.maximum(unit, -1000))
    worst = int(units.argmax())
    if units[worst] > 2.0 ** min(digits, 52):
        return f"a sum of {size[used][worst]:g} in units of 2^{unit[worst]} may be rounded", float(units[worst])
    if unit.min() < least:
        return f"a sum has the unit 2^{unit.min()}, which a kernel may take for 0", float(units[worst])
    return "", float(units[worst])
