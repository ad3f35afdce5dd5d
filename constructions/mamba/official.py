"""Runs Mambas in the official package, mamba-ssm: the only file here that imports it, and only in a process of its own.

It is kept apart from transformers, which would pick up this package's kernels.  On a GPU the package's own kernels run.
Without one, :func:`use_references` puts the package's own reference implementations in their place:

* ``selective_scan_cuda``, which is compiled for a GPU, is an empty module;
* the scan, the single step and the norms are ``selective_scan_ref``, ``selective_state_update_ref`` and
  ``rms_norm_ref``.

The checkpoints need one parameter renamed; mamba-ssm has no padding mask.
"""

from __future__ import annotations

import functools
import json
import sys
import types
from pathlib import Path

import torch
from safetensors.torch import load_file

from constructions.mamba.stepping import threads


def use_references() -> None:
    """Replaces the package's kernels by its reference implementations; call it before the package is imported."""
    sys.modules.setdefault("selective_scan_cuda", types.ModuleType("selective_scan_cuda"))
    from mamba_ssm.models import mixer_seq_simple
    from mamba_ssm.modules import block, mamba_simple
    from mamba_ssm.ops.selective_scan_interface import selective_scan_ref
    from mamba_ssm.ops.triton import layer_norm
    from mamba_ssm.ops.triton.selective_state_update import selective_state_update_ref

    if mamba_simple.selective_scan_fn is selective_scan_ref:
        return

    def norm(x, weight, bias, residual=None, eps=1e-6, prenorm=False, residual_in_fp32=False, **_):
        return layer_norm.rms_norm_ref(x, weight, bias, residual=residual, eps=eps, prenorm=prenorm, upcast=True)

    mamba_simple.selective_scan_fn = selective_scan_ref
    mamba_simple.selective_state_update = _in_float32(selective_state_update_ref)
    for module in (layer_norm, block, mixer_seq_simple):
        module.layer_norm_fn = norm
    layer_norm.rms_norm_fn = norm


def _in_float32(step):
    """The reference step computes in the dtypes it is given, the kernel in float32; this does as the kernel does."""

    @functools.wraps(step)
    def wrapped(state, x, dt, A, B, C, D=None, z=None, dt_bias=None, dt_softplus=False):
        wide = state.float()
        y = step(
            wide,
            x.float(),
            dt.float(),
            A.float(),
            B.float(),
            C.float(),
            D.float(),
            z.float(),
            dt_bias.float(),
            dt_softplus,
        )
        state.copy_(wide.to(state.dtype))
        return y.to(x.dtype)

    return wrapped


class OfficialRunner:
    """A ``MambaLMHeadModel`` with the weights of a checkpoint folder.

    A step reads the cache's tensors and ``seqlen_offset``, of which it asks only whether it is positive.

    Args:
        directory: a Hugging Face checkpoint.
        fused: whether norm and residual addition are one kernel (``fused_add_norm``).
    """

    def __init__(self, directory: Path, fused: bool = True):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if self.device.type == "cpu":
            use_references()
        import mamba_ssm
        from mamba_ssm.models.config_mamba import MambaConfig
        from mamba_ssm.models.mixer_seq_simple import MambaLMHeadModel
        from mamba_ssm.utils.generation import InferenceParams

        config = json.loads((directory / "config.json").read_text())
        dtype = getattr(torch, config["dtype"])
        ssm = {
            "d_state": config["state_size"],
            "d_conv": config["conv_kernel"],
            "expand": config["expand"],
            "dt_rank": config["time_step_rank"],
        }
        official = MambaConfig(
            d_model=config["hidden_size"],
            n_layer=config["num_hidden_layers"],
            vocab_size=config["vocab_size"],
            ssm_cfg=ssm,
            rms_norm=True,
            residual_in_fp32=config["residual_in_fp32"],
            fused_add_norm=fused,
            pad_vocab_size_multiple=1,
            tie_embeddings=False,
        )
        self.model = MambaLMHeadModel(official, device=self.device, dtype=dtype).eval()
        tensors = load_file(directory / "model.safetensors")
        tensors["backbone.embedding.weight"] = tensors.pop("backbone.embeddings.weight")
        self.model.load_state_dict({name: tensor.to(dtype) for name, tensor in tensors.items()}, strict=True)
        self._parameters = InferenceParams
        self.arithmetic = config["dtype"]
        kernels = "its own kernels" if self.device.type == "cuda" else "its reference implementations"
        versions = f"mamba-ssm {mamba_ssm.__version__} with {kernels}, torch {torch.__version__}"
        self.conditions = f"{self.arithmetic}, {versions}, {self.device}, {threads()}"

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model(tokens).logits

    def start(self, tokens: torch.Tensor) -> torch.Tensor:
        self._inference = self._parameters(max_seqlen=1, max_batch_size=len(tokens))
        logits = self.model(tokens, inference_params=self._inference).logits[:, -1]
        self._inference.seqlen_offset = 1
        return logits

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.model(tokens, inference_params=self._inference).logits[:, -1]

    def caches(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        memory = self._inference.key_value_memory_dict
        return [memory[layer] for layer in sorted(memory)]
