"""Cascades: the one intermediate representation between languages and weights.

A cascade is a feed-forward list of levels.  A level has *registers* (memory) and *signals* (combinational).
At step t a register does what its rules say, given the symbol and the registers and signals of *upper*
(earlier) levels, ``before`` (the value at t-1) or after (the value at t).  The signals of a level are then
computed; they may also read the level's own registers and the signals listed before them.  Last, the emission
rules read everything and give the outputs.  BOS is a symbol like any other here: it is read first, and rules
that do not name symbols fire on it too.

A rule is a conjunction of literals and an action; rules are sparse, nothing is a table over the product of
all levels.  Two rules of one register or signal must not fire together (in the weights their effects would
add up); the exceptions are counters, whose increments add up by definition, and emissions.  A register with
no firing rule holds its value, a signal with no firing rule is off.

Source: the levels follow the layers in the constructions of Sarrof, Veitsman, Hahn 2024; reset registers
are the identity-reset automata of Krohn and Rhodes.

>>> last = Reset("last", 2, (Rule((In({"a"}),), Set(0)), Rule((In({"b"}),), Set(1))))
>>> ends_in_b = Cascade(("a", "b"), (Level((last,)),), (ACCEPT,), (Emit((Is("last", 1),), {ACCEPT}),))
>>> from automata.machine import run
>>> ends_in_b.accepts(run(ends_in_b, "ab")), ends_in_b.accepts(run(ends_in_b, "aba"))
(True, False)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, Iterable, TypeVar, Union

from automata.dfa import check_alphabet
from automata.errors import InputError
from automata.machine import ACCEPT, BOS, EOS, PREDICTIVE, RECOGNISE

# -- literals -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class In:
    """The current symbol is one of ``symbols`` (BOS may be among them)."""

    symbols: frozenset[str]

    def __init__(self, symbols: Iterable[str]):
        object.__setattr__(self, "symbols", frozenset(symbols))


@dataclass(frozen=True)
class Is:
    """The register or signal ``name`` has this value; a counter may be named too.

    A signal that is off has no value: ``Is`` is false of it (a binary signal that is off reads as 0).
    """

    name: str
    value: int
    before: bool = False


@dataclass(frozen=True)
class Bit:
    """Bit ``index`` of the binary code of the register or binary signal ``name`` is ``value`` (0 or 1)."""

    name: str
    index: int
    value: int = 1
    before: bool = False


@dataclass(frozen=True)
class AtLeast:
    """The counter ``name`` is at least ``bound``; with ``negated``, it is below ``bound``."""

    name: str
    bound: int
    before: bool = False
    negated: bool = False


Literal = Union[In, Is, Bit, AtLeast]

# -- actions ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Set:
    """Take this value.  For resets, counters, permutation registers and signals."""

    value: int


@dataclass(frozen=True)
class Copy:
    """Take the value of another register or signal: a copy into a reset, or, in a signal's rules, a mux."""

    source: str
    before: bool = False


@dataclass(frozen=True)
class Add:
    """Add this amount.  For counters only."""

    amount: int


@dataclass(frozen=True)
class Permute:
    """Go from value v to ``images[v]``.  For permutation registers only."""

    images: tuple[int, ...]


@dataclass(frozen=True)
class Transform:
    """Go from value v to ``images[v]``, which may be any.  For transformation registers only."""

    images: tuple[int, ...]


RuleAction = Union[Set, Copy, Add, Permute, Transform]

Action = TypeVar("Action", covariant=True)


@dataclass(frozen=True)
class Rule(Generic[Action]):
    """When all literals hold, do the action: one that the register or signal of the rule can do."""

    when: tuple[Literal, ...]
    then: Action


@dataclass(frozen=True)
class Emit:
    """When all literals hold, these outputs are given (symbols and EOS, or ACCEPT)."""

    when: tuple[Literal, ...]
    outputs: frozenset[str]

    def __init__(self, when: Iterable[Literal], outputs: Iterable[str]):
        object.__setattr__(self, "when", tuple(when))
        object.__setattr__(self, "outputs", frozenset(outputs))


# -- memory -------------------------------------------------------------------------------------------


def bit_length(values: int) -> int:
    """Bits of a binary code for ``values`` values: ceil(log2 values)."""
    return (values - 1).bit_length()


@dataclass(frozen=True)
class Reset:
    """A register over 0..values-1 that each step holds or is set.

    ``words`` is what a reader calls each value; nothing that is computed depends on it.
    """

    name: str
    values: int
    rules: tuple[Rule[Union[Set, Copy]], ...]
    initial: int = 0
    words: tuple[str, ...] = field(default=(), compare=False, repr=False)


@dataclass(frozen=True)
class Counter:
    """An integer register: each step adds constants, or is set.

    ``span`` is the (least, greatest) value that matters, where there are only finitely many: it is used to
    count memory and is not enforced.
    """

    name: str
    rules: tuple[Rule[Union[Set, Add]], ...]
    initial: int = 0
    span: tuple[int, int] | None = None


@dataclass(frozen=True)
class Permutation:
    """A register over 0..values-1 that each step holds, is permuted or is set.  Only for targets that can."""

    name: str
    values: int
    rules: tuple[Rule[Union[Set, Permute]], ...]
    initial: int = 0


@dataclass(frozen=True)
class Transformation:
    """A register over 0..values-1 that each step holds or takes any function of.  Only for targets that can."""

    name: str
    values: int
    rules: tuple[Rule[Transform], ...]
    initial: int = 0


@dataclass(frozen=True)
class Signal:
    """A combinational value over 0..values-1, or off.

    ``coding`` is how the lowering carries it: "onehot" (one feature per value, off is all zeros) or
    "binary" (ceil(log2 values) features; off reads as 0).
    """

    name: str
    values: int
    rules: tuple[Rule[Union[Set, Copy]], ...]
    coding: str = "onehot"


Register = Union[Reset, Counter, Permutation, Transformation]


@dataclass(frozen=True)
class Level:
    """One level: registers updated from upper levels, then signals."""

    registers: tuple[Register, ...] = ()
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True)
class CascadeState:
    """Register values in order of appearance, and what was given out after the last symbol."""

    values: tuple[int, ...]
    outputs: frozenset[str]


@dataclass(frozen=True)
class Cascade:
    """A validated cascade; itself a Machine.

    Args:
        alphabet: the symbols, without BOS and EOS.
        levels: upper levels first.
        outputs: ``(ACCEPT,)`` for a recogniser; the alphabet and EOS for a predictor.
        emissions: the rules that give outputs.

    Raises:
        InputError: naming the register, signal or symbol at fault.
    """

    alphabet: tuple[str, ...]
    levels: tuple[Level, ...]
    outputs: tuple[str, ...]
    emissions: tuple[Emit, ...]

    def __post_init__(self) -> None:
        check_alphabet(self.alphabet)
        if self.outputs not in ((ACCEPT,), (*self.alphabet, EOS)):
            raise InputError("a cascade's outputs are either (ACCEPT,) or its alphabet followed by EOS")
        _Validation(self).check()

    @property
    def mode(self) -> str:
        """Which of the two questions the outputs answer."""
        return RECOGNISE if self.outputs == (ACCEPT,) else PREDICTIVE

    @cached_property
    def registers(self) -> tuple[Register, ...]:
        """All registers, upper levels first."""
        return tuple(register for level in self.levels for register in level.registers)

    @cached_property
    def names(self) -> dict[str, Union[Register, Signal]]:
        """Every register and signal by name."""
        return {item.name: item for level in self.levels for item in (*level.registers, *level.signals)}

    @property
    def rule_count(self) -> int:
        """Rules of all registers and signals, and emissions: how far a lowering is, is counted in these."""
        return sum(len(item.rules) for item in self.names.values()) + len(self.emissions)

    @cached_property
    def read_before(self) -> frozenset[str]:
        """Names of the registers that some rule or emission reads as they were before the step."""
        rules = [rule for item in self.names.values() for rule in item.rules]
        names = {rule.then.source for rule in rules if isinstance(rule.then, Copy) and rule.then.before}
        for when in [rule.when for rule in rules] + [emission.when for emission in self.emissions]:
            names |= {literal.name for literal in when if not isinstance(literal, In) and literal.before}
        return frozenset(names)

    @cached_property
    def memory_bits(self) -> int:
        """Flip-flops used by the finite registers: the sum of ceil(log2 values).

        Neither counters nor the previous digits of registers that are read ``before`` are in it.
        """
        return sum(bit_length(r.values) for r in self.registers if not isinstance(r, Counter))

    # -- as a Machine ---------------------------------------------------------------------------------

    @cached_property
    def initial(self) -> CascadeState:
        """The state after BOS."""
        return self.step(CascadeState(tuple(r.initial for r in self.registers), frozenset()), BOS)

    def step(self, state: CascadeState, symbol: str) -> CascadeState:
        """One symbol, by the rules; O(rules).

        Raises:
            InputError: for a symbol outside the alphabet, or when two rules of one register or signal fire together.
        """
        if symbol not in self._symbols:
            raise InputError(f"symbol {symbol!r} is not in the alphabet")
        before = {r.name: v for r, v in zip(self.registers, state.values)}
        values: dict[str, int] = {}
        after: dict[str, int | None] = {}
        for level in self.levels:
            updated = {register.name: self._update(register, symbol, before, after) for register in level.registers}
            values.update(updated)
            after.update(updated)
            for signal in level.signals:
                rule = self._firing(signal, symbol, before, after)
                after[signal.name] = None if rule is None else self._value(rule.then, before, after)
        outputs = frozenset(
            output
            for emission in self.emissions
            if self._holds(emission.when, symbol, before, after)
            for output in emission.outputs
        )
        return CascadeState(tuple(values[r.name] for r in self.registers), outputs)

    def legal(self, state: CascadeState) -> frozenset[str]:
        return state.outputs

    def accepts(self, state: CascadeState) -> bool:
        return ACCEPT in state.outputs or EOS in state.outputs

    @cached_property
    def _symbols(self) -> frozenset[str]:
        return frozenset((*self.alphabet, BOS))

    def _update(self, register: Register, symbol: str, before, after) -> int:
        old = before[register.name]
        if isinstance(register, Counter):
            fired = [rule.then for rule in register.rules if self._holds(rule.when, symbol, before, after)]
            sets = [action.value for action in fired if isinstance(action, Set)]
            if len(sets) > 1 or (sets and len(fired) > 1):
                raise InputError(f"counter {register.name!r} is set by one rule while another fires on {symbol!r}")
            return sets[0] if sets else old + sum(action.amount for action in fired if isinstance(action, Add))
        rule = self._firing(register, symbol, before, after)
        if rule is None:
            return old
        if isinstance(rule.then, (Permute, Transform)):
            return rule.then.images[old]
        return self._value(rule.then, before, after)

    def _firing(self, item: Union[Register, Signal], symbol: str, before, after) -> Rule | None:
        fired = [rule for rule in item.rules if self._holds(rule.when, symbol, before, after)]
        if len(fired) > 1:
            raise InputError(f"two rules of {item.name!r} fire together on {symbol!r}: {fired[0]} and {fired[1]}")
        return fired[0] if fired else None

    def _value(self, action: Union[Set, Copy], before, after) -> int:
        if isinstance(action, Set):
            return action.value
        return self._read(action.source, action.before, before, after) or 0

    @staticmethod
    def _read(name: str, of_before: bool, before, after) -> int | None:
        return before[name] if of_before else after[name]

    def _holds(self, when: tuple[Literal, ...], symbol: str, before, after) -> bool:
        for literal in when:
            if isinstance(literal, In):
                if symbol not in literal.symbols:
                    return False
                continue
            value = self._read(literal.name, literal.before, before, after)
            if isinstance(literal, Is):
                if value is None and getattr(self.names[literal.name], "coding", "") == "binary":
                    value = 0
                if value != literal.value:
                    return False
            elif isinstance(literal, Bit):
                if ((value or 0) >> literal.index) & 1 != literal.value:
                    return False
            elif value is None or (value >= literal.bound) == literal.negated:
                return False
        return True


class _Validation:
    """Checks every rule of a cascade once, at construction; each message names the culprit."""

    def __init__(self, cascade: Cascade):
        self.cascade = cascade
        self.symbols = {*cascade.alphabet, BOS}
        self.level_of: dict[str, int] = {}
        self.items: dict[str, Union[Register, Signal]] = {}

    def check(self) -> None:
        for level in self.cascade.levels:
            for register in level.registers:
                self._declare(register)
                for rule in register.rules:
                    self._rule(register, rule)
            # Registers of one level do not see each other's new value: they become visible together.
            for register in level.registers:
                self.items[register.name] = register
            for signal in level.signals:
                self._declare(signal)
                if signal.coding not in ("onehot", "binary"):
                    raise InputError(
                        f"signal {signal.name!r} has coding {signal.coding!r}, expected 'onehot' or 'binary'"
                    )
                for rule in signal.rules:
                    self._rule(signal, rule)
                self.items[signal.name] = signal
        outputs = frozenset(self.cascade.outputs)
        for emission in self.cascade.emissions:
            self._literals("an emission", emission.when)
            for output in emission.outputs - outputs:
                raise InputError(f"an emission gives {output!r}, which is not an output of this cascade")

    def _declare(self, item: Union[Register, Signal]) -> None:
        if not item.name or item.name in self.level_of:
            raise InputError(f"the name {item.name!r} is empty or used twice in the cascade")
        self.level_of[item.name] = 0
        if isinstance(item, Counter):
            return
        if item.values < 1:
            raise InputError(f"{item.name!r} has {item.values} values, expected at least 1")
        if not isinstance(item, Signal) and not 0 <= item.initial < item.values:
            raise InputError(f"{item.name!r} starts at {item.initial}, which is not one of its {item.values} values")
        if isinstance(item, Reset) and len(item.words) not in (0, item.values):
            raise InputError(f"{item.name!r} has {item.values} values and words for {len(item.words)}")

    def _rule(self, item: Union[Register, Signal], rule: Rule) -> None:
        where = f"a rule of {item.name!r}"
        self._literals(where, rule.when)
        action = rule.then
        allowed = {
            Reset: (Set, Copy),
            Signal: (Set, Copy),
            Counter: (Set, Add),
            Permutation: (Set, Permute),
            Transformation: (Transform,),
        }[type(item)]
        if not isinstance(action, allowed):
            raise InputError(f"{where} has the action {action}, which a {type(item).__name__} cannot do")
        if isinstance(action, Copy):
            source = self._visible(where, action.source, action.before)
            if isinstance(source, Counter) or isinstance(item, Counter) or source.values > item.values:
                raise InputError(f"{where} copies {action.source!r}, whose values do not fit")
        elif isinstance(action, Permute) and isinstance(item, Permutation):
            if sorted(action.images) != list(range(item.values)):
                raise InputError(f"{where} has {action.images}, which is not a permutation of 0..{item.values - 1}")
        elif isinstance(action, Transform) and isinstance(item, Transformation):
            if len(action.images) != item.values or not set(action.images) <= set(range(item.values)):
                raise InputError(
                    f"{where} has {action.images}, which is no function of 0..{item.values - 1} into itself"
                )
        elif isinstance(action, Set) and not isinstance(item, Counter) and not 0 <= action.value < item.values:
            raise InputError(f"{where} sets it to {action.value}, which is not one of its {item.values} values")

    def _literals(self, where: str, when: tuple[Literal, ...]) -> None:
        for literal in when:
            if isinstance(literal, In):
                for symbol in literal.symbols - self.symbols:
                    raise InputError(f"{where} names the symbol {symbol!r}, which is not in the alphabet")
                continue
            item = self._visible(where, literal.name, literal.before)
            if isinstance(literal, AtLeast) != isinstance(item, Counter) and not (
                isinstance(literal, Is) and isinstance(item, Counter)
            ):
                raise InputError(f"{where} has the literal {literal}, which does not fit a {type(item).__name__}")
            if isinstance(literal, Is) and not isinstance(item, Counter) and not 0 <= literal.value < item.values:
                raise InputError(f"{where} asks whether {literal.name!r} is {literal.value}, which it never is")
            if (
                isinstance(literal, Bit)
                and not isinstance(item, Counter)
                and not 0 <= literal.index < bit_length(item.values)
            ):
                raise InputError(
                    f"{where} reads bit {literal.index} of {literal.name!r}, which has {bit_length(item.values)}"
                )
            if isinstance(literal, Bit) and literal.value not in (0, 1):
                raise InputError(
                    f"{where} asks whether a bit of {literal.name!r} is {literal.value}, which it never is"
                )
            if isinstance(literal, Bit) and isinstance(item, Signal) and item.coding == "onehot":
                raise InputError(f"{where} reads a bit of {literal.name!r}, which is coded one-hot")

    def _visible(self, where: str, name: str, before: bool) -> Union[Register, Signal]:
        if name not in self.items:
            raise InputError(f"{where} reads {name!r}, which is not a register or signal of an upper level")
        item = self.items[name]
        if before and isinstance(item, Signal):
            raise InputError(f"{where} reads {name!r} before this step, but a signal has no memory")
        return item
