"""Where a command reads and writes: nothing that is read is overwritten, and no model is lost.

The places are looked for in the options of all commands together, so that none can forget one.
"""

from __future__ import annotations

import argparse
import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from automata.errors import InputError
from verify.show.report import STANDARD_OUTPUT

_READ = {
    "strings_file": "--strings-file",
    "file": "--file",
    "cfg": "--cfg",
    "released": "--released",
    "weights": "--weights",
    "directory": "DIR",
    "data": "--data",
    "path": "PATH",
    "strings_from": "--strings-from",
    "decide": "--decide",
    "proof": "--proof",
}
"""Where options are kept that name what is read, and what they are called."""

_FILES = {
    "json": "--json",
    "markdown": "--markdown",
    "html": "--html",
    "certificate": "--certificate",
    "save_proof": "--save-proof",
    "coq": "--coq",
    "draw": "--draw",
    "plot": "--plot",
    "parquet": "--parquet",
    "automaton": "--automaton",
}
_PICTURES = ("--draw", "--plot")
_FOLDERS = {"save": "--save", "to": "--to", "out": "--out"}
"""The same for files and folders that are written; a picture is written into a folder that is there."""

_MODELS = (
    ("weights.safetensors", "model.json"),
    ("weights.safetensors", "linear.json"),
    ("model.safetensors", "config.json"),
    ("model.safetensors.index.json", "config.json"),
)
"""The files by which a saved model, and a checkpoint, are known."""


def check_places(args: argparse.Namespace) -> None:
    """Checks every path among the options before any work.

    Raises:
        InputError: naming the option, when a place cannot be written, is also read, is written twice, lies within
            another one, or lies in a saved model or a checkpoint.
    """
    read = _given(args, _READ)
    written = _given(args, {**_FILES, **_FOLDERS})
    for option, path in written:
        folder = option in _FOLDERS.values()
        check_writable(path, option)
        if option in _PICTURES and not os.path.isdir(os.path.dirname(os.path.realpath(path))):
            raise InputError(f"{option} {path}: cannot be written (there is no such folder)")
        if folder and os.path.islink(path) and not os.path.exists(path):
            raise InputError(f"{option} {path}: is a symbolic link to nothing")
        if os.path.exists(path) and os.path.isdir(path) != folder:
            raise InputError(f"{option} {path}: is {'not ' * folder}a folder")
    for number, (option, path) in enumerate(written):
        for other, place in read:
            if _same(path, place):
                raise InputError(
                    f"{option} {path}: is the file of {other}"
                    if os.path.isfile(path)
                    else f"{option} {path}: is also read, by {other}"
                )
            # The published files lie in folders of this one.
            if _within(path, place, 1 + (other == "--released")) or _within(place, path):
                raise InputError(f"{option} {path}: lies in the same place as {other} {place}, which is read")
        for other, place in written[:number]:
            if _same(path, place) or _within(path, place) or _within(place, path):
                raise InputError(f"{option} {path}: lies in the same place as {other} {place}")
        # A folder that is a model may be written again as a whole, parts of a census do not belong into it.
        _outside_models(path, option, itself=option == "--out")


def check_writable(path: str, option: str) -> None:
    """Raises unless the path can be written, or a file can be made in the nearest existing folder above it."""
    target = Path(path).absolute()
    try:
        with suppress(FileNotFoundError):
            target.stat()
            if not os.access(target, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            if not target.is_file() and not target.is_dir():
                return  # a pipe or a device
        folder = Path(os.path.realpath(target)).parent
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
        raise InputError(f"{option} {path}: cannot be written ({getattr(error, 'strerror', None) or error})") from None


def _given(args: argparse.Namespace, options: dict[str, str]) -> list[tuple[str, str]]:
    places = [(option, getattr(args, name)) for name, option in options.items() if getattr(args, name, None)]
    return [(option, path) for option, path in places if (option, path) != ("--json", STANDARD_OUTPUT)]


def _same(first: str, second: str) -> bool:
    """Whether the two are one file, by whatever names; a device such as a terminal is no file."""
    with suppress(OSError):
        if stat.S_ISCHR(os.stat(first).st_mode):
            return False
        if os.path.samefile(first, second):
            return True
    return os.path.realpath(first) == os.path.realpath(second)


def _within(inner: str, outer: str, depth: int = 1) -> bool:
    """Whether the first lies in the second, at least so deep."""
    return Path(os.path.realpath(outer)) in list(Path(os.path.realpath(inner)).parents)[depth - 1 :]


def _outside_models(path: str, option: str, itself: bool) -> None:
    place = Path(os.path.realpath(path))
    for folder in ([place] if itself else []) + list(place.parents):
        for names in _MODELS:
            if all(os.path.isfile(folder / name) for name in names):
                raise InputError(f"{option} {path}: lies in {folder}, which is a saved model or a checkpoint")
