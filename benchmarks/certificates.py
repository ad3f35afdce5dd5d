"""Certificates: how large they are, and what proving and checking them takes, in CPU seconds without the interpreter's
start.
"""

from __future__ import annotations

import gzip
import resource
import time
from typing import Iterator

from automata.catalogue import language
from automata.machine import PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.ssm.engine import Engine
from tests.certificates import VERIFIED, checked
from verify.certificate.document import certificate_text
from verify.certificate.writer import certificate
from verify.claim import Claim
from verify.proving import prove_claim

CASES = (
    ("flip-flop", PREDICTIVE, "auto", "auto"),
    ("dyck-2-5", PREDICTIVE, "auto", "induction"),
    ("dyck-8-5", PREDICTIVE, "auto", "auto"),
    ("dyck-8-10", PREDICTIVE, "auto", "auto"),
    ("dyck-8-10", RECOGNISE, "auto", "auto"),
    *((name, RECOGNISE, "auto", "auto") for name in NAMES),
    ("tomita-7", RECOGNISE, "holonomy", "levels"),
    ("d-12", PREDICTIVE, "holonomy", "levels"),
)
"""Language, mode, route and method."""


def rows() -> Iterator[tuple[str, str]]:
    start = min(_checking("{}")[0] for _ in range(3))
    for name, mode, route, method in CASES:
        construction = compile(language(name).dfa() if route == "holonomy" else language(name).machine, mode, route)
        weights = build(construction).weights
        claim = Claim(construction.machine, mode, Engine(weights), weights, construction)
        begun = time.process_time()
        verdict = prove_claim(claim, method)
        proved = time.process_time() - begun
        found = certificate(claim, verdict)
        text = certificate_text(found)
        seconds, status = _checking(text)
        said = "verified" if status == VERIFIED else "FAILED"
        small = len(gzip.compress(text.encode(), mtime=0))
        times = f"{proved:.3f} s proof, {max(0.0, seconds - start):.3f} s check"
        yield f"{name} {mode}, {next(iter(found['evidence']))}, {len(text)} bytes, {small} gz", f"{times}, {said}"


def _checking(text: str) -> tuple[float, int]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, _ = checked(text)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, status
