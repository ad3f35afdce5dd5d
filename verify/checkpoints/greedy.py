"""A model that predicts, judged by its most likely token: right where that is one that may come next."""

from __future__ import annotations

from typing import Any

import numpy as np

from automata.machine import PREDICTIVE, Machine
from constructions.mamba.reading import TOP
from constructions.ssm.engine import Outputs
from verify.methods.machine_states import Interned


def greedy(model: Any, machine: Machine, mode: str) -> Any:
    """The model as it is judged: itself, unless its outputs are read by ``top`` and it is asked what may come next."""
    judged = model.reading.kind == TOP and mode == PREDICTIVE
    return JudgedByTop(model, machine) if judged else model


class JudgedByTop:
    """Where its most likely token is legal, what is legal is taken as given; where it is not, that token alone.

    So whatever compares sets of outputs finds the model wrong exactly where greedy decoding would leave the language.
    A row of its states begins with the number of the machine's state, which is -1 from where nothing is asked.

    Args:
        model: a :class:`constructions.mamba.stepping.SteppedMamba` or its full forward, read by ``top``.
        machine: the ground truth.
    """

    def __init__(self, model: Any, machine: Machine):
        self._model, self._machine = model, machine
        self.alphabet, self.outputs, self.arithmetic = model.alphabet, model.outputs, model.arithmetic
        self.runner, self.vocabulary, self.reading = model.runner, model.vocabulary, model.reading
        self._interned = Interned(machine, model.alphabet, model.outputs, PREDICTIVE)

    @property
    def batch(self) -> int:
        return self._model.batch

    @property
    def conditions(self) -> str:
        return self._model.conditions

    @property
    def by_full_forward(self) -> "JudgedByTop":
        return JudgedByTop(self._model.by_full_forward, self._machine)

    def with_rows_apart(self, batch: int) -> "JudgedByTop | None":
        from constructions.mamba.rows_apart import with_rows_apart

        apart = with_rows_apart(self._model, batch)
        return None if apart is None else JudgedByTop(apart, self._machine)

    def glance(self, on: bool) -> None:
        """As of rows apart."""
        self._model.glance(on)

    def with_batch(self, batch: int) -> "JudgedByTop":
        return JudgedByTop(self._model.with_batch(batch), self._machine)

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """As the model's; the machine is in its initial state."""
        rows, outputs = self._model.begin(batch)
        states = np.zeros((batch, 1), dtype=rows.dtype)
        return np.concatenate([states, rows], axis=1), self._judged(states, outputs)

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As the model's, judged after each symbol."""
        stepped, outputs = self._model.advance(np.ascontiguousarray(rows[:, 1:]), words)
        states = np.empty(words.shape, dtype=rows.dtype)
        current = rows[:, 0].astype(np.int64)
        for t in range(words.shape[1]):
            asked = np.flatnonzero(current >= 0)
            current[asked] = self._interned.targets(current[asked])[np.arange(len(asked)), words[asked, t]]
            states[:, t] = current
        return np.concatenate([current[:, None].astype(rows.dtype), stepped], axis=1), self._judged(states, outputs)

    def _judged(self, states: np.ndarray, outputs: Outputs) -> Outputs:
        from constructions.mamba.stepping import as_outputs

        given = outputs.dense().copy()
        expected = self._interned.expected_at(np.maximum(states, 0).ravel()).reshape(states.shape)
        legal = self._interned.table()[expected]
        right = (states >= 0) & ~self.reading.wrong(legal, given, PREDICTIVE)
        given[right] = legal[right]
        return as_outputs(given)
