"""Arithmetic as a value: what numbers a model's state is made of, and how they are rounded.

What a model can do changes with the arithmetic, so it is a named part of every model and every claim:

=============  ==========================================================================================
``exact``      rationals, never rounded
``fixed:P``    P fractional bits and unbounded integers; every stored value is rounded down (the paper's
               finite precision: Sarrof, Veitsman, Hahn 2024, section 2)
``wrap:P``     P-bit unsigned integers that wrap round: states only, the mixes stay in integers
``float16``    IEEE 754, rounded to nearest after every operation (likewise ``float32``, ``float64``)
=============  ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from automata.errors import InputError

_FLOAT_PRECISION = {"float16": 11, "float32": 24, "float64": 53}


@dataclass(frozen=True)
class Arithmetic:
    """One row of the table above.

    Attributes:
        kind: "exact", "fixed", "wrap" or "float".
        bits: fractional bits (fixed), width (wrap), significand bits (float), 0 (exact).

    >>> str(Arithmetic.parse("fixed:1")), Arithmetic.parse("float32").bits
    ('fixed:1', 24)
    """

    kind: str
    bits: int = 0

    @classmethod
    def parse(cls, text: str) -> "Arithmetic":
        """The arithmetic of that name; anything else raises an InputError that quotes it."""
        kind, _, number = text.partition(":")
        if text == "exact":
            return cls("exact")
        if text in _FLOAT_PRECISION:
            return cls("float", _FLOAT_PRECISION[text])
        if kind in ("fixed", "wrap") and number.isascii() and number.isdigit() and len(number) < 4:
            least, most = (0, 32) if kind == "fixed" else (1, 52)
            if least <= int(number) <= most:
                return cls(kind, int(number))
            raise InputError(f"arithmetic {text!r}: the number of bits must be from {least} to {most}")
        raise InputError(f"arithmetic {text!r} is not one of exact, fixed:P, wrap:P, float16, float32, float64")

    def __str__(self) -> str:
        if self.kind == "float":
            return next(name for name, bits in _FLOAT_PRECISION.items() if bits == self.bits)
        return self.kind if self.kind == "exact" else f"{self.kind}:{self.bits}"

    @property
    def is_float(self) -> bool:
        return self.kind == "float"

    @property
    def monotone(self) -> bool:
        """Whether rounding keeps the order of numbers; only wrapping does not."""
        return self.kind != "wrap"

    @property
    def limit(self) -> int:
        """Integers below this bound in absolute value are exact in the engine's number format.

        2^53 where the engine carries integers in float64 matrix products, 2^24 in float32, 2^11 in float16.
        """
        return 2 ** (self.bits if self.is_float else 53)

    @property
    def unit_bits(self) -> int:
        """Fractional bits of every stored value, for the arithmetics that store integers over a power of two."""
        return self.bits if self.kind == "fixed" else 0

    def store(self, value: Fraction) -> Fraction:
        """The value as stored: rounded down to the unit in ``fixed`` and ``wrap``, unchanged elsewhere (floats round by
        themselves).
        """
        if self.kind in ("fixed", "wrap"):
            return Fraction((value.numerator << self.unit_bits) // value.denominator, 1 << self.unit_bits)
        return value

    def store_state(self, value: Fraction) -> Fraction:
        """A new state as stored: :meth:`store`, and in ``wrap`` the integer part modulo 2^bits."""
        value = self.store(value)
        return value % (1 << self.bits) if self.kind == "wrap" else value


@dataclass(frozen=True)
class PreviousDigit:
    """How one channel holds a bit and the bit before it: h = ballast + bit + previous * epsilon.

    A reset multiplies by ``epsilon`` and adds the new bit (and what keeps the ballast in place); the digit
    before the previous one then falls below the precision and is rounded away, so the set of states stays
    finite although the gate is never 0.  A hold has gate 1.

    Attributes:
        epsilon_bits: epsilon = 2^-epsilon_bits; also the gate of a reset.
        ballast: an integer that fixes where rounding happens; 0 in fixed point.
    """

    epsilon_bits: int
    ballast: int


def previous_digit(arithmetic: Arithmetic) -> PreviousDigit:
    """The code by which a channel of this arithmetic remembers its previous bit.

    Raises:
        InputError: in ``exact``, ``fixed:0`` and ``wrap``, with the reason.
    """
    if arithmetic.kind == "fixed" and arithmetic.bits >= 1:
        return PreviousDigit(arithmetic.bits, 0)
    if arithmetic.is_float:
        # With epsilon = 1/4 and the unit in the last place of the ballast equal to 1/4, the older digit is
        # at most 1/16, less than half a unit, so rounding to nearest drops it.
        return PreviousDigit(2, 2 ** (arithmetic.bits - 3))
    raise InputError(
        {
            "exact": "in exact arithmetic a nonnegative gate with finitely many states acts as a constant or the "
            "identity, so a value before this step is lost",
            "fixed": "fixed:0 has no fractional bit to keep the value before this step",
            "wrap": "wrapping integers have no digit below the unit to keep the value before this step",
        }[arithmetic.kind]
    )
