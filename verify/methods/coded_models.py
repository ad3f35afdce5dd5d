"""Models as a search holds their states: a few columns of whole numbers, none of them negative.

An engine is run by its tables, whose numbers stand for parts of the state.  Any other model's rows are coded, exactly
and whatever their type; small whole numbers become small codes, so that few bits hold them.
"""

from __future__ import annotations

from typing import Any, Callable, Protocol, Sequence, runtime_checkable

import numpy as np

from constructions.ssm.engine import Engine, Outputs
from constructions.ssm.tabulated import Tabulated
from verify.methods.sticky import Sticky

_REVERSED = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], dtype=np.uint8)


class AllThatIsReached(Protocol):
    """All outputs that a search has to compare, and what it counts."""

    @property
    def machines(self) -> np.ndarray:
        """States of the machine, not -1: one after each step that differs in what it may give."""
        ...

    @property
    def outputs(self) -> Outputs:
        """The outputs after the same steps."""
        ...

    @property
    def explored(self) -> dict[str, int]:
        """How many states of the machine, joint states and transitions there are."""
        ...


@runtime_checkable
class InColumns(Protocol):
    """A model that holds its states in columns by itself."""

    outputs: tuple[str, ...]
    arithmetic: str

    def closed(self, targets: Callable[[np.ndarray], np.ndarray]) -> AllThatIsReached | None:
        """Gets ready for a search through the states of a machine, of which this gives the next ones; what the search
        will come to, where that is seen already.
        """
        ...

    def begin(self) -> tuple[Sequence[np.ndarray], Outputs]:
        """As :meth:`ByTables.begin`."""
        ...

    def step(
        self, columns: Sequence[np.ndarray], sources: np.ndarray, symbols: np.ndarray
    ) -> tuple[Sequence[np.ndarray], Outputs]:
        """As :meth:`ByTables.step`."""
        ...

    def settle(self) -> None:
        """Checks at the end of a search what is to be checked of it."""
        ...


class RowCodes:
    """Codes of rows of one type and width.

    * Whole numbers n become 2n, or -2n - 1 where they are negative.
    * The bits of a float are read from the last to the first: sign and exponent stand in the lowest, and the binary
      places of a short mantissa above them.
    * Objects are numbered in the order in which they come, by their values: the bytes of an object are an address,
      which another may have had before.

    >>> codes = RowCodes(np.array([[1.0, -0.5]], dtype=np.float32))
    >>> codes.decode(codes.encode(np.array([[3.0, np.inf]], dtype=np.float32))).tolist()
    [[3.0, inf]]
    """

    def __init__(self, rows: np.ndarray):
        self.dtype, self.width = rows.dtype, rows.shape[1]
        self._values: list[Any] = []
        self._number: dict[Any, int] = {}

    def encode(self, rows: np.ndarray) -> list[np.ndarray]:
        """One array for each column."""
        columns = np.ascontiguousarray(rows.T)
        if self.dtype == object:
            return [self._numbered(column) for column in columns]
        if self.dtype.kind == "f":
            return list(self._reversed(columns))
        wide = columns.astype(np.int64)
        return list(((wide << 1) ^ (wide >> 63)).view(np.uint64))

    def decode(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        """The rows that have these codes."""
        if self.dtype == object:
            rows = np.empty((len(columns[0]) if columns else 0, self.width), dtype=object)
            for i, column in enumerate(columns):
                rows[:, i] = [self._values[number] for number in column.tolist()]
            return rows
        codes = np.array(columns, dtype=np.uint64).reshape(self.width, -1)
        if self.dtype.kind == "f":
            return np.ascontiguousarray(self._restored(codes).T)
        return np.ascontiguousarray(((codes >> 1) ^ -(codes & 1)).view(np.int64).astype(self.dtype).T)

    def _numbered(self, column: np.ndarray) -> np.ndarray:
        numbers = np.empty(len(column), dtype=np.int64)
        for i, value in enumerate(column.tolist()):
            found = self._number.get(value)
            if found is None:
                found = self._number[value] = len(self._values)
                self._values.append(value)
            numbers[i] = found
        return numbers

    def _reversed(self, columns: np.ndarray) -> np.ndarray:
        size = self.dtype.itemsize
        octets = columns.astype(self.dtype.newbyteorder(">")).view(np.uint8).reshape(*columns.shape, size)
        return _REVERSED[octets].view(f"<u{size}")[..., 0].astype(np.uint64)

    def _restored(self, codes: np.ndarray) -> np.ndarray:
        size = self.dtype.itemsize
        octets = codes.astype(f"<u{size}").view(np.uint8).reshape(*codes.shape, size)
        return _REVERSED[octets].view(self.dtype.newbyteorder(">"))[..., 0].astype(self.dtype)


class ByTables:
    """An engine, run by its tables.

    Raises:
        TooManyStates: from :meth:`step`, when a table would become too large.
    """

    def __init__(self, engine: Engine):
        self._model = Tabulated(engine)
        self.outputs = engine.outputs

    def begin(self) -> tuple[list[np.ndarray], Outputs]:
        """The state after BOS, and the outputs there."""
        return self._model.begin()

    def step(
        self, columns: Sequence[np.ndarray], sources: np.ndarray, symbols: np.ndarray
    ) -> tuple[list[np.ndarray], Outputs]:
        """Reads a symbol in the states at these places: the states after it, and the outputs."""
        return self._model.step([column.astype(np.intp).take(sources) for column in columns], symbols)

    def absorbed(self, absorbed: Any, columns: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
        """Which of the states at these places the argument says to reject for ever."""
        if isinstance(absorbed, Sticky):
            return absorbed.holds(self._model.column(columns, absorbed.column, places))
        return absorbed(self._model.rows([column.take(places) for column in columns]))


class ByRows:
    """Any batched model, whose rows are coded."""

    def __init__(self, model: Any):
        self._model = model
        self.outputs = model.outputs
        rows, self._first = model.begin(1)
        self._rows = np.ascontiguousarray(rows)
        self._codes = RowCodes(self._rows)

    def begin(self) -> tuple[list[np.ndarray], Outputs]:
        """As :meth:`ByTables.begin`."""
        return self._codes.encode(self._rows), self._first

    def step(
        self, columns: Sequence[np.ndarray], sources: np.ndarray, symbols: np.ndarray
    ) -> tuple[list[np.ndarray], Outputs]:
        """As :meth:`ByTables.step`."""
        rows, outputs = self._model.advance(self._states(columns)[sources], symbols[:, None])
        return self._codes.encode(rows), outputs

    def absorbed(self, absorbed: Any, columns: Sequence[np.ndarray], places: np.ndarray) -> np.ndarray:
        """As :meth:`ByTables.absorbed`."""
        return absorbed(self._states([column.take(places) for column in columns]))

    def _states(self, columns: Sequence[np.ndarray]) -> np.ndarray:
        return self._codes.decode(columns)
