"""Progress on the terminal for work that takes more than a second."""

from __future__ import annotations

import sys
from typing import Iterable, TypeVar

Item = TypeVar("Item")


class Progress:
    """A line on standard error that appears after one second and is erased at the end.

    >>> with Progress("joint states", quiet=True) as progress:
    ...     progress.advance(10, frontier=3)
    """

    def __init__(self, unit: str, total: int | None = None, quiet: bool = False):
        self.unit, self.total, self.quiet = unit, total, quiet
        self._bar = None

    def __enter__(self) -> "Progress":
        if not self.quiet:
            from tqdm import tqdm

            self._bar = tqdm(total=self.total, unit=f" {self.unit}", unit_scale=True, delay=1, miniters=0, leave=False, file=sys.stderr)
        return self

    def __exit__(self, *_) -> None:
        if self._bar is not None:
            self._bar.close()

    def advance(self, amount: int, **notes: int) -> None:
        """So much more is done; the notes are shown beside the count."""
        if self._bar is not None:
            if notes:
                self._bar.set_postfix(notes, refresh=False)
            self._bar.update(amount)


NO_PROGRESS = Progress("", quiet=True)


def each(items: Iterable[Item], progress: Progress) -> Iterable[Item]:
    """The items, counting each as done when the next is asked for."""
    for item in items:
        yield item
        progress.advance(1)
