"""What an automaton expects, as arrays: the strings that are followed, and the outputs after each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from automata.machine import Machine
from verify.learned.part import part_of
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
    """Explores a machine.

    Raises:
        NotCovered: when it has more states than the limit.
    """
    part = part_of(machine, mode, limit)
    if not part.complete:
        raise NotCovered(f"the automaton has more than {limit} states")
    order = [part.alphabet.index(symbol) for symbol in alphabet]
    expected = [[output in given for output in outputs] for given in part.expected]
    return Behaviour(part.next[:, order], np.array(expected, dtype=bool))
