"""Gates of -1: cascades with swaps are emulated, other groups are refused by name, the rest is lowered as ever."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import ACCEPT, run
from constructions.cascade import Bit, Cascade, Copy, Emit, In, Is, Level, Permutation, Permute, Reset, Rule, Set
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.parity_models import parity
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.lowering import lower
from constructions.ssm.signed import lower_signed
from verify.methods.bisimulation import bisimulation

ALPHABET = ("a", "b", "c")
ARITHMETICS = ["exact", "fixed:1", "float32", "wrap:4"]


def permutation(name, values, rules, initial=0):
    return Permutation(name, values, tuple(Rule(tuple(when), then) for when, then in rules), initial)


def cascade(levels, *conditions):
    return Cascade(
        ALPHABET,
        tuple(Level((register,)) for register in levels),
        (ACCEPT,),
        tuple(Emit(when, {ACCEPT}) for when in conditions),
    )


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_parity_is_proved_at_every_length(arithmetic):
    ssm = lower_signed(parity(), Arithmetic.parse(arithmetic))
    assert bisimulation(language("parity").dfa(), Engine(ssm), "recognise").outcome == "proved"
    assert ssm.hidden_size == 1


def test_counting_modulo_four_by_two_swaps():
    """The second bit swaps when the first was 1 before the step: a 2-group by cascading."""
    low = permutation("low", 2, [((In({"a"}),), Permute((1, 0)))])
    high = permutation("high", 2, [((In({"a"}), Is("low", 1, before=True)), Permute((1, 0)))])
    ssm = lower_signed(cascade([low, high], (Is("low", 0), Is("high", 0))), Arithmetic("exact"))
    for n in range(20):
        assert ssm.accepts(run(ssm, "b" + "a" * n + "c")) == (n % 4 == 0)


def test_bits_of_one_register_swap_independently():
    register = permutation(
        "r",
        4,
        [((In({"a"}),), Permute((1, 0, 3, 2))), ((In({"b"}),), Permute((2, 3, 0, 1))), ((In({"c"}),), Set(2))],
        initial=3,
    )
    source = cascade([register], (Is("r", 1),), (Bit("r", 1), In({"b"})))
    for arithmetic in ARITHMETICS:
        assert_emulates(source, arithmetic, "abcabbcaacbbabca")


def assert_emulates(source, arithmetic, word):
    ssm = lower_signed(source, Arithmetic.parse(arithmetic))
    expected, given_ = source.initial, ssm.initial
    assert given_.outputs == expected.outputs
    for symbol in word:
        expected, given_ = source.step(expected, symbol), ssm.step(given_, symbol)
        assert given_.outputs == expected.outputs


@st.composite
def swap_cascades(draw):
    """Two levels of swap and reset registers that read each other after, and swaps also before, the step."""
    levels, visible = [], []
    for depth in range(draw(st.integers(1, 3))):
        conditions = [(In({symbol}),) for symbol in draw(st.sets(st.sampled_from(ALPHABET), min_size=1))]
        rules = []
        for when in conditions:
            if visible and draw(st.booleans()):
                name, swaps = draw(st.sampled_from(visible))
                when = (*when, Is(name, draw(st.integers(0, 1)), before=swaps and draw(st.booleans())))
            rules.append(when)
        if draw(st.booleans()):
            register = permutation(f"p{depth}", 2, [(when, Permute((1, 0))) for when in rules], draw(st.integers(0, 1)))
            visible.append((register.name, True))
        else:
            register = Reset(
                f"r{depth}",
                2,
                tuple(Rule(when, Set(draw(st.integers(0, 1)))) for when in rules),
                draw(st.integers(0, 1)),
            )
            visible.append((register.name, False))
        levels.append(register)
    name, _ = draw(st.sampled_from(visible))
    return cascade(levels, (Is(name, draw(st.integers(0, 1))),))


@settings(max_examples=60)
@given(swap_cascades(), st.text(ALPHABET, max_size=15), st.sampled_from(ARITHMETICS))
def test_random_cascades_are_emulated(source, word, arithmetic):
    assert_emulates(source, arithmetic, word)


@pytest.mark.parametrize(
    "images, group", [([(1, 2, 0)], "C3"), ([(1, 2, 3, 0)], "C4"), ([(1, 0, 2), (1, 2, 0)], "S3"), ([(1, 0, 2)], "C2")]
)
def test_other_groups_are_refused_by_name(images, group):
    rules = [((In({symbol}),), Permute(image)) for symbol, image in zip(ALPHABET, images)]
    source = cascade([permutation("wheel", len(images[0]), rules)], (Is("wheel", 0),))
    with pytest.raises(InputError, match=f"'wheel' permutes its values by the group {group}"):
        lower_signed(source, Arithmetic("exact"))
    with pytest.raises(InputError, match="'wheel' permutes its values, and no nonnegative"):
        lower(source, Arithmetic("exact"))


def test_a_swap_that_is_also_set_cannot_be_read_before_the_step():
    swap = permutation("swap", 2, [((In({"a"}),), Permute((1, 0))), ((In({"b"}),), Set(0))])
    reader = Reset("reader", 2, (Rule((In({"c"}),), Copy("swap", before=True)),))
    with pytest.raises(InputError, match="'swap' is set by a rule"):
        lower_signed(cascade([swap, reader], (Is("reader", 1),)), Arithmetic("exact"))


def test_without_permutations_the_two_targets_give_the_same_arrays():
    one, other = (target(bounded_dyck(2, 3), Arithmetic("exact")) for target in (lower, lower_signed))
    for (name, a), (_, b) in zip(one.affines(), other.affines()):
        assert np.array_equal(a.matrix.toarray(), b.matrix.toarray()) and np.array_equal(a.bias, b.bias), name
