"""Many strings in one batch that go on together, and from any point of which others branch off."""

from __future__ import annotations

import numpy as np
import torch

from constructions.mamba.stepping import SteppedMamba

_LEAST = 32
"""Rows of a batch: fewer at once would hardly be quicker."""


class Forks:
    """A running model of a few rows, each a string; after a :meth:`fork` the strings go on as if there had been none.

    Args:
        model: whose runner is used; its own cache is gone.
        rows: strings, at most as many as the model's batch has rows.

    All steps are taken in batches of one size, filled up where there are fewer strings.
    """

    def __init__(self, model: SteppedMamba, rows: int):
        if not 0 < rows <= model.batch:
            raise ValueError(f"{rows} strings, and batches are of {model.batch} rows")
        self.model, self.rows = model, rows
        self.batch = min(model.batch, max(rows, _LEAST))
        self._step(model.runner.start, np.full(rows, model.vocabulary.bos))

    def read(self, symbols: np.ndarray, going: np.ndarray) -> np.ndarray:
        """Reads a symbol in those strings that are ``going``, shape (rows,) both: outputs, shape (rows, outputs).

        What is given for a string that is not going means nothing, and the string stays as it is.
        """
        kept = None if going.all() else self._kept()
        given = self._step(self.model.runner.step, self.model.vocabulary.tokens[symbols])
        if kept is not None:
            stay = torch.from_numpy(~going)
            for tensors, old in zip(self.model.runner.caches(), kept):
                for tensor, was in zip(tensors, old):
                    tensor[: self.rows][stay] = was[: self.rows][stay]
        return given

    def caches(self) -> list[np.ndarray]:
        """Copies of all numbers that the strings' caches hold now, each of shape (rows, …)."""
        return [
            tensor[: self.rows].double().cpu().numpy() for tensors in self.model.runner.caches() for tensor in tensors
        ]

    def fork(self, sources: np.ndarray, words: np.ndarray) -> np.ndarray:
        """What is given after each further symbol of words that branch off.

        Args:
            sources: shape (words,): of each word the string that it goes on from.
            words: shape (words, length) of symbols.

        Returns:
            Booleans of shape (words, length, outputs).
        """
        kept = self._kept()
        parts = []
        for first in range(0, len(sources), self.batch):
            part = slice(first, first + self.batch)
            index = torch.from_numpy(np.resize(sources[part], self.batch))
            self._put([[tensor[index] for tensor in tensors] for tensors in kept])
            count, tokens = len(sources[part]), self.model.vocabulary.tokens[words[part]]
            parts.append(np.stack([self._step(self.model.runner.step, column)[:count] for column in tokens.T], axis=1))
        self._put(kept)
        return np.concatenate(parts)

    def _step(self, step, tokens: np.ndarray) -> np.ndarray:
        filled = np.resize(tokens, self.batch)
        with torch.no_grad():
            logits = step(torch.from_numpy(filled[:, None]).to(self.model.runner.device))
        return self.model.reading.given(logits[: len(tokens)], self.model.vocabulary.answers)

    def _kept(self) -> list[list[torch.Tensor]]:
        return [[tensor.clone() for tensor in tensors] for tensors in self.model.runner.caches()]

    def _put(self, caches: list[list[torch.Tensor]]) -> None:
        for tensors, values in zip(self.model.runner.caches(), caches):
            for tensor, value in zip(tensors, values):
                tensor.copy_(value)
