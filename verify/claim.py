"""What is to be proved: a machine, a question, a model that is run, and what is known of how it was built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automata.machine import Machine
from constructions.compile.compiler import Construction

JOINT_STATE_LIMIT = 5_000_000
"""Joint states after which a search gives up, unless told otherwise."""


@dataclass(frozen=True)
class Claim:
    """ "On every string of the mode, the model gives what the machine gives."

    Attributes:
        machine: the ground truth.
        mode: "predictive" or "recognise".
        model: anything that runs in batches (:class:`constructions.target.Model`).
        weights: the arrays that the model runs, where there are any; inductions read them.
        construction: the cascade that the weights were lowered from, where it is known.  Methods may take from it how
            to look,
            never what is true: whatever a proof rests on is checked on the weights.
        limit: joint states after which a search gives up.
    """

    machine: Machine
    mode: str
    model: Any
    weights: Any = None
    construction: Construction | None = None
    limit: int = JOINT_STATE_LIMIT
