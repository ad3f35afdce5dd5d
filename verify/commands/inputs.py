"""How a language is named, by every command alike: a name of the catalogue, an expression, a formula or a file."""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from automata.errors import InputError, shortened
from automata.machine import RECOGNISE
from verify.commands.options import nonempty, whole_number
from verify.progress import Progress

if TYPE_CHECKING:
    from automata.catalogue import Language
    from automata.dfa import DFA
    from automata.machine import Machine

UNMINIMISED = 100_000
"""States of an automaton before it is minimised, unless told otherwise; 100 times as many transitions."""


@dataclass(frozen=True)
class Input:
    """A language as the user gave it.

    Attributes:
        title: one line that names it.
        language: what it is.
        machine: what defines it: its minimal DFA, or a machine that the paper has a construction for.
        options: the words of a command that give it again.
        limit: states and transitions that the automaton of a machine may have before it is minimised.
    """

    title: str
    language: Language
    machine: Machine
    options: str
    limit: int = UNMINIMISED

    @property
    def regular(self) -> bool:
        """Whether it has a finite automaton."""
        from automata.catalogue import COUNTER

        return self.language.kind != COUNTER

    @cached_property
    def dfa(self) -> DFA:
        """The minimal DFA.

        Raises:
            InputError: for a language that is not regular, naming the command for it.
            LimitError: when the automaton is too large before it is minimised.
        """
        from automata.dfa import DFA

        if isinstance(self.machine, DFA):
            return self.machine
        if not self.regular:
            raise InputError(
                f"{self.language.name} is not regular, it has no finite automaton: see `python -m verify prove "
                f"{self.options}`"
            )
        return DFA.from_machine(self.machine, self.limit).minimise()


def add_input(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """A name, --regex, --ltl, --file or --cfg (or --language NAME), how a file is read, --alphabet, and the limits on
    what is made of them.
    """
    source = parser.add_mutually_exclusive_group(required=required)
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
    source.add_argument("--language", type=nonempty, metavar="NAME", help="the same as LANGUAGE")
    source.add_argument(
        "--file",
        type=nonempty,
        metavar="FILE",
        help="an automaton in a file: .att (OpenFst text), .json, .dot, .gv or .jff (JFLAP)",
    )
    source.add_argument(
        "--cfg", type=nonempty, metavar="FILE", help="a context-free grammar in a file, derived at most --depth deep"
    )
    parser.add_argument(
        "--depth", type=whole_number, metavar="D", help="of --cfg: how many rests of rules wait at once"
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
    add_most(parser, "a number in a name", "100000, and 64 for shuffle-K")
    parser.add_argument(
        "--unminimised",
        type=whole_number,
        metavar="N",
        help=(
            "give up when the automaton has more than N states, or 100 N transitions, before it is minimised "
            f"(default: {UNMINIMISED})"
        ),
    )
    parser.add_argument(
        "--image-sets",
        type=whole_number,
        metavar="N",
        help="give up when words make more than N different sets of states of all states (default: 20000)",
    )


def add_most(parser: argparse.ArgumentParser, what: str, default: str) -> None:
    """--most: the greatest number that a language is asked for with."""
    parser.add_argument("--most", type=whole_number, metavar="N", help=f"accept {what} up to N (default: {default})")


def repeated_most(args: argparse.Namespace) -> str:
    """--most as it was given, for the command that repeats this one."""
    return "" if args.most is None else f" --most {args.most}"


def is_named(args: argparse.Namespace) -> bool:
    """Whether the options name a language at all."""
    return any(getattr(args, kind) is not None for kind in _KINDS)


def read_input(args: argparse.Namespace) -> Input:
    """The language that the options name.

    Raises:
        InputError: with the position in the expression, or the line of the file, that is wrong.
        LimitError: when the automaton is too large before it is minimised.
    """
    kind, text = next((kind, found) for kind in _KINDS if (found := getattr(args, kind)) is not None)
    named = kind in ("name", "language")
    alphabet = None
    if args.alphabet is not None:
        alphabet = tuple(args.alphabet.split()) if len(args.alphabet.split()) != 1 else tuple(args.alphabet.strip())
        if named:
            raise InputError("--alphabet: a language of the catalogue has an alphabet of its own")
    options = f"--{kind} {shlex.quote(text)}" if text[:1] != "-" else shlex.quote(f"--{kind}={text}")
    if named:
        options = shlex.quote(text)
    if (kind == "cfg") != (args.depth is not None):
        raise InputError("--cfg and --depth: each needs the other, a grammar's file and how deep it nests")
    if kind == "cfg":
        options += f" --depth {args.depth}"
        if alphabet is not None:
            raise InputError("--alphabet: a grammar has the symbols that stand in its file")
    for option, default in (("accept", None), ("labels", "auto")):
        if (value := getattr(args, option)) != default:
            if kind != "file":
                raise InputError(f"--{option}: speaks about the automaton in a --file")
            options += f" --{option} {shlex.quote(value)}"
    if alphabet is not None:
        options += f" --alphabet {shlex.quote(args.alphabet)}"
    options += "".join(
        f" --{option.replace('_', '-')} {getattr(args, option)}"
        for option in ("most", "unminimised", "image_sets")
        if getattr(args, option) is not None
    )
    with Progress(phase="reading", quiet=getattr(args, "quiet", False)):
        if named:
            from automata.catalogue import language

            return _of(language(text, args.most), options, args)
        title, note, known = {"regex": _regex, "ltl": _ltl, "file": _file, "cfg": _cfg}[kind](text, alphabet, args)
        return _of(known, options, args, title, note)


def read_for(folder: str, args: argparse.Namespace) -> tuple[Input, str | None, dict[str, object]]:
    """The language that a saved model is checked against: the one that the options name, or else its own.

    Returns:
        The language, the mode that the folder says where its own is taken, and what a report says of that.

    Raises:
        InputError: when neither names a language, or the folder does so in another form than expected.
    """
    from automata.saved_language import LANGUAGE_FILE, has_language, saved_language

    if is_named(args):
        said = "as named in the command" + f", {LANGUAGE_FILE} is not looked at" * has_language(folder)
        return read_input(args), None, {"language": said}
    if not os.path.isdir(folder):
        raise InputError(f"{folder}: is not a folder")
    if not has_language(folder):
        without = f"; extract {folder} says which automaton it is" * os.path.isfile(os.path.join(folder, "config.json"))
        raise InputError(
            f"{folder}: has no {LANGUAGE_FILE}, so a LANGUAGE is needed: {args.command} {folder} LANGUAGE{without}"
        )
    with Progress(phase="reading", quiet=args.quiet):
        known, mode = saved_language(folder, args.most, unminimised_limit(args))
        return _of(known, "", args), mode, {"language": f"from {LANGUAGE_FILE}"}


def _of(known: Language, options: str, args: argparse.Namespace, title: str = "", note: str = "") -> Input:
    """Whatever the paper has no construction for is taken as its minimal automaton."""
    from automata.dfa import DFA
    from automata.machines.bounded_dyck import DyckMachine
    from automata.machines.copying import CopyMachine
    from automata.machines.counter_machine import CounterMachine
    from automata.machines.flip_flop import FlipFlopMachine
    from automata.machines.recall import RecallMachine

    limit, machine = unminimised_limit(args), known.machine
    constructed: tuple[type, ...] = (DyckMachine, CounterMachine, FlipFlopMachine)
    if getattr(args, "mode", None) != RECOGNISE:
        constructed = (*constructed, RecallMachine, CopyMachine)
    if not isinstance(machine, constructed):
        machine = known.dfa(limit)
    if not title:
        title = shortened(known.title, _TITLE) if known.source else f"{known.name}: {known.title}"
    title = f"{title}, {_over(machine)}{note}"
    if known.source and isinstance(machine, DFA) and machine.states == 1:
        title += (
            f": the {'full' if machine.accepting else 'empty'} language, accepts "
            f"{'every' if machine.accepting else 'no'} string"
        )
    return Input(title, known, machine, options, limit)


def image_set_limit(args: argparse.Namespace) -> int:
    """The limit asked for, or the default one."""
    from automata.algebra.holonomy import IMAGE_SET_LIMIT

    return IMAGE_SET_LIMIT if args.image_sets is None else args.image_sets


def unminimised_limit(args: argparse.Namespace) -> int:
    """The limit asked for; by default no less than the limit on the minimal automaton."""
    return max(UNMINIMISED, getattr(args, "states", 0)) if args.unminimised is None else args.unminimised


def _regex(text: str, alphabet, args: argparse.Namespace):
    from automata.notation.expressions import parse_regex
    from automata.saved_language import of_regex

    known = of_regex(text, alphabet, unminimised_limit(args))
    guessed = alphabet is None and parse_regex(text).speaks_of_others
    note = " (the symbols shown, as there is no --alphabet: . ~ and [^ speak of these)" if guessed else ""
    return f"the regular expression {shortened(text, _TITLE)}", note, known


def _ltl(text: str, alphabet, args: argparse.Namespace):
    from automata.notation.temporal import parse_formula
    from automata.saved_language import of_ltl

    known = of_ltl(text, alphabet, unminimised_limit(args))
    note = " (the symbols shown, as there is no --alphabet)" if alphabet is None else ""
    return (
        f"the {parse_formula(text, alphabet).tense} formula {shortened(text, _TITLE)}",
        f", one at each position{note}",
        known,
    )


def _file(text: str, alphabet, args: argparse.Namespace):
    from automata.formats import checked_dfa, read_described
    from automata.saved_language import of_automaton

    described = read_described(text, args.labels, None if args.accept is None else args.accept.split())
    known = of_automaton(text, checked_dfa(described, alphabet, unminimised_limit(args)))
    note = "" if described.deterministic else f" (nondeterministic, {len(described.states)} states: made deterministic)"
    return f"the automaton in {shortened(text, _TITLE)}", note, known


def _cfg(text: str, alphabet, args: argparse.Namespace):
    from automata.notation.grammar import grammar_to_dfa, read_grammar
    from automata.saved_language import of_automaton

    known = of_automaton(text, grammar_to_dfa(read_grammar(text), args.depth, unminimised_limit(args)))
    return f"the grammar in {shortened(text, _TITLE)}, derived at most {args.depth} deep", "", known


_KINDS = ("regex", "ltl", "file", "cfg", "name", "language")
"""Where the options keep a language; at most one of them is given."""

_TITLE = 150
"""Characters of an expression or a path that a title shows."""


def _over(dfa: Machine) -> str:
    """The symbols, so that a name that was read in another way than meant is seen."""
    shown = [shortened(symbol, 20) for symbol in dfa.alphabet[:12]]
    if len(dfa.alphabet) > 12:
        shown[11:] = [f"… ({len(dfa.alphabet)} symbols)"]
    return f"over {' '.join(shown)}"
