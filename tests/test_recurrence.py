"""The recurrence over a chunk equals one step after the other, whatever gates, increments, words and states before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.distinct_rows import distinct
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.number_formats import Floats, Rationals, ScaledIntegers
from constructions.ssm.recurrence import Packed, Recurrence

EXPONENT = 2
"""Gates and increments are quarters."""

FORMATS = {
    "exact": ScaledIntegers,
    "fixed:1": ScaledIntegers,
    "fixed:3": ScaledIntegers,
    "wrap:3": ScaledIntegers,
    "float16": Floats,
    "float32": Floats,
    "exact fractions": Rationals,
}


def without_weights(width):
    """A layer of this width whose gates and increments are quarters, and are given beside it."""
    return Layer(
        Affine(np.zeros((width, 1)), np.zeros(width), EXPONENT),
        Affine(np.zeros((width, 1)), np.zeros(width), EXPONENT),
        np.zeros(width, dtype=np.int64),
        (Mix(Affine(np.zeros((1, width + 1)), np.zeros(1))),),
    )


def raw(numbers, quarters):
    """Gates or increments of such a layer before anything is rounded."""
    return quarters << numbers.unit_bits if isinstance(numbers, ScaledIntegers) else numbers.stored(quarters, EXPONENT)


@st.composite
def chunks(draw):
    """Number format, layer, raw gates and increments by row, ids (batch, time), states before."""
    name = draw(st.sampled_from(sorted(FORMATS)))
    numbers = FORMATS[name](Arithmetic.parse(name.split()[0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows, width, batch, time = (draw(st.integers(1, most)) for most in (5, 4, 4, 24))
    # Most steps of built models hold, set, or keep a part; some add.
    kinds = rng.choice(["hold", "set", "halve", "add", "any"], (rows, width), p=[0.4, 0.25, 0.2, 0.1, 0.05])
    small = rng.integers(0, 2, (rows, width)) * 4
    gate = np.select(
        [kinds == "hold", kinds == "set", kinds == "halve", kinds == "add"],
        [4, 0, rng.integers(0, 3, (rows, width)), 4],
        rng.integers(-8, 9),
    )
    increment = np.select([kinds == "hold", kinds == "add"], [0, rng.integers(-2, 3, (rows, width)) * 4], small)
    h = rng.integers(0, 2, (batch, width)) * 4
    if name == "wrap:3":
        gate = gate // 4 * 4
    layer = without_weights(width)
    gates, increments, states = raw(numbers, gate), raw(numbers, increment), numbers.stored(h, EXPONENT)
    if numbers.dtype.kind == "f" and draw(st.booleans()):
        for array in (increments, states):
            array[rng.random(array.shape) < 0.1] = np.inf
    return numbers, layer, gates, increments, rng.integers(0, rows, (batch, time)), states


def stepwise(numbers, layer, gates, increments, ids, h):
    states = []
    for row in ids.T:
        h = numbers.update(layer, gates[row], h, increments[row])
        states.append(h)
    return np.stack(states, axis=1).reshape(-1, layer.width)


def unpacked(tracks, count, numbers, width):
    """All states, shape (positions, width); every coordinate must come from one track."""
    states = np.empty((count, width), dtype=numbers.dtype)
    places = [
        i
        for track in tracks
        for i in np.ravel(track.coordinates if isinstance(track, Packed) else track.coordinate).tolist()
    ]
    assert sorted(places) == list(range(width))
    for track in tracks:
        track.put(states, np.arange(count))
    return states


@settings(max_examples=600)
@given(chunks())
def test_a_chunk_is_its_steps(chunk):
    numbers, layer, gates, increments, ids, h = chunk
    with np.errstate(all="ignore"):
        expected = stepwise(numbers, layer, gates, increments, ids, h)
        given_ = unpacked(Recurrence(numbers, layer, gates, increments, h).run(ids, h), ids.size, numbers, layer.width)
    if numbers.dtype.kind == "f":
        assert np.array_equal(given_, expected, equal_nan=True)
    else:
        assert (given_ == expected).all()


def test_many_bits_and_pairs_of_changes_are_looked_up():
    """70 coordinates that are set, and one that keeps its previous digit, over 1,000 steps: nothing is looped."""
    rng = np.random.default_rng(1)
    numbers = ScaledIntegers(Arithmetic.parse("fixed:1"))
    rows, width = 30, 71
    kinds = rng.random((rows, width))
    gates = np.where(kinds < 0.9, 2, 0)
    increments = np.where(kinds < 0.9, 0, rng.integers(0, 2, (rows, width)) * 2)
    gates[:, -1] = np.where(rng.random(rows) < 0.5, 2, 1)
    increments[:, -1] = np.where(gates[:, -1] == 2, 0, rng.integers(0, 2, rows) * 2)
    zero = Affine(np.zeros((width, 1)), np.zeros(width))
    layer = Layer(zero, zero, np.zeros(width, dtype=np.int64), (Mix(Affine(np.zeros((1, width + 1)), np.zeros(1))),))
    ids, h = rng.integers(0, rows, (3, 1000)), rng.integers(0, 2, (3, width)) * 2
    tracks = Recurrence(numbers, layer, gates, increments, h).run(ids, h)
    assert all(isinstance(track, Packed) for track in tracks)
    assert [len(track.coordinates) for track in tracks] == [32, 32, 6, 1]
    assert np.array_equal(
        unpacked(tracks, ids.size, numbers, width), stepwise(numbers, layer, gates, increments, ids, h)
    )


@given(
    st.lists(
        st.lists(st.integers(-(2**40), 2**40) | st.integers(0, 2), min_size=1, max_size=30), min_size=1, max_size=4
    )
)
def test_distinct_groups_equal_rows_and_no_others(columns):
    length = min(map(len, columns))
    arrays = [np.array(column[:length], dtype=np.int64) for column in columns]
    representatives, ids = distinct(arrays)
    rows = list(zip(*(column[:length] for column in columns)))
    assert [rows[representatives[i]] for i in ids] == rows
    assert len(representatives) == len(set(rows))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint32])
def test_distinct_on_narrow_integers(dtype):
    ends = np.iinfo(dtype)
    column = np.array([ends.max, ends.min, 0, ends.max], dtype=dtype)
    representatives, ids = distinct([column, np.array([1, 1, 1, 1])])
    assert column[representatives[ids]].tolist() == column.tolist()
    assert len(representatives) == len(set(column.tolist()))
