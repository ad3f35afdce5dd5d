"""Within which bounds is each number of a step, where some numbers of the state are known by bounds alone?

A step of a model is run on one state, and each operation of torch is looked at as it is done
(:mod:`constructions.mamba.recorded`).  A number is *fixed* where nothing that it is made of is loose: it has the bits
of this run in every run of the same step that differs in loose numbers alone, but for the sign of zeros, since which
sums and products a kernel takes depends on no number, and 0 times what is finite adds 0.  All others are *loose*, and
have bounds (:mod:`verify.checkpoints.bounds_of_operations`).  Where both ends of a loose number are the same, it is
fixed again.  What the run has in its place must lie within its bounds, which is looked at in each operation; and no
bound is infinite.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

import numpy as np
import torch

from constructions.mamba.followed import NOBODY
from constructions.mamba.numbers_alone import Refusal, tensors_in
from verify.checkpoints.bounds_of_operations import RULES, LoosePart, MadeWithin, WideBounds
from verify.checkpoints.followed_state import FollowedState, SingleSteps
from verify.checkpoints.loose_table import LooseTable, Origin, Pairs, Ratios, TooWide, allowed, two_powers
from verify.learned.float32 import Bounds
from verify.numbers.boxes import NotCovered

_OF_TWO = "add", "sub", "rsub", "mul", "div", "maximum"
"""Operations on two operands, without options."""


class LooseStep(NamedTuple):
    """What a step makes of a state, of n numbers of which some are loose.

    Attributes:
        low, high: the state after it, (n,).
        made_of: of which loose numbers of the state before each number is made, (n, loose).
        ratios: of pairs of the state after it, (pairs, 2).
        answers: bounds of the logits that were asked for, (2, tokens).
        answers_made_of: (tokens, loose).
    """

    low: np.ndarray
    high: np.ndarray
    made_of: np.ndarray
    ratios: np.ndarray
    answers: np.ndarray
    answers_made_of: np.ndarray


class StepsOfBoxes(SingleSteps):
    """Steps of a model from boxes of its states, as :class:`verify.checkpoints.followed_state.SingleSteps`.

    Attributes:
        divided: pairs of numbers of a state of which one was divided by the other, and nothing known of them.
    """

    def __init__(self, runner: Any):
        super().__init__(runner)
        self.divided: set[tuple[int, int]] = set()

    def loose(
        self,
        low: np.ndarray,
        high: np.ndarray,
        ratios: Ratios,
        token: int,
        answers: Sequence[int],
        pairs: Pairs = (),
    ) -> LooseStep:
        """The bounds after one token.

        Args:
            low, high: of the state, (n,), float32.
            ratios: between which powers of two the first number of a pair is, divided by the second one.
            token, answers: which is read, and of which the logits are asked for.
            pairs: of which ratios are asked for.

        Raises:
            TooWide: where the same may be looked into of a smaller box.
            NotCovered: naming the operation that is not looked into here.
        """
        self.write(_inside(low, high, ratios))
        follower = _Followed(self.state(), low, high, ratios)
        try:
            logits = self.followed(follower, token)
            found = [follower.left(tensor) for tensor in self.state()]
            given = follower.left(logits)
        except Refusal as refusal:
            if follower.too_wide is not None:
                raise TooWide(str(refusal), follower.too_wide.made_of) from None
            raise NotCovered(str(refusal)) from None
        finally:
            self.divided |= follower.divided
        after = LoosePart(*(np.concatenate(parts) for parts in zip(*found)))
        between = np.array([follower.ratio(after, *pair) for pair in pairs]).reshape(-1, 2)
        of_answers = follower.made_of(given.rows[answers])
        ends = np.stack([given.low, given.high])[:, answers]
        return LooseStep(after.low, after.high, follower.made_of(after.rows), between, ends, of_answers)


def _inside(low: np.ndarray, high: np.ndarray, ratios: Ratios) -> np.ndarray:
    """A state between two, whose pairs have these ratios, as far as that is easily found."""
    ends = allowed(low, high, ratios)
    found = (ends[0].astype(np.float64) / 2 + ends[1].astype(np.float64) / 2).astype(np.float32)
    for (x, y), (least, greatest) in ratios.items():
        if found[y] > 0:
            found[x] = np.clip(found[x], least * found[y], greatest * found[y])
    return np.clip(found, low, high)


class _Followed(FollowedState):
    """Beside each number its row in the table of loose numbers, or NOBODY where it is fixed."""

    def __init__(self, state: Sequence[torch.Tensor], low: np.ndarray, high: np.ndarray, ratios: Ratios):
        self._loose = np.flatnonzero(low != high)
        rows: np.ndarray = np.full(len(low), NOBODY)
        rows[self._loose] = np.arange(len(self._loose))
        super().__init__(state, rows)
        known = {(int(rows[x]), int(rows[y])): ratio for (x, y), ratio in ratios.items() if min(rows[x], rows[y]) >= 0}
        self._table = LooseTable(low[self._loose], high[self._loose], known)
        self.too_wide: TooWide | None = None

    @property
    def divided(self) -> set[tuple[int, int]]:
        """Which numbers of the state, by place, were divided by which."""
        return {(int(self._loose[x]), int(self._loose[y])) for x, y in self._table.divided}

    def left(self, tensor: torch.Tensor) -> LoosePart:
        """What a step leaves in a tensor, flat."""
        return LoosePart(*(end.reshape(-1) for end in self._part(tensor, self.ids_left(tensor))))

    def made_of(self, rows: np.ndarray) -> np.ndarray:
        """Of which numbers of the state numbers of these rows are made."""
        found: np.ndarray = np.zeros((len(rows), len(self._loose)), dtype=bool)
        found[rows >= 0] = self._table.arrays[2][rows[rows >= 0]]
        return found

    def ratio(self, state: LoosePart, x: int, y: int) -> tuple[float, float]:
        """Between which powers of two one number of a state is, divided by another; by their rows, or else by their
        bounds.
        """
        if state.low[y] <= 0:
            return -np.inf, np.inf
        ends = [end / by for end in (state.low[x], state.high[x]) for by in (state.low[y], state.high[y])]
        plain = two_powers(Bounds(np.array(min(ends)), np.array(max(ends))))
        if state.rows[x] < 0 or state.rows[y] < 0:
            return plain
        known = self._table.ratio(int(state.rows[x]), int(state.rows[y]))
        return max(plain[0], known[0]), min(plain[1], known[1])

    def _part(self, values: torch.Tensor, rows: torch.Tensor) -> LoosePart:
        """The numbers of a tensor."""
        low, whose = (values.detach().double() + 0).numpy().copy(), rows.expand(values.shape).numpy()
        high, on = low.copy(), whose >= 0
        low[on], high[on] = (ends[whose[on]] for ends in self._table.arrays[:2])
        return LoosePart(low, high, whose)

    def _make(
        self, name: str, in_place: bool, given: Any, args: Any, kwargs: Any, outs: Sequence[torch.Tensor]
    ) -> None:
        """What an operation makes of loose numbers."""
        formats = {tensor.dtype for tensor in (*tensors_in(given), *outs)}
        if name not in RULES or tensors_in(kwargs) or formats - {torch.float32, torch.bool}:
            raise Refusal("this operation is not looked into where numbers are known by their bounds")
        parts = [
            self._part(value, self._read(now)) if isinstance(now, torch.Tensor) else now
            for value, now in zip(given, args)
        ]
        options = (*(part for part in parts if not isinstance(part, LoosePart)), *sorted(kwargs.items()))
        try:
            with np.errstate(all="ignore"):
                found = RULES[name](parts, given, kwargs, self._table)
        except WideBounds as wide:
            self.too_wide = TooWide(str(wide), self._table.arrays[2][wide.rows].any(axis=0))
            raise Refusal(str(wide)) from None
        for which, (made, out) in enumerate(zip(found, outs, strict=True)):
            rows = self._rows_of(name, (which, *map(repr, options)), made, out)
            self._put(in_place, out, rows)

    def _rows_of(self, name: str, rule: tuple, made: MadeWithin, out: torch.Tensor) -> torch.Tensor:
        """The rows of what an operation makes."""
        run, shape = out.detach().double().numpy(), tuple(out.shape)
        low, high = np.broadcast_to(made.low, shape), np.broadcast_to(made.high, shape)
        made_of, loose = self._reads(made, shape)
        infinite = loose & ~(np.isfinite(low) & np.isfinite(high))
        if infinite.any():
            self.too_wide = TooWide("a number may be infinite", made_of[infinite].any(axis=0))
            raise Refusal(str(self.too_wide))
        if not ((low <= run) & (run <= high))[loose].all():
            raise Refusal("a number is outside its bounds")
        loose &= low != high
        rows: np.ndarray = np.full(shape, NOBODY)
        for part, chosen in made.chosen:
            here = loose & np.broadcast_to(chosen & part.loose, shape)
            rows[here] = np.broadcast_to(part.rows, shape)[here]
            loose &= ~here
        if loose.any():
            origins = _origins(name, rule, made, loose)
            rows[loose] = self._table.add(origins, low[loose], high[loose], made_of[loose])
        return torch.from_numpy(rows)

    def _reads(self, made: MadeWithin, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Of which numbers of the state each result is made, (*shape, loose), and whether it is of any."""
        table = self._table.arrays[2]
        loose: np.ndarray = np.zeros(shape, dtype=bool)
        found: np.ndarray = np.zeros((*shape, table.shape[1]), dtype=bool)
        for part in made.each:
            rows = np.broadcast_to(part.rows, shape)
            loose |= rows >= 0
            found[rows >= 0] |= table[rows[rows >= 0]]
        for sequences, heard in made.many:
            on = np.broadcast_to(heard, (*shape, sequences.shape[-1]))
            sequences = np.broadcast_to(sequences, on.shape)
            loose |= on.any(axis=-1)
            for term in np.flatnonzero(on.reshape(-1, on.shape[-1]).any(axis=0)).tolist():
                here = on[..., term]
                found[here] |= table[sequences[..., term][here]]
        return found, loose


def _origins(name: str, rule: tuple, made: MadeWithin, loose: np.ndarray) -> list[Origin | None]:
    """Of each loose number."""
    if made.origins is not None:
        return [made.origins[place] for place in np.flatnonzero(loose.reshape(-1)).tolist()]
    if made.many:
        return [None] * int(loose.sum())
    operands = []
    for part in made.each:
        rows, values = (np.broadcast_to(end, loose.shape)[loose].tolist() for end in (part.rows, part.low))
        operands.append([(row, 0.0) if row >= 0 else (NOBODY, value) for row, value in zip(rows, values)])
    # A constant is among the operands.
    options = () if name in _OF_TWO else rule
    return [Origin(name, of, rule=options) for of in zip(*operands)]
