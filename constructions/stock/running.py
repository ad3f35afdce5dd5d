"""Runs stock models in transformers, one decoding step at a time: the only file of this package that imports torch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

from automata.errors import InputError
from constructions.mamba.huggingface import randomise
from constructions.mamba.stepping import threads
from constructions.stock.architecture import Architecture, Tensors

if TYPE_CHECKING:
    from constructions.stock.weights import StockWeights


def complete(architecture: Architecture, config: dict[str, Any], tensors: Tensors) -> tuple[str, Tensors]:
    """The class of the model that the configuration asks for, and all its tensors, zeros where none is given.

    Raises:
        ValueError: for a tensor that the model does not have, or of another size: the architecture's file is wrong.
    """
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(architecture.name, **config))
    blank = model.state_dict()
    unknown = sorted(tensors.keys() - blank.keys())
    if unknown:
        raise ValueError(f"{architecture.name} has no tensor {unknown[0]!r}, only {', '.join(blank)}")
    given = {name: tensors.get(name, np.zeros(tuple(tensor.shape))) for name, tensor in blank.items()}
    return type(model).__name__, {name: given[name].reshape(tuple(tensor.shape)) for name, tensor in blank.items()}


def built(weights: StockWeights) -> Any:
    """The stock model with these weights, in memory."""
    dtype = getattr(torch, weights.dtype)
    config = AutoConfig.for_model(weights.architecture.name, **weights.config)
    model = AutoModelForCausalLM.from_config(config).to(dtype).eval()
    tensors = {name: torch.from_numpy(np.ascontiguousarray(t)).to(dtype) for name, t in weights.tensors.items()}
    model.load_state_dict(tensors, strict=True)
    return model


def random_numbers(model: Any, seed: int) -> None:
    """Normal numbers in the place of all parameters, but those of attention, which stays idle."""
    idle = [name for name, module in model.named_modules() if _is_attention(module)]
    randomise(model, seed, tuple(f"{name}." for name in idle))


class StockRunner:
    """A stock model in evaluation mode.

    Attention layers must be idle.  Their keys and values grow with every token, so they are put back to those of the
    first token before each step: an idle layer adds exactly 0 whatever it has kept.
    """

    def __init__(self, architecture: Architecture, model: Any):
        self.architecture, self.model = architecture, model
        self.device = torch.device("cpu")
        self.arithmetic = str(next(model.parameters()).dtype).removeprefix("torch.")
        versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self.conditions = f"{self.arithmetic}, {versions}, {self.device}, {threads()}"
        if architecture.attends:
            _check_idle(model)
        self._cache: Any = None
        self._rows = 1
        self._attention: dict[int, dict[str, Any]] = {}

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Full forward of (batch, time) tokens: (batch, time, vocabulary)."""
        rows = self.architecture.most_rows or len(tokens)
        parts = [self.model(part, use_cache=False).logits for part in tokens.split(rows)]
        # Where the state lives in the modules, it is gone now, and steps want a place to write it to.
        self.architecture.fresh(self.model, self._rows)
        return torch.cat(parts)

    def start(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, 1) tokens into a fresh cache, which all later steps use: logits (batch, vocabulary)."""
        self._rows = len(tokens)
        result = self._forward(tokens, self.architecture.fresh(self.model, self._rows), 0)
        cache = getattr(result, self.architecture.cache_argument, None)
        self._cache = cache if cache is not None else self._cache
        layers = getattr(self._cache, "layers", ())
        self._attention = {
            i: _keys(layer) for i, layer in enumerate(layers) if getattr(layer, "keys", None) is not None
        }
        return result.logits[:, -1]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, 1) tokens: logits (batch, vocabulary)."""
        for number, kept in self._attention.items():
            vars(self._cache.layers[number]).update(copy.copy(kept))
        result = self._forward(tokens, self._cache, 1)
        cache = getattr(result, self.architecture.cache_argument, None)
        self._cache = cache if cache is not None else self._cache
        return result.logits[:, -1]

    def caches(self) -> list[list[torch.Tensor]]:
        """For each layer the tensors of its state, to be read and written in place."""
        return self.architecture.states(self.model, self._cache)

    def _forward(self, tokens: torch.Tensor, cache: Any, position: int) -> Any:
        given: dict[str, Any] = {} if cache is None else {self.architecture.cache_argument: cache}
        if self.architecture.attends:
            given["position_ids"] = torch.full_like(tokens, position)
        if cache is not None:
            self._cache = cache
        return self.model(tokens, use_cache=True, **given)


def _keys(layer: Any) -> dict[str, Any]:
    """What an attention layer keeps, without the states of a mixer that stands beside it."""
    mixer = ("conv_states", "recurrent_states", "has_previous_state")
    return copy.deepcopy({name: value for name, value in vars(layer).items() if name not in mixer})


def _check_idle(model: Any) -> None:
    """Refuses attention that adds anything.

    Raises:
        InputError: naming the projection that is not all zero.
    """
    for name, parameter in model.named_parameters():
        inside = name.rpartition(".")[0].rpartition(".")
        if inside[2] not in ("o_proj", "v_proj") or not _is_attention(model.get_submodule(inside[0])):
            continue
        if bool((parameter != 0).any()):
            raise InputError(
                f"the attention layer {inside[0]} is at work: {name} is not zero, so no search of states closes"
            )


def _is_attention(module: Any) -> bool:
    """Softmax attention, by its class: linear attention has states of a fixed size, and another name in
    transformers.
    """
    name = type(module).__name__
    return name.endswith(("Attention", "MLAttention", "SdpaAttention")) and not any(
        word in name for word in ("Linear", "Delta", "Lightning")
    )
