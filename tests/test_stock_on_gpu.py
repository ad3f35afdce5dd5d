"""Exported stock checkpoints on another device, with the official kernels that transformers finds there.

Each checkpoint is loaded by ``from_pretrained`` in a process of its own and run by one forward, by a prefill with steps
after it, and by single steps.  Its answers are those of the automaton; whether its logits have the same bits as on a
CPU without kernels is printed.  The same process on the CPU is a test too, so that all of this is tried without a GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from automata.catalogue import language  # noqa: E402
from automata.errors import InputError  # noqa: E402
from automata.machine import EOS, PREDICTIVE, RECOGNISE  # noqa: E402
from constructions.build import build  # noqa: E402
from constructions.compile.compiler import compile  # noqa: E402
from constructions.mamba import worker  # noqa: E402
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL  # noqa: E402
from constructions.stock.target import StockTarget  # noqa: E402
from constructions.target import TARGETS  # noqa: E402
from tests.stock_on_gpu import RUNS  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
STOCK = [name for name in TARGETS if isinstance(TARGETS.named(name), StockTarget)]
LANGUAGES = [("flip-flop", RECOGNISE), ("d-2", PREDICTIVE), ("dyck-2-3", PREDICTIVE)]
GROUPS = [("parity", RECOGNISE)]

SYMBOLS = 100

KERNEL_DTYPES = ("float32", "bfloat16")
"""The official kernels have no float64."""


def checkpoints(target: str, folder: Path, languages=LANGUAGES) -> list[tuple[str, str, Path]]:
    """Exports of a target, with the tokens of strings in each folder: half of them legal, half at random."""
    beyond = GROUPS if target == "olmo_hybrid" else []
    architecture = TARGETS.named(target).architecture
    exports = []
    for name, mode in languages + beyond:
        machine = language(name).machine
        for dtype in [d for d in architecture.dtypes if d in KERNEL_DTYPES] if name == "flip-flop" else ["float32"]:
            place = folder / f"{name}-{mode}-{dtype}"
            # Where counters need what a GPU does not have, the language is compiled without one, as for bfloat16.
            numbers = "bfloat16" if architecture.counts_where else dtype
            built = build(compile(machine, mode, target=target, dtype=numbers), target, dtype=dtype)
            TARGETS.named(target).save(built.weights, place)
            rng = np.random.default_rng(0)
            strings = architecture.most_rows or 16
            tokens = rng.integers(FIRST_SYMBOL, FIRST_SYMBOL + len(machine.alphabet), (strings, SYMBOLS))
            for row in tokens[: strings // 2]:
                walk(machine, row, rng)
            tokens[:, 0] = BOS_TOKEN
            np.save(place / "tokens.npy", tokens)
            exports.append((name, mode, place))
    return exports


def walk(machine, tokens: np.ndarray, rng) -> None:
    """Fills a row, from its second token, with a string that stays within the language's prefixes."""
    state = machine.initial
    for time in range(1, len(tokens)):
        choices = sorted(machine.legal(state) - {EOS})
        symbol = choices[rng.integers(len(choices))]
        tokens[time] = FIRST_SYMBOL + machine.alphabet.index(symbol)
        state = machine.step(state, symbol)


def run(device: str, exports, kernels: Path | None) -> None:
    path = os.pathsep.join(filter(None, [str(ROOT), str(kernels or ""), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "tests.stock_on_gpu", device, *(str(place) for *_, place in exports)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def wrong_answers(name: str, mode: str, tokens: np.ndarray, logits: np.ndarray) -> list[str]:
    """The answers that are not those of the automaton, a line for each."""
    machine, wrong = language(name).machine, []
    numbers = {symbol: FIRST_SYMBOL + i for i, symbol in enumerate(machine.alphabet)} | {EOS: EOS_TOKEN}
    for row, outputs in zip(tokens, logits):
        state, word = machine.initial, []
        for time, token in enumerate(row):
            if time:
                word.append(machine.alphabet[token - FIRST_SYMBOL])
                state = machine.step(state, word[-1])
            if mode == RECOGNISE:
                right, given = machine.accepts(state), bool(outputs[time, EOS_TOKEN] > 0)
            else:
                right = machine.legal(state)
                if not right:  # a predictor promises nothing after a string that no word begins with
                    break
                given = frozenset(symbol for symbol, number in numbers.items() if outputs[time, number] > 0)
            if given != right:
                wrong.append(f"{name} after {' '.join(word)!r}: {given}, expected {right}")
    return wrong


def compared(exports) -> tuple[list[str], list[str]]:
    """The wrong answers of all runs, and a line per checkpoint and run on the bits: those of the CPU where ``cpu.npz``
    is there, and else those of the steps.
    """
    wrong, said = [], []
    for name, mode, place in exports:
        found, tokens = np.load(place / "logits.npz"), np.load(place / "tokens.npy")
        before = np.load(place / "cpu.npz") if (place / "cpu.npz").exists() else found
        said.append(f"{place.name} kernels: {', '.join(found['kernels']) or 'those of transformers'}")
        for kind in RUNS:
            answers = wrong_answers(name, mode, tokens, found[kind])
            wrong += [f"{place.name} {kind}: {line}" for line in answers]
            other = int((found[kind].view(np.uint32) != before["stepped"].view(np.uint32)).sum())
            apart = np.abs(found[kind] - before["stepped"]).max()
            said.append(
                f"{place.name} {kind}: {other} of {found[kind].size} logits have other bits, by at most {apart:g}; "
                f"{len(answers)} wrong answers"
            )
    return wrong, said


def test_the_process_runs_an_exported_checkpoint(tmp_path):
    exports = checkpoints("mamba2", tmp_path, LANGUAGES[:1])
    run("cpu", exports, None)
    wrong, said = compared(exports)
    assert wrong == [] and all(" 0 of " in line for line in said if "bits" in line)


@pytest.mark.slow
@pytest.mark.parametrize("target", STOCK)
def test_an_exported_checkpoint_in_a_process_of_its_own(target, tmp_path):
    """One forward gives the bits of the steps on every target but rwkv, where a logit may differ in its last bit."""
    exports = checkpoints(target, tmp_path)
    run("cpu", exports, None)
    wrong, said = compared(exports)
    assert wrong == []
    assert target == "rwkv" or all(" 0 of " in line for line in said if "bits" in line)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("target", STOCK)
def test_official_kernels_give_the_answers_of_the_automaton(target, tmp_path):
    exports = checkpoints(target, tmp_path)
    run("cpu", exports, None)
    for *_, place in exports:
        (place / "logits.npz").rename(place / "cpu.npz")
    try:
        kernels = worker.find_package()
    except InputError:
        kernels = None
    run("cuda", exports, kernels)
    wrong, said = compared(exports)
    print(target, *said, sep="\n  ")
    assert wrong == []
