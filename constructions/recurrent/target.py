"""A cell of torch as a target."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np

from automata.errors import InputError
from automata.files import check_replaceable
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.cascade import Cascade
from constructions.compile.compiler import TRANSFORM, Construction
from constructions.mamba.checkpoint import A_CHECKPOINT, CHECKPOINT_FILES, write_folder
from constructions.mamba.surroundings import transformers_ready
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL
from constructions.recurrent.cells import CELLS, MOST_UNITS, CellWeights, lower_to_cell, rounded, shapes
from constructions.target import NONLINEAR

_ROWS = 256
"""Strings that are stepped at once."""


class CellTarget:
    """One layer of a nonlinear cell (see :class:`constructions.target.Target`)."""

    abilities = frozenset((TRANSFORM,))
    motion = NONLINEAR
    reluctant: frozenset[str] = frozenset()
    numbers = "dtype"
    test_length = 200
    loads_with: dict[str, object] = {"loads with": "safetensors, and load_state_dict of torch's own modules"}

    def __init__(self, cell: str):
        self.cell, self.name = cell, f"{cell}-rnn" if CELLS[cell] == "RNN" else cell
        self.title = f"one layer of torch.nn.{CELLS[cell]}" + f" with {cell}" * (CELLS[cell] == "RNN")

    def lower(
        self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None
    ) -> CellWeights:
        if numbers not in MOST_UNITS:
            raise InputError(f"--dtype {numbers}: {self.name} is exact in {', '.join(MOST_UNITS)}")
        weights = lower_to_cell(cascade, self.cell, numbers)
        tensors = rounded(weights.tensors, numbers)
        return CellWeights(self.cell, numbers, weights.alphabet, weights.outputs, weights.units, tensors)

    @contextmanager
    def running(self, weights: CellWeights) -> Iterator[Any]:
        with transformers_ready():
            from constructions.mamba.stepping import SteppedMamba, Vocabulary
            from constructions.recurrent.running import CellRunner

            tokens = range(FIRST_SYMBOL, FIRST_SYMBOL + len(weights.alphabet))
            words = Vocabulary(weights.alphabet, weights.outputs, tokens, BOS_TOKEN, EOS_TOKEN)
            yield SteppedMamba(CellRunner(weights), words, _ROWS)

    @contextmanager
    def random(self, alphabet: tuple[str, ...], outputs: tuple[str, ...], seed: int) -> Iterator[Any]:
        tensors = shapes(self.cell, FIRST_SYMBOL + len(alphabet), 8)
        rng = np.random.default_rng(seed)
        drawn = rounded({name: rng.standard_normal(shape) for name, shape in tensors.items()}, "float32")
        with self.running(CellWeights(self.cell, "float32", alphabet, outputs, ((None, 0),) * 8, drawn)) as model:
            yield model

    def longest(self, weights: CellWeights, construction: Construction | None, wanted: int) -> int:
        return wanted

    def exact_range(self, weights: CellWeights) -> str:
        return f"{weights.dtype} adds {MOST_UNITS[weights.dtype]} units exactly"

    def size(self, weights: CellWeights) -> dict[str, int]:
        return {"units": len(weights.units), "parameters": weights.parameters, "nonzero weights": weights.nonzero}

    def describe(self, weights: CellWeights, construction: Construction | None) -> dict[str, object]:
        """Units and sizes."""
        return {
            "units": f"{len(weights.units)}: one for each symbol and state that it leads to, one for BOS",
            "parameters": weights.parameters,
            "nonzero": weights.nonzero,
            "dtype": weights.dtype,
        }

    def save(self, weights: CellWeights, folder: str | Path, card: str = "", language: str = "") -> None:
        config = {
            "model_type": self.name,
            "module": f"torch.nn.{CELLS[self.cell]}",
            "nonlinearity": self.cell,
            "num_embeddings": len(weights.tensors["embedding.weight"]),
            "hidden_size": len(weights.units),
            "batch_first": True,
            "dtype": weights.dtype,
        }
        meanings = {
            "alphabet": list(weights.alphabet),
            "mode": RECOGNISE if weights.outputs == (ACCEPT,) else PREDICTIVE,
            "convention": "an output is given when its logit is positive; acceptance is the logit of <eos>",
            "units": {
                str(i): f"read {symbol or '<bos>'}, now in state {q}" for i, (symbol, q) in enumerate(weights.units)
            },
        }
        write_folder(Path(folder), config, weights.tensors, weights.dtype, weights.alphabet, meanings, card, language)

    def check_place(self, folder: str | Path) -> None:
        check_replaceable(folder, CHECKPOINT_FILES, A_CHECKPOINT)

    def owns(self, folder: Path) -> bool:
        return False

    def load(self, folder: str | Path) -> CellWeights:
        """Refuses: a folder alone does not say what its units mean."""
        raise InputError(f"{folder}: cells are proved when they are built, and their folders are not read again")


RELU_RNN, TANH_RNN, GRU, LSTM = map(CellTarget, CELLS)
