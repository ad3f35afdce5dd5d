"""``python -m verify starfree --regex '(ab)*'``: is a regular language star-free?  If so it is built, proved and
tested.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Callable

from automata.errors import InputError, LimitError
from verify.commands.certificates import report_certificate
from verify.commands.inputs import Input, add_input, image_set_limit, read_input
from verify.commands.options import add_common, add_drawing, whole_number
from verify.progress import Progress

if TYPE_CHECKING:
    from verify.commands.pipeline import Task

HELP = "a regular language: star-free or not; if it is, compiled, proved and tested"

EXAMPLES = (
    "starfree --regex '(ab)*'",
    "starfree --ltl 'H(a -> Y b)' --alphabet 'a b'",
    "starfree tomita-3",
    "starfree --file machine.att --route holonomy",
)

STATES, AUTO_STATES = 5000, 1000
"""The largest minimal automaton that is compiled, and the largest for which every route is tried, unless told
otherwise.
"""

PICTURES = ("dfa", "cascade", "eggbox", "memory")

IMPOSSIBLE = (
    "no SSM with nonnegative gates and finite precision, whose layers see "
    "finitely many features, recognises this language: "
    "when w is repeated each of its layers becomes constant, and it gives the same answer for ever"
)


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    add_drawing(parser, PICTURES)
    add_common(parser)
    # The older name of --method, which says levelwise for levels.
    parser.add_argument("--proof", dest="method", choices=("auto", "search", "levelwise"), help=argparse.SUPPRESS)


def add_language(parser: argparse.ArgumentParser) -> None:
    """The arguments that say which language, and by which route it is compiled."""
    add_input(parser)
    parser.add_argument(
        "--route",
        choices=("auto", "paper", "holonomy"),
        default="auto",
        help=(
            "the paper's construction where there is one and the smallest cascade that is found elsewhere, or one of "
            "the two ways alone"
        ),
    )
    parser.add_argument(
        "--states",
        type=whole_number,
        default=STATES,
        metavar="N",
        help=f"refuse automata of more than N states (default: {STATES})",
    )
    parser.add_argument(
        "--auto-states",
        type=whole_number,
        default=AUTO_STATES,
        metavar="N",
        help=(
            "beyond N states only a counter and holonomy are tried as routes, since time goes with the square "
            f"(default: {AUTO_STATES})"
        ),
    )
    parser.add_argument(
        "--levels",
        type=whole_number,
        metavar="N",
        help="refuse holonomy cascades of more than N levels (default: 2000)",
    )


def run(args: argparse.Namespace) -> int:
    return run_on(read_input(args), args, "starfree")


def run_on(given: Input, args: argparse.Namespace, command: str) -> int:
    """Decides, draws, compiles, proves and tests a language; returns the exit status."""
    from verify.commands.pipeline import announce_title

    if args.draw:
        from verify.show.pictures.canvas import check_extension

        check_extension(args.draw)
    announce_title(given.title, args)
    if not beyond_star_free(args) and not seems_star_free(given, args):
        return _refuse(given, args, command)
    return compile_and_check(given, args, command)


def compile_and_check(given: Input, args: argparse.Namespace, command: str) -> int:
    """The same without the question whether the language is star-free: what no target can have is refused by its
    register.
    """
    from verify.commands.pipeline import run_task

    if args.method == "levelwise":
        args.method = "levels"
    command = f"python -m verify {command} {given.options}"
    for option, value, default in (
        ("--route", args.route, "auto"),
        ("--method", args.method, "auto"),
        ("--states", args.states, STATES),
        ("--auto-states", args.auto_states, AUTO_STATES),
    ):
        command += f" {option} {value}" if value != default else ""
    return run_task(task_on(given, args), args, command)


def task(args: argparse.Namespace, announce: Callable[[str], object]) -> Task:
    """The language as a task of the pipeline; its title is announced before anything takes long.

    Raises:
        InputError: when it is not star-free.
    """
    given = read_input(args)
    announce(given.title)
    if not beyond_star_free(args) and not seems_star_free(given, args):
        raise InputError(
            f"{given.title} is not star-free, so there is no model of it: see `python -m verify prove {given.options}`"
        )
    return task_on(given, args)


def task_on(given: Input, args: argparse.Namespace) -> Task:
    """The same for a language that is star-free, or not regular at all."""
    from automata.dfa import DFA
    from verify.commands.tasks import task_of

    spoken_of = given.dfa if isinstance(given.machine, DFA) or args.command == "starfree" else None
    return task_of(given.title, given.machine, args, spoken_of, given.language)


def beyond_star_free(args: argparse.Namespace) -> bool:
    """Whether the target asked for has registers with groups, so that star-free or not is no question."""
    from constructions.compile.compiler import PERMUTE, TRANSFORM
    from constructions.target import TARGETS

    return bool({PERMUTE, TRANSFORM} & TARGETS.named(getattr(args, "target", "ssm")).abilities)


def seems_star_free(given: Input, args: argparse.Namespace) -> bool:
    """Whether the language is star-free, as far as its image sets tell; a language that is not regular passes too.

    Where there are more image sets than the limit, another route may still lead on.

    Raises:
        InputError: when the automaton has more states than the limit.
    """
    from automata.algebra.holonomy import Skeleton

    if not given.regular:
        if args.command == "starfree":
            given.dfa  # noqa: B018 - raises, naming the command for it
        return True
    if given.language.known and args.command != "starfree":
        return True
    if given.dfa.states > args.states:
        raise InputError(
            f"the minimal automaton has {given.dfa.states} states, more than {args.states}: raise the limit with "
            "--states to go on"
        )
    try:
        with Progress(phase="image sets", quiet=getattr(args, "quiet", False)):
            return Skeleton.of(given.dfa, image_set_limit(args)).aperiodic
    except LimitError:
        return True


def _refuse(given: Input, args: argparse.Namespace, command: str) -> int:
    """The witness, checked by running its strings on the automaton; exit status 1.  The cascade is drawn with its
    groups.
    """
    from automata.algebra.aperiodic import group_witness, membership_cycle
    from verify.show.report import Report, show_word
    from verify.verdict import EXIT_STATUS, REFUTED

    if args.draw:
        from verify.show.pictures.drawing import draw_file

        draw_file(given.dfa, args.draw_what, args.draw)
    limit = image_set_limit(args)
    witness, cycle = group_witness(given.dfa, limit), membership_cycle(given.dfa, limit)
    report = Report(f"python -m verify {command} {given.options}", args.quiet, args.json)
    report.title(given.title)
    if witness is None or cycle is None:
        raise ValueError(f"{given.title} is star-free")
    states = " -> ".join(map(str, (*witness.states, witness.states[0])))
    values: dict[str, object] = {
        "no": (
            f"the word w = {show_word(witness.word)} permutes states of the minimal automaton with period "
            f"{witness.period}"
        ),
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

    def certificate() -> dict[str, object]:
        from verify.certificate.writer import not_star_free

        return not_star_free(given.dfa, args.regex, limit)

    report_certificate(args, report, certificate)
    if args.quiet:
        report.say(f"star-free: no: w = {show_word(witness.word)} has period {witness.period}")
    if args.draw:
        report.wrote("picture", args.draw)
    report.close()
    return EXIT_STATUS[REFUTED]
