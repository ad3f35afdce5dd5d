"""The exact engine beside a plain DFA table walk and a straightforward PyTorch loop; memory on one long string."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import numpy as np

from automata.machine import Machine
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from verify.evidence.sampling import random_words
from verify.methods.bisimulation import bisimulation
from verify.methods.machine_states import Interned

BATCH, LENGTH = 64, 512
LONG = 10_000_000


def best(function: Callable[[], object], seconds: float = 2.0) -> float:
    """The least time of one call, over calls that fill about this many seconds."""
    times, end = [], time.perf_counter() + seconds
    while not times or (time.perf_counter() < end and len(times) < 1000):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def words_of(machine: Machine, ssm: SSM) -> np.ndarray:
    """A batch of prefixes of words, all of one length."""
    rng = np.random.default_rng(0)
    found: list[list[int]] = []
    for number, word in enumerate(random_words(machine, 100 * BATCH, 4 * LENGTH, rng)):
        if number % 3 == 0 and len(word) >= LENGTH:
            found.append([ssm.symbol_index[symbol] for symbol in word[:LENGTH]])
        if len(found) == BATCH:
            break
    return np.array(found)


def table_walk(machine: Machine, ssm: SSM, words: np.ndarray) -> Callable[[], object]:
    """The same language as a transition table: one look-up per step for the whole batch."""
    interned = Interned(machine, ssm.alphabet, ssm.outputs, ssm.mode)
    done = 0
    while done < len(interned):
        interned.expand(np.arange(done, len(interned)))
        done += 1
    table, legal = interned.next.clip(0).astype(np.int64), interned.expected.astype(np.int64)

    def walk() -> np.ndarray:
        states = np.empty(words.shape, dtype=np.int64)
        state = np.zeros(len(words), dtype=np.int64)
        for t in range(words.shape[1]):
            state = table[state, words[:, t]]
            states[:, t] = state
        return legal[states]

    return walk


def torch_loop(ssm: SSM, words: np.ndarray) -> Callable[[], object]:
    """The equations of the layers written down in PyTorch, float32, a loop over time."""
    import torch

    torch.set_num_threads(1)
    tensor = lambda array: torch.tensor(np.asarray(array), dtype=torch.float32)  # noqa: E731
    dense = {
        name: (tensor(a.matrix.toarray()) / 2**a.exponent, tensor(a.bias) / 2**a.exponent) for name, a in ssm.affines()
    }
    embedding = tensor(ssm.embedding)
    symbols = torch.tensor(words)
    linear = torch.nn.functional.linear

    @torch.no_grad()
    def loop() -> object:
        states = [tensor(layer.initial).expand(len(words), -1) / 2**layer.initial_exponent for layer in ssm.layers]
        outputs = []
        for t in range(-1, words.shape[1]):
            x = embedding[symbols[:, t]] if t >= 0 else embedding[-1].expand(len(words), -1)
            for i, layer in enumerate(ssm.layers):
                a, b = linear(x, *dense[f"layers.{i}.gate"]), linear(x, *dense[f"layers.{i}.increment"])
                states[i] = a * states[i] + b
                z = states[i]
                for j in range(len(layer.phi)):
                    z = torch.relu(linear(torch.cat([z, x], dim=1), *dense[f"layers.{i}.phi.{j}"]))
                x = z
            outputs.append(linear(x, *dense["readout"]) > 0)
        return torch.stack(outputs, dim=1)

    return loop


def rows() -> list[tuple[str, str]]:
    """The printed rows: what was measured, and the figure."""
    table: list[tuple[str, str]] = []
    cases = [
        ("Dyck(2, 5)", DyckMachine(2, 5), lower(bounded_dyck(2, 5), Arithmetic("exact"))),
        ("flip-flop", FlipFlopMachine(), lower(flip_flop(), Arithmetic("exact"))),
    ]
    for name, machine, ssm in cases:
        words, engine = words_of(machine, ssm), Engine(ssm)
        state, _ = engine.begin(BATCH)
        loop, walk = torch_loop(ssm, words), table_walk(machine, ssm, words)
        _, outputs = engine.advance(state, words)
        if not np.array_equal(outputs.dense(), loop().numpy()[:, 1:]):
            raise AssertionError(f"{name}: the PyTorch loop and the engine differ, so their times compare nothing")
        ours, theirs, plain = best(lambda: engine.advance(state, words)), best(loop), best(walk)
        symbols = BATCH * LENGTH
        table += [
            (f"engine, {name}, batch {BATCH} x {LENGTH}", f"{symbols / ours / 1e6:.1f} M symbols/s"),
            ("  over the PyTorch loop (aim >= 30)", f"{theirs / ours:.0f} x faster"),
            ("  beside the DFA table walk (aim <= 30)", f"{ours / plain:.1f} x slower"),
        ]
    for k, depth in ((8, 5), (2, 15)):
        engine = Engine(lower(bounded_dyck(k, depth), Arithmetic("exact")))
        start = time.process_time()
        verdict = bisimulation(DyckMachine(k, depth), engine)
        seconds = time.process_time() - start
        joint = verdict.explored["joint states"]
        table.append(
            (
                f"proof of Dyck({k}, {depth}), {verdict.outcome}, {joint} joint states",
                f"{joint / seconds / 1e3:.0f} k joint states/s",
            )
        )
    table.append((f"peak memory, one string of {LONG} symbols (aim < 600 MB)", f"{_long_string_memory():.0f} MB"))
    table.append(("start of `python -m verify --help` over that of `python -c pass`", f"{_start_up_ratio():.1f} x"))
    return table


def _long_string_memory() -> float:
    """Peak resident memory, in MB, of a fresh process that reads one long string of Dyck(2, 5)."""
    result = subprocess.run(
        [sys.executable, "-c", "from benchmarks.engine import read_long_string; read_long_string()"],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(result.stdout)


def read_long_string() -> None:
    """Reads one long string and prints the peak resident memory of this process in MB."""
    engine = Engine(lower(bounded_dyck(2, 5), Arithmetic("exact")))
    block = np.array(
        [[engine.ssm.symbol_index[s] for s in ("(a", "(b", "b)", "(b", "b)", "a)", "(b", "(b", "b)", "b)")]],
        dtype=np.int8,
    )
    words = np.tile(block, (1, LONG // block.shape[1]))
    last = None
    for _, _, last in engine.stream(words):
        pass
    assert last is not None and engine.names(last.table[last.ids[0, -1]]) == {"(a", "(b", "<eos>"}
    # Not getrusage: its maximum is inherited from the process that started this one.
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(int(peak.split()[1]) / 1024)


def _start_up_ratio() -> float:
    def start(*arguments: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)

    return best(start("-m", "verify", "--help")) / best(start("-c", "pass"))
