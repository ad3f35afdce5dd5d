"""Every nonzero weight matters, or provably does not: no corruption escapes the search, none is refuted wrongly."""

from collections import Counter
from itertools import islice, product

import numpy as np
import pytest

from automata.machine import ACCEPT, run
from automata.machines.bounded_dyck import DyckMachine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.methods.bisimulation import bisimulation
from verify.methods.sticky import find_sticky
from verify.testing.brute_force import plain_outputs
from verify.testing.corruption import corruptions
from verify.verdict import PROVED, REFUTED, UNDECIDED

LENGTH = 6


def expected_outputs(machine, mode, words, outputs):
    """What the machine gives along all words of one length, and where it is asked at all."""
    index = {name: i for i, name in enumerate(outputs)}
    sets = np.zeros((len(words), words.shape[1] + 1, len(outputs)), dtype=bool)
    asked = np.zeros(sets.shape[:2], dtype=bool)
    for row, word in enumerate(words.tolist()):
        state, alive = machine.initial, True
        for t, symbol in enumerate([None, *word]):
            if symbol is not None:
                name = machine.alphabet[symbol]
                alive = alive and (mode == "recognise" or name in machine.legal(state))
                state = machine.step(state, name)
            if not alive:
                break
            asked[row, t] = True
            given = machine.legal(state) if mode == "predictive" else {ACCEPT} if machine.accepts(state) else set()
            sets[row, t, [index[name] for name in given]] = True
    return sets, asked


def shortest_disagreement(ssm, words, sets, asked):
    """The length of the shortest prefix on which the plain run differs, None when there is none."""
    wrong = (plain_outputs(ssm, words) != sets).any(axis=2) & asked
    lengths = np.flatnonzero(wrong.any(axis=0))
    return int(lengths[0]) if len(lengths) else None


@pytest.mark.parametrize("every", [pytest.param(1, marks=pytest.mark.slow), 4])
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_every_single_weight(mode, every):
    """Each change of each weight; ``make test`` makes each fourth, which takes the three changes in turn."""
    machine = DyckMachine(2, 3)
    ssm = lower(bounded_dyck(2, 3, mode), Arithmetic("exact"))
    words = np.array(list(product(range(len(machine.alphabet)), repeat=LENGTH)))
    sets, asked = expected_outputs(machine, mode, words, ssm.outputs)
    assert shortest_disagreement(ssm, words, sets, asked) is None
    counts: Counter = Counter()
    undecided = []
    for what, corrupted in islice(corruptions(ssm), 0, None, every):
        engine = Engine(corrupted)
        absorbed = find_sticky(engine) if mode == "recognise" else None
        verdict = bisimulation(machine, engine, mode, limit=20_000, absorbed=absorbed)
        counts[verdict.outcome] += 1
        if verdict.outcome == UNDECIDED:
            undecided.append(what)
            continue
        found = shortest_disagreement(corrupted, words, sets, asked)
        if verdict.outcome == PROVED:
            assert found is None, what
        elif len(verdict.witness.word) <= LENGTH:
            assert found == len(verdict.witness.word), what
        else:
            assert found is None, what
        if verdict.outcome == REFUTED:
            # The witness fails when it is run by the slow reference, from scratch.
            given = run(corrupted, verdict.witness.word).outputs
            state = run(machine, verdict.witness.word)
            truth = machine.legal(state) if mode == "predictive" else {ACCEPT} if machine.accepts(state) else set()
            assert given == verdict.witness.given != verdict.witness.expected == truth, what
    print(
        f"Dyck(2, 3) {mode}: refuted {counts[REFUTED]}, proved equivalent {counts[PROVED]}, undecided "
        f"{counts[UNDECIDED]}"
    )
    assert undecided == []
    assert counts[REFUTED] > counts[PROVED] > 0
