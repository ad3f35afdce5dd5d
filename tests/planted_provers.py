"""Provers with a planted fault, and what the checker says of the certificates that they write.

Each fault is planted in a copy of the tree.  There the provers are asked about the models that the fault's own tests
have in their hands (:mod:`recorded_proofs`); where none of these is believed that is wrong, about models in which one
number was changed at random, extreme ones among them, or something that only rounding shows.  A verdict that plain runs
show to be false (:mod:`truth`) is written as a certificate, which the checker of this tree, without any fault, must not
verify::

    python -m tests.planted_provers [--only TEXT] [--first N] [--most N]

A row is printed for each fault as it is done, with its number; ``--first`` goes on from there.  Exit status: 0 when no
certificate of a false verdict is verified, else 1.

A Mamba has no certificate, so faults in what is said of one (rows of a batch, casts, its exactness) are not here; the
table of planted faults that ``python -m tests.mutation`` prints has them.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import py_compile
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import numpy as np

if __name__ == "__main__":  # the modules of the tests import each other by name
    sys.path.insert(0, str(Path(__file__).resolve().parent))

AREAS = ("certificate", "induction", "search", "levels", "numbers", "fuzz", "words")
PROVERS = (
    "verify/methods/",
    "verify/impossible/upper_bound.py",
    "verify/numbers/",
    "constructions/compile/pair_graph.py",
    "constructions/ssm/",
)
NOT_CERTIFIED = (
    "verify/methods/translation.py",
    "verify/methods/cache.py",
    "verify/methods/readouts.py",
    "constructions/ssm/storage.py",
)
"""Files in which faults are looked for; and in these no verdict that has a certificate rests on what is checked."""

BASES = (
    ("dyck-1", "recognise", "exact", "auto"),
    ("dyck-1", "predictive", "exact", "auto"),
    ("anbn", "recognise", "exact", "auto"),
    ("anbncn", "recognise", "exact", "auto"),
    ("boolean-3", "recognise", "float16", "auto"),
    ("dyck-2-2", "recognise", "exact", "auto"),
    ("dyck-2-2", "predictive", "exact", "auto"),
    ("dyck-1-3", "recognise", "exact", "auto"),
    ("dyck-1-3", "predictive", "exact", "auto"),
    ("flip-flop", "recognise", "fixed:1", "auto"),
    ("flip-flop", "predictive", "fixed:1", "auto"),
    ("d-3", "recognise", "fixed:1", "auto"),
    ("d-2", "predictive", "fixed:1", "holonomy"),
    ("tomita-7", "recognise", "fixed:1", "holonomy"),
)
"""The models in which a number is changed: language, mode, arithmetic, route."""

EXTREME = (-(2**63), -(2**63) + 1, 2**63 - 1, 2**62, -(2**62), 2**53 + 1, 65_521, 2049)
EDITS, SEEDS, SECONDS = 150, 1000, 10.0
"""Changes of a base that are tried, seeds of models that round, and CPU seconds for all."""

PATIENCE = 600
"""Seconds after which a run in the copied tree is given up."""

_INSIDE = "--inside"


# -- the faults ----------------------------------------------------------------------------------------


def faults(only: str = "") -> list:
    """The faults in provers whose verdicts have certificates."""
    from tests.mutation import areas

    return [
        fault
        for area in AREAS
        for fault in areas()[area]
        if fault.file.startswith(PROVERS)
        and not fault.file.startswith(NOT_CERTIFIED)
        and not fault.equivalent
        and only in f"{fault.file} {fault.why}"
    ]


def concerned(file: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The methods that a fault in this file can concern, and the kinds of languages (parts of their names)."""
    if "horizon" in file or "float_growth" in file:
        return ("induction", "relation") if "/induction/" in file else ("relation",), ()
    if "/relation/" in file:
        return ("relation",), ("dyck-1", "anbn", "boolean")
    if "counter_" in file:
        return ("induction",), ("dyck-1", "anbn", "boolean")
    if "stack_" in file or "depths" in file:
        return ("induction",), ("dyck-2-2", "dyck-1-3")
    if "/induction/" in file:
        return ("induction", "relation"), ("dyck", "anbn", "boolean")
    if any(name in file for name in ("levelwise", "chart_sets", "pair_graph", "sparse_rows")):
        return ("levels",), ("d-2", "tomita")
    if "upper_bound" in file:
        return ("bound",), ("d-", "tomita", "flip")
    if "/methods/" in file:
        return ("search",), ("flip", "d-3", "dyck-2-2", "dyck-1-3")
    return ("search", "levels", "relation", "induction"), ("",)


# -- wrong models ---------------------------------------------------------------------------------------


def edited(file: str) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """Models with a change, each with each method that the file concerns: its name, and what gives a certificate."""
    methods, languages = concerned(file)
    streams = [
        of_base(number, methods)
        for number, (name, *_) in enumerate(BASES)
        if any(part in f"{name}-" for part in languages)
    ]
    if not {"levels", "bound"} >= set(methods):
        streams.insert(0, _of_rounding(methods))
    # In turn, so that no base takes all the time.
    while streams:
        for stream in list(streams):
            found = next(stream, None)
            if found is None:
                streams.remove(stream)
            else:
                yield found


def of_base(number: int, methods: Sequence[str]) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """A right model with one number changed, and again."""
    from recorded_proofs import bound_of, by_method

    from automata.catalogue import language
    from constructions.build import build
    from constructions.compile.compiler import compile
    from verify.testing.corruption import arrays, corrupt

    name, mode, arithmetic, route = BASES[number]
    machine = language(name).dfa() if route == "holonomy" else language(name).machine
    construction = compile(machine, mode, route)
    right = build(construction, arithmetic=arithmetic).weights
    rng = random.Random(number)
    places = [(array, *found) for array, numbers in arrays(right) for found in _entries(numbers)]
    for edit in range(EDITS):
        array, place, value = rng.choice(places)
        usual = sorted({0, -value, value + 1, value - 1, 2 * value} - {value})
        new = rng.choice(EXTREME) if edit % 4 == 0 else rng.choice(usual)

        def document(method: str, array=array, place=place, new=new) -> dict[str, Any] | None:
            wrong = corrupt(right, array, place, new)
            if method == "bound":
                return bound_of(wrong)
            return by_method(method, wrong, construction.machine, construction)

        for method in methods:
            yield method, lambda method=method, document=document: document(method)


def _entries(numbers) -> list[tuple[tuple[int, ...], int]]:
    """What may be changed: weights that are not 0, and any start value or bias."""
    chosen = numbers != 0 if numbers.ndim == 2 else numbers == numbers
    return [(tuple(place), int(numbers[tuple(place)])) for place in np.argwhere(chosen).tolist()]


def _of_rounding(methods: Sequence[str]) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    from float_faults import faulty
    from recorded_proofs import by_method

    for seed in range(SEEDS):

        def document(method: str, seed=seed) -> dict[str, Any] | None:
            _, _, machine, wrong = faulty(seed, ("float16",))
            return by_method(method, wrong, machine)

        for method in methods:
            yield method, lambda method=method, document=document: document(method)


def inside(file: str, out: Path) -> None:
    """In a tree with a fault in this file: certificates of verdicts about changed models that are false."""
    from recorded_proofs import keep_false, limit_means, without_witnesses

    limit_means()
    without_witnesses()
    keep_false(edited(file), out, SECONDS)


# -- the table ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What became of one fault.

    Attributes:
        false: for each false verdict the method and why it is false.
        answers: the checker's exit status on each of their certificates, and what it printed; or "none" and why no
            evidence could be written.
        said: how the search for them ended, where it did not come to its end.
    """

    false: tuple[tuple[str, str], ...]
    answers: tuple[tuple[int | str, str], ...]
    said: str = ""

    @property
    def believed(self) -> int:
        return sum(status == 0 for status, _ in self.answers)

    def __str__(self) -> str:
        if not self.false:
            return f"no false proof | {self.said}"
        method, why = self.false[0]
        said = "VERIFIED" if self.believed else self.answers[0][1].strip()[:90]
        return f"{len(self.false)} by {method}, {why[:45]} | {said}"


def compiled_tree(folder: Path) -> Path:
    """A copy of the tree, compiled, so that only the file with the fault is compiled again: files are told apart by
    their contents, not by the time when they were written.
    """
    from tests.mutation.__main__ import copy_tree

    tree = copy_tree(folder)
    compileall.compile_dir(tree, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return tree


def planted(tree: Path, *faults, enough: int = 2) -> Row:
    """Plants faults in the tree, asks its provers, and the checker of this one; the tree is as before afterwards.

    Args:
        tree: a copy of this one.
        faults: one, or several in different files, to be looked for at once.
        enough: false verdicts after which no more are looked for.
    """
    from recorded_proofs import NONE

    from tests.certificates import checked

    sources = {tree / fault.file: (tree / fault.file).read_text(encoding="utf-8") for fault in faults}
    try:
        for fault in faults:
            (tree / fault.file).write_text(fault.planted(sources[tree / fault.file]), encoding="utf-8")
        found, said = false_proofs(tree, faults, enough)
    finally:
        for path, source in sources.items():
            path.write_text(source, encoding="utf-8")
    answers = []
    for evidence, text in ((one["certificate"]["evidence"], json.dumps(one["certificate"])) for one in found):
        answers.append((NONE, f"no certificate: {evidence[NONE]}") if NONE in evidence else checked(text))
    return Row(tuple((one["method"], one["false"]) for one in found), tuple(answers), said)


def false_proofs(tree: Path, faults: Sequence, enough: int) -> tuple[list[dict[str, Any]], str]:
    """What the provers of a tree with these faults believe falsely, with the certificates; and how the search ended,
    where it was cut short.
    """
    from recorded_proofs import ENOUGH, FOLDER

    with tempfile.TemporaryDirectory() as out:
        environment = {
            **os.environ,
            "PYTHONPATH": f"{tree}{os.pathsep}{tree / 'tests'}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
            FOLDER: out,
            ENOUGH: str(enough),
        }
        tests = [test for fault in faults for test in fault.tests]
        by_tests = ["pytest", *["-x"] * (len(faults) == 1), "-q", "-p", "no:cacheprovider", "-p", "recorded_proofs"]
        by_changes = [["tests.planted_provers", _INSIDE, fault.file, out] for fault in faults]
        said = ""
        for words in ([*by_tests, *tests], *by_changes):
            command = [sys.executable, "-m", *words]
            try:
                done = subprocess.run(
                    command, cwd=tree, env=environment, capture_output=True, text=True, timeout=PATIENCE
                )
                if words[0] != "pytest" and done.returncode:
                    said = (done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"])[-1]
            except subprocess.TimeoutExpired:
                said = f"not ended after {PATIENCE} seconds"
            if found := [json.loads(path.read_text()) for path in sorted(Path(out).glob("*.json"))]:
                return found, said
    return [], said


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted_provers", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only faults whose file or reason contains this")
    parser.add_argument("--first", type=int, default=1, metavar="N", help="begin with this row (default 1)")
    parser.add_argument("--most", type=int, metavar="N", help="end after so many rows")
    options = parser.parse_args()
    every = faults(options.only)
    chosen = list(enumerate(every, 1))[options.first - 1 :][: options.most]
    lied = believed = 0
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tree = compiled_tree(Path(folder))
        for number, fault in chosen:
            row = planted(tree, fault)
            lied += bool(row.false)
            believed += row.believed
            where = fault.file.split("/")[-1].removesuffix(".py")
            print(f"{number:3}/{len(every)} {where:20} {fault.why[:70]:70} | {row}", flush=True)
    minutes = (time.perf_counter() - begun) / 60
    print(f"{len(chosen)} faults, {lied} give a false proof; the checker believes {believed} ({minutes:.0f} minutes)")
    return 1 if believed else 0


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        inside(sys.argv[2], Path(sys.argv[3]))
        sys.exit(0)
    sys.exit(main())
