"""The method of inductive invariants of boxes, for stock Mambas that nobody need have compiled."""

from __future__ import annotations

import math

from verify.claim import Claim
from verify.learned.invariant import prove_running, verdict_of
from verify.progress import Progress
from verify.verdict import Verdict


class InvariantOfBoxes:
    """Covers stock Mambas in float32, trained or compiled."""

    name = "invariant"
    title = "boxes of caches, one automaton state each, are closed under every symbol (stock Mamba)"
    unit = "steps"

    def covers(self, claim: Claim) -> str:
        config = getattr(getattr(getattr(claim.model, "runner", None), "model", None), "config", None)
        if getattr(config, "model_type", None) != "mamba":
            return "it speaks about stock Mambas: add --target mamba"
        return ""

    def cost(self, claim: Claim) -> float:
        """Unknown before it is tried; the search through the model's own caches is tried first."""
        return math.inf

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        found = prove_running(claim.model, claim.machine, claim.mode, progress=progress)
        return verdict_of(found, claim.model, claim.machine, claim.mode)


INVARIANT = InvariantOfBoxes()
