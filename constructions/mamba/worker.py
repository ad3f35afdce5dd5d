"""mamba-ssm in a process of its own: the worker, and the batched model that talks to it.

Over the worker's standard input and output go, in turn, a line of JSON and the bytes of the arrays that it announces::

    {"do": "open", "directory": "...", "batch": 256, "fused": true}    ->  {alphabet, outputs, ...}
    {"do": "begin", "batch": 1}                                        ->  {}  rows, table, ids
    {"do": "advance"}  rows, words                                     ->  {}  rows, table, ids
    {"do": "forward"}  words from the start                            ->  {}  table, ids
    {"do": "compare"}  tokens (batch, time)                            ->  {}  logits by full forward, by steps, caches

An error is answered by ``{"error": "..."}``.  What the package prints goes to standard error.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from automata.errors import InputError
from automata.processes import serve_only
from constructions.ssm.engine import Outputs

PACKAGE = "mamba_ssm"
PRIVATE_FOLDER = Path(sys.prefix) / "mamba-ssm"
"""Where ``make mamba-ssm`` installs the package: transformers would use its kernels if it saw it."""


def find_package() -> Path | None:
    """The folder to add to the worker's path, or None where the package is importable as it is.

    Raises:
        InputError: when it is not installed.
    """
    if importlib.util.find_spec(PACKAGE) is not None:
        return None
    if (PRIVATE_FOLDER / PACKAGE).is_dir():
        return PRIVATE_FOLDER
    raise InputError(
        "mamba-ssm is not installed: run `make mamba-ssm`, or, with a GPU, pip install 'ssm-compiler[mamba-ssm]'"
    )


class WorkerModel:
    """A checkpoint folder run by mamba-ssm, as a batched model; a context manager that ends its process.

    Args:
        directory: a checkpoint written by :mod:`constructions.mamba.checkpoint`.
        threads: of the worker.

    Raises:
        InputError: when mamba-ssm is not installed, or does not load the checkpoint.
    """

    def __init__(self, directory: Path, batch: int = 256, fused: bool = True, threads: int = 1):
        package = find_package()
        root = Path(__file__).resolve().parents[2]
        paths = [str(root), *([str(package)] if package else []), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "constructions.mamba.worker", str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self._orders, self._answers = self._process.stdin, self._process.stdout
        try:
            self.open(directory, batch, fused)
        except InputError:
            self.close()
            raise

    def open(self, directory: Path, batch: int = 256, fused: bool = True) -> None:
        """Goes on with another checkpoint, in the same process."""
        order = {"do": "open", "directory": str(Path(directory).absolute()), "batch": batch, "fused": fused}
        _send(self._orders, order, ())
        facts, _ = self._answer()
        self.alphabet, self.outputs = tuple(facts["alphabet"]), tuple(facts["outputs"])
        self.arithmetic, self.conditions, self.device = facts["arithmetic"], facts["conditions"], facts["device"]

    @property
    def by_full_forward(self) -> "_WorkerForward":
        """The same model, run over whole strings at once."""
        return _WorkerForward(self)

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        rows, table, ids = self._ask({"do": "begin", "batch": batch})
        return rows, Outputs(table, ids)

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        rows, table, ids = self._ask({"do": "advance"}, rows, words)
        return rows, Outputs(table, ids)

    def compare(self, tokens: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """Logits (float32) by full forward and by single steps, and the caches after the last step, layer by layer."""
        full, stepped, *caches = self._ask({"do": "compare"}, tokens)
        return full, stepped, caches

    def close(self) -> None:
        with suppress(BrokenPipeError):
            self._orders.close()
        self._answers.close()
        self._process.wait()

    def __enter__(self) -> "WorkerModel":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is not None:  # nobody waits for what it is doing
            self._process.kill()
        self.close()

    def _ask(self, order: dict, *arrays: np.ndarray) -> list[np.ndarray]:
        _send(self._orders, order, arrays)
        return self._answer()[1]

    def _answer(self) -> tuple[dict, list[np.ndarray]]:
        answer = _receive(self._answers)
        if answer is None:
            raise InputError(f"the mamba-ssm process ended with status {self._process.wait()}")
        if "error" in answer[0]:
            raise InputError(answer[0]["error"])
        return answer


class _WorkerForward:
    """As :class:`constructions.mamba.stepping.ForwardMamba`."""

    def __init__(self, model: WorkerModel):
        self.model = model
        self.alphabet, self.outputs, self.arithmetic = model.alphabet, model.outputs, model.arithmetic

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        return np.zeros((batch, 0), dtype=np.int64), self.model.begin(batch)[1]

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        read = np.concatenate([rows, words], axis=1)
        table, ids = self.model._ask({"do": "forward"}, read)
        return read, Outputs(table, ids[:, rows.shape[1] :])


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """The worker's loop; ends when the client closes its end."""
    model = None
    while (request := _receive(requests)) is not None:
        what, arrays = request
        try:
            if what["do"] == "open":
                model, facts = _open(what)
                _send(answers, facts, ())
            else:
                _send(answers, {}, _result(model, what, arrays))
        except Exception as error:  # whatever the packages raise is the client's to hear
            _send(answers, {"error": f"mamba-ssm: {type(error).__name__}: {' '.join(str(error).split())}"}, ())


def _open(what: dict):
    from automata.machine import ACCEPT, EOS, RECOGNISE
    from constructions.mamba.checkpoint import COORDINATES_FILE
    from constructions.mamba.official import OfficialRunner
    from constructions.mamba.stepping import SteppedMamba, Vocabulary
    from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL

    directory = Path(what["directory"])
    facts = json.loads((directory / COORDINATES_FILE).read_text(encoding="utf-8"))
    alphabet = tuple(facts["alphabet"])
    outputs = (ACCEPT,) if facts["mode"] == RECOGNISE else (*alphabet, EOS)
    runner = OfficialRunner(directory, what["fused"])
    tokens = range(FIRST_SYMBOL, FIRST_SYMBOL + len(alphabet))
    model = SteppedMamba(runner, Vocabulary(alphabet, outputs, tokens, BOS_TOKEN, EOS_TOKEN), what["batch"])
    described = {"arithmetic": model.arithmetic, "conditions": model.conditions, "device": runner.device.type}
    return model, {"alphabet": alphabet, "outputs": outputs, **described}


def _result(model, what: dict, arrays: list[np.ndarray]) -> list[np.ndarray]:
    if what["do"] == "compare":
        return _compare(model.runner, arrays[0])
    if what["do"] == "forward":
        _, given = model.by_full_forward.advance(arrays[0][:, :0], arrays[0])
        return [given.table, given.ids]
    rows, given = model.begin(what["batch"]) if what["do"] == "begin" else model.advance(*arrays)
    return [rows, given.table, given.ids]


def _compare(runner, tokens: np.ndarray) -> list[np.ndarray]:
    import torch

    tokens = torch.from_numpy(tokens).to(runner.device)
    with torch.no_grad():
        full = runner.logits(tokens)
        steps = [runner.start(tokens[:, :1])] + [runner.step(tokens[:, t : t + 1]) for t in range(1, tokens.shape[1])]
    caches = [tensor for layer in runner.caches() for tensor in layer]
    return [tensor.float().cpu().numpy() for tensor in (full, torch.stack(steps, dim=1), *caches)]


def _send(stream: IO[bytes], head: dict, arrays) -> None:
    arrays = [np.ascontiguousarray(array) for array in arrays]
    shapes = [(array.dtype.str, array.shape) for array in arrays]
    stream.write(json.dumps({**head, "arrays": shapes}).encode() + b"\n")
    for array in arrays:
        stream.write(array.tobytes())
    stream.flush()


def _receive(stream: IO[bytes]) -> tuple[dict, list[np.ndarray]] | None:
    line = stream.readline()
    if not line:
        return None
    head = json.loads(line)
    arrays = []
    for dtype, shape in head.pop("arrays"):
        count = int(np.prod(shape, dtype=np.int64))
        data = bytearray(stream.read(count * np.dtype(dtype).itemsize))
        arrays.append(np.frombuffer(data, dtype=dtype).reshape(shape))
    return head, arrays


def main() -> None:
    import torch

    serve_only(os.getppid())
    torch.set_num_threads(int(sys.argv[1]))
    # Nothing but answers may reach the client, whatever the packages print.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
