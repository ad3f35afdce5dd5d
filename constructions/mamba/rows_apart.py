"""A stepped model whose rows are alike: many strings are stepped at once, and what is found holds of each one alone.

Every operation of every step is looked at.  Its result depends on its numbers alone, whatever the order of a sum and
the place of a number (:mod:`constructions.mamba.numbers_alone`).  The first step is taken by one row alone, too: each
row reads what that one does (:mod:`constructions.mamba.followed_rows`), and all further steps do the same operations
(:mod:`constructions.mamba.same_operations`), as one row alone does at the 2nd step, the 4th, the 8th and so on.  By
induction over its operations, a step of one row alone then gives that row's bits, but for the sign of zeros.  A step of
which that is not seen raises :class:`~constructions.mamba.numbers_alone.Refusal`.

States that differ only in numbers of which nothing depends are one (:mod:`constructions.mamba.what_matters`): that is
found out of the first step, and what it rests on is looked at in every further one.
"""

from __future__ import annotations

from copy import copy
from typing import Any, Callable, Sequence

import numpy as np
import torch

from constructions.mamba.followed import Made
from constructions.mamba.followed_rows import FollowedRows
from constructions.mamba.numbers_alone import Refusal
from constructions.mamba.recorded import Recorder, recorded
from constructions.mamba.same_operations import SameOperations
from constructions.mamba.stepping import SteppedMamba, as_outputs
from constructions.mamba.what_matters import Silent
from constructions.ssm.engine import Outputs

_MOST_KEPT = 1 << 18
"""Steps of which it is kept what they gave."""


class MoreMatters(Exception):
    """More of a state matters than was thought, so that other states are one: a search has to begin anew."""


class RowsApart(SteppedMamba):
    """A batched model, as its base is.

    What a step makes of each state is kept, so that the same step is not taken again.  Once the first step is taken,
    two states that differ only in what does not matter are one (:mod:`constructions.mamba.what_matters`).

    Args:
        model: what is stepped, whose states these are, too; its cache is gone.
        batch: rows of a step.

    Raises:
        Refusal: here and while stepping, where rows may matter to each other.
    """

    def __init__(self, model: SteppedMamba, batch: int):
        self._recorder: Recorder | None = None
        self._given_of: dict[bytes, np.ndarray] = {}
        self._taken: dict[tuple[bytes, int], tuple[np.ndarray, np.ndarray]] = {}
        self._matters: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._glancing = False
        self._begun = _copied(SteppedMamba(model.runner, model.vocabulary, 1, model.reading))
        super().__init__(model.runner, model.vocabulary, batch, model.reading)
        if not _same(self._begun, [tensor[:1] for tensor in _copied(self)]):
            raise Refusal("one row alone begins in another state")
        self._table = model._table
        self._first = self.read(1), self._first[1]
        runner: Any = model.runner
        self._recorder = Recorder(runner.model, getattr(runner, "attending", ()))
        self._made, self._steps, self._single = Made(), 0, copy(runner)
        self._operations, self._alone = SameOperations(self._made), SameOperations(self._made)
        self._watcher = Recorder(runner.model, getattr(runner, "attending", ()), only=True)

    @property
    def conditions(self) -> str:
        """As of any, and why they are those of one row, too."""
        assert self._recorder is not None, "it is there as soon as the model is"
        seen, read = self._recorder.numbers, [read for read, _ in self._matters]
        apart = (
            f", each with the bits of one string alone: {seen.sums} sums of at most {seen.largest:g} units, and "
            f"functions of {seen.values} numbers, depend on the numbers alone"
        )
        rows = "" if self._glancing else apart
        matter = f"{sum(int(one.sum()) for one in read)} of {sum(one.numel() for one in read)}"
        return f"{super().conditions}{rows}; states are told apart by the {matter} numbers that matter"

    def glance(self, on: bool) -> None:
        """Whether steps are only glanced at, which is quick: what silences numbers of a state is 0 in them."""
        self._glancing, self._taken = on, {}

    def advance(self, rows: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, Outputs]:
        """As of any; steps that were looked at before are not taken again."""
        if self._glancing:
            return super().advance(rows, words)
        given = np.empty((*words.shape, len(self.outputs)), dtype=bool)
        for t in range(words.shape[1]):
            keys = [(row.tobytes(), symbol) for row, symbol in zip(rows, words[:, t].tolist())]
            new = [place for place, key in enumerate(keys) if key not in self._taken]
            old = [place for place, key in enumerate(keys) if key in self._taken]
            stepped = np.empty_like(rows)
            stepped[new], found = super().advance(rows[new], words[new, t : t + 1])
            given[new, t] = found.dense()[:, 0]
            for place in old:
                stepped[place], given[place, t] = self._taken[keys[place]]
            if len(self._taken) < _MOST_KEPT:
                self._taken.update((keys[place], (stepped[place], given[place, t].copy())) for place in new)
            rows = stepped
        return rows, as_outputs(given)

    def read(self, count: int) -> np.ndarray:
        """As of any, 0 in the place of all numbers that do not matter."""
        return self._rows([t[:count] for t in _flat(self.runner)]) if self._matters else super().read(count)

    def rows_with(self, numbers: np.ndarray) -> np.ndarray:
        """As of any, 0 in the place of all numbers that do not matter."""
        layers = self._table.layers_with(numbers)
        return (
            self._rows([tensor for layer in layers for tensor in layer]) if self._matters else self._table.rows(layers)
        )

    def _run(self, step: Callable[[torch.Tensor], torch.Tensor], tokens: np.ndarray) -> torch.Tensor:
        if self._recorder is None:
            return super()._run(step, tokens)
        if self._glancing:
            return self._glanced(torch.from_numpy(tokens[:, None]))
        read = torch.from_numpy(tokens[:, None])
        self._steps += 1
        if self._steps & (self._steps - 1):
            return self._recorded(self.runner, read, [self._operations, self._silent])
        first, row = self._steps == 1, self._steps % self.batch
        known: dict[bytes, int] = {}
        one, many = FollowedRows(known, self._made), FollowedRows(known, self._made)
        state = [tensor.clone() for tensor in _flat(self.runner)]
        self._begin_in(self._single, [tensor[row : row + 1] for tensor in state])
        left = [self._recorded(self._single, read[row : row + 1], [one, self._alone] if first else [self._alone])]
        left = [tensor.clone() for tensor in (*left, *_flat(self._single))]
        self._begin_in(self.runner, state)
        self._recorder.idle_reads = [] if first else None
        logits = self._recorded(self.runner, read, [many if first else self._silent, self._operations])
        if one.reads != many.reads:
            raise Refusal("one row alone goes through other operations")
        if not _same(left, [tensor[row : row + 1] for tensor in (logits, *_flat(self.runner))]):
            raise Refusal("one row alone gives other numbers")
        if first:
            self._see(many)
        return logits

    def _glanced(self, tokens: torch.Tensor) -> torch.Tensor:
        """As :meth:`_recorded`, but that nothing is looked at but what silences numbers."""
        self._watcher.followers = [self._silent]
        self._silent.follow(())
        with recorded(self._watcher):
            logits = self.runner.step(tokens)
        if self._silent.heard:
            for heard in self._silent.heard:
                self._what.heard(*heard)
            self._tell_apart()
            raise MoreMatters
        return logits

    def _see(self, step: FollowedRows) -> None:
        """What matters of a state is found out."""
        assert self._recorder is not None and self._recorder.idle_reads is not None, "the step was looked at"
        self._what, self._multiplied = step.what_matters(self._recorder.idle_reads), step.multiplied
        self._recorder.idle_reads = None
        self._tell_apart()
        self._check_finite(_flat(self.runner))

    def _tell_apart(self) -> None:
        """From now on states are told apart by what matters."""
        self._taken, self._silent = {}, Silent(self._what.silencers, self._multiplied)
        examples = [tensor[0] for tensor in _flat(self.runner)]
        ends = np.cumsum([tensor.numel() for tensor in examples])[:-1]
        parts = zip(examples, np.split(self._what.read, ends), np.split(self._what.silenced, ends))
        self._matters = [
            (torch.from_numpy(read).view(example.shape), torch.from_numpy(silenced).view(example.shape))
            for example, read, silenced in parts
        ]
        self._check_finite(self._begun[1:])
        self._first = self._rows(self._begun[1:]), self._first[1]

    def _rows(self, state: Sequence[torch.Tensor]) -> np.ndarray:
        """The numbers of these states, by what matters of them."""
        tensors = iter([tensor.masked_fill(~read, 0) for tensor, (read, _) in zip(state, self._matters)])
        return self._table.rows([[next(tensors) for _ in layer] for layer in self.runner.caches()])

    def _check_finite(self, state: Sequence[torch.Tensor]) -> None:
        """What is silenced must be finite: 0 times infinity is not 0."""
        for tensor, (_, silenced) in zip(state, self._matters):
            if not bool(torch.isfinite(tensor[:, silenced]).all()):
                raise Refusal("a number that is multiplied by 0 is not finite")

    def _begin_in(self, runner: Any, state: Sequence[torch.Tensor]) -> None:
        """A batch of as many rows as the state has, in that state."""
        if len(_flat(runner)[0]) != len(state[0]):
            super()._run(runner.start, np.full(len(state[0]), self.vocabulary.bos))
        for tensor, values in zip(_flat(runner), state, strict=True):
            tensor.copy_(values)

    def _recorded(self, runner: Any, tokens: torch.Tensor, followers: Sequence[Any]) -> torch.Tensor:
        """The logits of a step, every operation of which is looked at."""
        assert self._recorder is not None, "steps are taken when it is there"
        self._recorder.followers = followers
        self._recorder.unread = getattr(runner, "counts_of_steps", list)()
        self._made.begin()
        for follower in followers:
            follower.follow([tokens, *_flat(runner)])
        with recorded(self._recorder):
            logits = runner.step(tokens)
        given = [logits, *_flat(runner)]
        self._recorder.numbers.settled(given)
        for follower in followers:
            follower.give(given)
        self._check_finite(given[1:])
        if self._matters and self._silent.heard:
            raise Refusal("what silenced a number of the state in one step is not 0 in another")
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
