"""Random strings, and the test that runs a model on them: evidence, never proof.

Three kinds of string in equal parts: *valid* (walks along legal symbols), *arbitrary* (uniform symbols), and
*one-error* (a valid string with one symbol replaced, inserted or removed).  In predictive mode a string is compared
up to where the prefix dies, because nothing is asked of a model after that; in recognition it is compared to its end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Iterator, Sequence

import numpy as np

from automata.machine import ACCEPT, EOS, PREDICTIVE, Machine
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import REFUTED, TESTED, Verdict, Witness

KINDS = ("valid", "arbitrary", "one-error")
_BATCH = 64
_CELLS = 1 << 25
"""Positions times outputs that are looked at together: with many symbols, fewer positions."""


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
    state, sets = machine.initial, []
    for symbol in (None, *word):
        if symbol is not None:
            if mode == PREDICTIVE and symbol not in sets[-1]:
                break
            state = machine.step(state, symbol)
        if mode == PREDICTIVE:
            sets.append(machine.legal(state))
        else:
            sets.append(frozenset((ACCEPT,)) if machine.accepts(state) else frozenset())
    return Expectation(tuple(word), tuple(sets))


def random_words(machine: Machine, count: int, max_length: int, rng: np.random.Generator) -> Iterator[tuple[str, ...]]:
    """``count`` words of the three kinds in turn, lengths uniform from 0 to ``max_length``.

    A valid walk draws its symbols with weights of its own (log-normal), so that walks differ in character: some
    go deep into a bracket language, some stay near the ground.
    """
    alphabet = machine.alphabet
    for number in range(count):
        length = int(rng.integers(0, max_length + 1))
        kind = KINDS[number % 3]
        if kind == "arbitrary":
            yield tuple(alphabet[i] for i in rng.integers(0, len(alphabet), length))
            continue
        word = list(_walk(machine, length, rng))
        yield tuple(word) if kind == "valid" else tuple(_one_error(word, alphabet, rng))


def _walk(machine: Machine, length: int, rng: np.random.Generator) -> Iterator[str]:
    weight = dict(zip(machine.alphabet, rng.lognormal(0.0, 2.0, len(machine.alphabet)).tolist()))
    choices: dict[frozenset[str], tuple[list[str], np.ndarray]] = {}
    state = machine.initial
    for draw in rng.random(length).tolist():
        legal = machine.legal(state)
        if legal not in choices:
            symbols = sorted(legal - {EOS})
            choices[legal] = symbols, np.cumsum([weight[s] for s in symbols])
        symbols, sums = choices[legal]
        if not symbols:
            return
        symbol = symbols[int(np.searchsorted(sums, draw * sums[-1], side="right").clip(0, len(symbols) - 1))]
        yield symbol
        state = machine.step(state, symbol)


def _one_error(word: list[str], alphabet: Sequence[str], rng: np.random.Generator) -> list[str]:
    place, symbol = int(rng.integers(0, len(word) + 1)), alphabet[int(rng.integers(0, len(alphabet)))]
    kind = int(rng.integers(0, 3))
    if kind == 0 or place == len(word):
        return word[:place] + [symbol] + word[place:]
    return word[:place] + ([symbol] if kind == 1 else []) + word[place + 1 :]


def check_words(
    machine: Machine,
    model,
    words: Iterable[Sequence[str]],
    mode: str,
    *,
    method: str = "random strings",
    repeat: str = "",
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """Runs a batched model on words and counts the positions at which it differs from the machine.

    Returns:
        ``tested``, or ``refuted`` with the shortest wrong prefix among these words; ``explored`` has the numbers of
        strings, symbols, positions compared, disagreements and the greatest length.
    """
    tally = _Tally(model)
    batch: list[Expectation] = []
    positions = 0
    for word in words:
        batch.append(expect(machine, word, mode))
        positions += len(word)
        if len(batch) == _BATCH or positions * len(model.outputs) >= _CELLS:
            tally.add(batch)
            progress.advance(len(batch), symbols=tally.symbols)
            batch, positions = [], 0
    if batch:
        tally.add(batch)
    explored = {
        "strings": tally.strings,
        "longest": tally.longest,
        "symbols": tally.symbols,
        "positions compared": tally.compared,
        "disagreements": tally.disagreements,
    }
    if tally.witness is None:
        reason = "no disagreement" if tally.strings else "no string was tried"
        return Verdict(TESTED, method, mode, model.arithmetic, explored, reason, repeat=repeat)
    reason = f"{tally.disagreements} disagreements; the witness is the shortest of them"
    return Verdict(REFUTED, method, mode, model.arithmetic, explored, reason, tally.witness, repeat=repeat)


class _Tally:
    """Counts over batches; runs the model in chunks along time."""

    def __init__(self, model):
        self.model = model
        self.index = {symbol: i for i, symbol in enumerate(model.alphabet)}
        self._output = {name: i for i, name in enumerate(model.outputs)}
        self.strings = self.symbols = self.compared = self.disagreements = self.longest = 0
        self.witness: Witness | None = None
        self._set_number: dict[frozenset[str], int] = {}
        self._sets: list[frozenset[str]] = []
        self._table = np.zeros((0, len(model.outputs)), dtype=bool)

    def add(self, batch: list[Expectation]) -> None:
        if len(self._sets) * len(self.model.outputs) >= _CELLS:
            self._set_number, self._sets, self._table = {}, [], self._table[:0]
        time = max(len(e.word) for e in batch)
        words = np.zeros((len(batch), time), dtype=np.int64)
        expected = np.full((len(batch), time + 1), -1, dtype=np.int64)
        for row, expectation in enumerate(batch):
            words[row, : len(expectation.word)] = [self.index[symbol] for symbol in expectation.word]
            expected[row, : len(expectation.sets)] = [self._number(s) for s in expectation.sets]
        self.strings += len(batch)
        self.symbols += sum(len(e.word) for e in batch)
        self.longest = max(self.longest, time)
        self.compared += int((expected >= 0).sum())
        state, outputs = self.model.begin(len(batch))
        self._compare(batch, 0, expected[:, :1], outputs)
        step = max(1, min(1 << 16, _CELLS // len(self.model.outputs)) // len(batch))
        for first in range(0, time, step):
            part = slice(first, first + step)
            state, outputs = self.model.advance(state, words[:, part])
            self._compare(batch, first + 1, expected[:, 1:][:, part], outputs)

    def _number(self, outputs: frozenset[str]) -> int:
        if outputs not in self._set_number:
            self._set_number[outputs] = len(self._sets)
            self._sets.append(outputs)
        return self._set_number[outputs]

    def _compare(self, batch: list[Expectation], first: int, expected: np.ndarray, outputs) -> None:
        pair = np.where(expected >= 0, expected * len(outputs.table) + outputs.ids, -1)
        cases = np.unique(pair[pair >= 0])
        wanted, given = self._rows()[cases // len(outputs.table)], outputs.table[cases % len(outputs.table)]
        for case in cases[(wanted != given).any(axis=1)].tolist():
            rows, times = np.nonzero(pair == case)
            self.disagreements += len(rows)
            at = int(np.argmin(times))
            length = first + int(times[at])
            if self.witness is None or length < len(self.witness.word):
                row = outputs.table[case % len(outputs.table)]
                names = frozenset(self.model.outputs[i] for i in np.flatnonzero(row))
                self.witness = Witness(batch[int(rows[at])].word[:length], self._sets[case // len(outputs.table)], names)

    def _rows(self) -> np.ndarray:
        """The expected sets seen so far as booleans, shape (sets, outputs)."""
        fresh = np.zeros((len(self._sets) - len(self._table), len(self.model.outputs)), dtype=bool)
        for row, wanted in zip(fresh, self._sets[len(self._table) :]):
            row[[self._output[name] for name in wanted if name in self._output]] = True
        self._table = np.concatenate([self._table, fresh])
        return self._table

