"""The parser of the command line: errors on one line, near names for those that are unknown."""

from __future__ import annotations

import argparse
import importlib
import re
import shutil
import sys
import textwrap
from types import ModuleType
from typing import NoReturn, Sequence

import verify
from automata.errors import InputError, did_you_mean, one_line
from verify.commands import COMMANDS
from verify.commands.options import whole_number

_EXAMPLES = ("prove dyck-2-5", "prove --regex '(ab)*' --save model", "check model", "export d-2 --to stock", "help ltl")

_RAISE = "raise a limit that a refusal names, such as nesting=5000 (see docs/limits.md)"

_STATUS = (
    "exit status: 0 holds, 1 refuted (and nothing else), 2 bad input (one "
    "line on standard error says what), 3 neither; "
    "70 a fault of this program, 128 + N ended by signal N (130 interrupted, 141 nobody reads the output)"
)


class Parser(argparse.ArgumentParser):
    """argparse with errors that are raised, and with the parsers of its commands at hand."""

    def __init__(self, *args, examples: Sequence[str] = (), **kwargs):
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        super().__init__(*args, **kwargs)
        # What begins as a negative number is a value, not an option: -1,1 as well as -1.
        self._negative_number_matcher = re.compile(r"-\.?[0-9]")
        self.examples = examples
        self.children: dict[str, Parser] = {}

    def format_help(self) -> str:
        """The help, with examples, each on one line to be copied, and the exit statuses."""
        width = shutil.get_terminal_size().columns - 2
        shown = [f"  python -m verify {example}" for example in self.examples]
        parts = ["\n".join(["examples:", *shown])] * bool(shown) + [textwrap.fill(_STATUS, width)]
        return super().format_help() + "".join(f"\n{part}\n" for part in parts)

    def add_subparsers(self, **kwargs):
        commands = super().add_subparsers(**kwargs)
        self.children = commands.choices
        return commands

    def _print_message(self, message: str, file=None) -> None:
        """As argparse does it, but a failure is one, as for everything else that is printed."""
        if message and file is not None:
            file.write(message)

    def _check_value(self, action: argparse.Action, value: object) -> None:
        """As argparse does it, with the near ones among the choices."""
        if action.choices is not None and value not in action.choices:
            shown, known = one_line(str(value), most=60), [str(choice) for choice in action.choices]
            hint = did_you_mean(str(value), known) or f": expected one of {', '.join(known)}"
            raise argparse.ArgumentError(action, f"invalid choice: {shown!r}{hint}")

    def error(self, message: str) -> NoReturn:
        if message.endswith("expected one argument"):
            option = message.removeprefix("argument ").partition(":")[0]
            message += f" (one that begins with a hyphen is written {option}=…)"
        raise InputError(message)


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The options of one command, ``command`` among them.

    Raises:
        InputError: naming what is missing, unknown or not of the expected form.
        SystemExit: with 0 when help or the version was asked for and printed.
    """
    parser = command_line()
    if not argv:
        parser.print_help(sys.stdout)
        raise InputError("a COMMAND is missing")
    _check_names(parser, argv)
    return parser.parse_args(_words_first(parser, argv))


def command_line(program: str = "python -m verify") -> Parser:
    """The parser of all commands."""
    parser = Parser(
        prog=program,
        description="Build state space models from languages and prove what they compute.",
        examples=_EXAMPLES,
    )
    parser.add_argument("--version", action="version", version=f"ssm-compiler {verify.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        module = _module(name)
        description = textwrap.fill(module.HELP, shutil.get_terminal_size().columns - 2)
        command = commands.add_parser(name, help=module.HELP, description=description, examples=module.EXAMPLES)
        module.configure(command)
        command.add_argument(
            "--raise", dest="raised", action="append", default=[], type=raised_limit, metavar="NAME=N", help=_RAISE
        )
    return parser


def _module(command: str) -> ModuleType:
    return importlib.import_module(f"verify.commands.{command}")


def _check_names(parser: Parser, argv: Sequence[str]) -> None:
    """Raises for a command or an option that there is none of, before anything is said to be missing."""
    for token in argv:
        if token == "--":
            return
        if token.startswith("--"):
            name = token.partition("=")[0]
            known = [option for option in parser._option_string_actions if option.startswith("--")]
            if not any(option.startswith(name) for option in known):
                raise InputError(f"unknown option {one_line(name, most=60)}{did_you_mean(name, known)}")
        elif parser.children:
            if token not in parser.children:
                hint = did_you_mean(token, parser.children) or f": expected one of {', '.join(parser.children)}"
                raise InputError(f"unknown command {one_line(token, most=60)!r}{hint}")
            parser = parser.children[token]


def _words_first(parser: Parser, argv: Sequence[str]) -> list[str]:
    """The same with the words of a command before its options, wherever they stood: argparse takes a word too early
    otherwise.
    """
    command, *rest = argv
    if command not in parser.children:
        return list(argv)
    words: list[str] = []
    options: list[str] = []
    tokens = iter(rest)
    for token in tokens:
        if token == "--":
            words += tokens
        elif token != "-h" and not token.startswith("--"):
            words.append(token)
        else:
            options.append(token)
            if "=" not in token and _takes_a_value(parser.children[command], token):
                options += [value for value in [next(tokens, None)] if value is not None]
    if len(words) > 1 and words[0] in getattr(_module(command), "FAMILIES", ()):
        words = words[1:]
    if any(word.startswith("-") for word in words):
        return [command, *options, "--", *words]
    return [command, *words, *options]


def _takes_a_value(parser: Parser, token: str) -> bool:
    """Whether the option, perhaps shortened, is followed by a value; all others are followed by none."""
    known = parser._option_string_actions
    meant = [known[token]] if token in known else [known[option] for option in known if option.startswith(token)]
    return bool(meant) and meant[0].nargs is None


def raised_limit(text: str) -> tuple[str, int]:
    """A limit's name and its new value, for argparse."""
    name, sign, number = text.partition("=")
    if not sign:
        raise argparse.ArgumentTypeError(f"{one_line(text, most=60)!r} is not of the form NAME=N")
    return name, whole_number(number)
