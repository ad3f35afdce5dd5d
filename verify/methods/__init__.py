"""Ways to prove a claim, one object each, in one registry.

A method says whether it speaks about a claim, what it would cost, and then proves, refutes, or gives up with a reason.
To add one, write a file with a class that has these members and hand an instance to ``METHODS.register``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from automata.registry import Registry

if TYPE_CHECKING:
    from verify.claim import Claim
    from verify.progress import Progress
    from verify.verdict import Verdict


class Method(Protocol):
    """A way to prove a claim.

    Attributes:
        name: what ``--method`` takes.
        title: one line that says how it proves.
        unit: what its progress counts.
    """

    name: str
    title: str
    unit: str

    def covers(self, claim: Claim) -> str:
        """Empty when the method speaks about the claim, else why it does not."""

    def cost(self, claim: Claim) -> float:
        """About how many transitions a search of the same cost follows; infinite where nothing is known."""

    def run(self, claim: Claim, progress: Progress) -> Verdict:
        """The verdict; ``undecided`` where the method gives up."""


METHODS = Registry(
    "method",
    {
        "search": "verify.methods.search:SEARCH",
        "levels": "verify.methods.levels:LEVELS",
        "relation": "verify.methods.relation.method:RELATION",
        "induction": "verify.methods.induction.method:INDUCTION",
        "caches": "verify.methods.cache:CACHES",
        "invariant": "verify.methods.invariant:INVARIANT",
        "drift": "verify.methods.drift:DRIFT_SEARCH",
    },
)
"""All methods by name."""
