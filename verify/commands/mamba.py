"""What commands about a language do with ``--target mamba``: lower, certify, run, prove, test, in this order."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Sequence

import numpy as np

from automata.cascade import Cascade
from automata.errors import InputError
from automata.files import check_replaceable
from automata.machine import Machine
from constructions.mamba.certificate import certify
from constructions.mamba.checkpoint import FILES, WHAT, write
from constructions.mamba.lowering import lower_to_mamba
from constructions.mamba.weights import MambaWeights
from verify.commands.options import check_common
from verify.commands.report import Report
from verify.mamba.card import model_card
from verify.mamba.search import closes, exactness, prove_mamba, resets_only, running
from verify.progress import Progress
from verify.released import Labelled, check_released
from verify.sampling import check_words, random_words
from verify.strings_file import read_strings
from verify.verdict import worst

if TYPE_CHECKING:
    from verify.commands.pipeline import Task

TEST_LENGTH = 200
"""Of the random strings: a full forward takes about a millisecond for each symbol of a batch."""


def describe(weights: MambaWeights) -> dict[str, object]:
    """The construction, counted on the arrays."""
    blocks = weights.layout.blocks
    certificate = certify(weights)
    return {
        "blocks": len(blocks),
        "d_model, d_inner": f"{weights.width}, {weights.inner}",
        "channels used": " + ".join(str(len(block.channels)) for block in blocks),
        "parameters": weights.parameters,
        "nonzero": weights.nonzero,
        "dtype": weights.precision.name,
        "norm": f"{weights.ballast.kind}: every RMSNorm divides by 2^{weights.ballast.exponent}",
        "certificate": f"{certificate.sums} sums of at most {certificate.largest} units; {exactness(certificate)}",
    }


def run_on_mamba(task: Task, args: argparse.Namespace, command: str) -> int:
    """All steps of a command about a language, printed; returns the exit status."""
    if args.arithmetic:
        raise InputError(
            f"--arithmetic {args.arithmetic}: is for the paper's SSM; the numbers of a Mamba are chosen with --dtype"
        )
    check_common(args)
    if args.save:
        check_replaceable(args.save, FILES, WHAT)
    command = f"{command} --mode {args.mode} --target {args.target} --dtype {args.dtype}"
    lines = read_strings(args.strings_file, task.parse, task.characters) if args.strings_file else []
    cascade = resets_only(task.cascade, task.machine)
    weights = lower_to_mamba(cascade, args.dtype)
    longest = string_length(task.machine, cascade, weights, args)
    report = Report(command, args.quiet)
    report.title(f"{task.title}, as a Mamba")
    for name, values in task.sections:
        report.section(name, values)
    if cascade is not task.cascade:
        why = "no Mamba has a counter that is set, and no search over one that drifts is ever closed"
        report.section("cascade", {"taken": f"by holonomy, {len(cascade.registers)} registers, all of them reset: {why}"})
    check(task.machine, cascade, weights, longest, args, report, command, [line.word for line in lines], task.released)
    if args.save:
        write(weights, Path(args.save), model_card(task.title, weights, report.verdicts, command))
    report.close(args.json)
    return worst(report.verdicts)


def check(
    machine: Machine,
    cascade: Cascade,
    weights: MambaWeights,
    longest: int,
    args: argparse.Namespace,
    report: Report,
    command: str,
    words: Sequence[tuple[str, ...]] = (),
    released: Sequence[Labelled] = (),
) -> None:
    """Puts construction, proof, random test, published strings and the given words into the report.

    Args:
        cascade: what the weights were lowered from.
        longest: the length of the random strings (see :func:`string_length`).
        args: with ``target``, ``limit``, ``strings``, ``seed`` and ``quiet``.
    """
    report.section("construction", describe(weights))
    with running(weights, args.target) as model:
        with Progress("joint states", quiet=args.quiet) as progress:
            report.verdict("proof", prove_mamba(machine, cascade, weights, model, limit=args.limit, progress=progress))
        random = random_words(machine, args.strings, longest, np.random.default_rng(args.seed))
        repeat = f"{command} --strings {args.strings} --max-length {longest} --seed {args.seed}"
        with Progress("strings", args.strings, args.quiet) as progress:
            verdict = check_words(
                machine, model.by_full_forward, random, cascade.mode, progress=progress, repeat=repeat
            )
        report.verdict("random test", verdict, {"run by": "full forward", "seed": args.seed})
        if released:
            report.verdict("released strings", check_released(machine, model.by_full_forward, released))
        if words:
            method = f"strings of {args.strings_file}"
            report.verdict(
                "strings file", check_words(machine, model.by_full_forward, words, cascade.mode, method=method)
            )


def string_length(machine: Machine, cascade: Cascade, weights: MambaWeights, args: argparse.Namespace) -> int:
    """The length of the random strings: as long as drifting counters are certainly exact."""
    longest = TEST_LENGTH if args.max_length is None else args.max_length
    horizon = None if closes(cascade, machine) else certify(weights).horizon
    # A string with an inserted symbol is one longer than asked for.
    if horizon is None or longest < horizon:
        return longest
    if args.max_length is None:
        return horizon - 1
    raise InputError(f"--max-length {longest}: {weights.precision.name} counts exactly below {horizon} symbols")
