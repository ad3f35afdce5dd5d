"""``python -m verify certify LANGUAGE --coq FILE.v``: a model as a Coq file, with the theorem that it is right on every
word.

The model is compiled, or a saved one (``--weights DIR``).  With ``--check`` Coq itself checks the file, if it is
installed.
"""

from __future__ import annotations

import argparse
import shlex
import tempfile
from pathlib import Path

from automata.errors import InputError
from automata.machine import MODES, PREDICTIVE
from verify.commands.inputs import read_input
from verify.commands.options import add_report, nonempty
from verify.commands.starfree import add_language

HELP = "a model and its language as a Coq file: the theorem that the model is right on every word, and its proof"

EXAMPLES = ("certify d-2 --coq d2.v", "certify dyck-2-3 --coq dyck.v --check")


def configure(parser: argparse.ArgumentParser) -> None:
    add_language(parser)
    parser.add_argument("--mode", choices=MODES, default=PREDICTIVE, help="the question asked (default: predictive)")
    parser.add_argument("--arithmetic", type=nonempty, metavar="A", help="exact or fixed:P (default: what is needed)")
    parser.add_argument(
        "--weights", type=nonempty, metavar="DIR", help=("a folder written by --save, instead of compiling")
    )
    parser.add_argument("--coq", type=nonempty, metavar="FILE", required=True, help="the Coq file to write (.v)")
    parser.add_argument("--check", action="store_true", help="have Coq check it (coqc has to be installed)")
    add_report(parser, "print the verdict only")


def run(args: argparse.Namespace) -> int:
    from automata.files import write_text
    from verify.certificate.coq import coq_name, coq_text
    from verify.certificate.coq_check import COQ_MISSING, coq_installed
    from verify.progress import Progress
    from verify.show.report import Command, Report
    from verify.verdict import worst

    path = Path(args.coq)
    if path.suffix != ".v":
        raise InputError(f"--coq {args.coq}: a Coq file ends in .v")
    if args.check and not coq_installed():
        raise InputError(f"--check: {COQ_MISSING}")
    given = read_input(args)
    model = _model(given.machine, args)
    name = coq_name(path.stem)
    text = coq_text(name, model, given.machine, args.mode)
    write_text(path, text)
    saved = f" --weights {shlex.quote(args.weights)}" if args.weights else ""
    command = f"python -m verify certify {given.options} --mode {args.mode}{saved} --coq {shlex.quote(args.coq)}"
    report = Report(command + " --check" * args.check, args.quiet, args.json)
    report.title(f"{args.weights or 'a compiled model'} in Coq, against {given.title}")
    if args.check:
        with Progress(phase="Coq", quiet=args.quiet):
            proof = _checked(text, args.mode, str(model.arithmetic))
        report.verdict("proof", proof)
    if not args.check:
        report.section("theorem", {"not checked here": "--check has Coq check it, where it is installed"})
    again = Command(f"python -m verify.certificate.coq_check build/coq {shlex.quote(args.coq)}")
    report.wrote("file", args.coq, theorem=f"{name}_computes", checked_with=again)
    report.close()
    return worst(report.verdicts) if args.check else 0


def _model(machine, args: argparse.Namespace):
    """The weights: of the saved model, or compiled."""
    from constructions.build import build
    from constructions.ssm.storage import load
    from verify.commands.pipeline import construct

    if not args.weights:
        return build(construct(machine, args), arithmetic=args.arithmetic).weights
    model = load(args.weights)
    if args.arithmetic not in (None, str(model.arithmetic)):
        raise InputError(f"--arithmetic {args.arithmetic}: the saved model is in {model.arithmetic}")
    return model


def _checked(text: str, mode: str, arithmetic: str):
    """What Coq says of the file, as a verdict."""
    from verify.certificate.coq_check import check_coq_file, copy_theory
    from verify.verdict import PROVED, UNDECIDED, Verdict

    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        needed = [source for source in copy_theory(here) if source.parent == Path(".")]
        (here / "model.v").write_text(text, encoding="utf-8")
        results = [check_coq_file(here, source) for source in (*needed, Path("model.v"))]
    wrong = next((result for result in results if result.refusal), None)
    if wrong is not None:
        return Verdict(UNDECIDED, "Coq", mode, arithmetic, reason=f"Coq refuses {wrong.name}.v: {wrong.refusal}")
    return Verdict(
        PROVED,
        "Coq",
        mode,
        arithmetic,
        {"theorems": len(results[-1].theorems)},
        ("closed under the global context: no axiom"),
    )
