"""Runs Mambas in Hugging Face transformers."""

from __future__ import annotations

from functools import partial
from typing import Sequence

import torch
import transformers
from torch.nn.functional import softplus
from transformers import MambaConfig, MambaForCausalLM

from constructions.mamba.checkpoint import config
from constructions.mamba.layers import BlockCache, NotInLayers, ReadInstead
from constructions.mamba.stepping import BATCH, SteppedMamba, Vocabulary, threads
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, MambaWeights


def stock_model(weights: MambaWeights) -> MambaForCausalLM:
    """The stock model with these weights, in memory."""
    dtype = getattr(torch, weights.precision.name)
    model = MambaForCausalLM(MambaConfig(**config(weights))).to(dtype).eval()
    model.load_state_dict(
        {name: torch.from_numpy(tensor).to(dtype) for name, tensor in weights.tensors.items()}, strict=True
    )
    return model


def stepped(weights: MambaWeights, batch: int = BATCH) -> SteppedMamba:
    """The stock model with these weights, ready for a search."""
    return SteppedMamba(HuggingFaceRunner(stock_model(weights)), Vocabulary.of(weights), batch)


def random_model(alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> SteppedMamba:
    """A small Mamba with random weights."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "state_size": 4}
    torch.manual_seed(seed)
    model = MambaForCausalLM(MambaConfig(vocab_size=FIRST_SYMBOL + len(alphabet), **sizes)).eval()
    randomise(model, seed)
    tokens = range(FIRST_SYMBOL, FIRST_SYMBOL + len(alphabet))
    return SteppedMamba(HuggingFaceRunner(model), Vocabulary(alphabet, outputs, tokens, BOS_TOKEN, EOS_TOKEN), 1)


def randomise(model: torch.nn.Module, seed: int, but: tuple[str, ...] = ()) -> None:
    """Normal numbers in the place of all parameters, but those whose names have one of these parts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not any(part in name for part in but):
                parameter.copy_(torch.randn(parameter.shape, generator=generator))


_NO_CACHE = BlockCache(None, None)


class HuggingFaceRunner:
    """A ``MambaForCausalLM`` in evaluation mode.

    A step reads the cache's tensors and, of its flags, ``has_previous_state`` (set since the first token) and
    ``record_past`` (never set): both are the same in every state.
    """

    def __init__(self, model: MambaForCausalLM):
        self.model = model
        self.device = model.device
        self.arithmetic = str(model.dtype).removeprefix("torch.")
        versions = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self.conditions = f"{self.arithmetic}, {versions}, {self.device}, {threads()}"

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model(tokens).logits

    def start(self, tokens: torch.Tensor) -> torch.Tensor:
        result = self.model(tokens, use_cache=True)
        self._cache = result.cache_params
        return result.logits[:, -1]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model(tokens, cache_params=self._cache, use_cache=True).logits[:, -1]

    def caches(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return [(layer.conv_states[0], layer.recurrent_states[0]) for layer in self._cache.layers]

    @property
    def by_layers(self) -> HuggingFaceLayers:
        """The same model, a layer at a time."""
        return HuggingFaceLayers(self.model)


class HuggingFaceLayers:
    """The modules of a ``MambaForCausalLM`` one by one, in the order of its ``forward``."""

    def __init__(self, model: MambaForCausalLM):
        self.model = model
        mixers = [layer.mixer for layer in model.backbone.layers]
        self.taps = [(mixer.conv1d.weight[:, 0] != 0).cpu().numpy() for mixer in mixers]
        with torch.inference_mode():
            self.still = [_still(mixer.dt_proj) for mixer in mixers]
            self._decay = [-mixer.A_log.float().exp() for mixer in mixers]

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model.backbone.embeddings(tokens)

    def layer(self, number: int, hidden: torch.Tensor, cache: BlockCache) -> torch.Tensor:
        self._put(number, cache)
        return self.model.backbone.layers[number](hidden, cache_params=self._cache)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        normed = self.model.backbone.norm_f(hidden)
        return self.model.lm_head(normed.to(self.model.lm_head.weight.dtype)).float()[:, -1]

    def inputs(self, number: int, hidden: torch.Tensor) -> torch.Tensor:
        block = self.model.backbone.layers[number]
        return block.mixer.in_proj(block.norm(hidden.to(block.norm.weight.dtype)))[:, -1].chunk(2, dim=-1)[0]

    def moves(self, number: int, newest: torch.Tensor, earlier: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mixer = self.model.backbone.layers[number].mixer
        read, rank = mixer.conv1d.weight[:, 0], mixer.time_step_rank
        neurons = mixer.act(newest * read[:, -1] + earlier * read[:, -2] + mixer.conv1d.bias)
        made = mixer.x_proj(neurons)
        delta = softplus(mixer.dt_proj(made[:, :rank])).float()[..., None]
        added = delta * made[:, None, rank : rank + mixer.ssm_state_size].float() * neurons.float()[..., None]
        return (delta * self._decay[number]).exp(), added

    def start(self, tokens: torch.Tensor) -> tuple[torch.Tensor, list[BlockCache]]:
        result = self.model(tokens, use_cache=True)
        self._cache = result.cache_params
        caches = [BlockCache(layer.conv_states[0], layer.recurrent_states[0]) for layer in self._cache.layers]
        return result.logits[:, -1], caches

    def step(self, tokens: torch.Tensor, caches: Sequence[BlockCache]) -> torch.Tensor:
        for number, cache in enumerate(caches):
            self._put(number, cache)
        return self.model(tokens, cache_params=self._cache, use_cache=True).logits[:, -1]

    def one_forward(self, tokens: torch.Tensor, read: ReadInstead) -> torch.Tensor:
        blocks, given = list(self.model.backbone.layers), [None]

        def reads(number: int, module: torch.nn.Module, arguments: tuple[torch.Tensor]) -> tuple[torch.Tensor] | None:
            if number:
                self._put(number - 1, _NO_CACHE)
                if arguments[0] is not given[0]:
                    raise NotInLayers
            if number == len(blocks):
                return None
            hidden, cache = read(number, arguments[0])
            self._put(number, cache)
            return (hidden,)

        def gives(module: torch.nn.Module, arguments: tuple[torch.Tensor], hidden: torch.Tensor) -> None:
            given[0] = hidden

        for number in range(len(blocks)):
            self._put(number, _NO_CACHE)
        readers = [*blocks, self.model.backbone.norm_f]
        handles = [reader.register_forward_pre_hook(partial(reads, number)) for number, reader in enumerate(readers)]
        handles += [block.register_forward_hook(gives) for block in blocks]
        try:
            return self.model(tokens, cache_params=self._cache, use_cache=True).logits[:, -1]
        finally:
            for handle in handles:
                handle.remove()

    def _put(self, number: int, cache: BlockCache) -> None:
        """A step writes to the tensors that it finds here."""
        layer = self._cache.layers[number]
        layer.conv_states[0], layer.recurrent_states[0] = cache


def _still(steps: torch.nn.Linear) -> bool:
    """Whether no scan state moves by these sizes of steps."""
    return not steps.weight.count_nonzero() and not softplus(steps.bias).count_nonzero()
