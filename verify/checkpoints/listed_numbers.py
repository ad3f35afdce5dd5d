"""Where the search through a model's states does not close, since one or two numbers drift: all values that these ever
take are listed, and the model is run once for all that look the same to it.

A numerator and a denominator count up to 2^24, and what is read of them is their quotient, which has 8,000 values:
bounds of these say too little where what is rounded matters, and a search would close after many millions of states.
Here a state of the search is a state of the machine, the bits of all numbers of the cache but the *listed* ones and
those that nothing ever reads, and a class of listed values.  For each symbol and such bits it is written down what a
step does with listed numbers one by one (:mod:`verify.checkpoints.listed_steps`); of all listed values what that leaves
is in the list again; and values are in one class where all else in a step is the same of them
(:mod:`verify.checkpoints.listed_values`).  So one step of the model, from any value of a class, gives the bits of the
next state and what is given, of all of the class.  By induction on its length each string leads to a state of the
search, which closes.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from automata.machine import Machine
from constructions.mamba.reading import LOGIT
from verify.checkpoints.listed_values import Classes, listed_classes
from verify.checkpoints.recipes import Recipe
from verify.methods.machine_states import machine_states
from verify.numbers.boxes import NotCovered
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import PROVED, Verdict

_MOST_STEPS = 400_000
"""Steps of the model, after which a search gives up."""

_FEW, _GLANCE = 16, 1_000
"""A number that takes more values than the first, among so many states at first, is listed."""

_ROUNDS = 64
"""How often it is found that listed numbers are treated in another way, too."""


def prove_by_listed_numbers(
    machine: Machine, model: Any, mode: str, *, limit: int, progress: Progress = NO_PROGRESS
) -> Verdict | str:
    """Proves that a model's decoding steps give a machine's outputs at every length, or says why it does not.

    Args:
        machine, model, mode: as of :func:`verify.checkpoints.loose_numbers.prove_by_loose_numbers`.
        limit: joint states at most, those that differ in listed numbers alone counted as one.

    Returns:
        ``proved``, or a reason, as there.
    """
    why = "no list of drifting numbers: "
    if model.reading.kind != LOGIT or not hasattr(model.runner, "counts_of_steps"):
        return f"{why}only outputs of stock models that are read off logits are looked into"
    try:
        search = _Search(machine, model.with_batch(1), mode, limit)
        found = search.run(progress)
    except NotCovered as error:
        return f"{why}{error}"
    if found:
        return f"{why}{found}"
    explored = {
        "joint states": len(search.reached),
        "steps": search.steps,
        "listed numbers": int(search.listed.sum()),
        "values": search.classes.size,
    }
    reason = (
        f"every length: all {search.classes.size} values that {int(search.listed.sum())} of {len(search.listed)} "
        f"numbers ever take are listed, and joint states with those that look the same taken as one are closed under "
        f"all symbols, by single decoding steps of one string at a time in {model.runner.conditions}; nothing follows "
        "for other batches"
    )
    return Verdict(PROVED, "listed numbers", mode, model.arithmetic, explored, reason)


class _Joint(NamedTuple):
    """A state of the machine, the number of the bits that are neither listed nor idle, and a class of values."""

    state: int
    others: int
    values: int


class _Step(NamedTuple):
    """What the model gave, and the number of the bits after it."""

    given: np.ndarray
    others: int


class _Search:
    """Joint states as they are reached.

    Attributes:
        listed: which numbers are.
        classes: of their values.
        reached: joint states.
        steps: of the model.
    """

    def __init__(self, machine: Machine, model: Any, mode: str, limit: int):
        from verify.checkpoints.listed_steps import StepsOfListed

        self._states = machine_states(machine, model.alphabet, model.outputs, mode)
        self._model, self._stepper, self._limit = model, StepsOfListed(model.runner), limit
        # The model has read BOS, and nothing else.
        self._begun = self._stepper.read()
        self._tokens = [int(token) for token in model.vocabulary.tokens]
        self.steps = 0
        self.idle = self._stepper.idle(self._begun, self._tokens)
        self.listed = self._drifting()
        self._kept = ~self.listed & ~self.idle
        self._others: dict[bytes, int] = {}
        self._bits: list[np.ndarray] = []
        self._recipes: dict[tuple[int, int], int] = {}
        self._known: dict[Recipe, int] = {}
        self._done: dict[tuple[int, int, bytes], _Step] = {}
        self.reached: set[_Joint] = set()
        self.classes: Classes

    def run(self, progress: Progress) -> str:
        """Why the search does not close, or what is wrong; empty where all is right.

        Raises:
            NotCovered: where a step is not looked into, or there are too many.
        """
        given = self._model.first_logits[self._model.vocabulary.answers]
        if not self._right(0, given > self._model.reading.threshold):
            return "what is given at first is wrong"
        others = self._number_of(self._begun)
        for symbol in range(len(self._tokens)):
            self._recipe(others, symbol, self._begun[self.listed])
        for _ in range(_ROUNDS):
            known = len(self._known)
            self.classes = listed_classes(
                self._begun[self.listed], list(self._known), self._model.reading.threshold, progress
            )
            found = self._reach(_Joint(0, others, self.classes.start), progress)
            if found or len(self._known) == known:
                return found
        return "listed numbers are treated in more and more ways"

    def _reach(self, first: _Joint, progress: Progress) -> str:
        """Reaches what there is to be reached but by steps that treat listed numbers in a way that is new."""
        known, waiting = len(self._known), deque([first])
        self.reached = {first}
        places = {first[:2]}
        while waiting:
            joint = waiting.popleft()
            for symbol, target in enumerate(self._states.targets(np.array([joint.state]))[0].tolist()):
                if target < 0:
                    continue
                number = self._recipe(joint.others, symbol, self.classes.values[joint.values])
                if number >= known:
                    continue
                step = self._step(joint, symbol, number)
                if not self._right(target, step.given):
                    return "what is given is wrong of some state, which listed numbers may not have together"
                for values in self.classes.next[number][joint.values]:
                    after = _Joint(target, step.others, values)
                    if after not in self.reached:
                        self.reached.add(after)
                        waiting.append(after)
                        places.add(after[:2])
                if len(places) > self._limit:
                    return f"more than {self._limit} joint states, whatever the listed numbers"
            progress.advance(1, reached=len(self.reached))
        return ""

    def _recipe(self, others: int, symbol: int, values: np.ndarray) -> int:
        """The number of what a symbol does with listed numbers."""
        if (others, symbol) not in self._recipes:
            answers = self._model.vocabulary.answers
            state = self._state(others, values)
            recipe = self._stepper.recipe(state, self._tokens[symbol], self.listed, self.idle, answers)
            self._recipes[others, symbol] = self._known.setdefault(recipe, len(self._known))
        return self._recipes[others, symbol]

    def _step(self, joint: _Joint, symbol: int, recipe: int) -> _Step:
        """A step of the model from one value of a class."""
        key = joint.others, symbol, self.classes.shown[recipe][joint.values].tobytes()
        if key not in self._done:
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise NotCovered(f"{_MOST_STEPS} steps are the limit")
            state = self._state(joint.others, self.classes.values[joint.values])
            after, logits = self._stepper.exact(state, self._tokens[symbol])
            given = logits.double().numpy()[self._model.vocabulary.answers] > self._model.reading.threshold
            self._done[key] = _Step(given, self._number_of(after))
        return self._done[key]

    def _state(self, others: int, values: np.ndarray) -> np.ndarray:
        """A state with these bits; its idle numbers are those at first."""
        state = self._begun.copy()
        state[self._kept], state[self.listed] = self._bits[others], values
        return state

    def _number_of(self, state: np.ndarray) -> int:
        """The number of a state's bits that are neither listed nor idle.

        Raises:
            NotCovered: where a number is not finite, idle ones too.
        """
        if not np.isfinite(state).all():
            raise NotCovered("a number of the state is not finite")
        bits = state[self._kept]
        number = self._others.setdefault(bits.tobytes(), len(self._bits))
        if number == len(self._bits):
            self._bits.append(bits)
        return number

    def _right(self, target: int, given: np.ndarray) -> bool:
        """Whether all outputs are given as they should be."""
        return bool((given == self._states.table()[self._states.expected_at(np.array([target]))[0]]).all())

    def _drifting(self) -> np.ndarray:
        """Which numbers that are read take many values among the first states."""
        first = (0, self._begun)
        waiting, seen = deque([first]), {(0, self._begun[~self.idle].tobytes())}
        states = [self._begun]
        while waiting and len(states) < _GLANCE:
            at, state = waiting.popleft()
            for symbol, target in enumerate(self._states.targets(np.array([at]))[0].tolist()):
                if target < 0:
                    continue
                after, _ = self._stepper.exact(state, self._tokens[symbol])
                key = target, after[~self.idle].tobytes()
                if key not in seen:
                    seen.add(key)
                    states.append(after)
                    waiting.append((target, after))
        many = np.array([len(np.unique(column)) for column in np.stack(states).T])
        return (many > _FEW) & ~self.idle
