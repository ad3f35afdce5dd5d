"""The command line: ``python -m verify COMMAND ...``, also installed as ``ssm-verify``.

Each command is a module of :mod:`verify.commands` with ``HELP``, ``configure(parser)`` and ``run(args)``.  Heavy
imports happen inside ``run``, so that help is printed at once.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import signal
import sys
import traceback
from typing import NoReturn

from automata.errors import InputError
from verify.commands import COMMANDS
from verify.verdict import BAD_INPUT, EXIT_STATUS, UNDECIDED


class _Parser(argparse.ArgumentParser):
    """argparse with errors on one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns 0 holds, 1 refuted, 2 bad input, 3 neither.

    Also 130 where it was interrupted, 141 where nobody reads the output, and 70 for a fault of this program.
    """
    parser = _Parser(prog="python -m verify", description="Build state space models from languages and prove what they compute.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules = {name: importlib.import_module(f"verify.commands.{name}") for name in COMMANDS}
    for name, module in modules.items():
        module.configure(commands.add_parser(name, help=module.HELP, description=module.HELP))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        args = parser.parse_args(argv)
        status = modules[args.command].run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except InputError as error:
        return _failed(str(error), BAD_INPUT)
    except MemoryError:
        return _failed("out of memory, and nothing is decided", EXIT_STATUS[UNDECIDED])
    except KeyboardInterrupt:
        return _failed("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        _write_no_more()
        return 128 + 13  # as if by SIGPIPE
    except OSError as error:
        _write_no_more()
        return _failed(f"{error.filename or 'standard output'}: {error.strerror}", BAD_INPUT)
    except Exception:
        # A fault of this program, which must not look like a refutation: Python itself would leave with status 1.
        traceback.print_exc()
        return 70


def _failed(message: str, status: int) -> int:
    """One line on standard error."""
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    return status


def _write_no_more() -> None:
    """What is still to be written to standard output goes nowhere, so that nothing fails again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
