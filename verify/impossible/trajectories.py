"""PARITY before one's eyes: what a nonnegative model does on 1, 1, 1, …, why, and what changes when a condition goes.

Source: Sarrof, Veitsman, Hahn 2024, Theorem 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator

import numpy as np

from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.weights import SSM

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANDOM_FAMILIES = (("fixed:2", "affine"), ("fixed:8", "affine"), ("float32", "sigmoid"), ("float64", "exp-softplus"))
"""Arithmetics and gates of the random models that are shown."""


# -- the mechanism ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trajectories:
    """A run on w, w, w, ….

    Attributes:
        names: of the state coordinates, all layers.
        states: as numbers, shape (periods + 1, coordinates): after BOS u w^n for n = 0, 1, ….
        answers: the model's outputs there.
    """

    names: tuple[str, ...]
    states: np.ndarray
    answers: tuple[frozenset[str], ...]

    def steady_from(self, i: int) -> tuple[int, float]:
        """The first n from which coordinate i changes by the same amount in every step seen, and that amount.

        >>> run = Trajectories(("h",), np.array([[0.0], [3.0], [4.0], [4.0]]), ())
        >>> run.steady_from(0)
        (2, 0.0)
        """
        steps = np.diff(self.states[:, i])
        different = np.flatnonzero(steps != steps[-1])
        return (int(different[-1]) + 1 if len(different) else 0), float(steps[-1])

    def fate(self, i: int) -> str:
        """What coordinate i does in the end, in words.

        >>> Trajectories(("h",), np.array([[0.0], [3.0], [4.0], [4.0], [4.0]]), ()).fate(0)
        'constant from n = 2'
        """
        start, step = self.steady_from(i)
        if start >= len(self.states) - 2:
            return f"still moving at n = {len(self.states) - 1}"
        return (
            f"constant from n = {start}" if step == 0 else f"from n = {start} on it changes by {step:g} in every step"
        )

    @property
    def settled_from(self) -> int | None:
        """The first n from which every coordinate is constant or grows steadily; None when that is not seen before the
        end.
        """
        start = max(self.steady_from(i)[0] for i in range(len(self.names)))
        return start if start < len(self.states) - 2 else None


def trajectories(engine: Engine, w=("1",), periods: int = 64, u=()) -> Trajectories:
    """Runs the model on u and then so many times w, from the start."""
    state, outputs = engine.begin(1)
    if u:
        state, outputs = engine.advance(state, engine.encode(u))
    word = engine.encode(w)
    states, answers = [state[0]], [engine.names(outputs.dense()[0, -1])]
    for _ in range(periods):
        state, outputs = engine.advance(state, word)
        states.append(state[0])
        answers.append(engine.names(outputs.dense()[0, -1]))
    scale = 2.0**-engine.ssm.arithmetic.unit_bits
    return Trajectories(engine.ssm.state_names, np.array(states).astype(np.float64) * scale, tuple(answers))


def random_models(
    seed: int, count: int, families=RANDOM_FAMILIES, depths=(1, 4), widths=(1, 16)
) -> Iterator[tuple[str, Engine]]:
    """Random nonnegative models of the bounded family, depths and widths uniform, families in turn, each with its
    name.
    """
    rng = np.random.default_rng(seed)
    for number in range(count):
        arithmetic, gates = families[number % len(families)]
        depth, width = (int(rng.integers(low, high, endpoint=True)) for low, high in (depths, widths))
        model = random_ssm(int(rng.integers(0, 2**31)), depth, width, Arithmetic.parse(arithmetic), gates)
        yield f"{depth} x {width}, {gates} gates, {arithmetic}", Engine(model)


# -- the symbolic reason ------------------------------------------------------------------------------


def symbolic_reason() -> dict[str, str]:
    """Why one channel settles, by sympy: its closed form, checked; monotone for a >= 0, alternating for a < 0.

    >>> list(symbolic_reason())
    ['h_n for a != 1', 'h_n for a = 1', 'recurrence', 'h_(n+1) - h_n', 'a >= 0', 'a < 0']

    Raises:
        AssertionError: when sympy cannot confirm a line.
    """
    import sympy

    b, start = sympy.symbols("b h_0", real=True)
    n = sympy.Symbol("n", integer=True, nonnegative=True)
    gate = sympy.Symbol("a", real=True)

    def closed(n, a):
        return a**n * start + b * (1 - a**n) / (1 - a)

    counter = start + n * b
    _confirm(sympy.simplify(gate * closed(n, gate) + b - closed(n + 1, gate)) == 0)
    _confirm(sympy.simplify(closed(0, gate) - start) == 0)
    _confirm(sympy.simplify(counter + b - counter.subs(n, n + 1)) == 0 and counter.subs(n, 0) == start)
    _confirm(sympy.limit(closed(n, gate), gate, 1).equals(counter))
    first = (gate - 1) * start + b
    step = sympy.simplify(closed(n + 1, gate) - closed(n, gate) - gate**n * first)
    _confirm(step == 0)
    nonnegative = sympy.Symbol("a", nonnegative=True)
    _confirm((nonnegative**n).is_nonnegative is True)
    size = sympy.Symbol("c", positive=True)
    even = sympy.Symbol("m", integer=True, nonnegative=True)
    _confirm(sympy.simplify((-size) ** (2 * even)).is_positive is True)
    _confirm(sympy.simplify((-size) ** (2 * even + 1)).is_negative is True)
    return {
        "h_n for a != 1": str(closed(n, gate)),
        "h_n for a = 1": str(counter),
        "recurrence": "a h_n + b - h_(n+1) = 0 for both, and the second is the limit of the first",
        "h_(n+1) - h_n": f"a**n*({first}): all steps have the sign of the first, times that of a**n",
        "a >= 0": "a**n >= 0 for all n: monotone, so in finite precision it becomes constant, or it grows for ever",
        "a < 0": "a**n > 0 for even n and < 0 for odd n: the steps alternate, and with a = -1 they never fade",
    }


def _confirm(holds: bool) -> None:
    if not holds:
        raise AssertionError("sympy does not confirm the closed form")


# -- the small case -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SmallCase:
    """All one-layer models of width 1 in ``fixed:P`` with small numbers.

    Attributes:
        models: how many there are.
        pairs: for each k, how many models answer alike on 1^k and 1^(k+1), k the least.
    """

    models: int
    pairs: dict[int, int]


def small_case(bits: int) -> SmallCase:
    """Enumerates h -> floor(a h + b) with a threshold on h, and finds each model's pair of words.

    For each symbol the gate a runs over 0 … 2 and the increment b over -1 … 1, and so do the state after BOS and the
    threshold, in units of 2^-bits; the model accepts when h is at least the threshold, or when it is below.

    >>> small_case(1)
    SmallCase(models=31250, pairs={0: 24300, 1: 6950})
    """
    unit = 1 << bits
    gates, numbers = np.arange(0, 2 * unit + 1), np.arange(-unit, unit + 1)
    # Axes: the symbol 1 (gate, increment), the symbol 0 (gate, increment), the state after BOS, the threshold.
    axes = np.meshgrid(gates, numbers, gates, numbers, numbers, numbers, indexing="ij", sparse=True)
    gate, increment, h, threshold = axes[0], axes[1], axes[4], axes[5]
    shape = np.broadcast_shapes(*(axis.shape for axis in axes))
    pairs: dict[int, int] = {}
    open_ = np.ones(shape, dtype=bool)
    k, before = 0, h >= threshold
    while open_.any():
        h = (gate * h >> bits) + increment
        after = h >= threshold
        found = open_ & (before == after)
        # Accepting below the threshold instead answers alike in the same places.
        if found.any():
            pairs[k] = 2 * int(found.sum())
        open_ &= ~found
        k, before = k + 1, after
    return SmallCase(2 * int(np.prod(shape)), pairs)


# -- the contrast -------------------------------------------------------------------------------------


def contrasts(arithmetic: Arithmetic | None = None) -> dict[str, SSM]:
    """Four models that do PARITY, each with one condition of the theorem less: which one, and the weights.

    Args:
        arithmetic: of those that can have it (``fixed:4`` by default); the others take ``fixed:4``, or integers modulo
            2.
    """
    from constructions.paper.parity_models import parity, rounding_parity, unbounded_parity, wrapping_parity
    from constructions.ssm.signed import lower_signed

    arithmetic = arithmetic or Arithmetic("fixed", 4)
    fixed = arithmetic if arithmetic.kind == "fixed" else Arithmetic("fixed", 4)
    wrap = arithmetic if arithmetic.kind == "wrap" else Arithmetic("wrap", 1)
    return {
        "a gate of -1": lower_signed(parity(), arithmetic),
        "gate 1, integers that wrap round": wrapping_parity(wrap),
        "gates 0 and 1, a layer that reads an unbounded feature": unbounded_parity(fixed),
        "gate 1, half of an unbounded state rounded before the clip": rounding_parity(fixed),
    }


# -- pictures -----------------------------------------------------------------------------------------


def panels_figure(runs: list[tuple[str, Trajectories]]) -> "Figure":
    """The states over n, one panel for each run."""
    from verify.show.pictures.canvas import new_figure

    rows = (len(runs) + 1) // 2
    figure = new_figure(11, 2.6 * rows, layout="constrained")
    panels = figure.subplots(rows, min(2, len(runs)), squeeze=False).ravel()
    for panel, (title, run) in zip(panels, runs):
        for i, name in enumerate(run.names):
            panel.plot(run.states[:, i], marker=".", markersize=3, linewidth=0.8, label=name)
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("n", fontsize=8)
        panel.tick_params(labelsize=8)
        if len(run.names) <= 6:
            panel.legend(fontsize=7)
    for panel in panels[len(runs) :]:
        panel.set_axis_off()
    return figure
