"""What every command about a language does: construct, count memory, prove, test, save, in this order."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Callable, Iterable

import numpy as np

from automata.cascade import Cascade, Counter, Permutation, Reset, bit_length
from automata.errors import InputError
from automata.files import check_replaceable
from automata.machine import PREDICTIVE, RECOGNISE, Machine
from constructions.arithmetic import Arithmetic
from constructions.engine import Engine
from constructions.horizon import exact_length
from constructions.lowering import lower
from constructions.ssm import SSM
from constructions.storage import FILES, WHAT, save
from verify.bisimulation import bisimulation
from verify.commands.options import check_common
from verify.commands.report import Report
from verify.mamba import SSM as SSM_TARGET
from verify.progress import Progress
from verify.released import Labelled, check_released
from verify.sampling import check_words, random_streams
from verify.sticky import find_sticky
from verify.strings_file import read_strings
from verify.verdict import EXIT_STATUS, PROVED, TESTED, UNDECIDED, Verdict, worst

DEFAULT_LENGTH = 500

_QUESTION = {
    PREDICTIVE: "predictive: the set of legal next symbols after every prefix of a word",
    RECOGNISE: "recognise: accept or reject every string",
}


@dataclass(frozen=True)
class Task:
    """A language to be compiled and checked.

    Attributes:
        title: one line that names it.
        machine: the ground truth.
        cascade: the construction.
        arithmetic: the default arithmetic.
        classes: the number of Myhill-Nerode classes to be told apart, None where it is infinite.
        parse: from a token to a symbol.
        prove: another way than search, used when it is given.
        sections: what is printed before the construction: headings with named values.
        checks: what is checked after the proof besides the random test: headings, and functions of the engine.
        released: published strings with their labels, to be checked too.
    """

    title: str
    machine: Machine
    cascade: Cascade
    arithmetic: str
    classes: int | None
    parse: Callable[[str], str]
    prove: Callable[[SSM, Progress], Verdict] | None = None
    sections: tuple[tuple[str, dict[str, object]], ...] = ()
    checks: tuple[tuple[str, Callable[[Engine, Progress], Verdict]], ...] = ()
    released: tuple[Labelled, ...] = ()

    @property
    def characters(self) -> bool:
        """Whether strings may be written without blanks."""
        return all(len(symbol) == 1 for symbol in self.cascade.alphabet)


def build(task: Task, args: argparse.Namespace) -> SSM:
    """The model in the arithmetic asked for."""
    with Progress("rules placed", quiet=getattr(args, "quiet", True), phase="lowering") as progress:
        return lower(task.cascade, Arithmetic.parse(args.arithmetic or task.arithmetic), progress.advance)


def run_task(task: Task, args: argparse.Namespace, command: str) -> int:
    """All steps, printed; returns the exit status."""
    if args.target != SSM_TARGET:
        from verify.commands.mamba import run_on_mamba

        return run_on_mamba(task, args, command)
    check_common(args)
    if args.save:
        check_replaceable(args.save, FILES, WHAT)
    command = _repeatable(command, args)
    ssm = build(task, args)
    lines = read_strings(args.strings_file, task.parse, task.characters) if args.strings_file else []
    longest = _longest(ssm, args)
    report = Report(command, args.quiet)
    report.title(f"{task.title}\n{_QUESTION[task.cascade.mode]}")
    for name, values in task.sections:
        report.section(name, values)
    report.section("construction", describe(task.cascade, ssm))
    report.section("memory", memory(task))
    with Progress("joint states" if task.prove is None else "cases", quiet=args.quiet, phase="proof") as progress:
        engine = Engine(ssm)
        proof = prove(task, engine, args.limit, progress)
    report.verdict("proof", proof)
    with Progress("strings", args.strings, args.quiet, phase="random test") as progress:
        rng = np.random.default_rng(args.seed)
        words = random_streams(task.machine, args.strings, longest, rng)
        repeat = f"{command} --strings {args.strings} --max-length {longest} --seed {args.seed}"
        verdict = check_words(task.machine, engine, words, task.cascade.mode, progress=progress, repeat=repeat)
        report.verdict("random test", verdict, {"seed": args.seed})
    for name, check in task.checks:
        with Progress("strings", quiet=args.quiet, phase=name) as progress:
            report.verdict(name, check(engine, progress))
    if task.released:
        report.verdict("released strings", check_released(task.machine, engine, task.released))
    if lines:
        _check_file(task, engine, lines, report, args)
    if args.save:
        save(ssm, args.save)
    report.close(args.json)
    # A search in the place of a proof, for want of a solver, leaves the question open.
    return worst(report.verdicts) or (EXIT_STATUS[UNDECIDED] if proof.outcome == TESTED else EXIT_STATUS[PROVED])


def _repeatable(command: str, args: argparse.Namespace) -> str:
    """The command with the options that decide what is checked."""
    return f"{command} --mode {args.mode}" + (f" --arithmetic {args.arithmetic}" if args.arithmetic else "")


def prove(task: Task, engine: Engine, limit: int, progress: Progress) -> Verdict:
    """By the task's own proof where it has one, else by search; a search that gave up says which option takes it further."""
    if task.prove is not None:
        return naming_the_limit(task.prove(engine.ssm, progress), limit)
    mode = task.cascade.mode
    drifts = mode == RECOGNISE and any(isinstance(r, Counter) for r in task.cascade.registers)
    sticky = find_sticky(engine) if drifts else None
    return naming_the_limit(bisimulation(task.machine, engine, mode, limit=limit, absorbed=sticky, progress=progress), limit)


def naming_the_limit(verdict: Verdict, limit: int) -> Verdict:
    """A search that gave up at the limit of ``--limit`` says so."""
    if verdict.outcome == UNDECIDED and verdict.method == "search" and verdict.explored.get("joint states", 0) > limit:
        return replace(verdict, reason=f"{verdict.reason}; raise the limit with --limit")
    return verdict


def _longest(ssm: SSM, args: argparse.Namespace) -> int:
    """The length of the random strings, within what is exact."""
    wanted = DEFAULT_LENGTH if args.max_length is None else args.max_length
    if wanted << 10 < ssm.arithmetic.limit:
        # Far below the bound; the engine checks it in any case.
        return wanted
    exact = exact_length(ssm)
    if exact is None or wanted <= exact:
        return wanted
    if args.max_length is None:
        return exact
    raise InputError(
        f"--max-length {wanted}: a value could leave the range |v| < 2^{ssm.arithmetic.limit.bit_length() - 1} in which "
        f"{ssm.arithmetic} counts exactly; {exact} symbols are safe"
    )


def _check_file(task: Task, engine: Engine, lines, report: Report, args: argparse.Namespace) -> None:
    mode = task.cascade.mode
    with Progress("strings", len(lines), args.quiet, phase="strings file") as progress:
        words = [line.word for line in lines]
        verdict = check_words(task.machine, engine, words, mode, method=f"strings of {args.strings_file}", progress=progress)
    complete = [line for line in lines if line.complete]
    foreign = [line.number for line in complete if not task.machine.accepts(_end(task.machine, line.word))]
    notes: dict[str, object] = {"marked END": len(complete), "not in the language": len(foreign)}
    if foreign:
        notes["first of these"] = f"line {foreign[0]}"
    report.verdict("strings file", verdict, notes)


def _end(machine: Machine, word):
    state = machine.initial
    for symbol in word:
        state = machine.step(state, symbol)
    return state


# -- descriptions -------------------------------------------------------------------------------------


def describe(cascade: Cascade, ssm: SSM) -> dict[str, object]:
    """The construction, read off the arrays: layers, hidden size, registers with their gates, sizes."""
    widths = " + ".join(runs(str(layer.width) for layer in ssm.layers))
    neurons = ", ".join(runs("+".join(str(mix.affine.outputs) for mix in layer.phi) for layer in ssm.layers))
    values: dict[str, object] = {
        "layers": len(ssm.layers),
        "hidden size": f"{ssm.hidden_size} ({widths})",
        "neurons of phi": neurons,
    }
    gates = _gate_values(ssm)
    groups: list[tuple[str, list[str]]] = []
    for register in cascade.registers:
        text = _describe_register(register, gates)
        if groups and groups[-1][0] == text and isinstance(register, Reset):
            groups[-1][1].append(register.name)
        else:
            groups.append((text, [register.name]))
    for text, names in groups:
        if len(names) <= 8:
            values.update({f"register {name}": text for name in names})
        else:
            values[f"register {names[0]}"] = f"{text}; likewise each of the {len(names)} registers up to {names[-1]}"
    values["largest weight"] = f"{ssm.largest_weight:g}"
    values["nonzero weights"] = ssm.nonzero
    values["arithmetic"] = ssm.arithmetic
    return values


_SHOWN_RUNS = 40


def runs(items: Iterable[str]) -> list[str]:
    """Items for reading, where three or more equal ones in a row are one; the middle of a long list is left out.

    >>> runs("1 2 2 3 3 3".split())
    ['1', '2', '2', '3 × 3']
    """
    shown: list[str] = []
    for item, run in groupby(items):
        count = len(list(run))
        shown += [item] * count if count < 3 else [f"{count} × {item}"]
    if len(shown) > _SHOWN_RUNS:
        half = _SHOWN_RUNS // 2
        shown = [*shown[:half], f"… ({len(shown) - 2 * half} more)", *shown[-half:]]
    return shown


def _describe_register(register, gates: dict[str, str]) -> str:
    if isinstance(register, Counter):
        span = f", {register.span[0]}..{register.span[1]}" if register.span else ""
        return f"counter{span}, gate {gates[register.name]}"
    bits = bit_length(register.values)
    kind = "permutation" if isinstance(register, Permutation) else "reset"
    if not bits:
        return f"{kind}, one value, no bits"
    name = register.name if bits == 1 else f"{register.name} bit 0"
    return f"{kind}, {register.values} values in {bits} bit{'s' * (bits > 1)}, gate {gates[name]}"


def _gate_values(ssm: SSM) -> dict[str, str]:
    """The gates of each named coordinate: the constant, and the constant changed by one event at a time."""
    found = {}
    for layer in ssm.layers:
        matrix, scale = layer.gate.matrix, 2.0**layer.gate.exponent
        for i, name in enumerate(layer.names):
            row = matrix.data[matrix.indptr[i] : matrix.indptr[i + 1]]
            values = sorted({(int(layer.gate.bias[i]) + int(c)) / scale for c in (0, *row)})
            found[name] = " or ".join(f"{value:g}" for value in values)
    return found


def memory(task: Task) -> dict[str, object]:
    """Bits used beside the least number of bits that can tell the classes apart."""
    cascade = task.cascade
    counters = [r for r in cascade.registers if isinstance(r, Counter)]
    if task.classes is None or any(counter.span is None for counter in counters):
        return {"used": f"{cascade.memory_bits} bits and {len(counters)} unbounded counters", "lower bound": "infinitely many classes"}
    sizes = [counter.span[1] - counter.span[0] + 1 for counter in counters]
    used = cascade.memory_bits + sum(math.log2(size) for size in sizes)
    bound = math.log2(task.classes)
    parts = [str(cascade.memory_bits)] * bool(cascade.memory_bits) + [f"log2({size})" for size in sizes]
    finite = [r for r in cascade.registers if not isinstance(r, Counter)]
    previous = sum(bit_length(r.values) for r in finite if r.name in cascade.read_before)
    if previous:
        used += previous
        parts.append(f"{previous} previous digits")
    classes = str(task.classes) if task.classes < 10**12 else f"about 10^{math.log10(task.classes):.1f}"
    values: dict[str, object] = {
        "used": f"{used:.2f} bits" + (f" = {' + '.join(parts)}" if len(parts) > 1 else ""),
        "lower bound": f"{bound:.2f} bits = log2({classes} Myhill-Nerode classes)",
    }
    values["ratio"] = f"{used / bound:.3f}" if bound else "none: no memory is needed"
    return values
