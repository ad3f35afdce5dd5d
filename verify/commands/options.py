"""Options that the commands share, checked once, before any work."""

from __future__ import annotations

import argparse
import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE
from verify.mamba import TARGETS

LONGEST_STRING = 50_000_000
"""Symbols of one random string; more would not fit into memory as a list of symbols."""


def add_common(parser: argparse.ArgumentParser) -> None:
    """--mode, --arithmetic, the random test, --strings-file, --json, --save, --quiet, --limit."""
    parser.add_argument("--mode", choices=MODES, default=PREDICTIVE, help="the question asked after each prefix (default: predictive)")
    parser.add_argument("--arithmetic", type=nonempty, metavar="A", help="exact, fixed:P, float16, float32, float64 or wrap:P (default: what the construction needs)")
    add_target(parser, TARGETS)
    parser.add_argument("--strings", type=whole_number, default=1000, metavar="N", help="random strings to test (default: 1000)")
    parser.add_argument("--max-length", type=whole_number, metavar="L", help="of the random strings (default: 500)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="of the random strings (default: 0)")
    parser.add_argument("--strings-file", type=nonempty, metavar="F", help="also run the model on these strings, one a line")
    parser.add_argument("--limit", type=whole_number, default=5_000_000, metavar="N", help="give up the proof search beyond N joint states (default: 5000000)")
    parser.add_argument("--json", type=nonempty, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--save", type=nonempty, metavar="DIR", help="write the weights (safetensors) and the names of all coordinates (JSON)")
    parser.add_argument("--quiet", action="store_true", help="print the verdicts only")


def add_target(parser: argparse.ArgumentParser, targets: tuple[str, ...]) -> None:
    """--target, the first of these by default, and --dtype."""
    from constructions.mamba.precision import PRECISIONS

    parser.add_argument("--target", choices=targets, default=targets[0], help=f"what it is lowered to and run in (default: {targets[0]})")
    parser.add_argument("--dtype", choices=PRECISIONS, default="float32", help="of a Mamba's weights (default: float32)")


def whole_number(text: str) -> int:
    """A number >= 0 for argparse, which names the option in its message."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def nonempty(text: str) -> str:
    """A path or a name for argparse, which names the option in its message."""
    if not text:
        raise argparse.ArgumentTypeError("is empty")
    return text


def check_common(args: argparse.Namespace, save: str = "--save") -> None:
    """What can be found wrong before any work: unwritable paths, strings that are too long, two files in one place.

    Args:
        save: the name of the option whose value is ``args.save``.
    """
    if args.max_length is not None and args.max_length > LONGEST_STRING:
        raise InputError(f"--max-length {args.max_length}: the longest random string is {LONGEST_STRING} symbols")
    if args.json:
        check_writable(args.json, "--json")
        if os.path.isdir(args.json):
            raise InputError(f"--json {args.json}: is a folder")
    if args.save:
        check_writable(args.save, save)
        if os.path.exists(args.save) and not os.path.isdir(args.save):
            raise InputError(f"{save} {args.save}: is not a folder")
    _check_apart(args, save)


def _check_apart(args: argparse.Namespace, save: str) -> None:
    """Raises when the report would overwrite the strings, or lie among the weights, or the other way round."""
    if not args.json:
        return
    report = Path(os.path.realpath(args.json))
    strings = getattr(args, "strings_file", None)
    if strings and report == Path(os.path.realpath(strings)):
        raise InputError(f"--json {args.json}: is the file of --strings-file")
    if args.save:
        weights = Path(os.path.realpath(args.save))
        if report == weights or weights in report.parents or report in weights.parents:
            raise InputError(f"--json {args.json}: lies in the same place as {save} {args.save}")


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
        folder = target.parent
        while not folder.exists():
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{option} {path}: cannot be written ({error.strerror})") from None
