"""Planted faults: each condition of a proof is taken out once, and some test has to fail without it.

Every module of this package with a list ``FAULTS`` is an *area*.  ``python -m tests.mutation`` (or ``make mutation``)
plants each fault in a copy of the tree and runs the tests named with it.
"""

from __future__ import annotations

import importlib
import pkgutil

from .fault import Fault


def areas() -> dict[str, list[Fault]]:
    """Area -> its faults, in alphabetical order."""
    found = {}
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        if not module.name.startswith("_"):
            faults = getattr(importlib.import_module(f"{__name__}.{module.name}"), "FAULTS", None)
            if faults is not None:
                found[module.name] = faults
    return found
