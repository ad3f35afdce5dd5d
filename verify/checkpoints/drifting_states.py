"""Where the search through a cell's states does not close, since a number drifts: boxes of states, and long words.

A unit that counts upwards, or forgets by halves, has a new number at every step.  Either nothing that is given ever
depends on it: then there are boxes of states, for each state of the machine and last symbol one, such that each step
from a box lies in a box and is answered right whatever the state in it (:func:`prove_by_widening`).  Or it matters at
last, when it overflows or what was to be forgotten is lost in rounding: then a word u v v v … shows it, which a search
by length never reaches (:mod:`verify.learned.fading`).
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import replace
from typing import Any

import numpy as np

from automata.machine import Machine
from automata.machines.counter_machine import CounterMachine
from constructions.mamba.reading import LOGIT
from verify.checkpoints.cell_boxes import BoxOfState, CellOnBoxes
from verify.checkpoints.checkpoint_search import runs_wrong
from verify.checkpoints.counting import searched
from verify.checkpoints.listed_numbers import prove_by_listed_numbers
from verify.checkpoints.loose_numbers import prove_by_loose_numbers
from verify.learned.fading import fading_words
from verify.learned.semantics import SENTENCE
from verify.methods.machine_states import machine_states
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, UNDECIDED, Verdict

_MOST_STEPS = 20_000
"""Steps of boxes, after which the search for closed ones gives up."""

_CALM, _FURTHEST, _NEAREST = 8, 2.0**30, 2.0**-10
"""How often a box grows to what it has to hold; later its ends move on to powers of two, or to 0, or infinity."""

_FEW, _PER_UNIT = 2_000, 2
"""Joint states of the first search of a cell: a right one has as many as units."""


def searched_further(
    machine: Machine,
    model: Any,
    mode: str,
    *,
    limit: int,
    exact: int | None = None,
    progress: Progress = NO_PROGRESS,
) -> Verdict:
    """The verdict of :func:`verify.checkpoints.counting.searched`; of a cell that is searched beyond what a right one
    has, that of boxes of states, or of long words, where these decide; of a stock model whose search does not close,
    that of :func:`prove_drifting`.

    Args:
        machine, model, mode, limit, exact: as there.
    """
    how: dict[str, Any] = {"exact": exact, "progress": progress}
    if isinstance(machine, CounterMachine):
        return searched(machine, model, mode, limit=limit, **how)
    if not getattr(model.runner, "cell", ""):
        verdict = searched(machine, model, mode, limit=limit, **how)
        if verdict.outcome != UNDECIDED:
            return verdict
        found = prove_drifting(machine, model, mode, limit=limit, progress=progress)
        return found if isinstance(found, Verdict) else replace(verdict, reason=f"{verdict.reason}; {found}")
    first = min(limit, _FEW + _PER_UNIT * model.runner.model.layer.hidden_size)
    verdict = searched(machine, model, mode, limit=first, **how)
    if verdict.outcome != UNDECIDED:
        return verdict
    boxes = prove_by_widening(machine, model, mode, limit=limit, progress=progress)
    if isinstance(boxes, Verdict):
        return boxes
    long = ""
    # A row of a batch may be rounded otherwise than one alone, and the words of either are not those of the other.
    for rows in dict.fromkeys((model.batch, 1)):
        words = fading_words(machine, model.with_batch(rows), mode, progress=progress)
        if words.witness is None:
            long += f"; {words.reason}"
            break
        witness = runs_wrong(machine, model.with_batch(1), mode, words.witness.word)
        if witness is not None:
            return replace(words, reason=f"{words.reason}, and wrong in steps of 1 row too", witness=witness)
        long += f"; a word of {len(words.witness.word)} symbols is answered wrong in a batch, and right when run alone"
    if first < limit:
        verdict = searched(machine, model.with_batch(model.batch), mode, limit=limit, **how)
    return replace(verdict, reason=f"{verdict.reason}; {boxes}{long}") if verdict.outcome == UNDECIDED else verdict


def prove_drifting(
    machine: Machine, model: Any, mode: str, *, limit: int, progress: Progress = NO_PROGRESS
) -> Verdict | str:
    """Proves a stock model a few of whose numbers drift, by their bounds or by a list of their values, or says why not.

    Args:
        machine, model, mode, limit: as of :func:`verify.checkpoints.loose_numbers.prove_by_loose_numbers`, and of
            :func:`verify.checkpoints.listed_numbers.prove_by_listed_numbers` after it.
    """
    loose = prove_by_loose_numbers(machine, model, mode, limit=limit, progress=progress)
    if isinstance(loose, Verdict):
        return loose
    listed = prove_by_listed_numbers(machine, model, mode, limit=limit, progress=progress)
    return listed if isinstance(listed, Verdict) else f"{loose}; {listed}"


def prove_by_widening(
    machine: Machine, model: Any, mode: str, *, limit: int, progress: Progress = NO_PROGRESS
) -> Verdict | str:
    """Proves that a cell gives a machine's outputs at every length, or says why it does not.

    A box holds the states after all strings that lead to one state of the machine and end with one symbol.  It grows
    until the image of each box lies in the next one; what is given is compared on each image, which the last time
    around is that of the whole box.

    Args:
        machine: the ground truth.
        model: a :class:`constructions.mamba.stepping.SteppedMamba` of a cell; it is not stepped.
        mode: the question.
        limit: steps of boxes at most, of each of which O(units^2) numbers are bounded.

    Returns:
        ``proved``, or a reason.
    """
    search = _Widening(machine, model, mode)
    try:
        found = search.run(min(limit, _MOST_STEPS), progress)
    except NotCovered as error:
        found = str(error)
    if found:
        return f"no closed boxes of states: {found}"
    explored = {"boxes": len(search.boxes), "steps of boxes": search.steps}
    reason = (
        "every length: boxes of states, one for each state of the machine and last symbol, are closed under all "
        f"symbols, {SENTENCE}"
    )
    return Verdict(PROVED, "boxes of states", mode, model.arithmetic, explored, reason)


_Place = tuple[int, int]
"""A state of the machine, and the symbol that was read last; -1 for BOS."""


class _Widening:
    """The boxes as they grow."""

    def __init__(self, machine: Machine, model: Any, mode: str):
        self._states = machine_states(machine, model.alphabet, model.outputs, mode)
        self._model = model
        self.boxes: dict[_Place, BoxOfState] = {}
        self._grown: Counter[_Place] = Counter()
        self._waiting: deque[_Place] = deque()
        self.steps = 0

    def run(self, most: int, progress: Progress) -> str:
        """Why no closed boxes are found; empty where they are."""
        if self._model.reading.kind != LOGIT:
            raise NotCovered("outputs are read off logits")
        cell, words = CellOnBoxes(self._model.runner), self._model.vocabulary
        if not self._arrive((0, -1), *cell.step(cell.begin(), words.bos, words.answers)):
            return "what is given at first is not decided"
        while self._waiting:
            place = self._waiting.popleft()
            for symbol, target in enumerate(self._states.targets(np.array([place[0]]))[0].tolist()):
                if target < 0:
                    continue
                found = cell.step(self.boxes[place], int(words.tokens[symbol]), words.answers)
                self.steps += 1
                if not self._arrive((target, symbol), *found):
                    return f"what is given after {self._model.alphabet[symbol]!r} is not decided on one of them"
            if self.steps > most:
                return f"{most} steps of boxes are the limit"
            progress.advance(1)
        return ""

    def _arrive(self, place: _Place, image: BoxOfState, logits: BoxOfState) -> bool:
        """Lets the box of a place hold an image; whether what is given there is right."""
        wanted = self._states.table()[self._states.expected_at(np.array([place[0]]))[0]]
        threshold = self._model.reading.threshold
        # What is no number exceeds nothing.
        given, withheld = (logits.low > threshold) & ~logits.lost, ~(logits.high > threshold)
        if not np.where(wanted, given, withheld).all():
            return False
        box = self.boxes.get(place)
        if box is None or not image.within(box):
            self.boxes[place] = image if box is None else self._grow(place, box, image)
            if place not in self._waiting:
                self._waiting.append(place)
        return True

    def _grow(self, place: _Place, box: BoxOfState, image: BoxOfState) -> BoxOfState:
        """A box with both in it; one that has grown often grows more than it has to, so that it ends."""
        self._grown[place] += 1
        low, high = np.minimum(box.low, image.low), np.maximum(box.high, image.high)
        if self._grown[place] > _CALM:
            low = np.where(low < box.low, -_beyond(-low), low)
            high = np.where(high > box.high, _beyond(high), high)
        return BoxOfState(low, high, box.lost | image.lost)


def _beyond(ends: np.ndarray) -> np.ndarray:
    """The next power of two from 2^-10 to 2^30 on, its negative, 0 or infinity, that is no smaller.

    >>> _beyond(np.array([3.0, 0.0001, 0.0, -0.0001, -3.0, 1e10])).tolist()
    [4.0, 0.0009765625, 0.0, 0.0, -2.0, inf]
    """
    sizes = np.clip(np.abs(ends), _NEAREST, _FURTHEST)
    up, down = 2.0 ** np.ceil(np.log2(sizes)), -(2.0 ** np.floor(np.log2(sizes)))
    found = np.where(ends > 0, up, np.where(ends <= -_NEAREST, down, 0.0))
    return np.where(ends > _FURTHEST, np.inf, found)
