"""``python -m tests.malformed --cases 10000 --seed 0``: malformed inputs for all commands; status 1 when an answer is
wrong.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import Counter

from .run import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.malformed", description=__doc__)
    parser.add_argument("--cases", type=int, default=1000, metavar="N", help="how many (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of all of them (default: 0)")
    parser.add_argument("--first", type=int, default=0, metavar="I", help="the number of the first one (default: 0)")
    options = parser.parse_args()
    from constructions.mamba.surroundings import transformers_ready

    with transformers_ready():  # imported once, before processes are forked
        pass
    statuses: Counter = Counter()
    seconds: Counter = Counter()
    wrong = 0
    for outcome in run(options.seed, range(options.first, options.first + options.cases)):
        statuses[outcome.status] += 1
        seconds[outcome.kind] += outcome.seconds
        if outcome.wrong:
            wrong += 1
            command = shlex.join(outcome.arguments).encode("utf-8", "backslashreplace").decode()
            print(f"{outcome.number} ({outcome.kind}), status {outcome.status}: {command[:300]!r}")
            for line in outcome.wrong:
                print(f"    {line}".encode("utf-8", "backslashreplace").decode(), flush=True)
    counts = ", ".join(f"{count} with status {status}" for status, count in sorted(statuses.items(), key=str))
    print(f"seed {options.seed}, cases {options.first} to {options.first + options.cases - 1}: {counts}; {wrong} wrong")
    print("seconds of the processor: " + ", ".join(f"{kind} {used:.0f}" for kind, used in seconds.most_common()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
