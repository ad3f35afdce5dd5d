"""Runs stock models in transformers, one decoding step at a time: the only file of this package that imports torch."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Mapping

import numpy as np
import torch
import transformers
from transformers import CONFIG_MAPPING, AutoConfig, AutoModelForCausalLM

from automata.errors import InputError
from constructions.mamba.huggingface import randomise
from constructions.mamba.reading import Reading
from constructions.mamba.stepping import Vocabulary, WholeStrings, threads
from constructions.mamba.surroundings import quiet
from constructions.stock.architecture import Architecture, Tensors

if TYPE_CHECKING:
    from constructions.stock.weights import StockWeights


def configured(architecture: Architecture, given: Mapping[str, Any]) -> Any:
    """The configuration of an architecture, as the library makes it.

    Raises:
        InputError: when this version of the library does not have the architecture.
    """
    if architecture.name not in CONFIG_MAPPING:
        raise InputError(
            f"transformers {transformers.__version__} has no {architecture.name}: pip install --upgrade "
            "'ssm-compiler[mamba]'"
        )
    return AutoConfig.for_model(architecture.name, **given)


def complete(architecture: Architecture, config: dict[str, Any], tensors: Tensors) -> tuple[str, Tensors]:
    """The class of the model that the configuration asks for, and all its tensors, zeros where none is given.

    Raises:
        ValueError: for a tensor that the model does not have, or of another size: the architecture's file is wrong.
    """
    model = AutoModelForCausalLM.from_config(configured(architecture, config))
    blank = model.state_dict()
    unknown = sorted(tensors.keys() - blank.keys())
    if unknown:
        raise ValueError(f"{architecture.name} has no tensor {unknown[0]!r}, only {', '.join(blank)}")
    given = {name: tensors.get(name, np.zeros(tuple(tensor.shape))) for name, tensor in blank.items()}
    return type(model).__name__, {name: given[name].reshape(tuple(tensor.shape)) for name, tensor in blank.items()}


def built(weights: StockWeights) -> Any:
    """The stock model with these weights, in memory."""
    dtype = getattr(torch, weights.dtype)
    config = configured(weights.architecture, weights.config)
    # Copies: the library keeps what it is given, and a model may be changed.
    tensors = {
        name: torch.from_numpy(np.ascontiguousarray(t)).to(dtype, copy=True) for name, t in weights.tensors.items()
    }
    return loaded(config, tensors, dtype)


def loaded(config: Any, tensors: Mapping[str, torch.Tensor], dtype: torch.dtype) -> Any:
    """The model as ``from_pretrained`` makes it of these files: some architectures keep a few weights in float32
    whatever the format of the others.
    """
    with quiet():
        with torch.device("meta"):
            kind = type(AutoModelForCausalLM.from_config(config))
        return kind.from_pretrained(None, config=config, state_dict=dict(tensors), dtype=dtype).eval()


def random_numbers(architecture: Architecture, model: Any, seed: int) -> None:
    """Normal numbers in the place of all parameters, but those of attention, which stays idle."""
    randomise(model, seed, tuple(f"{name}." for name in _attention_of(architecture, model)))


class RandomModel(WholeStrings):
    """A model of an architecture that is no target, with normal numbers for its weights, read by full forward."""

    arithmetic = "float32"

    def __init__(self, name: str, config: Mapping[str, Any], vocabulary: Vocabulary, seed: int):
        self.alphabet, self.outputs = vocabulary.alphabet, vocabulary.outputs
        self._vocabulary = vocabulary
        self.model = AutoModelForCausalLM.from_config(AutoConfig.for_model(name, **config)).eval()
        randomise(self.model, seed)

    @property
    def by_full_forward(self) -> RandomModel:
        """Itself: it has no other way."""
        return self

    def _given(self, symbols: np.ndarray) -> np.ndarray:
        begun = np.full((len(symbols), 1), self._vocabulary.bos)
        tokens = np.concatenate([begun, self._vocabulary.tokens[symbols]], axis=1)
        with torch.no_grad():
            logits = self.model(torch.from_numpy(tokens), use_cache=False).logits
        return Reading().given(logits, self._vocabulary.answers)


class StockRunner:
    """A stock model in evaluation mode.

    Attention layers must be idle.  Their keys and values grow with every token, so they are put back to those of the
    first reading before each step, and every step is taken at the position after that: a layer whose weights are all
    zero and whose keys and values are all zero adds exactly 0 whatever it has kept.  Weights are looked at here, keys
    and values after every step: a zero times infinity would not be zero, and would stay.
    """

    def __init__(self, architecture: Architecture, model: Any):
        self.architecture, self.model = architecture, model
        self.device, self.otherwise = torch.device("cpu"), architecture.otherwise
        self.arithmetic = str(next(model.parameters()).dtype).removeprefix("torch.")
        versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self.conditions = f"{self.arithmetic}, {versions}, {self.device}, {threads()}"
        self.attending = _attention_of(architecture, model)
        _check_idle(model, self.attending)
        _check_positions(model)
        self._cache: Any = None
        self._rows, self._position = 1, 1
        self._attention: dict[int, dict[str, Any]] = {}

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Full forward of (batch, time) tokens: (batch, time, vocabulary)."""
        rows = self.architecture.most_rows or len(tokens)
        parts = [self.model(part, use_cache=False).logits for part in tokens.split(rows)]
        # Where the state lives in the modules, it is gone now, and steps want a place to write it to.
        self.architecture.fresh(self.model, self._rows)
        return torch.cat(parts)

    def start(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, time) tokens, in a search one, into a fresh cache, which all later steps use: the last logits,
        (batch, vocabulary).
        """
        self._rows, self._position = tokens.shape
        result = self._forward(tokens, self.architecture.fresh(self.model, self._rows), 0)
        layers = getattr(self._cache, "layers", ())
        self._attention = {
            i: _keys(layer) for i, layer in enumerate(layers) if getattr(layer, "keys", None) is not None
        }
        if len(self._attention) != len(self.attending):
            raise InputError(
                f"{len(self._attention)} layers keep keys and values, and {len(self.attending)} are known as "
                "attention: no search of states closes"
            )
        self._check_kept()
        return result.logits[:, -1]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, time) tokens, of which a step has one: logits after the last, (batch, vocabulary)."""
        for number, kept in self._attention.items():
            vars(self._cache.layers[number]).update(copy.copy(kept))
        result = self._forward(tokens, self._cache, self._position)
        self._check_kept()
        return result.logits[:, -1]

    def caches(self) -> list[list[torch.Tensor]]:
        """For each layer the tensors of its state, to be read and written in place."""
        return self.architecture.states(self.model, self._cache)

    def counts_of_steps(self) -> list[torch.Tensor]:
        """What the cache keeps besides, and nothing reads."""
        return self.architecture.counts_of_steps(self._cache)

    def _check_kept(self) -> None:
        """Refuses keys and values that are not all 0."""
        for number in self._attention:
            layer = self._cache.layers[number]
            if bool((layer.keys != 0).any()) or bool((layer.values != 0).any()):
                raise InputError(
                    f"the attention of layer {number} is at work: it keeps numbers that are not zero, so no search of "
                    "states closes"
                )

    def _forward(self, tokens: torch.Tensor, cache: Any, position: int) -> Any:
        given: dict[str, Any] = {} if cache is None else {self.architecture.cache_argument: cache}
        if self.architecture.attends:
            given["position_ids"] = torch.arange(tokens.shape[1]).expand_as(tokens) + position
        if cache is not None:
            self._cache = cache
        result = self.model(tokens, use_cache=True, **given)
        cache = getattr(result, self.architecture.cache_argument, None)
        self._cache = self.architecture.put_back(self.model, cache if cache is not None else self._cache)
        return result


def _keys(layer: Any) -> dict[str, Any]:
    """What an attention layer keeps, without the states of a mixer that stands beside it."""
    mixer = ("conv_states", "recurrent_states", "has_previous_state")
    return copy.deepcopy({name: value for name, value in vars(layer).items() if name not in mixer})


def _check_idle(model: Any, attending: list[str]) -> None:
    """Refuses attention that adds anything: all its weights are zero, but for the gains of norms.

    Raises:
        InputError: naming the weights that are not all zero.
    """
    for layer in attending:
        for name, parameter in model.get_submodule(layer).named_parameters():
            if "norm" not in name and bool((parameter != 0).any()):
                raise InputError(
                    f"the attention layer {layer} is at work: {layer}.{name} is not zero, so no search of states closes"
                )


def _check_positions(model: Any) -> None:
    """Refuses rotary positions that may be infinite at a later position, or change with the length.

    Raises:
        InputError: naming what is not known to stay finite.
    """
    for name, module in model.named_modules():
        frequencies = getattr(module, "inv_freq", None)
        if frequencies is None:
            continue
        kind, scaling = getattr(module, "rope_type", "default"), getattr(module, "attention_scaling", 1.0)
        if kind != "default" or scaling != 1 or not bool((frequencies.abs() <= 1).all()):
            raise InputError(
                f"{name}: rotary positions of kind {kind!r} with frequencies up to {float(frequencies.abs().max()):g}, "
                "expected the kind 'default' with frequencies up to 1, which are finite at every position"
            )


def _attention_of(architecture: Architecture, model: Any) -> list[str]:
    """The names of the modules of softmax attention, by their classes: what has states of a fixed size is called delta
    attention in transformers, or does not attend.
    """
    if not architecture.attends:
        return []
    classes = {name: type(module).__name__ for name, module in model.named_modules()}
    return [name for name, kind in classes.items() if kind.endswith("Attention") and "Delta" not in kind]
