"""Pictures of a run and of memory: the named state over a string, and bits used beside the lower bound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

from automata.machine import BOS
from constructions.ssm import reference
from constructions.ssm.engine import Engine
from constructions.ssm.weights import SSM
from verify.show.pictures.canvas import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def run_figure(ssm: SSM, word: Sequence[str]) -> "Figure":
    """Gates and state of every named coordinate over a string: columns are steps (BOS first), rows coordinates.

    Runs the reference step, so what is shown is what the weights do.
    """
    state, gates, states = reference.start(ssm), [], []
    for symbol in (BOS, *word):
        state, step = reference.step_with_gates(ssm, state, symbol)
        gates.append([float(v) for layer in step for v in layer])
        states.append([float(v) for layer in state.h for v in layer])
    steps, rows = len(states), ssm.hidden_size
    figure, axes = _axes(2, 2 * (1.6 + 0.42 * steps), 1.2 + 0.32 * rows)
    for axis, title, values, colours in zip(
        axes, ("gate (1 holds)", "state after the step"), (gates, states), ("Greys_r", "Blues")
    ):
        axis.imshow(list(zip(*values)), cmap=colours, aspect="auto", vmin=0)
        axis.set_title(title)
        axis.set_xticks(range(steps), [BOS, *word], rotation=60, ha="right")
        axis.set_yticks(range(rows), ssm.state_names)
        for t, column in enumerate(values):
            top = max(max(max(v) for v in values), 1)
            for i, value in enumerate(column):
                dark = (value < 0.5) if axis is axes[0] else value > 0.6 * top
                axis.text(t, i, f"{value:g}", ha="center", va="center", fontsize=8, color="white" if dark else "black")
    return figure


def trajectory_figure(ssm: SSM, word: Sequence[str], points: int = 400) -> "Figure":
    """Every named coordinate as a line over a long string, looked at about ``points`` times."""
    engine = Engine(ssm)
    state, _ = engine.begin(1)
    codes = engine.encode(word)
    places, values = [0], [state[0].tolist()]
    every = max(1, len(word) // points)
    for first in range(0, len(word), every):
        state, _ = engine.advance(state, codes[:, first : first + every])
        places.append(min(first + every, len(word)))
        values.append(state[0].tolist())
    figure, (axis,) = _axes(1, 8, 3.4)
    for name, line in zip(ssm.state_names, zip(*values)):
        axis.plot(places, line, label=name)
    axis.set_xlabel("symbols read")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def memory_figure(along: str, values: Sequence[int], used: Sequence[float], bound: Sequence[float]) -> "Figure":
    """Bits used by a family of models beside the least number of bits that any predictor needs.

    Args:
        along: what grows.
        values: its values.
        used, bound: bits, one for each value.
    """
    figure, (axis,) = _axes(1, 6, 3.4)
    axis.plot(values, used, "o-", label="used", color="#1f5f99")
    axis.plot(values, bound, "s--", label="lower bound", color="#888888")
    axis.set_xlabel(along)
    axis.set_ylabel("bits")
    axis.set_ylim(0)
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def _axes(count: int, width: float, height: float):
    figure = new_figure(width, height, layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])
