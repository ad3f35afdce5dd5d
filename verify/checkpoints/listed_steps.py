"""How does a step depend on a few numbers of the state all of whose values are going to be listed?

A step is run, and each operation of torch is looked at as it is done.  A number is *clean* where nothing that it is
made of is listed; *followed* where it is made of listed and clean numbers alone, by operations on each number by
itself, which is written down (:mod:`verify.checkpoints.recipes`); all others are *behind*: what makes these has *seen*
the followed numbers that it read.  Another run of the same step, of which listed numbers alone are different, has the
same clean numbers, and if what is seen is the same too, so are all numbers behind, by induction on the operations: they
are the same operations on the same numbers in the same places.

A sum of products all of which are 0 but one, of a followed number and a clean one, is that product, in any order.

Besides: *idle* numbers of the state are those that nothing reads, but to move them into idle places of the next state,
or to multiply them by a 0 that is made of no number of the state.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple, Sequence

import numpy as np
import torch

from constructions.mamba.followed import NOBODY
from constructions.mamba.numbers_alone import FUNCTIONS, ROUNDED, SUMS, Refusal, tensors_in
from verify.checkpoints.bounds_of_operations import RULES
from verify.checkpoints.divided_by_zero import ZeroDivisions
from verify.checkpoints.followed_state import FollowedState, SingleSteps
from verify.checkpoints.recipes import ONE_BY_ONE, Recipe, RecipeTable
from verify.numbers.boxes import NotCovered

_BEHIND = -3
"""In the place of a number's row: made of what was seen."""

_LOOKED_INTO = ROUNDED | FUNCTIONS | SUMS | frozenset(RULES)
"""Operations whose results are the same but for the sign of zeros where what they read is."""

_PRODUCTS = "mm", "bmm", "addmm"


class StepsOfListed(SingleSteps):
    """Steps of a model some numbers of whose state are listed.

    Args:
        runner: as of :class:`verify.checkpoints.followed_state.SingleSteps`.

    Raises:
        NotCovered: as there, and where divisions by 0 are not noted.
    """

    def __init__(self, runner: Any):
        super().__init__(runner)
        self._divisions = ZeroDivisions()

    def exact(self, state: np.ndarray, token: int) -> tuple[np.ndarray, torch.Tensor]:
        """The state after one token, and its logits.

        Raises:
            NotCovered: where a number is divided by 0.
        """
        self._divisions.forget()
        found = super().exact(state, token)
        if self._divisions.seen():
            raise NotCovered("a number is divided by 0, which may be -0 elsewhere")
        return found

    def idle(self, state: np.ndarray, tokens: Sequence[int]) -> np.ndarray:
        """Which numbers of a state are idle, (n,), whatever the state, as long as they are finite.

        Raises:
            NotCovered: naming the operation that is not looked into.
        """
        idle: np.ndarray = np.ones(len(state), dtype=bool)
        moves: list[tuple[int, int]] = []
        for token in tokens:
            self.write(state)
            follower = _Reading(self.state(), np.arange(len(state)))
            ids, given = self._ids_after(follower, token)
            idle[list(follower.reads)] = False
            idle[given[given >= 0]] = False
            moves += [(int(source), place) for place, source in enumerate(ids.tolist()) if source >= 0]
        while changed := [source for source, place in moves if idle[source] and not idle[place]]:
            idle[changed] = False
        return idle

    def recipe(
        self, state: np.ndarray, token: int, listed: np.ndarray, idle: np.ndarray, answers: Sequence[int]
    ) -> Recipe:
        """What a token does with the listed numbers of a state, whatever these are.

        Args:
            state: the others are as here, but for idle ones.
            listed, idle: which numbers are, (n,).
            answers: the tokens whose logits are compared.

        Raises:
            NotCovered: naming the operation that is not looked into, or why listed numbers are not followed.
        """
        self.write(state)
        rows: np.ndarray = np.full(len(state), NOBODY)
        rows[listed] = np.arange(int(listed.sum()))
        follower = _Listing(self.state(), rows, RecipeTable(state[listed]))
        ids, given = self._ids_after(follower, token)
        if (ids[listed] == _BEHIND).any():
            raise NotCovered("a listed number is made of what has seen others")
        left, table = self.read(), follower.table
        after = [
            (row, 0.0 if row >= 0 else float(left[place])) for place, row in zip(np.flatnonzero(listed), ids[listed])
        ]
        elsewhere = ids[~listed & ~idle]
        table.seen |= set(elsewhere[elsewhere >= 0].tolist())
        logits = [(int(given[token]), place) for place, token in enumerate(answers) if given[token] >= 0]
        return table.recipe(logits, [(int(row), value) for row, value in after])

    def _ids_after(self, follower: FollowedState, token: int) -> tuple[np.ndarray, np.ndarray]:
        """Whose the numbers of the state are after a token, and of the logits."""
        try:
            logits = self.followed(follower, token)
            ids = [follower.ids_left(tensor).reshape(-1).numpy() for tensor in self.state()]
            return np.concatenate(ids), follower.ids_left(logits).reshape(-1).numpy()
        except Refusal as refusal:
            raise NotCovered(str(refusal)) from None


class _Part(NamedTuple):
    """The numbers of a tensor, and whose they are."""

    values: np.ndarray
    ids: np.ndarray


class _Watching(FollowedState):
    """What both followers have in common."""

    def _make(
        self, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, outs: Sequence[torch.Tensor]
    ) -> None:
        if name not in _LOOKED_INTO or tensors_in(kwargs):
            raise Refusal("this operation is not looked into where a number is followed")
        parts = [
            _Part((value.detach().float() + 0).numpy(), self._read(now).expand(value.shape).numpy())
            if isinstance(now, torch.Tensor)
            else now
            for value, now in zip(given, args)
        ]
        plain = not any(value not in (None, 1) for value in kwargs.values())
        formats = {tensor.dtype for tensor in (*tensors_in(given), *outs)}
        whole = plain and len(outs) == 1 and not formats - {torch.float32, torch.bool}
        found = self._whose(name, parts, outs[0]) if whole else None
        if found is None:
            self._see([self._read(tensor).numpy() for tensor in tensors_in(args)])
            found = np.asarray(_BEHIND)
        for out in outs:
            self._put(in_place, out, torch.from_numpy(np.ascontiguousarray(found)).expand(out.shape))

    @abstractmethod
    def _see(self, ids: Sequence[np.ndarray]) -> None:
        """Something has read all of these."""

    @abstractmethod
    def _whose(self, name: str, parts: list[Any], out: torch.Tensor) -> np.ndarray | None:
        """Whose each number is that an operation without options makes; None where it is behind all that it reads."""


class _Reading(_Watching):
    """Beside each number its place in the state, as long as it was only moved.

    Attributes:
        reads: places of numbers that something reads.
    """

    def __init__(self, state: Sequence[torch.Tensor], ids: np.ndarray):
        super().__init__(state, ids)
        self.reads: set[int] = set()

    def _see(self, ids: Sequence[np.ndarray]) -> None:
        for part in ids:
            self.reads |= set(part[part >= 0].tolist())

    def _whose(self, name: str, parts: list[Any], out: torch.Tensor) -> np.ndarray | None:
        if name != "mul" or len(parts) != 2:
            return None
        x, y = _all_parts(parts, tuple(out.shape))
        silent = [(one.ids >= 0) & (by.ids == NOBODY) & (by.values == 0) for one, by in ((x, y), (y, x))]
        constant = (x.ids == NOBODY) & (y.ids == NOBODY)
        for part, off in ((x, silent[0]), (y, silent[1])):
            self._see([part.ids[~off]])
        return np.where(silent[0] | silent[1] | constant, NOBODY, _BEHIND)


class _Listing(_Watching):
    """Beside each number its row in the table; NOBODY where it is clean."""

    def __init__(self, state: Sequence[torch.Tensor], rows: np.ndarray, table: RecipeTable):
        super().__init__(state, rows)
        self.table = table

    def _see(self, ids: Sequence[np.ndarray]) -> None:
        for part in ids:
            self.table.seen |= set(part[part >= 0].tolist())

    def _whose(self, name: str, parts: list[Any], out: torch.Tensor) -> np.ndarray | None:
        if name in _PRODUCTS:
            return self._of_products(parts, out)
        if name == "rsub":
            name, parts = "sub", [*parts[1::-1], *parts[2:]]
        if name not in ONE_BY_ONE or (name == "bitwise_and" and out.dtype != torch.bool):
            return None
        if name in ("add", "sub") and parts[2:] == [1]:
            parts = parts[:2]
        if len(parts) != (3 if name == "masked_fill" else 1 if name in ("neg", "abs", "relu") else 2):
            return None
        return self._one_by_one(name, _all_parts(parts, tuple(out.shape)), out)

    def _one_by_one(self, name: str, operands: list[_Part], out: torch.Tensor) -> np.ndarray:
        behind = np.logical_or.reduce([part.ids == _BEHIND for part in operands])
        on = np.logical_or.reduce([part.ids >= 0 for part in operands]) & ~behind
        self._see([part.ids[behind] for part in operands])
        found, run = np.where(behind, _BEHIND, NOBODY), out.detach().float().numpy()
        for place in map(tuple, np.argwhere(on).tolist()):
            of = [(int(p.ids[place]), 0.0 if p.ids[place] >= 0 else float(p.values[place])) for p in operands]
            found[place] = self._row(name, tuple(of), float(run[place]))
        return found

    def _row(self, name: str, of: tuple[tuple[int, float], ...], run: float) -> int:
        try:
            return self.table.add(name, of, run)
        except ValueError as error:
            raise Refusal(str(error)) from None

    def _of_products(self, parts: list[Any], out: torch.Tensor) -> np.ndarray | None:
        """Of sums of products, with or without a bias."""
        x = _Part(*(end[..., :, None, :] for end in parts[-2]))
        y = _Part(*(np.swapaxes(end, -1, -2)[..., None, :, :] for end in parts[-1]))
        shape = np.broadcast_shapes(x.ids.shape, y.ids.shape)
        x, y = (_Part(*(np.broadcast_to(end, shape) for end in part)) for part in (x, y))
        silent = [(by.ids == NOBODY) & (by.values == 0) for by in (y, x)]
        heard = [(one.ids >= 0) & ~off for one, off in zip((x, y), silent)]
        behind = ((x.ids == _BEHIND) | (y.ids == _BEHIND)).any(axis=-1)
        clean = (x.ids == NOBODY) & (y.ids == NOBODY)
        more = (clean & (x.values != 0) & (y.values != 0)).any(axis=-1)
        for bias in parts[:-2]:
            behind = behind | np.broadcast_to(bias.ids != NOBODY, behind.shape)
            more = more | np.broadcast_to(bias.values != 0, behind.shape)
            self._see([bias.ids])
        count = (heard[0] | heard[1]).sum(axis=-1)
        alone = ~behind & ~more & (count == 1) & ~(heard[0] & heard[1]).any(axis=-1)
        for part, on in zip((x, y), heard):
            self._see([part.ids[on & ~alone[..., None]]])
        found, run = np.where(~behind & (count == 0), NOBODY, _BEHIND), out.detach().numpy()
        for place in map(tuple, np.argwhere(alone).tolist()):
            (term,) = np.flatnonzero(heard[0][place] | heard[1][place]).tolist()
            one, by = (x, y) if heard[0][place][term] else (y, x)
            of = (int(one.ids[place][term]), 0.0), (NOBODY, float(by.values[place][term]))
            found[place] = self._row("mul", of, float(run[place]))
        return found


def _all_parts(parts: list[Any], shape: tuple[int, ...]) -> list[_Part]:
    """Operands of one shape, of which some may be constants."""
    found = [
        part if isinstance(part, _Part) else _Part(np.asarray(np.float32(part)), np.asarray(NOBODY)) for part in parts
    ]
    return [_Part(*(np.broadcast_to(end, shape) for end in part)) for part in found]
