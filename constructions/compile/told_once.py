"""Cascades of what is told once and asked for later: associative recall, and copying.

A register for each thing that is told.  They answer legal strings, so that what is told twice is told the same.

Source: the second level is that of the flip-flop construction (Sarrof, Veitsman, Hahn 2024), as often as there are
things to be told.
"""

from __future__ import annotations

from automata.machine import BOS, EOS
from automata.machines.copying import COPIED, HASH, CopyMachine
from automata.machines.recall import RecallMachine
from constructions.cascade import Add, Cascade, Counter, Emit, In, Is, Level, Reset, Rule, Set


def recall_cascade(machine: RecallMachine) -> Cascade:
    """The predictor of associative recall: the last key, and the value of each."""
    keys, values = machine.key_symbols, machine.value_symbols
    last = Reset("key", len(keys), tuple(Rule((In({k}),), Set(i)) for i, k in enumerate(keys)), words=keys)
    told = tuple(
        Reset(
            f"value of {key}",
            len(values) + 1,
            tuple(Rule((In({v}), Is("key", i)), Set(j)) for j, v in enumerate(values, start=1)),
            words=("none", *values),
        )
        for i, key in enumerate(keys)
    )
    emissions = [Emit((In((BOS, *values)),), {*keys, EOS})]
    for key in keys:
        emissions.append(Emit((In({key}), Is(f"value of {key}", 0)), values))
        emissions += [Emit((In({key}), Is(f"value of {key}", j)), {v}) for j, v in enumerate(values, start=1)]
    return Cascade(machine.alphabet, (Level((last,)), Level(told)), (*machine.alphabet, EOS), tuple(emissions))


def copy_cascade(machine: CopyMachine) -> Cascade:
    """The predictor of copying: how many symbols were read, and a bit for each place; length + log2 bits."""
    length = machine.length
    read = Counter("read", (Rule((In((*COPIED, HASH)),), Add(1)),), 0, (0, 2 * length + 1))
    bits = tuple(
        Reset(
            f"place {i}",
            2,
            tuple(Rule((In({letter}), Is("read", i)), Set(j)) for j, letter in enumerate(COPIED)),
            words=COPIED,
        )
        for i in range(1, length + 1)
    )
    emissions = [Emit((Is("read", i),), COPIED) for i in range(length)]
    emissions += [Emit((Is("read", length),), {HASH}), Emit((Is("read", 2 * length + 1),), {EOS})]
    for i in range(1, length + 1):
        emissions += [Emit((Is("read", length + i), Is(f"place {i}", j)), {letter}) for j, letter in enumerate(COPIED)]
    return Cascade(machine.alphabet, (Level((read,)), Level(bits)), (*machine.alphabet, EOS), tuple(emissions))
