"""A flip-flop of one stock Mamba block, written by hand and as soft as a trained one: what it holds fades, or not."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from transformers import MambaConfig, MambaForCausalLM

from constructions.mamba.checkpoint import write_folder
from constructions.mamba.huggingface import HuggingFaceRunner
from constructions.mamba.stepping import SteppedMamba, Vocabulary

BOS, EOS, W, R, IGNORE, ZERO, ONE = range(1, 8)
"""Tokens; 0 is padding, whose coordinate of the residual stream has the bit that is read."""

SET_1, SET_0, BIT, CONSTANT = range(4)
"""Channels: the first two see `w 1` and `w 0`."""

HOLDS = -120.0
"""Of the step's pre-activation: softplus is 0 in float32, and the gate is exactly 1."""

_A = 10.0


def pre_activation(gate: float) -> float:
    """Where the gate that holds the bit is this one."""
    return math.log(math.expm1(-math.log(gate) / _A))


def soft_flip_flop(hold: float = HOLDS) -> MambaForCausalLM:
    """The model; ``hold`` is the pre-activation of the step where the bit is to be held."""
    config = MambaConfig(
        vocab_size=8, hidden_size=8, num_hidden_layers=1, state_size=1, conv_kernel=2, time_step_rank=1, expand=2,
        bos_token_id=BOS, eos_token_id=EOS, pad_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    model = MambaForCausalLM(config).eval()
    block = model.backbone.layers[0]
    mixer = block.mixer
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.backbone.embeddings.weight.copy_(torch.eye(8))
        block.norm.weight.fill_(8**-0.5)  # so that the block reads the current token as 1 among zeros
        model.backbone.norm_f.weight.fill_(1)
        inner = mixer.in_proj.out_features // 2
        for channel, bit in ((SET_1, ONE), (SET_0, ZERO)):
            # 5 where w came before and this is the bit, at most -5 otherwise.
            mixer.in_proj.weight[channel, W], mixer.in_proj.weight[channel, bit] = 10, -10
            mixer.conv1d.weight[channel, 0] = torch.tensor([1.0, -1.0])
            mixer.conv1d.bias[channel] = -15
        mixer.conv1d.bias[BIT] = mixer.conv1d.bias[CONSTANT] = 5
        mixer.in_proj.weight[inner + BIT] = -30  # the bit is shown after r alone
        mixer.in_proj.weight[inner + BIT, R] = 10
        step, b, c = range(3)
        mixer.x_proj.weight[step, SET_1] = mixer.x_proj.weight[step, SET_0] = 1
        mixer.x_proj.weight[b, SET_1], mixer.x_proj.weight[b, SET_0] = 0.2, -0.2
        mixer.x_proj.weight[c, CONSTANT] = 0.2
        mixer.dt_proj.weight[BIT] = (6 - hold) / 5
        mixer.dt_proj.bias[BIT] = hold
        mixer.A_log.fill_(math.log(_A))
        mixer.out_proj.weight[0, BIT] = 0.01
        # After w and i a bit may come, after r the one held, after a bit and at the beginning an instruction.
        head = model.lm_head.weight
        head.fill_(-1)
        head[[0, BOS]] = -1
        head[:, 0] = 0
        head[[ZERO, ONE], W] = head[[ZERO, ONE], IGNORE] = 1
        head[[ZERO, ONE], R] = 0
        head[ZERO, 0], head[ONE, 0] = -1, 1
        for token in (ZERO, ONE):
            head[[W, R, IGNORE, EOS], token] = 1
        head[[W, EOS], BOS] = 1
    return model


def stepped(model: MambaForCausalLM) -> SteppedMamba:
    """Ready for a search."""
    alphabet = ("w", "r", "i", "0", "1")
    words = Vocabulary(alphabet, (*alphabet, "<eos>"), (W, R, IGNORE, ZERO, ONE), BOS, EOS)
    return SteppedMamba(HuggingFaceRunner(model), words)


def save(model: MambaForCausalLM, folder: Path) -> Path:
    """Writes a checkpoint, which says nothing of the language."""
    config = model.config.to_diff_dict() | {"dtype": "float32"}
    tensors = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    write_folder(folder, config, tensors, "float32", ("w", "r", "i", "0", "1"), {}, "a card")
    return folder
