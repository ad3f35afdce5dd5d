"""A stepped model whose rows are alike: many strings are stepped at once, and what is found holds of each one alone.

Every operation of every step is looked at.  Its result depends on its numbers alone, whatever the order of a sum and
the place of a number (:mod:`constructions.mamba.numbers_alone`).  The first step is taken by one row alone, too: each
row reads what that one does (:mod:`constructions.mamba.followed_rows`), and all further steps do the same operations
(:mod:`constructions.mamba.same_operations`), as one row alone does at the 2nd step, the 4th, the 8th and so on.  By
induction over its operations, a step of one row alone then gives that row's bits, but for the sign of zeros.  A step of
which that is not seen raises :class:`~constructions.mamba.numbers_alone.Refusal`.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np
import torch

from constructions.mamba.followed import Made
from constructions.mamba.followed_rows import FollowedRows
from constructions.mamba.numbers_alone import Refusal
from constructions.mamba.recorded import Recorder, recorded
from constructions.mamba.same_operations import SameOperations
from constructions.mamba.stepping import SteppedMamba


class RowsApart(SteppedMamba):
    """A batched model, as its base is.

    Args:
        model: what is stepped; its cache is gone.
        batch: rows of a step.

    Raises:
        Refusal: here and while stepping, where rows may matter to each other.
    """

    def __init__(self, model: SteppedMamba, batch: int):
        self._recorder: Recorder | None = None
        self._given_of: dict[bytes, np.ndarray] = {}
        first = _copied(SteppedMamba(model.runner, model.vocabulary, 1, model.reading))
        super().__init__(model.runner, model.vocabulary, batch, model.reading)
        if not _same(first, [tensor[:1] for tensor in _copied(self)]):
            raise Refusal("one row alone begins in another state")
        runner: Any = model.runner
        self._recorder = Recorder(runner.model, getattr(runner, "attending", ()))
        self._made, self._steps = Made(), 0
        self._operations, self._alone = SameOperations(self._made), SameOperations(self._made)

    @property
    def conditions(self) -> str:
        """As of any, and why they are those of one row, too."""
        assert self._recorder is not None, "it is there as soon as the model is"
        seen = self._recorder.numbers
        return (
            f"{super().conditions}, each with the bits of one string alone: {seen.sums} sums of at most "
            f"{seen.largest:g} units, and functions of {seen.values} numbers, depend on the numbers alone"
        )

    def _run(self, step: Callable[[torch.Tensor], torch.Tensor], tokens: np.ndarray) -> torch.Tensor:
        if self._recorder is None:
            return super()._run(step, tokens)
        read = torch.from_numpy(tokens[:, None])
        self._steps += 1
        if self._steps & (self._steps - 1):
            return self._recorded(read, [self._operations])
        first = self._steps == 1
        known: dict[bytes, int] = {}
        one, many = FollowedRows(known, self._made), FollowedRows(known, self._made)
        row = self._steps % self.batch
        state = [tensor.clone() for tensor in _flat(self.runner)]
        self._begin_in([tensor[row : row + 1] for tensor in state])
        left = [self._recorded(read[row : row + 1], [one, self._alone] if first else [self._alone])]
        left = [tensor.clone() for tensor in (*left, *_flat(self.runner))]
        self._begin_in(state)
        logits = self._recorded(read, [many, self._operations] if first else [self._operations])
        if one.reads != many.reads:
            raise Refusal("one row alone goes through other operations")
        if not _same(left, [tensor[row : row + 1] for tensor in (logits, *_flat(self.runner))]):
            raise Refusal("one row alone gives other numbers")
        return logits

    def _begin_in(self, state: Sequence[torch.Tensor]) -> None:
        """A batch of as many rows as the state has, in that state."""
        super()._run(self.runner.start, np.full(len(state[0]), self.vocabulary.bos))
        for tensor, values in zip(_flat(self.runner), state, strict=True):
            tensor.copy_(values)

    def _recorded(self, tokens: torch.Tensor, followers: Sequence[FollowedRows | SameOperations]) -> torch.Tensor:
        """The logits of a step, every operation of which is looked at."""
        assert self._recorder is not None, "steps are taken when it is there"
        self._recorder.followers = followers
        self._recorder.unread = getattr(self.runner, "counts_of_steps", list)()
        self._made.begin()
        for follower in followers:
            follower.follow([tokens, *_flat(self.runner)])
        with recorded(self._recorder):
            logits = self.runner.step(tokens)
        given = [logits, *_flat(self.runner)]
        self._recorder.numbers.settled(given)
        for follower in followers:
            follower.give(given)
        return logits

    def _given(self, logits: torch.Tensor, count: int) -> np.ndarray:
        """As of any; what is given is read off the logits of each row alone."""
        keys = [row.tobytes() for row in (logits[:count] + 0).double().numpy()]
        for number, key in enumerate(keys):
            if key not in self._given_of:
                self._given_of[key] = super()._given(logits[number : number + 1], 1)[0]
        return np.stack([self._given_of[key] for key in keys])


def with_rows_apart(model: SteppedMamba, batch: int) -> RowsApart | None:
    """The same model in batches of another size; None where it takes one row at a time, or its operations cannot be
    looked at.  Its cache is gone.
    """
    here = model.batch > 1 and model.runner.device.type == "cpu" and hasattr(model.runner, "model")
    return RowsApart(model, batch) if here else None


def _flat(runner: Any) -> list[torch.Tensor]:
    """The tensors of a state."""
    return [tensor for layer in runner.caches() for tensor in layer]


def _copied(model: SteppedMamba) -> list[torch.Tensor]:
    """The logits after BOS, and the state."""
    return [torch.from_numpy(model.first_logits)[None], *(tensor.clone() for tensor in _flat(model.runner))]


def _same(first: Sequence[torch.Tensor], second: Sequence[torch.Tensor]) -> bool:
    """Whether all numbers are the same ones, in the same formats."""
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(first, second, strict=True))
