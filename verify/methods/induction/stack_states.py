"""A concrete model state in which a failed obligation fails, found by running the weights.

An obligation speaks of a box of states; that it could not be discharged for the box does not yet mean that it fails in
one of them.  Here states of the box are filled in and stepped by the engine, and the relation is checked state by
state.
"""

from __future__ import annotations

import numpy as np

from automata.machine import ACCEPT, PREDICTIVE
from automata.machines.bounded_dyck import DyckMachine
from constructions.ssm.engine import Engine
from verify.methods.induction.relation import StackRelation
from verify.methods.induction.stack_obligations import StackFailure

_TRIES = 32


def failing_state(
    engine: Engine, machine: DyckMachine, relation: StackRelation, failure: StackFailure, seed: int = 0
) -> dict[str, int] | None:
    """Depth, slots and dead register of a state of R from which the failure's symbol leads out of R or to wrong
    outputs.

    None when none of the states tried does; O(tries) steps of the engine.
    """
    if failure.symbol not in machine.alphabet:
        return None
    rng = np.random.default_rng(seed)
    depth_column, slot_columns = relation.columns(engine.ssm)
    symbols, unit = engine.encode([failure.symbol]), 1 << engine.ssm.arithmetic.unit_bits
    for number in range(_TRIES):
        fill = (
            np.full(machine.depth, (0, machine.k - 1)[number])
            if number < 2
            else rng.integers(0, machine.k, machine.depth)
        )
        types = [failure.cells.get(cell, int(other)) for cell, other in enumerate(fill, start=1)]
        row = engine.start(1)
        row[0, depth_column] = failure.depth * unit
        row[0, slot_columns] = [((types[slot - 1] >> bit) & 1) * unit for slot, bit in zip(relation.slot, relation.bit)]
        if relation.dead is not None:
            row[0, -1] = int(failure.dead) * unit
        before = None if failure.dead else tuple(types[: failure.depth])
        if before is not None and engine.ssm.mode == PREDICTIVE and failure.symbol not in machine.legal(before):
            continue
        after, outputs = engine.advance(row, symbols)
        given = engine.names(outputs.table[outputs.ids[0, 0]])
        if not _related(
            machine, relation, machine.step(before, failure.symbol), after[0] / unit, depth_column, slot_columns, given
        ):
            state = {"depth": failure.depth, **{f"slot {cell}": kind for cell, kind in enumerate(types, start=1)}}
            return state if relation.dead is None else {**state, "dead": int(failure.dead)}
    return None


def _related(machine, relation, stack, row, depth_column, slot_columns, given) -> bool:
    """Whether R holds of this machine state (None when dead) and this state row, and the outputs are the machine's."""
    bits = row[slot_columns]
    if not np.isin(bits, (0, 1)).all():
        return False
    if stack is None:
        return row[-1] >= 1 and not given
    if row[depth_column] != len(stack) or (relation.dead is not None and row[-1] != 0):
        return False
    live = relation.slot <= len(stack)
    wanted = [(stack[slot - 1] >> bit) & 1 for slot, bit in zip(relation.slot[live], relation.bit[live])]
    if bits[live].tolist() != wanted:
        return False
    if relation.dead is not None:
        return given == (frozenset((ACCEPT,)) if machine.accepts(stack) else frozenset())
    return given == machine.legal(stack)
