"""Random models are what they promise to be: reproducible, nonnegative, and bounded where that is asked for."""

import numpy as np
import pytest

from automata.errors import InputError
from constructions.ssm import reference
from constructions.ssm.arithmetic import Arithmetic
from constructions.ssm.engine import Engine
from constructions.ssm.random_ssm import random_ssm
from constructions.ssm.storage import load, save

CASES = [
    ("fixed:1", "affine"),
    ("fixed:6", "affine"),
    ("exact", "affine"),
    ("float32", "sigmoid"),
    ("float64", "exp-softplus"),
]


def same(one, other):
    arrays = [[ssm.embedding, *(layer.initial for layer in ssm.layers)] for ssm in (one, other)]
    arrays[0] += [part for _, a in one.affines() for part in (a.matrix.toarray(), a.bias)]
    arrays[1] += [part for _, a in other.affines() for part in (a.matrix.toarray(), a.bias)]
    return all(np.array_equal(a, b) for a, b in zip(*arrays))


@pytest.mark.parametrize("arithmetic, gates", CASES)
def test_the_same_seed_gives_the_same_model_and_another_seed_another(arithmetic, gates):
    arithmetic = Arithmetic.parse(arithmetic)
    assert same(random_ssm(3, 2, 5, arithmetic, gates), random_ssm(3, 2, 5, arithmetic, gates))
    assert not same(random_ssm(3, 2, 5, arithmetic, gates), random_ssm(4, 2, 5, arithmetic, gates))


@pytest.mark.parametrize("arithmetic, gates", CASES)
@pytest.mark.parametrize("bounded", [True, False])
def test_gates_and_features_stay_in_their_range(arithmetic, gates, bounded):
    arithmetic = Arithmetic.parse(arithmetic)
    seen = []
    for seed in range(6):
        ssm = random_ssm(seed, 1 + seed % 3, 4, arithmetic, gates, bounded)
        rng = np.random.default_rng(seed)
        state = ssm.initial
        for symbol in rng.integers(0, 2, 6 if arithmetic.kind == "exact" else 12):
            state, all_gates = reference.step_with_gates(ssm, state, ssm.alphabet[symbol])
            seen += [float(gate) for layer in all_gates for gate in layer]
    assert min(seen) >= 0 or not bounded
    if bounded or gates != "affine":
        assert 0 <= min(seen) and max(seen) <= 1
    else:
        assert max(seen) > 1


@pytest.mark.parametrize("bounded", [True, False])
def test_only_the_bounded_family_ends_in_a_clip(bounded):
    for seed in range(10):
        ssm = random_ssm(seed, 3, 4, Arithmetic.parse("float32"), bounded=bounded)
        assert all((layer.phi[-1].activation == "clip") == bounded for layer in ssm.layers)


def test_depths_widths_alphabets_and_outputs_are_those_asked_for(tmp_path):
    ssm = random_ssm(0, 4, 16, Arithmetic.parse("fixed:3"), alphabet=("a", "b", "c"), outputs=("a", "b", "c", "<eos>"))
    assert [layer.width for layer in ssm.layers] == [16] * 4
    assert ssm.mode == "predictive"
    save(ssm, tmp_path / "model")
    assert same(load(tmp_path / "model"), ssm)
    state, _ = Engine(ssm).begin(2)
    assert state.shape == (2, 64)


def test_impossible_requests_are_refused():
    with pytest.raises(InputError, match="depth 0"):
        random_ssm(0, 0, 3, Arithmetic.parse("fixed:1"))
    with pytest.raises(InputError, match="'tanh'"):
        random_ssm(0, 1, 3, Arithmetic.parse("fixed:1"), gates="tanh")
    with pytest.raises(InputError, match="needs float"):
        random_ssm(0, 1, 3, Arithmetic.parse("fixed:1"), gates="sigmoid")
