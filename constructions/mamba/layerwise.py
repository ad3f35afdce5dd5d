"""A running Mamba a layer at a time, and each layer only on inputs that it has not had yet.

A step of the model is its embedding, its layers one after the other, its last norm and its head, and a layer is a
function of its input and of what it reads of its own cache.  Joint states are many, but what a layer gets is often the
same, so it is run on each different input once and looked up ever after.  What stands in a table was computed by the
model's own modules.

A cache's convolution holds the last inputs of the layer, the oldest first.  The oldest is shifted out unread, and of
the others each channel reads those for which it has a weight.  So all of a cache is told apart in a *state*, and only
what is read in a *context*; the rest moves on.  That a number times the weight 0 adds nothing, and that the row of a
batch does not matter, holds where nothing rounds and nothing is infinite, as the certificate of exactness says: only a
model that has one may be run so.

Whole steps are run, too, now and then, and must give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, Sequence

import numpy as np
import torch

from constructions.growing import Growing, Numbered
from constructions.joint_states import JointStates, Rows
from constructions.ssm.engine import Outputs

if TYPE_CHECKING:
    from constructions.mamba.reading import Reading
    from constructions.mamba.stepping import Runner, Vocabulary

_AT_ONCE = 1024
"""Rows that a layer is run on at once."""
_COMPARED = 32
"""Rows of a whole step that is compared."""


class NotInLayers(Exception):
    """The model does not do what its layers do one by one, so it has to be run as a whole."""


class BlockCache(NamedTuple):
    """What a layer remembers: its last inputs (rows, channels, kernel), the oldest first, and its scan state."""

    conv: torch.Tensor
    scan: torch.Tensor


class Layers(Protocol):
    """The parts of a running Mamba.

    Attributes:
        taps: for each layer booleans of shape (channels, kernel): the inputs for which a channel has a weight.
    """

    taps: list[np.ndarray]

    def embed(self, tokens: torch.Tensor) -> torch.Tensor:
        """What the first layer reads of (rows, 1) tokens: (rows, 1, width)."""

    def layer(self, number: int, hidden: torch.Tensor, cache: BlockCache) -> torch.Tensor:
        """What a layer gives to the next one; the cache is written in place."""

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Of what the last layer gives: (rows, vocabulary)."""

    def start(self, tokens: torch.Tensor) -> tuple[torch.Tensor, list[BlockCache]]:
        """Logits and caches after the first token."""

    def step(self, tokens: torch.Tensor, caches: Sequence[BlockCache]) -> torch.Tensor:
        """A whole decoding step: logits; the caches are written in place."""


class LayerwiseMamba:
    """A batched model, as :func:`verify.methods.bisimulation` wants it.

    A row of its states has for each layer the number of its scan state and of each input that its convolution holds;
    rows are equal exactly when all bytes of the caches are, -0 written as 0.

    Raises:
        NotInLayers: while stepping, when whole steps give something else.
    """

    def __init__(self, vocabulary: Vocabulary, reading: Reading, runner: Runner, layers: Layers):
        self.vocabulary, self.reading = vocabulary, reading
        self.alphabet, self.outputs, self.arithmetic = vocabulary.alphabet, vocabulary.outputs, runner.arithmetic
        self.conditions = f"{runner.conditions}, each layer on each different input"
        self.whole_steps = 0
        """Rows of whole steps that gave the same."""
        self._run = layers
        with torch.no_grad():
            logits, caches = layers.start(torch.full((1, 1), self.vocabulary.bos))
            embedded = layers.embed(torch.from_numpy(self.vocabulary.tokens[:, None]))
        self._given = Numbered(len(self.outputs), np.dtype(bool))
        self._output = Growing(np.intp)
        """The outputs after each of the numbered hidden rows that the last layer gives."""
        self._hidden = [_Rows() for _ in range(len(layers.taps) + 1)]
        self._layers = [_Layer(self, number, taps) for number, taps in enumerate(layers.taps)]
        self._symbols = self._hidden[0].number(embedded)
        first = [layer.numbers(cache) for layer, cache in zip(self._layers, caches)]
        self._first = np.stack([column for numbers in first for column in numbers], axis=1)
        self._begin = self._given.number(self.reading.given(logits, self.vocabulary.answers))
        self._calls, self._next_compared = 0, 1

    @property
    def rows_run(self) -> int:
        """How many different inputs of layers were run."""
        return sum(len(layer.results) for layer in self._layers)

    def begin(self, batch: int) -> tuple[np.ndarray, Outputs]:
        """States and outputs after BOS."""
        return np.repeat(self._first, batch, axis=0), Outputs(
            self._given.rows, np.full((batch, 1), self._begin[0], dtype=np.int64)
        )

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As the engine's ``advance``."""
        ids = np.empty(words.shape, dtype=np.int64)
        with torch.no_grad():
            for t in range(words.shape[1]):
                rows, ids[:, t] = self._step(rows, words[:, t])
        return rows, Outputs(self._given.rows, ids)

    def _step(self, rows: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        after, hidden, column = np.empty_like(rows), self._symbols[symbols], 0
        for layer in self._layers:
            here = slice(column, column + layer.columns)
            after[:, here], hidden = layer.step(rows[:, here], hidden)
            column += layer.columns
        output = self._outputs_after(hidden)
        self._calls += 1
        if self._calls >= self._next_compared:
            self._next_compared *= 8
            spread = np.unique(np.linspace(0, max(0, len(rows) - 1), min(len(rows), _COMPARED)).astype(np.intp))
            self._compare(rows[spread], symbols[spread], after[spread], output[spread])
        return after, output

    def _outputs_after(self, hidden: np.ndarray) -> np.ndarray:
        last, known = self._hidden[-1], len(self._output)
        for first in range(known, len(last), _AT_ONCE):
            logits = self._run.logits(last.tensor(np.arange(first, min(first + _AT_ONCE, len(last)))))
            self._output.append(self._given.number(self.reading.given(logits, self.vocabulary.answers)))
        return self._output.rows[hidden]

    def _compare(self, rows: np.ndarray, symbols: np.ndarray, after: np.ndarray, output: np.ndarray) -> None:
        """Runs whole steps, which must give these rows and outputs."""
        caches = self._caches(rows)
        logits = self._run.step(torch.from_numpy(self.vocabulary.tokens[symbols][:, None]), caches)
        given = self.reading.given(logits, self.vocabulary.answers)
        same = (given == self._given.rows[output]).all()
        for found, expected in zip(caches, self._caches(after)):
            same = same and all(bool((a == b).all()) for a, b in zip(found, expected))
        if not same:
            raise NotInLayers
        self.whole_steps += len(rows)

    def _caches(self, rows: np.ndarray) -> list[BlockCache]:
        found, column = [], 0
        for layer in self._layers:
            found.append(layer.cache(rows[:, column : column + layer.columns]))
            column += layer.columns
        return found

    def run_layer(self, number: int, hidden: torch.Tensor, cache: BlockCache) -> torch.Tensor:
        """What the model's layer gives; the cache is written in place."""
        return self._run.layer(number, hidden, cache)

    def hidden(self, number: int) -> _Rows:
        """The rows that a layer has read; those after the last one are what the head reads."""
        return self._hidden[number]


class _Layer:
    """One layer by its table.

    Attributes:
        columns: of a state.
        results: for each different input the columns that it sets, and the number of what is given to the next layer.
    """

    def __init__(self, model: LayerwiseMamba, number: int, taps: np.ndarray):
        self._model, self._number = model, number
        self._kernel = taps.shape[1]
        self.columns = 1 + self._kernel
        self._scans, self._inputs = _Rows(), _Rows()
        # The input that now stands at place j is read, with the next one, by the weight at j - 1.
        read = {place: np.flatnonzero(taps[:, place - 1]) for place in range(1, self._kernel)}
        self._views = {place: _View(self._inputs, channels) for place, channels in read.items() if len(channels)}
        self._contexts = JointStates(1 + 1 + len(self._views))
        self.results = Growing(np.int32, (3,))

    def numbers(self, cache: BlockCache) -> list[np.ndarray]:
        """The columns of these caches."""
        return [self._scans.number(cache.scan), *(self._inputs.number(part) for part in cache.conv.unbind(2))]

    def cache(self, rows: np.ndarray) -> BlockCache:
        """The caches of these states."""
        conv = torch.stack([self._inputs.tensor(rows[:, 1 + place]) for place in range(self._kernel)], dim=2)
        return BlockCache(conv, self._scans.tensor(rows[:, 0]))

    def step(self, rows: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The states after reading these, and the numbers of what is given to the next layer."""
        views = [view.take(rows[:, 1 + place]) for place, view in self._views.items()]
        numbers, new = self._contexts.number([hidden, rows[:, 0], *views])
        for first in range(0, len(new), _AT_ONCE):
            part = new[first : first + _AT_ONCE]
            self.results.append(self._computed(rows[part], hidden[part]))
        found = self.results.rows[numbers]
        after = np.empty_like(rows)
        after[:, 0], after[:, 1:-1], after[:, -1] = found[:, 0], rows[:, 2:], found[:, 1]
        return after, found[:, 2]

    def _computed(self, rows: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        cache = self.cache(rows)
        moved = cache.conv[:, :, 1:].clone()
        given = self._model.run_layer(self._number, self._model.hidden(self._number).tensor(hidden), cache)
        if not bool((cache.conv[:, :, :-1] == moved).all()):
            raise NotInLayers
        return np.stack(
            [
                self._scans.number(cache.scan),
                self._inputs.number(cache.conv[:, :, -1]),
                self._model.hidden(self._number + 1).number(given),
            ],
            axis=1,
        )


class _View:
    """Inputs of a convolution as far as they are read: numbers of numbers."""

    def __init__(self, rows: _Rows, read: np.ndarray):
        self._rows, self._read = rows, torch.from_numpy(read)
        self._views = _Rows()
        self._number = Growing(np.int32)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """What is read of these inputs; all that have the same there have the same number."""
        known = len(self._number)
        if known < len(self._rows):
            read = self._rows.tensor(np.arange(known, len(self._rows)))[:, self._read]
            self._number.append(self._views.number(read))
        return self._number.rows[numbers]


class _Rows:
    """Different rows of one shape and type, numbered by their bytes after -0 was written as 0."""

    def __init__(self) -> None:
        self._table: Rows | None = None

    def __len__(self) -> int:
        return 0 if self._table is None else len(self._table)

    def number(self, rows: torch.Tensor) -> np.ndarray:
        if self._table is None:
            self._example, self._table = rows[:0], Rows(rows[0].numel() * rows.element_size())
        # Adding 0 turns -0 into 0 and changes nothing else.
        return self._table.number((rows + 0).contiguous().flatten(1).view(torch.uint8).numpy())

    def tensor(self, numbers: np.ndarray) -> torch.Tensor:
        assert self._table is not None, "rows were numbered before"
        octets = torch.from_numpy(np.ascontiguousarray(self._table.octets(numbers)))
        return octets.view(self._example.dtype).reshape(len(numbers), *self._example.shape[1:])
