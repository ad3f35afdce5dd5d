"""From a cascade to the weights of the paper's SSM: one layer for each level that has registers.

Every register is coded in state coordinates of its layer:

* a ``Reset`` with v values is ceil(log2 v) bits; a step that sets it has gate 0 (and the code as increment), a
  step that holds it has gate 1 and increment 0;
* a ``Reset`` that somebody reads ``before`` this step keeps its previous digit in the fraction of the same
  coordinate (:func:`constructions.ssm.arithmetic.previous_digit`): a reset has gate 2^-p instead of 0;
* a ``Counter`` is one coordinate with gate 1; ``before`` is the value minus this step's increment.

What a layer does is prepared by the mixes of the layer above: a rule is one AND neuron, read by gate and
increment.  Two ReLU stages per layer are enough: the first decodes digits and thresholds, the second is the AND.

Source: Sarrof, Veitsman, Hahn 2024, the positive constructions (flip-flop, star-free, counters, bounded Dyck).
"""

from __future__ import annotations

from typing import Callable

import numpy as np
from scipy import sparse

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
    Level,
    Literal,
    Permutation,
    Register,
    Reset,
    Rule,
    Set,
    Signal,
    Transformation,
    bit_length,
)
from constructions.ssm.arithmetic import Arithmetic, PreviousDigit, previous_digit
from constructions.ssm.features import ONE, AffineForm, Feature, Placement
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM


def lower(cascade: Cascade, arithmetic: Arithmetic, advance: Callable[[int], object] = lambda rules: None) -> SSM:
    """The cascade as an SSM in this arithmetic.

    Args:
        advance: told how many more rules have been placed, now and then.

    Time and size are linear in the literals of the rules, plus, for every feature that is read several levels
    below where it is made, one neuron for each layer between.

    Raises:
        InputError: naming the register, for a permutation register, or a value ``before`` this step that the
            arithmetic cannot keep.

    >>> from constructions.paper.flip_flop import flip_flop
    >>> ssm = lower(flip_flop(), Arithmetic("exact"))
    >>> len(ssm.layers), ssm.hidden_size
    (2, 3)
    """
    return Lowering(cascade, arithmetic, advance).build()


class Lowering:
    """Features of registers and signals, made on demand; then the arrays.

    Targets with other gates override what concerns permutation registers (:mod:`constructions.ssm.signed`).
    """

    def __init__(self, cascade: Cascade, arithmetic: Arithmetic, advance: Callable[[int], object] = lambda rules: None):
        self.cascade = cascade
        self.arithmetic = arithmetic
        self.advance = advance
        self.symbol_index = {symbol: i for i, symbol in enumerate((*cascade.alphabet, BOS))}
        self.placement = Placement((*cascade.alphabet, BOS))
        self.layer_of: dict[str, int] = {}
        self.coordinate: dict[str, int] = {}
        self.width: dict[int, int] = {}
        self.layers: dict[int, Level] = {}
        self.features: dict[object, Feature] = {}
        self.rules_of: dict[str, dict[int | None, list[Rule]]] = {}
        self.digits = self._check_registers()

    def _check_registers(self) -> PreviousDigit | None:
        digits = None
        for register in self.cascade.registers:
            if isinstance(register, Permutation):
                self.check_permutation(register)
                continue
            if register.name not in self.cascade.read_before:
                continue
            if isinstance(register, Counter):
                if any(isinstance(rule.then, Set) for rule in register.rules):
                    raise InputError(
                        f"counter {register.name!r} is set by a rule, so its value before a step cannot be read"
                    )
                continue
            try:
                digits = previous_digit(self.arithmetic)
            except InputError as error:
                raise InputError(
                    f"register {register.name!r} is read before the step, which "
                    f"{self.arithmetic} arithmetic refuses: {error}"
                ) from None
        return digits

    def check_permutation(self, register: Permutation) -> None:
        """Refuses a permutation register that the gates cannot do: here, any."""
        raise InputError(
            f"register {register.name!r} permutes its values, and no nonnegative diagonal gate can: "
            "its maps are order-preserving, so none has a cycle longer than 1"
        )

    # -- features -------------------------------------------------------------------------------------

    def literal(self, literal: Literal) -> list[tuple[Feature, bool]]:
        """A literal as features with their signs; a value of a binary code is one literal for each bit."""
        if isinstance(literal, In):
            return [(self._symbol_in(literal.symbols), True)]
        item = self.cascade.names[literal.name]
        if isinstance(literal, AtLeast):
            assert isinstance(item, Counter), "as the cascade has checked"
            return [(self._threshold(item, literal.bound, literal.before), not literal.negated)]
        if isinstance(literal, Bit):
            assert not isinstance(item, (Counter, Transformation)), "as the target and the cascade have checked"
            return [(self.bit(item, literal.index, literal.before), bool(literal.value))]
        if isinstance(item, Counter):
            return [(self._equals(item, literal.value, literal.before), True)]
        if isinstance(item, Signal) and item.coding == "onehot":
            return [(self._one_hot(item, literal.value), True)]
        assert not isinstance(item, Transformation), "as the target has checked"
        return [
            (self.bit(item, i, literal.before), bool((literal.value >> i) & 1)) for i in range(bit_length(item.values))
        ]

    def _symbol_in(self, symbols: frozenset[str]) -> Feature:
        if symbols not in self.features:
            table = frozenset((self.symbol_index[symbol], 1) for symbol in symbols)
            self.features[symbols] = self.placement.symbol_feature(_set_name(symbols), table)
        return self.features[symbols]

    def conjunction(self, name: str, *when: Literal) -> Feature:
        return self.placement.conjunction(name, [pair for literal in when for pair in self.literal(literal)])

    def bit(self, item: Reset | Permutation | Signal, index: int, before: bool = False) -> Feature:
        """One bit of the code of a register or signal."""
        key = (item.name, "bit", index, before)
        if key not in self.features:
            if isinstance(item, (Reset, Permutation)):
                self.features[key] = self.register_bit(item, index, before)
            elif item.coding == "onehot":
                values = [v for v in range(item.values) if (v >> index) & 1]
                terms = [(self._one_hot(item, v), 1) for v in values]
                self.features[key] = self.placement.total(f"{item.name} bit {index}", terms)
            else:
                self.features[key] = self._signal_bit(item, index)
        return self.features[key]

    def _one_hot(self, signal: Signal, value: int) -> Feature:
        key = (signal.name, value)
        if key not in self.features:
            name = f"{signal.name} = {value}"
            terms = []
            for rule in self._rules_for(signal, value):
                if isinstance(rule.then, Copy):
                    terms.append((self.conjunction(name, *rule.when, Is(rule.then.source, value, rule.then.before)), 1))
                else:
                    terms.append((self.conjunction(name, *rule.when), 1))
            self.features[key] = self._total(name, terms)
        return self.features[key]

    def _rules_for(self, signal: Signal, value: int) -> list[Rule]:
        """The rules by which the signal can take this value."""
        if signal.name not in self.rules_of:
            by_value: dict[int | None, list[Rule]] = {}
            for rule in signal.rules:
                by_value.setdefault(None if isinstance(rule.then, Copy) else rule.then.value, []).append(rule)
            self.rules_of[signal.name] = by_value
        by_value = self.rules_of[signal.name]
        return by_value.get(None, []) + by_value.get(value, [])

    def _signal_bit(self, signal: Signal, index: int) -> Feature:
        name = f"{signal.name} bit {index}"
        return self._total(name, self._code_bit(name, signal.rules, index))

    def _code_bit(self, name: str, rules: tuple[Rule, ...], index: int) -> list[tuple[Feature, int]]:
        """The features that, summed, say that a rule fires which writes a code with this bit."""
        terms = []
        # Rules that look at the symbol alone make one feature together: there may be one for each symbol.
        symbols: dict[int, int] = {}
        for rule in rules:
            if isinstance(rule.then, Set) and len(rule.when) == 1 and isinstance(rule.when[0], In):
                if (rule.then.value >> index) & 1:
                    for symbol in rule.when[0].symbols:
                        number = self.symbol_index[symbol]
                        symbols[number] = symbols.get(number, 0) + 1
            elif isinstance(rule.then, Copy):
                source = self.cascade.names[rule.then.source]
                assert not isinstance(source, (Counter, Transformation)), "as the target and the cascade have checked"
                if index < bit_length(source.values):
                    literals = [pair for literal in rule.when for pair in self.literal(literal)]
                    literals.append((self.bit(source, index, rule.then.before), True))
                    terms.append((self.placement.conjunction(name, literals), 1))
            elif (rule.then.value >> index) & 1:
                terms.append((self.conjunction(name, *rule.when), 1))
        if symbols:
            terms.append((self.placement.symbol_feature(name, frozenset(symbols.items())), 1))
        return terms

    def _total(self, name: str, terms: list[tuple[Feature, int]]) -> Feature:
        if not terms:
            return self.placement.symbol_feature(name, frozenset())
        return self.placement.total(name, terms)

    def register_bit(self, register: Reset | Permutation, index: int, before: bool) -> Feature:
        """One bit of a register, read off its state coordinate."""
        layer = self.layer_of[register.name]
        state = AffineForm((((-layer, self.coordinate[register.name] + index), 1),))
        name = f"{register.name} bit {index} {'before' if before else 'after'}"
        if register.name not in self.cascade.read_before:
            return Feature(name, state, 2 * layer - 1)
        # In units of epsilon, h minus the ballast is one of 0, 1, k, k + 1: bit * k + previous.
        assert self.digits is not None, "some register is read before the step"
        k = 1 << self.digits.epsilon_bits
        units = state * k - ONE * (k * self.digits.ballast)
        if not before:
            return self._piecewise(name, 2 * layer - 1, units, [(k - 1, 1), (k, -1)])
        # The value before is the bit itself when this step held, the previous digit when it set.  With 2k added
        # on a set it is a function of one number: 0 at 0, 1, 2k, 3k and 1 at k, k + 1, 2k + 1, 3k + 1.
        units += self._event_expression(register) * (2 * k)
        corners = [(k - 1, 1), (k, -1), (2 * k - 1, -1), (2 * k, 1), (2 * k, 1), (2 * k + 1, -1)]
        corners += [(3 * k - 1, -1), (3 * k, 1), (3 * k, 1)]
        return self._piecewise(name, 2 * layer - 1, units, corners)

    def _event_expression(self, register: Register) -> AffineForm:
        """1 on steps at which a rule of the register fires, over the inputs of its layer."""
        slot = 2 * self.layer_of[register.name] - 2
        conditions = [self.conjunction(_event_name(register.name, rule), *rule.when) for rule in register.rules]
        return AffineForm.sum(self.placement.read_output(condition, slot) for condition in conditions)

    def _piecewise(self, name: str, slot: int, argument: AffineForm, corners: list[tuple[int, int]]) -> Feature:
        """The sum of slope * relu(argument - corner)."""
        slopes: dict[int, int] = {}
        for corner, slope in corners:
            slopes[corner] = slopes.get(corner, 0) + slope
        expression = AffineForm()
        for corner, slope in slopes.items():
            part = self.placement.neuron(f"{name}: corner {corner}", slot, argument - ONE * corner)
            expression += part.expression * slope
        return Feature(name, expression, slot + 1)

    def _counter_value(self, counter: Counter, before: bool) -> tuple[AffineForm, int]:
        layer = self.layer_of[counter.name]
        value = AffineForm((((-layer, self.coordinate[counter.name]), 1),))
        if before:
            for rule in counter.rules:
                assert isinstance(rule.then, Add), "a counter that is set is not read before the step"
                event = self.conjunction(_event_name(counter.name, rule), *rule.when)
                value = value - self.placement.read_output(event, 2 * layer - 2) * rule.then.amount
        return value, 2 * layer - 1

    def _threshold(self, counter: Counter, bound: int, before: bool) -> Feature:
        return self._of_counter(counter, ">=", bound, before, [(bound - 1, 1), (bound, -1)])

    def _equals(self, counter: Counter, target: int, before: bool) -> Feature:
        return self._of_counter(counter, "=", target, before, [(target - 1, 1), (target, -2), (target + 1, 1)])

    def _of_counter(
        self, counter: Counter, relation: str, bound: int, before: bool, corners: list[tuple[int, int]]
    ) -> Feature:
        key = (counter.name, relation, bound, before)
        if key not in self.features:
            value, slot = self._counter_value(counter, before)
            name = f"{counter.name} {'before ' if before else ''}{relation} {bound}"
            self.features[key] = self._piecewise(name, slot, value, corners)
        return self.features[key]

    # -- layers ---------------------------------------------------------------------------------------

    def build(self) -> SSM:
        last = 0
        updates: dict[int, list[tuple[str, int, AffineForm, AffineForm]]] = {}
        for level in self.cascade.levels:
            self.advance(sum(len(item.rules) for item in (*level.registers, *level.signals)))
            if not level.registers:
                continue
            events = {
                r.name: [self.conjunction(_event_name(r.name, rule), *rule.when) for rule in r.rules]
                for r in level.registers
            }
            codes = {
                r.name: [self._code_bit(f"write {r.name} bit {i}", r.rules, i) for i in range(bit_length(r.values))]
                for r in level.registers
                if isinstance(r, Reset)
            }
            needed = [f for features in events.values() for f in features]
            needed += [f for bits in codes.values() for terms in bits for f, _ in terms]
            # Everything that gate and increment read must have left the layer above: slot 2l - 2 at the latest.
            latest = max((feature.ready for feature in needed), default=1) - 1
            last = max(last + 1, (latest + 1) // 2 + 1)
            self._place(level, last)
            updates[last] = [
                entry for register in level.registers for entry in self.update(register, events[register.name], codes)
            ]
        slot, logits = self._outputs(max(last, 1))
        layers = tuple(self._layer(number, updates.get(number, []), slot) for number in range(1, slot // 2 + 1))
        return SSM(
            alphabet=self.cascade.alphabet,
            outputs=self.cascade.outputs,
            embedding=self.placement.embedding(),
            layers=layers,
            readout=self._affine(logits, {slot: 0}, self._size(slot)),
            arithmetic=self.arithmetic,
            names=tuple(name for name, _ in self.placement.columns),
        )

    def _place(self, level: Level, layer: int) -> None:
        width = 0
        for register in level.registers:
            self.layer_of[register.name] = layer
            self.coordinate[register.name] = width
            width += 1 if isinstance(register, Counter) else bit_length(register.values)
        self.width[layer] = width

    def update(self, register, events: list[Feature], codes) -> list[tuple[str, int, AffineForm, AffineForm]]:
        """For each coordinate of the register: its name, h_0, gate and increment (both times 2^epsilon_bits)."""
        slot = 2 * self.layer_of[register.name] - 2
        fired = [self.placement.read_output(event, slot) for event in events]
        unit = 1 << self._gate_exponent
        if isinstance(register, Counter):
            gate, increment = ONE * unit, AffineForm()
            for rule, event in zip(register.rules, fired):
                if isinstance(rule.then, Set):
                    gate, increment = gate - event * unit, increment + event * (rule.then.value * unit)
                else:
                    increment += event * (rule.then.amount * unit)
            return [(register.name, register.initial * unit, gate, increment)]
        digits = self.digits if register.name in self.cascade.read_before else None
        kept = 0 if digits is None else unit >> digits.epsilon_bits
        ballast = 0 if digits is None else digits.ballast
        event = AffineForm.sum(fired)
        entries = []
        for i, terms in enumerate(codes[register.name]):
            code = AffineForm.sum(self.placement.read_output(feature, slot) * weight for feature, weight in terms)
            bit = (register.initial >> i) & 1
            name = f"{register.name} bit {i}" if bit_length(register.values) > 1 else register.name
            entries.append(
                (
                    name,
                    (ballast + bit) * unit + bit * kept,
                    ONE * unit - event * (unit - kept),
                    code * unit + event * (ballast * (unit - kept)),
                )
            )
        return entries

    def _outputs(self, last: int) -> tuple[int, list[tuple[str, AffineForm]]]:
        """The last slot and one expression per output: how many emissions that give it fire."""
        conditions = []
        for emission in self.cascade.emissions:
            conditions.append(self.conjunction(f"emit {_some(emission.outputs)}", *emission.when))
            if len(conditions) % 1000 == 0:
                self.advance(1000)
        self.advance(len(conditions) % 1000)
        slot = max([2 * last] + [feature.ready - 1 + (feature.ready - 1) % 2 for feature in conditions])
        logits = {output: AffineForm() for output in self.cascade.outputs}
        for emission, condition in zip(self.cascade.emissions, conditions):
            value = self.placement.read_output(condition, slot)
            for output in emission.outputs:
                logits[output] += value
        return slot, list(logits.items())

    @property
    def _gate_exponent(self) -> int:
        return self.digits.epsilon_bits if self.digits else 0

    def _size(self, slot: int) -> int:
        return len(self.placement.columns) if slot == 0 else len(self.placement.neurons.get(slot, ()))

    def _layer(self, number: int, updates, last_slot: int) -> Layer:
        inputs, width = self._size(2 * number - 2), len(updates)
        below = {2 * number - 2: 0}
        first = self.placement.neurons.get(2 * number - 1, [])
        second = self.placement.neurons.get(2 * number, [])
        return Layer(
            gate=self._affine([(n, gate) for n, _, gate, _ in updates], below, inputs, self._gate_exponent),
            increment=self._affine([(n, b) for n, _, _, b in updates], below, inputs, self._gate_exponent),
            initial=np.array([h for _, h, _, _ in updates], dtype=np.int64),
            initial_exponent=self._gate_exponent,
            phi=(
                Mix(
                    self._affine(
                        [(n.name, n.expression) for n in first], {-number: 0, 2 * number - 2: width}, width + inputs
                    ),
                    names=tuple(n.name for n in first),
                ),
                Mix(
                    self._affine(
                        [(n.name, n.expression) for n in second],
                        {2 * number - 1: 0, 2 * number - 2: len(first)},
                        len(first) + inputs,
                    ),
                    names=tuple(n.name for n in second),
                ),
            ),
            names=tuple(n for n, _, _, _ in updates),
        )

    @staticmethod
    def _affine(rows: list[tuple[str, AffineForm]], offsets: dict[int, int], inputs: int, exponent: int = 0) -> Affine:
        """Rows of weights; ``offsets`` says at which input the atoms of each slot begin."""
        data, columns, starts = [], [], [0]
        for _, expression in rows:
            for (slot, index), coefficient in expression.terms:
                columns.append(offsets[slot] + index)
                data.append(coefficient)
            starts.append(len(data))
        matrix = sparse.csr_array(
            (np.array(data, dtype=np.int64), np.array(columns, dtype=np.int64), np.array(starts, dtype=np.int64)),
            shape=(len(rows), inputs),
        )
        return Affine(matrix, np.array([e.constant for _, e in rows], dtype=np.int64), exponent)


def _event_name(register: str, rule: Rule) -> str:
    if isinstance(rule.then, Add):
        return f"{register} {rule.then.amount:+d}"
    if isinstance(rule.then, Set):
        return f"set {register} to {rule.then.value}"
    return f"change {register}"


def _set_name(symbols: frozenset[str]) -> str:
    return f"symbol {_some(symbols)}"


def _some(symbols: frozenset[str]) -> str:
    return " ".join(sorted(symbols)) if len(symbols) <= 8 else f"one of {len(symbols)} symbols"
