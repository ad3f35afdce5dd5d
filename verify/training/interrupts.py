"""Interrupts that wait until a step is over, so that what is saved then is whole."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Deferred:
    """While entered, a signal that ends the process is only noted; :meth:`deliver` hands it on.

    Signals are Python's in the main thread alone; elsewhere nothing is deferred.

    >>> with Deferred() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     interrupts.pending
    True
    """

    def __init__(self) -> None:
        self._noted: int | None = None
        self._handlers: dict[int, Any] = {}

    @property
    def pending(self) -> bool:
        return self._noted is not None

    def __enter__(self) -> Deferred:
        if threading.current_thread() is threading.main_thread():
            for number in _ENDINGS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers = {}

    def deliver(self) -> None:
        """Does what the noted signal would have done, if there is one."""
        if self._noted is not None:
            number, handlers = self._noted, self._handlers
            self.__exit__()
            handlers[number](number, None)

    def _note(self, number: int, _: FrameType | None) -> None:
        self._noted = number
