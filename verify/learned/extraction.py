"""Which automaton is this?  The closed graph of a model's own states, minimised: the automaton that it implements.

A model that answers which symbols may come next is followed along the symbols that it gives itself, a recogniser along
all.  Where finitely many states are met the graph closes, and its minimal automaton answers as the model does.  That is
then proved, by the search that would prove it against any language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from automata.catalogue import COUNTER, LANGUAGES, language
from automata.dfa import DFA
from automata.machine import ACCEPT, EOS, RECOGNISE
from verify.checkpoints.checkpoint_search import search_checkpoint
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import UNDECIDED, Verdict

_FAMILIES = ("d-3", "d-4", "d-12", "dyck-1-2", "dyck-1-3", "dyck-2-2", "dyck-2-3", "dyck-3-2", "mqar-2-2")
"""Members of the families of the catalogue that an automaton is compared with, besides what is listed there."""

_MOST_STATES = 500
"""Of an automaton that is compared with the catalogue."""


@dataclass(frozen=True)
class Extracted:
    """What was found.

    Attributes:
        dfa: the minimal automaton; None where the graph did not close.
        verdict: that the model answers as the automaton does.
        states: of the model that were met.
    """

    dfa: DFA | None
    verdict: Verdict
    states: int


def extract(model: Any, mode: str, limit: int, progress: Progress = NO_PROGRESS) -> Extracted:
    """The automaton that a model implements, within a limit on its states.

    Args:
        model: a :class:`constructions.mamba.stepping.SteppedMamba`; it cannot be stepped afterwards.
        mode: "predictive" or "recognise": what its outputs answer.

    Returns:
        The verdict is ``proved``, ``undecided`` where the graph does not close, or ``refuted``: then what the model
        gives are the legal symbols of no language, since it allows what cannot be ended.
    """
    graph = _closed(model, mode, limit, progress)
    if isinstance(graph, int):
        reason = f"gave up at {graph} states of the model (--limit {limit}): its graph did not close"
        explored = {"states of the model": graph}
        return Extracted(None, Verdict(UNDECIDED, "extraction", mode, model.arithmetic, explored, reason), graph)
    table, accepting = graph
    dfa = DFA(model.alphabet, table, accepting).minimise()
    fresh = model.with_batch(model.batch)
    verdict = search_checkpoint(dfa, fresh, mode, limit=max(limit, 2 * len(table)), progress=progress)
    return Extracted(dfa, verdict, len(table) - 1)


def _closed(model: Any, mode: str, limit: int, progress: Progress) -> tuple[np.ndarray, list[int]] | int:
    """The transitions of all states of the model, state 0 the first and the last one dead, and which of them accept;
    or the number of states at which it was given up.
    """
    symbols = len(model.alphabet)
    end = model.outputs.index(ACCEPT if mode == RECOGNISE else EOS)
    place = [model.outputs.index(symbol) for symbol in model.alphabet] if mode != RECOGNISE else []
    rows, outputs = model.begin(1)
    rows, given = np.ascontiguousarray(rows), outputs.dense()[:, 0]
    # What is given depends on the last symbol too, which the caches need not know.
    number = {rows[0].tobytes() + given[0].tobytes(): 0}
    table: list[list[int]] = [[-1] * symbols]
    accepting = [0] if given[0, end] else []
    numbers: np.ndarray = np.zeros(1, dtype=np.int64)
    while len(rows):
        follow = np.ones((len(rows), symbols), dtype=bool) if mode == RECOGNISE else given[:, place]
        sources, read = np.nonzero(follow)
        if not len(sources):
            break
        stepped, outputs = model.advance(rows[sources], read[:, None])
        stepped, after = np.ascontiguousarray(stepped), outputs.dense()[:, 0]
        fresh = []
        keys = [row.tobytes() + names.tobytes() for row, names in zip(stepped, after)]
        for i, key in enumerate(keys):
            if key not in number:
                number[key] = len(number)
                fresh.append(i)
                table.append([-1] * symbols)
                if after[i, end]:
                    accepting.append(number[key])
            table[numbers[sources[i]]][read[i]] = number[key]
        progress.advance(len(fresh))
        if len(number) > limit:
            return len(number)
        rows, given = stepped[fresh], after[fresh]
        numbers = np.array([number[keys[i]] for i in fresh], dtype=np.int64)
    dead = len(table)
    table.append([dead] * symbols)
    full = np.array(table, dtype=np.int64)
    return np.where(full < 0, dead, full), accepting


def known_as(dfa: DFA) -> tuple[str, ...]:
    """The names in the catalogue of the automaton's language, over the same symbols."""
    if dfa.states > _MOST_STATES:
        return ()
    found = []
    listed = [known for known in LANGUAGES.values() if known.kind != COUNTER]
    for known in (*listed, *map(language, _FAMILIES)):
        if set(known.machine.alphabet) == set(dfa.alphabet):
            other = known.dfa()
            if other.states == dfa.states and dfa.difference_from(other) is None:
                found.append(known.name)
    return tuple(found)
