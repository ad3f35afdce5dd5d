"""Runs Mambas in Hugging Face transformers, as batched models.

The only file that imports transformers.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np
import torch
import transformers
from transformers import DynamicCache, MambaConfig, MambaForCausalLM

from constructions.engine import Outputs
from constructions.mamba.checkpoint import config
from constructions.mamba.states import StateTable, as_outputs
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, PAD, MambaWeights
from automata.machine import ACCEPT, EOS


def build(weights: MambaWeights) -> MambaForCausalLM:
    """The stock model with these weights, in memory."""
    dtype = getattr(torch, weights.precision.name)
    model = MambaForCausalLM(MambaConfig(**config(weights))).to(dtype).eval()
    model.load_state_dict({name: torch.from_numpy(tensor).to(dtype) for name, tensor in weights.tensors.items()}, strict=True)
    return model


class HuggingFaceModel:
    """A running ``MambaForCausalLM``, stepped one symbol at a time through its own cache.

    Every step is taken in batches of one fixed shape, ``batch`` rows of one token, the last batch filled up: so what a search
    sees is what was run.  A state row has, for each layer, the number of its cache (the bytes of convolution and scan state, -0 written
    back as 0) in a table; rows are equal exactly when the caches are.  The step reads nothing else: the cache's flags are
    the same at every step after the first (``has_previous_state`` set, ``record_past`` not set).

    Args:
        model: in evaluation mode.
        alphabet, outputs: of the language.
        tokens: the number of each symbol's token.
        bos, eos: of the special tokens.
        batch: rows per step.
    """

    def __init__(
        self,
        model: MambaForCausalLM,
        alphabet: Sequence[str],
        outputs: Sequence[str],
        tokens: Sequence[int],
        bos: int = BOS_TOKEN,
        eos: int = EOS_TOKEN,
        batch: int = 256,
    ):
        self.model = model
        self.alphabet, self.outputs = tuple(alphabet), tuple(outputs)
        self.batch = batch
        self.device = model.device
        self.arithmetic = str(model.dtype).removeprefix("torch.")
        self.bos = bos
        self.tokens = torch.tensor(list(tokens), device=self.device)
        self.answers = [eos if output in (ACCEPT, EOS) else int(tokens[self.alphabet.index(output)]) for output in self.outputs]
        self.kernel = model.config.conv_kernel
        self._start()

    @classmethod
    def of(cls, weights: MambaWeights, batch: int = 256) -> "HuggingFaceModel":
        """The model of these weights."""
        symbols = range(FIRST_SYMBOL, weights.vocabulary)
        return cls(build(weights), weights.layout.alphabet, weights.layout.outputs, symbols, batch=batch)

    @property
    def conditions(self) -> str:
        """What a claim about the steps of this model is a claim about."""
        threads = torch.get_num_threads()
        return (
            f"{self.arithmetic}, transformers {transformers.__version__}, torch {torch.__version__}, {self.device}, "
            f"{threads} thread{'s' * (threads != 1)}, steps of {self.batch} rows"
        )

    # -- the batched interface ------------------------------------------------------------------------

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """States and outputs after BOS."""
        rows, given = self._first
        return np.repeat(rows, batch, axis=0), Outputs(given, np.zeros((batch, 1), dtype=np.int64))

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As the engine's ``advance``: one decoding step of the model for each symbol."""
        given = np.empty((*words.shape, len(self.outputs)), dtype=bool)
        for t in range(words.shape[1]):
            stepped = np.empty_like(rows)
            for first in range(0, len(rows), self.batch):
                part = slice(first, first + self.batch)
                stepped[part], given[part, t] = self._step(rows[part], words[part, t])
            rows = stepped
        return rows, as_outputs(given)

    # -- steps ----------------------------------------------------------------------------------------

    @torch.no_grad()
    def _start(self) -> None:
        """Reads BOS in a batch of the fixed shape; that cache object serves all later steps."""
        result = self.model(torch.full((self.batch, 1), self.bos, device=self.device), use_cache=True)
        self._cache = result.cache_params
        self._table = StateTable(self.layers())
        self._first = self._read(1), self._given(result.logits, 1)

    @torch.no_grad()
    def _step(self, rows: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        count = len(rows)
        filled = np.concatenate([rows, np.repeat(rows[:1], self.batch - count, axis=0)])
        for number, tensors in enumerate(self.layers()):
            for tensor, values in zip(tensors, self._table.caches(number, filled[:, number])):
                tensor.copy_(values)
        tokens = torch.full((self.batch, 1), self.bos, device=self.device)
        tokens[:count, 0] = self.tokens[torch.from_numpy(np.ascontiguousarray(symbols)).to(self.device)]
        logits = self.model(tokens, cache_params=self._cache, use_cache=True).logits
        return self._read(count), self._given(logits, count)

    def layers(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """For each layer the cache's two tensors: convolution (batch, d_inner, kernel) and scan (batch, d_inner, d_state)."""
        return [(layer.conv_states[0], layer.recurrent_states[0]) for layer in self._cache.layers]

    def _read(self, count: int) -> np.ndarray:
        return self._table.rows([[tensor[:count] for tensor in tensors] for tensors in self.layers()])

    def _given(self, logits: torch.Tensor, count: int) -> np.ndarray:
        return (logits[:count, -1, self.answers] > 0).cpu().numpy()
