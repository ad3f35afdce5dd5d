"""What a checkpoint folder says of itself, where it was written here: the question, and the symbols."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from automata.errors import InputError
from automata.files import read_text
from automata.machine import MODES, PREDICTIVE
from constructions.mamba.checkpoint import COORDINATES_FILE


def declared_mode(directory: Path) -> str:
    """The mode that it declares; predictive where it declares none."""
    mode = _declared(directory, "mode")
    return mode if mode in MODES else PREDICTIVE


def declared_alphabet(directory: Path) -> tuple[str, ...]:
    """The symbols that it declares; none where it does not."""
    symbols = _declared(directory, "alphabet")
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        return ()
    return tuple(symbols)


def _declared(directory: Path, name: str) -> Any:
    try:
        return json.loads(read_text(directory / COORDINATES_FILE))[name]
    except (OSError, InputError, ValueError, KeyError, TypeError, RecursionError):
        return None
