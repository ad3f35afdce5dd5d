"""The time that a command takes, counted from when its process began."""

from __future__ import annotations

import os
import time

_began = time.perf_counter()


def begin(age: float = 0.0) -> None:
    """Counts from so many seconds ago."""
    global _began
    _began = time.perf_counter() - age


def seconds() -> float:
    """The time since then."""
    return time.perf_counter() - _began


def process_age() -> float:
    """Seconds since this process was started; those that it has worked, where the system does not say when that was."""
    try:
        with open("/proc/self/stat", "rb") as file:
            # The name, in parentheses, may hold anything; the start is the 20th field after it.
            started = int(file.read().rpartition(b")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError, AttributeError):
        return time.process_time()
