"""Text files: read with errors that name the file, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from automata.errors import InputError


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file (a byte order mark is dropped, line ends are as in the file).

    Raises:
        InputError: naming the file, and the byte where it is not UTF-8 text.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    if (position := data.find(0)) >= 0:
        raise InputError(f"{path}: not a text file (byte {position} is 0)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start} is 0x{data[error.start]:02x})") from None


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file beside ``path`` and moves it there in one step, so nobody sees a part of it.

    A pipe or a device (``/dev/stdout``) is written to, never replaced.

    Raises:
        InputError: naming the file, when it cannot be written; an older file is then as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        data = text.encode("utf-8")
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.write(data)
            return
        # A folder of its own, in the same file system: the file gets ordinary permissions and is cleaned up.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-") as folder:
            fresh = Path(folder) / target.name
            with open(fresh, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, target)
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: {text[error.start]!r} cannot be written as UTF-8") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
