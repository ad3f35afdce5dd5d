"""``python -m tests.fuzz``: edits models, checks them, judges the verdicts; exit status 1 when one is false."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from constructions.ssm.storage import save

from . import edits as editing
from .families import draw, family, names
from .judge import SLOW, Report, judge
from .minimise import minimise


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=0, help="stop after so long (default: no limit)")
    parser.add_argument("--models", type=int, default=0, help="stop after so many models (default: no limit)")
    parser.add_argument("--seed", type=int, default=0, help="model I of seed K is the same whatever else is asked for")
    parser.add_argument("--first", type=int, default=0, metavar="I", help="begin with model I")
    parser.add_argument("--only", default="", metavar="TEXT", help="only families with this text in their name")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write each finding to a folder of its own, as a saved model"
    )
    parser.add_argument(
        "--slow", type=float, default=5.0, metavar="S", help="end a check after S seconds and report it (default: 5)"
    )
    args = parser.parse_args(argv)
    if not any(args.only in name for name in names()):
        parser.error(f"--only {args.only}: no family has this in its name")
    fuzz = Fuzz(args.seed, args.only, args.slow, args.out)
    started, index = time.perf_counter(), args.first
    passed = lambda: time.perf_counter() - started  # noqa: E731
    try:
        while (not args.models or index < args.first + args.models) and (not args.seconds or passed() < args.seconds):
            fuzz.model(index)
            index += 1
            if sys.stderr.isatty() or index % 500 == 0:
                line = (
                    f"seed {args.seed}: {index} models, "
                    f"{(index - args.first) / passed():.1f}/s, {len(fuzz.findings)} findings"
                )
                print(line, file=sys.stderr, end="\r" if sys.stderr.isatty() else "\n")
    except KeyboardInterrupt:
        print(f"stopped before model {index}", file=sys.stderr)
    print(fuzz.table())
    print(
        f"{index - args.first} models from {args.first} on, seed {args.seed}, "
        f"{passed():.0f} s, {len(fuzz.findings)} findings"
    )
    return 1 if fuzz.findings else 0


class Fuzz:
    """Counts of outcomes by family and check, and the findings, over all models so far."""

    def __init__(self, seed: int, only: str = "", slow: float = 5.0, out: Path | None = None):
        self.seed, self.only, self.slow, self.out = seed, only, slow, out
        self.counts: dict[tuple[str, str], Counter] = {}
        self.findings: list[str] = []
        self.kinds: Counter = Counter()
        self.missed = 0

    def model(self, index: int) -> Report:
        """Draws, edits and judges model number ``index``; prints what is found."""
        rng = np.random.default_rng([self.seed, index])
        name = draw(rng)
        while self.only not in name:
            name = draw(rng)
        with tempfile.TemporaryDirectory() as folder:
            save(family(name).ssm, Path(folder) / "model")
            original = editing.read(Path(folder) / "model")
        edits: list[editing.Edit] = []
        arrays, description = original
        for _ in range(int(rng.choice(4, p=[0.02, 0.5, 0.3, 0.18]))):
            more = editing.draw(rng, arrays, description)
            arrays, description = editing.apply(more, arrays, description)
            edits += more
            if editing.misshapen(more[0]):
                break
        checks = {check for check, how in family(name).checks.items() if rng.random() < how.often}
        report = judged(name, edits, original, index, self.slow, checks)
        self._count(name, report)
        for check in [check for check, outcome in report.outcomes.items() if outcome == SLOW]:
            print(
                f"slow: {check}: no answer in {self.slow:g} s: seed "
                f"{self.seed}, model {index}: {name}\n  edits = {edits}"
            )
        for check, why in report.findings.items():
            self._found(name, edits, original, index, check, why)
        return report

    def _count(self, name: str, report: Report) -> None:
        for check, outcome in report.outcomes.items():
            self.counts.setdefault((name.split()[0], check), Counter())[outcome] += 1
        self.missed += report.missed is not None

    def _found(self, name: str, edits, original, index: int, check: str, why: str) -> None:
        kind = f"{check}: {re.sub('[0-9]+', 'N', why)}"
        self.kinds[kind] += 1
        if self.kinds[kind] > 1:
            return
        smaller = minimise(
            edits,
            lambda fewer: check in judged(name, fewer, original, index, self.slow, {check.split(":")[0]}).findings,
        )
        why = judged(name, smaller, original, index, self.slow, {check.split(":")[0]}).findings.get(check, why)
        text = f"{check}: {why}\n  seed {self.seed}, model {index}: {name}\n  edits = {smaller}"
        self.findings.append(text)
        print(f"\nFINDING {len(self.findings)}  {text}", flush=True)
        if self.out:
            folder = self.out / f"{self.seed}_{index}_{check.replace(' ', '_').replace(':', '')}"
            save(family(name).ssm, folder)
            editing.write(*editing.apply(smaller, *original), folder)
            (self.out / f"{folder.name}.json").write_text(
                json.dumps({"family": name, "edits": smaller, "check": check, "why": why})
            )

    def table(self) -> str:
        """Outcomes by family and check."""
        lines = []
        for (kind, check), counts in sorted(self.counts.items()):
            lines.append(
                f"{kind:<10} {check:<15} " + ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common())
            )
        lines += [f"{n} times {kind}" for kind, n in self.kinds.most_common() if n > 1]
        return "\n".join(
            [*lines, f"undecided although a string of the first few hundred is wrong: {self.missed} models"]
        )


def judged(name: str, edits, original, seed: int, slow: float, only: set[str]) -> Report:
    """The report on a family's model after the edits; ``only`` some checks, each ended after ``slow`` seconds."""
    arrays, description = editing.apply(edits, *original)
    checks = {check: how for check, how in family(name).checks.items() if check in only}
    with tempfile.TemporaryDirectory() as folder:
        editing.write(arrays, description, Path(folder))
        return judge(Path(folder), arrays, description, checks, seed, slow)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    sys.exit(main())
