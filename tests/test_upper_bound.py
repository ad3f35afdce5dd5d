"""The audit: right about models whose power is known, and never wrong about models that can be enumerated."""

from dataclasses import replace

import numpy as np
import pytest

from automata.algebra.aperiodic import is_star_free
from automata.catalogue import language
from automata.dfa import DFA
from automata.errors import InputError
from automata.machine import ACCEPT
from constructions.compile.krohn_rhodes import holonomy_cascade
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.flip_flop import flip_flop
from constructions.paper.parity_models import parity, rounding_parity, unbounded_parity, wrapping_parity
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine, Layer, Mix
from constructions.ssm.lowering import lower
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.signed import lower_signed
from constructions.ssm.weights import SSM
from verify.impossible.trajectories import trajectories
from verify.impossible.upper_bound import MODULO, NO_BOUND, STAR_FREE, TIME_INVARIANT, upper_bound


def one_layer(gate, increment, phi, arithmetic, readout=((1,),), readout_bias=(0,), names=("h",), initial=(0,)):
    """Over {0, 1}; features: 1 on the symbol 0, 1 on the symbol 1.  Gates, increments and phi as (rows, bias,
    exponent).
    """
    affines = [Affine(np.array(rows), np.array(bias), exponent) for rows, bias, exponent in (gate, increment)]
    layer = Layer(*affines, np.array(initial), phi, names=names)
    embedding = np.array([[1, 0], [0, 1], [0, 0]])
    return SSM(
        ("0", "1"),
        (ACCEPT,),
        embedding,
        (layer,),
        Affine(np.array(readout), np.array(readout_bias)),
        Arithmetic.parse(arithmetic),
    )


def clip(rows, bias=(0,), exponent=0, low=0, high=1):
    return (Mix(Affine(np.array(rows), np.array(bias), exponent), "clip", low, high, ("z",)),)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:0", "fixed:3", "float32", "float64"])
def test_constructions_without_counters_are_at_most_star_free(arithmetic):
    arithmetic = Arithmetic.parse(arithmetic)
    # A depth counter in floats is exact up to a horizon only, and beyond that nothing is known of what reads it.
    for cascade in (flip_flop(),) if arithmetic.is_float else (flip_flop(), bounded_dyck(2, 3)):
        bound = upper_bound(lower(cascade, arithmetic))
        assert (bound.verdict, bound.least_gate, bound.monotone, bound.time_invariant) == (STAR_FREE, 0, True, False)


def test_cascades_that_read_the_old_state_are_at_most_star_free():
    cascade = holonomy_cascade(language("tomita-7").dfa(), "recognise")
    assert cascade.read_before == {"tile 1", "tile 2", "tile 3", "tile 4"}
    ssm = lower(cascade, Arithmetic.parse("fixed:1"))
    bound = upper_bound(ssm)
    # The last tile is read after the step, so it forgets all; each of the others keeps its old digit as a half.
    assert (bound.verdict, bound.least_gate, bound.channel) == (STAR_FREE, 0.0, "'tile 5'")
    upper, last = ssm.layers[:-1], ssm.layers[-1]
    assert all((layer.gate.bias, layer.gate.matrix.min()) == (2, -1) for layer in upper)
    assert (last.gate.bias, last.gate.matrix.min()) == (2, -2)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:2"])
def test_a_counter_that_is_only_counted_keeps_the_bound(arithmetic):
    """Gate 1, +1 on 1, -1 on 0, clipped: what it recognises is not regular, or is star-free."""
    ssm = one_layer(([[0, 0]], [1], 0), ([[-1, 1]], [0], 0), clip([[1, 0, 0]]), arithmetic)
    assert upper_bound(ssm).verdict == STAR_FREE


@pytest.mark.parametrize(
    "ssm, verdict, channel, reason",
    [
        (wrapping_parity(Arithmetic.parse("wrap:3")), MODULO, "'sum'", "modulo 2^3"),
        (lower_signed(parity(), Arithmetic("exact")), NO_BOUND, "'odd'", "gates down to -1"),
        (lower_signed(parity(), Arithmetic.parse("float64")), NO_BOUND, "'odd'", "gates down to -1"),
        (unbounded_parity(Arithmetic.parse("fixed:3")), NO_BOUND, "'count'", "infinitely many values"),
        (rounding_parity(Arithmetic.parse("fixed:3")), NO_BOUND, "'half'", "rounds a fraction"),
        (one_layer(([[0, 0]], [3], 1), ([[0, 1]], [0], 0), clip([[1, 0, 0]]), "float32"), NO_BOUND, "'h'", "above 1"),
        (
            one_layer(([[0, 0]], [1], 1), ([[0, 1]], [0], 0), clip([[1, 0, 0]]), "exact"),
            NO_BOUND,
            "'h'",
            "never rounded",
        ),
        (
            one_layer(([[0, 0]], [1], 0), ([[0, 1]], [0], 0), clip([[1, 0, 0]]), "float16"),
            STAR_FREE,
            "'h'",
            "no gate is below",
        ),
        (
            one_layer(([[0, 0]], [1], 0), ([[0, 99]], [0], 0), clip([[1, 0, 0]]), "float16"),
            NO_BOUND,
            "layer 1",
            "may overflow",
        ),
    ],
)
def test_models_of_known_power(ssm, verdict, channel, reason):
    bound = upper_bound(ssm)
    assert (bound.verdict, bound.channel) == (verdict, channel)
    assert reason in bound.reason


def test_scaling_what_has_grown_can_count_and_gets_no_bound():
    """Gates 1 and, on the symbol 0, 1/2: (1 1)* 0 is recognised, although all features are finite and all gates
    nonnegative.
    """
    ssm = one_layer(
        ([[0, 0], [-1, 0]], [2, 2], 1),
        ([[0, 1], [0, 1]], [0, 0], 2),
        clip([[1, -2, 0, 0]]),
        "fixed:2",
        readout=((-4,),),
        readout_bias=(1,),
        names=("whole", "half"),
        initial=(0, 0),
    )
    state = ssm.initial
    for n in range(12):
        assert ssm.accepts(ssm.step(state, "0")) == (n % 2 == 0)
        state = ssm.step(state, "1")
    bound = upper_bound(ssm)
    assert (bound.verdict, bound.channel) == (NO_BOUND, "'half'")


def test_a_constant_gate_of_minus_one_has_even_positions_but_not_parity():
    swap = ([[0, 0]], [-1], 0)
    ssm = one_layer(swap, ([[0, 0]], [1], 0), clip([[1, 0, 0]]), "fixed:1")
    bound = upper_bound(ssm)
    assert (bound.verdict, bound.channel, bound.time_invariant, bound.least_gate) == (TIME_INVARIANT, "'h'", True, -1)
    positions = [ssm.accepts(state) for state in (ssm.initial, ssm.step(ssm.initial, "0"))]
    assert positions[0] != positions[1]
    for seed in range(10):
        # Whatever is added: on (1 0)^n the answer becomes constant, and that of PARITY does not.
        rng = np.random.default_rng(seed)
        added = ([rng.integers(-3, 4, 2).tolist()], [int(rng.integers(-3, 4))], 1)
        ssm = one_layer(swap, added, clip([[int(rng.integers(-2, 3)), 1, 0]]), "fixed:1")
        assert upper_bound(ssm).verdict == TIME_INVARIANT
        answers = trajectories(Engine(ssm), ("1", "0"), 30).answers
        assert len(set(answers[10:])) == 1


def test_wrapping_integers_have_no_known_least_gate():
    bound = upper_bound(wrapping_parity(Arithmetic.parse("wrap:1")))
    assert bound.least_gate is None and not bound.monotone


def test_the_least_gate_is_exact_for_finite_features():
    for seed in range(6):
        ssm = random_ssm(seed, 1, 4, Arithmetic.parse("fixed:2"))
        gates = [
            float(gate)
            for symbol in (*ssm.alphabet, "<bos>")
            for layer in reference.step_with_gates(ssm, reference.start(ssm), symbol)[1]
            for gate in layer
        ]
        assert upper_bound(ssm).least_gate == min(gates)


def test_no_run_has_a_gate_below_the_least():
    for seed in range(12):
        ssm = random_ssm(seed, 3, 3, Arithmetic.parse(["fixed:2", "float32"][seed % 2]), bounded=seed % 3 > 0)
        least = upper_bound(ssm).least_gate
        rng, state = np.random.default_rng(seed), ssm.initial
        with np.errstate(all="ignore"):
            for symbol in rng.integers(0, 2, 15):
                state, gates = reference.step_with_gates(ssm, state, ssm.alphabet[symbol])
                assert all(float(gate) >= least for layer in gates for gate in layer)


@pytest.mark.parametrize("arithmetic", ["fixed:0", "fixed:1"])
def test_every_small_model_with_the_bound_is_star_free_when_its_states_are_listed(arithmetic):
    listed = 0
    for seed in range(36):
        ssm = random_ssm(seed, 1 + seed % 2, 1 + seed % 3, Arithmetic.parse(arithmetic))
        if upper_bound(ssm).verdict != STAR_FREE:
            continue
        try:
            dfa = DFA.from_machine(ssm, limit=300)
        except InputError:
            continue
        listed += 1
        assert is_star_free(dfa)
    assert listed > 15


def test_a_negative_gate_in_an_upper_layer_decides():
    ssm = random_ssm(0, 3, 3, Arithmetic.parse("fixed:2"))
    layer = ssm.layers[2]
    bias = layer.gate.bias.copy()
    bias[1] = -9
    changed = replace(
        ssm, layers=(*ssm.layers[:2], replace(layer, gate=Affine(layer.gate.matrix, bias, layer.gate.exponent)))
    )
    bound = upper_bound(changed)
    assert (bound.verdict, bound.channel) == (NO_BOUND, "'layer 3 h2'")
    assert bound.least_gate < 0
