"""The weights of a stock model: a configuration and arrays, and what program they were made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.program.operations import Program
from constructions.stock.architecture import Architecture, Tensors


@dataclass(frozen=True)
class StockWeights:
    """All that a checkpoint of a stock architecture holds.

    Attributes:
        architecture: the family.
        dtype: the format in which every number is exact.
        program: what the weights were made from.
        config: the configuration, defaults left out.
        tensors: every tensor of the model, float64.
    """

    architecture: Architecture
    dtype: str
    program: Program
    config: dict[str, Any]
    tensors: Tensors

    @property
    def mode(self) -> str:
        return RECOGNISE if self.program.outputs == (ACCEPT,) else PREDICTIVE

    @property
    def layers(self) -> int:
        return int(self.config["num_hidden_layers"])

    @property
    def width(self) -> int:
        return int(self.config["hidden_size"])

    @property
    def parameters(self) -> int:
        return sum(tensor.size for tensor in self.tensors.values())

    @property
    def nonzero(self) -> int:
        return sum(int(np.count_nonzero(tensor)) for tensor in self.tensors.values())
