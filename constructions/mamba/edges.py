"""Which channel feeds which, read off the weights: edges.json of an exported checkpoint.

Ground truth for whoever looks for circuits: an edge is there exactly where a weight is not zero on the way from one
channel to another, whatever the layout meant.  What every channel reads and writes alike is left out: the coordinate
that is always 1, the ballast of the norms and the constant channel of each block.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from constructions.mamba.weights import EOS_TOKEN, FIRST_SYMBOL, MambaWeights

_CONSTANT = 0
"""The number of the coordinate that is always 1, and of each block's constant channel."""


def edges(weights: MambaWeights) -> dict[str, Any]:
    """The graph of a checkpoint, as JSON has it.

    ``channels`` are named by block and number; ``edges`` go from one to another: through a coordinate of the residual
    stream to a later block, or inside of a block where a channel moves the step size ("step") or the increment
    ("increment") of another one's memory.  ``inputs`` are the channels that read a symbol, and ``outputs`` those that
    an output is read from.

    O(channels² of neighbouring coordinates).

    >>> from constructions.mamba.lowering import lower_to_mamba
    >>> from constructions.paper.flip_flop import flip_flop
    >>> found = edges(lower_to_mamba(flip_flop()))
    >>> for edge in found["edges"]:
    ...     if edge["from"] == [0, 3]:
    ...         print(edge)
    {'from': [0, 3], 'to': [0, 2], 'through': 'step'}
    {'from': [0, 3], 'to': [1, 1], 'through': 'instruction = 0'}
    {'from': [0, 3], 'to': [1, 2], 'through': 'instruction = 0'}
    """
    names = weights.coordinate_names()
    used = range(1, len(weights.layout.coordinates))
    channels = [
        {"block": block, "channel": channel, "name": name}
        for block, row in enumerate(weights.channel_names())
        for channel, name in enumerate(row)
        if name and channel != _CONSTANT
    ]
    blocks = [_Wires(weights, block) for block in range(len(weights.layout.blocks))]
    found: list[dict[str, Any]] = []
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    embedding, head = (weights.tensors[name] for name in ("backbone.embeddings.weight", "lm_head.weight"))
    tokens = {symbol: FIRST_SYMBOL + i for i, symbol in enumerate(weights.layout.alphabet)}
    for number, block in enumerate(blocks):
        found += [{"from": [number, a], "to": [number, b], "through": kind} for a, b, kind in block.inside]
        for coordinate in used:
            here = {"through": names[coordinate]}
            for reader in block.readers(coordinate):
                symbols = [symbol for symbol, token in tokens.items() if embedding[token, coordinate]]
                inputs += [{"symbol": symbol, "to": [number, reader], **here} for symbol in symbols]
            for writer in block.writers(coordinate):
                later = [
                    (b, reader) for b in range(number + 1, len(blocks)) for reader in blocks[b].readers(coordinate)
                ]
                found += [{"from": [number, writer], "to": list(reader), **here} for reader in later]
                for output in weights.layout.outputs:
                    if head[tokens.get(output, EOS_TOKEN), coordinate]:
                        outputs.append({"from": [number, writer], "output": output, **here})
    return {"channels": channels, "inputs": inputs, "edges": found, "outputs": outputs}


class _Wires:
    """The weights of one block that are not zero."""

    def __init__(self, weights: MambaWeights, block: int):
        mixer = f"backbone.layers.{block}.mixer"
        inner = weights.inner
        self._reads = weights.tensors[f"{mixer}.in_proj.weight"][:inner] != 0
        self._writes = weights.tensors[f"{mixer}.out_proj.weight"] != 0
        projected = weights.tensors[f"{mixer}.x_proj.weight"] != 0
        steps = weights.tensors[f"{mixer}.dt_proj.weight"] != 0
        self.inside = [
            (int(channel), int(cell), "step")
            for step in range(weights.rank)
            for channel in np.flatnonzero(projected[step])
            for cell in np.flatnonzero(steps[:, step])
            if channel not in (_CONSTANT, cell)
        ]
        sums = [i for i, channel in enumerate(weights.layout.blocks[block].channels) if channel.keeps == "sum"]
        increments = np.flatnonzero(projected[weights.rank])
        self.inside += [(int(i), cell, "increment") for i in increments for cell in sums if i != _CONSTANT]

    def readers(self, coordinate: int) -> list[int]:
        return [int(channel) for channel in np.flatnonzero(self._reads[:, coordinate]) if channel != _CONSTANT]

    def writers(self, coordinate: int) -> list[int]:
        return [int(channel) for channel in np.flatnonzero(self._writes[coordinate]) if channel != _CONSTANT]
