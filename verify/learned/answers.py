"""When do logits, of which bounds are known, say that an output is given?  The conventions, on intervals.

Probabilities, and which token is likeliest, depend on differences of logits alone.  So it is differences that are
bounded: a vector that is added to all rows of the head, which changes no probability, changes no bound either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Sequence

import numpy as np

from automata.machine import PREDICTIVE
from constructions.mamba.reading import LOGIT, SOFTMAX, Reading
from verify.learned.float32 import SLACK
from verify.learned.semantics import TINY, probability_error
from verify.numbers.boxes import NotCovered

NOTHING = -1
"""In the place of a token: from the other's logit nothing is taken."""

MOST_DIFFERENCES = 4096
"""Differences of logits that are bounded on each edge, at most."""


class Answers(ABC):
    """A convention.

    Attributes:
        reading: which one.
        read: what is bounded, (differences, 2): a token, and the token whose logit is taken from its own, or NOTHING.
    """

    reading: Reading
    read: np.ndarray

    @abstractmethod
    def margins(self, low: np.ndarray, high: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far what is given is at least, and at most, on the right side: two of shape (rows, questions).

        A question is decided right where the first is positive, and decided wrong where the second is negative.

        Args:
            low, high: bounds on the differences, (rows, differences).
            wanted: the outputs that are expected, booleans (rows, outputs).
        """


def answers_for(reading: Reading, outputs: Sequence[int], tokens: int, mode: str) -> Answers:
    """The convention of a reading.

    Args:
        outputs: the token of each output.
        tokens: of the vocabulary.

    Raises:
        NotCovered: when outputs and tokens have too many differences.
    """
    if reading.kind == LOGIT:
        return ByLogit(reading, alone(outputs))
    if len(outputs) * tokens > MOST_DIFFERENCES:
        raise NotCovered(
            f"by {reading.option} {len(outputs)} outputs are compared with {tokens} tokens, which are more than "
            f"{MOST_DIFFERENCES} differences"
        )
    read = np.array([[output, token] for output in outputs for token in range(tokens)])
    if reading.kind == SOFTMAX:
        return BySoftmax(reading, read, tokens)
    return ByTop(reading, read, tokens, tuple(outputs), mode == PREDICTIVE)


def alone(tokens: Sequence[int]) -> np.ndarray:
    """The logits of these tokens, as differences from nothing."""
    return np.array([[token, NOTHING] for token in tokens])


@dataclass(frozen=True, eq=False)
class ByLogit(Answers):
    """Given where the output's logit exceeds a threshold."""

    reading: Reading
    read: np.ndarray

    def margins(self, low: np.ndarray, high: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _on_the_side(low - self.reading.threshold, high - self.reading.threshold, wanted)


@dataclass(frozen=True, eq=False)
class BySoftmax(Answers):
    """Given where the output's probability among all tokens exceeds a threshold."""

    reading: Reading
    read: np.ndarray
    tokens: int

    def margins(self, low: np.ndarray, high: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        relative = SLACK * probability_error(self.tokens)
        least, greatest = (1 / self._odds(-end).sum(-1) for end in (low, high))
        least, greatest = least * (1 - relative) - SLACK * TINY, greatest * (1 + relative) + SLACK * TINY
        return _on_the_side(least - self.reading.threshold, greatest - self.reading.threshold, wanted)

    def _odds(self, differences: np.ndarray) -> np.ndarray:
        """How likely each token is beside each output, (rows, outputs, tokens), from how much greater its logit is."""
        itself = self.read[:, 0] == self.read[:, 1]
        with np.errstate(over="ignore"):
            odds = np.where(itself, 1.0, np.exp(differences))
        return odds.reshape(len(differences), -1, self.tokens)


@dataclass(frozen=True, eq=False)
class ByTop(Answers):
    """Of what predicts: the likeliest token is one that is expected.  A recogniser: no other is as likely as its own.

    Attributes:
        outputs: the token of each output.
        predicts: whether it is the first.
    """

    reading: Reading
    read: np.ndarray
    tokens: int
    outputs: tuple[int, ...]
    predicts: bool

    def margins(self, low: np.ndarray, high: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        shape = len(low), len(self.outputs), self.tokens
        low, high = low.reshape(shape), high.reshape(shape)
        rivals = np.ones((len(low), 1, self.tokens), dtype=bool)
        if not self.predicts:
            rivals[:, :, self.outputs] = False
            ahead = [np.where(rivals, end, np.inf).min(-1) for end in (low, high)]
            return _on_the_side(ahead[0], ahead[1], wanted)
        rivals[:, 0, self.outputs] = ~wanted
        # Some expected token is ahead of all that are not; or one of these is ahead of all that are.
        first = np.where(rivals, low, np.inf).min(-1)
        least = np.where(wanted, first, -np.inf).max(-1, keepdims=True)
        nearest = np.where(wanted[:, :, None], high, -np.inf).max(1)
        greatest = np.where(rivals[:, 0], nearest, np.inf).min(-1, keepdims=True)
        return least, greatest


def _on_the_side(low: np.ndarray, high: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Margins of scores that should be positive exactly where an output is wanted."""
    return np.where(wanted, low, -high), np.where(wanted, high, -low)
