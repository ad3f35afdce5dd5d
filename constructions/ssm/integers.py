"""What numbers a model may hold: integers of at most 2^62 in absolute value, over a power of two of at most 2^62.

64 bits hold integers from -2^63 on, but not 2^63: the least integer has no absolute value, and a bound that takes one
calls it negative.  So numbers are checked where they enter a model, and every bound after that may take absolute
values.  Adding two of them stays within 64 bits; nothing else is promised.
"""

from __future__ import annotations

import numpy as np

from automata.errors import InputError

LARGEST_INTEGER = 1 << 62
"""No integer of a model is larger in absolute value."""
MOST_PLACES = 62
"""No number of a model has more binary places: the largest exponent."""


def checked_integer(what: str, value, least: int = -LARGEST_INTEGER, most: int = LARGEST_INTEGER) -> int:
    """The value as a Python integer; an InputError where it is none, or out of range."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not least <= int(value) <= most:
        raise InputError(f"{what} is {str(value)[:40]!r}, expected an integer from {least} to {most}")
    return int(value)


def checked_exponent(what: str, value) -> int:
    """The value as an exponent."""
    return checked_integer(what, value, 0, MOST_PLACES)


def whole_numbers(what: str, array: np.ndarray, *places: np.ndarray) -> np.ndarray:
    """The array as int64, each number unchanged; an InputError names the first that is not whole, or too large.

    Args:
        places: the indices of each number where they are not those of the array.
    """
    if array.dtype.kind in "iu":
        # Comparing is exact in every integer type; an absolute value is not: that of -2^63 is negative.
        wrong, expected = (
            (array > LARGEST_INTEGER) | (array < -LARGEST_INTEGER),
            "an integer of at most 2^62 in absolute value",
        )
    elif array.dtype.kind == "f":
        wrong, expected = ~(array == np.floor(array)), "an integer (Affine.from_floats takes fractions)"
        if not wrong.any():
            wrong, expected = np.abs(array) > LARGEST_INTEGER, "an integer of at most 2^62 in absolute value"
    else:
        raise InputError(f"{what} array has type {array.dtype}, expected integers")
    if wrong.any():
        where, value = first_place(what, array, wrong, *places)
        raise InputError(f"{where} is {value}, expected {expected}")
    return array.astype(np.int64, copy=False)


def finite_floats(what: str, array: np.ndarray, *places: np.ndarray) -> np.ndarray:
    """The array as float64, each number unchanged; an InputError names the first that is not finite."""
    if array.dtype.kind in "iu":
        array = whole_numbers(what, array, *places)
        if (np.abs(array) > 1 << 53).any():
            raise InputError(f"{what} array holds integers above 2^53, which are no floats: Affine takes integers")
    elif array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise InputError(f"{what} array has type {array.dtype}, expected floats of at most 64 bits")
    elif not (finite := np.isfinite(array)).all():
        where, value = first_place(what, array, ~finite, *places)
        raise InputError(f"{where} is {value}, expected a finite number")
    return array.astype(np.float64)


def binary_places(values: np.ndarray) -> np.ndarray:
    """How many binary places each float has, 0 for whole numbers."""
    fraction, exponent = np.frexp(values)
    significand = np.ldexp(fraction, 53).astype(np.int64)
    lowest = np.frexp((significand & -significand).astype(np.float64))[1] - 1
    return np.where(significand == 0, 0, np.maximum(53 - lowest - exponent, 0))


def first_place(what: str, array: np.ndarray, chosen: np.ndarray, *places: np.ndarray) -> tuple[str, object]:
    """Where the first of the chosen numbers stands, in words, and the number."""
    at = np.argwhere(chosen)[0].tolist()
    where = [int(part[at[0]]) for part in places] or at
    return f"{what} {where}", array[tuple(at)]
