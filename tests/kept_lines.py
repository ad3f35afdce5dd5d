"""A long table of cells, one line of JSON for each, written as it is done, so that an interrupted run goes on."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any, Callable, Iterable

Line = dict[str, Any]


def options(module: str, about: str) -> argparse.ArgumentParser:
    """What all such tables are asked: --out, --on, --seconds, --summary."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.{module}", description=about.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(f"build/{module.replace('_', '-')}.jsonl"))
    parser.add_argument("--on", help="only these targets, separated by commas")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no cell after so many")
    parser.add_argument("--summary", action="store_true", help="only show what is there")
    return parser


def kept(path: Path) -> list[Line]:
    """The lines that are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def filled(args: argparse.Namespace, lines: list[Line], cells: Iterable[Any], run: Callable[[Any], Line]) -> list[Line]:
    """The lines with those of the cells that are asked for and not there, each written as soon as it is known.

    Args:
        args: of :func:`options`.
        lines: of :func:`kept`.
        cells: dataclasses, whose fields a line has; one is the target.
        run: the line of a cell.
    """
    begun, found, known = time.monotonic(), list(lines), set()
    for number, cell in enumerate(() if args.summary else cells):
        if number == 0:
            known = {tuple(line[name] for name in vars(cell)) for line in lines}
        if tuple(vars(cell).values()) in known or args.on and cell.target not in args.on.split(","):
            continue
        if time.monotonic() - begun > args.seconds:
            break
        found.append(run(cell))
        with args.out.open("a") as file:
            file.write(json.dumps(found[-1]) + "\n")
    return found


def table(rows: list[str], lines: list[Line], as_it_should: Callable[[Line], bool]) -> str:
    """The rows, and each line that is not as it should be."""
    strange = [json.dumps(line) for line in lines if not as_it_should(line)]
    return "\n".join([*rows, f"{len(lines)} cells, {len(strange)} not as they should be", *strange])
