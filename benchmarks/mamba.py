"""The exact engine beside a stock Mamba of the same language on this CPU; sizes, and the speed of searches."""

from __future__ import annotations

import time
from functools import partial
from typing import Callable, TypeVar

import numpy as np
import torch

from automata.catalogue import language
from automata.machine import PREDICTIVE
from benchmarks.engine import BATCH, LENGTH, best, words_of
from benchmarks.searching import plain_search
from constructions.compile.bounded_counter import bounded_counter_cascade
from constructions.compile.compiler import compile
from constructions.mamba.huggingface import HuggingFaceRunner, stock_model
from constructions.mamba.lowering import lower_to_mamba
from constructions.mamba.stepping import SteppedMamba, Vocabulary
from constructions.mamba.surroundings import quiet
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.methods.bisimulation import bisimulation

Result = TypeVar("Result")

_TIMED = (
    ("dyck-2-5", "", "exact"),
    ("d-2", "counter", "exact"),
    ("d-2", "resets", "fixed:1"),
    ("flip-flop", "", "exact"),
)
"""Languages, by which cascade the engine runs them where there are two, and its arithmetic."""
_SEARCHED = ("dyck-2-5", "dyck-2-8", "dyck-4-4", "dyck-8-3")
_SIZES = ("flip-flop", "tomita-4", "d-2", "d-12", "dyck-2-5", "dyck-8-10", "dyck-1", "shuffle-6", "anbncndn")


def rows() -> list[tuple[str, str]]:
    """The printed rows: what was measured, and the figure."""
    torch.set_num_threads(1)
    table: list[tuple[str, str]] = []
    with quiet(), torch.no_grad():
        for name, route, arithmetic in _TIMED:
            table += _speed(name, route, arithmetic)
        for name in _SEARCHED:
            table += _search(name)
    for name in _SIZES:
        weights = lower_to_mamba(compile(language(name).machine, PREDICTIVE, target="mamba").cascade)
        size = f"{len(weights.layout.blocks)} blocks, d_model {weights.width}"
        table.append((f"Mamba for {name}, {size}: parameters, nonzero", f"{weights.parameters}, {weights.nonzero}"))
    return table


def _speed(name: str, route: str, arithmetic: str) -> list[tuple[str, str]]:
    """Full forward of the Mamba and its single steps, and the engine, on the same words."""
    known = language(name)
    cascade = compile(known.machine, PREDICTIVE, target="mamba").cascade
    weights = lower_to_mamba(cascade)
    ssm = lower(
        bounded_counter_cascade(known.machine, PREDICTIVE) if route == "counter" else cascade,
        Arithmetic.parse(arithmetic),
    )
    words, engine = words_of(known.machine, ssm), Engine(ssm)
    model = SteppedMamba(HuggingFaceRunner(stock_model(weights)), Vocabulary.of(weights), batch=BATCH)
    state, _ = engine.begin(BATCH)
    tokens = torch.from_numpy(model.vocabulary.tokens[words])
    given = model.by_full_forward.advance(np.zeros((BATCH, 0), dtype=np.int64), words)[1].dense()
    if not np.array_equal(engine.advance(state, words)[1].dense(), given):
        raise AssertionError(f"{name}: the Mamba and the engine differ, so their times compare nothing")

    def decode() -> None:
        model.runner.start(tokens[:, :1])
        for t in range(1, LENGTH):
            model.runner.step(tokens[:, t : t + 1])

    ours = best(lambda: engine.advance(state, words))
    forward, steps = best(lambda: model.runner.logits(tokens)), best(decode)
    symbols = BATCH * LENGTH
    return [
        (
            f"engine, {name}{route and f' by {route}'}, batch {BATCH} x {LENGTH}",
            f"{symbols / ours / 1e6:.1f} M symbols/s",
        ),
        ("  Hugging Face Mamba, full forward", f"{symbols / forward / 1e3:.0f} k symbols/s"),
        ("  Hugging Face Mamba, single steps", f"{symbols / steps / 1e3:.0f} k symbols/s"),
        ("  engine over the faster of the two (aim >= 50)", f"{min(forward, steps) / ours:.0f} x faster"),
    ]


def _search(name: str) -> list[tuple[str, str]]:
    """The search over caches as a proof runs it, and one of whole steps with a set of bytes, in CPU seconds from the
    first step on: either model has read its first token before.
    """
    machine = language(name).machine
    weights = lower_to_mamba(compile(machine, PREDICTIVE, target="mamba").cascade)
    model = SteppedMamba(HuggingFaceRunner(stock_model(weights)), Vocabulary.of(weights))
    ours, verdict = _least(lambda: partial(bisimulation, machine, model.by_layers))
    plain, known = _least(lambda: partial(plain_search, machine, model))
    joint = verdict.explored["joint states"]
    if known != joint:
        raise AssertionError("the two searches differ")
    what = f"search over caches, {name}, {verdict.outcome}, {joint} joint states"
    return [
        (what, f"{joint / ours:.0f} joint states/s"),
        ("  over a search of whole steps with a set of bytes", f"{plain / ours:.1f} x ({joint / plain:.0f}/s)"),
    ]


def _least(ready: Callable[[], Callable[[], Result]], seconds: float = 1.0) -> tuple[float, Result]:
    """The least CPU seconds of a call, over calls that fill about this many; and what the last one gave.

    Args:
        ready: makes the function that is called next.
    """
    times: list[float] = []
    while sum(times) < seconds:
        function = ready()
        start = time.process_time()
        result = function()
        times.append(time.process_time() - start)
    return min(times), result
