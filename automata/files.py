"""Files: text read with errors that name the file; files and folders written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Collection, Iterator

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


@contextmanager
def replaced_folder(folder: str | Path, files: Collection[str], what: str) -> Iterator[Path]:
    """A fresh folder to write these files into; at the end it takes this place, so nobody sees a part of it.

    Raises:
        InputError: when it cannot be written, or when something else is there (see :func:`check_replaceable`).
    """
    folder = Path(folder)
    check_replaceable(folder, files, what)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".saving-") as temporary:
            fresh = Path(temporary) / "fresh"
            fresh.mkdir()
            yield fresh
            if folder.exists():
                shutil.move(folder, Path(temporary) / "old")
            os.replace(fresh, folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from None


def check_replaceable(folder: str | Path, files: Collection[str], what: str) -> None:
    """Raises when there is something at this place other than a folder of nothing but such files."""
    folder = Path(folder)
    try:
        if folder.exists() and not (folder.is_dir() and set(os.listdir(folder)) <= set(files)):
            raise InputError(f"{folder}: exists and is not {what}, nothing was written")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
