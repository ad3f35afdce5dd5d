"""``python -m verify starfree --regex '(ab)*'``: is a regular language star-free?  If so it is built, proved and tested."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from automata.errors import InputError, LimitError, quoted, shortened
from verify.commands.inputs import Input, add_input, image_set_limit, read_input
from verify.commands.options import add_common, check_common, nonempty, whole_number
from verify.mamba import SSM
from verify.progress import Progress

if TYPE_CHECKING:
    from automata.cascade import Cascade
    from automata.dfa import DFA
    from automata.holonomy import Skeleton
    from automata.smaller import Route
    from verify.verdict import Verdict

HELP = "a regular language: star-free or not; if it is, compiled, proved and tested"

STATES, AUTO_STATES = 5000, 1000
"""The largest minimal automaton that is compiled, and the largest for which every route is tried, unless told otherwise."""

IMPOSSIBLE = (
    "no SSM with nonnegative gates and finite precision, whose layers see finitely many features, recognises this language: "
    "when w is repeated each of its layers becomes constant, and it gives the same answer for ever"
)

_PROOFS = ("auto", "search", "levelwise")


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw a picture (.svg, .png or .pdf)")
    parser.add_argument("--draw-what", choices=("dfa", "cascade", "eggbox"), default="dfa", help="what is drawn (default: dfa)")
    add_common(parser)


def add_language(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which language, and by which route it is compiled."""
    add_input(parser)
    parser.add_argument("--route", choices=("auto", "holonomy"), default="auto", help="the smallest cascade that is found, or plain holonomy")
    parser.add_argument("--states", type=whole_number, default=STATES, metavar="N", help=f"refuse automata of more than N states (default: {STATES})")
    parser.add_argument(
        "--auto-states",
        type=whole_number,
        default=AUTO_STATES,
        metavar="N",
        help=f"beyond N states only a counter and holonomy are tried as routes, since time goes with the square (default: {AUTO_STATES})",
    )
    parser.add_argument("--levels", type=whole_number, metavar="N", help="refuse holonomy cascades of more than N levels (default: 2000)")
    parser.add_argument("--proof", choices=_PROOFS, default="auto", help="how it is proved (default: by search where that is small)")


def run(args: argparse.Namespace) -> int:
    from verify.commands.pipeline import run_task

    check_common(args)
    given, skeleton = _read(args)
    if args.draw:
        from verify.pictures.structures import draw

        draw(args.draw_what, given.dfa, args.mode, args.draw)
    if not isinstance(skeleton, LimitError) and not skeleton.aperiodic:
        return _refuse(given, args)
    command = f"python -m verify starfree {given.options} --route {args.route} --proof {args.proof}"
    for option, value, default in (("--states", args.states, STATES), ("--auto-states", args.auto_states, AUTO_STATES)):
        command += f" {option} {value}" if value != default else ""
    return run_task(_task(given, skeleton, args), args, command)


def task(args: argparse.Namespace):
    """The language as a task of the pipeline.

    Raises:
        InputError: when it is not star-free.
    """
    given, skeleton = _read(args)
    if not isinstance(skeleton, LimitError) and not skeleton.aperiodic:
        raise InputError(f"{given.title} is not star-free, so there is no model of it: see `python -m verify starfree {given.options}`")
    return _task(given, skeleton, args)


def _read(args: argparse.Namespace):
    """The language, and its skeleton of image sets; the error where there are more than the limit, as another route may lead on."""
    from automata.holonomy import Skeleton

    given = read_input(args)
    if given.dfa.states > args.states:
        raise InputError(f"the minimal automaton has {given.dfa.states} states, more than {args.states}: raise the limit with --states to go on")
    try:
        with Progress(phase="image sets", quiet=getattr(args, "quiet", False)):
            return given, Skeleton(given.dfa, image_set_limit(args))
    except LimitError as error:
        return given, error


# -- star-free ----------------------------------------------------------------------------------------


def _task(given: Input, skeleton, args: argparse.Namespace):
    from automata.machine import PREDICTIVE
    from verify.commands.pipeline import Task
    from verify.regular import ARITHMETIC

    dfa = given.dfa
    with Progress(phase="cascade", quiet=getattr(args, "quiet", False)):
        cascade, route = _compile(dfa, skeleton, args)
        if isinstance(skeleton, LimitError):
            skeleton = None

    def parse(token: str) -> str:
        if token not in dfa.index:
            raise InputError(f"{quoted(token)} is not one of the symbols {shortened(' '.join(dfa.alphabet), 200)}")
        return token

    prove, how = _proof(dfa, cascade, route, skeleton, args)
    answer: dict[str, object] = {
        "yes": "no word permutes states of the minimal automaton"
        if skeleton is not None
        else "it is compiled to registers that only hold and are set, and counters",
        "automaton": f"{dfa.states} states, {len(dfa.alphabet)} symbols" + (f" with {len(skeleton.letters)} actions" if skeleton else ""),
        "route": f"{route.name}: {route.reason}" + (" (--auto-states tries all)" if route.name == "holonomy" and args.route == "auto" and dfa.states > args.auto_states else ""),
        "cascade": _sizes(cascade, route),
        "plain holonomy": "stopped at the limit of image sets"
        if skeleton is None
        else f"{skeleton.levels} levels ({skeleton.notation or 'no points'}), {skeleton.bits} bits",
        "way of proof": how,
    }
    if args.ltl is not None:
        answer["formula"] = _formula(args.ltl, dfa)
    classes = int(dfa.live.sum()) if args.mode == PREDICTIVE else dfa.states
    return Task(
        title=given.title,
        machine=dfa,
        cascade=cascade,
        arithmetic=str(ARITHMETIC),
        classes=max(1, classes),
        parse=parse,
        prove=prove,
        sections=(("star-free", answer),),
    )


def _compile(dfa: DFA, skeleton: Skeleton | LimitError, args: argparse.Namespace) -> tuple[Cascade, Route]:
    from automata.smaller import LEVEL_LIMIT, compile_dfa

    return compile_dfa(dfa, args.mode, args.route, skeleton=skeleton, thorough=args.auto_states, levels=LEVEL_LIMIT if args.levels is None else args.levels)


def _sizes(cascade: Cascade, route: Route) -> str:
    registers = len(cascade.registers)
    levels = sum(bool(level.registers) for level in cascade.levels)
    return f"{levels} level{'s' * (levels != 1)}, {registers} register{'s' * (registers != 1)}, {route.bits} bit{'s' * (route.bits != 1)}"


def _formula(text: str, dfa: DFA) -> str:
    """The formula's own cascade, one register per temporal operator, checked against the automaton."""
    from automata.emulation import emulates
    from automata.past_ltl import ltl_to_cascade
    from automata.temporal import FUTURE, parse

    if parse(text, dfa.alphabet).tense == FUTURE:
        return "of the future: compiled from its automaton"
    direct = ltl_to_cascade(text, dfa.alphabet)
    size = f"compiled directly it is {len(direct.registers)} registers of {direct.memory_bits} bits"
    try:
        word = emulates(direct, dfa)
    except InputError:
        return f"{size}, too many states to compare with the automaton"
    if word is not None:
        raise AssertionError(f"the two readings of the formula differ on {word}")
    return f"{size}, which agree with the automaton on every string"


def _proof(dfa: DFA, cascade: Cascade, route: Route, skeleton, args: argparse.Namespace):
    """The proof that is taken, None for the pipeline's search; and why."""
    from automata.cascade import Counter
    from constructions.arithmetic import Arithmetic
    from constructions.engine import Engine
    from verify.bisimulation import bisimulation
    from verify.regular import SEARCHED_BITS
    from verify.verdict import UNDECIDED

    if getattr(args, "target", SSM) != SSM:
        if args.proof == "levelwise":
            raise InputError("--proof levelwise: speaks about the paper's SSM; a Mamba is proved by a search over its caches")
        return None, "search: over the caches of the Mamba"
    floats = args.arithmetic is not None and Arithmetic.parse(args.arithmetic).is_float
    previous = sum((r.values - 1).bit_length() for r in cascade.registers if r.name in cascade.read_before and not isinstance(r, Counter))
    bits = route.bits + previous
    by_levels = route.name == "holonomy" and skeleton is not None and cascade.levels
    if args.proof == "levelwise" and not by_levels:
        raise InputError(f"--proof levelwise speaks about holonomy cascades, and this one is of the route {route.name}: add --route holonomy")
    if args.proof == "search" or not by_levels or (args.proof == "auto" and (floats or bits <= SEARCHED_BITS)):
        return None, f"search: {bits} bits of memory, previous digits included"

    def levelwise(ssm, progress) -> Verdict:
        from automata.pair_graph import chart_of
        from verify.levelwise import prove_levelwise

        verdict = prove_levelwise(ssm, dfa, chart_of(skeleton), progress)
        if verdict.outcome == UNDECIDED and args.proof == "auto":
            return bisimulation(dfa, Engine(ssm), args.mode, limit=args.limit, progress=progress)
        return verdict

    return levelwise, f"level by level: {bits} bits of memory, previous digits included, may be too many states for a search"


# -- not star-free ------------------------------------------------------------------------------------


def _refuse(given: Input, args: argparse.Namespace) -> int:
    """The witness, checked by running its strings on the automaton; exit status 1."""
    from automata.aperiodic import group_witness, membership_cycle
    from verify.commands.report import Report, show_word
    from verify.verdict import EXIT_STATUS, REFUTED

    limit = image_set_limit(args)
    witness, cycle = group_witness(given.dfa, limit), membership_cycle(given.dfa, limit)
    report = Report(f"python -m verify starfree {given.options}", args.quiet)
    report.title(given.title)
    states = " -> ".join(map(str, (*witness.states, witness.states[0])))
    values: dict[str, object] = {
        "no": f"the word w = {show_word(witness.word)} permutes states of the minimal automaton with period {witness.period}",
        "states": states,
        "word": "a shortest one" if witness.shortest else "the shortest that was found; shorter ones may exist",
        "u": show_word(cycle.u),
        "v": show_word(cycle.v),
    }
    for n, (string, member) in enumerate(zip(cycle.strings, cycle.membership)):
        values[f"u w^{n} v"] = f"{'in the language' if member else 'not in the language'}: {show_word(string)}"
    values["therefore"] = IMPOSSIBLE
    data = {
        "answer": False,
        "word": list(witness.word),
        "shortest": witness.shortest,
        "period": witness.period,
        "states": list(witness.states),
        "u": list(cycle.u),
        "v": list(cycle.v),
        "strings": [list(string) for string in cycle.strings],
        "membership": list(cycle.membership),
        "reason": IMPOSSIBLE,
    }
    report.section("star-free", values, data)
    if args.quiet:
        print(f"star-free: no: w = {show_word(witness.word)} has period {witness.period}")
    report.close(args.json)
    return EXIT_STATUS[REFUTED]
