"""All values that a few numbers of a state ever take, in a list of millions, and which of these look the same.

The list is closed: what any of some recipes (:mod:`verify.checkpoints.recipes`) leaves of a value in it is in it, which
is seen of every one.  How it is found matters to nothing: a number that counts is guessed to go on as it has, and kept
as far as the recipe says the same.

Values *look the same* where all that any of the recipes shows of them is the same.  They make a class.
"""

from __future__ import annotations

from typing import Iterator, NamedTuple, Sequence

import numpy as np

from verify.checkpoints.recipes import Recipe
from verify.numbers.boxes import NotCovered
from verify.progress import Progress

MOST_LISTED = 2
"""Numbers whose values are listed together."""

_MOST_VALUES, _MOST_CLASSES = 2**24 + 2**20, 20_000
_AT_ONCE, _LEAP, _LEAPS, _MANY = 1 << 20, 16, 20_000, 64
"""Values that are looked at together, and guessed at first; guesses of one chain, and values beside a chain that lead
out of the list at once.
"""


class Classes(NamedTuple):
    """Which values look the same.

    Attributes:
        values: one of each class, (classes, numbers).
        start: the class of the value that the list begins with.
        shown: by recipe, what it shows of each class, (classes, parts).
        next: by recipe and class, the classes in which what it leaves of some value is.
        size: of the list.
    """

    values: np.ndarray
    start: int
    shown: list[np.ndarray]
    next: list[list[tuple[int, ...]]]
    size: int


def listed_classes(start: np.ndarray, recipes: Sequence[Recipe], threshold: float, progress: Progress) -> Classes:
    """The classes of all values to which recipes lead from one.

    Args:
        start: (numbers,), float32, without -0.
        recipes: of so many numbers.
        threshold: of logits.

    Returns:
        O(values x operations) time, and 30 bytes for each value.

    Raises:
        NotCovered: where these are too many, or a number is not finite.
    """
    if len(start) > MOST_LISTED:
        raise NotCovered(f"{len(start)} numbers drift, and at most {MOST_LISTED} are listed together")
    if not np.isfinite(start).all():
        raise NotCovered("a number of the state is not finite")
    values = _closed(start[None], recipes, threshold, progress)
    keys = _keys(values)
    firsts, classes = _alike(values, recipes, threshold)
    shown = [recipe.done(values[firsts], threshold)[1] for recipe in recipes]
    following = [_followed_by(keys, values, classes, len(firsts), recipe, threshold) for recipe in recipes]
    begun = int(classes[np.searchsorted(keys, _keys(start[None])[0])])
    return Classes(values[firsts], begun, shown, following, len(values))


def _keys(values: np.ndarray) -> np.ndarray:
    """A number for each value, (rows,), which is that of no other; counts that grow have greater ones."""
    found: np.ndarray = np.zeros(len(values), dtype=np.uint64)
    for column in values.T:
        bits = np.ascontiguousarray(column).view(np.uint32).astype(np.uint64)
        found = (found << np.uint64(32)) | bits
    return found


def _closed(start: np.ndarray, recipes: Sequence[Recipe], threshold: float, progress: Progress) -> np.ndarray:
    """All values, in the order of their keys."""
    keys, parts, waiting = _keys(start), [start], [start]
    while waiting:
        rows = waiting.pop()
        for recipe in recipes:
            for part in _parts(rows):
                left = recipe.done(part, threshold)[0]
                new = left[~_among(_keys(left), keys)]
                if len(new) > _MANY:
                    new = new[np.unique(_keys(new), return_index=True)[1]]
                if len(new) > _MANY:
                    raise NotCovered("values that are listed lead to ever more others")
                for row in new:
                    if _among(_keys(row[None]), keys)[0]:
                        continue
                    chain = _chain(recipe, row, keys, threshold, progress)
                    parts.append(chain)
                    waiting.append(chain)
                    keys = np.unique(np.concatenate([keys, _keys(chain)]))
                    if len(keys) > _MOST_VALUES:
                        raise NotCovered(f"there are more than {_MOST_VALUES} values")
    values = np.concatenate(parts)
    return values[np.unique(_keys(values), return_index=True)[1]]


def _chain(recipe: Recipe, row: np.ndarray, keys: np.ndarray, threshold: float, progress: Progress) -> np.ndarray:
    """What a recipe leads to from a value, again and again, until it comes back, or into a list."""
    found, anchor, leap, count = [row[None]], row, _LEAP, 1
    for _ in range(_LEAPS):
        here = found[-1][-1]
        # A count goes on as it does here, or comes to rest.
        step = recipe.done(here[None], threshold)[0][0].astype(np.float64) - here
        guessed = (here + step * np.arange(leap + 1)[:, None]).astype(np.float32) + np.float32(0)
        left = recipe.done(guessed[:-1], threshold)[0]
        wrong = np.flatnonzero((left != guessed[1:]).any(axis=1))
        new = left[: wrong[0] if len(wrong) else leap]
        new = left[:1] if not len(new) else new
        back = (new == anchor).all(axis=1) | _among(_keys(new), keys)
        back |= (new == np.concatenate([here[None], new[:-1]])).all(axis=1)
        ends = np.flatnonzero(back)
        found.append(new[: ends[0]] if len(ends) else new)
        count += len(found[-1])
        progress.advance(len(found[-1]))
        if len(ends):
            return np.concatenate(found)
        if count > _MOST_VALUES:
            break
        leap = _LEAP if len(wrong) else min(8 * leap, _AT_ONCE)
        if count & (count - 1) == 0 or len(new) > 1:
            anchor = new[-1]
    raise NotCovered("a number takes too many values one after the other")


def _among(some: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Which keys are among others, which are in order."""
    places = np.minimum(np.searchsorted(keys, some), len(keys) - 1)
    found: np.ndarray = keys[places] == some
    return found


def _parts(rows: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(rows), _AT_ONCE):
        yield rows[first : first + _AT_ONCE]


def _alike(values: np.ndarray, recipes: Sequence[Recipe], threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """One value of each class, and the class of each value."""
    runs, shown, before = [], [], None
    for number, part in enumerate(_parts(values)):
        # The first column is there where nothing is shown.
        zero: np.ndarray = np.zeros((len(part), 1), dtype=np.float32)
        parts = np.concatenate([zero, *(recipe.done(part, threshold)[1] for recipe in recipes)], axis=1)
        other = np.ones(len(parts), dtype=bool)
        other[1:] = (parts[1:] != parts[:-1]).any(axis=1)
        other[0] = before is None or (parts[0] != before).any()
        runs.append(np.flatnonzero(other) + number * _AT_ONCE)
        shown.append(parts[other])
        before = parts[-1]
        if sum(map(len, runs)) > 4 * _MOST_CLASSES:
            raise NotCovered(f"the values that are listed look different {4 * _MOST_CLASSES} times")
    starts = np.concatenate(runs)
    _, firsts, classes = np.unique(np.concatenate(shown), axis=0, return_index=True, return_inverse=True)
    if len(firsts) > _MOST_CLASSES:
        raise NotCovered(f"there are more than {_MOST_CLASSES} values that do not look the same")
    lengths = np.diff(np.append(starts, len(values)))
    return starts[firsts], np.repeat(classes.reshape(-1).astype(np.int32), lengths)


def _followed_by(
    keys: np.ndarray, values: np.ndarray, classes: np.ndarray, count: int, recipe: Recipe, threshold: float
) -> list[tuple[int, ...]]:
    """For each class, in which ones a recipe leaves its values.

    Raises:
        NotCovered: where it leaves one that is not in the list.
    """
    pairs: set[int] = set()
    for number, part in enumerate(_parts(values)):
        left = _keys(recipe.done(part, threshold)[0])
        if not _among(left, keys).all():
            raise NotCovered("a value leads out of the list")
        here = classes[number * _AT_ONCE :][: len(part)].astype(np.int64)
        pairs |= set(np.unique(here * count + classes[np.searchsorted(keys, left)]).tolist())
    found: list[list[int]] = [[] for _ in range(count)]
    for pair in sorted(pairs):
        found[pair // count].append(pair % count)
    return [tuple(one) for one in found]
