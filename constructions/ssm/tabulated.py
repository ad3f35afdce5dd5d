"""The engine by tables: what a step makes of a part of the state is computed once and looked up ever after.

A layer's coordinates are cut into *parts*.  Each row of values that a part has had is numbered, and so is each row of
features that a layer has read.  Three facts about layers make tables of them, and none knows what the model was built
for:

* a step moves every coordinate by itself: the next values of a part depend on its values and on its own gates and
  increments, which are functions of the features read;
* what a layer gives out depends on the features that its mixes read and on the state after the step; and
* where a neuron is 0 whatever the state is, the coordinates that it reads alone do not matter
  (:mod:`constructions.ssm.relevance`), so few combinations of parts have to be told apart.

What stands in a table was computed by the engine's own number formats from the weights, on the very values; a table
that grows too large is given up, and the engine is run as it is.
"""

from __future__ import annotations

from typing import Callable, Sequence

import numpy as np

from constructions.growing import Growing, Numbered
from constructions.ssm.engine import Engine, Outputs, ieee
from constructions.ssm.relevance import relevant

_PART = 8
"""Coordinates of a part, as long as all of them are set and held, and nothing is added up."""
_MOST_ENTRIES, _MOST_MOVES = 1 << 19, 1 << 17
"""Of a table; and of one that says two things at once, and is done without where it would be larger."""
_LOW, _HIGH = (1 << 32) - 1, 32
_EXTENDED = 64
"""Times that the values of a layer are found to reach further, before it is taken that they will go on."""


class TooManyStates(Exception):
    """A table would become too large."""


class Tabulated:
    """An engine whose states are numbers of parts, one array for each part.

    >>> from constructions.ssm.arithmetic import Arithmetic
    >>> from constructions.paper.bounded_dyck import bounded_dyck
    >>> from constructions.ssm.lowering import lower
    >>> model = Tabulated(Engine(lower(bounded_dyck(2, 3), Arithmetic("exact"))))
    >>> parts, first = model.begin()
    >>> parts, outputs = model.step(parts, np.array([0]))
    >>> model.rows(parts).tolist()
    [[1, 0, 0, 0]]
    """

    def __init__(self, engine: Engine):
        self.alphabet, self.outputs, self.arithmetic = engine.alphabet, engine.outputs, engine.arithmetic
        self._engine = engine
        self._readout, self._layers = _Readout(engine), list[_Layer]()
        below: _Layer | _Readout = self._readout
        for number in range(len(engine.ssm.layers) - 1, -1, -1):
            below = _Layer(engine, number, below)
            self._layers.insert(0, below)
        with ieee():
            self._first = below.number(engine.embedding)

    def begin(self) -> tuple[list[np.ndarray], Outputs]:
        """The state after BOS."""
        with ieee():
            start, parts = self._engine.start(1), []
            for layer, span in zip(self._layers, self._engine.spans):
                parts += layer.numbers_of(start[:, span])
        return self.step(parts, np.full(1, len(self.alphabet)))

    def step(self, parts: Sequence[np.ndarray], symbols: np.ndarray) -> tuple[list[np.ndarray], Outputs]:
        """Reads one symbol in each state; the states after it, and the outputs.

        Raises:
            TooManyStates: when a table would become too large.
            InputError: when a number could leave the range in which it is exact.
        """
        after: list[np.ndarray] = []
        features = self._first.take(symbols)
        with ieee():
            for layer in self._layers:
                moved, features = layer.step(parts[len(after) : len(after) + len(layer.parts)], features)
                after += moved
        return after, Outputs(self._readout.table, features[:, None])

    def rows(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """The states as the engine has them."""
        owners = [part for layer in self._layers for part in layer.parts]
        rows = np.empty((len(parts[0]) if parts else 0, self._engine.ssm.hidden_size), self._engine.numbers.dtype)
        column = 0
        for owner, numbers in zip(owners, parts):
            rows[:, column : column + owner.width] = owner.values.rows[numbers]
            column += owner.width
        return rows

    def column(self, parts: Sequence[np.ndarray], column: int, places: np.ndarray | slice = slice(None)) -> np.ndarray:
        """One coordinate of the states, or of those at some places."""
        for owner, numbers in zip((part for layer in self._layers for part in layer.parts), parts):
            if column < owner.width:
                return owner.values.rows[:, column].take(numbers[places])
            column -= owner.width
        raise IndexError(f"there is no coordinate {column} more")


class _Table:
    """A function of two numbers, filled in where it is asked for."""

    def __init__(self, compute: Callable[[np.ndarray, np.ndarray], np.ndarray], most: int):
        self._compute, self._most = compute, most
        self.clear()

    def clear(self) -> None:
        """Forgets what was computed."""
        self._width = 1
        self._entries = np.full(1, -1, dtype=np.intp)

    def __call__(
        self, names: np.ndarray, first: np.ndarray, firsts: int, second: np.ndarray, seconds: int
    ) -> np.ndarray:
        """Its values at ``names[first]`` and ``second``; ``firsts`` and ``seconds`` say below what these are."""
        if seconds > self._width or firsts * self._width > len(self._entries):
            self._grow(firsts, seconds)
        # There are few names, so that these are multiplied and not the arguments.
        place = (names * self._width).take(first)
        place += second
        found = self._entries.take(place)
        if len(found) and found.min() < 0:
            missing = np.unique(place[found < 0])
            self._entries[missing] = self._compute(missing // self._width, missing % self._width)
            found = self._entries.take(place)
        return found

    def _grow(self, firsts: int, seconds: int) -> None:
        width = self._width if seconds <= self._width else _power_of_two(seconds)
        entries = np.full((max(_power_of_two(firsts), len(self._entries) // self._width), width), -1, dtype=np.intp)
        if entries.size > self._most:
            raise TooManyStates
        former = self._entries.reshape(-1, self._width)
        entries[: len(former), : self._width] = former
        self._width, self._entries = width, entries.ravel()


def _power_of_two(least: int) -> int:
    return 1 << max(0, least - 1).bit_length()


class _Part:
    """Some coordinates of a layer, next to each other.

    Attributes:
        values: the rows that they have had.
        drives: gates and increments side by side, as rows.
        drive: which of these each row of features gives.
        views: their values as far as these matter.
    """

    def __init__(self, layer: "_Layer", span: slice, dtype: np.dtype):
        self._layer, self.span, self.width = layer, span, span.stop - span.start
        self.values, self.views = Numbered(self.width, dtype), Numbered(self.width, dtype)
        self.drives = Numbered(2 * self.width, dtype)
        self.drive = Growing(np.intp)
        self._steps, self._views = _Table(self._moved, _MOST_ENTRIES), _Table(self._viewed, _MOST_ENTRIES)
        self._both: _Table | None = _Table(self._moved_and_seen, _MOST_MOVES)

    def step(self, features: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The part after a step, and what is seen of it: what of it matters where these features are read, or, where it
        is the whole layer, what the layer gives out.
        """
        if self._both is not None:
            known = len(self._layer.context)
            try:
                both = self._both(np.arange(known), features, known, numbers, len(self.values))
                return both & _LOW, both >> _HIGH
            except TooManyStates:
                self._both = None
        after = self._steps(self.drive.rows, features, len(self.drives), numbers, len(self.values))
        return after, self._seen(features, after)

    def _seen(self, features: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        if len(self._layer.parts) == 1:
            return self._layer.result(features, numbers, len(self.values))
        return self._views(self._layer.context.rows, features, len(self._layer.contexts), numbers, len(self.values))

    def forget_views(self) -> None:
        """Views are to be made anew."""
        self.views = Numbered(self.width, self.values.rows.dtype)
        self._views.clear()
        if self._both is not None:
            self._both.clear()

    def _moved_and_seen(self, features: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        after = self._steps(self.drive.rows, features, len(self.drives), numbers, len(self.values))
        return self._seen(features, after) << _HIGH | after

    def _moved(self, drives: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        given = self.drives.rows[drives]
        gates, increments = given[:, : self.width], given[:, self.width :]
        return self._layer.numbered(self, self._layer.update(gates, self.values.rows[numbers], increments))

    def _viewed(self, contexts: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        matters = self._layer.matters.rows[contexts][:, self.span]
        return self.views.number(np.where(matters, self.values.rows[numbers], self.values.rows[0]))


class _Layer:
    """One layer.

    Attributes:
        parts: of its state.
        contexts: rows of features as far as its mixes read them.
        context: which of these each row of features is.
        matters: booleans, shape (contexts, width): whether a coordinate matters to what the layer gives out.
    """

    def __init__(self, engine: Engine, number: int, below: "_Layer | _Readout"):
        layer = engine.ssm.layers[number]
        self._numbers, self._layer, self._below = engine.numbers, layer, below
        self._gates, self._increments, self._mixes = engine.products_of(number)
        dtype = engine.numbers.dtype
        self.parts = [_Part(self, span, dtype) for span in _spans(layer)]
        self._features = Numbered(layer.inputs, dtype)
        self._zeros = engine.numbers.stored(np.zeros(layer.inputs, dtype=np.int64), 0)
        self._read = _columns_read(layer)
        self.contexts = Numbered(len(self._read), dtype)
        self.context = Growing(np.intp)
        self.matters = Growing(bool, (layer.width,))
        self._least, self._greatest = np.zeros(layer.width), np.zeros(layer.width)
        self._outgrown, self._extended = False, 0
        self._joins = [_Table(self._joiner(i), _MOST_ENTRIES) for i in range(len(self.parts) - 1)]
        self._joined: list[Numbered] = [Numbered(2, np.dtype(np.intp)) for _ in self._joins]
        self._result = _Table(self._given, _MOST_ENTRIES)

    # -- steps ----------------------------------------------------------------------------------------

    def step(self, parts: Sequence[np.ndarray], features: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
        """The parts after a step that reads these features, and the features of the layer below."""
        if not self.parts:
            return [], self.result(features, np.zeros(len(features), dtype=np.intp), 1)
        moves = [part.step(features, numbers) for part, numbers in zip(self.parts, parts)]
        if self._outgrown:
            self._look_again()
            return self.step(parts, features)
        after, (state, *views) = [move for move, _ in moves], [seen for _, seen in moves]
        if not views:
            return after, state
        states = len(self.parts[0].views)
        for part, view, join, joined in zip(self.parts[1:], views, self._joins, self._joined):
            state = join(np.arange(states), state, states, view, len(part.views))
            states = len(joined)
        return after, self.result(features, state, states)

    def result(self, features: np.ndarray, state: np.ndarray, states: int) -> np.ndarray:
        """What the layer gives out, by the features that it reads and its (joined) state, one of so many."""
        return self._result(self.context.rows, features, len(self.contexts), state, states)

    def numbers_of(self, rows: np.ndarray) -> list[np.ndarray]:
        """The parts of these states."""
        return [self.numbered(part, rows[:, part.span]) for part in self.parts]

    def numbered(self, part: _Part, rows: np.ndarray) -> np.ndarray:
        """The numbers of these values of a part; keeps account of how large they are."""
        known = len(part.values)
        numbers = part.values.number(rows)
        if len(self.parts) > 1 and len(part.values) > known and rows.dtype != object:
            new = part.values.rows[known:].astype(np.float64)
            low, high = new.min(axis=0), new.max(axis=0)
            least, greatest = self._least[part.span], self._greatest[part.span]
            if not ((low >= least) & (high <= greatest)).all():
                # At last twice as far, so that what counts on and on does so seldom.
                further = 1 if self._extended < _EXTENDED else 2
                self._least[part.span] = np.where(low >= least, least, further * low)
                self._greatest[part.span] = np.where(high <= greatest, greatest, further * high)
                self._extended += 1
                self._outgrown = True
        return numbers

    def update(self, gates: np.ndarray, h: np.ndarray, increments: np.ndarray) -> np.ndarray:
        """gates * h + increments, as the engine has it."""
        return self._numbers.update(self._layer, gates, h, increments)

    # -- features -------------------------------------------------------------------------------------

    def number(self, rows: np.ndarray) -> np.ndarray:
        """The numbers of these rows of features."""
        known = len(self._features)
        numbers = self._features.number(rows)
        new = self._features.rows[known:]
        if len(new):
            gates = self._numbers.gates(self._layer, self._numbers.affine(self._gates, self._layer.gate, new))
            increments = self._numbers.affine(self._increments, self._layer.increment, new)
            for part in self.parts:
                given = np.concatenate([gates[:, part.span], increments[:, part.span]], axis=1)
                part.drive.append(part.drives.number(given))
            before = len(self.contexts)
            self.context.append(self.contexts.number(new[:, self._read]))
            self.matters.append(self._relevant(self.contexts.rows[before:]))
        return numbers

    def _given(self, contexts: np.ndarray, states: np.ndarray) -> np.ndarray:
        """The features that the layer below reads, for each context and (joined) view."""
        z = self._values(states)
        x = self._inputs(self.contexts.rows[contexts])
        for mix, product in zip(self._layer.phi, self._mixes):
            z = self._numbers.mix(product, mix, np.concatenate([z, x], axis=1))
        return self._below.number(z)

    def _values(self, states: np.ndarray) -> np.ndarray:
        """The coordinates in these joined views."""
        if not self.parts:
            return np.zeros((len(states), 0), dtype=self._numbers.dtype)
        if len(self.parts) == 1:
            return self.parts[0].values.rows[states]
        columns = []
        for part, joined in zip(self.parts[:0:-1], self._joined[::-1]):
            pairs = joined.rows[states]
            columns.append(part.views.rows[pairs[:, 1]])
            states = pairs[:, 0]
        columns.append(self.parts[0].views.rows[states])
        return np.concatenate(columns[::-1], axis=1)

    def _joiner(self, place: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        return lambda first, second: self._joined[place].number(np.stack([first, second], axis=1))

    # -- what matters ---------------------------------------------------------------------------------

    def _look_again(self) -> None:
        """The values reach further than was assumed: what matters, and all that rests on it, is found anew."""
        self._outgrown = False
        self.matters.rows[:] = self._relevant(self.contexts.rows)
        for part in self.parts:
            part.forget_views()
        for join in self._joins:
            join.clear()
        self._joined = [Numbered(2, np.dtype(np.intp)) for _ in self._joins]
        self._result.clear()

    def _relevant(self, contexts: np.ndarray) -> np.ndarray:
        """Which coordinates matter in each context, while all keep between ``_least`` and ``_greatest``."""
        if len(self.parts) < 2:
            return np.ones((len(contexts), self._layer.width), dtype=bool)
        return relevant(self._layer, self._numbers, self._inputs(contexts), self._least, self._greatest)

    def _inputs(self, contexts: np.ndarray) -> np.ndarray:
        """Rows of features as these contexts have them; what no mix reads is 0."""
        x = np.tile(self._zeros, (len(contexts), 1))
        x[:, self._read] = contexts
        return x


class _Readout:
    """The end of the line: rows of outputs.

    Attributes:
        table: booleans, shape (rows, outputs).
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._given = Numbered(len(engine.outputs), np.dtype(bool))

    @property
    def table(self) -> np.ndarray:
        return self._given.rows

    def number(self, rows: np.ndarray) -> np.ndarray:
        """The number of the outputs that each row of features gives."""
        return self._given.number(self._engine.read_out(rows))


def _spans(layer) -> list[slice]:
    """The parts of a layer: a coordinate whose gate never changes counts, and stands alone."""
    counts = np.diff(layer.gate.matrix.indptr) == 0
    spans, first = [], 0
    for i in range(1, layer.width + 1):
        if i == layer.width or i - first == _PART or counts[i] or counts[i - 1]:
            spans.append(slice(first, i))
            first = i
    return spans


def _columns_read(layer) -> np.ndarray:
    """The features that some mix of the layer reads."""
    read, width = set(), layer.width
    for mix in layer.phi:
        read.update((np.unique(mix.affine.matrix.indices[mix.affine.matrix.indices >= width]) - width).tolist())
        width = mix.affine.outputs
    return np.array(sorted(read), dtype=np.intp)
