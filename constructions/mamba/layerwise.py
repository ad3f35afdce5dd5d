"""A running Mamba a layer at a time, and each layer only on inputs that it has not had yet.

A step of the model is its embedding, its layers one after the other, its last norm and its head, and a layer is a
function of its input and of what it reads of its own cache.  Joint states are many, but what a layer gets is often the
same, so it is run on each different input once and looked up ever after.  What stands in a table was computed by the
model's own modules, on many inputs at once where they were foreseen (:mod:`constructions.mamba.foreseen`).

A cache's convolution holds the last inputs of the layer, the oldest first.  The oldest is shifted out unread, and of
the others each channel reads those for which it has a weight.  So all of a cache is told apart in a *state*, and only
what is read in a *context*; the rest moves on.  That a number times the weight 0 adds nothing, and that the row of a
batch does not matter, holds where nothing rounds and nothing is infinite, as the certificate of exactness says: only a
model that has one may be run so.

Whole steps are run, too, once at least and now and then, and must give the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Protocol, Sequence

import numpy as np
import torch

from constructions.combinations import Combinations
from constructions.growing import Growing, Numbered
from constructions.joint_states import Rows
from constructions.mamba.closed_classes import Closed, closed_classes
from constructions.mamba.foreseen import foresee
from constructions.ssm.engine import Outputs

if TYPE_CHECKING:
    from constructions.mamba.reading import Reading
    from constructions.mamba.stepping import Runner, Vocabulary

_AT_ONCE = 1024
"""Rows that a layer is run on at once."""
_COMPARED, _SELDOM = 32, 8
"""Rows of a whole step that is compared, and how many times as many steps are taken before the next one."""


_Guess = tuple["np.ndarray | None", "np.ndarray | None"]


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

    def inputs(self, number: int, hidden: torch.Tensor) -> torch.Tensor:
        """What a layer's convolution reads: (rows, channels)."""

    def still(self, number: int) -> bool:
        """Whether no scan state of this layer ever moves."""

    def moves(self, number: int, newest: torch.Tensor, earlier: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """By what a scan state is multiplied, and what is added to it, after these two inputs of the convolution."""

    def start(self, tokens: torch.Tensor) -> tuple[torch.Tensor, list[BlockCache]]:
        """Logits and caches after the first token."""

    def step(self, tokens: torch.Tensor, caches: Sequence[BlockCache]) -> torch.Tensor:
        """A whole decoding step: logits; the caches are written in place."""


class LayerwiseMamba:
    """A model whose states are columns of numbers, as :func:`verify.methods.bisimulation` takes it.

    Its columns are for each layer the number of its scan state and of each input that its convolution holds; states
    are equal exactly when all bytes of the caches are, -0 written as 0.

    Raises:
        NotInLayers: while stepping, when whole steps give something else.
    """

    def __init__(self, vocabulary: Vocabulary, reading: Reading, runner: Runner, layers: Layers):
        self.vocabulary, self.reading = vocabulary, reading
        self.alphabet, self.outputs, self.arithmetic = vocabulary.alphabet, vocabulary.outputs, runner.arithmetic
        self.conditions = f"{runner.conditions}, each layer on each different input"
        self.whole_steps = 0
        """Rows of whole steps that gave the same."""
        self.run = layers
        with torch.inference_mode():
            logits, caches = layers.start(torch.full((1, 1), self.vocabulary.bos))
            embedded = layers.embed(torch.from_numpy(self.vocabulary.tokens[:, None]))
        self._given = Numbered(len(self.outputs), np.dtype(bool))
        self._output = Growing(np.intp)
        """The outputs after each of the numbered hidden rows that the last layer gives."""
        self.hidden = [NumberedRows() for _ in range(len(layers.taps) + 1)]
        """The rows that each layer has read; those after the last one are what the head reads."""
        self.layers = [LayerByTable(self, number, taps) for number, taps in enumerate(layers.taps)]
        self.symbols = self.hidden[0].number(embedded)
        """What the first layer reads of each symbol."""
        first = [layer.numbers(cache) for layer, cache in zip(self.layers, caches)]
        self.first = np.concatenate(first)
        """The columns after BOS."""
        self._begin = self._given.number(self.reading.given(logits, self.vocabulary.answers))
        self._calls, self._next_compared = 0, 1
        self._last: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None

    @property
    def rows_run(self) -> int:
        """How many different inputs of layers were run."""
        return sum(len(layer.results) for layer in self.layers)

    def closed(self, targets: Callable[[np.ndarray], np.ndarray]) -> Closed | None:
        """All that a search would reach, a class at a time, where it was foreseen
        (see :mod:`constructions.mamba.closed_classes`).
        """
        with torch.inference_mode():
            classes = foresee(self, targets)
            return None if classes is None else closed_classes(self, classes, targets)

    def read(self, columns: np.ndarray) -> np.ndarray:
        """What layers read of these states."""
        parts = zip(self.layers, np.split(columns, len(self.layers)))
        return np.concatenate([layer.read(part) for layer, part in parts])

    def begin(self) -> tuple[np.ndarray, Outputs]:
        """The columns and the outputs after BOS."""
        return self.first, Outputs(self._given.rows, self._begin[:, None])

    def step(
        self, columns: Sequence[np.ndarray], sources: np.ndarray, symbols: np.ndarray
    ) -> tuple[np.ndarray, Outputs]:
        """Reads a symbol in the states at these places: the columns after it, and the outputs."""
        after, outputs = self.look_up(columns, sources, symbols)
        self._calls += 1
        if self._calls >= self._next_compared and (len(symbols) >= _COMPARED or self._calls >= _SELDOM):
            self._next_compared = _SELDOM * self._calls
            self._compare_last()
        return after, outputs

    def look_up(
        self, columns: Sequence[np.ndarray], sources: np.ndarray, symbols: np.ndarray
    ) -> tuple[np.ndarray, Outputs]:
        """As :meth:`step`, but that no whole step is compared."""
        with torch.inference_mode():
            before = np.asarray(columns, dtype=np.intp).take(sources, axis=1)
            after, hidden, column = np.empty_like(before), self.symbols.take(symbols), 0
            for layer in self.layers:
                here = slice(column, column + layer.columns)
                hidden = layer.step(before[here], hidden, after[here])
                column += layer.columns
            output = self._outputs_after(hidden)
            self._last = before, symbols, after, output
        return after, Outputs(self._given.rows, output[:, None])

    def compare(self, columns: Sequence[np.ndarray], sources: np.ndarray, symbols: np.ndarray) -> None:
        """Compares some of these steps, spread over all, with whole steps."""
        some = _spread(len(symbols))
        self.look_up(columns, sources[some], symbols[some])
        self._compare_last()

    def settle(self) -> None:
        """Compares the last step with whole steps, where none has been compared."""
        if not self.whole_steps:
            self._compare_last()

    def _compare_last(self) -> None:
        if self._last is not None:
            with torch.inference_mode():
                self._compare(*self._last)

    def _outputs_after(self, hidden: np.ndarray) -> np.ndarray:
        last, known = self.hidden[-1], len(self._output)
        for first in range(known, len(last), _AT_ONCE):
            logits = self.run.logits(last.tensor(np.arange(first, min(first + _AT_ONCE, len(last)))))
            self._output.append(self._given.number(self.reading.given(logits, self.vocabulary.answers)))
        return self._output.rows.take(hidden)

    def _compare(self, before: np.ndarray, symbols: np.ndarray, after: np.ndarray, output: np.ndarray) -> None:
        """Runs whole steps of some of these, which must give the same columns and outputs."""
        some = _spread(len(symbols))
        before, symbols, after, output = before[:, some], symbols[some], after[:, some], output[some]
        caches = self._caches(before)
        logits = self.run.step(torch.from_numpy(self.vocabulary.tokens[symbols][:, None]), caches)
        given = self.reading.given(logits, self.vocabulary.answers)
        same = (given == self._given.rows[output]).all()
        for found, expected in zip(caches, self._caches(after)):
            same = same and all(torch.equal(a, b) for a, b in zip(found, expected))
        if not same:
            raise NotInLayers
        self.whole_steps += len(symbols)

    def _caches(self, columns: np.ndarray) -> list[BlockCache]:
        found, column = [], 0
        for layer in self.layers:
            found.append(layer.cache(columns[column : column + layer.columns]))
            column += layer.columns
        return found


def _spread(steps: int) -> np.ndarray:
    """Those that are compared of so many."""
    return np.linspace(0, steps - 1, min(steps, _COMPARED)).astype(np.intp)


class LayerByTable:
    """One layer by its table.

    Attributes:
        kernel: how many inputs its convolution holds.
        columns: of a state.
        scans, inputs: the rows of its cache.
        views: by its place in the convolution, what is read of an earlier input.
        results: for each different input the columns that it sets, and the number of what is given to the next layer.
    """

    def __init__(self, model: LayerwiseMamba, number: int, taps: np.ndarray):
        self._model, self.number = model, number
        self.kernel = taps.shape[1]
        self.columns = 1 + self.kernel
        self.scans, self.inputs = NumberedRows(), NumberedRows()
        # The input that now stands at place j is read, with the next one, by the weight at j - 1.
        read = {place: np.flatnonzero(taps[:, place - 1]) for place in range(1, self.kernel)}
        self.views = {place: _View(self.inputs, channels) for place, channels in read.items() if len(channels)}
        self._contexts = Combinations(1 + 1 + len(self.views))
        self.results = Growing(np.intp, (3,))

    def numbers(self, cache: BlockCache) -> np.ndarray:
        """The columns of these caches."""
        return np.stack([self.scans.number(cache.scan), *(self.inputs.number(part) for part in cache.conv.unbind(2))])

    def cache(self, columns: np.ndarray) -> BlockCache:
        """The caches of these states."""
        inputs = self.inputs.tensor(columns[1:].T.ravel())
        conv = inputs.reshape(-1, self.kernel, inputs.shape[1]).transpose(1, 2).contiguous()
        return BlockCache(conv, self.scans.tensor(columns[0]))

    def read(self, columns: np.ndarray) -> list[np.ndarray]:
        """What is read of these states."""
        return [columns[0], *(view.take(columns[1 + place]) for place, view in self.views.items())]

    def step(
        self, before: np.ndarray, hidden: np.ndarray, after: np.ndarray, guess: _Guess = (None, None)
    ) -> np.ndarray:
        """Writes the columns after reading these; returns the numbers of what is given to the next layer.

        Args:
            guess: the numbers of the scan states and of the newest inputs after it, as far as anyone can say.
        """
        read = [hidden, *self.read(before)]
        below = [len(self._model.hidden[self.number]), len(self.scans), *(len(view) for view in self.views.values())]
        numbers, new = self._contexts.number(read, below)
        for first in range(0, len(new), _AT_ONCE):
            part = new[first : first + _AT_ONCE]
            guessed = [None if numbers is None else numbers[part] for numbers in guess]
            self.results.append(self._computed(before[:, part], hidden[part], *guessed))
        found = self.results.rows.take(numbers, axis=0)
        after[0], after[1:-1], after[-1] = found[:, 0], before[2:], found[:, 1]
        return found[:, 2]

    def _computed(self, columns: np.ndarray, hidden: np.ndarray, scans=None, newest=None) -> np.ndarray:
        cache, model = self.cache(columns), self._model
        moved = cache.conv[:, :, 1:].clone()
        given = model.run.layer(self.number, model.hidden[self.number].tensor(hidden), cache)
        if not torch.equal(cache.conv[:, :, :-1], moved):
            raise NotInLayers
        scans, newest = self.scans.number(cache.scan, scans), self.inputs.number(cache.conv[:, :, -1], newest)
        return np.stack([scans, newest, model.hidden[self.number + 1].number(given)], axis=1)


class _View:
    """Inputs of a convolution as far as they are read: numbers of numbers."""

    def __init__(self, rows: NumberedRows, read: np.ndarray):
        self._rows, self._read = rows, torch.from_numpy(read)
        self._views = NumberedRows()
        self._number = Growing(np.intp)

    def __len__(self) -> int:
        return len(self._views)

    def take(self, numbers: np.ndarray) -> np.ndarray:
        """What is read of these inputs; all that have the same there have the same number."""
        known = len(self._number)
        if known < len(self._rows):
            read = self._rows.tensor(np.arange(known, len(self._rows)))[:, self._read]
            self._number.append(self._views.number(read))
        return self._number.rows.take(numbers)


class NumberedRows:
    """Different rows of one shape and type, numbered by their bytes after -0 was written as 0."""

    def __init__(self) -> None:
        self._table: Rows | None = None

    def __len__(self) -> int:
        return 0 if self._table is None else len(self._table)

    def number(self, rows: torch.Tensor, guess: np.ndarray | None = None) -> np.ndarray:
        """The numbers of these rows, which may be guessed: those that are new are added."""
        if guess is not None and torch.equal(rows, self.tensor(guess)):
            return guess
        if self._table is None:
            self._example, self._table = rows[:0], Rows(rows[0].numel() * rows.element_size())
        # Adding 0 turns -0 into 0 and changes nothing else.
        return self._table.number((rows + 0).contiguous().flatten(1).view(torch.uint8).numpy())

    def tensor(self, numbers: np.ndarray) -> torch.Tensor:
        assert self._table is not None, "rows were numbered before"
        octets = torch.from_numpy(np.ascontiguousarray(self._table.octets(numbers)))
        return octets.view(self._example.dtype).reshape(len(numbers), *self._example.shape[1:])
