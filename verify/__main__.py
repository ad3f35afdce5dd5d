"""The command line: ``python -m verify COMMAND ...``, also installed as ``ssm-verify``.

Each command is a module of :mod:`verify.commands` with ``HELP``, ``configure(parser)`` and ``run(args)``.  Heavy
imports happen inside ``run``, so that help is printed at once.
"""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys
import traceback
from functools import partial

from automata import limits
from automata.errors import InputError, LimitError, one_line
from verify import clock
from verify.progress import announce
from verify.supervision import leave_if_asked, supervised
from verify.verdict import BAD_INPUT, EXIT_STATUS, UNDECIDED

INTERNAL = 70
"""The status after a fault of this program, which must not look like a refutation."""

_COLLECTED = 20_000, 20, 20
"""Objects that are made between two looks of the garbage collector, and its looks between two longer ones."""

TRACEBACK = "SSM_VERIFY_TRACEBACK"
"""The variable of the environment with which such a fault prints its traceback."""


def main(argv: list[str] | None = None, age: float = 0.0) -> int:
    """Runs one command in this process, so many seconds old; returns 0 holds, 1 refuted, 2 bad input, 3 neither.

    Also 70 for a fault of this program, 128 + N where it was ended by signal N: 130 where it was interrupted, 141 where
    nobody reads the output.
    """
    clock.begin(age)
    try:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            try:
                status = _run(sys.argv[1:] if argv is None else argv)
            except Exception:  # it may be what a library made of an interrupt
                leave_if_asked()
                raise
        except SystemExit as leaving:  # help was printed, or this process was told to end
            status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except LimitError as error:
        return _failed(error.with_option(), BAD_INPUT)
    except InputError as error:
        return _failed(str(error), BAD_INPUT)
    except MemoryError:
        return _failed("out of memory, and nothing is decided", EXIT_STATUS[UNDECIDED])
    except KeyboardInterrupt:
        return _failed("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        _write_no_more(sys.stdout)
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _failed(f"{error.filename or _unwritable(error)}: {error.strerror or error}", BAD_INPUT)
    except Exception as error:
        return _internal(error)
    finally:
        announce()


def console() -> int:
    """The same in a process of its own, which an interrupt ends whatever it is doing."""
    # PyTorch makes a million objects that stay: the collector looked through them for a quarter of its start.
    gc.set_threshold(*_COLLECTED)
    # NumPy's products are of matrices too small for more threads: these took a third more of the processors' time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    return supervised(partial(_main_alone, clock.process_age()), lambda message: _failed(message, INTERNAL))


def _main_alone(age: float) -> int:
    """The last that this process does."""
    status = main(age=age)
    # What is left needs no collector: with PyTorch it would look through everything for two seconds more.
    gc.freeze()
    return status


def _run(argv: list[str]) -> int:
    # Imported here, where an interrupt is already looked after.
    from verify.commands.parser import parse
    from verify.commands.places import check_places

    args = parse(argv)
    with limits.raised(dict(args.raised)):
        check_places(args)
        return importlib.import_module(f"verify.commands.{args.command}").run(args)


def _failed(message: str, status: int) -> int:
    """One line on standard error, if that can be written; the status, in any case."""
    if sys.stderr is not None:  # None is for print another name of standard output
        try:
            encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
            print(one_line(f"error: {message}", encoding), file=sys.stderr, flush=True)
        except (OSError, ValueError):
            _write_no_more(sys.stderr)
    return status


def _internal(error: Exception) -> int:
    """One line that says what to report; the traceback only where it is asked for."""
    if os.environ.get(TRACEBACK) and sys.stderr is not None:
        try:
            traceback.print_exception(error)
        except (OSError, ValueError):
            _write_no_more(sys.stderr)
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(place.filename)}, line {place.lineno}"
    how = f"please report it, with the traceback that {TRACEBACK}=1 prints"
    return _failed(
        f"internal error: {type(error).__name__} ({where}): {one_line(str(error), most=150)}; {how}", INTERNAL
    )


def _unwritable(error: OSError) -> str:
    """What a failure that names no file was about: standard output, or else a process or memory that was not to be
    had.
    """
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF):
        return "the system refuses"
    _write_no_more(sys.stdout)
    return "standard output"


def _write_no_more(stream) -> None:
    """What is still to be written there goes nowhere, so that nothing fails again at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):  # no file, or none any more
        pass


if __name__ == "__main__":
    sys.exit(console())
