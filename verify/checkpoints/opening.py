"""Opens a checkpoint of any architecture that has a target here, ready to be stepped."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Sequence

from automata.errors import InputError
from constructions.mamba.checkpoint import CONFIG
from constructions.mamba.named_values import read_json, shown
from constructions.mamba.reading import Reading
from constructions.target import TARGETS

STEPPED = 64
"""Strings that are stepped at once where the architecture has no limit."""


class Opened(NamedTuple):
    """A checkpoint that runs.

    Attributes:
        what: the architecture in words.
        model: a :class:`constructions.mamba.stepping.SteppedMamba`.
        values: named values about the model itself.
        audit: records the gates while it lasts, where that is known how; else gives None.
        gates: what the gates can be, in words, where they are not recorded.
        forgets: whether over the reals each of its gates lies below a constant less than 1.
    """

    what: str
    model: Any
    values: dict[str, object]
    audit: AbstractContextManager[Any]
    gates: str = ""
    forgets: bool = False


def kind_of(directory: Path) -> tuple[str, Any]:
    """What a folder says it holds, in words, and its target: read from its configuration alone.

    Raises:
        InputError: when the folder is no checkpoint of an architecture that is known here.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: is not a folder")
    if not (directory / CONFIG).is_file():
        raise InputError(f"{directory}: is no checkpoint, it has no {CONFIG}")
    content = read_json(directory, CONFIG)
    kind = content.get("model_type")
    if kind == "mamba" or (kind is None and "d_model" in content and "n_layer" in content):
        return "a Mamba checkpoint", TARGETS.named("mamba")
    if not isinstance(kind, str) or kind not in TARGETS:
        known = ", ".join(name for name in TARGETS if name not in ("ssm", "mamba-ssm"))
        raise InputError(f"{directory}: the architecture is {shown(kind)}, expected one of {known}")
    target = TARGETS.named(kind)
    return f"a checkpoint of {target.architecture.name}" if hasattr(target, "architecture") else target.title, target


def open_checkpoint(directory: Path, alphabet: Sequence[str], outputs: Sequence[str], reading: Reading) -> Opened:
    """The model of a folder, inside :func:`constructions.mamba.surroundings.transformers_ready`.

    Raises:
        InputError: as :func:`kind_of`, and when the folder lacks something.
    """
    what, target = kind_of(directory)
    if target.name == "mamba":
        return _mamba(directory, alphabet, outputs, reading, what)
    if hasattr(target, "architecture"):
        return _stock(directory, target.architecture, alphabet, outputs, reading, what)
    return _cell(directory, target, alphabet, outputs, reading, what)


def _mamba(directory: Path, alphabet: Sequence[str], outputs: Sequence[str], reading: Reading, what: str) -> Opened:
    from constructions.mamba.gates import GateAudit
    from constructions.mamba.huggingface import HuggingFaceRunner
    from constructions.mamba.loading import load_checkpoint, read_vocabulary
    from constructions.mamba.stepping import SteppedMamba

    model, notes = load_checkpoint(directory)
    config = model.config
    words = read_vocabulary(directory, alphabet, outputs, config.vocab_size)
    values = {
        "blocks": config.num_hidden_layers,
        "d_model, d_inner": (config.hidden_size, config.intermediate_size),
        "d_state, d_conv": (config.state_size, config.conv_kernel),
        **_counted(model, notes),
    }
    stepped = SteppedMamba(HuggingFaceRunner(model), words, reading=reading)
    return Opened(what, stepped, values, GateAudit(model), forgets=True)


def _stock(
    directory: Path, architecture: Any, alphabet: Sequence[str], outputs: Sequence[str], reading: Reading, what: str
) -> Opened:
    from constructions.mamba.loading import read_vocabulary
    from constructions.mamba.stepping import SteppedMamba
    from constructions.stock.loading import load_stock
    from constructions.stock.running import StockRunner

    model, notes = load_stock(directory, architecture)
    config = model.config
    words = read_vocabulary(directory, alphabet, outputs, config.vocab_size)
    values = {"layers": config.num_hidden_layers, "hidden size": config.hidden_size, **_counted(model, notes)}
    rows = architecture.most_rows or STEPPED
    stepped = SteppedMamba(StockRunner(architecture, model), words, rows, reading)
    return Opened(what, stepped, values, nullcontext(), architecture.gate)


def _cell(
    directory: Path, target: Any, alphabet: Sequence[str], outputs: Sequence[str], reading: Reading, what: str
) -> Opened:
    from constructions.mamba.loading import read_vocabulary
    from constructions.mamba.stepping import SteppedMamba
    from constructions.recurrent.loading import load_cell
    from constructions.recurrent.running import CellRunner

    weights, notes = load_cell(directory, target.cell)
    words = read_vocabulary(directory, alphabet, outputs, len(weights.tensors["embedding.weight"]))
    runner = CellRunner(weights)
    values = {"units": len(weights.units), **_counted(runner.model, notes)}
    stepped = SteppedMamba(runner, words, STEPPED, reading)
    return Opened(what, stepped, values, nullcontext(), "not linear in the state: no theorem about gates speaks of it")


def _counted(model: Any, notes: Sequence[str]) -> dict[str, object]:
    parameters = list(model.parameters())
    return {
        "parameters": sum(p.numel() for p in parameters),
        "nonzero": sum(int((p != 0).sum()) for p in parameters),
        **({"stored": "; ".join(notes)} if notes else {}),
    }
