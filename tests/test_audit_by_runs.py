"""The audit and the translations against runs of random small models: layers that nobody would build, gates of any
sign.
"""

from itertools import product

import numpy as np
import pytest

from automata.errors import InputError
from automata.machine import ACCEPT
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.weights import SSM
from verify.impossible.upper_bound import NO_BOUND, STAR_FREE, TIME_INVARIANT, upper_bound
from verify.methods.translation import find_translation

ARITHMETICS = ["fixed:0", "fixed:1", "fixed:2", "float16", "float32", "exact"]


def random_model(rng, arithmetic, gates, first_gates=None, last="clip", exponents=3):
    """One or two layers of one or two channels over {0, 1}; ``gates`` in halves."""
    features = int(rng.integers(1, 3))
    embedding, layers = rng.integers(-1, 2, (3, features)), []
    for number in range(int(rng.integers(1, 3))):
        width, stages = int(rng.integers(1, 3)), int(rng.integers(1, 4))
        matrix = np.zeros((width, features), dtype=np.int64)
        if rng.random() < 0.35:
            matrix[rng.integers(width), rng.integers(features)] = rng.choice([-2, -1, 1, 2])
        gate = Affine(matrix, rng.choice(first_gates if first_gates and not number else gates, width), 1)
        increment = affine(rng, width, features, int(rng.integers(0, exponents)))
        phi, inputs = [], width
        for stage in range(stages):
            neurons = int(rng.integers(1, 4))
            kind = (
                last
                if stage == stages - 1 and rng.random() < 0.75
                else str(rng.choice(["relu", "linear", "linear", "clip"]))
            )
            phi.append(
                Mix(affine(rng, neurons, inputs + features, int(rng.integers(0, 2))), kind, -1, int(rng.integers(0, 3)))
            )
            inputs = neurons
        layers.append(Layer(gate, increment, rng.integers(-2, 3, width), tuple(phi), int(rng.integers(0, 2))))
        features = inputs
    return SSM(
        ("0", "1"), (ACCEPT,), embedding, tuple(layers), affine(rng, 1, features, 0), Arithmetic.parse(arithmetic)
    )


def affine(rng, outputs, inputs, exponent):
    matrix = rng.integers(-2, 3, (outputs, inputs)) * (rng.random((outputs, inputs)) < 0.7)
    return Affine(matrix, rng.integers(-1, 2, outputs), exponent)


def settles(engine, u, w, v, waited=70, compared=20):
    """Whether the answers after u w^n v are one for the last n that are run."""
    state, _ = engine.begin(1)
    state, _ = engine.advance(state, np.array([list(u) + list(w) * waited]))
    answers = set()
    for _ in range(compared):
        state, outputs = engine.advance(state, np.array([list(w)]))
        if v:
            _, outputs = engine.advance(state, np.array([list(v)]))
        answers.add(bool(outputs.dense()[0, -1, 0]))
    return len(answers) == 1


def check_audits(seeds):
    """How many models have each of the two bounds; every one keeps it on strings u w^n v."""
    words = [word for length in (1, 2, 3) for word in product((0, 1), repeat=length)]
    found = {STAR_FREE: 0, TIME_INVARIANT: 0, NO_BOUND: 0}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        ssm = random_model(rng, ARITHMETICS[seed % 6], [-4, -2, -2, -1, 0, 1, 2, 2, 4])
        bound = upper_bound(ssm).verdict
        found[bound] += 1
        strings = []
        if bound == TIME_INVARIANT:
            strings = [((), (1, 0), ()), ((0,), (1, 0), ()), ((), (1, 0), (1,))]
        elif bound == STAR_FREE:
            chosen = [words[i] for i in rng.permutation(len(words))[:4]]
            strings = [((), (1,), ()), *(((1,), w, (0,)[: int(rng.integers(2))]) for w in chosen)]
        for u, w, v in strings:
            assert settles(Engine(ssm), u, w, v), (seed, bound, u, w, v)
    return found


def test_random_models_keep_the_bound_that_the_audit_gives():
    found = check_audits(range(72))
    assert found[STAR_FREE] > 8 and found[TIME_INVARIANT] > 4


@pytest.mark.slow
def test_thousands_of_random_models_keep_the_bound_that_the_audit_gives():
    found = check_audits(range(1000, 6000))
    assert found[STAR_FREE] > 500 and found[TIME_INVARIANT] > 300


# -- gates of -1 and beyond ---------------------------------------------------------------------------


def swapping_counter(activation, bits=0, gate=-1):
    """One layer with the gate -1, whatever the input: its state's last digit is that of the number of 1s."""
    phi = (
        Mix(
            Affine([[2, 0], [-2, 0], [1, 0], [-1, 0]], [0, 0, 0, 1], 1),
            activation,
            names=("h", "-h", "h over 2", "-h over 2"),
        ),
        Mix(
            Affine([[1, -1, -2, 2, 0]] if activation == "relu" else [[1, 0, -2, 0, 0]], [0]),
            "clip",
            -4,
            4,
            names=("h mod 2",),
        ),
    )
    layer = Layer(Affine([[0]], [gate]), Affine([[1]], [0], bits), np.array([0]), phi, names=("h",))
    return SSM(
        ("0", "1"),
        (ACCEPT,),
        np.array([[0], [1], [0]]),
        (layer,),
        Affine([[-1 << bits]], [1]),
        Arithmetic("fixed", bits),
    )


@pytest.mark.parametrize("bits", [0, 1, 3])
@pytest.mark.parametrize("gate", [-1, 1])
def test_a_counter_whose_last_digit_is_read_does_parity_and_has_no_bound(bits, gate):
    ssm = swapping_counter("linear", bits, gate)
    words = np.array(list(product((0, 1), repeat=10)))
    engine = Engine(ssm)
    state, _ = engine.begin(len(words))
    _, outputs = engine.advance(state, words)
    assert np.array_equal(outputs.dense()[:, :, 0], np.cumsum(words, axis=1) % 2 == 0)
    bound = upper_bound(ssm)
    assert (bound.verdict, bound.channel) == (NO_BOUND, "'h over 2'") and "rounds a fraction" in bound.reason


def test_a_relu_that_rounds_half_of_a_counter_does_parity_and_has_no_bound():
    phi = (
        Mix(Affine([[2, 0], [1, 0]], [0, 0], 1), "relu", names=("h", "half")),
        Mix(Affine([[1, -2, 0]], [0]), "clip", 0, 1),
    )
    layer = Layer(Affine([[0]], [1]), Affine([[1]], [0]), np.array([0]), phi, names=("h",))
    ssm = SSM(("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), (layer,), Affine([[-1]], [1]), Arithmetic("fixed", 0))
    assert not settles(Engine(ssm), (), (1,), ())
    bound = upper_bound(ssm)
    assert (bound.verdict, bound.channel) == (NO_BOUND, "'half'")


def test_a_second_stage_that_rounds_a_fraction_of_a_counter_has_no_bound():
    phi = (
        Mix(Affine([[1, 0]], [0]), "linear", names=("count",)),
        Mix(Affine([[2, 0], [1, 0]], [0, 0], 1), "linear", names=("count again", "half")),
        Mix(Affine([[1, -2, 0]], [0]), "clip", 0, 1),
    )
    layer = Layer(Affine([[0]], [1]), Affine([[1]], [0]), np.array([0]), phi, names=("h",))
    ssm = SSM(("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), (layer,), Affine([[-1]], [1]), Arithmetic("fixed", 0))
    assert not settles(Engine(ssm), (), (1,), ())
    bound = upper_bound(ssm)
    assert (bound.verdict, bound.channel) == (NO_BOUND, "'half'")


def one_channel(arithmetic, gate=(0, 1), increment=(1, 0), initial=0, phi=None, embedding=(0, 1, 0), exponent=0):
    """Gate and increment as (weight, bias)."""
    layer = Layer(
        Affine([[gate[0]]], [gate[1]], exponent),
        Affine([[increment[0]]], [increment[1]]),
        np.array([initial]),
        phi or (Mix(Affine([[1, 0]], [0]), "clip", 0, 1),),
        names=("h",),
    )
    rows = np.array(embedding).reshape(3, 1)
    return SSM(("0", "1"), (ACCEPT,), rows, (layer,), Affine([[2]], [-1]), Arithmetic.parse(arithmetic))


LARGE = 1 << 40


@pytest.mark.parametrize(
    "ssm, verdict, reason",
    [
        (one_channel("fixed:0", (0, -1)), TIME_INVARIANT, "gate -1 whatever the input"),
        (one_channel("fixed:0", (0, -2)), NO_BOUND, "scaled by gates other than 0 and 1"),
        (one_channel("fixed:1", (0, -3), exponent=2), TIME_INVARIANT, "gate -0.75"),
        (one_channel("fixed:1", (0, -5), exponent=2), NO_BOUND, "scaled by gates other than 0 and 1"),
        (one_channel("exact", (0, -1), exponent=1), NO_BOUND, "never rounded"),
        (one_channel("fixed:0", (-1, 1)), STAR_FREE, "no gate is below 0"),
        (one_channel("fixed:0", (-2, 1)), NO_BOUND, "gates down to -1"),
        (one_channel("fixed:0", (2, -1), embedding=(1, 1, 0)), NO_BOUND, "gates down to -1"),
        (one_channel("float32", (0, -1)), TIME_INVARIANT, "gate -1"),
        (one_channel("float32", (0, -2)), NO_BOUND, "a gate below -1, so that floats may overflow"),
        (one_channel("float32", (0, 2)), NO_BOUND, "a gate above 1, so that floats may overflow"),
        # Each of these is infinite in float16 by itself.
        (
            one_channel("float16", (0, 0), (0, 0), LARGE, (Mix(Affine([[1, 0]], [0], 40), "clip", 0, 1),)),
            NO_BOUND,
            "may overflow",
        ),
        (one_channel("float16", (0, 0), (LARGE, 0), embedding=(0, 0, 0)), NO_BOUND, "may overflow"),
        (one_channel("float16", (LARGE, 0), embedding=(0, 0, 0)), NO_BOUND, "gates down to -inf"),
        (
            one_channel("float16", (0, 0), (0, 0), 0, (Mix(Affine([[LARGE, 0]], [0]), "clip", 0, 1),), (0, 0, 0)),
            NO_BOUND,
            "may overflow",
        ),
        (
            one_channel("float16", (0, 0), (0, 0), 0, (Mix(Affine([[1, 0]], [0]), "clip", 0, LARGE),)),
            NO_BOUND,
            "may overflow",
        ),
        (
            one_channel("float16", (0, 0), (0, 0), 0, (Mix(Affine([[1, 0]], [0], 40), "clip", 0, 1),), (0, LARGE, 0)),
            NO_BOUND,
            "may overflow",
        ),
        (one_channel("float16", (0, 1), (0, 0)), STAR_FREE, "no gate is below"),
    ],
)
def test_what_bounds_a_channel(ssm, verdict, reason):
    bound = upper_bound(ssm)
    assert bound.verdict == verdict and reason in bound.reason


# -- translations -------------------------------------------------------------------------------------


def check_translations(seeds):
    """How many models have a translation, and how many of them one of several layers; every one changes nothing."""
    found = several = compared = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        gates = [0, 0, 0, 1, 2]
        ssm = random_model(rng, ARITHMETICS[seed % 3], gates, first_gates=[0, 2, 2, 2], last="linear", exponents=2)
        if seed % 2:
            ssm = SSM(
                ssm.alphabet,
                ssm.outputs,
                ssm.embedding,
                ssm.layers,
                Affine(ssm.readout.matrix * 0, [1]),
                ssm.arithmetic,
            )
        moved = find_translation(ssm)
        if moved is None:
            continue
        found += 1
        several += int((moved != 0).sum()) > 1
        engine = Engine(ssm)
        state, _ = engine.advance(engine.begin(1)[0], rng.integers(0, 2, (1, 5)))
        word = rng.integers(0, 2, (1, 12))
        for times in (-3, 1, 2):
            try:
                after, outputs = engine.advance(state, word)
                there, same = engine.advance(state + times * moved, word)
            except InputError:
                continue  # a number that the engine does not run exactly
            compared += 1
            assert np.array_equal(there, after + times * moved), seed
            assert np.array_equal(same.dense(), outputs.dense()), seed
    assert compared > 2 * found
    return found, several


def test_no_random_model_sees_its_translation():
    found, several = check_translations(range(400))
    assert found > 60 and several > 2


def two_layers(gate=(0, 0)):
    """A counter that is passed on to a second layer, whose gate may read it."""
    first = Layer(Affine([[0]], [1]), Affine([[1]], [0]), np.array([0]), (Mix(Affine([[1, 0]], [0]), "linear"),))
    second = Layer(
        Affine([[gate[0]]], [gate[1]]), Affine([[0]], [0]), np.array([1]), (Mix(Affine([[1, 0]], [0]), "linear"),)
    )
    return SSM(
        ("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), (first, second), Affine([[0]], [0]), Arithmetic("fixed", 0)
    )


def test_a_gate_that_sees_the_movement_allows_no_translation():
    assert find_translation(two_layers()).tolist() == [1, 0]
    assert find_translation(two_layers(gate=(1, 0))) is None


def test_a_movement_that_only_wraps_round_is_seen():
    """2^48 times a movement of 2^16 is 0 in 64 bits."""
    phi = (Mix(Affine([[1 << 48, 0]], [0]), "relu"),)
    layer = Layer(Affine([[0]], [1]), Affine([[1]], [0]), np.array([0]), phi)
    ssm = SSM(("0", "1"), (ACCEPT,), np.array([[0], [1], [0]]), (layer,), Affine([[1]], [0]), Arithmetic("fixed", 0))
    assert find_translation(ssm) is None
