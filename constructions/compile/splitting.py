"""A pass over cascades that puts levels in the place of a permutation register, for targets that cannot have it whole.

Whoever read the register reads a signal of its name then, and a signal of its name and " before" for its value before
the step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Iterable, Iterator

from constructions.cascade import Bit, Cascade, Copy, Emit, Is, Level, Literal, Permutation, Register, Rule


class Splitting(ABC):
    """One pass; a subclass says what becomes of a register.

    Attributes:
        whole: the cascade.
        split: names of the registers that are no more.
    """

    def __init__(self, whole: Cascade):
        self.whole = whole
        self.split: set[str] = set()

    @abstractmethod
    def levels_of(self, register: Permutation) -> list[Level] | None:
        """Levels that end with signals of the register's name and, where it is read, of its value before the step;
        None where it stays.
        """

    def cascade(self) -> Cascade:
        """The cascade with all levels in their places."""
        levels: list[Level] = []
        for level in self.whole.levels:
            kept: list[Register] = []
            for found in level.registers:
                changed: dict[str, Any] = {"rules": tuple(self._rules(found.rules))}
                register: Register = replace(found, **changed)
                instead = self.levels_of(register) if isinstance(register, Permutation) else None
                if instead is None:
                    kept.append(register)
                else:
                    levels += instead
                    self.split.add(register.name)
            signals = tuple(replace(signal, rules=tuple(self._rules(signal.rules))) for signal in level.signals)
            levels.append(Level(tuple(kept), signals))
        emissions = tuple(Emit(self._when(emission.when), emission.outputs) for emission in self.whole.emissions)
        filled = tuple(level for level in levels if level.registers or level.signals)
        return Cascade(self.whole.alphabet, filled, self.whole.outputs, emissions)

    def _rules(self, rules: Iterable[Rule]) -> Iterator[Rule]:
        for rule in rules:
            action = rule.then
            if isinstance(action, Copy) and action.source in self.split:
                action = Copy(signal_of(action.source, action.before))
            yield Rule(self._when(rule.when), action)

    def _when(self, when: Iterable[Literal]) -> tuple[Literal, ...]:
        return tuple(
            replace(literal, name=signal_of(literal.name, literal.before), before=False)
            if isinstance(literal, (Is, Bit)) and literal.name in self.split
            else literal
            for literal in when
        )


def signal_of(name: str, before: bool) -> str:
    """The signal that a register's name, or its value before the step, has become."""
    return f"{name} before" if before else name
