"""The set of pairs (machine state, model state) that a search has reached, in a few tens of bytes each.

A pair is a few whole numbers, the *fields*, packed into 64-bit words, one or two at first; when a value does not fit
any more, all pairs are packed anew, as tightly as the largest values so far allow.  Packing loses nothing: two pairs
are the same exactly when all their words are.  A table with open addressing says where a pair stands; its hash only
says where to look, and a pair that is found there is compared word by word.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Sequence

import numpy as np

from constructions.growing import Growing

MOST_JOINT_STATES = (1 << 31) - (1 << 24)
"""Their numbers have 32 bits."""

_WORD, _WORD_BYTES, _BLOCK, _PIECE = 64, 8, 1 << 16, 1 << 13
_SPARE_BITS = 1
"""That a field is given beyond what its largest value needs."""
_IN_ONE, _ROOM = 8, 1 << 11
"""Fields that are in one word at first, and pairs that there is room for."""
_FACTOR, _STIR = 0x9E3779B97F4A7C15, 29
_FREE, _SLOTS_EACH = -1, 8


class JointStates:
    """Pairs numbered in the order in which they were found.

    >>> pairs = JointStates(2)
    >>> pairs.add([np.array([3, 5, 3]), np.array([0, 1, 0])]).tolist()
    [0, 1]
    >>> pairs.add([np.array([5]), np.array([1])]).tolist()
    []
    >>> [field.tolist() for field in pairs.fields(0, 2)]
    [[3, 5], [0, 1]]
    """

    def __init__(self, fields: int):
        self.count = 0
        self._layout = _Layout([max(1, (1 if fields <= _IN_ONE else 2) * _WORD // fields)] * fields)
        self._greatest: np.ndarray = np.zeros(fields, dtype=np.uint64)
        """Of each field so far."""
        self._words = [np.zeros(_ROOM, dtype=np.uint64) for _ in range(self._layout.words)]
        self._slots = np.full(2 * _ROOM, _FREE, dtype=np.int32)

    def __len__(self) -> int:
        return self.count

    def add(self, fields: Sequence[np.ndarray]) -> np.ndarray:
        """Adds pairs, whose fields are not negative; returns the positions of those that are new, in order.

        The one that stands first of several alike is the new one.  O(pairs), and O(all pairs) now and then.
        """
        return self._placed(fields)[1] if len(fields[0]) else np.zeros(0, dtype=np.intp)

    def number(self, fields: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """As :meth:`add`: the numbers of all these pairs, and the positions of those that are new.

        >>> pairs = JointStates(1)
        >>> numbers, new = pairs.number([np.array([7, 4, 7])])
        >>> numbers.tolist(), new.tolist()
        ([0, 1, 0], [0, 1])
        """
        if not len(fields[0]):
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        known = self.count
        found_at, chosen = self._placed(fields)
        numbers: np.ndarray = np.empty(len(found_at), dtype=np.intp)
        numbers[chosen] = np.arange(known, self.count)
        among = np.flatnonzero(found_at >= known)
        found_at[among] = numbers[found_at[among] - known]
        return found_at, chosen

    def _placed(self, fields: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The number of the pair that each of these is, where that is known already, and the number of those plus the
        place of the first that is the same, where it is not; and the places of those that are new.
        """
        amount = len(fields[0])
        self._reserve(amount)
        # They stand behind those known already while it is not settled which are new.
        while not self._written(fields):
            self._widen()
        packed = [words[self.count : self.count + amount] for words in self._words]
        places = self._places(self.count, self.count + amount)
        new, kept, found_at = np.zeros(amount, dtype=bool), places.copy(), np.empty(amount, dtype=np.intp)
        waiting: np.ndarray = np.arange(self.count, self.count + amount)
        while True:
            at = self._slots.take(places)
            free = (at < 0).nonzero()[0]
            if len(free):
                claimed, claiming = places.take(free), waiting.take(free)
                # Of several that claim one slot the last to be written has it, here the first of them.
                self._slots[claimed[::-1]] = claiming[::-1]
                having = self._slots.take(claimed)
                at[free] = having
                won = (having == claiming).nonzero()[0]
                which = claiming.take(won) - self.count
                new[which] = True
                kept[which] = claimed.take(won)
            found_at[waiting - self.count] = at
            other: np.ndarray = np.zeros(len(waiting), dtype=bool)
            for words, found in zip(self._words, packed):
                other |= words.take(at) != found
            left = other.nonzero()[0]
            if not len(left):
                break
            waiting, places = waiting.take(left), (places.take(left) + 1) & (len(self._slots) - 1)
            packed = [found.take(left) for found in packed]
        chosen = new.nonzero()[0]
        for words in self._words:
            words[self.count : self.count + len(chosen)] = words[self.count + chosen]
        self._slots[kept[chosen]] = np.arange(self.count, self.count + len(chosen))
        self.count += len(chosen)
        return found_at, chosen

    def _written(self, fields: Sequence[np.ndarray]) -> bool:
        """Packs pairs behind those known already, as far as all fields fit; whether they do."""
        for first in range(0, len(fields[0]), _PIECE):
            rows: np.ndarray = np.array([field[first : first + _PIECE] for field in fields], dtype=np.uint64)
            np.maximum(self._greatest, rows.max(axis=1), out=self._greatest)
            if (self._greatest > self._layout.greatest).any():
                return False
            at = self.count + first
            for words, found in zip(self._words, self._layout.pack(rows)):
                words[at : at + len(found)] = found
        return True

    def fields(self, first: int, last: int) -> np.ndarray:
        """The fields of the pairs first, ..., last - 1, a row each, as 64-bit integers without a sign."""
        return self._layout.unpack([words[first:last] for words in self._words])

    def values(self, field: int) -> np.ndarray:
        """The different values of this field."""
        parts = [np.unique(self.fields(first, min(first + _BLOCK, self.count))[field]) for first in self._blocks()]
        return np.unique(np.concatenate([np.zeros(0, dtype=np.uint64), *parts]))

    def _blocks(self) -> range:
        return range(0, self.count, _BLOCK)

    def _places(self, first: int, last: int) -> np.ndarray:
        """Where to look for these pairs first."""
        mixed: np.ndarray = self._words[0][first:last] * np.uint64(_FACTOR)
        for words in self._words[1:]:
            mixed ^= mixed >> np.uint64(_STIR)
            mixed += words[first:last]
            mixed *= np.uint64(_FACTOR)
        mixed >>= _WORD - (len(self._slots) - 1).bit_length()
        return mixed.astype(np.intp)

    def _reserve(self, amount: int) -> None:
        """Room for so many more pairs, and slots for at least twice as many."""
        needed = self.count + amount
        if needed > len(self._words[0]):
            room = max(needed, self.count + self.count // 2)
            for i, words in enumerate(self._words):
                self._words[i] = np.zeros(room, dtype=np.uint64)
                self._words[i][: self.count] = words[: self.count]
        if 2 * needed > len(self._slots):
            self._slots = np.full(1 << (2 * needed).bit_length(), _FREE, dtype=np.int32)
            self._settle()

    def _widen(self) -> None:
        """Packs all pairs anew, so that the greatest values fit."""
        old, former = self._layout, self._words
        needed = [number.bit_length() + _SPARE_BITS for number in self._greatest.tolist()]
        self._layout = _Layout([min(width, _WORD) for width in needed])
        self._words = [np.zeros(len(former[0]), dtype=np.uint64) for _ in range(self._layout.words)]
        for first in self._blocks():
            part = slice(first, min(first + _BLOCK, self.count))
            for words, found in zip(self._words, self._layout.pack(old.unpack([words[part] for words in former]))):
                words[part] = found
        self._slots.fill(_FREE)
        self._settle()

    def _settle(self) -> None:
        """Gives every pair a slot; all slots are free, and no two pairs are alike."""
        for first in self._blocks():
            last = min(first + _BLOCK, self.count)
            waiting: np.ndarray = np.arange(first, last)
            places = self._places(first, last)
            while len(waiting):
                free = np.flatnonzero(self._slots.take(places) < 0)
                self._slots[places[free]] = waiting[free]
                left = np.flatnonzero(self._slots.take(places) != waiting)
                waiting, places = waiting[left], (places[left] + 1) & (len(self._slots) - 1)


class Rows:
    """Rows of bytes, numbered as they are found, those of one call in no particular order.

    A sum of a row's words says where to look; all of its words are compared there.

    >>> rows = Rows(3)
    >>> rows.number(np.array([[1, 2, 3], [1, 2, 4], [1, 2, 3]], dtype=np.uint8)).tolist()
    [0, 1, 0]
    >>> rows.octets(np.array([1])).tolist()
    [[1, 2, 4]]
    """

    def __init__(self, width: int):
        self._width, words = width, -(-width // _WORD_BYTES)
        self._entries = Growing(np.uint64, (words,))
        self._factors = _factors(words)
        self._slots = np.full(_ROOM, _FREE, dtype=np.int32)
        """For each place the first entry that was looked for there."""
        self._others: dict[bytes, int] = {}
        """All other entries."""

    def __len__(self) -> int:
        return len(self._entries)

    def number(self, octets: np.ndarray) -> np.ndarray:
        """The numbers of these rows; those that are new are added.  Time goes with the rows, however many are known."""
        rows = self._as_words(octets)
        if _SLOTS_EACH * (len(self) + len(rows)) > len(self._slots):
            self._make_room(len(rows))
        places = self._places(rows)
        found = self._slots.take(places)
        free = (found < 0).nonzero()[0]
        if len(free):
            claimed, claiming = places.take(free), np.arange(len(free), dtype=np.int32)
            # The last to be written has the slot, here the first of those that claim it.
            self._slots[claimed[::-1]] = claiming[::-1]
            won = (self._slots.take(claimed) == claiming).nonzero()[0]
            self._slots[claimed.take(won)] = np.arange(len(self), len(self) + len(won))
            self._entries.append(rows.take(free.take(won), axis=0))
            found = self._slots.take(places)
        numbers = found.astype(np.intp)
        differ = (self._entries.rows.take(numbers, axis=0) != rows).reshape(-1).nonzero()[0]
        if len(differ):
            others = np.unique(differ // len(self._factors))
            numbers[others] = self._among_others(rows.take(others, axis=0))
        return numbers

    def _among_others(self, rows: np.ndarray) -> list[int]:
        """The numbers of rows of which another one is where they are looked for."""
        numbers, new = list[int](), list[int]()
        for i, key in enumerate(row.tobytes() for row in rows):
            number = self._others.setdefault(key, len(self) + len(new))
            if number == len(self) + len(new):
                new.append(i)
            numbers.append(number)
        self._entries.append(rows[new])
        return numbers

    def _places(self, rows: np.ndarray) -> np.ndarray:
        """Where to look for these rows."""
        return ((rows @ self._factors) >> np.uint64(_WORD + 1 - len(self._slots).bit_length())).view(np.intp)

    def _make_room(self, amount: int) -> None:
        """Slots for so many more rows; those that are known keep their numbers."""
        self._slots = np.full(1 << (2 * _SLOTS_EACH * (len(self) + amount)).bit_length(), _FREE, dtype=np.int32)
        places = self._places(self._entries.rows)
        self._slots[places[::-1]] = np.arange(len(self), dtype=np.int32)[::-1]
        others = (self._slots.take(places) != np.arange(len(self))).nonzero()[0].tolist()
        self._others = {self._entries.rows[number].tobytes(): number for number in others}

    def _as_words(self, octets: np.ndarray) -> np.ndarray:
        if self._width % _WORD_BYTES == 0 and octets.flags.c_contiguous:
            return octets.view(np.uint64)
        rows = np.zeros((len(octets), len(self._factors)), dtype=np.uint64)
        rows.view(np.uint8)[:, : self._width] = octets
        return rows

    def octets(self, numbers: np.ndarray) -> np.ndarray:
        """The rows that have these numbers."""
        return self._entries.rows.take(numbers, axis=0).view(np.uint8)[:, : self._width]


@lru_cache
def _factors(words: int) -> np.ndarray:
    """Odd numbers, by which the words of a row are multiplied."""
    return np.random.default_rng(0).integers(0, 1 << 63, words, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


class _Layout:
    """Where each field stands: in which word, from which bit on.  No field is cut by the end of a word.

    Attributes:
        widths: of the fields, in bits.
        greatest: the largest number that each can hold.
    """

    def __init__(self, widths: Sequence[int]):
        self.widths, used = list(widths), _WORD
        shifts, first = [], list[int]()
        for field, width in enumerate(self.widths):
            if used + width > _WORD:
                first.append(field)
                used = 0
            shifts.append(used)
            used += width
        self._spans = [slice(*ends) for ends in zip(first, [*first[1:], len(self.widths)])]
        self._shifts: np.ndarray = np.array(shifts, dtype=np.uint64)[:, None]
        self.greatest: np.ndarray = np.array([(1 << width) - 1 for width in self.widths], dtype=np.uint64)

    @property
    def words(self) -> int:
        """How many there are."""
        return len(self._spans)

    def pack(self, rows: np.ndarray) -> list[np.ndarray]:
        """The words of these fields, a row each, which are shifted in place."""
        rows <<= self._shifts
        return [np.bitwise_or.reduce(rows[span]) for span in self._spans]

    def unpack(self, words: Sequence[np.ndarray]) -> np.ndarray:
        """The fields of these words, a row each."""
        rows = np.empty((len(self.widths), len(words[0])), dtype=np.uint64)
        for word, span in zip(words, self._spans):
            np.right_shift(word, self._shifts[span], out=rows[span])
        rows &= self.greatest[:, None]
        return rows
