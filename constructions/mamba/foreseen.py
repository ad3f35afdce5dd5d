"""Which inputs the layers of a Mamba are going to have in a search, found out without running them, so that each layer
is run on all of them at once (:mod:`constructions.mamba.one_forward`); and which classes of joint states there will be.

What is found is a guess, and nothing is believed of it: it says which rows are run together, and a layer computes what
it gives, as ever.  An input that was not foreseen is run when it comes.  Whether the classes are all that there are is
looked at with what layers gave (:mod:`constructions.mamba.closed_classes`).  Only what closes soon is looked into: a
search that goes on has large batches by itself.

What a layer reads at a step depends on the machine's state and on the layers before it, so one layer after the other is
followed, with all that was followed before as the nodes of a graph.  A scan state moves by a gate and an increment,
number by number, which depend on the newest two inputs of the convolution alone: few pairs, the *drivers*, so all that
they do is computed beforehand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Generator, NamedTuple, TypeVar

import numpy as np
import torch

from constructions.growing import Numbered
from constructions.mamba.closed_classes import INPUTS, JointClasses

if TYPE_CHECKING:
    from constructions.mamba.layerwise import LayerByTable, LayerwiseMamba

_Result = TypeVar("_Result")
Guess = tuple["np.ndarray | None", "np.ndarray | None"]

_ASKED, _MOST = 1 << 12, 1 << 14
"""Steps of a machine, and of machine and layers together, that are followed."""
_CELLS = 1 << 22
"""Of a table."""


class _Walk(NamedTuple):
    """All that is reached; the last node is nowhere, and every symbol leads from it to itself.

    Attributes:
        start: the node after BOS.
        after: the node to which each symbol leads, shape (nodes + 1, symbols).
        read: the number of what the next layer reads there.
        of: what a node stands for, a row each: the machine's state, and of each layer so far a state as its columns.
    """

    start: int
    after: np.ndarray
    read: np.ndarray
    of: np.ndarray

    @property
    def nowhere(self) -> int:
        """The number of the last node."""
        return len(self.after) - 1


class NotForeseen(Exception):
    """It does not close soon, or is no number."""


class LayerRun(NamedTuple):
    """What a layer is going to be run on.

    Attributes:
        layer: which one.
        columns: its states before, shape (columns, steps).
        hidden: the numbers of what it reads then.
        guess: the numbers of the scan states and of the newest inputs after it, as far as anyone can say.
    """

    layer: LayerByTable
    columns: np.ndarray
    hidden: np.ndarray
    guess: Guess


Foreseen = Generator[LayerRun, np.ndarray, _Result]
"""Asks for the layers one after the other, and is sent the numbers of what each gives to the next."""


def foresee(model: LayerwiseMamba, targets: Callable[[np.ndarray], np.ndarray]) -> Foreseen[JointClasses]:
    """Asks for every layer on what a search from BOS on will give it; O(nodes times symbols) for each layer.

    Args:
        targets: the next states of a machine, shape (states, symbols), of an array of its states; -1 where a symbol is
            not to be followed.  The state after BOS is 0.

    Returns:
        The classes of joint states that there will be.

    Raises:
        NotForeseen: where they do not close soon.
    """
    if any(layer.kernel != INPUTS for layer in model.layers):
        raise NotForeseen
    (states, after), column = _machine(targets), 0
    walk = _Walk(0, after, np.broadcast_to(model.symbols, after.shape), states[None])
    for layer in model.layers:
        walk = yield from _through(model, layer, model.first[column : column + layer.columns, 0], walk)
        column += layer.columns
    return JointClasses(walk.start, walk.after[:-1], walk.of[0, :-1], walk.of[1:, :-1])


def _machine(targets: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The machine's states that are reached, as nodes; and those to which each symbol leads."""
    known, frontier, followed, rows = {0, -1}, [0], list[int](), list[np.ndarray]()
    while frontier:
        rows.append(targets(np.array(frontier)))
        followed += frontier
        if len(followed) * rows[0].shape[1] > _ASKED:
            raise NotForeseen
        frontier = sorted(set(rows[-1].ravel().tolist()) - known)
        known.update(frontier)
    found, states = np.concatenate(rows), np.array(followed)
    order = np.argsort(states)
    places = order[np.searchsorted(states, found, sorter=order).clip(max=len(states) - 1)]
    return np.append(states, -1), _with_last(np.where(found >= 0, places, len(states)), len(states))


def _with_last(rows: np.ndarray, last: int) -> np.ndarray:
    """One row more, of this number."""
    return np.concatenate([rows, np.full((1, rows.shape[1]), last)])


def _through(model: LayerwiseMamba, layer: LayerByTable, first: np.ndarray, walk: _Walk) -> Foreseen[_Walk]:
    """Asks for a layer on all that is read; the walk as the next layer reads it.

    Args:
        first: the layer's columns after BOS.
    """
    if layer.still and not layer.views:
        return (yield from _by_itself(model, layer, first, walk))
    read, begun = model.hidden[layer.number], layer.inputs.tensor(first[2:])
    inputs = model.run.inputs(layer.number, read.tensor(np.arange(len(read))))
    newest = layer.inputs.number(_finite(inputs).to(begun.dtype))
    earlier: np.ndarray = np.zeros(1, dtype=np.intp)
    views, shown = 1, first[2:]
    if layer.views:
        # What is not read of an input is multiplied by 0, so any finite one stands for all that show the same.
        view = layer.views[1]
        seen = view.take(np.arange(len(layer.inputs)))
        views, shown = len(view), np.zeros(len(view), dtype=np.intp)
        shown[seen] = np.arange(len(seen))
        walk, earlier = _remembering(walk, seen.take(newest), int(seen[first[2]]), views)
    cases = len(read) * views
    if cases > _CELLS:
        raise NotForeseen
    held = np.empty((INPUTS, len(walk.after)), dtype=np.intp)
    held[0], held[1] = first[1], shown.take(earlier)
    walk = walk._replace(of=np.concatenate([walk.of, held]))
    case, there, followed = walk.read * views + earlier[:, None], np.zeros(cases, dtype=bool), walk.after < walk.nowhere
    there[case[followed]] = True
    pairs = there.nonzero()[0]
    hidden, earlier = np.divmod(pairs, views)
    newest, earlier = newest.take(hidden), shown.take(earlier)
    driver = np.where(followed, (np.cumsum(there) - 1).take(case), len(pairs))
    if layer.still:
        place, table, scans = driver, np.zeros((1, len(pairs) + 1), dtype=np.intp), first[:1]
    else:
        gates, increments = model.run.moves(layer.number, layer.inputs.tensor(newest), layer.inputs.tensor(earlier))
        moves = _Moves(layer.scans.tensor(first[:1]), gates, increments)
        # Where weights are extreme, a guess may be beyond all numbers.
        with np.errstate(all="ignore"):
            walk, place = _moving(walk, driver, moves)
        table, scans = moves.table, moves.numbered(layer)
    used: np.ndarray = np.zeros(table.shape, dtype=bool)
    used.reshape(-1)[place] = True
    used[:, -1] = False
    contexts = used.reshape(-1).nonzero()[0]
    scan, which = np.divmod(contexts, used.shape[1])
    columns = np.stack([scans.take(scan), earlier.take(which), earlier.take(which)])
    guess = scans.take(table.take(contexts)), newest.take(which)
    given = np.zeros(used.size, dtype=np.intp)
    given[contexts] = yield LayerRun(layer, columns, hidden.take(which), guess)
    scan = scans.take(place[:, :1].T // used.shape[1])
    return walk._replace(read=given.take(place), of=np.concatenate([walk.of[:-2], scan, walk.of[-2:]]))


def _by_itself(model: LayerwiseMamba, layer: LayerByTable, first: np.ndarray, walk: _Walk) -> Foreseen[_Walk]:
    """Asks for a layer of which nothing is remembered: what it gives is a function of what it reads now."""
    there = np.zeros(len(model.hidden[layer.number]), dtype=bool)
    there[walk.read[walk.after < walk.nowhere]] = True
    hidden, given = there.nonzero()[0], np.zeros(len(there), dtype=np.intp)
    columns = np.repeat(first[:, None], len(hidden), axis=1)
    given[hidden] = yield LayerRun(layer, columns, hidden, (columns[0], None))
    held = np.repeat(first[:, None], len(walk.after), axis=1)
    return walk._replace(read=given.take(walk.read), of=np.concatenate([walk.of, held]))


def _finite(guess: torch.Tensor) -> torch.Tensor:
    if not bool(guess.isfinite().all()):
        raise NotForeseen
    return guess


def _remembering(walk: _Walk, seen: np.ndarray, begun: int, views: int) -> tuple[_Walk, np.ndarray]:
    """Nodes that remember what was read last, as far as it is seen; and what that is.

    Args:
        seen: of all that is read what is seen, one of so many views.
        begun: what is seen after BOS.
    """
    width = len(walk.after)
    if views * width > _CELLS:
        raise NotForeseen
    code, there = seen.take(walk.read) * width + walk.after, np.zeros((views, width), dtype=bool)
    there.reshape(-1)[code] = True
    there[begun, walk.start] = True
    there[:, -1] = False
    nodes, number = _numbered(there)
    if len(nodes) * code.shape[1] > _MOST:
        raise NotForeseen
    earlier, node = (np.append(part, last) for part, last in zip(np.divmod(nodes, width), (0, walk.nowhere)))
    after, start = number.take(code.take(node, axis=0)), int(number[begun * width + walk.start])
    return _Walk(start, after, walk.read.take(node, axis=0), walk.of.take(node, axis=1)), earlier


def _numbered(there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places where this holds, and the number of each place among them; how many they are in all other places."""
    nodes = there.reshape(-1).nonzero()[0]
    number = np.full(there.size, len(nodes))
    number[nodes] = np.arange(len(nodes))
    return nodes, number


def _different(places: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Each of these places once; in the cells there are numbers now that are not negative."""
    positions = np.arange(len(places))
    cells[places] = positions
    return places[cells.take(places) == positions]


class _Moves:
    """What becomes of the scan states of a layer, from the first one on.

    Attributes:
        table: the next scan state of each that is known, by what drives it; -1 where nobody has asked.  The last driver
            leads nowhere.
    """

    def __init__(self, first: torch.Tensor, gates: torch.Tensor, increments: torch.Tensor):
        self._shape, self._dtype = first.shape[1:], first.dtype
        self._first = first.flatten(1).float().numpy()
        factors, terms = (part.flatten(1).float().numpy() for part in (gates, increments))
        self._moved = ((factors != 1) | (terms != 0)).any(axis=0).nonzero()[0]
        """The numbers of a state that move at all; all others stay as they are."""
        self._gates, self._increments = factors.take(self._moved, axis=1), terms.take(self._moved, axis=1)
        self._rows = Numbered(len(self._moved), factors.dtype)
        self._rows.number(self._first.take(self._moved, axis=1))
        self.table: np.ndarray = np.full((0, len(gates) + 1), -1)
        self._grow()

    def __call__(self, scans: np.ndarray, drivers: np.ndarray) -> np.ndarray:
        """The scan states after these, shape (nodes, symbols)."""
        place = (scans * self.table.shape[1])[:, None] + drivers
        found = self.table.take(place)
        if found.min() >= 0:
            return found
        missing = _different(place[found < 0], self.table.reshape(-1))
        scan, driver = np.divmod(missing, self.table.shape[1])
        rows = self._rows.rows.take(scan, axis=0) * self._gates.take(driver, axis=0)
        rows += self._increments.take(driver, axis=0)
        numbers = self._rows.number(rows + np.float32(0))  # -0 is 0
        if len(self._rows) > len(self.table):
            self._grow()
        self.table.reshape(-1)[missing] = numbers
        return self.table.take(place)

    def _grow(self) -> None:
        table, former = np.full((2 * len(self._rows), self.table.shape[1]), -1), self.table
        if table.size > _CELLS:
            raise NotForeseen
        table[:, -1] = 0
        table[: len(former)] = former
        self.table = table

    def numbered(self, layer: LayerByTable) -> np.ndarray:
        """The layer's numbers of the scan states that are known."""
        rows = self._first.repeat(len(self._rows), axis=0)
        rows[:, self._moved] = self._rows.rows
        return layer.scans.number(_finite(torch.from_numpy(rows)).to(self._dtype).reshape(-1, *self._shape))


def _moving(walk: _Walk, driver: np.ndarray, moves: _Moves) -> tuple[_Walk, np.ndarray]:
    """Nodes that remember the scan state, too; and the place in the table of what moves it, for each of them and each
    symbol.
    """
    width, wide = len(walk.after), moves.table.shape[1]
    if not moves(np.zeros(1, dtype=np.intp), driver[:-1].reshape(1, -1)).any():
        return walk, driver  # it stays as it is
    seen, frontier, steps = np.zeros((0, width), dtype=np.intp), np.array([walk.start]), 0
    while len(frontier):
        steps += len(frontier) * driver.shape[1]
        if steps > _MOST:
            raise NotForeseen
        scan, node = np.divmod(frontier, width)
        after = moves(scan, driver.take(node, axis=0))
        if len(seen) < len(moves.table):
            if len(moves.table) * width > _CELLS:
                raise NotForeseen
            former, seen = seen, np.full((len(moves.table), width), -1)
            seen[: len(former)] = former
            seen[:, -1] = 0
            seen.reshape(-1)[frontier] = 0
        code = after * width + walk.after.take(node, axis=0)
        frontier = _different(code[seen.take(code) < 0], seen.reshape(-1))
    there = seen >= 0
    there[:, -1] = False
    nodes, number = _numbered(there)
    scan, node = np.divmod(nodes, width)
    drivers = driver.take(node, axis=0)
    after = number.take(moves(scan, drivers) * width + walk.after.take(node, axis=0))
    after, place = _with_last(after, len(nodes)), _with_last((scan * wide)[:, None] + drivers, wide - 1)
    of = walk.of.take(np.append(node, walk.nowhere), axis=1)
    return _Walk(int(number[walk.start]), after, after, of), place
