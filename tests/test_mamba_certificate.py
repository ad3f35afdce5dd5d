"""The certificate of exactness: each constant that it relies on is checked; what passes is the same in every run."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from automata.catalogue import language
from automata.errors import InputError
from automata.machine import ACCEPT, PREDICTIVE, RECOGNISE
from constructions.cascade import Add, AtLeast, Cascade, Counter, Emit, In, Level, Rule
from constructions.compile.compiler import compile
from constructions.mamba.ballast import GIANT
from constructions.mamba.certificate import certify
from constructions.mamba.lowering import lower_to_mamba
from constructions.mamba.precision import PRECISIONS
from constructions.mamba.weights import BOS_TOKEN, FIRST_SYMBOL, MambaWeights
from constructions.paper.counters import counter_cascade
from constructions.paper.flip_flop import flip_flop

S = PRECISIONS["float32"].scale
BLOCK = "backbone.layers.0.mixer"
DRIVER, CELL = 1, 2
"""Channels of the first block of flip-flop: one that only drives a step size, and a cell."""


def lowered(name, dtype="float32", norm=None, mode=PREDICTIVE) -> MambaWeights:
    return lower_to_mamba(compile(language(name).machine, mode, target="mamba").cascade, dtype, norm)


def changed(weights: MambaWeights, key: str, place, value) -> MambaWeights:
    """The weights with one number, or the numbers of one slice, replaced."""
    tensor = weights.tensors[key].copy()
    tensor[place] = value
    return replace(weights, tensors={**weights.tensors, key: tensor})


def channel(weights: MambaWeights, block: int, start: str) -> int:
    """The first channel of the block whose name begins so."""
    return next(i for i, name in enumerate(weights.channel_names()[block]) if name.startswith(start))


def unused(weights: MambaWeights) -> int:
    return weights.inner - 1


def refusal(weights: MambaWeights) -> str:
    with pytest.raises(InputError, match="no certificate of exactness") as caught:
        certify(weights)
    return str(caught.value)


# -- each condition -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key, place, value, message",
    [
        # The constant neuron.
        ("conv1d.bias", 0, 2 * S, "is the constant 2 S, expected S"),
        ("conv1d.bias", 0, 0, "it is not the constant channel"),
        ("D", 0, 0, "it is not the constant channel"),
        ("D", 0, 2 / S, "its output gate or its skip is not 0 or 1|it is not the constant channel"),
        # Step sizes and gates.
        ("A_log", -1, 100, "its A_log is 100, and exp of it may not be finite"),
        ("A_log", CELL, -1, "its gate is not 0 or 1"),
        ("dt_proj.weight", (CELL, 0), 2, "its gate is not 0 or 1"),
        ("dt_proj.bias", CELL, -S / 2, "its gate is not 0 or 1"),
        ("dt_proj.bias", -1, 0, "its step size is neither off nor the scale"),
        # Convolution.
        ("conv1d.weight", (1, 0), [1, 1], r"has the taps \[1.0, 1.0\]"),
        ("conv1d.weight", (1, 0), [0, 2], r"has the taps \[0.0, 2.0\]"),
        # Numbers.
        ("conv1d.weight", (-1, 0), [0, 1 + 2.0**-30], "is not a number of float32"),
        ("conv1d.weight", (-1, 0), [0, 2.0**-130], "is not a number of float32"),
        ("conv1d.weight", (-1, 0), [0, 1e39], "is not a number of float32"),
        ("conv1d.weight", (-1, 0), [0, np.inf], "is not a number that can be reasoned about"),
        ("conv1d.weight", (-1, 0), [0, np.nan], "is not a number that can be reasoned about"),
        # What is written.
        ("out_proj.weight", (0, 0), 1 / S, "coordinate 'one' is written 2 times"),
        ("out_proj.weight", (-1, 1), 1 / S, "moves the ballast by a channel that is not constant"),
        # B and C.
        ("x_proj.weight", (-1, 0), 2 / S**2, "C is not the constant 1/S"),
        ("x_proj.weight", (-2, 0), 2 / S**2, "B is neither constant nor"),
        ("x_proj.weight", (0, 1), 4, "not driven by cubes alone, with weight 2"),
    ],
)
def test_each_constant_of_a_block_is_checked(key, place, value, message):
    weights = lowered("flip-flop")
    assert [weights.tensors[f"{BLOCK}.dt_proj.weight"][i, 0] for i in (DRIVER, CELL)] == [0, 1]
    assert re.search(message, refusal(changed(weights, f"{BLOCK}.{key}", place, value)))


def test_cubes_of_different_positions_do_not_exclude_each_other():
    """One reads this symbol, the other the one before: both may be as they like."""
    weights = lowered("flip-flop")
    assert "it can fire with channel" in refusal(changed(weights, f"{BLOCK}.conv1d.weight", (DRIVER, 0), [1, 0]))


def test_a_gate_is_exactly_one_or_zero():
    weights = lowered("flip-flop")
    row = weights.inner + 1
    value = weights.tensors[f"{BLOCK}.in_proj.weight"][row, 0]
    assert "its output gate or its skip" in refusal(changed(weights, f"{BLOCK}.in_proj.weight", (row, 0), 2 * value))
    # A gate that a norm's zero weight closes is closed.
    assert refusal(changed(weights, "backbone.layers.0.norm.weight", 0, 0))


def test_a_norm_lets_no_ballast_through():
    weights = lowered("flip-flop", norm=GIANT)
    ballast = len(weights.layout.coordinates)
    assert "norm_f.weight lets the ballast through" in refusal(
        changed(weights, "backbone.norm_f.weight", ballast, weights.tensors["backbone.norm_f.weight"][0])
    )


@pytest.mark.parametrize("norm, value", [(None, 2.0**127), (GIANT, 2.0**-100)])
def test_a_unit_after_a_norm_is_in_range(norm, value):
    weights = lowered("flip-flop", norm=norm)
    # A coordinate that no logit reads.
    place = next(c for c in range(weights.width) if not weights.tensors["lm_head.weight"][:, c].any())
    assert "norm_f.weight makes a unit too large or too small" in refusal(
        changed(weights, "backbone.norm_f.weight", place, value)
    )


@pytest.mark.parametrize("value", [2.0**127, 2.0**-126])
def test_logits_stay_in_range(value):
    """A weight that is a number of the format, and its product with what stands for 1, which is none."""
    weights = lowered("flip-flop")
    coordinate = len(weights.layout.coordinates) - 1
    gain = weights.tensors["backbone.norm_f.weight"][coordinate]
    steeper = changed(weights, "backbone.norm_f.weight", coordinate, gain * (4 if value > 1 else 0.25))
    # The only term of a logit, so that its number of units is 1.
    alone = changed(changed(steeper, "lm_head.weight", 0, 0), "lm_head.weight", (0, coordinate), value)
    assert "logit 0 has products beyond the range of float32" in refusal(alone)


def test_a_sum_has_as_many_units_as_the_format_has_digits_for():
    """256 + 1 is no number of bfloat16, 128 + 1 is."""
    weights = changed(lowered("flip-flop", "bfloat16"), "lm_head.weight", 0, 0)
    weights = changed(weights, "lm_head.weight", (0, 1), 1)
    assert certify(changed(weights, "lm_head.weight", (0, 0), 128))
    message = refusal(changed(weights, "lm_head.weight", (0, 0), 256))
    assert "logit 0 can add up to 257 units, and bfloat16 is exact up to 256" in message


def test_a_coordinate_is_written_by_its_own_block():
    """The writes of one block, made by another: each alone would be allowed."""
    weights = lowered("flip-flop", norm=GIANT)
    coordinate = next(members[0] for ready, members in weights.layout.groups if ready == 2)
    moved = changed(weights, "backbone.layers.1.mixer.out_proj.weight", coordinate, 0)
    moved = changed(moved, "backbone.layers.0.mixer.out_proj.weight", (coordinate, 1), 1 / S)
    assert "is written by block 1, not by its own" in refusal(moved)


def test_what_is_written_is_counted_before_it_becomes_an_integer():
    """2^70 is no int64."""
    weights = lowered("flip-flop")
    last = len(weights.layout.blocks) - 1
    key = f"backbone.layers.{last}.mixer.out_proj.weight"
    places = np.argwhere(weights.tensors[key][: len(weights.layout.coordinates)])
    assert "it writes" in refusal(changed(weights, key, tuple(places[-1]), 2.0**70))


def test_only_measured_formats_are_certified():
    weights = lowered("flip-flop")
    assert "none of the formats" in refusal(replace(weights, precision=replace(weights.precision, scale=16)))


def test_the_ballast_is_exact_in_the_format():
    """90 is a number of bfloat16; 8190 is none, though the sum of squares is as it has to be in float32."""
    weights = lowered("flip-flop")
    assert weights.precision.name == "float32" and certify(weights)
    coarse = replace(weights, precision=replace(PRECISIONS["bfloat16"]))
    assert certify(coarse)
    first = len(weights.layout.coordinates)
    keys = ["backbone.embeddings.weight"]
    with_odd = {key: weights.tensors[key].copy() for key in keys}
    with_odd[keys[0]][:, first] += 2.0**9
    assert "sum of squares" in refusal(replace(coarse, tensors={**weights.tensors, **with_odd}))


# -- counters -----------------------------------------------------------------------------------------


def counting_block(weights) -> str:
    number = next(i for i, names in enumerate(weights.channel_names()) if any(n.startswith("count ") for n in names))
    return f"backbone.layers.{number}.mixer"


def test_a_counter_counts_ones():
    weights = lower_to_mamba(counter_cascade("dyck-1"))
    block = counting_block(weights)
    place = channel(weights, int(block.split(".")[2]), "count ")
    assert "is the constant 2 S" in refusal(changed(weights, f"{block}.conv1d.bias", place, 2 * S))
    assert "not with gate 1" in refusal(changed(weights, f"{block}.A_log", place, -100))
    assert "not with gate 1" in refusal(changed(weights, f"{block}.conv1d.bias", place, 0))


def test_the_horizon_is_that_of_the_arrays():
    """Larger steps and other starts than the layout says shorten it."""
    weights = lower_to_mamba(counter_cascade("dyck-1"))
    block, horizon = counting_block(weights), certify(weights).horizon
    number = int(block.split(".")[2])
    row = weights.tensors[f"{block}.x_proj.weight"].shape[0] - 2
    up = np.flatnonzero(weights.tensors[f"{block}.x_proj.weight"][row])
    (coordinate,) = [c for c in weights.layout.integers]
    # The value before would need the same change.
    assert not weights.tensors[f"{block}.out_proj.weight"][coordinate, up].any()
    faster = changed(weights, f"{block}.x_proj.weight", (row, up[0]), 4 / S**2)
    assert certify(faster).horizon == horizon // 4
    later = changed(weights, f"{block}.out_proj.weight", (coordinate, 0), 100 / S)
    assert horizon - 200 < certify(later).horizon <= horizon - 100
    assert "increment can add up to" in refusal(
        changed(weights, f"{block}.x_proj.weight", (row, up[0]), 2.0**30 / S**2)
    )
    assert number == 0 and "B is neither constant nor a sum of whole amounts" in refusal(
        changed(weights, f"{block}.x_proj.weight", (row, up[0]), 0.5 / S**2)
    )


def test_counters_of_float64_are_those_of_float32():
    """Norms and single steps compute in float32 whatever the format: 2^24 + 1 is not kept, 2^24 is."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from constructions.mamba.huggingface import stock_model
    from constructions.mamba.surroundings import quiet

    weights = lower_to_mamba(counter_cascade("dyck-1"), "float64")
    assert certify(weights).greatest == 2**24
    scale, cell = weights.precision.scale, channel(weights, 0, "count ")
    for value, kept in ((2**24, True), (2**24 + 1, False)):
        with quiet(), torch.no_grad():
            model = stock_model(weights)
            result = model(torch.tensor([[BOS_TOKEN]]), use_cache=True)
            state = result.cache_params.layers[0].recurrent_states[0]
            state[0, cell] = value * scale
            model(torch.tensor([[BOS_TOKEN]]), cache_params=result.cache_params, use_cache=True)
            assert (float(state[0, cell]) == value * scale) == kept


def test_what_bos_counts_is_part_of_the_horizon():
    """Before the first symbol the counter may have moved already."""
    weights = lower_to_mamba(counter_cascade("dyck-1"), "bfloat16")
    certificate = certify(weights)
    bos = np.flatnonzero(weights.tensors["backbone.embeddings.weight"][BOS_TOKEN, list(weights.layout.symbols)])
    assert not len(bos)  # in this layout BOS is where no symbol's coordinate is 1
    row = weights.tensors["backbone.embeddings.weight"][FIRST_SYMBOL]
    counts_on_bos = changed(weights, "backbone.embeddings.weight", BOS_TOKEN, row)
    assert certify(counts_on_bos).horizon == certificate.horizon - 1


def test_the_value_before_is_the_counter_less_what_was_added():
    counter = Counter("n", (Rule((In({"a"}),), Add(3)), Rule((In({"b"}),), Add(-2))))
    emit = Emit((AtLeast("n", 5, before=True),), {ACCEPT})
    weights = lower_to_mamba(Cascade(("a", "b"), (Level((counter,)),), (ACCEPT,), (emit,)))
    (before,) = [c for c in weights.layout.integers if weights.coordinate_names()[c].endswith("before")]
    key = f"{counting_block(weights)}.out_proj.weight"
    place = np.flatnonzero(weights.tensors[key][before])[-1]
    message = refusal(changed(weights, key, (before, place), 5 * weights.tensors[key][before, place]))
    assert "is neither a counter's value nor the one before" in message


# -- all mutants that pass ----------------------------------------------------------------------------

BASES = [
    ("flip-flop", PREDICTIVE, None),
    ("flip-flop", RECOGNISE, GIANT),
    ("dyck-1-3", PREDICTIVE, None),
    ("d-2", RECOGNISE, None),
    ("anbn", PREDICTIVE, None),
]
ORDINARY = (0, 1, -1, 2, 16, 88, 89, 100, -89, -100, -200, -201, -1000)
VALUES = (*ORDINARY, 1e5, 1e-5, 1e30, -1e30, 1e-40, 2.0**-24, 2.0**60, 2.0**100)
RELATIVE = (
    lambda old, scale, greatest: -old,
    lambda old, scale, greatest: 2 * old,
    lambda old, scale, greatest: old / 2,
    lambda old, scale, greatest: 3 * old,
    lambda old, scale, greatest: old + 1,
    lambda old, scale, greatest: old * (1 + 2.0**-12),
    lambda old, scale, greatest: scale,
    lambda old, scale, greatest: -scale,
    lambda old, scale, greatest: 2 * scale,
    lambda old, scale, greatest: -5 * scale,
    lambda old, scale, greatest: 1 / scale,
    lambda old, scale, greatest: 2 / scale,
    lambda old, scale, greatest: 1 / scale**2,
    lambda old, scale, greatest: 2 / scale**2,
    lambda old, scale, greatest: greatest,
    lambda old, scale, greatest: -greatest / 2,
)


def mutant(weights: MambaWeights, rng: np.random.Generator) -> tuple[str, MambaWeights]:
    """One to four numbers of one tensor replaced, by ordinary or extreme ones of the format."""
    import torch

    key = str(rng.choice(list(weights.tensors)))
    tensor = weights.tensors[key].copy()
    used, said = np.argwhere(tensor), []
    for _ in range(1 if rng.random() < 0.8 else int(rng.integers(2, 5))):
        place = tuple(int(rng.integers(size)) for size in tensor.shape)
        if len(used) and rng.random() < 0.6:
            place = tuple(int(i) for i in used[rng.integers(len(used))])
        old, kind = tensor[place], rng.integers(2)
        value = VALUES[rng.integers(len(VALUES))]
        if kind:
            value = RELATIVE[rng.integers(len(RELATIVE))](old, weights.precision.scale, weights.precision.greatest)
        value = (
            torch.tensor(float(value), dtype=torch.float64).to(getattr(torch, weights.precision.name)).double().item()
        )
        tensor[place] = value if np.isfinite(value) else 0
        said.append(f"{key}{list(place)}: {old:g} -> {tensor[place]:g}")
    return "; ".join(said), replace(weights, tensors={**weights.tensors, key: tensor})


def caches_of(result, rows=slice(None)):
    layers = result.cache_params.layers
    return [tensor[rows].clone() for layer in layers for tensor in (layer.conv_states[0], layer.recurrent_states[0])]


def decode(model, tokens, prefill):
    """Logits and caches: the first tokens at once, the others one by one."""
    import torch

    result = model(tokens[:, :prefill], use_cache=True)
    logits = [result.logits]
    for t in range(prefill, tokens.shape[1]):
        result = model(tokens[:, t : t + 1], cache_params=result.cache_params, use_cache=True)
        logits.append(result.logits)
    return [torch.cat(logits, dim=1), *caches_of(result)]


def disagreements(weights: MambaWeights, tokens) -> list[str]:
    """The ways to run the model whose finite numbers are not all those of a full forward; 0 is -0."""
    import torch

    from constructions.mamba.huggingface import stock_model

    model, half = stock_model(weights), max(1, tokens.shape[1] // 2)
    with torch.no_grad():
        result = model(tokens, use_cache=True)
        full = [result.logits, *caches_of(result)]
        runs = {
            "steps": (decode(model, tokens, 1), full),
            "prefill": (decode(model, tokens, half), full),
            "one row": (decode(model, tokens[2:3], 1), [t[2:3] for t in full]),
        }
    return [
        name
        for name, (given, wanted) in runs.items()
        if not all(bool(torch.isfinite(a).all()) and torch.equal(a, b) for a, b in zip(given, wanted))
    ]


def attack(seed: int, count: int) -> tuple[int, list[str]]:
    """How many of so many mutants were certified, and those that are not the same in every run."""
    import torch

    from constructions.mamba.surroundings import quiet

    rng, made, certified, wrong = np.random.default_rng(seed), {}, 0, []
    with quiet():
        for _ in range(count):
            base = (*BASES[rng.integers(len(BASES))], list(PRECISIONS)[rng.integers(len(PRECISIONS))])
            if base not in made:
                name, mode, norm, dtype = base
                made[base] = lowered(name, dtype, norm, mode)
            what, weights = mutant(made[base], rng)
            try:
                certificate = certify(weights)
            except InputError:
                continue
            length = min(24, 24 if certificate.horizon is None else certificate.horizon)
            tokens = torch.from_numpy(rng.integers(FIRST_SYMBOL, weights.vocabulary, (4, length + 1)))
            tokens[:, 0] = BOS_TOKEN
            certified += 1
            wrong += [f"{base} {what}: {found}" for found in [disagreements(weights, tokens)] if found]
    return certified, wrong


@pytest.mark.usefixtures("one_thread")
def test_whatever_is_certified_gives_the_same_numbers_in_every_run():
    pytest.importorskip("transformers", reason="transformers is not installed")
    certified, wrong = attack(0, 120)
    assert certified >= 20 and wrong == []


def test_with_more_threads_it_does_so_too(two_threads):
    pytest.importorskip("transformers", reason="transformers is not installed")
    certified, wrong = attack(5, 8)
    assert certified >= 3 and wrong == []


@pytest.mark.slow
def test_thousands_of_mutants_give_the_same_numbers_in_every_run():
    pytest.importorskip("transformers", reason="transformers is not installed")
    certified, wrong = attack(1, 4000)
    assert certified >= 500 and wrong == []


def test_untouched_models_are_certified():
    for dtype in PRECISIONS:
        assert certify(lower_to_mamba(flip_flop(), dtype)).horizon is None


def test_a_certificate_is_kept_for_the_same_arrays_alone():
    weights = lower_to_mamba(flip_flop())
    assert certify(weights) is certify(weights)
    name = next(name for name, tensor in weights.tensors.items() if name.endswith("in_proj.weight"))
    weights.tensors[name][0, 0] += 1 / 3
    with pytest.raises(InputError):
        certify(weights)
