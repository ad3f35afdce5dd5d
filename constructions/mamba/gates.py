"""What the gates of a running Mamba are: the audit, and what the values allow.

A channel's gate is exp(delta A) with A < 0 and delta = softplus(...) >= 0, so it lies between 0 and 1 whatever the
weights are: never negative, so no channel alternates (Sarrof, Veitsman, Hahn 2024, Theorem 2).  What is left is whether
it ever is 0, which forgets, and whether it ever is 1, which holds for ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import MambaForCausalLM


@dataclass
class GateRange:
    """The least and the greatest gate that a layer had, over all channels and positions seen."""

    least: float = float("inf")
    greatest: float = float("-inf")

    @property
    def allows(self) -> str:
        """In words."""
        forgets = "resets exactly" if self.least == 0 else f"never forgets exactly (at least {self.least:.3g} is kept)"
        holds = "holds for ever" if self.greatest == 1 else f"fades (at most {near_one(self.greatest)} is kept a step)"
        return f"{forgets}, {holds}"


def near_one(gate: float) -> str:
    """A gate as it is shown: as its distance from 1, where its digits would not tell it from 1.

    >>> near_one(0.98), near_one(0.99999997), near_one(1.0)
    ('0.98', '1 - 3e-08', '1')
    """
    return f"1 - {1 - gate:.3g}" if 0.999 < gate < 1 else f"{gate:.6g}"


class GateAudit:
    """Watches the gates of every layer while it is entered.

    >>> from constructions.paper.flip_flop import flip_flop
    >>> from constructions.mamba.huggingface import stock_model
    >>> from constructions.mamba.lowering import lower_to_mamba
    >>> model = stock_model(lower_to_mamba(flip_flop()))
    >>> with GateAudit(model) as audit, torch.no_grad():
    ...     _ = model(torch.tensor([[1, 3, 7, 5]]))
    >>> [(layer.least, layer.greatest) for layer in audit.layers]
    [(0.0, 1.0), (0.0, 1.0), (1.0, 1.0)]
    """

    def __init__(self, model: MambaForCausalLM):
        self.model = model
        self.layers = [GateRange() for _ in model.backbone.layers]

    def __enter__(self) -> "GateAudit":
        self._hooks = [
            block.mixer.x_proj.register_forward_hook(self._watch(block.mixer, seen))
            for block, seen in zip(self.model.backbone.layers, self.layers)
        ]
        return self

    def __exit__(self, *_) -> None:
        for hook in self._hooks:
            hook.remove()

    def _watch(self, mixer, seen: GateRange):
        def hook(_module, _inputs, projected: torch.Tensor) -> None:
            gates = gates_of(mixer, projected)
            seen.least = min(seen.least, float(gates.min()))
            seen.greatest = max(seen.greatest, float(gates.max()))

        return hook


@dataclass(frozen=True)
class LayerView:
    """What happened in one layer on one string.

    Attributes:
        neurons: (time, d_inner), what the convolution and silu give.
        gates: (time, d_inner, d_state).
        residual: (time, d_model), the residual stream after the layer.
    """

    neurons: torch.Tensor
    gates: torch.Tensor
    residual: torch.Tensor


def watch(model: MambaForCausalLM, tokens: torch.Tensor) -> list[LayerView]:
    """Runs the model on one string of tokens, shape (time,), and returns what happened in each layer."""
    neurons: list[torch.Tensor] = []
    gates: list[torch.Tensor] = []
    residual: list[torch.Tensor] = []
    hooks = []
    for block in model.backbone.layers:

        def projected(_module, inputs, output, mixer=block.mixer) -> None:
            neurons.append(inputs[0][0])
            gates.append(gates_of(mixer, output)[0])

        hooks.append(block.mixer.x_proj.register_forward_hook(projected))
        hooks.append(block.register_forward_hook(lambda _module, _inputs, output: residual.append(output[0])))
    with torch.no_grad():
        model(tokens[None])
    for hook in hooks:
        hook.remove()
    return [LayerView(*views) for views in zip(neurons, gates, residual)]


def gates_of(mixer, projected: torch.Tensor) -> torch.Tensor:
    """The gates, shape (..., d_inner, d_state), from the output of ``x_proj``, computed as the model does."""
    delta = projected[..., : mixer.time_step_rank] @ mixer.dt_proj.weight.T
    delta = torch.nn.functional.softplus(delta + mixer.dt_proj.bias)
    return torch.exp(delta[..., None].float() * -torch.exp(mixer.A_log.float()))
