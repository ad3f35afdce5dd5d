"""Files of named values in a checkpoint's folder, and what errors say of them; PyTorch is not imported for that."""

from __future__ import annotations

import json
import re
from pathlib import Path

from automata.errors import InputError
from automata.files import read_text


def read_json(directory: Path, name: str) -> dict:
    """A file of named values."""
    try:
        content = json.loads(read_text(directory / name))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{directory}: {name} cannot be read: {first_line(error)}") from None
    if not isinstance(content, dict):
        raise InputError(f"{directory}: {name} has no named values")
    return content


def first_line(error: BaseException) -> str:
    """The beginning of what an error says; its kind only where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # A heading alone says nothing.
    text = " ".join(lines[: 2 if lines[:1] and lines[0].endswith(":") else 1])
    text = re.sub(r":\s*\w*Error:\s*", ": ", text)
    # What speaks about Python's own errors and classes is of no use to who reads the line.
    text = re.split(r"[:;,]?\s*(?:\w*Error\b|<class|NoneType)", text)[0]
    return text[:200] or type(error).__name__


def shown(value: object) -> str:
    """A value from a file, short enough for an error."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
