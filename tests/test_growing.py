"""Rows have numbers of their own, whatever is in them and however they come."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from constructions.growing import Growing, Numbered


@given(st.integers(0, 2**32), st.sampled_from([1, 15, 16, 40]), st.sampled_from(["i8", "i2", "f8", "u1"]))
def test_rows_are_the_same_where_their_numbers_are(seed, width, dtype):
    """Numbers that a byte holds and others, alone and together; a byte of 257 is that of 1."""
    rng = np.random.default_rng(seed)
    values = np.array([0, 1, 127, 128, 129, 255, 256, 257, -1, -127, -128, -129, 1 << 40]).astype(np.dtype(dtype))
    rows = np.zeros((60, width), dtype=values.dtype)
    rows[:, rng.integers(0, width, 2)] = rng.choice(values, (60, 2))
    known = Numbered(width, rows.dtype)
    numbers = np.concatenate([known.number(part) for part in np.split(rows, [1, 7, 40])])
    assert np.array_equal(known.rows[numbers], rows)
    assert len(known) == len(np.unique(rows, axis=0)) == len(np.unique(numbers))
    assert np.array_equal(known.find(rows[::-1]), numbers[::-1])
    assert known.find(np.full((1, width), 77).astype(rows.dtype)).tolist() == [-1]


def test_room_that_is_reserved_changes_no_row():
    numbers = Growing(np.int64, (2,))
    numbers.append(np.arange(6).reshape(3, 2))
    for more in (0, 5, 100, 7):
        numbers.reserve(more)
        assert numbers.rows.tolist() == [[0, 1], [2, 3], [4, 5]]
    held = numbers.rows.base
    numbers.append(np.ones((90, 2), dtype=np.int64))
    assert len(numbers) == 93 and numbers.rows[:3].tolist() == [[0, 1], [2, 3], [4, 5]] and numbers.rows.base is held
