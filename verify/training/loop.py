"""The loop that trains: binary cross-entropy on sets of legal outputs, AdamW, and gates that are driven to 0 and 1.

How gates become exact: from 15 % of the training on, uniform noise is added to those pre-activations of step sizes that
are small; its bound grows to 115.  A channel that has to hold its number against that must have its pre-activation so
far below 0 that softplus of it is 0 in float32: then the gate is 1 and nothing is added, exactly.  From 60 % on a
penalty pulls all others there too, or up to where a gate forgets.

The idea of gates that are trained with noise until they are nearly 0 or 1 is that of Li et al. 2018 for LSTMs.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from transformers import MambaForCausalLM

from automata.errors import InputError
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL, PAD
from verify.training.protocol import FORGETS, HELD, PIVOT, Protocol
from verify.training.scan import fast_scan
from verify.training.strings import Source, Strings

_LONGEST_GRADIENT = 1.0

_POSITIONS = 20_000
"""Of strings that are run together, where no derivative is taken."""


class Training:
    """A model in training; its whole state is the weights, two moments of each, and the number of steps done.

    Args:
        model: its weights are changed in place.
        source: of the strings.
        protocol: sizes are not looked at: those of the model count.
    """

    def __init__(self, model: MambaForCausalLM, source: Source, protocol: Protocol):
        self.model, self.source, self.protocol = model.train(), source, protocol
        self.step, self.loss = 0, float("nan")
        self._weights = dict(model.named_parameters())
        self._origin = {name: weight.detach().clone() for name, weight in self._weights.items()}
        # What is trained: the weights, or the relative change of each.
        self._trained = (
            {name: torch.zeros_like(weight) for name, weight in self._weights.items()}
            if protocol.relative
            else self._weights
        )
        gates = {name for name in self._trained if "dt_proj" in name} if protocol.sharpen else set()
        groups = [
            {"params": [t for name, t in self._trained.items() if name not in gates], "weight_decay": self._decay},
            {"params": [t for name, t in self._trained.items() if name in gates], "weight_decay": 0.0},
        ]
        self._optimiser = torch.optim.AdamW(
            [group for group in groups if group["params"]], lr=protocol.rate, fused=True
        )
        self._changes = torch.Generator()

    @property
    def _decay(self) -> float:
        """Relative changes that decay would be drawn to the weights that training began with."""
        return 0.0 if self.protocol.relative else self.protocol.decay

    def advance(self, done: float | None = None) -> None:
        """Takes one step.

        Args:
            done: how much of the training is over after it, where that is not what the number of steps says.

        Raises:
            InputError: when the loss is not a number any more.
        """
        protocol = self.protocol
        if done is None:
            done = (self.step + 1) / protocol.steps
        rates = (protocol.learning_rate(done), protocol.step_size_rate(done))
        for group, rate in zip(self._optimiser.param_groups, rates):
            group["lr"] = rate
        strings = self.source.batch(self.step, protocol.batch)
        tokens, legal, inside = tensors_of(strings)
        noise, penalty = protocol.gate_noise(done), protocol.gate_penalty(done)
        self._changes.manual_seed((protocol.seed << 32) + self.step)
        seen: list[torch.Tensor] = []

        def change(before: torch.Tensor) -> torch.Tensor:
            seen.append(before)
            if not noise:
                return before
            drawn = torch.rand(before.shape, generator=self._changes)
            return before + noise * drawn * (before.detach() < PIVOT)

        with fast_scan(change):
            logits = self.model(tokens, use_cache=False).logits
        wrong = F.binary_cross_entropy_with_logits(logits[..., answers(legal)], legal, reduction="none").mean(-1)
        loss = (wrong * inside).sum() / inside.sum()
        total = loss
        if penalty:
            total = loss + penalty * sum(_undecided(before, inside) for before in seen)
        self.loss = loss.item()
        if not np.isfinite(self.loss):
            raise InputError(
                f"the loss is {self.loss} at step {self.step + 1}: try a smaller --rate, or another --seed"
            )
        self.model.zero_grad(set_to_none=True)
        total.backward()
        self._update()
        self.step += 1

    def _update(self) -> None:
        if self.protocol.relative:
            for name, weight in self._weights.items():
                self._trained[name].grad = weight.grad * self._origin[name] if weight.grad is not None else None
        torch.nn.utils.clip_grad_norm_(self._trained.values(), _LONGEST_GRADIENT)
        self._optimiser.step()
        if self.protocol.relative:
            with torch.no_grad():
                for name, weight in self._weights.items():
                    weight.copy_(self._origin[name] * (1 + self._trained[name]))

    def tensors(self) -> dict[str, np.ndarray]:
        """The weights, by the names of a checkpoint."""
        return {name: weight.detach().numpy().copy() for name, weight in self._weights.items()}

    def state(self) -> dict[str, np.ndarray]:
        """What :meth:`restore` needs besides the number of steps."""
        found = {}
        for name, tensor in self._trained.items():
            found[f"value.{name}"] = tensor.detach().numpy().copy()
            for moment in ("exp_avg", "exp_avg_sq"):
                kept = self._optimiser.state[tensor].get(moment, torch.zeros_like(tensor))
                found[f"{moment}.{name}"] = kept.numpy().copy()
        return found

    def restore(self, step: int, state: dict[str, np.ndarray]) -> None:
        """Goes on after so many steps, from the state of then.

        Raises:
            InputError: when the state is not that of this model.
        """
        wanted = {name: array.shape for name, array in self.state().items()}
        if {name: array.shape for name, array in state.items()} != wanted:
            raise InputError("the state is that of a training of another model")
        self.step = step
        with torch.no_grad():
            for name, tensor in self._trained.items():
                tensor.copy_(torch.from_numpy(state[f"value.{name}"]))
                self._optimiser.state[tensor] = {
                    "step": torch.tensor(float(step)),
                    **{m: torch.from_numpy(state[f"{m}.{name}"].copy()) for m in ("exp_avg", "exp_avg_sq")},
                }
                if self.protocol.relative:
                    self._weights[name].copy_(self._origin[name] * (1 + tensor))


def _undecided(before: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """How far the pre-activations of a block are from where gates are exact or forget, summed over channels."""
    distance = torch.where(before < PIVOT, F.relu(before - HELD), F.relu(FORGETS - before))
    return (distance.sum(1) * inside).sum() / inside.sum()


def tensors_of(strings: Strings) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tokens, beginning with <bos>; what is legal after each, as 0 and 1; and 1 up to the end of each string."""
    symbols = torch.from_numpy(strings.symbols.astype(np.int64))
    tokens = F.pad(torch.where(symbols >= 0, symbols + FIRST_SYMBOL, PAD), (1, 0), value=BOS_TOKEN)
    inside = F.pad((symbols >= 0).float(), (1, 0), value=1.0)
    return tokens, torch.from_numpy(strings.legal.astype(np.float32)), inside


def answers(legal: torch.Tensor) -> list[int]:
    """The tokens whose logits answer: the symbols, then the end."""
    return [*range(FIRST_SYMBOL, FIRST_SYMBOL + legal.shape[-1] - 1), EOS_TOKEN]


@torch.no_grad()
def percent_right(model: MambaForCausalLM, strings: Strings) -> float | None:
    """The percentage of strings that are answered right after every prefix; None of no strings."""
    order, right = np.argsort(strings.lengths, kind="stable"), 0
    each = max(1, _POSITIONS // (1 + strings.symbols.shape[1]))
    training = model.training
    model.eval()
    with fast_scan():
        for first in range(0, len(order), each):
            tokens, legal, inside = tensors_of(strings.rows(order[first : first + each]))
            given = model(tokens, use_cache=False).logits[..., answers(legal)] > 0
            right += int(((given == (legal > 0.5)).all(-1) | (inside == 0)).all(-1).sum())
    model.train(training)
    return 100 * right / len(order) if len(order) else None
