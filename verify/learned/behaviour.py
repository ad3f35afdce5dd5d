"""What an automaton expects, as arrays: the strings that are followed, and the outputs after each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from automata.machine import Machine
from verify.methods.bisimulation import Interned
from verify.numbers.boxes import NotCovered


@dataclass(frozen=True)
class Behaviour:
    """The states that strings of a mode reach, numbered from 0, the initial one.

    Attributes:
        next: (states, symbols), -1 where the symbol is not to be followed: in predictive mode, where it is illegal.
        expected: booleans (states, outputs).
    """

    next: np.ndarray
    expected: np.ndarray

    @property
    def symbols(self) -> int:
        return self.next.shape[1]


def behaviour(machine: Machine, alphabet: Sequence[str], outputs: Sequence[str], mode: str, limit: int) -> Behaviour:
    """Explores a machine breadth first.

    Raises:
        NotCovered: when it has more states than the limit.
    """
    interned = Interned(machine, tuple(alphabet), tuple(outputs), mode)
    done = 0
    while done < len(interned):
        if len(interned) > limit:
            raise NotCovered(f"the automaton has more than {limit} states")
        fresh = np.arange(done, len(interned))
        interned.expand(fresh)
        done += len(fresh)
    return Behaviour(interned.next[:done].astype(np.int64), interned.table()[interned.expected[:done]])
