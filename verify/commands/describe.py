"""``python -m verify describe --language tomita-3``: the algebra of a regular language's automaton."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from automata.errors import LimitError
from verify.commands.inputs import add_input, image_set_limit, read_input
from verify.commands.options import add_drawing, add_report, whole_number
from verify.progress import Progress
from verify.verdict import so_many

if TYPE_CHECKING:
    from automata.algebra.holonomy import Skeleton
    from automata.dfa import DFA
    from constructions.compile.compiler import Construction

HELP = "the algebra of a regular language: monoid, D-classes, groups, holonomy levels"

EXAMPLES = ("describe tomita-3", "describe --file machine.dot --draw eggbox.svg --draw-what eggbox")

_NAMED_STATES = 60
"""States of an automaton up to which the registers of its cascade are explained."""

_SHOWN = 12
"""D-classes and components that are listed one by one."""


def configure(parser: argparse.ArgumentParser) -> None:
    from automata.machine import MODES, PREDICTIVE

    add_input(parser)
    parser.add_argument(
        "--monoid",
        type=whole_number,
        default=100_000,
        metavar="N",
        help="stop listing the monoid beyond N elements (default: 100000)",
    )
    add_drawing(parser, ("dfa", "cascade", "eggbox"))
    parser.add_argument(
        "--mode", choices=MODES, default=PREDICTIVE, help="the question the drawn cascade answers (default: predictive)"
    )
    add_report(parser, "")


def run(args: argparse.Namespace) -> int:
    from verify.show.report import Report

    given = read_input(args)
    report = Report(f"python -m verify describe {given.options}", json_path=args.json)
    report.announce(given.title)
    if args.draw:
        with Progress(phase="picture"):
            _draw(given.dfa, args)
    with Progress(phase="holonomy"):
        holonomy = _holonomy(given.dfa, image_set_limit(args))
    report.title(given.title)
    report.section("automaton", *_automaton(given.dfa))
    with Progress(phase="transition monoid"):
        monoid = _monoid(given.dfa, args.monoid)
    report.section("transition monoid", *monoid)
    report.section("holonomy", *holonomy)
    with Progress(phase="registers"):
        registers = _registers(given.dfa, args)
    if registers:
        report.section("registers of its cascade", registers)
    if args.draw:
        report.wrote("picture", args.draw)
    report.close()
    return 0


def _registers(dfa: DFA, args: argparse.Namespace) -> dict[str, object]:
    """What each value of each register of the holonomy cascade means; nothing of a large one."""
    from verify.show.legend import legend

    if dfa.states > _NAMED_STATES:
        return {}
    return dict(line.partition(": ")[::2] for line in legend(_construction(dfa, args)) if ": " in line)


def _construction(dfa: DFA, args: argparse.Namespace) -> Construction:
    """The holonomy cascade, with the groups that no nonnegative gate can have."""
    from constructions.compile.compiler import HOLONOMY, Construction
    from constructions.compile.krohn_rhodes import holonomy_cascade

    return Construction(dfa, holonomy_cascade(dfa, args.mode), HOLONOMY, "described", "fixed:1")


def _draw(dfa: DFA, args: argparse.Namespace) -> None:
    """The automaton, its monoid, or the holonomy cascade that is described here, whatever the language is compiled
    to.
    """
    from verify.show.pictures.drawing import draw_file

    draw_file(_construction(dfa, args) if args.draw_what == "cascade" else dfa, args.draw_what, args.draw)


def _automaton(dfa: DFA) -> tuple[dict[str, object], dict[str, object]]:
    from automata.algebra.monoid import distinct_letters

    letters = distinct_letters(dfa)
    live, accepting, symbols = int(dfa.live.sum()), len(dfa.accepting), len(dfa.alphabet)
    said: dict[str, object] = {
        "states": f"{dfa.states}, minimal and complete",
        "live": f"{live} of them lead{'s' * (live == 1)} to a word",
        "accepting": accepting,
        "symbols": f"{symbols}, with {len(letters)} different action{'s' * (len(letters) != 1)}",
    }
    data: dict[str, object] = {
        "states": dfa.states,
        "live": live,
        "accepting": accepting,
        "symbols": symbols,
        "actions": len(letters),
    }
    return said, data


def _monoid(dfa: DFA, limit: int) -> tuple[dict[str, object], dict[str, object]]:
    from automata.algebra.monoid import STATES_PER_ELEMENT, TransitionMonoid

    try:
        monoid = TransitionMonoid(dfa, limit)
    except LimitError:
        most = min(limit, limit * STATES_PER_ELEMENT // dfa.states)
        return {"elements": f"more than {most}: raise the limit (--monoid) to list them"}, {"more elements than": most}
    green = monoid.green()
    boxes = green.eggboxes()
    groups = dict.fromkeys(str(box).rpartition(" of ")[2] for box in boxes if box.regular)
    groups.pop("C1", None)
    values: dict[str, object] = {
        "elements": f"{len(monoid)} with the identity ({monoid.semigroup_size} of nonempty words)",
        "idempotents": len(green.idempotents),
        "groups": ", ".join(groups) if groups else "none but the trivial one: aperiodic",
        "D-classes": len(boxes),
    }
    for box in boxes[:_SHOWN]:
        word = " ".join(monoid.word(min(e for cell in box.cells.values() for e in cell))) or "the empty word"
        values[f"of {word}"] = f"{box}, {so_many(box.size, 'elements')}"
    if len(boxes) > _SHOWN:
        values["and"] = so_many(len(boxes) - _SHOWN, "more D-classes")
    data = {
        "elements": len(monoid),
        "semigroup": monoid.semigroup_size,
        "idempotents": len(green.idempotents),
        "groups": list(groups),
        "D-classes": [{"shown": str(box), "elements": box.size} for box in boxes],
    }
    return values, data


def _holonomy(dfa: DFA, limit: int) -> tuple[dict[str, object], dict[str, object]]:
    from automata.algebra.aperiodic import group_witness
    from automata.algebra.groups import group_name
    from automata.algebra.holonomy import Skeleton
    from verify.show.report import show_word

    skeleton = Skeleton.of(dfa, limit)
    values: dict[str, object] = {"image sets": len(skeleton.masks), "levels": skeleton.levels}
    data: dict[str, object] = {**values, "points": skeleton.notation}
    values["points"] = skeleton.notation or "none: there is one state"
    witness = group_witness(dfa, limit, skeleton=skeleton)
    if witness is None:
        values["aperiodic"] = f"yes: star-free, by {so_many(skeleton.bits, 'flip-flops')}"
        return values, {**data, "aperiodic": True, "bits": skeleton.bits}
    values["aperiodic"] = (
        f"no: {show_word(witness.word)} permutes {len(witness.states)} states: "
        f"{' -> '.join(map(str, (*witness.states, witness.states[0])))}"
    )
    groups = _groups(skeleton, group_name)
    values.update(groups)
    return values, {**data, "aperiodic": False, "word": list(witness.word), "permuted": list(witness.states), **groups}


def _groups(skeleton: Skeleton, group_name) -> dict[str, object]:
    """The components whose group is not trivial."""
    values: dict[str, object] = {}
    permuting = [component for component in skeleton.components if component.generators]
    for number, component in enumerate(permuting[:_SHOWN], 1):
        shown = ", ".join(map(str, component.states[:8])) + (", …" if len(component.states) > 8 else "")
        values[f"group {number}"] = (
            f"{group_name(component.generators)} on {component.points} tiles of {{{shown}}}, level "
            f"{component.level + 1}"
        )
    if len(permuting) > _SHOWN:
        values["and"] = so_many(len(permuting) - _SHOWN, "more components with a group")
    return values
