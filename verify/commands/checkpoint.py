"""``python -m verify checkpoint DIR --language NAME``: any Mamba checkpoint, trained or built, against a language."""

from __future__ import annotations

import argparse

from verify.commands.inputs import add_most
from verify.commands.options import nonempty, whole_number

HELP = "check a Mamba checkpoint (Hugging Face format) against a language: accuracy, gates, refutation, proof"

DEFAULT_LIMIT = 20_000
_EDGES = "50,100,150"


def configure(parser: argparse.ArgumentParser) -> None:
    from automata.machine import MODES

    parser.add_argument("directory", metavar="DIR", help="config.json, model.safetensors and tokenizer.json")
    parser.add_argument(
        "--language", required=True, metavar="NAME", help="a name of the catalogue, such as flip-flop, d-4, dyck-2-5"
    )
    add_most(parser, "a number in the name", "100000, and 64 for shuffle-K")
    parser.add_argument(
        "--mode", choices=MODES, help="the question asked (default: what the checkpoint says, else predictive)"
    )
    parser.add_argument(
        "--answer",
        default="logit:0",
        metavar="RULE",
        help="when an output is given: logit:T or softmax:P, its logit or its probability above that (default: logit:0)",
    )
    parser.add_argument("--strings", type=whole_number, default=500, metavar="N", help="random strings (default: 500)")
    parser.add_argument(
        "--bins", default=_EDGES, metavar="L,L,…", help=f"greatest length of each bin (default: {_EDGES})"
    )
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="of the random strings (default: 0)")
    parser.add_argument(
        "--limit",
        type=whole_number,
        default=DEFAULT_LIMIT,
        metavar="N",
        help=f"give up the search beyond N joint states (default: {DEFAULT_LIMIT})",
    )
    parser.add_argument("--json", type=nonempty, metavar="FILE", help="write the report as JSON")
    parser.add_argument("--quiet", action="store_true", help="print the verdicts only")


def run(args: argparse.Namespace) -> int:
    from verify.commands.check_checkpoint import check_checkpoint

    return check_checkpoint(args, _edges(args.bins))


def _edges(text: str) -> list[int]:
    from automata import limits
    from automata.errors import InputError

    try:
        edges = [whole_number(part) for part in text.split(",")]
    except argparse.ArgumentTypeError as error:
        raise InputError(f"--bins {text}: {error}") from None
    if edges != sorted(set(edges)):
        raise InputError(f"--bins {text}: lengths must increase")
    if limits.exceeded("bin", edges[-1]):
        raise limits.refusal("bin", f"--bins {text}: lengths must increase, up to {limits.limit('bin')} at most")
    return edges
