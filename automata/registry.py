"""Things that are asked for by name: targets, methods of proof."""

from __future__ import annotations

import importlib
from typing import Any

from automata.errors import InputError, did_you_mean, quoted


class Registry(dict[str, Any]):
    """Name -> object, in the order in which they are listed; one that was not asked for yet is ``module:object``.

    Args:
        kind: what the objects are, for messages.
        known: those that are there from the start.

    >>> numbers = Registry("number", {"pi": "math:pi"})
    >>> numbers.named("pi") > 3, list(numbers)
    (True, ['pi'])
    >>> numbers.named("pie")
    Traceback (most recent call last):
    automata.errors.InputError: unknown number 'pie': did you mean pi?
    """

    def __init__(self, kind: str, known: dict[str, str]):
        super().__init__(known)
        self.kind = kind

    def register(self, found: Any) -> Any:
        """Adds an object under its own ``name``, and returns it.

        Raises:
            ValueError: when there is one of this name.
        """
        if found.name in self:
            raise ValueError(f"there is a {self.kind} {found.name!r} already")
        self[found.name] = found
        return found

    def named(self, name: str) -> Any:
        """The object of this name.

        Raises:
            InputError: for an unknown name, with near matches.
        """
        if name not in self:
            hint = did_you_mean(name, self) or f": expected one of {', '.join(self)}"
            raise InputError(f"unknown {self.kind} {quoted(name)}{hint}")
        found = self[name]
        if isinstance(found, str):
            module, _, attribute = found.partition(":")
            found = self[name] = getattr(importlib.import_module(module), attribute)
        return found
