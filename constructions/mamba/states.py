"""Caches as table entries: the states of a running Mamba, small and hashable."""

from __future__ import annotations

from typing import Sequence

import numpy as np
import torch

from constructions.engine import Outputs


class StateTable:
    """All layer caches seen so far, each once.

    A layer's cache is a few tensors of shape (batch, ...).  Two are the same entry exactly when all their bytes
    are, after -0 has been written as 0.

    Args:
        layers: for each layer example tensors, which fix shapes and dtypes.
    """

    def __init__(self, layers: Sequence[Sequence[torch.Tensor]]):
        self._number: list[dict[bytes, int]] = [{} for _ in layers]
        self._entries: list[list[torch.Tensor]] = [[tensor[:0].cpu() for tensor in tensors] for tensors in layers]
        self._pending: list[list[list[torch.Tensor]]] = [[[] for _ in tensors] for tensors in layers]

    def rows(self, layers: Sequence[Sequence[torch.Tensor]]) -> np.ndarray:
        """The numbers of these caches, int32 of shape (batch, layers); unseen ones are added."""
        return np.stack([self._numbers(i, tensors) for i, tensors in enumerate(layers)], axis=1)

    def caches(self, layer: int, numbers: np.ndarray) -> list[torch.Tensor]:
        """The tensors of these entries, one row each."""
        for place, pending in enumerate(self._pending[layer]):
            if pending:
                self._entries[layer][place] = torch.cat([self._entries[layer][place], *pending])
                pending.clear()
        index = torch.from_numpy(numbers.astype(np.int64))
        return [entries[index] for entries in self._entries[layer]]

    def _numbers(self, layer: int, tensors: Sequence[torch.Tensor]) -> np.ndarray:
        # Adding 0 turns -0 into 0 and changes nothing else.
        tensors = [(tensor + 0).cpu() for tensor in tensors]
        flat = np.concatenate([_bytes(tensor) for tensor in tensors], axis=1)
        width, buffer, known = flat.shape[1], flat.tobytes(), self._number[layer]
        numbers, new = np.empty(len(flat), dtype=np.int32), []
        for i in range(len(flat)):
            key = buffer[i * width : (i + 1) * width]
            found = known.get(key)
            if found is None:
                found = known[key] = len(known)
                new.append(i)
            numbers[i] = found
        if new:
            for pending, tensor in zip(self._pending[layer], tensors):
                pending.append(tensor[new].clone())
        return numbers


def _bytes(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().flatten(1).view(torch.uint8).numpy()


def as_outputs(given: np.ndarray) -> Outputs:
    """Outputs from booleans of shape (batch, time, outputs)."""
    packed = np.packbits(given.reshape(-1, given.shape[-1]), axis=1)
    _, first, ids = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    return Outputs(given.reshape(-1, given.shape[-1])[first], ids.reshape(given.shape[:2]))
