"""Random strings, and the test that runs a model on them: evidence, never proof.

Three kinds of string in equal parts: *valid* (walks along legal symbols), *arbitrary* (uniform symbols), and
*one-error* (a valid string with one symbol replaced, inserted or removed).  In predictive mode a string is compared
up to where the prefix dies, because nothing is asked of a model after that; in recognition it is compared to its end.

Words are drawn one by one here, of any machine; of automata, bounded Dyck languages and counter machines
:func:`check_random` draws many at once (:mod:`verify.evidence.batches`), which is quicker.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, chain, islice, tee
from typing import Any, Iterable, Iterator, Sequence

import numpy as np

from automata.machine import ACCEPT, EOS, PREDICTIVE, Machine
from automata.machines.counter_machine import CounterMachine
from verify.evidence.batches import LONGEST, Situations, WordBatch, situations_along, walkable, word_batches
from verify.evidence.long_runs import situations_of_words
from verify.evidence.long_words import long_words
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import REFUTED, TESTED, Verdict, Witness

WORD_KINDS = ("valid", "arbitrary", "one-error")
_BATCH = 64
_GROUP, _TOGETHER = 256, 1 << 17
"""Words that are run together at least, where many were drawn, and positions of more."""
_DRAWN = 1 << 14
"""Random numbers that are drawn at once."""
_CHOICES = 1 << 21
"""Symbols of legal sets that a walk keeps, over all sets."""
_CASES = 1 << 20
"""Numbers that are told apart by a table of all."""
_CELLS = 1 << 25
"""Positions times outputs that are looked at together: with many symbols, fewer positions."""
_KEPT_FREE = 31 << 20
"""Bytes; of blocks that are freed, glibc gives back to the system at once those larger than the largest that was freed
before, if that was below 32 MiB.
"""


@dataclass(frozen=True)
class Expectation:
    """A string and what should be given after each of its prefixes.

    Attributes:
        word: the symbols.
        sets: the expected output set after each prefix, the empty one first; shorter than the word by the part
            on which nothing is asked.
    """

    word: tuple[str, ...]
    sets: tuple[frozenset[str], ...]


def expect(machine: Machine, word: Sequence[str], mode: str) -> Expectation:
    """The machine's answers along a word."""
    sets: list[frozenset[str]] = []
    for answer in _answers(machine, word, mode):
        if answer is None:
            break
        sets.append(answer)
    return Expectation(tuple(word), tuple(sets))


def _answers(machine: Machine, word: Iterable[str], mode: str) -> Iterator[frozenset[str] | None]:
    """What should be given after each prefix of the word, the empty one first; None from where nothing is asked any
    more.
    """
    state, answer = machine.initial, None
    for symbol in chain((None,), word):
        if symbol is not None:
            if mode == PREDICTIVE and (answer is None or symbol not in answer):
                answer = None
                yield None
                continue
            state = machine.step(state, symbol)
        if mode == PREDICTIVE:
            answer = machine.legal(state)
        else:
            answer = frozenset((ACCEPT,)) if machine.accepts(state) else frozenset()
        yield answer


def random_words(machine: Machine, count: int, max_length: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """The words of :func:`random_streams`, each as a tuple."""
    return map(tuple, random_streams(machine, count, max_length, rng))


def random_streams(machine: Machine, count: int, max_length: int, rng: np.random.Generator) -> Iterator["RandomWord"]:
    """``count`` words of the three kinds in turn, lengths uniform from 0 to ``max_length``.

    A valid walk draws its symbols with weights of its own (log-normal), so that walks differ in character: some
    go deep into a bracket language, some stay near the ground.  It ends early where no symbol is legal.

    Memory grows neither with ``count`` nor with ``max_length``: a word is a seed until it is iterated over.
    """
    for number in range(count):
        length, seed = int(rng.integers(0, max_length + 1)), int(rng.integers(0, 1 << 62))
        yield RandomWord(machine, WORD_KINDS[number % len(WORD_KINDS)], length, seed)


@dataclass(frozen=True)
class RandomWord:
    """A random word of one of the KINDS: the symbols are drawn, the same ones, each time it is iterated over."""

    machine: Machine
    kind: str
    length: int
    seed: int

    def __iter__(self) -> Iterator[str]:
        rng = np.random.default_rng(self.seed)
        alphabet = self.machine.alphabet
        if self.kind == "arbitrary":
            return (alphabet[i] for size in _parts(self.length) for i in rng.integers(0, len(alphabet), size).tolist())
        if self.kind == "valid":
            return _walk(self.machine, self.length, rng)
        error, walk = rng.spawn(2)
        return _one_error(_walk(self.machine, self.length, walk), self.length, alphabet, error)


def _parts(length: int) -> Iterator[int]:
    """The sizes of the parts in which so many numbers are drawn."""
    for first in range(0, length, _DRAWN):
        yield min(_DRAWN, length - first)


def _walk(machine: Machine, length: int, rng: np.random.Generator) -> Iterator[str]:
    weight = dict(zip(machine.alphabet, rng.lognormal(0.0, 2.0, len(machine.alphabet)).tolist()))
    choices: dict[frozenset[str], tuple[list[str], list[float]]] = {}
    kept = 0
    state = machine.initial
    for draw in chain.from_iterable(rng.random(size).tolist() for size in _parts(length)):
        legal = machine.legal(state)
        if legal not in choices:
            symbols = sorted(legal - {EOS})
            kept += len(symbols)
            if kept > _CHOICES:
                choices, kept = {}, len(symbols)
            choices[legal] = symbols, list(accumulate(weight[s] for s in symbols))
        symbols, sums = choices[legal]
        if not symbols:
            return
        symbol = symbols[min(bisect_right(sums, draw * sums[-1]), len(symbols) - 1)]
        yield symbol
        state = machine.step(state, symbol)


def _one_error(walk: Iterator[str], length: int, alphabet: Sequence[str], rng: np.random.Generator) -> Iterator[str]:
    """A walk of at most this length with one symbol inserted, replaced or removed, anywhere or at its end."""
    begun = list(islice(walk, _DRAWN))
    if len(begun) < _DRAWN:
        length = len(begun)  # it may have ended early; a longer one is taken to go on
    place, symbol, kind = (
        int(rng.integers(0, length + 1)),
        alphabet[int(rng.integers(0, len(alphabet)))],
        int(rng.integers(0, 3)),
    )
    walk = chain(begun, walk)
    yield from islice(walk, place)
    replaced = None if kind == 0 else next(walk, None)
    if kind == 1 or replaced is None:
        yield symbol
    yield from walk


def check_words(
    machine: Machine,
    model,
    words: Iterable[Iterable[str]],
    mode: str,
    *,
    method: str = "random strings",
    repeat: str = "",
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Runs a batched model on words and counts the positions at which it differs from the machine.

    Args:
        words: sequences, or :class:`RandomWord`; one that is wrong is iterated over a second time.

    Returns:
        ``tested``, or ``refuted`` with the shortest wrong prefix among these words; ``explored`` has the numbers of
        strings, symbols, positions compared, disagreements and the greatest length.

    Memory is that of 2^16 positions, whatever the number of words and their lengths.
    """
    tally = _Tally(machine, model, mode, progress)
    words = iter(words)
    while batch := list(islice(words, _BATCH)):
        tally.add(batch)
    return tally.verdict(method, repeat)


def check_random(
    machine: Machine,
    model: Any,
    count: int,
    max_length: int,
    mode: str,
    *,
    seed: int = 0,
    repeat: str = "",
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Runs a batched model on random words, and counts the positions at which it differs from the machine.

    Args:
        count: of words, of the three kinds in turn.
        max_length: lengths are uniform from 0 to this one.
        seed: decides the words, together with the numbers above.

    Returns:
        As :func:`check_words`.

    Words of a machine that is known on arrays are drawn many at once, unless they may be very long; then, and of any
    other machine, one by one.
    """
    rng = np.random.default_rng(seed)
    walked = walkable(machine) if max_length <= LONGEST else None
    if walked is None:
        words = random_streams(machine, count, max_length, rng)
        return check_words(machine, model, words, mode, repeat=repeat, progress=progress)
    tally = _Tally(machine, model, mode, progress)
    for batch in word_batches(machine, walked, count, max_length, rng):
        tally.add_batch(batch, walked.situations, situations_along(walked, batch, mode))
    return tally.verdict("random strings", repeat)


def check_long(
    machine: CounterMachine,
    model: Any,
    count: int,
    length: int,
    mode: str,
    *,
    seed: int = 0,
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Runs a batched model on long words of a counter language (:mod:`verify.evidence.long_words`), side by side.

    Args:
        count: of words.
        length: that none exceeds.
        seed: decides the words, together with the numbers above.

    Returns:
        As :func:`check_words`.

    Memory and time go with the longest word, times the number of words.
    """
    words = list(long_words(machine, count, length, np.random.default_rng(seed)))
    tally = _Tally(machine, model, mode, progress)
    if words:
        lengths = np.array([len(word) for word in words])
        symbols = np.zeros((lengths.max(), count), dtype=np.min_scalar_type(len(machine.alphabet)))
        for column, word in enumerate(words):
            symbols[: len(word), column] = word
        kinds = np.where(np.arange(count) % 3 == 2, WORD_KINDS.index("one-error"), WORD_KINDS.index("valid"))
        batch = WordBatch(machine.alphabet, symbols, lengths, kinds)
        tally.add_batch(batch, *situations_of_words(machine, words, mode))
    return tally.verdict("long random strings", "")


def _present(numbers: np.ndarray, below: int) -> np.ndarray:
    """The different ones among numbers, which are all below this; -1 does not count."""
    if below > _CASES:
        return np.unique(numbers[numbers >= 0])
    present: np.ndarray = np.zeros(below + 1, dtype=bool)
    present[numbers] = True  # -1 is the last
    return np.flatnonzero(present[:-1])


class _Tally:
    """Counts over batches; draws the words, and runs the model on them, in chunks along time."""

    def __init__(self, machine: Machine, model, mode: str, progress: Progress):
        self.machine, self.model, self.mode, self.progress = machine, model, mode, progress
        self.index = {symbol: i for i, symbol in enumerate(model.alphabet)}
        self._output = {name: i for i, name in enumerate(model.outputs)}
        self.strings = self.symbols = self.compared = self.disagreements = self.longest = 0
        self.witness: Witness | None = None
        self._set_number: dict[frozenset[str], int] = {}
        self._sets: list[frozenset[str]] = []
        self._table: np.ndarray = np.zeros((0, len(model.outputs)), dtype=bool)
        # Freed at once, never written to: pages are then not asked of the system anew for every array of a chunk.
        np.empty(_KEPT_FREE, dtype=np.uint8)

    def add(self, batch: list[Iterable[str]]) -> None:
        """Counts these words; each is iterated over once, together with a copy of it for what is expected."""
        running = [tee(word) for word in batch]
        answers = [_answers(self.machine, copy, self.mode) for _, copy in running]
        words = [word for word, _ in running]
        self._forget()
        state, outputs = self.model.begin(len(batch))
        first = np.array([[self._expected(next(sets))] for sets in answers])
        self._compare(batch, range(len(batch)), 0, first, outputs)
        step = max(1, min(1 << 16, _CELLS // len(self.model.outputs)) // len(batch))
        time, left = 0, np.ones(len(batch), dtype=bool)
        while True:
            self._forget()
            parts = [[self.index[symbol] for symbol in islice(word, step)] for word in words]
            longest = max(map(len, parts))
            self.longest = max(self.longest, time + longest)
            self.symbols += sum(map(len, parts))
            over = left & np.array([len(part) < step for part in parts])
            self.strings += int(over.sum())
            left &= ~over
            if longest:
                symbols = np.zeros((len(batch), longest), dtype=np.int64)
                expected = np.full((len(batch), longest), -1, dtype=np.int64)
                for row, (part, sets) in enumerate(zip(parts, answers)):
                    symbols[row, : len(part)] = part
                    expected[row, : len(part)] = [self._expected(answer) for answer in islice(sets, len(part))]
                state, outputs = self.model.advance(state, symbols)
                self._compare(batch, range(len(batch)), time + 1, expected, outputs)
                time += longest
            self.progress.advance(int(over.sum()), symbols=self.symbols)
            if not left.any():
                return

    def add_batch(self, batch: WordBatch, situations: Situations, along: np.ndarray) -> None:
        """Counts words that were drawn together, with the situations along them; see :func:`situations_along`."""
        self._forget()
        answers = [frozenset((ACCEPT,)) if accepts else frozenset() for accepts in situations.accepting.tolist()]
        numbers = np.array([*map(self._number, situations.legal if self.mode == PREDICTIVE else answers), -1])
        # Situation -1 is the last of them: nothing is asked.
        place = np.array([self.index[symbol] for symbol in batch.alphabet])
        together = min(_TOGETHER, _CELLS // len(self.model.outputs))
        # Words of which as much is asked are run together, and no further than that.
        asked = np.count_nonzero(along >= 0, axis=0) - 1
        order = np.argsort(-asked, kind="stable")
        first = 0
        while first < len(batch):
            longest = int(asked[order[first]])
            words = order[first : first + max(_GROUP, together // (longest + 1))]
            first, step = first + len(words), max(1, together // len(words))
            wanted = numbers.take(along[: longest + 1].take(words, axis=1).T)
            state, outputs = self.model.begin(len(words))
            self._compare(batch, words, 0, wanted[:, :1], outputs)
            for time in range(0, longest, step):
                until = min(time + step, longest)
                symbols = place.take(batch.symbols[time:until].take(words, axis=1).T)
                state, outputs = self.model.advance(state, symbols)
                self._compare(batch, words, time + 1, wanted[:, time + 1 : until + 1], outputs)
                self.progress.advance(0, symbols=self.symbols + int(np.minimum(batch.lengths[words], until).sum()))
            self.strings += len(words)
            self.symbols += int(batch.lengths[words].sum())
            self.longest = max(self.longest, int(batch.lengths[words].max()))
            self.progress.advance(len(words), symbols=self.symbols)

    def verdict(self, method: str, repeat: str) -> Verdict:
        """Of all words that were added."""
        explored = {
            "strings": self.strings,
            "longest": self.longest,
            "symbols": self.symbols,
            "positions compared": self.compared,
            "disagreements": self.disagreements,
        }
        if self.witness is None:
            reason = "no disagreement" if self.strings else "no string was tried"
            return Verdict(TESTED, method, self.mode, self.model.arithmetic, explored, reason, repeat=repeat)
        reason = f"{self.disagreements} disagreements; the witness is the shortest of them"
        return Verdict(REFUTED, method, self.mode, self.model.arithmetic, explored, reason, self.witness, repeat=repeat)

    def _forget(self) -> None:
        """Sets of outputs that fill the memory are numbered anew."""
        if len(self._sets) * len(self.model.outputs) >= _CELLS:
            self._set_number, self._sets, self._table = {}, [], self._table[:0]

    def _expected(self, answer: frozenset[str] | None) -> int:
        return -1 if answer is None else self._number(answer)

    def _number(self, outputs: frozenset[str]) -> int:
        if outputs not in self._set_number:
            self._set_number[outputs] = len(self._sets)
            self._sets.append(outputs)
        return self._set_number[outputs]

    def _compare(
        self,
        batch: list[Iterable[str]] | WordBatch,
        words: Sequence[int] | np.ndarray,
        first: int,
        expected: np.ndarray,
        outputs: Any,
    ) -> None:
        """Rows of what is expected belong to these words of the batch."""
        self.compared += int(np.count_nonzero(expected >= 0))
        pair = np.where(expected >= 0, expected * len(outputs.table) + outputs.ids, -1)
        cases = _present(pair, len(self._sets) * len(outputs.table))
        wanted, given = self._rows()[cases // len(outputs.table)], outputs.table[cases % len(outputs.table)]
        for case in cases[(wanted != given).any(axis=1)].tolist():
            rows, times = np.nonzero(pair == case)
            self.disagreements += len(rows)
            at = int(np.argmin(times))
            length = first + int(times[at])
            if self.witness is None or length < len(self.witness.word):
                row = outputs.table[case % len(outputs.table)]
                names = frozenset(self.model.outputs[i] for i in np.flatnonzero(row))
                word = tuple(islice(batch[int(words[int(rows[at])])], length))
                self.witness = Witness(word, self._sets[case // len(outputs.table)], names)

    def _rows(self) -> np.ndarray:
        """The expected sets seen so far as booleans, shape (sets, outputs)."""
        fresh = np.zeros((len(self._sets) - len(self._table), len(self.model.outputs)), dtype=bool)
        for row, wanted in zip(fresh, self._sets[len(self._table) :]):
            row[[self._output[name] for name in wanted if name in self._output]] = True
        self._table = np.concatenate([self._table, fresh])
        return self._table
