"""The command line: ``python -m verify COMMAND ...``, also installed as ``ssm-verify``.

Each command is a module of :mod:`verify.commands` with ``HELP``, ``configure(parser)`` and ``run(args)``.  Heavy
imports happen inside ``run``, so that help is printed at once.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import NoReturn

from automata.errors import InputError
from verify.commands import COMMANDS
from verify.verdict import BAD_INPUT


class _Parser(argparse.ArgumentParser):
    """argparse with errors on one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns 0 holds, 1 refuted, 2 bad input, 3 neither."""
    parser = _Parser(prog="python -m verify", description="Build state space models from languages and prove what they compute.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    modules = {name: importlib.import_module(f"verify.commands.{name}") for name in COMMANDS}
    for name, module in modules.items():
        module.configure(commands.add_parser(name, help=module.HELP, description=module.HELP))
    try:
        args = parser.parse_args(argv)
        return modules[args.command].run(args)
    except InputError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone: nothing is left to say, and nothing must fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
