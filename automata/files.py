"""Files: text read with errors that name the file; files and folders written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Collection, Iterator

from automata import limits
from automata.errors import InputError

_CHUNK = 1 << 20


def read_text(path: str | Path) -> str:
    """The text of a UTF-8 file (a byte order mark is dropped, line ends are as in the file).

    Raises:
        InputError: naming the file, and the byte where it is not UTF-8 text, or when it has more bytes than the limit.
    """
    data = bytearray()
    try:
        with open(path, "rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                if not data and chunk[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise InputError(f"{path}: not UTF-8 text (it begins as UTF-16 does)")
                if (position := chunk.find(0)) >= 0:
                    raise InputError(f"{path}: not a text file (byte {len(data) + position} is 0)")
                data += chunk
                if limits.exceeded("text", len(data)):  # a device may have no end
                    raise limits.refusal(
                        "text", f"{path}: too large for a text, more than {limits.limit('text')} bytes"
                    )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: cannot be read ({error})") from None  # a zero byte in the path
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start} is 0x{data[error.start]:02x})") from None


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file, whole or not at all (see :func:`staged`).

    Raises:
        InputError: naming the file, when it cannot be written; an older file is then as it was.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: {text[error.start]!r} cannot be written as UTF-8") from None
    write_bytes(path, data)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes a file, whole or not at all (see :func:`staged`)."""
    with staged(path, data):
        pass


@contextmanager
def staged(path: str | Path, data: bytes) -> Iterator[None]:
    """Writes a file beside ``path``, and after the ``with`` block moves it there in one step, so nobody sees a part of
    it.

    When the block fails, nothing is written.  A pipe or a device (``/dev/stdout``) is written to at once, never
    replaced.

    Raises:
        InputError: naming the file, when it cannot be written; an older file is then as it was.
    """
    target = Path(os.path.realpath(path))
    with ExitStack() as stack:
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                with open(path, "wb") as file:
                    file.write(data)
                fresh = None
            else:
                # A folder of its own, in the same file system: the file gets ordinary permissions and is cleaned up.
                folder = stack.enter_context(tempfile.TemporaryDirectory(dir=target.parent, prefix=".writing-"))
                fresh = Path(folder) / target.name
                with open(fresh, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
        yield
        try:
            if fresh is not None:
                os.replace(fresh, target)
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None


@contextmanager
def replaced_folder(folder: str | Path, files: Collection[str], what: str) -> Iterator[Path]:
    """A fresh folder to write these files into; at the end it takes this place, so nobody sees a part of it.

    When anything fails the folder that was there is there again.  A link to a folder stays one.

    Raises:
        InputError: when it cannot be written, or when something else is there (see :func:`check_replaceable`).
    """
    check_replaceable(folder, files, what)
    place = Path(os.path.realpath(folder))
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".saving-") as temporary:
            fresh = Path(temporary) / "fresh"
            fresh.mkdir()
            yield fresh
            _take_the_place(fresh, place, Path(temporary) / "old")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror or error})") from None


def _take_the_place(fresh: Path, folder: Path, old: Path) -> None:
    """Moves the fresh folder where the other one is, which goes to ``old``, or is back when that fails."""
    if not folder.exists():
        os.replace(fresh, folder)
        return
    try:
        os.replace(folder, old)
        os.replace(fresh, folder)
    except BaseException:
        if old.exists() and not folder.exists():
            os.replace(old, folder)
        raise


def check_replaceable(folder: str | Path, files: Collection[str], what: str) -> None:
    """Raises when there is something at this place other than a folder of nothing but such files."""
    folder = Path(folder)
    try:
        if folder.exists() and not (folder.is_dir() and set(os.listdir(folder)) <= set(files)):
            raise InputError(f"{folder}: exists and is not {what}, nothing was written")
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
