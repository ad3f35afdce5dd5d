"""A selective scan for training on a CPU: the loop over time of a Mamba, with its derivative written out by hand.

transformers runs a Mamba without its kernels as a loop of small operations, each of which automatic differentiation
remembers.  Here the whole loop is one operation: time comes first, so that a step reads and writes one block, and the
derivative runs backwards over the states that were kept.  The model stays ``MambaForCausalLM``; while
:func:`fast_scan` is entered, its scan is this one, and nothing else changes.

With gates ``g[t] = exp(dt[t] A)``, the states are ``h[t] = g[t] h[t-1] + dt[t] x[t] B[t]`` and the outputs
``y[t] = sum_n C[t, n] h[t, :, n]``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Callable, Iterator

import torch
import torch.nn.functional as F
from transformers.models.mamba import modeling_mamba

Change = Callable[[torch.Tensor], torch.Tensor]
"""What is done to the pre-activations of the step sizes, shape (batch, inner, time), before softplus."""


class Scan(torch.autograd.Function):
    """Outputs of the recurrence; all arguments and results have time first.

    Args:
        x, dt: shape (time, batch, inner).
        A: shape (inner, states).
        B, C: shape (time, batch, states).
    """

    @staticmethod
    def forward(ctx: Any, x, dt, A, B, C):
        gates = torch.exp(dt.unsqueeze(-1) * A)
        states = (dt * x).unsqueeze(-1) * B.unsqueeze(2)
        for now, before, gate in zip(states[1:], states, gates[1:]):
            now.addcmul_(gate, before)
        ctx.save_for_backward(x, dt, A, B, C, gates, states)
        return (states * C.unsqueeze(2)).sum(-1) if A.shape[1] == 1 else torch.einsum("tbin,tbn->tbi", states, C)

    @staticmethod
    def backward(ctx: Any, dy):
        x, dt, A, B, C, gates, states = ctx.saved_tensors
        # What the loss changes by with each state: through its output, and through the states after it.
        dh = dy.unsqueeze(-1) * C.unsqueeze(2)
        for t in range(len(dh) - 1, 0, -1):
            dh[t - 1].addcmul_(gates[t], dh[t])
        dC = torch.einsum("tbi,tbin->tbn", dy, states)
        dB = torch.einsum("tbi,tbin->tbn", dt * x, dh)
        dinput = torch.einsum("tbin,tbn->tbi", dh, B)
        # With the exponent dt A of each gate; the first gate meets the state 0.
        dexponent = dh[1:].mul_(gates[1:]).mul_(states[:-1])
        ddt = dinput * x
        ddt[1:] += torch.einsum("tbin,in->tbi", dexponent, A)
        dA = torch.einsum("tbin,tbi->in", dexponent, dt[1:])
        return dinput * dt, ddt, dA, dB, dC


@contextmanager
def fast_scan(change: Change | None = None) -> Iterator[None]:
    """While entered, whole forward passes of every Mamba in transformers use :class:`Scan`.

    Args:
        change: what is done to the pre-activations of all step sizes, block by block; nothing where absent.
    """
    stock = modeling_mamba.mamba_selective_scan

    def scan(hidden_states, dt, A, B, C, D=None, z=None, delta_bias=None, delta_softplus=False, **options):
        if options.get("return_last_state"):
            return stock(hidden_states, dt, A, B, C, D, z, delta_bias, delta_softplus, **options)
        if delta_bias is not None:
            dt = dt + delta_bias[:, None]
        if change is not None:
            dt = change(dt)
        if delta_softplus:
            dt = F.softplus(dt)
        parts = (part.permute(2, 0, 1).contiguous() for part in (hidden_states, dt, B, C))
        x, steps, into, out = parts
        y = Scan.apply(x, steps, A, into, out).permute(1, 2, 0)
        if D is not None:
            y = y + hidden_states * D[:, None]
        return y if z is None else y * F.silu(z)

    modeling_mamba.mamba_selective_scan = scan
    try:
        yield
    finally:
        modeling_mamba.mamba_selective_scan = stock
