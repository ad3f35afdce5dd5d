"""Is the right thing given, whatever the logits are within bounds?  For the check of a proof: slow and obvious.

It asks one output after the other, and shares nothing with what the finders ask (:mod:`verify.learned.answers`).
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from automata.machine import PREDICTIVE
from constructions.mamba.reading import LOGIT, SOFTMAX, TOP, Reading
from verify.learned.proof import NoProof
from verify.learned.semantics import TINY, probability_error

_MOST_PAIRS = 4096


class PlainAnswers:
    """What a convention asks of logits.

    Args:
        outputs: the token of each output.
        tokens: of the vocabulary.

    Attributes:
        read: pairs, see :class:`verify.learned.plain_step.PlainStep`.
        signs: whether an output is given exactly where what is read for it, in the same place, is positive.

    Raises:
        NoProof: when there are too many pairs.
    """

    def __init__(self, reading: Reading, outputs: Sequence[int], tokens: int, mode: str):
        self.reading, self.outputs, self.tokens, self.mode = reading, tuple(outputs), tokens, mode
        self.signs = reading == Reading(LOGIT, 0.0)
        self.read: list[tuple[int, int | None]] = []
        if reading.kind == LOGIT:
            self.read = [(output, None) for output in outputs]
            return
        if len(self.outputs) * tokens > _MOST_PAIRS or len(set(self.outputs)) != len(self.outputs):
            raise NoProof(f"by {reading.option} no more than {_MOST_PAIRS} pairs of an output and a token are compared")
        self.read = [(output, token) for output in outputs for token in range(tokens) if token != output]

    def margins(self, low: np.ndarray, high: np.ndarray, expected: Sequence[bool]) -> list[float]:
        """How far what is given is on the right side, at least: all are positive where it is certainly right.

        Args:
            low, high: bounds on what is read.
            expected: of each output.
        """
        if self.reading.kind == LOGIT:
            bounds = zip(low.tolist(), high.tolist())
            scores = [(a - self.reading.threshold, b - self.reading.threshold) for a, b in bounds]
            return [a if wanted else -b for (a, b), wanted in zip(scores, expected)]
        # Of each output by how much its logit exceeds that of each other token.
        ahead: dict[int, dict[int, tuple[float, float]]] = {output: {} for output in self.outputs}
        for (output, token), a, b in zip(self.read, low.tolist(), high.tolist()):
            if token is not None:
                ahead[output][token] = a, b
        if self.reading.kind == SOFTMAX:
            return [self._by_probability(ahead[output], wanted) for output, wanted in zip(self.outputs, expected)]
        if self.reading.kind == TOP and self.mode == PREDICTIVE:
            return [self._by_likeliest(ahead, {output for output, wanted in zip(self.outputs, expected) if wanted})]
        margins = []
        for output, wanted in zip(self.outputs, expected):
            others = [bounds for token, bounds in ahead[output].items() if token not in self.outputs]
            # It is given where it is ahead of every other token, and not where one is ahead of it.
            margins.append(min(a for a, _ in others) if wanted else max(-b for _, b in others))
        return margins

    def _by_probability(self, ahead: dict[int, tuple[float, float]], wanted: bool) -> float:
        """1 / (1 + the sum of exp(-d)), where d is by how much it is ahead of each other token."""
        error = probability_error(self.tokens)
        if wanted:
            least = 1 / (1 + sum(np.exp(-a) for a, _ in ahead.values()))
            return float(least * (1 - error) - TINY - self.reading.threshold)
        greatest = 1 / (1 + sum(np.exp(-b) for _, b in ahead.values()))
        return float(self.reading.threshold - greatest * (1 + error) - TINY)

    def _by_likeliest(self, ahead: dict[int, dict[int, tuple[float, float]]], wanted: set[int]) -> float:
        """Some expected token is ahead of every token that is not expected."""
        best = -np.inf
        for output in wanted:
            best = max(best, min((a for token, (a, _) in ahead[output].items() if token not in wanted), default=np.inf))
        return best
