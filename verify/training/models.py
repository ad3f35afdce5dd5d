"""The models that training begins with: stock ``MambaForCausalLM`` with the tokens of an exported checkpoint.

Tokens are ``<pad>``, ``<bos>``, ``<eos>`` and then the symbols in their order, whatever the model was read from.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Sequence

import torch
from transformers import MambaConfig, MambaForCausalLM

from automata.errors import InputError
from automata.machine import EOS, PREDICTIVE, Machine
from constructions.compile.compiler import compile
from constructions.mamba.huggingface import stock_model
from constructions.mamba.loading import load_checkpoint, read_vocabulary
from constructions.mamba.lowering import lower_to_mamba
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, PAD
from verify.training.protocol import Protocol

_STEP_SIZES = (0.01, 0.5)
"""Of a fresh model: step sizes without an input lie between these, evenly on a logarithmic scale."""


def fresh_model(symbols: int, protocol: Protocol) -> MambaForCausalLM:
    """A model with random weights of about unit gain."""
    p = protocol
    config = MambaConfig(
        vocab_size=FIRST_SYMBOL + symbols,
        hidden_size=p.d_model,
        num_hidden_layers=p.layers,
        state_size=p.state,
        conv_kernel=p.conv,
        expand=p.expand,
        time_step_rank=p.rank,
        tie_word_embeddings=False,
        pad_token_id=PAD,
        bos_token_id=BOS_TOKEN,
        eos_token_id=EOS_TOKEN,
    )
    model = MambaForCausalLM(config)
    generator = torch.Generator().manual_seed(p.seed)
    least, most = map(math.log, _STEP_SIZES)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            kind = name.removeprefix("backbone.").partition("mixer.")[2] or name
            if kind == "dt_proj.bias":
                steps = torch.exp(least + (most - least) * torch.rand(parameter.shape, generator=generator))
                parameter.copy_(torch.log(torch.expm1(steps)))
            elif kind == "conv1d.bias":
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
            elif name.endswith("embeddings.weight"):
                parameter.copy_(2 * torch.randn(parameter.shape, generator=generator) / math.sqrt(p.d_model))
            elif parameter.dim() > 1 and kind != "A_log":
                inputs = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / math.sqrt(inputs))
    return model


def compiled_model(machine: Machine) -> MambaForCausalLM:
    """The model with the weights that are compiled from the language.

    Raises:
        NotExpressible: where it has none.
    """
    return stock_model(lower_to_mamba(compile(machine, PREDICTIVE).cascade))


def stored_model(folder: Path, alphabet: Sequence[str]) -> MambaForCausalLM:
    """The model of a checkpoint, its tokens brought into the order of this module.

    Raises:
        InputError: when it is no Mamba in float32, or lacks a token for a symbol.
    """
    model, _ = load_checkpoint(folder)
    if model.dtype != torch.float32:
        raise InputError(f"{folder}: its numbers are {str(model.dtype).removeprefix('torch.')}: float32 is trained on")
    words = read_vocabulary(folder, alphabet, (*alphabet, EOS), model.config.vocab_size)
    tokens = [words.bos, words.bos, words.eos, *words.tokens.tolist()]
    model.config.vocab_size = len(tokens)
    model.config.tie_word_embeddings = False
    model.config.pad_token_id, model.config.bos_token_id, model.config.eos_token_id = PAD, BOS_TOKEN, EOS_TOKEN
    fresh = MambaForCausalLM(model.config)
    tensors = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for name in ("backbone.embeddings.weight", "lm_head.weight"):
        tensors[name] = tensors[name][tokens]
    fresh.load_state_dict(tensors, strict=True)
    return fresh


def perturb(model: MambaForCausalLM, size: float, seed: int) -> None:
    """Multiplies each weight by 1 + ``size`` times a normal number: zeros stay zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1 + size * torch.randn(parameter.shape, generator=generator))
