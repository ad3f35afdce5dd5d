"""Proof for a Mamba: a search through the bytes of its own cache, by its own decoding steps (see :mod:`verify.checkpoints.search`)."""

from __future__ import annotations

from constructions.mamba.weights import MambaWeights
from verify.checkpoints.search import prove_mamba
from verify.claim import Claim
from verify.progress import Progress
from verify.verdict import Verdict


class CacheSearch:
    """Covers Mambas that were built here, whose certificate of exactness says what the search is worth."""

    name = "caches"
    title = "all reachable caches are compared, by the model's own decoding steps"
    unit = "joint states"

    def covers(self, claim: Claim) -> str:
        if not isinstance(claim.weights, MambaWeights):
            return "it reads the weights of a Mamba that was built here"
        if claim.construction is None:
            return "it has to know from which cascade the weights were lowered"
        return ""

    def cost(self, claim: Claim) -> float:
        return 0.0

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        return prove_mamba(
            claim.machine, claim.construction.cascade, claim.weights, claim.model, limit=claim.limit, progress=progress
        )


CACHES = CacheSearch()
