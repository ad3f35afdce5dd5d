"""Evidence ``closed``: how many pairs of machine and model state there are, for a checker that visits them all."""

from __future__ import annotations

from typing import Any

from automata.machine import RECOGNISE, Machine
from automata.machines.bounded_dyck import DyckMachine
from constructions.ssm.engine import Engine
from constructions.ssm.ranges import ranges
from constructions.ssm.weights import SSM
from verify.certificate.relation import template
from verify.methods.sticky import find_sticky
from verify.verdict import Verdict

MOST_PAIRS = 10_000_000
"""More are not announced: a checker would not visit them."""


def closed_evidence(ssm: SSM, machine: Machine, verdict: Verdict) -> dict[str, Any]:
    """The number of pairs; for a recogniser that drifts after a violation, what its states are then.

    Raises:
        NoCertificate: when such states cannot be described.
    """
    pairs = verdict.explored["joint states"]
    if isinstance(machine, DyckMachine):
        # A checker's stack keeps what was in a cell, which our search does not tell apart.
        pairs = min(MOST_PAIRS, pairs * machine.k ** min(machine.depth, 64))
    return {"closed": {"states": pairs, "dead": _dead(ssm, verdict.horizon) if ssm.mode == RECOGNISE else None}}


def _dead(ssm: SSM, horizon: int | None) -> dict[str, Any] | None:
    if not ssm.arithmetic.monotone:
        return None
    known = ranges(ssm)
    sticky = None if known.bounded else find_sticky(Engine(ssm))
    return None if sticky is None else template(ssm, known, sticky.column, horizon)
