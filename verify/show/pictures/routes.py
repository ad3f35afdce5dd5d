"""Where edges and their labels go, so that none runs through a box that it does not join or over another label."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

_BENDS = (0.0, 0.14, -0.14, 0.28, -0.28, 0.42, -0.42, 0.6, -0.6, 0.8, -0.8, 1.2, -1.2, 1.6, -1.6)
_POINTS = np.linspace(0, 1, 33)[:, None]
_PLACES = (16, 13, 19, 10, 22, 8, 24)
"""Points of a curve beside which a label may stand, the middle first."""

_SIDES = ((0, 1), (0, -1), (1, 0), (-1, 0))
_LOOP = 0.24
"""Half the extent of a loop in inches."""

_MANY = 3_000
"""Points of earlier curves up to which they are kept away from."""


@dataclass
class Canvas:
    """What is drawn already, in inches.

    Attributes:
        boxes: of names: the middle and half the extent, four numbers each.
        margin: kept free around boxes.
    """

    boxes: dict[object, tuple[float, float, float, float]]
    margin: float = 0.06
    _curves: list[np.ndarray] = field(default_factory=list)
    _labels: list[tuple[float, float, float, float]] = field(default_factory=list)

    def bend(self, source: object, target: object, first: float = 0.0) -> float:
        """How far the edge leaves the straight line, as a share of its length: as little as keeps it clear; then it is
        drawn.

        Args:
            source, target: names of the boxes that it joins.
            first: what is preferred.
        """
        start, end = (np.array(self.boxes[name][:2]) for name in (source, target))
        others = np.array([box for name, box in self.boxes.items() if name not in (source, target)]).reshape(-1, 4)
        joined = np.array([self.boxes[source], self.boxes[target]])

        def cost(bend: float) -> float:
            points = curve(start, end, bend)
            crossed = _inside(points, others, self.margin).any(axis=1).sum()
            free = points[~_inside(points, joined, 0.1).any(axis=1)]
            if len(free) == 0:
                return 1e6
            return 10 * crossed + self._along(free) + abs(bend - first)

        found = first if cost(first) == 0 else min((first, *_BENDS), key=cost)
        self._curves.append(curve(start, end, found))
        return found

    def _along(self, points: np.ndarray) -> float:
        """How much of a curve runs upon another: a crossing is a point or two, and does no harm."""
        if not self._curves or len(self._curves) * len(_POINTS) > _MANY:
            return 0.0
        drawn = np.concatenate(self._curves)
        near = (np.hypot(*(points[:, None] - drawn[None]).transpose(2, 0, 1)) < 0.09).any(axis=1).sum()
        return 0.4 * max(0, int(near) - 3)

    def label(self, source: object, target: object, bend: float, half: tuple[float, float]) -> tuple[float, float]:
        """The middle of a label of this half extent beside the edge, where it covers least."""
        start, end = (np.array(self.boxes[name][:2]) for name in (source, target))
        points = curve(start, end, bend)
        length = max(float(np.hypot(*(end - start))), 1e-9)
        across = np.array([-(end - start)[1], (end - start)[0]]) / length
        reach = abs(across[0]) * half[0] + abs(across[1]) * half[1] + 0.03
        taken = np.array([*self.boxes.values(), *self._labels]).reshape(-1, 4)
        drawn = np.concatenate(self._curves) if self._curves else np.zeros((0, 2))
        options = [
            (rank + 3 * (side * bend < 0), points[place] + side * reach * across)
            for rank, place in enumerate(_PLACES)
            for side in (1, -1)
        ]

        def cost(option: tuple[int, np.ndarray]) -> float:
            x, y = option[1]
            apart = (abs(taken[:, 0] - x) > taken[:, 2] + half[0]) | (abs(taken[:, 1] - y) > taken[:, 3] + half[1])
            box = np.array([[x, y, *half]])
            return 20 * int((~apart).sum()) + int(_inside(drawn, box, 0.0).sum()) + 0.3 * option[0]

        _, (x, y) = min(options, key=cost)
        self.keep_free((float(x), float(y), *half))
        return float(x), float(y)

    def loop(self, name: object) -> tuple[int, int]:
        """On which side of a box a loop is drawn, as a direction: above, unless edges leave there; then it is drawn."""
        drawn = np.concatenate(self._curves) if self._curves else np.zeros((0, 2))
        taken = np.array([*(box for other, box in self.boxes.items() if other != name), *self._labels]).reshape(-1, 4)

        def cost(side: tuple[int, int]) -> int:
            x, y, half, high = box = self._beside(name, side, 1.5 * _LOOP)  # with room for its label
            covered = (abs(taken[:, 0] - x) < taken[:, 2] + half) & (abs(taken[:, 1] - y) < taken[:, 3] + high)
            return 20 * int(covered.sum()) + int(_inside(drawn, np.array([box]), 0.0).sum())

        found = min(_SIDES, key=cost)
        self.keep_free(self._beside(name, found, _LOOP))
        return found

    def loop_label(self, name: object, side: tuple[int, int], half: tuple[float, float]) -> tuple[float, float]:
        """The middle of the label of a loop."""
        beyond = 2 * _LOOP + abs(side[0]) * half[0] + abs(side[1]) * half[1]
        x, y, width, height = self.boxes[name]
        place = x + side[0] * (width + beyond), y + side[1] * (height + beyond)
        self.keep_free((*place, *half))
        return place

    def _beside(self, name: object, side: tuple[int, int], half: float) -> tuple[float, float, float, float]:
        """A square on this side of a box."""
        x, y, width, height = self.boxes[name]
        return x + side[0] * (width + half), y + side[1] * (height + half), half, half

    def keep_free(self, box: tuple[float, float, float, float]) -> None:
        """Something that is drawn, for labels to stay away from."""
        self._labels.append(box)

    def extent(self) -> tuple[np.ndarray, np.ndarray]:
        """The least and the greatest corner of all that is drawn."""
        boxes = np.array([*self.boxes.values(), *self._labels]).reshape(-1, 4)
        corners = [boxes[:, :2] - boxes[:, 2:], boxes[:, :2] + boxes[:, 2:], *self._curves]
        points = np.concatenate(corners)
        return points.min(axis=0), points.max(axis=0)


def curve(start: np.ndarray, end: np.ndarray, bend: float) -> np.ndarray:
    """Points of the edge, as matplotlib draws it with ``arc3,rad=-bend``.

    >>> curve(np.array([0.0, 0.0]), np.array([2.0, 0.0]), 0.5)[16].tolist()
    [1.0, 0.5]
    """
    x, y = end - start
    control = (start + end) / 2 + bend * np.array([-y, x])
    return (1 - _POINTS) ** 2 * start + 2 * _POINTS * (1 - _POINTS) * control + _POINTS**2 * end


def _inside(points: np.ndarray, boxes: np.ndarray, margin: float) -> np.ndarray:
    """Whether each point lies in each box, shape (points, boxes)."""
    away = np.abs(points[:, None, :] - boxes[None, :, :2])
    return (away < boxes[None, :, 2:] + margin).all(axis=2)


def text_half(text: str, size: float) -> tuple[float, float]:
    """About half the extent in inches of a text of this font size."""
    lines = text.split("\n")
    return max(len(line) for line in lines) * size * 0.0039 + 0.03, len(lines) * size * 0.0088
