"""From a language to a task: what is compiled, how its tokens are read, what is said and checked besides, for every
command alike.
"""

from __future__ import annotations

import argparse
from typing import Any, Callable

from automata.algebra.holonomy import Skeleton
from automata.catalogue import Language
from automata.dfa import DFA
from automata.errors import InputError, LimitError, quoted, shortened
from automata.machine import Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import CounterMachine
from constructions.compile.compiler import HOLONOMY, TABLE, Construction
from constructions.ssm.arithmetic import Arithmetic
from constructions.target import TARGETS
from verify.commands.pipeline import Task, construct, limits_of
from verify.progress import Progress
from verify.show.memory import classes_of
from verify.verdict import UNDECIDED, Verdict, so_many

LONG_STRINGS, LONG_LENGTH, LONG_SEED = 3, 200_000, 0
"""The long random test of a counter language: so many strings of up to so many symbols."""

SMALL_COUNTER, SMALL_COUNTER_PAIRS = 5, 20_000
"""The second opinion follows every string on which no counter exceeds this, up to about so many pairs of states."""


def task_of(
    title: str, machine: Machine, args: argparse.Namespace, dfa: DFA | None = None, known: Language | None = None
) -> Task:
    """The language of a machine as a task of the pipeline.

    Args:
        title: one line that names the language.
        machine: a machine of the catalogue, or a minimal automaton.
        args: the options that say for which target, question and route.
        dfa: the minimal automaton, where the report is to speak about it.
        known: the language as it was given, which a saved model carries; by default what the machine is called.

    Raises:
        InputError: when the target cannot have the language.
    """
    construction = construct(machine, args)
    return Task(
        title=title,
        construction=construction,
        classes=classes_of(machine, args.mode),
        parse=parser_of(machine),
        sections=(("star-free", *star_free(construction, dfa, args)),) if dfa is not None else (),
        checks=_checks(machine, args) if isinstance(machine, CounterMachine) else (),
        language=known,
    )


def parser_of(machine: Machine) -> Callable[[str], str]:
    """From a token to a symbol of the machine; an unknown token is an InputError that says what was expected."""
    if isinstance(machine, DyckMachine):
        return machine.parse_symbol
    symbols = frozenset(machine.alphabet)

    def parse(token: str) -> str:
        if token not in symbols:
            raise InputError(f"{quoted(token)} is not one of the symbols {shortened(' '.join(machine.alphabet), 200)}")
        return token

    return parse


# -- what is said of a regular language ---------------------------------------------------------------


def star_free(
    construction: Construction, dfa: DFA, args: argparse.Namespace
) -> tuple[dict[str, object], dict[str, object]]:
    """Whether the language is star-free, and how it was compiled, for people and for JSON."""
    cascade = construction.cascade
    try:
        skeleton = Skeleton.of(dfa, limits_of(args).image_sets)
    except LimitError:
        skeleton = None
    registers, levels = len(cascade.registers), sum(bool(level.registers) for level in cascade.levels)
    sizes = [so_many(levels, "levels"), so_many(registers, "registers")]
    thorough = (
        construction.route == HOLONOMY
        and getattr(args, "route", "") == "auto"
        and dfa.states > limits_of(args).thorough
    )
    if skeleton is not None and not skeleton.aperiodic:
        found = {"no": "words permute states of the minimal automaton, which this target can have"}
    elif skeleton is not None:
        found = {"yes": "no word permutes states of the minimal automaton"}
    elif construction.route == TABLE:
        found = {"open": "there are more image sets than the limit, and this target need not know"}
    else:
        found = {"yes": "it is compiled to registers that only hold and are set, and counters"}
    values: dict[str, object] = {
        **found,
        "automaton": f"{so_many(dfa.states, 'states')}, {so_many(len(dfa.alphabet), 'symbols')}"
        + (f" with {so_many(len(skeleton.letters), 'actions')}" if skeleton else ""),
        "route": f"{construction.route}: {construction.reason}" + " (--auto-states tries all)" * thorough,
        "cascade": f"{', '.join(sizes)}, {construction.bits} bit{'s' * (construction.bits != 1)}",
        "plain holonomy": "stopped at the limit of image sets"
        if skeleton is None
        else f"{so_many(skeleton.levels, 'levels')} ({skeleton.notation or 'no points'}), "
        f"{so_many(skeleton.bits, 'bits')}",
    }
    if getattr(args, "ltl", None) is not None:
        values["formula"] = _formula(args.ltl, dfa)
    data: dict[str, object] = {
        "answer": {"yes": True, "no": False}.get(next(iter(found))),
        "states": dfa.states,
        "symbols": len(dfa.alphabet),
        "route": construction.route,
        "reason": construction.reason,
        "levels": levels,
        "registers": registers,
        "bits": construction.bits,
        "holonomy": None,
    }
    if skeleton is not None:
        data["holonomy"] = {"levels": skeleton.levels, "points": skeleton.notation, "bits": skeleton.bits}
    if "formula" in values:
        data["formula"] = values["formula"]
    return values, data


def _formula(text: str, dfa: DFA) -> str:
    """The formula's own cascade, one register per temporal operator, checked against the automaton."""
    from automata.notation.temporal import FUTURE, parse_formula
    from constructions.compile.emulation import emulates
    from constructions.compile.past_formula import ltl_to_cascade

    if parse_formula(text, dfa.alphabet).tense == FUTURE:
        return "of the future: compiled from its automaton"
    direct = ltl_to_cascade(text, dfa.alphabet)
    registers = so_many(len(direct.registers), "registers")
    size = f"compiled directly it is {registers} of {so_many(direct.memory_bits, 'bits')}"
    try:
        word = emulates(direct, dfa)
    except InputError:
        return f"{size}, too many states to compare with the automaton"
    if word is not None:
        raise AssertionError(f"the two readings of the formula differ on {word}")
    return f"{size}, and agrees with the automaton on every string"


# -- what is checked besides of a counter language ----------------------------------------------------


def _checks(
    machine: CounterMachine, args: argparse.Namespace
) -> tuple[tuple[str, Callable[[Any, Progress], Verdict]], ...]:
    """On the exact engine alone: a search through small counters, and long strings or the run to the horizon."""
    from verify.methods.bounded_search import bounded_search

    if TARGETS.named(getattr(args, "target", "ssm")).numbers != "arithmetic":
        return ()
    second = (
        "second opinion",
        lambda engine, progress: bounded_search(
            machine, engine, SMALL_COUNTER, limit=SMALL_COUNTER_PAIRS, progress=progress
        ),
    )
    if Arithmetic.parse(args.arithmetic or "exact").is_float:
        return second, ("exact horizon", lambda engine, progress: _horizon(machine, engine))
    return second, ("long random test", lambda engine, progress: _long_strings(machine, engine, progress))


def _horizon(machine: CounterMachine, engine) -> Verdict:
    from verify.methods.relation.confirmed import check_horizon
    from verify.numbers.boxes import NotCovered

    try:
        return check_horizon(engine.ssm, machine)
    except NotCovered as error:
        return Verdict(UNDECIDED, "run to the horizon", engine.ssm.mode, engine.arithmetic, reason=str(error))


def _long_strings(machine: CounterMachine, engine, progress: Progress) -> Verdict:
    from verify.evidence.sampling import check_long

    return check_long(machine, engine, LONG_STRINGS, LONG_LENGTH, engine.ssm.mode, seed=LONG_SEED, progress=progress)
