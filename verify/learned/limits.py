"""Where a Mamba ends up under u wⁿ s for ever larger n: in closed form, layer by layer, and then in a run.

While w is repeated the inputs of the first layer are periodic, so over one period each number of its state moves by one
affine map h -> a h + b; with a < 1 it tends to b / (1 - a), whatever u was.  What the layer gives out is then periodic
in turn, and the next layer follows.  In float32 a number stays what u made it where its gates round to 1 and what is
added is absorbed: it is *held*.  Limits are computed in float64, which proves nothing: a limit that is wrong says where
to look, and what refutes is a string that is run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from automata.machine import Machine
from verify.evidence.accuracy import accuracy
from verify.learned.part import part_of, read_to, short_loops
from verify.progress import NO_PROGRESS, Progress
from verify.verdict import REFUTED, UNDECIDED, Verdict, Witness

_STATES, _LOOP = 64, 3
_WARM = 120
"""Symbols of w w … that are run before it is looked at which numbers are held."""

_HELD = 2.0**-25
"""Below this part of a number, what is lost or added is rounded away in float32."""

_LONGEST, _CELLS = 20_000, 1 << 25
"""Symbols of a string that is run, and numbers of a state times its symbols."""

_RUN = 3
"""Wrong limits that are run."""

_FIRST, _CLOSE = 600, 0.05
"""Symbols of w w … in the first string that is run, and how close the last one comes to the shortest."""


@dataclass(frozen=True)
class Limit:
    """The answer to u wⁿ s for all large n, over the reals but for what float32 holds.

    Attributes:
        u, w, s: in symbols.
        wrong: whether it is not what is expected.
        kept: the most that a period leaves of a number that is not held; 0 where all are.
    """

    u: tuple[str, ...]
    w: tuple[str, ...]
    s: tuple[str, ...]
    wrong: bool
    kept: float

    def __str__(self) -> str:
        power = f"({' '.join(self.w)})^n" if len(self.w) > 1 else f"{self.w[0]}^n"
        return " ".join((*self.u, power, *self.s))


def sentence(found: list[Limit]) -> str:
    """What the limits are, in words."""
    wrong = [limit for limit in found if limit.wrong]
    if not found:
        return "no short word leads a state back to itself"
    said = f"{len(found)} limits of u w^n s for short w and s, over the reals but for what float32 holds: "
    if not wrong:
        return said + "all are right, which proves nothing"
    return said + f"{len(wrong)} are wrong, such as that of {min(wrong, key=lambda limit: limit.kept)}"


def limits(machine: Machine, model: Any, mode: str) -> list[Limit]:
    """The limits under the short words that lead a state back to itself, each with no and with one symbol after it.

    Args:
        model: a :class:`constructions.mamba.stepping.SteppedMamba` that runs a stock Mamba with silu; it cannot
            be stepped afterwards.
    """
    import torch

    from constructions.mamba.forks import Forks

    part = part_of(machine, mode, _STATES)
    loops = short_loops(part, _LOOP, model.batch)
    if not len(loops.states):
        return []
    place = np.array([model.alphabet.index(symbol) for symbol in part.alphabet])
    forks = Forks(model, len(loops.states))
    read_to(loops, forks, place)
    for i in range(_WARM):
        symbols = np.array([word[i % len(word)] for word in loops.words])
        forks.read(place[symbols], np.ones(len(symbols), dtype=bool))
    held = forks.caches()[1::2]
    numbers = _Numbers(model.runner.model)
    wanted = {name: i for i, name in enumerate(model.outputs)}
    found = []
    for size in sorted({len(word) for word in loops.words}):
        rows = np.array([i for i, word in enumerate(loops.words) if len(word) == size])
        for ending in ((), *((symbol,) for symbol in range(len(part.alphabet)))):
            states = part.after(loops.states[rows], ending)
            asked = rows[states >= 0]
            if not len(asked):
                continue
            words = np.array([(*loops.words[i], *ending) for i in asked])
            tokens = model.vocabulary.tokens[place[words]]
            logits, kept = numbers.settled(tokens, size, [h[asked] for h in held])
            given = model.reading.given(torch.from_numpy(logits), model.vocabulary.answers)
            for row, state, row_given, row_kept in zip(asked.tolist(), states[states >= 0].tolist(), given, kept):
                expected = np.zeros(len(wanted), dtype=bool)
                expected[[wanted[name] for name in part.expected[state]]] = True
                u, w = part.access[int(loops.states[row])], loops.words[row]
                wrong = bool(model.reading.wrong(expected, row_given, mode))
                found.append(Limit(part.spelled(u), part.spelled(w), part.spelled(ending), wrong, float(row_kept)))
    return found


def run_to_limits(
    machine: Machine, model: Any, mode: str, found: list[Limit], progress: Progress = NO_PROGRESS
) -> Verdict:
    """Runs strings whose limits are wrong, those first that come to their limits soonest, until one is wrong.

    Returns:
        ``refuted`` with the shortest string found, or ``undecided``: in floats the limit may never be reached.
    """
    wrong = sorted((limit for limit in found if limit.wrong), key=lambda limit: limit.kept ** (1 / len(limit.w)))
    caches = [tensor for tensors in model.runner.caches() for tensor in tensors]
    longest = min(_LONGEST, _CELLS // max(tensor[0].numel() for tensor in caches))
    best: Witness | None = None
    symbols = 0
    for limit in wrong[:_RUN]:
        if best is not None:
            break
        # n is doubled until the answer is wrong, and then made less, while that takes off more than a twentieth.
        right, n = 0, _FIRST // len(limit.w)
        while right < n <= (longest - len(limit.u) - len(limit.s)) // len(limit.w):
            word = limit.u + limit.w * n + limit.s
            symbols += len(word)
            progress.advance(len(word))
            witness = accuracy(machine, model.by_full_forward, [word], mode, [len(word)]).witness
            if witness is None:
                right, n = n, 2 * n if best is None else (n + len(best.word) // len(limit.w)) // 2
            else:
                best = witness
                n = (right + len(witness.word) // len(limit.w)) // 2
            if best is not None and n - right < _CLOSE * right:
                break
    explored = {"limits": len(found), "wrong in the limit": len(wrong), "symbols run": symbols}
    shown = f"in the limit of large n the answer to {wrong[0]} is wrong"
    if best is None:
        reason = f"{shown}, and up to {longest} symbols it is right: in floats the limit may never be reached"
        return Verdict(UNDECIDED, "limits", mode, model.arithmetic, explored, reason)
    return Verdict(REFUTED, "limits", mode, model.arithmetic, explored, f"{shown}, and so are runs towards it", best)


class _Numbers:
    """The weights of a stock Mamba in float64."""

    def __init__(self, model: Any):
        backbone = model.backbone
        self.epsilon = model.config.layer_norm_epsilon
        self.embedding, self.head = _double(backbone.embeddings.weight), _double(model.lm_head.weight)
        self.norm, self.layers = _double(backbone.norm_f.weight), [_Layer(block) for block in backbone.layers]

    def settled(self, tokens: np.ndarray, period: int, held: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The logits after words w s, read when w has been read very often.

        Args:
            tokens: shape (words, time), of which the first ``period`` are w.
            held: of each layer the state after many w, shape (words, inner, state).

        Returns:
            The logits, shape (words, vocabulary), and the most that one period keeps of a number that is not held,
            shape (words,).
        """
        hidden = self.embedding[tokens]
        kept = np.zeros(len(tokens))
        for layer, state in zip(self.layers, held):
            added, part = layer.settled(_scaled(hidden, layer.norm, self.epsilon), period, state)
            hidden, kept = hidden + added, np.maximum(kept, part)
        return _scaled(hidden[:, -1], self.norm, self.epsilon) @ self.head.T, kept


class _Layer:
    def __init__(self, block: Any):
        mixer = block.mixer
        self.norm = _double(block.norm.weight)
        self.inner, self.rank, self.state = mixer.intermediate_size, mixer.time_step_rank, mixer.ssm_state_size
        self.enter, self.enter_bias = _double(mixer.in_proj.weight), _double(mixer.in_proj.bias)
        self.kernel, self.kernel_bias = _double(mixer.conv1d.weight)[:, 0], _double(mixer.conv1d.bias)
        self.project = _double(mixer.x_proj.weight)
        self.step, self.step_bias = _double(mixer.dt_proj.weight), _double(mixer.dt_proj.bias)
        self.rates, self.skip = np.exp(_double(mixer.A_log)), _double(mixer.D)
        self.leave, self.leave_bias = _double(mixer.out_proj.weight), _double(mixer.out_proj.bias)

    def settled(self, normed: np.ndarray, period: int, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What the layer adds to its input, shape (words, time, width), and what a period keeps, shape (words,)."""
        time = normed.shape[1]
        entered = normed @ self.enter.T + self.enter_bias
        before, gate = entered[..., : self.inner], entered[..., self.inner :]
        taps = self.kernel.shape[1]
        # Before the first symbol w was read, over and over.
        places = np.arange(time)[:, None] + np.arange(1 - taps, 1)
        seen = before[:, np.where(places < 0, places % period, places)]
        x = _silu((seen * self.kernel.T).sum(axis=2) + self.kernel_bias)
        projected = x @ self.project.T
        delta = np.logaddexp(0, projected[..., : self.rank] @ self.step.T + self.step_bias)
        b, c = projected[..., self.rank : self.rank + self.state], projected[..., self.rank + self.state :]
        decay = -delta[..., None] * self.rates
        add = (delta * x)[..., None] * b[:, :, None]
        absorbed = np.abs(add) <= np.maximum(_HELD * np.abs(state[:, None]), np.finfo(np.float32).tiny)
        holds = (decay > -_HELD) & absorbed
        decay, add = np.where(holds, 0, decay), np.where(holds, 0, add)
        gates = np.exp(decay)
        h = np.zeros_like(state)
        for t in range(period):
            h = gates[:, t] * h + add[:, t]
        lost = decay[:, :period].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            h = np.where(lost == 0, state, h / -np.expm1(lost))
        read = []
        for t in range(time):
            h = gates[:, t] * h + add[:, t]
            read.append((h * c[:, t, None]).sum(axis=-1))
        given = (np.stack(read, axis=1) + self.skip * x) * _silu(gate)
        kept = np.where(lost == 0, 0, np.exp(lost)).max(axis=(1, 2))
        return given @ self.leave.T + self.leave_bias, kept


def _double(tensor: Any) -> Any:
    return 0.0 if tensor is None else tensor.detach().double().cpu().numpy()


def _scaled(hidden: np.ndarray, weight: np.ndarray, epsilon: float) -> np.ndarray:
    return hidden / np.sqrt((hidden**2).mean(axis=-1, keepdims=True) + epsilon) * weight


def _silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-np.clip(x, -700, None)))
