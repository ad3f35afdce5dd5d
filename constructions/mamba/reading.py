"""When a language model's logits say that a token is given: above a threshold, as logits or as probabilities, or where
it is the most likely one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from automata.errors import InputError
from automata.machine import PREDICTIVE

if TYPE_CHECKING:
    import torch

LOGIT, SOFTMAX, TOP = READINGS = ("logit", "softmax", "top")


@dataclass(frozen=True)
class Reading:
    """A token is given when its logit, or its probability in the softmax over all tokens, exceeds ``threshold``; by
    ``top``, when no token of the vocabulary is likelier.

    Numbers are compared in float64.  By ``top`` those tokens are given that share the greatest logit, none where one of
    them is no output at all; and a model that predicts is right where all that are given are legal: whichever of them
    greedy decoding takes.  Cross-entropy leaves the common shift of the logits open, so that
    what is trained by it may be right by probability and wrong by logit.

    >>> print(Reading.parse("softmax:0.05"))
    an output is given where its probability (softmax) exceeds 0.05
    """

    kind: str = LOGIT
    threshold: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Reading":
        """``logit:T``, ``softmax:P`` with 0 <= P < 1, or ``top``.

        Raises:
            InputError: for anything else.
        """
        if text == TOP:
            return cls(TOP)
        kind, colon, number = text.partition(":")
        try:
            threshold = float(number) if colon and number.isascii() and "_" not in number else np.nan
        except ValueError:
            threshold = np.nan
        if kind not in (LOGIT, SOFTMAX) or not np.isfinite(threshold) or (kind == SOFTMAX and not 0 <= threshold < 1):
            expected = "logit:T with a number T, softmax:P with P from 0 to below 1, or top"
            raise InputError(f"--answer {text[:60]}: expected {expected}")
        return cls(kind, threshold)

    def scores(self, logits: torch.Tensor, tokens: list[int]) -> torch.Tensor:
        """What is compared with the threshold, for these tokens: float64 of shape (..., tokens)."""
        logits = logits.double()
        return (logits.softmax(-1) if self.kind == SOFTMAX else logits)[..., tokens]

    def given(self, logits: torch.Tensor, tokens: list[int]) -> np.ndarray:
        """Which of the tokens are given: booleans of shape (..., tokens)."""
        scores = self.scores(logits, tokens)
        if self.kind == TOP:
            best = logits.double().max(dim=-1, keepdim=True).values
            likely = (logits.double() == best).sum(dim=-1, keepdim=True)
            given = scores == best
            return (given & (given.sum(dim=-1, keepdim=True) == likely)).cpu().numpy()
        return (scores > self.threshold).cpu().numpy()

    def wrong(self, wanted: np.ndarray, given: np.ndarray, mode: str) -> np.ndarray:
        """Where what is given is not right: booleans of shape (...) from two of shape (..., outputs)."""
        if self.kind == TOP and mode == PREDICTIVE:
            return ~given.any(axis=-1) | (given & ~wanted).any(axis=-1)
        return (wanted != given).any(axis=-1)

    @property
    def option(self) -> str:
        """As :meth:`parse` reads it."""
        return TOP if self.kind == TOP else f"{self.kind}:{self._number}"

    def __str__(self) -> str:
        if self.kind == TOP:
            return "the most likely token is the answer (top), which is right where it is legal"
        what = "logit" if self.kind == LOGIT else "probability (softmax)"
        return f"an output is given where its {what} exceeds {self._number}"

    @property
    def _number(self) -> str:
        """The threshold with all its digits."""
        short = f"{self.threshold:g}"
        return short if float(short) == self.threshold else repr(self.threshold)
