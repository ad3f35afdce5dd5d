"""Progress on the terminal for work that takes more than a second."""

from __future__ import annotations

import sys
from typing import Callable, Iterable, TypeVar

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
        if not self.quiet and sys.stderr is not None:
            from tqdm import tqdm

            self._bar = tqdm(total=self.total, unit=f" {self.unit}", unit_scale=True, delay=1, miniters=0, leave=False, file=sys.stderr)
        return self

    def __exit__(self, *_) -> None:
        self._show(lambda bar: bar.close())

    def advance(self, amount: int, **notes: int) -> None:
        """So much more is done; the notes are shown beside the count."""
        if notes:
            self._show(lambda bar: bar.set_postfix(notes, refresh=False))
        self._show(lambda bar: bar.update(amount))

    def _show(self, change: Callable) -> None:
        """Does this to the line; one that cannot be written is no reason to give the work up."""
        if self._bar is None:
            return
        try:
            change(self._bar)
        except (OSError, ValueError):
            self._bar.disable = True
            self._bar = None


NO_PROGRESS = Progress("", quiet=True)


def each(items: Iterable[Item], progress: Progress) -> Iterable[Item]:
    """The items, counting each as done when the next is asked for."""
    for item in items:
        yield item
        progress.advance(1)
