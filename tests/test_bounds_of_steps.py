"""Bounds of a step: whatever torch makes of a state in a box lies within them, and what is fixed has the same bits."""

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from verify.checkpoints.bounds_of_steps import StepsOfBoxes  # noqa: E402 - torch first
from verify.checkpoints.cell_boxes import SETTLED_ZERO  # noqa: E402
from verify.checkpoints.loose_table import TooWide, allowed  # noqa: E402
from verify.numbers.boxes import NotCovered  # noqa: E402

pytestmark = pytest.mark.usefixtures("one_thread")

N = 8
"""Numbers of a state."""


class Toy(torch.nn.Module):
    """A model whose state is one row of numbers, and whose step is a function of it; its logits are the new state."""

    def __init__(self, step):
        super().__init__()
        self.made, self.kept = step, torch.zeros(1, N)
        self.counted = torch.zeros(1)

    def forward(self, tokens):
        found = self.made(self.kept)
        self.kept.copy_(found)
        return found.clone()


def steps_of(function, attending=()):
    model = Toy(function)
    runner = SimpleNamespace(
        model=model,
        step=model,
        device=torch.device("cpu"),
        attending=list(attending),
        caches=lambda: [[model.kept]],
        counts_of_steps=lambda: [model.counted],
    )
    return StepsOfBoxes(runner)


def f32(*numbers):
    return np.array(numbers, dtype=np.float32)


def step(function, low, high, ratios=None, pairs=()):
    return steps_of(function).loose(f32(*low), f32(*high), ratios or {}, 0, range(N), pairs)


RNG = np.random.default_rng(8)
MATRIX = torch.from_numpy(np.where(RNG.random((N, N)) < 0.5, 0, RNG.standard_normal((N, N))).astype(np.float32))
WHOLE = torch.from_numpy(RNG.integers(-2, 3, (N, N)).astype(np.float32))
VECTOR = torch.from_numpy(RNG.standard_normal(N).astype(np.float32))
KERNEL = torch.from_numpy(RNG.standard_normal((4, 1, 2)).astype(np.float32))


def convolved(x, kernel=KERNEL, bias=None):
    return torch.nn.functional.conv1d(x.view(1, 4, 2), kernel, bias, padding=1, groups=4)[..., :2].reshape(1, N)


FUNCTIONS = {
    "add": lambda x: x + VECTOR,
    "add itself": lambda x: x + x,
    "subtract": lambda x: VECTOR - x,
    "subtract itself shifted": lambda x: x - torch.cat([x[:, 1:], x[:, :1]], 1),
    "from one": lambda x: 1 - x,
    "multiply": lambda x: x * VECTOR,
    "multiply by another": lambda x: x * torch.cat([x[:, 1:], x[:, :1]], 1),
    "multiply by itself": lambda x: x * x,
    "square": lambda x: x**2,
    "divide": lambda x: x / (x * x + 1),
    "negate": lambda x: -x,
    "absolute": torch.abs,
    "relu": torch.relu,
    "relu less itself": lambda x: torch.relu(x) - x,
    "maximum": lambda x: torch.maximum(x, torch.cat([x[:, 1:], x[:, :1]], 1)),
    "maximum less itself": lambda x: torch.maximum(x, torch.cat([x[:, 1:], x[:, :1]], 1)) - x,
    "root": lambda x: torch.sqrt(torch.abs(x) + 0.1),
    "reciprocal root": lambda x: torch.rsqrt(x * x + 0.1),
    "exp": lambda x: torch.exp(4 * x),
    "exp of much": lambda x: torch.exp(-400 * torch.abs(x)),
    "sigmoid": lambda x: torch.sigmoid(64 * x),
    "tanh": lambda x: torch.tanh(40 * x),
    "silu": lambda x: torch.nn.functional.silu(3 * x),
    "softplus": lambda x: torch.nn.functional.softplus(50 * x),
    "log sigmoid": lambda x: torch.nn.functional.logsigmoid(50 * x),
    "product": lambda x: torch.nn.functional.linear(x, MATRIX),
    "product and bias": lambda x: torch.nn.functional.linear(x, MATRIX, VECTOR),
    "whole product": lambda x: torch.nn.functional.linear(x, WHOLE),
    "product of two": lambda x: (x.view(1, 2, 4) @ x.view(1, 4, 2)).reshape(1, 4).repeat(1, 2),
    "sum": lambda x: x.sum(-1, keepdim=True).expand(1, N) * VECTOR,
    "sum of several": lambda x: x.view(1, 2, 4).sum((1, 2)).expand(1, N) + x,
    "mean": lambda x: x - x.mean(-1, keepdim=True),
    "mean of squares": lambda x: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 0.5),
    "mean of products": lambda x: (x.view(1, 2, 4) @ x.view(1, 4, 2)).reshape(1, 4).mean(-1, keepdim=True) * VECTOR,
    "variance": lambda x: x + x.var(-1, keepdim=True, correction=0),
    "norm": lambda x: torch.nn.functional.layer_norm(x, (N,), VECTOR, VECTOR, 1e-3),
    "norm of mirrored": lambda x: torch.nn.functional.layer_norm(
        torch.cat([x[:, :4], -x[:, :4]], 1) + 1024, (N,), VECTOR, VECTOR, 1.0
    ),
    "convolution": convolved,
    "convolution and bias": lambda x: convolved(x, bias=VECTOR[:4]),
    "filled": lambda x: x.masked_fill((x == 0) & (torch.cat([x[:, 1:], x[:, :1]], 1) == 0), 1.0),
    "written": lambda x: _written(x),
}


def _written(x):
    """In the place of zeros, half of it, and through a view."""
    found = torch.zeros_like(x)
    found[:, :4] = x[:, 4:]
    found.view(2, 4)[1].copy_(x[0, :4] * 2)
    return found


def boxes(rng):
    """Ends of a box, some of its numbers points, some 0, some on either side of 0."""
    low = np.where(rng.random(N) < 0.3, rng.integers(-2, 3, N), rng.standard_normal(N) * 2)
    width = np.where(rng.random(N) < 0.4, 0, rng.exponential(1, N) ** 3)
    return low.astype(np.float32), (low + width).astype(np.float32)


def states_in(rng, low, high, count=24):
    inside = low + rng.random((count, N)) * (high - low)
    ends = np.where(rng.random((count, N)) < 0.5, low, high)
    return np.clip(np.where(rng.random((count, 1)) < 0.5, inside, ends), low, high).astype(np.float32)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whatever_is_made_of_a_state_in_a_box_lies_within_the_bounds(name):
    rng, seen, wide = np.random.default_rng(5), 0, 0
    steps = steps_of(FUNCTIONS[name])
    for _ in range(40):
        low, high = boxes(rng)
        try:
            found = steps.loose(low, high, {}, 0, range(N))
        except TooWide:
            wide += 1
            continue
        loose = np.flatnonzero(low != high)
        for state in states_in(rng, low, high):
            after = steps.exact(state, 0)[0].astype(np.float64)
            assert ((found.low <= after) & (after <= found.high)).all()
            seen += 1
            # What is made of nothing loose that was changed is as it was.
            same = ~found.made_of[:, state[loose] != low[loose]].any(axis=1)
            there = steps.exact(np.where(low == high, low, low), 0)[0]
            assert (after[same] == there[same]).all()
    assert seen > 200 and wide < 40


def test_a_count_stops_where_the_format_does():
    found = step(lambda x: x + 1, [1] * N, [2.0**24] * N)
    assert found.low.tolist() == [2] * N and found.high.tolist() == [2.0**24] * N


def test_zero_times_a_loose_number_is_fixed():
    found = step(lambda x: x * torch.tensor([0.0, 1] * 4), [-1] * N, [3] * N)
    assert (found.low == found.high).tolist() == [True, False] * 4
    assert found.made_of.any(axis=1).tolist() == [False, True] * 4


def test_the_same_operation_on_the_same_number_makes_the_same_number():
    found = step(lambda x: torch.exp((x + VECTOR) - torch.maximum(x + VECTOR, VECTOR - 900)), [-1] * N, [3] * N)
    assert found.low.tolist() == found.high.tolist() == [1] * N
    other = step(lambda x: torch.exp((x + VECTOR) - (x + 2 * VECTOR)), [-1] * N, [3] * N)
    assert (other.low < other.high).all()


def test_a_number_is_chosen_only_where_it_is_the_greater_one():
    found = step(lambda x: torch.maximum(x, VECTOR * 0) - x, [-1] * N, [3] * N)
    assert (found.high >= 1).all()
    other = step(FUNCTIONS["maximum less itself"], [-0.5, -1] * 4, [3, 5] * 4)
    assert other.high[0] >= 5.5
    beside = step(lambda x: (x + 2.0**-100) - x, [1] * N, [3] * N)
    assert beside.low.tolist() == beside.high.tolist() == [0] * N
    near = step(lambda x: (x + 2.0**-24) - x, [0.25] * N, [3] * N)
    assert (near.high >= 2.0**-24).all()


def mirrored(x):
    """A stream of numbers and their negatives, and its mean beside a great number."""
    stream = torch.cat([x[:, :4], torch.nn.functional.linear(x[:, :4], -torch.eye(4))], 1)
    return stream.mean(-1, keepdim=True) + torch.full((1, N), 1024.0)


def test_a_mean_in_which_numbers_cancel_vanishes_beside_a_great_one():
    found = step(mirrored, [0] * N, [1] * N)
    assert found.low.tolist() == found.high.tolist() == [1024] * N
    other = step(
        lambda x: torch.cat([x[:, :4]] * 2, 1).mean(-1, keepdim=True) + torch.full((1, N), 1024.0), [0] * N, [1] * N
    )
    assert other.low.max() == 1024 and other.high.min() == 1025


def counted(added, beside):
    """A numerator in the first place, a denominator in the second, and what they give in the third."""

    def made(x):
        both = x[:, :2] + torch.tensor([[added, beside]], dtype=torch.float32)
        given = torch.cat([both[:, 0:1] / both[:, 1:2], x[:, 3:]], 1)
        return torch.cat([both, given], 1)

    return made


LOW, HIGH = [1.0, 1.0] + [0.0] * 6, [2.0**24, 2.0**24] + [0.0] * 6


@pytest.mark.parametrize("added, beside, ratio, wanted", [
    (1, 1, (0.5, 1), (0.5, 1)),
    (0, 0, (0.5, 1), (0.5, 1)),
    (1, 1, (1, 1), (1, 1)),
    (-1, 1, (-1, -1), (-1, -1)),
    (0, 1, (0.5, 1), (0, 1)),
    (3, 1, (0.5, 1), (0.5, 4)),
    (-1, 2, (0.5, 1), (-0.5, 1)),
    (1, 0, (0.5, 1), (0.5, 2.0**24 + 2)),
])  # fmt: skip
def test_of_two_that_count_it_is_known_how_they_stay_beside_each_other(added, beside, ratio, wanted):
    signed = LOW, HIGH
    if ratio[1] < 0:
        signed = [-HIGH[0], *LOW[1:]], [-LOW[0], *HIGH[1:]]
    found = step(counted(added, beside), *signed, {(0, 1): ratio}, [(0, 1)])
    assert wanted[0] <= found.low[2] and found.high[2] <= wanted[1]
    assert found.low[2] - 1e-6 <= wanted[0] or beside == 2
    rng = np.random.default_rng(0)
    steps = steps_of(counted(added, beside))
    for _ in range(200):
        y = np.float32(2.0 ** rng.uniform(0, 24))
        x = np.float32(np.clip(rng.uniform(*ratio) * y, ratio[0] * y, ratio[1] * y))
        if not signed[0][0] <= x <= signed[1][0]:
            continue
        after = steps.exact(f32(x, y, *[0] * 6), 0)[0]
        assert found.low[2] <= after[2] <= found.high[2]
        if after[1] > 0:
            assert found.ratios[0, 0] * after[1] <= after[0] <= found.ratios[0, 1] * after[1]


def test_nothing_is_known_of_two_that_do_not_count_beside_each_other():
    steps = steps_of(counted(1, 1))
    found = steps.loose(f32(*LOW), f32(*HIGH), {}, 0, range(N), [(0, 1)])
    assert found.high[2] > 2.0**20 and steps.divided == {(0, 1)}
    assert found.ratios[0, 1] > 2.0**20
    apart = step(_scaled(2, 0.5), LOW, HIGH, {(0, 1): (0.5, 1)}, [(0, 1)])
    assert apart.ratios[0, 1] >= 4
    other = step(
        lambda x: torch.cat([x[:, :1] * 2, x[:, 1:2] + 2, x[:, 2:]], 1), LOW, HIGH, {(0, 1): (0.5, 1)}, [(0, 1)]
    )
    assert other.ratios[0, 1] >= 2


def _scaled(first, second):
    return lambda x: counted(1, 1)(x * torch.tensor([first, second, *[1.0] * 6]))


def test_multiples_and_whole_quotients_are_refused():
    for function in (lambda x: torch.add(x, x, alpha=2), lambda x: torch.div(x, VECTOR, rounding_mode="floor")):
        with pytest.raises(NotCovered, match="plain operation"):
            step(function, [1] * N, [3] * N)


def test_states_that_pairs_do_not_allow_are_cut_off():
    low, high = allowed(f32(3, 1), f32(5, 100), {(0, 1): (0.5, 1)})
    assert (low.tolist(), high.tolist()) == ([3, 3], [5, 10])
    low, high = allowed(f32(-5, 1), f32(-3, 100), {(0, 1): (-1, -0.5)})
    assert (low.tolist(), high.tolist()) == ([-5, 3], [-3, 10])
    low, high = allowed(f32(1, 16), f32(7, 32), {(0, 1): (0.5, 1)})
    assert (low > high).any()
    rng = np.random.default_rng(1)
    for _ in range(300):
        low, high = np.sort(rng.standard_normal((2, 2)) * 4, axis=0).astype(np.float32)
        low[1], high[1] = np.sort(rng.exponential(2, 2) + 0.1)
        ratio = tuple(np.sort(rng.choice([-4.0, -1, -0.5, 0, 0.25, 1, 2, np.inf, -np.inf], 2)).tolist())
        least, greatest = allowed(low, high, {(0, 1): ratio})
        for x, y in rng.uniform(low, high, (40, 2)).astype(np.float32):
            if ratio[0] * float(y) <= x <= ratio[1] * float(y):
                assert (least <= (x, y)).all() and ((x, y) <= greatest).all()


@pytest.mark.parametrize("name, function", [
    ("divisor may be 0", lambda x: VECTOR / x),
    ("infinite", lambda x: torch.exp(100 * x)),
    ("infinite", torch.rsqrt),
])  # fmt: skip
def test_what_may_be_infinite_is_looked_into_of_smaller_boxes(name, function):
    with pytest.raises(TooWide, match=name) as caught:
        step(function, [-1] * N, [3] * N)
    assert caught.value.made_of.all()


@pytest.mark.parametrize("function", [
    lambda x: torch.sin(x),
    lambda x: torch.pow(x, 3),
    lambda x: x.double().float(),
    lambda x: torch.nn.functional.softplus(x, beta=2.0),
    lambda x: x.var(-1, keepdim=True).expand(1, N),
    lambda x: torch.empty(1, N) + x,
])  # fmt: skip
def test_what_is_not_known_is_refused(function):
    with pytest.raises(NotCovered):
        step(function, [1] * N, [3] * N)


def test_what_was_there_before_is_not_written_into():
    kept = torch.zeros(1, N)
    with pytest.raises(NotCovered, match="there before"):
        step(lambda x: kept.copy_(x), [1] * N, [3] * N)


def test_other_formats_and_several_rows_are_refused():
    for state in (torch.zeros(1, N, dtype=torch.float64), torch.zeros(2, N)):
        runner = SimpleNamespace(device=torch.device("cpu"), caches=lambda state=state: [[state]])
        with pytest.raises(NotCovered):
            StepsOfBoxes(runner)


def test_exp_is_zero_where_that_is_assumed():
    numbers = -torch.cat([torch.linspace(-SETTLED_ZERO, 1e4, 100_000), 2.0 ** torch.linspace(7, 127, 1000)])
    assert (torch.exp(numbers[numbers <= SETTLED_ZERO]) == 0).all()
    below = torch.exp(-torch.cat([torch.zeros(1), 2.0 ** torch.linspace(-149, 8, 100_000)]))
    assert below[0] == 1 and (below <= 1).all()
