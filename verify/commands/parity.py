"""``python -m verify parity``: why nonnegative gates cannot do PARITY, shown from four sides."""

from __future__ import annotations

import argparse

from verify.commands.certificates import report_certificate
from verify.commands.options import add_certificate, add_report, nonempty, whole_number

HELP = "Theorem 2 in one's hand: the algebra, the mechanism, the reason, and what changes when a condition goes"

EXAMPLES = ("parity", "parity --models 20 --plot states.svg")

THEOREM = (
    (
        "Theorem: no SSM with nonnegative gates and finite precision, whose "
        "layers see finitely many features, recognises PARITY:"
    ),
    (
        "on 1, 1, 1, … each layer settles and the answer stays as it is, while "
        "the right one alternates; 4a to 4d drop a condition."
    ),
)
"""The last two lines, where everything was shown (Sarrof, Veitsman, Hahn 2024, Theorem 2)."""

_PERIODS, _SHOWN_CHANNELS = 256, 12
"""Steps of a run that is shown, and the channels of all the models that are shown one by one."""

_SMALL = (0, 1, 2)
"""Binary places of the numbers of those models of width 1 that are all run."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--arithmetic",
        type=nonempty,
        metavar="A",
        default="fixed:4",
        help="of the models that do PARITY: fixed:P, wrap:P, exact or a float (default: fixed:4)",
    )
    parser.add_argument(
        "--models",
        type=whole_number,
        default=8,
        metavar="N",
        help="random nonnegative models to be refuted (default: 8)",
    )
    parser.add_argument("--seed", type=whole_number, default=0, metavar="S", help="of the random models (default: 0)")
    parser.add_argument(
        "--plot",
        "--draw",
        type=nonempty,
        metavar="FILE",
        help="draw the states of the random models on 1, 1, 1, … (.svg, .png or .pdf)",
    )
    add_certificate(parser)
    add_report(parser)


def run(args: argparse.Namespace) -> int:
    from constructions.ssm.arithmetic import Arithmetic
    from verify.show.report import Report
    from verify.verdict import EXIT_STATUS, PROVED, UNDECIDED

    arithmetic = Arithmetic.parse(args.arithmetic)
    if args.plot:
        from verify.show.pictures.canvas import check_extension, require_matplotlib

        check_extension(args.plot)
        require_matplotlib()
    command = f"python -m verify parity --arithmetic {arithmetic} --models {args.models} --seed {args.seed}"
    report = Report(command, args.quiet, args.json)
    report.title("PARITY: the words over 0 and 1 with an even number of 1s\nrecognition: accept or reject every string")
    shown = [
        _algebra(report, args),
        _mechanism(report, args),
        _small_case(report, args),
        _reason(report, args),
        _contrast(report, arithmetic),
    ]
    if args.plot and args.models:
        report.wrote("picture", args.plot)
    report.close()
    if args.quiet:
        report.say("all shown" if all(shown) else "not everything could be shown")
    if all(shown):
        report.say("\n".join(THEOREM))
    return EXIT_STATUS[PROVED if all(shown) else UNDECIDED]


# -- 1. the algebra -----------------------------------------------------------------------------------


def _certificate() -> dict[str, object]:
    from verify.certificate.writer import not_star_free

    return not_star_free(_parity())


def _algebra(report, args: argparse.Namespace) -> bool:
    from automata.algebra.aperiodic import group_witness
    from automata.algebra.groups import group_name
    from automata.algebra.monoid import TransitionMonoid

    dfa = _parity()
    monoid, witness = TransitionMonoid(dfa), group_witness(dfa)
    assert witness is not None, "PARITY is not star-free"
    group = group_name([tuple(element) for element in monoid.elements.tolist()])
    values = {
        "minimal automaton": f"{dfa.states} states",
        "transition monoid": f"{len(monoid)} elements: the group {group}",
        "witness": (
            f"the word {' '.join(witness.word)} takes state "
            f"{' to '.join(map(str, witness.states))} and back: period "
            f"{witness.period}"
        ),
        "so": "not star-free; after 1^n the right answer changes with every n",
    }
    data = {"states": dfa.states, "elements": len(monoid), "group": group, "so": values["so"]}
    report.section("1 the algebra", values, data)
    report_certificate(args, report, _certificate)
    return group == "C2"


def _parity():
    from automata.catalogue import language

    return language("parity").dfa()


# -- 2. the mechanism ---------------------------------------------------------------------------------


def _mechanism(report, args: argparse.Namespace) -> bool:
    from automata.machine import RECOGNISE
    from verify.impossible.cycles import find_cycle
    from verify.impossible.refuter import refute_on
    from verify.impossible.trajectories import random_models, trajectories
    from verify.progress import Progress, each
    from verify.verdict import REFUTED

    cycle = find_cycle(_parity(), RECOGNISE)
    assert cycle is not None, "PARITY is not star-free"
    values, runs, refuted = {}, [], 0
    with Progress("models", args.models, args.quiet, phase="random models") as progress:
        for number, (title, engine) in enumerate(each(random_models(args.seed, args.models), progress), start=1):
            found = refute_on(engine, cycle)
            run = trajectories(engine, periods=_PERIODS)
            runs.append((f"model {number}: {title}", run))
            refuted += found.verdict.outcome == REFUTED and found.confirmed
            values[f"model {number}"] = f"{title}: {_settled(found, run)}; {_pair(found)}"
    values["refuted"] = f"{refuted} of {args.models}, each by running it on its two words"
    data = {**values, "models": args.models, "refuted": refuted}
    report.section("2 the mechanism: random nonnegative models on 1, 1, 1, …", values, data)
    shown = 0
    for title, run in sorted(runs, key=lambda pair: len(pair[1].names)):
        shown += len(run.names)
        if shown > _SHOWN_CHANNELS:
            break
        report.section(f"channel by channel, {title}", _channels(run))
    if args.plot and runs:
        _plot(runs, args.plot)
    return refuted == args.models


def _settled(found, run) -> str:
    seen = (
        f"no channel changes its pace from n = {run.settled_from} on"
        if run.settled_from is not None
        else f"still moving at n = {_PERIODS}"
    )
    bound = found.verdict.explored.get("periods at most")
    return seen + (f" (computed: {bound} at most)" if bound is not None else "")


def _pair(found) -> str:
    if found.verdict.pair is None:
        return f"{found.verdict.outcome}: {found.verdict.reason}"
    first, second = found.verdict.pair
    return f"{first} and {second}: " + (
        "not run" if found.answer is None else f"{'accept' if found.answer else 'reject'} both"
    )


def _channels(run) -> dict[str, str]:
    values = {}
    for i, name in enumerate(run.names):
        states = ", ".join(f"{value:.4g}" for value in run.states[:6, i])
        values[name] = f"{states}, …: {run.fate(i)}"
    return values


def _plot(runs, path: str) -> None:
    from verify.impossible.trajectories import panels_figure
    from verify.show.pictures.canvas import save_figure

    save_figure(panels_figure(runs), path)


def _small_case(report, args: argparse.Namespace) -> bool:
    from verify.impossible.trajectories import small_case
    from verify.progress import Progress, each

    values, complete = {}, True
    with Progress("formats", len(_SMALL), args.quiet, phase="models of width 1") as progress:
        for bits in each(_SMALL, progress):
            case = small_case(bits)
            complete &= sum(case.pairs.values()) == case.models
            pairs = ", ".join(f"{count} with 1^{k}, 1^{k + 1}" for k, count in sorted(case.pairs.items()))
            values[f"fixed:{bits}"] = f"all {case.models} models have a pair: {pairs}"
    report.section("every one-layer model of width 1 with small numbers", values)
    return complete


# -- 3. the reason ------------------------------------------------------------------------------------


def _reason(report, args: argparse.Namespace) -> bool:
    from verify.impossible.trajectories import symbolic_reason
    from verify.progress import Progress

    with Progress(phase="sympy", quiet=args.quiet):
        reason = dict(symbolic_reason())
    report.section("3 the reason: one channel with gate a and increment b, confirmed by sympy", reason)
    return True


# -- 4. the contrast ----------------------------------------------------------------------------------


def _contrast(report, arithmetic) -> bool:
    from verify.impossible.trajectories import contrasts

    models = zip("abcd", contrasts(arithmetic).items())
    return all([_does_parity(report, f"4{letter} {name}", ssm) for letter, (name, ssm) in models])


def _does_parity(report, name: str, ssm) -> bool:
    """Proves that the model is PARITY at every length, and shows that audit and refuter make no claim against it."""
    from automata.machine import RECOGNISE
    from constructions.ssm.engine import Engine
    from verify.impossible.refuter import refute
    from verify.impossible.upper_bound import STAR_FREE, TIME_INVARIANT, upper_bound
    from verify.methods.bisimulation import bisimulation
    from verify.methods.translation import Folded, find_translation
    from verify.verdict import PROVED, UNDECIDED

    engine, audit = Engine(ssm), upper_bound(ssm)
    translation = find_translation(ssm)
    model = engine if translation is None else Folded(engine, translation)
    proof = bisimulation(_parity(), model, RECOGNISE)
    refuter = refute(engine, _parity()).verdict
    notes = {"audit": f"{audit.verdict}: {audit.reason}", "refuter": f"{refuter.outcome}: {refuter.reason}"}
    if translation is not None:
        notes["states"] = (
            f"taken modulo the translation {translation.tolist()} of "
            f"2^-{ssm.arithmetic.bits}, under which nothing changes"
        )
    report.verdict(name, proof, notes)
    claimed = audit.verdict in (STAR_FREE, TIME_INVARIANT) or refuter.outcome != UNDECIDED
    return proof.outcome == PROVED and not claimed
