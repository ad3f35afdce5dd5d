"""Inductive proofs: time and single facts for bounded Dyck of growing size, and for the counter languages."""

from __future__ import annotations

import time
from typing import Iterator

from automata.machine import MODES, PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES, counter_machine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.counters import counter_cascade
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.lowering import lower
from verify.methods.induction import prove_counter, prove_dyck
from verify.verdict import Verdict

SIZES = ((2, 5), (8, 5), (8, 10), (64, 32), (1024, 64))
GROWTH_IN_DEPTH = tuple((64, depth) for depth in (8, 16, 32, 64))
GROWTH_IN_TYPES = tuple((k, 16) for k in (64, 128, 256, 512))

EXACT = Arithmetic("exact")


def rows() -> Iterator[tuple[str, str]]:
    for k, depth in SIZES:
        yield f"Dyck({k}, {depth}) predictive", _dyck(k, depth, PREDICTIVE)[1]
    for k, depth in SIZES[:4]:
        yield f"Dyck({k}, {depth}) recognise", _dyck(k, depth, RECOGNISE)[1]
    for what, sizes in (("depth", GROWTH_IN_DEPTH), ("types", GROWTH_IN_TYPES)):
        seconds = [min(_dyck(k, depth, PREDICTIVE)[0] for _ in range(3)) for k, depth in sizes]
        for (k, depth), before, after in zip(sizes[1:], seconds, seconds[1:]):
            yield f"twice the {what}: Dyck({k}, {depth}), time ratio", f"{after / before:.2f}"
    for mode in MODES:
        for name in NAMES:
            ssm, machine = lower(counter_cascade(name, mode), EXACT), counter_machine(name)
            yield f"{name} {mode}", _timed(lambda: prove_counter(ssm, machine, mode))[1]


def _dyck(k: int, depth: int, mode: str) -> tuple[float, str]:
    ssm = lower(bounded_dyck(k, depth, mode), EXACT)
    return _timed(lambda: prove_dyck(ssm, k, depth, mode))


def _timed(proof) -> tuple[float, str]:
    start = time.process_time()
    verdict: Verdict = proof()
    seconds = time.process_time() - start
    return seconds, f"{verdict.outcome}, {verdict.explored['facts']} facts, {seconds:.2f} s"
