"""Boxes of states of cells: whatever torch makes of a state in a box lies in the box afterwards."""

from types import SimpleNamespace

import numpy as np
import pytest

from verify.checkpoints.cell_boxes import SETTLED_ONE, SETTLED_ZERO, BoxOfState, CellOnBoxes, weighted
from verify.learned.semantics import FUNCTION, TINY
from verify.numbers.boxes import NotCovered

torch = pytest.importorskip("torch")

from constructions.recurrent.cells import CellWeights, shapes  # noqa: E402 - torch first
from constructions.recurrent.running import CellRunner  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS = ("relu", "tanh", "gru", "lstm")
UNITS, TOKENS, ROWS = 5, 5, 64


def runner_of(cell, tensors, dtype="float32"):
    units = tensors["head.weight"].shape[1]
    return CellRunner(CellWeights(cell, dtype, (), (), ("",) * units, tensors))


def drawn(cell, rng, scale):
    """Weights of float32, of which about a third are 0, and some whole."""
    found = {}
    for name, shape in shapes(cell, TOKENS, UNITS).items():
        numbers = scale * rng.standard_normal(shape) * (rng.random(shape) < 0.7)
        found[name] = np.where(rng.random(shape) < 0.3, np.round(numbers), numbers).astype(np.float32).astype(float)
    return found


def box_in(rng, size, cell):
    """A box of float32, some of its numbers points, and of a relu some without an upper bound."""
    low = np.where(rng.random(size) < 0.3, 0, rng.standard_normal(size))
    if cell == "relu":
        low = np.abs(low)
    high = low + np.where(rng.random(size) < 0.4, 0, rng.exponential(1, size) ** 3)
    low, high = (end.astype(np.float32).astype(float) for end in (low, high))
    if cell == "relu":
        high[rng.random(size) < 0.2] = np.inf
    return BoxOfState(low, high, np.zeros(size, dtype=bool))


def states_in(rng, box):
    """Rows of float32 in it: inside, at either end, and far out where there is none."""
    inside = box.low + rng.random((ROWS, len(box.low))) * np.where(np.isinf(box.high), 1, box.high - box.low)
    far = np.where(np.isinf(box.high), rng.choice([1e30, 3e38, np.inf], (ROWS, len(box.low))), box.high)
    which = rng.integers(0, 3, inside.shape)
    found = np.choose(which, [inside, np.broadcast_to(box.low, inside.shape), far]).astype(np.float32).astype(float)
    return np.clip(found, box.low, box.high)


def stays_inside(rows, box):
    """Where each number of each row is one that the box has."""
    none = np.isnan(rows)
    return np.where(none, box.lost, (rows >= box.low) & (rows <= box.high))


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("scale", [1.0, 40.0, 1e36])
def test_a_step_from_a_box_stays_in_the_box_after_it(cell, scale):
    if scale > 100 and cell != "relu":
        scale = 200.0
    rng, lost = np.random.default_rng(3), 0
    for _ in range(60):
        runner = runner_of(cell, drawn(cell, rng, scale))
        boxes = CellOnBoxes(runner)
        box = box_in(rng, UNITS * (1 + (cell == "lstm")), cell)
        states = states_in(rng, box)
        token = int(rng.integers(TOKENS))
        given = states.reshape(ROWS, -1, UNITS).transpose(1, 0, 2)[:, None]
        logits, after = runner.stepped(np.full(ROWS, token), given)
        now, read = boxes.step(box, token, range(TOKENS))
        rows = after[:, 0].transpose(1, 0, 2).reshape(ROWS, -1)
        assert stays_inside(rows, now).all()
        assert stays_inside(logits.double().numpy(), read).all()
        lost += int(np.isnan(rows).any())
    assert bool(lost) == (cell == "relu")


@pytest.mark.parametrize("cell", KINDS)
def test_of_a_point_little_is_lost(cell):
    """Boxes of points are no wider than rounding and the functions make them."""
    rng = np.random.default_rng(4)
    boxes = CellOnBoxes(runner_of(cell, drawn(cell, rng, 1.0)))
    for _ in range(20):
        values = np.abs(box_in(rng, UNITS * (1 + (cell == "lstm")), "tanh").low)
        now, read = boxes.step(BoxOfState.of_point(values), 3, range(TOKENS))
        assert (now.high - now.low <= 1e-4).all() and (read.high - read.low <= 1e-3).all()
        assert not now.lost.any() and not read.lost.any()


def sums_in_any_order(terms, rng):
    """Rounded sums of these terms of float32, in a few orders."""
    for _ in range(30):
        waiting = [np.float32(term) for term in rng.permutation(terms)]
        while len(waiting) > 1:
            one, other = (waiting.pop(int(rng.integers(len(waiting)))) for _ in range(2))
            waiting.append(one + other)
        yield float(waiting[0])


def test_a_sum_is_bounded_whatever_its_order():
    rng, seen = np.random.default_rng(5), set()
    with np.errstate(all="ignore"):
        for kind in range(200):
            terms = rng.standard_normal(7) * 10.0 ** rng.integers(-8, 8, 7)
            if kind % 2:
                terms = rng.integers(-(2**21), 2**21, 7) * 2.0 ** -int(rng.integers(0, 9))
            if kind % 10 == 0:
                terms *= 2.0**127 / np.abs(terms).max()
            terms = terms.astype(np.float32).astype(float)
            box = weighted([(np.ones((1, 7)), BoxOfState.of_point(terms))], [np.zeros(1)])
            for found in sums_in_any_order(terms, rng):
                assert stays_inside(np.array([found]), box).all(), (terms, found, box)
            seen.add((bool(box.low[0] == box.high[0]), bool(np.isinf(box.high[0]))))
    assert seen >= {(True, False), (False, False)} and any(infinite for _, infinite in seen)


def test_small_beside_great_is_rounded_away_only_where_it_is():
    """2^24 + 1 may be 2^24; of whole numbers below, nothing is lost."""
    ones, nothing = np.ones((1, 2)), [np.zeros(1)]
    exact = weighted([(ones, BoxOfState.of_point(np.array([2.0**23, 1.0])))], nothing)
    assert exact.low == exact.high == 2.0**23 + 1
    rounded = weighted([(ones, BoxOfState.of_point(np.array([2.0**24, 1.0])))], nothing)
    assert rounded.low <= 2.0**24 < rounded.high
    twice = weighted([(np.ones((1, 3)), BoxOfState.of_point(np.array([2.0**24, 1.0, 1.0])))], nothing)
    assert twice.low <= 2.0**24 < 2.0**24 + 2 <= twice.high
    small = weighted([(ones, BoxOfState.of_point(np.array([2.0**-148, 2.0**-149])))], nothing)
    assert small.low <= 3 * 2.0**-149 <= small.high
    vanishing = weighted([(np.full((1, 3), 2.0**-75), BoxOfState.of_point(np.full(3, 2.0**-75)))], nothing)
    assert vanishing.low <= 0 < vanishing.high


def test_where_both_signs_may_overflow_a_sum_may_be_no_number():
    great, both = np.array([[1.0, 1.0, -1.0, -1.0]]), np.full(4, 3e38)
    one_sign = weighted([(great[:, :2], BoxOfState.of_point(both[:2]))], [np.zeros(1)])
    assert one_sign.high == np.inf and not one_sign.lost.any()
    meet = weighted([(great, BoxOfState.of_point(both))], [np.zeros(1)])
    assert meet.lost.all() and (meet.low, meet.high) == (-np.inf, np.inf)


def test_what_is_no_number_makes_none_of_all_that_reads_it():
    box = BoxOfState(np.zeros(2), np.ones(2), np.array([False, True]))
    assert weighted([(np.array([[1.0, 0.0]]), box)], [np.zeros(1)]).lost.all()
    infinite = BoxOfState(np.zeros(2), np.array([1, np.inf]), np.zeros(2, dtype=bool))
    assert weighted([(np.array([[1.0, 0.0], [1.0, 1.0]]), infinite)], [np.zeros(2)]).lost.tolist() == [True, False]


def test_a_box_has_another_only_with_all_its_numbers_and_none():
    box = BoxOfState(np.zeros(1), np.ones(1), np.array([False]))
    assert box.within(box) and box.within(box._replace(lost=~box.lost)) and not box._replace(lost=~box.lost).within(box)
    assert not box._replace(low=-box.high).within(box) and not box._replace(high=2 * box.high).within(box)


def gates(cell, numbers):
    """What a cell of one unit makes of these numbers before its functions: a sigmoid, and a tanh."""
    count = len(numbers)
    tensors = {name: np.zeros(shape) for name, shape in shapes(cell, 2, 1).items()}
    tensors["embedding.weight"] = np.eye(2)
    rows = {"tanh": (None, 0), "gru": (1, 2), "lstm": (1, 2)}[cell]
    sigmoids, tanhs = [], []
    for number in numbers.tolist():
        tensors["layer.weight_ih_l0"][:] = -1000 if cell == "gru" else 1000
        for row in rows:
            if row is not None:
                tensors["layer.weight_ih_l0"][row] = number
        runner = runner_of(cell, {name: tensor.copy() for name, tensor in tensors.items()})
        if rows[0] is not None:
            _, kept = runner.stepped(np.zeros(1, dtype=int), np.ones((1 + (cell == "lstm"), 1, 1, 1)))
            tensors["layer.weight_ih_l0"][rows[1]] = 0
            runner = runner_of(cell, {name: tensor.copy() for name, tensor in tensors.items()})
            _, kept = runner.stepped(np.zeros(1, dtype=int), np.ones((1 + (cell == "lstm"), 1, 1, 1)))
            sigmoids.append(float(kept[-1, 0, 0, 0]))
        tensors["layer.weight_ih_l0"][:] = -1000 if cell == "gru" else 1000
        tensors["layer.weight_ih_l0"][rows[1]] = number
        if cell == "lstm":
            tensors["layer.weight_ih_l0"][1] = -1000
        runner = runner_of(cell, {name: tensor.copy() for name, tensor in tensors.items()})
        _, made = runner.stepped(np.zeros(1, dtype=int), np.zeros((1 + (cell == "lstm"), 1, 1, 1)))
        tanhs.append(float(made[-1, 0, 0, 0]))
    assert len(tanhs) == count
    return np.array(sigmoids), np.array(tanhs)


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_the_functions_of_torch_are_as_exact_as_is_assumed(cell):
    rng = np.random.default_rng(6)
    numbers = np.concatenate([rng.uniform(-20, 20, 60), rng.standard_normal(40) * 10.0 ** rng.integers(-6, 1, 40)])
    numbers = numbers.astype(np.float32).astype(float)
    sigmoids, tanhs = gates(cell, numbers)
    assert (np.abs(tanhs - np.tanh(numbers)) <= FUNCTION * np.abs(np.tanh(numbers)) + TINY).all()
    exact = 1 / (1 + np.exp(-numbers))
    assert cell == "tanh" or (np.abs(sigmoids - exact) <= FUNCTION * exact + TINY).all()


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_the_functions_of_torch_are_settled_where_that_is_assumed(cell):
    for factor in (1, 1.5, 100, 1e30):
        ends = np.array([SETTLED_ONE, -SETTLED_ONE, SETTLED_ZERO]) * factor
        sigmoids, tanhs = gates(cell, ends)
        assert tanhs.tolist() == [1, -1, -1]
        assert cell == "tanh" or (sigmoids[0], sigmoids[2]) == (1, 0)


@pytest.mark.parametrize("dtype, layers", [("bfloat16", 1), ("float64", 1), ("float32", 2)])
def test_other_formats_and_more_layers_are_refused(dtype, layers):
    zeros = {name: np.zeros(shape) for name, shape in shapes("lstm", TOKENS, UNITS, layers).items()}
    with pytest.raises(NotCovered, match="one layer in float32"):
        CellOnBoxes(runner_of("lstm", zeros, dtype))


def test_weights_that_are_not_finite_are_refused():
    zeros = {name: np.zeros(shape) for name, shape in shapes("relu", TOKENS, UNITS).items()}
    zeros["head.bias"][1] = np.inf
    with pytest.raises(NotCovered, match="not finite"):
        CellOnBoxes(runner_of("relu", zeros))


@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_infinite_numbers_are_looked_into_in_relu_alone(cell):
    tensors = {name: np.full(shape, 3e38) for name, shape in shapes(cell, TOKENS, UNITS).items()}
    boxes = CellOnBoxes(runner_of(cell, {name: np.float32(tensor).astype(float) for name, tensor in tensors.items()}))
    with pytest.raises(NotCovered, match="may be infinite"):
        boxes.step(boxes.begin(), 0, [0])


def test_sums_of_too_many_terms_are_refused():
    layer = SimpleNamespace(num_layers=1, hidden_size=1 << 14, input_size=3)
    runner = SimpleNamespace(arithmetic="float32", model=SimpleNamespace(layer=layer, head=None))
    with pytest.raises(NotCovered, match="terms"):
        CellOnBoxes(runner)
