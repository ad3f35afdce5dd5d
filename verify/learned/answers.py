"""When do logits, of which bounds are known, say that an output is given?  The conventions, as scores on intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Answers(Protocol):
    """A convention: an output is given exactly where its score is positive.

    Attributes:
        option: as ``--answer`` takes it.
        tokens: those whose logits are read, in the order in which :meth:`scores` expects them.
    """

    @property
    def option(self) -> str: ...

    @property
    def tokens(self) -> tuple[int, ...]: ...

    def scores(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds on the outputs' scores, (rows, outputs), from bounds on the logits, (rows, tokens)."""


@dataclass(frozen=True)
class ByLogit:
    """Given where the output's logit exceeds a threshold.

    Attributes:
        tokens: that of each output.
    """

    tokens: tuple[int, ...]
    threshold: float = 0.0

    @property
    def option(self) -> str:
        return f"logit:{self.threshold:g}"

    def scores(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return low - self.threshold, high - self.threshold


def margins(answers: Answers, low: np.ndarray, high: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each output is at least, and at most, on the right side: (rows, outputs) each.

    An output is decided right where the first is positive, and decided wrong where the second is negative.
    """
    least, greatest = answers.scores(low, high)
    return np.where(wanted, least, -greatest), np.where(wanted, greatest, -least)
