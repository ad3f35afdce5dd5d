"""Plants the faults one by one and prints which are seen: ``python -m tests.mutation [--area NAME] [--jobs N]``.

A fault is *seen* when one of its tests fails (or does not end), *equivalent* when an argument says that it changes
nothing and no test fails, and otherwise *not seen*.  First the tests are run without any fault: they have to pass, or a
failure would say nothing.  Exit status: 0 when every fault is seen or equivalent, 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from . import areas
from .fault import Fault

ROOT = Path(__file__).resolve().parent.parent.parent
SEEN, EQUIVALENT, NOT_SEEN, BROKEN = "seen", "equivalent", "not seen", "broken"
_SECONDS = 300
"""A run of a fault's tests that takes longer is taken as seen: without the fault they end in a fraction of that."""

_PASSED, _FAILED = 0, 1  # of pytest's exit codes; any other says that the tests could not be run


def copy_tree(folder: Path) -> Path:
    """A copy of the working tree's source, with the real data beside it where it is there."""
    copy = folder / "tree"
    copy.mkdir()
    for name in ("automata", "constructions", "verify", "tests", "benchmarks", "notebooks"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "Makefile", "constraints.txt", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    if (ROOT / "docs").is_dir():
        shutil.copytree(ROOT / "docs", copy / "docs")
    if (ROOT.parent / "shared").is_dir():
        (folder / "shared").symlink_to(ROOT.parent / "shared")
    return copy


def run_tests(tree: Path, tests: list[str], seconds: int | None = None) -> tuple[int | None, str]:
    """pytest's exit code on these tests (None when it does not end in time) and what it printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def judge(tree: Path, fault: Fault) -> tuple[str, str]:
    """What became of one fault, and what pytest printed; the tree is as before afterwards."""
    path = tree / fault.file
    source = path.read_text(encoding="utf-8")
    try:
        path.write_text(fault.planted(source), encoding="utf-8")
        code, printed = run_tests(tree, list(fault.tests), _SECONDS)
    except ValueError as error:
        return BROKEN, str(error)
    finally:
        path.write_text(source, encoding="utf-8")
    if code in (None, _FAILED):
        return (BROKEN, "called equivalent, and a test fails") if fault.equivalent else (SEEN, printed)
    if code != _PASSED:
        return BROKEN, printed
    return (EQUIVALENT if fault.equivalent else NOT_SEEN), printed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.splitlines()[0])
    parser.add_argument("--area", action="append", choices=sorted(areas()), help="only this area (may be repeated)")
    parser.add_argument("--only", default="", help="only faults whose file, text or reason contains this")
    parser.add_argument("--jobs", type=int, default=1, help="how many faults are tried at once (default 1)")
    options = parser.parse_args()
    chosen = [
        (area, fault)
        for area, faults in areas().items()
        if not options.area or area in options.area
        for fault in faults
        if options.only in f"{fault.file} {fault.old} {fault.new} {fault.why}"
    ]
    if not chosen:
        parser.error("no fault is chosen")
    with tempfile.TemporaryDirectory() as folder:
        trees: SimpleQueue[Path] = SimpleQueue()
        for job in range(options.jobs):
            place = Path(folder) / str(job)
            place.mkdir()
            trees.put(copy_tree(place))
        tree = trees.get()
        tests = sorted({test for _, fault in chosen for test in fault.tests})
        print(f"{len(chosen)} faults; the {len(tests)} tests named, without any fault:", end=" ", flush=True)
        code, printed = run_tests(tree, tests)
        print("pass" if code == _PASSED else "FAIL", flush=True)
        if code != _PASSED:
            print(printed[-4000:])
            return 1
        trees.put(tree)

        def one(item: tuple[str, Fault]) -> str:
            area, fault = item
            mine = trees.get()
            try:
                found, printed = judge(mine, fault)
            finally:
                trees.put(mine)
            print(f"{found:10}  {area:12}  {fault.file:45}  {fault.equivalent or fault.why}", flush=True)
            if found == BROKEN:
                print(printed[-1500:], flush=True)
            return found

        with ThreadPoolExecutor(options.jobs) as pool:
            results = list(pool.map(one, chosen))
    counts = {kind: results.count(kind) for kind in (SEEN, EQUIVALENT, NOT_SEEN, BROKEN)}
    print("  ".join(f"{kind}: {count}" for kind, count in counts.items()))
    return 0 if counts[NOT_SEEN] == counts[BROKEN] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
