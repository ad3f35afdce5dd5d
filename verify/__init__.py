"""Does it hold?  Proofs for every length, random tests, refutations, and the command line that prints them.

>>> from verify import build, compile, language, prove
>>> word = language("dyck-2-5")
>>> prove(word, build(compile(word))).outcome
'proved'
"""

from __future__ import annotations

import importlib
from typing import Any

from automata import rich

rich.painter("verify.show.pictures.drawing:svg_of")

__version__ = "0.1.0"

_HOME = {
    "language": "automata.catalogue",
    "LANGUAGES": "automata.catalogue",
    "build": "constructions.build",
    **{
        name: "verify.face"
        for name in ("regex", "ltl", "read", "compile", "load", "prove", "test", "refute", "trace", "certify")
    },
    "draw": "verify.show.pictures.drawing",
}
"""Where each public name lives; it is imported when it is first asked for (PEP 562)."""

__all__ = [
    "LANGUAGES",
    "build",
    "certify",
    "compile",
    "draw",
    "language",
    "load",
    "ltl",
    "prove",
    "read",
    "refute",
    "regex",
    "test",
    "trace",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
