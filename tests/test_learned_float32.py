"""Operations on intervals contain what float32 gives: those of the finders and those of the check, each on its own."""

import mpmath
import numpy as np
import pytest

from verify.learned import float32 as found
from verify.learned import plain_step as checked
from verify.learned.float32 import Bounds
from verify.learned.semantics import FUNCTION, SOFTPLUS_ZERO, TINY, ULPS

torch = pytest.importorskip("torch")

POINTS = 100_000
CORNERS = [0.0, -0.0, 1.0, -1.0, 2.0**-126, 2.0**-149, 1.0 + 2.0**-23, 1.0 - 2.0**-24, 3.0, 1e10, 20.0, 20.000002]
CORNERS += [-88.0, -88.72284, -88.73, -88.8, -89.0, -95.0, -103.0, -103.97, -104.0, -105.0, -105.00001, -1e4, -1e30]


def numbers(rng, count, least=-12.0, most=10.0):
    """Float32 numbers of all sizes, corner values among them."""
    values = rng.choice([-1, 1], count) * 10 ** rng.uniform(least, most, count)
    values[: count // 4] = rng.uniform(-130, 30, count // 4)
    corners = [corner for corner in CORNERS if count >= 100 and abs(corner) <= 10**most]
    values[count // 4 : count // 4 + len(corners)] = corners
    return rng.permutation(values.astype(np.float32))


def around(rng, x):
    """Intervals with these numbers inside, a third of them points."""
    x = x.astype(np.float64)
    below, above = (10 ** rng.uniform(-9, 1, x.shape) * np.maximum(np.abs(x), 1e-6) for _ in range(2))
    below, above = (np.where(rng.random(x.shape) < 1 / 3, 0, width) for width in (below, above))
    return x - below, x + above


def both(name):
    """The finders' operation and the check's, on pairs (low, high)."""
    finder = {"multiply": found.multiplied, "add": found.added, "updated": found.updated}.get(name)
    finder = finder or getattr(found, name)
    return {
        "finder": lambda *pairs: finder(*(Bounds(*pair) for pair in pairs)).ends,
        "check": getattr(checked, f"_{name}"),
    }


def assert_inside(interval, values):
    values = np.asarray(values, dtype=np.float64)
    outside = ~((interval[0] <= values) & (values <= interval[1]))
    assert not outside.any(), (values[outside][:3], interval[0][outside][:3], interval[1][outside][:3])


@pytest.mark.parametrize("who", ["finder", "check"])
@pytest.mark.parametrize("name, exact", [("multiply", np.multiply), ("add", np.add)])
def test_one_operation(who, name, exact):
    rng = np.random.default_rng(1)
    x, y = numbers(rng, POINTS), numbers(rng, POINTS)
    interval = both(name)[who](around(rng, x), around(rng, y))
    assert_inside(interval, exact(x, y))


@pytest.mark.parametrize("who", ["finder", "check"])
def test_an_update_fused_or_not(who):
    rng = np.random.default_rng(2)
    gate = np.where(rng.random(POINTS) < 0.5, rng.random(POINTS), 1 - 2.0 ** rng.uniform(-24, -1, POINTS))
    gate = gate.astype(np.float32)
    gate[:100], gate[100:200] = 0, 1
    state, increment = numbers(rng, POINTS), numbers(rng, POINTS)
    gates = tuple(np.clip(end, 0, 1) for end in around(rng, gate))
    interval = both("updated")[who](gates, around(rng, state), around(rng, increment))
    assert_inside(interval, gate * state + increment)
    assert_inside(interval, (gate.astype(np.float64) * state + increment).astype(np.float32))


@pytest.mark.parametrize("who", ["finder", "check"])
def test_an_exact_hold_hands_on_bit_for_bit(who):
    rng = np.random.default_rng(3)
    state = np.sort(numbers(rng, 2000).astype(np.float64).reshape(2, -1), axis=0)
    one, zero = (np.ones(1000), np.ones(1000)), (np.zeros(1000), np.zeros(1000))
    interval = both("updated")[who](one, tuple(state), zero)
    assert (interval[0] == state[0]).all() and (interval[1] == state[1]).all()


@pytest.mark.parametrize("who", ["finder", "check"])
def test_an_increment_below_half_a_unit_is_absorbed_and_one_above_is_not(who):
    gate = np.array([1 - 2.0**-22] * 3), np.ones(3)
    state = np.array([1.0, 1.0, -4.0]), np.array([1.5, 1.5, -2.0])
    increment = np.zeros(3), np.array([0.99 * 2.0**-24, 1.5 * 2.0**-23, 0.99 * 2.0**-24])
    interval = both("updated")[who](gate, state, increment)
    assert interval[1][0] == 1.5 and interval[1][1] > 1.5 and -2 <= interval[1][2] < -2 + 2.0**-20


ORDERS = {
    "torch": lambda w, x, b: (torch.from_numpy(x) @ torch.from_numpy(w).T + torch.from_numpy(b)).numpy(),
    "one row at a time": lambda w, x, b: np.stack(
        [(torch.from_numpy(w) @ torch.from_numpy(row) + torch.from_numpy(b)).numpy() for row in x]
    ),
    "in order": lambda w, x, b: _in_order(w[None] * x[:, None], np.broadcast_to(b, (len(x), len(b)))),
    "backwards": lambda w, x, b: _in_order((w[None] * x[:, None])[..., ::-1], np.zeros((len(x), len(b)), "f4")) + b,
    "the largest first": lambda w, x, b: _in_order(
        -np.sort(-np.abs(w[None] * x[:, None])) * _signs(w, x), np.broadcast_to(b, (len(x), len(b)))
    ),
}


def _signs(w, x):
    terms = w[None] * x[:, None]
    return np.sign(np.take_along_axis(terms, np.argsort(-np.abs(terms)), -1))


def _in_order(terms, start):
    total = start.astype(np.float32)
    for term in np.moveaxis(terms.astype(np.float32), -1, 0):
        total = total + term
    return total


@pytest.mark.parametrize("who", ["finder", "check"])
@pytest.mark.parametrize("order", ORDERS)
def test_sums_in_any_order(who, order):
    rng = np.random.default_rng(4)
    for width in (1, 2, 16, 61):
        weights, bias = numbers(rng, 8 * width, -6, 4).reshape(8, width), numbers(rng, 8, -6, 4)
        x = numbers(rng, 200 * width, -6, 4).reshape(200, width)
        low, high = around(rng, x)
        if who == "finder":
            interval = found.linear(weights.astype("f8"), Bounds(low, high), bias.astype("f8")).ends
        else:
            rows = [checked._dot(weights.astype("f8"), ends, bias.astype("f8")) for ends in zip(low, high)]
            interval = tuple(np.stack(ends) for ends in zip(*rows))
        assert_inside(interval, ORDERS[order](weights, x, bias))


def test_a_sum_of_large_terms_that_cancel_is_as_wide_as_they_are_large():
    weights, x = np.array([[1.0, 1.0, -1.0]]), np.array([2.0**24, 1.0, 2.0**24])
    low, high = checked._dot(weights, (x, x), np.zeros(1))
    assert low[0] <= 0 and 2 <= high[0]


FUNCTIONS = {
    "silu": (torch.nn.functional.silu, lambda x: x / (1 + mpmath.exp(-x))),
    "softplus": (torch.nn.functional.softplus, lambda x: mpmath.log1p(mpmath.exp(x))),
    "decay": (lambda x: torch.exp(-x), lambda x: mpmath.exp(-x)),
}


@pytest.mark.parametrize("who", ["finder", "check"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(who, name):
    rng = np.random.default_rng(5)
    x = numbers(rng, POINTS, -40, 28)
    low, high = around(rng, x)
    if name == "decay":
        x, low, high = np.abs(x), np.maximum(low, 0), np.maximum(high, 0)
        low, high = np.minimum(low, x), np.maximum(high, x)
    interval = both(name)[who]((low, high))
    run = FUNCTIONS[name][0]
    assert_inside(interval, run(torch.from_numpy(x)).numpy())
    assert_inside(tuple(end[:500] for end in interval), [run(torch.tensor([v])).item() for v in x[:500].tolist()])


@pytest.mark.parametrize("who", ["finder", "check"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_have_room_for_all_that_is_assumed(who, name):
    """The interval of a point has the exact value in it, with the assumed error on either side."""
    rng = np.random.default_rng(6)
    x = numbers(rng, 600, -30, 2.4).astype(np.float64)
    x = np.abs(x[x != 0]) if name == "decay" else x[x > SOFTPLUS_ZERO]
    low, high = both(name)[who]((x, x))
    with mpmath.workdps(60):
        for value, least, greatest in zip(x.tolist(), low.tolist(), high.tolist()):
            exact = FUNCTIONS[name][1](mpmath.mpf(value))
            error = ULPS * mpmath.mpf(2) ** -23 * abs(exact) + mpmath.mpf(2) ** -120
            floor, ceiling = {"silu": (-1, mpmath.inf), "softplus": (0, mpmath.inf), "decay": (0, 1)}[name]
            assert least <= max(exact - error, floor) and min(exact + error, ceiling) <= greatest, value


def test_silu_falls_and_rises():
    for silu in both("silu").values():
        low, _ = silu((np.array([-2.0, -1.3, -1.27]), np.array([-1.0, -1.27, 0.0])))
        with mpmath.workdps(40):
            least = mpmath.findroot(lambda x: mpmath.diff(lambda y: y / (1 + mpmath.exp(-y)), x), -1.27846)
            exact = float(least / (1 + mpmath.exp(-least)))
        assert (low[:2] <= exact * (1 + FUNCTION)).all() and low[0] > exact * (1 + 3 * FUNCTION)


@pytest.mark.parametrize("who", ["finder", "check"])
def test_softplus_is_zero_from_where_it_is_said_and_not_before(who):
    softplus = both("softplus")[who]
    low, high = softplus((np.array([-200.0, -106.0, -105.0, -106.0]), np.array([-105.0, -105.0, -105.0, -104.9])))
    assert (low == 0).all() and (high[:3] == 0).all() and high[3] > 0


def test_gates_are_one_only_where_nothing_is_left():
    for decay in both("decay").values():
        low, high = decay((np.array([0.0, 0.0, 1e-30, 1e-3, 200.0]), np.array([0.0, 1e-30, 1e-30, 1e-3, 300.0])))
        assert (low[0], high[0]) == (1, 1) and low[1] < 1 == high[1] and low[2] < 1 == high[2]
        assert high[3] < 1 and low[4] == 0 < high[4] <= 2 * TINY


def normed(x, gain, epsilon):
    """As MambaRMSNorm computes it, and in two other ways."""
    x, gain = torch.from_numpy(x), torch.from_numpy(gain)
    mean = x.pow(2).mean(-1, keepdim=True) + epsilon
    yield gain * (x * torch.rsqrt(mean))
    yield gain * (x / torch.sqrt(mean))
    yield (x * gain) / torch.sqrt((x.flip(-1) * x.flip(-1)).sum(-1, keepdim=True) / x.shape[-1] + epsilon)


@pytest.mark.parametrize("who", ["finder", "check"])
@pytest.mark.parametrize("width", [1, 8, 33])
@pytest.mark.parametrize("epsilon", [1e-5, 1e-12, 2.0**60])
def test_norms(who, width, epsilon):
    rng = np.random.default_rng(7)
    gain = numbers(rng, width, -3, 3)
    x = numbers(rng, 600 * width, -8, 6).reshape(600, width)
    x[:100] *= np.float32(1e-12)
    low, high = around(rng, x)
    if who == "finder":
        interval = found.normalised(Bounds(low, high), epsilon, gain.astype("f8")).ends
    else:
        rows = [checked._normed(ends, gain.astype("f8"), epsilon) for ends in zip(low, high)]
        interval = tuple(np.stack(ends) for ends in zip(*rows))
    for values in normed(x, gain, epsilon):
        assert_inside(interval, values.numpy())


def test_the_finders_are_wider_than_the_check():
    """What is closed for the finders is closed for the check, whatever the last place of float64 does."""
    rng = np.random.default_rng(8)
    x = around(rng, numbers(rng, 4000, -6, 4).reshape(250, 16))
    weights, bias, gain = (numbers(rng, n, -3, 3).astype("f8") for n in (8 * 16, 8, 16))
    weights = weights.reshape(8, 16)
    pairs = [
        (found.linear(weights, Bounds(*x), bias), [checked._dot(weights, ends, bias) for ends in zip(*x)]),
        (found.normalised(Bounds(*x), 1e-5, gain), [checked._normed(ends, gain, 1e-5) for ends in zip(*x)]),
        (found.silu(Bounds(*x)), [checked._silu(ends) for ends in zip(*x)]),
        (found.softplus(Bounds(*x)), [checked._softplus(ends) for ends in zip(*x)]),
        (found.multiplied(Bounds(*x), Bounds(*x)), [checked._multiply(ends, ends) for ends in zip(*x)]),
    ]
    for wide, rows in pairs:
        low, high = (np.stack(ends) for ends in zip(*rows))
        assert (wide.low <= low).all() and (high <= wide.high).all()


# -- what is assumed of functions, on this machine's torch --------------------------------------------


def test_what_is_assumed_of_functions_holds_here():
    rng = np.random.default_rng(9)
    x = np.concatenate([numbers(rng, 50_000, -40, 38), np.linspace(-110, 25, 50_000, dtype=np.float32)])
    exact = x.astype(np.float64)
    for batch in (lambda f, v: f(torch.from_numpy(v)).numpy(), _singly):
        part = slice(None) if batch is not _singly else slice(None, None, 37)
        silu, softplus = batch(torch.nn.functional.silu, x[part]), batch(torch.nn.functional.softplus, x[part])
        decay = batch(torch.exp, -np.abs(x[part]))
        root = batch(torch.rsqrt, np.maximum(np.abs(x[part]), np.float32(1e-30)))
        e = exact[part]
        with np.errstate(over="ignore"):
            assert_within(silu, np.where(e < -700, 0, e / (1 + np.exp(-np.maximum(e, -700)))))
        assert_within(softplus, np.logaddexp(0, e))
        assert_within(decay, np.exp(-np.abs(e)))
        assert_within(root, 1 / np.sqrt(np.maximum(np.abs(e), np.float64(np.float32(1e-30)))))
        assert (softplus >= 0).all() and (softplus[e <= SOFTPLUS_ZERO] == 0).all()
        assert (decay <= 1).all() and (decay >= 0).all() and (decay[e == 0] == 1).all()
    assert (x <= SOFTPLUS_ZERO).sum() > 1000 and (torch.exp(-torch.zeros(9) * torch.rand(9)) == 1).all()


def _singly(function, values):
    return np.array([function(torch.tensor([v])).item() for v in values.tolist()], dtype=np.float32)


def assert_within(values, exact):
    error = np.abs(values.astype(np.float64) - exact)
    assert (error <= FUNCTION * np.abs(exact) + TINY).all(), (error / (FUNCTION * np.abs(exact) + TINY)).max()
