"""A process that runs stock checkpoints on a device, with whatever kernels transformers finds there.

Called as ``python -m tests.stock_on_gpu DEVICE FOLDER...``.  It reads ``tokens.npy`` (batch, time) in each folder, and
writes ``logits.npz`` beside it: ``full`` by one forward, ``prefilled`` by a prefill of the first half and single steps
from there, ``stepped`` by single steps alone, each (batch, time, vocabulary) in float32, and ``kernels``: the functions
that are not transformers' own.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from transformers import AutoModelForCausalLM, DynamicCache


def official_kernels(model: torch.nn.Module) -> list[str]:
    """Functions of other packages that the model's file calls in the place of transformers' own."""
    found = set()
    for function in vars(sys.modules[type(model).__module__]).values():
        code = getattr(function, "__code__", None)
        cells = dict(zip(code.co_freevars, function.__closure__ or ())) if code is not None else {}
        implementation = cells["implementation"].cell_contents if "implementation" in cells else None
        package = (getattr(implementation, "__module__", "") or "").split(".")[0]
        if package not in ("", "transformers"):
            found.add(f"{package}: {implementation.__name__}")
    return sorted(found)


def by_steps(model: torch.nn.Module, tokens: torch.Tensor, first: int) -> torch.Tensor:
    """The logits of a prefill of so many tokens, and of one step for each later one, as ``generate`` takes them."""
    positions = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    takes = inspect.signature(model.forward).parameters
    # A model that keeps its state in its modules returns no cache, and starts anew where it is given none.
    cache = {"past_key_values": DynamicCache(config=model.config)} if "past_key_values" in takes else {}
    parts = []
    for begin, end in [(0, first), *((time, time + 1) for time in range(first, tokens.shape[1]))]:
        given = {"position_ids": positions[:, begin:end]} if "position_ids" in takes else {}
        result = model(tokens[:, begin:end], use_cache=True, **given, **cache)
        cache |= {name: result[name] for name in ("cache_params", "past_key_values", "state") if name in result}
        parts.append(result.logits)
    return torch.cat(parts, 1)


RUNS: dict[str, Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]] = {
    "full": lambda model, tokens: model(tokens, use_cache=False).logits,
    "prefilled": lambda model, tokens: by_steps(model, tokens, tokens.shape[1] // 2),
    "stepped": lambda model, tokens: by_steps(model, tokens, 1),
}


def main(device: str, folders: list[str]) -> None:
    for folder in map(Path, folders):
        tokens, arrays = torch.from_numpy(np.load(folder / "tokens.npy")).to(device), {}
        for name, run in RUNS.items():
            model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval().to(device)
            with torch.no_grad():
                arrays[name] = run(model, tokens).float().cpu().numpy()
        np.savez(folder / "logits.npz", kernels=np.array(official_kernels(model), dtype=str), **arrays)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
