"""Every language that is promised on every stock target, proved by closed search, and corrupted weights against runs:
one line of JSON for each cell, written as it is done, so that an interrupted run goes on where it was.

    python -m tests.targets_matrix --out build/targets-matrix.jsonl [--kind random] [--on mamba2,rwkv] [--summary]
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections import Counter
from itertools import permutations, product
from pathlib import Path
from typing import Any, Iterator

import numpy as np

from automata.algebra.aperiodic import membership_cycle
from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from automata.formats import read_dfa
from automata.machine import MODES, PREDICTIVE, RECOGNISE, Machine
from constructions.build import Build, build
from constructions.compile.compiler import compile
from constructions.recurrent.target import CellTarget
from constructions.stock.target import StockTarget
from constructions.target import NONLINEAR, REFLECTION, TARGETS
from tests.kept_lines import Line, filled, kept, options, table
from verify.checkpoints.drifting_states import searched_further
from verify.claim import Claim
from verify.proving import prove_claim
from verify.verdict import PROVED, REFUTED, Verdict

STOCK = [name for name in TARGETS if isinstance(TARGETS.named(name), StockTarget)]
CELLS = [name for name in TARGETS if isinstance(TARGETS.named(name), CellTarget)]
REGULAR = [name for name in (*STOCK, *CELLS) if TARGETS.named(name).motion in (REFLECTION, NONLINEAR)]
"""Those that have every regular language."""

STAR_FREE = ("flipflop", "(ab)*", "tomita-1", "tomita-2", "tomita-4", "tomita-7", "d-2", "d-4", "dyck-2-3", "dyck-2-5")
GROUPS = ("parity", "(aa)*", "(aaaa)*", "(abab)*", "tomita-3", "tomita-5", "tomita-6", "S3", "S4", "S5")
RANDOM, RANDOM_GROUPS, CORRUPTED, MLREGTEST = 60, 40, 200, 40
DAMAGED = ("tomita-1", "tomita-4", "tomita-7", "d-2")
"""The languages of the models that are corrupted, a quarter of them each."""

LONGEST = 6
"""Of the strings that are all run on a corrupted model."""

LIMIT, CORRUPTED_LIMIT = 500_000, 2_000
"""Joint states of a search; a corrupted model of a small language has few, or ever more."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """One line of the matrix: ``item`` is a language, or the number of a random automaton or corruption."""

    kind: str
    target: str
    item: str
    mode: str = PREDICTIVE
    dtype: str = "float32"


def cells(real: Path | None = None) -> Iterator[Cell]:
    """All of them, the quick ones first; ``real`` is the folder of the MLRegTest automata."""
    for number, target in product(range(RANDOM), (*STOCK, *CELLS)):
        yield Cell("random", target, str(number), MODES[number % len(MODES)])
    for number, target in product(range(RANDOM_GROUPS), REGULAR):
        yield Cell("random with groups", target, str(number), MODES[number % len(MODES)])
    for name, target in product(STAR_FREE[:-2], (*STOCK, *CELLS)):
        yield from _in_all_formats("star-free", target, name)
    for name, target in product(GROUPS, REGULAR):
        yield from _in_all_formats("groups", target, name)
    for number, target in product(range(CORRUPTED), (*STOCK, *CELLS)):
        yield Cell("corrupted", target, str(number), RECOGNISE)
    for name, target in product(STAR_FREE[-2:], (*STOCK, *CELLS)):
        yield from _in_all_formats("star-free", target, name)
    if real is not None:
        names = [path.stem for path in sorted(real.glob("04.*.att")) if path.stem.split(".")[2] not in ("Zp", "Reg")]
        for name, target in product(names[:: len(names) // MLREGTEST][:MLREGTEST], ("mamba2", "recurrent_gemma")):
            yield Cell("mlregtest", target, name, RECOGNISE)


def _in_all_formats(kind: str, target: str, name: str) -> Iterator[Cell]:
    able = TARGETS.named(target)
    formats = able.architecture.dtypes if isinstance(able, StockTarget) else ("float32", "bfloat16")
    for dtype, mode in product(formats, MODES):
        if dtype in ("float32", "bfloat16"):
            yield Cell(kind, target, name, mode, dtype)


def run(cell: Cell, real: Path | None = None) -> dict[str, Any]:
    """What became of it: the outcome and its reason, sizes and CPU seconds."""
    start = time.process_time()
    machine = machine_of(cell, real)
    built = build(compile(machine, cell.mode, target=cell.target, dtype=cell.dtype), cell.target, dtype=cell.dtype)
    compiled = time.process_time() - start
    found: dict[str, Any] = {}
    if cell.kind == "corrupted":
        weights, found["change"] = corrupted(built.weights, np.random.default_rng([1, int(cell.item)]))
        built = dataclasses.replace(built, weights=weights)
    damaged = cell.kind == "corrupted"
    verdict, wrongly = judged(built, machine, cell.mode, damaged, CORRUPTED_LIMIT if damaged else LIMIT)
    if cell.kind == "corrupted":
        found["wrong by all strings"] = wrongly
    return {
        **dataclasses.asdict(cell),
        "outcome": verdict.outcome,
        "reason": verdict.reason if verdict.outcome != PROVED else "",
        "states": len(machine.table) if isinstance(machine, DFA) else None,
        "joint states": verdict.explored.get("joint states"),
        **{name: value for name, value in built.target.size(built.weights).items() if name != "nonzero weights"},
        **found,
        "seconds to compile": round(compiled, 2),
        "seconds": round(time.process_time() - start, 2),
    }


def machine_of(cell: Cell, real: Path | None = None) -> Machine:
    """The ground truth of a cell."""
    if cell.kind == "random":
        return random_automaton(np.random.default_rng([60, int(cell.item)]), 2 + int(cell.item) % 5, True)
    if cell.kind == "random with groups":
        return random_automaton(np.random.default_rng([40, int(cell.item)]), 2 + int(cell.item) % 4, False)
    if cell.kind == "corrupted":
        return language(DAMAGED[int(cell.item) % len(DAMAGED)]).machine
    if cell.kind == "mlregtest":
        assert real is not None, "such cells are made from that folder"
        return read_dfa(real / f"{cell.item}.att").minimise()
    if cell.item[:1] == "S" and cell.item[1:].isdigit():
        return word_problem(int(cell.item[1:]))
    return language(cell.item).machine


def random_automaton(rng: np.random.Generator, states: int, star_free: bool) -> DFA:
    """A minimal automaton of two letters and exactly so many states, star-free or not."""
    while True:
        accepting = np.flatnonzero(rng.random(states) < 0.5).tolist()
        dfa = DFA("ab", rng.integers(0, states, (states, 2)).tolist(), accepting).minimise()
        if dfa.states == states and (membership_cycle(dfa) is None) == star_free:
            return dfa


def word_problem(points: int) -> DFA:
    """The words over a swap and a rotation that multiply to the identity of the symmetric group."""
    generators = ((1, 0, *range(2, points)), (*range(1, points), 0))
    elements = {element: number for number, element in enumerate(permutations(range(points)))}
    table = [[elements[tuple(g[x] for x in element)] for g in generators] for element in elements]
    return DFA("ab", table, [0], 0).minimise()


def corrupted(weights: Any, rng: np.random.Generator) -> tuple[Any, str]:
    """The weights with one that is not zero negated, doubled or set to 0, and what was done."""
    names = sorted(name for name, tensor in weights.tensors.items() if tensor.any())
    name = names[int(rng.integers(len(names)))]
    tensor = weights.tensors[name].copy()
    places = np.argwhere(tensor)
    place = tuple(places[int(rng.integers(len(places)))].tolist())
    factor = (-1, 0, 2)[int(rng.integers(3))]
    tensor[place] *= factor
    changed = dataclasses.replace(weights, tensors={**weights.tensors, name: tensor})
    return changed, f"{name}{list(place)} times {factor}"


def judged(built: Build, machine: Machine, mode: str, oracle: bool, limit: int) -> tuple[Verdict, bool]:
    """The verdict, and, if asked for, whether single steps are wrong on some string of up to LONGEST symbols, or on the
    string that refutes: by stepping the model from its beginning, with nothing of the search.
    """
    with built.running() as model:
        if not oracle:
            return prove_claim(Claim(machine, mode, model, built.weights, built.construction, limit)), False
        # The other ways to run it, of which the oracle says nothing, take longer than the proof.
        verdict = searched_further(machine, model, mode, limit=limit)
        words = list(product(machine.alphabet, repeat=LONGEST))
        if verdict.witness is not None and len(verdict.witness.word) > LONGEST:
            words = [verdict.witness.word, *words]
        rows = getattr(getattr(built.target, "architecture", None), "most_rows", None)
        return verdict, any(wrong(machine, model, part, rows) for part in _of_one_length(words))


def _of_one_length(words: list[tuple[str, ...]]) -> Iterator[list[tuple[str, ...]]]:
    for length in {len(word) for word in words}:
        yield [word for word in words if len(word) == length]


def wrong(machine: Machine, model: Any, words: list[tuple[str, ...]], rows: int | None) -> bool:
    """Whether some prefix of these words, of one length, is accepted wrongly, stepped one symbol at a time."""
    import torch

    vocabulary = model.vocabulary
    with torch.no_grad():
        for first in range(0, len(words), rows or len(words)):
            part = words[first : first + (rows or len(words))]
            tokens = torch.tensor([[vocabulary.bos, *(3 + machine.alphabet.index(s) for s in word)] for word in part])
            logits = model.runner.start(tokens[:, :1])
            for length in range(len(words[0]) + 1):
                if length:
                    logits = model.runner.step(tokens[:, [length]])
                if (logits[:, vocabulary.eos] > 0).tolist() != [machine.accepts_word(word[:length]) for word in part]:
                    return True
    return False


def as_it_should(line: dict[str, Any]) -> bool:
    """Proved; a corrupted model exactly where no run is wrong, else refuted."""
    expected = REFUTED if line.get("wrong by all strings") else PROVED
    return line["outcome"] == expected


def summary(lines: list[dict[str, Any]]) -> str:
    """Counts for each kind and target, and each cell that is not as it should be."""
    counts: dict[tuple[str, str], Counter] = {}
    for line in lines:
        counts.setdefault((line["kind"], line["target"]), Counter())[line["outcome"]] += 1
    rows = [
        f"{kind:<20} {target:<18} " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(found.items()))
        for (kind, target), found in counts.items()
    ]
    return table(rows, lines, as_it_should)


def main(words: list[str]) -> int:
    parser = options("targets_matrix", __doc__)
    parser.add_argument("--real", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/mlregtest")
    parser.add_argument("--kind", help="only these cells")
    args = parser.parse_args(words)
    real = args.real if args.real.is_dir() else None

    def line_of(cell: Cell) -> Line:
        try:
            return run(cell, real)
        except InputError as refusal:
            return {**dataclasses.asdict(cell), "outcome": "refused", "reason": str(refusal)}

    wanted = (cell for cell in cells(real) if args.kind in (None, cell.kind))
    lines = filled(args, kept(args.out), wanted, line_of)
    print(summary(lines))
    return 0 if all(map(as_it_should, lines)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
