"""Whatever numbers a model holds, the engine gives what the definition gives, or refuses in one line; so do the proofs."""

import itertools
import warnings
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.errors import InputError
from automata.flip_flop import FlipFlopMachine
from automata.languages import language
from automata.machine import ACCEPT
from constructions import reference
from constructions.arithmetic import Arithmetic
from constructions.engine import Engine
from constructions.flip_flop import flip_flop
from constructions.lowering import lower
from constructions.ssm import GATES, SSM, Affine, Layer, Mix
from verify.bisimulation import bisimulation

ARITHMETICS = ["exact", "fixed:0", "fixed:4", "fixed:32", "wrap:1", "wrap:31", "wrap:52", "float16", "float32", "float64"]
EDGES = [2**10, 2**11, 2**15, 65_504, 65_520, 2**24, 2**31, 2**50, 2**52, 2**53, 2**61, 2**62]
LEAST, GREATEST = -(2**63), 2**63 - 1

# Mostly numbers that models are built of, so that edges meet something; neighbours of edges; never only extremes.
small = st.integers(-2, 2)
edge = st.builds(lambda n, by, sign: max(-(2**62), min(2**62, sign * (n + by))), st.sampled_from(EDGES), small, st.sampled_from([1, -1]))
numbers = st.one_of(small, small, small, edge)
exponents = st.one_of(st.just(0), st.integers(0, 3), st.integers(0, 62), st.sampled_from([30, 31, 53, 61, 62]))


def affines(rows, columns, entries=numbers, exponent=exponents):
    def build(matrix, bias, exponent):
        return Affine(np.array(matrix, dtype=np.int64).reshape(rows, columns), np.array(bias, dtype=np.int64), exponent)

    return st.builds(build, *(st.lists(entries, min_size=n, max_size=n) for n in (rows * columns, rows)), exponent)


@st.composite
def models(draw):
    """Any small model at all, whose numbers lie at the edges of everything."""
    arithmetic = Arithmetic.parse(draw(st.sampled_from(ARITHMETICS)))
    exponent = draw(st.sampled_from([st.just(0), exponents]))
    entries = draw(st.sampled_from([small, numbers, numbers]))
    features = draw(st.integers(1, 2))

    def vector(n):
        return draw(st.lists(entries, min_size=n, max_size=n).map(lambda values: np.array(values, dtype=np.int64)))

    embedding = vector(3 * features).reshape(3, features)
    layers, inputs = [], features
    for _ in range(draw(st.integers(1, 2))):
        width, phi, previous = draw(st.integers(1, 3)), [], None
        for stage in range(draw(st.integers(1, 2))):
            neurons = draw(st.integers(1, 2))
            affine = draw(affines(neurons, (width if stage == 0 else previous) + inputs, entries, exponent))
            ends = sorted(draw(st.tuples(numbers, numbers)))
            phi.append(Mix(affine, draw(st.sampled_from(["relu", "linear", "clip"])), *ends))
            previous = neurons
        function = draw(st.sampled_from(GATES)) if arithmetic.is_float else "affine"
        gate = draw(affines(width, inputs, draw(st.sampled_from([small, entries])), exponent))
        increment = draw(affines(width, inputs, entries, exponent))
        layers.append(Layer(gate, increment, vector(width), tuple(phi), draw(exponent), function))
        inputs = previous
    readout = draw(affines(1, inputs, entries, exponent))
    return SSM(("a", "b"), (ACCEPT,), embedding, tuple(layers), readout, arithmetic, draw(exponent))


def refused_or(function):
    """What the function returns, or None where it raises an InputError of one short line; no warning, no other error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return function()
        except InputError as error:
            assert len(str(error)) <= 400 and "\n" not in str(error)
            return None


def truth(ssm, word):
    """States and outputs of the definition: after BOS, then after each symbol."""
    state, found = ssm.initial, [ssm.initial]
    for symbol in word:
        state = ssm.step(state, symbol)
        found.append(state)
    return found


def assert_equal_states(ssm, given_, wanted):
    flat = [value for layer in wanted.h for value in layer]
    if ssm.arithmetic.is_float:
        assert np.array_equal(given_, np.array(flat, dtype=given_.dtype), equal_nan=True)
    else:
        scale = 1 << ssm.arithmetic.unit_bits
        assert [Fraction(int(v)) if isinstance(v, (int, np.integer)) else v for v in given_.tolist()] == [v * scale for v in flat]


def assert_engine_is_reference(ssm, word):
    """One symbol at a time, and all at once: each run stops where the engine refuses."""
    wanted = truth(ssm, word)
    engine = refused_or(lambda: Engine(ssm))
    if engine is None:
        return 0
    compared, step = 0, refused_or(lambda: engine.begin(1))
    for place, symbol in enumerate([*word, None]):
        if step is None:
            break
        state, outputs = step
        assert_equal_states(ssm, state[0], wanted[place])
        assert engine.names(outputs.dense()[0, -1]) == wanted[place].outputs
        compared += 1
        if symbol is not None:
            step = refused_or(lambda: engine.advance(state, engine.encode([symbol])))
    started = refused_or(lambda: engine.begin(1))
    whole = started and refused_or(lambda: engine.advance(started[0], engine.encode(word)))
    if whole is not None and word:
        assert_equal_states(ssm, whole[0][0], wanted[-1])
        assert [engine.names(row) for row in whole[1].dense()[0]] == [state.outputs for state in wanted[1:]]
    return compared


@settings(max_examples=400)
@given(models(), st.lists(st.sampled_from("ab"), max_size=8))
def test_the_engine_is_the_definition_or_refuses(ssm, word):
    assert_engine_is_reference(ssm, word)
