"""Programs: the operations' meaning in whole numbers, against the machines that the cascades were compiled from."""

import numpy as np
import pytest

from automata.catalogue import language
from automata.errors import InputError
from constructions.compile.compiler import compile
from constructions.program.operations import (
    CONSTANT_ONE,
    Accumulate,
    Delay,
    Flip,
    Hold,
    Neuron,
    Program,
    Swap,
    run_program,
)
from constructions.program.planner import Offer, plan
from verify.evidence.sampling import expect, random_words

EVERYWHERE = Offer((frozenset((Neuron, Hold, Delay, Accumulate)),))
LATE = Offer((frozenset((Hold, Accumulate)), frozenset((Neuron,))), late=True)
SLOW_DELAY = Offer((frozenset((Hold, Accumulate, Delay)), frozenset((Neuron,))), delay=2)

LANGUAGES = (
    "flipflop",
    "tomita-1",
    "tomita-2",
    "tomita-4",
    "tomita-7",
    "d-2",
    "d-4",
    "dyck-2-3",
    "anbncn",
    "boolean-3",
)


@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("name", LANGUAGES)
def test_a_program_does_what_the_machine_does(name, mode):
    machine = language(name).machine
    cascade = compile(machine, mode, target="mamba").cascade
    for offer in (EVERYWHERE, LATE, SLOW_DELAY):
        program = plan(cascade, offer)
        for word in random_words(machine, 40, 12, np.random.default_rng(0)):
            sets = list(expect(machine, word, mode).sets)
            assert run_program(program, word)[: len(sets)] == sets, (offer, word)


def test_operations_stand_in_halves_that_offer_them():
    program = plan(compile(language("d-4").machine, "recognise", target="mamba").cascade, SLOW_DELAY)
    for number, half in enumerate(program.halves):
        assert all(SLOW_DELAY.does(number, type(operation)) for operation in half)


def test_what_no_half_offers_is_refused_by_the_register():
    cascade = compile(language("anbn").machine, target="mamba").cascade
    with pytest.raises(InputError, match="needs the operation Accumulate, which no part of this architecture does"):
        plan(cascade, Offer((frozenset((Neuron, Hold, Delay)),)))


def by_hand(*operations, answer):
    """A program over a and b with these operations in one half; coordinates 4 on are theirs."""
    return Program(("a", "b"), ("yes",), ("one", "<bos>", "a", "b", "x", "y"), (2, 3), (operations,), (answer,))


def given(program, word):
    return [bool(outputs) for outputs in run_program(program, word)]


def test_flip_is_set_turned_over_and_held():
    program = by_hand(Flip("bit", {1: 1}, {1: 1}, {2: 1}, 4), answer={4: 1})
    assert given(program, "abaab") == [True, False, False, True, False, False]


def test_swap_lets_two_values_change_places():
    program = by_hand(Swap("three", 3, 0, {2: {3: 1}}, {(0, 1): {2: 1}}, {1: 4}), answer={4: 1})
    assert given(program, "aaabaa") == [False, True, False, True, False, False, False]


def test_an_event_that_is_no_bit_is_an_error():
    with pytest.raises(ValueError, match="expected 0 or 1, found 2"):
        run_program(by_hand(Hold("r", {CONSTANT_ONE: 2}, (({}, 4),)), answer={4: 1}), "a")
