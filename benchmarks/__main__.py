"""Prints the benchmark table; with names of parts as arguments, only those."""

from __future__ import annotations

import importlib
import os
import platform
import sys
import time

from benchmarks import PARTS


def main(names: list[str]) -> int:
    for name in names:
        if name not in PARTS:
            print(f"error: there is no benchmark {name!r}: expected some of {', '.join(PARTS)}", file=sys.stderr)
            return 2
    print(f"Python {platform.python_version()} on {platform.machine()}, all figures from this run")
    for name in names or PARTS:
        start = time.perf_counter()
        print(f"\n{name}")
        for what, figure in importlib.import_module(f"benchmarks.{name}").rows():
            print(f"  {what:<66} {figure:>24}", flush=True)
        print(f"  ({time.perf_counter() - start:.0f} s)")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as commands have it
    sys.exit(main(sys.argv[1:]))
