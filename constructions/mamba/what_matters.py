"""Which numbers of a state matter to what is given, now or later?

A step that was followed (:mod:`constructions.mamba.followed_rows`) says of each number what it is made of.  Backwards
from the logits, and from those numbers of the next state that matter, each number of a state is one of three:

* *read*: something that matters is made of it.
* *silenced*: wherever something that matters is made of it, it is multiplied by a number that was 0 in every row.
  While that one is 0, and this one finite, it adds nothing.  So that it stays finite, what it is made of matters.
* *idle*: nothing that matters is made of it.

Two states that differ in silenced and idle numbers alone give the same logits and, after the same token, states of
which that holds again, for as long as what silences is 0.
"""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple, Sequence

import numpy as np
import torch


class OperandRead(NamedTuple):
    """What an operation reads of one operand: one entry for each number that it makes of a row.

    Attributes:
        places: in the row, -1 for a constant; or the numbers of sequences.
        zero: whether it was 0 in every row; None where that is not looked at.
        many: whether sequences are read.
    """

    places: np.ndarray
    zero: np.ndarray | None
    many: bool


class Terms(NamedTuple):
    """A sequence of numbers that are read together, such as the terms of a sum.

    Attributes:
        places: of each in its row, -1 for a constant.
        zero: whether it is a constant that is 0.
    """

    places: np.ndarray
    zero: np.ndarray


class Done(NamedTuple):
    """An operation, followed.

    Attributes:
        name: what it does.
        product: how many products there were in the step by then, this one too where it is one.
        first: the place of the first number that it makes of a row.
        reads: of each operand.
    """

    name: str
    product: int
    first: int
    reads: Sequence[OperandRead]

    @property
    def size(self) -> int:
        """How many numbers it makes of a row."""
        return len(self.reads[0].places)


class WhatMatters:
    """Of the numbers of a state, which do.

    Args:
        done: the operations of a step, in order.
        terms: the sequences, by number.
        begun: how many numbers a row begins with, the state's last.
        read: the places of what matters in any case, such as the logits; -1 for a constant.
        left: the places of the state that is left.

    Attributes:
        read, silenced: booleans for a row of the state.
        silencers: for each product that silences numbers, its operand that has to stay 0, and the places of those
            numbers that it makes of which that is so.

    Time goes with all numbers of a row, as often as a number of the state is handed on to the next state.
    """

    def __init__(self, done: Sequence[Done], terms: Sequence[Terms], begun: int, read: np.ndarray, left: np.ndarray):
        self._done, self._terms, self._begun = done, terms, begun
        self._always, self._left = read[read >= 0], left
        self._products = {one.product: one for one in done if one.name == "mul"}
        self._find()

    def heard(self, product: int, operand: int, places: np.ndarray) -> None:
        """The operand of a product was not 0 where these numbers were made: more matters."""
        one = self._products[product]
        zero = one.reads[operand].zero
        assert zero is not None, "factors are looked at"
        zero[places - one.first] = False
        self._find()

    def _find(self) -> None:
        begun, state = self._begun, self._left
        here, size = slice(begun - len(state), begun), max([begun, *(one.first + one.size for one in self._done)])
        made, moved = state >= begun, (state >= 0) & (state < begun)
        matters: np.ndarray = np.zeros(begun, dtype=bool)
        finite: np.ndarray = np.zeros(begun, dtype=bool)
        while True:
            self._before, self._matters, self._finite = matters, np.zeros(size, dtype=bool), finite.copy()
            self.silencers: dict[int, list[tuple[int, np.ndarray]]] = {}
            self._matters[:begun] = matters
            self._matters[self._always] = True
            wanted = matters[here] | finite[here]
            self._matters[state[(made & wanted) | (moved & matters[here])]] = True
            self._finite[state[moved & wanted]] = True
            for one in reversed(self._done):
                on = np.flatnonzero(self._matters[one.first : one.first + one.size])
                if len(on):
                    self._look(one, on)
            found = self._matters[:begun].copy()
            if (found == matters).all() and (self._finite == finite).all():
                break
            matters, finite = found, self._finite
        self.read, self.silenced = matters[here], finite[here] & ~matters[here]

    def _look(self, one: Done, on: np.ndarray) -> None:
        """What matters of what an operation reads, where these of its numbers do."""
        if one.name == "convolution":
            windows, taps = one.reads[:2]
            for window, tap in np.unique(np.stack([windows.places[on], taps.places[on]]), axis=1).T.tolist():
                self._mark(self._terms[window].places, self._terms[tap].zero)
                self._mark(self._terms[tap].places)
        for number, read in enumerate(one.reads):
            places = read.places[on]
            if read.many and (one.name != "convolution" or number > 1):
                for sequence in np.unique(places).tolist():
                    self._mark(self._terms[sequence].places)
            elif not read.many:
                silent = None
                if one.name == "mul" and len(one.reads) == 2:
                    silent = self._silences(one.reads[1 - number], on)
                    self._keep(one, 1 - number, on[silent & self._given(places)])
                self._mark(places, silent)

    def _silences(self, other: OperandRead, on: np.ndarray) -> np.ndarray:
        """Where a factor is 0, and no number of the state, of which it is not known yet whether it matters."""
        assert other.zero is not None, "products are looked at"
        return other.zero[on] & ((other.places[on] >= self._begun) | (other.places[on] < 0))

    def _given(self, places: np.ndarray) -> np.ndarray:
        """Whether these are numbers that the step begins with."""
        return (places >= 0) & (places < self._begun)

    def _keep(self, one: Done, operand: int, on: np.ndarray) -> None:
        """These have to stay 0, where they are no constants and nothing else reads what they silence."""
        places = one.reads[1 - operand].places[on]
        on = on[~self._before[places] & (one.reads[operand].places[on] >= 0)]
        if len(on):
            self.silencers.setdefault(one.product, []).append((operand, one.first + on))

    def _mark(self, places: np.ndarray, silent: np.ndarray | None = None) -> None:
        """These matter; of those that are silenced and that the step begins with, that they are finite."""
        quiet = np.zeros(len(places), dtype=bool) if silent is None else silent & self._given(places)
        self._finite[places[quiet]] = True
        self._matters[places[~quiet & (places >= 0)]] = True


class Silent:
    """Whether what silenced numbers in one step is 0 in others, which do the same operations.

    Args:
        silencers: as of :class:`WhatMatters`.
        multiplied: as of :class:`~constructions.mamba.followed_rows.FollowedRows`.

    Attributes:
        heard: where it was not: product, operand, and places of the numbers that were made.
    """

    begun = True

    def __init__(self, silencers: dict[int, list[tuple[int, np.ndarray]]], multiplied: dict[int, np.ndarray]):
        self._where = {
            number: [(operand, torch.from_numpy(np.isin(multiplied[number], places))) for operand, places in operands]
            for number, operands in silencers.items()
        }
        self._multiplied = multiplied
        self.heard: list[tuple[int, int, np.ndarray]] = []

    def follow(self, given: Iterable[torch.Tensor]) -> None:
        """A step begins."""
        self._products = 0

    def give(self, given: Iterable[torch.Tensor]) -> None:
        """It ends."""

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """As :meth:`constructions.mamba.followed_tokens.FollowedTokens.look`."""
        self._products += name == "mul"
        for operand, where in self._where.get(self._products, ()) if name == "mul" else ():
            loud = where & (given[operand] != 0)
            if bool(loud.any()):
                self.heard.append((self._products, operand, np.unique(self._multiplied[self._products][loud.numpy()])))
