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
from automata.machines.counter_machine import CounterMachine
from automata.machines.flip_flop import FlipFlopMachine

LONGEST = 1 << 14
"""Words of a greater length are drawn one by one: few of them fit into a batch."""
_WORDS, _POSITIONS = 1 << 12, 1 << 21
"""Words of a batch, and their positions taken together."""
_CHOICES = 1 << 21
"""Of a batch: words times situations times symbols."""
_LEAST_WORDS = 64
"""Of a batch: fewer at once would not be quicker than one by one."""
_SYMBOLS, _COUNTERS, _TRANSITIONS = 128, 8, 10_000
"""Of a machine that is run on arrays, where it is no automaton: of small ones all transitions are tabulated."""
_NEVER = -1.0
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
    """

    def __init__(self, alphabet: Sequence[str], distinct: Sequence[tuple[frozenset[str], bool]]):
        self.legal = [legal for legal, _ in distinct]
        self.accepting = np.array([accepts for _, accepts in distinct], dtype=bool)
        self.allowed = np.array([[symbol in legal for symbol in alphabet] for legal in self.legal], dtype=bool)


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
    return min(_WORDS, _CHOICES // walked.situations.allowed.size)


def _on_arrays(machine: Machine) -> Walkable | None:
    k = len(machine.alphabet)
    # A subclass may answer differently.
    if type(machine) is DFA:
        return _Table(machine, range(machine.states), machine.table, machine.initial)
    if type(machine) is DyckMachine and k <= _SYMBOLS:
        return _tabulated(machine) if machine.classes() * k <= _TRANSITIONS else _Dyck(machine)
    if type(machine) is CounterMachine and k <= _SYMBOLS and len(machine.counters) <= _COUNTERS:
        return _Counters(machine)
    return _tabulated(machine) if type(machine) is FlipFlopMachine else None


# -- automata -----------------------------------------------------------------------------------------


class _Table:
    """An automaton: its states, in the order of the rows of its table."""

    def __init__(self, machine: Machine, states: Iterable[Any], table: np.ndarray, initial: int):
        self.initial, self.symbols, self.next = initial, len(machine.alphabet), table.ravel()
        self.number, distinct = _numbered([(machine.legal(state), machine.accepts(state)) for state in states])
        self.situations = Situations(machine.alphabet, distinct)

    def begin(self, words: int, length: int) -> "_TableRuns":
        return _TableRuns(self, words)


def _tabulated(machine: Machine) -> _Table:
    """A machine with few states as an automaton."""
    number: dict[Any, int] = {machine.initial: 0}
    rows, states = [], [machine.initial]
    for state in states:
        targets = [machine.step(state, symbol) for symbol in machine.alphabet]
        for target in targets:
            if target not in number:
                number[target] = len(states)
                states.append(target)
        rows.append([number[target] for target in targets])
    return _Table(machine, states, np.array(rows, dtype=np.int64), 0)


class _TableRuns:
    def __init__(self, table: _Table, words: int):
        self._table, self._states = table, np.full(words, table.initial, dtype=np.intp)

    @property
    def situations(self) -> np.ndarray:
        return self._table.number[self._states]

    def read(self, symbols: np.ndarray) -> None:
        self._states = self._table.next[self._states[: len(symbols)] * self._table.symbols + symbols]

    def keep(self, words: np.ndarray) -> None:
        self._states = self._states[words]


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
        self.situations = self._stacks[self._place] + (self._place >= self._full)

    def keep(self, words: np.ndarray) -> None:
        self._have(self._stacks.reshape(self._levels, -1)[:, words], self._place[words] // self._words)

    def read(self, symbols: np.ndarray) -> None:
        place = self._place[: len(symbols)]
        # What is above the top is never read before it is written again.
        self._stacks[place + self._words] = self._dyck.opened[symbols]
        move = self._moves[self.situations[: len(symbols)] * self._dyck.symbols + symbols]
        self._place = np.maximum(place + move, self._first[: len(symbols)])
        self._look()


# -- counter machines ---------------------------------------------------------------------------------


class _Counters:
    """A *view* is a control with the signs of the counters: all that a move depends on.  The last control is dead."""

    def __init__(self, machine: CounterMachine):
        self.counters, self.symbols = len(machine.counters), len(machine.alphabet)
        control = {name: number for number, name in enumerate(machine.controls)}
        dead = len(control)
        views = (dead + 1) << self.counters
        self.target = np.full(views * self.symbols, dead << self.counters, dtype=np.intp)
        self.add = np.zeros((self.counters, views * self.symbols), dtype=np.int64)
        self.initial = control[machine.initial[0]] << self.counters, machine.initial[1]
        pairs: list[tuple[frozenset[str], bool]] = []
        for view in range(views):
            number, signs = view >> self.counters, tuple(view >> i & 1 for i in range(self.counters))
            state = None if number == dead else (machine.controls[number], signs)
            pairs.append((machine.legal(state), machine.accepts(state)))
            for i, symbol in enumerate(machine.alphabet):
                if state is not None and (move := machine.move(state, symbol)) is not None:
                    self.target[view * self.symbols + i] = control[move.target] << self.counters
                    self.add[:, view * self.symbols + i] = move.add
        self.number, distinct = _numbered(pairs)
        self.situations = Situations(machine.alphabet, distinct)

    def begin(self, words: int, length: int) -> "_CounterRuns":
        return _CounterRuns(self, words)


class _CounterRuns:
    def __init__(self, machine: _Counters, words: int):
        self._machine = machine
        control, values = machine.initial
        self._values: np.ndarray = np.repeat(np.array(values, dtype=np.int64).reshape(-1, 1), words, axis=1)
        self._look(np.full(words, control, dtype=np.intp))

    @property
    def situations(self) -> np.ndarray:
        return self._machine.number[self._view]

    def read(self, symbols: np.ndarray) -> None:
        move = self._view[: len(symbols)] * self._machine.symbols + symbols
        self._values = self._values[:, : len(symbols)] + self._machine.add.take(move, axis=1)
        self._look(self._machine.target[move])

    def _look(self, controls: np.ndarray) -> None:
        signs = np.packbits(self._values > 0, axis=0, bitorder="little")
        self._view: np.ndarray = controls + signs[0] if len(signs) else controls

    def keep(self, words: np.ndarray) -> None:
        self._values, self._view = self._values[:, words], self._view[words]


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
    symbols = np.zeros((max_length + 1, len(kinds)), dtype=np.min_scalar_type(len(alphabet)))
    arbitrary, walks, wrong = np.flatnonzero(kinds == 1), np.flatnonzero(kinds != 1), np.flatnonzero(kinds == 2)
    symbols[:, arbitrary] = rng.integers(0, len(alphabet), (max_length + 1, len(arbitrary)), dtype=symbols.dtype)
    symbols[:-1, walks], lengths[walks] = _walks(walked, lengths[walks], max_length, rng)
    symbols[:, wrong], lengths[wrong] = _one_error(symbols[:, wrong], lengths[wrong], len(alphabet), rng)
    order = np.argsort(-lengths, kind="stable")
    return WordBatch(alphabet, symbols[: lengths.max(), order], lengths[order], kinds[order])


def _walks(
    walked: Walkable, lengths: np.ndarray, max_length: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Walks along legal symbols, with log-normal weights of their own, and their lengths: at most those given, which
    fall; less where no symbol is legal.
    """
    allowed, words = walked.situations.allowed, len(lengths)
    situations, k = allowed.shape
    # What a draw has to be below for each symbol or one before it, by symbol, situation and word: 1 from the last legal
    # symbol on, rounded or not, and never where none is legal.
    bounds = np.cumsum(allowed.T[:, :, None] * rng.lognormal(0.0, 2.0, (k, 1, words)), axis=0)
    bounds = np.where(
        bounds == bounds[-1], np.where(bounds[-1] > 0, 1.0, _NEVER), bounds / np.maximum(bounds[-1], 1e-300)
    )
    bounds = bounds.reshape(k, situations * words)
    symbols = np.zeros((max_length, words), dtype=np.min_scalar_type(k))
    lengths, runs, going = lengths.copy(), walked.begin(words, max_length), _Going(lengths)
    for time in range(max_length):
        left = going.left_at(time)
        if not left:
            break
        choices = bounds.take(runs.situations[:left] * words + going.words[:left], axis=1)
        drawn = np.add.reduce(choices <= rng.random(left), axis=0, dtype=np.intp)
        if drawn.max() == k:
            lengths[going.words[:left][drawn == k]] = time
            kept = np.flatnonzero(drawn < k)
            going.keep(kept)
            runs.keep(kept)
            drawn = drawn[kept]
            if not len(kept):
                break
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
        self._lengths, self.words = lengths, np.arange(len(lengths))
        self.at: slice | np.ndarray = slice(0, len(lengths))

    def left_at(self, time: int) -> int:
        """How many are longer than this."""
        left = int(np.searchsorted(-self._lengths, -time, side="left"))
        self.at = slice(0, left) if isinstance(self.at, slice) else self.words[:left]
        return left

    def keep(self, words: np.ndarray) -> None:
        """Lets go of all but these."""
        self._lengths, self.words = self._lengths[words], self.words[words]
        self.at = self.words


def _one_error(
    symbols: np.ndarray, lengths: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Words with one symbol inserted, replaced or removed, anywhere or at the end; with room for one symbol more."""
    words = np.arange(len(lengths))
    places, kinds = rng.integers(0, lengths + 1), rng.integers(0, 3, len(lengths))
    inserted = (kinds == 0) | (places == lengths)
    removed = (kinds == 2) & ~inserted
    time = np.arange(len(symbols))[:, None]
    source = time + np.where(time >= places, removed.astype(np.intp) - inserted, 0)
    found = symbols[np.clip(source, 0, len(symbols) - 1), words]
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
    found = np.full((len(batch.symbols) + 1, len(batch)), -1, dtype=np.intp)
    runs, going = walked.begin(len(batch), len(batch.symbols)), _Going(batch.lengths)
    found[0] = runs.situations
    for time in range(len(batch.symbols)):
        left = going.left_at(time)
        if not left:
            break
        symbols = batch.symbols[time, going.at].astype(np.intp)
        asked: np.ndarray | bool = True
        if mode == PREDICTIVE:
            asked = allowed[runs.situations[:left] * k + symbols]  # after one that is not, none is legal
            if _DEAD * np.count_nonzero(~asked) > left:
                kept = np.flatnonzero(asked)
                going.keep(kept)
                runs.keep(kept)
                symbols, asked = symbols[kept], True
        runs.read(symbols)
        found[time + 1, going.at] = np.where(asked, runs.situations, -1)
    return found
