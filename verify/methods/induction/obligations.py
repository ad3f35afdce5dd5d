"""What became of the obligations of an inductive proof."""

from __future__ import annotations

from dataclasses import dataclass, field

FAILURES_KEPT = 24


@dataclass
class Result:
    """How many single facts were checked, and which did not hold.

    Attributes:
        facts: so many were looked at.
        failures: those that fail, each with a model state (at most a fixed number is kept).
        unknown: what the solver gave no answer to, in words.
    """

    facts: int = 0
    failures: list = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def add(self, failure) -> None:
        """Notes a failure."""
        if len(self.failures) < FAILURES_KEPT:
            self.failures.append(failure)
