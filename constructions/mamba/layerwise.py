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

Whole steps are run, too, once at least and now and then, and must give the same.  Where all that layers read was
foreseen, they are run inside of one whole step (:mod:`constructions.mamba.one_forward`).
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Callable, Sequence

import numpy as np
import torch

from constructions.combinations import Combinations
from constructions.growing import Growing, Numbered
from constructions.joint_states import Rows
from constructions.mamba.closed_classes import Closed, closed_classes
from constructions.mamba.foreseen import Guess, NotForeseen, foresee
from constructions.mamba.layers import BlockCache, Layers, NotInLayers
from constructions.mamba.one_forward import in_one_forward
from constructions.ssm.engine import Outputs

if TYPE_CHECKING:
    from constructions.mamba.reading import Reading
    from constructions.mamba.stepping import Runner, Vocabulary

_AT_ONCE = 1024
"""Rows that a layer is run on at once."""
_COMPARED, _SELDOM = 32, 8
"""Rows of a whole step that is compared, and how many times as many steps are taken before the next one."""


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
        self.hidden = [NumberedRows() for _ in layers.taps]
        """The rows that each layer has read."""
        self.layers = [LayerByTable(self, number) for number in range(len(layers.taps))]
        self.symbols = self.hidden[0].number(embedded)
        """What the first layer reads of each symbol."""
        first = [layer.numbers(cache) for layer, cache in zip(self.layers, caches)]
        self.first = np.concatenate(first)
        """The columns after BOS."""
        self._begin = self.numbered(logits)
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
        with torch.inference_mode(), suppress(NotForeseen):
            return closed_classes(self, in_one_forward(self, foresee(self, targets)), targets)
        return None

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
        before = np.asarray(columns, dtype=np.intp).take(sources, axis=1)
        after, outputs = self.look_up(before, symbols)
        self._last, self._calls = (before, symbols, after, outputs.ids[:, 0]), self._calls + 1
        if self._calls >= self._next_compared and (len(symbols) >= _COMPARED or self._calls >= _SELDOM):
            self._next_compared = _SELDOM * self._calls
            self._compare_last()
        return after, outputs

    def look_up(self, before: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """The columns after a symbol was read in each of these states, and the outputs; no whole step is compared."""
        after, hidden, column = np.empty_like(before), self.symbols.take(symbols), 0
        with torch.inference_mode():
            for layer in self.layers:
                here = slice(column, column + layer.columns)
                hidden = layer.step(before[here], hidden, after[here])
                column += layer.columns
        return after, Outputs(self._given.rows, hidden[:, None])

    def settle(self) -> None:
        """Compares the last step of a search with whole steps, where none has been compared."""
        if not self.whole_steps:
            self._compare_last()

    def _compare_last(self) -> None:
        if self._last is not None:
            with torch.inference_mode():
                self._compare(*self._last)

    def numbered(self, logits: torch.Tensor) -> np.ndarray:
        """The numbers of the outputs that are read off these logits."""
        return self._given.number(self.reading.given(logits, self.vocabulary.answers))

    def _compare(self, before: np.ndarray, symbols: np.ndarray, after: np.ndarray, output: np.ndarray) -> None:
        """Runs whole steps of some of these, which must give the same columns and outputs."""
        some = np.linspace(0, len(symbols) - 1, min(len(symbols), _COMPARED)).astype(np.intp)
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


class LayerByTable:
    """One layer by its table.

    Attributes:
        kernel: how many inputs its convolution holds.
        columns: of a state.
        scans, inputs: the rows of its cache.
        views: by its place in the convolution, what is read of an earlier input.
        results: for each different context the columns that are set, and the number of what is given to the next layer;
            after the last one, of the outputs.
    """

    def __init__(self, model: LayerwiseMamba, number: int):
        self._model, self.number, taps = model, number, model.run.taps[number]
        self.kernel, self.still = taps.shape[1], model.run.still[number]
        self.is_last = number == len(model.run.taps) - 1
        self.columns = 1 + self.kernel
        self.scans, self.inputs = NumberedRows(), NumberedRows()
        # The input that now stands at place j is read, with the next one, by the weight at j - 1.
        read = {place: np.flatnonzero(taps[:, place - 1]) for place in range(1, self.kernel)}
        self.views = {place: _View(self.inputs, channels) for place, channels in read.items() if len(channels)}
        self.unread = torch.from_numpy(np.insert(~taps[:, :-1], 0, True, axis=1))
        """Where nothing is read of a convolution's inputs, shape (channels, kernel)."""
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

    def contexts(self, columns: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of what is read of these states and beside them, and the positions of one of each that is new;
        their results have to be taken down in this order.
        """
        read = [hidden, *self.read(columns)]
        below = [len(self._model.hidden[self.number]), len(self.scans), *(len(view) for view in self.views.values())]
        return self._contexts.number(read, below)

    def step(self, before: np.ndarray, hidden: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Writes the columns after reading these; returns the numbers of what is given to the next layer, or out."""
        numbers, new = self.contexts(before, hidden)
        for first in range(0, len(new), _AT_ONCE):
            self._run(before[:, new[first : first + _AT_ONCE]], hidden[new[first : first + _AT_ONCE]])
        found = self.results.rows.take(numbers, axis=0)
        after[0], after[1:-1], after[-1] = found[:, 0], before[2:], found[:, 1]
        return found[:, 2]

    def _run(self, columns: np.ndarray, hidden: np.ndarray) -> None:
        cache, run = self.cache(columns), self._model.run
        held = cache.conv[:, :, 1:].clone()
        given = run.layer(self.number, self._model.hidden[self.number].tensor(hidden), cache)
        self.note(run.logits(given) if self.is_last else given, cache, held)

    def note(self, given: torch.Tensor, cache: BlockCache, held: torch.Tensor, guess: Guess = (None, None)) -> None:
        """Takes down what the layer gave to the next one, or the logits after the last, and what it left in its cache.

        Args:
            held: what its convolution held before, but the oldest input.
            guess: the numbers of the scan states and of the newest inputs, as far as anyone can say.

        Raises:
            NotInLayers: where the convolution has not moved its inputs on by one place.
        """
        if not torch.equal(cache.conv[:, :, :-1], held):
            raise NotInLayers
        scans, newest = self.scans.number(cache.scan, guess[0]), self.inputs.number(cache.conv[:, :, -1], guess[1])
        model = self._model
        outcome = model.numbered(given) if self.is_last else model.hidden[self.number + 1].number(given)
        self.results.append(np.stack([scans, newest, outcome], axis=1))


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
