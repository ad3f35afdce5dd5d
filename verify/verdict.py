"""What every check returns, and the four words that never blur.

``proved``     holds for every string of the mode named (up to ``horizon`` symbols where one is given);
``refuted``    a witness string is shown on which the model is wrong;
``tested``     no disagreement on the strings tried, which is not a proof;
``undecided``  the check gave up, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PROVED, REFUTED, TESTED, UNDECIDED = "proved", "refuted", "tested", "undecided"
EXIT_STATUS = {PROVED: 0, TESTED: 0, REFUTED: 1, UNDECIDED: 3}
BAD_INPUT = 2


@dataclass(frozen=True)
class Witness:
    """A string on which a model is wrong.

    Attributes:
        word: the symbols; the disagreement is after the last one.
        expected: what the machine gives (legal symbols, or ACCEPT or nothing).
        given: what the model gives.
    """

    word: tuple[str, ...]
    expected: frozenset[str]
    given: frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check.

    Attributes:
        outcome: "proved", "refuted", "tested" or "undecided".
        method: how, in a word or two: "search", "induction", "random strings", ...
        mode: "predictive" or "recognise".
        arithmetic: in which arithmetic, by name.
        explored: what was looked at, by name: joint states, transitions, strings, obligations, ...
        reason: one sentence; for ``undecided`` what stopped it.
        witness: for ``refuted`` of a single model.
        horizon: for ``proved``, the longest strings covered, None when every length is.
        repeat: the command or seed that does it again.
    """

    outcome: str
    method: str
    mode: str
    arithmetic: str
    explored: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    witness: Witness | None = None
    horizon: int | None = None
    repeat: str = ""

    def __post_init__(self) -> None:
        if self.outcome not in EXIT_STATUS:
            raise ValueError(f"{self.outcome!r} is not an outcome")
        if (self.outcome == REFUTED) != (self.witness is not None):
            raise ValueError("a refutation has a witness, and nothing else has one")

    @property
    def exit_status(self) -> int:
        """0 holds, 1 refuted, 3 neither (2 is bad input)."""
        return EXIT_STATUS[self.outcome]

    def to_json(self) -> dict:
        """Plain values for a JSON report; sets become sorted lists."""
        witness = self.witness and {
            "word": list(self.witness.word),
            "expected": sorted(self.witness.expected),
            "given": sorted(self.witness.given),
        }
        return {
            "outcome": self.outcome,
            "method": self.method,
            "mode": self.mode,
            "arithmetic": self.arithmetic,
            "explored": self.explored,
            "reason": self.reason,
            "witness": witness,
            "horizon": self.horizon,
            "repeat": self.repeat,
        }


def worst(verdicts: list[Verdict]) -> int:
    """The exit status of several checks together: refuted beats undecided beats holds."""
    statuses = {verdict.exit_status for verdict in verdicts}
    return next(status for status in (1, 3, 0) if status in statuses)
