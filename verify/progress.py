"""Progress on standard error for work that takes more than a second."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Callable, Iterable, Iterator, TextIO, TypeVar

from verify import clock

_Item = TypeVar("_Item")

DELAY, BEAT = 1.0, 1.0
"""Seconds until the line appears, and between two looks at the clock where nothing else moves it."""

_AHEAD, _STARTED = 0.1, 0.7
"""Seconds that an announcement comes before the line, and by how many more it comes earlier where the command has taken
so long already: its imports were silent.
"""

_COLUMNS, _ROWS = 80, 24
"""Of a terminal that does not say, as one that a program has opened often does not: it would be shown nothing."""


class _Announcement:
    """What is to be said before the first line of progress, and whether it was."""

    def __init__(self) -> None:
        self.text, self.said = "", False
        self.say: Callable[[str], object] = print
        self.lock = threading.Lock()


_announcement = _Announcement()


def announce(text: str = "", say: Callable[[str], object] = print) -> None:
    """Has this said before the first line of progress: quick work says nothing of itself until it is done.  What was
    announced before is forgotten.
    """
    global _announcement
    _announcement = _Announcement()
    _announcement.text, _announcement.say = text, say


def announced(text: str) -> bool:
    """Whether this was announced and said already; otherwise it is not said any more."""
    with _announcement.lock:
        said = bool(text) and _announcement.said and _announcement.text == text
        _announcement.text = ""
        return said


def _say_first() -> None:
    found = _announcement
    with found.lock:
        if found.text and not found.said:
            found.said = True
            with suppress(OSError, ValueError):  # who prints next meets the same, in a thread that can end the work
                found.say(found.text)


class Progress:
    """A line on standard error that appears after one second, shows that time passes, and is erased at the end.

    It moves whether or not the work says how far it is, since a thread of its own looks at the clock.  On a terminal
    it is drawn up to ten times a second, elsewhere (a file, a pipe) once a second.

    Args:
        unit: what is counted; where it is empty only the time is shown.
        total: how many there will be, where that is known.
        quiet: show nothing.
        phase: what is being done.

    >>> with Progress("joint states", quiet=True, phase="proof") as progress:
    ...     progress.advance(10, frontier=3)
    """

    def __init__(self, unit: str = "", total: int | None = None, quiet: bool = False, phase: str = ""):
        self.unit, self.total, self.phase = unit, total, phase
        self.quiet = quiet
        self._bar = None
        self._over = threading.Event()
        self._clock: threading.Thread | None = None

    def __enter__(self) -> "Progress":
        if not self.quiet and sys.stderr is not None:
            from tqdm import tqdm

            self._bar = tqdm(
                desc=self.phase or None,
                total=self.total,
                unit=f" {self.unit}",
                unit_scale=True,
                bar_format=None if self.unit else "{desc}: {elapsed}",
                delay=DELAY,
                miniters=0,
                mininterval=0.1 if sys.stderr.isatty() else BEAT,
                smoothing=0,  # looks at the clock would else count as work, and what takes minutes as done in seconds
                leave=False,
                ncols=_columns(sys.stderr),
                nrows=_ROWS,
                file=sys.stderr,
            )
            self._clock = threading.Thread(target=self._tick, daemon=True)
            self._clock.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        if self._clock is not None:
            self._clock.join()
        self._show(lambda bar: bar.close())

    def advance(self, amount: int, **notes: int) -> None:
        """So much more is done; the notes are shown beside the count."""
        if notes:
            self._show(lambda bar: bar.set_postfix(notes, refresh=False))
        self._show(lambda bar: bar.update(amount))

    def _tick(self) -> None:
        early = max(0.0, DELAY - _AHEAD - min(clock.seconds(), _STARTED))
        if not self._over.wait(early):
            _say_first()
        wait = max(_AHEAD, DELAY - early)
        while not self._over.wait(wait):
            self.advance(0)
            wait = BEAT

    def _show(self, change: Callable) -> None:
        """Does this to the line; one that cannot be written is no reason to give the work up."""
        bar = self._bar
        if bar is None:
            return
        try:
            change(bar)
        except (OSError, ValueError):
            bar.disable = True
            self._bar = None


def _columns(stream: TextIO) -> int | None:
    """How wide a terminal is; None for anything else."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


NO_PROGRESS = Progress("", quiet=True)


@contextmanager
def started(model: AbstractContextManager[_Item], quiet: bool = False) -> Iterator[_Item]:
    """What this gives, with progress until it does: to load PyTorch takes seconds."""
    with ExitStack() as running:
        with Progress(phase="starting the model", quiet=quiet):
            entered = running.enter_context(model)
        yield entered


def each(items: Iterable[_Item], progress: Progress) -> Iterable[_Item]:
    """The items, counting each as done when the next is asked for."""
    for item in items:
        yield item
        progress.advance(1)
