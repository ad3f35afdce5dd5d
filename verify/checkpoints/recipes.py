"""What a step does number by number with a few numbers of the state, done for millions of their values at once.

Each operation here is one of IEEE 754 in float32, or none: of the same numbers it makes the same number, whatever does
it, and wherever in a tensor.  What else a step does with these numbers is no part of a recipe: which of them are seen
by it is.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import numpy as np

from verify.numbers.boxes import NotCovered

NO_ROW = -1
"""In the place of a row: as NOBODY in constructions/mamba/followed.py, which imports torch."""

Operand = tuple[int, float]
"""A row and 0, or NO_ROW and the constant."""


class OneOperation(NamedTuple):
    """What makes a row: by name, of operands."""

    name: str
    of: tuple[Operand, ...]


def _filled(x: np.ndarray, mask: np.ndarray, value: np.ndarray) -> np.ndarray:
    return np.where(mask != 0, value, x)


ONE_BY_ONE: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "neg": np.negative,
    "abs": np.abs,
    "relu": lambda x: np.maximum(x, np.float32(0)),
    "eq": np.equal,
    "bitwise_and": np.minimum,
    "masked_fill": _filled,
}
"""By the name of the operation; truth values are 0 and 1."""


def one_by_one(name: str, operands: list[Any]) -> np.ndarray:
    """The result of an operation in float32, -0 as 0.

    >>> one_by_one("div", [np.float32(1), np.float32(3)]).item() == float(np.float32(1 / 3))
    True
    """
    found = np.asarray(ONE_BY_ONE[name](*operands), dtype=np.float32)
    return found + np.float32(0)


class Recipe(NamedTuple):
    """What a step does with some numbers of the state, which are the first rows.

    Attributes:
        given: how many they are.
        made: what makes each further row.
        seen: rows that something else in the step reads, or that it leaves among other numbers of the state.
        answers: rows of logits, and which of the answers these are.
        after: what the step leaves in the place of these numbers.
    """

    given: int
    made: tuple[OneOperation, ...]
    seen: tuple[int, ...]
    answers: tuple[tuple[int, int], ...]
    after: tuple[Operand, ...]

    def done(self, values: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
        """What it leaves of values, (rows, given), float32: as many; and what else the step depends on, (rows, parts):
        the numbers that are seen, and whether logits are above a threshold.

        Raises:
            NotCovered: where a number is not finite.
        """
        rows = list(values.T)
        with np.errstate(all="ignore"):
            for operation in self.made:
                operands = [rows[row] if row >= 0 else np.float32(value) for row, value in operation.of]
                rows.append(one_by_one(operation.name, operands))
        if not all(np.isfinite(row).all() for row in rows):
            raise NotCovered("a number that is made of a listed one is not finite")
        after = [rows[row] if row >= 0 else np.float32(value) for row, value in self.after]
        parts = [*(rows[row] for row in self.seen), *(rows[row] > threshold for row, _ in self.answers)]
        return _beside(after, len(values)), _beside(parts, len(values))


def _beside(columns: list[Any], count: int) -> np.ndarray:
    found: np.ndarray = np.empty((count, len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        found[:, place] = column
    return found


class RecipeTable:
    """The rows of a recipe while it is written down, with the numbers of the step that is run.

    Args:
        values: of the numbers that are given.
    """

    def __init__(self, values: np.ndarray):
        self._given = len(values)
        self._values = [np.float32(value) for value in values]
        self._rows: dict[OneOperation, int] = {}
        self.seen: set[int] = set()

    def add(self, name: str, of: tuple[Operand, ...], run: float) -> int:
        """The row of what an operation makes, NO_ROW where that is one; the step has made this number.

        Raises:
            ValueError: where it should have made another one.
        """
        operands = [self._values[row] if row >= 0 else np.float32(value) for row, value in of]
        with np.errstate(all="ignore"):
            value = one_by_one(name, operands)
        if value != np.float32(run):
            raise ValueError("a number is another than what is done to make it says")
        constants = [number for row, number in of if row == NO_ROW]
        if name in ("mul", "bitwise_and") and 0 in constants:
            return NO_ROW
        if name == "masked_fill" and of[1][0] == NO_ROW:
            return of[2][0] if of[1][1] else of[0][0]
        operation = OneOperation(name, of)
        if operation not in self._rows:
            self._rows[operation] = len(self._values)
            self._values.append(np.float32(value))
        return self._rows[operation]

    def recipe(self, answers: list[tuple[int, int]], after: list[Operand]) -> Recipe:
        """All of it."""
        return Recipe(self._given, tuple(self._rows), tuple(sorted(self.seen)), tuple(answers), tuple(after))
