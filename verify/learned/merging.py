"""The second finder: a closed search through a model's steps with boxes in the place of caches.

For each pair of an automaton's state and the last k tokens there are a few boxes.  The image of a box that lies inside
a known one is done; one that a known one can take in, the hull staying narrower than ``ratio`` times what each number
ranges over, is merged with it, snapped outward to a grid of powers of two; any other is a new box.  It is needed where
what a model holds is no function of the automaton's state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from verify.learned.abstract_step import AbstractMamba
from verify.learned.answers import Answers
from verify.learned.behaviour import Behaviour
from verify.learned.float32 import Bounds

_AT_ONCE = 512
"""Boxes that are stepped together."""

_WALKS, _STEPS = 64, 160
"""Random strings, and their length, from which is guessed what each number ranges over: nothing rests on that."""

CLOSED, UNSETTLED, MISTAKEN, EXHAUSTED = "closed", "unsettled", "mistaken", "exhausted"
"""How a search ends: see :class:`MergedBoxes`."""


@dataclass(frozen=True)
class MergedBoxes:
    """What a search ended with.

    Attributes:
        outcome: "closed"; "unsettled": an output is not decided on some box; "mistaken": it is decided, and is not what
            the automaton expects; or "exhausted": a limit was reached.
        states: of the automaton, one for each box.
        caches: (boxes, cache size).
        successors: (boxes, symbols), the box that has the image, -1 where the symbol is not followed.
        word: for "mistaken", symbols after which the model is wrong.
        steps: images of boxes that were computed.
    """

    outcome: str
    states: np.ndarray
    caches: Bounds
    successors: np.ndarray
    word: tuple[int, ...]
    steps: int


class BoxSearch:
    """Searches for boxes of one model and one automaton.

    Args:
        tokens: that of each symbol.
    """

    def __init__(self, model: AbstractMamba, expected: Behaviour, tokens: Sequence[int], bos: int, answers: Answers):
        self.model, self.behaviour, self.answers = model, expected, answers
        self.tokens, self.bos = np.array(tokens), bos
        self.first, self.first_logits = self._step(Bounds.exactly(np.zeros((1, model.cache_size))), np.array([bos]))
        self.ranges = self._ranges()

    def run(self, length: int, ratio: float, limit_boxes: int, limit_steps: int) -> MergedBoxes:
        """Boxes for the last ``length`` tokens, merged up to ``ratio`` times what each number ranges over."""
        found = _Known(self, length, ratio)
        least, greatest = self.answers.margins(*self.first_logits.ends, self.behaviour.expected[:1])
        if not (least > 0).all():
            return found.ended(MISTAKEN if (greatest < 0).any() else UNSETTLED)
        found.add(0, (self.bos,), self.first.low[0], self.first.high[0], None)
        while found.waiting:
            if len(found.states) > limit_boxes or found.steps > limit_steps:
                return found.ended(EXHAUSTED)
            batch = sorted(set(found.waiting[:_AT_ONCE]))
            del found.waiting[:_AT_ONCE]
            places, symbols = np.nonzero(self.behaviour.next[[found.states[box] for box in batch]] >= 0)
            sources: np.ndarray = np.array(batch)[places]
            if not len(sources):
                continue
            caches = Bounds(found.low[sources], found.high[sources])
            after, logits = self._step(caches, self.tokens[symbols])
            found.steps += len(sources)
            targets = self.behaviour.next[[found.states[box] for box in sources], symbols]
            least, greatest = self.answers.margins(*logits.ends, self.behaviour.expected[targets])
            if (wrong := np.flatnonzero((greatest < 0).any(1))).size:
                return found.ended(MISTAKEN, (*found.word(sources[wrong[0]]), int(symbols[wrong[0]])))
            if not (least > 0).all():
                return found.ended(UNSETTLED)
            for row, (source, symbol, target) in enumerate(zip(sources.tolist(), symbols.tolist(), targets.tolist())):
                found.place(source, symbol, target, after.low[row], after.high[row])
        return found.ended(CLOSED)

    def _step(self, caches: Bounds, tokens: np.ndarray) -> tuple[Bounds, Bounds]:
        with np.errstate(invalid="ignore", over="ignore"):
            return self.model.step(caches, tokens, self.answers.read)

    def _ranges(self) -> np.ndarray:
        """What each number ranges over on random strings."""
        rng = np.random.default_rng(0)
        states: np.ndarray = np.zeros(_WALKS, dtype=np.int64)
        caches = self.first[states]
        low, high = self.first.low[0], self.first.high[0]
        for _ in range(_STEPS):
            allowed = self.behaviour.next[states] >= 0
            going = allowed.any(1)
            if not going.any():
                break
            states, allowed, caches = states[going], allowed[going], caches[going]
            symbols = (rng.random(allowed.shape) * allowed).argmax(1)
            after, _ = self._step(caches, self.tokens[symbols])
            with np.errstate(invalid="ignore", over="ignore"):
                caches = Bounds.exactly((after.low + after.high) / 2)
            states = self.behaviour.next[states, symbols]
            low, high = np.minimum(low, caches.low.min(0)), np.maximum(high, caches.high.max(0))
        return np.maximum(high - low, 1e-6)


class _Known:
    """The boxes of one search."""

    def __init__(self, search: BoxSearch, length: int, ratio: float):
        self.search, self.length = search, length
        self.widest = ratio * search.ranges + 1e-9
        self.grid = 2.0 ** np.floor(np.log2(self.widest / 16))
        size = search.model.cache_size
        self.low: np.ndarray = np.empty((64, size))
        self.high: np.ndarray = np.empty((64, size))
        self.states: list[int] = []
        self.windows: list[tuple[int, ...]] = []
        self.parents: list[tuple[int, int] | None] = []
        self.successors: list[list[int]] = []
        self.at: dict[tuple[int, tuple[int, ...]], list[int]] = {}
        self.waiting: list[int] = []
        self.steps = 0

    def add(
        self, state: int, window: tuple[int, ...], low: np.ndarray, high: np.ndarray, parent: tuple[int, int] | None
    ) -> int:
        box = len(self.states)
        if box == len(self.low):
            self.low = np.concatenate([self.low, np.empty_like(self.low)])
            self.high = np.concatenate([self.high, np.empty_like(self.high)])
        self.low[box], self.high[box] = low, high
        self.states.append(state)
        self.windows.append(window)
        self.parents.append(parent)
        self.successors.append([-1] * self.search.behaviour.symbols)
        self.at.setdefault((state, window), []).append(box)
        self.waiting.append(box)
        return box

    def place(self, source: int, symbol: int, state: int, low: np.ndarray, high: np.ndarray) -> None:
        """Finds, widens or adds the box that has an image."""
        window = (*self.windows[source], int(self.search.tokens[symbol]))[-self.length :]
        known = self.at.get((state, window), [])
        if known:
            lows, highs = self.low[known], self.high[known]
            inside = ((lows <= low) & (high <= highs)).all(1)
            if inside.any():
                self.successors[source][symbol] = known[int(inside.argmax())]
                return
            hull_low, hull_high = np.minimum(lows, low), np.maximum(highs, high)
            allowed = np.maximum(self.widest, 1.25 * np.maximum(highs - lows, high - low))
            fits = ((hull_high - hull_low) / allowed).max(1)
            best = int(fits.argmin())
            if fits[best] <= 1:
                box = known[best]
                self._widen(box, hull_low[best], hull_high[best])
                self.successors[source][symbol] = box
                return
        self.successors[source][symbol] = self.add(state, window, low, high, (source, symbol))

    def _widen(self, box: int, low: np.ndarray, high: np.ndarray) -> None:
        """Where the box has to grow, it grows to the grid."""
        below, above = np.floor(low / self.grid) * self.grid, np.ceil(high / self.grid) * self.grid
        self.low[box] = np.where(low < self.low[box], np.minimum(below, low), self.low[box])
        self.high[box] = np.where(high > self.high[box], np.maximum(above, high), self.high[box])
        self.waiting.append(box)

    def word(self, box: int) -> tuple[int, ...]:
        """The symbols along which a box was first found: the model is in it after them."""
        symbols: list[int] = []
        while (parent := self.parents[box]) is not None:
            box, symbol = parent
            symbols.append(symbol)
        return tuple(reversed(symbols))

    def ended(self, outcome: str, word: tuple[int, ...] = ()) -> MergedBoxes:
        count = len(self.states)
        shape = count, self.search.behaviour.symbols
        successors = np.array(self.successors, dtype=np.int64).reshape(shape)
        states = np.array(self.states, dtype=np.int64)
        return MergedBoxes(outcome, states, Bounds(self.low[:count], self.high[:count]), successors, word, self.steps)
