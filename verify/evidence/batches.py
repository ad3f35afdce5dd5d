"""Random words drawn many at once, and what should be given along them: :mod:`verify.evidence.sampling` on arrays.

The words are of the same three kinds, in the same proportions and lengths, as those that are drawn one by one.  All
words of a batch take a step together.  What a machine says depends on its *situation*, of which there are few: the
class of states with the same legal set and the same acceptance.  Each machine here knows its states as arrays of its
own: an automaton as rows of its table, a bounded Dyck language as stacks, a counter machine as control and counters.

``k`` symbols, by their place in the machine's alphabet; arrays of words have shape (time, words).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Protocol, Sequence

import numpy as np

from automata.dfa import DFA
from automata.machine import PREDICTIVE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.copying import CopyMachine
from automata.machines.counter_machine import CounterMachine
from automata.machines.flip_flop import FlipFlopMachine
from automata.machines.recall import RecallMachine
from verify.evidence.choices import Choices, Legal

LONGEST = 1 << 14
"""Words of a greater length are drawn one by one: few of them fit into a batch."""
_WORDS, _POSITIONS = 1 << 13, 1 << 22
"""Words of a batch, and their positions taken together."""
_CHOICES = 1 << 23
"""Of a batch: numbers that are kept of what is drawn in each situation of each word."""
_LEAST_WORDS = 64
"""Of a batch: fewer at once would not be quicker than one by one."""
_SYMBOLS, _COUNTERS, _TRANSITIONS, _MOST_TRANSITIONS = 512, 8, 10_000, 50_000
"""Of a machine that is run on arrays, where it is no automaton: all transitions of small ones are tabulated, and of
larger ones those of machines for which nothing else is known.
"""
_GATHERED, _LAST_BYTE = np.uint64(0x0102040810204080), np.uint64(56)
"""Times this, bit 0 of each of eight bytes stands in the last of them, the first lowest."""
_DEAD = 8
"""One word in so many of which nothing is asked any more is worth letting go of them."""


class Runs(Protocol):
    """A machine in the middle of several words."""

    @property
    def situations(self) -> np.ndarray:
        """Of each word."""
        ...

    def read(self, symbols: np.ndarray) -> None:
        """Reads one symbol in each of the first ``len(symbols)`` words, and lets go of the others."""
        ...

    def keep(self, words: np.ndarray) -> None:
        """Lets go of all but these words, which are numbered anew."""
        ...


class Situations:
    """What is legal, and whether the word may end, in each situation.

    Attributes:
        legal: sets of symbols and EOS.
        accepting: booleans, shape (situations,).
        allowed: booleans, shape (situations, k): whether the symbol is legal.
        choices: the same, as symbols are drawn.
    """

    def __init__(self, alphabet: Sequence[str], distinct: Sequence[tuple[frozenset[str], bool]]):
        self.legal = [legal for legal, _ in distinct]
        self.accepting = np.array([accepts for _, accepts in distinct], dtype=bool)
        self.allowed = np.array([[symbol in legal for symbol in alphabet] for legal in self.legal], dtype=bool)
        self.choices = Legal(self.allowed)


def _numbered(pairs: Sequence[tuple[frozenset[str], bool]]) -> tuple[np.ndarray, list[tuple[frozenset[str], bool]]]:
    """The number of each pair, and the distinct pairs."""
    number: dict[tuple[frozenset[str], bool], int] = {}
    numbers = [number.setdefault(pair, len(number)) for pair in pairs]
    return np.array(numbers, dtype=np.intp), list(number)


class Walkable(Protocol):
    """A machine that is run on arrays."""

    situations: Situations

    def begin(self, words: int, length: int) -> Runs:
        """So many words of up to this length, all empty."""
        ...


def walkable(machine: Machine) -> Walkable | None:
    """The machine on arrays; None for a machine that has to be run step by step: one of a kind unknown here, or one
    with very many symbols, counters or situations.
    """
    found = _on_arrays(machine)
    return found if found is not None and _words(found) >= _LEAST_WORDS else None


def _words(walked: Walkable) -> int:
    """How many words a batch may have."""
    return min(_WORDS, _CHOICES // walked.situations.choices.choices)


def _on_arrays(machine: Machine) -> Walkable | None:
    k = len(machine.alphabet)
    # A subclass may answer differently.
    if type(machine) is DFA:
        return _Table(machine, range(machine.states), machine.table, machine.initial)
    if type(machine) is DyckMachine and k <= _SYMBOLS:
        small = machine.classes() * k <= _TRANSITIONS
        return (_tabulated(machine) if small else None) or _Dyck(machine)
    if type(machine) is CounterMachine and k <= _SYMBOLS and len(machine.counters) <= _COUNTERS:
        return _Counters(machine)
    return _tabulated(machine) if type(machine) in (FlipFlopMachine, RecallMachine, CopyMachine) else None


# -- automata -----------------------------------------------------------------------------------------


class _Table:
    """An automaton: its states, in the order of the rows of its table."""

    def __init__(self, machine: Machine, states: Iterable[Any], table: np.ndarray, initial: int):
        self.initial, self.symbols = initial, len(machine.alphabet)
        self.next = table.ravel().astype(np.intp)
        self.number, distinct = _numbered([(machine.legal(state), machine.accepts(state)) for state in states])
        self.situations = Situations(machine.alphabet, distinct)

    def begin(self, words: int, length: int) -> "_TableRuns":
        return _TableRuns(self, words)


def _tabulated(machine: Machine) -> _Table | None:
    """A machine with few states as an automaton; None for one with more."""
    number: dict[Any, int] = {machine.initial: 0}
    rows, states = [], [machine.initial]
    for state in states:
        if len(states) * len(machine.alphabet) > _MOST_TRANSITIONS:
            return None
        targets = [machine.step(state, symbol) for symbol in machine.alphabet]
        for target in targets:
            if target not in number:
                number[target] = len(states)
                states.append(target)
        rows.append([number[target] for target in targets])
    return _Table(machine, states, np.array(rows, dtype=np.int64), 0)


class _TableRuns:
    def __init__(self, table: _Table, words: int):
        self._table = table
        self._have(np.full(words, table.initial, dtype=np.intp))

    def _have(self, states: np.ndarray) -> None:
        self._states, self.situations = states, self._table.number.take(states)

    def read(self, symbols: np.ndarray) -> None:
        move = self._states[: len(symbols)] * self._table.symbols
        move += symbols
        self._have(self._table.next.take(move))

    def keep(self, words: np.ndarray) -> None:
        self._have(self._states[words])


# -- bounded Dyck languages ---------------------------------------------------------------------------


class _Dyck:
    """Situation 0 is dead, 1 is empty, 3 + 2 i has type i on top; one more where all levels are full."""

    def __init__(self, machine: DyckMachine):
        k, self.depth = len(machine.alphabet), machine.depth
        index = {symbol: i for i, symbol in enumerate(machine.alphabet)}
        distinct: list[tuple[frozenset[str], bool]] = [(frozenset(), False)]
        distinct += [(machine.legal_at_depth(0), True)] * 2
        for closer in machine.closers:
            distinct += [(machine.legal_at_depth(depth) | {closer}, False) for depth in (1, machine.depth)]
        self.situations = Situations(machine.alphabet, distinct)
        self.symbols, self.opened = k, np.zeros(k, dtype=np.intp)
        """The situation that an opening bracket leads to, unless that makes all levels full."""
        self.levels = np.where(self.situations.allowed, -1, -self.depth - 2)
        """How many levels up a symbol goes in a situation; so far down that it is dead, where it is not legal."""
        for number, opener in enumerate(machine.openers):
            self.opened[index[opener]] = 3 + 2 * number
            self.levels[self.situations.allowed[:, index[opener]], index[opener]] = 1
        self.levels[0] = 0

    def begin(self, words: int, length: int) -> "_DyckRuns":
        return _DyckRuns(self, words, length)


class _DyckRuns:
    """A stack for each word, with a situation on each level; level 0 is dead, level 1 empty."""

    def __init__(self, dyck: _Dyck, words: int, length: int):
        self._dyck, self._levels = dyck, min(dyck.depth, length) + 3
        stacks = np.zeros((self._levels, words), dtype=np.intp)
        stacks[1] = 1
        self._have(stacks, np.ones(words, dtype=np.intp))

    def _have(self, stacks: np.ndarray, tops: np.ndarray) -> None:
        """These stacks, shape (levels, words), with their tops on these levels."""
        words = len(tops)
        self._stacks, self._words, self._first = stacks.ravel(), words, np.arange(words)
        self._place = tops * words + self._first
        """Of the top in the stacks: level * words + word."""
        self._moves = np.where(self._dyck.levels < -1, -self._levels, self._dyck.levels).ravel() * words
        self._full = (self._dyck.depth + 1) * words
        self._look()

    def _look(self) -> None:
        self.situations = self._stacks.take(self._place)
        self.situations += self._place >= self._full

    def keep(self, words: np.ndarray) -> None:
        self._have(self._stacks.reshape(self._levels, -1)[:, words], self._place[words] // self._words)

    def read(self, symbols: np.ndarray) -> None:
        place = self._place[: len(symbols)]
        # What is above the top is never read before it is written again.
        self._stacks[place + self._words] = self._dyck.opened.take(symbols)
        move = self.situations[: len(symbols)] * self._dyck.symbols
        move += symbols
        place += self._moves.take(move)
        self._place = np.maximum(place, self._first[: len(symbols)], out=place)
        self._look()


# -- counter machines ---------------------------------------------------------------------------------


class _Counters:
    """A *view* is a control with the signs of the counters: all that a move depends on.  The last control is dead."""

    def __init__(self, machine: CounterMachine):
        self.counters, self.symbols = len(machine.counters), len(machine.alphabet)
        control = {name: number for number, name in enumerate(machine.controls)}
        dead = len(control)
        views = (dead + 1) << self.counters
        largest = max(machine.initial[1], default=0) + (LONGEST + 1) * machine.fastest
        self.dtype = np.dtype(np.int16 if largest < 1 << 15 else np.int64)
        self.target = np.full(views * self.symbols, dead << self.counters, dtype=np.intp)
        add: np.ndarray = np.zeros((views * self.symbols, _COUNTERS), dtype=self.dtype)
        values: np.ndarray = np.zeros(_COUNTERS, dtype=self.dtype)
        values[: self.counters] = machine.initial[1]
        self.initial = control[machine.initial[0]] << self.counters, values
        pairs: list[tuple[frozenset[str], bool]] = []
        for view in range(views):
            number, signs = view >> self.counters, tuple(view >> i & 1 for i in range(self.counters))
            state = None if number == dead else (machine.controls[number], signs)
            pairs.append((machine.legal(state), machine.accepts(state)))
            for i, symbol in enumerate(machine.alphabet):
                if state is not None and (move := machine.move(state, symbol)) is not None:
                    self.target[view * self.symbols + i] = control[move.target] << self.counters
                    add[view * self.symbols + i, : self.counters] = move.add
        self.add = add.view(f"V{_COUNTERS * self.dtype.itemsize}").ravel()
        """What a move adds to the counters, as one item."""
        self.number, distinct = _numbered(pairs)
        self.situations = Situations(machine.alphabet, distinct)

    def begin(self, words: int, length: int) -> "_CounterRuns":
        return _CounterRuns(self, words)


class _CounterRuns:
    """Eight counters for each word, some of them unused."""

    def __init__(self, machine: _Counters, words: int):
        self._machine = machine
        control, values = machine.initial
        self._values = np.tile(values, (words, 1))
        self._look(np.full(words, control, dtype=np.intp))

    def read(self, symbols: np.ndarray) -> None:
        move = self._view[: len(symbols)] * self._machine.symbols
        move += symbols
        added = self._machine.add.take(move).view(self._machine.dtype).reshape(-1, _COUNTERS)
        added += self._values[: len(symbols)]
        self._values = added
        self._look(self._machine.target.take(move))

    def _look(self, controls: np.ndarray) -> None:
        # Eight booleans, each a byte, are one number; no two of the products that are added share a bit.
        signs = (self._values > 0).view("<u8").ravel() * _GATHERED >> _LAST_BYTE
        self._have(controls + signs.astype(np.intp))

    def _have(self, view: np.ndarray) -> None:
        self._view, self.situations = view, self._machine.number.take(view)

    def keep(self, words: np.ndarray) -> None:
        self._values = self._values[words]
        self._have(self._view[words])


# -- words --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WordBatch:
    """Several words, longest first.

    Attributes:
        alphabet: names the symbols.
        symbols: shape (time, words); whatever is after the end of a word is a symbol too.
        lengths: shape (words,).
        kinds: shape (words,): their places in WORD_KINDS.
    """

    alphabet: tuple[str, ...]
    symbols: np.ndarray
    lengths: np.ndarray
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, word: int) -> tuple[str, ...]:
        return tuple(self.alphabet[i] for i in self.symbols[: self.lengths[word], word].tolist())


def word_batches(
    machine: Machine, walked: Walkable, count: int, max_length: int, rng: np.random.Generator
) -> Iterator[WordBatch]:
    """``count`` words, of the kinds and lengths of :func:`verify.evidence.sampling.random_words`.

    Args:
        walked: of the machine.
        max_length: at most LONGEST.

    Memory is that of 2^21 positions.
    """
    size = min(_words(walked), _POSITIONS // (max_length + 1))
    for first in range(0, count, size):
        kinds = np.arange(first, min(count, first + size)) % 3
        yield _drawn(machine.alphabet, walked, kinds, max_length, rng)


def _drawn(
    alphabet: tuple[str, ...], walked: Walkable, kinds: np.ndarray, max_length: int, rng: np.random.Generator
) -> WordBatch:
    """Words of these kinds: 0 is a walk, 1 arbitrary, 2 a walk with one error."""
    # Longest first, so that those that still go on come first.
    lengths = -np.sort(-rng.integers(0, max_length + 1, len(kinds)))
    kinds = rng.permutation(kinds)
    arbitrary, walks = np.flatnonzero(kinds == 1), np.flatnonzero(kinds != 1)
    symbols, lengths[walks] = _walks(walked, lengths[walks], max_length, rng)
    drawn = rng.integers(0, len(alphabet), (len(symbols), len(arbitrary)), dtype=symbols.dtype)
    wrong = np.flatnonzero(kinds[walks] == 2)
    found, lengths[walks[wrong]] = _one_error(symbols.take(wrong, axis=1), lengths[walks[wrong]], len(alphabet), rng)
    # Columns of walks, of words with an error, and of arbitrary ones, side by side: which is a word's?
    column = np.empty(len(kinds), dtype=np.intp)
    column[walks] = np.arange(len(walks))
    column[walks[wrong]] = len(walks) + np.arange(len(wrong))
    column[arbitrary] = len(walks) + len(wrong) + np.arange(len(arbitrary))
    order, longest = np.argsort(-lengths, kind="stable"), lengths.max()
    beside = np.concatenate([part[:longest] for part in (symbols, found, drawn)], axis=1)
    return WordBatch(alphabet, beside.take(column[order], axis=1), lengths[order], kinds[order])


def _walks(
    walked: Walkable, lengths: np.ndarray, max_length: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Walks along legal symbols, with log-normal weights of their own, and their lengths: at most those given, which
    fall; less where no symbol is legal.  There is room for one symbol more.
    """
    words, k = len(lengths), walked.situations.allowed.shape[1]
    choices = Choices(walked.situations.choices, rng.lognormal(0.0, 2.0, (words, k)))
    stuck = ~walked.situations.allowed.any(axis=1)
    symbols = np.zeros((max_length + 1, words), dtype=np.min_scalar_type(k))
    lengths, runs, going = lengths.copy(), walked.begin(words, max_length), _Going(lengths)
    for time in range(max_length):
        left = going.left_at(time)
        ended = stuck.take(runs.situations[:left])
        if ended.any():
            lengths[going.words[:left][ended]] = time
            kept = np.flatnonzero(~ended)
            going.keep(kept)
            runs.keep(kept)
            left = going.left_at(time)
        if not left:
            break
        drawn = choices.draw(runs.situations[:left], going.words[:left], rng)
        symbols[time, going.at] = drawn
        runs.read(drawn)
    return symbols, lengths


class _Going:
    """The words that are still being read, longest first.

    Attributes:
        words: their numbers.
        at: the places of these, a slice as long as none has ended before its length.
    """

    def __init__(self, lengths: np.ndarray):
        self._have(lengths, np.arange(len(lengths)))
        self.at: slice | np.ndarray = slice(0, len(lengths))

    def _have(self, lengths: np.ndarray, words: np.ndarray) -> None:
        self._lengths, self.words = lengths, words
        self._left = (len(lengths) - np.bincount(lengths).cumsum()).tolist()
        """How many are longer than 0, 1, ..."""

    def left_at(self, time: int) -> int:
        """How many are longer than this."""
        left = self._left[time] if time < len(self._left) else 0
        self.at = slice(0, left) if isinstance(self.at, slice) else self.words[:left]
        return left

    def keep(self, words: np.ndarray) -> None:
        """Lets go of all but these."""
        self._have(self._lengths[words], self.words[words])
        self.at = self.words


def _one_error(
    symbols: np.ndarray, lengths: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Words with one symbol inserted, replaced or removed, anywhere or at the end; with room for one symbol more."""
    places, kinds = rng.integers(0, lengths + 1), rng.integers(0, 3, len(lengths))
    inserted = (kinds == 0) | (places == lengths)
    removed = (kinds == 2) & ~inserted
    times, never = np.arange(len(symbols), dtype=np.int16)[:, None], len(symbols)
    found = symbols.copy()
    np.copyto(found[1:], symbols[:-1], where=times[1:] >= np.where(inserted, places, never).astype(np.int16))
    np.copyto(found[:-1], symbols[1:], where=times[:-1] >= np.where(removed, places, never).astype(np.int16))
    other = rng.integers(0, k, len(lengths))
    put = np.flatnonzero(~removed)
    found[places[put], put] = other[put]
    return found, lengths + inserted - removed


# -- what is expected ---------------------------------------------------------------------------------


def situations_along(walked: Walkable, batch: WordBatch, mode: str) -> np.ndarray:
    """The situation after each prefix of each word, the empty one first, shape (time + 1, words): -1 where nothing is
    asked, which is after the end of the word, and in predictive mode after a symbol that is not legal.
    """
    allowed, k = walked.situations.allowed.ravel(), len(batch.alphabet)
    dtype = np.int16 if len(walked.situations.legal) < 1 << 15 else np.int32
    found: np.ndarray = np.full((len(batch.symbols) + 1, len(batch)), -1, dtype=dtype)
    runs, going = walked.begin(len(batch), len(batch.symbols)), _Going(batch.lengths)
    found[0] = runs.situations
    for time in range(len(batch.symbols)):
        left = going.left_at(time)
        if not left:
            break
        symbols = batch.symbols[time, going.at].astype(np.intp)
        unasked = 0
        if mode == PREDICTIVE:
            move = runs.situations[:left] * k
            move += symbols
            asked = allowed.take(move)  # after one that is not, none is legal
            unasked = left - np.count_nonzero(asked)
            if _DEAD * unasked > left:
                kept = np.flatnonzero(asked)
                going.keep(kept)
                runs.keep(kept)
                symbols, unasked = symbols[kept], 0
        runs.read(symbols)
        found[time + 1, going.at] = np.where(asked, runs.situations, -1) if unasked else runs.situations
    return found
