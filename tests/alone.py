"""Tests that are run in a process of their own, where no other test has left a thread that allocates."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

_ALONE = "THIS_TEST_IS_ALONE"
_ROOT = Path(__file__).resolve().parent.parent


def alone(test: Callable[..., None]) -> Callable[..., None]:
    """The test, which has no parameters, run by a pytest of its own; it has to pass there."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        if _ALONE in os.environ:
            return test(**fixtures)
        node = f"{test.__code__.co_filename}::{test.__name__}"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", node]
        done = subprocess.run(command, cwd=_ROOT, env={**os.environ, _ALONE: "1"}, capture_output=True, text=True)
        assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout[-3000:] + done.stderr[-1000:]

    return run
