"""A second opinion without a solver: every string whose counters stay small, one by one.

All pairs (machine state, model state) that can be reached while no coordinate of the model's state exceeds a bound are
visited and their outputs compared.  Agreement is evidence and no proof; a disagreement gives a shortest witness.
"""

from __future__ import annotations

from typing import Hashable

import numpy as np

from automata.machines.counter_machine import CounterMachine
from constructions.ssm.engine import Engine
from verify.methods.machine_states import Interned
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import REFUTED, TESTED, Verdict, Witness

PAIR_LIMIT = 200_000


def bounded_search(
    machine: CounterMachine, engine: Engine, bound: int, *, limit: int = PAIR_LIMIT, progress: Progress = NO_PROGRESS
) -> Verdict:
    """Compares model and machine on all pairs reachable through model states with every coordinate in -bound..bound.

    Args:
        limit: visit at most about so many pairs; the verdict then says how long the strings were.

    Returns:
        ``tested``, or ``refuted`` with a witness, a shortest one among the strings that are followed.  O(pairs *
        symbols) steps of the engine.

    >>> from automata.machines.counter_machine import counter_machine
    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.counters import counter_cascade
    >>> from constructions.ssm.lowering import lower
    >>> engine = Engine(lower(counter_cascade("dyck-1"), Arithmetic("exact")))
    >>> verdict = bounded_search(counter_machine("dyck-1"), engine, 5)
    >>> verdict.outcome, verdict.explored["pairs"]
    ('tested', 6)
    """
    ssm = engine.ssm
    interned = Interned(machine, ssm.alphabet, ssm.outputs, ssm.mode)
    unit = 1 << ssm.arithmetic.unit_bits
    seen: set[Hashable] = set()
    words: list[tuple[str, ...]] = [()]
    numbers, (rows, outputs) = np.zeros(1, dtype=np.int64), engine.begin(1)
    transitions, length, cut = 0, 0, False

    def verdict(outcome: str, reason: str, witness: Witness | None = None) -> Verdict:
        explored = {"counters up to": bound, "pairs": len(seen), "transitions": transitions, "longest string": length}
        return Verdict(outcome, "bounded search", ssm.mode, str(ssm.arithmetic), explored, reason, witness)

    while True:
        expected = interned.table()[interned.expected[numbers]]
        given = outputs.dense()[:, 0]
        wrong = np.flatnonzero((expected != given).any(axis=1))
        if len(wrong):
            at = int(wrong[0])
            sets = interned.sets[interned.expected[numbers[at]]], engine.names(given[at])
            among = f" among strings on which no coordinate of the state exceeds {bound}" if cut else ""
            return verdict(REFUTED, f"the witness is a shortest one{among}", Witness(words[at], *sets))
        fresh = []
        small = (np.abs(rows) <= bound * unit).all(axis=1)
        cut |= not small.all()
        for i, pair in enumerate(pair_keys(numbers, np.ascontiguousarray(rows))):
            if small[i] and pair not in seen:
                seen.add(pair)
                fresh.append(i)
        progress.advance(len(fresh))
        if not fresh:
            return verdict(TESTED, f"no disagreement while no counter exceeds {bound}")
        if len(seen) > limit:
            return verdict(TESTED, f"no disagreement on strings of up to {length} symbols, at {len(seen)} pairs")
        interned.expand(numbers[fresh])
        sources, symbols = np.nonzero(interned.next[numbers[fresh]] >= 0)
        if not len(sources):
            return verdict(TESTED, f"no disagreement while no counter exceeds {bound}")
        words = [(*words[fresh[i]], ssm.alphabet[a]) for i, a in zip(sources.tolist(), symbols.tolist())]
        places = np.array(fresh)[sources]
        numbers = interned.next[numbers[places], symbols].astype(np.int64)
        rows, outputs = engine.advance(rows[places], symbols[:, None])
        transitions += len(places)
        length += 1


def pair_keys(machines: np.ndarray, rows: np.ndarray) -> list[Hashable]:
    """One key for each pair, equal exactly when the pairs are."""
    if rows.dtype == object:
        # The bytes of an object are an address, which another number may have had before.
        return [tuple(pair) for pair in zip(machines.tolist(), *rows.T.tolist())]
    width = rows.dtype.itemsize * rows.shape[1]
    keys, buffer = machines.astype(np.int32).tobytes(), rows.tobytes()
    return [keys[4 * i : 4 * i + 4] + buffer[width * i : width * i + width] for i in range(len(machines))]
