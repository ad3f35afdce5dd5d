"""Limits and settling times against plain loops: never too early, never the wrong limit, and not far too late."""

from fractions import Fraction

import numpy as np
import pytest

from automata.catalogue import language
from automata.machine import ACCEPT
from constructions.paper.parity_models import parity, rounding_parity, unbounded_parity, wrapping_parity
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.signed import lower_signed
from constructions.ssm.weights import SSM
from verify.impossible.refuter import refute
from verify.impossible.transients.channels import PeriodicChannel, Unsettled, integer_fate, rational_fate
from verify.impossible.transients.float_channels import FloatChannels
from verify.impossible.transients.settling import Settler
from verify.numbers.intervals import Intervals, Weights, numbers_of, step_box


def slow_model(arithmetic, exponent, depth=1, width=3, seed=0, initial=100):
    """Layers whose gates are all 1 - 2^-exponent."""
    rng, layers, inputs = np.random.default_rng(seed), [], 1

    def affine(rows, columns):
        return Affine(rng.integers(-4, 5, (rows, columns)), rng.integers(-4, 5, rows), 2)

    for _ in range(depth):
        gate = Affine(np.zeros((width, inputs), dtype=np.int64), np.full(width, (1 << exponent) - 1), exponent)
        phi = (Mix(affine(width, width + inputs), "clip", -4, 4),)
        layers.append(Layer(gate, affine(width, inputs), np.full(width, initial), phi))
        inputs = width
    return SSM(
        ("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), tuple(layers), affine(1, inputs), Arithmetic.parse(arithmetic)
    )


# -- channels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_integer_channels_do_what_their_fate_says(seed):
    rng = np.random.default_rng(seed)
    one, symbols = 1 << int(rng.integers(1, 9)), int(rng.integers(1, 4))
    spread = int(rng.integers(0, 2)) * int(rng.integers(0, one // 2 + 1))
    kinds = rng.choice(["any", "one", "close"], symbols)
    least = [one if kind == "one" else one - 1 if kind == "close" else int(rng.integers(0, one + 1)) for kind in kinds]
    gates = [(g, min(one, g + spread)) for g in least]
    increments = [
        (b, b + int(rng.integers(0, 2)) * int(rng.integers(0, 3 * one)))
        for b in rng.integers(-4 * one, 4 * one, symbols).tolist()
    ]
    low = int(rng.integers(-500, 500))
    channel = PeriodicChannel(gates, increments, low, low + int(rng.integers(0, 2)) * int(rng.integers(0, 50)))
    fate = integer_fate(channel, one)
    for _ in range(6):
        chosen = [int(rng.integers(a, c + 1)) for a, c in gates], [int(rng.integers(b, d + 1)) for b, d in increments]
        h, states = int(rng.integers(channel.low, channel.high + 1)), []
        for _ in range(min(fate.periods, 20_000) + 4):
            states.append(h)
            for a, b in zip(*chosen):
                h = (a * h + b) // one
        if fate.periods > 20_000:
            continue
        settled = states[fate.periods :]
        for n, h in enumerate(settled, start=fate.periods):
            assert fate.low + n * fate.least_slope <= h <= fate.high + n * fate.greatest_slope
        assert len(set(np.diff(settled).tolist())) == 1 and fate.steady


@pytest.mark.parametrize("dtype, precision", [(np.float16, 11), (np.float32, 24), (np.float64, 53)])
@pytest.mark.parametrize("seed", range(12))
def test_float_channels_do_what_their_fate_says(dtype, precision, seed):
    rng = np.random.default_rng(seed)
    symbols, width = int(rng.integers(1, 4)), 24
    low = rng.random((symbols, width)) ** rng.choice([1.0, 0.05], width)
    low = np.where(rng.random((symbols, width)) < 0.1, 0, np.minimum(low, 1 - 2.0**-9)).astype(dtype)
    high = np.where(rng.random(width) < 0.5, low, np.minimum(low * 1.01, 1 - 2.0**-9)).astype(dtype)
    b = (rng.normal(size=(symbols, width)) * 10.0 ** rng.integers(-2, 0 if dtype is np.float16 else 2, width)).astype(
        dtype
    )
    d = np.maximum(b, np.where(rng.random(width) < 0.5, b, b + dtype(0.125)).astype(dtype))
    h = (rng.normal(size=width) * 30).astype(dtype)
    channels = FloatChannels(np.array([low, high]), np.array([b, d]), h, h, precision, [f"h{i}" for i in range(width)])
    fates = channels.fates(None)
    chosen_gates, chosen = np.where(rng.random(width) < 0.5, low, high), np.where(rng.random(width) < 0.5, b, d)
    states = [h]
    for _ in range(min(40_000, max(fate.periods for fate in fates)) + 2):
        for gate, increment in zip(chosen_gates, chosen):
            h = gate * h + increment + dtype(0)
        states.append(h)
    states = np.array(states)
    for i, fate in enumerate(fates):
        if fate.periods + 1 < len(states):
            assert (states[fate.periods :, i] == states[-1, i]).all()
            assert fate.low <= states[-1, i] <= fate.high


@pytest.mark.parametrize("exponent", [4, 10, 20])
def test_a_limit_that_may_be_zero_is_reached_in_time(exponent):
    """What is added is known only to be about 0: not every float around 0 need be crossed."""
    gate, start = 1 - np.float32(2.0**-exponent), np.float32([100])
    gates, increments = np.full((2, 1, 1), gate), np.float32([-1e-9, 1e-9]).reshape(2, 1, 1)
    (fate,) = FloatChannels(gates, increments, start, start, 24, ["h"]).fates(None)
    # Until the digits of a subnormal end, which half of what a step takes from it no longer reaches.
    needed = np.log(100 / 2.0**-149 * 2.0**-exponent) * 2.0**exponent
    assert needed < fate.periods < 100 * needed
    if exponent < 20:
        added = np.float32([0, 1e-9, -1e-9, 1e-20, -1e-20, 1e-38, -1e-38, 1e-45])
        h = np.full(len(added), start)
        for _ in range(fate.periods):
            before, h = h, gate * h + added
            if (before == h).all():
                break
        assert (before == h).all() and (fate.low <= h).all() and (h <= fate.high).all()


def test_a_float_that_grows_is_described_within_its_window():
    gates, increments = (
        np.ones((2, 2, 3), dtype=np.float32),
        np.float32([[[0.1, -1, 3]], [[0.1, -1, 3]]]).repeat(2, axis=1),
    )
    start = np.float32([5, 0, -1])
    fates = FloatChannels(gates, increments, start, start, 24, "abc").fates(window=1 << 16)
    h = start
    for n in range(1, 20_000):
        for _ in range(2):
            h = h + increments[0, 0]
        for i, fate in enumerate(fates):
            assert fate.low + n * fate.least_slope <= h[i] <= fate.high + n * fate.greatest_slope


def test_a_float_with_gate_one_stalls_when_its_fate_says():
    gates, increments = np.ones((2, 1, 2), dtype=np.float16), np.float16([[[0.5, -0.1]], [[0.5, -0.1]]])
    start = np.float16([0, 3])
    fates = FloatChannels(gates, increments, start, start, 11, "ab").fates(None)
    h, last = start, 0
    for n in range(1, max(fate.periods for fate in fates) + 1):
        h, before = h + increments[0, 0], h
        if (h != before).any():
            last = n
    assert last <= max(fate.periods for fate in fates) <= 100 * last
    assert all(fate.low <= value <= fate.high for fate, value in zip(fates, h))


@pytest.mark.parametrize("arithmetic", ["fixed:3", "float32", "exact"])
def test_boxes_hold_what_the_reference_computes(arithmetic):
    """A layer of any signs: the box of a box holds the layer's states for all points of it."""
    rng = np.random.default_rng(4)
    ssm = random_ssm(4, 1, 5, Arithmetic.parse(arithmetic), bounded=False)
    layer, numbers = ssm.layers[0], numbers_of(ssm.arithmetic)
    for _ in range(20):
        low = rng.integers(-9, 9, 5)
        high = low + rng.integers(0, 5, 5)
        states = rng.integers(-9, 9, (2, 5))
        states.sort(axis=0)
        x = Intervals(numbers.constant(low, 3), numbers.constant(high, 3))
        h = Intervals(numbers.constant(states[0], 1), numbers.constant(states[1], 1))
        gates = numbers.gates(layer, numbers.raw(Weights(layer.gate, numbers), x))
        increments = numbers.increments(layer, numbers.raw(Weights(layer.increment, numbers), x))
        after = step_box(numbers, layer, gates, h, increments)
        scale = 1 << ssm.arithmetic.unit_bits
        for _ in range(10):
            point, state = rng.integers(low, high + 1), rng.integers(states[0], states[1] + 1)
            exact = [[reference.number(ssm.arithmetic, int(n), e) for n in ns] for ns, e in ((point, 3), (state, 1))]
            gate = reference.gate_values(ssm.arithmetic, layer, exact[0])
            added = reference.apply(ssm.arithmetic, layer.increment, exact[0])
            new = [g * value + b for g, value, b in zip(gate, exact[1], added)]
            if not ssm.arithmetic.is_float:
                new = [ssm.arithmetic.store_state(value) for value in new]
            assert all(lo <= value * scale <= hi for lo, value, hi in zip(after.low, new, after.high))


# -- models -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arithmetic, gates", [("fixed:1", "affine"), ("fixed:6", "affine"), ("float32", "sigmoid"), ("float64", "affine")]
)
def test_models_are_constant_from_where_they_settle(arithmetic, gates):
    arithmetic = Arithmetic.parse(arithmetic)
    for seed in range(25):
        engine = Engine(random_ssm(seed, 1 + seed % 4, 1 + seed % 9, arithmetic, gates))
        w = ("1",) if seed % 2 else ("1", "0", "1")
        state, _ = engine.begin(1)
        window = 1 << (arithmetic.bits - 8) if arithmetic.is_float else None
        try:
            settled = Settler(engine.ssm).settle(state[0], w, window=window)
        except Unsettled:
            assert arithmetic.is_float
            continue
        if settled.periods > 3000:
            continue
        _, outputs = engine.advance(state, np.tile(engine.encode(w), settled.periods + 50))
        given = outputs.dense()[0, settled.periods * len(w) - 1 :: len(w), 0]
        assert len(set(given.tolist())) == 1
        assert settled.answers[0] in (None, bool(given[0]))


def test_limits_in_fixed_point_are_exact():
    ssm = random_ssm(7, 1, 8, Arithmetic.parse("fixed:5"))
    engine = Engine(ssm)
    state, _ = engine.begin(1)
    settled = Settler(ssm).settle(state[0], ("1",))
    after, _ = engine.advance(state, np.ones((1, settled.periods), dtype=np.int64))
    for fate, value in zip(settled.fates[0], after[0].tolist()):
        if not fate.least_slope:
            assert fate.low == fate.high == value
        else:
            assert fate.low + settled.periods * fate.least_slope == value


@pytest.mark.parametrize("arithmetic", ["fixed:2", "fixed:8", "float32", "float64"])
@pytest.mark.parametrize("exponent", [1, 4, 8, 12])
def test_settling_times_are_within_a_hundred_times_the_truth(arithmetic, exponent):
    ssm = slow_model(arithmetic, exponent, depth=1)
    engine, settler = Engine(ssm), Settler(ssm)
    state, _ = engine.begin(1)
    bound = settler.settle(state[0], ("1",)).periods
    # The truth, by bisection on runs: settled is settled for ever.
    least, most = 0, bound
    moving = state
    while most - least > 1:
        middle = (least + most) // 2
        there, _ = engine.advance(moving, np.ones((1, middle - least), dtype=np.int64))
        following, _ = engine.advance(there, np.ones((1, 1), dtype=np.int64))
        if np.array_equal(there, following):
            most = middle
        else:
            least, moving = middle, there
    assert most <= bound <= 100 * most


def test_a_transient_of_millions_of_steps_is_not_looped_through():
    engine = Engine(slow_model("fixed:8", 20, width=1))
    state, _ = engine.begin(1)
    settled = Settler(engine.ssm).settle(state[0], ("1",))
    h = state[0].tolist()
    layer = engine.ssm.layers[0]
    added = (
        (layer.increment.matrix.toarray()[:, 0] + layer.increment.bias) << 26
    ).tolist()  # quarters, in units over 2^20
    gate, truth = (1 << 20) - 1, []
    for i in range(len(h)):
        value, n = h[i], 0
        while (after := (gate * value + added[i]) >> 20) != value:
            value, n = after, n + 1
        truth.append(n)
        assert settled.fates[0][i].low == value
    assert max(truth) > 1_000_000
    assert max(truth) <= settled.periods <= 100 * max(truth)


def chain(arithmetic, *layers):
    """Layers of one channel: (gate, increment from its input, constant increment, h_0), all over 256; phi clips to [0,
    1].
    """
    made = [
        Layer(
            Affine(np.array([[0]]), np.array([gate]), 8),
            Affine(np.array([[reads]]), np.array([added]), 8),
            np.array([start]),
            (Mix(Affine(np.array([[1, 0]]), np.array([0])), "clip", 0, 1),),
            8,
        )
        for gate, reads, added, start in layers
    ]
    embedding = np.array([[0], [1], [0]])
    return SSM(
        ("0", "1"),
        (ACCEPT,),
        embedding,
        tuple(made),
        Affine(np.array([[2]]), np.array([-1])),
        Arithmetic.parse(arithmetic),
    )


@pytest.mark.parametrize("arithmetic", ["fixed:8", "float32", "float64"])
@pytest.mark.parametrize(
    "layers",
    [
        # What grows has far to go before it enters the clip, and to leave it.
        [(256, 16, 0, -50 * 256)],
        [(256, -16, 0, 50 * 256)],
        # What a second layer has gathered during the transient of the first takes long to vanish.
        [(255, 0, 0, 100 * 256), (256, 256, -16, 0)],
        # The same three layers high, and with a slow second layer.
        [(255, 0, 0, 100 * 256), (254, 256, -1, 0), (256, 256, -64, 0)],
    ],
)
def test_answers_that_change_late_are_waited_for(arithmetic, layers):
    ssm = chain(arithmetic, *layers)
    engine = Engine(ssm)
    state, _ = engine.begin(1)
    window = 1 << (ssm.arithmetic.bits - 8) if ssm.arithmetic.is_float else None
    try:
        settled = Settler(ssm).settle(state[0], ("1",), window=window)
    except Unsettled:
        settled = Settler(ssm).settle(state[0], ("1",))
    _, outputs = engine.advance(state, np.ones((1, 60_000), dtype=np.int64))
    given = outputs.dense()[0, :, 0]
    last_change = int(np.flatnonzero(given[1:] != given[:-1]).max(initial=0)) + 1
    assert last_change > 500 and settled.periods > last_change
    assert settled.answers[0] in (None, bool(given[-1]))
    refuted = refute(engine, language("parity").dfa(), confirm=False)
    assert refuted.verdict.outcome == "refuted" and refuted.n >= last_change


# -- nothing is concluded where nothing settles -------------------------------------------------------


@pytest.mark.parametrize(
    "ssm, reason",
    [
        (wrapping_parity(Arithmetic.parse("wrap:3")), "wraps round"),
        (unbounded_parity(Arithmetic.parse("fixed:2")), "layer 2 reads count, which grows without bound"),
        (rounding_parity(Arithmetic.parse("fixed:2")), "count - 2 half sums channels whose growth may cancel"),
        (lower_signed(parity(), Arithmetic("exact")), "odd may have a gate below 0"),
    ],
)
def test_what_may_count_is_unsettled(ssm, reason):
    with pytest.raises(Unsettled, match=reason):
        state, _ = Engine(ssm).begin(1)
        Settler(ssm).settle(state[0], ("1",))


def test_a_fraction_of_what_has_grown_may_be_read_after_the_period():
    """One layer counts the 1s twice; the symbol 0 halves one count, rounded down: (1 1)* 0 is then recognised."""
    layer = Layer(
        gate=Affine(np.array([[0, 0], [0, -1]]), np.array([2, 2]), 1),
        increment=Affine(np.array([[1, 0], [1, 0]]), np.array([0, 0]), 2),
        initial=np.zeros(2, dtype=np.int64),
        phi=(Mix(Affine(np.array([[1, -2, 0, 0]]), np.array([0])), "clip", 0, 1, ("difference",)),),
        names=("whole", "half"),
    )
    embedding = np.array([[0, 1], [1, 0], [0, 0]])
    ssm = SSM(
        ("0", "1"), (ACCEPT,), embedding, (layer,), Affine(np.array([[-4]]), np.array([1])), Arithmetic.parse("fixed:2")
    )
    engine = Engine(ssm)
    state, _ = engine.begin(1)
    for n in range(6):
        _, outputs = engine.advance(state, engine.encode("1" * n + "0"))
        assert bool(outputs.dense()[0, -1, 0]) == (n % 2 == 0)
    with pytest.raises(Unsettled, match="half has grown when a gate other than 0 and 1 scales it"):
        Settler(ssm).settle(state[0], ("1",), ("0",))


@pytest.mark.parametrize("seed", range(40))
def test_exact_channels_stay_where_their_fate_says(seed):
    """Gates and increments are drawn anew in every period, as those of a layer above an exact one may be."""
    rng = np.random.default_rng(seed)
    symbols, spread = int(rng.integers(1, 4)), int(rng.integers(0, 2))
    kinds = rng.choice(["below", "below", "one", "zero", "above"], symbols)
    starts = {"below": (1, 7), "one": (8, 8), "zero": (0, 0), "above": (9, 12)}
    gates = []
    for kind in kinds:
        low = int(rng.integers(starts[kind][0], starts[kind][1] + 1))
        high = min(starts[kind][1], low + spread * int(rng.integers(0, 3)))
        gates.append((Fraction(low, 8), Fraction(high, 8)))
    increments = [
        (Fraction(int(b), 8), Fraction(int(b) + spread * int(rng.integers(0, 5)), 8))
        for b in rng.integers(-16, 16, symbols)
    ]
    low = Fraction(int(rng.integers(-200, 200)), 8)
    channel = PeriodicChannel(gates, increments, low, low + spread * int(rng.integers(0, 3)))
    try:
        fate = rational_fate(channel, Fraction(1, 64))
    except Unsettled:
        assert "above" in kinds or spread
        return
    assert fate.periods < 2000
    for _ in range(4):
        h = channel.low + (channel.high - channel.low) * Fraction(int(rng.integers(0, 3)), 2)
        for n in range(fate.periods + 12):
            if n >= fate.periods:
                assert fate.low + n * fate.least_slope <= h <= fate.high + n * fate.greatest_slope
            for (a, c), (b, d) in zip(gates, increments):
                gate, added = a + (c - a) * int(rng.integers(0, 2)), b + (d - b) * int(rng.integers(0, 2))
                h = gate * h + added
    if fate.least_slope == fate.greatest_slope == 0 and channel.known:
        assert fate.high - fate.low <= Fraction(1, 16)


@pytest.mark.parametrize("arithmetic", ["fixed:4", "exact"])
def test_a_gate_above_one_below_a_transient_is_not_bounded(arithmetic):
    """The first layer's feature falls from 1 to 0, and the second's gate is twice the feature."""
    first = Layer(Affine([[0]], [1], 1), Affine([[0]], [0]), np.array([8]), (Mix(Affine([[1, 0]], [0]), "clip", 0, 1),))
    second = Layer(Affine([[2]], [0]), Affine([[0]], [1]), np.array([0]), (Mix(Affine([[1, 0]], [0]), "clip", 0, 1),))
    ssm = SSM(
        ("0", "1"),
        (ACCEPT,),
        np.array([[0], [1], [0]]),
        (first, second),
        Affine([[1]], [0]),
        Arithmetic.parse(arithmetic),
    )
    state, _ = Engine(ssm).begin(1)
    with pytest.raises(Unsettled, match="layer 2 may have a gate above 1 while the layers below it change"):
        Settler(ssm).settle(state[0], ("1",))


def test_a_stage_without_neurons_settles_at_once():
    """A layer whose last mix is empty gives out nothing: the answer is the readout's bias, whatever the string."""

    def affine(matrix, bias):
        return Affine(np.array(matrix, dtype=np.int64), np.array(bias, dtype=np.int64))

    layer = Layer(
        affine([[1]], [0]),
        affine([[1]], [0]),
        np.array([0]),
        (Mix(affine([[1, 0]], [0])), Mix(affine(np.zeros((0, 2)), []))),
    )
    readout = Affine(np.zeros((1, 0), dtype=np.int64), np.array([1]))
    ssm = SSM(("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), (layer,), readout, Arithmetic.parse("fixed:2"))
    assert refute(ssm, language("parity").dfa()).verdict.outcome == "refuted"
