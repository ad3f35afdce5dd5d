"""The numbers of a Mamba checkpoint that a proof by boxes reads, and what such a proof does not speak about."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np

from verify.learned.semantics import LEAST_EPSILON
from verify.numbers.boxes import NotCovered

MOST_TERMS = 4096
"""Up to so many terms, (1 + u)^n - 1 is less than (n + 2) u."""


@dataclass(frozen=True)
class BlockWeights:
    """One block: float32 numbers, as float64.

    Shapes: norm (d,), in_weight (2 i, d), in_bias (2 i,), conv_weight (i, k), conv_bias (i,), x_weight (r + 2 n, i),
    dt_weight (i, r), dt_bias (i,), a_log (i, n), skip (i,), out_weight (d, i), out_bias (d,).
    """

    norm: np.ndarray
    in_weight: np.ndarray
    in_bias: np.ndarray
    conv_weight: np.ndarray
    conv_bias: np.ndarray
    x_weight: np.ndarray
    dt_weight: np.ndarray
    dt_bias: np.ndarray
    a_log: np.ndarray
    skip: np.ndarray
    out_weight: np.ndarray
    out_bias: np.ndarray


@dataclass(frozen=True)
class TrainedMamba:
    """A Mamba as arrays, float32 numbers as float64.

    Attributes:
        embedding, head: (v, d).
        norm: (d,), of the last norm.
        epsilon: of all norms.
        digest: SHA-256 of sizes, epsilon and all weights.
    """

    blocks: tuple[BlockWeights, ...]
    embedding: np.ndarray
    head: np.ndarray
    norm: np.ndarray
    epsilon: float
    digest: str

    @property
    def width(self) -> int:
        return self.embedding.shape[1]

    @property
    def inner(self) -> int:
        return self.blocks[0].a_log.shape[0]

    @property
    def states(self) -> int:
        return self.blocks[0].a_log.shape[1]

    @property
    def kernel(self) -> int:
        return self.blocks[0].conv_weight.shape[1]

    @property
    def rank(self) -> int:
        return self.blocks[0].dt_weight.shape[1]


def trained_mamba(model: Any) -> TrainedMamba:
    """The arrays of a ``MambaForCausalLM``.

    Raises:
        NotCovered: naming what the semantics does not cover: another format than float32, another activation, scans
            in another order, an epsilon near 0.
    """
    config = model.config
    if config.hidden_act != "silu":
        raise NotCovered(f"the activation is {str(config.hidden_act)[:40]}, expected silu")
    if config.use_mambapy:
        raise NotCovered("use_mambapy scans in another order than the string's")
    if not LEAST_EPSILON <= config.layer_norm_epsilon <= 1 / LEAST_EPSILON:
        raise NotCovered(f"layer_norm_epsilon is {config.layer_norm_epsilon:g}, expected at least {LEAST_EPSILON:g}")
    if config.hidden_size + config.intermediate_size + config.state_size > MOST_TERMS:
        raise NotCovered(f"sums have more than {MOST_TERMS} terms")
    tensors = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    for name, tensor in tensors.items():
        if str(tensor.dtype) != "torch.float32":
            raise NotCovered(f"the model runs in {str(tensor.dtype).removeprefix('torch.')}, expected float32")
    return of_arrays({name: tensor.numpy() for name, tensor in tensors.items()}, config.layer_norm_epsilon)


def of_arrays(tensors: Mapping[str, np.ndarray], epsilon: float) -> TrainedMamba:
    """The model of float32 arrays by Hugging Face's names; biases may be absent."""
    digest = hashlib.sha256(f"epsilon {float(epsilon).hex()}\n".encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape}\n".encode())
        digest.update(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())

    def array(name: str, size: int = 0) -> np.ndarray:
        return tensors[name].astype(np.float64) if name in tensors or not size else np.zeros(size)

    embedding = array("backbone.embeddings.weight")
    blocks: list[BlockWeights] = []
    while f"backbone.layers.{len(blocks)}.norm.weight" in tensors:
        prefix = f"backbone.layers.{len(blocks)}."
        mixer = f"{prefix}mixer."
        a_log = array(f"{mixer}A_log")
        inner, width = len(a_log), embedding.shape[1]
        blocks.append(
            BlockWeights(
                norm=array(f"{prefix}norm.weight"),
                in_weight=array(f"{mixer}in_proj.weight"),
                in_bias=array(f"{mixer}in_proj.bias", 2 * inner),
                conv_weight=array(f"{mixer}conv1d.weight")[:, 0],
                conv_bias=array(f"{mixer}conv1d.bias", inner),
                x_weight=array(f"{mixer}x_proj.weight"),
                dt_weight=array(f"{mixer}dt_proj.weight"),
                dt_bias=array(f"{mixer}dt_proj.bias"),
                a_log=a_log,
                skip=array(f"{mixer}D"),
                out_weight=array(f"{mixer}out_proj.weight"),
                out_bias=array(f"{mixer}out_proj.bias", width),
            )
        )
    head, norm = array("lm_head.weight"), array("backbone.norm_f.weight")
    return TrainedMamba(tuple(blocks), embedding, head, norm, float(epsilon), digest.hexdigest())
