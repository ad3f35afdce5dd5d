"""From a construction to a model that can be run, saved and proved: one call for every target."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from automata.catalogue import Language
from automata.saved_language import language_of, saved_text
from constructions.compile.compiler import Construction
from constructions.target import TARGETS, Target


@dataclass(frozen=True)
class Build:
    """Weights, and the target that runs them.

    Attributes:
        target: the architecture.
        weights: its arrays.
        construction: what they were lowered from; None for weights that were loaded.
        language: what they are about, where that is known.
    """

    target: Target
    weights: Any
    construction: Construction | None = None
    language: Language | None = None

    def running(self) -> AbstractContextManager:
        """The weights as a batched model, for a ``with`` statement."""
        return self.target.running(self.weights)

    def describe(self) -> dict[str, object]:
        """Named values, counted on the arrays."""
        return self.target.describe(self.weights, self.construction)

    def save(self, folder: str | Path, card: str = "") -> "Build":
        """Writes the weights, and their language where it is known; the folder appears complete or not at all."""
        known, built = self.language, self.construction
        if known is None and built is not None:
            known = language_of(built.machine)
        text = "" if known is None else saved_text(known, self.weights.mode if built is None else built.mode)
        self.target.save(self.weights, folder, card, text)
        return self

    def __repr__(self) -> str:
        return (
            f"Build({self.target.name}, "
            f"{', '.join(f'{value} {name}' for name, value in self.target.size(self.weights).items())})"
        )


def build(
    construction: Construction,
    target: str | Target = "ssm",
    *,
    arithmetic: str | None = None,
    dtype: str = "float32",
    advance: Callable[[int], object] = lambda rules: None,
) -> Build:
    """The weights of a construction on a target.

    Args:
        construction: from :func:`constructions.compile.compiler.compile`, for this target's abilities.
        target: a name, or the target itself.
        arithmetic: of the paper's SSM; by default what the construction needs.
        dtype: of the other targets.
        advance: told how many more rules are placed.

    Raises:
        InputError: naming the register that the target or its numbers cannot hold.

    >>> from automata.catalogue import language
    >>> from constructions.compile.compiler import compile
    >>> build(compile(language("dyck-2-5").machine))
    Build(ssm, 2 layers, 6 coordinates, 146 nonzero weights)
    """
    chosen = TARGETS.named(target) if isinstance(target, str) else target
    numbers = {"arithmetic": arithmetic or construction.arithmetic, "dtype": dtype}.get(chosen.numbers, chosen.numbers)
    return Build(chosen, chosen.lower(construction.cascade, numbers, advance), construction)
