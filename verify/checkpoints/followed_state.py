"""Whose the numbers of a model's state are while a step is run: what a step finds in its cache, and leaves there.

What an operation makes of numbers that are followed is another question in each proof
(:mod:`verify.checkpoints.bounds_of_steps`, :mod:`verify.checkpoints.listed_steps`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Sequence

import numpy as np
import torch

from constructions.mamba.followed import MOVED, NOBODY, Followed
from constructions.mamba.numbers_alone import DIVIDES, MADE, Refusal, tensors_in
from constructions.mamba.recorded import Recorder, recorded
from verify.numbers.boxes import NotCovered

UNKNOWN = -2
"""In the place of whose a number is: nobody has written it yet."""


class SingleSteps:
    """Steps of a model from states that are given.

    Args:
        runner: a stock model in float32, started with one row, which each step changes.

    Raises:
        NotCovered: for another format, or device.
    """

    def __init__(self, runner: Any):
        self._runner = runner
        state = self.state()
        if runner.device.type != "cpu" or any(tensor.dtype != torch.float32 for tensor in state):
            raise NotCovered("only states in float32 are followed, on a CPU")
        if any(len(tensor) != 1 for tensor in state):
            raise NotCovered("only states of one row are followed")
        self._recorder = Recorder(runner.model, runner.attending, only=True)

    def state(self) -> list[torch.Tensor]:
        """Its tensors, as the model has them now."""
        return [tensor for layer in self._runner.caches() for tensor in layer]

    def read(self) -> np.ndarray:
        """All numbers of the state that the model has now, -0 as 0."""
        return np.concatenate([(tensor + 0).reshape(-1).numpy() for tensor in self.state()])

    def write(self, state: np.ndarray) -> None:
        """Gives the model a state, (n,)."""
        first = 0
        for tensor in self.state():
            tensor.copy_(torch.from_numpy(state[first : first + tensor.numel()]).reshape(tensor.shape))
            first += tensor.numel()

    def exact(self, state: np.ndarray, token: int) -> tuple[np.ndarray, torch.Tensor]:
        """The state after one token, and its logits."""
        self.write(state)
        with torch.no_grad():
            logits = self._runner.step(torch.tensor([[token]]))
        return self.read(), logits[0]

    def followed(self, follower: "FollowedState", token: int) -> torch.Tensor:
        """The logits after one token from the state that the model has, each operation looked at.

        Raises:
            Refusal: naming the operation that is not looked into.
        """
        self._recorder.followers = [follower]
        self._recorder.unread = self._runner.counts_of_steps()
        with recorded(self._recorder):
            logits: torch.Tensor = self._runner.step(torch.tensor([[token]]))
        return logits


class FollowedState(Followed, ABC):
    """Beside each number of a step whose it is.

    Args:
        state: the tensors of the state, in float32.
        ids: whose their numbers are, (n,).
    """

    def __init__(self, state: Sequence[torch.Tensor], ids: np.ndarray):
        super().__init__()
        self._begin()
        first = 0
        for tensor in state:
            here = torch.from_numpy(ids[first : first + tensor.numel()]).reshape(tensor.shape)
            first += tensor.numel()
            base = tensor._base
            if base is None:
                self._keep(tensor, here)
                continue
            if base not in self._ids:
                self._keep(base, torch.tensor(NOBODY))
            self._of_base(base, tensor).copy_(here)

    def _of_base(self, base: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        offset = view.storage_offset() - base.storage_offset()
        return self._ids[base].as_strided(view.shape, view.stride(), offset)

    def ids_left(self, tensor: torch.Tensor) -> torch.Tensor:
        """Whose the numbers are that a step leaves in a tensor.

        Raises:
            Refusal: where nothing has written them.
        """
        if tensor in self._ids:
            ids: torch.Tensor = self._ids[tensor]
        elif tensor._base is not None and tensor._base in self._ids:
            ids = self._of_base(tensor._base, tensor)
        else:
            raise Refusal("the state is left in a tensor that nothing has written")
        return _written(ids)

    def _read(self, tensor: torch.Tensor) -> torch.Tensor:
        """Whose the numbers are that an operation reads."""
        return _written(self._id(tensor))

    @abstractmethod
    def _make(
        self, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, outs: Sequence[torch.Tensor]
    ) -> None:
        """What an operation makes of numbers some of which are somebody's."""

    def look(self, func: Any, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, result: Any) -> None:
        """As :meth:`constructions.mamba.followed_tokens.FollowedTokens.look`."""
        outs, read = tensors_in(result), tensors_in((args, kwargs))
        if in_place and args[0] not in self._ids:
            raise Refusal("it writes into a tensor that was there before")
        if name in DIVIDES and not all(bool(torch.isfinite(out).all()) for out in outs):
            raise Refusal("a number is divided by 0, which may be -0 elsewhere")
        if name in MADE:
            for out in outs:
                self._keep(out, torch.tensor(UNKNOWN if "empty" in name else NOBODY))
        elif name in MOVED:
            if len({tensor.dtype for tensor in (*read, *outs)}) > 1 and self._any(read):
                raise Refusal("a number that is followed is brought to another format")
            self._move(func, name, args, kwargs, result)
        elif any(tensor in self._ids and bool((self._ids[tensor] != NOBODY).any()) for tensor in read):
            self._make(name, in_place, given, args, kwargs, outs)
        elif not in_place and any(found.alias_info is not None for found in func._schema.returns):
            raise Refusal("this operation is not looked into")
        else:
            for out in outs:
                self._put(in_place, out, torch.tensor(NOBODY))

    def _put(self, in_place: bool, out: torch.Tensor, ids: torch.Tensor) -> None:
        """Whose the numbers of a result are."""
        if in_place or out in self._ids:
            self._ids[out].copy_(ids)
        else:
            self._keep(out, ids)


def _written(ids: torch.Tensor) -> torch.Tensor:
    if bool((ids == UNKNOWN).any()):
        raise Refusal("it reads what nothing has written")
    return ids
