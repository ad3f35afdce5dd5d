"""What a search asks of the layers of a running Mamba, which it runs one by one."""

from __future__ import annotations

from typing import Callable, NamedTuple, Protocol, Sequence

import numpy as np
import torch


class NotInLayers(Exception):
    """The model does not do what its layers do one by one, so it has to be run as a whole."""


class BlockCache(NamedTuple):
    """What a layer remembers: its last inputs (rows, channels, kernel), the oldest first, and its scan state."""

    conv: torch.Tensor
    scan: torch.Tensor


ReadInstead = Callable[[int, torch.Tensor], tuple[torch.Tensor, BlockCache]]


class Layers(Protocol):
    """The parts of a running Mamba.

    Attributes:
        taps: for each layer booleans of shape (channels, kernel): the inputs for which a channel has a weight.
        still: for each layer whether no scan state of it ever moves.
    """

    taps: list[np.ndarray]
    still: list[bool]

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """What the first layer reads of (rows, 1) tokens: (rows, 1, width)."""

    def layer(self, number: int, hidden: torch.Tensor, cache: BlockCache) -> torch.Tensor:
        """What a layer gives to the next one; the cache is written in place."""

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Of what the last layer gives: (rows, vocabulary)."""

    def inputs(self, number: int, hidden: torch.Tensor) -> torch.Tensor:
        """What a layer's convolution reads: (rows, channels)."""

    def moves(self, number: int, newest: torch.Tensor, earlier: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """By what a scan state is multiplied, and what is added to it, after these two inputs of the convolution."""

    def start(self, tokens: torch.Tensor) -> tuple[torch.Tensor, list[BlockCache]]:
        """Logits and caches after the first token."""

    def step(self, tokens: torch.Tensor, caches: Sequence[BlockCache]) -> torch.Tensor:
        """A whole decoding step: logits; the caches are written in place."""

    def one_forward(self, tokens: torch.Tensor, read: ReadInstead) -> torch.Tensor:
        """Logits of a whole decoding step, but that each layer reads something else.

        Args:
            read: called before each layer, with its number and with what the model gives to it: what it reads instead,
                and its cache.  While a layer runs no other has a cache.

        Raises:
            NotInLayers: where a layer, or the head, is not given the very tensor that the one before it gives.
        """
