"""The pieces of one step of a bounded Dyck model on boxes: above the slots, the slots, below the slots.

Rows are symbols.  The layers above the slots know the depth and nothing else, so there everything is a point.
"""

from __future__ import annotations

import numpy as np

from constructions.ssm.weights import SSM
from verify.methods.induction.relation import StackRelation
from verify.numbers.boxes import NUMBER, Box, Maps, NotCovered


class StackSteps:
    """One model, with the relation that says which coordinate is what.

    Raises:
        NotCovered: when the dead register of a recogniser is not alone in the last layer.
    """

    def __init__(self, ssm: SSM, relation: StackRelation):
        self.relation = relation
        self.maps = Maps(ssm)
        layers = self.maps.layers
        self.above = layers[: relation.slot_layer]
        self.slots = layers[relation.slot_layer]
        self.below = layers[relation.slot_layer + 1 :]
        if relation.dead is not None and relation.dead[0] != len(layers) - 1:
            raise NotCovered("the dead register is not in the last layer")

    def features(self, depth: int, symbols: np.ndarray) -> tuple[Box, np.ndarray]:
        """What the slots' layer reads at this depth, and the depth after the step, one row for each symbol."""
        x = self.maps.embedding[symbols]
        after = np.full(len(symbols), depth, dtype=NUMBER)
        for number, maps in enumerate(self.above):
            h = self.state(number, depth)
            h = maps.gates(x).low * h + maps.increments(x).low
            if number == self.relation.depth[0]:
                after = h[:, self.relation.depth[1]]
            x = maps.phi(Box.points(h), x)
        return x, after

    def depth_updates(self, symbols: np.ndarray) -> list[tuple[int, int]]:
        """The gate and the increment of the depth for each of these symbols; no layer above the depth's keeps
        anything.
        """
        number, coordinate = self.relation.depth
        x = self.maps.embedding[symbols]
        for maps in self.above[:number]:
            x = maps.phi(Box.points(np.zeros((len(symbols), 0))), x)
        maps = self.above[number]
        gates, increments = (box.low[:, coordinate].tolist() for box in (maps.gates(x), maps.increments(x)))
        return [(int(gate), int(increment)) for gate, increment in zip(gates, increments)]

    def state(self, number: int, depth: int) -> np.ndarray:
        """The state of a layer above the slots, shape (1, d)."""
        h = np.zeros((1, self.above[number].layer.width), dtype=NUMBER)
        if number == self.relation.depth[0]:
            h[0, self.relation.depth[1]] = depth
        return h

    def slot_images(self, features: Box) -> tuple[np.ndarray, np.ndarray]:
        """What each slot bit becomes when it was 0, and when it was 1, shape (rows, bits of all slots)."""
        from_0 = self.slots.increments(features).low
        return from_0, self.slots.gates(features).low + from_0

    def slot_box(self, rows: int, known: np.ndarray | None = None, values: np.ndarray | None = None) -> Box:
        """Slot bits: the known ones (a mask) as given, shape (rows, known), all others 0 or 1."""
        shape = rows, len(self.relation.slot)
        low, high = np.zeros(shape, dtype=NUMBER), np.ones(shape, dtype=NUMBER)
        if known is not None:
            low[:, known] = high[:, known] = values
        return Box(low, high)

    def dead_features(self, slots: Box, features: Box) -> Box:
        """What the dead register's layer reads, for slots after the step."""
        z = self.slots.phi(slots, features)
        for maps in self.below[:-1]:
            z = maps.phi(Box.points(np.zeros((len(z.low), 0))), z)
        return z

    def outputs(self, slots: Box, features: Box) -> Box:
        """The outputs of a predictor, for slots after the step."""
        z = self.slots.phi(slots, features)
        for maps in self.below:
            z = maps.phi(Box.points(np.zeros((len(z.low), 0))), z)
        return self.maps.readout(z)

    def least_outputs(self, slots: Box, features: Box, outputs: np.ndarray) -> np.ndarray:
        """Of each row the least value of one output of a predictor whose last layer has the slots, shape (rows,)."""
        previous = self.slots.phi(slots, features, stages=-1)
        return self.maps.least_outputs(previous, features, outputs)
