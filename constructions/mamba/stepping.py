"""A running Mamba as a batched model: one decoding step at a time, in batches of one fixed shape, states small and
hashable.

What a search sees is what was run: every step is the model's own decoding step on ``batch`` rows of one token, the
last batch filled up.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from typing import Protocol, Sequence

import numpy as np
import torch

from automata.machine import ACCEPT, EOS
from constructions.joint_states import Rows
from constructions.mamba.layerwise import LayerwiseMamba
from constructions.mamba.reading import Reading
from constructions.mamba.weights import FIRST_SYMBOL, MambaWeights
from constructions.ssm.engine import Outputs

BATCH = 256


class Vocabulary:
    """Which tokens stand for a language's symbols and outputs.

    Args:
        alphabet, outputs: of the language.
        tokens: the number of each symbol's token.
        bos, eos: of the special tokens; acceptance is read from ``eos``.
    """

    def __init__(self, alphabet: Sequence[str], outputs: Sequence[str], tokens: Sequence[int], bos: int, eos: int):
        self.alphabet, self.outputs = tuple(alphabet), tuple(outputs)
        self.tokens = np.array(tokens, dtype=np.int64)
        self.bos, self.eos = bos, eos
        self.answers = [
            eos if output in (ACCEPT, EOS) else int(tokens[self.alphabet.index(output)]) for output in self.outputs
        ]

    @classmethod
    def of(cls, weights: MambaWeights) -> "Vocabulary":
        """The one of the checkpoints written here."""
        from constructions.mamba.weights import BOS_TOKEN, EOS_TOKEN

        symbols = range(FIRST_SYMBOL, weights.vocabulary)
        return cls(weights.layout.alphabet, weights.layout.outputs, symbols, BOS_TOKEN, EOS_TOKEN)


class Runner(Protocol):
    """One way to run a Mamba.

    Attributes:
        arithmetic: the dtype's name.
        conditions: what a claim about its steps is a claim about: package, versions, device, threads.
        device: where the tokens go.
    """

    arithmetic: str
    conditions: str
    device: torch.device

    def logits(self, tokens: torch.Tensor) -> torch.Tensor:
        """Full forward of (batch, time) tokens: (batch, time, vocabulary)."""

    def start(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, 1) tokens into a fresh cache, which all later steps use: logits (batch, vocabulary)."""

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Reads (batch, 1) tokens: logits (batch, vocabulary)."""

    def caches(self) -> Sequence[Sequence[torch.Tensor]]:
        """For each layer the cache's tensors, to be read and written in place: of a Mamba convolution and scan
        state.
        """


class SteppedMamba:
    """A batched model, as :func:`verify.methods.bisimulation` wants it.

    A state row has, for each layer, the number of its cache (the bytes of convolution and scan state, -0 written back
    as 0) in a table; rows are equal exactly when the caches are.  No operation of a Mamba makes different numbers of 0
    and -0.

    Attributes:
        first_logits: after BOS, of the whole vocabulary.
    """

    def __init__(self, runner: Runner, vocabulary: Vocabulary, batch: int = BATCH, reading: Reading = Reading()):
        self.runner, self.vocabulary, self.batch, self.reading = runner, vocabulary, batch, reading
        self.alphabet, self.outputs, self.arithmetic = vocabulary.alphabet, vocabulary.outputs, runner.arithmetic
        logits = self._run(runner.start, np.full(batch, vocabulary.bos))
        self._table = StateTable(runner.caches())
        self._first = self.read(1), self._given(logits, 1)
        self.first_logits = logits[0].double().cpu().numpy()

    @property
    def by_full_forward(self) -> "ForwardMamba":
        """The same model, run over whole strings at once."""
        return ForwardMamba(self)

    @property
    def by_layers(self) -> LayerwiseMamba | None:
        """The same model, each layer run on each different input once; None for one that does not come in layers."""
        layers = getattr(self.runner, "by_layers", None)
        return None if layers is None else LayerwiseMamba(self.vocabulary, self.reading, self.runner, layers)

    @property
    def conditions(self) -> str:
        """What a claim about the steps of this model is a claim about."""
        return f"{self.runner.conditions}, steps of {self.batch} row{'s' * (self.batch != 1)}"

    def with_batch(self, batch: int) -> "SteppedMamba":
        """The same model in batches of another size; this one's cache is gone."""
        return SteppedMamba(self.runner, self.vocabulary, batch, self.reading)

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """States and outputs after BOS."""
        rows, given = self._first
        return np.repeat(rows, batch, axis=0), Outputs(given, np.zeros((batch, 1), dtype=np.int64))

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As the engine's ``advance``: one decoding step of the model for each symbol."""
        given = np.empty((*words.shape, len(self.outputs)), dtype=bool)
        for t in range(words.shape[1]):
            stepped = np.empty_like(rows)
            for first in range(0, len(rows), self.batch):
                part = slice(first, first + self.batch)
                stepped[part], logits = self.step(rows[part], words[part, t])
                given[part, t] = self._given(logits, len(logits))
            rows = stepped
        return rows, as_outputs(given)

    def step(self, rows: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, torch.Tensor]:
        """One decoding step of up to ``batch`` rows: the states after it, and all logits."""
        count = len(rows)
        filled = np.concatenate([rows, np.repeat(rows[:1], self.batch - count, axis=0)])
        for number, tensors in enumerate(self.runner.caches()):
            for tensor, values in zip(tensors, self._table.caches(number, filled[:, number])):
                tensor.copy_(values)
        tokens = self.vocabulary.tokens[np.concatenate([symbols, np.repeat(symbols[:1], self.batch - count)])]
        logits = self._run(self.runner.step, tokens)
        return self.read(count), logits[:count]

    def _run(self, step, tokens: np.ndarray) -> torch.Tensor:
        with torch.no_grad():
            return step(torch.from_numpy(tokens[:, None]).to(self.runner.device))

    def read(self, count: int) -> np.ndarray:
        """The states that the runner has now, of so many rows."""
        return self._table.rows([[tensor[:count] for tensor in tensors] for tensors in self.runner.caches()])

    def numbers_in(self, rows: np.ndarray) -> np.ndarray:
        """All numbers of the caches of these states, side by side: float64 of shape (rows, numbers)."""
        return self._table.numbers_in(rows)

    def rows_with(self, numbers: np.ndarray) -> np.ndarray:
        """The states whose caches have these numbers, each rounded to its format: what :meth:`numbers_in` undoes."""
        return self._table.rows(self._table.layers_with(numbers))

    def _given(self, logits: torch.Tensor, count: int) -> np.ndarray:
        return self.reading.given(logits[:count], self.vocabulary.answers)


class WholeStrings(ABC):
    """A model by full forward: a batched model for strings from their beginning, as random tests read them.

    A row of its states is the symbols read so far; what was read is read again with what follows.
    """

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """Nothing read, and the outputs after BOS."""
        rows = np.zeros((batch, 0), dtype=np.int64)
        return rows, as_outputs(self._given(rows))

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """One full forward over all symbols; the outputs after the new ones."""
        read = np.concatenate([rows, words], axis=1)
        return read, as_outputs(self._given(read)[:, rows.shape[1] + 1 :])

    @abstractmethod
    def _given(self, symbols: np.ndarray) -> np.ndarray:
        """What is given out after BOS and each symbol: booleans (batch, time + 1, outputs)."""


class ForwardMamba(WholeStrings):
    """The same model as a stepped one, over whole strings."""

    def __init__(self, model: SteppedMamba):
        self.runner, self.vocabulary, self.reading = model.runner, model.vocabulary, model.reading
        self.alphabet, self.outputs, self.arithmetic = model.alphabet, model.outputs, model.arithmetic

    def read_by(self, reading: Reading) -> "ForwardMamba":
        """The same model, its outputs read in another way."""
        other = copy(self)
        other.reading = reading
        return other

    def scores(self, symbols: np.ndarray, reading: Reading) -> np.ndarray:
        """What a reading compares with its threshold, after BOS and every symbol: (batch, time + 1, outputs)."""
        return reading.scores(self._logits(symbols), self.vocabulary.answers).cpu().numpy()

    def _given(self, symbols: np.ndarray) -> np.ndarray:
        return self.reading.given(self._logits(symbols), self.vocabulary.answers)

    def _logits(self, symbols: np.ndarray) -> torch.Tensor:
        tokens = np.concatenate(
            [np.full((len(symbols), 1), self.vocabulary.bos), self.vocabulary.tokens[symbols]], axis=1
        )
        with torch.no_grad():
            return self.runner.logits(torch.from_numpy(tokens).to(self.runner.device))


class StateTable:
    """All layer caches seen so far, each once.

    A layer's cache is a few tensors of shape (batch, ...).  Two are the same entry exactly when all their bytes are,
    after -0 has been written as 0.  Time and memory are in proportion to the caches, however many are known already.

    Args:
        layers: for each layer example tensors, which fix shapes and dtypes.
    """

    def __init__(self, layers: Sequence[Sequence[torch.Tensor]]):
        self._layers = [_LayerTable(tensors) for tensors in layers]

    def rows(self, layers: Sequence[Sequence[torch.Tensor]]) -> np.ndarray:
        """The numbers of these caches, int32 of shape (batch, layers); unseen ones are added."""
        return np.stack([table.numbers(tensors) for table, tensors in zip(self._layers, layers)], axis=1).astype(
            np.int32
        )

    def caches(self, layer: int, numbers: np.ndarray) -> list[torch.Tensor]:
        """The tensors of these entries, one row each."""
        return self._layers[layer].tensors(numbers)

    def numbers_in(self, rows: np.ndarray) -> np.ndarray:
        """All numbers of these rows' caches, in float64."""
        tensors = (tensor for layer, table in enumerate(self._layers) for tensor in table.tensors(rows[:, layer]))
        return np.concatenate([tensor.double().flatten(1).numpy() for tensor in tensors], axis=1)

    def layers_with(self, numbers: np.ndarray) -> list[list[torch.Tensor]]:
        """The tensors of each layer that have these numbers."""
        ends = np.cumsum([layer.width for layer in self._layers])[:-1]
        return [layer.filled(part) for layer, part in zip(self._layers, np.split(numbers, ends, axis=1))]


class _LayerTable:
    """The caches of one layer, their tensors side by side."""

    def __init__(self, tensors: Sequence[torch.Tensor]):
        self._examples = [tensor[:0].cpu() for tensor in tensors]
        self._sizes = [tensor[0].numel() * tensor.element_size() for tensor in tensors]
        self._rows = Rows(sum(self._sizes))
        self.width = sum(tensor[0].numel() for tensor in tensors)
        """Numbers of a cache."""

    def filled(self, numbers: np.ndarray) -> list[torch.Tensor]:
        """The tensors with these numbers, (rows, width)."""
        shapes = [example.shape[1:] for example in self._examples]
        ends = np.cumsum([shape.numel() for shape in shapes])[:-1]
        parts = zip(self._examples, shapes, np.split(numbers, ends, axis=1))
        return [torch.from_numpy(part).to(example.dtype).reshape(len(part), *shape) for example, shape, part in parts]

    def numbers(self, tensors: Sequence[torch.Tensor]) -> np.ndarray:
        """The numbers of these caches."""
        # Adding 0 turns -0 into 0 and changes nothing else.
        return self._rows.number(np.concatenate([_bytes((tensor + 0).cpu()) for tensor in tensors], axis=1))

    def tensors(self, numbers: np.ndarray) -> list[torch.Tensor]:
        """The tensors of these entries, one row each."""
        octets, first, found = self._rows.octets(numbers), 0, []
        for example, size in zip(self._examples, self._sizes):
            part = torch.from_numpy(np.ascontiguousarray(octets[:, first : first + size]))
            found.append(part.view(example.dtype).reshape(len(numbers), *example.shape[1:]))
            first += size
        return found


def _bytes(tensor: torch.Tensor) -> np.ndarray:
    return tensor.contiguous().flatten(1).view(torch.uint8).numpy()


def as_outputs(given: np.ndarray) -> Outputs:
    """Outputs from booleans of shape (batch, time, outputs)."""
    flat = given.reshape(-1, given.shape[-1])
    _, first, ids = np.unique(np.packbits(flat, axis=1), axis=0, return_index=True, return_inverse=True)
    return Outputs(flat[first], ids.reshape(given.shape[:2]))


def threads() -> str:
    """The number of threads, for the conditions of a claim."""
    count = torch.get_num_threads()
    return f"{count} thread{'s' * (count != 1)}"
