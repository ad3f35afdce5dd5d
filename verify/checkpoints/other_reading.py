"""Is a model that is wrong by its logits right by probability, or by its most likely token?"""

from __future__ import annotations

import math
from typing import Iterable, Sequence

import numpy as np

from automata.machine import Machine
from constructions.mamba.reading import SOFTMAX, TOP, Reading
from verify.checkpoints.greedy import greedy
from verify.evidence.accuracy import accuracy
from verify.evidence.sampling import expect


def right_otherwise(machine: Machine, model, words: Sequence[Sequence[str]], mode: str) -> Reading | None:
    """Another reading than by logits, under which the model is right after every prefix of these words, or None.

    Args:
        model: a :class:`constructions.mamba.stepping.ForwardMamba`.
    """
    found = right_by_probability(machine, model, words, mode)
    if found is not None:
        return found
    top = greedy(model.read_by(Reading(TOP)), machine, mode)
    most = max(map(len, words), default=0)
    return None if accuracy(machine, top, words, mode, [most]).witness is not None else Reading(TOP)


def right_by_probability(machine: Machine, model, words: Iterable[Sequence[str]], mode: str) -> Reading | None:
    """A reading by probability under which the model is right after every prefix of these words, or None.

    Args:
        model: a :class:`constructions.mamba.stepping.ForwardMamba`.

    The threshold lies halfway, on a logarithmic scale, between the greatest probability of an output that is wrong and
    the least of one that is right.
    """
    index = {symbol: i for i, symbol in enumerate(model.alphabet)}
    reading, highest, lowest = Reading(SOFTMAX), 0.0, 1.0
    for word in words:
        expectation = expect(machine, tuple(word), mode)
        symbols = np.array([[index[symbol] for symbol in expectation.word]], dtype=np.int64).reshape(1, -1)
        scores = model.scores(symbols, reading)[0]
        right = np.array([[name in outputs for name in model.outputs] for outputs in expectation.sets])
        if not np.isfinite(scores).all():
            return None
        highest = max(highest, scores[~right].max(initial=0.0))
        lowest = min(lowest, scores[right].min(initial=1.0))
        if highest >= lowest:
            return None
    middle = math.sqrt(highest * lowest) if highest else lowest / 2
    short = float(f"{middle:.2g}")
    return Reading(SOFTMAX, short if highest <= short < lowest else middle)
