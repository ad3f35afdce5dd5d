"""A process that does not outlive the one that it works for."""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Has the kernel end this process when the parent is gone, however that ended (on Linux; elsewhere nothing is
    done).

    Args:
        parent: the number of the process that started this one.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the kernel was asked
        os._exit(128 + signal.SIGKILL)


def serve_only(parent: int) -> None:
    """Makes this process a worker: an interrupt is for the parent, which then ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(parent)
