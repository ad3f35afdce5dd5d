"""What one architecture says of itself: what its halves can do, where the operations go in its weights, where its state
is.

Nothing here or in the architectures' files imports torch: weights are NumPy arrays of float64, each of which is exact
in the format that is asked for, or refused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Mapping

import numpy as np

from constructions.program.operations import Program
from constructions.program.planner import Offer
from constructions.stock.arrays import Tensors
from constructions.stock.gates import Gates
from constructions.target import MONOTONE


class Architecture(ABC):
    """A family of models of transformers.

    Attributes:
        name: ``model_type`` of its configuration.
        title: one line that says what it is.
        gate: what its gates can be, in words.
        offer: what its halves can do.
        motion: how its state moves (see :data:`constructions.target.MONOTONE`).
        dtypes: the formats in which its weights are exact.
        counts_in: those in which its counters are, too.
        cache_argument: under what name ``forward`` takes the cache.
        attends: whether it has attention layers, which are idle in what is built here.
        most_rows: the largest batch that it decodes rightly; None for any.
        counts_where: what its counters need of a device's functions, and not every device has, in words.
        otherwise: what it does to long strings and not to short ones, which show nothing of it, in words.
    """

    name: str
    title: str
    gate: str
    offer: Offer
    motion = MONOTONE
    dtypes: tuple[str, ...] = ("float32", "bfloat16")
    counts_in: tuple[str, ...] = ("float32", "bfloat16", "float64")
    cache_argument = "past_key_values"
    attends = True
    most_rows: int | None = None
    counts_where = ""
    otherwise = ""

    @abstractmethod
    def weights(self, program: Program, dtype: str) -> tuple[dict[str, Any], Tensors]:
        """The configuration, and the tensors that are not all zero.

        Raises:
            InputError: for a program that the sizes of this architecture cannot hold.
        """

    def gates(self, config: Mapping[str, Any]) -> Gates:
        """What its gates can be, whatever the weights; ``config`` has no more than what differs from the defaults.

        Raises:
            InputError: for a value that is none.
        """
        return Gates()

    def gates_of(self, tensors: Mapping[str, np.ndarray]) -> list[Gates]:
        """What the gates of each layer can be with these weights, whatever is read; empty where that is not simple."""
        return []

    def fresh(self, model: Any, rows: int) -> Any:
        """A cache for a new batch; None where the model makes one itself."""
        return None

    def states(self, model: Any, cache: Any) -> list[list[Any]]:
        """The tensors of the state, for each layer that has some, to be read and written in place."""
        found = []
        for layer in cache.layers:
            tensors: list[Any] = []
            for name in ("conv_states", "recurrent_states"):
                kept = getattr(layer, name, None) or {}
                tensors += [tensor for tensor in kept.values() if tensor is not None]
            if tensors:
                found.append(tensors)
        return found

    def put_back(self, model: Any, cache: Any) -> Any:
        """The cache, numbers that can never matter put back to what they are at first, so that they make no states."""
        return cache

    def counts_of_steps(self, cache: Any) -> list[Any]:
        """Tensors of the cache that count steps, and that nothing reads, as whoever looks at operations sees."""
        return []
