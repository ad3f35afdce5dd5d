"""The refuter: random nonnegative models by the thousand, refutations per second, a transient of millions of steps."""

from __future__ import annotations

import time
from collections import Counter
from typing import Iterator

import numpy as np

from automata.catalogue import language
from automata.machine import ACCEPT, RECOGNISE
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.weights import SSM
from verify.impossible.cycles import find_cycle
from verify.impossible.refuter import LONGEST_RUN, refute_on

BOUNDED = [
    ("fixed:1", "affine", 2000),
    ("fixed:4", "affine", 2500),
    ("fixed:8", "affine", 2000),
    ("float32", "affine", 900),
]
BOUNDED += [("float32", "sigmoid", 1000), ("float64", "affine", 700), ("float64", "exp-softplus", 900)]
"""Arithmetic, gates and number of models: 10 000 in all, depths 1 to 4, widths 1 to 16."""
FREE = [("fixed:4", "affine", 300), ("float32", "affine", 100), ("float64", "sigmoid", 100)]


def rows() -> Iterator[tuple[str, str]]:
    """The figures, printed as they come."""
    yield from refuted_models()
    yield from refutations_per_second()
    yield from long_transients()


def refuted_models() -> Iterator[tuple[str, str]]:
    """PARITY against both families: two words for each model, and how they were found."""
    cycle = find_cycle(language("parity").dfa(), RECOGNISE)
    total: Counter = Counter()
    start = time.process_time()
    for bounded, families in ((True, BOUNDED), (False, FREE)):
        for arithmetic, gates, count in families:
            found: Counter = Counter()
            for engine in random_engines(arithmetic, gates, count, bounded):
                refutation = refute_on(engine, cycle)
                found[_kind(refutation)] += 1
            if bounded:
                total += found
            name = "bounded" if bounded else "free"
            yield (
                f"{name} family, {arithmetic}, {gates} gates: {count} models",
                ", ".join(f"{n} {kind}" for kind, n in found.items()),
            )
        if bounded:
            models = sum(total.values())
            yield f"bounded family: {models} models", f"{100 * total['run'] / models:.2f} % run"
            yield "  of them undecided", str(total["undecided"])
            yield "  of them only to be computed, k > 10^7", str(total["k > 10^7"])
            yield "  seconds per 1000 models", f"{(time.process_time() - start) / models * 1000:.1f}"


def _kind(refutation) -> str:
    if refutation.settled is None:
        return "by running" if refutation.confirmed else "undecided"
    return "k > 10^7" if refutation.verdict.explored.get("periods at most", LONGEST_RUN + 1) > LONGEST_RUN else "run"


def random_engines(
    arithmetic: str, gates: str, count: int, bounded: bool = True, depth=None, width=None
) -> Iterator[Engine]:
    """Random models with depth and width uniform in 1 … 4 and 1 … 16 unless given."""
    rng = np.random.default_rng(len(gates) + count)
    for seed in range(count):
        depth_here, width_here = int(rng.integers(1, 5)), int(rng.integers(1, 17))
        ssm = random_ssm(seed, depth or depth_here, width or width_here, Arithmetic.parse(arithmetic), gates, bounded)
        yield Engine(ssm)


def refutations_per_second(count: int = 60) -> Iterator[tuple[str, str]]:
    """Depth 4, width 16: computing the two words, and computing and running them."""
    cycle = find_cycle(language("parity").dfa(), RECOGNISE)
    for arithmetic, gates in (("fixed:4", "affine"), ("float32", "sigmoid"), ("float64", "exp-softplus")):
        engines = list(random_engines(arithmetic, gates, count, depth=4, width=16))
        for confirm, what in ((False, "computed"), (True, "computed and run")):
            start = time.process_time()
            for engine in engines:
                refute_on(engine, cycle, confirm)
            yield (
                f"depth 4, width 16, {arithmetic}, {gates} gates, {what}",
                f"{count / (time.process_time() - start):.0f} / s",
            )


def long_transients() -> Iterator[tuple[str, str]]:
    """Gates of 1 - 2^-20: computing the two words beside looping through the transient (its first 2^16 steps,
    scaled).
    """
    cycle = find_cycle(language("parity").dfa(), RECOGNISE)
    for arithmetic in ("fixed:8", "float32", "float64"):
        for depth in (1, 4):
            engine = Engine(slow_model(arithmetic, depth))
            start = time.process_time()
            n = refute_on(engine, cycle, confirm=False).n
            computed = time.process_time() - start
            state, _ = engine.begin(1)
            start = time.process_time()
            engine.advance(state, np.ones((1, 1 << 16), dtype=np.int64))
            looped = (time.process_time() - start) * n / (1 << 16)
            yield f"gates 1 - 2^-20, {arithmetic}, depth {depth}: k <= {n}, computed in", f"{1000 * computed:.1f} ms"
            yield "  looping through as many steps takes longer by", f"{looped / computed:.0f} x"


def slow_model(arithmetic: str, depth: int, width: int = 4, exponent: int = 20) -> SSM:
    """Layers whose gates are all 1 - 2^-exponent."""
    rng, layers, inputs = np.random.default_rng(depth), [], 1

    def affine(rows: int, columns: int) -> Affine:
        return Affine(rng.integers(-4, 5, (rows, columns)), rng.integers(-4, 5, rows), 2)

    for _ in range(depth):
        gate = Affine(np.zeros((width, inputs), dtype=np.int64), np.full(width, (1 << exponent) - 1), exponent)
        phi = (Mix(affine(width, width + inputs), "clip", -4, 4),)
        layers.append(Layer(gate, affine(width, inputs), np.full(width, 100), phi))
        inputs = width
    embedding = np.array([[0], [1], [0]])
    return SSM(("0", "1"), (ACCEPT,), embedding, tuple(layers), affine(1, inputs), Arithmetic.parse(arithmetic))
