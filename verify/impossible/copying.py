"""How many words can a model copy?  As many as it has states for: two words that leave one state are answered alike.

Source: Jelassi, Brandfonbrener, Kakade, Malach 2024, theorem 2.7: a model with S states copies at most S words.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from automata.machines.copying import COPIED, HASH, CopyMachine

LONGEST_COPIED = 10
"""All words up to this length are run."""


@dataclass(frozen=True)
class Copies:
    """What a model keeps of all words of one length.

    Attributes:
        words: how many there are.
        states: how many different states they leave when # was read.
        alike: two of them that leave the same one; empty where all differ.
    """

    words: int
    states: int
    alike: tuple[str, ...]


def copies(model: Any, machine: CopyMachine) -> Copies:
    """Runs a model on w # for every w; O(2^length) strings.

    Raises:
        ValueError: for words longer than LONGEST_COPIED.
    """
    if machine.length > LONGEST_COPIED:
        raise ValueError(f"2^{machine.length} words are more than are run")
    letters = [model.alphabet.index(letter) for letter in COPIED]
    words = np.array(list(product(letters, repeat=machine.length)))
    start, _ = model.begin(len(words))
    end = np.full((len(words), 1), model.alphabet.index(HASH))
    states, _ = model.advance(start, np.concatenate([words, end], axis=1))
    seen: dict[bytes, int] = {}
    alike: tuple[str, ...] = ()
    for number, row in enumerate(np.ascontiguousarray(states)):
        other = seen.setdefault(row.tobytes(), number)
        if other != number and not alike:
            alike = tuple("".join(model.alphabet[a] for a in words[i]) for i in (other, number))
    return Copies(len(words), len(seen), alike)
