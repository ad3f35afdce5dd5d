"""``python -m verify check DIR [LANGUAGE]``: any saved model, trained or built, against its own or another language."""

from __future__ import annotations

import argparse
import os
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from automata.errors import InputError
from automata.machine import MODES
from verify.commands.certificates import check_certifiable, recheck
from verify.commands.inputs import add_input, is_named, read_for
from verify.commands.options import add_certificate, add_report, nonempty, whole_number

if TYPE_CHECKING:
    from constructions.target import Target
    from verify.commands.inputs import Input

HELP = "a saved model or a Mamba checkpoint against the language in its folder, or another one; or a certificate"

EXAMPLES = (
    "check model",
    "check model dyck-2-5",
    "check stock --regex '(ab)*' --answer softmax:0.1",
    "check stock d-2 --answer top",
    "check stock --draw automaton.svg",
    "check certificate.json",
)

CHECKED_STATES, ROWS = 5_000_000, 20_000
"""Joint states of a search unless told otherwise: of a saved SSM, and of a Mamba, whose steps are slower."""

CHECKED_STRINGS, EDGES = 500, "50,100,150"

_SSM_ONLY = {"method": "--method", "max_length": "--max-length"}
_MAMBA_ONLY = {
    "answer": "--answer",
    "bins": "--bins",
    "draw": "--draw",
    "proof": "--proof",
    "save_proof": "--save-proof",
}


def configure(parser: argparse.ArgumentParser) -> None:
    from verify.methods import METHODS

    parser.add_argument(
        "directory",
        metavar="DIR",
        type=nonempty,
        help=("a folder that --save, export or a trainer wrote, or a file that --certificate wrote"),
    )
    add_input(parser, required=False)
    parser.add_argument(
        "--mode", choices=MODES, help="the question asked (default: what the folder says, else predictive)"
    )
    parser.add_argument(
        "--strings",
        type=whole_number,
        default=CHECKED_STRINGS,
        metavar="N",
        help=f"random strings (default: {CHECKED_STRINGS})",
    )
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="of the random strings (default: 0)")
    parser.add_argument(
        "--max-length", type=whole_number, metavar="L", help="of the random strings, for an SSM (default: 500)"
    )
    parser.add_argument(
        "--bins", metavar="L,L,…", help=f"greatest length of each bin of accuracy, for a Mamba (default: {EDGES})"
    )
    parser.add_argument(
        "--method",
        choices=("auto", *METHODS),
        help="how an SSM is proved (default: the cheapest way that speaks about it)",
    )
    parser.add_argument(
        "--answer",
        metavar="RULE",
        help=(
            "when a Mamba gives an output: its logit, logit:T, or probability, softmax:P, is above that; "
            "or top: it is right where its most likely token is legal (default: logit:0)"
        ),
    )
    parser.add_argument(
        "--limit",
        type=whole_number,
        metavar="N",
        help=f"give up the search beyond N joint states (default: {CHECKED_STATES} of an SSM, {ROWS} of a Mamba)",
    )
    parser.add_argument(
        "--draw",
        type=nonempty,
        metavar="FILE",
        help="draw the automaton that a proved Mamba implements (.svg, .png or .pdf)",
    )
    parser.add_argument(
        "--save-proof",
        type=nonempty,
        metavar="FILE",
        help="look for an invariant of boxes of a Mamba first, and write what is proved with it",
    )
    parser.add_argument(
        "--proof", type=nonempty, metavar="FILE", help="check what --save-proof wrote again, on this Mamba"
    )
    add_certificate(parser)
    add_report(parser)


def run(args: argparse.Namespace) -> int:
    from constructions.target import owner

    if os.path.isfile(args.directory):
        if is_named(args):
            raise InputError(f"{args.directory}: is a file, and a certificate names its language itself")
        if args.json:
            raise InputError(f"--json {args.json}: the checker of certificates prints a line and writes no report")
        return recheck(args.directory)
    edges = _edges(EDGES if args.bins is None else args.bins)
    if args.draw:
        from verify.show.pictures.canvas import check_extension

        check_extension(args.draw)
    target = owner(args.directory)
    ssm = target.numbers != "dtype"
    check_certifiable(args, target)
    for name, option in (_MAMBA_ONLY if ssm else _SSM_ONLY).items():
        if getattr(args, name) is not None:
            raise InputError(f"{option} {getattr(args, name)}: does not speak about {target.title}")
    args.limit = args.limit if args.limit is not None else CHECKED_STATES if ssm else ROWS
    given, mode, notes = read_for(args.directory, args)
    command = f"python -m verify check {shlex.quote(args.directory)}" + f" {given.options}" * bool(given.options)
    if ssm:
        return _check_ssm(target, given, mode, notes, args, command)
    from verify.commands.check_checkpoint import check_checkpoint

    return check_checkpoint(given, args.mode or mode, notes, args, command, edges)


def _check_ssm(
    target: Target, given: Input, said: str | None, notes: dict[str, object], args: argparse.Namespace, command: str
) -> int:
    """All checks of weights that are loaded whole."""
    from constructions.build import Build
    from verify.claim import Claim
    from verify.commands.pipeline import prove_and_test, random_length, warn
    from verify.progress import started
    from verify.proving import CHEAPEST, chosen
    from verify.show.report import Report
    from verify.verdict import worst

    weights = target.load(args.directory)
    check_certifiable(args, target, weights)
    for mode, where in ((said, f"{args.directory}: language.json says"), (args.mode, "--mode")):
        if mode not in (None, weights.mode):
            raise InputError(f"{where} {mode}: the model's outputs are those of {weights.mode}")
    for symbol in sorted(set(weights.alphabet) ^ set(given.machine.alphabet))[:1]:
        raise InputError(f"{args.directory}: symbol {symbol!r} is in the alphabet of only one of language and model")
    built = Build(target, weights)
    longest = random_length(built, args.max_length)
    claim = Claim(given.machine, weights.mode, None, weights, _how_to_look(given, weights.mode, target), args.limit)
    args.method = args.method or CHEAPEST
    method = chosen(claim, args.method)[0]
    report = Report(command, args.quiet, args.json)
    report.title(f"{args.directory}: a saved model against {given.title}")
    warn(claim, method, report)
    described = {**notes, **built.describe()}
    report.section("model", described, described | target.size(weights))
    with started(built.running(), args.quiet) as model:
        prove_and_test(replace(claim, model=model), method.unit, longest, args, report, command)
    report.close()
    return worst(report.verdicts)


def _how_to_look(given: Input, mode: str, target: Target):
    """What the language compiles to for the target, a hint for methods and never a fact; None where it does not."""
    from automata.errors import LimitError
    from constructions.compile.compiler import NotExpressible, compile

    try:
        return compile(given.machine, mode, target=target)
    except (NotExpressible, LimitError):
        return None


def _edges(text: str) -> list[int]:
    from automata import limits

    try:
        edges = [whole_number(part) for part in text.split(",")]
    except argparse.ArgumentTypeError as error:
        raise InputError(f"--bins {text}: {error}") from None
    if edges != sorted(set(edges)):
        raise InputError(f"--bins {text}: lengths must increase")
    if limits.exceeded("bin", edges[-1]):
        raise limits.refusal("bin", f"--bins {text}: lengths must increase, up to {limits.limit('bin')} at most")
    return edges
