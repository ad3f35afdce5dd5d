"""A cascade and the weights made from it give the same outputs on every string tried; what cannot be lowered is
refused.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.errors import InputError
from automata.machine import ACCEPT
from constructions.cascade import (
    Add,
    AtLeast,
    Cascade,
    Copy,
    Counter,
    Emit,
    In,
    Is,
    Level,
    Permutation,
    Permute,
    Reset,
    Rule,
    Set,
)
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from verify.testing.strategies import LETTERS, cascades, words


def same_on(cascade, arithmetic, strings):
    """Runs the engine and the cascade on equal strings, comparing outputs after every prefix."""
    engine = Engine(lower(cascade, Arithmetic.parse(arithmetic)))
    for word in strings:
        state, outputs = engine.begin(1)
        expected = cascade.initial
        assert engine.names(outputs.dense()[0, 0]) == expected.outputs
        for symbol in word:
            state, outputs = engine.advance(state, engine.encode([symbol]))
            expected = cascade.step(expected, symbol)
            assert engine.names(outputs.dense()[0, 0]) == expected.outputs, (arithmetic, word)


@settings(max_examples=150)
@given(
    cascades(before=False),
    st.lists(words(LETTERS), min_size=1, max_size=3),
    st.sampled_from(["exact", "fixed:0", "fixed:2", "float32"]),
)
def test_cascades_that_never_read_before(cascade, strings, arithmetic):
    same_on(cascade, arithmetic, strings)


@settings(max_examples=200)
@given(cascades(), st.lists(words(LETTERS), min_size=1, max_size=3), st.sampled_from(["fixed:1", "fixed:3"]))
def test_all_cascades_in_fixed_point(cascade, strings, arithmetic):
    same_on(cascade, arithmetic, strings)


@settings(max_examples=100)
@given(cascades(), st.lists(words(LETTERS), min_size=1, max_size=2), st.sampled_from(["float16", "float32", "float64"]))
def test_all_cascades_with_a_ballast_in_floats(cascade, strings, arithmetic):
    same_on(cascade, arithmetic, strings)


@settings(max_examples=60)
@given(cascades(before=False, counters=False), st.lists(words(LETTERS), min_size=1, max_size=3))
def test_resets_in_wrapping_integers(cascade, strings):
    same_on(cascade, "wrap:2", strings)


@given(cascades())
def test_one_layer_for_each_level_with_registers_at_least(cascade):
    ssm = lower(cascade, Arithmetic.parse("fixed:1"))
    levels = [level for level in cascade.levels if level.registers]
    widths = [
        sum(1 if isinstance(r, Counter) else (r.values - 1).bit_length() for r in level.registers) for level in levels
    ]
    assert len(ssm.layers) >= max(1, len(levels))
    assert [layer.width for layer in ssm.layers if layer.width] == [width for width in widths if width]


def _delay(name="last"):
    return Reset(name, 2, (Rule((In({"a"}),), Set(0)), Rule((In({"b"}),), Set(1))))


def _recogniser(*levels, when):
    return Cascade(LETTERS, levels, (ACCEPT,), (Emit(when, {ACCEPT}),))


@pytest.mark.parametrize("arithmetic", ["exact", "wrap:4", "fixed:0"])
def test_reading_before_is_refused_with_the_register_and_the_reason(arithmetic):
    cascade = _recogniser(Level((_delay(),)), when=(Is("last", 1, before=True),))
    with pytest.raises(InputError, match="'last' is read before the step.*" + arithmetic):
        lower(cascade, Arithmetic.parse(arithmetic))


def test_a_copy_of_the_value_before_is_a_delay_line():
    first = _delay("one back")
    second = Reset("two back", 2, (Rule((In(LETTERS),), Copy("one back", before=True)),))
    cascade = _recogniser(Level((first,)), Level((second,)), when=(Is("two back", 1),))
    same_on(cascade, "fixed:1", ["abcab", "bbbb", "babab"])


def test_a_permutation_register_is_refused_by_name():
    parity = Permutation("parity", 2, (Rule((In({"a"}),), Permute((1, 0))),))
    with pytest.raises(InputError, match="'parity' permutes"):
        lower(_recogniser(Level((parity,)), when=(In({"a"}),)), Arithmetic.parse("fixed:1"))


def test_a_counter_that_is_set_cannot_be_read_before():
    counter = Counter("count", (Rule((In({"a"}),), Add(1)), Rule((In({"b"}),), Set(0))))
    after = _recogniser(Level((counter,)), when=(AtLeast("count", 2),))
    same_on(after, "exact", ["aaabaa", "abaab"])
    with pytest.raises(InputError, match="'count' is set by a rule"):
        lower(_recogniser(Level((counter,)), when=(AtLeast("count", 2, before=True),)), Arithmetic.parse("exact"))
