"""All automata of MLRegTest: read from their files, decided, and compiled and proved, or refuted with checked
strings.
"""

from collections import Counter

import pytest

from automata.algebra.aperiodic import group_witness, membership_cycle
from automata.algebra.holonomy import Skeleton
from automata.formats import read_dfa
from automata.machine import PREDICTIVE, RECOGNISE
from constructions.build import build
from constructions.compile.compiler import HOLONOMY, compile
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.face import prove
from verify.methods.bisimulation import bisimulation
from verify.verdict import PROVED

NOT_STAR_FREE = ("Zp", "Reg")
"""Classes of the collection that are not star-free."""


def automata(shared_data):
    for path in sorted(shared_data("mlregtest").glob("*.att")):
        yield path.stem, read_dfa(path).minimise()


@pytest.mark.parametrize(
    "every, wanted",
    [(3, {PROVED: 123, "refuted": 7}), pytest.param(1, {PROVED: 370, "refuted": 20}, marks=pytest.mark.slow)],
)
def test_all_are_proved_or_refuted(shared_data, every, wanted):
    counts, largest = Counter(), 0
    for name, dfa in list(automata(shared_data))[::-every]:
        largest = max(largest, dfa.states)
        skeleton = Skeleton.of(dfa)
        assert skeleton.aperiodic == (name.split(".")[2] not in NOT_STAR_FREE), name
        if skeleton.aperiodic:
            outcome = prove(dfa, build(compile(dfa, PREDICTIVE, HOLONOMY))).outcome
            assert outcome == PROVED, name
            counts[outcome] += 1
            continue
        cycle, witness = membership_cycle(dfa), group_witness(dfa, skeleton=skeleton)
        assert witness.period == len(set(witness.states)) > 1 and len(cycle.strings) == cycle.period + 1
        members = [dfa.accepts_word(cycle.u + cycle.w * n + cycle.v) for n in range(3 * cycle.period + 1)]
        assert members == [members[n % cycle.period] for n in range(len(members))] and len(set(members)) == 2, name
        counts["refuted"] += 1
    assert counts == wanted and (every > 1 or largest == 613)


def test_recognisers_of_a_sample(shared_data):
    proved = 0
    for name, dfa in list(automata(shared_data))[::8]:
        skeleton = Skeleton.of(dfa)
        if skeleton.aperiodic and dfa.states <= 120:
            assert prove(dfa, build(compile(dfa, RECOGNISE, HOLONOMY))).outcome == PROVED, name
            proved += 1
    assert proved > 35


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
def test_the_search_agrees_on_the_small_ones(shared_data, mode):
    proved = 0
    for name, dfa in list(automata(shared_data))[::6]:
        skeleton = Skeleton.of(dfa)
        if skeleton.aperiodic and skeleton.bits <= 8:
            ssm = lower(holonomy_cascade(dfa, mode, skeleton), Arithmetic("fixed", 1))
            assert bisimulation(dfa, Engine(ssm), mode, limit=100_000).outcome == PROVED, name
            proved += 1
    assert proved > 15
