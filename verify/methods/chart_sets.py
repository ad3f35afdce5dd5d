"""The sets of a chart by number, and what moves make of them: for many facts of a proof by levels at once.

Each function has an obvious meaning in sets: a tile is looked up, an image is taken, one set is held against another.
Sets are numbered in the chart's order; in arrays they are bits, 64 states to a word.
"""

from __future__ import annotations

import numpy as np

from constructions.compile.pair_graph import Chart

_IMAGES = 1 << 22
"""Entries of a table of images that is filled at once."""


class Tiles:
    """Which set a digit of one level names, given the set that stands above it.

    Attributes:
        count: for each set, the number of digits that it may have.
        most: the greatest of these.
    """

    def __init__(self, chart: Chart, number: dict[int, int], level: int | None):
        self.row = np.full(len(number), -1)  # the sets of this level have a row of tiles
        here = [stage for stage in number if level is not None and chart.level[stage] == level]
        self.row[[number[stage] for stage in here]] = np.arange(len(here))
        self.most = max((len(chart.tiles[stage]) for stage in here), default=1)
        self.table = np.full((len(here), self.most), -1)
        self.count = np.ones(len(number), dtype=np.int64)
        for row, stage in enumerate(here):
            tiles = [number[tile] for tile in chart.tiles[stage]]
            self.table[row, : len(tiles)] = tiles
            self.count[number[stage]] = len(tiles)
        self.digits = level is not None

    def named(self, stage: np.ndarray, digit: np.ndarray) -> np.ndarray:
        """The next set of each chain, -1 where the digit names none: a set of another level stays, by digit 0."""
        found = np.where(digit == 0, stage, -1) if self.digits else stage.copy()
        here = np.flatnonzero(self.row[stage] >= 0)
        valid = digit[here] < self.most
        found[here] = np.where(valid, self.table[self.row[stage[here]], np.where(valid, digit[here], 0)], -1)
        return found


class ChartSets:
    """The sets of a chart that nests, and their images under some moves.

    Args:
        chart: whose faults have been looked for.
        images: of shape (moves, states): where each move takes each state.
        live: of each state, whether something is asked in it.
    """

    def __init__(self, chart: Chart, images: np.ndarray, live: np.ndarray):
        self.chart, self.images = chart, images
        self.masks = list(chart.level)
        self.number = {mask: i for i, mask in enumerate(self.masks)}
        states = images.shape[1]
        size = states + 7 >> 3
        packed = b"".join(mask.to_bytes(size, "little") for mask in self.masks)
        self.members = _unpacked(np.frombuffer(packed, dtype=np.uint8).reshape(len(self.masks), size), states)
        self.outside = ~_words(self.members)
        self.live = None if live.all() else _words(live[None])[0]
        self.known = np.zeros(len(self.masks) * len(images), dtype=bool)
        self.image = np.zeros((len(self.known), self.outside.shape[1]), dtype=np.uint64)

    def tiles(self, level: int | None) -> Tiles:
        """What digits of this level name; without a level there is no digit, and every set stays."""
        return Tiles(self.chart, self.number, level)

    def asked(self, stage: np.ndarray, move: np.ndarray) -> np.ndarray:
        """Whether something is asked after the move from some state of the set."""
        if self.live is None:
            return np.ones(len(stage), dtype=bool)
        return (self._image(stage, move) & self.live).any(axis=1)

    def includes(self, goal: np.ndarray, stage: np.ndarray, move: np.ndarray) -> np.ndarray:
        """Whether the goal includes what the move makes of the set."""
        return ~(self._image(stage, move) & self.outside[goal]).any(axis=1)

    def _image(self, stage: np.ndarray, move: np.ndarray) -> np.ndarray:
        key = stage * len(self.images) + move
        missing = np.unique(key[~self.known[key]])
        at_once = max(1, _IMAGES // self.images.shape[1])
        for block in np.split(missing, range(at_once, len(missing), at_once)):
            sets, moves = np.divmod(block, len(self.images))
            row, state = np.nonzero(self.members[sets])
            reached = np.zeros((len(block), self.images.shape[1]), dtype=bool)
            reached[row, self.images[moves[row], state]] = True
            self.image[block] = _words(reached)
            self.known[block] = True
        return self.image[key]


def _unpacked(packed: np.ndarray, states: int) -> np.ndarray:
    return np.unpackbits(packed, axis=1, count=states, bitorder="little").astype(bool)


def _words(members: np.ndarray) -> np.ndarray:
    """Rows of booleans as rows of words of 64 bits, the rest of the last 0."""
    packed = np.packbits(members, axis=1, bitorder="little")
    padded = np.zeros((len(packed), -(-packed.shape[1] // 8) * 8), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    return padded.view(np.uint64)


def expanded(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each i, ``counts[i]`` times: i, and the numbers from 0 on.

    >>> [part.tolist() for part in expanded(np.array([2, 0, 1]))]
    [[0, 0, 2], [0, 1, 0]]
    """
    which = np.repeat(np.arange(len(counts)), counts)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)


def different(*columns: np.ndarray) -> np.ndarray:
    """The different rows of these columns of numbers >= 0, in ascending order.

    >>> different(np.array([1, 0, 1]), np.array([5, 7, 5])).tolist()
    [[0, 7], [1, 5]]
    """
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    key: np.ndarray = np.zeros(len(columns[0]), dtype=np.int64)
    whole = 1
    for column, size in zip(columns, sizes):
        whole *= size
        if whole >= 1 << 62:
            return np.unique(np.column_stack(columns), axis=0)
        key = key * size + column
    rest: np.ndarray = np.unique(key)
    rows = []
    for size in reversed(sizes):
        rest, column = np.divmod(rest, size)
        rows.append(column)
    return np.column_stack(rows[::-1])
