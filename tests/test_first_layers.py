"""First layers read by a table say what the engine says without it, and what a table cannot read is left alone."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.catalogue import language
from automata.errors import InputError
from constructions.compile.compiler import compile
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.ssm import first_layers
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.first_layers import FirstLayers
from constructions.ssm.lowering import lower
from tests.test_engine import ARITHMETICS, batches, models
from verify.testing.strategies import cascades


@contextmanager
def at_once(most):
    """Tables of so many steps are made for the first word, whatever its length."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"_WORDS": 1, "_TIME": 1, "_SHARE": 1e-3, "_MOST_STEPS": most}.items():
            patch.setattr(first_layers, name, value)
        yield


def table_of(engine) -> FirstLayers | None:
    return engine._by_table._table


def model_of(name, mode="recognise", arithmetic=None):
    found = compile(language(name).machine, mode)
    return lower(found.cascade, Arithmetic.parse(arithmetic or found.arithmetic))


def assert_the_same(ssm, words, cuts=(), most=60) -> Engine:
    """Reads the words by a table and without, cut at these places; the engine that has the table."""
    with_table, without = Engine(ssm), Engine(ssm)
    without._by_table.layers = 0
    one, other = with_table.begin(len(words))[0], without.begin(len(words))[0]
    for first, end in zip([0, *cuts], [*cuts, words.shape[1]]):
        with at_once(most):
            one, given_ = with_table.advance(one, words[:, first:end])
        other, wanted = without.advance(other, words[:, first:end])
        assert one.dtype == other.dtype and np.array_equal(given_.dense(), wanted.dense())
        assert np.array_equal(one, other, equal_nan=ssm.arithmetic.is_float)
    return with_table


@settings(max_examples=200)
@given(models(st.sampled_from(ARITHMETICS)), batches, st.sets(st.integers(1, 8), max_size=2).map(sorted))
def test_random_models(ssm, words, cuts):
    with np.errstate(all="ignore"):
        try:
            assert_the_same(ssm, words, cuts)
        except InputError as error:
            assert "beyond" in str(error) or "exactly below" in str(error)


@settings(max_examples=60)
@given(cascades(), st.lists(st.lists(st.integers(0, 2), min_size=20, max_size=20), min_size=1, max_size=4))
def test_lowered_cascades(cascade, words):
    for arithmetic in ("fixed:1", "float32"):
        assert_the_same(lower(cascade, Arithmetic.parse(arithmetic)), np.array(words), [7])


@pytest.mark.parametrize("name, layers", [("mqar-2-2", 2), ("copy-3", 8), ("tomita-7", 5), ("dyck-2-3", 0)])
def test_layers_before_the_first_that_counts(name, layers):
    """All layers of an automaton, and none that follows a depth."""
    ssm = model_of(name)
    words = np.random.default_rng(0).integers(0, len(ssm.alphabet), (50, 40))
    engine = assert_the_same(ssm, words, [13], 5000)
    assert engine._by_table.layers == layers and (table_of(engine) is not None) == (layers > 0)


def test_a_table_is_tried_seldom_and_given_up_where_there_are_many_states(monkeypatch):
    tried = []
    monkeypatch.setattr(first_layers, "_SHARE", 32)
    closed = FirstLayers.closed
    monkeypatch.setattr(FirstLayers, "closed", lambda *given: tried.append(given[-1]) or closed(*given))
    engine = Engine(model_of("copy-4"))
    state, _ = engine.begin(100)
    for _ in range(14):
        engine.advance(state, np.zeros((100, 100), dtype=np.int64))
    assert table_of(engine) is not None and all(2 * one <= other for one, other in zip(tried, tried[1:]))
    monkeypatch.setattr(first_layers, "_MOST_STEPS", 700)
    engine, tried[:] = Engine(model_of("copy-4")), []
    for _ in range(4):
        engine.advance(state, np.zeros((100, 100), dtype=np.int64))
    assert tried == [312, 625] and table_of(engine) is None


def test_few_and_short_words_are_read_without_a_table():
    engine = Engine(model_of("tomita-7"))
    for shape in ((31, 10_000), (10_000, 7)):
        engine.advance(engine.begin(shape[0])[0], np.zeros(shape, dtype=np.int64))
    assert table_of(engine) is None


def test_other_states_and_the_mark_of_the_beginning_are_read_without_a_table():
    """A state that no word reaches, alone and among others, and a second mark in the middle of a word."""
    ssm = model_of("mqar-2-2")
    engine, without = Engine(ssm), Engine(ssm)
    without._by_table.layers = 0
    words = np.random.default_rng(1).integers(0, len(ssm.alphabet), (40, 30))
    states, _ = engine.begin(40)
    with at_once(5000):
        engine.advance(states, words)
        assert table_of(engine) is not None
        unmet = states.copy()
        unmet[3:] = 5
        marked = words.copy()
        marked[7, 11] = len(ssm.alphabet)
        for state, word in ((unmet, words), (np.full_like(states, 5), words), (states, marked)):
            for one, other in zip(engine.advance(state, word), without.advance(state, word)):
                assert np.array_equal(getattr(one, "ids", one), getattr(other, "ids", other))
                assert np.array_equal(getattr(one, "table", one), getattr(other, "table", other))


def test_a_number_beyond_the_range_is_left_to_the_engine():
    """A step that doubles a state: the table of all of them would leave the range, the words that are read do not."""
    found = FirstLayers.closed(lambda states, symbols: (2 * states, states), np.ones((1, 1), dtype=np.int64), 1, 20)
    assert found is None

    def beyond(states, symbols):
        raise InputError("a state grows beyond the range")

    assert FirstLayers.closed(beyond, np.ones((1, 1), dtype=np.int64), 1, 20) is None


def test_nothing_is_tabulated_of_a_model_that_counts_first():
    engine = Engine(lower(bounded_dyck(2, 3), Arithmetic("exact")))
    with at_once(5000):
        assert engine._by_table.run(engine.begin(40)[0], np.zeros((40, 40), dtype=np.int64)) is None
