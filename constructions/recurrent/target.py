"""A cell of torch as a target."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np

from automata.errors import InputError
from automata.files import check_replaceable
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.cascade import Cascade, Counter, Transformation
from constructions.compile.compiler import ADD, DRIFT, READ_BEFORE, RESET, TRANSFORM, Construction, NotExpressible
from constructions.mamba.checkpoint import A_CHECKPOINT, CHECKPOINT_FILES, write_folder
from constructions.mamba.precision import PRECISIONS
from constructions.mamba.surroundings import transformers_ready
from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN, FIRST_SYMBOL
from constructions.recurrent.cells import (
    CELLS,
    EXACT_TERMS,
    MOST_UNITS,
    CellWeights,
    lower_to_cell,
    rounded,
    shapes,
    units_and_terms,
)
from constructions.recurrent.counting import fastest, lower_to_counting
from constructions.target import NONLINEAR

_ROWS = 256
"""Strings that are stepped at once."""


class CellTarget:
    """One layer of a nonlinear cell, or two of an LSTM that counts (see :class:`constructions.target.Target`)."""

    motion = NONLINEAR
    reluctant: frozenset[str] = frozenset()
    numbers = "dtype"
    test_length = 200
    loads_with: dict[str, object] = {"loads with": "safetensors, and load_state_dict of torch's own modules"}

    def __init__(self, cell: str):
        self.cell, self.name = cell, f"{cell}-rnn" if CELLS[cell] == "RNN" else cell
        more = {"relu": " with relu", "tanh": " with tanh", "lstm": ", or two that count"}
        self.title = f"one layer of torch.nn.{CELLS[cell]}{more.get(cell, '')}"

    @property
    def abilities(self) -> frozenset[str]:
        """Only the cell of an LSTM adds without a bound."""
        return frozenset((TRANSFORM, ADD, DRIFT, RESET, READ_BEFORE) if self.cell == "lstm" else (TRANSFORM,))

    def cannot_hold(self, cascade: Cascade, numbers: str) -> InputError | None:
        """A state that is the sum of more units than the format adds, or what no cell of an LSTM counts."""
        if numbers not in EXACT_TERMS:
            raise InputError(f"--dtype {numbers}: {self.name} is exact in {', '.join(EXACT_TERMS)}")
        if not self._of_table(cascade):
            try:
                lower_to_counting(cascade, numbers)
            except InputError as refusal:
                return refusal
            return None
        units, added = units_and_terms(cascade, self.cell)
        if units > MOST_UNITS:
            reason = (
                f"takes {units} units, one for each symbol and state that it leads to, and a layer has {MOST_UNITS}"
            )
        elif added > EXACT_TERMS[numbers]:
            reason = f"is read off {added} units at once, and {numbers} adds {EXACT_TERMS[numbers]} exactly"
        else:
            return None
        return NotExpressible(cascade.registers[0].name, reason)

    def _of_table(self, cascade: Cascade) -> bool:
        return self.cell != "lstm" or any(isinstance(register, Transformation) for register in cascade.registers)

    def lower(
        self, cascade: Cascade, numbers: str, advance: Callable[[int], object] = lambda rules: None
    ) -> CellWeights:
        refusal = self.cannot_hold(cascade, numbers)
        if refusal is not None:
            raise refusal
        counting = not self._of_table(cascade)
        weights = lower_to_counting(cascade, numbers) if counting else lower_to_cell(cascade, self.cell, numbers)
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
        with self.running(CellWeights(self.cell, "float32", alphabet, outputs, ("",) * 8, drawn)) as model:
            yield model

    def longest(self, weights: CellWeights, construction: Construction | None, wanted: int) -> int:
        """Counters are exact for some time; an inserted symbol makes a string one longer than asked for."""
        counters = [] if construction is None else [c for c in construction.cascade.registers if isinstance(c, Counter)]
        return min(wanted, _counted(weights) // max(map(fastest, counters)) - 2) if counters else wanted

    def exact_range(self, weights: CellWeights) -> str:
        if weights.layers > 1:
            return f"{weights.dtype} counts exactly below {_counted(weights)}"
        return f"{weights.dtype} adds {EXACT_TERMS[weights.dtype]} units exactly"

    def size(self, weights: CellWeights) -> dict[str, int]:
        return {"units": len(weights.units), "parameters": weights.parameters, "nonzero weights": weights.nonzero}

    def describe(self, weights: CellWeights, construction: Construction | None) -> dict[str, object]:
        """Units and sizes."""
        what = "one for each symbol and state that it leads to, one for BOS"
        if weights.layers > 1:
            what = "below counters, latches and symbols, above them what is given out"
        return {
            "layers": weights.layers,
            "units": f"{len(weights.units)}: {what}",
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
            "num_layers": weights.layers,
            "batch_first": True,
            "dtype": weights.dtype,
        }
        meanings = {
            "alphabet": list(weights.alphabet),
            "mode": RECOGNISE if weights.outputs == (ACCEPT,) else PREDICTIVE,
            "convention": "an output is given when its logit is positive; acceptance is the logit of <eos>",
            "units": {str(i): meaning for i, meaning in enumerate(weights.units)},
        }
        write_folder(Path(folder), config, weights.tensors, weights.dtype, weights.alphabet, meanings, card, language)

    def check_place(self, folder: str | Path) -> None:
        check_replaceable(folder, CHECKPOINT_FILES, A_CHECKPOINT)

    def owns(self, folder: Path) -> bool:
        return False

    def load(self, folder: str | Path) -> CellWeights:
        """Refuses: a folder alone does not say what its units mean."""
        raise InputError(f"{folder}: cells are proved when they are built, and their folders are not read again")


def _counted(weights: CellWeights) -> int:
    """A counter of up to 4 steps to a unit is exact below this."""
    return (1 << PRECISIONS[weights.dtype].digits) // 4


RELU_RNN, TANH_RNN, GRU, LSTM = map(CellTarget, CELLS)
