"""Proofs by search beside a plain one over a Python set of bytes, with the memory of a joint state; tight bounded Dyck;
and the random test of a whole command.
"""

from __future__ import annotations

import math
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Iterator

import numpy as np

from automata.catalogue import language
from automata.machine import PREDICTIVE, RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.counter_machine import counter_machine
from constructions.compile.compiler import compile
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.commands.tasks import LONG_LENGTH, LONG_STRINGS
from verify.evidence.long_words import long_words
from verify.evidence.sampling import check_long, check_random, check_words
from verify.methods.bisimulation import bisimulation
from verify.methods.machine_states import Interned
from verify.methods.sticky import find_sticky

_BLOCK = 1 << 15
_SEARCHES = (
    (2, 15, PREDICTIVE, "exact"),
    (8, 5, PREDICTIVE, "exact"),
    (8, 5, PREDICTIVE, "float32"),
    (2, 15, RECOGNISE, "exact"),
    (8, 5, RECOGNISE, "exact"),
    (8, 5, RECOGNISE, "float32"),
)
_TESTED = (
    *("tomita-7", "aa*bb*cc*dd*ee*", "flip-flop", "dyck-2-5", "dyck-8-5", "dyck-8-10", "dyck-32-3", "dyck-64-32"),
    *("dyck-100-2", "mqar-3-3", "copy-6", "dyck-1", "shuffle-2", "shuffle-6", "shuffle-8", "boolean-5", "anbncn"),
    "anbncndn",
)
"""The slowest of each family, and those that were measured before."""
_STRINGS, _LONGEST = 8_000, 500
_COUNTED = ("dyck-1", "shuffle-8", "boolean-5", "anbncndn")


def plain_search(machine: Machine, engine: Any) -> int:
    """The joint states of a predictor, by the model as it is and a set of bytes: what a search took before."""
    interned = Interned(machine, engine.alphabet, engine.outputs, PREDICTIVE)
    rows, _ = engine.begin(1)
    machines = np.zeros(1, dtype=np.int32)
    seen = {machines.tobytes() + rows.tobytes()}
    while len(machines):
        interned.expand(machines)
        sources, symbols = np.nonzero(interned.next[machines] >= 0)
        found: list[tuple[np.ndarray, np.ndarray]] = []
        for first in range(0, len(sources), _BLOCK):
            source, symbol = sources[first : first + _BLOCK], symbols[first : first + _BLOCK]
            target = interned.next[machines[source], symbol]
            stepped, outputs = engine.advance(rows[source], symbol[:, None])
            if (interned.table()[interned.expected[target]] != outputs.dense()[:, 0]).any():
                raise AssertionError("a model that is proved is not wrong")
            new = []
            for i in range(len(target)):
                key = target[i].tobytes() + stepped[i].tobytes()
                if key not in seen:
                    seen.add(key)
                    new.append(i)
            found.append((target[new], stepped[new]))
        machines = np.concatenate([part for part, _ in found])
        rows = np.concatenate([part for _, part in found])
    return len(seen)


def rows() -> Iterator[tuple[str, str]]:
    """The printed rows: what was measured, and the figure; times are of this process alone, the best of three."""
    for k, depth, mode, arithmetic in _SEARCHES:
        engine = Engine(lower(bounded_dyck(k, depth, mode), Arithmetic.parse(arithmetic)))
        yield from _search(k, depth, mode, engine)
    for k, depth in ((2, 5), (8, 5)):
        yield _tight(k, depth)
    cases = [(name, mode) for name in _TESTED for mode in (PREDICTIVE, RECOGNISE)]
    long = [(name, mode) for name in _COUNTED for mode in (PREDICTIVE, RECOGNISE)]
    # A process for each, as a command is one: what others have left of the memory makes some rows half as fast.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        yield from pool.map(_random_test, *zip(*cases))
        yield from pool.map(_long_test, *zip(*long))


def _search(k: int, depth: int, mode: str, engine: Engine) -> Iterator[tuple[str, str]]:
    machine = DyckMachine(k, depth)
    absorbed = find_sticky(engine) if mode == RECOGNISE else None
    seconds, joint = [], 0
    for _ in range(3):
        start = time.process_time()
        joint = bisimulation(machine, engine, mode, absorbed=absorbed).explored["joint states"]
        seconds.append(time.process_time() - start)
    speed = joint / min(seconds)
    what = f"search of Dyck({k}, {depth}), {mode}, {engine.arithmetic}"
    yield f"{what}, {joint} joint states (aim >= 500 k)", f"{speed / 1e3:.0f} k joint states/s"
    tracemalloc.start()
    bisimulation(machine, engine, mode, absorbed=absorbed)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield "  memory of a joint state, everything included (aim <= 100)", f"{peak / joint:.0f} bytes"
    if mode == PREDICTIVE and engine.arithmetic == "exact":
        start = time.process_time()
        if plain_search(machine, engine) != joint:
            raise AssertionError("the two searches differ")
        plain = joint / (time.process_time() - start)
        yield "  over a search with a set of bytes", f"{speed / plain:.1f} x ({plain / 1e3:.0f} k/s)"


def _tight(k: int, depth: int) -> tuple[str, str]:
    machine = DyckMachine(k, depth)
    loose, tight = (
        bisimulation(machine, Engine(lower(bounded_dyck(k, depth, tight=kind), Arithmetic("exact")))).explored
        for kind in (False, True)
    )
    bits = math.log2(tight["joint states"]) / math.log2(machine.classes())
    figure = f"{loose['joint states']} -> {tight['joint states']}, ratio {bits:.3f}"
    return f"Dyck({k}, {depth}), reachable states, with --tight (aim: the classes)", figure


def _random_test(name: str, mode: str) -> tuple[str, str]:
    """A whole test: words drawn, run, and compared; what an engine keeps, it finds the first time."""
    machine = language(name).machine
    found = compile(machine, mode)
    engine = Engine(lower(found.cascade, Arithmetic.parse(found.arithmetic)))
    speeds = []
    for _ in range(3):
        start = time.process_time()
        symbols = check_random(machine, engine, _STRINGS, _LONGEST, mode).explored["symbols"]
        speeds.append(symbols / (time.process_time() - start) / 1e6)
    what = f"random test of {name}, {mode}, {_STRINGS} strings (aim >= 5)"
    return what, f"{speeds[0]:.1f}, then {max(speeds[1:]):.1f} M symbols/s"


def _long_test(name: str, mode: str) -> tuple[str, str]:
    """A whole test of long words, the first one, beside words of the same lengths that are judged symbol by symbol."""
    machine = counter_machine(name)
    engine = Engine(lower(compile(machine, mode).cascade, Arithmetic("exact")))
    start = time.process_time()
    symbols = check_long(machine, engine, LONG_STRINGS, LONG_LENGTH, mode).explored["symbols"]
    seconds = time.process_time() - start
    words = long_words(machine, LONG_STRINGS, LONG_LENGTH, np.random.default_rng(0))
    named = [tuple(machine.alphabet[i] for i in word.tolist()) for word in words]
    start = time.process_time()
    check_words(machine, engine, named, mode)
    plain = time.process_time() - start
    what = f"long random test of {name}, {mode}, {symbols} symbols"
    return what, f"{symbols / seconds / 1e6:.1f} M symbols/s, {plain / seconds:.1f} x"
