"""``python -m verify refute --weights DIR [LANGUAGE]``: a saved model against a language it cannot have."""

from __future__ import annotations

import argparse

from automata.errors import InputError
from verify.commands.certificates import check_certifiable, report_certificate
from verify.commands.inputs import add_input, read_for
from verify.commands.options import add_certificate, add_report, nonempty

HELP = "a saved model and a language: two strings on which the model must be wrong, computed from its weights"

EXAMPLES = (
    "refute --weights model parity",
    "refute --weights model parity --draw run.svg",
    "refute --weights model --regex '(aa)*' --no-run",
)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights",
        type=nonempty,
        metavar="DIR",
        required=True,
        help=("a folder written by --save, which may say the language"),
    )
    add_input(parser, required=False)
    parser.add_argument("--no-run", action="store_true", help="compute the strings, but do not run the model on them")
    parser.add_argument(
        "--draw",
        type=nonempty,
        metavar="FILE",
        help="draw every coordinate over the string on which the model is wrong (.svg, .png or .pdf)",
    )
    add_certificate(parser)
    add_report(parser, "print the verdict only")


def run(args: argparse.Namespace) -> int:
    import shlex

    from constructions.ssm.engine import Engine
    from constructions.ssm.storage import load
    from constructions.target import owner
    from verify.impossible.refuter import check_same_alphabet, refute
    from verify.progress import Progress
    from verify.show.pictures.canvas import check_extension, require_matplotlib
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, TESTED, UNDECIDED

    if args.draw:
        check_extension(args.draw)
        require_matplotlib()
    given, _, said = read_for(args.weights, args)
    target = owner(args.weights)
    if target.name != "ssm":
        raise InputError(
            f"{args.weights}: is no model of the paper's SSM, which alone is refuted by its weights: see "
            f"`python -m verify check {shlex.quote(args.weights)}`"
        )
    ssm = load(args.weights)
    check_certifiable(args, target, ssm)
    check_same_alphabet(ssm, given.dfa)
    command = f"python -m verify refute --weights {shlex.quote(args.weights)} {given.options}".rstrip()
    report = Report(command, args.quiet, args.json)
    report.title(f"{args.weights} against {given.title}")
    widths = " + ".join(str(layer.width) for layer in ssm.layers)
    report.section(
        "model",
        {
            **said,
            "layers": len(ssm.layers),
            "hidden size": f"{ssm.hidden_size} ({widths})",
            "arithmetic": ssm.arithmetic,
        },
        {**said, "layers": len(ssm.layers), "coordinates": ssm.hidden_size, "arithmetic": ssm.arithmetic},
    )
    report.section("audit", *_audit(ssm))
    with Progress("symbols", quiet=args.quiet) as progress:
        found = refute(Engine(ssm), given.dfa, not args.no_run, progress)
    if found.cycle is None:
        report.section(
            "language", {"star-free": "yes: nothing is impossible here, so a real disagreement was searched for"}
        )
    else:
        report.section("language", _language(found.cycle))
    report.verdict("refutation", found.verdict, _strings(found))
    report_certificate(args, report, lambda: _certificate(ssm, given.dfa, found, args.regex))
    if args.draw:
        _draw(ssm, found, args.draw, report)
    report.close()
    # Strings alone, where a search does not close, leave the question open.
    return EXIT_STATUS[UNDECIDED] if found.verdict.outcome == TESTED else found.verdict.exit_status


def _draw(ssm, found, path: str, report) -> None:
    """Draws the longer one of the strings that were run."""
    from verify.show.pictures.canvas import save_figure
    from verify.show.pictures.runs import trajectory_figure
    from verify.show.report import show_word

    verdict = found.verdict
    if verdict.pair is not None and found.confirmed:
        _, longer = verdict.pair
        word, said = longer.word, str(longer)
    elif verdict.witness is not None:
        word, said = verdict.witness.word, show_word(verdict.witness.word)
    else:
        report.section("picture", {"drawn": "nothing: no string was run on which the model is wrong"})
        return
    save_figure(trajectory_figure(ssm, word), path)
    report.section("picture", {"drawn": f"every coordinate over {said}"})
    report.wrote("picture", path)


def _certificate(ssm, dfa, found, expression: str | None) -> dict[str, object]:
    """Of the string on which the model is wrong; of the proof where a search closed; and where the language is not
    star-free and no string was run, of the bound, which says that the model is of another one.
    """
    from constructions.ssm.engine import Engine
    from verify.certificate.writer import at_most_star_free, certificate, refutation
    from verify.claim import Claim

    if found.cycle is not None and not found.confirmed:
        return at_most_star_free(ssm)
    if found.cycle is not None:
        return refutation(ssm, dfa, found.verdict, found.cycle, found.answer, expression)
    return certificate(Claim(dfa, ssm.mode, Engine(ssm), ssm), found.verdict, expression)


def _audit(ssm) -> tuple[dict[str, object], dict[str, object]]:
    """What the weights can recognise at most, for people and for JSON."""
    from verify.impossible.upper_bound import upper_bound

    try:
        bound = upper_bound(ssm)
    except InputError as error:
        return {"no bound known": error}, {"bound": None, "reason": error}
    values: dict[str, object] = {bound.verdict: bound.reason, "decided by": bound.channel}
    if bound.least_gate is not None:
        values["least gate"] = f"{bound.least_gate:g}"
    data: dict[str, object] = {
        "bound": bound.verdict,
        "reason": bound.reason,
        "channel": bound.channel,
        "least gate": bound.least_gate,
    }
    return values, data


def _language(cycle) -> dict[str, object]:
    from verify.show.report import show_set, show_word

    answers = "; ".join(f"n = {n}: {show_set(answer)}" for n, answer in enumerate(cycle.answers))
    return {
        "star-free": f"no: the answer after u w^n v depends on n modulo {cycle.period}",
        "u, w, v": " | ".join(show_word(word) for word in (cycle.u, cycle.w, cycle.v)),
        "right answers": answers,
    }


def _strings(found) -> dict[str, object]:
    from verify.show.report import show_set

    if found.verdict.pair is None:
        return {}
    first, second = found.verdict.pair
    notes: dict[str, object] = {"first string": first, "second string": second}
    for name, string in (("right for the first", first), ("for the second", second)):
        notes[name] = show_set(found.cycle.answer(string.n))
    notes["run from the start"] = "yes, on both" if found.confirmed else "no"
    return notes
