"""Proof for a Mamba: a search through the bytes of its own cache, by its own decoding steps (see
:mod:`verify.checkpoints.search`).
"""

from __future__ import annotations

from constructions.mamba.weights import MambaWeights
from constructions.recurrent.cells import CellWeights
from constructions.stock.weights import StockWeights
from constructions.target import TARGETS
from verify.checkpoints.drifting_states import searched_further
from verify.checkpoints.search import prove_mamba
from verify.checkpoints.ways import run_otherwise
from verify.claim import Claim
from verify.methods.hopeless import search_within
from verify.progress import Progress
from verify.verdict import Verdict

HOPELESS_LIMIT = 5_000
"""Joint states of a search that cannot close, since the language has more classes than the limit allows."""

_ANY = 1 << 62
"""Longer than any string that is asked for."""


class CacheSearch:
    """Covers stock models that were built here.

    Of a Mamba a certificate of exactness says that every other way to run it gives the same; of the others what is
    proved is proved of single steps, and the other ways are run on a few strings.
    """

    name = "caches"
    title = "all reachable caches are compared, by the model's own decoding steps"
    unit = "joint states"

    def covers(self, claim: Claim) -> str:
        if isinstance(claim.weights, (StockWeights, CellWeights)):
            return ""
        if not isinstance(claim.weights, MambaWeights):
            return "it reads the weights of a stock model that was built here"
        if claim.construction is None:
            return "it has to know from which cascade the weights were lowered"
        return ""

    def cost(self, claim: Claim) -> float:
        return 0.0

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        """A search that cannot close within the limit stops early: it can only refute, for which short strings do."""
        return search_within(claim, HOPELESS_LIMIT, lambda limit: self._search(claim, limit, progress))

    def _search(self, claim: Claim, limit: int, progress: Progress) -> Verdict:
        if isinstance(claim.weights, (StockWeights, CellWeights)):
            exact = _exact(claim)
            verdict = searched_further(
                claim.machine, claim.model, claim.mode, limit=limit, exact=exact, progress=progress
            )
            return run_otherwise(claim.machine, claim.model, claim.mode, verdict)
        assert claim.construction is not None, "as covers() says"
        return prove_mamba(
            claim.machine, claim.construction.cascade, claim.weights, claim.model, limit=limit, progress=progress
        )


def _exact(claim: Claim) -> int | None:
    """How long strings may be on which the counters of a stock model are exact; None where all may be."""
    if not isinstance(claim.weights, StockWeights) or claim.construction is None:
        return None
    found = TARGETS.named(claim.weights.architecture.name).longest(claim.weights, claim.construction, _ANY)
    return None if found == _ANY else found


CACHES = CacheSearch()
