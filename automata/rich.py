"""Pictures in notebooks of what this package defines, by whoever can draw: nothing here draws.

A package that draws says so once with :func:`painter`; it is imported when the first picture is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

_painter: str | None = None


def painter(place: str) -> None:
    """Pictures come from ``module:function``, which takes the thing and gives SVG, or None where there is no picture of
    it.
    """
    global _painter
    _painter = place


def svg(thing: Any) -> str | None:
    """The picture of a thing, for ``_repr_svg_``; None where nobody draws, or this cannot be drawn."""
    if _painter is None:
        return None
    module, _, function = _painter.partition(":")
    return getattr(importlib.import_module(module), function)(thing)
