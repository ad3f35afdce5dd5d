"""How often is a model right?  Exact accuracy: a string counts when each of its prefixes is answered exactly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Sequence

import numpy as np

from automata.machine import Machine
from verify.evidence.sampling import expect
from verify.verdict import Witness

_BATCH = 64


@dataclass
class Bin:
    """The strings whose lengths lie from ``least`` to ``most``."""

    least: int
    most: int
    strings: int = 0
    exact: int = 0

    @property
    def percent(self) -> str:
        return f"{100 * self.exact / self.strings:.2f} %" if self.strings else "no strings"


@dataclass
class Accuracy:
    """Per bin, and the shortest wrong prefix of all strings, if any."""

    bins: list[Bin]
    positions: int = 0
    wrong: int = 0
    witness: Witness | None = field(default=None)


def accuracy(machine: Machine, model, words: Iterable[Sequence[str]], mode: str, edges: Sequence[int]) -> Accuracy:
    """Runs a batched model on words; bins have the lengths up to each of ``edges``, beyond which words are cut off.

    >>> from automata.machines.flip_flop import FlipFlopMachine
    >>> from constructions.paper.flip_flop import flip_flop
    >>> from verify.methods.bisimulation import Stepwise
    >>> result = accuracy(FlipFlopMachine(), Stepwise(flip_flop()), ["w1r1", "w0i1r0w1"], "predictive", [4, 8])
    >>> [(b.strings, b.exact) for b in result.bins], result.witness
    ([(1, 1), (1, 1)], None)
    """
    least = [0, *(edge + 1 for edge in edges)]
    result = Accuracy([Bin(low, high) for low, high in zip(least, edges)])
    index = {symbol: i for i, symbol in enumerate(model.alphabet)}
    output = {name: i for i, name in enumerate(model.outputs)}
    # Words of like length together: a batch is as long as its longest.
    ordered = sorted((tuple(word)[: edges[-1]] for word in words), key=len)
    for first in range(0, len(ordered), _BATCH):
        batch = [expect(machine, word, mode) for word in ordered[first : first + _BATCH]]
        symbols = np.zeros((len(batch), max(len(e.word) for e in batch)), dtype=np.int64)
        for row, expectation in enumerate(batch):
            symbols[row, : len(expectation.word)] = [index[symbol] for symbol in expectation.word]
        state, start = model.begin(len(batch))
        given = [start.dense()]
        if symbols.shape[1]:
            given.append(model.advance(state, symbols)[1].dense())
        given = np.concatenate(given, axis=1)
        for row, expectation in enumerate(batch):
            wanted = np.zeros((len(expectation.sets), len(output)), dtype=bool)
            for position, outputs in enumerate(expectation.sets):
                wanted[position, [output[name] for name in outputs]] = True
            wrong = np.flatnonzero((wanted != given[row, : len(wanted)]).any(axis=1))
            result.positions += len(wanted)
            result.wrong += len(wrong)
            bin_ = next(b for b in result.bins if len(expectation.word) <= b.most)
            bin_.strings += 1
            bin_.exact += not len(wrong)
            if len(wrong) and (result.witness is None or wrong[0] < len(result.witness.word)):
                at = int(wrong[0])
                names = frozenset(model.outputs[i] for i in np.flatnonzero(given[row, at]))
                result.witness = Witness(expectation.word[:at], expectation.sets[at], names)
    return result
