"""Writes a stock checkpoint of any architecture: files that ``from_pretrained`` loads, and nobody needs this project
for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from constructions.mamba.checkpoint import write_folder
from constructions.stock.weights import StockWeights


def write_stock(weights: StockWeights, directory: Path, card: str, language: str = "") -> None:
    """Writes the folder, complete or not at all, with a model card and the text of ``language.json`` where there is
    one.

    Raises:
        InputError: when the folder cannot be written or holds something else, or a number is not exact in the format.
    """
    program = weights.program
    config = {"model_type": weights.architecture.name, "dtype": weights.dtype, **weights.config}
    coordinates: dict[str, Any] = {
        "alphabet": list(program.alphabet),
        "mode": weights.mode,
        "convention": "an output is given when its logit is positive; acceptance is the logit of <eos>",
        "residual": {str(i): name for i, name in enumerate(program.coordinates)},
    }
    write_folder(directory, config, weights.tensors, weights.dtype, program.alphabet, coordinates, card, language)
