"""``python -m verify decide LANGUAGE [ARCHITECTURE …]``: which architectures can have a language, and why not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Sequence

from automata.errors import InputError
from automata.machine import MODES, RECOGNISE
from verify.commands.certificates import report_certificate
from verify.commands.inputs import add_input, is_named, read_input
from verify.commands.options import add_certificate, add_report, nonempty, whole_number

if TYPE_CHECKING:
    from automata.catalogue import Language
    from automata.machines.copying import CopyMachine
    from verify.commands.given_model import GivenModel
    from verify.commands.inputs import Input
    from verify.decision import Decision
    from verify.show.report import Report

HELP = "which architectures can have a language: weights with a proof, or the algebra that forbids it"

EXAMPLES = (
    "decide d-2",
    "decide parity mamba2 lstm",
    "decide --regex '(aa)*' --on mamba2,lstm",
    "decide parity --model checkpoint",
    "decide --all --on ssm,mamba2,gru",
    "decide --all --out cells",
)

LIMIT, MODELS = 50_000, 1

_SIGNS = {"expressible": "yes", "impossible": "NO", "open": "?"}


def configure(parser: argparse.ArgumentParser) -> None:
    add_input(parser, required=False)
    parser.add_argument("architectures", nargs="*", type=nonempty, metavar="ARCHITECTURE", help="the same as --on")
    parser.add_argument("--all", action="store_true", help="every language of the catalogue, as one table")
    parser.add_argument("--on", metavar="NAME,…", help="these architectures (default: all that run here)")
    parser.add_argument("--mode", choices=MODES, default=RECOGNISE, help="the question (default: recognise)")
    parser.add_argument(
        "--limit", type=whole_number, default=LIMIT, metavar="N", help=f"joint states of each proof (default: {LIMIT})"
    )
    parser.add_argument(
        "--models",
        type=whole_number,
        default=MODELS,
        metavar="N",
        help="random models run where it is impossible (default: 1)",
    )
    parser.add_argument(
        "--model",
        type=nonempty,
        metavar="DIR",
        help="a saved model or a checkpoint, run on such strings where its architecture cannot have the language",
    )
    parser.add_argument(
        "--out",
        type=nonempty,
        metavar="DIR",
        help="of --all: keeps each answer as it is found, and goes on from those that are there",
    )
    add_certificate(parser)
    add_report(parser, "the table")


def run(args: argparse.Namespace) -> int:
    from automata.catalogue import LANGUAGES

    if args.all == is_named(args):
        raise InputError("decide: name one language, or all of the catalogue with --all")
    if args.out and not args.all:
        raise InputError(f"--out {args.out}: answers are kept of the table of --all")
    if args.architectures and args.on is not None:
        raise InputError(f"--on {args.on}: architectures are named already, {', '.join(args.architectures)}")
    if args.model and args.all:
        raise InputError(f"--model {args.model}: goes with one language, and --all is a table")
    names = _architectures(",".join(args.architectures) or args.on)
    if args.certificate and args.all:
        raise InputError(f"--certificate {args.certificate}: a certificate is about one language, and --all is a table")
    if args.certificate and "ssm" not in names:
        raise InputError(f"--certificate {args.certificate}: certificates cover the paper's SSM only: add ssm to --on")
    if args.all:
        return _table(list(LANGUAGES.values()), names, args)
    given = read_input(args)
    if not args.model:
        return _one(given, names, args)
    from verify.commands.given_model import given_model

    if args.mode != RECOGNISE:
        raise InputError(f"--model {args.model}: is asked what it accepts, and --mode is {args.mode}")
    model = given_model(args.model, given.language.alphabet)
    asked = names if args.architectures or args.on else []
    return _one(given, [*asked, *({model.target} - {*asked})], args, model)


def _architectures(text: str | None) -> list[str]:
    """The names asked for, each known; mamba-ssm runs the weights of mamba and is left out unless it is asked for."""
    from constructions.target import TARGETS
    from verify.decision import WITHOUT_WEIGHTS

    if text is None:
        return [*(name for name in TARGETS if name != "mamba-ssm"), *WITHOUT_WEIGHTS]
    names = [name.strip() for name in text.split(",")]
    return [name if name in WITHOUT_WEIGHTS else TARGETS.named(name).name for name in names]


def _decision(language: Language, name: str, args: argparse.Namespace, phase: str) -> Decision:
    from constructions.target import TARGETS
    from verify.decision import WITHOUT_WEIGHTS, decide, decide_without_weights
    from verify.progress import Progress

    with Progress("joint states or models", quiet=getattr(args, "quiet", False), phase=phase) as progress:
        if name in WITHOUT_WEIGHTS:
            return decide_without_weights(language, name, args.models, progress)
        target = TARGETS.named(name)
        return decide(language, args.mode, target, limit=args.limit, models=args.models, progress=progress)


def _one(given: Input, names: Sequence[str], args: argparse.Namespace, model: GivenModel | None = None) -> int:
    from verify.decided import decision_data
    from verify.show.report import Report
    from verify.verdict import so_many

    report = Report(f"python -m verify decide {given.options} --mode {args.mode}", json_path=args.json)
    report.title(f"{given.title}\n{args.mode}: which architectures can have it")
    decisions = [
        _decision(given.language, name, args, f"{given.language.name} on {name}, {number} of {len(names)}")
        for number, name in enumerate(names, 1)
    ]
    rows = [("architecture", "answer", "size", "why")]
    for found in decisions:
        size = ", ".join(so_many(number, name) for name, number in list(found.size.items())[:2]) or "-"
        rows.append((found.target, found.answer, size, found.reason))
    report.table("decisions", rows, [decision_data(found) for found in decisions])
    if shown := [found for found in decisions if found.failures]:
        _forbidden(report, shown)
    if model is not None:
        (found,) = (found for found in decisions if found.target == model.target)
        report.section("the given model", *_of_model(given, found, model, args))
    if copied := _copied(given, names):
        report.section("how many words are told apart", copied)
    report_certificate(args, report, lambda: _certificate(given, decisions, args.regex))
    report.close()
    return 0


def _forbidden(report: Report, decisions: Sequence[Decision]) -> None:
    """The theorems, and for each architecture the strings that random models of it get wrong."""
    from verify.decision import CONDITIONS, THEOREM
    from verify.show.report import show_word

    values = {"wrong": "a model is, where it answers one of these strings otherwise than the language does"}
    if any("Theorem 2" in found.reason for found in decisions):
        values = {"Theorem 2": THEOREM, "its conditions": CONDITIONS, **values}
    report.section("what forbids it", values)
    rows = [("architecture", "random models", "how the strings are made", "strings")]
    for found in decisions:
        failures = found.failures
        assert failures is not None
        run = f"{failures.wrong} of {failures.models} wrong"
        rows.append((found.target, run, failures.made, "; ".join(map(show_word, failures.strings))))
    report.table("run on random models", rows, [_run(found) for found in decisions])


def _run(found: Decision) -> dict[str, object]:
    failures = found.failures
    assert failures is not None
    return {
        "target": found.target,
        "made": failures.made,
        "strings": [list(word) for word in failures.strings],
        "models": failures.models,
        "wrong": failures.wrong,
    }


def _of_model(
    given: Input, found: Decision, model: GivenModel, args: argparse.Namespace
) -> tuple[dict[str, object], dict[str, object]]:
    """What became of the model of a folder on strings that its architecture gets wrong, as shown and as kept."""
    from verify.progress import Progress
    from verify.show.report import show_word

    told: dict[str, object] = {"folder": model.folder, "architecture": model.target}
    if found.shown is None:
        verdict = f"not run, as nothing forbids it; `check {model.folder} {given.options}` proves or refutes it"
        return {**told, "answer": verdict}, told
    with Progress("models", quiet=args.quiet, phase=f"{given.language.name} on {model.folder}") as progress:
        failures = found.shown(model.draw, models=1, progress=progress)
    told |= {"strings": [list(word) for word in failures.strings], "wrong": bool(failures.wrong)}
    words = "; ".join(map(show_word, failures.strings))
    shown = f"{'wrong' if failures.wrong else 'right on each, so longer ones are needed'}: {failures.made}: {words}"
    return {"folder": model.folder, "architecture": model.target, "answer": shown}, told


def _copied(given: Input, names: Sequence[str]) -> dict[str, object]:
    """Of copying: how many states it takes, and two words for which a random model has the same one."""
    from automata.machine import ACCEPT
    from automata.machines.copying import CopyMachine
    from constructions.target import TARGETS
    from verify.impossible.copying import LONGEST_COPIED, copies

    machine = given.language.machine
    if not isinstance(machine, CopyMachine):
        return {}
    found: dict[str, object] = {
        "needed": f"2^{machine.length} states when # is read: a model with S reachable states copies at most S words"
    }
    for name in (name for name in names if name in TARGETS and machine.length <= LONGEST_COPIED):
        with TARGETS.named(name).random(machine.alphabet, (ACCEPT,), 0) as model:
            kept = copies(model, machine)
        shown = f", {kept.alike[0]} and {kept.alike[1]} leave the same one" if kept.alike else ""
        found[f"random {name}"] = f"{kept.states} states after {kept.words} words{shown}"
    if machine.length <= LONGEST_COPIED:
        found["one layer of attention"] = _by_attention(machine)
        found["two layers of attention"] = _by_content()
    return found


def _by_attention(machine: CopyMachine) -> str:
    """What needs no state: every word is copied by a stock transformer of a few weights, run on all of them."""
    from itertools import product

    from automata.machine import PREDICTIVE
    from automata.machines.copying import COPIED, HASH
    from constructions.attention.copying import copying_weights
    from constructions.mamba.surroundings import transformers_ready
    from verify.evidence.sampling import check_words

    with transformers_ready():
        from constructions.attention.running import AttentionModel

        model = AttentionModel(*copying_weights(machine), machine.alphabet)
        words = [[*word, HASH, *word] for word in product(COPIED, repeat=machine.length)]
        verdict = check_words(machine, model, words, PREDICTIVE, method="all strings")
    right = f"right on every legal string, {len(words)} words run" if verdict.witness is None else "wrong"
    return f"stock GPT-2 weights of {model.parameters} parameters, {right} (full forward, float32)"


_GRAMS = 3
"""Letters that two layers of attention compare."""


def _by_content() -> str:
    """Words of any length by one set of weights, run on all that they are right on."""
    from automata.machine import PREDICTIVE
    from automata.machines.copying import HASH, FreeCopyMachine, without_equal_grams
    from constructions.attention.induction_heads import induction_weights
    from constructions.mamba.surroundings import transformers_ready
    from verify.evidence.sampling import check_words

    words = without_equal_grams(_GRAMS)
    longest = max(map(len, words))
    with transformers_ready():
        from constructions.attention.running import AttentionModel

        model = AttentionModel(*induction_weights(_GRAMS, longest), FreeCopyMachine.alphabet)
        strings = [[*word, HASH, *word] for word in words]
        verdict = check_words(FreeCopyMachine(), model, strings, PREDICTIVE, method="all strings")
    right = f"right on all {len(words)}" if verdict.witness is None else "wrong on one of them"
    return (
        f"stock GPT-2 weights of {model.parameters} parameters copy words of any length in which no {_GRAMS} letters "
        f"stand twice: {right}, up to {longest} letters, there is none longer (full forward, float32)"
    )


def _certificate(given: Input, decisions: Sequence[Decision], expression: str | None) -> dict[str, object]:
    """Of the proof of the weights that were built, or that the language is not star-free."""
    from verify.certificate.document import NoCertificate
    from verify.certificate.writer import certificate, not_star_free
    from verify.decision import IMPOSSIBLE

    found = next(found for found in decisions if found.target == "ssm")
    if found.answer == IMPOSSIBLE:
        return not_star_free(given.dfa, expression)
    if found.claim is None or found.verdict is None:
        raise NoCertificate(f"nothing is proved of the paper's SSM: {found.reason}")
    return certificate(found.claim, found.verdict, expression)


def _sign(cell: dict[str, Any]) -> str:
    """An answer in one word."""
    return _SIGNS[cell["answer"]] if cell["horizon"] is None else f"to {cell['horizon']}"


def _table(languages: Sequence[Language], names: Sequence[str], args: argparse.Namespace) -> int:
    from pathlib import Path

    from verify.decided import Asked, decision_data, read_cell, write_cell
    from verify.show.report import Report

    folder = Path(args.out) if args.out else None
    report = Report(f"python -m verify decide --all --on {','.join(names)} --mode {args.mode}", json_path=args.json)
    report.title(
        f"{args.mode}: yes is weights with a proof of every length, to N one of up to N symbols, NO is a theorem, "
        "? is open"
    )
    rows: list[tuple[str, ...]] = [("language", *names, "")]
    data: list[dict[str, Any]] = []
    total, taken = len(languages) * len(names), 0
    for language in languages:
        cells: list[dict[str, Any]] = []
        for name in names:
            asked = Asked(language.name, name, args.mode, args.limit, args.models)
            found = read_cell(asked, folder) if folder else None
            taken += found is not None
            if found is None:
                number = len(data) * len(names) + len(cells) + 1
                found = decision_data(
                    _decision(language, name, args, f"{language.name} on {name}, {number} of {total}")
                )
                if folder:
                    write_cell(asked, found, folder)
            cells.append(found)
        rows.append((language.name, *map(_sign, cells), ""))
        data.append({"language": language.name, "decisions": cells})
    report.table("decisions", rows, data)
    if args.out:
        report.wrote("cells", args.out, cells_taken_from_there=taken)
    report.close()
    return 0
