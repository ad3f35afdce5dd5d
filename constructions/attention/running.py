"""Runs the weights of :mod:`constructions.attention.copying` in stock transformers: the only file here with torch."""

from __future__ import annotations

from typing import Any, Mapping

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from automata.machine import EOS
from constructions.mamba.stepping import WholeStrings
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL


class AttentionModel(WholeStrings):
    """A stock GPT-2 in float32 as a batched model; a row of its states is what was read, which it reads again."""

    arithmetic = "float32"

    def __init__(self, config: Mapping[str, Any], tensors: Mapping[str, np.ndarray], alphabet: tuple[str, ...]):
        self.alphabet, self.outputs = alphabet, (*alphabet, EOS)
        self.model = GPT2LMHeadModel(GPT2Config(**config)).eval()
        given = {name: torch.from_numpy(tensor).to(torch.float32) for name, tensor in tensors.items()}
        state = {name: given.get(name, torch.zeros_like(blank)) for name, blank in self.model.state_dict().items()}
        self.model.load_state_dict(state, strict=True)
        self._answers = [EOS_TOKEN if name == EOS else FIRST_SYMBOL + alphabet.index(name) for name in self.outputs]

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.model.parameters())

    def _given(self, symbols: np.ndarray) -> np.ndarray:
        tokens = np.concatenate([np.full((len(symbols), 1), BOS_TOKEN), FIRST_SYMBOL + symbols], axis=1)
        with torch.no_grad():
            return (self.model(torch.from_numpy(tokens)).logits[..., self._answers] > 0).numpy()
