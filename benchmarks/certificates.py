"""Certificates: how large they are, and what proving and checking them takes, in CPU seconds.

Wall time would say how busy the machine is.  A proof, and a check, are repeated until they took long enough to be
measured, in turns where they are short, so that what else runs slows both; the least counts, without imports and the
interpreter's start.  The last figure is the check's time in units of the proof's, of which a relation may take 1 and
everything else 10.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

import verify
from automata.catalogue import language
from automata.formats import read_dfa
from automata.machine import PREDICTIVE, RECOGNISE
from automata.machines.counter_machine import NAMES
from constructions.build import Build, build
from constructions.compile.compiler import Construction, compile
from constructions.ssm.engine import Engine
from verify.certificate.document import certificate_text
from verify.certificate.writer import certificate
from verify.claim import Claim
from verify.proving import prove_claim
from verify.verdict import Verdict

CASES = (
    ("flip-flop", PREDICTIVE, "auto", "auto"),
    ("dyck-2-5", PREDICTIVE, "auto", "induction"),
    ("dyck-8-5", PREDICTIVE, "auto", "induction"),
    ("dyck-8-10", PREDICTIVE, "auto", "auto"),
    ("dyck-8-10", RECOGNISE, "auto", "auto"),
    *((name, mode, "auto", "auto") for name in NAMES for mode in (PREDICTIVE, RECOGNISE)),
    ("tomita-7", RECOGNISE, "auto", "search"),
    ("d-4", RECOGNISE, "auto", "search"),
    ("tomita-7", RECOGNISE, "holonomy", "levels"),
    ("d-12", PREDICTIVE, "holonomy", "levels"),
    ("dyck-1024-64", PREDICTIVE, "auto", "induction"),
)
"""Language, mode, route and method."""

LARGEST = Path(__file__).resolve().parents[2] / "shared/data/mlregtest/04.04.SP.6.1.8.att"
"""An automaton of 613 states, where it is."""

BARS = {"relation": 1, "closed": 10, "levels": 10}

ENOUGH, TURNS = 0.1, 4
"""Seconds that the repetitions of a turn take together, and turns of what takes no longer."""

_CHECKING = """
import re, runpy, sys, time
main = runpy.run_path(sys.argv[1])["main"]
spent, least = 0.0, float("inf")
while spent < {enough}:
    begun = time.process_time()
    status = main(["--work", str(10**12), sys.argv[2]])
    least, spent = min(least, time.process_time() - begun), spent + time.process_time() - begun
peak = re.search("VmHWM: *([0-9]+)", open("/proc/self/status").read().replace(chr(9), " "))
print(status, least, peak.group(1) if peak else 0)
"""


def rows() -> Iterator[tuple[str, str]]:
    for name, mode, route, method in CASES:
        known = language(name)
        construction = compile(known.dfa() if route == "holonomy" else known.machine, mode, route)
        yield _row(f"{name} {mode}", construction, build(construction), method)
    if LARGEST.exists():
        construction = compile(read_dfa(LARGEST).minimise(), PREDICTIVE, "holonomy")
        yield _row(f"{LARGEST.stem} {PREDICTIVE}", construction, build(construction), "levels")


def _row(name: str, construction: Construction, built: Build, method: str) -> tuple[str, str]:
    verdict, claim, proved = _proved(construction, built, method)
    found = certificate(claim, verdict)
    text = certificate_text(found)
    status, checked, memory = _checked(text)
    for _ in range(1, TURNS if max(proved, checked) < ENOUGH else 1):
        proved = min(proved, _proved(construction, built, method)[2])
        checked = min(checked, _checked(text)[1])
    kind, small = next(iter(found["evidence"])), len(gzip.compress(text.encode(), mtime=0))
    said = "verified" if status == 0 else "FAILED"
    times = (
        f"{proved:.4f} s proof, {checked:.4f} s and {memory >> 10} MiB check: {checked / proved:.2f} of {BARS[kind]}"
    )
    return f"{name}, {kind}, {len(text)} bytes, {small} gz", f"{times}, {said}"


def _proved(construction: Construction, built: Build, method: str) -> tuple[Verdict, Claim, float]:
    weights: Any = built.weights
    spent, least = 0.0, float("inf")
    while spent < ENOUGH:
        begun = time.process_time()
        claim = Claim(construction.machine, construction.mode, Engine(weights), weights, construction)
        verdict = prove_claim(claim, method)
        seconds = time.process_time() - begun
        least, spent = min(least, seconds), spent + seconds
    return verdict, claim, least


def _checked(text: str) -> tuple[int, float, int]:
    """Exit status, seconds, and KiB of memory."""
    checker = Path(verify.__file__).with_name("checker.py")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.json"
        path.write_text(text)
        command = [sys.executable, "-I", "-S", "-c", _CHECKING.format(enough=ENOUGH), str(checker), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, seconds, memory = done.stdout.splitlines()[-1].split()
    return int(status), float(seconds), int(memory)
