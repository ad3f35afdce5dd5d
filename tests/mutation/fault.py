"""A planted fault: one edit of the source, and the tests that have to see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One edit of one source file.

    Attributes:
        file: path from the root of the tree.
        old: text that occurs exactly once in the file.
        new: what is planted in its place.
        tests: pytest ids (a file, or file::test), at least one of which has to fail.
        why: the condition that is gone, in one phrase.
        equivalent: for an edit that changes no behaviour, the argument why; then no test has to fail.
    """

    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    why: str
    equivalent: str = ""

    def __post_init__(self) -> None:
        # A list reads better where faults are written down.
        object.__setattr__(self, "tests", (self.tests,) if isinstance(self.tests, str) else tuple(self.tests))

    def planted(self, source: str) -> str:
        """The source with the fault in it.

        Raises:
            ValueError: unless the old text is there exactly once.
        """
        count = source.count(self.old)
        if count != 1:
            raise ValueError(f"{self.file}: {self.old.strip().splitlines()[0]!r} occurs {count} times, expected once")
        return source.replace(self.old, self.new)
