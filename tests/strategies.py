"""Hypothesis strategies for cascades and strings.

Rules of one register or signal split the alphabet among themselves, so that no two of them can fire together; every
other choice is free.  All choices shrink towards one level, one register, no rules.
"""

from __future__ import annotations

from hypothesis import strategies as st

from automata.machine import ACCEPT, BOS, EOS
from constructions.cascade import (
    Add,
    AtLeast,
    Bit,
    Cascade,
    Copy,
    Counter,
    Emit,
    In,
    Is,
    Level,
    Reset,
    Rule,
    Set,
    Signal,
    bit_length,
)

ALPHABET = ("a", "b", "c")


@st.composite
def cascades(draw, before: bool = True, counters: bool = True, max_levels: int = 3) -> Cascade:
    """A random cascade; ``before`` allows rules that read values before the step."""
    visible: list = []
    levels = []
    for depth in range(draw(st.integers(1, max_levels))):
        registers = []
        for i in range(draw(st.integers(0, 2))):
            name = f"r{depth}{i}"
            if counters and draw(st.booleans()):
                rules = draw(_rules(visible, before, lambda: st.builds(Add, st.integers(-2, 2))))
                registers.append(Counter(name, rules, draw(st.integers(-1, 1))))
            else:
                values = draw(st.integers(1, 5))
                rules = draw(_rules(visible, before, lambda: _value_actions(visible, values, before)))
                registers.append(Reset(name, values, rules, draw(st.integers(0, values - 1))))
        visible.extend(registers)
        signals = []
        for i in range(draw(st.integers(0, 2))):
            values = draw(st.integers(1, 4))
            rules = draw(_rules(visible, before, lambda: _value_actions(visible, values, before)))
            signal = Signal(f"s{depth}{i}", values, rules, draw(st.sampled_from(["onehot", "binary"])))
            signals.append(signal)
            visible.append(signal)
        levels.append(Level(tuple(registers), tuple(signals)))
    recognise = draw(st.booleans())
    outputs = (ACCEPT,) if recognise else (*ALPHABET, EOS)
    emissions = draw(
        st.lists(
            st.builds(Emit, _conjunctions(visible, before), st.sets(st.sampled_from(outputs), min_size=1)),
            min_size=1,
            max_size=4,
        )
    )
    return Cascade(ALPHABET, tuple(levels), outputs, tuple(emissions))


def words(max_size: int = 12):
    return st.lists(st.sampled_from(ALPHABET), max_size=max_size)


@st.composite
def _rules(draw, visible, before, actions):
    parts = draw(
        st.sampled_from(
            [[], [{"a"}], [{"a", "b"}], [{"a"}, {"b", "c"}], [{"a"}, {"b"}, {"c"}], [{"a", "c", BOS}, {"b"}]]
        )
    )
    return tuple(Rule((In(symbols), *draw(_conjunctions(visible, before))), draw(actions())) for symbols in parts)


def _value_actions(visible, values, before):
    actions = [st.builds(Set, st.integers(0, values - 1))]
    for item in visible:
        if not isinstance(item, Counter) and item.values <= values:
            actions.append(st.builds(Copy, st.just(item.name), _before(item, before)))
    return st.one_of(actions)


def _conjunctions(visible, before):
    return st.lists(_literals(visible, before), max_size=2).map(tuple)


def _literals(visible, before):
    literals = [st.builds(In, st.sets(st.sampled_from((*ALPHABET, BOS)), min_size=1))]
    for item in visible:
        name, when = st.just(item.name), _before(item, before)
        if isinstance(item, Counter):
            literals.append(st.builds(AtLeast, name, st.integers(-2, 3), when, st.booleans()))
            literals.append(st.builds(Is, name, st.integers(-2, 3), when))
            continue
        literals.append(st.builds(Is, name, st.integers(0, item.values - 1), when))
        if bit_length(item.values) and getattr(item, "coding", "binary") == "binary":
            literals.append(st.builds(Bit, name, st.integers(0, bit_length(item.values) - 1), st.integers(0, 1), when))
    return st.one_of(literals)


def _before(item, before):
    return st.booleans() if before and not isinstance(item, Signal) else st.just(False)
