"""The strings of training and validation: walks of a machine drawn many at once, or the files of a released data set.

A string is trained on after each of its prefixes, the empty one first: the target there is the set of outputs that are
legal, the machine's symbols in their order and then :data:`automata.machine.EOS`.  Half of the walks of training, and
all of those that validate, are cut to words where they pass one.

A chunk of training strings depends on the seed and its number alone, so that training goes on where it stopped without
a generator that has to be saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Iterable, Protocol, Sequence

import numpy as np

from automata.errors import InputError
from automata.files import read_text
from automata.machine import EOS, Machine

TRAINING_FILE, VALIDATION_FILE = "train_src.txt", "val_src_bin{}.txt"
"""Strings of a released data set, one a line."""

LONG = (200, 1000)
"""Lengths of the strings beyond the bins."""

SPREADS = (0.5, 1.0, 2.0, 3.0)
"""Of the logarithms of the symbols' weights in a walk, in turn: from nearly uniform to nearly one symbol alone."""

CHUNK = 2048
"""Training strings that are drawn at once."""

_TRIES = 20
"""Rounds of drawing after which a bin stays as small as it is."""


@dataclass(frozen=True)
class Strings:
    """Strings and what is legal after their prefixes.

    Attributes:
        symbols: places in the alphabet, shape (strings, length); -1 beyond the end of a string.
        legal: booleans, shape (strings, 1 + length, outputs); all false beyond the end.
    """

    symbols: np.ndarray
    legal: np.ndarray

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def lengths(self) -> np.ndarray:
        return (self.symbols >= 0).sum(axis=1)

    def rows(self, chosen: Any) -> Strings:
        """These strings, without the columns that none of them needs."""
        longest = int(self.lengths[chosen].max(initial=0))
        return Strings(self.symbols[chosen, :longest], self.legal[chosen, : 1 + longest])

    def keys(self) -> list[bytes]:
        """Each string as bytes, equal where the strings are."""
        # In one format, as strings from a file and walks are compared.
        rows: list[np.ndarray] = list(self.symbols.astype(np.int32))
        return [row[:length].tobytes() for row, length in zip(rows, self.lengths.tolist())]


class Walker:
    """A machine whose states are numbered, and asked what is legal, as walks meet them.

    >>> from automata.catalogue import language
    >>> walker = Walker(language("tomita-1").machine)
    >>> walker.along(["11", ""]).legal.astype(int).tolist()
    [[[0, 1, 1], [0, 1, 1], [0, 1, 1]], [[0, 1, 1], [0, 0, 0], [0, 0, 0]]]
    """

    def __init__(self, machine: Machine):
        self.machine, self.alphabet = machine, tuple(machine.alphabet)
        self._number = {machine.initial: 0}
        self._states = [machine.initial]
        k = len(self.alphabet)
        self._known = np.zeros(1, dtype=bool)
        self._next = np.full((1, k), -1)
        self._legal = np.zeros((1, k + 1), dtype=bool)

    def walk(self, longest: int, spreads: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Walks of ``longest`` symbols, or until none is legal; one for each of the spreads of its symbols' weights.

        Returns:
            The symbols, shape (walks, longest), -1 after the end; the states, shape (walks, 1 + longest).
        """
        count, k = len(spreads), len(self.alphabet)
        weights = np.exp(spreads[:, None] * rng.standard_normal((count, k)))
        symbols = np.full((count, longest), -1, dtype=np.int8 if k < 127 else np.int64)
        states = np.zeros((count, 1 + longest), dtype=np.int64)
        alive = np.ones(count, dtype=bool)
        for time in range(longest):
            self._know(states[:, time])
            chances = np.cumsum(weights * self._legal[states[:, time], :k], axis=1)
            alive &= chances[:, -1] > 0
            # Strictly below the total, so that a legal symbol is found.
            drawn = rng.random(count) * chances[:, -1]
            symbol = np.minimum((chances <= drawn[:, None]).sum(axis=1), k - 1)
            symbols[:, time] = np.where(alive, symbol, -1)
            states[:, time + 1] = np.where(alive, self._next[states[:, time], symbol], states[:, time])
        self._know(states[:, -1])
        return symbols, states

    def draw(
        self, count: int, low: int, high: int, rng: np.random.Generator, words: float, spreads: Sequence[float]
    ) -> Strings:
        """Strings whose lengths are drawn from ``low`` to ``high``; shorter ones where nothing is legal any more.

        Args:
            words: the part of them that is cut to a word nearby, where there is one in these bounds.
            spreads: of the symbols' weights, in turn.
        """
        turn = np.asarray(spreads, dtype=float)[np.arange(count) % len(spreads)]
        symbols, states = self.walk(high, turn, rng)
        walked = (symbols >= 0).sum(axis=1)
        lengths = np.minimum(rng.integers(low, high + 1, count), walked)
        place = np.arange(1 + high)
        end = self._legal[states, -1] & (place <= walked[:, None]) & (place >= low)
        before = np.where(end & (place <= lengths[:, None]), place, -1).max(axis=1)
        after = np.where(end & (place > lengths[:, None]), place, high + 1).min(axis=1)
        nearby = np.where(before >= 0, before, np.where(after <= high, after, lengths))
        lengths = np.where(rng.random(count) < words, nearby, lengths)
        return self._cut(symbols, states, lengths)

    def bin(self, count: int, low: int, high: int, rng: np.random.Generator) -> Strings:
        """Up to so many strings of these lengths, words where a walk passes one."""
        found: list[Strings] = []
        for _ in range(_TRIES):
            drawn = self.draw(count, low, high, rng, 1.0, SPREADS)
            found.append(drawn.rows(np.flatnonzero((drawn.lengths >= low) & (drawn.lengths <= high))))
            if sum(map(len, found)) >= count:
                break
        return joined(found).rows(np.arange(min(count, sum(map(len, found)))))

    def along(self, words: Iterable[Sequence[str]]) -> Strings:
        """Given strings; each is cut where it cannot be continued to a word any more."""
        place = {symbol: i for i, symbol in enumerate(self.alphabet)}
        given = [[place[symbol] for symbol in word] for word in words]
        longest = max(map(len, given), default=0)
        symbols = np.full((len(given), longest), -1, dtype=np.int64)
        for row, word in zip(symbols, given):
            row[: len(word)] = word
        states = np.zeros((len(given), 1 + longest), dtype=np.int64)
        lengths = np.zeros(len(given), dtype=np.int64)
        for time in range(longest):
            self._know(states[:, time])
            symbol = symbols[:, time]
            on = (lengths == time) & (symbol >= 0) & self._legal[states[:, time], symbol]
            lengths += on
            states[:, time + 1] = np.where(on, self._next[states[:, time], symbol], states[:, time])
        self._know(states[:, -1])
        return self._cut(symbols, states, lengths)

    def _cut(self, symbols: np.ndarray, states: np.ndarray, lengths: np.ndarray) -> Strings:
        longest = int(lengths.max(initial=0))
        place = np.arange(1 + longest)
        legal = self._legal[states[:, : 1 + longest]] & (place <= lengths[:, None])[..., None]
        return Strings(np.where(place[:-1] < lengths[:, None], symbols[:, :longest], -1), legal)

    def _know(self, states: np.ndarray) -> None:
        """Asks the machine about those of the states that are new."""
        for state in np.unique(states[~self._known[states]]).tolist():
            self._known[state] = True
            legal = self.machine.legal(self._states[state])
            self._legal[state] = [*(symbol in legal for symbol in self.alphabet), EOS in legal]
            for i, symbol in enumerate(self.alphabet):
                if symbol in legal:
                    self._next[state, i] = self._numbered(self.machine.step(self._states[state], symbol))

    def _numbered(self, state: Any) -> int:
        number = self._number.setdefault(state, len(self._states))
        if number == len(self._states):
            self._states.append(state)
            if number == len(self._known):
                self._known = np.concatenate([self._known, np.zeros_like(self._known)])
                self._next = np.concatenate([self._next, np.full_like(self._next, -1)])
                self._legal = np.concatenate([self._legal, np.zeros_like(self._legal)])
        return number


def joined(parts: Sequence[Strings]) -> Strings:
    """All of them, those that are shorter filled up."""
    longest = max((part.symbols.shape[1] for part in parts), default=0)
    return Strings(
        np.concatenate(
            [np.pad(p.symbols, ((0, 0), (0, longest - p.symbols.shape[1])), constant_values=-1) for p in parts]
        ),
        np.concatenate([np.pad(p.legal, ((0, 0), (0, longest - p.symbols.shape[1]), (0, 0))) for p in parts]),
    )


class Source(Protocol):
    """Where training strings come from."""

    @property
    def title(self) -> str: ...

    def batch(self, step: int, size: int) -> Strings:
        """The strings of a step; the same whenever it is asked for."""
        ...

    def distinct(self, steps: int, size: int) -> set[bytes]:
        """All strings that so many steps train on, as :meth:`Strings.keys` has them."""
        ...


class OwnStrings:
    """Walks of up to ``longest`` symbols, new ones in every step, half of them words."""

    def __init__(self, walker: Walker, longest: int, seed: int):
        self.walker, self.longest, self.seed = walker, longest, seed
        self.title = f"own walks of 1 to {longest} symbols, new ones in every step"
        self._chunk = lru_cache(maxsize=1)(self._drawn)

    def batch(self, step: int, size: int) -> Strings:
        each = max(1, CHUNK // size)
        first = step % each * size
        return self._chunk(step // each, each * size).rows(np.arange(first, first + size))

    def distinct(self, steps: int, size: int) -> set[bytes]:
        each = max(1, CHUNK // size)
        found: set[bytes] = set()
        for chunk in range(-(-steps // each)):
            taken = min(each, steps - chunk * each) * size
            found.update(self._drawn(chunk, each * size).keys()[:taken])
        return found

    def _drawn(self, chunk: int, count: int) -> Strings:
        rng = np.random.default_rng([self.seed, chunk])
        return self.walker.draw(count, 1, self.longest, rng, 0.5, SPREADS)


class GivenStrings:
    """Strings that were read, in an order that is new in every epoch."""

    def __init__(self, strings: Strings, title: str, seed: int):
        self.strings, self.title, self.seed = strings, title, seed
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def batch(self, step: int, size: int) -> Strings:
        return self.strings.rows(self._places(step, size))

    def distinct(self, steps: int, size: int) -> set[bytes]:
        if steps * size >= len(self.strings):
            return set(self.strings.keys())
        return {key for step in range(steps) for key in self.batch(step, size).keys()}

    def _places(self, step: int, size: int) -> np.ndarray:
        drawn = np.arange(step * size, (step + 1) * size)
        return np.array([self._order(epoch)[at] for epoch, at in zip(*np.divmod(drawn, len(self.strings)))])

    def _shuffled(self, epoch: int) -> np.ndarray:
        return np.random.default_rng([self.seed, epoch]).permutation(len(self.strings))


def read_words(path: Path, alphabet: Sequence[str]) -> list[tuple[str, ...]]:
    """The strings of a file, one a line, a character for each symbol.

    Raises:
        InputError: naming file, line and column of what is no symbol, or the file that has no string.
    """
    words = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        for column, symbol in enumerate(line, start=1):
            if symbol not in alphabet:
                raise InputError(
                    f"{path}, line {number}, column {column}: {symbol!r} is not a symbol of the language: "
                    f"expected {' '.join(alphabet)}"
                )
        if line:
            words.append(tuple(line))
    if not words:
        raise InputError(f"{path}: has no strings")
    return words


def count_strings(path: Path) -> int:
    """Lines of a file that hold a string."""
    return sum(map(bool, read_text(path).splitlines()))


def overlap(validation: Strings, trained: set[bytes]) -> float | None:
    """The percentage of the strings that are among those of training; None of no strings."""
    keys = validation.keys()
    return 100 * sum(key in trained for key in keys) / len(keys) if keys else None
