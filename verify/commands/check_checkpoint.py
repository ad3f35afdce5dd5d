"""Checks of a given checkpoint against a language: accuracy, gates, refutation, search."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Iterator

import numpy as np

from automata.algebra.aperiodic import membership_cycle
from automata.errors import InputError, LimitError
from automata.files import read_text
from automata.machine import ACCEPT, EOS, MODES, PREDICTIVE, RECOGNISE, Machine
from constructions.mamba.reading import LOGIT, Reading
from constructions.mamba.surroundings import transformers_ready
from verify.checkpoints.checkpoint_search import search_checkpoint
from verify.checkpoints.opening import open_checkpoint
from verify.checkpoints.other_reading import right_by_probability
from verify.commands.inputs import Input
from verify.evidence.accuracy import Accuracy, accuracy
from verify.evidence.sampling import check_words, random_words
from verify.learned.expectation import expectation
from verify.learned.fading import fading_words
from verify.progress import Progress
from verify.show.report import Report
from verify.verdict import EXIT_STATUS, REFUTED, TESTED, UNDECIDED, Verdict, worst

SMALL_SEARCH, REFUTED_SEARCH = 1_000, 5_000
"""Joint states of the search that comes before longer words are tried, and of the one after they refuted the model."""

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
    mode, reading = mode or _declared_mode(directory), Reading() if args.answer is None else Reading.parse(args.answer)
    command += f" --mode {mode}"
    if reading != Reading():
        command += f" --answer {reading.option}"
    with transformers_ready():
        outputs = (ACCEPT,) if mode == RECOGNISE else (*machine.alphabet, EOS)
        opened = open_checkpoint(directory, machine.alphabet, outputs, reading)
        model = opened.model
        alone, report = report is None, report or Report(command, args.quiet, args.json)
        if alone:
            report.title(f"{directory}: {opened.what} against {given.title}")
        earlier = len(report.verdicts)
        convention = f"{reading}; acceptance is read from the end token"
        run_in = {"run in": model.conditions, "convention": convention}
        report.section("checkpoint", said | opened.values | run_in)
        words = list(_words(machine, mode, args.strings, edges[-1], args.seed))
        with opened.audit as audit:
            result = accuracy(machine, model.by_full_forward, words, mode, edges)
        report.section(
            "exact accuracy",
            {f"length {b.least} to {b.most}": f"{b.percent} of {b.strings} strings" for b in result.bins},
            [vars(b) for b in result.bins],
        )
        if audit is None:
            report.section("gates", {"as parametrised": opened.gates})
        else:
            report.section("gates", _gates(audit), [vars(layer) for layer in audit.layers])
        if opened.forgets:
            expected = expectation(machine, mode, given.regular)
            report.section("theory", {"expects": expected}, vars(expected))
        repeat = f"{command} --strings {args.strings} --bins {','.join(map(str, edges))} --seed {args.seed}"
        verdict = run_alone(machine, model, _tested(result, mode, model.arithmetic, repeat))
        if verdict.outcome == REFUTED and reading.kind == LOGIT:
            words = [word[: edges[-1]] for word in words]
            verdict = _or_by_probability(verdict, right_by_probability(machine, model.by_full_forward, words, mode))
        report.verdict("random test", _read_as(verdict, reading), {"run by": "full forward", "seed": args.seed})
        if not _star_free(given):
            report.verdict("pumped words", _read_as(run_alone(machine, model, pumped(given, model, mode)), reading))
        verdict, larger = _search(machine, model, mode, args, min(args.limit, SMALL_SEARCH)), 0
        if verdict.outcome == UNDECIDED:
            faded = _fading(machine, model, mode, args)
            report.verdict("fading words", _read_as(faded, reading))
            larger = args.limit if worst(report.verdicts) != EXIT_STATUS[REFUTED] else min(args.limit, REFUTED_SEARCH)
        if larger > SMALL_SEARCH:
            verdict = _search(machine, model, mode, args, larger)
        report.verdict("search", _read_as(verdict, reading))
    if alone:
        report.close()
    return worst(report.verdicts[earlier:])


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


def _search(machine: Machine, model, mode: str, args: argparse.Namespace, limit: int) -> Verdict:
    """The search through caches, up to so many joint states."""
    fresh = model.with_batch(model.batch)  # whatever was stepped before
    with Progress("joint states", quiet=args.quiet) as progress:
        return search_checkpoint(machine, fresh, mode, limit=limit, progress=progress)


def _fading(machine: Machine, model, mode: str, args: argparse.Namespace) -> Verdict:
    with Progress("symbols", quiet=args.quiet, phase="fading words") as progress:
        return run_alone(machine, model, fading_words(machine, model, mode, progress=progress))


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


def _declared_mode(directory: Path) -> str:
    """The mode that a checkpoint written here declares; predictive for all others."""
    from constructions.mamba.checkpoint import COORDINATES_FILE

    try:
        mode = json.loads(read_text(directory / COORDINATES_FILE))["mode"]
    except (OSError, InputError, ValueError, KeyError, TypeError, RecursionError):
        return PREDICTIVE
    return mode if mode in MODES else PREDICTIVE


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


def _or_by_probability(verdict: Verdict, other: Reading | None) -> Verdict:
    """The refutation, saying under which other reading the same strings are all answered right."""
    if other is None:
        return verdict
    reason = (
        f"{verdict.reason}; by probability (softmax) there is none on the same strings, see --answer {other.option}"
    )
    return replace(verdict, reason=reason)
