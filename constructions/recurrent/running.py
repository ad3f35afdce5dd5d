"""Runs a cell's weights in torch's own modules: the only file of this package that imports torch."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from constructions.mamba.stepping import threads
from constructions.recurrent.cells import CELLS, CellWeights


class Recogniser(nn.Module):
    """``nn.Embedding``, a recurrent module of some layers, ``nn.Linear``; nothing else."""

    def __init__(self, cell: str, tokens: int, units: int, layers: int = 1):
        super().__init__()
        self.embedding = nn.Embedding(tokens, tokens)
        more = {"nonlinearity": cell} if CELLS[cell] == "RNN" else {}
        self.layer = getattr(nn, CELLS[cell])(tokens, units, layers, batch_first=True, **more)
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
        self.model = Recogniser(weights.cell, tokens, count, weights.layers).to(dtype).eval()
        state = {name: torch.from_numpy(tensor).to(dtype) for name, tensor in weights.tensors.items()}
        self.model.load_state_dict(state, strict=True)
        self.device = torch.device("cpu")
        self.arithmetic, self.cell = weights.dtype, weights.cell
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
        """The state of each layer, to be read and written in place."""
        return [[tensor[layer] for tensor in self._state] for layer in range(len(self._state[0]))]

    def stepped(self, tokens: np.ndarray, state: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """One step from states that are given, as float64, which has every number of the other formats: logits (rows,
        vocabulary) and the states after it.

        Args:
            tokens: (rows,).
            state: (tensors of the state, layers, rows, units).
        """
        given = tuple(torch.from_numpy(part).to(self.model.head.weight.dtype) for part in state)
        with torch.no_grad():
            logits = self._read(torch.from_numpy(tokens[:, None]), given if len(given) > 1 else given[0])
        # Adding 0 turns -0 into 0 and changes nothing else.
        return logits, np.stack([(part + 0).double().numpy() for part in self._state])

    def _read(self, tokens: torch.Tensor, state) -> torch.Tensor:
        logits, state = self.model(tokens, state)
        self._state = state if isinstance(state, tuple) else (state,)
        return logits[:, -1]
