"""When a language model's logits say that a token is given: above a threshold, as logits or as probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from automata.errors import InputError

if TYPE_CHECKING:
    import torch

LOGIT, SOFTMAX = READINGS = ("logit", "softmax")


@dataclass(frozen=True)
class Reading:
    """A token is given when its logit, or its probability in the softmax over all tokens, exceeds ``threshold``.

    Both are compared in float64.  Cross-entropy leaves the common shift of the logits open, so that what is trained by
    it may be right by probability and wrong by logit.

    >>> print(Reading.parse("softmax:0.05"))
    an output is given where its probability (softmax) exceeds 0.05
    """

    kind: str = LOGIT
    threshold: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Reading":
        """``logit:T`` or ``softmax:P`` with 0 <= P < 1.

        Raises:
            InputError: for anything else.
        """
        kind, colon, number = text.partition(":")
        try:
            threshold = float(number) if colon and number.isascii() and "_" not in number else np.nan
        except ValueError:
            threshold = np.nan
        if kind not in READINGS or not np.isfinite(threshold) or (kind == SOFTMAX and not 0 <= threshold < 1):
            expected = "logit:T with a number T, or softmax:P with P from 0 to below 1"
            raise InputError(f"--answer {text[:60]}: expected {expected}")
        return cls(kind, threshold)

    def scores(self, logits: torch.Tensor, tokens: list[int]) -> torch.Tensor:
        """What is compared with the threshold, for these tokens: float64 of shape (..., tokens)."""
        logits = logits.double()
        return (logits.softmax(-1) if self.kind == SOFTMAX else logits)[..., tokens]

    def given(self, logits: torch.Tensor, tokens: list[int]) -> np.ndarray:
        """Which of the tokens are given: booleans of shape (..., tokens)."""
        return (self.scores(logits, tokens) > self.threshold).cpu().numpy()

    @property
    def option(self) -> str:
        """As :meth:`parse` reads it."""
        return f"{self.kind}:{self._number}"

    def __str__(self) -> str:
        what = "logit" if self.kind == LOGIT else "probability (softmax)"
        return f"an output is given where its {what} exceeds {self._number}"

    @property
    def _number(self) -> str:
        """The threshold with all its digits."""
        short = f"{self.threshold:g}"
        return short if float(short) == self.threshold else repr(self.threshold)
