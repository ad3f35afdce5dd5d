"""Does an LSTM do the same, whichever of some numbers its counting cells give?

A gate is sigmoid or tanh of a sum.  Where some numbers of the sum are known to lie between bounds, so does the sum, and
what a format rounds of it is bounded by the sizes of its terms, in any order.  A gate whose sum is certainly SETTLED or
more, of one sign, is exactly 0, 1 or -1, whatever the sum is.  Where that holds of every gate that reads such a number,
all else that a step makes is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.mamba.precision import PRECISIONS

SETTLED = 800.0
"""sigmoid and tanh of it, and of all that is greater, are exactly 1; of their negatives 0 and -1."""


class LstmGates:
    """The gates of the first two layers of an LSTM.

    Args:
        layer: the module of torch, of two layers or more: what is read of the last one is no number between bounds.
        dtype: the format of its numbers.
    """

    def __init__(self, layer: Any, dtype: str):
        self._eps = 2.0 ** (1 - PRECISIONS[dtype].digits)
        names = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
        self._layers = [
            [getattr(layer, f"{name}_l{number}").detach().double().numpy() for name in names] for number in (0, 1)
        ]
        beyond = layer.weight_hh_l0.new_tensor(SETTLED) * 2.0 ** layer.weight_hh_l0.new_tensor(range(117))
        ends = beyond.sigmoid() - 1, (-beyond).sigmoid(), beyond.tanh() - 1, (-beyond).tanh() + 1
        self._settle = all(bool((found == 0).all()) for found in ends)

    def same(self, read: np.ndarray, before: np.ndarray, now: np.ndarray, above: np.ndarray) -> bool:
        """Whether a step gives the same, whatever numbers between the bounds stand in these places.

        Args:
            read: what the first layer reads of the tokens, (rows, inputs).
            before: the least and the greatest that its cells gave a step ago, (2, rows, units).
            now: and give now.
            above: what the second layer gave a step ago, (rows, units).
        """
        return (
            self._settle
            and self._settled(0, np.stack([read, read]), before)
            and self._settled(1, now, np.stack([above, above]))
        )

    def _settled(self, layer: int, inputs: np.ndarray, state: np.ndarray) -> bool:
        """Whether each gate of a layer that reads a number between bounds is settled."""
        of_inputs, of_state, *biases = self._layers[layer]
        least = greatest = sum(biases)
        size, unsure = sum(map(np.abs, biases)), 0
        for weights, (low, high) in ((of_inputs.T, inputs), (of_state.T, state)):
            positive, negative = weights.clip(min=0), weights.clip(max=0)
            least = least + low @ positive + high @ negative
            greatest = greatest + high @ positive + low @ negative
            size = size + np.maximum(np.abs(low), np.abs(high)) @ np.abs(weights)
            unsure = unsure + ~(low == high) @ (weights != 0).astype(np.int64)
        # Doubles round, too, and no more than the format.
        rounded = 2 * (of_inputs.shape[1] + of_state.shape[1] + 8) * self._eps * size
        settled = (least - rounded >= SETTLED) | (greatest + rounded <= -SETTLED)
        return bool((settled | (unsure == 0)).all())
