"""Where the search through a model's states does not close, since a few numbers drift: these are known by bounds alone,
all others by their bits.

A numerator and a denominator count, a memory forgets by halves, an exponent walks down: a search would close after
millions of states, or never.  Here a state of the search is a state of the machine, the bits of all numbers of the
cache but the *free* ones, and a box of these; of some pairs of them it is known besides between which powers of two the
one is, divided by the other.  Each step from a box (:mod:`verify.checkpoints.bounds_of_steps`) leads to states whose
other numbers are known to the bit, whatever the free ones are, and gives what it should.  Where it does not, the box is
halved along a number that matters to it, again and again, and the step is taken from the parts; a part that is one
state is a step of the model.  A box grows until the steps from it lie in boxes: only what it has grown by is stepped.
By induction on its length each string leads to a state in one of them.
"""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Iterator, NamedTuple

import numpy as np

from automata.machine import Machine
from constructions.mamba.reading import LOGIT
from verify.checkpoints.loose_table import Pairs, Ratios, TooWide, allowed, two_powers
from verify.learned.float32 import Bounds
from verify.learned.semantics import SENTENCE
from verify.methods.machine_states import machine_states
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, Verdict

_MOST_STEPS, _MOST_PLACES = 5_000, 1_000
"""Steps of boxes, and places, after which a search gives up."""

_FEW, _MANY, _GLANCE = 16, 64, 300
"""A number that takes more values than the first among the states of a few places is free; parts of a box at most that
are halved at once, and states that are looked at to find what is free."""

_CALM, _NEAREST, _FURTHEST = 6, 2.0**-60, 2.0**60
"""How often a box grows to what it has to hold; later its ends move on to powers of two, or to 0."""

_ROUNDS, _MOST_PAIRS = 12, 16
"""How often it is found that more numbers are free, or belong together, and how many pairs may."""


class _BeginAnew(Exception):
    """More numbers are free, or belong together."""

    def __init__(self, free: np.ndarray, pairs: Pairs):
        super().__init__()
        self.free, self.pairs = free, pairs


class _Box(NamedTuple):
    """All states between two, number by number, whose pairs have ratios between these, (pairs, 2)."""

    low: np.ndarray
    high: np.ndarray
    ratios: np.ndarray


class _Place(NamedTuple):
    """A state of the machine, and the bytes of the numbers that are not free."""

    state: int
    exact: bytes


class _Failing(NamedTuple):
    """A part of a box of which a step says too little: which numbers matter to that, and which should be exact."""

    part: _Box
    matters: np.ndarray
    inexact: np.ndarray


def prove_by_loose_numbers(
    machine: Machine, model: Any, mode: str, *, limit: int, progress: Progress = NO_PROGRESS
) -> Verdict | str:
    """Proves that a model's decoding steps give a machine's outputs at every length, or says why it does not.

    Args:
        machine: the ground truth.
        model: a :class:`constructions.mamba.stepping.SteppedMamba`; it cannot be stepped afterwards.
        mode: the question.
        limit: steps at most.

    Returns:
        ``proved``, or a reason: that of any but stock models of transformers, whose outputs are read off logits.
    """
    why = "no closed boxes of loose numbers: "
    if model.reading.kind != LOGIT or not hasattr(model.runner, "counts_of_steps"):
        return f"{why}only outputs of stock models that are read off logits are looked into"
    free: np.ndarray | None = None
    pairs: Pairs = ()
    try:
        for _ in range(_ROUNDS):
            search = _Search(machine, model.with_batch(1), mode, free, pairs, min(limit, _MOST_STEPS))
            try:
                found = search.run(progress)
            except _BeginAnew as anew:
                free, pairs = anew.free, anew.pairs
                continue
            return f"{why}{found}" if found else _proved(search, model, mode)
    except NotCovered as error:
        return f"{why}{error}"
    return f"{why}more and more numbers are loose"


def _proved(search: "_Search", model: Any, mode: str) -> Verdict:
    loose = f"{int(search.free.sum())} of {len(search.free)} numbers"
    explored = {"boxes": len(search.boxes), "steps of boxes": search.steps, "loose numbers": int(search.free.sum())}
    reason = (
        f"every length: boxes of states, {loose} known by bounds and the others to the bit, are closed under all "
        f"symbols, by single decoding steps of one string at a time in {model.runner.conditions}; bounds hold "
        f"{SENTENCE}; nothing follows for other batches"
    )
    return Verdict(PROVED, "boxes of loose numbers", mode, model.arithmetic, explored, reason)


class _Search:
    """The boxes as they grow.

    Attributes:
        free: which numbers are known by bounds.
        boxes: by place.
        steps: that were taken.
    """

    def __init__(self, machine: Machine, model: Any, mode: str, free: np.ndarray | None, pairs: Pairs, most: int):
        from verify.checkpoints.bounds_of_steps import StepsOfBoxes

        self._states = machine_states(machine, model.alphabet, model.outputs, mode)
        self._model, self._stepper, self._pairs = model, StepsOfBoxes(model.runner), pairs
        # The model has read BOS, and nothing else.
        self._begun = self._stepper.read()
        self._most_places, self._most_steps = _GLANCE if free is None else _MOST_PLACES, most
        self.free = np.zeros(len(self._begun), dtype=bool) if free is None else free
        self.boxes: dict[_Place, _Box] = {}
        self._grown: Counter[_Place] = Counter()
        self._waiting: deque[tuple[_Place, _Box]] = deque()
        self.steps = 0

    def run(self, progress: Progress) -> str:
        """Why no closed boxes are found; empty where they are.

        Raises:
            _BeginAnew: where numbers have to be free that are not, or belong together.
            NotCovered: where a step is not looked into, or too many were taken.
        """
        words = self._model.vocabulary
        given = self._model.first_logits[words.answers]
        if not self._right(0, given, given).all():
            return "what is given at first is wrong"
        self._arrive(0, self._one(self._begun))
        while self._waiting:
            place, part = self._waiting.popleft()
            for symbol, target in enumerate(self._states.targets(np.array([place.state]))[0].tolist()):
                if target < 0:
                    continue
                for image in self._images(part, target, int(words.tokens[symbol])):
                    self._arrive(target, image)
            if len(self.boxes) > self._most_places:
                self._let_free()
            progress.advance(1)
        return ""

    def _images(self, box: _Box, target: int, token: int) -> list[_Box]:
        """Boxes in which a token leads from a box.

        Raises:
            _BeginAnew, NotCovered: as above.
        """
        found, parts = [], self._allowed(box)
        while parts:
            failing: list[_Failing] = []
            for part in parts:
                image = self._image(part, target, token)
                if isinstance(image, _Failing):
                    failing.append(image)
                else:
                    found.append(image)
            if len(failing) > _MANY:
                self._begin_anew(np.logical_or.reduce([one.inexact for one in failing]))
            halves = [half for one in failing for half in _halved(one.part, one.matters)]
            parts = [left for half in halves for left in self._allowed(half)]
        return found

    def _begin_anew(self, inexact: np.ndarray) -> None:
        """Numbers that are divided by each other belong together; if they do already, more are free.

        Raises:
            _BeginAnew, NotCovered: always.
        """
        divided = sorted(pair for pair in self._stepper.divided - set(self._pairs) if self.free[list(pair)].all())
        if divided and len(self._pairs) + len(divided) <= _MOST_PAIRS:
            raise _BeginAnew(self.free, (*self._pairs, *divided))
        if not inexact.any():
            raise NotCovered("what is given is wrong of some state in a box, or not decided on many parts of it")
        raise _BeginAnew(self.free | inexact, self._pairs)

    def _image(self, part: _Box, target: int, token: int) -> _Box | _Failing:
        """The box after a token, where it says enough."""
        self.steps += 1
        if self.steps > self._most_steps:
            raise NotCovered(f"{self._most_steps} steps of boxes are the limit")
        answers = self._model.vocabulary.answers
        loose = part.low != part.high
        if not loose.any():
            after, logits = self._stepper.exact(part.low, token)
            given = logits.double().numpy()[answers]
            if not self._right(target, given, given).all():
                # Of a state that no string may lead to, if more were known of its pairs.
                self._begin_anew(np.zeros(len(loose), dtype=bool))
            return self._one(after)
        matters: np.ndarray = np.zeros(len(loose), dtype=bool)
        try:
            step = self._stepper.loose(part.low, part.high, self._ratios(part), token, answers, self._pairs)
        except TooWide as wide:
            matters[loose] = wide.made_of
            return _Failing(part, matters, np.zeros(len(loose), dtype=bool))
        low, high = step.low.astype(np.float32) + 0, step.high.astype(np.float32) + 0
        inexact = (low != high) & ~self.free
        wrong = ~self._right(target, *step.answers)
        if not inexact.any() and not wrong.any():
            return _Box(low, high, step.ratios)
        matters[loose] = step.made_of[inexact].any(axis=0) | step.answers_made_of[wrong].any(axis=0)
        if not matters.any():
            self._begin_anew(inexact)
        return _Failing(part, matters, inexact)

    def _one(self, state: np.ndarray) -> _Box:
        """A box of one state.

        Raises:
            NotCovered: where a number is not finite.
        """
        if not np.isfinite(state).all():
            raise NotCovered("a number of the state is not finite")
        ratios = [
            two_powers(Bounds(*[state[x].astype(np.float64) / state[y]] * 2)) if state[y] > 0 else (-np.inf, np.inf)
            for x, y in self._pairs
        ]
        return _Box(state, state, np.array(ratios).reshape(-1, 2))

    def _allowed(self, part: _Box) -> list[_Box]:
        """What is left of a box whose pairs have certain ratios, if anything."""
        low, high = allowed(part.low, part.high, self._ratios(part))
        return [_Box(low, high, part.ratios)] if (low <= high).all() else []

    def _ratios(self, part: _Box) -> Ratios:
        return dict(zip(self._pairs, map(tuple, part.ratios.tolist())))

    def _right(self, target: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """For each output whether it is given as it should be, whatever the logit between these."""
        wanted = self._states.table()[self._states.expected_at(np.array([target]))[0]]
        threshold = self._model.reading.threshold
        return np.where(wanted, low > threshold, ~(high > threshold))

    def _arrive(self, target: int, image: _Box) -> None:
        """Lets the box of a place hold an image; what it has grown by is to be stepped."""
        place = _Place(target, image.low[~self.free].tobytes())
        box = self.boxes.get(place)
        if box is None:
            self.boxes[place] = image
            self._waiting.append((place, image))
            return
        grown = self._grow(place, box, image)
        if (grown.ratios != box.ratios).any():
            self._waiting.append((place, grown))
        else:
            self._waiting.extend((place, part) for part in _beyond(grown, box))
        self.boxes[place] = grown

    def _grow(self, place: _Place, box: _Box, image: _Box) -> _Box:
        """A box with both in it; one that has grown often grows more than it has to, so that it ends."""
        low, high = np.minimum(box.low, image.low), np.maximum(box.high, image.high)
        least, greatest = np.minimum(box.ratios, image.ratios)[:, :1], np.maximum(box.ratios, image.ratios)[:, 1:]
        if (low == box.low).all() and (high == box.high).all():
            return _Box(low, high, np.concatenate([least, greatest], axis=1))
        self._grown[place] += 1
        if self._grown[place] > _CALM:
            low = np.where(low < box.low, -_outwards(-low), low)
            high = np.where(high > box.high, _outwards(high), high)
        return _Box(low, high, np.concatenate([least, greatest], axis=1))

    def _let_free(self) -> None:
        """Too many places: what takes many values among them is free.

        Raises:
            _BeginAnew, NotCovered: always; the second where nothing does.
        """
        lows = np.stack([box.low for box in self.boxes.values()])
        many = np.array([len(np.unique(column)) for column in lows.T])
        more = (many > _FEW) & ~self.free
        if not more.any():
            raise NotCovered(f"there are more than {self._most_places} states, and no number has many values")
        raise _BeginAnew(self.free | more, self._pairs)


def _beyond(box: _Box, inner: _Box) -> Iterator[_Box]:
    """Boxes that have all states of a box but those of one inside."""
    low, high = box.low.copy(), box.high.copy()
    for along in np.flatnonzero((box.low < inner.low) | (inner.high < box.high)).tolist():
        if low[along] < inner.low[along]:
            below = high.copy()
            below[along] = _number(int(_ranks(inner.low[along : along + 1])[0]) - 1)
            yield _Box(low.copy(), below, box.ratios)
        if inner.high[along] < high[along]:
            above = low.copy()
            above[along] = _number(int(_ranks(inner.high[along : along + 1])[0]) + 1)
            yield _Box(above, high.copy(), box.ratios)
        low[along], high[along] = inner.low[along], inner.high[along]


def _halved(box: _Box, matters: np.ndarray) -> list[_Box]:
    """The box, cut in two along the number that matters of which it has most, in steps of its format: one matters of
    which it has several.
    """
    low, high = _ranks(box.low), _ranks(box.high)
    widths = np.where(matters, high - low, 0)
    along = int(widths.argmax())
    middle = int((low[along] + high[along]) // 2)
    below, above = box.high.copy(), box.low.copy()
    below[along], above[along] = _number(middle), _number(middle + 1)
    return [_Box(box.low, below, box.ratios), _Box(above, box.high, box.ratios)]


def _ranks(values: np.ndarray) -> np.ndarray:
    """The places of finite numbers of float32 among all of them, in order; 0 is at 0.

    >>> _ranks(np.array([-1e-45, 0.0, 1e-45], dtype=np.float32)).tolist()
    [-1, 0, 1]
    """
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def _number(rank: int) -> np.float32:
    """The number at such a place.

    >>> float(_number(int(_ranks(np.array([-2.5]))[0])))
    -2.5
    """
    size = np.array([abs(rank)], dtype=np.int32).view(np.float32)[0]
    return np.float32(-size if rank < 0 else size)


def _outwards(ends: np.ndarray) -> np.ndarray:
    """The next power of two, its negative or 0 that is no smaller, of numbers of up to 2^60.

    >>> _outwards(np.array([3.0, 0.0, -3.0], dtype=np.float32)).tolist()
    [4.0, 0.0, -2.0]
    """
    sizes = np.maximum(np.abs(ends.astype(np.float64)), _NEAREST)
    up, down = 2.0 ** np.ceil(np.log2(sizes)), -(2.0 ** np.floor(np.log2(sizes)))
    found = np.where(ends > 0, up, np.where(ends <= -_NEAREST, down, 0.0))
    return np.where(np.abs(ends) > _FURTHEST, ends, found).astype(np.float32)
