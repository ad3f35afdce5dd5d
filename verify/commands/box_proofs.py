"""--save-proof FILE and --proof FILE: the boxes that prove a Mamba as a file, and the check of such a file."""

from __future__ import annotations

import argparse
from typing import Any

from automata.errors import InputError
from automata.machine import Machine
from verify.checkpoints.opening import Opened
from verify.learned.invariant import prove_running, verdict_of
from verify.learned.proof import NoProof, read_proof, write_proof
from verify.learned.recheck import recheck_boxes
from verify.learned.weights import trained_mamba
from verify.numbers.boxes import NotCovered
from verify.progress import Progress
from verify.show.report import Report
from verify.verdict import PROVED, UNDECIDED, Verdict


def check_provable(args: argparse.Namespace, opened: Opened) -> None:
    """Raises, before any work, where a proof by boxes is asked for of what it does not speak about."""
    read, written = _options(args)
    if read and written:
        raise InputError(f"--proof {read}: is checked again, so there is nothing for --save-proof {written}")
    for option, path in (("--proof", read), ("--save-proof", written)):
        if path and not opened.forgets:
            raise InputError(f"{option} {path}: proofs by boxes speak about Mambas, not about {opened.what}")


def by_boxes(
    machine: Machine, model: Any, mode: str, args: argparse.Namespace, allowed: dict, report: Report
) -> Verdict | None:
    """What --proof or --save-proof lead to, before all else; None where neither is given."""
    read, written = _options(args)
    if read:
        return _by_file(machine, model, mode, read)
    if written:
        return _to_file(machine, model, mode, written, args.quiet, allowed, report)
    return None


def _options(args: argparse.Namespace) -> tuple[str | None, str | None]:
    """The two options; not every command that checks a model has them."""
    return getattr(args, "proof", None), getattr(args, "save_proof", None)


def _by_file(machine: Machine, model: Any, mode: str, path: str) -> Verdict:
    """What a saved proof proves of this model, checked again; undecided, with the condition that fails, where nothing.

    Raises:
        InputError: when the file is no such proof.
    """
    proof = read_proof(path)
    explored: dict[str, int] = {}
    try:
        if proof.mode != mode:
            raise NoProof(f"it speaks of mode {proof.mode[:20]}, not {mode}")
        checked = recheck_boxes(proof, trained_mamba(model.runner.model), machine, model.vocabulary, model.reading)
        explored = {"boxes": checked.boxes, "edges": checked.edges}
        outcome, reason = PROVED, f"{checked.sentence}; the boxes are those of {path}"
    except (NoProof, NotCovered) as error:
        outcome, reason = UNDECIDED, f"{path} proves nothing here: {error}"
    return Verdict(outcome, "invariant", mode, model.arithmetic, explored, reason)


def _to_file(machine: Machine, model: Any, mode: str, path: str, quiet: bool, allowed: dict, report: Report) -> Verdict:
    """Looks for an invariant of boxes, and writes it where there is one."""
    with Progress("steps", quiet=quiet, phase="invariant") as progress:
        found = prove_running(model, machine, mode, progress=progress, **allowed)
    if found.proof is None:
        report.section("proof", {"none": found.reason})
    else:
        size = write_proof(found.proof, path)
        report.section("proof", {"characters": size})
        report.wrote("proof", path)
    return verdict_of(found, model, machine, mode)
