"""Runs a cell's weights in torch's own modules: the only file of this package that imports torch."""

from __future__ import annotations

import torch
from torch import nn

from constructions.mamba.stepping import threads
from constructions.recurrent.cells import CELLS, CellWeights


class Recogniser(nn.Module):
    """``nn.Embedding``, one layer of a recurrent module, ``nn.Linear``; nothing else."""

    def __init__(self, cell: str, tokens: int, units: int):
        super().__init__()
        self.embedding = nn.Embedding(tokens, tokens)
        more = {"nonlinearity": cell} if CELLS[cell] == "RNN" else {}
        self.layer = getattr(nn, CELLS[cell])(tokens, units, batch_first=True, **more)
        self.head = nn.Linear(units, tokens)

    def forward(self, tokens: torch.Tensor, state=None):
        """Logits (batch, time, tokens), and the state after the last token."""
        hidden, state = self.layer(self.embedding(tokens), state)
        return self.head(hidden), state


class CellRunner:
    """The module in evaluation mode, as a search steps it."""

    def __init__(self, weights: CellWeights):
        dtype = getattr(torch, weights.dtype)
        count, tokens = len(weights.units), len(weights.tensors["embedding.weight"])
        self.model = Recogniser(weights.cell, tokens, count).to(dtype).eval()
        state = {name: torch.from_numpy(tensor).to(dtype) for name, tensor in weights.tensors.items()}
        self.model.load_state_dict(state, strict=True)
        self.device = torch.device("cpu")
        self.arithmetic = weights.dtype
        self.conditions = f"{self.arithmetic}, torch {torch.__version__}, {self.device}, {threads()}"
        self._state: tuple[torch.Tensor, ...] = ()

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Full forward of (batch, time) tokens: (batch, time, vocabulary)."""
        return self.model(tokens)[0]

    def start(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, 1) tokens from the zero state: logits (batch, vocabulary)."""
        return self._read(tokens, None)

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, 1) tokens: logits (batch, vocabulary)."""
        return self._read(tokens, self._state if len(self._state) > 1 else self._state[0])

    def caches(self) -> list[list[torch.Tensor]]:
        """The state of the one layer, to be read and written in place."""
        return [[tensor[0] for tensor in self._state]]

    def _read(self, tokens: torch.Tensor, state) -> torch.Tensor:
        logits, state = self.model(tokens, state)
        self._state = state if isinstance(state, tuple) else (state,)
        return logits[:, -1]
