"""``python -m verify extract DIR``: which automaton does a checkpoint implement?"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from automata.errors import InputError
from automata.machine import ACCEPT, EOS, MODES, RECOGNISE
from verify.commands.options import add_report, nonempty, whole_number

if TYPE_CHECKING:
    from automata.dfa import DFA

HELP = "the automaton that a stock checkpoint implements, where finitely many states are met: proved, drawn, named"

EXAMPLES = ("extract stock", "extract stock --draw automaton.svg --automaton automaton.json")

_ROWS, _MOST_SYMBOLS = 20_000, 1_000
_SHOWN = 40
"""Transitions that are printed one by one."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "directory", metavar="DIR", type=nonempty, help="a folder that export, train or a trainer wrote"
    )
    parser.add_argument(
        "--alphabet",
        type=nonempty,
        metavar="S",
        help="the symbols, separated by blanks; without blanks, one symbol per character "
        "(default: what the folder says, else all tokens that are not special)",
    )
    parser.add_argument(
        "--mode", choices=MODES, help="what its outputs answer (default: what the folder says, else predictive)"
    )
    parser.add_argument(
        "--answer", metavar="RULE", help="when an output is given: logit:T, softmax:P or top (default: logit:0)"
    )
    parser.add_argument(
        "--limit", type=whole_number, default=_ROWS, metavar="N", help=f"give up beyond N states (default: {_ROWS})"
    )
    parser.add_argument(
        "--automaton", type=nonempty, metavar="FILE", help="write the automaton (.json, .dot, .gv, .jff or .att)"
    )
    parser.add_argument("--draw", type=nonempty, metavar="FILE", help="draw it (.svg, .png or .pdf)")
    add_report(parser)


def run(args: argparse.Namespace) -> int:
    from automata.formats import write_dfa
    from constructions.mamba.reading import Reading
    from constructions.mamba.surroundings import transformers_ready
    from verify.checkpoints.declared import declared_mode
    from verify.checkpoints.opening import kind_of, open_checkpoint
    from verify.learned.extraction import extract
    from verify.progress import Progress, started
    from verify.show.pictures.canvas import check_extension
    from verify.show.pictures.drawing import draw_file
    from verify.show.report import Report
    from verify.verdict import PROVED

    if args.draw:
        check_extension(args.draw)
    directory = Path(args.directory)
    reading = Reading() if args.answer is None else Reading.parse(args.answer)
    mode = args.mode or declared_mode(directory)
    command = f"python -m verify extract {shlex.quote(args.directory)} --mode {mode} --limit {args.limit}"
    command += f" --answer {reading.option}" * (reading != Reading())
    command += f" --alphabet {shlex.quote(args.alphabet)}" * (args.alphabet is not None)
    report, title = Report(command, args.quiet, args.json), f"{directory}: which automaton is {kind_of(directory)[0]}?"
    report.announce(title)
    with started(transformers_ready(), args.quiet):
        alphabet = _alphabet(directory, args.alphabet)
        with Progress(phase="reading the checkpoint", quiet=args.quiet):
            opened = open_checkpoint(directory, alphabet, (ACCEPT,) if mode == RECOGNISE else (*alphabet, EOS), reading)
        report.title(title)
        run_in = {"symbols": alphabet, "run in": opened.model.conditions, "convention": str(reading)}
        report.section("checkpoint", opened.values | run_in)
        with Progress("states", quiet=args.quiet, phase="extraction") as progress:
            found = extract(opened.model, mode, args.limit, progress)
    report.verdict("extraction", found.verdict, {"states of the model": found.states})
    if found.dfa is not None and found.verdict.outcome == PROVED:
        report.section("automaton", *_described(found.dfa))
        if args.draw:
            draw_file(found.dfa, "dfa", args.draw)
            report.wrote("picture", args.draw)
        if args.automaton:
            write_dfa(found.dfa, args.automaton)
            report.wrote("automaton", args.automaton)
    report.close()
    return found.verdict.exit_status


def _alphabet(directory: Path, given: str | None) -> tuple[str, ...]:
    """The symbols: those given, those that the folder names, or its tokens."""
    from constructions.mamba.loading import tokens_of
    from verify.checkpoints.declared import declared_alphabet

    if given is not None:
        return tuple(given.split()) if len(given.split()) != 1 else tuple(given.strip())
    symbols = declared_alphabet(directory) or tokens_of(directory)
    if not 0 < len(symbols) <= _MOST_SYMBOLS:
        raise InputError(
            f"{directory}: has {len(symbols)} tokens that are not special, expected 1 to {_MOST_SYMBOLS}: name those "
            "that are symbols (--alphabet)"
        )
    return symbols


def _described(dfa: DFA) -> tuple[dict[str, object], dict[str, object]]:
    """What is printed of an automaton, and what JSON has of it."""
    from verify.learned.extraction import known_as

    names = known_as(dfa)
    live = [state for state in range(dfa.states) if dfa.live[state]]
    said: dict[str, object] = {
        "states": f"{dfa.states}, minimal and complete; {len(live)} of them lead{'s' * (len(live) == 1)} to a word",
        "is": ", ".join(names) or "none of the languages with a name that it was compared with",
        "begins in": dfa.initial,
        "words end in": ", ".join(map(str, sorted(dfa.accepting))) or "no state: the empty language",
    }
    table = dfa.table.tolist()
    moves = [(q, a, table[q][i]) for q in live for i, a in enumerate(dfa.alphabet) if dfa.live[table[q][i]]]
    for state in live if len(moves) <= _SHOWN else ():
        leads = ", ".join(f"{a} to {target}" for q, a, target in moves if q == state)
        said[f"state {state}"] = leads or "no symbol leads on"
    data = {
        "names": list(names),
        "alphabet": list(dfa.alphabet),
        "table": table,
        "accepting": sorted(dfa.accepting),
        "initial": dfa.initial,
    }
    return said, data
