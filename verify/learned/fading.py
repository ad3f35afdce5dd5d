"""Fading words: does the model still know after u vⁿ which state it is in, for each state, short loop v and ending s?

What a gate below 1 holds fades, whatever the language; random strings, which seldom say nothing for long, do not show
it.  So for each state that a shortest string u reaches and each short word v that leads it back to itself, the model
reads u v v v …, and short words s branch off on the way.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from automata.machine import Machine
from verify.learned.part import Loops, Part, part_of, read_to, short_loops
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import REFUTED, TESTED, Verdict, Witness

_STATES, _LOOP, _ENDING, _LONGEST_ENDING = 128, 3, 2, 6
"""States from which words are tried, symbols of a loop, and of an ending: more of them where few branch off."""

_SYMBOLS = 1_200
"""Symbols of v v v … in a model of one layer; of more layers fewer, as each step costs more."""

_LEAST_SYMBOLS, _LAYERS = 200, 3
_ROUND = math.lcm(*range(1, _LOOP + 1))
"""Symbols after which each v has been read to its end."""

_CLOSE = 10 * _ROUND
"""Up to so many symbols endings branch off after every v, then at distances that grow by a tenth."""

_BRANCHES = 2_048
"""Endings that branch off at one point."""


def fading_words(
    machine: Machine, model: Any, mode: str, *, symbols: int = _SYMBOLS, progress: Progress = NO_PROGRESS
) -> Verdict:
    """Runs u vⁿ s in single steps of a batch, until the first of them is answered wrong.

    Args:
        machine: the ground truth.
        model: a :class:`constructions.mamba.stepping.SteppedMamba`; it cannot be stepped afterwards.
        symbols: of v v v … in a model of up to three layers.

    Returns:
        ``tested``, or ``refuted`` with the shortest string found.  It was answered wrong in a batch: that it is wrong
        alone has to be seen.  O(symbols) steps of the model, and a tenth as many for the endings.
    """
    from constructions.mamba.forks import Forks

    part = part_of(machine, mode, _STATES)
    words = short_loops(part, _LOOP, model.batch)
    layers = len(model.runner.caches())
    longest = max(_LEAST_SYMBOLS, symbols * _LAYERS // max(_LAYERS, layers))
    run = _Run(part, model, mode, words)
    if not len(words.states):
        return run.verdict(TESTED, "no short word leads a state back to itself", 0)
    length, branched, repeats = run.look(Forks(model, len(words.states)), longest, _CLOSE, progress)
    if run.witness is not None and length > branched + 1:
        # Endings of the powers in between were not looked at.
        run = _Run(part, model, mode, words)
        length, _, _ = run.look(Forks(model, len(words.states)), length, length, progress, branched)
    states = len(set(words.states.tolist()))
    shown = f"u v^n s for {states} states and {len(words.states)} loops v of up to {_LOOP} symbols"
    shown += f" ({words.left_out} more were left out)" * bool(words.left_out)
    if run.witness is None:
        shown += f", v v … up to {length} symbols" + ", from where on the caches repeat" * repeats
        return run.verdict(TESTED, f"no disagreement on {shown}", length)
    return run.verdict(REFUTED, f"the witness is the shortest found on {shown}", length)


class _Run:
    """The strings as they grow, and the shortest wrong one."""

    def __init__(self, part: Part, model: Any, mode: str, words: Loops):
        self.part, self.model, self.mode, self.loops = part, model, mode, words
        self.witness: Witness | None = None
        self.compared = 0
        self.read_symbols = np.zeros(len(words.states), dtype=np.int64)
        """Of v v … in each row."""
        self.at = words.states.copy()
        place = {symbol: i for i, symbol in enumerate(model.alphabet)}
        self.token = np.array([place[symbol] for symbol in part.alphabet])
        output = {name: i for i, name in enumerate(model.outputs)}
        self._wanted = np.zeros((len(part), len(output)), dtype=bool)
        for row, names in zip(self._wanted, part.expected):
            row[[output[name] for name in names]] = True
        longest = max(map(len, words.words), default=1)
        self._turns = np.array([[loop[i % len(loop)] for i in range(longest)] for loop in words.words])
        self._lengths = np.array([len(loop) for loop in words.words])
        self._endings = self._all_endings()

    def look(self, forks: Any, longest: int, close: int, progress: Progress, after: int = 0) -> tuple[int, int, bool]:
        """Reads v v … until something is wrong, up to so many symbols, or until the caches repeat.

        Args:
            close: up to where endings branch off after every symbol.
            after: up to where none does.

        Returns:
            The symbols read, those read when endings branched off last before, and whether the caches
            repeat.
        """
        read_to(self.loops, forks, self.token)
        length, branch, earlier, last, repeats, before = 0, after + 1, after, after, False, forks.caches()
        while self.witness is None and length < longest and not repeats:
            length += 1
            self.read(forks)
            progress.advance(1)
            if length >= branch:
                self.branch(forks)
                earlier, last = last, length
                # Further on, only where all rows have read their v to its end.
                branch = length + 1 if length < close else length + _ROUND * max(1, length // (10 * _ROUND))
            if length % _ROUND == 0:
                now = forks.caches()
                repeats, before = all(map(np.array_equal, before, now)), now
        return length, earlier if last == length else last, repeats

    def read(self, forks: Any) -> None:
        """Reads one more symbol of v v … in each row, and compares."""
        rows = np.arange(len(self._lengths))
        symbols = self._turns[rows, self.read_symbols % self._lengths]
        given = forks.read(self.token[symbols], np.ones(len(rows), dtype=bool))
        self.at = self.part.next[self.at, symbols]
        self.read_symbols += 1
        self._compare(rows, self.at, given, np.zeros((len(rows), 0), dtype=np.int64))

    def branch(self, forks: Any) -> None:
        """Compares after the endings of all strings that have read v to its end."""
        ended = self.read_symbols % self._lengths == 0
        for states, endings in self._endings:
            keep = ended[states]
            if not keep.any():
                continue
            rows, endings = states[keep], endings[keep]
            given = forks.fork(rows, self.token[endings])
            at = self.loops.states[rows]
            for i in range(endings.shape[1]):
                at = self.part.next[at, endings[:, i]]
                if (at < 0).any():
                    raise AssertionError("endings are followed through known states alone")
                self._compare(rows, at, given[:, i], endings[:, : i + 1])

    def verdict(self, outcome: str, reason: str, symbols: int) -> Verdict:
        explored = {
            "states": len(set(self.loops.states.tolist())),
            "words u v": len(self.loops.states),
            "symbols of v v …": symbols,
            "positions compared": self.compared,
        }
        arithmetic = self.model.arithmetic
        return Verdict(outcome, "fading words", self.mode, arithmetic, explored, reason, self.witness)

    def _compare(self, rows: np.ndarray, states: np.ndarray, given: np.ndarray, endings: np.ndarray) -> None:
        self.compared += len(rows)
        wrong = np.flatnonzero(self.model.reading.wrong(self._wanted[states], given, self.mode))
        for i in wrong.tolist():
            row = int(rows[i])
            symbols, loop = int(self.read_symbols[row]), self.loops.words[row]
            access = self.part.access[int(self.loops.states[row])]
            length = len(access) + symbols + endings.shape[1]
            if self.witness is None or length < len(self.witness.word):
                turned = tuple(loop[j % len(loop)] for j in range(symbols))
                word = self.part.spelled((*access, *turned, *endings[i].tolist()))
                names = frozenset(self.model.outputs[j] for j in np.flatnonzero(given[i]))
                self.witness = Witness(word, self.part.expected[int(states[i])], names)

    def _all_endings(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """For each length of an ending, rows and endings that can follow u vⁿ, those that no longer one begins with.
        Of more than a few symbols are those alone that fit into one batch.
        """
        found: list[tuple[np.ndarray, np.ndarray]] = []
        symbols = np.arange(len(self.part.alphabet))
        rows = np.arange(len(self.loops.states))
        endings, at = np.zeros((len(rows), 0), dtype=np.int64), self.loops.states
        for length in range(1, _LONGEST_ENDING + 1):
            after = self.part.next[at]
            goes_on = after >= 0
            most = _BRANCHES if length <= _ENDING else self.model.batch
            if length > 1 and goes_on.sum() > most:
                break
            if length > 1:
                found.append((rows[~goes_on.any(axis=1)], endings[~goes_on.any(axis=1)]))
            at = after[goes_on]
            before, last = goes_on.nonzero()
            rows, endings = rows[before], np.concatenate([endings[before], symbols[last][:, None]], axis=1)
        found.append((rows, endings))
        return [(rows, endings) for rows, endings in found if len(rows)]
