"""The command runs in a child process, so that an interrupt ends it whatever it is doing.

Compiled code (a solver, NumPy, an import) does not look at Python's signals, and libraries swallow the exception that
an interrupt becomes.  So the first process starts a second one and does nothing but wait.  It passes an interrupt on,
and kills a child that has not left GRACE seconds later.  When it is killed itself, the kernel ends the child.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Callable

from automata.processes import end_with

GRACE = 1.2
"""Seconds for a child to clean up in."""

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_asked: list[int] = []
"""The signal that asked this child to leave, once one did."""


def supervised(work: Callable[[], int], say: Callable[[str], object]) -> int:
    """Runs the work in a child process; returns its exit status, or 128 + N when signal N ended it.

    In the child this returns as well, with what ``work`` returned.  Only Linux has what is needed; elsewhere the work
    is simply done here.

    Args:
        work: returns an exit status.
        say: tells the user why the child ended, where it cannot say so itself.
    """
    if sys.platform != "linux":
        return work()
    # What was ignored when this process began, as in a job in the background, stays so.
    passed_on = {number for number in _ENDINGS if signal.getsignal(number) != signal.SIG_IGN}
    watched = {*passed_on, signal.SIGCHLD}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    child = os.fork()
    if child == 0:
        end_with(parent)
        for number in passed_on:
            signal.signal(number, _leave)
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
            status = work()
        except BaseException:
            # Before the work looked after it, or as another exception: ctypes makes one of what meets it in a call.
            if not _asked:
                raise
            if _asked[0] == signal.SIGINT:
                say("interrupted")
            status = 128 + _asked[0]
        if _asked:
            # Everything is tidied up, but libraries that were interrupted take long to unload.
            with suppress(OSError, ValueError, AttributeError):
                sys.stdout.flush()
            atexit._run_exitfuncs()
            os._exit(status)
        for number in passed_on:
            signal.signal(number, signal.SIG_IGN)
        return status
    return _wait(child, watched, say)


def _leave(number: int, _) -> None:
    """In the child: ends the work at the next step of Python, once."""
    _asked.append(number)
    for each in _ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    # Objects that were half made complain as they are thrown away.
    sys.unraisablehook = lambda _: None
    leave_if_asked()


def leave_if_asked() -> None:
    """Raises KeyboardInterrupt, or SystemExit for other signals, where a signal asked this child to leave.

    For whoever handles other exceptions: a library may have made one of these two into one of its own.
    """
    if _asked:
        raise KeyboardInterrupt if _asked[0] == signal.SIGINT else SystemExit(128 + _asked[0])


def _wait(child: int, watched: set, say: Callable[[str], object]) -> int:
    asked = None
    until = 0.0
    while True:
        arrived = (
            signal.sigwaitinfo(watched)
            if asked is None
            else signal.sigtimedwait(watched, max(0.0, until - time.monotonic()))
        )
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if arrived is not None and arrived.si_signo == signal.SIGCHLD:
            continue  # it was stopped, or goes on
        if asked is None and arrived is not None:
            asked, until = arrived.si_signo, time.monotonic() + GRACE
            os.kill(child, asked)
        else:  # its time is up, or it was asked again
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            break
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return code
    if asked is not None:
        if asked == signal.SIGINT and -code == signal.SIGKILL:  # it could not say so itself
            say("interrupted")
        return 128 + asked
    out_of_memory = -code == signal.SIGKILL
    say(
        f"ended by {signal.Signals(-code).name}, and nothing is decided: "
        f"{'out of memory?' if out_of_memory else 'please report it'}"
    )
    return 128 - code
