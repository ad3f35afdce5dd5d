"""Z[zeta_m], the integers with a root of unity: exact sums, products, and signs of real parts.

An element is its coefficients in 1, zeta, ..., zeta^(phi(m) - 1), int64: the powers below the degree of the cyclotomic
polynomial are a basis, so two elements are equal exactly when their coefficients are.

Source: L. C. Washington, "Introduction to Cyclotomic Fields", theorem 2.6.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np

from automata.errors import InputError

MOST_COEFFICIENTS = 64
"""The largest phi(m) that is taken."""


class Ring:
    """Z[zeta] for a primitive m-th root of unity.

    Args:
        order: m, at least 1; 1 and 2 are the integers.

    Raises:
        InputError: when phi(m) exceeds MOST_COEFFICIENTS.

    >>> third = Ring(3)
    >>> third.root(1).tolist(), third.root(2).tolist(), third.root(3).tolist()
    ([0, 1], [-1, -1], [1, 0])
    """

    def __init__(self, order: int):
        self.order = order
        self.degree = sum(_coprime(k, order) for k in range(order)) or 1
        if self.degree > MOST_COEFFICIENTS:
            raise InputError(f"roots of unity of order {order} have {self.degree} coefficients, expected at most 64")

    def root(self, power: int) -> np.ndarray:
        """zeta^power."""
        return self._roots[power % self.order].copy()

    def times(self, element: np.ndarray) -> np.ndarray:
        """The matrix that multiplies coefficients by an element: (degree, degree)."""
        return sum((int(c) * self._by_root[i] for i, c in enumerate(element)), np.zeros_like(self._by_root[0]))

    def is_gate(self, elements: np.ndarray) -> np.ndarray:
        """For rows of coefficients whether each is 0, or a root of unity or its negative."""
        roots = np.concatenate([self._roots, -self._roots, np.zeros((1, self.degree), dtype=np.int64)])
        return (elements[:, None, :] == roots[None]).all(axis=2).any(axis=1)

    def rectified(self, elements: np.ndarray, added: np.ndarray) -> np.ndarray:
        """relu(Re(element) + added) for rows of coefficients and integers, exactly.

        Raises:
            InputError: for a result that is positive and no integer: only integers go on through a model.
        """
        doubled = elements + elements @ self._conjugate.T
        doubled[:, 0] += 2 * added
        result = np.zeros(len(elements), dtype=np.int64)
        rational = ~doubled[:, 1:].any(axis=1)
        positive = rational & (doubled[:, 0] > 0)
        if (doubled[positive, 0] % 2).any():
            raise InputError("a neuron is half an odd number, and only integers go on")
        result[positive] = doubled[positive, 0] // 2
        for row in np.flatnonzero(~rational):
            if self._irrational_is_positive(doubled[row]):
                raise InputError("a neuron is a positive number that is not rational, and only integers go on")
        return result

    def _irrational_is_positive(self, doubled: np.ndarray) -> bool:
        """The sign of a real element that is not rational, and so is not 0: cosines to as many digits as it takes."""
        import mpmath

        digits = 30
        while True:
            with mpmath.workdps(digits):
                angle = 2 * mpmath.pi / self.order
                value = mpmath.fsum(int(c) * mpmath.cos(angle * i) for i, c in enumerate(doubled))
                if abs(value) > mpmath.mpf(10) ** (5 - digits) * (1 + int(np.abs(doubled).sum())):
                    return bool(value > 0)
            digits *= 2

    @cached_property
    def _roots(self) -> np.ndarray:
        """All powers of zeta: (order, degree)."""
        polynomial = cyclotomic(self.order)
        found = np.zeros((self.order, self.degree), dtype=np.int64)
        current = [0] * self.degree
        current[0] = 1
        for power in range(self.order):
            found[power] = current
            carried = current[-1]
            current = [0, *current[:-1]]
            current = [c - carried * p for c, p in zip(current, polynomial)]
        return found

    @cached_property
    def _by_root(self) -> list[np.ndarray]:
        """Multiplication by zeta^i for each i below the degree."""
        return [
            np.stack([self._roots[(i + j) % self.order] for j in range(self.degree)], axis=1)
            for i in range(self.degree)
        ]

    @cached_property
    def _conjugate(self) -> np.ndarray:
        return np.stack([self._roots[-j % self.order] for j in range(self.degree)], axis=1)


@lru_cache(maxsize=256)
def cyclotomic(order: int) -> tuple[int, ...]:
    """The coefficients of the cyclotomic polynomial, from the constant on: x^m - 1 divided by those of m's divisors.

    >>> cyclotomic(1), cyclotomic(6), cyclotomic(8)
    ((-1, 1), (1, -1, 1), (1, 0, 0, 0, 1))
    """
    dividend = [-1] + [0] * (order - 1) + [1]
    for divisor in range(1, order):
        if order % divisor == 0:
            dividend = _quotient(dividend, cyclotomic(divisor))
    return tuple(dividend)


def _quotient(dividend: list[int], divisor: tuple[int, ...]) -> list[int]:
    """The exact quotient by a polynomial whose leading coefficient is 1."""
    rest, found = list(dividend), [0] * (len(dividend) - len(divisor) + 1)
    for place in range(len(found) - 1, -1, -1):
        found[place] = rest[place + len(divisor) - 1]
        for i, c in enumerate(divisor):
            rest[place + i] -= found[place] * c
    return found


def _coprime(one: int, other: int) -> bool:
    from math import gcd

    return gcd(one, other) == 1
