"""``ssm-verify completion SHELL``: a script that completes commands, options, languages and files in a shell."""

from __future__ import annotations

import argparse
import re

from automata.errors import InputError

HELP = "print a script that completes what is typed after ssm-verify: bash, zsh or tcsh"

EXAMPLES = ("completion bash",)

SHELLS = ("bash", "zsh", "tcsh")
PLACES = {"FILE": "FILE", "F": "FILE", "DIR": "DIRECTORY", "FOLDER": "DIRECTORY"}
"""What stands for a path in the help, and what shtab calls that."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or tcsh")


def run(args: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        missing = "completion needs shtab, which is not installed"
        raise InputError(f"{missing}: pip install 'ssm-compiler[completion]'") from None
    from automata.catalogue import LANGUAGES
    from verify.commands.parser import command_line

    parser = command_line("ssm-verify")
    # What a shell would take apart is left out.
    names = [name for name in LANGUAGES if re.fullmatch("[a-z0-9-]+", name)]
    for command in parser.children.values():
        for action in command._actions:
            if action.dest in ("name", "language"):
                action.choices = names
            elif action.choices is not None:
                action.choices = list(action.choices)
            elif action.metavar in PLACES and action.dest != "ltl":
                setattr(action, "complete", getattr(shtab, PLACES[action.metavar]))  # noqa: B010 - where shtab looks
    print(shtab.complete(parser, args.shell))
    return 0
