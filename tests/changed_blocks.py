"""Stock Mambas whose blocks do something else, in whichever way they are run."""

from typing import Callable

import torch
from transformers.models.mamba.modeling_mamba import MambaBlock

from constructions.mamba.layers import BlockCache

Change = Callable[[int, torch.Tensor, BlockCache, Callable[[], torch.Tensor]], torch.Tensor]


def change_blocks(monkeypatch, change: Change) -> None:
    """From now on a step of a block is this, but for the first one, which has no cache.

    Args:
        change: called with the block's number, what it reads, its cache, and the step as it was.
    """
    forward = MambaBlock.forward

    def changed(self, hidden, cache_params=None, **how):
        def step():
            return forward(self, hidden, cache_params=cache_params, **how)

        layer = cache_params.layers[self.layer_idx]
        if layer.conv_states[0] is None:
            return step()
        cache = BlockCache(layer.conv_states[0], layer.recurrent_states[0])
        return change(self.layer_idx, hidden, cache, step)

    monkeypatch.setattr(MambaBlock, "forward", changed)
