"""The paper's constructions: their sizes as theorems say, and proofs at every length in every arithmetic."""

from dataclasses import replace

import numpy as np
import pytest

from automata.errors import InputError
from automata.machine import PREDICTIVE, RECOGNISE
from automata.machines.bounded_dyck import DyckMachine
from automata.machines.flip_flop import FlipFlopMachine
from constructions.cascade import bit_length
from constructions.paper.bounded_dyck import bounded_dyck
from constructions.paper.flip_flop import flip_flop
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.layers import Affine
from constructions.ssm.lowering import lower
from verify.evidence.sampling import check_words, random_words
from verify.evidence.strings_file import read_strings
from verify.methods.bisimulation import bisimulation
from verify.methods.induction import prove_dyck
from verify.methods.sticky import find_sticky
from verify.verdict import PROVED, REFUTED, TESTED

EXACT = Arithmetic("exact")
ARITHMETICS = ["exact", "fixed:1", "float32", "float64"]
SMALL = [(1, 1), (3, 0), (2, 3), (2, 5), (3, 2), (1, 5), (5, 2), (8, 2), (2, 8), (16, 1)]
SIZES = [*SMALL, (1, 0), (4, 8), (8, 10), (17, 3), (64, 2)]


def prove(machine, ssm):
    engine = Engine(ssm)
    sticky = find_sticky(engine) if ssm.mode == RECOGNISE else None
    return bisimulation(machine, engine, ssm.mode, absorbed=sticky, limit=1_000_000)


# -- sizes --------------------------------------------------------------------------------------------


def assert_arrays_fit(ssm):
    """Every array has the shape that the next one reads, and each layer reads the one before it alone."""
    features = ssm.embedding.shape[1]
    assert ssm.embedding.shape[0] == len(ssm.alphabet) + 1
    for layer in ssm.layers:
        assert layer.gate.matrix.shape == layer.increment.matrix.shape == (layer.width, features)
        assert layer.initial.shape == (layer.width,) and len(layer.names) == layer.width
        assert len(layer.phi) == 2
        first, second = (mix.affine.matrix.shape for mix in layer.phi)
        assert first[1] == layer.width + features and second[1] == first[0] + features
        features = second[0]
    assert ssm.readout.matrix.shape == (len(ssm.outputs), features)


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("k, depth", SIZES)
def test_bounded_dyck_has_two_layers_and_the_hidden_size_of_the_theorem(k, depth, mode):
    ssm = lower(bounded_dyck(k, depth, mode), EXACT)
    bits = bit_length(k)
    assert 2**bits >= k > 2**bits / 2
    # At depth 0 and with one type there is nothing to remember but the depth, and no layer for slots.
    slotted = depth * bits > 0
    widths = [1] + [depth * bits] * slotted + [1] * (mode == RECOGNISE)
    assert [layer.initial.shape[0] for layer in ssm.layers] == [layer.width for layer in ssm.layers] == widths
    assert ssm.hidden_size == sum(widths) == len(ssm.state_names)
    assert_arrays_fit(ssm)
    assert ssm.layers[0].names == ("depth",)
    slots = [f"slot {j}" for j in range(1, depth + 1)]
    named = [name if bits == 1 else f"{name} bit {i}" for name in slots for i in range(bits)]
    if slotted and mode == PREDICTIVE:
        # The last layer muxes one slot out and names its closing bracket: depth * log k + k neurons, not their product.
        mux, named_brackets = (mix.affine.outputs for mix in ssm.layers[1].phi)
        assert mux == depth * bits and named_brackets <= k + 2
    assert list(ssm.state_names[1 : 1 + depth * bits]) == named


@pytest.mark.parametrize("mode, widths", [(PREDICTIVE, [2, 1]), (RECOGNISE, [3, 1, 1])])
def test_the_flip_flop_has_two_layers_and_three_for_recognition(mode, widths):
    ssm = lower(flip_flop(mode), Arithmetic.parse("fixed:1"))
    assert [layer.width for layer in ssm.layers] == widths
    assert_arrays_fit(ssm)


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("k, depth", [(1, 1), (2, 5), (8, 10), (4, 64), (64, 4), (256, 32), (512, 2)])
def test_the_neurons_of_phi_grow_with_depth_times_log_k_plus_k(k, depth, mode):
    ssm = lower(bounded_dyck(k, depth, mode), EXACT)
    neurons = sum(mix.affine.outputs for layer in ssm.layers for mix in layer.phi)
    assert neurons <= 6 * (depth * (bit_length(k) + 1) + k + bit_length(k) + 4)
    assert ssm.nonzero <= 40 * (depth * (bit_length(k) + 1) + k * (bit_length(k) + 1) + 8)


@pytest.mark.parametrize("build", [lambda: bounded_dyck(2, 3), lambda: bounded_dyck(2, 3, RECOGNISE), flip_flop])
def test_no_layer_reads_a_later_one(build):
    """Other weights in one layer change nothing above it."""
    ssm = lower(build(), EXACT)
    words = np.random.default_rng(0).integers(0, len(ssm.alphabet), (8, 4))
    engine = Engine(ssm)
    expected, _ = engine.advance(engine.begin(8)[0], words)
    ends = np.cumsum([layer.width for layer in ssm.layers])
    for number, layer in enumerate(ssm.layers):

        def noise(affine, seed):
            values = np.random.default_rng(seed).integers(0, 2, affine.matrix.shape)
            return Affine(values, np.zeros(affine.outputs, dtype=np.int64))

        phi = tuple(replace(mix, affine=noise(mix.affine, i)) for i, mix in enumerate(layer.phi))
        layers = (
            *ssm.layers[:number],
            replace(layer, increment=noise(layer.increment, 7), phi=phi),
            *ssm.layers[number + 1 :],
        )
        other = Engine(replace(ssm, layers=layers))
        state, _ = other.advance(other.begin(8)[0], words)
        above = ends[number] - layer.width
        assert np.array_equal(state[:, :above], expected[:, :above])
        assert not np.array_equal(state[:, above:], expected[:, above:])


def test_dyck_with_a_thousand_types_and_depth_64_builds_and_runs():
    machine = DyckMachine(1024, 64)
    engine = Engine(lower(bounded_dyck(1024, 64), EXACT))
    assert engine.ssm.hidden_size == 1 + 64 * 10
    nested = [*machine.openers[100:164], *reversed(machine.closers[100:164])]
    verdict = check_words(
        machine,
        engine,
        [nested, machine.openers[:65], *random_words(machine, 20, 100, np.random.default_rng(0))],
        PREDICTIVE,
    )
    assert verdict.outcome == TESTED and verdict.explored["positions compared"] > 500


@pytest.mark.parametrize("k, depth", [(0, 1), (-2, 3), (2, -1)])
def test_impossible_sizes_are_refused(k, depth):
    with pytest.raises(InputError, match=str(min(k, depth))):
        bounded_dyck(k, depth)


# -- proofs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("k, depth", SMALL)
def test_bounded_dyck_is_proved(k, depth, arithmetic):
    machine, arithmetic = DyckMachine(k, depth), Arithmetic.parse(arithmetic)
    verdict = prove(machine, lower(bounded_dyck(k, depth), arithmetic))
    assert (verdict.outcome, verdict.horizon) == (PROVED, None)
    # The slots above the current depth keep what they had: every content at every depth.
    assert verdict.explored["joint states"] == (depth + 1) * k**depth
    assert verdict.explored["machine states"] == machine.classes()
    verdict = prove(machine, lower(bounded_dyck(k, depth, RECOGNISE), arithmetic))
    assert verdict.outcome == PROVED and (verdict.horizon is None) == (not arithmetic.is_float)
    assert verdict.explored["joint states"] == (depth + 1) * k**depth
    assert verdict.explored["machine states"] == machine.classes() + 1


@pytest.mark.parametrize("arithmetic", [*ARITHMETICS, "fixed:0", "fixed:8", "float16", "wrap:8"])
def test_the_flip_flop_is_proved(arithmetic):
    verdict = prove(FlipFlopMachine(), lower(flip_flop(), Arithmetic.parse(arithmetic)))
    assert (verdict.outcome, verdict.horizon) == (PROVED, None)
    assert verdict.explored["machine states"] == 8


@pytest.mark.parametrize("arithmetic", ["fixed:1", "fixed:8", "float16", "float32", "float64"])
def test_recognition_of_the_flip_flop_is_proved(arithmetic):
    verdict = prove(FlipFlopMachine(), lower(flip_flop(RECOGNISE), Arithmetic.parse(arithmetic)))
    assert (verdict.outcome, verdict.horizon) == (PROVED, None)
    assert verdict.explored["machine states"] == 9


@pytest.mark.parametrize(
    "arithmetic, reason",
    [("exact", "constant or the identity"), ("wrap:8", "wrapping"), ("fixed:0", "no fractional bit")],
)
def test_recognition_of_the_flip_flop_is_refused_where_a_value_before_the_step_is_lost(arithmetic, reason):
    with pytest.raises(InputError, match=f"register 'last' is read before the step.*{reason}"):
        lower(flip_flop(RECOGNISE), Arithmetic.parse(arithmetic))


@pytest.mark.parametrize("k, depth", [(8, 5), (4, 8), (2, 15)])
def test_hundreds_of_thousands_of_joint_states_are_proved(k, depth):
    verdict = prove(DyckMachine(k, depth), lower(bounded_dyck(k, depth), EXACT))
    assert verdict.outcome == PROVED and verdict.explored["joint states"] == (depth + 1) * k**depth


def test_a_large_recogniser_is_proved():
    verdict = prove(DyckMachine(2, 15), lower(bounded_dyck(2, 15, RECOGNISE), EXACT))
    assert verdict.outcome == PROVED and verdict.horizon is None


def test_the_dyck_of_the_paper_is_proved_by_induction():
    assert prove_dyck(lower(bounded_dyck(8, 10), EXACT), 8, 10, PREDICTIVE).outcome == PROVED


# -- strings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [PREDICTIVE, RECOGNISE])
@pytest.mark.parametrize("depth", [5, 10])
def test_every_line_of_the_released_strings(shared_data, depth, mode):
    machine = DyckMachine(8, depth)
    lines = read_strings(shared_data(f"bounded-dyck/k8_m{depth}.dev"), machine.parse_symbol)
    deepest = 0
    for line in lines:
        assert line.complete
        state = machine.initial
        for symbol in line.word:
            state = machine.step(state, symbol)
            deepest = max(deepest, len(state))
        assert machine.accepts(state)
    assert deepest == depth
    verdict = check_words(
        machine, Engine(lower(bounded_dyck(8, depth, mode), EXACT)), [line.word for line in lines], mode
    )
    assert verdict.outcome == TESTED and verdict.explored["disagreements"] == 0
    assert verdict.explored["strings"] == len(lines) > 4000
    assert verdict.explored["positions compared"] == verdict.explored["symbols"] + len(lines)
    # Some line is nested as deep as the file's name says.
    shallower = Engine(lower(bounded_dyck(8, depth - 1, mode), EXACT))
    assert check_words(machine, shallower, [line.word for line in lines[:300]], mode).outcome == REFUTED


@pytest.mark.parametrize("depth", [5, 10])
def test_half_a_million_random_symbols(depth):
    """Fifty walks, half of whose steps close a bracket where one is open."""
    machine, shape = DyckMachine(8, depth), (50, 10_000)
    index = {symbol: i for i, symbol in enumerate(machine.alphabet)}
    sets: dict[frozenset[str], int] = {}
    words, expected = np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.int64)
    for row, draws in enumerate(np.random.default_rng(depth).integers(0, 1 << 40, shape).tolist()):
        state = machine.initial
        for time, draw in enumerate(draws):
            if state and (draw & 1 or len(state) == depth):
                symbol = machine.closers[state[-1]]
            else:
                symbol = machine.openers[draw // 2 % 8]
            state = machine.step(state, symbol)
            words[row, time] = index[symbol]
            expected[row, time] = sets.setdefault(machine.legal(state), len(sets))
    engine = Engine(lower(bounded_dyck(8, depth), EXACT))
    table = np.array([[output in legal for output in engine.outputs] for legal in sets])
    compared = 0
    for first, _, outputs in engine.stream(words):
        given = outputs.dense()
        assert np.array_equal(given, table[expected[:, first : first + given.shape[1]]])
        compared += given.shape[0] * given.shape[1]
    assert compared == 500_000
