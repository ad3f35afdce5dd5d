"""``python -m verify gates PATH``: what a model's gates can be, and what class of languages that allows at most."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from automata.errors import InputError
from verify.commands.options import add_report, nonempty

if TYPE_CHECKING:
    from verify.allowed import Allowed

HELP = "what the gates of a configuration or a checkpoint can be, and what that allows at most"

EXAMPLES = ("gates model/config.json", "gates model --needs star-free --quiet", "gates --range -1,1 --time-invariant")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", nargs="?", type=nonempty, metavar="PATH", help="a config.json, or a checkpoint's folder"
    )
    parser.add_argument("--range", metavar="A,B", help="instead of a model: gates from A to B of a diagonal recurrence")
    parser.add_argument("--time-invariant", action="store_true", help="with --range: gates that depend on no input")
    parser.add_argument(
        "--needs",
        choices=("star-free", "regular", "counter"),
        help="what it has to allow: exit status 0 if it is known to, else 1",
    )
    add_report(parser, "print one line")


def run(args: argparse.Namespace) -> int:
    from verify.allowed import NEEDS, of_path, of_range
    from verify.progress import Progress
    from verify.show.report import Report

    if (args.path is None) == (args.range is None):
        raise InputError("gates: name one config.json or folder, or a range with --range A,B")
    if args.time_invariant and args.range is None:
        raise InputError("--time-invariant: goes with --range; a configuration says it itself")
    if args.range is not None:
        found, given = of_range(*_range(args.range), args.time_invariant), f"--range={args.range}"
        given += " --time-invariant" * args.time_invariant
    else:
        with Progress(phase="weights", quiet=args.quiet):
            found, given = of_path(Path(args.path)), args.path
    report = Report(f"python -m verify gates {given}", args.quiet, args.json)
    report.title(f"{given}: {found.what}")
    report.section("gates", _gates(found), _numbers(found))
    values = {"at most": found.at_most, "in the arithmetic of": found.dtype, "horizon": found.horizon}
    answers: dict[str, object] = {
        need: f"yes: {found.allows[need]}" if need in found.allows else found.lacks[need] for need in NEEDS
    }
    if found.attends:
        answers["attention"] = "idle in all of this: what it adds where it is at work is not bounded"
    report.section("what they allow", values | answers)
    status = int(args.needs is not None and args.needs not in found.allows)
    if args.quiet:
        report.say(f"{given}: {_line(found, args.needs)}")
    report.close()
    return status


def _line(found: Allowed, needs: str | None) -> str:
    """For a linter."""
    shown = f"gates {found.gates.least:.8g} to {found.gates.greatest:.8g}" if found.gates else "no gates"
    if needs is None:
        return f"{shown}; allows {', '.join(found.allows) or 'nothing that is known'}"
    if needs in found.allows:
        return f"{shown}; allows {needs}"
    return f"{shown}; {needs}: {found.lacks[needs]}"


def _gates(found: Allowed) -> dict[str, object]:
    values: dict[str, object] = {"as parametrised": found.as_parametrised}
    if found.kinds is not None:
        values["layers"] = f"{found.kinds.gated} of {found.kinds.layers} have gates"
    if found.gates is None:
        return values
    values["least, greatest"] = f"{found.gates.least:.8g}, {found.gates.greatest:.8g}"
    values["time-invariant"] = "yes" if found.gates.time_invariant else "no"
    values |= found.gates.notes
    for number, (least, greatest) in enumerate(found.layers):
        values[f"{'seen in' if found.seen else 'weights of'} layer {number}"] = f"{least:.8g}, {greatest:.8g}"
    return values


def _numbers(found: Allowed) -> dict[str, object]:
    kinds: dict[str, object] = {}
    if found.kinds is not None:
        kinds = {"layers_with_gates": found.kinds.gated, "layers_in_all": found.kinds.layers}
    if found.gates is None:
        return kinds
    return kinds | {
        "least": found.gates.least,
        "greatest": found.gates.greatest,
        "time_invariant": found.gates.time_invariant,
        "layers": [{"least": least, "greatest": greatest} for least, greatest in found.layers],
        "layers_are": "seen" if found.seen else "bounds",
    }


def _range(text: str) -> tuple[float, float]:
    parts = text.split(",")
    try:
        least, greatest = map(float, parts)
    except ValueError:
        raise InputError(f"--range {text[:60]!r}: expected two numbers with a comma, as in --range -1,1") from None
    return least, greatest
