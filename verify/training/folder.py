"""The folder of a training: a checkpoint as ``from_pretrained`` loads it, and what is needed to go on.

=====================  ===================================================================================
training.json          how it is trained, how far it is, what it costs, and at the end how often it is right
training.safetensors   while it is not over: what is trained, and the two moments of AdamW of each number
=====================  ===================================================================================

The other files are those of :mod:`constructions.mamba.checkpoint`.  All of them are written together or not at all, so
that they belong to the same step whenever training ends.  Nothing is pickled.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Mapping

import numpy as np

from automata.errors import InputError
from automata.files import read_text
from automata.machine import PREDICTIVE
from automata.saved_language import LANGUAGE_FILE
from constructions.mamba.checkpoint import serialised, write_folder
from verify.training.protocol import Protocol

RECORD_FILE, STATE_FILE = "training.json", "training.safetensors"

FORMAT = 1


@dataclass(frozen=True)
class Record:
    """How far a training is.

    Attributes:
        protocol: how it is trained.
        language: the text of ``language.json``.
        step: updates that are done.
        seconds: of CPU time that they took.
        loss: of the last of them.
        origin: the folder that weights are from, where they are.
        result: what was measured at the end; empty before.
    """

    protocol: Protocol
    language: str
    step: int = 0
    seconds: float = 0.0
    loss: float = math.inf
    origin: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        return self.step >= self.protocol.steps

    def to_json(self) -> dict[str, Any]:
        entries = asdict(replace(self, language=""))
        del entries["language"]
        return {"format": FORMAT, **entries, "loss": self.loss if math.isfinite(self.loss) else None}


def read_record(folder: str | Path) -> Record | None:
    """What the folder says of its training; None where there is no folder, or nothing in it.

    Raises:
        InputError: when it holds something else, or a record of another form.
    """
    folder = Path(folder)
    path = folder / RECORD_FILE
    if not path.is_file():
        if folder.is_dir() and any(folder.iterdir()):
            raise InputError(f"{folder}: exists and has no {RECORD_FILE}, nothing is written there")
        return None
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: is not JSON ({error})") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{path}: is not the record of a training, of format {FORMAT}")
    protocol = Protocol.from_json(found.get("protocol"), str(path))
    kinds = {"step": int, "seconds": float, "origin": str, "result": dict}
    for name, kind in kinds.items():
        if type(found.get(name)) is not kind:
            raise InputError(f"{path}: {name}: expected {kind.__name__}")
    loss = found.get("loss")
    return Record(
        protocol,
        read_text(folder / LANGUAGE_FILE),
        **{name: found[name] for name in kinds},
        loss=loss if isinstance(loss, float) else math.inf,
    )


def read_state(folder: str | Path) -> dict[str, np.ndarray]:
    """The state of a training that is not over.

    Raises:
        InputError: when it cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(Path(folder) / STATE_FILE)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder}: {STATE_FILE} cannot be read ({error})") from None


def write_training(
    folder: str | Path,
    configuration: dict,
    tensors: Mapping[str, np.ndarray],
    alphabet: tuple[str, ...],
    record: Record,
    card: str,
    state: Mapping[str, np.ndarray] | None,
) -> None:
    """Writes the folder, whole or not at all.

    Args:
        configuration: of ``config.json``.
        tensors: the weights.
        alphabet: the symbols.
        record: how far it is.
        card: of ``README.md``.
        state: what is needed to go on; None at the end.

    Raises:
        InputError: when the folder cannot be written or holds something else, or a weight is no finite number.
    """
    record_text = json.dumps(record.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    meanings = {
        "alphabet": list(alphabet),
        "mode": PREDICTIVE,
        "convention": "an output is given when its logit is positive; the end is the logit of <eos>",
    }
    more = {
        RECORD_FILE: record_text.encode(),
        STATE_FILE: None if state is None else serialised(state, "float32"),
    }
    write_folder(Path(folder), configuration, tensors, "float32", alphabet, meanings, card, record.language, more=more)
