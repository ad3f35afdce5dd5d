"""How a regular language is named on the command line: an expression, a formula, a name or a file."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from automata.errors import InputError, shortened
from verify.commands.options import nonempty, whole_number
from verify.progress import Progress

if TYPE_CHECKING:
    from automata.dfa import DFA
    from automata.machine import Machine

UNMINIMISED = 100_000
"""States of an automaton before it is minimised, unless told otherwise; 100 times as many transitions."""


@dataclass(frozen=True)
class Input:
    """A language as the user gave it.

    Attributes:
        title: one line that names it.
        machine: what defines it: its minimal DFA, or a machine of the catalogue.
        options: the words of a command that give it again.
        star_free: whether it is, where that is known without looking.
        limit: states and transitions that the automaton of a machine may have before it is minimised.
    """

    title: str
    machine: Machine
    options: str
    star_free: bool | None = None
    limit: int = UNMINIMISED

    @cached_property
    def dfa(self) -> DFA:
        """The minimal DFA.

        Raises:
            InputError: for a language that is not regular, naming the command for it.
            LimitError: when the automaton is too large before it is minimised.
        """
        from automata.dfa import DFA
        from automata.machines.counter_machine import CounterMachine

        if isinstance(self.machine, DFA):
            return self.machine
        if isinstance(self.machine, CounterMachine):
            raise InputError(
                f"{self.machine.name} is not regular, it has no finite automaton: see `python -m verify prove {self.options}`"
            )
        return DFA.from_machine(self.machine, self.limit).minimise()


def add_input(parser: argparse.ArgumentParser, positional: bool = True) -> None:
    """A name, --regex, --ltl or --file (or --language NAME), how a file is read, --alphabet, and the limits on what is made of them."""
    source = parser.add_mutually_exclusive_group(required=True)
    if positional:
        source.add_argument(
            "name",
            nargs="?",
            type=nonempty,
            metavar="LANGUAGE",
            help="a name of the catalogue: tomita-4, d-12, dyck-2-5, anbn, ... (`python -m verify languages` lists them)",
        )
    source.add_argument(
        "--regex", metavar="E", help="a regular expression, with ~ for complement and & for intersection: '(ab)*'"
    )
    source.add_argument(
        "--ltl",
        metavar="F",
        help="a formula of linear temporal logic, of the past: 'H(a -> Y b)', or the future: 'G(a -> F b)'",
    )
    source.add_argument(
        "--language",
        type=nonempty,
        metavar="NAME",
        help="a name of the catalogue: tomita-4, d-12, dyck-2-3, flip-flop, ...",
    )
    source.add_argument(
        "--file",
        type=nonempty,
        metavar="FILE",
        help="an automaton in a file: .att (OpenFst text), .json, .dot, .gv or .jff (JFLAP)",
    )
    parser.add_argument(
        "--alphabet", metavar="S", help="the symbols, separated by blanks; without blanks, one symbol per character"
    )
    parser.add_argument(
        "--accept",
        metavar="OUT",
        help="of a Mealy or Moore machine in a file: the outputs after which it accepts, separated by blanks",
    )
    labels = "what the labels of a DOT file are (default: what they look like)"
    parser.add_argument("--labels", choices=("auto", "symbols", "formulas"), default="auto", help=labels)
    add_most(parser, "a number in a --language", "100000, and 64 for shuffle-K")
    add_unminimised(parser)
    parser.add_argument(
        "--image-sets",
        type=whole_number,
        metavar="N",
        help="give up when words make more than N different sets of states of all states (default: 20000)",
    )


def add_unminimised(parser: argparse.ArgumentParser) -> None:
    """--unminimised: the limit on the automaton that an expression, a formula or a name makes."""
    parser.add_argument(
        "--unminimised",
        type=whole_number,
        metavar="N",
        help=f"give up when the automaton has more than N states, or 100 N transitions, before it is minimised (default: {UNMINIMISED})",
    )


def add_most(parser: argparse.ArgumentParser, what: str, default: str) -> None:
    """--most: the greatest number that a language is asked for with."""
    parser.add_argument("--most", type=whole_number, metavar="N", help=f"accept {what} up to N (default: {default})")


def repeated_most(args: argparse.Namespace) -> str:
    """--most as it was given, for the command that repeats this one."""
    return "" if args.most is None else f" --most {args.most}"


def read_input(args: argparse.Namespace) -> Input:
    """The language that the options name.

    Raises:
        InputError: with the position in the expression, or the line of the file, that is wrong.
        LimitError: when the automaton is too large before it is minimised.
    """
    alphabet = None
    if args.alphabet is not None:
        alphabet = tuple(args.alphabet.split()) if len(args.alphabet.split()) != 1 else tuple(args.alphabet.strip())
        if args.language is not None or getattr(args, "name", None) is not None:
            raise InputError("--alphabet: a language of the catalogue has an alphabet of its own")
    kind, text = next(
        (kind, found) for kind in (*_READERS, "name", "language") if (found := getattr(args, kind, None)) is not None
    )
    options = f"--{kind} {shlex.quote(text)}" if text[:1] != "-" else shlex.quote(f"--{kind}={text}")
    if kind in ("name", "language"):
        options = shlex.quote(text)
    for option, default in (("accept", None), ("labels", "auto")):
        if (value := getattr(args, option)) != default:
            if kind != "file":
                raise InputError(f"--{option}: speaks about the automaton in a --file")
            options += f" --{option} {shlex.quote(value)}"
    if alphabet is not None:
        options += f" --alphabet {shlex.quote(args.alphabet)}"
    for option in ("most", "unminimised", "image_sets"):
        if getattr(args, option) is not None:
            options += f" --{option.replace('_', '-')} {getattr(args, option)}"
    with Progress(phase="reading", quiet=getattr(args, "quiet", False)):
        if kind in ("name", "language"):
            return _named(text, options, args)
        title, dfa = _READERS[kind](text, alphabet, args)
        dfa = dfa.minimise()
    if dfa.states == 1:
        title += (
            ": the full language, accepts every string" if dfa.accepting else ": the empty language, accepts no string"
        )
    return Input(title, dfa, options)


def _named(text: str, options: str, args: argparse.Namespace) -> Input:
    """A language of the catalogue; one that the paper has no construction for is taken as its minimal automaton."""
    from automata.catalogue import language
    from automata.machines.bounded_dyck import DyckMachine
    from automata.machines.counter_machine import CounterMachine
    from automata.machines.flip_flop import FlipFlopMachine

    known = language(text, args.most)
    title, machine = f"{known.name}: {known.title}, {_over(known.machine)}", known.machine
    if not isinstance(machine, (DyckMachine, CounterMachine, FlipFlopMachine)):
        machine = known.dfa(unminimised_limit(args))
    return Input(title, machine, options, known.star_free, unminimised_limit(args))


def image_set_limit(args: argparse.Namespace) -> int:
    """The limit asked for, or the default one."""
    from automata.algebra.holonomy import IMAGE_SET_LIMIT

    return IMAGE_SET_LIMIT if args.image_sets is None else args.image_sets


def unminimised_limit(args: argparse.Namespace) -> int:
    """The limit asked for; by default no less than the limit on the minimal automaton."""
    return max(UNMINIMISED, getattr(args, "states", 0)) if args.unminimised is None else args.unminimised


def _regex(text: str, alphabet, args: argparse.Namespace):
    from automata.notation.expressions import parse_regex, regex_to_dfa

    dfa = regex_to_dfa(text, alphabet, unminimised_limit(args))
    guessed = alphabet is None and parse_regex(text).speaks_of_others
    note = " (the symbols shown, as there is no --alphabet: . ~ and [^ speak of these)" if guessed else ""
    return f"the regular expression {shortened(text, _TITLE)}, {_over(dfa)}{note}", dfa


def _ltl(text: str, alphabet, args: argparse.Namespace):
    from automata.notation.future_ltl import formula_to_dfa
    from automata.notation.temporal import parse_formula

    dfa = formula_to_dfa(text, alphabet, unminimised_limit(args))
    tense = parse_formula(text, alphabet).tense
    note = " (the symbols shown, as there is no --alphabet)" if alphabet is None else ""
    return f"the {tense} formula {shortened(text, _TITLE)}, {_over(dfa)}, one at each position{note}", dfa


def _file(text: str, alphabet, args: argparse.Namespace):
    from automata.formats import checked_dfa, read_described

    described = read_described(text, args.labels, None if args.accept is None else args.accept.split())
    dfa = checked_dfa(described, alphabet, unminimised_limit(args))
    note = "" if described.deterministic else f" (nondeterministic, {len(described.states)} states: made deterministic)"
    return f"the automaton in {shortened(text, _TITLE)}, {_over(dfa)}{note}", dfa


_READERS = {"regex": _regex, "ltl": _ltl, "file": _file}

_TITLE = 150
"""Characters of an expression or a path that a title shows."""


def _over(dfa: Machine) -> str:
    """The symbols, so that a name that was read in another way than meant is seen."""
    shown = [shortened(symbol, 20) for symbol in dfa.alphabet[:12]]
    if len(dfa.alphabet) > 12:
        shown[11:] = [f"… ({len(dfa.alphabet)} symbols)"]
    return f"over {' '.join(shown)}"
