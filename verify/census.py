"""A census: every minimal automaton of a size, decided, and compiled and proved where it is star-free.

The work is cut into parts, a few transition tables each.  A finished part is a small file of JSON lines in a folder:
first what it is, then one line per language, last how many there were.  It is written whole or not at all, and one that
lacks its last line, or is about something else, counts as not there.  So an interrupted census goes on where it
stopped.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import active_children, get_context
from pathlib import Path
from string import ascii_lowercase
from typing import Iterator

from automata.algebra.aperiodic import membership_cycle
from automata.algebra.enumeration import Table, breadth_first_tables, distinguishing_sets
from automata.algebra.holonomy import Skeleton
from automata.dfa import DFA
from automata.errors import InputError
from automata.processes import serve_only
from constructions.build import build
from constructions.compile.compiler import HOLONOMY, compile
from verify.claim import Claim
from verify.progress import NO_PROGRESS, Progress
from verify.proving import prove_claim

TABLES_PER_PART = 64
WORKERS_PER_PROCESSOR = 4
CYCLING = "not star-free"

_VERSION = 1


@dataclass(frozen=True)
class Part:
    """Which transition tables a part is about: those from ``first`` on of this size."""

    letters: int
    states: int
    mode: str
    first: int
    tables: int = TABLES_PER_PART
    version: int = _VERSION

    @property
    def file_name(self) -> str:
        return f"{self.letters}-letters-{self.states}-states-{self.mode}-{self.first:07}.jsonl"

    def contents(self) -> Iterator[Table]:
        return islice(breadth_first_tables(self.letters, self.states), self.first, self.first + self.tables)


def parts(letters: int, states: int, mode: str) -> list[Part]:
    """All parts of one size."""
    count = sum(1 for _ in breadth_first_tables(letters, states))
    return [Part(letters, states, mode, first) for first in range(0, count, TABLES_PER_PART)]


def decide(part: Part) -> list[dict]:
    """One entry per language of the part: its automaton and an outcome.

    The outcome is "not star-free" (its strings with cycling membership are checked), or that of the proof.
    """
    alphabet = ascii_lowercase[: part.letters]
    entries = []
    for table in part.contents():
        # Whether words permute states does not depend on which states accept.
        skeleton = Skeleton(DFA(alphabet, table, ()))
        for accepting in distinguishing_sets(table):
            dfa = DFA(alphabet, table, accepting)
            entry: dict = {"table": table, "accepting": accepting}
            if skeleton.aperiodic:
                entry["outcome"] = _outcome(dfa, part.mode)
                entry["bits"] = skeleton.bits
            else:
                cycle = membership_cycle(dfa)
                assert cycle is not None, "a minimal automaton whose words permute states is not star-free"
                entry["outcome"] = CYCLING
                entry["word"] = " ".join(cycle.w)
            entries.append(entry)
    return entries


def _outcome(dfa: DFA, mode: str) -> str:
    """What becomes of a star-free language: compiled by holonomy alone, whose bits the entry counts."""
    construction = compile(dfa, mode, HOLONOMY)
    built = build(construction)
    with built.running() as model:
        return prove_claim(Claim(dfa, mode, model, built.weights, construction)).outcome


def write_part(part: Part, entries: list[dict], folder: Path) -> None:
    """The part's file, whole or not at all."""
    from automata.files import write_text

    lines = [asdict(part), *entries, {"languages": len(entries)}]
    write_text(folder / part.file_name, "".join(json.dumps(line) + "\n" for line in lines))


def read_part(part: Part, folder: Path) -> list[dict] | None:
    """The entries of a finished part; None when there is no such file, or it is not whole."""
    try:
        lines = [json.loads(line) for line in (folder / part.file_name).read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return None
    if len(lines) < 2 or lines[0] != asdict(part) or lines[-1] != {"languages": len(lines) - 2}:
        return None
    return lines[1:-1]


def census(
    letters: int, states: int, mode: str, workers: int = 1, folder: Path | None = None, progress: Progress = NO_PROGRESS
) -> Counter:
    """How many languages of exactly ``states`` states have which outcome.

    Args:
        letters: from 1 to 26.
        states: at least 1.
        mode: the question that the models answer.
        workers: processes that are asked for (see :func:`processes`).
        folder: where finished parts are kept, and looked for.
        progress: told about languages as they are done.

    Raises:
        InputError: for numbers out of range, or a folder that cannot be written.
        MemoryError: when a worker was killed, which is what the system does where memory is short.

    >>> sorted(census(1, 2, "predictive").items())
    [('not star-free', 2), ('proved', 2)]
    """
    if not 1 <= letters <= len(ascii_lowercase) or states < 1 or workers < 1:
        raise InputError(
            f"{letters} letters (1 to {len(ascii_lowercase)}), {states} states and {workers} workers (at least 1) are "
            "not all in range"
        )
    counts: Counter = Counter()
    missing = []
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror})") from None
    for part in parts(letters, states, mode):
        entries = None if folder is None else read_part(part, folder)
        if entries is None:
            missing.append(part)
        else:
            counts.update(entry["outcome"] for entry in entries)
            progress.advance(len(entries))
    for part, entries in _decided(missing, workers):
        if folder is not None:
            write_part(part, entries, folder)
        counts.update(entry["outcome"] for entry in entries)
        progress.advance(len(entries))
    return counts


def processes(workers: int, work: int) -> int:
    """How many are started where so many are asked for: no more than there are parts, or WORKERS_PER_PROCESSOR times
    processors.

    >>> processes(100_000, 3)
    3
    """
    return max(1, min(workers, work, WORKERS_PER_PROCESSOR * (os.cpu_count() or 1)))


def _decided(missing: list[Part], workers: int) -> Iterator[tuple[Part, list[dict]]]:
    workers = processes(workers, len(missing))
    if workers == 1:
        for part in missing:
            yield part, decide(part)
        return
    others = set(active_children())
    # Fresh processes: a copy of this one might hold a lock of one of its threads.
    with ProcessPoolExecutor(workers, get_context("spawn"), serve_only, (os.getpid(),)) as pool:
        waiting = {pool.submit(decide, part): part for part in missing}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool:
            raise MemoryError("a worker was ended from outside") from None
        except BaseException:
            # Nobody waits for a part that is half done; without its workers the pool gives up.
            for process in set(active_children()) - others:
                process.kill()
            raise
