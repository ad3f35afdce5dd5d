"""What numbers a model may hold, and how floats become them."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from automata.errors import InputError
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.integers import whole_numbers
from constructions.ssm.layers import Affine, Mix
from constructions.ssm.lowering import lower

SSM_ = lower(flip_flop(), Arithmetic("exact"))
OUTSIDE = [-(2**63), -(2**62) - 1, 2**62 + 1, 2**63 - 1]


@pytest.mark.parametrize("number", OUTSIDE)
def test_integers_outside_the_range_are_named_wherever_they_are(number):
    array = np.array([0, number])
    for make, where in [
        (lambda: Affine(array[None], [0]), r"weight \[0, 1\]"),
        (lambda: Affine(np.zeros((2, 1)), array), r"bias \[1\]"),
        (lambda: Affine(sparse.coo_array(([number], ([0], [3])), shape=(1, 5)), [0]), r"weight \[0, 3\]"),
        (lambda: Mix(Affine([[1]], [0]), "clip", number, 2**62), "the bound 'low' of a clip|clip"),
        (lambda: Mix(Affine([[1]], [0]), "clip", 0, number), "the bound 'high' of a clip"),
        (lambda: replace(SSM_.layers[1], initial=array[1:]), r"start value \[0\]"),
        (lambda: replace(SSM_, embedding=SSM_.embedding + number), "embedding"),
    ]:
        with pytest.raises(InputError, match=where) as error:
            make()
        assert str(number) in str(error.value) or "embedding" in where


@pytest.mark.parametrize("number", [-(2**62), 2**62, 0, 1])
def test_integers_of_the_range_are_kept(number):
    affine = Affine([[0, number]], [number], 62)
    assert affine.matrix.toarray().tolist() == [[0, number]] and affine.bias.tolist() == [number]
    assert affine.largest == abs(number) / 2**62
    assert Mix(affine, "clip", min(number, 0), np.int64(max(number, 0))).high == max(number, 0)


@pytest.mark.parametrize("exponent", [-1, 63, 1000, True, 1.0, "1", None])
def test_exponents_are_from_0_to_62(exponent):
    for make in (
        lambda: Affine([[1]], [0], exponent),
        lambda: replace(SSM_.layers[0], initial_exponent=exponent),
        lambda: replace(SSM_, embedding_exponent=exponent),
    ):
        with pytest.raises(InputError, match="exponent .* expected an integer from 0 to 62"):
            make()


@pytest.mark.parametrize(
    "matrix, bias, message",
    [
        ([[0.0, 0.5]], [0], r"weight \[0, 1\] is 0.5, expected an integer"),
        ([[1]], [0.25], r"bias \[0\] is 0.25"),
        ([[np.nan]], [0], "nan"),
        ([[np.inf]], [0], "inf"),
        ([[1e30]], [0], "at most 2"),
        ([[True]], [0], "bool"),
        ([[1j]], [0], "complex"),
        ([[1]], [2**70], "object"),
        ([["a"]], [0], "not a matrix|type"),
        ([1], [0], "dimension"),
        (np.array([[2**63]], dtype=np.uint64), [0], "is 9223372036854775808"),
    ],
)
def test_arrays_that_are_not_integers_are_refused(matrix, bias, message):
    with pytest.raises(InputError, match=message):
        Affine(matrix, bias)


def test_whole_floats_are_the_integers_that_they_are():
    affine = Affine(np.eye(2) * 2.0**61, np.array([-3.0, 0.0]))
    assert affine.matrix.toarray().tolist() == [[2**61, 0], [0, 2**61]] and affine.bias.tolist() == [-3, 0]


def test_parts_of_one_weight_do_not_wrap_together():
    parts = sparse.csr_array((np.full(4, 2**62), np.zeros(4, dtype=int), [0, 4]), shape=(1, 1))
    with pytest.raises(InputError, match="parts"):
        Affine(parts, [0])
    assert Affine(
        sparse.csr_array((np.array([5, -2]), np.zeros(2, dtype=int), [0, 2]), shape=(1, 1)), [0]
    ).matrix.data.tolist() == [3]


def test_small_integer_types_are_compared_as_numbers():
    for dtype in (np.int8, np.uint8, np.uint64, np.int64):
        assert whole_numbers("array", np.array([0, 127], dtype=dtype)).tolist() == [0, 127]


# -- floats -------------------------------------------------------------------------------------------

halves = st.integers(-(2**24), 2**24).map(lambda n: n * 2.0**-30)


@given(st.lists(st.lists(halves, min_size=3, max_size=3), min_size=1, max_size=3))
def test_floats_become_the_same_numbers(rows):
    affine = Affine.from_floats(rows, [row[0] for row in rows])
    exact = [[Fraction(n, 1 << affine.exponent) for n in row] for row in affine.matrix.toarray().tolist()]
    assert exact == [[Fraction(value) for value in row] for row in rows]
    assert [Fraction(n, 1 << affine.exponent) for n in affine.bias.tolist()] == [Fraction(row[0]) for row in rows]
    # Not a place more than needed.
    assert affine.exponent == 0 or any(n % 2 for n in (*affine.matrix.data.tolist(), *affine.bias.tolist()))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_of_every_type_are_exact(dtype):
    rng = np.random.default_rng(0)
    matrix, bias = (rng.normal(size=shape).astype(dtype) for shape in ((3, 4), (3,)))
    if dtype == np.float64:
        matrix, bias = np.round(matrix, 3), np.ldexp(np.round(bias * 64), -6)
        matrix = np.ldexp(np.rint(np.ldexp(matrix, 50)), -50)
    affine = Affine.from_floats(matrix if dtype == np.float16 else sparse.csr_array(matrix), bias)
    assert (np.ldexp(affine.matrix.toarray().astype(np.float64), -affine.exponent) == matrix.astype(np.float64)).all()
    assert (np.ldexp(affine.bias.astype(np.float64), -affine.exponent) == bias.astype(np.float64)).all()


@pytest.mark.parametrize(
    "matrix, bias, message",
    [
        ([[1.0, 2.0**-63]], [0.0], r"weight \[0, 1\] is .*e-19, which has more than 62 binary places"),
        ([[2.0, 1.0]], [2.0**-62], r"weight \[0, 0\] is 2, which needs more than 62 bits with the 62 binary places"),
        ([[1.0]], [5e-324], r"bias \[0\]"),
        ([[0.1, 1e10]], [0.0], r"weight \[0, 1\] is 1e\+10"),
        ([[np.nan, 0.0]], [0.0], r"weight \[0, 0\] is nan"),
        ([[0.0, -np.inf]], [0.0], r"weight \[0, 1\] is -inf"),
        ([[1.0]], [np.inf], r"bias \[0\] is inf"),
        ([[1 + 0j]], [0.0], "complex"),
        (np.ones((1, 1), dtype=np.longdouble), [0.0], "at most 64 bits"),
        ([[2**53 + 1]], [0.0], "no floats"),
    ],
)
def test_floats_that_do_not_fit_are_named(matrix, bias, message):
    with pytest.raises(InputError, match=message):
        Affine.from_floats(matrix, bias)


def test_the_largest_and_smallest_floats_that_fit():
    assert Affine.from_floats([[2.0**62, -(2.0**62)]], [1.0]).exponent == 0
    affine = Affine.from_floats([[1.0, 2.0**-62]], [-0.0])
    assert (affine.exponent, affine.matrix.toarray().tolist(), affine.bias.tolist()) == (62, [[2**62, 1]], [0])
