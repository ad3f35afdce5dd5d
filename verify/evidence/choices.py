"""Legal symbols drawn at random, for many words at once, with weights of each word's own.

What is legal in a situation is a *core* and at most one symbol more, its *extra*.  Bounds are kept for each core and
word, and where many situations have one core, as all those of a bounded Dyck language with the opening brackets, they
are few.  Where cores are many, bounds are kept for all symbols together, and what is drawn and not legal is drawn again
among those that are, by the weights themselves.

``k`` symbols, by their place in the alphabet.
"""

from __future__ import annotations

import numpy as np

_AT_ONCE = 1 << 18
"""Bounds that are made at once."""
_SMALL, _LARGE = 128, 1 << 19
"""Situations times symbols: of less than the one nothing is shared, and of more than the other it is not looked for."""
_CORES, _GAIN = 8, 4
"""Of cores that are looked for, and of situations for each core."""
_MOST_BOUNDS = 1 << 10
"""Of a word, over all cores; where there would be more, all situations have one core."""


class Legal:
    """The symbols that are legal in each situation, as cores and extras.

    Attributes:
        cores: booleans, shape (cores, k).
        core: of each situation.
        extra: of each situation a symbol; -1 for none.
        allowed: booleans, shape (situations, k), where a core may have more than what is legal; otherwise None.
        width: bounds of a core and word, a power of two.

    >>> legal = Legal(np.array([[1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 0, 0], [0, 0, 1, 0]] * 16, dtype=bool))
    >>> legal.cores.astype(int).tolist(), legal.core[:4].tolist(), legal.extra[:4].tolist()
    ([[1, 1, 0, 0], [0, 0, 1, 0]], [0, 0, 0, 1], [2, 3, -1, -1])
    """

    def __init__(self, allowed: np.ndarray):
        k = allowed.shape[1]
        self.width = 1 << (k - 1).bit_length()
        sets = [int.from_bytes(row.tobytes(), "big") >> -k % 8 for row in np.packbits(allowed, axis=1)]
        cores = different = list(dict.fromkeys(sets))
        if _SMALL < len(sets) * self.width <= _LARGE and _GAIN * len(shared := _cores(different, k)) <= len(sets):
            cores = shared
        self.cores: np.ndarray
        self.core: np.ndarray
        self.extra: np.ndarray
        self.allowed: np.ndarray | None = None
        if len(cores) * self.width > max(_MOST_BOUNDS, self.width):
            self.allowed = allowed
            self.cores = np.array([allowed.any(axis=0)])
            self.core = np.zeros(len(sets), dtype=np.intp)
            self.extra = np.full(len(sets), -1)
            return
        number = {core: i for i, core in enumerate(cores)}
        self.cores = np.array([[core >> (k - 1 - i) & 1 for i in range(k)] for core in cores], dtype=bool)
        of = [one if one in number else next(core for core in cores if _beside(one, core)) for one in sets]
        self.core = np.array([number[core] for core in of], dtype=np.intp)
        self.extra = np.array([k - (one ^ core).bit_length() if one != core else -1 for one, core in zip(sets, of)])

    @property
    def choices(self) -> int:
        """Numbers that are kept for each word."""
        beside = len(self.core) if (self.extra >= 0).any() else 0 if self.allowed is None else self.width
        return len(self.cores) * self.width + beside


def _beside(one: int, core: int) -> bool:
    """Whether a set of symbols is the core, or has one symbol more."""
    return core & ~one == 0 and (one ^ core).bit_count() <= 1


def _cores(sets: list[int], k: int) -> list[int]:
    """Few sets such that each of these is one of them, or has one symbol more; not always the fewest."""
    # A set is told from another by a sum of random numbers, one for each symbol, so that many are counted at once.
    marks = np.random.default_rng(0).integers(0, 1 << 63, k, dtype=np.uint64)
    cores: list[int] = []
    while sets and len(cores) < _CORES:
        member = np.array([[one >> (k - 1 - i) & 1 for i in range(k)] for one in sets], dtype=bool)
        whole = np.where(member, marks, np.uint64(0)).sum(axis=1)
        of, without = np.nonzero(member)
        _, first, count = np.unique(
            np.concatenate([whole, whole[of] - marks[without]]), return_index=True, return_counts=True
        )
        if count.max() * _CORES < len(sets):
            break
        most = int(first[count == count.max()].min())
        at = most - len(sets)
        cores.append(sets[most] if at < 0 else sets[of[at]] & ~(1 << (k - 1 - int(without[at]))))
        sets = [one for one in sets if not _beside(one, cores[-1])]
    return cores + sets


class Choices:
    """Draws for some words.

    Args:
        legal: of the situations that they may be in.
        weights: positive, shape (words, k).
    """

    def __init__(self, legal: Legal, weights: np.ndarray):
        self._width, self._words = legal.width, len(weights)
        weights = weights.astype(np.float32)
        self._allowed = legal.allowed
        if legal.allowed is not None:  # word beside word in memory, as they are summed
            self._weights, self._members = np.ascontiguousarray(weights.T), np.ascontiguousarray(legal.allowed.T)
        self._bounds, sums = _bounds(legal.cores, legal.width, weights)
        self._core = legal.core * self._words
        self._extra = legal.extra if (legal.extra >= 0).any() else None
        if self._extra is not None:
            alone = np.where(self._extra >= 0, weights[:, self._extra], np.float32(0)).T
            self._chance = (alone / np.maximum(alone + sums[legal.core], np.float32(1e-30))).ravel()

    def draw(self, situations: np.ndarray, words: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A symbol for each of these words, in these situations; any symbol, where none is legal."""
        drawn = self._core.take(situations)
        drawn += words
        drawn *= self._width
        random, step = rng.random(len(drawn), dtype=np.float32), self._width >> 1
        while step:  # how many bounds are not above the number, by halves
            drawn += (self._bounds.take(drawn + (step - 1)) <= random) * step
            step >>= 1
        drawn &= self._width - 1
        if self._extra is not None:
            place = situations * self._words
            place += words
            alone = rng.random(len(drawn), dtype=np.float32) < self._chance.take(place)
            np.copyto(drawn, self._extra.take(situations), where=alone)
        if self._allowed is not None:
            # Drawn among all, and again where that is not legal: each legal one as often as its weight says.
            place = situations * self._allowed.shape[1]
            place += drawn
            again = np.flatnonzero(~self._allowed.ravel().take(place))
            if len(again):
                drawn[again] = self._among(situations[again], words[again], rng)
        return drawn

    def _among(self, situations: np.ndarray, words: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A symbol for each of these words, among those that are legal in these situations; O(words * k)."""
        sums = self._weights.take(words, axis=1)
        sums *= self._members.take(situations, axis=1)
        for below, above in zip(sums, sums[1:]):
            above += below
        random = rng.random(len(words), dtype=np.float32) * sums[-1]
        # A number below 1 times the sum of all is below it, rounded or not; beyond the last is where none is legal.
        return np.minimum(np.count_nonzero(sums <= random, axis=0), len(sums) - 1)


def _bounds(cores: np.ndarray, width: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a random number below 1 has to be below for a symbol or one before it, for each core, word and symbol: 1
    from the last symbol of the core on, rounded or not.  And the sums of the weights, shape (cores, words).
    """
    (count, k), words = cores.shape, len(weights)
    bounds: np.ndarray = np.ones((count, words, width), dtype=np.float32)
    total: np.ndarray = np.zeros((count, words), dtype=np.float32)
    at_once = max(1, _AT_ONCE // max(1, words * k))
    for first in range(0, count, at_once):
        sums = np.cumsum(cores[first : first + at_once, None] * weights, axis=2)
        total[first : first + at_once] = sums[:, :, -1]
        bounds[first : first + at_once, :, :k] = sums / np.maximum(sums[:, :, -1:], np.float32(1e-30))
    return bounds.ravel(), total
