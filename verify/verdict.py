"""What every check returns, and the four words that never blur.

``proved``     holds for every string of the mode named (up to ``horizon`` symbols where one is given);
``refuted``    a witness string is shown on which the model is wrong;
``tested``     no disagreement on the strings tried, which is not a proof;
``undecided``  the check gave up, with the reason.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape

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
class Pumped:
    """The string u w^n v, written short.

    >>> str(Pumped(("a",), ("b", "c"), 1000, ())), str(Pumped((), ("1",), 3, ("0",)))
    ('a (b c)^1000', '1^3 0')
    """

    u: tuple[str, ...]
    w: tuple[str, ...]
    n: int
    v: tuple[str, ...]

    @property
    def length(self) -> int:
        """Symbols of the string, which may be too many for ``len``."""
        return len(self.u) + len(self.w) * self.n + len(self.v)

    def __str__(self) -> str:
        power = f"({' '.join(self.w)})^{self.n}" if len(self.w) > 1 else f"{self.w[0]}^{self.n}"
        return " ".join((*self.u, power, *self.v))

    @property
    def word(self) -> tuple[str, ...]:
        """The symbols, one by one."""
        return self.u + self.w * self.n + self.v


@dataclass(frozen=True)
class Way:
    """One of the ways to run the same model, and what is known of it.

    Attributes:
        name: "single steps", "prefill", "full forward" or "in pieces": several tokens at once after others.
        outcome: as of a verdict.
        reason: a few words.
        strings: on how many it was run, None where it is proved without.
        same: on how many of these every number was the same as by single steps.
    """

    name: str
    outcome: str
    reason: str
    strings: int | None = None
    same: int | None = None


@dataclass(frozen=True, repr=False)
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
        relation: for a proof by induction: the relation of machine and model states that every step keeps, a sentence
            each.
        pair: for ``refuted``: two strings of which the model must get one wrong, where they are too long for a witness.
        horizon: for ``proved``, the longest strings covered, None when every length is.
        repeat: the command or seed that does it again.
        ways: for a model that can be run in several ways: of which it is proved, and what is known of the others.
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
    pair: tuple[Pumped, Pumped] | None = None
    relation: tuple[str, ...] = ()
    ways: tuple[Way, ...] = ()

    def __post_init__(self) -> None:
        if self.outcome not in EXIT_STATUS:
            raise ValueError(f"{self.outcome!r} is not an outcome")
        if (self.outcome == REFUTED) != (self.witness is not None or self.pair is not None):
            raise ValueError("a refutation has a witness or a pair of strings, and nothing else has one")

    @property
    def exit_status(self) -> int:
        """0 holds, 1 refuted, 3 neither (2 is bad input)."""
        return EXIT_STATUS[self.outcome]

    @property
    def looked_at(self) -> str:
        """What was looked at, in words.

        >>> Verdict("undecided", "search", "recognise", "float32", {"loose numbers": 1, "boxes": 2}).looked_at
        '1 loose number, 2 boxes'
        """
        return ", ".join(so_many(count, name) for name, count in self.explored.items())

    def __repr__(self) -> str:
        explored = ", ".join(f"{name} {count}" for name, count in self.explored.items())
        shown = [f"{self.outcome}, {self.method}, {self.mode}, {self.arithmetic}: {self.reason}", explored]
        if self.witness is not None:
            shown.insert(1, f"wrong on {' '.join(self.witness.word[:60]) or 'the empty string'}")
        if self.horizon is not None:
            shown.insert(1, f"up to {self.horizon} symbols")
        return f"Verdict({'; '.join(part for part in shown if part)})"

    def _repr_html_(self) -> str:
        """A table, for notebooks."""
        rows: dict[str, object] = {
            "outcome": self.outcome,
            "method": self.method,
            "mode": self.mode,
            "arithmetic": self.arithmetic,
            "because": self.reason,
        }
        rows.update(self.explored)
        if self.horizon is not None:
            rows["strings of up to"] = f"{self.horizon} symbols"
        if self.relation:
            rows["the relation"] = "; ".join(self.relation)
        for way in self.ways:
            rows[way.name] = f"{way.outcome}: {way.reason}"
        if self.witness is not None:
            rows["wrong on"] = " ".join(self.witness.word[:60]) or "the empty string"
            rows["expected"], rows["given"] = (
                " ".join(sorted(found)) or "nothing" for found in (self.witness.expected, self.witness.given)
            )
        cells = "".join(
            f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items()
        )
        return f"<table>{cells}</table>"

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
            "relation": list(self.relation),
            "pair": self.pair and [asdict(string) for string in self.pair],
            "ways": [asdict(way) for way in self.ways],
        }


def so_many(count: int, things: str) -> str:
    """The count with the name of what is counted, of which the first word in the plural becomes one where it is 1.

    >>> [so_many(count, name) for count, name in ((2, "joint states"), (1, "steps of boxes"), (1, "boxes"))]
    ['2 joint states', '1 step of boxes', '1 box']
    >>> so_many(1, "Myhill-Nerode classes")
    '1 Myhill-Nerode class'
    """
    words = things.split()
    place = next((place for place, word in enumerate(words) if word.endswith("s")), 0)
    if count == 1:
        words[place] = words[place].removesuffix("es" if words[place].endswith(("xes", "sses")) else "s")
    return f"{count} {' '.join(words)}"


def worst(verdicts: list[Verdict]) -> int:
    """The exit status of several checks together: refuted beats undecided beats holds."""
    statuses = {verdict.exit_status for verdict in verdicts}
    return next(status for status in (1, 3, 0) if status in statuses)
