"""The flip-flop and bounded Dyck: the sizes that the theorems promise, proofs in both modes, and the released strings."""

import numpy as np
import pytest

from automata.bounded_dyck import DyckMachine
from automata.errors import InputError
from automata.flip_flop import FlipFlopMachine
from constructions.arithmetic import Arithmetic
from constructions.bounded_dyck import bounded_dyck
from constructions.engine import Engine
from constructions.flip_flop import flip_flop
from constructions.lowering import lower
from verify.bisimulation import bisimulation
from verify.induction import prove_dyck
from verify.sampling import check_words, random_words
from verify.sticky import find_sticky
from verify.strings_file import read_strings
from verify.verdict import PROVED, TESTED

SMALL = [(1, 1), (1, 5), (3, 0), (2, 3), (2, 5), (3, 2), (5, 2), (8, 2), (2, 8), (16, 1)]


def bits(k):
    return (k - 1).bit_length()


def proof(machine, cascade, arithmetic):
    engine = Engine(lower(cascade, Arithmetic.parse(arithmetic)))
    sticky = find_sticky(engine) if cascade.mode == "recognise" else None
    return bisimulation(machine, engine, cascade.mode, absorbed=sticky)


@pytest.mark.parametrize("arithmetic", ["exact", "fixed:1", "fixed:3", "float16", "float32", "float64", "wrap:4"])
def test_the_flip_flop_predictor_is_proved(arithmetic):
    assert proof(FlipFlopMachine(), flip_flop(), arithmetic).outcome == PROVED


@pytest.mark.parametrize("arithmetic", ["fixed:1", "fixed:3", "float16", "float32", "float64"])
def test_the_flip_flop_recogniser_is_proved(arithmetic):
    verdict = proof(FlipFlopMachine(), flip_flop("recognise"), arithmetic)
    assert verdict.outcome == PROVED and verdict.explored["machine states"] == 9


@pytest.mark.parametrize("k, depth", SMALL)
@pytest.mark.parametrize("mode", ["predictive", "recognise"])
def test_bounded_dyck_is_proved(k, depth, mode):
    for arithmetic in ("exact", "fixed:1", "float32"):
        verdict = proof(DyckMachine(k, depth), bounded_dyck(k, depth, mode), arithmetic)
        assert verdict.outcome == PROVED, (arithmetic, verdict)
        assert verdict.explored["joint states"] == (depth + 1) * k**depth
        # Floats count exactly only so far, and the violations of a recogniser are counted for ever.
        assert (verdict.horizon is not None) == (arithmetic == "float32" and mode == "recognise")


@pytest.mark.slow
@pytest.mark.parametrize("k, depth", [(8, 5), (4, 8), (2, 15)])
def test_half_a_million_pairs_close(k, depth):
    verdict = proof(DyckMachine(k, depth), bounded_dyck(k, depth), "exact")
    assert verdict.outcome == PROVED
    assert verdict.explored["joint states"] == (depth + 1) * k**depth
    assert verdict.explored["machine states"] == DyckMachine(k, depth).classes()


@pytest.mark.slow
def test_a_large_recogniser_closes():
    verdict = proof(DyckMachine(2, 15), bounded_dyck(2, 15, "recognise"), "exact")
    assert verdict.outcome == PROVED and verdict.horizon is None


def test_the_dyck_of_the_paper_is_proved_by_induction():
    assert prove_dyck(lower(bounded_dyck(8, 10), Arithmetic("exact")), 8, 10, "predictive").outcome == PROVED


@pytest.mark.parametrize("k, depth", [*SMALL, (8, 10)])
def test_sizes_are_those_of_the_theorem(k, depth):
    ssm = lower(bounded_dyck(k, depth), Arithmetic("exact"))
    assert len(ssm.layers) == (2 if depth else 1)
    assert ssm.hidden_size == sum(len(layer.initial) for layer in ssm.layers) == 1 + depth * bits(k)
    # The last layer muxes one slot out (depth * bits neurons) and names its closing bracket (k neurons).
    if depth:
        mux, names = (mix.affine.outputs for mix in ssm.layers[1].phi)
        assert mux == depth * bits(k) and names <= k + 2
    recogniser = lower(bounded_dyck(k, depth, "recognise"), Arithmetic("exact"))
    assert len(recogniser.layers) == len(ssm.layers) + 1
    assert recogniser.hidden_size == ssm.hidden_size + 1


def test_no_layer_reads_a_later_one():
    """Changing a later layer's weights leaves the states of the layers above it as they were."""
    from corruption import with_layer

    ssm = lower(bounded_dyck(2, 3, "recognise"), Arithmetic("exact"))
    words = np.random.default_rng(0).integers(0, 4, (8, 40))
    engine = Engine(ssm)
    whole = engine.advance(engine.begin(8)[0], words)[0]
    ends = np.cumsum([layer.width for layer in ssm.layers])
    for number in range(1, len(ssm.layers)):
        layer = ssm.layers[number]
        changed = Engine(with_layer(ssm, number, initial=layer.initial + 1))
        state = changed.advance(changed.begin(8)[0], words)[0]
        assert np.array_equal(state[:, : ends[number - 1]], whole[:, : ends[number - 1]])


def test_the_largest_one_builds():
    ssm = lower(bounded_dyck(1024, 64), Arithmetic("exact"))
    assert ssm.hidden_size == 1 + 64 * 10
    assert len(ssm.embedding) == 2 * 1024 + 1
    assert sum(ssm.layers[1].phi[i].affine.outputs for i in (0, 1)) <= 64 * 10 + 1024 + 2


@pytest.mark.parametrize("k, depth", [(0, 3), (-1, 3), (2, -1)])
def test_impossible_sizes_are_named(k, depth):
    with pytest.raises(InputError, match=rf"Dyck\({k}, {depth}\)"):
        bounded_dyck(k, depth)


@pytest.mark.parametrize("depth, lines", [(10, 4928), (5, 9660)])
def test_every_line_of_the_released_strings(shared_data, depth, lines):
    machine = DyckMachine(8, depth)
    strings = read_strings(shared_data(f"bounded-dyck/k8_m{depth}.dev"), machine.parse_symbol)
    assert len(strings) == lines and all(line.complete for line in strings)
    engine = Engine(lower(bounded_dyck(8, depth), Arithmetic("exact")))
    verdict = check_words(machine, engine, [line.word for line in strings], "predictive")
    assert verdict.outcome == TESTED and verdict.explored["disagreements"] == 0
    # Every line is a word: asked to its end, and nested as deep as the file's name says, but no deeper.
    assert verdict.explored["positions compared"] == verdict.explored["symbols"] + lines
    recogniser = Engine(lower(bounded_dyck(8, depth, "recognise"), Arithmetic("exact")))
    assert check_words(machine, recogniser, [line.word for line in strings], "recognise").outcome == TESTED
    shallower = Engine(lower(bounded_dyck(8, depth - 1, "recognise"), Arithmetic("exact")))
    assert check_words(machine, shallower, [line.word for line in strings], "recognise").outcome == "refuted"


@pytest.mark.slow
@pytest.mark.parametrize("depth, strings", [(5, 400), (10, 2000)])
def test_a_million_random_symbols(depth, strings):
    machine = DyckMachine(8, depth)
    engine = Engine(lower(bounded_dyck(8, depth, "recognise"), Arithmetic("exact")))
    words = random_words(machine, strings, 1100, np.random.default_rng(depth))
    verdict = check_words(machine, engine, words, "recognise")
    assert verdict.outcome == TESTED
    assert verdict.explored["positions compared"] > 500 * strings
