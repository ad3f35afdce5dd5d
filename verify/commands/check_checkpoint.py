"""Checks of a given checkpoint against a language: accuracy, gates, refutation, search."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from automata.algebra.aperiodic import membership_cycle
from automata.errors import LimitError
from automata.machine import ACCEPT, EOS, RECOGNISE, Machine
from automata.machines.counter_machine import CounterMachine
from constructions.mamba.reading import LOGIT, TOP, Reading
from constructions.mamba.surroundings import transformers_ready
from verify.checkpoints.counting import searched
from verify.checkpoints.declared import declared_mode
from verify.checkpoints.drifting_states import prove_by_widening, prove_drifting
from verify.checkpoints.greedy import greedy
from verify.checkpoints.opening import Opened, kind_of, open_checkpoint
from verify.checkpoints.other_reading import right_otherwise
from verify.checkpoints.ways import run_otherwise
from verify.commands.box_proofs import by_boxes, check_provable
from verify.commands.inputs import Input
from verify.evidence.accuracy import Accuracy, accuracy
from verify.evidence.sampling import check_words, random_words
from verify.learned.conclusion import conclusion, status
from verify.learned.expectation import expectation
from verify.learned.extraction import extract
from verify.learned.fading import fading_words
from verify.learned.horizon import predicted
from verify.learned.invariant import prove_running, verdict_of
from verify.learned.limits import Limit, limits, run_to_limits, sentence
from verify.progress import Progress, started
from verify.show.report import Report
from verify.verdict import PROVED, REFUTED, TESTED, UNDECIDED, Verdict

SMALL_SEARCH, REFUTED_SEARCH = 1_000, 5_000
"""Joint states of the search that comes before longer words are tried, and of the one after they refuted the model."""

STEPS_PER_STATE = 5
"""Steps that the search for an invariant may take for each joint state of the limit."""

PUMPED_LENGTH = 400
"""Symbols of the longest word u w^n v tried on a language that is not star-free."""


def check_checkpoint(
    given: Input,
    mode: str | None,
    said: dict[str, object],
    args: argparse.Namespace,
    command: str,
    edges: list[int],
    report: Report | None = None,
) -> int:
    """All checks, printed; returns the exit status.

    Args:
        given: the language.
        mode: the question, where the command or the language's file says it.
        said: values that the report begins with.
        args: the folder, strings, seed, limit and where the report goes.
        command: what repeats it, without its options.
        edges: the greatest length of each bin.
        report: where it is told, by a command that has more to tell; one of its own where absent.
    """
    directory, machine = Path(args.directory), given.machine
    mode, reading = mode or declared_mode(directory), Reading() if args.answer is None else Reading.parse(args.answer)
    command += f" --mode {mode}"
    if reading != Reading():
        command += f" --answer {reading.option}"
    alone, report = report is None, report or Report(command, args.quiet, args.json)
    title = f"{directory}: {kind_of(directory)[0]} against {given.title}"
    if alone:
        report.announce(title)
    with started(transformers_ready(), args.quiet):
        outputs = (ACCEPT,) if mode == RECOGNISE else (*machine.alphabet, EOS)
        with Progress(phase="reading the checkpoint", quiet=args.quiet):
            opened = open_checkpoint(directory, machine.alphabet, outputs, reading)
        check_provable(args, opened)
        model = greedy(opened.model, machine, mode)
        if alone:
            report.title(title)
        earlier = len(report.verdicts)
        convention = f"{reading}; acceptance is read from the end token"
        run_in = {"run in": model.conditions, "convention": convention}
        report.section("checkpoint", said | opened.values | run_in)
        judged_by_top = model is not opened.model
        if opened.forgets and not judged_by_top:
            expected = expectation(machine, mode, given.regular)
            report.section("theory", {"expects": expected}, vars(expected))
        elif opened.forgets:
            says = "it speaks of all symbols that may come next, and says nothing of the most likely token alone"
            report.section("theory", {"expects": says})
        words = list(_words(machine, mode, args.strings, edges[-1], args.seed))
        with opened.audit as audit, Progress(phase="exact accuracy", quiet=args.quiet):
            result = accuracy(machine, model.by_full_forward, words, mode, edges)
        report.section(
            "exact accuracy",
            {f"length {b.least} to {b.most}": f"{b.percent} of {b.strings} strings" for b in result.bins},
            [vars(b) for b in result.bins],
        )
        if audit is None:
            report.section("gates", {"as parametrised": opened.gates})
            horizon = ""
        else:
            horizon = predicted([layer.greatest for layer in audit.layers])
            report.section("gates", _gates(audit), [vars(layer) for layer in audit.layers])
        repeat = f"{command} --strings {args.strings} --bins {','.join(map(str, edges))} --seed {args.seed}"
        verdict = run_alone(machine, model, _tested(result, mode, model.arithmetic, repeat))
        if verdict.outcome == REFUTED and reading.kind == LOGIT:
            words = [word[: edges[-1]] for word in words]
            verdict = _or_otherwise(verdict, right_otherwise(machine, opened.model.by_full_forward, words, mode))
        report.verdict("random test", _read_as(verdict, reading), {"run by": "full forward", "seed": args.seed})
        if not _star_free(given):
            report.verdict("pumped words", _read_as(run_alone(machine, model, pumped(given, model, mode)), reading))
        wrong = any(verdict.outcome == REFUTED for verdict in report.verdicts[earlier:])
        for name, verdict in _every_length(machine, opened, model, mode, reading, args, report, wrong):
            report.verdict(name, _read_as(verdict, reading))
        report.section("conclusion", conclusion(report.verdicts[earlier:], horizon))
        if args.draw:
            proved = conclusion(report.verdicts[earlier:]).keys() == {"proved"}
            _draw(given, opened.model, mode, args, report, proved)
    if alone:
        report.close()
    return status(report.verdicts[earlier:])


def _draw(given: Input, model: Any, mode: str, args: argparse.Namespace, report: Report, proved: bool) -> None:
    """Draws the automaton that a proved model implements: that of its own states, where these are finitely many."""
    from verify.show.pictures.drawing import draw_file

    if not proved:
        report.section("picture", {"drawn": "nothing: only of a proved model is it known which automaton it is"})
        return
    with Progress("states", quiet=args.quiet, phase="extraction") as progress:
        dfa = extract(model.with_batch(model.batch), mode, args.limit, progress).dfa
    source = "the minimal automaton of all states that the model met"
    if dfa is None:
        dfa, source = (
            given.dfa,
            "the language's minimal automaton, as proved: the states that the model met did not close",
        )
    draw_file(dfa, "dfa", args.draw)
    report.section("picture", {"drawn": source, "states": dfa.states})
    report.wrote("picture", args.draw)


def _every_length(
    machine: Machine,
    opened: Opened,
    model: Any,
    mode: str,
    reading: Reading,
    args: argparse.Namespace,
    report: Report,
    refuted: bool,
) -> Iterator[tuple[str, Verdict]]:
    """The checks that speak about every length, or look for long strings, by name: cheapest first, until one decides.

    The search comes first with a small limit, in which it closes or not; where the model is refuted (``refuted``: by
    random strings) it is left to look for shorter ones.
    """
    most = STEPS_PER_STATE * args.limit
    allowed = {"limit_boxes": args.limit, "limit_steps": most}
    if first := by_boxes(machine, model, mode, args, allowed, report):
        yield "invariant", first
        if first.outcome != UNDECIDED:
            return
    verdict = _search(machine, model, mode, args, min(args.limit, SMALL_SEARCH))
    if verdict.outcome != UNDECIDED:
        yield "search", verdict
        return
    for name, found in _long_words(machine, opened, model, mode, args, report):
        refuted |= found.outcome == REFUTED
        yield name, found
    limit = min(args.limit, REFUTED_SEARCH) if refuted else args.limit
    if opened.forgets and not refuted and first is None:
        with Progress("steps", quiet=args.quiet, phase="invariant") as progress:
            boxes = prove_running(model, machine, mode, progress=progress, **allowed)
        found = run_alone(machine, model, verdict_of(boxes, model, machine, mode))
        if found.outcome == UNDECIDED:
            found = replace(found, reason=f"{found.reason} (--limit allows {args.limit} boxes and {most} steps)")
        yield "invariant", found
        if found.outcome == PROVED:
            return
    if getattr(model.runner, "cell", "") and not refuted and not isinstance(machine, CounterMachine):
        with Progress("steps of boxes", quiet=args.quiet, phase="boxes of states") as progress:
            boxes_of_states = prove_by_widening(machine, model, mode, limit=args.limit, progress=progress)
        if isinstance(boxes_of_states, Verdict):
            yield "boxes of states", run_otherwise(machine, model, mode, boxes_of_states, thorough=True)
            return
        yield "boxes of states", Verdict(UNDECIDED, "boxes of states", mode, model.arithmetic, {}, boxes_of_states)
    elif hasattr(model.runner, "counts_of_steps") and not refuted and not isinstance(machine, CounterMachine):
        with Progress("steps", quiet=args.quiet, phase="drifting numbers") as progress:
            drifting = prove_drifting(machine, model, mode, limit=args.limit, progress=progress)
        if isinstance(drifting, Verdict):
            yield drifting.method, run_otherwise(machine, model, mode, drifting, thorough=True)
            return
        yield "drifting numbers", Verdict(UNDECIDED, "drifting numbers", mode, model.arithmetic, {}, drifting)
    yield "search", verdict if limit <= SMALL_SEARCH else _search(machine, model, mode, args, limit)


def _star_free(given: Input) -> bool:
    """Whether the language is star-free, as far as that is known within the limit of image sets, or not regular."""
    try:
        return given.language.known if given.language.known is not None else given.language.star_free is not False
    except LimitError:
        return True


def pumped(given: Input, model, mode: str) -> Verdict:
    """Words u w^n v of a language that is not star-free: its answers cycle in n, those of nonnegative gates settle."""
    cycle = membership_cycle(given.dfa)
    if cycle is None:
        raise ValueError(f"{given.language.name} is star-free")
    most = max(2 * cycle.period, (PUMPED_LENGTH - len(cycle.u) - len(cycle.v)) // len(cycle.w))
    words = [cycle.u + cycle.w * n + cycle.v for n in range(most + 1)]
    verdict = check_words(given.machine, model.by_full_forward, words, mode, method="pumped words")
    parts = ", ".join(f"{name} = {' '.join(part) or 'empty'}" for name, part in zip("uwv", (cycle.u, cycle.w, cycle.v)))
    shown = f"u w^n v with {parts}, n up to {most}"
    if verdict.outcome == REFUTED:
        return replace(verdict, reason=f"{given.language.name} is not star-free: {shown}")
    return replace(
        verdict, outcome=UNDECIDED, reason=f"right on {shown}, though gates of a Mamba cannot do this for every n"
    )


def _long_words(
    machine: Machine, opened: Opened, model: Any, mode: str, args: argparse.Namespace, report: Report
) -> Iterator[tuple[str, Verdict]]:
    """What strings that say nothing for long show, by name; where their limits are known, these are reported first."""
    found: list[Limit] = []
    if opened.forgets and model.runner.model.config.hidden_act == "silu":
        found = limits(machine, model.with_batch(model.batch), mode)
        report.section("limits", {"of long words": sentence(found)}, [vars(limit) for limit in found])
    with Progress("symbols", quiet=args.quiet, phase="fading words") as progress:
        faded = run_alone(machine, model, fading_words(machine, model, mode, progress=progress))
    yield "fading words", faded
    if faded.outcome != REFUTED and any(limit.wrong for limit in found):
        with Progress("symbols", quiet=args.quiet, phase="runs to the limits") as progress:
            yield "runs to the limits", run_to_limits(machine, model, mode, found, progress)


def _search(machine: Machine, model, mode: str, args: argparse.Namespace, limit: int) -> Verdict:
    """The search through caches, up to so many joint states."""
    fresh = model.with_batch(model.batch)  # whatever was stepped before
    with Progress("joint states", quiet=args.quiet) as progress:
        verdict = searched(machine, fresh, mode, limit=limit, counted=args.limit, progress=progress)
    return run_otherwise(machine, model, mode, verdict, thorough=True)


def run_alone(machine: Machine, model, verdict: Verdict) -> Verdict:
    """A refutation by strings that were run together stands when its witness, run alone, is wrong too."""
    if verdict.outcome != REFUTED or verdict.witness is None:
        return verdict
    word = verdict.witness.word
    alone = accuracy(machine, model.by_full_forward, [word], verdict.mode, [len(word)])
    if alone.witness is not None:
        return replace(verdict, witness=alone.witness)
    reason = f"{verdict.reason}; run alone, it is answered right: what is given depends on the batch"
    return replace(verdict, outcome=UNDECIDED, reason=reason, witness=None)


def _words(machine: Machine, mode: str, count: int, longest: int, seed: int) -> Iterator[tuple[str, ...]]:
    """Valid strings; for recognition, arbitrary ones and those with one error too."""
    rng = np.random.default_rng(seed)
    every = 1 if mode == RECOGNISE else 3
    for number, word in enumerate(random_words(machine, every * count, longest, rng)):
        if number % every == 0:
            yield word


def _tested(result: Accuracy, mode: str, arithmetic: str, repeat: str) -> Verdict:
    explored = {
        "strings": sum(b.strings for b in result.bins),
        "positions compared": result.positions,
        "disagreements": result.wrong,
    }
    if result.witness is None:
        return Verdict(TESTED, "random strings", mode, arithmetic, explored, "no disagreement", repeat=repeat)
    reason = f"{result.wrong} disagreements; the witness is the shortest of them"
    return Verdict(REFUTED, "random strings", mode, arithmetic, explored, reason, result.witness, repeat=repeat)


def _gates(audit) -> dict[str, object]:
    from constructions.mamba.gates import near_one

    values: dict[str, object] = {
        f"layer {i + 1}": f"{layer.least:.6g} to {near_one(layer.greatest)}: {layer.allows}"
        for i, layer in enumerate(audit.layers)
    }
    values["what that allows"] = (
        "no gate is negative: star-free languages and counters at most, where each layer sees finitely many features"
    )
    return values


def _read_as(verdict: Verdict, reading: Reading) -> Verdict:
    """The verdict, saying how the outputs were read."""
    return replace(verdict, reason=f"{verdict.reason}; {reading}")


def _or_otherwise(verdict: Verdict, other: Reading | None) -> Verdict:
    """The refutation, saying under which other reading the same strings are all answered right."""
    if other is None:
        return verdict
    how = "its most likely token" if other.kind == TOP else "probability (softmax)"
    reason = f"{verdict.reason}; by {how} there is none on the same strings, see --answer {other.option}"
    return replace(verdict, reason=reason)
