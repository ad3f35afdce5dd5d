"""From a cascade to a network of cubes: every rule a list of cases over finite variables.

The items of a network, in the order of the cascade:

* a :class:`Latch` is a reset register: in which cubes it is set, and to what;
* a :class:`Total` is a counter: in which cubes it is increased, and by how much;
* a :class:`Window` is a counter seen through the bounds that somebody compares it with: a finite variable that says
  between which two of them it lies;
* a :class:`Choice` is a signal: in which cubes it has which value; elsewhere it has its default value.

Registers are read *after* the step (key "register") or *before* it (key "register before"); to have the value
before, a memory is kept a second time, one step late.

The step on BOS is taken here, once and for all: a network starts with the values that the cascade has after BOS, and
no cube of it holds on BOS.  So the zero cache of a Mamba is the initial state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Union

from automata.errors import InputError
from automata.machine import BOS
from constructions.cascade import (
    Add,
    AtLeast,
    Bit,
    Cascade,
    Copy,
    Counter,
    In,
    Is,
    Literal,
    Permutation,
    Permute,
    Register,
    Reset,
    Rule,
    Set,
    Signal,
)
from constructions.conditions.cases import ALWAYS, Case, Cube, Key, meet, tidy

SYMBOL: Key = ("symbol", "")


@dataclass(frozen=True)
class Variable:
    """A finite variable: its key, a label for each value, and the value that it has when no case holds."""

    key: Key
    labels: tuple[str, ...]
    default: int = 0


@dataclass(frozen=True)
class Latch:
    """A reset register; ``after`` and ``before`` are the variables through which it is read, where it is."""

    name: str
    cases: tuple[Case, ...]
    initial: int
    after: Variable | None
    before: Variable | None


@dataclass(frozen=True)
class Rearranged:
    """A permutation register: where it is set, ``("set", v)``, two values change places, ``("swap", i, j)``, or all of
    three and more go on by some places in a circle, ``("turn", places)``.
    """

    name: str
    values: int
    cases: tuple[Case, ...]
    initial: int
    after: Variable | None
    before: Variable | None


@dataclass(frozen=True)
class Total:
    """A counter; ``before`` says whether somebody reads the value before the step."""

    name: str
    cases: tuple[Case, ...]
    initial: int
    before: bool

    @property
    def fastest(self) -> int:
        """The most that one symbol changes it by."""
        return max((abs(case.value) for case in self.cases), default=0)


@dataclass(frozen=True)
class Window:
    """Between which of the ``cuts`` a counter lies: value i says that exactly i of them are <= the counter."""

    variable: Variable
    counter: str
    before: bool
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Choice:
    """A signal."""

    variable: Variable
    cases: tuple[Case, ...]


Item = Union[Latch, Rearranged, Total, Window, Choice]


@dataclass(frozen=True)
class Network:
    """All items, and for each output the disjoint cubes in which it is given.

    Attributes:
        alphabet: the symbols; the variable SYMBOL has one value for each, and one more for BOS.
        outputs: the cascade's outputs.
        items: an item comes after those that it reads.
        emissions: cases whose value is an output; those of one output are disjoint.
        sizes: the number of values of every variable.
    """

    alphabet: tuple[str, ...]
    outputs: tuple[str, ...]
    items: tuple[Item, ...]
    emissions: tuple[Case, ...]
    sizes: dict[Key, int]


def network(cascade: Cascade, permutations: bool = False) -> Network:
    """The cascade as a network.

    Args:
        cascade: the registers and rules.
        permutations: whether there may be permutation registers, each moved by one transposition or turn at a time.

    Raises:
        InputError: naming the register, for a permutation register where there may be none, one that moves more than
            two values at once, or a counter that is set.
    """
    return _Reader(cascade, permutations).read()


class _Reader:
    def __init__(self, cascade: Cascade, permutations: bool):
        self.cascade, self.permutations = cascade, permutations
        self.sizes: dict[Key, int] = {SYMBOL: len(cascade.alphabet) + 1}
        self.symbol_index = {symbol: i for i, symbol in enumerate((*cascade.alphabet, BOS))}
        self.not_bos: Cube = ((SYMBOL, frozenset(range(len(cascade.alphabet)))),)
        self.labels: dict[Key, tuple[str, ...]] = {}
        self.cuts = self._find_cuts()
        self.initial = dict(zip((r.name for r in cascade.registers), cascade.initial.values))

    def read(self) -> Network:
        items: list[Item] = []
        self._declare()
        read = self._keys_read()
        for level in self.cascade.levels:
            for register in level.registers:
                if isinstance(register, (Reset, Permutation)):
                    held = self._held(register, read)
                    if held.after or held.before:
                        items.append(held)
                elif isinstance(register, Counter):
                    items += self._total(register)
                else:
                    raise InputError(f"register {register.name!r} takes any function of its values: no condition can")
            items += [self._choice(signal) for signal in level.signals]
        return Network(self.cascade.alphabet, self.cascade.outputs, tuple(items), tuple(self._emissions()), self.sizes)

    # -- variables ------------------------------------------------------------------------------------

    def _find_cuts(self) -> dict[tuple[str, bool], tuple[int, ...]]:
        cuts: dict[tuple[str, bool], set[int]] = {}
        for literal in self._literals():
            if isinstance(literal, AtLeast):
                cuts.setdefault((literal.name, literal.before), set()).add(literal.bound)
            elif isinstance(literal, Is) and isinstance(self.cascade.names[literal.name], Counter):
                cuts.setdefault((literal.name, literal.before), set()).update((literal.value, literal.value + 1))
        return {where: tuple(sorted(bounds)) for where, bounds in cuts.items()}

    def _literals(self) -> Iterator[Literal]:
        for item in self.cascade.names.values():
            for rule in item.rules:
                yield from rule.when
        for emission in self.cascade.emissions:
            yield from emission.when

    def _declare(self) -> None:
        for item in self.cascade.names.values():
            if isinstance(item, Permutation) and not self.permutations:
                raise InputError(
                    f"register {item.name!r} permutes its values ({_an_image(item)}), and no Mamba can: a gate "
                    "exp(delta A) is positive, so its maps are order-preserving and none has a cycle longer than 1"
                )
            if isinstance(item, Counter):
                for before in (False, True):
                    bounds = self.cuts.get((item.name, before), ())
                    self._variable(_key(item, before), _window_labels(item.name, bounds))
            else:
                labels = [f"= {value}" for value in range(item.values)]
                if isinstance(item, Signal) and item.coding == "onehot":
                    labels.append("off")
                self._variable(_key(item, False), tuple(labels))
                self._variable(_key(item, True), tuple(labels))

    def _variable(self, key: Key, labels: tuple[str, ...]) -> None:
        self.sizes[key], self.labels[key] = len(labels), labels

    def _keys_read(self) -> set[Key]:
        read = set()
        for literal in self._literals():
            if not isinstance(literal, In):
                read.add(_key(self.cascade.names[literal.name], literal.before))
        for item in self.cascade.names.values():
            for rule in item.rules:
                if isinstance(rule.then, Copy):
                    read.add(_key(self.cascade.names[rule.then.source], rule.then.before))
        return read

    # -- items ----------------------------------------------------------------------------------------

    def _held(self, register: Reset | Permutation, read: set[Key]) -> Latch | Rearranged:
        initial = self.initial[register.name]
        keys = [_key(register, late) for late in (False, True)]
        # A register of one value is never asked for it: every cube allows all of its values.
        after, before = (
            Variable(key, self.labels[key], initial) if key in read and self.sizes[key] > 1 else None for key in keys
        )
        if isinstance(register, Reset):
            return Latch(register.name, self._cases(register.rules), initial, after, before)
        return Rearranged(register.name, register.values, self._moves(register), initial, after, before)

    def _moves(self, register: Permutation) -> tuple[Case, ...]:
        cases = []
        for rule in register.rules:
            where = self._cube(rule.when)
            if where is None:
                continue
            if isinstance(rule.then, Set):
                cases.append(Case(where, ("set", rule.then.value)))
            elif isinstance(rule.then, Permute):
                images = rule.then.images
                moved = [value for value, image in enumerate(images) if value != image]
                if len(moved) > 2 and all(
                    image == (value + images[0]) % len(images) for value, image in enumerate(images)
                ):
                    cases.append(Case(where, ("turn", images[0])))
                    continue
                if len(moved) > 2:
                    raise InputError(
                        f"register {register.name!r} moves {len(moved)} values at once, expected 2, or a turn"
                    )
                cases += [Case(where, ("swap", *moved))] * bool(moved)
        return tuple(tidy(cases, self.sizes))

    def _total(self, counter: Counter) -> Iterator[Item]:
        for rule in counter.rules:
            if isinstance(rule.then, Set):
                raise InputError(
                    f"counter {counter.name!r} is set by a rule as well as increased: a Mamba channel that counts has "
                    "gate 1 at every step and cannot be set"
                )
        cases = [
            Case(where, rule.then.amount)
            for rule in counter.rules
            if isinstance(rule.then, Add) and (where := self._cube(rule.when)) is not None
        ]
        # Increments add up, so the cases stay as they are: two of them may hold together.
        yield Total(counter.name, tuple(cases), self.initial[counter.name], (counter.name, True) in self.cuts)
        for before in (False, True):
            if (counter.name, before) in self.cuts:
                key = _key(counter, before)
                cuts = self.cuts[counter.name, before]
                yield Window(Variable(key, self.labels[key]), counter.name, before, cuts)

    def _choice(self, signal: Signal) -> Choice:
        key = _key(signal, False)
        default = signal.values if signal.coding == "onehot" else 0
        return Choice(Variable(key, self.labels[key], default), self._cases(signal.rules))

    def _cases(self, rules: tuple[Rule[Set | Copy], ...]) -> tuple[Case, ...]:
        cases = []
        for rule in rules:
            where = self._cube(rule.when)
            if where is None:
                continue
            if isinstance(rule.then, Set):
                cases.append(Case(where, rule.then.value))
                continue
            source = self.cascade.names[rule.then.source]
            key = _key(source, rule.then.before)
            assert not isinstance(source, Counter), "as the cascade has checked"
            for value in range(self.sizes[key]):
                if (part := meet(where, ((key, frozenset({value})),))) is not None:
                    cases.append(Case(part, value if value < source.values else 0))  # a copy of "off" is 0
        return tuple(tidy(cases, self.sizes))

    def _emissions(self) -> Iterator[Case]:
        """BOS has its own emission: what the cascade gives out before the first symbol."""
        bos: Cube = ((SYMBOL, frozenset({self.symbol_index[BOS]})),)
        cubes = [(self._cube(emission.when), emission.outputs) for emission in self.cascade.emissions]
        cubes.append((bos, self.cascade.initial.outputs))
        for output in self.cascade.outputs:
            yield from tidy(
                [Case(where, output) for where, given in cubes if where is not None and output in given], self.sizes
            )

    # -- literals -------------------------------------------------------------------------------------

    def _cube(self, when: tuple[Literal, ...]) -> Cube | None:
        """All literals together, on any symbol but BOS; None when they exclude each other."""
        where: Cube = self.not_bos
        for literal in when:
            both = meet(where, self._side(literal))
            if both is None:
                return None
            where = both
        return where

    def _side(self, literal: Literal) -> Cube:
        if isinstance(literal, In):
            values = {self.symbol_index[symbol] for symbol in literal.symbols}
            return ((SYMBOL, frozenset(values)),)
        item = self.cascade.names[literal.name]
        key = _key(item, literal.before)
        if isinstance(item, Counter):
            cuts = self.cuts[literal.name, literal.before]
            if isinstance(literal, Is):
                return ((key, frozenset({cuts.index(literal.value) + 1})),)
            assert isinstance(literal, AtLeast), "as the cascade has checked"
            place = cuts.index(literal.bound) + 1
            return ((key, frozenset(range(place) if literal.negated else range(place, len(cuts) + 1))),)
        if isinstance(literal, Is):
            return ((key, frozenset({literal.value})),)
        assert isinstance(literal, Bit), "as the cascade has checked"
        values = {v for v in range(self.sizes[key]) if (v >> literal.index) & 1 == literal.value}
        return ((key, frozenset(values)),) if len(values) < self.sizes[key] else ALWAYS


def _key(item: Union[Register, Signal], before: bool) -> Key:
    kind = "signal" if isinstance(item, Signal) else "counter" if isinstance(item, Counter) else "register"
    return (f"{kind} before" if before else kind, item.name)


def _window_labels(counter: str, cuts: tuple[int, ...]) -> tuple[str, ...]:
    if not cuts:
        return ("",)
    inner = [f"= {low}" if high == low + 1 else f"from {low} to {high - 1}" for low, high in zip(cuts, cuts[1:])]
    return (f"< {cuts[0]}", *inner, f">= {cuts[-1]}")


def _an_image(register: Permutation) -> str:
    for rule in register.rules:
        if isinstance(rule.then, Permute):
            value = next((v for v, image in enumerate(rule.then.images) if v != image), None)
            if value is not None:
                return f"for example {value} goes to {rule.then.images[value]}"
    return "by the identity"
