"""Provers with a planted fault, and what the checker says of the certificates that they write.

Each fault of the areas below is planted in a copy of the tree.  There the provers are asked about models that are known
to be wrong, by a run on short strings, and about models of PARITY, of which nothing is to be refuted
and no bound to be claimed.  Every false verdict is written as a certificate, which the checker of this tree, without
any fault, must not verify::

    python -m tests.planted_provers [--most N] [--only TEXT]

Exit status: 0 when no certificate of a false verdict is verified, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Iterator

if __name__ == "__main__":  # the modules of the tests import each other by name
    sys.path.insert(0, str(Path(__file__).resolve().parent))

AREAS = ("certificate", "induction", "search", "levels", "numbers", "fuzz", "words")
PROVERS = ("verify/methods/", "verify/impossible/", "constructions/ssm/", "verify/numbers/")
BASES = (
    ("flip-flop", "recognise", None, "auto", ("search",)),
    ("dyck-2-2", "predictive", "exact", "auto", ("search", "induction")),
    ("dyck-2-2", "recognise", "exact", "auto", ("search", "induction")),
    ("dyck-1-3", "recognise", "exact", "auto", ("search", "induction")),
    ("dyck-1", "recognise", "exact", "auto", ("relation", "induction")),
    ("anbn", "predictive", "exact", "auto", ("relation", "induction")),
    ("anbn", "recognise", "exact", "auto", ("relation", "induction")),
    ("boolean-3", "recognise", "float16", "auto", ("relation", "induction")),
    ("d-2", "predictive", "fixed:1", "holonomy", ("levels", "search")),
    ("tomita-7", "recognise", "fixed:1", "holonomy", ("levels", "search")),
    ("d-3", "recognise", "fixed:1", "auto", ("search",)),
)
"""Language, mode, arithmetic, route, and the methods that are asked."""

MOST_OF_A_BASE, FAULTY, KEPT = 8, 24, 2


def methods_of(file: str) -> tuple[str, ...]:
    """The methods that a fault in this file can concern."""
    if "/relation/" in file:
        return ("relation",)
    if "/induction/" in file:
        return ("induction", "relation") if "growth" in file or "relation.py" in file else ("induction",)
    if "levelwise" in file or "sparse_rows" in file:
        return ("levels",)
    if "/impossible/" in file:
        return ()
    return ("search",) if "/methods/" in file else ("search", "levels", "relation")


def models(base: int) -> Iterator[tuple[int, object, object, object]]:
    """The wrong candidates of a base: (number, machine, construction, weights)."""
    from automata.catalogue import language
    from constructions.build import build
    from constructions.compile.compiler import compile
    from verify.testing.corruption import corruptions

    name, mode, arithmetic, route, _ = BASES[base]
    machine = language(name).dfa() if route == "holonomy" else language(name).machine
    construction = compile(machine, mode, route)
    weights = build(construction, arithmetic=arithmetic).weights
    for number, (_, wrong) in enumerate(corruptions(weights)):
        yield number, construction.machine, construction, wrong


def asked_of(machine, mode: str, words: list) -> list:
    """The words, in predictive mode as far as they are prefixes of words: nothing is claimed of others."""
    from automata.machine import RECOGNISE

    if mode == RECOGNISE:
        return words
    kept = []
    for word in words:
        state, length = machine.initial, 0
        while length < len(word) and word[length] in machine.legal(state):
            state, length = machine.step(state, word[length]), length + 1
        kept.append(tuple(word[:length]))
    return kept


def wrong_word(machine, weights, words: list) -> tuple[str, ...] | None:
    """One of the words, as far as it is asked, on which the model is wrong.

    Run by the engine, without any fault; where a number leaves its range, by the definition, which has none.
    """
    from automata.errors import InputError
    from constructions.ssm.engine import Engine
    from verify.evidence.sampling import check_words
    from verify.methods.bisimulation import Stepwise

    words = asked_of(machine, weights.mode, words)
    try:
        found = check_words(machine, Engine(weights), words, weights.mode).witness
    except InputError:
        found = check_words(machine, Stepwise(weights, weights.mode), words, weights.mode).witness
    return None if found is None else found.word


def pool() -> list[tuple[str, int, int, int]]:
    """The wrong models: (kind, base or seed, number, length of a string on which it is wrong); found by plain runs."""
    from float_faults import faulty, short_words

    from automata.errors import InputError

    found = []
    for base in range(len(BASES)):
        kept = 0
        candidates = list(models(base))
        random.Random(base).shuffle(candidates)
        for number, machine, _, weights in candidates:
            word = wrong_word(machine, weights, short_words(machine.alphabet, 300))
            if word is not None:
                found.append(("base", base, number, len(word)))
                kept += 1
            if kept == MOST_OF_A_BASE:
                break
    for seed in range(FAULTY):
        try:
            _, _, machine, weights = faulty(seed)
        except InputError:
            continue
        word = wrong_word(machine, weights, short_words(machine.alphabet, 300))
        if word is not None:
            found.append(("faulty", seed, 0, len(word)))
    return found


def inside(wrong: list, methods: list[str], out: Path) -> None:
    """In a tree with a fault: asks its provers, and writes a certificate of each verdict that is false."""
    from float_faults import faulty

    from constructions.ssm.engine import Engine
    from verify.certificate.document import NoCertificate, write_certificate
    from verify.certificate.writer import certificate
    from verify.claim import Claim
    from verify.methods import METHODS
    from verify.progress import NO_PROGRESS
    from verify.verdict import PROVED

    for name in METHODS:
        METHODS.named(name)

    # Strings on which a model is wrong are not asked for, and looking for them takes most of the time.
    for module in list(sys.modules.values()):
        if module.__name__.startswith("verify.methods") and hasattr(module, "find_witness"):
            module.find_witness = lambda *_: None
    written = 0

    def ask(claim, method: str, length: int) -> None:
        nonlocal written
        if method not in methods:
            return
        try:
            asked = METHODS.named(method)
            if asked.covers(claim):
                return
            verdict = asked.run(claim, NO_PROGRESS)
        except Exception:  # a planted fault may break anything; only verdicts count here
            return
        if verdict.outcome != PROVED or (verdict.horizon is not None and verdict.horizon < length):
            return
        print(f"FALSE {method} {claim.mode}")
        if written < KEPT:
            try:
                write_certificate(certificate(claim, verdict), out / f"{written}.json")
                written += 1
            except NoCertificate as error:
                print(f"NONE {error}")

    bases = {base: dict() for _, base, _, _ in wrong}
    for kind, base, number, length in wrong:
        if kind == "base":
            bases[base][number] = length
    for base, numbers in bases.items():
        if not numbers or not set(BASES[base][4]) & set(methods):
            continue
        for number, machine, construction, weights in models(base):
            if number in numbers:
                claim = Claim(machine, weights.mode, Engine(weights), weights, construction, 3_000)
                for method in BASES[base][4]:
                    ask(claim, method, numbers[number])
    for kind, seed, _, length in wrong:
        if kind == "faulty" and methods:
            _, _, machine, weights = faulty(seed)
            claim = Claim(machine, weights.mode, Engine(weights), weights, None, 3_000)
            for method in ("relation", "induction", "search"):
                ask(claim, method, length)
    _of_parity(out)


def _of_parity(out: Path) -> None:
    """Models that are PARITY: no bound holds of them, and no string refutes them."""
    from automata.catalogue import language
    from automata.errors import InputError
    from constructions.paper.parity_models import parity, rounding_parity, unbounded_parity, wrapping_parity
    from constructions.ssm.arithmetic import Arithmetic
    from constructions.ssm.signed import lower_signed
    from verify.certificate.document import AT_MOST_STAR_FREE, CERTIFICATE_FORMAT, model_object, write_certificate
    from verify.certificate.writer import refutation
    from verify.impossible.refuter import refute
    from verify.impossible.upper_bound import STAR_FREE, upper_bound
    from verify.verdict import REFUTED

    dfa, number = language("parity").dfa(), 100
    for make, text in (
        (wrapping_parity, "wrap:1"),
        (unbounded_parity, "fixed:4"),
        (rounding_parity, "fixed:4"),
        (partial(lower_signed, parity()), "fixed:4"),
        (partial(lower_signed, parity()), "float32"),
    ):
        try:
            ssm = make(Arithmetic.parse(text))
            if upper_bound(ssm).verdict == STAR_FREE:
                print(f"FALSE bound {text}")
                head = {"format": CERTIFICATE_FORMAT, "claim": AT_MOST_STAR_FREE, "model": model_object(ssm)}
                write_certificate({**head, "evidence": {"bound": {"states": 100_000}}}, out / f"{number}.json")
            found = refute(ssm, dfa)
            if found.verdict.outcome == REFUTED:
                print(f"FALSE refutation {text}")
                write_certificate(
                    refutation(ssm, dfa, found.verdict, found.cycle, found.answer), out / f"{number + 1}.json"
                )
        except (InputError, AssertionError):
            pass
        number += 2


def main() -> int:
    from tests.certificates import VERIFIED, checked
    from tests.mutation import areas
    from tests.mutation.__main__ import copy_tree

    parser = argparse.ArgumentParser(prog="python -m tests.planted_provers", description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=60, help="faults that are planted (default 60)")
    parser.add_argument("--only", default="", help="only faults whose file, text or reason contains this")
    options = parser.parse_args()
    faults = [
        fault
        for area in AREAS
        for fault in areas().get(area, ())
        if fault.file.startswith(PROVERS) and not fault.equivalent and options.only in f"{fault.file} {fault.why}"
    ]
    wrong = pool()
    print(f"{len(wrong)} wrong models; {len(faults[: options.most])} of {len(faults)} faults", flush=True)
    believed = lied = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_tree(Path(folder))
        for fault in [None, *faults[: options.most]]:
            verdicts, files = _planted(tree, fault, wrong, Path(folder))
            answers = [checked(data) for data in files]
            verified = [printed for status, printed in answers if status == VERIFIED]
            believed += len(verified)
            lied += bool(verdicts)
            name = "no fault" if fault is None else f"{fault.file.split('/')[-1]}: {fault.why}"
            kinds = ", ".join(sorted({verdict.split()[1] for verdict in verdicts})) or "-"
            reason = next((printed.strip()[:70] for status, printed in answers if status != VERIFIED), "")
            said = "VERIFIED" if verified else f"refused {len(answers)}: {reason}" if answers else "-"
            print(f"{name:75} | {len(verdicts):3} false ({kinds}) | {said}", flush=True)
    print(f"{lied} faults give a false verdict; the checker believes {believed} of their certificates")
    return 1 if believed else 0


def _planted(tree: Path, fault, wrong: list, folder: Path) -> tuple[list[str], list[bytes]]:
    """The false verdicts of a tree with a fault, and the certificates of some of them."""
    with tempfile.TemporaryDirectory(dir=folder) as out:
        asked = ("search", "levels", "relation", "induction") if fault is None else methods_of(fault.file)
        Path(out, "asked").write_text(json.dumps([wrong, asked]))
        source = None if fault is None else (tree / fault.file).read_text(encoding="utf-8")
        try:
            if fault is not None:
                (tree / fault.file).write_text(fault.planted(source), encoding="utf-8")
            environment = {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{tree / 'tests'}", "OMP_NUM_THREADS": "1"}
            command = [sys.executable, "-B", "-m", "tests.planted_provers", "--inside", out]
            done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=900)
            if done.returncode:
                return [f"FALSE none {done.stderr[-200:]}"] if fault is None else [], []
        finally:
            if fault is not None:
                (tree / fault.file).write_text(source, encoding="utf-8")
        lines = [line for line in done.stdout.splitlines() if line.startswith("FALSE")]
        return lines, [path.read_bytes() for path in sorted(Path(out).glob("*.json"))]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(*json.loads(Path(sys.argv[2], "asked").read_text()), Path(sys.argv[2]))
        sys.exit(0)
    sys.exit(main())
