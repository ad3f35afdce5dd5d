"""Provers with a planted fault, and what the checker says of the certificates that they write.

Each fault is planted in a copy of the tree.  There the provers are asked about the models that the fault's own tests
have in their hands (:mod:`recorded_proofs`); where none of these is believed that is wrong, about models in which one
number was changed at random, extreme ones among them, or something that only rounding shows.  A verdict that plain runs
show to be false (:mod:`truth`) is written as a certificate, which the checker of this tree, without any fault, must not
verify::

    python -m tests.planted_provers [--only TEXT] [--rows FILE]

A row is printed for each fault as it is done, and kept in the file, so that a run that was interrupted goes on from
there; at the end a table is printed, and what was cut short is named.  Exit status: 0 when no certificate of a false
verdict is verified, else 1.

A Mamba has no certificate, so faults in what is said of one (rows of a batch, casts, its exactness) are not here; the
table of planted faults that ``python -m tests.mutation`` prints has them.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import json
import os
import py_compile
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

import numpy as np

if __name__ == "__main__":  # the modules of the tests import each other by name
    sys.path.insert(0, str(Path(__file__).resolve().parent))

AREAS = ("certificate", "induction", "search", "levels", "numbers", "fuzz")
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

TOGETHER = (("the least integer is compared, not its absolute value", "a bound counts negative numbers"),)
"""Faults in different files of which either hides the other, by their reasons: planted at once, as one more row."""

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
EDITS, SEEDS, SECONDS = 150, 1000, 5.0
"""Changes of a base that are tried, seeds of models that round, and CPU seconds for all."""

PATIENCE = 300
"""Seconds after which a process with a fault is ended."""

_SERVE = "--serve"


# -- the faults ----------------------------------------------------------------------------------------


def rows_of(only: str = "") -> list[tuple]:
    """What is planted for each row: one fault, or several at once."""
    every = faults()
    several = [tuple(fault for fault in every if fault.why in some) for some in TOGETHER]
    rows = [*((fault,) for fault in every), *several]
    return [row for row in rows if any(only in f"{fault.file} {fault.why}" for fault in row)]


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
    """The methods that a fault in this file can concern, and the bases (parts of language and mode)."""
    counters, stacks = ("dyck-1 ", "anbn", "boolean"), ("dyck-2-2 ", "dyck-1-3 ")
    if file == "constructions/ssm/horizon.py":
        return ("search",), ("recognise",)
    if "horizon" in file or "float_growth" in file:
        return ("induction", "relation") if "/induction/" in file else ("relation",), ()
    if "/relation/" in file:
        return ("relation",), counters
    if "counter_" in file:
        return ("induction",), counters
    if "stack_death" in file:
        return ("induction",), tuple(f"{name}recognise" for name in stacks)
    if "stack_" in file or "depths" in file:
        return ("induction",), stacks
    if "/induction/" in file:
        return ("induction", "relation"), (*counters, *stacks)
    if any(name in file for name in ("levelwise", "chart_sets", "pair_graph", "sparse_rows")):
        return ("levels",), ("d-2 ", "tomita")
    if "upper_bound" in file:
        return ("bound",), ("d-", "tomita", "flip")
    if "sticky" in file:
        return ("search",), ("recognise",)
    if "/methods/" in file:
        return ("search",), ("flip", "d-3", *stacks)
    return ("search", "levels", "relation", "induction", "bound"), ("",)


# -- wrong models ---------------------------------------------------------------------------------------


def edited(file: str) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """Models with a change, each with each method that the file concerns: its name, and what gives a certificate."""
    methods, languages = concerned(file)
    streams = [
        of_base(number, methods)
        for number, (name, mode, *_) in enumerate(BASES)
        if any(part in f"{name} {mode}" for part in languages)
    ]
    if not {"levels", "bound"} >= set(methods):
        streams.insert(0, _of_rounding(methods))
    # The one that took least time, so that no base takes all of it.
    used = dict.fromkeys(range(len(streams)), 0.0)
    while used:
        number = min(used, key=used.__getitem__)
        begun = time.process_time()
        found = next(streams[number], None)
        if found is None:
            del used[number]
            continue
        yield found
        used[number] += time.process_time() - begun


def by_hand(file: str) -> Iterator[tuple[str, Callable[[], dict[str, Any] | None]]]:
    """The same of models that were made for the file."""
    from planted_models import MODELS
    from recorded_proofs import bound_of, by_its_own_language, by_method

    def asked(method: str, made: Callable) -> dict[str, Any] | None:
        machine, ssm = made()
        if method == "bound":
            return bound_of(ssm)
        return by_its_own_language(ssm) if machine is None else by_method(method, ssm, machine)

    for made in MODELS.get(file, ()):
        for method in concerned(file)[0]:
            yield method, partial(asked, method, made)


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


def inside(out: str, files: Sequence[str], tests: Sequence[str], enough: int) -> None:
    """In a tree with faults in these files: certificates of verdicts that are false, about models made for the files,
    where there are none about the models that the tests have in their hands, then about changed models.
    """
    import pytest
    from recorded_proofs import ASKED, ENOUGH, FOLDER, keep_false, limit_means

    limit_means()
    methods = {method for file in files for method in concerned(file)[0]}
    os.environ.update({FOLDER: out, ENOUGH: str(enough), ASKED: " ".join(methods)})
    for file in files:
        keep_false(by_hand(file), Path(out), SECONDS)
    if os.listdir(out):
        return
    pytest.main([*["-x"] * (len(files) == 1), "-q", "-p", "no:cacheprovider", "-p", "recorded_proofs", *tests])
    for file in files:
        if not os.listdir(out):
            keep_false(edited(file), Path(out), SECONDS)


def serve() -> None:
    """In a tree: for each line read, a process of its own that does this; what it printed at last, how it ended, and
    its CPU seconds are written.  What all of them import from elsewhere is imported once.
    """
    for module in ("pytest", "hypothesis", "scipy.sparse"):
        __import__(module)
    for line in sys.stdin:
        begun = time.monotonic()
        with tempfile.TemporaryFile() as printed:
            child = os.fork()
            if not child:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(printed.fileno(), 1)
                os.dup2(printed.fileno(), 2)
                inside(*json.loads(line))
                sys.stdout.flush()
                os._exit(0)
            while not (ended := os.wait4(child, os.WNOHANG))[0]:
                if time.monotonic() - begun > PATIENCE:
                    os.kill(child, signal.SIGKILL)
                time.sleep(0.02)
            _, status, used = ended
            size = printed.seek(0, os.SEEK_END)
            printed.seek(max(0, size - 1000))
            said = printed.read().decode(errors="replace").strip().splitlines()
        cut = {signal.SIGXCPU: "its CPU seconds", signal.SIGKILL: f"{PATIENCE} seconds"}.get(os.WTERMSIG(status))
        how = f"cut after {cut}" if cut else "" if not status else said[-1] if said else f"status {status}"
        print(json.dumps([how, round(used.ru_utime + used.ru_stime, 1)]), flush=True)


# -- the table ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What became of one fault.

    Attributes:
        false: for each false verdict the method and why it is false.
        answers: the checker's exit status on each of their certificates, and what it printed; or "none" and why no
            evidence could be written.
        said: how the search for them ended, where it did not come to its end.
        seconds: of CPU that it took.
    """

    false: tuple[tuple[str, str], ...]
    answers: tuple[tuple[int | str, str], ...]
    said: str = ""
    seconds: float = 0.0

    @property
    def believed(self) -> int:
        return sum(status == 0 for status, _ in self.answers)

    def __str__(self) -> str:
        if not self.false:
            return f"no false proof{self.said and f' ({self.said})'}"
        method, why = self.false[0]
        said = "VERIFIED" if self.believed else self.answers[0][1].strip()[:90]
        return f"{len(self.false)} by {method}, {why[:45]} | {said}"


class Tree:
    """A copy of the tree in a folder, in which faults are planted; compiled, so that only files with a fault are
    compiled again: they are told apart by their contents, not by the time when they were written.
    """

    def __init__(self, folder: Path):
        from tests.mutation.__main__ import copy_tree

        self.path = copy_tree(folder)
        sources = sorted(self.path.glob("*/**/*.py"))
        self.sha256 = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
        compileall.compile_dir(self.path, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        paths = os.pathsep.join([str(self.path), str(self.path / "tests")])
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.planted_provers", _SERVE],
            cwd=self.path,
            env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Tree:
        return self

    def __exit__(self, *_) -> None:
        self._server.communicate()

    def planted(self, *faults, enough: int = 2) -> Row:
        """Plants faults, asks the provers of this tree, and the checker of the other; the tree is as before afterwards.

        Args:
            faults: one, or several in different files, to be looked for at once.
            enough: false verdicts after which no more are looked for.
        """
        from recorded_proofs import NONE

        from tests.certificates import checked

        sources = {self.path / fault.file: (self.path / fault.file).read_text(encoding="utf-8") for fault in faults}
        try:
            for fault in faults:
                (self.path / fault.file).write_text(fault.planted(sources[self.path / fault.file]), encoding="utf-8")
            found, said, seconds = self.false_proofs(faults, enough)
        finally:
            for path, source in sources.items():
                path.write_text(source, encoding="utf-8")
        answers: list[tuple[int | str, str]] = []
        for certificate in (one["certificate"] for one in found):
            missing = certificate["evidence"].get(NONE)
            answers.append(checked(json.dumps(certificate)) if missing is None else (NONE, f"none: {missing}"))
        return Row(tuple((one["method"], one["false"]) for one in found), tuple(answers), said, seconds)

    def false_proofs(self, faults: Sequence, enough: int) -> tuple[list[dict[str, Any]], str, float]:
        """What the provers of this tree, with these faults in it, believe falsely, with the certificates; how the
        search for that ended, where it was cut short; and its CPU seconds.
        """
        with tempfile.TemporaryDirectory() as out:
            tests = [test for fault in faults for test in fault.tests]
            asked = json.dumps([out, [fault.file for fault in faults], tests, enough])
            self._server.stdin.write(asked + "\n")
            self._server.stdin.flush()
            said, seconds = json.loads(self._server.stdout.readline())
            return [json.loads(path.read_text()) for path in sorted(Path(out).glob("*.json"))], said, seconds


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted_provers", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="only faults whose file or reason contains this")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="keep rows here, and go on from those that are there")
    options = parser.parse_args()
    chosen, rows = rows_of(options.only), []
    with tempfile.TemporaryDirectory() as folder, Tree(Path(folder)) as tree:
        known = known_rows(options.rows, tree.sha256)
        for number, planted in enumerate(chosen, 1):
            key = hashlib.sha256(repr(planted).encode()).hexdigest()
            if key in known:
                row = known[key]
            else:
                row = tree.planted(*planted)
                keep_row(options.rows, tree.sha256, key, row)
            rows.append(row)
            print(f"{number:3}/{len(chosen)} {row.seconds:5} s {_label(planted)[:91]:91} | {row}", flush=True)
    print()
    return summary(chosen, rows)


def _label(planted: Sequence) -> str:
    where = " + ".join(fault.file.split("/")[-1].removesuffix(".py") for fault in planted)
    return f"{where:20} {' + '.join(fault.why for fault in planted)}"


def known_rows(file: Path | None, sha256: str) -> dict[str, Row]:
    """The rows in a file that were made of these sources, by their keys."""
    if file is None or not file.exists():
        return {}
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        sources, key, false, answers, said, seconds = json.loads(line)
        if sources == sha256:
            found[key] = Row(tuple(map(tuple, false)), tuple(map(tuple, answers)), said, seconds)
    return found


def keep_row(file: Path | None, sha256: str, key: str, row: Row) -> None:
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps([sha256, key, row.false, row.answers, row.said, row.seconds]) + "\n")


def summary(chosen: Sequence, rows: Sequence[Row]) -> int:
    """Prints how many there are of each kind, file by file; gives the exit status."""
    print(f"{'file':50} {'faults':>6} {'false':>6} {'refused':>8} {'VERIFIED':>9} {'CPU s':>6}")
    by_file: dict[str, list[Row]] = {}
    for planted, row in zip(chosen, rows):
        by_file.setdefault(planted[0].file if len(planted) == 1 else "several at once", []).append(row)
    for name, some in [*by_file.items(), ("all", list(rows))]:
        false = [row for row in some if row.false]
        believed = sum(row.believed > 0 for row in some)
        print(
            f"{name:50} {len(some):6} {len(false):6} {len(false) - believed:8} {believed:9} "
            f"{sum(row.seconds for row in some):6.0f}"
        )
    for planted, row in zip(chosen, rows):
        if row.said:
            print(f"{_label(planted)}: {row.said}")
    return 1 if any(row.believed for row in rows) else 0


if __name__ == "__main__":
    if sys.argv[1:] == [_SERVE]:
        serve()
        sys.exit(0)
    sys.exit(main())
