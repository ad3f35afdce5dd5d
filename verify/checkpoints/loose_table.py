"""The loose numbers of a step: their bounds, of what they are made, and what that says of two of them.

Bounds alone say nothing of x / y where both count, nor of a mean in which x and -x cancel.  So it is kept by which
operation a number was made, and of which others:

* the same operation on the same numbers makes the same number;
* where c y <= x <= d y, with c and d powers of two, their negatives or 0, this holds of e x and e y for e > 0, and of
  x + f and y + g where c g <= f <= d g: rounding keeps the order of numbers, and a product with a power of two;
* a sum is a sum of its terms but for what is rounded, so that of several sums it is known which terms cancel.
"""

from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

import numpy as np

from verify.learned.float32 import Bounds

NOTHING_KNOWN = -np.inf, np.inf
"""Of a ratio."""

_SMALLEST, _LARGEST = 2.0**-60, 2.0**60
"""Between these a product of a denominator with a power of two between 2^-30 and 2^30 is exact."""

_FAR = 2.0**30
_DEEPEST = 64
"""Operations one after the other that are followed back."""


Pairs = Sequence[tuple[int, int]]
"""Numbers of a state, by place: one that counts beside another."""

Ratios = Mapping[tuple[int, int], tuple[float, float]]
"""Of pairs, by place: between which powers of two the first number is, divided by the second one."""


class TooWide(Exception):
    """A number may be infinite, or a divisor 0, somewhere in a box: of which loose numbers it is made, (loose,)."""

    def __init__(self, why: str, made_of: np.ndarray):
        super().__init__(why)
        self.made_of = made_of


class Origin(NamedTuple):
    """By which operation a number is made, and of what.

    Attributes:
        name: of the operation; ``linear`` for a sum of multiples.
        of: its operands: rows and 0, or NOBODY and a constant; of a sum, rows and by what they are multiplied.
        rest: what is added to a sum: bounds of its constants and of what is rounded.
        rule: what else says which operation it is.
    """

    name: str
    of: tuple[tuple[int, float], ...]
    rest: tuple[float, float] = (0.0, 0.0)
    rule: tuple = ()


class _Form(NamedTuple):
    """A sum of multiples of numbers, and bounds of what is added."""

    terms: dict[int, float]
    low: float
    high: float


class LooseTable:
    """A row for each loose number of a step, those of the state first.

    Args:
        low, high: of the loose numbers of the state.
        ratios: (x, y): (c, d) for rows with c y <= x <= d y and y > 0.

    Attributes:
        count: of rows.
        divided: which numbers of the state, by row, were divided by which, without that being known of them.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, ratios: dict[tuple[int, int], tuple[float, float]]):
        self._low, self._high = [low.astype(np.float64)], [high.astype(np.float64)]
        self._made_of = [np.eye(len(low), dtype=bool)]
        self._given, self._ratios = len(low), ratios
        self.count = len(low)
        self._same: dict[Origin, int] = {}
        self._origins: dict[int, Origin] = {}
        self._forms: dict[int, _Form] = {}
        self.divided: set[tuple[int, int]] = set()

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The least and the greatest of each, and of which of the state it is made, (rows, loose)."""
        if len(self._low) > 1:
            self._low, self._high = [np.concatenate(self._low)], [np.concatenate(self._high)]
            self._made_of = [np.concatenate(self._made_of)]
        return self._low[0], self._high[0], self._made_of[0]

    def add(
        self, origins: Sequence[Origin | None], low: np.ndarray, high: np.ndarray, made_of: np.ndarray
    ) -> list[int]:
        """The rows of numbers, those that are there already and new ones."""
        rows, new = [], []
        for place, origin in enumerate(origins):
            # A sum of several terms may be rounded in another order elsewhere.
            plain = origin is not None and (origin.name != "linear" or (len(origin.of) == 1 and origin.rest == (0, 0)))
            row = self._same.get(origin) if plain and origin is not None else None
            if row is None:
                row, self.count = self.count, self.count + 1
                new.append(place)
                if origin is not None:
                    self._origins[row] = origin
                    if plain:
                        self._same[origin] = row
            rows.append(row)
        self._low.append(low[new])
        self._high.append(high[new])
        self._made_of.append(made_of[new])
        return rows

    # -- ratios ---------------------------------------------------------------------------------------

    def ratio(self, x: int, y: int) -> tuple[float, float]:
        """Powers of two, their negatives or 0, between which x / y is, where y > 0."""
        return self._ratio(x, y, _DEEPEST)

    def _ratio(self, x: int, y: int, deep: int) -> tuple[float, float]:
        low, high = (ends[y] for ends in self.arrays[:2])
        if not _SMALLEST <= low <= high <= _LARGEST:
            return NOTHING_KNOWN
        if x == y:
            return 1.0, 1.0
        known = self._ratios.get((x, y))
        if known is not None:
            return known
        a, b = self._origins.get(x), self._origins.get(y)
        if not deep:
            return NOTHING_KNOWN
        if a is not None and b is not None and (a.name, a.rule) == (b.name, b.rule):
            if a.name == "linear":
                return self._of_multiples(a, b, deep - 1)
            first, second = _loose_and_fixed(a), _loose_and_fixed(b)
            if first is None or second is None:
                return NOTHING_KNOWN
            if a.name == "mul" and first[1] == second[1] > 0:
                return self._ratio(first[0], second[0], deep - 1)
            if a.name == "add" and second[1] >= 0:
                return _beside(self._ratio(first[0], second[0], deep - 1), first[1], second[1])
            return NOTHING_KNOWN
        # One of them is as it was: 0 is added to it.
        if b is not None and b.name == "add":
            second = _loose_and_fixed(b)
            return NOTHING_KNOWN if second is None else _beside(self._ratio(x, second[0], deep - 1), 0.0, second[1])
        if a is not None and a.name == "add":
            first = _loose_and_fixed(a)
            return NOTHING_KNOWN if first is None else _beside(self._ratio(first[0], y, deep - 1), first[1], 0.0)
        return NOTHING_KNOWN

    def _of_multiples(self, a: Origin, b: Origin, deep: int) -> tuple[float, float]:
        """Of the same multiple of two numbers."""
        alone = len(a.of) == len(b.of) == 1 and a.rest == b.rest == (0, 0)
        return self._ratio(a.of[0][0], b.of[0][0], deep) if alone and a.of[0][1] == b.of[0][1] > 0 else NOTHING_KNOWN

    def quotient(self, x: int, y: int) -> tuple[float, float]:
        """Bounds of x / y for y > 0, rounded; where none are known, it is noted which numbers of the state these are
        made of.
        """
        known = self.ratio(x, y)
        if known == NOTHING_KNOWN:
            whose = [np.flatnonzero(self.arrays[2][row]) for row in (x, y)]
            self.divided |= {(a, b) for a in whose[0].tolist() for b in whose[1].tolist() if a != b}
        return known

    # -- sums -----------------------------------------------------------------------------------------

    def total(self, rows: np.ndarray, fixed: np.ndarray) -> tuple[float, float]:
        """Bounds of the exact sum of some numbers, of which those without a row are fixed."""
        terms, low, high = self._added([(row, 1.0) for row in rows[rows >= 0].tolist()])
        least, greatest = self._bounds(_Form(terms, low, high))
        constant = float(fixed[rows < 0].sum())
        # Doubles round, too.
        off = 2.0**-45 * float(np.abs(fixed[rows < 0]).sum())
        return least + constant - off, greatest + constant + off

    def _added(self, multiples: Sequence[tuple[int, float]]) -> _Form:
        terms: dict[int, float] = {}
        low = high = 0.0
        for row, multiple in multiples:
            form = self._form(row)
            for symbol, by in form.terms.items():
                terms[symbol] = terms.get(symbol, 0.0) + multiple * by
            ends = sorted((multiple * form.low, multiple * form.high))
            low, high = low + ends[0], high + ends[1]
        off = 2.0**-45 * sum(abs(by) * self._largest(symbol) for symbol, by in terms.items())
        off += 2.0**-45 * (abs(low) + abs(high)) + 2.0**-45 * sum(abs(by) * self._largest(row) for row, by in multiples)
        return _Form({symbol: by for symbol, by in terms.items() if by}, low - off, high + off)

    def _form(self, row: int) -> _Form:
        """What a number is a sum of."""
        if row not in self._forms:
            origin, found = self._origins.get(row), _Form({row: 1.0}, 0.0, 0.0)
            if origin is not None and origin.name == "linear":
                terms, low, high = self._added(origin.of)
                found = _Form(terms, low + origin.rest[0], high + origin.rest[1])
            elif origin is not None and origin.name == "add":
                terms, low, high = self._added([(row, 1.0) for row, _ in origin.of if row >= 0])
                constant = sum(value for row, value in origin.of if row < 0)
                # One rounding, of what is no more than the result.
                off = 2.0**-23 * self._largest(row) + 2.0**-140
                found = _Form(terms, low + constant - off, high + constant + off)
            self._forms[row] = found
        return self._forms[row]

    def _bounds(self, form: _Form) -> tuple[float, float]:
        low, high = form.low, form.high
        for symbol, by in form.terms.items():
            ends = sorted((by * self.arrays[0][symbol], by * self.arrays[1][symbol]))
            low, high = low + ends[0], high + ends[1]
        off = 2.0**-45 * (abs(low) + abs(high) + sum(abs(by) * self._largest(s) for s, by in form.terms.items()))
        return low - off, high + off

    def _largest(self, row: int) -> float:
        low, high = self.arrays[:2]
        return max(abs(float(low[row])), abs(float(high[row])))


def _loose_and_fixed(origin: Origin) -> tuple[int, float] | None:
    """The one row among two operands, and the constant."""
    rows = [row for row, _ in origin.of if row >= 0]
    fixed = [value for row, value in origin.of if row < 0]
    return (rows[0], fixed[0]) if len(rows) == len(fixed) == 1 else None


def _beside(known: tuple[float, float], f: float, g: float) -> tuple[float, float]:
    """Of x + f and y + g, where it is known of x and y."""
    low, high = known
    if g < 0 or known == NOTHING_KNOWN:
        return NOTHING_KNOWN
    if g == 0:
        return (low if f >= 0 else NOTHING_KNOWN[0]), (high if f <= 0 else NOTHING_KNOWN[1])
    least, greatest = two_powers(Bounds(np.array(f / g), np.array(f / g)))
    return min(low, least), max(high, greatest)


def two_powers(ratio: Bounds) -> tuple[float, float]:
    """The next powers of two, their negatives or 0, beyond both ends; infinite beyond 2^30, and 0 next to 2^-30.

    >>> two_powers(Bounds(np.array(-3.0), np.array(0.75)))
    (-4.0, 1.0)
    """
    return -_upwards(-float(ratio.low)), _upwards(float(ratio.high))


def _upwards(end: float) -> float:
    """The next power of two, or its negative, that is no smaller."""
    if end <= 0:
        return 0.0 if -end < 1 / _FAR else -min(2.0 ** np.floor(np.log2(-end)), _FAR)
    found = 2.0 ** np.ceil(np.log2(max(end, 1 / _FAR)))
    return float(found) if found <= _FAR else np.inf


def allowed(low: np.ndarray, high: np.ndarray, ratios: Ratios) -> tuple[np.ndarray, np.ndarray]:
    """The ends of a box, float32, that has all states of another one whose pairs have these ratios; a least number that
    is above the greatest where there is none.
    """
    ends = low.astype(np.float64), high.astype(np.float64)
    for (x, y), (least, greatest) in ratios.items():
        if low[y] <= 0:
            continue
        # least * y <= x <= greatest * y, and y > 0.
        if greatest != 0 and np.isfinite(greatest):
            _above(ends, y, ends[0][x] / greatest) if greatest > 0 else _below(ends, y, ends[0][x] / greatest)
        if least != 0 and np.isfinite(least):
            _below(ends, y, ends[1][x] / least) if least > 0 else _above(ends, y, ends[1][x] / least)
        of_y = np.array([ends[0][y], ends[1][y]])
        _above(ends, x, float((least * of_y).min()))
        _below(ends, x, float((greatest * of_y).max()))
    found = [end.astype(np.float32) for end in ends]
    outwards = np.where(found[0] > ends[0], np.nextafter(found[0], np.float32(-np.inf)), found[0])
    return outwards, np.where(found[1] < ends[1], np.nextafter(found[1], np.float32(np.inf)), found[1])


def _above(ends: tuple[np.ndarray, np.ndarray], number: int, least: float) -> None:
    ends[0][number] = max(ends[0][number], least)


def _below(ends: tuple[np.ndarray, np.ndarray], number: int, greatest: float) -> None:
    ends[1][number] = min(ends[1][number], greatest)
