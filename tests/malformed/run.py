"""Runs cases in a process of their own, and says what is wrong with each answer."""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

from .cases import Case, case

CPU_SECONDS, REAL_SECONDS, MEMORY = 40, 150, 6 << 30
"""What one case may take; more is a finding."""


class TooLong(BaseException):
    """A case has used up its time."""


@dataclass
class Outcome:
    """One case: its number and kind, the status it ended with, and everything wrong with that."""

    number: int
    kind: str
    arguments: list[str]
    status: int | None
    wrong: list[str]
    seconds: float = 0.0


def run(seed: int, numbers: Sequence[int]) -> Iterator[Outcome]:
    """The outcomes of these cases, one after the other; one that hangs or crashes costs nothing but itself."""
    context = multiprocessing.get_context("fork")
    todo = list(numbers)
    while todo:
        here, there = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(seed, todo, there), daemon=True)
        worker.start()
        there.close()
        try:
            while todo and here.poll(REAL_SECONDS + 30):
                yield here.recv()
                todo.pop(0)
        except EOFError:
            pass
        if todo:
            worker.kill()
            worker.join()
            found = case(seed, todo[0])
            yield Outcome(
                todo.pop(0),
                found.kind,
                found.arguments,
                None,
                [f"crashed or hung beyond an alarm (exit code {worker.exitcode})"],
            )
        worker.join()


def _work(seed: int, numbers: Sequence[int], results) -> None:
    faulthandler.disable()  # pytest turns it on
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.environ["SSM_VERIFY_TRACEBACK"] = "1"
    for number in numbers:
        found = case(seed, number)
        begun = time.process_time()
        status, wrong = answer(found)
        results.send(Outcome(number, found.kind, found.arguments, status, wrong, time.process_time() - begun))


def answer(found: Case) -> tuple[int | None, list[str]]:
    """Runs one case in a folder of its own; gives its status, and everything that is wrong."""
    from verify.__main__ import main

    with _workplace(found) as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        before = _contents(folder)
        status: int | None = None
        with _captured(out, err), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            warnings.filterwarnings("ignore", category=DeprecationWarning)
            warnings.filterwarnings("ignore", category=PendingDeprecationWarning)
            try:
                with _alarm():
                    status = main(found.arguments)
            except TooLong:
                # Work may be long, as long as it shows that it goes on.
                return None, [] if "\r" in _text(err) else ["takes too long, and shows nothing"]
            except BaseException as error:
                return None, [f"raises {type(error).__name__}: {error}"]
        printed, said = (_text(file) for file in (out, err))
        wrong = [f"warns: {str(warning.message)[:200]} ({warning.filename}:{warning.lineno})" for warning in warned]
        wrong += _complaints(status, printed, said) + _left(found, status, before, _contents(folder))
        if found.check is not None and not wrong and (complaint := found.check(status, printed)):
            wrong.append(complaint)
        return status, wrong


def _complaints(status: int, out: str, err: str) -> Iterator[str]:
    wrong = []
    if status not in (0, 1, 2, 3):
        wrong.append(f"status {status}: {err[-1500:]}")
    elif status == 2:
        err = err.rpartition("\r")[2]  # a line of progress is erased by what follows it
        if out and not out.startswith("usage:") and "cannot be written" not in err:
            wrong.append(f"bad input after an answer: {out[-200:]!r} {err}")
        if err.count("\n") != 1 or not err.startswith("error: ") or len(err) > 401 or not err[:-1].isprintable():
            wrong.append(f"not one line: {err[-600:]!r}")
        if re.search(
            r"Traceback|NoneType|object at 0x|not supported between|unhashable|(Key|Attribute|Index|Value)Error", err
        ):
            wrong.append(f"speaks Python: {err}")
    elif re.sub(r"\r[^\n]*", "", err):
        wrong.append(f"an answer, and on standard error: {err[-600:]!r}")
    return wrong


def _left(found: Case, status: int | None, before: dict, after: dict) -> list[str]:
    """What was changed, or left half-written."""
    wrong = [
        f"{name} is changed" for name in before if after.get(name, b"") != before[name] and not _written(found, name)
    ]
    # A library's folder of compiled kernels, made when it is imported, is none of ours.
    fresh = [name for name in after if name not in before and "torchinductor" not in name]
    wrong += [
        f"left {name}"
        for name in fresh
        if ".writing-" in name or ".saving-" in name or name.startswith("temporary/") or status == 2
    ]
    for name in fresh:
        if name.endswith("model.json"):
            try:
                json.loads(after[name])
            except ValueError:
                wrong.append(f"{name} is not JSON")
    return wrong


def _written(found: Case, name: str) -> bool:
    """Whether the command was asked to write there."""
    places = [argument.partition("=")[2] or argument for argument in found.arguments]
    return any(
        place and (name == place or name.startswith(f"{place}/"))
        for place in map(os.path.normpath, filter(None, places))
    )


@contextmanager
def _workplace(found: Case) -> Iterator[Path]:
    old = os.getcwd(), tempfile.tempdir
    folder = Path(tempfile.mkdtemp(prefix="malformed-"))
    try:
        for name, content in found.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.mkdir()
            elif isinstance(content, str):
                path.symlink_to(content)
            else:
                path.write_bytes(content)
        (folder / "temporary").mkdir()
        os.chdir(folder)
        tempfile.tempdir = str(folder / "temporary")
        yield folder
    finally:
        os.chdir(old[0])
        tempfile.tempdir = old[1]
        shutil.rmtree(folder)


def _contents(folder: Path) -> dict[str, bytes | str | None]:
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        found[name] = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


@contextmanager
def _captured(out, err) -> Iterator[None]:
    """Standard output and error of this process, C libraries among it, go into these files."""
    old = sys.stdout, sys.stderr, os.dup(1), os.dup(2)
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.close()
        os.dup2(old[2], 1)
        os.dup2(old[3], 2)
        sys.stdout, sys.stderr = old[:2]
        os.close(old[2])
        os.close(old[3])


def _text(file) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "backslashreplace")


@contextmanager
def _alarm() -> Iterator[None]:
    def ring(*_):
        raise TooLong

    old = signal.signal(signal.SIGPROF, ring), signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, REAL_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGPROF, old[0])
        signal.signal(signal.SIGALRM, old[1])
