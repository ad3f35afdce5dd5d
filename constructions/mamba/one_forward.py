"""The layers of a Mamba on all that was foreseen of a search, inside of one forward of the model.

A step of the model is taken as it would be of one token each, its embedding, its layers and its head called by the
model's own code; but each layer reads, instead of what the one before it gives, all rows that are asked for
(:func:`constructions.mamba.foreseen.foresee`); the head reads what the last one gives.  So what stands in the tables
was computed where a whole step computes it.  That each layer is given just what the one before it gives, and nothing
else, is seen on the way: the first the embedding of its tokens, all others and the head the very tensor.

Some rows are read once more, at other places of the batch and with other numbers wherever the layer has no weight for
what its convolution holds; they must give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np
import torch

from constructions.mamba.foreseen import Foreseen, LayerRun, NotForeseen
from constructions.mamba.layers import BlockCache, NotInLayers

if TYPE_CHECKING:
    from constructions.mamba.layerwise import LayerwiseMamba

_Result = TypeVar("_Result")

_AGAIN = 8
"""Rows, at most, that a layer reads once more."""


def in_one_forward(model: LayerwiseMamba, foreseen: Foreseen[_Result]) -> _Result:
    """Runs each layer on what is asked for, and takes down what it gives; what is returned in the end.

    One step of the model, of as many rows as are asked for.

    Raises:
        NotForeseen: as what is foreseen does; and where a layer would have nothing to read.
        NotInLayers: where the model does not do what its layers do one by one.
    """
    layers = _Inside(model, foreseen)
    return layers.ended(model.run.one_forward(torch.from_numpy(model.vocabulary.tokens[:, None]), layers.read))


class _Batch(NamedTuple):
    """What a layer is running on.

    Attributes:
        asked: what was asked for.
        contexts: the number of the context of each step.
        new: the steps whose contexts are different, a row each.
        again: those of these rows that stand behind them once more.
        held: what the convolution held before, but the oldest input.
    """

    asked: LayerRun
    contexts: np.ndarray
    new: np.ndarray
    again: slice
    cache: BlockCache
    held: torch.Tensor


class _Inside(Generic[_Result]):
    """The layers of one forward."""

    def __init__(self, model: LayerwiseMamba, foreseen: Foreseen[_Result]):
        self._model, self._foreseen = model, foreseen
        self._running: _Batch | None = None

    def read(self, number: int, hidden: torch.Tensor) -> tuple[torch.Tensor, BlockCache]:
        """What the layer of this number reads, where it is given this, and its cache."""
        if self._running is not None:
            asked = self._foreseen.send(self._noted(self._running, hidden))
        elif torch.equal(hidden, self._model.hidden[0].tensor(self._model.symbols)):
            asked = next(self._foreseen)
        else:
            raise NotInLayers
        layer = asked.layer
        if layer.number != number:
            raise NotInLayers
        contexts, new = layer.contexts(asked.columns, asked.hidden)
        if not len(new):
            raise NotForeseen
        again = slice(0, None, -(-len(new) // _AGAIN))
        rows = np.concatenate([new, new[again]])
        cache = layer.cache(asked.columns[:, rows])
        cache.conv[len(new) :] += layer.unread
        self._running = _Batch(asked, contexts, new, again, cache, cache.conv[:, :, 1:].clone())
        return self._model.hidden[number].tensor(asked.hidden[rows]), cache

    def ended(self, logits: torch.Tensor) -> _Result:
        """What is returned in the end, where the model gives these logits."""
        assert self._running is not None, "a model has layers"
        try:
            self._foreseen.send(self._noted(self._running, logits))
        except StopIteration as end:
            return end.value
        raise NotInLayers  # there are more layers than have been run

    def _noted(self, batch: _Batch, given: torch.Tensor) -> np.ndarray:
        """Takes down what the layer gave that was running; the numbers of that for what was asked."""
        (layer, _, _, guess), contexts, new, again, cache, held = batch
        amount = len(new)
        for part in (given, cache.scan, cache.conv[:, :, -1]):
            if not torch.equal(part[amount:], part[:amount][again]):
                raise NotInLayers
        scans, newest = (None if numbers is None else numbers[new] for numbers in guess)
        layer.note(given[:amount], BlockCache(*(part[:amount] for part in cache)), held[:amount], (scans, newest))
        return layer.results.rows.take(contexts, axis=0)[:, 2]
