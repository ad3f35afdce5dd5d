"""Automata as several smaller ones side by side: quotients of which each decides part of the outputs.

An output follows from the quotients' states as "all allow it" or "one allows it" (see
:func:`automata.algebra.live_part.readings`).  Each quotient is compiled by holonomy, and registers of the same level
stand side by side.  One quotient is a case of its own: the automaton without its dead state, completed in the way that
gives the fewest bits.

A recogniser needs care: its dead state is one state, though there may be many reasons to be dead.  So the quotients
are those of the live part, each with a dead state of its own: every symbol that is not legal is not legal for one
of them, and the word is accepted iff all of them allow it to end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator

from automata.algebra.holonomy import Skeleton
from automata.algebra.live_part import (
    LivePart,
    OutputReading,
    Partition,
    TransitionRows,
    completions,
    live_part,
    quotient,
    readings,
    whole,
    with_sink,
)
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE
from constructions.cascade import Cascade, Emit, In, Is, Level, Rule, Set, Signal
from constructions.compile.krohn_rhodes import Answer, SymbolClass, holonomy_levels

SETS_PER_STATE = 16
"""A completion is given up when it has more image sets than this for each of its states."""


def product_cascades(dfa: DFA, mode: str, budget: int) -> Iterator[tuple[int, Cascade]]:
    """Cascades of quotients with fewer bits than the budget, with their numbers of quotients."""
    if mode == PREDICTIVE:
        part = live_part(dfa)
        if part is None:
            return
        choices = [_itself(part), readings(part, False, budget)]
        candidates: list[tuple[LivePart, Any, Callable]] = [(part, choice, completions) for choice in choices if choice]
    else:
        part = whole(dfa, mode)
        candidates = [(part, choice, completions) for choice in [readings(part, False, budget)] if choice]
        live = live_part(dfa)
        if live is not None and (choice := readings(live, True, budget)):
            ending = [OutputReading(ACCEPT, r.all_of, r.allowed) for r in choice[1] if r.output == EOS]
            candidates.append(
                (live, (choice[0], [_of_all(ending[0], choice[0])]), lambda table: iter([with_sink(table)]))
            )
    for part, (partitions, said), complete in candidates:
        factors = _factors(part, partitions, complete, budget)
        if factors:
            yield len(factors), _assemble(dfa, mode, part, factors, said)


def _itself(part: LivePart) -> tuple[list[Partition], list[OutputReading]]:
    """The partition into single states, and how the outputs follow from it."""
    said = []
    for output in sorted(frozenset().union(*part.outputs)):
        states = frozenset(q for q, outputs in enumerate(part.outputs) if output in outputs)
        said.append(OutputReading(output, True, {0: states} if len(states) < part.states else {}))
    return [tuple(range(part.states))], said


def _of_all(reading: OutputReading, partitions: list[Partition]) -> OutputReading:
    """The reading with every partition having a say: those that had none allow all blocks, but not their dead state."""
    blocks = {i: frozenset(range(max(partition) + 1)) for i, partition in enumerate(partitions)}
    return OutputReading(reading.output, True, {**blocks, **reading.allowed})


@dataclass(frozen=True)
class _Factor:
    """A quotient, completed: its skeleton, and the block of each state of the live part."""

    skeleton: Skeleton
    partition: Partition
    table: TransitionRows


def _factors(part: LivePart, partitions: list[Partition], complete, budget: int) -> list[_Factor] | None:
    """Each quotient completed so that it has the fewest bits; None when one cannot be, or all have too many."""
    factors = []
    for partition in partitions:
        skeletons: list[tuple[int, int, Skeleton, TransitionRows]] = []
        for table in complete(quotient(part.table, partition)):
            automaton = DFA([names[0] for names in part.symbols], table, [], partition[0])
            try:
                skeleton = Skeleton.of(automaton, SETS_PER_STATE * automaton.states)
            except InputError:
                continue  # this completion has too many image sets to be of use; another may not
            if skeleton.aperiodic:
                skeletons.append((skeleton.bits, len(skeletons), skeleton, table))
        if not skeletons:
            return None
        bits, _, skeleton, table = min(skeletons, key=lambda found: found[:2])
        budget -= bits
        if budget <= 0:
            return None
        factors.append(_Factor(skeleton, partition, table))
    return factors


def _assemble(dfa: DFA, mode: str, part: LivePart, factors: list[_Factor], said: list[OutputReading]) -> Cascade:
    columns, says = [], []
    for i, factor in enumerate(factors):
        prefix = f"{i + 1}: " if len(factors) > 1 else ""
        column, ends = _factor_levels(part, factor, _labels(factor, i, said), prefix)
        columns.append(column)
        says.append(ends)
    depth = max(map(len, columns))
    levels = [
        Level(
            tuple(register for column in columns if i < len(column) for register in column[i].registers),
            tuple(signal for column in columns if i < len(column) for signal in column[i].signals),
        )
        for i in range(depth)
    ]
    initial = part.outputs[0] if mode == PREDICTIVE else frozenset({ACCEPT} if part.outputs[0] & {ACCEPT, EOS} else ())
    flags, emissions = _emissions(dfa, says, said)
    if flags:
        levels.append(Level(signals=flags))
    outputs = (*dfa.alphabet, EOS) if mode == PREDICTIVE else (ACCEPT,)
    return Cascade(dfa.alphabet, tuple(levels), outputs, (Emit((In({BOS}),), initial), *emissions))


def _labels(factor: _Factor, i: int, said: list[OutputReading]) -> list[Answer]:
    """For each state of a completed quotient, the outputs that it allows; None when none (or in its dead state)."""
    labels: list[Answer] = []
    for state in range(len(factor.table)):
        allowed = frozenset(reading.output for reading in said if state in reading.allowed.get(i, ()))
        labels.append(allowed or None)
    return labels


def _factor_levels(
    part: LivePart, factor: _Factor, labels: list[Answer], prefix: str
) -> tuple[tuple[Level, ...], dict[Answer, Is]]:
    symbols = dict(zip((names[0] for names in part.symbols), part.symbols))
    moves = []
    for number, letter in enumerate(factor.skeleton.letters):
        names = tuple(symbol for first in letter.symbols for symbol in symbols[first])
        moves.append(SymbolClass(names, number, tuple(labels[target] for target in letter.images)))
    return holonomy_levels(factor.skeleton, moves, factor.partition[0], prefix)


def _emissions(
    dfa: DFA, says: list[dict[Answer, Is]], said: list[OutputReading]
) -> tuple[tuple[Signal, ...], list[Emit]]:
    """Emissions, and the signals that they read: what follows from one quotient alone reads the quotient's labels."""
    flags: dict[tuple, Signal] = {}
    given: dict[tuple, list[str]] = {}
    for reading in said:
        literals = {
            i: tuple(literal for label, literal in says[i].items() if label and reading.output in label)
            for i in reading.allowed
        }
        if len(literals) == 0:
            given.setdefault((In(dfa.alphabet),), []).append(reading.output)
        elif len(literals) == 1 or not reading.all_of:
            for alternatives in literals.values():
                for literal in alternatives:
                    given.setdefault((literal,), []).append(reading.output)
        else:
            when = []
            for i, alternatives in literals.items():
                if len(alternatives) != 1:
                    name = f"{i + 1}: allows {reading.output}"
                    flag = flags.setdefault(
                        (i, alternatives), Signal(name, 1, tuple(Rule((literal,), Set(0)) for literal in alternatives))
                    )
                    alternatives = (Is(flag.name, 0),)
                when.append(alternatives[0])
            given.setdefault(tuple(when), []).append(reading.output)
    return tuple(flags.values()), [Emit(when, outputs) for when, outputs in given.items()]
