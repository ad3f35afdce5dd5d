"""What the gates of an architecture can be, whatever its weights: in float32, as its configuration limits them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping

import numpy as np

from automata.errors import InputError

_ALL_GONE, _ALL_KEPT = 104.0, 2.0**-25
"""exp(-x) is exactly 0 in float32 from the first on, and exactly 1 up to the second."""


@dataclass(frozen=True)
class Gates:
    """What a state is multiplied by.

    Attributes:
        least, greatest: over all weights and inputs, rounded to float32.
        switches: whether one and the same gate can be exactly 0 on one symbol, and exactly 1 on another.
        time_invariant: whether no gate depends on the input.
        kept: the most that a gate keeps in a step which is 0 on other symbols, where it is not 1.
        notes: names of the configuration, and what they do.
    """

    least: float = 0.0
    greatest: float = 1.0
    switches: bool = True
    time_invariant: bool = False
    kept: float = 1.0
    notes: Mapping[str, str] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", dict(self.notes or {}))


def in_float32(number: float) -> float:
    """The nearest number of float32."""
    return float(np.float32(number))


def sigmoid_gates(cap: float | None, name: str) -> Gates:
    """A gate exp(logsigmoid(c tanh(x / c))), where a configuration caps it at c.

    >>> sigmoid_gates(15.0, "gate_soft_cap").least
    3.0590223332183086e-07
    >>> sigmoid_gates(1024.0, "gate_soft_cap").switches
    True
    """
    if cap is None:
        return Gates()
    below, above = -math.log1p(math.exp(-cap)) - cap, -math.log1p(math.exp(-cap))
    least = in_float32(math.exp(below)) if cap < _ALL_GONE else 0.0
    greatest = in_float32(math.exp(above))
    note = f"{cap:g}: the forget gate lies between sigmoid(-{cap:g}) and sigmoid({cap:g})"
    return Gates(least, greatest, least == 0 and greatest == 1, kept=greatest, notes={name: note})


def clamped_gates(least: float, greatest: float, name: str) -> Gates:
    """A gate exp(-delta e^A) whose delta is clamped; e^A is a weight of the gate.

    >>> clamped_gates(0.0, math.inf, "time_step_limit").switches
    True
    >>> gates = clamped_gates(0.001, 0.1, "time_step_limit")
    >>> gates.switches, round(gates.kept, 3)
    (False, 0.353)
    """
    if least == 0 and greatest == math.inf:
        return Gates()
    note = f"{least:g} to {greatest:g}: delta is clamped where a string is read at once, not in single decoding steps"
    if not greatest > 0:
        return Gates(1.0, 1.0, False, True, notes={name: note})
    # The rate at which the gate's greatest delta is just enough to forget all.
    rate = _ALL_GONE / min(greatest, float(np.finfo(np.float32).max))
    switches = least * rate <= _ALL_KEPT
    kept = 1.0 if switches else in_float32(math.exp(-least * rate))
    return Gates(0.0, 1.0, switches, kept=kept, notes={name: note})


def nonnegative(config: Mapping[str, Any], name: str, otherwise: float) -> float:
    """A number of a configuration, 0 or more.

    Raises:
        InputError: when it is none.
    """
    return _number(config.get(name, otherwise), name)


def interval(config: Mapping[str, Any], name: str) -> tuple[float, float]:
    """Two numbers of a configuration, 0 to infinity where it has none.

    Raises:
        InputError: when they are none, or in the wrong order.
    """
    found = config.get(name)
    if found is None:
        return 0.0, math.inf
    if not isinstance(found, (list, tuple)) or len(found) != 2:
        raise InputError(f"{name} is {str(found)[:40]!r}, expected two numbers")
    least, greatest = (_number(one, name) for one in found)
    if least > greatest:
        raise InputError(f"{name} goes from {least:g} down to {greatest:g}")
    return least, greatest


def named_float(name: Any) -> float:
    """A float for which JSON has no word, by the name that transformers writes in its place.

    >>> named_float("Infinity"), named_float("-Infinity"), named_float("NaN")
    (inf, -inf, nan)
    """
    return {"Infinity": math.inf, "-Infinity": -math.inf}.get(str(name), math.nan)


def _number(found: Any, name: str) -> float:
    if isinstance(found, dict) and set(found) == {"__float__"}:
        found = named_float(found["__float__"])
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not found >= 0:
        raise InputError(f"{name} is {str(found)[:40]!r}, expected a number that is not negative")
    try:
        return float(found)
    except OverflowError:
        raise InputError(f"{name} is a number of {len(str(found))} digits") from None
