"""Combinations of small numbers by their table, beside a dictionary."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from constructions import combinations
from constructions.combinations import Combinations


@st.composite
def batches(draw):
    fields, most = draw(st.integers(1, 4)), draw(st.sampled_from([2, 5, 40]))
    row = st.tuples(*[st.integers(0, most)] * fields)
    return fields, draw(st.lists(st.lists(row, max_size=30), max_size=6))


@pytest.mark.parametrize("room", [1, 60, 1 << 20])
@given(drawn=batches())
@example(drawn=(1, [[(3,)], [(1,)], [(70,), (3,), (1,)]]))
def test_combinations_are_told_apart_as_by_a_dictionary(room, drawn):
    fields, given_batches = drawn
    found, known = Combinations(fields), {}
    below = [1] * fields
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(combinations, "_MOST", room)
        for batch in given_batches:
            columns = [np.array([row[i] for row in batch], dtype=np.intp) for i in range(fields)]
            below = [max(most, 1 + int(column.max(initial=0))) for most, column in zip(below, columns)]
            before = len(known)
            numbers, new = found.number(columns, below)
            # The new ones are numbered in the order in which they are said to be new, each once.
            assert numbers[new].tolist() == list(range(before, before + len(new)))
            assert {batch[i] for i in new} == set(batch) - set(known)
            known.update((batch[i], number) for i, number in zip(new.tolist(), numbers[new].tolist()))
            assert numbers.tolist() == [known[row] for row in batch]
