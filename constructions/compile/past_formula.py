"""From a formula of past temporal logic to a cascade directly: one two-state register for each temporal subformula.

The formulas and their meaning are those of :mod:`automata.notation.past_ltl`, whose route to an automaton shares only
the parser with this one, so that each checks the other.
"""

from __future__ import annotations

from typing import Iterable, NamedTuple

from automata.machine import ACCEPT, BOS
from automata.notation.past_ltl import read_past
from automata.notation.temporal import Formula, Node, is_unquoted
from constructions.cascade import Cascade, Emit, In, Is, Level, Literal, Reset, Rule, Set, Signal


def ltl_to_cascade(text: str, alphabet: Iterable[str] | None = None) -> Cascade:
    """A recogniser of the formula's language: one two-state register for each temporal subformula.

    Registers stand on levels by temporal nesting depth.  The register of ``H f``, ``O f`` or ``f S g`` holds its truth;
    that of ``Y f`` holds the truth of f, and is read as it was before the step.  Boolean subformulas become literals
    and conjunctions of rules where they can, and one signal each where they cannot.  Time and size are linear in the
    formula, times the size of the alphabet.

    Args:
        text: the formula.
        alphabet: the symbols, in order; those shown in the formula if absent.

    Raises:
        InputError: with the column, what was found and what was expected.

    >>> cascade = ltl_to_cascade("H(a -> Y b)", "ab")
    >>> [[register.name for register in level.registers] for level in cascade.levels]
    [['now b'], ['H (a -> Y b)']]
    """
    return _Compiler(read_past(text, alphabet)).cascade()


class _Test(NamedTuple):
    """Whether all of these literals hold (or, with ``holds`` false, whether not all of them do)."""

    literals: tuple[Literal, ...]
    holds: bool = True


_TRUE = _Test(())
_FALSE = _Test((), False)


class _Compiler:
    """Turns each subformula into a test of symbols, registers and signals, in the order of the nodes."""

    def __init__(self, formula: Formula):
        self.formula = formula
        self.names = _names(formula)
        self.letters = frozenset(formula.alphabet)
        self.level_of: dict[str, int] = {}
        self.registers: list[Reset] = []
        self.signals: dict[tuple[Rule, ...], Signal] = {}

    def cascade(self) -> Cascade:
        tests: list[_Test] = []
        for index, node in enumerate(self.formula.nodes):
            tests.append(self._test(index, node, [tests[i] for i in node.operands]))
        accept = tests[-1]
        if accept.holds:
            emissions: tuple[Emit, ...] = (Emit(accept.literals, {ACCEPT}),)
        else:
            emissions = tuple(Emit((self._opposite(literal),), {ACCEPT}) for literal in accept.literals)
        depth = max(self.level_of.values(), default=-1) + 1
        levels = tuple(
            Level(
                tuple(r for r in self.registers if self.level_of[r.name] == level),
                tuple(s for s in self.signals.values() if self.level_of[s.name] == level),
            )
            for level in range(depth)
        )
        return Cascade(self.formula.alphabet, levels, (ACCEPT,), emissions)

    def _test(self, index: int, node: Node, operands: list[_Test]) -> _Test:
        name = self.names[index]
        if node.symbol is not None:
            return _Test((In({node.symbol}),))
        if node.operator in ("true", "false"):
            return _TRUE if node.operator == "true" else _FALSE
        left, right = operands[0], operands[-1]
        if node.operator == "!":
            return self._not(left)
        if node.operator == "&":
            return self._all(left, right)
        if node.operator == "|":
            return self._not(self._all(self._not(left), self._not(right)))
        if node.operator == "->":
            return self._not(self._all(left, self._not(right)))
        if node.operator == "<->":
            return self._equal(name, left, right)
        if node.operator == "Y":
            # The register was 0 when the first symbol was read, whatever the operand says of the empty word.
            left = self._single(left)
            held = self._register(f"now {self.names[node.operands[0]]}", 0, (left, 1), (self._not(left), 0))
            return _Test((Is(held, 1, before=True),))
        if node.operator == "H":
            register = self._register(name, 1, (self._not(left), 0))
        elif node.operator == "O":
            register = self._register(name, 0, (left, 1))
        else:
            register = self._register(name, 0, (right, 1), (self._all(self._not(left), self._not(right)), 0))
        return _Test((Is(register, 1),))

    # -- Boolean operators on tests -------------------------------------------------------------------

    def _not(self, test: _Test) -> _Test:
        if len(test.literals) == 1:
            return _Test((self._opposite(test.literals[0]),))
        return _Test(test.literals, not test.holds)

    def _opposite(self, literal: Literal) -> Literal:
        """BOS is the step at which no symbol is the last one, so it is in the complement of a set of symbols."""
        if isinstance(literal, In):
            return In((self.letters | {BOS}) - literal.symbols)
        return Is(literal.name, 1 - _is(literal).value, literal.before)

    def _all(self, *tests: _Test) -> _Test:
        """The conjunction: literals side by side, sets of symbols intersected, contradictions found."""
        if _FALSE in tests:
            return _FALSE
        symbols = self.letters | {BOS}
        values: dict[tuple[str, bool], Literal] = {}
        for test in tests:
            for literal in self._conjuncts(test):
                if isinstance(literal, In):
                    symbols &= literal.symbols
                elif values.setdefault((literal.name, literal.before), literal) != literal:
                    return _FALSE
        if not symbols:
            return _FALSE
        return _Test((*([In(symbols)] if symbols != self.letters | {BOS} else []), *values.values()))

    def _conjuncts(self, test: _Test) -> tuple[Literal, ...]:
        """Literals whose conjunction is the test: "not all of these" takes a signal for "all of these"."""
        if test.holds:
            return test.literals
        rule = Rule(test.literals, Set(1))
        return (Is(self._signal(_conjunction_name(test.literals), (rule,)), 0),)

    def _single(self, test: _Test) -> _Test:
        """The same test as one literal (or a constant)."""
        if len(test.literals) < 2:
            return test
        conjuncts = self._conjuncts(_Test(test.literals, False))
        return _Test(conjuncts) if not test.holds else self._not(_Test(conjuncts))

    def _equal(self, name: str, left: _Test, right: _Test) -> _Test:
        left, right = self._single(left), self._single(right)
        both, neither = self._all(left, right), self._all(self._not(left), self._not(right))
        if _FALSE in (both, neither):
            return both if neither == _FALSE else neither
        if all(isinstance(literal, In) for literal in (*both.literals, *neither.literals)):
            return self._not(self._all(self._not(both), self._not(neither)))
        return _Test((Is(self._signal(name, (Rule(both.literals, Set(1)), Rule(neither.literals, Set(1)))), 1),))

    # -- memory ---------------------------------------------------------------------------------------

    def _register(self, name: str, initial: int, *rules: tuple[_Test, int]) -> str:
        """A register that takes these values at these tests; nothing happens to it at BOS."""
        guarded = [(self._all(test, _Test((In(self.letters),))), value) for test, value in rules]
        written = tuple(Rule(test.literals, Set(value)) for test, value in guarded if test != _FALSE)
        self.level_of[name] = 1 + max((self._level(rule) for rule in written), default=-1)
        self.registers.append(Reset(name, 2, written, initial))
        return name

    def _signal(self, name: str, rules: tuple[Rule, ...]) -> str:
        """A binary signal (off reads as 0) with these rules; made once."""
        if rules not in self.signals:
            if name in self.level_of:
                name = f"{name} ({len(self.signals)})"
            self.level_of[name] = max(self._level(rule) for rule in rules)
            self.signals[rules] = Signal(name, 2, rules, coding="binary")
        return self.signals[rules].name

    def _level(self, rule: Rule) -> int:
        return max((self.level_of[literal.name] for literal in rule.when if isinstance(literal, Is)), default=-1)


# -- names --------------------------------------------------------------------------------------------

_LONGEST_NAME = 60


def _names(formula: Formula) -> list[str]:
    """The text of each subformula; ``#`` and the number of its node stand for an operand whose text is long."""
    names: list[str] = []
    for node in formula.nodes:
        if node.symbol is not None:
            names.append(node.symbol if is_unquoted(node.symbol) else repr(node.symbol))
            continue
        operands = []
        for i in node.operands:
            grouped = f"({names[i]})" if len(formula.nodes[i].operands) == 2 else names[i]
            operands.append(grouped if len(grouped) <= _LONGEST_NAME else f"#{i}")
        names.append(
            " ".join((node.operator, *operands) if len(operands) < 2 else (operands[0], node.operator, operands[1]))
        )
    return names


def _is(literal: Literal) -> Is:
    """The literal, which is one about a register or signal: formulas make no others."""
    assert isinstance(literal, Is), literal
    return literal


def _conjunction_name(literals: tuple[Literal, ...]) -> str:
    parts = []
    for literal in literals:
        if isinstance(literal, In):
            parts.append("{" + " ".join(sorted(literal.symbols)) + "}")
        else:
            parts.append(f"{literal.name} {'was' if literal.before else 'is'} {_is(literal).value}")
    name = " & ".join(parts)
    return name if len(name) <= 2 * _LONGEST_NAME else f"conjunction of {len(literals)}"
