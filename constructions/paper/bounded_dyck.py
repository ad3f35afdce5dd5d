"""Bounded Dyck, Dyck(K, h), with optimal memory: two levels (three for recognition).

Source: Sarrof, Veitsman, Hahn 2024, the construction for bounded hierarchical structure.  Level 1 counts the depth.
Level 2 has for each depth j a slot with the type of the bracket opened last at depth j, in ceil(log2 K) bits; the
slot of the current depth names the legal closing bracket.  No stack is simulated: slots above the current
depth keep stale values.  With one type of bracket, or at depth 0, there are no slots, and one level less.

A *tight* predictor clears a slot when its bracket closes.  Its states are then the stacks themselves, one for each
Myhill-Nerode class, where stale slots make (h + 1) K^h states of them.  It takes a rule more for each slot, and no
level more.
"""

from __future__ import annotations

from automata.errors import InputError
from automata.machine import ACCEPT, EOS, PREDICTIVE
from automata.machines.bounded_dyck import DyckMachine
from constructions.cascade import (
    Add,
    AtLeast,
    Bit,
    Cascade,
    Copy,
    Counter,
    Emit,
    In,
    Is,
    Level,
    Reset,
    Rule,
    Set,
    Signal,
    bit_length,
)


def bounded_dyck(k: int, depth: int, mode: str = PREDICTIVE, *, tight: bool = False) -> Cascade:
    """The cascade for Dyck(k, depth); O(depth log k + k) rules.

    Args:
        tight: whether a slot is cleared when its bracket closes.

    Raises:
        InputError: when k < 1 or depth < 0, or for a tight recogniser.
    """
    if tight and mode != PREDICTIVE:
        raise InputError(
            "a recogniser compares a closing bracket with the slot that it closes, after the step: it cannot be "
            "cleared in that step, so tight is for prediction"
        )
    alphabet = DyckMachine(k, depth).alphabet
    opening, closing = alphabet[0::2], alphabet[1::2]
    bracket = Signal(
        "type",
        k,
        tuple(Rule((In({opening[i], closing[i]}),), Set(i)) for i in range(k)),
        coding="binary",
    )
    count = Counter("depth", (Rule((In(opening),), Add(1)), Rule((In(closing),), Add(-1))), span=(0, depth))
    # With one type there is nothing to remember but the depth.
    slotted = range(1, depth + 1) if k > 1 else ()
    slots = tuple(Reset(f"slot {j}", k, _slot_rules(opening, closing, j, tight), words=opening) for j in slotted)
    if mode == PREDICTIVE:
        levels, emissions = _predict(k, depth, slotted, opening, closing)
        outputs = (*alphabet, EOS)
    else:
        levels, emissions = _recognise(k, depth, slotted, opening, closing)
        outputs = (ACCEPT,)
    return Cascade(
        alphabet, (Level((), (bracket,)), Level((count,)), Level(slots, levels[0]), *levels[1:]), outputs, emissions
    )


def _slot_rules(opening, closing, j: int, tight: bool) -> tuple[Rule[Set | Copy], ...]:
    """The slot of depth j takes the type of the bracket that opens there; a tight one forgets it when that closes."""
    opened: Rule[Set | Copy] = Rule((In(opening), Is("depth", j)), Copy("type"))
    closed: Rule[Set | Copy] = Rule((In(closing), Is("depth", j - 1)), Set(0))
    return (opened, closed) if tight else (opened,)


def _predict(k, depth, slotted, opening, closing):
    """The slot of the current depth is muxed out and names the one legal closing bracket."""
    top = Signal("top", k, tuple(Rule((Is("depth", j),), Copy(f"slot {j}")) for j in slotted), coding="binary")
    emissions = [Emit((Is("depth", 0),), {EOS}), Emit((AtLeast("depth", depth, negated=True),), opening)]
    emissions += [Emit((AtLeast("depth", 1), Is("top", i)), {closing[i]}) for i in range(k)]
    return (((top,),)), tuple(emissions)


def _recognise(k, depth, slotted, opening, closing):
    """A third level counts violations; any violation is for ever, since the count never falls.

    On a closing bracket the slot that it should match is the one above the new depth.
    """
    opened = Signal(
        "opened",
        k,
        tuple(Rule((In(closing), Is("depth", j - 1)), Copy(f"slot {j}")) for j in slotted),
        coding="binary",
    )
    violations = [
        (In(opening), AtLeast("depth", depth + 1)),
        (In(closing), AtLeast("depth", 0, negated=True)),
    ]
    for bit in range(bit_length(k)):
        for value in (0, 1):
            violations.append(
                (In(closing), AtLeast("depth", 0), AtLeast("depth", depth, negated=True))
                + (Bit("type", bit, value), Bit("opened", bit, 1 - value))
            )
    dead = Counter("dead", tuple(Rule(when, Add(1)) for when in violations), span=(0, 1))
    emissions = (Emit((Is("depth", 0), AtLeast("dead", 1, negated=True)), {ACCEPT}),)
    return ((opened,), Level((dead,))), emissions
