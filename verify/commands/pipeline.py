"""What every command about a language does: compile, lower, count memory, prove, test, save, in this order, for every
target.
"""

from __future__ import annotations

import argparse
import math
import shlex
from dataclasses import dataclass, replace
from typing import Any, Callable, Sequence

from automata.catalogue import Language
from automata.errors import InputError
from automata.machine import PREDICTIVE, RECOGNISE, Machine, run
from automata.machines.counter_machine import CounterMachine
from constructions.build import Build, build
from constructions.cascade import Counter
from constructions.compile.compiler import AUTO, PAPER, Construction, compile
from constructions.compile.smaller import Limits
from constructions.ssm.weights import SSM
from constructions.target import TARGETS
from verify.claim import Claim
from verify.commands.certificates import certify_verdict, check_certifiable
from verify.evidence.batches import walkable
from verify.evidence.released import Labelled, check_released
from verify.evidence.sampling import check_random, check_words
from verify.evidence.strings_file import Line, read_strings
from verify.methods import Method
from verify.methods.hopeless import SEARCHES, cannot_close
from verify.progress import Progress, started
from verify.proving import chosen, prove_claim
from verify.show.card import card
from verify.show.memory import Memory
from verify.show.report import Command, Report
from verify.verdict import EXIT_STATUS, PROVED, REFUTED, TESTED, UNDECIDED, Verdict, so_many, worst

RANDOM_STRINGS, LARGE = 1000, 50_000
"""Random strings by default, and the weights up to which it is so many."""

MANY_STRINGS, SMALL, SHORT = 8000, 10_000, 500
"""Random strings by default of a machine whose words are drawn many at once, up to so many weights of the paper's SSM
and this length: fewer would take hardly less time.
"""

_QUESTION = {
    PREDICTIVE: "predictive: the set of legal next symbols after every prefix of a word",
    RECOGNISE: "recognise: accept or reject every string",
}


@dataclass(frozen=True)
class Task:
    """A language to be compiled and checked.

    Attributes:
        title: one line that names it.
        construction: its cascade, for the target asked for.
        classes: the number of Myhill-Nerode classes to be told apart, None where it is infinite.
        parse: from a token to a symbol.
        sections: what is printed before the construction: headings with named values, for people and for JSON.
        checks: what is checked after the proof besides the random test: headings, and functions of the running model.
        released: published strings with their labels, to be checked too.
        language: as it was given; None where the machine's own name says it.
    """

    title: str
    construction: Construction
    classes: int | None
    parse: Callable[[str], str]
    sections: tuple[tuple[str, dict[str, object], dict[str, object]], ...] = ()
    checks: tuple[tuple[str, Callable[[Any, Progress], Verdict]], ...] = ()
    released: tuple[Labelled, ...] = ()
    language: Language | None = None

    @property
    def machine(self) -> Machine:
        """The ground truth."""
        return self.construction.machine

    @property
    def mode(self) -> str:
        return self.construction.mode

    @property
    def characters(self) -> bool:
        """Whether strings may be written without blanks."""
        return all(len(symbol) == 1 for symbol in self.construction.cascade.alphabet)


def construct(machine: Machine, args: argparse.Namespace) -> Construction:
    """The construction for the target that the options name: every command comes by its cascade here."""
    target, route = getattr(args, "target", "ssm"), getattr(args, "route", AUTO)
    with Progress(phase="cascade", quiet=getattr(args, "quiet", False)):
        dtype = getattr(args, "dtype", "float32")
        return compile(machine, args.mode, route, target=target, dtype=dtype, limits=limits_of(args))


def limits_of(args: argparse.Namespace) -> Limits:
    """What a compilation may cost, by the options where they are given."""
    asked = {"image_sets": "image_sets", "levels": "levels", "thorough": "auto_states"}
    given = {name: getattr(args, option, None) for name, option in asked.items()}
    return Limits(**{name: value for name, value in given.items() if value is not None})


def lowered(task: Task, args: argparse.Namespace) -> Build:
    """The model, in the numbers asked for."""
    target = TARGETS.named(getattr(args, "target", "ssm"))
    dtype = getattr(args, "dtype", "float32")
    if target.numbers == "exact" and (args.arithmetic or dtype != "float32"):
        option = f"--arithmetic {args.arithmetic}" if args.arithmetic else f"--dtype {dtype}"
        raise InputError(f"{option}: {target.name} has numbers of one kind alone")
    if target.numbers == "arithmetic" and dtype != "float32":
        raise InputError(f"--dtype {dtype}: the numbers of {target.name} are chosen with --arithmetic")
    if args.arithmetic and target.numbers != "arithmetic":
        raise InputError(
            f"--arithmetic {args.arithmetic}: is for the paper's SSM; the "
            f"numbers of {target.name} are chosen with --dtype"
        )
    # Only the paper's lowering says how far it is.
    rules = task.construction.cascade.rule_count if target.name == "ssm" else None
    unit = "" if rules is None else "rules"
    with Progress(unit, rules, getattr(args, "quiet", True), phase="lowering") as progress:
        built = build(task.construction, target, arithmetic=args.arithmetic, dtype=dtype, advance=progress.advance)
        return replace(built, language=task.language)


def warn(claim: Claim, method: Method, report: Report) -> None:
    """Says, before anything is searched, that a search cannot close within the limit."""
    if method.name in SEARCHES and (why := cannot_close(claim)):
        report.section("search", {"beforehand": f"it {why}; short strings are compared all the same"})


def opened(title: str, args: argparse.Namespace, command: str) -> Report:
    """The report of a language, with its title printed."""
    report = Report(_repeatable(command, args), args.quiet, args.json)
    report.title(f"{heading(title, args)}\n{_QUESTION[args.mode]}")
    return report


def announce_title(title: str, args: argparse.Namespace) -> None:
    """Work that takes long begins with its title; what is refused at once says nothing else."""
    Report("", args.quiet, args.json).announce(heading(title, args))


def heading(title: str, args: argparse.Namespace) -> str:
    """The first line: the language, and what it runs on where that is not the paper's SSM."""
    return f"{title}{'' if args.target == 'ssm' else f', on {TARGETS.named(args.target).title}'}"


def run_task(task: Task, args: argparse.Namespace, command: str, report: Report | None = None) -> int:
    """All steps, printed; returns the exit status.  What is refuted is not saved.

    Args:
        task: the language.
        args: the options of the command.
        command: what repeats it.
        report: where it is open already; otherwise the title is printed once nothing can be refused any more.
    """
    if args.save:
        TARGETS.named(args.target).check_place(args.save)
    if getattr(args, "draw", None):
        from verify.show.pictures.drawing import draw_file

        with Progress(phase="picture", quiet=args.quiet):
            draw_file(task.construction, args.draw_what, args.draw)
    check_certifiable(args, TARGETS.named(args.target))
    said, command = command, _repeatable(command, args)
    built = lowered(task, args)
    lines = read_strings(args.strings_file, task.parse, task.characters) if args.strings_file else []
    longest = random_length(built, args.max_length)
    claim = Claim(task.machine, task.mode, None, built.weights, task.construction, args.limit)
    method = chosen(claim, args.method)[0]
    report = report or opened(task.title, args, said)
    warn(claim, method, report)
    for name, values, data in task.sections:
        report.section(name, values, data)
    route = task.construction.route
    by_route = {} if route == PAPER or task.sections else {"route": f"{route}: {task.construction.reason}"}
    described = {**by_route, **built.describe()}
    report.section("construction", described, described | built.target.size(built.weights))
    report.section("memory", *memory(task))
    with started(built.running(), args.quiet) as model:
        proof = prove_and_test(replace(claim, model=model), method.unit, longest, args, report, command)
        for name, check in task.checks:
            with Progress("strings", quiet=args.quiet, phase=name) as progress:
                report.verdict(name, check(model, progress))
        if task.released and isinstance(task.machine, CounterMachine):
            report.verdict("released strings", check_released(task.machine, _tested(model), task.released))
        if lines:
            _check_file(task, _tested(model), lines, report, args)

    if getattr(args, "draw", None):
        report.wrote("picture", args.draw)
    if args.save and worst(report.verdicts) != EXIT_STATUS[REFUTED]:
        again = Command(f"python -m verify check {shlex.quote(args.save)}")
        report.wrote("folder", args.save, checked_again_with=again, **built.target.loads_with)
        report.close(lambda: built.save(args.save, card(task.title, built, report.verdicts, command)))
    else:
        report.close()
    # A search in the place of a proof, for want of a solver, leaves the question open.
    return worst(report.verdicts) or (EXIT_STATUS[UNDECIDED] if proof.outcome == TESTED else EXIT_STATUS[PROVED])


def _repeatable(command: str, args: argparse.Namespace) -> str:
    """The command with the options that decide what is checked."""
    command += f" --mode {args.mode}"
    if args.target != "ssm":
        command += f" --target {args.target}"
        command += f" --dtype {args.dtype}" * (TARGETS.named(args.target).numbers == "dtype")
    return command + (f" --arithmetic {args.arithmetic}" if args.arithmetic else "")


def _tested(model: Any) -> Any:
    """The model as random strings are run: by full forward where it has one, since that is quicker than step by
    step.
    """
    return getattr(model, "by_full_forward", model)


def prove_and_test(
    claim: Claim, unit: str, longest: int, args: argparse.Namespace, report: Report, command: str
) -> Verdict:
    """The proof, whose progress counts this unit, and the random test; returns the proof."""
    with Progress(unit, quiet=args.quiet, phase="proof") as progress:
        proof = prove_claim(claim, args.method, progress)
    report.verdict("proof", proof)
    certify_verdict(args, report, claim, proof)
    tested = _tested(claim.model)
    strings = strings_for(claim.weights, claim.machine, longest) if args.strings is None else args.strings
    with Progress("strings", strings, args.quiet, phase="random test") as progress:
        repeat = f"{command} --strings {strings} --max-length {longest} --seed {args.seed}"
        verdict = check_random(
            claim.machine, tested, strings, longest, claim.mode, seed=args.seed, progress=progress, repeat=repeat
        )
    run_by = {} if tested is claim.model else {"run by": "full forward"}
    report.verdict("random test", verdict, {**run_by, "seed": args.seed})
    return proof


def strings_for(weights: Any, machine: Machine | None = None, longest: int = SHORT) -> int:
    """Random strings by default: more where they are drawn many at once, and fewer for a large model of the paper's
    SSM, whose every new situation takes time in its size.

    >>> strings_for(None)
    1000
    """
    size = weights.nonzero if isinstance(weights, SSM) else 0
    if isinstance(weights, SSM) and size <= SMALL and machine is not None and walkable(machine) is not None:
        return max(RANDOM_STRINGS, MANY_STRINGS * SHORT // max(SHORT, longest))
    return RANDOM_STRINGS if size <= LARGE else max(3, RANDOM_STRINGS * LARGE**2 // size**2)


def random_length(built: Build, asked: int | None) -> int:
    """The length of the random strings, within what is exact; what is asked for has to be."""
    wanted = built.target.test_length if asked is None else asked
    exact = built.target.longest(built.weights, built.construction, wanted)
    if exact < wanted and asked is not None:
        raise InputError(
            f"--max-length {wanted}: {built.target.exact_range(built.weights)}, "
            f"so strings of up to {exact} symbols are safe"
        )
    return exact


def _check_file(task: Task, model: Any, lines: Sequence[Line], report: Report, args: argparse.Namespace) -> None:
    with Progress("strings", len(lines), args.quiet, phase="strings file") as progress:
        words = [line.word for line in lines]
        verdict = check_words(
            task.machine, model, words, task.mode, method=f"strings of {args.strings_file}", progress=progress
        )
    complete = [line for line in lines if line.complete]
    foreign = [line.number for line in complete if not task.machine.accepts(run(task.machine, line.word))]
    notes: dict[str, object] = {"marked END": len(complete), "not in the language": len(foreign)}
    if foreign:
        notes["first of these"] = f"line {foreign[0]}"
    report.verdict("strings file", verdict, notes)


def memory(task: Task) -> tuple[dict[str, object], dict[str, object]]:
    """Bits used beside the least number of bits that can tell the classes apart, for people and for JSON."""
    cascade, found = task.construction.cascade, Memory.of(task.construction)
    counters = [r for r in cascade.registers if isinstance(r, Counter)]
    lower = "infinitely many classes"
    if task.classes is not None:
        classes = str(task.classes) if task.classes < 10**12 else f"about 10^{math.log10(task.classes):.1f}"
        named = f"{classes} Myhill-Nerode class{'es' * (task.classes != 1)}"
        lower = f"{math.log2(task.classes):.2f} bits = log2({named})"
    unbounded = [counter for counter in counters if counter.span is None]
    if task.classes is None or unbounded:
        # A regular language has such counters where a target can add and not forget.
        many = len(unbounded or counters)
        ranges = [f" + log2({c.span[1] - c.span[0] + 1})" for c in counters if c.span is not None and unbounded]
        said: dict[str, object] = {
            "used": f"{cascade.memory_bits}{''.join(ranges)} bits and {so_many(many, 'unbounded counters')}",
            "lower bound": lower,
        }
        return said, {"bits": cascade.memory_bits, "unbounded counters": many, "classes": task.classes}
    parts = [str(cascade.memory_bits)] * bool(cascade.memory_bits)
    parts += [f"log2({counter.span[1] - counter.span[0] + 1})" for counter in counters if counter.span is not None]
    parts += [f"{found.previous} previous digits"] * bool(found.previous)
    bound = math.log2(task.classes)
    said = {
        "used": f"{found.used:.2f} bits" + (f" = {' + '.join(parts)}" if len(parts) > 1 else ""),
        "lower bound": lower,
        "ratio": f"{found.used / bound:.3f}" if bound else "none: no memory is needed",
    }
    data = {"bits": found.used, "classes": task.classes, "least bits": bound}
    if found.reachable is not None:
        # Two measures: what the registers could hold, and what they ever do.
        said["used"] = f"{said['used']}, of registers"
        reached = math.log2(found.reachable)
        ratio = f", ratio {reached / bound:.3f}" if bound else ""
        number = str(found.reachable) if found.reachable < 10**12 else f"about 10^{math.log10(found.reachable):.1f}"
        named = f"{number} reachable state{'s' * (found.reachable != 1)} of the registers"
        said["reached"] = f"{reached:.2f} bits = log2({named}){ratio}"
        data |= {"reachable states": found.reachable, "reachable bits": reached}
    return said, {**data, "ratio": found.used / bound if bound else None}
