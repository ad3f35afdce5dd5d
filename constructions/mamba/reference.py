"""A Mamba from the equations, one position at a time, in NumPy: slow, obvious, and without torch.

The definition that the running models are held against (Gu and Dao 2023; the equations are in
:mod:`constructions.mamba.weights`).  It knows nothing of layouts, registers or languages: arrays in, logits out.

Shape letters: b batch, d d_model, i d_inner, n d_state, k conv_kernel, r dt_rank, v vocabulary.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from automata.machine import ACCEPT, EOS
from constructions.mamba.ballast import EPSILON
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, MambaWeights
from constructions.ssm.engine import Outputs


class LayerCache(NamedTuple):
    """What a layer remembers: the last inputs of its convolution (b, i, k), and its scan state (b, i, n)."""

    conv: np.ndarray
    scan: np.ndarray


class LayerTrace(NamedTuple):
    """What happened in a layer: neurons (b, i), step sizes (b, i), gates (b, i, n), the residual after it (b, d)."""

    neurons: np.ndarray
    delta: np.ndarray
    gates: np.ndarray
    residual: np.ndarray


class Reference:
    """A Mamba in float32 or float64, also as a batched model for a search.

    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.mamba.lowering import lower_to_mamba
    >>> model = Reference(lower_to_mamba(flip_flop()))
    >>> rows, outputs = model.begin(1)
    >>> rows, outputs = model.advance(rows, np.array([[0, 4]]))  # w 1
    >>> [name for name, given in zip(model.outputs, outputs.dense()[0, -1]) if given]
    ['w', 'r', 'i', '<eos>']
    """

    def __init__(self, weights: MambaWeights):
        self.arithmetic = weights.precision.name if weights.precision.name == "float64" else "float32"
        self.alphabet, self.outputs = weights.layout.alphabet, weights.layout.outputs
        self.tensors = {name: tensor.astype(self.arithmetic) for name, tensor in weights.tensors.items()}
        self.layers = len(weights.layout.blocks)
        self.rank, self.inner = weights.rank, weights.inner
        self.states = self.tensors["backbone.layers.0.mixer.A_log"].shape[1]
        self.kernel = self.tensors["backbone.layers.0.mixer.conv1d.weight"].shape[2]
        self.answers = [
            EOS_TOKEN if o in (ACCEPT, EOS) else FIRST_SYMBOL + self.alphabet.index(o) for o in self.outputs
        ]

    def empty(self, batch: int) -> list[LayerCache]:
        """The caches before the first token."""
        conv, scan = (batch, self.inner, self.kernel), (batch, self.inner, self.states)
        return [
            LayerCache(np.zeros(conv, self.arithmetic), np.zeros(scan, self.arithmetic)) for _ in range(self.layers)
        ]

    def step(
        self, caches: list[LayerCache], tokens: np.ndarray
    ) -> tuple[list[LayerCache], np.ndarray, list[LayerTrace]]:
        """One token for each row: new caches, logits (b, v), and what happened in each layer."""
        hidden = self.tensors["backbone.embeddings.weight"][tokens]
        after, traces = [], []
        for number, cache in enumerate(caches):
            weight = {
                name.rpartition("mixer.")[2]: tensor
                for name, tensor in self.tensors.items()
                if name.startswith(f"backbone.layers.{number}.")
            }
            u, z = np.split(
                _norm(hidden, self.tensors[f"backbone.layers.{number}.norm.weight"]) @ weight["in_proj.weight"].T,
                2,
                axis=1,
            )
            conv = np.concatenate([cache.conv[:, :, 1:], u[:, :, None]], axis=2)
            x = _silu((conv * weight["conv1d.weight"][:, 0]).sum(axis=2) + weight["conv1d.bias"])
            r, b, c = np.split(x @ weight["x_proj.weight"].T, [self.rank, self.rank + self.states], axis=1)
            delta = _softplus(r @ weight["dt_proj.weight"].T + weight["dt_proj.bias"])
            gates = np.exp(-np.exp(weight["A_log"]) * delta[:, :, None])
            scan = gates * cache.scan + delta[:, :, None] * b[:, None, :] * x[:, :, None]
            y = (scan * c[:, None, :]).sum(axis=2) + weight["D"] * x
            hidden = hidden + (y * _silu(z)) @ weight["out_proj.weight"].T
            after.append(LayerCache(conv, scan))
            traces.append(LayerTrace(x, delta, gates, hidden))
        logits = _norm(hidden, self.tensors["backbone.norm_f.weight"]) @ self.tensors["lm_head.weight"].T
        return after, logits, traces

    # -- as a batched model ---------------------------------------------------------------------------

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """States (all caches side by side, -0 written as 0) and outputs after BOS."""
        caches, logits, _ = self.step(self.empty(batch), np.full(batch, BOS_TOKEN))
        return self._rows(caches), self._given(logits[:, None])

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As the engine's ``advance``."""
        logits = []
        for symbols in words.T:
            caches, after, _ = self.step(self._caches(rows), FIRST_SYMBOL + symbols)
            rows = self._rows(caches)
            logits.append(after)
        return rows, self._given(np.stack(logits, axis=1))

    def _rows(self, caches: list[LayerCache]) -> np.ndarray:
        return np.concatenate([part.reshape(len(part), -1) for cache in caches for part in cache], axis=1) + 0

    def _caches(self, rows: np.ndarray) -> list[LayerCache]:
        conv, scan = self.inner * self.kernel, self.inner * self.states
        layers = np.split(rows, self.layers, axis=1)
        return [
            LayerCache(
                layer[:, :conv].reshape(-1, self.inner, self.kernel),
                layer[:, conv : conv + scan].reshape(-1, self.inner, self.states),
            )
            for layer in layers
        ]

    def _given(self, logits: np.ndarray) -> Outputs:
        given = logits[:, :, self.answers] > 0
        table, ids = np.unique(given.reshape(-1, given.shape[2]), axis=0, return_inverse=True)
        return Outputs(table, ids.reshape(given.shape[:2]))


def _norm(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    x = x.astype(np.float32)
    return weight * (x / np.sqrt((x * x).mean(axis=1, keepdims=True) + np.float32(EPSILON))).astype(weight.dtype)


def _silu(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return x / (1 + np.exp(-x))


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(x, 0).astype(x.dtype)
