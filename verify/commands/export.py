"""``python -m verify export NAME --to DIR``: a language as a stock Mamba checkpoint.

It is checked first, and not written when it is refuted; its model card says what was proved, tested, or left undecided.
"""

from __future__ import annotations

import argparse

from verify.commands.inputs import add_most, add_unminimised, unminimised_limit
from verify.commands.options import add_target, check_common, nonempty, whole_number
from verify.mamba import MAMBA, MAMBA_SSM

HELP = "write a language as a stock Mamba checkpoint (Hugging Face format), checked first"


def configure(parser: argparse.ArgumentParser) -> None:
    from automata.machine import MODES, PREDICTIVE

    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "language",
        nargs="?",
        metavar="NAME",
        help="a name of the catalogue, such as flip-flop, d-4, dyck-2-5, shuffle-2",
    )
    which.add_argument("--regex", metavar="R", help="a regular expression of a star-free language instead")
    parser.add_argument(
        "--alphabet", metavar="ABC", help="the symbols of the expression (default: those that occur in it)"
    )
    add_most(parser, "a number in a name", "100000, and 64 for shuffle-K")
    add_unminimised(parser)
    parser.add_argument("--to", type=nonempty, required=True, metavar="DIR", help="the folder to write")
    parser.add_argument(
        "--mode", choices=MODES, default=PREDICTIVE, help="the question asked after each prefix (default: predictive)"
    )
    add_target(parser, (MAMBA, MAMBA_SSM))
    parser.add_argument(
        "--strings", type=whole_number, default=200, metavar="N", help="random strings to test (default: 200)"
    )
    parser.add_argument("--max-length", type=whole_number, metavar="L", help="of the random strings (default: 200)")
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="of the random strings (default: 0)")
    parser.add_argument(
        "--limit", type=whole_number, default=5_000_000, metavar="N", help="give up the search beyond N joint states"
    )
    parser.add_argument("--json", type=nonempty, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="print the verdicts only")


def run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from automata.files import check_replaceable
    from constructions.mamba.checkpoint import FILES, WHAT, write
    from constructions.mamba.lowering import lower_to_mamba
    from verify.commands.mamba import check, string_length
    from verify.commands.report import Report
    from verify.mamba.card import model_card
    from verify.verdict import EXIT_STATUS, REFUTED, worst

    check_common(args)
    check_replaceable(args.to, FILES, WHAT)
    machine, cascade, title, name = _task(args)
    command = f"python -m verify export {name} --mode {args.mode} --dtype {args.dtype} --to {args.to}"
    weights = lower_to_mamba(cascade, args.dtype)
    longest = string_length(machine, cascade, weights, args)
    report = Report(command, args.quiet)
    report.title(f"{title}, as a Mamba checkpoint")
    check(machine, cascade, weights, longest, args, report, command)
    status = worst(report.verdicts)
    if status != EXIT_STATUS[REFUTED]:
        write(weights, Path(args.to), model_card(title, weights, report.verdicts, command))
        report.section(
            "written",
            {"folder": args.to, "loads with": "AutoModelForCausalLM.from_pretrained and AutoTokenizer.from_pretrained"},
        )
    report.close(args.json)
    return status


def _task(args: argparse.Namespace):
    """Machine, cascade, title, and the language as it was given."""
    from automata.krohn_rhodes import holonomy_cascade
    from automata.languages import language
    from automata.regex import regex_to_dfa
    from verify.mamba.search import cascade_of

    if args.regex is None:
        known = language(args.language, args.most)
        return known.machine, cascade_of(known, args.mode), f"{known.name}: {known.title}", args.language
    dfa = regex_to_dfa(args.regex, args.alphabet, unminimised_limit(args))
    name = f"--regex '{args.regex}'" + (f" --alphabet '{args.alphabet}'" if args.alphabet else "")
    return dfa, holonomy_cascade(dfa, args.mode), f"the language of {args.regex}", name
