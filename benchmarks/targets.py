"""Each stock target on five languages: sizes, joint states and seconds of a proof; and the engine beside its model."""

from __future__ import annotations

import time
from typing import Iterator

import numpy as np
import torch

from automata.catalogue import language
from automata.machine import PREDICTIVE
from benchmarks.engine import best, words_of
from constructions.build import build
from constructions.compile.compiler import compile
from constructions.mamba.surroundings import quiet
from constructions.recurrent.target import CellTarget
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from constructions.stock.target import StockTarget
from constructions.target import TARGETS
from verify.claim import Claim
from verify.proving import prove_claim

LANGUAGES = ("flip-flop", "(ab)*", "tomita-4", "d-2", "dyck-2-3")
TIMED = "dyck-2-3"
ROWS, LENGTH = 16, 64
"""Strings that are read at once, by the engine and by the model, and their symbols."""


def rows() -> Iterator[tuple[str, str]]:
    """The printed rows: what was measured, and the figure."""
    torch.set_num_threads(1)
    with quiet(), torch.no_grad():
        for target in TARGETS:
            if isinstance(TARGETS.named(target), (StockTarget, CellTarget)) or target == "mamba":
                yield from (_proof(target, name) for name in LANGUAGES)
                yield _speed(target)


def _proof(target: str, name: str) -> tuple[str, str]:
    machine = language(name).machine
    start = time.process_time()
    construction = compile(machine, PREDICTIVE, target=target)
    built = build(construction, target)
    with built.running() as model:
        verdict = prove_claim(Claim(machine, PREDICTIVE, model, built.weights, construction, 100_000))
    seconds = time.process_time() - start
    sizes = ", ".join(f"{number} {what}" for what, number in list(built.target.size(built.weights).items())[:2])
    joint = verdict.explored.get("joint states", "-")
    return f"{target}, {name}: {sizes}, {joint} joint states", f"{verdict.outcome}, {seconds:.1f} s CPU"


def _speed(target: str) -> tuple[str, str]:
    """Full forward of the model and its single steps, whichever is faster, and the engine, on the same words."""
    machine = language(TIMED).machine
    built = build(compile(machine, PREDICTIVE, target=target), target)
    engine = Engine(lower(compile(machine, PREDICTIVE).cascade, Arithmetic("exact")))
    words = words_of(machine, engine.ssm)[:ROWS, :LENGTH]
    state, _ = engine.begin(len(words))
    expected = engine.advance(state, words)[1].dense()
    with built.running() as model:
        assert model.alphabet == engine.ssm.alphabet and model.outputs == engine.ssm.outputs, "one language"
        begun, _ = model.by_full_forward.begin(len(words))
        if not np.array_equal(model.by_full_forward.advance(begun, words)[1].dense(), expected):
            raise AssertionError(f"{target}: the model and the engine differ, so their times compare nothing")
        tokens = torch.from_numpy(model.vocabulary.tokens[words])
        runner, part = model.runner, model.batch if model.batch < len(words) else len(words)

        def decode() -> None:
            for some in tokens.split(part):
                runner.start(some[:, :1])
                for t in range(1, LENGTH):
                    runner.step(some[:, [t]])

        ours = best(lambda: engine.advance(state, words), 0.3)
        theirs = min(best(lambda: runner.logits(tokens), 0.5), best(decode, 0.5))
    symbols = len(words) * LENGTH
    return (
        f"  engine over {target}, {TIMED}, {len(words)} x {LENGTH} ({symbols / theirs / 1e3:.0f} k symbols/s)",
        f"{theirs / ours:.0f} x faster",
    )
