"""The first mix by pieces gives what the layer as a whole gives; rows are told apart, whatever their hashes."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automata.errors import InputError
from automata.machine import ACCEPT
from constructions.paper.counters import counter_cascade
from constructions.ssm import distinct_rows, pieces
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.distinct_rows import distinct, grouped
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.weights import SSM
from tests.test_engine import ARITHMETICS, assert_engine_is_reference


def used(ssm, words) -> bool:
    """Whether some layer is evaluated by pieces on these words."""
    engine, found = Engine(ssm), []
    state, _ = engine.begin(len(words))
    mix = pieces.Pieces.mix
    with mock.patch.object(pieces.Pieces, "mix", lambda *given: (found.append(mix(*given)), found[-1])[1]):
        engine.advance(state, words)
    return any(result is not None for result in found)


@pytest.fixture
def always(monkeypatch):
    """Pieces, however few combinations there are."""
    monkeypatch.setattr(pieces, "_COMBINATIONS", 0)


@st.composite
def models(draw):
    """Two layers of coordinates that set, hold, halve and count, and of mixes whose neurons read little."""
    arithmetic = Arithmetic.parse(draw(st.sampled_from(ARITHMETICS)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    exponent = 0 if arithmetic.kind == "wrap" else int(rng.integers(0, 2))
    sparse = lambda rows, columns: rng.integers(-2, 4, (rows, columns)) * (rng.random((rows, columns)) < 0.3)  # noqa: E731
    layers, inputs = [], 3
    for _ in range(2):
        width, neurons, outputs = (int(rng.integers(1, most)) for most in (4, 6, 4))
        gate = Affine(sparse(width, inputs) % 2, rng.integers(0, 2, width))
        mixes = [Mix(Affine(sparse(neurons, width + inputs), rng.integers(-2, 2, neurons), exponent))]
        for before, after in ((neurons, outputs), (outputs, outputs))[: int(rng.integers(1, 3))]:
            affine = Affine(sparse(after, before + inputs), rng.integers(-1, 2, after), exponent)
            mixes.append(Mix(affine, str(rng.choice(["relu", "linear", "clip"])), -1, 3))
        increment = Affine(sparse(width, inputs), rng.integers(-1, 2, width), exponent)
        layers.append(Layer(gate, increment, rng.integers(0, 2, width), tuple(mixes)))
        inputs = mixes[-1].affine.outputs
    embedding, readout = rng.integers(0, 2, (4, 3)), Affine(sparse(1, inputs), np.array([1]), exponent)
    return SSM(("a", "b", "c"), (ACCEPT,), embedding, tuple(layers), readout, arithmetic)


@settings(max_examples=150)
@given(models(), st.integers(0, 2**32), st.integers(1, 11))
def test_any_model_gives_what_the_reference_gives(ssm, seed, cut):
    words = np.random.default_rng(seed).integers(0, 3, (3, 12))
    with mock.patch.object(pieces, "_COMBINATIONS", 0), np.errstate(all="ignore"):
        try:
            assert_engine_is_reference(ssm, words, [cut])
        except InputError as error:  # refusing is right, a wrong number is not
            assert "beyond" in str(error) or "exactly below" in str(error)


@pytest.mark.parametrize("mode", ["predictive", "recognise"])
@pytest.mark.parametrize("arithmetic", ["exact", "fixed:2", "float32"])
def test_counters_side_by_side_are_evaluated_by_pieces(mode, arithmetic):
    ssm = lower(counter_cascade("shuffle-4", mode), Arithmetic.parse(arithmetic))
    words = np.random.default_rng(0).integers(0, 8, (8, 100))
    assert used(ssm, words)
    assert_engine_is_reference(ssm, words[:2], [60])


def two_counters(arithmetic: str, up: tuple[int, int], weights: list[int]) -> SSM:
    """Counters that a symbol adds to; neurons c0, c1, -c0, c0, of which the second mix takes these multiples."""
    increment = Affine(np.diag(up), [0, 0])
    first = Mix(Affine([[1, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 0, 0], [1, 0, 0, 0]], [0] * 4), "linear")
    layer = Layer(
        Affine([[0, 0]] * 2, [1, 1]),
        increment,
        np.zeros(2, dtype=np.int64),
        (first, Mix(Affine([[*weights, 0, 0]], [0]), "linear")),
    )
    embedding = np.array([[1, 0], [0, 1], [0, 0]])
    return SSM(("a", "b"), (ACCEPT,), embedding, (layer,), Affine([[1]], [0]), Arithmetic.parse(arithmetic))


def test_a_sum_that_rounds_is_not_taken_apart(always):
    """2048 + 1 - 2048 is 0 in float16 though 2048 and -2048 add nothing together."""
    ssm = two_counters("float16", (2048, 1), [1, 1, 1, 0])
    words = np.array([[1, 0], [1, 1]])
    assert not used(ssm, words)
    assert_engine_is_reference(ssm, words, [])
    assert used(two_counters("float16", (8, 1), [1, 1, 1, 0]), words)


def test_rows_that_add_the_same_hide_no_number_that_is_too_large(always):
    """The two neurons cancel, but each could reach the bound below which sums are exact."""
    ssm, words = two_counters("exact", (1 << 50, 1), [4, 1, 4, 0]), np.array([[0, 0, 1], [1, 1, 1]])
    with pytest.raises(InputError, match="exactly below"):
        Engine(ssm).advance(Engine(ssm).begin(2)[0], words)
    assert used(two_counters("exact", (1 << 40, 1), [4, 1, 4, 0]), words)


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(1, 400), st.integers(1, 500), st.sampled_from([0, 1 << 20, 1 << 62]))
def test_distinct_rows_whatever_their_hashes(seed, count, values, apart):
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, 1 << 20, values) * 4096 + rng.integers(-apart, apart + 1, values)
    columns = [rng.choice(chosen, count), rng.integers(0, 3, count)]
    for hashed, factor in ((10, distinct_rows._FACTOR), (4, np.uint64(0))):  # the second: all hashes are the same
        with mock.patch.multiple(distinct_rows, _TABLE=8, _HASHED=hashed, _FACTOR=factor):
            representatives, ids = distinct(columns)
        rows = list(zip(*(column.tolist() for column in columns)))
        assert [rows[i] for i in representatives[ids]] == rows
        assert len({rows[i] for i in representatives}) == len(representatives) == len(set(rows))


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(0, 60), st.integers(0, 5), st.sampled_from([2, 1 << 60]))
def test_grouped_rows_are_the_same_whatever_their_sums(seed, count, width, values):
    """Sums of large numbers round, and are the same for rows that are not."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 3, (count, width)) + values * rng.integers(0, 2, (count, width))
    representatives, ids = grouped(rows)
    assert np.array_equal(rows[representatives][ids], rows)
    if len(np.unique(rows)) <= 2:
        assert len(representatives) == len(np.unique(rows, axis=0))
